"""Exercises of the chapter "The chain rule is a product"."""

import jax

from vanishing import activations
from vanishing.exercises import exercise


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
