"""Exercises of the chapter "Your own network"."""

import math

import jax
import jax.numpy as jnp

from vanishing.book.checks import exercise


@exercise(
    "your-own-network-guessing",
    hint="Every class gets the same probability. What is −ln of it?",
)
def guessing():
    """The cross-entropy of a uniform guess among 1000 classes."""
    return math.log(1000)


@exercise(
    "your-own-network-gate",
    hint="What must one gate be, if sixty equal ones make ½? Then undo the sigmoid.",
)
def gate():
    """The b with which sixty gates σ(b) together keep half."""
    keep = 0.5 ** (1 / 60)
    return math.log(keep / (1 - keep))


@exercise(
    "your-own-network-scale",
    hint="float16 rounds to zero below 2^-25. Which power of two lifts 1e-9 above that?",
    tolerance=0.0,
)
def scale():
    """The smallest power of two that lifts a gradient of 1e-9 above half of 2^-24."""
    return 2 ** math.ceil(math.log2(2.0**-25 / 1e-9))


@exercise(
    "your-own-network-root",
    hint="The gradient of the branch that is not taken is multiplied by zero. Make it finite.",
    inputs=lambda key: (jax.random.normal(key, (6,)) * jnp.array([1.0, 1.0, 1.0, 0.0, 1.0, 0.0]),),
)
def root():
    """The square root of the positive numbers, 0 elsewhere, with a gradient that is finite."""

    def safe(x):
        positive = x > 0
        return jnp.where(positive, jnp.sqrt(jnp.where(positive, x, 1.0)), 0.0)

    return lambda x: jnp.stack([safe(x), jax.grad(lambda x: jnp.sum(safe(x)))(x)])


@exercise(
    "your-own-network-memory",
    hint="How large is Adam's first step in every entry? The ratio is relative to the weights.",
)
def memory():
    """The update ratio of Adam's first step at a rate of 0.003 for weights of RMS 0.25."""
    return 0.003 / 0.25
