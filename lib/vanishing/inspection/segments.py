"""A loss in segments, so that layers which are alike are compiled once.

To XLA, sixty layers that a loop in Python has made are sixty times the same equations, and it
compiles their measurement sixty times. Here the graph is cut where it repeats itself, and the
segments that compute the same, of other arrays, share one program for the way up and one for the
way down. Between the two are kept the values that are dear to make, those of contractions; the
others the way down makes again.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from vanishing.inspection import pullback, repetitions, scaled
from vanishing.inspection.jaxprs import Graph, Value
from vanishing.inspection.levels import Level
from vanishing.inspection.plan import Steps, in_order, steps
from vanishing.inspection.pullback import Measure, Records, Tape, recorded
from vanishing.inspection.scaled import Scaled
from vanishing.inspection.taps import Tap


@dataclass(eq=False)
class Segment:
    """Consecutive equations of a loss, and the program that measures them.

    Attributes:
        steps: the equations as a level of its own.
        taps: what is measured, by where it stands and how it is measured.
        program: what measures it, and others like it.
    """

    steps: Steps
    taps: dict[Hashable, Tap]
    program: "Program | None" = None

    @cached_property
    def numbers(self) -> dict[int, int]:
        """The number of a tap of the program ↦ that of its own tap."""
        theirs = self.program.segment.taps
        return {theirs[place].number: tap.number for place, tap in self.taps.items()}

    @property
    def graph(self) -> Graph:
        """Its equations."""
        return self.steps.level.graph

    @cached_property
    def made(self) -> list[Value]:
        """What its equations make, in order."""
        return [value for equation in self.graph.equations for value in equation.outputs]

    @cached_property
    def kept(self) -> list[int]:
        """Which of that is read on the way down, or by other segments, and not made again there."""
        blocks = [b for b in self.steps.blocks if b.heavy or not recorded(self.steps, b)]
        read = {value for block in self.steps.blocks for value in block.inputs}
        for tap in self.steps.taps.values():
            read |= {tap.value, *(value for equation in tap.inside for value in equation.values)}
        kept = {v for block in blocks for v in block.outputs if v in read} | set(self.graph.outputs)
        return [number for number, value in enumerate(self.made) if value in kept]

    @cached_property
    def wanted(self) -> list[bool]:
        """Of which inputs a cotangent is wanted."""
        return [self.steps.level.differentiable(value) for value in self.graph.inputs]


class Program:
    """The compiled functions of one kind of segment.

    Args:
        segment: of that kind.
        measure: as for `pullback.down`.
    """

    def __init__(self, segment: Segment, measure: Measure) -> None:
        self.segment, self._measure = segment, measure
        self.up = jax.jit(self._up)
        self.down = jax.jit(self._down)
        self.turn = jax.jit(self._turn)

    def serves(self, segment: Segment) -> bool:
        """Whether all that a segment of the same equations wants is measured.

        The first layer wants no gradient of the data, the others do of what they read: what a
        program does beside is left out.
        """
        wanted = zip(segment.wanted, self.segment.wanted, strict=True)
        return all(done >= want for want, done in wanted) and (
            segment.taps.keys() <= self.segment.taps.keys()
        )

    def _up(self, given: list):
        """What is kept, by its number, and what loops keep, by the number of the block."""
        steps = self.segment.steps
        tape = pullback.forward(steps, given)
        loops = {
            number: tape.pulls[block.equations[0]]
            for number, block in enumerate(steps.blocks)
            if block.equations[0] in tape.pulls
        }
        return {k: tape[self.segment.made[k]] for k in self.segment.kept}, loops

    def _down(self, given: list, kept: dict, loops: dict, cotangents: list):
        """Cotangents of what was given, from those of the segment's outputs; the records."""
        steps = self.segment.steps
        tape = pullback.start(steps.level, given)
        tape.values.update({self.segment.made[k]: array for k, array in kept.items()})
        tape.pulls.update({steps.blocks[n].equations[0]: made for n, made in loops.items()})
        pullback.record_all(steps, tape)
        arrived = [None if pair is None else scaled.unpacked(pair) for pair in cotangents]
        return self._pulled(tape, arrived)

    def _turn(self, given: list):
        """Up to the loss and down again."""
        (loss,), tape = pullback.up(self.segment.steps, given)
        return loss, *self._pulled(tape, [Scaled(jnp.ones((), loss.dtype))])

    def _pulled(self, tape: Tape, cotangents: list):
        sent, records = pullback.down(self.segment.steps, tape, cotangents, self._measure)
        return [None if one is None else one.packed() for one in sent], records


