"""The statistics of taps: what is taken of signals, gradients and slopes, in a compiled function.

Arrays of one shape are measured together, a few at a time: a deep network has few shapes and
many layers, and each statistic of each layer would be a loop of its own for XLA to compile.

Sizes leave the compiled function as sums near one and a power of two; roots and logarithms are
taken afterwards in float64, so that no depth costs them digits, and nothing is compiled for them.
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
# How many arrays are measured together, and how many bytes: they are copied side by side, so that
# more would need more memory, fewer more time to compile.
TOGETHER, BYTES = 32, 2**21
# How many powers of two a histogram tells apart: 2^-23, seven decades, is float32's own precision.
OCTAVES = 24


@pytree("arrays")
@dataclass(frozen=True)
class Record:
    """What was measured together.

    Attributes:
        arrays: by name, [*turns, labels, …]: after the axes of loops comes one entry for each of
            `labels`.
        labels: the tap's number, and which of its quantities it is.
        size: how many entries each array has that was measured.
    """

    arrays: dict[str, AnyArray]
    labels: tuple[tuple[int, str], ...]
    size: int = 0

    def read(self) -> dict[tuple[int, str], dict]:
        """One dict a label; where it stands in a loop, the turns stand in the first axes."""
        made, one = {}, {"exponent", "dead_fraction", "largest"}  # of one number a label
        axis = next(a.ndim for name, a in self.arrays.items() if name in one) - 1
        for place, label in enumerate(self.labels):
            found = {name: np.asarray(a.take(place, axis)) for name, a in self.arrays.items()}
            made[label] = _read_sizes(found, self.size) if "squares" in found else found
        return made


def at_taps(batch: int | None):
    """The measurement for `pullback.down`, for a batch of a known size."""

    def measure(samples: Sequence[Sample]) -> list[Record]:
        if not samples:
            return []
        cotangents = [_cotangent(sample) for sample in samples]
        signals, gradients, slopes = [], [], []
        for sample, cotangent in zip(samples, cotangents, strict=True):
            tap = sample.tap
            value = sample.tape[tap.value]
            examples = example_axes(value.shape, tap.units, batch)
            signals.append(((tap.number, "activation"), _rows(value, examples)))
            gradients.append(((tap.number, "gradient"), _rows(cotangent.value, examples)))
            if tap.kind == "activation":
                rows = _units_first(_slope(sample), tap.units)
                slopes.append(((tap.number, "slope"), rows, tap.steepest))
        numbers = tuple((sample.tap.number, "carried") for sample in samples)
        carried = Record({"exponent": scaled.exponents(cotangents)}, numbers)
        spread = _together([*signals, *gradients], _spread)
        return [carried, *spread, *_together(slopes, _slopes)]

    return measure


def _together(labelled: Sequence[tuple], statistics: Callable) -> list[Record]:
    """Measure arrays of one shape and dtype together."""
    made = []
    for group in _groups(labelled, lambda entry: entry[1]):
        labels, arrays, *more = zip(*group, strict=True)
        made.append(
            Record(statistics(_stack(arrays), *map(np.array, more)), labels, arrays[0].size)
        )
    return made


def _stack(arrays: Sequence[Array]) -> Array:
    """`jnp.stack` in one operation: an axis for each array would be one to compile for each."""
    return jnp.concatenate(arrays).reshape(len(arrays), *arrays[0].shape)


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


def _sizes(stack: Array) -> dict[str, Array]:
    """Of each array of rows, its entries brought near one: what `_read_sizes` reads."""
    wide = stack.astype(scaled.wide(stack.dtype))
    largest = scaled.largest(wide)
    rows = scaled.times(wide, scaled.inverse(largest))
    squares = jnp.sum(rows * rows, axis=2)
    made = {"largest": largest, "squares": squares}
    if stack.shape[1] > 1:
        weights = lax.rsqrt(jnp.where(squares > 0, squares, np.inf))
        total = jnp.einsum("mb,mbr->mr", weights, rows)
        # Of all products only those with itself are wanted, but a matrix product XLA has ready.
        made["united"] = jnp.diagonal(total @ total.T)
    return made


def _spread(stack: Array) -> dict[str, Array]:
    """`_sizes`, and of each array how many entries are how large.

    The `counts`, [arrays, OCTAVES], are of entries from each power of two on below the largest
    entry's, and of those that are not zero.
    """
    made = _sizes(stack)
    wide = stack.astype(scaled.wide(stack.dtype)).reshape(len(stack), -1)
    sizes = jnp.abs(scaled.times(wide, scaled.inverse(made["largest"])))
    above = counts([*(sizes >= 2.0**-octave for octave in range(OCTAVES - 1)), sizes > 0])
    return made | {"counts": jnp.stack(above, axis=-1)}


def _read_sizes(found: dict[str, np.ndarray], size: int) -> dict:
    """The RMS of an array, as a number near one and an exponent, and how alike its rows are.

    Alike is the mean cosine between different rows, those of zeros left out; NaN for fewer than
    two. With u_i the unit vectors, Σ_{i≠j} u_i·u_j = ‖Σ u_i‖² − n.
    """
    squares = found["squares"].astype(np.float64)
    made = {
        "rms": np.sqrt(squares.sum(axis=-1) / max(size, 1)),
        "exponent": scaled.exponent_of(found["largest"]),
    }
    if "counts" in found:  # from each limit on → between two of them, and zeros
        nothing = np.zeros_like(found["counts"][..., :1])
        ends = np.concatenate([nothing, found["counts"], nothing + size], axis=-1)
        finite = np.isfinite(found["largest"])[..., None]
        made["counts"] = np.where(finite, np.diff(ends, axis=-1), 0)
    if "united" in found:
        count = (squares > 0).sum(axis=-1)
        pairs = np.where(count > 1, count * (count - 1.0), np.nan)
        made["alike"] = (found["united"] - count) / pairs
    return made


def _slopes(stack: Array, steepest: np.ndarray) -> dict[str, Array]:
    """Of each φ′, [arrays, examples, units]: which share is dead, which saturated."""
    sizes = jnp.abs(stack)
    flat = sizes < jnp.asarray(SATURATED_BELOW * steepest, stack.dtype)[:, None, None]
    zero, one = np.zeros((), stack.dtype), np.int32(0)
    most, many = lax.reduce((sizes, flat.astype(jnp.int32)), (zero, one), _most_and_sum, (1,))
    dead, flat = counts([most == 0, many])
    return {
        "dead_fraction": dead.astype(jnp.float32) / most.shape[1],
        "saturated_fraction": flat.astype(jnp.float32) / stack[0].size,
    }


def _most_and_sum(one, other):
    return lax.max(one[0], other[0]), lax.add(one[1], other[1])


def counts(many: Sequence[Array]) -> Sequence[Array]:
    """The sums of some tests, or of integers, along the last axis, in one pass."""
    ones = tuple(one.astype(jnp.int32) for one in many)
    return lax.reduce(
        ones,
        (np.int32(0),) * len(ones),
        lambda one, other: tuple(map(lax.add, one, other)),
        (ones[0].ndim - 1,),
    )
