"""Where every prediction meets every target, because two shapes were stretched across each other.

Predictions of shape (n, 1) less targets of shape (n,) are n × n differences, whose mean is a loss
like any other: it learns to predict the mean of all targets. In the graph it is told by two
copies that cross: one operand, which depends on parameters, is the same along one axis of n
entries, and the other, which is data alone, along the other.
"""

from collections.abc import Iterator

from vanishing.inspection.jaxprs import Equation, Value
from vanishing.inspection.levels import Level


def crossings(level: Level, batch: int | None) -> Iterator[Equation]:
    """The equations of a level, and of those below it, in which copies of two arrays cross.

    Only tables of n × n are looked at: all pairs of *vectors*, [n, n, features], are meant.

    Args:
        level: where to look.
        batch: how many examples there are, None where that is not known.
    """
    for inner in level.walk() if batch is not None and batch > 1 else ():
        copies = _copies(inner)
        for equation in inner.graph.equations:
            if _crosses(inner, equation, copies, (batch, batch)):
                yield equation


def _crosses(level: Level, equation: Equation, copies: dict, table: tuple[int, int]) -> bool:
    if not equation.elementwise or equation.outputs[0].shape != table:
        return False
    read = {value: _stretched(value, table, copies) for value in equation.values}
    predicted = {axes for value, axes in read.items() if level.origin(value).leaves}
    given = {axes for value, axes in read.items() if _data_alone(level, value)}
    one, other = frozenset({0}), frozenset({1})
    return (one in predicted and other in given) or (other in predicted and one in given)


def _data_alone(level: Level, value: Value) -> bool:
    origin = level.origin(value)
    return origin.data and not origin.leaves


def _stretched(value: Value, shape: tuple[int, ...], copies: dict) -> frozenset[int]:
    """Along which axes an operand is a copy, its axes of size one stretched to `shape`."""
    if len(value.shape) != len(shape):
        return frozenset(range(len(shape)))
    ones = {axis for axis, size in enumerate(value.shape) if size == 1 < shape[axis]}
    return copies[value] | ones


def _copies(level: Level) -> dict[Value, frozenset[int]]:
    """Along which axes each value is a copy of itself."""
    copies = dict.fromkeys(level.origins, frozenset())
    for equation in level.graph.equations:
        shape = equation.outputs[0].shape if len(equation.outputs) == 1 else ()
        if not shape or not equation.values:
            continue
        source = equation.inputs[0]
        if equation.op == "broadcast_in_dim" and isinstance(source, Value):
            kept = equation.params["broadcast_dimensions"]
            own = {
                after
                for before, after in enumerate(kept)
                if before not in copies[source] and source.shape[before] == shape[after]
            }
            copies[equation.outputs[0]] = frozenset(range(len(shape))) - own
        elif equation.elementwise:
            read = [_stretched(value, shape, copies) for value in equation.values]
            copies[equation.outputs[0]] = frozenset.intersection(*read)
    return copies
