"""Arrays whose scale may leave the floats: a mantissa, and a power of two beside it.

Powers of two, not real scales: multiplying by one is exact, so that carrying it changes no bit of
what fits into the floats anyway, and whole exponents add up without rounding over any depth.
"""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.typing import ArrayLike
from jaxtyping import Array, Float, Int

# The exponent of zero: below any other, and far enough from the end of int32 to be added to.
LOWEST = -(2**24)


class Scaled(NamedTuple):
    """The array mantissa · 2^exponent, one exponent for all its entries."""

    mantissa: Float[Array, "*shape"]
    exponent: Int[Array, ""]


def power(exponent: Int[Array, "*shape"], dtype) -> Float[Array, "*shape"]:
    """2^exponent, exactly: written into the bits, for `exp2` rounds. 0 below the normal numbers;
    the caller sees to it that none is above them.

    >>> power(jnp.array([-200, -2, 10]), jnp.float32).tolist()
    [0.0, 0.25, 1024.0]
    """
    info = jnp.finfo(dtype)
    word = jnp.dtype(f"int{info.bits}")
    lowest = info.minexp - 1
    biased = (jnp.maximum(exponent, lowest) - lowest).astype(word)
    return lax.bitcast_convert_type(biased << np.array(info.nmant, word), dtype)


def times(array: Float[Array, "*shape"], exponent: Int[Array, ""]) -> Float[Array, "*shape"]:
    """array · 2^exponent, in two halves, so that no factor is infinite while its product is not.

    >>> float(times(jnp.float32(2.0**-100), jnp.int32(200))) == 2.0**100
    True
    """
    info = jnp.finfo(array.dtype)
    exponent = jnp.clip(exponent, 2 * info.minexp, 2 * (info.maxexp - 1))
    half = exponent >> 1
    return array * power(half, array.dtype) * power(exponent - half, array.dtype)


def split(array: Float[Array, "*shape"], exponent: Int[ArrayLike, ""] = 0) -> Scaled:
    """array · 2^exponent with a mantissa whose largest entry lies between ½ and 1 (up to 4 at the
    very end of the range, for 2^−127 would be no normal number).

    >>> [float(part) for part in split(jnp.float32(12.0))]
    [0.75, 4.0]
    """
    largest = jnp.max(jnp.abs(array))
    info = jnp.finfo(array.dtype)
    bits = lax.bitcast_convert_type(largest, jnp.dtype(f"int{info.bits}"))
    taken = (bits >> np.array(info.nmant, bits.dtype)).astype(jnp.int32) + info.minexp
    # Zero has no exponent to take: 0 · 2^126 is not left to the compiler's constant folding.
    taken = jnp.where(largest == 0, 0, jnp.minimum(taken, -info.minexp))
    total = jnp.where(largest == 0, LOWEST, taken + exponent)
    return Scaled(array * power(-taken, array.dtype), total)


def align(*parts: Scaled) -> tuple[list[Array], Int[Array, ""]]:
    """The mantissas as seen from the largest of the exponents, and that exponent."""
    exponent = parts[0].exponent
    for part in parts[1:]:
        exponent = jnp.maximum(exponent, part.exponent)

    def seen(part):
        return part.mantissa * power(part.exponent - exponent, part.mantissa.dtype)

    return [seen(part) for part in parts], exponent


def log_rms(scaled: Scaled) -> Float[Array, ""]:
    """ln of the root mean square; −∞ for zeros.

    >>> round(float(log_rms(Scaled(jnp.array([1.0, -1.0]), jnp.int32(1000)))), 3)
    693.147
    """
    rms = jnp.sqrt(jnp.mean(scaled.mantissa**2))
    return scaled.exponent.astype(rms.dtype) * np.log(2).astype(rms.dtype) + jnp.log(rms)
