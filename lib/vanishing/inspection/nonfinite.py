"""The first equation that makes a NaN or an infinity, on the way up or on the way down.

`jax_debug_nans` stops at the first NaN that leaves a compiled function and so misses one that a
`where` hides from the result, while its cotangent, 0 · NaN, spoils the gradient. Here the plan is
walked one equation at a time, and each is asked whether what it made is worse than what it read.
Infinities that the reader has written down (a mask of −inf) are not made by an equation.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np

from vanishing.inspection import pullback, scaled
from vanishing.inspection.jaxprs import Equation
from vanishing.inspection.plan import Block, Steps
from vanishing.inspection.pullback import Tape
from vanishing.inspection.scaled import Scaled

FINE, INFINITE, NAN = 0, 1, 2
WORDS = {INFINITE: "an infinity", NAN: "a NaN"}


@dataclass(frozen=True)
class Culprit:
    """The first equation that makes something that is not a number.

    Attributes:
        direction: "forward" or "backward".
        made: "a NaN" or "an infinity".
        operation: the primitive's name.
        where: the reader's file and line.
        turns: the turn of each loop that it stands in.
    """

    direction: str
    made: str
    operation: str
    where: str
    turns: tuple[int, ...]


class _Found(Exception):
    """Thrown where the culprit is, to leave the walk."""

    def __init__(self, direction: str, equation: Equation, badness: int, turns) -> None:
        super().__init__(direction)
        self.culprit = Culprit(
            direction,
            WORDS[badness],
            equation.name,
            equation.line,
            tuple(turns),
        )


def culprit(steps: Steps, arguments: Sequence, finite: bool) -> Culprit | None:
    """The first equation that makes a NaN; without one, the first that makes an infinity.

    A NaN on the way up comes first, even where a `where` hides it from the loss, for it spoils
    the gradient all the same. An infinity on the way up is blamed for a loss that is none, and
    for a gradient only if the way down is clean: −inf under a softmax does no harm.

    Args:
        steps: from a plan with one equation a block.
        arguments: parameters and data.
        finite: whether the loss is a number.

    Returns:
        None where every equation gives finite numbers for finite ones.
    """
    walks = [
        lambda: _up(steps, arguments, INFINITE, ()),
        lambda: _round_trip(steps, arguments),
    ]
    walks = [lambda: _up(steps, arguments, NAN, ()), *(walks[::-1] if finite else walks)]
    for walk in walks:
        try:
            walk()
        except _Found as found:
            return found.culprit
    return None


def _round_trip(steps: Steps, arguments: Sequence) -> None:
    (loss,), tape = _up(steps, arguments, None, ())
    _down(steps, tape, [Scaled(jnp.ones((), loss.dtype))], ())


def badness(arrays: Sequence) -> int:
    """The worst entry of some arrays: 2 for a NaN, 1 for an infinity, 0 for neither."""
    worst = FINE
    for array in arrays:
        if jnp.issubdtype(jnp.result_type(array), jnp.inexact):
            if bool(jnp.any(jnp.isnan(array))):
                return NAN
            worst = max(worst, int(bool(jnp.any(jnp.isinf(array)))))
    return worst


def _up(steps: Steps, arguments: Sequence, wanted: int | None, turns) -> tuple[list, Tape]:
    """As `pullback.up`, one equation at a time, leaving at the first that makes what is wanted."""
    tape = pullback.start(steps.level, arguments)
    for block in steps.blocks:
        equation = block.equations[0]
        given = [tape[atom] for atom in equation.inputs]
        if equation in steps.within:
            _enter(steps, tape, equation, given, wanted, turns)
        elif block.wanted and any(map(steps.level.differentiable, block.outputs)):
            pullback.record(tape, steps.level, block)
        else:
            pullback.compute(tape, equation)
        if wanted is not None:
            made = badness([tape[value] for value in equation.outputs])
            if made >= wanted and badness(given) < made:
                raise _Found("forward", equation, made, turns)
    return [tape[atom] for atom in steps.level.graph.outputs], tape


def _enter(steps: Steps, tape: Tape, equation: Equation, given: list, wanted, turns) -> None:
    """Walk a nested level, a loop turn by turn; the tapes are kept for the way down."""
    children, loop = steps.within[equation], equation.loop
    if loop is None:
        if equation.branches:
            index, *given = given
            place = int(np.clip(int(index), 0, len(children) - 1))
        else:
            place = 0
        outputs, inner = _up(children[place], given, wanted, turns)
        tape.values.update(zip(equation.outputs, outputs, strict=True))
        tape.pulls[equation] = place, inner
        return
    constants, carry, slices = loop.split(given)
    order = range(loop.length)[:: -1 if loop.reverse else 1]
    kept, stacked = {}, {}
    for turn in order:
        these = [array[turn] for array in slices]
        arguments = [*constants, *carry, *these]
        outputs, kept[turn] = _up(children[0], arguments, wanted, (*turns, turn))
        carry, stacked[turn] = outputs[: loop.carried], outputs[loop.carried :]
    rows = zip(*(stacked[turn] for turn in range(loop.length)), strict=True)
    made = [*carry, *map(jnp.stack, rows)]
    made += [
        jnp.zeros(value.shape, value.aval.dtype) for value in equation.outputs[len(made) :]
    ]  # of no turns
    tape.values.update(zip(equation.outputs, made, strict=True))
    tape.pulls[equation] = kept


def _down(steps: Steps, tape: Tape, cotangents: Sequence, turns) -> list:
    """As `pullback.down`, leaving at the first equation that pulls finite back to what is not."""

    def within(equation: Equation, arrived: dict):
        return _within(steps, tape, equation, arrived, turns)

    def check(block: Block, arrived: dict, sent: Sequence) -> None:
        equation = block.equations[0]
        made = badness([cotangent.value for _, cotangent in sent])
        before = badness([cotangent.value for cotangent in arrived.values()])
        if equation not in steps.within and made > before:
            raise _Found("backward", equation, made, turns)

    return pullback.walk_down(steps, tape, cotangents, within, check)


def _within(steps: Steps, tape: Tape, equation: Equation, arrived: dict, turns) -> list:
    children, loop = steps.within[equation], equation.loop
    cotangents = [arrived.get(value) for value in equation.outputs]
    if not arrived:
        return []
    if loop is None:
        place, inner = tape.pulls[equation]
        sent = _down(children[place], inner, cotangents, turns)
        sent = [None, *sent] if equation.branches else sent
    else:
        sent = _turns(children[0], loop, tape.pulls[equation], cotangents, turns)
    return [
        (atom, cotangent)
        for atom, cotangent in zip(equation.inputs, sent, strict=True)
        if cotangent is not None and steps.level.differentiable(atom)
    ]


def _turns(body: Steps, loop, kept: dict, cotangents: Sequence, turns) -> list:
    """A scan, from its last turn to its first; slices are not put together again."""
    carried, stacked = list(cotangents[: loop.carried]), cotangents[loop.carried :]
    constants = [None] * loop.constants
    slices = [None] * (len(body.level.graph.inputs) - loop.constants - loop.carried)
    for turn in reversed(kept):
        rows = [None if c is None else Scaled(c.value[turn], _row(c, turn)) for c in stacked]
        sent = _down(body, kept[turn], [*carried, *rows], (*turns, turn))
        first, carried, last = loop.split(sent)
        constants = [
            total if more is None else scaled.join(total, more)
            for total, more in zip(constants, first, strict=True)
        ]
        for place, cotangent in enumerate(last):
            if cotangent is not None:
                slices[place] = _stacked(slices[place], cotangent, turn, loop.length)
    return [*constants, *carried, *slices]


def _row(cotangent: Scaled, turn: int) -> tuple:
    return tuple(term[turn] if term.ndim else term for term in cotangent.terms)


def _stacked(whole: Scaled | None, row: Scaled, turn: int, length: int) -> Scaled:
    value = jnp.zeros((length, *row.value.shape), row.value.dtype) if whole is None else whole.value
    terms = jnp.zeros(length, jnp.int32) if whole is None else whole.terms[0]
    return Scaled(value.at[turn].set(row.value), (terms.at[turn].set(row.exponent),))
