"""Exercises of the chapter "Dead neurons"."""

import math

import jax
from jax.scipy.stats import norm

from vanishing.book.checks import exercise


@exercise(
    "dead-neurons-orthogonal",
    hint="What does orthogonality say about the ten numbers w·x, and how likely is each below 0?",
)
def orthogonal():
    """The probability that ten independent signs are all negative."""
    return 0.5**10


@exercise(
    "dead-neurons-width",
    hint="How many of the fifty layers are ReLU layers? No algebra is needed: N is small.",
    tolerance=0.0,
)
def width():
    """The smallest N with which fifty layers are silent with a probability below 1 %."""
    return next(n for n in range(1, 100) if 1 - (1 - 2.0**-n) ** 49 < 0.01)


@exercise(
    "dead-neurons-decay",
    hint="Which of the two terms of z shrinks, and to which size must it? Steps are whole.",
    tolerance=0.0,
)
def decay():
    """Steps until a decay of the weights alone has brought −0.8 above −0.2."""
    return math.ceil(math.log(0.2 / 0.8) / math.log(1 - 0.001))


@exercise(
    "dead-neurons-coast",
    hint="Write down the first three moves after the death, and compare each with the one before.",
)
def coast():
    """Σ η β^t · 2 over all steps t = 1, 2, … after the death."""
    return 2 * 0.01 * 0.9 / (1 - 0.9)


@exercise(
    "dead-neurons-bias",
    hint="w·x is normal with mean 0. What is its variance, and where does z = 0 lie on it?",
    inputs=lambda key: (jax.random.normal(key, ()),),
)
def bias():
    """P(w·x + b ≤ 0) with w·x normal of variance 2, as a function of b."""
    return lambda b: norm.cdf(-b / math.sqrt(2))
