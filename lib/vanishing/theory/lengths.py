"""The length map, its fixed point, and the factor of the squared gradient there."""

import math
from functools import wraps
from inspect import signature

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from scipy import optimize

from vanishing import _checks, activations
from vanishing._types import Scalar
from vanishing.theory._curves import FAR, GRID, Curves, curves

# V(q)/q − 1 is known to a few roundings of float64: below this its sign says nothing.
NOISE = 1e-14
# brentq: as close as float64 allows.
EXACTLY = {"xtol": 1e-15, "rtol": 4 * np.finfo(float).eps}
# In a trace, ln q is bracketed on this grid (float32 ends at ±87) and halved so often.
_TRACED_FAR, _TRACED_STEPS, _HALVINGS = 80.0, 160, 40
# A map without a fixed point below this q has none.
_SMALLEST = math.exp(-_TRACED_FAR)


def plain_or_traced(plain):
    """Let `plain` answer plain numbers, in float64; a trace is answered by the function below."""

    def decorate(traced):
        @wraps(traced)
        def wrapper(*args, **kwargs):
            bound = signature(traced).bind(*args, **kwargs)
            bound.apply_defaults()
            (_, activation), *scales = bound.arguments.items()
            activations.get(activation)
            scales = [_checks.scale(name, value) for name, value in scales]
            if activations.is_traced(activation) or any(
                isinstance(s, jax.core.Tracer) for s in scales
            ):
                return traced(activation, *scales)
            return plain(curves(activation), *scales)

        return wrapper

    return decorate


def _map(activation, q, sigma_w, sigma_b):
    return sigma_w**2 * activations.second_moment(activation, q) + sigma_b**2


def _plain_map(curve: Curves, q, sigma_w, sigma_b) -> float:
    # ln 0 is out of the grid, and so far below it that no activation knows the difference.
    t = math.log(q) if q > 0 else -2 * FAR
    return sigma_w**2 * curve.square(t) + sigma_b**2


@plain_or_traced(_plain_map)
def length_map(activation, q: Scalar, sigma_w: Scalar, sigma_b: Scalar = 0.0) -> Scalar:
    """One layer of the length map: q ↦ σ_w² E[φ(√q z)²] + σ_b², z ~ N(0, 1).

    Args:
        activation: a name or an elementwise callable.
        q: variance of the pre-activations of a layer.
        sigma_w: σ_w; weights are N(0, σ_w²/n).
        sigma_b: σ_b; biases are N(0, σ_b²).

    Returns:
        The variance one layer up: a float computed in float64, or a traced array.

    Raises:
        ValueError, TypeError: a scale that is negative, not finite or no number; an activation
            that is unknown or not elementwise.

    Source: Poole et al. 2016.

    >>> round(length_map("relu", 3.0, 2**0.5), 9)
    3.0
    """
    return _map(activation, q, sigma_w, sigma_b)


def settle(curve: Curves, sigma_w: float, sigma_b: float) -> float:
    """ln q*, −∞ or ∞: the first zero of V(q)/q − 1 on the way that the iteration takes from 1."""

    def excess(t, square):
        return (sigma_w**2 * square + sigma_b**2) * np.exp(-t) - 1

    def along(t):  # positive as long as the iteration moves on
        return way * excess(t, curve.square(t))

    def turning(t):
        square, change, _ = (values.item() for values in curve(t))
        return (sigma_w**2 * (change - square) - sigma_b**2) * math.exp(-t)

    middle = len(GRID) // 2
    start = excess(0.0, curve.grid[0][middle])
    if abs(start) <= NOISE:
        return 0.0
    way = 1 if start > 0 else -1
    t = GRID[middle:] if way > 0 else GRID[middle::-1]
    values = way * excess(GRID, curve.grid[0])[middle::way]
    behind = np.flatnonzero(values < -NOISE)
    reached = int(behind[0]) if len(behind) else len(t)
    for k in range(1, min(reached, len(t) - 1)):
        # A dip between two points of the grid: the map may be tangent to the diagonal there.
        around = values[k - 1], values[k + 1]
        plain = 100 * NOISE * (1 + values[k])  # what is level to rounding has no dip
        if NOISE < values[k] <= min(around) and max(around) > values[k] + plain:
            if turning(t[k - 1]) * turning(t[k + 1]) >= 0:
                continue
            lowest = optimize.brentq(turning, *sorted((t[k - 1], t[k + 1])), **EXACTLY)
            if along(lowest) < -NOISE:
                return _crossing(along, t[k - 1], lowest)
            if along(lowest) <= NOISE:
                return lowest
    if reached == len(t):
        return way * math.inf
    return _crossing(along, t[reached - 1], t[reached])


def _crossing(along, near: float, far: float) -> float:
    """Where `along` turns negative on the way from `near` to `far`."""
    # A map that runs along the diagonal (ReLU at its gain, with biases) is within rounding of it
    # at an end, and one point alone may round to the other side than on the grid.
    if along(near) <= 0:
        return near
    if along(far) >= 0:
        return far
    return optimize.brentq(along, *sorted((near, far)), **EXACTLY)


