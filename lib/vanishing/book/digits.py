"""The handwritten digits as bytes: the one file of data that live figures share."""

from functools import cache

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, UInt8

from vanishing import datasets
from vanishing.datasets import Dataset

#: As many rows as fit into 64 KB.
EXAMPLES = 1000


@cache
def digits() -> UInt8[np.ndarray, "examples 65"]:
    """The first `EXAMPLES` handwritten digits, a row each: 64 pixels, then the class.

    >>> digits().shape, digits().nbytes <= 64 * 1024
    ((1000, 65), True)
    """
    images, classes = datasets.digit_images()
    return np.concatenate([images, classes[:, None]], axis=1)[:EXAMPLES]


def standardised(rows: UInt8[Array, "examples 65"]) -> Dataset:
    """Rows of bytes as a data set, its pixels standardised as in `datasets.digits`.

    >>> standardised(jnp.asarray(digits()[:2])).y.tolist()
    [0, 1]
    """
    images, _ = datasets.digit_images()
    x = (rows[:, :-1].astype(jnp.float32) - float(images.mean())) / float(images.std())
    return Dataset(x, rows[:, -1].astype(jnp.int32))
