"""Exercises of the chapter "A network that will not learn"."""

import math

import jax
import numpy as np

from vanishing import datasets, theory
from vanishing.book.checks import exercise
from vanishing.network import MLP
from vanishing.training import tuning


@exercise(
    "no-learning-guess",
    hint="Give each of the 26 letters the same probability p. The loss is −ln p.",
)
def guess():
    """The loss of the same answer for 26 equally frequent classes."""
    return math.log(26)


@exercise(
    "no-learning-rounding",
    hint="Compute np.float32(0.1) - np.float32(10.0**-k) for k = 1, 2, … until it is 0.1.",
    tolerance=0.0,
)
def rounding():
    """The smallest k for which 0.1 − 10^−k is 0.1 in float32."""
    weight = np.float32(0.1)
    return next(k for k in range(1, 45) if weight - np.float32(10.0**-k) == weight)


@exercise(
    "no-learning-entropy",
    hint="Count each digit with np.bincount(digits.y), divide by the number of pictures, and put "
    "p_k = f_k into the formula.",
    tolerance=1e-5,  # ln 10 is only 5e-5 away, and is not the answer
)
def entropy():
    """The entropy of the classes of the first 1000 digits."""
    share = np.bincount(datasets.digits(1000).y) / 1000
    return float(-np.sum(share * np.log(share)))


@exercise(
    "no-learning-layers",
    hint="Take logarithms of 0.236^L < 2^−24, and mind that ln 0.236 is negative. L is whole.",
    tolerance=0.0,
)
def layers():
    """Layers after which a difference of 1 is below the rounding of float32."""
    factor = math.sqrt(theory.chi("sigmoid", 1.0))
    return math.ceil(-24 * math.log(2) / math.log(factor))


@exercise(
    "no-learning-rescue",
    hint="Compute √χ₁ with vg.theory.chi('sigmoid', sigma_w) ** 0.5. Its thirtieth power should "
    "not be far below one. But larger weights also push units to where the slope is nearly zero.",
    expects="one number",
)
def rescue(sigma_w):
    """Whether thirty sigmoid layers with weights of that scale learn: the better of two starts.

    Over twelve starts the share read is .79 ± .08 at σ_w = 8, .74 ± .06 at 10, .50 ± .10 at 12,
    and at most .20 at 4, which is two digits out of ten.
    """
    net = MLP(30, 64, "sigmoid", sigma_w=float(sigma_w), sigma_b=0.0, out_features=10)
    run = tuning.grid(
        net,
        datasets.digits(1000),
        key=jax.random.key(0),
        optimizer="adam",
        rates=(0.001,),
        starts=2,
        steps=600,
        batch_size=64,
    )
    return bool(run.accuracy.max() > 1 / 3)
