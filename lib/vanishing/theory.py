"""What mean-field theory predicts for a network of infinite width.

Notation: q_l is the variance of the pre-activations at layer l, χ the factor by which one layer
multiplies the squared gradient. Sources: Poole et al. 2016; Schoenholz et al. 2017; for batch
normalisation Yang et al. 2019; for residual branches De & Smith 2020.
"""

from functools import wraps
from inspect import signature
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

from vanishing import _checks, activations
from vanishing.network import MLP

# Fixed-point iteration stops at this relative change, or after so many steps: at a critical
# point q falls like 1/l and no number of steps would be enough.
_TOLERANCE = {"float32": 1e-6, "float64": 1e-13}
_STEPS = {"float32": 2_000, "float64": 200_000}
# Above this the length map has run away; far enough below overflow to square.
_DIVERGED = 1e12
# And below this it has died out; yet √q z must still fall on either side of a kink at 0.
_VANISHED = 1e-24


def _exact(function):
    """Compute in float64 where every argument is a plain number; in a trace, as traced."""

    @wraps(function)
    def wrapper(*args, **kwargs):
        bound = signature(function).bind(*args, **kwargs)
        bound.apply_defaults()
        activation, *scales = bound.arguments.items()
        scales = [_checks.scale(name, value) for name, value in scales]
        if any(isinstance(s, jax.core.Tracer) for s in scales):
            return function(activation[1], *scales)
        # Plain numbers give a plain number, even while the caller is being traced.
        with jax.enable_x64(True), jax.ensure_compile_time_eval():
            return float(jax.jit(function, static_argnums=0)(activation[1], *scales))

    return wrapper


def _length_map(activation, q, sigma_w, sigma_b):
    return sigma_w**2 * activations.second_moment(activation, q) + sigma_b**2


@_exact
def length_map(activation, q, sigma_w, sigma_b=0.0) -> Float[Array, ""] | float:
    """One layer of the length map: q ↦ σ_w² E[φ(√q z)²] + σ_b², z ~ N(0, 1).

    Args:
        activation: a name or an elementwise callable.
        q: variance of the pre-activations of a layer.
        sigma_w: σ_w; weights are N(0, σ_w²/n).
        sigma_b: σ_b; biases are N(0, σ_b²).

    Returns:
        The variance one layer up: a float computed in float64, or a traced array.

    Source: Poole et al. 2016.

    >>> round(length_map("relu", 3.0, 2**0.5), 9)
    3.0
    """
    return _length_map(activation, q, sigma_w, sigma_b)


def _fixed_point(activation, sigma_w, sigma_b):
    dtype = jnp.result_type(float)
    tolerance, steps = _TOLERANCE[dtype.name], _STEPS[dtype.name]

    def unsettled(state):
        step, q, before = state
        moving = jnp.abs(q - before) > tolerance * q
        return (step < steps) & moving & (q < _DIVERGED)

    def iterate(state):
        step, q, _ = state
        return step + 1, _length_map(activation, q, sigma_w, sigma_b).astype(dtype), q

    start = (0, jnp.ones((), dtype), jnp.full((), jnp.inf, dtype))
    _, q, _ = lax.while_loop(unsettled, iterate, start)
    return jnp.where(q < _DIVERGED, q, jnp.inf)


@_exact
def length_fixed_point(activation, sigma_w, sigma_b=0.0) -> Float[Array, ""] | float:
    """q*: where the length map, iterated from q = 1, comes to rest.

    ReLU with σ_w² = 2 and no biases leaves every q where it is, so 1 comes back; a map that
    grows without bound gives infinity. At a critical point the approach is a power law, not an
    exponential, and q* = 0 is reached only to about 1e-5.

    Args, errors: as `length_map`.

    Source: Poole et al. 2016; Schoenholz et al. 2017.

    >>> round(length_fixed_point("tanh", 1.3, 0.3), 5)
    0.60705
    """
    return _fixed_point(activation, sigma_w, sigma_b)


def _chi(activation, sigma_w, q):
    # Beyond these two the slopes have reached their limits.
    return sigma_w**2 * activations.slope_second_moment(
        activation, jnp.clip(q, _VANISHED, _DIVERGED)
    )


@_exact
def chi(activation, sigma_w, sigma_b=0.0) -> Float[Array, ""] | float:
    """χ₁ = σ_w² E[φ′(√q* z)²]: the factor of the *squared* gradient, per layer, at q*.

    Below 1 gradients vanish (the ordered phase), above 1 they explode (the chaotic phase); the
    RMS of the gradient changes by √χ₁.

    Args, errors: as `length_map`.

    Source: Schoenholz et al. 2017.

    >>> round(chi("tanh", 1.0, 0.05**0.5), 5)
    0.75903
    >>> round(chi("sigmoid", 1.0) ** 0.5, 3)
    0.236
    """
    return _chi(activation, sigma_w, _fixed_point(activation, sigma_w, sigma_b))


