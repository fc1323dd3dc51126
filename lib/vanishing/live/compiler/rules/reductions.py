"""Reductions over dimensions, and the place of the largest and smallest."""

from __future__ import annotations

import numpy as np

from vanishing.live.compiler.code.emit import Emitter
from vanishing.live.compiler.code.fusion import hint_of
from vanishing.live.compiler.code.literals import ROUND, wrapped
from vanishing.live.compiler.code.registry import rule
from vanishing.live.compiler.code.values import Body, Lazy, Value
from vanishing.live.compiler.graph.nodes import Node
from vanishing.live.compiler.rules.arrays import position

# What a reduction starts from and its step. A float32 sum or product is carried in double precision
# and rounded once: nearer to the true one than XLA's, whose order depends on the processor.
FLOAT = {
    "sum": ("0", "{0} + {1}"),
    "prod": ("1", "{0} * {1}"),
    "max": ("-Infinity", "Math.max({0}, {1})"),
    "min": ("Infinity", "Math.min({0}, {1})"),
    "logsumexp": ("-Infinity", "@logAddExp({0}, {1})"),
}
BITS = {"and": ("-1", "{0} & {1}"), "or": ("0", "{0} | {1}"), "xor": ("0", "{0} ^ {1}")}
BOOL = {
    "and": ("1", "{0} & {1}"),
    "min": ("1", "{0} & {1}"),
    "or": ("0", "{0} | {1}"),
    "max": ("0", "{0} | {1}"),
    "xor": ("0", "{0} ^ {1}"),
    "sum": ("0", "{0} | {1}"),
    "prod": ("1", "{0} & {1}"),
}


@rule(*(f"reduce_{kind}" for kind in BOOL), stream=True)
def reduction(emitter: Emitter, node: Node, values: list[Value]) -> list[Value]:
    """Reduce over some dimensions."""
    return [reduce(emitter, node, values[0], node.op.removeprefix("reduce_"), node.params["axes"])]


def one_step(kind: str, dtype: str) -> tuple[str, str] | None:
    """What a reduction starts from, the result of reducing nothing, and the text of its step.

    Args:
        kind: "sum", "prod", "max", "min", "and", "or", "xor" or "logsumexp".
        dtype: of what is reduced.

    Returns:
        None where the element type has no such reduction.

    >>> one_step("max", "uint8"), one_step("sum", "int32")
    (('0', 'Math.max({0}, {1})'), ('0', '{0} + {1} | 0'))
    """
    if dtype in ("float32", "bool"):
        return (FLOAT if dtype == "float32" else BOOL).get(kind)
    ends = np.iinfo(dtype)
    table = {
        "max": (str(ends.min), FLOAT["max"][1]),
        "min": (str(ends.max), FLOAT["min"][1]),
        # Partial results wrap at 32 bits; a byte's are cut to eight when they are stored.
        "prod": ("1", "Math.imul({0}, {1})"),
        "sum": ("0", "{0} + {1} | 0" if dtype == "int32" else "{0} + {1} >>> 0"),
    }
    return (table | BITS).get(kind)


def known_step(node: Node, kind: str, dtype: str) -> tuple[str, str]:
    """The same, or an error that names the operation."""
    step = one_step(kind, dtype)
    if step is None:
        raise node.refuse(f"is not known for {dtype}", "cast to float32 or int32")
    return step


def reduce(emitter: Emitter, node: Node, value: Value, kind: str, axes) -> Value:
    """Reduce `value` over `axes` into the node's output."""
    initial, step = known_step(node, kind, value.dtype)
    kept = [axis for axis in range(len(value.shape)) if axis not in axes]
    total = emitter.fresh(hint_of(node))

    def inside(body: Body, index) -> str:
        outer = dict(zip(kept, index[0], strict=True)) | dict(zip(axes, index[1], strict=True))
        element = body.element(value, position(len(value.shape), outer))
        return f"{total} = {step.format(total, wrapped(element))};"

    result = total if value.dtype == "bool" else ROUND[value.dtype].format(total)
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
        after=lambda body, index: f"{into.at(body, index[0])} = {result};",
    )
    return into


@rule("argmax", "argmin", stream=True)
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
        after=lambda body, index: f"{into.at(body, index[0])} = {place};",
    )
    return [into]
