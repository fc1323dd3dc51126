"""Random bits, JAX's own: threefry on counters."""

from __future__ import annotations

from vanishing.live.compiler.code.emit import Emitter
from vanishing.live.compiler.code.fusion import hint_of
from vanishing.live.compiler.code.registry import rule
from vanishing.live.compiler.code.values import Affine, Body, Lazy, Scalar, Value, strides_of
from vanishing.live.compiler.graph.nodes import Node


@rule("threefry2x32")
def threefry(emitter: Emitter, node: Node, values: list[Value]) -> list[Value]:
    """JAX's random bits: twenty rounds of threefry on pairs of words."""
    shape = node.outputs[0].shape
    names = []
    for value in values:
        if isinstance(value, Scalar):
            names.append(value.text)
        elif not value.shape:
            names.append(emitter.named(value, "word").text)
        else:
            same = value if value.shape == shape else _stretched(value, shape)
            view = emitter.dense(same)
            if not view.whole:
                view = emitter.store(view, emitter.allocate(shape, "uint32", "words"))
            names.append(view.buffer)
    into = [emitter.allocate(shape, "uint32", hint_of(node)) for _ in node.outputs]
    emitter.line(f"@threefry({', '.join([*names, *(view.buffer for view in into)])});")
    return into


def _stretched(value: Value, shape: tuple[int, ...]) -> Value:
    lead = len(shape) - len(value.shape)

    def index(new):
        return [
            p if size > 1 else Affine() for p, size in zip(new[lead:], value.shape, strict=True)
        ]

    return value.moved(shape, index)


@rule("iota_2x32_shape")
def iota_pair(emitter: Emitter, node: Node, values: list[Value]) -> list[Value]:
    """The flat position of every element as two words, of which the high one is 0."""
    shape = node.outputs[0].shape
    strides = strides_of(shape)

    def element(body: Body, index) -> str:
        flat = sum((p * stride for p, stride in zip(index, strides, strict=True)), Affine())
        return str(body.use(flat))

    return [Scalar(shape, "uint32", text="0"), Lazy(shape, "uint32", element=element)]
