"""The statistics: what is taken at the taps and of the parameters, in the compiled function.

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
# How many powers of two a histogram tells apart: 2^-23, seven decades, is float32's own precision.
OCTAVES = 24


@pytree("arrays")
@dataclass(frozen=True)
class Record:
    """What was measured together.

    Attributes:
        arrays: by name, [*turns, labels, …]: after the axes of loops comes one entry for each of
            `labels`.
        labels: the tap's or the parameter's number, and which of its quantities it is.
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
        # Apart, for the signals of the way up need not wait for the gradients of the way down.
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
        spread = [*_together(signals, _spread), *_together(gradients, _spread)]
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
        made["united"] = jnp.sum(total * total, axis=1)
    return made


def _spread(stack: Array) -> dict[str, Array]:
    """`_sizes`, and of each array how many entries are how large.

    The `counts`, [arrays, OCTAVES], are of entries from each power of two on below the largest
    entry's, and of those that are not zero.
    """
    made = _sizes(stack)
    wide = stack.astype(scaled.wide(stack.dtype)).reshape(len(stack), -1)
    sizes = jnp.abs(scaled.times(wide, scaled.inverse(made["largest"])))
    counts = _counts([*(sizes >= 2.0**-octave for octave in range(OCTAVES - 1)), sizes > 0])
    return made | {"counts": jnp.stack(counts, axis=-1)}


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
    dead = jnp.max(sizes, axis=1) == 0
    flat = sizes < jnp.asarray(SATURATED_BELOW * steepest, stack.dtype)[:, None, None]
    return {
        "dead_fraction": jnp.mean(dead.astype(jnp.float32), axis=1),
        "saturated_fraction": jnp.mean(flat.astype(jnp.float32), axis=(1, 2)),
    }


def of_parameters(params: Sequence[Array], gradients: Sequence[Scaled]):
    """The statistics of every parameter.

    Args:
        params: the leaves, of any shapes.
        gradients: of the same shapes, with their scales.

    Returns:
        A list of `Record`, and the exponent of the largest gradient entry of all, a scalar.
    """
    weights = [((leaf, "weight"), param.reshape(1, -1)) for leaf, param in enumerate(params)]
    carried = scaled.exponents([g if not g.sliced else Scaled(g.value) for g in gradients])
    entries = []
    for leaf, gradient in enumerate(gradients):
        rows = gradient.value.shape[0] if gradient.sliced else 1
        entries.append((leaf, gradient.value.reshape(rows, -1)))
    made = []
    for group in _groups(entries, lambda entry: entry[1]):
        leaves, values = zip(*group, strict=True)
        exponents = carried[np.array(leaves)][:, None]
        if any(gradients[leaf].sliced for leaf in leaves):
            own = [
                gradients[leaf].exponent if gradients[leaf].sliced else carried[leaf][None]
                for leaf in leaves
            ]
            exponents = jnp.stack(own)
        made.append((leaves, *_settled(_stack(values), exponents)))
    largest = jnp.max(jnp.concatenate([exponents.reshape(-1) for *_, exponents in made]))
    records = [
        Record(_of_gradients(values, exponents, largest), tuple((k, "gradient") for k in leaves))
        for leaves, values, exponents in made
    ]
    return [*records, *_together(weights, _sizes)], largest


def _settled(stack: Array, exponents: Array) -> tuple[Array, Array]:
    """The largest entry of every row near one, [arrays, rows, entries]; the exponents with it."""
    wide = stack.astype(scaled.wide(stack.dtype))
    largest = scaled.largest(wide.reshape(-1, wide.shape[2])).reshape(exponents.shape)
    values = scaled.times(wide, scaled.inverse(largest))
    return values, scaled.Scaled(wide, (exponents, largest)).exponent


def _of_gradients(values: Array, exponents: Array, largest: Array) -> dict[str, Array]:
    """Sizes of gradients, and the entries that a number format would flush.

    Args:
        values: [parameters, rows, entries], each row's largest entry near one.
        exponents: [parameters, rows].
        largest: the exponent of the largest gradient entry of all parameters.
    """
    common = jnp.max(exponents, axis=1)
    shares = scaled.power_of_two(2 * (exponents - common[:, None])).astype(values.dtype)
    squares = jnp.sum(jnp.sum(values * values, axis=2) * shares, axis=1)
    low = jnp.array([low for low, _ in FORMATS.values()], jnp.int32)
    room = jnp.array([high - HEADROOM for _, high in FORMATS.values()], jnp.int32)
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
    """The sizes of an optimiser's updates, one array a leaf, each of the leaf's shape."""
    rows = [((leaf, "update"), update.reshape(1, -1)) for leaf, update in enumerate(updates)]
    return _together(rows, _sizes)
