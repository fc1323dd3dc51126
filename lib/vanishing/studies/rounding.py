"""Where a derivative is exactly zero in float32: found by walking from float to float."""

import itertools
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


def floats(
    low: float | np.floating, high: float | np.floating, stride: int = 1
) -> Float[np.ndarray, " count"]:
    """Every float32 from `low` to `high`, both positive and included, or every `stride`-th.

    Positive floats are ordered as their bits are, so this counts from one pattern to the next.

    >>> floats(1.0, 1.0000004).tolist()
    [1.0, 1.0000001192092896, 1.000000238418579, 1.0000003576278687]
    """
    first, last = (int(np.float32(end).view(np.int32)) for end in (low, high))
    return np.arange(first, last + 1, stride, dtype=np.int32).view(np.float32)


def zero_from(slope: Slope, sign: int = 1, reach: float = 128.0) -> float:
    """From where on `slope` is exactly 0, going out from 0 in direction `sign`.

        min { r : slope(sign t) = 0 for all t with r ≤ t ≤ reach },   r, t ∈ float32

    A slope may be zero here and there before that: XLA's tanh on a processor without fused
    multiply-add is 1 at some hundred floats between 7.9 and 20, and at all of them from 20 on.

    Args:
        slope: an elementwise function of a float32 array, JAX or NumPy.
        sign: 1 to go to the right, -1 to go to the left.
        reach: how far to go.

    Returns:
        r with its sign; ±inf where the slope at `reach` is not zero; ±0 where it is zero all the
        way. Every 4096th float is looked at from 2⁻²⁰ on, and every one after the last of them
        at which the slope is not zero, until 4096 in a row are.

    Correctly rounded, tanh is 1 from 13 ln 2 = 9.011 on; what a device does is another matter.

    >>> round(zero_from(IDEAL["tanh"]), 4)
    9.0109
    """

    def alive(size):
        return np.flatnonzero(np.asarray(slope(np.float32(sign) * size)))

    coarse = floats(_BOTTOM, reach, _STRIDE)
    seen = alive(coarse)
    if seen.size == 0:
        return sign * 0.0
    if seen[-1] == coarse.size - 1:
        return sign * np.inf
    # The next one looked at may be zero by chance: go on until a whole stretch has nothing but 0.
    end = coarse[seen[-1]]
    for low, high in itertools.pairwise(coarse[seen[-1] :]):
        fine = floats(low, high)
        found = alive(fine)
        if found.size == 0:
            break
        end = fine[found[-1]]
    return sign * float(np.nextafter(end, np.float32(np.inf)))


def fuses_products() -> bool:
    """Whether XLA adds a product here before it rounds it (fused multiply-add).

    (1 + 2⁻¹²)² − (1 + 2⁻¹¹) is 2⁻²⁴, and 0 if the square is rounded first. Where products are
    fused, XLA's polynomial for tanh is exactly 1 from 7.9988 on; elsewhere it stays just below 1
    and is replaced by 1 at 20.

    >>> fuses_products() in (True, False)
    True
    """
    fused = jax.jit(lambda a, c: a * a + c)(jnp.float32(1 + 2**-12), jnp.float32(-1 - 2**-11))
    return bool(fused != 0)


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
