"""Running sums, products, extremes and log-sum-exps along one dimension."""

from __future__ import annotations

from vanishing.live.compiler.code.emit import Emitter
from vanishing.live.compiler.code.literals import wrapped
from vanishing.live.compiler.code.registry import rule
from vanishing.live.compiler.code.values import Body, Value
from vanishing.live.compiler.graph.nodes import Node
from vanishing.live.compiler.rules.arrays import position
from vanishing.live.compiler.rules.reductions import known_step


@rule("cumsum", "cumprod", "cummax", "cummin", "cumlogsumexp", stream=True)
def cumulative(emitter: Emitter, node: Node, values: list[Value]) -> list[Value]:
    """Running reductions along one dimension."""
    value, axis, kind = values[0], node.params["axis"], node.op.removeprefix("cum")
    initial, step = known_step(node, kind, value.dtype)
    into, size = emitter.destination(node), value.shape[axis]
    kept = [k for k in range(len(value.shape)) if k != axis]
    total = emitter.fresh("running")

    def inside(body: Body, index) -> str:
        place = index[1][0] * -1 + (size - 1) if node.params["reverse"] else index[1][0]
        at = position(len(value.shape), dict(zip(kept, index[0], strict=True)) | {axis: place})
        element = body.element(value, at)
        address = body.use(into.address(at))
        return f"{into.buffer}[{address}] = {total} = {step.format(total, wrapped(element))};"

    emitter.nest(
        [tuple(value.shape[k] for k in kept), (size,)],
        inside,
        before=f"let {total} = {initial};",
        after=lambda body, index: "",
    )
    return [into]
