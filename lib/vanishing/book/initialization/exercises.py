"""Exercises of the chapter "Initialisation"."""

import math

import jax
import jax.numpy as jnp
import numpy as np

from vanishing import activations, datasets
from vanishing.book.checks import exercise
from vanishing.network import MLP, forward
from vanishing.training.loop import train


@exercise(
    "initialization-bound",
    hint="What is the variance of U[−r, r]? Set it equal to the one that He asks for.",
)
def bound():
    """r with r²/3 = 2/n, n = 256."""
    return math.sqrt(6 / 256)


@exercise(
    "initialization-leak",
    hint="Split E[φ(z)²] at z = 0; symmetry says how much of E[z²] lies on either side.",
    inputs=lambda key: (jax.random.uniform(key, (), minval=-0.9, maxval=0.9),),
)
def leak():
    """n times the variance of the weights, as a function of the leak."""
    return lambda a: 2 / (1 + a**2)


@exercise(
    "initialization-conv",
    hint="How many numbers does one output of the convolution add up? That is its fan-in.",
)
def conv():
    """The right standard deviation, and the decades of 20 layers with the channels alone."""
    return np.array([math.sqrt(2 / (9 * 64)), 20 * math.log10(9)])


@exercise(
    "initialization-zigzag",
    hint="Multiply the factors of one layer up and one layer down; they are no reciprocals.",
)
def zigzag():
    """(4ab / (a + b)²)^10 with a = 400, b = 800."""
    return (4 * 400 * 800 / 1200**2) ** 10


@exercise(
    "initialization-dropout",
    hint="A surviving number counts 1/p times as much. What is the mean of its square?",
    inputs=lambda key: (jax.random.uniform(key, (), minval=0.1, maxval=1.0),),
)
def dropout():
    """n times the variance of the weights behind ReLU and dropout that keeps a share p."""
    return lambda p: 2 * p


@exercise(
    "initialization-square",
    hint="Write the length map with E[z⁴] = 3q², find σ_w, and differentiate the map at q = 1.",
)
def square():
    """σ_w for which φ(z) = z² leaves q = 1 where it is, and the slope of the length map there."""
    return np.array([math.sqrt(1 / 3), 2.0])


@exercise(
    "initialization-edge",
    hint="χ₁ = 1 gives one of the two scales; put it into the length map to get the other.",
    inputs=lambda key: (jax.random.uniform(key, (), minval=0.05, maxval=3.0),),
)
def edge():
    """The point of the edge of chaos of tanh at which q* has a given value."""

    def at(q):
        square = 1 / activations.slope_second_moment("tanh", q)
        return np.array([square**0.5, (q - square * activations.second_moment("tanh", q)) ** 0.5])

    return at


def _differ(net, params, x) -> float:
    """By how much the units of a layer differ, relative to their size: the layer that does most."""
    h = forward(net, params, x).post
    return float(jnp.max(jnp.std(h, axis=2).mean(axis=1) / jnp.abs(h).mean(axis=(1, 2))))


@exercise(
    "initialization-copies",
    hint="A unit is known by the numbers that lead into it and by those that lead out of it.",
    expects="a function",
)
def copies(answer):
    """Whether all units of each layer start alike, learn, and are alike after 20 steps."""
    net = MLP(3, 16, "tanh", "xavier", out_features=1)
    data = datasets.lift(datasets.two_moons(64, key=jax.random.key(0)), 16)
    params = answer(net, jax.random.key(1))
    if jax.tree.map(jnp.shape, params) != jax.tree.map(jnp.shape, net.shapes()):
        return "Return parameters of the network that is handed in, as vg.init does."
    if not jnp.any(forward(net, params, data.x).post):
        return "Every output is zero: such twins never wake. Take other numbers than zero."
    if _differ(net, params, data.x) > 1e-5:
        return "Its units differ already: those of a layer are the columns of its matrix."
    trained, _ = train(net, params, data, key=jax.random.key(2), steps=20, learning_rate=0.1)
    if jnp.all(trained["weights"] == params["weights"]):
        return "They are alike, but nothing moves them: what do the zeros above let through?"
    if _differ(net, trained, data.x) > 1e-4:
        return "They start alike and part in training: what weighs them above tells them apart."
    return True
