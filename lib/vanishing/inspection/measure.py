"""The statistics of taps: what is taken of signals, gradients and slopes, in a compiled function.

Arrays of one shape are measured together, a few at a time: a deep network has few shapes and
many layers, and each statistic of each layer would be a loop of its own for XLA to compile.

Sizes leave the compiled function as sums near one and a power of two; roots and logarithms are
taken afterwards in float64, so that no depth costs them digits, and nothing is compiled for them.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array

from vanishing._layers import matmul
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
# What is found in integers; all else is floats.
INTEGERS = {"exponent", "counts", "flat"}
# How many powers of two a histogram tells apart: 2^-23, seven decades, is float32's own precision.
OCTAVES = 24


class Part(NamedTuple):
    """What was measured of some arrays of one shape together.

    Attributes:
        labels: of each array, the tap's number and which of its quantities it is.
        size: how many entries each array has.
        shapes: of what was found, by name.
    """

    labels: tuple[tuple[int, str], ...]
    size: int
    shapes: tuple[tuple[str, tuple[int, ...]], ...]


@pytree("floats", "integers")
@dataclass(frozen=True)
class Record:
    """What was measured at one level, end to end: to keep and to read, few arrays cost less.

    Attributes:
        floats, integers: [*turns, entries], after the axes of loops.
        parts: what stands there; that of integers are the names in `INTEGERS`.
    """

    floats: AnyArray
    integers: AnyArray
    parts: tuple[Part, ...]

    def read(self) -> dict[tuple[int, str], dict]:
        """One dict a label; where it stands in a loop, the turns stand in the first axes."""
        made, read, turns = {}, {"floats": 0, "integers": 0}, self.floats.shape[:-1]
        for labels, size, shapes in self.parts:
            found = {}
            for name, shape in shapes:
                kind = "integers" if name in INTEGERS else "floats"
                first = read[kind]
                read[kind] = end = first + math.prod(shape)
                found[name] = getattr(self, kind)[..., first:end].reshape(*turns, *shape)
            found = _read(found, size)
            for place, label in enumerate(labels):
                made[label] = {name: a.take(place, len(turns)) for name, a in found.items()}
        return made

    def renumbered(self, numbers: dict[int, int]) -> "Record":
        """The same of other taps: theirs ↦ own number, −1 where they have none."""
        parts = [
            part._replace(labels=tuple((numbers.get(n, -1), what) for n, what in part.labels))
            for part in self.parts
        ]
        return replace(self, parts=tuple(parts))


def _record(parts: Sequence[tuple[Sequence, int, dict[str, Array]]]) -> Record:
    """Labels, sizes and what was found, as one."""
    named = [pair for _, _, found in parts for pair in found.items()]
    integers = [array.reshape(-1) for name, array in named if name in INTEGERS]
    floats = [array.reshape(-1) for name, array in named if name not in INTEGERS]
    kind = jnp.float64 if any(a.dtype == jnp.float64 for a in floats) else jnp.float32
    parts = tuple(
        Part(tuple(labels), size, tuple((name, array.shape) for name, array in found.items()))
        for labels, size, found in parts
    )
    floats = jnp.concatenate([array.astype(kind) for array in floats])
    return Record(floats, jnp.concatenate(integers), parts)


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
        numbers = [(sample.tap.number, "carried") for sample in samples]
        carried = numbers, 1, {"exponent": scaled.exponents(cotangents)}
        spread = _together([*signals, *gradients], _spread)
        return [_record([carried, *spread, *_together(slopes, _slopes)])]

    return measure


def _together(labelled: Sequence[tuple], statistics: Callable) -> Iterator[tuple]:
    """Measure arrays of one shape and dtype together: what `_record` puts end to end."""
    for group in _groups(labelled, lambda entry: entry[1]):
        labels, arrays, *more = zip(*group, strict=True)
        yield labels, arrays[0].size, statistics(_stack(arrays), *map(np.array, more))


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
    """One row an example, or one row of everything; of complex numbers both parts are entries."""
    if jnp.iscomplexobj(value):
        value = jnp.stack([value.real, value.imag], axis=-1)
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
    """Of each array of rows, its entries brought near one: what `_read` reads."""
    wide = stack.astype(scaled.wide(stack.dtype))
    largest = scaled.largest(wide)
    rows = scaled.times(wide, scaled.inverse(largest))
    squares = jnp.sum(rows * rows, axis=2)
    made = {"largest": largest, "squares": squares}
    if stack.shape[1] > 1:
        weights = lax.rsqrt(jnp.where(squares > 0, squares, np.inf))
        # XLA has a matrix product ready, but compiles one of a vector and a matrix.
        twice = jnp.repeat(weights[:, None], 2, axis=1)
        total = matmul(twice, rows)[:, 0]
        # Of all products only those with itself are wanted, but a matrix product XLA has ready.
        made["united"] = matmul(total, total.T)
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


def _read(found: dict[str, np.ndarray], size: int) -> dict:
    """Of each array, what is made of its sums in float64.

    The RMS comes as a number near one and an exponent. How alike the rows are is the mean cosine
    between different ones, those of zeros left out; NaN for fewer than two. With u_i the unit
    vectors, Σ_{i≠j} u_i·u_j = ‖Σ u_i‖² − n.
    """
    if "exponent" in found:
        return found
    if "steepest" in found:
        return {
            "dead_fraction": np.mean(found["steepest"] == 0, axis=-1),
            "saturated_fraction": found["flat"].sum(axis=-1) / size,
        }
    squares = found["squares"].astype(np.float64)
    nothing = np.zeros_like(found["counts"][..., :1])
    ends = np.concatenate([nothing, found["counts"], nothing + size], axis=-1)
    finite = np.isfinite(found["largest"])[..., None]
    made = {
        "rms": np.sqrt(squares.sum(axis=-1) / max(size, 1)),
        "exponent": scaled.exponent_of(found["largest"]),
        "counts": np.where(finite, np.diff(ends, axis=-1), 0),  # between limits, and zeros
    }
    if "united" in found:
        count = (squares > 0).sum(axis=-1)
        pairs = np.where(count > 1, count * (count - 1.0), np.nan)
        made["alike"] = (np.diagonal(found["united"], axis1=-2, axis2=-1) - count) / pairs
    return made


def _slopes(stack: Array, steepest: np.ndarray) -> dict[str, Array]:
    """Of each φ′, [arrays, examples, units]: each unit's steepest, and how often it is flat."""
    sizes = jnp.abs(stack)
    flat = sizes < jnp.asarray(SATURATED_BELOW * steepest, stack.dtype)[:, None, None]
    zero, one = np.zeros((), stack.dtype), np.int32(0)
    most, many = lax.reduce((sizes, flat.astype(jnp.int32)), (zero, one), _most_and_sum, (1,))
    return {"steepest": most, "flat": many}


def _most_and_sum(one, other):
    return lax.max(one[0], other[0]), lax.add(one[1], other[1])


def counts(many: Sequence[Array]) -> Sequence[Array]:
    """How often each of some tests holds along the last axis, in one pass."""
    ones = tuple(one.astype(jnp.int32) for one in many)
    return lax.reduce(
        ones,
        (np.int32(0),) * len(ones),
        lambda one, other: tuple(map(lax.add, one, other)),
        (ones[0].ndim - 1,),
    )
