"""The statistics: what is taken at the taps and of the parameters, in the compiled function.

Arrays of one shape are measured together, a few at a time: a deep network has few shapes and
many layers, and each statistic of each layer would be a loop of its own for XLA to compile.

Sizes leave the compiled function as a number near one and an integer exponent; the logarithm is
taken afterwards in float64, so that no depth costs it digits.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array

from vanishing._types import AnyArray, pytree
from vanishing.inspection import elementwise, scaled
from vanishing.inspection.pullback import Sample
from vanishing.inspection.scaled import Scaled

# As in `probe`: a unit is saturated on an input where its slope is below this share of the
# largest slope that the activation has.
SATURATED_BELOW = 0.01
# Number formats that gradients are kept in: the exponent of the half of the smallest number,
# which is what rounds to zero, and of the largest power of two.
FORMATS = {
    "float16": (-25, 15),
    "bfloat16": (-134, 127),
    "float8_e4m3": (-10, 8),
    "float8_e5m2": (-17, 15),
}
# A loss scale leaves this many factors of two between the largest gradient and the largest number.
HEADROOM = 2
MOST = 126  # and is itself a float32
# How many arrays are measured together, and how many bytes: they are copied side by side, so that
# more would need more memory, fewer more time to compile.
TOGETHER, BYTES = 32, 2**21


@pytree("arrays")
@dataclass(frozen=True)
class Record:
    """What was measured together.

    Attributes:
        arrays: by name; after the axes of loops comes one entry for each of `labels`.
        labels: the tap's or the parameter's number, and which of its quantities it is.
    """

    arrays: dict[str, AnyArray]
    labels: tuple[tuple[int, str], ...]


def at_taps(batch: int | None):
    """The measurement for `pullback.down`, for a batch of a known size."""

    def measure(samples: Sequence[Sample]) -> list[Record]:
        if not samples:
            return []
        cotangents = [_cotangent(sample) for sample in samples]
        quantities, slopes = [], []
        for sample, cotangent in zip(samples, cotangents, strict=True):
            tap = sample.tap
            value = sample.tape[tap.value]
            examples = example_axes(value.shape, tap.units, batch)
            quantities.append(((tap.number, "activation"), _rows(value, examples)))
            quantities.append(((tap.number, "gradient"), _rows(cotangent.value, examples)))
            if tap.kind == "activation":
                slope = _slope(sample) / jnp.asarray(tap.steepest, value.dtype)
                slopes.append(((tap.number, "slope"), _units_first(slope, tap.units)))
        numbers = tuple((sample.tap.number, "carried") for sample in samples)
        carried = Record({"exponent": scaled.exponents(cotangents)}, numbers)
        return [carried, *_together(quantities, _sizes), *_together(slopes, _slopes)]

    return measure


def _together(labelled: Sequence[tuple], statistics: Callable) -> list[Record]:
    """Measure arrays of one shape and dtype together."""
    made = []
    for group in _groups(labelled, lambda pair: pair[1]):
        labels, arrays = zip(*group, strict=True)
        made.append(Record(statistics(jnp.stack(arrays)), labels))
    return made


def _groups(entries: Sequence, array: Callable) -> Iterator[list]:
    """Those whose arrays have one shape and dtype, at most `TOGETHER` of them or `BYTES`."""
    groups: dict = {}
    for entry in entries:
        groups.setdefault((array(entry).shape, str(array(entry).dtype)), []).append(entry)
    for group in groups.values():
        size = max(array(group[0]).nbytes, 1)
        many = max(1, min(TOGETHER, BYTES // size))
        for first in range(0, len(group), many):
            yield group[first : first + many]


def _cotangent(sample: Sample) -> Scaled:
    if sample.cotangent is not None:
        return sample.cotangent
    value = sample.tape[sample.tap.value]
    return scaled.zeros(value.shape, value.dtype)


def example_axes(shape: tuple[int, ...], units: tuple[int, ...], batch: int | None) -> range | None:
    """The axes along which examples stand, several where devices share them; None where none do.

    >>> example_axes((8, 32, 4), (2,), 32), example_axes((8, 4, 5), (2,), 32)
    (range(1, 2), range(0, 2))
    """
    if batch is None or batch < 2:
        return None
    rank = len(shape)
    candidates = [range(k, k + many) for many in range(1, rank + 1) for k in range(rank + 1 - many)]
    fits = (
        axes
        for axes in candidates
        if np.prod([shape[axis] for axis in axes]) == batch and not set(axes) & set(units)
    )
    return next(fits, None)


def _rows(value: Array, examples: range | None) -> Array:
    """One row an example, or one row of everything."""
    if examples is None:
        return value.reshape(1, -1)
    count = int(np.prod([value.shape[axis] for axis in examples]))
    return jnp.moveaxis(value, tuple(examples), tuple(range(len(examples)))).reshape(count, -1)


def _units_first(slope: Array, units: tuple[int, ...]) -> Array:
    """One row a unit: what it is, on every example."""
    others = [axis for axis in range(slope.ndim) if axis not in units]
    count = int(np.prod([slope.shape[axis] for axis in units]))
    if units == (slope.ndim - 1,):  # [examples, units] is read as it lies
        return slope.reshape(-1, count)
    return jnp.transpose(slope, (*others, *units)).reshape(-1, count)


def _slope(sample: Sample) -> Array:
    """φ′ at the pre-activation; of a block that is the activation alone, its own pull of ones."""
    tap, tape, _, block, pull, _ = sample
    if pull is not None and block.wanted == [tap.source] and block.outputs == [tap.value]:
        return pull([jnp.ones(tap.value.shape, tap.value.aval.dtype)])[0]

    def activation(z):
        return elementwise.apply(tap.inside, tap.value, {**tape.values, tap.source: z})

    made, pull = jax.vjp(activation, tape[tap.source])
    return pull(jnp.ones_like(made))[0]


def _normalised(stack: Array) -> tuple[Array, Array]:
    """Arrays whose largest entries are near one, and the exponents taken out of them."""
    wide = stack.astype(scaled.wide(stack.dtype))
    steps = scaled.largest_exponents(wide)
    return scaled.times(wide, scaled.power_of_two(-steps)), steps


def _sizes(stack: Array) -> dict[str, Array]:
    """Of each array of rows: its RMS, as a number near one and an exponent; how alike rows are."""
    value, exponent = _normalised(stack)
    squares = jnp.sum(value * value, axis=2)
    rms = jnp.sqrt(jnp.sum(squares, axis=1) / (value[0].size or 1))
    made = {"rms": rms.astype(jnp.float32), "exponent": exponent}
    if stack.shape[1] > 1:
        made["alike"] = _alike(value, squares)
    return made


def _alike(rows: Array, squares: Array) -> Array:
    """The mean cosine between different rows, those of zeros left out; NaN for fewer than two.

    With u_i the unit vectors, Σ_{i≠j} u_i·u_j = ‖Σ u_i‖² − n.
    """
    some = squares > 0
    weights = jnp.where(some, lax.rsqrt(jnp.where(some, squares, 1)), 0)
    count = jnp.sum(some.astype(rows.dtype), axis=1)
    total = jnp.einsum("mb,mbr->mr", weights, rows)
    pairs = count * (count - 1)
    mean = (jnp.sum(total * total, axis=1) - count) / jnp.where(pairs > 0, pairs, 1)
    return jnp.where(pairs > 0, mean, jnp.nan).astype(jnp.float32)


def _slopes(stack: Array) -> dict[str, Array]:
    """Of each φ′ / max|φ′|, [arrays, examples, units]: which share is dead, which saturated."""
    sizes = jnp.abs(stack)
    dead = jnp.max(sizes, axis=1) == 0
    flat = sizes < jnp.asarray(SATURATED_BELOW, stack.dtype)
    return {
        "dead_fraction": jnp.mean(dead.astype(jnp.float32), axis=1),
        "saturated_fraction": jnp.mean(flat.astype(jnp.float32), axis=(1, 2)),
    }


def of_parameters(params: Sequence[Array], gradients: Sequence[Scaled]):
    """The statistics of every parameter.

    Returns:
        A list of `Record`, and the exponent of the largest gradient entry of all.
    """
    weights = [((leaf, "weight"), param.reshape(1, -1)) for leaf, param in enumerate(params)]
    carried = scaled.exponents([g if not g.sliced else Scaled(g.value) for g in gradients])
    entries = []
    for leaf, gradient in enumerate(gradients):
        rows = gradient.value.shape[0] if gradient.sliced else 1
        exponent = gradient.exponent if gradient.sliced else carried[leaf][None]
        entries.append((leaf, gradient.value.reshape(rows, -1), exponent))
    made = []
    for group in _groups(entries, lambda entry: entry[1]):
        leaves, values, exponents = zip(*group, strict=True)
        made.append((leaves, *_settled(jnp.stack(values), jnp.stack(exponents))))
    largest = jnp.max(jnp.concatenate([exponents.reshape(-1) for *_, exponents in made]))
    records = [
        Record(_of_gradients(values, exponents, largest), tuple((k, "gradient") for k in leaves))
        for leaves, values, exponents in made
    ]
    return [*records, *_together(weights, _sizes)], largest


def _settled(stack: Array, exponents: Array) -> tuple[Array, Array]:
    """The largest entry of every row near one, [arrays, rows, entries]; the exponents with it."""
    wide = stack.astype(scaled.wide(stack.dtype))
    steps = scaled.largest_exponents(wide.reshape(-1, wide.shape[2])).reshape(exponents.shape)
    values = scaled.times(wide, scaled.power_of_two(-steps))
    return values, jnp.maximum(exponents + steps, scaled.NOTHING)


def _of_gradients(values: Array, exponents: Array, largest: Array) -> dict[str, Array]:
    """Sizes of gradients, and the entries that a number format would flush.

    Args:
        values: [parameters, rows, entries], each row's largest entry near one.
        exponents: [parameters, rows].
        largest: the exponent of the largest gradient entry of all parameters.
    """
    common = jnp.max(exponents, axis=1)
    shares = scaled.power_of_two(2 * (exponents - common[:, None]))
    squares = jnp.sum(jnp.sum(values * values, axis=2) * shares, axis=1)
    low = jnp.array([low for low, _ in FORMATS.values()])
    room = jnp.array([high - HEADROOM for _, high in FORMATS.values()])
    steps = jnp.concatenate([low, low - jnp.clip(room - largest, 0, MOST)])
    limits = scaled.power_of_two(steps[None, None, :] - exponents[:, :, None])
    limits = jnp.concatenate([jnp.zeros_like(limits[:, :, :1]), limits], axis=2)
    sizes = jnp.abs(values)
    below = [sizes <= limits[:, :, k, None].astype(values.dtype) for k in range(limits.shape[2])]
    counts = jnp.stack(_counts(below), axis=-1) / max(values.shape[2], 1)
    counts = jnp.mean(counts, axis=1)
    return {
        "rms": jnp.sqrt(squares / max(values[0].size, 1)).astype(jnp.float32),
        "exponent": common,
        "share_zero": counts[:, 0],
        "flushed": counts[:, 1 : 1 + len(FORMATS)] - counts[:, :1],
        "rescued": counts[:, 1 + len(FORMATS) :] - counts[:, :1],
    }


def _counts(tests: Sequence[Array]) -> Sequence[Array]:
    """How often each of some tests holds along the last axis, in one pass over the array."""
    ones = tuple(test.astype(jnp.int32) for test in tests)
    return lax.reduce(
        ones,
        (np.int32(0),) * len(ones),
        lambda one, other: tuple(map(lax.add, one, other)),
        (ones[0].ndim - 1,),
    )


def of_updates(updates: Sequence[Array]) -> list[Record]:
    """The sizes of an optimiser's updates."""
    rows = [((leaf, "update"), update.reshape(1, -1)) for leaf, update in enumerate(updates)]
    return _together(rows, _sizes)
