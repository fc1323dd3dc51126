"""How alike two inputs look, layer by layer: the correlation map."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from vanishing import _checks, activations
from vanishing._types import Scalar
from vanishing.moments import gaussian_mean

# The inner integral is split where φ's argument changes sign, so that neither a kink at 0 nor a
# steep step is straddled. So many Gauss-Legendre nodes on either side resolve the density to a
# rounding of single precision and to 1e-11 in double.
_RULES = {
    np.dtype(dtype): np.polynomial.legendre.leggauss(nodes)
    for dtype, nodes in (("float32", 20), ("float64", 32))
}
_REACH = 7.0  # standard deviations; beyond it a Gaussian holds 3e-12


def _partner(phi, means: Float[Array, "*shape"], deviation) -> Float[Array, "*shape"]:
    """E[φ(mean + deviation · ξ)] for each mean, ξ ~ N(0, 1)."""
    dtype = means.dtype
    nodes, weights = (values.astype(dtype) for values in _RULES[dtype])
    steep = jnp.where(deviation > 0, deviation, 1)

    def between(start, end, mean):
        half = (end - start) / 2
        xi = half * nodes + (end + start) / 2
        density = jnp.exp(-(xi**2) / 2) / np.sqrt(2 * np.pi).astype(dtype)
        return jnp.sum(half * weights * density * phi(mean + deviation * xi))

    def one(mean):
        turn = jnp.clip(-mean / steep, -_REACH, _REACH)
        return between(-_REACH, turn, mean) + between(turn, _REACH, mean)

    return jax.vmap(one)(means.ravel()).reshape(means.shape)


def _map(activation, c, q, sigma_w, sigma_b):
    phi = activations.get(activation)
    c = jnp.asarray(c, jnp.result_type(float))
    deviation = jnp.sqrt(q * jnp.maximum(1 - c**2, 0))
    mixed, square = gaussian_mean(
        lambda u: (phi(u) * _partner(phi, c * u, deviation), phi(u) ** 2), q
    )
    length = sigma_w**2 * square + sigma_b**2
    mixed = sigma_w**2 * mixed + sigma_b**2
    return jnp.where(length > 0, mixed / jnp.where(length > 0, length, 1), c)


_plain = jax.jit(_map, static_argnums=0)


def _correlation(value):
    """Check a correlation, a number from −1 to 1; of a traced one the shape."""
    if isinstance(value, jax.core.Tracer):
        return _checks.scale("c", value)
    size = _checks.scale("c", abs(value) if isinstance(value, int | float | np.number) else value)
    if size > 1:
        raise ValueError(
            f"c: expected a correlation, from -1 to 1; got {value}. It is the cosine between two "
            "rows of pre-activations."
        )
    return float(value)


def correlation_map(
    activation, c: Scalar, q: Scalar, sigma_w: Scalar, sigma_b: Scalar = 0.0
) -> Scalar:
    """One layer of the correlation map, for two inputs whose pre-activations have variance q:

        c ↦ (σ_w² E[φ(u) φ(v)] + σ_b²) / (σ_w² E[φ(u)²] + σ_b²),   u, v ~ N(0, q), E[u v] = c q

    1 is a fixed point: what is equal stays equal. Its slope there, at q*, is χ₁, so that small
    differences fare as gradients do. For ReLU it is the arc-cosine kernel of Cho & Saul.

    Args:
        activation: a name or an elementwise callable.
        c: correlation of the pre-activations of two inputs, -1 to 1.
        q: their variance, the same for both.
        sigma_w: σ_w; weights are N(0, σ_w²/n).
        sigma_b: σ_b; biases are N(0, σ_b²).

    Returns:
        The correlation one layer up: a float computed in float64, or a traced array. Right to
        2e-6 for q up to 100; c itself where the layer above receives nothing.

    Raises:
        ValueError, TypeError: c is no correlation; otherwise as `length_map`.

    Source: Poole et al. 2016; Cho & Saul 2009.

    >>> round(correlation_map("relu", 0.0, 1.0, 2**0.5), 6), round(1 / np.pi, 6)
    (0.31831, 0.31831)
    """
    activations.get(activation)
    c = _correlation(c)
    scales = {"q": q, "sigma_w": sigma_w, "sigma_b": sigma_b}
    numbers = [c, *(_checks.scale(name, value) for name, value in scales.items())]
    if activations.is_traced(activation) or any(isinstance(n, jax.core.Tracer) for n in numbers):
        return _map(activation, *numbers)
    with jax.enable_x64(True), jax.ensure_compile_time_eval():
        return float(_plain(activation, *numbers))