def _plain_fixed_point(curve: Curves, sigma_w, sigma_b) -> float:
    return math.exp(settle(curve, sigma_w, sigma_b))


def _traced_fixed_point(activation, sigma_w, sigma_b):
    """The same on a coarser grid, by halving; two fixed points within one step are not seen."""
    dtype = jnp.result_type(float)

    def excess(t):
        q = jnp.exp(t)
        return _map(activation, q, *still) / q - 1

    still = [lax.stop_gradient(jnp.asarray(s, dtype)) for s in (sigma_w, sigma_b)]
    start = excess(jnp.zeros((), dtype))
    way = jnp.where(start < 0, -1.0, 1.0).astype(dtype)
    steps = np.linspace(0, _TRACED_FAR, _TRACED_STEPS + 1).astype(dtype)
    settled = jax.vmap(lambda step: way * excess(way * step))(jnp.asarray(steps)) <= 0
    first = jnp.argmax(settled)

    def halve(_, ends):
        near, far = ends
        middle = (near + far) / 2
        beyond = way * excess(way * middle) <= 0
        return jnp.where(beyond, near, middle), jnp.where(beyond, middle, far)

    gap = jnp.asarray(steps[1], dtype)
    far = first.astype(dtype) * gap
    near, far = lax.fori_loop(0, _HALVINGS, halve, (jnp.maximum(far - gap, 0), far))
    at_rest = jnp.abs(start) <= 4 * jnp.finfo(dtype).eps
    q = jnp.where(at_rest, 1, jnp.exp(way * (near + far) / 2))
    q = jnp.where(jnp.any(settled) | at_rest, q, jnp.where(way > 0, jnp.inf, 0)).astype(dtype)
    return _implicit(activation, lax.stop_gradient(q), sigma_w, sigma_b)


def _implicit(activation, q, sigma_w, sigma_b):
    """q, with the derivative that the implicit function theorem gives to q = V(q, σ_w, σ_b):
    dq = dV / (1 − ∂V/∂q), one Newton step of length 0."""
    inside = (q > 0) & jnp.isfinite(q)
    safe = jnp.where(inside, q, 1)
    still = lax.stop_gradient((sigma_w, sigma_b))
    slope = jax.jvp(lambda q: _map(activation, q, *still), (safe,), (jnp.ones_like(safe),))[1]
    moved = _map(activation, safe, sigma_w, sigma_b)
    steps = (moved - lax.stop_gradient(moved)) / lax.stop_gradient(1 - slope)
    return q + jnp.where(inside, steps, 0).astype(q.dtype)


@plain_or_traced(_plain_fixed_point)
def length_fixed_point(activation, sigma_w: Scalar, sigma_b: Scalar = 0.0) -> Scalar:
    """q*: where the length map, iterated from q = 1, comes to rest.

    ReLU with σ_w² = 2 and no biases leaves every q where it is, so 1 comes back; a map that
    grows without bound gives infinity. The iteration itself is not run: it would creep where the
    map is nearly tangent to the diagonal. V(q) = q is solved on its way by `scipy`'s brentq.

    Differentiable by both scales in a trace, in either mode.

    Args, errors: as `length_map`.

    Returns:
        q*: a float computed in float64, or a traced array.

    Source: Poole et al. 2016; Schoenholz et al. 2017.

    >>> round(length_fixed_point("tanh", 1.3, 0.3), 5)
    0.60705
    """
    return _traced_fixed_point(activation, sigma_w, sigma_b)


def _plain_chi(curve: Curves, sigma_w, sigma_b) -> float:
    t = settle(curve, sigma_w, sigma_b)
    return sigma_w**2 * curve.slope_square(min(max(t, -FAR), FAR))  # there the slopes are limits


@plain_or_traced(_plain_chi)
def chi(activation, sigma_w: Scalar, sigma_b: Scalar = 0.0) -> Scalar:
    """χ₁ = σ_w² E[φ′(√q* z)²]: the factor of the *squared* gradient, per layer, at q*.

    Below 1 gradients vanish (the ordered phase), above 1 they explode (the chaotic phase); the
    RMS of the gradient changes by √χ₁. Differentiable by both scales in a trace, in either mode.

    Args, errors: as `length_map`.

    Returns:
        χ₁: a float computed in float64, or a traced array.

    Source: Schoenholz et al. 2017.

    >>> round(chi("tanh", 1.0, 0.05**0.5), 5)
    0.75903
    >>> round(chi("sigmoid", 1.0) ** 0.5, 3)
    0.236
    >>> round(float(jax.grad(lambda sigma_w: chi("relu", sigma_w))(1.5)), 5)
    1.5
    """
    q = _traced_fixed_point(activation, sigma_w, sigma_b)
    held = jnp.clip(q, _SMALLEST, 1 / _SMALLEST)
    return sigma_w**2 * activations.slope_second_moment(activation, held)
