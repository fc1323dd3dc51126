"""Exercises of the chapter "The chain rule is a product"."""

import jax
import jax.numpy as jnp
import numpy as np

from vanishing import activations, theory
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
    "chain-rule-critical",
    hint="χ₁ grows with σ_w. Bisect `vg.theory.chi`, or let the library do it.",
)
def critical():
    """σ_w at which a wide sigmoid network without biases keeps its gradient."""
    return theory.critical_sigma_w("sigmoid")


@exercise(
    "chain-rule-cotangent",
    hint="Follow two parts of the cotangent: one along h, which keeps its size, and a random one, "
    "to which each layer adds.",
)
def cotangent():
    """Growth of the mean square gradient over 50 He layers of ReLU when C is the sum of h_L."""
    relu = activations.get("relu")
    along = 2 * float(activations.gaussian_mean(relu)) ** 2  # the part along h, per unit of m
    return 1 + 2 * along * 49
