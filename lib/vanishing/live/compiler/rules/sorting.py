"""Sorting, and the largest few."""

from __future__ import annotations

from vanishing.live.compiler.code.emit import Emitter
from vanishing.live.compiler.code.fusion import hint_of
from vanishing.live.compiler.code.registry import rule
from vanishing.live.compiler.code.values import Affine, Body, Lazy, Value
from vanishing.live.compiler.graph.nodes import Node
from vanishing.live.compiler.rules.slices import window


@rule("sort")
def sort(emitter: Emitter, node: Node, values: list[Value]) -> list[Value]:
    """Sort along one dimension, carrying the other operands along."""
    # In buffers of their own: the runtime sorts lanes of whole arrays.
    results = [
        emitter.store(value, emitter.allocate(value.shape, value.dtype, hint_of(node)))
        for value in values
    ]
    first, axis = results[0], node.params["dimension"]
    arrays = ", ".join(view.buffer for view in results)
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
