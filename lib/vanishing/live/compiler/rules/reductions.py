"""Operations that reduce, accumulate or sort."""

from __future__ import annotations

from vanishing.live.compiler.code.emit import Emitter, rule
from vanishing.live.compiler.code.fusion import hint_of
from vanishing.live.compiler.code.values import Affine, Body, Lazy, Value
from vanishing.live.compiler.graph.nodes import Node
from vanishing.live.compiler.rules.arrays import position, window

REDUCTIONS = {  # initial value, one step; a float32 sum is carried in double and rounded once
    "sum": ("0", "{0} + {1}"),
    "prod": ("1", "{0} * {1}"),
    "max": ("-Infinity", "Math.max({0}, {1})"),
    "min": ("Infinity", "Math.min({0}, {1})"),
    "and": ("-1", "{0} & {1}"),
    "or": ("0", "{0} | {1}"),
    "xor": ("0", "{0} ^ {1}"),
    "logsumexp": ("-Infinity", "@logAddExp({0}, {1})"),
}
FINISH = {"float32": "f({})", "int32": "{} | 0", "uint32": "{} >>> 0", "uint8": "{} & 255"}


@rule(*(f"reduce_{name}" for name in ("sum", "prod", "max", "min", "and", "or", "xor")))
def reduction(emitter: Emitter, node: Node, values: list[Value]) -> list[Value]:
    """Reduce over some dimensions."""
    return [reduce(emitter, node, values[0], node.op.removeprefix("reduce_"), node.params["axes"])]


def reduce(emitter: Emitter, node: Node, value: Value, kind: str, axes) -> Value:
    """Reduce ``value`` over ``axes`` into the node's output."""
    initial, step = REDUCTIONS[kind]
    if value.dtype not in ("float32", "bool"):
        initial, step = _integer_reduction(kind, value.dtype)
    elif kind == "and":
        initial = "1"
    kept = [axis for axis in range(len(value.shape)) if axis not in axes]
    total = emitter.fresh(hint_of(node))

    def inside(body: Body, index) -> str:
        outer = dict(zip(kept, index[0], strict=True)) | dict(zip(axes, index[1], strict=True))
        element = body.element(value, position(len(value.shape), outer))
        return f"{total} = {step.format(total, element)};"

    result = FINISH.get(value.dtype, "{}").format(total)
    sizes = tuple(value.shape[a] for a in kept), tuple(value.shape[a] for a in axes)
    if not kept:
        emitter.line(f"let {total} = {initial};")
        emitter.nest([(), sizes[1]], inside)
        return Lazy((), value.dtype, element=lambda body, index: result)
    into = emitter.destination(node)
    emitter.nest(
        list(sizes),
        inside,
        before=f"let {total} = {initial};",
        after=lambda body, index: f"{into.buffer}[{body.use(into.address(index[0]))}] = {result};",
    )
    return into


def _integer_reduction(kind: str, dtype: str) -> tuple[str, str]:
    signed = dtype == "int32"
    lowest, highest = {"int32": (-(2**31), 2**31 - 1), "uint8": (0, 255)}.get(dtype, (0, 2**32 - 1))
    initial, step = REDUCTIONS[kind]
    wrap = "{} | 0" if signed else "{} >>> 0"
    table = {
        "max": (str(lowest), step),
        "min": (str(highest), step),
        "prod": ("1", "Math.imul({0}, {1})"),
        "sum": ("0", wrap.format("{0} + {1}")),
    }
    return table.get(kind, (initial, step))


