"""Arrays that cannot vanish: a value and the power of two that was taken out of it.

A cotangent of a deep network leaves float32 long before its first layer. The backward pass is
linear in cotangents, so any power of two can be divided out and its exponent carried beside the
array, and dividing by a power of two rounds nothing. Every cotangent has an exponent of its own:
with one for all that are alive, a branch that vanishes would be lost beside one that does not.

An exponent is kept as the terms that it is the sum of, and summed where it is needed. Summed as
it goes, it would be one chain of scalars through the whole program, which XLA fuses into each of
its readers: sixty layers took minutes to compile. For the same reason a term may be a float: the
largest entry of an array, whose power of two was taken out. Its exponent is read off where it is
needed, of all terms at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float, Inexact, Int, Num

# The exponent of an array of zeros: below any other, so that zeros never decide a common scale.
NOTHING = -(2**20)
_BIAS = 127  # of float32's exponent field
_MANTISSA = 23
# Its exponent field: all of it, that of 1, and the largest whose inverse is a normal number.
_FIELD, _ONE, _TOP = (np.int32(exponent << _MANTISSA) for exponent in (0xFF, _BIAS, 2 * _BIAS - 1))
# An array is brought back to an order of one before the second block after it was: a product of
# two matrices changes its size by much, a function of single entries by the slope of that.
WORN = 2


@dataclass(frozen=True, eq=False)
class Scaled:
    """value · 2^(sum of terms).

    Attributes:
        value: any array of floats or complex numbers.
        terms: of the exponent: integers, or floats of which the exponent is meant; a term of one
            axis has one entry for each slice of the value.
        wear: what was done to it since its largest entry was near one.
    """

    value: Inexact[Array, "*shape"]
    terms: tuple[Num[Array, "*slices"], ...] = ()
    wear: int = 0

    @property
    def exponent(self) -> Int[Array, "*slices"]:
        """The sum of the terms."""
        return jnp.maximum(_total(self.terms), NOTHING)

    @property
    def sliced(self) -> bool:
        """Whether each slice along the first axis has an exponent of its own."""
        return any(term.ndim for term in self.terms)

    def packed(self) -> tuple[Array, Array]:
        """Value [*shape] and exponent [*slices], to pass through a transformation of JAX."""
        return self.value, self.exponent


def _total(terms: Sequence[Num[Array, "*slices"]]) -> Int[Array, "*slices"]:
    """The sum of some terms of an exponent."""
    first, *more = map(octaves, terms or (jnp.zeros((), jnp.int32),))
    return sum(more, start=first)


def unpacked(pair: tuple[Array, Array]) -> Scaled:
    """What `Scaled.packed` has packed."""
    return Scaled(pair[0], (pair[1],), WORN)


def power_of_two(exponent: Int[Array, "*slices"]) -> Float[Array, "*slices"]:
    """2^exponent in float32, exact from −126 to 127; 0 below, 2^127 above.

    >>> power_of_two(jnp.array([-127, -1, 3])).tolist()
    [0.0, 0.5, 8.0]
    """
    field = lax.clamp(jnp.int32(0), exponent + _BIAS, jnp.int32(2 * _BIAS))
    return lax.bitcast_convert_type(field << _MANTISSA, jnp.float32)


def wide(dtype):
    """The dtype in which arrays of `dtype` are measured: float32 or complex64 at least."""
    return jnp.float32 if jnp.finfo(dtype).bits < 32 else dtype


def times(value: Inexact[Array, "*shape"], factor: Float[Array, "*slices"]):
    """A product with a float32 factor that value's own dtype may not be able to hold."""
    if factor.ndim:
        factor = factor.reshape(factor.shape + (1,) * (value.ndim - factor.ndim))
    kind = wide(value.dtype)
    return (value.astype(kind) * factor.astype(kind)).astype(value.dtype)


def zeros(shape, dtype) -> Scaled:
    """An array of zeros."""
    return Scaled(jnp.zeros(shape, dtype), (jnp.full((), NOTHING, jnp.int32),))


def largest(stack: Inexact[Array, "arrays *shape"]) -> Float[Array, " arrays"]:  # noqa: F821
    """The size of each array's largest entry, in float32.

    >>> largest(jnp.array([[0.75, -5.0], [0.0, 0.0]])).tolist()
    [5.0, 0.0]
    """
    sizes = jnp.abs(stack)
    nothing = np.zeros((), sizes.dtype)  # `jnp.max` would compare with it in a loop of its own
    return _single(lax.reduce(sizes, nothing, lax.max, tuple(range(1, stack.ndim))))


