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
    hint="The value may be right and the gradient not: look at both, at 89. Give the branch that "
    "is not taken an input that cannot overflow.",
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
    "the matched gain, and gain² · E[φ′²], which is to be within 1 % of 1.",
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
