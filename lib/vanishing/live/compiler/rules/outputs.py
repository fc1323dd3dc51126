"""What a program returns: an operation of the compiler's own, one for each result."""

from __future__ import annotations

from vanishing.live.compiler.code.emit import Emitter
from vanishing.live.compiler.code.registry import rule
from vanishing.live.compiler.code.values import Scalar, Value, View
from vanishing.live.compiler.graph.nodes import Node


@rule("output", stream=True)
def output(emitter: Emitter, node: Node, values: list[Value]) -> list[Value]:
    """A result of the program, in a buffer that belongs to it alone."""
    (value,) = values
    if isinstance(value, View) and value.whole and value.buffer not in emitter.published:
        into = value
    else:
        into = emitter.allocate(value.shape, value.dtype, value.name or "result")
        emitter.store(value, into)
    emitter.published.add(into.buffer)
    return [Scalar(text=into.buffer, shape=into.shape, dtype=into.dtype)]