def critical_sigma_w(activation, sigma_b=0.0) -> float:
    """The σ_w at which χ₁ = 1: the edge of chaos for biases of scale σ_b.

    Found by bisection on [0, 64], as closely as χ₁ resolves it: to about 1e-12 where q* > 0,
    but only to 1e-4 without biases, where q* sinks to 0 as a power law (see
    `length_fixed_point`).

    Args:
        activation: a name or an elementwise callable.
        sigma_b: σ_b, a plain number.

    Returns:
        σ_w, a float.

    Raises:
        ValueError: χ₁ never crosses 1 below σ_w = 64.

    Source: Schoenholz et al. 2017.

    >>> round(critical_sigma_w("tanh", 0.05**0.5) ** 2, 6)
    1.760955
    """
    low, high = 0.0, 64.0
    sigma_b = _checks.scale("sigma_b", sigma_b)
    if chi(activation, high, sigma_b) < 1:
        raise ValueError(
            f"activation: expected one whose χ₁ crosses 1 for some σ_w below {high}; "
            f"got {activation!r}. Its gradients vanish in every Gaussian initialisation."
        )
    while high - low > 1e-12 * high:
        middle = (low + high) / 2
        low, high = (middle, high) if chi(activation, middle, sigma_b) < 1 else (low, middle)
    return (low + high) / 2


class Prediction(NamedTuple):
    """What the theory expects `probe` to find; arrays of shape [depth].

    Attributes:
        length: q_l, the variance of z_l in a plain network, of h_l in a residual one; over the
            batch alone under batch normalisation.
        factor: χ_l, by which the squared gradient changes from layer l + 1 down to layer l;
            1 in the last entry, where the measurement starts.
        log_gradient_rms: ln of the RMS of δ_l relative to δ_L: the sum of ½ ln χ from l up.
        activation_rms: RMS of h_l.
    """

    length: Float[Array, " depth"]
    factor: Float[Array, " depth"]
    log_gradient_rms: Float[Array, " depth"]
    activation_rms: Float[Array, " depth"]


def _branch(net: MLP, q):
    """For one layer where N (or φ itself) receives variance q: the variance that its affine map
    puts out, its factor on the squared gradient, and E[φ²]."""
    phi, sigma_w = net.phi, net.gain
    divided = 1.0 if net.normalization is None else 1 / (q + net.epsilon)
    variance = q if net.normalization is None else q * divided
    held = jnp.minimum(variance, _DIVERGED)  # beyond it slopes have reached their limits, and
    beyond = jnp.where(variance > _DIVERGED, variance / _DIVERGED, 1)  # E[φ²] grows like q
    passed = sigma_w**2 * activations.slope_second_moment(phi, held) * divided
    square = activations.second_moment(phi, held) * beyond
    if net.normalization == "batch":  # what all inputs share is no variance over the batch
        return sigma_w**2 * (square - activations.gaussian_mean(phi, held) ** 2), passed, square
    return sigma_w**2 * square + net.bias_gain**2, passed, square


@jax.jit
def _predict(net: MLP, input_rms) -> Prediction:
    def up(q, _):
        added, passed, square = _branch(net, q)
        if net.residual is None:
            return added, (q, passed, square)
        grown = net.residual**2 * (net.gain**2 * square + net.bias_gain**2)
        return q + net.residual**2 * added, (q, 1 + net.residual**2 * passed, grown)

    dtype = jnp.result_type(float)
    q = start = jnp.asarray(input_rms, dtype) ** 2
    if net.residual is None:
        q = net.gain**2 * q + (0.0 if net.normalization == "batch" else net.bias_gain**2)
    steps = net.depth + (net.residual is not None)  # what a branch receives is the layer below
    _, (length, factor, square) = lax.scan(up, q.astype(dtype), length=steps)
    if net.residual is not None:
        length, factor, square = length[1:], factor[1:], start + jnp.cumsum(square[:-1])
    factor = factor.at[-1].set(1.0)
    log = jnp.cumsum(0.5 * jnp.log(factor[::-1]))[::-1]
    return Prediction(length, factor, log, jnp.sqrt(square))


def predict(net: MLP, input_rms) -> Prediction:
    """Layer by layer, the variance and the gradient factor that theory expects of `net`.

    For infinite width, and under batch normalisation for infinitely many independent inputs:

        plain      q_{l+1} = σ_w² E[φ(√q_l z)²] + σ_b²            χ_l = σ_w² E[φ′(√q_l z)²]
        residual   q_{l+1} = q_l + α² (σ_w² E[φ²] + σ_b²)         χ_l = 1 + α² σ_w² E[φ′²]

    A normalisation hands φ unit variance and divides cotangents by the standard deviation it
    found: E[φ′²] / q_l in place of E[φ′²]. Batch normalisation also takes out what φ's outputs
    have in common over the batch: Var[φ] in place of E[φ²].

    Args:
        net: the description; its scales may be traced.
        input_rms: root mean square of h_0, after the read-in.

    Returns:
        `Prediction`.

    Batch norm and ReLU explode by π/(π − 1) a layer, Yang et al. 2019:

    >>> net = vg.MLP(depth=9, width=64, activation="relu", initializer="he", normalization="batch")
    >>> round(float(vg.theory.predict(net, 1.0).factor[4]), 4), round(jnp.pi / (jnp.pi - 1), 4)
    (1.4669, 1.4669)
    """
    return _predict(net, _checks.scale("input_rms", input_rms))
