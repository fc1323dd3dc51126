"""Where a derivative becomes exactly zero in float32: found by walking from float to float."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float
from scipy import special

Slope = Callable[[np.ndarray], np.ndarray]

# The first pass looks at every 4096th float, 2048 of them between a power of two and the next.
_STRIDE = 1 << 12
_BOTTOM = 2.0**-20


def floats(low: float, high: float, stride: int = 1) -> Float[np.ndarray, " count"]:
    """Every float32 from `low` to `high`, both positive and included, or every `stride`-th.

    Positive floats are ordered as their bits are, so this counts from one pattern to the next.

    >>> floats(1.0, 1.0000004).tolist()
    [1.0, 1.0000001192092896, 1.000000238418579, 1.0000003576278687]
    """
    first, last = (int(np.float32(end).view(np.int32)) for end in (low, high))
    return np.arange(first, last + 1, stride, dtype=np.int32).view(np.float32)


def first_zero(slope: Slope, sign: int = 1, reach: float = 128.0) -> float:
    """The first z, going out from 0 in direction `sign`, at which `slope` is exactly 0.

        min { |z| : slope(z) = 0, sign z > 0, |z| ≤ reach },   z ∈ float32

    Args:
        slope: an elementwise function of a float32 array, JAX or NumPy.
        sign: 1 to go to the right, -1 to go to the left.
        reach: how far to go.

    Returns:
        z with its sign; ±inf where nothing up to `reach` is zero; ±0 where the zeros begin at 0.
        Every 4096th float is looked at from 2⁻²⁰ on, and every single one before the first hit.

    XLA on a CPU rounds tanh to 1 a little early; correctly rounded it is 1 from 13 ln 2 = 9.011:

    >>> round(first_zero(IDEAL["tanh"]), 4)
    9.0109
    """

    def is_zero(size):
        return np.asarray(slope(np.float32(sign) * size)) == 0

    coarse = floats(_BOTTOM, reach, _STRIDE)
    hits = np.flatnonzero(is_zero(coarse))
    if hits.size == 0:
        return sign * np.inf
    if hits[0] == 0:
        return sign * 0.0
    fine = floats(coarse[hits[0] - 1], coarse[hits[0]])
    return sign * float(fine[np.argmax(is_zero(fine))])


def _rounded(function: Slope) -> Slope:
    """`function` as a perfect library has it: float64 inside, rounded once to float32."""
    return lambda z: function(z.astype(np.float64)).astype(np.float32)


_TANH, _SIGMOID, _EXPM1 = _rounded(np.tanh), _rounded(special.expit), _rounded(np.expm1)
_ONE = np.float32(1)
_ALPHA, _SCALE = np.float32([1.6732632423543772, 1.0507009873554805])  # SELU's two constants


def _gelu_slope(z):
    inner = np.float32(np.sqrt(2 / np.pi)) * (z + np.float32(0.044715) * z**3)
    inner_slope = np.float32(np.sqrt(2 / np.pi)) * (_ONE + np.float32(3 * 0.044715) * z**2)
    t = _TANH(inner)
    return (_ONE + t + z * (_ONE + t) * (_ONE - t) * inner_slope) / np.float32(2)


#: The derivatives that JAX computes, from correctly rounded building blocks and with subnormal
#: numbers kept: what is zero here is the formula's doing, not the device's.
IDEAL: dict[str, Slope] = {
    "sigmoid": lambda z: _SIGMOID(z) * (_ONE - _SIGMOID(z)),
    "tanh": lambda z: (_ONE + _TANH(z)) * (_ONE - _TANH(z)),
    "relu": lambda z: (z > 0).astype(np.float32),
    "leaky_relu": lambda z: np.where(z > 0, _ONE, np.float32(0.01)),
    "elu": lambda z: np.where(z > 0, _ONE, _EXPM1(np.minimum(z, 0)) + _ONE),
    "selu": lambda z: _SCALE * np.where(z > 0, _ONE, _ALPHA * (_EXPM1(np.minimum(z, 0)) + _ONE)),
    "gelu": _gelu_slope,
    "silu": lambda z: _SIGMOID(z) + z * _SIGMOID(z) * (_ONE - _SIGMOID(z)),
}


def _squeezed(e):
    return 4 * e / (1 + e) ** 2


#: Ways to write the same two derivatives. The exponential form takes |z|, because tanh′ is even
#: and e⁻²ᶻ would overflow on the left.
FORMS: dict[str, dict[str, Slope]] = {
    "tanh": {
        "1 − tanh²(z)": lambda z: 1 - jnp.tanh(z) ** 2,
        "4e⁻²ᶻ/(1 + e⁻²ᶻ)²": lambda z: _squeezed(jnp.exp(-2 * jnp.abs(z))),
        "1/cosh²(z)": lambda z: 1 / jnp.cosh(z) ** 2,
    },
    "sigmoid": {
        "s(z)(1 − s(z))": lambda z: jax.nn.sigmoid(z) * (1 - jax.nn.sigmoid(z)),
        "s(z)s(−z)": lambda z: jax.nn.sigmoid(z) * jax.nn.sigmoid(-z),
    },
}
