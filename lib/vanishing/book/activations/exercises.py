"""Exercises of the chapter "Activation functions"."""

import math

import jax
import jax.numpy as jnp
import numpy as np

from vanishing import activations
from vanishing.book.checks import exercise
from vanishing.studies import comparisons


@exercise(
    "activations-saturation",
    hint="One per cent of the largest slope, which is not the same number for the two. Both slopes "
    "can be written with cosh. Give both numbers, tanh first.",
    tolerance=1e-2,
)
def saturation():
    """|z| at which a tanh and a sigmoid unit become saturated."""
    return np.array([math.acosh(10), math.acosh(199)])


@exercise(
    "activations-bfloat16",
    hint="The chapter has a formula for any number of digits. To measure, every number on the way "
    "must have the dtype jnp.bfloat16.",
    tolerance=1e-2,
)
def bfloat16():
    """Where the slope of tanh becomes exactly zero with 8 binary digits."""
    return 5 * math.log(2)


def _slopes(function):
    return jax.vmap(jax.grad(function))


@exercise(
    "activations-elu",
    hint="The value may be right and the gradient not: look at both, at 89, and ask what the "
    "branch that is not taken computes there.",
    expects="a function",
)
def elu(answer):
    """Whether a function has ELU's values and slopes, far out too."""
    z = jnp.array([-50.0, -3.0, -0.1, 0.1, 3.0, 89.0, 200.0])
    right = (jnp.allclose(f(answer)(z), f(jax.nn.elu)(z), atol=1e-5) for f in (jax.vmap, _slopes))
    return all(map(bool, right))


@exercise(
    "activations-leak",
    hint="What does each half of the normal distribution contribute to E[φ²]? The gain is to make "
    "up for what is missing.",
    tolerance=1e-3,
)
def leak():
    """The matched gain of a leaky ReLU with slope 0.2."""
    return comparisons.matched_gain(lambda z: jax.nn.leaky_relu(z, 0.2))


@exercise(
    "activations-return",
    hint="Three steps, as for tanh: slope and error far out on the left, the move that one update "
    "makes, and the integral of one over it.",
    tolerance=2e-2,
)
def way_back():
    """Updates of a sigmoid neuron from z = −12 to 0, η = 0.1."""
    return math.exp(12) / (3 * 0.1 / (1 + math.exp(-1.5)))


# A corner: more than half of the way from the least slope to the largest within a hundredth of z.
_CORNER = 0.5
# By how much the slope is to vary, relative to the largest.
_BENT = 0.1


@exercise(
    "activations-own",
    hint="Look at three numbers: the smallest slope on a fine grid from −100 to 100 (float32), "
    "the matched gain, and gain² · E[φ′²], which is to be within 1% of 1.",
    expects="a function",
)
def own(answer):
    """Whether a function is smooth, bent, never level, and its χ at the matched gain near 1."""
    slope = activations.derivative(answer)(jnp.linspace(-100, 100, 20001))
    varies = jnp.max(slope) - jnp.min(slope)
    if varies < _BENT * jnp.max(jnp.abs(slope)):
        return "A straight line, or nearly one: let the slope vary by at least a tenth."
    if jnp.max(jnp.abs(jnp.diff(slope))) > _CORNER * varies:
        return "It has a corner, where the slope jumps: make it smooth."
    chi = comparisons.matched_gain(answer) ** 2 * activations.slope_second_moment(answer)
    return bool(jnp.all(slope != 0)) and bool(abs(chi - 1) < 0.01)


# Half-widths of neighbourhoods of 0, each a thousand times narrower than the one before.
_NEAR = 10.0 ** np.arange(-2, -17, -3)


@exercise(
    "activations-reason",
    hint="Which function has a vertical tangent at 0? Then keep what it gives within bounds.",
    expects="a function",
)
def reason(answer):
    """Whether a function increases within (−1, 1), and its mean slope around 0 has no bound."""
    z = np.linspace(-50, 50, 2001)
    with jax.enable_x64(True):
        values = np.asarray(answer(z), float)
        ends = np.asarray(answer(np.concatenate([-_NEAR, _NEAR])), float)
    if values.shape != z.shape:
        return "Give one value for each z of an array."
    if not np.isfinite([*values, *ends]).all():
        return "It is no number for some z between −50 and 50."
    if np.abs(values).max() > 1:
        return f"It leaves (−1, 1): one value is {values[np.abs(values).argmax()]:.3g}."
    if np.diff(values).min() < -1e-12 or values[-1] <= values[0]:
        return "It does not increase everywhere."
    below, above = np.split(ends, 2)
    slopes = (above - below) / (2 * _NEAR)
    if above[-1] - below[-1] > (above[0] - below[0]) / 2:
        return "It jumps at 0, and where a function jumps it has no slope."
    # Even the logarithm of a width grows by more than a fifth from one to the next.
    if np.any(slopes[1:] < 1.2 * slopes[:-1]) or slopes[0] <= 0:
        largest = max(slopes.max(), (np.diff(values) / np.diff(z)).max())
        which = "That answers the first question. " if largest >= 3 else ""
        return f"{which}Near 0 its slope does not grow beyond {slopes.max():.2g}."
    return True


@exercise(
    "activations-exact",
    hint="Compare slopes with 1/cosh² of z in float64, and look at both ends, ±40.",
    expects="a function",
)
def exact(answer):
    """Whether a function is tanh and its slope right to three digits, from −40 to 40."""
    z = jnp.linspace(-40, 40, 161)
    if not jnp.allclose(jax.vmap(answer)(z), jnp.tanh(z), atol=1e-5):
        return "Its values are not those of tanh."
    slope, far = np.asarray(_slopes(answer)(z)), np.asarray(z, float)
    wrong = ~np.isclose(slope, np.cosh(far) ** -2, rtol=1e-3, atol=0)
    if wrong[far < 0].any() and not wrong[far >= 0].any():
        return "It is right above 0 and wrong below: what does your exponential become there?"
    if (slope[wrong] == 0).any():
        return f"Its slope is still exactly zero at z = {far[wrong & (slope == 0)][-1]:g}."
    return not wrong.any()
