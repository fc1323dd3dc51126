"""Pooling: the sum, the largest or the smallest of what each window sees, and its derivatives."""

from __future__ import annotations

from vanishing.live.compiler.code.emit import Emitter
from vanishing.live.compiler.code.fusion import hint_of
from vanishing.live.compiler.code.literals import wrapped
from vanishing.live.compiler.code.registry import rule
from vanishing.live.compiler.code.values import Affine, Body, Scalar, Value, View
from vanishing.live.compiler.graph.nodes import Node
from vanishing.live.compiler.rules.reductions import known_step, reduce
from vanishing.live.compiler.rules.sliding import Slide, padded


def _slides(params: dict, low_high) -> list[Slide]:
    """The sliding of a pooling window, dimension by dimension."""
    sizes = params["window_dimensions"]
    ones = (1,) * len(sizes)
    return [
        Slide(size, stride, dilation, low, high, spread)
        for size, stride, dilation, (low, high), spread in zip(
            sizes,
            params["window_strides"],
            params.get("window_dilation", ones),
            low_high,
            params.get("base_dilation", ones),
            strict=True,
        )
    ]


@rule("reduce_window_sum", "reduce_window_max", "reduce_window_min")
def pool(emitter: Emitter, node: Node, values: list[Value]) -> list[Value]:
    """The sum (the largest, the smallest) of what each window sees."""
    (value,), kind = values, node.op.removeprefix("reduce_window_")
    slides = _slides(node.params, node.params["padding"])
    outside = known_step(node, kind, value.dtype)[0]
    wide = emitter.view(padded(emitter, value, slides, outside))
    places, rank = node.outputs[0].shape, len(slides)

    def index(new):
        return [
            p * s.stride + k * s.dilation
            for p, k, s in zip(new[:rank], new[rank:], slides, strict=True)
        ]

    seen = wide.moved((*places, *(s.size for s in slides)), index)
    return [reduce(emitter, node, seen, kind, tuple(range(rank, 2 * rank)))]


def _choice(node: Node, operand: View, slides: list[Slide], best: str, place: str):
    """The statement that compares one element of a window with the best so far.

    The first element inside of the array is the first best; padding is never chosen.
    """
    keeps = {"ge": ">=", "le": "<="}[node.params["select_prim"].name]

    def inside(body: Body, index) -> str:
        at, bounds = [], []
        for p, k, slide, size in zip(*index, slides, operand.shape, strict=True):
            position = p * slide.stride + k * slide.dilation + -slide.low
            at.append(position)
            if slide.low > 0 or slide.high > 0:
                bounds.append(f"{body.use(position)} >= 0 && {position} < {size}")
        address = body.use(operand.address(tuple(at)))
        candidate = f"{operand.buffer}[{address}]"
        better = f"({place} < 0 || !({best} {keeps} {candidate}))"
        test = " && ".join([*bounds, better])
        return f"if ({test}) {{ {best} = {candidate}; {place} = {address}; }}"

    return inside


def _less(place: str, start: Affine) -> str:
    return place if start == Affine() else f"{place} - ({start})"


@rule("select_and_scatter_add")
def unpool(emitter: Emitter, node: Node, values: list[Value]) -> list[Value]:
    """Add each number to the element that its window chose: the gradient of pooling."""
    source, operand = values
    slides = _slides(node.params, node.params["padding"])
    operand = emitter.dense(operand)
    # A buffer of its own: places in it are those in the operand, less where that begins.
    into = emitter.allocate(operand.shape, node.outputs[0].dtype, hint_of(node))
    emitter.store(Scalar(into.shape, into.dtype, text="0"), into)
    best, place = emitter.fresh("best"), emitter.fresh("place")
    start = operand.offset

    def after(body: Body, index) -> str:
        target = f"{into.buffer}[{_less(place, start)}]"
        return (
            f"if ({place} >= 0) {target} = f({target} + {wrapped(body.element(source, index[0]))});"
        )

    if source.size:
        emitter.nest(
            [source.shape, tuple(s.size for s in slides)],
            _choice(node, operand, slides, best, place),
            before=f"let {best} = 0, {place} = -1;",
            after=after,
        )
    return [into]


@rule("select_and_gather_add")
def choose(emitter: Emitter, node: Node, values: list[Value]) -> list[Value]:
    """From each window the tangent of the element that it chose."""
    tangents, operand = values
    slides = _slides(node.params, node.params["padding"])
    if any(s.spread != 1 for s in slides):
        raise node.refuse("spreads its operand", "pool without base_dilation")
    operand, into = emitter.dense(operand), emitter.destination(node)
    tangents = emitter.store(tangents, emitter.allocate(operand.shape, tangents.dtype, "tangents"))
    best, place, start = emitter.fresh("best"), emitter.fresh("place"), operand.offset

    def after(body: Body, index) -> str:
        target = f"{into.buffer}[{body.use(into.address(index[0]))}]"
        return f"{target} = {place} < 0 ? 0 : {tangents.buffer}[{_less(place, start)}];"

    emitter.nest(
        [node.outputs[0].shape, tuple(s.size for s in slides)],
        _choice(node, operand, slides, best, place),
        before=f"let {best} = 0, {place} = -1;",
        after=after,
    )
    return [into]