@rule("argmax", "argmin")
def arg_extreme(emitter: Emitter, node: Node, values: list[Value]) -> list[Value]:
    """The first position of the largest (smallest) element; the first NaN wins."""
    (value,), (axis,) = values, node.params["axes"]
    better = ">" if node.op == "argmax" else "<"
    kept = [k for k in range(len(value.shape)) if k != axis]
    best, place = emitter.fresh("best"), emitter.fresh("place")
    into = emitter.destination(node)

    def inside(body: Body, index) -> str:
        at = position(
            len(value.shape), dict(zip(kept, index[0], strict=True)) | {axis: index[1][0]}
        )
        element = body.temporary(body.element(value, at), len(body.levels) - 1, "candidate")
        return (
            f"if ({place} < 0 || {element} {better} {best} || ({element} !== {element} && "
            f"{best} === {best})) {{ {best} = {element}; {place} = {body.use(index[1][0])}; }}"
        )

    emitter.nest(
        [tuple(value.shape[k] for k in kept), (value.shape[axis],)],
        inside,
        before=f"let {best} = 0, {place} = -1;",
        after=lambda body, index: f"{into.buffer}[{body.use(into.address(index[0]))}] = {place};",
    )
    return [into]


@rule("cumsum", "cumprod", "cummax", "cummin", "cumlogsumexp")
def cumulative(emitter: Emitter, node: Node, values: list[Value]) -> list[Value]:
    """Running reductions along one dimension."""
    value, axis, kind = values[0], node.params["axis"], node.op.removeprefix("cum")
    initial, step = REDUCTIONS[kind]
    if value.dtype != "float32":
        initial, step = _integer_reduction(kind, value.dtype)
    into, size = emitter.destination(node), value.shape[axis]
    kept = [k for k in range(len(value.shape)) if k != axis]
    total = emitter.fresh("running")

    def inside(body: Body, index) -> str:
        place = index[1][0] * -1 + (size - 1) if node.params["reverse"] else index[1][0]
        at = position(len(value.shape), dict(zip(kept, index[0], strict=True)) | {axis: place})
        element = body.element(value, at)
        address = body.use(into.address(at))
        return f"{into.buffer}[{address}] = {total} = {step.format(total, element)};"

    emitter.nest(
        [tuple(value.shape[k] for k in kept), (size,)],
        inside,
        before=f"let {total} = {initial};",
        after=lambda body, index: "",
    )
    return [into]


@rule("sort")
def sort(emitter: Emitter, node: Node, values: list[Value]) -> list[Value]:
    """Sort along one dimension, carrying the other operands along."""
    results = [emitter.store(value, emitter.destination(node, k)) for k, value in enumerate(values)]
    first, axis = results[0], node.params["dimension"]
    arrays = ", ".join(view.buffer for view in results)
    if any(not view.whole for view in results):
        raise node.refuse("sorts into a part of an array", "store the result first")
    lanes = tuple(1 if k == axis else size for k, size in enumerate(first.shape))

    def inside(body: Body, index) -> str:
        start = body.use(first.address(index[0]))
        keys, size, stride = node.params["num_keys"], first.shape[axis], first.strides[axis]
        return f"@sort([{arrays}], {keys}, {start}, {size}, {stride});"

    emitter.nest([lanes], inside)
    return results


@rule("top_k")
def top_k(emitter: Emitter, node: Node, values: list[Value]) -> list[Value]:
    """The k largest elements of the last dimension, and where they are."""
    value, k = values[0], node.params["k"]
    keys = emitter.store(value, emitter.allocate(value.shape, value.dtype, "keys"))
    places = emitter.allocate(value.shape, "int32", "places")
    last = Lazy(value.shape, "int32", element=lambda body, index: str(body.use(index[-1])))
    emitter.store(last, places)
    size = value.shape[-1]

    def inside(body: Body, index) -> str:
        start = body.use(keys.address((*index[0], Affine())))
        return f"@sort([{keys.buffer}, {places.buffer}], 1, {start}, {size}, 1, -1);"

    emitter.nest([value.shape[:-1]], inside)
    starts, steps = [0] * len(value.shape), [1] * len(value.shape)
    return [window(v, starts, steps, (*value.shape[:-1], k)) for v in (keys, places)]
