"""The data sets are what they say."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from vanishing import datasets

KEY = jax.random.key(0)


def test_two_moons_lie_on_two_half_circles():
    x, y = datasets.two_moons(101, key=KEY, noise=0.0)
    assert x.shape == (101, 2) and np.bincount(y).tolist() == [50, 51]
    side = jnp.where(y == 0, 1.0, -1.0)
    circle = side[:, None] * x + jnp.array([[0.5, 0.25]])
    np.testing.assert_allclose(jnp.hypot(circle[:, 0], circle[:, 1]), 1, rtol=1e-5)
    assert (circle[:, 1] >= -1e-6).all()


def test_spirals_wind_and_the_arms_are_opposite():
    x, y = datasets.spirals(2000, key=KEY, noise=0.0, turns=1.5)
    radius = jnp.hypot(x[:, 0], x[:, 1])
    assert float(radius.min()) > 0.09 and float(radius.max()) <= 1 + 1e-5
    angle = 2 * jnp.pi * 1.5 * radius + jnp.where(y == 0, 0.0, jnp.pi)
    direction = jnp.stack([jnp.cos(angle), jnp.sin(angle)], 1)
    np.testing.assert_allclose(x, radius[:, None] * direction, atol=1e-4)


@pytest.mark.parametrize("draw", [datasets.two_moons, datasets.spirals])
def test_noise_is_gaussian_of_that_scale_and_the_key_decides(draw):
    still, moved = (draw(4000, key=KEY, noise=noise).x for noise in (0.0, 0.2))
    assert float((moved - still).std()) == pytest.approx(0.2, rel=0.05)
    assert (draw(9, key=KEY).x == draw(9, key=KEY).x).all()
    assert (draw(9, key=KEY).x != draw(9, key=jax.random.key(1)).x).any()


def test_digits_are_real_and_standardised():
    x, y = datasets.digits()
    assert x.shape == (1797, 64) and set(np.asarray(y).tolist()) == set(range(10))
    assert float(x.mean()) == pytest.approx(0, abs=1e-5)
    assert float(x.std()) == pytest.approx(1, abs=1e-5)
    images, classes = datasets.digit_images()
    assert images.dtype == classes.dtype == np.uint8 and images.max() == 16
    few = datasets.digits(10)
    assert few.x.shape == (10, 64) and (few.x == x[:10]).all() and (few.y == y[:10]).all()
    # A nearest neighbour knows most digits: images and classes belong together.
    distance = jnp.sum((x[1000:1100, None] - x[None, :1000]) ** 2, -1)
    assert float((y[jnp.argmin(distance, 1)] == y[1000:1100]).mean()) > 0.9
