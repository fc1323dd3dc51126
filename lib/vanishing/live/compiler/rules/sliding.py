"""How a window slides over an array.

What it sees is an array with twice the dimensions: where the window lies, and where in the window
one looks. Both step evenly through memory: it is a view, and costs nothing until it is read.
"""

from __future__ import annotations

from dataclasses import dataclass

from vanishing.live.compiler.code.emit import Emitter
from vanishing.live.compiler.code.values import Scalar, Value
from vanishing.live.compiler.rules.arrays import surround


@dataclass(frozen=True)
class Slide:
    """How a window slides along one dimension.

    Attributes:
        size: of the window, in elements.
        stride: from one place of the window to the next.
        dilation: from one element of the window to the next.
        low: padding before the array; negative, how much of it is cut off.
        high: the same after it.
        spread: from one element of the array to the next; the gaps are padding.
    """

    size: int
    stride: int = 1
    dilation: int = 1
    low: int = 0
    high: int = 0
    spread: int = 1

    def padded(self, length: int) -> int:
        """How long a dimension is with its padding."""
        spread = (length - 1) * self.spread + 1 if length else 0
        return max(0, self.low + spread + self.high)


def padded(emitter: Emitter, value: Value, slides: list[Slide], filling: str) -> Value:
    """An array with its padding; itself, if it has none.

    Args:
        emitter: where the code goes.
        value: the array.
        slides: one for each of its dimensions.
        filling: the text of the number to pad with.
    """
    configuration = [(s.low, s.high, s.spread - 1) for s in slides]
    if not any(map(any, configuration)):
        return value
    shape = tuple(s.padded(size) for s, size in zip(slides, value.shape, strict=True))
    into = emitter.allocate(shape, value.dtype, "padded")
    return surround(emitter, value, Scalar((), value.dtype, text=filling), configuration, into)
