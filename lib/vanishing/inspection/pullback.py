"""The forward and the backward pass over a plan, in cotangents that cannot vanish.

Forward, each block is computed together with the function that pulls it back. Backward, the
cotangent of each value is complete when its block is reached; it is sampled where there is a
tap, brought to an order of one, and pulled through the block. What is nested is walked again on
the way down from what it was given, as `jax.checkpoint` does, so that a loop of a thousand turns
keeps no more than what it carries.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

from vanishing.inspection import jaxprs, scaled
from vanishing.inspection.jaxprs import Equation, Fixed, Value
from vanishing.inspection.levels import Level
from vanishing.inspection.plan import Block, Steps
from vanishing.inspection.scaled import Scaled
from vanishing.inspection.taps import Tap

# What was measured: any pytrees of arrays.
Records = list


@dataclass(eq=False)
class Tape:
    """What the way down needs of the way up."""

    values: dict[Value, object]
    pulls: dict[Block | Equation, object] = field(default_factory=dict)

    def __getitem__(self, atom):
        return atom.value if isinstance(atom, Fixed) else self.values[atom]


class Sample(NamedTuple):
    """What there is to measure at a tap.

    Attributes:
        tap: the tap.
        tape: the values of its level.
        cotangent: of the tapped value; None for zero.
        block: the block that makes the value.
        pull: what pulls that block back; None where nothing does.
        sent: the cotangents of the block's inputs.
    """

    tap: Tap
    tape: Tape
    cotangent: Scaled | None
    block: Block
    pull: Callable | None
    sent: dict[Value, Scaled]


Measure = Callable[[Sequence[Sample]], Records]


def start(level: Level, arguments: Sequence) -> Tape:
    """A tape that holds the inputs of a level and what it closes over."""
    return Tape(dict(level.graph.constants) | dict(zip(level.graph.inputs, arguments, strict=True)))


def evaluate(level: Level, arguments: Sequence) -> list:
    """The outputs of a level, as they would be without any measurement."""
    tape = start(level, arguments)
    for equation in level.graph.equations:
        compute(tape, equation)
    return [tape[atom] for atom in level.graph.outputs]


def compute(tape: Tape, equation: Equation) -> None:
    """Put the outputs of one equation on the tape."""
    made = jaxprs.evaluate(equation, [tape[atom] for atom in equation.inputs])
    tape.values.update(zip(equation.outputs, made, strict=True))


def up(steps: Steps, arguments: Sequence) -> tuple[list, Tape]:
    """The outputs of a level, and the tape for the way down."""
    tape = start(steps.level, arguments)
    for block in steps.blocks:
        if recorded(steps, block):
            record(tape, steps.level, block)
        else:
            _compute(tape, steps, block)
    return [tape[atom] for atom in steps.level.graph.outputs], tape


def forward(steps: Steps, arguments: Sequence) -> Tape:
    """The values of a level and what its loops keep, without the functions that pull back."""
    tape = start(steps.level, arguments)
    for block in steps.blocks:
        _compute(tape, steps, block)
    return tape


def record_all(steps: Steps, tape: Tape) -> None:
    """Make the functions that pull back, of blocks whose values are known."""
    for block in steps.blocks:
        if recorded(steps, block):
            record(tape, steps.level, block)


def recorded(steps: Steps, block: Block) -> bool:
    """Whether a block is pulled back by a function of its own."""
    differentiable = any(map(steps.level.differentiable, block.outputs))
    return bool(block.wanted) and differentiable and not nested(steps, block)


def _compute(tape: Tape, steps: Steps, block: Block) -> None:
    if nested(steps, block):
        _enter(tape, block.equations[0], steps)
        return
    for equation in block.equations:
        compute(tape, equation)


def nested(steps: Steps, block: Block) -> bool:
    """Whether a block is one equation that holds levels."""
    return block.equations[0] in steps.within


def _enter(tape: Tape, equation: Equation, steps: Steps) -> None:
    """Compute a nested level; of a scan, keep what each turn was given."""
    loop = equation.loop
    if loop is None or not any(map(steps.level.differentiable, equation.outputs)):
        compute(tape, equation)
        return
    constants, carry, slices = loop.split([tape[atom] for atom in equation.inputs])
    (body,) = steps.within[equation]

    def turn(carry, slices):
        made = evaluate(body.level, [*constants, *carry, *slices])
        return made[: loop.carried], (carry, made[loop.carried :])

    carried, (kept, stacked) = lax.scan(
        turn, carry, slices, length=loop.length, reverse=loop.reverse
    )
    tape.values.update(zip(equation.outputs, [*carried, *stacked], strict=True))
    tape.pulls[equation] = kept


def record(tape: Tape, level: Level, block: Block) -> None:
    """Compute a block, and keep the function that pulls its cotangents back.

    Of outputs that are known already, only what the function needs is computed.
    """
    results = [value for value in block.outputs if level.differentiable(value)]
    others = [value for value in block.outputs if not level.differentiable(value)]

    def run(*wanted):
        inner = Tape({value: tape.values[value] for value in block.inputs})
        inner.values.update(zip(block.wanted, wanted, strict=True))
        for equation in block.equations:
            compute(inner, equation)
        return [inner[v] for v in results], [inner[v] for v in others]

    _refuse_while(level, block)
    wanted = [tape.values[value] for value in block.wanted]
    made, tape.pulls[block], besides = jax.vjp(run, *wanted, has_aux=True)
    for value, array in zip([*results, *others], [*made, *besides], strict=True):
        tape.values.setdefault(value, array)


def _refuse_while(level: Level, block: Block) -> None:
    for equation in block.equations:
        if equation.op == "while" and any(map(level.differentiable, equation.values)):
            raise NotImplementedError(
                "inspect: expected loops that reverse mode can run backwards; got a while loop at "
                f"{equation.line}. Use jax.lax.scan, or fori_loop with bounds that "
                "are Python integers; put jax.lax.stop_gradient on what it is given if no "
                "gradient is meant to pass."
            )


def down(
    steps: Steps, tape: Tape, cotangents: Sequence[Scaled | None], measure: Measure
) -> tuple[list[Scaled | None], Records]:
    """Pull cotangents of a level's outputs back to its inputs.

    Args:
        steps: the level.
        tape: from `up`.
        cotangents: one for each output, None for zero.
        measure: given the samples of a level, returns its records.

    Returns:
        One cotangent for each input, None where it is none of the loss's business; the records
        of this level and of those below it.
    """
    samples, records = [], []

    def within(equation: Equation, arrived: dict[Value, Scaled]):
        sent, inside = _within(steps, tape, equation, arrived, measure)
        records.extend(inside)
        return sent

    def sample(block: Block, arrived: dict[Value, Scaled], sent: Sequence) -> None:
        for value in block.outputs:
            if value in steps.taps:
                tap, pull = steps.taps[value], tape.pulls.get(block)
                samples.append(Sample(tap, tape, arrived.get(value), block, pull, dict(sent)))

    sent = walk_down(steps, tape, cotangents, within, sample)
    return sent, [*records, *measure(samples)]


def walk_down(
    steps: Steps, tape: Tape, cotangents: Sequence[Scaled | None], within: Callable, seen: Callable
) -> list[Scaled | None]:
    """The way down: what is nested is left to a function, and another sees every block.

    Args:
        steps: the level.
        tape: from the way up.
        cotangents: one for each output, None for zero.
        within: (equation, cotangents of its outputs) → pairs of an input and its cotangent.
        seen: (block, cotangents of its outputs, pairs of an input and its cotangent).

    Returns:
        One cotangent for each input of the level, None where it is none of the loss's business.
    """
    level, live = steps.level, {}
    for atom, cotangent in zip(level.graph.outputs, cotangents, strict=True):
        if cotangent is not None and level.differentiable(atom):
            live[atom] = scaled.join(live.get(atom), cotangent)
    for block in reversed(steps.blocks):
        narrow = any(equation.widens for equation in block.equations)
        arrived = {v: _fresh(live.pop(v), narrow) for v in block.outputs if v in live}
        pull, sent = tape.pulls.get(block), []
        if nested(steps, block):
            sent = within(block.equations[0], arrived)
        elif arrived and pull is not None:
            sent = _pull(level, block, arrived, pull)
        seen(block, arrived, sent)
        for value, cotangent in sent:
            live[value] = scaled.join(live.get(value), cotangent)
    return [live.get(value) for value in level.graph.inputs]


def _fresh(cotangent: Scaled, narrow: bool) -> Scaled:
    worn = cotangent.wear >= (1 if narrow else scaled.WORN)
    return scaled.normalise(cotangent) if worn else cotangent


def _pull(level: Level, block: Block, arrived: dict[Value, Scaled], pull):
    """The cotangents of a block's inputs."""
    values, terms = scaled.together(list(arrived.values()))
    if any(equation.op == "custom_vjp_call" for equation in block.equations):
        values, terms = scaled.at_size(values, terms)  # the rule need not be linear: it may clip
    given = dict(zip(arrived, values, strict=True))
    cotangents = [
        given[value] if value in given else jnp.zeros(value.shape, value.aval.dtype)
        for value in block.outputs
        if level.differentiable(value)
    ]
    wear = max(cotangent.wear for cotangent in arrived.values())
    wear = scaled.WORN if block.heavy else wear + 1
    return [
        (value, Scaled(back, terms, wear))
        for value, back in zip(block.wanted, pull(cotangents), strict=True)
    ]


