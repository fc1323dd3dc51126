"""Which operations there are, how each is written, and how its loops read their operands.

The tables are empty here. Each module of `rules` fills in its own operations when it is imported,
so that the code generator knows what it is told and no rule by name.
"""

from __future__ import annotations

from collections.abc import Callable

RULES: dict[str, Callable] = {}
ELEMENTWISE: set[str] = set()  # one element in, one out: fused into the loop that stores it
VIEWS: set[str] = set()  # only rearrange: cost nothing, and compute nothing
STREAMS: set[str] = set()  # read each element of their operands once, in a loop of their own


def rule(*ops: str, elementwise=False, view=False, stream=False) -> Callable:
    """Register how operations are written: a function `(emitter, node, values) -> values`.

    Args:
        ops: names of primitives.
        elementwise: each element of the result needs one element of each operand.
        view: the elements of the result are those of the operand, elsewhere.
        stream: each element of each operand is read once.
    """

    def register(function: Callable) -> Callable:
        RULES.update(dict.fromkeys(ops, function))
        for table, member in ((ELEMENTWISE, elementwise), (VIEWS, view), (STREAMS, stream)):
            table.update(ops if member else ())
        return function

    return register
