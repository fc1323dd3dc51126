"""Where a graph repeats itself, and where it is best cut."""

from collections.abc import Hashable, Iterator

import numpy as np

from vanishing.inspection import jaxprs
from vanishing.inspection.levels import Level
from vanishing.inspection.plan import Steps

# How many equations need not be compiled where a cut is worth it: a cut is two programs more.
WORTH = 20
# Into how many segments a repetition is cut, at most: each calls two programs, 0.1 ms each.
MANY = 15


def kinds(level: Level) -> np.ndarray:
    """A number for each equation, equal for those that compute the same of equal operands."""
    numbers: dict[Hashable, int] = {}
    return np.array(
        [numbers.setdefault(jaxprs.likeness(e), len(numbers)) for e in level.graph.equations]
    )


def costs(whole: Steps) -> np.ndarray:
    """How many entries of arrays would pass a cut before each equation; infinite in a tap."""
    graph = whole.level.graph
    maker = {v: place for place, e in enumerate(graph.equations) for v in e.outputs}
    read = {v: place for place, e in enumerate(graph.equations) for v in e.values}
    kept = np.zeros(len(graph.equations) + 1)
    for value, place in maker.items():
        kept[place + 1 : read.get(value, place) + 1] += np.prod(value.shape)
    for tap in whole.taps.values():
        first = min(maker[e.outputs[0]] for e in (*tap.inside, tap.equation))
        kept[first + 1 : maker[tap.value] + 1] = np.inf
    return kept


def cuts(kinds: np.ndarray, costs: np.ndarray) -> list[int]:
    """Before which equations to cut: where a repetition begins, in it, and where it ends.

    Args:
        kinds: of the equations.
        costs: of a cut before each, and of one behind the last.
    """
    saved, first, period, turns = max(_runs(kinds, costs), default=(0, 0, 0, 0))
    if saved < WORTH:
        return []
    end = first + period * turns
    inner = range(first, end, period * _together(turns))
    after = [end + place for place in cuts(kinds[end:], costs[end:])]
    places = {*cuts(kinds[:first], costs[: first + 1]), *inner, end, *after}
    return sorted(places - {0, len(kinds)})


def _runs(kinds: np.ndarray, costs: np.ndarray) -> Iterator[tuple[int, int, int, int]]:
    """Repetitions: how many equations each saves, where it begins, its period and its turns."""
    for period in range(1, len(kinds) // 2 + 1):
        same = np.concatenate([[False], kinds[:-period] == kinds[period:], [False]])
        edges = np.flatnonzero(same[1:] != same[:-1]).reshape(-1, 2)
        for first, last in edges[np.diff(edges).ravel() >= period].tolist():
            starts = np.arange(first, last + period)
            most = (last - first) // period + 1
            for turns in range(most, max(most - 2, 1), -1):  # with one less all phases are there
                begins = starts[: last - first + period * (1 - turns) + 1]
                kept = costs[begins[:, None] + period * np.arange(turns + 1)].sum(axis=1)
                if np.isfinite(kept).any():
                    yield (turns - 1) * period, int(begins[kept.argmin()]), period, turns
                    break


def _together(turns: int) -> int:
    """How many turns stand in a segment: a divisor, for a remainder is one program more."""
    least = -(-turns // MANY)
    return next((k for k in range(least, 2 * least + 1) if turns % k == 0), least)
