"""Small data sets: moons, spirals, signs, and real handwritten digits that a package ships."""

from functools import cache
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray

from vanishing import _checks, _layers


class Dataset(NamedTuple):
    """Inputs and their classes.

    Attributes:
        x: [examples, features], float.
        y: [examples], class numbers from 0.
    """

    x: Float[Array, "examples features"]
    y: Int[Array, " examples"]


def _dataset(data) -> Dataset:
    """Check a pair of points [examples, features] and one class for each."""
    if not isinstance(data, tuple) or len(data) != 2:
        raise TypeError(
            f"data: expected a Dataset, (x, y); got a {type(data).__name__}. "
            "Pass vg.datasets.two_moons(128, key=key) or Dataset(x, y)."
        )
    x = _checks.array("data.x", data[0], (None, None), "[examples, features]")
    y = data[1] if isinstance(data[1], jax.Array) else np.asarray(data[1])
    if y.shape[:1] != x.shape[:1]:
        raise ValueError(
            f"data.y: expected one class for each of the {len(x)} points; got shape "
            f"{y.shape}. Pass x and y of the same length."
        )
    return Dataset(x, y)


def two_moons(n: int, *, key: PRNGKeyArray, noise: float = 0.1) -> Dataset:
    """Two interleaved half-circles in the plane, one a class, centred on the origin.

    Args:
        n: number of points; the first half is class 0.
        key: JAX random key.
        noise: standard deviation of the Gaussian noise on each coordinate.

    Returns:
        `Dataset` with x of shape [n, 2].

    Raises:
        ValueError, TypeError: fewer than 2 points, a negative noise.

    >>> two_moons(128, key=jax.random.key(0)).x.shape
    (128, 2)
    """
    n, noise = _checks.whole("n", n, 2), _checks.scale("noise", noise)
    _checks.key("key", key)
    angle_key, noise_key = jax.random.split(key)
    y = (jnp.arange(n) >= n // 2).astype(jnp.int32)
    angle = jax.random.uniform(angle_key, (n,), maxval=jnp.pi)
    # The second moon is the first one turned upside down about the origin, as it lies here.
    side = jnp.where(y == 0, 1.0, -1.0)
    x = side[:, None] * jnp.stack([jnp.cos(angle) - 0.5, jnp.sin(angle) - 0.25], 1)
    return Dataset(x + noise * jax.random.normal(noise_key, x.shape), y)


def spirals(n: int, *, key: PRNGKeyArray, noise: float = 0.05, turns: float = 1.5) -> Dataset:
    """Two arms of a spiral in the plane, one a class: harder than the moons.

    Args:
        n: number of points; the first half is class 0.
        key: JAX random key.
        noise: standard deviation of the Gaussian noise on each coordinate.
        turns: how often each arm winds round the origin.

    Returns:
        `Dataset` with x of shape [n, 2] inside about the unit disc.

    Raises:
        ValueError, TypeError: fewer than 2 points, a negative noise or number of turns.

    >>> spirals(6, key=jax.random.key(0)).y.tolist()
    [0, 0, 0, 1, 1, 1]
    """
    n, noise, turns = (
        _checks.whole("n", n, 2),
        _checks.scale("noise", noise),
        _checks.scale("turns", turns),
    )
    _checks.key("key", key)
    radius_key, noise_key = jax.random.split(key)
    y = (jnp.arange(n) >= n // 2).astype(jnp.int32)
    # Density even along the arm: the square root of a uniform variable.
    radius = jnp.sqrt(jax.random.uniform(radius_key, (n,), minval=0.01))
    angle = 2 * jnp.pi * turns * radius + jnp.where(y == 0, 0.0, jnp.pi)
    x = radius[:, None] * jnp.stack([jnp.cos(angle), jnp.sin(angle)], 1)
    return Dataset(x + noise * jax.random.normal(noise_key, x.shape), y)


def xor_signs(n: int, *, key: PRNGKeyArray, features: int = 16) -> Dataset:
    """Gaussian points, their class whether the first two coordinates differ in sign.

        x ~ N(0, I),   y = 1 if x₁ x₂ < 0 else 0

    No linear map tells the classes apart; the other coordinates are noise.

    Args:
        n: number of points.
        key: JAX random key.
        features: number of coordinates.

    Returns:
        `Dataset` with x of shape [n, features].

    Raises:
        ValueError, TypeError: fewer than 1 point or 2 features.

    >>> data = xor_signs(128, key=jax.random.key(0))
    >>> data.x.shape, int(data.y.min()), int(data.y.max())
    ((128, 16), 0, 1)
    """
    n, features = _checks.whole("n", n, 1), _checks.whole("features", features, 2)
    _checks.key("key", key)
    x = jax.random.normal(key, (n, features))
    return Dataset(x, (x[:, 0] * x[:, 1] < 0).astype(jnp.int32))


def lift(data: Dataset, features: int) -> Dataset:
    """Lay the points into a space of more coordinates, without bending or stretching.

        x ↦ s x Q,   Q Qᵀ = I

    Q holds rows of the discrete cosine transform, the same ones every time; the one scale s
    makes the RMS of a coordinate 1. A network as wide as the new space needs no read-in, so its
    layer 1 stands on the data themselves and nothing trainable lies below it.

    Args:
        data: x of shape [examples, d].
        features: more than d.

    Returns:
        `Dataset` with x of shape [examples, features] and the same classes.

    Raises:
        ValueError, TypeError: features is not a whole number above d; data is no pair of points
            and classes of the same length, or has NaN in it, or nothing but zeros.

    >>> data = lift(two_moons(128, key=jax.random.key(0)), 16)
    >>> data.x.shape, round(float((data.x**2).mean()), 5)
    ((128, 16), 1.0)
    """
    data = _dataset(data)
    flat = data.x.shape[1]
    features = _checks.whole("features", features, flat + 1)
    # Rows 1 to d of the transform: row 0, the constant, would show every unit the same view.
    angle = np.pi * np.outer(np.arange(1, flat + 1), np.arange(features) + 0.5) / features
    rows = jnp.asarray(np.sqrt(2 / features) * np.cos(angle), data.x.dtype)
    rms = jnp.sqrt(jnp.mean(data.x**2) * flat / features)
    if not isinstance(rms, jax.core.Tracer) and rms == 0:
        raise ValueError(
            "data: expected points that are not all at the origin; got zeros. No scale gives them "
            "an RMS of 1."
        )
    return Dataset(_layers.matmul(data.x, rows) / rms, data.y)


@cache
def digit_images() -> tuple[np.ndarray, np.ndarray]:
    """The 1797 handwritten digits that scikit-learn ships, 8×8 pixels from 0 to 16.

    Returns:
        images, uint8 [1797, 64], and classes, uint8 [1797]; read-only, copy them to change them.

    Source: E. Alpaydin, C. Kaynak, "Optical Recognition of Handwritten Digits", UCI Machine
    Learning Repository, 1998, of which this is the test set.

    >>> digit_images()[0].shape
    (1797, 64)
    """
    from sklearn.datasets import load_digits  # slow to import, and needed here alone

    digits = load_digits()
    kept = digits.data.astype(np.uint8), digits.target.astype(np.uint8)
    for array in kept:
        array.flags.writeable = False  # they are everybody's: the next caller gets the same arrays
    return kept


def digits(n: int | None = None) -> Dataset:
    """Real handwritten digits, standardised over all pixels to mean 0 and variance 1.

    Args:
        n: take the first n (they come in no order of class); all 1797 where None.

    Returns:
        `Dataset` with x of shape [n, 64] and classes 0 to 9.

    Raises:
        ValueError, TypeError: n is not a whole number from 1 to 1797.

    >>> data = digits()
    >>> data.x.shape, round(float(data.x.std()), 3)
    ((1797, 64), 1.0)
    """
    images, classes = digit_images()
    n = len(images) if n is None else _checks.whole("n", n, 1)
    if n > len(images):
        raise ValueError(f"n: expected at most {len(images)} digits; got {n}. Pass a smaller n.")
    x = (images - images.mean()) / images.std()
    return Dataset(jnp.asarray(x[:n], jnp.result_type(float)), jnp.asarray(classes[:n], jnp.int32))
