"""Exercises of the chapter "The chain rule is a product"."""

import jax
import jax.numpy as jnp
import numpy as np

from vanishing import activations
from vanishing.book.checks import exercise


@exercise(
    "chain-rule-bound",
    hint="Take the largest slope that a sigmoid has, once for every layer.",
)
def bound():
    """The most that ten sigmoids leave of a gradient, all weights 1."""
    return float(activations.largest_slope("sigmoid")) ** 10


def _two_vectors(key):
    weights_key, z_key = jax.random.split(key)
    return jax.random.normal(weights_key, (3, 4)), jax.random.normal(z_key, (3,))


@exercise(
    "chain-rule-jacobian",
    hint="Nudge h: which row or column of W does each z see, and what does φ do to it after that?",
    inputs=_two_vectors,
)
def jacobian():
    """∂h_l/∂h_{l-1} [4, 3] of one tanh layer, as a function of W [3, 4] and h_{l-1} [3]."""
    phi = activations.get("tanh")
    return lambda weights, h: jax.jacobian(lambda h: phi(h @ weights))(h)


def _two_layers(weights):
    first = jax.nn.sigmoid(weights[0] * 2.0 - 1.0)
    return jax.nn.sigmoid(weights[1] * first - 2.0)


@exercise(
    "chain-rule-two-units",
    hint="Both pre-activations are 0. Give both derivatives, that of w_1 first; the way from C to "
    "w_1 passes two slopes and one weight.",
)
def two_units():
    """∂C/∂w_1 and ∂C/∂w_2 of the chain in the first exercise."""
    return jax.grad(_two_layers)(jnp.array([0.5, 4.0]))


@exercise(
    "chain-rule-window",
    hint="Give the largest width and the |w| at which it is reached. The width in h is the width "
    "in z divided by |w|.",
)
def window():
    """The widest interval of inputs on which a sigmoid unit does not shrink a gradient."""
    weights = np.linspace(4, 40, 360_001)
    widths = 2 * np.arccosh(weights / 2 - 1) / weights
    return np.array([widths.max(), weights[widths.argmax()]])


@exercise(
    "chain-rule-two-by-two",
    hint="Linear layers have slopes of 1, so only matrices are left. What comes down through W_2 "
    "is multiplied by its transpose; then look at the shape that the gradient of W_1 must have.",
)
def two_by_two():
    """∂C/∂W_1 of two linear layers of two units, x = (1, −1), g = (1, 0)."""
    first, second = jnp.array([[1.0, 2.0], [0.0, 1.0]]), jnp.array([[1.0, 0.0], [3.0, 1.0]])
    x, g = jnp.array([1.0, -1.0]), jnp.array([1.0, 0.0])
    return jax.grad(lambda weights: x @ weights @ second @ g)(first)


@exercise(
    "chain-rule-absolute",
    hint="Square the slope, and take its mean over positive and negative pre-activations.",
)
def absolute():
    """σ_w at which layers of |z| keep the gradient."""
    return float(activations.slope_second_moment(jnp.abs)) ** -0.5
