"""The edge of chaos: where the factor of the squared gradient is 1."""

import jax
import numpy as np
from scipy import optimize

from vanishing import _checks, activations
from vanishing.theory._curves import GRID, curves
from vanishing.theory.lengths import EXACTLY, NOISE, chi

# Beyond it nothing is looked for: weights of that size saturate what can saturate.
LARGEST_SIGMA_W = 64.0
# How far to either side of a candidate the phases are told apart: a jump is there at once, but in
# the chaotic phase of tanh χ₁ − 1 grows as slowly as the square of the distance.
_JUMPS, _PASSES = 1e-9, 1e-3


def _roots(curve, gap) -> list[float]:
    """Every t = ln q at which `gap` of (t, and the three moments there) changes sign."""
    values = gap(GRID, *curve.grid)
    signs = np.where(np.abs(values) > 100 * NOISE, np.sign(values), 0)
    changes = np.flatnonzero(signs[1:] * signs[:-1] < 0)

    def at(t):
        return gap(t, *(moment.item() for moment in curve(t)))

    return [optimize.brentq(at, GRID[k], GRID[k + 1], **EXACTLY) for k in changes]


def _passing(curve, sigma_b: float) -> list[float]:
    """Every σ_w at which some fixed point q of the length map has χ₁ = 1.

    There σ_w² = 1 / E[φ′²], and q = σ_w² E[φ²] + σ_b² holds q and σ_b together: one equation
    for q. Without biases q = 0 may be one of them, with σ_w = 1 / |φ′(0)|.
    """

    def gap(t, square, _, slope_square):
        with np.errstate(divide="ignore"):  # a slope that is zero throughout leaves no root
            return (np.divide(square, slope_square) + sigma_b**2) * np.exp(-t) - 1

    ends = [GRID[0]] if sigma_b == 0 else []
    steep = [curve.slope_square(t) for t in ends + _roots(curve, gap)]
    return [value**-0.5 for value in steep if value > 0]


def _jumping(curve, sigma_b: float) -> list[float]:
    """Every σ_w at which q* may jump: where 1 itself is a fixed point, and q* leaves it on either
    side, and where two fixed points meet, at an extremum of σ_w² = (q − σ_b²) / E[φ²]."""

    def turning(t, square, change, _):
        return (square - change) + change * sigma_b**2 * np.exp(-t)

    places = [0.0, *_roots(curve, lambda t, *m: turning(t, *m) / m[0])]
    squares = [(np.exp(t) - sigma_b**2) / curve.square(t) for t in places]
    return [float(square) ** 0.5 for square in squares if square > 0]


def critical_sigma_w(activation, sigma_b: float = 0.0) -> float:
    """The smallest σ_w at which χ₁ reaches 1: the edge of chaos for biases of scale σ_b.

    Solved for directly, to float64's rounding. Where χ₁ passes through 1, for an odd activation
    such as tanh and no biases, it is 1 / |φ′(0)|; where χ₁ jumps over 1, for q* does (SiLU and
    GELU, whose length map can come to rest at two places), it is where the two meet.

    Args:
        activation: a name or an elementwise callable.
        sigma_b: σ_b, a plain number.

    Returns:
        σ_w, a float.

    Raises:
        ValueError: χ₁ never reaches 1 below σ_w = 64; a negative or infinite σ_b.
        TypeError: a traced argument, or one of the wrong kind.

    Source: Schoenholz et al. 2017.

    >>> round(critical_sigma_w("tanh", 0.05**0.5) ** 2, 6)
    1.760955
    """
    activations.get(activation)
    sigma_b = _checks.scale("sigma_b", sigma_b)
    if isinstance(sigma_b, jax.core.Tracer) or activations.is_traced(activation):
        name = "sigma_b" if isinstance(sigma_b, jax.core.Tracer) else "activation"
        raise TypeError(
            f"{name}: expected a plain value; got a traced one. The root is found in Python: "
            "call critical_sigma_w outside jit, vmap and grad."
        )

    def above(sigma_w):
        return chi(activation, sigma_w, sigma_b) - 1

    if above(LARGEST_SIGMA_W) < 0:
        raise ValueError(
            f"activation: expected one whose χ₁ crosses 1 for some σ_w below {LARGEST_SIGMA_W}; "
            f"got {activation!r}. Its gradients vanish in every Gaussian initialisation."
        )
    curve = curves(activation)
    for found, aside in ((_jumping, _JUMPS), (_passing, _PASSES)):
        for candidate in sorted(found(curve, sigma_b)):
            if above(candidate * (1 - aside)) < 0 < above(candidate * (1 + aside)):
                return candidate
    return optimize.bisect(above, 0.0, LARGEST_SIGMA_W, **EXACTLY)