def _single(sizes: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """Sizes in float32; what it would flush is small, not zero."""
    if sizes.dtype == jnp.float64:
        sizes = jnp.where(sizes > 0, jnp.clip(sizes, 2.0**-126, 2.0**126), 0)
    return sizes.astype(jnp.float32)


def _field(size: Float[Array, "*slices"]) -> Int[Array, "*slices"]:
    """The exponent of a float32, from −127 to 126, where the number itself has it."""
    bits = lax.bitcast_convert_type(size, jnp.int32)
    return lax.min(bits & _FIELD, jnp.full(size.shape, _TOP, jnp.int32))


def inverse(size: Float[Array, "*slices"]) -> Float[Array, "*slices"]:
    """What brings a number near one: 2^-e for its exponent e.

    >>> inverse(jnp.array([5.0, 0.75])).tolist()
    [0.25, 2.0]
    """
    return lax.bitcast_convert_type(2 * _ONE - _field(size), jnp.float32)


def octaves(entries: Num[Array, "*shape"]) -> Int[Array, "*shape"]:
    """The exponents of floats, from −127 to 126, `NOTHING` of 0; integers stay as they are.

    >>> octaves(jnp.array([-5.0, 0.0])).tolist()
    [2, -1048576]
    """
    if not jnp.issubdtype(entries.dtype, jnp.floating):
        return entries
    sizes = _single(jnp.abs(entries))
    return jnp.where(sizes == 0, NOTHING, (_field(sizes) >> _MANTISSA) - _BIAS)


def exponent_of(size: np.ndarray) -> np.ndarray:
    """`octaves` of floats that have left the compiled function.

    >>> exponent_of(np.float32([5.0, 0.0])).tolist()
    [2, -1048576]
    """
    exponent = np.clip(np.frexp(size)[1] - 1, -_BIAS, _BIAS - 1)
    return np.where(size == 0, NOTHING, exponent)


def normalise(scaled: Scaled) -> Scaled:
    """The same array with its largest entry in [1, 2).

    >>> small = normalise(Scaled(jnp.array([3e-30, 1e-30]), wear=WORN))
    >>> int(small.exponent), round(float(small.value[0]), 4)
    (-99, 1.9015)
    """
    if scaled.wear == 0 and scaled.terms and not scaled.sliced:
        return scaled
    scaled = collapse(scaled)
    size = largest(scaled.value[None])[0]
    return Scaled(times(scaled.value, inverse(size)), (*scaled.terms, size))


def collapse(scaled: Scaled) -> Scaled:
    """One exponent for the whole array: the largest of its slices'."""
    if not scaled.sliced:
        return scaled
    exponent = scaled.exponent
    common = jnp.max(exponent)
    return Scaled(times(scaled.value, power_of_two(exponent - common)), (common,), WORN)


def together(parts: Sequence[Scaled]) -> tuple[list[Array], tuple]:
    """The values of several arrays, of their own shapes, at one scale, and the terms of that."""
    if len({tuple(map(id, part.terms)) for part in parts}) == 1:  # made by one pull
        return [part.value for part in parts], parts[0].terms
    parts = [normalise(part) for part in parts]
    shared = _shared([part.terms for part in parts])
    above = [part.terms[shared:] for part in parts]
    if all(len(terms) == 1 and terms[0].dtype == jnp.float32 for terms in above):
        fields = [_field(size) for (size,) in above]
        most = reduce(lax.max, fields)
        bits = [lax.max(field - most + _ONE, jnp.zeros_like(field)) for field in fields]
        factors = [lax.bitcast_convert_type(each, jnp.float32) for each in bits]
        common = lax.bitcast_convert_type(most, jnp.float32)
    else:
        exponents = [_total(terms) for terms in above]
        common = reduce(lax.max, exponents)
        factors = [power_of_two(exponent - common) for exponent in exponents]
    values = [times(part.value, factor) for part, factor in zip(parts, factors, strict=True)]
    return values, (*parts[0].terms[:shared], common)


def at_size(values: Sequence[Array], terms: Sequence) -> tuple[list[Array], tuple]:
    """Values at the size that they stand for, and what is left of the exponent.

    In float32 that is from 2^-63 to 2^96, half of what it can hold and three quarters: entries far
    below the largest are not flushed, and what a rule makes of them does not overflow.

    >>> (value,), (left,) = at_size([jnp.ones(1)], (jnp.array(3),))
    >>> float(value[0]), int(left)
    (8.0, 0)
    """
    formats = [jnp.finfo(value.dtype) for value in values]
    low, high = max(f.minexp for f in formats) // 2, min(f.maxexp for f in formats) * 3 // 4
    exponent = _total(terms)
    size = jnp.clip(exponent, low, high)
    left, factor = lax.optimization_barrier((exponent - size, power_of_two(size)))
    return [times(value, factor) for value in values], (left,)


def _shared(terms: Sequence[tuple]) -> int:
    """How many terms all exponents begin with."""
    for place, column in enumerate(zip(*terms, strict=False)):
        if any(term is not column[0] for term in column):
            return place
    return min(map(len, terms))


def join(one: Scaled | None, other: Scaled) -> Scaled:
    """The sum of two arrays; None stands for zeros.

    >>> total = join(Scaled(jnp.ones(2)), Scaled(jnp.ones(2), (jnp.array(-200),)))
    >>> total.value.tolist(), int(total.exponent)
    ([1.0, 1.0], 0)
    """
    if one is None:
        return other
    (left, right), terms = together([one, other])
    return Scaled(left + right, terms, max(one.wear, other.wear, 1))


def exponents(parts: Sequence[Scaled]) -> Int[Array, " parts"]:
    """The exponents of many arrays at once: one product of a matrix of zeros and ones."""
    terms = {id(term): term for part in parts for term in part.terms}
    if not terms:
        return jnp.zeros(len(parts), jnp.int32)
    kinds = [[t for t in terms.values() if t.dtype == kind] for kind in (jnp.float32, jnp.int32)]
    stacked = jnp.concatenate([octaves(jnp.stack(kind)) for kind in kinds if kind])
    place = {id(term): column for column, term in enumerate([*kinds[0], *kinds[1]])}
    counts = np.zeros((len(parts), len(terms)), np.int32)
    for row, part in enumerate(parts):
        for term in part.terms:
            counts[row, place[id(term)]] += 1
    return jnp.maximum(jnp.sum(counts * stacked[None, :], axis=1, dtype=jnp.int32), NOTHING)