def _within(steps: Steps, tape: Tape, equation: Equation, arrived, measure: Measure):
    """The cotangents of the inputs of a nested level, and its records."""
    cotangents = [arrived.get(value) for value in equation.outputs]
    arguments = [tape[atom] for atom in equation.inputs]
    loop = equation.loop
    if not arrived or (loop is not None and equation not in tape.pulls):
        return [], []
    if loop is not None:
        (body,) = steps.within[equation]
        sent, records = _turns(loop, body, arguments, tape.pulls[equation], cotangents, measure)
    elif equation.branches:
        children = steps.within[equation]
        sent, records = _branch(children, arguments, cotangents, measure)
    else:
        (body,) = steps.within[equation]
        # The barrier keeps XLA from finding that the values of the way up would do as well.
        _, inner = up(body, lax.optimization_barrier(arguments))
        sent, records = down(body, inner, cotangents, measure)
    return [
        (atom, cotangent)
        for atom, cotangent in zip(equation.inputs, sent, strict=True)
        if cotangent is not None and steps.level.differentiable(atom)
    ], records


def _branch(children: list[Steps], arguments, cotangents, measure: Measure):
    """A `cond` or `switch`: back through the branch that was taken; the others read NaN."""
    index, *operands = arguments
    cotangents = [_packed(cotangent) for cotangent in cotangents]

    def walk(child: Steps):
        def walked(operands, cotangents):
            _, inner = up(child, operands)
            given = [_unpacked(cotangent) for cotangent in cotangents]
            sent, records = down(child, inner, given, measure)
            return [_packed(cotangent) for cotangent in sent], records

        return walked

    walks = [walk(child) for child in children]
    shapes = [jax.eval_shape(walked, operands, cotangents) for walked in walks]
    wanted = [any(sent[k] is not None for sent, _ in shapes) for k in range(len(operands))]

    def filled(place: int):
        def whole(operands, cotangents):
            sent, mine = walks[place](operands, cotangents)
            records = [jax.tree.map(_absent, inside) for _, inside in shapes]
            records[place] = mine
            return _filled(sent, operands, wanted), records

        return whole

    chosen = jnp.clip(index, 0, len(walks) - 1).astype(jnp.int32)
    sent, records = lax.switch(
        chosen, [filled(place) for place in range(len(walks))], operands, cotangents
    )
    return [None, *map(_unpacked, sent)], [one for inside in records for one in inside]