def walk(segments: Sequence[Segment], values: dict[Value, Array]):
    """A loss, the cotangents of what it was given, and what was measured.

    Args:
        segments: of the loss, in order.
        values: of all that it reads: parameters, data and constants.

    Returns:
        The loss; packed cotangents, of those that one comes back to; the records.
    """
    *before, last = segments
    tapes = {}
    for segment in before:
        given = [values[value] for value in segment.graph.inputs]
        kept, loops = segment.program.up(given)
        tapes[segment] = given, kept, loops
        values = values | {segment.made[k]: array for k, array in kept.items()}
    given = [values[value] for value in last.graph.inputs]
    del values  # what nobody keeps is given back
    loss, sent, records = last.program.turn(given)
    live: dict[Value, tuple] = {}
    _send(live, last, sent)
    found = _own(last, records)
    for segment in reversed(before):
        arrived = [live.pop(value, None) for value in segment.graph.outputs]
        sent, records = segment.program.down(*tapes.pop(segment), arrived)
        _send(live, segment, sent)
        found += _own(segment, records)
    return loss, live, found


def _send(live: dict[Value, tuple], segment: Segment, sent: Sequence) -> None:
    for value, wanted, pair in zip(segment.graph.inputs, segment.wanted, sent, strict=True):
        if wanted and pair is not None:
            live[value] = _joined(live[value], pair) if value in live else pair


@jax.jit
def _joined(one: tuple, other: tuple) -> tuple:
    return scaled.join(scaled.unpacked(one), scaled.unpacked(other)).packed()


def _own(segment: Segment, records: Records) -> Records:
    """The records of a program under the numbers of the segment's own taps, others under −1."""
    if segment.program.segment is segment:
        return records
    return [record.renumbered(segment.numbers) for record in records]


def segments(whole: Steps, measure: Measure) -> list[Segment]:
    """The segments of a loss, each with its program.

    Args:
        whole: the steps of the loss.
        measure: as for `pullback.down`.
    """
    kinds = repetitions.kinds(whole.level)
    effects = any(equation.eqn.effects for equation in whole.level.graph.equations)
    cuts = [] if effects else repetitions.cuts(kinds, repetitions.costs(whole))
    places = [0, *cuts, len(kinds)]
    if len(places) == 2:
        alone = Segment(whole, {tap.number: tap for tap in in_order(whole)})
        alone.program = Program(alone, measure)
        return [alone]
    made, alike = [], {}
    for first, end in pairwise(places):
        segment, key = _segment(whole, kinds, first, end)
        made.append(segment)
        alike.setdefault(key, []).append(segment)
    for group in alike.values():
        programs: list[Program] = []
        for segment in sorted(group, key=lambda s: -sum(s.wanted) - len(s.taps)):
            fitting = (program for program in programs if program.serves(segment))
            segment.program = next(fitting, None) or Program(segment, measure)
            programs.append(segment.program)
    return made


def leaves(made: Sequence[Segment], level: Level, count: int) -> list[list[int]]:
    """The parameters, by number, that each segment is the first to read, and those that none does.

    Args:
        made: the segments, in order.
        level: of the loss.
        count: how many of its inputs are parameters.
    """
    left = {value: number for number, value in enumerate(level.graph.inputs[:count])}
    groups = [
        [left.pop(value) for value in segment.graph.inputs if value in left] for segment in made
    ]
    return [group for group in [*groups, list(left.values())] if group]


def _segment(whole: Steps, kinds: np.ndarray, first: int, end: int) -> tuple[Segment, Hashable]:
    """Some equations as a segment, and what is equal for others that compute the same."""
    level, graph = whole.level, whole.level.graph
    equations = graph.equations[first:end]
    made = [value for equation in equations for value in equation.outputs]
    inside = set(made)
    inputs = dict.fromkeys(v for e in equations for v in e.values if v not in inside)
    later = {v for equation in graph.equations[end:] for v in equation.values} | {*graph.outputs}
    outputs = [value for value in made if value in later]
    values = [*inputs, *made]
    numbers = {value: number for number, value in enumerate(values)}
    key = (
        tuple(kinds[first:end].tolist()),
        tuple(numbers[value] for equation in equations for value in equation.values),
        tuple(numbers[value] for value in outputs),
    )
    part = Level(
        Graph(list(inputs), equations, outputs),
        {value: level.origins[value] for value in values},
        {e: level.children[e] for e in equations if e in level.children},
    )
    within = {e: whole.within[e] for e in equations if e in whole.within}
    found = [whole.taps[value] for value in made if value in whole.taps]
    taps = {(numbers[tap.value], *_how(tap, numbers)): tap for tap in found}
    for place, (equation, children) in enumerate(within.items()):
        loop = equation if equation.loop else None
        nested = [tap for child in children for tap in in_order(child, loop)]
        taps |= {("nested", place, k, *_how(tap, {})): tap for k, tap in enumerate(nested)}
    return Segment(steps(part, found, within), taps), key


def _how(tap: Tap, numbers: dict[Value, int]) -> tuple:
    """How a tap is measured: equal for taps that are measured alike."""
    inside = tuple(numbers.get(equation.outputs[0]) for equation in tap.inside)
    return tap.kind, tap.units, tap.steepest, numbers.get(tap.source), inside
