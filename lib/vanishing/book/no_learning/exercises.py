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
    hint="Which probability does a network that knows nothing give to the right letter?",
)
def guess():
    """The loss of the same answer for 26 equally frequent classes."""
    return math.log(26)


@exercise(
    "no-learning-rounding",
    hint="np.spacing(np.float32(0.1)) is how far the next float32 is. Which share of it is lost?",
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
    hint="Write the sentence as an inequality for L, and mind what dividing by a negative number "
    "does. L is whole.",
    tolerance=0.0,
)
def layers():
    """Layers after which a difference of 1 is below the rounding of float32."""
    factor = math.sqrt(theory.chi("sigmoid", 1.0))
    return math.ceil(-24 * math.log(2) / math.log(factor))


def _centred(z):
    return jax.nn.sigmoid(z) - 0.5


@exercise(
    "no-learning-rescue",
    hint="Where do the pre-activations lie, and how steep is the function there? vg.theory.chi "
    "takes any function; the thirtieth power of √χ₁ should be near one.",
    expects="one number",
)
def rescue(sigma_w):
    """Whether thirty layers of σ(z) − ½ with weights of that scale learn: the better of two starts.

    Over eight starts the share read is .92 ± .05 at σ_w = 3 and 1 at 4 and 5; over four it is 1 at
    6, .49 ± .04 at 8, and that of guessing at 2 and at 12.
    """
    net = MLP(30, 64, _centred, sigma_w=float(sigma_w), sigma_b=0.0, out_features=10)
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
    return bool(run.accuracy.max() > 0.9)