def _packed(cotangent: Scaled | None):
    return None if cotangent is None else scaled.collapse(cotangent).packed()


def _unpacked(pair):
    return None if pair is None else scaled.unpacked(pair)


def _filled(pairs, arrays, wanted):
    """Cotangents to pass on from a turn or a branch: zeros where one is wanted and none came."""
    nothing = [scaled.zeros(jnp.shape(a), jnp.result_type(a)).packed() for a in arrays]
    return [
        (none if pair is None else pair) if want else None
        for pair, none, want in zip(pairs, nothing, wanted, strict=True)
    ]


def _absent(record):
    if jnp.issubdtype(record.dtype, jnp.floating):
        return jnp.full(record.shape, jnp.nan, record.dtype)
    return jnp.zeros(record.shape, record.dtype)


def _turns(loop, body: Steps, arguments, kept, cotangents, measure: Measure):
    """A scan: its turns in reverse, each walked up again and then down.

    The cotangents of what is carried go from turn to turn, those of constants are summed, those
    of slices are stacked with one exponent a slice.
    """
    constants, carry, slices = loop.split(arguments)
    wants = [
        [body.level.differentiable(value) for value in group]
        for group in loop.split(body.level.graph.inputs)
    ]
    ahead = [_packed(cotangent) for cotangent in cotangents[: loop.carried]]
    stacked = [_sliced(cotangent, loop.length) for cotangent in cotangents[loop.carried :]]

    def turn(state, given):
        ahead, sums = state
        carry, slices, stacked = given
        _, tape = up(body, [*constants, *carry, *slices])
        above = [_unpacked(pair) for pair in (*ahead, *stacked)]
        sent, records = down(body, tape, above, measure)
        for_constants, for_carry, for_slices = loop.split(sent)
        sums = [
            total if more is None else scaled.join(scaled.unpacked(total), more).packed()
            for total, more in zip(sums, for_constants, strict=True)
        ]
        for_carry = _filled(map(_packed, for_carry), carry, wants[1])
        for_slices = _filled(map(_packed, for_slices), slices, wants[2])
        return (for_carry, sums), (for_slices, records)

    nothing = _filled([None] * len(constants), constants, wants[0])
    (for_carry, sums), (for_slices, records) = lax.scan(
        turn,
        (_filled(ahead, carry, wants[1]), nothing),
        (kept, slices, stacked),
        length=loop.length,
        reverse=not loop.reverse,
    )
    return [_unpacked(pair) for pair in (*sums, *for_carry, *for_slices)], records


def _sliced(cotangent: Scaled | None, length: int):
    if cotangent is None:
        return None
    value, exponent = cotangent.packed()
    return value, jnp.broadcast_to(exponent, (length,))
