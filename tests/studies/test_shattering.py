"""Shattered gradients: the derivative along one input, and what is expected of it."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import vanishing as vg
from vanishing.studies import ensembles, intervals, shattering


def one_input(depth, **options):
    options = options or {"initializer": "he"}
    return vg.MLP(depth, 64, "relu", in_features=1, out_features=1, **options)


def test_the_gradient_is_the_slope_of_the_output():
    with jax.enable_x64(True):
        net = one_input(3)
        params = jax.tree.map(
            lambda leaf: leaf.astype(float), shattering.start(net, key=jax.random.key(0))
        )
        x, step = jnp.array([[-1.3], [0.2], [1.7]]), 1e-6
        ends = [vg.apply(net, params, x + shift)[:, 0] for shift in (step, -step)]
        np.testing.assert_allclose(
            shattering.gradient(net, params, x), (ends[0] - ends[1]) / (2 * step), rtol=1e-6
        )


def test_hidden_biases_stay_as_the_description_has_them():
    params = shattering.start(one_input(3), key=jax.random.key(0))
    assert not params["biases"].any() and params["read_in"]["biases"].std() > 0.5


def test_autocorrelation_of_noise_of_a_walk_and_of_a_constant():
    noise = np.random.default_rng(0).standard_normal((50, 400))
    assert abs(shattering.autocorrelation(noise).mean()) < 0.02
    assert shattering.autocorrelation(noise.cumsum(axis=1)).mean() > 0.95
    assert shattering.autocorrelation(noise.cumsum(axis=1), lag=40).mean() < 0.8
    assert np.isnan(shattering.autocorrelation(np.ones(5)))


@pytest.mark.parametrize("alpha", [None, 0.5])
def test_two_gradients_part_as_the_law_says(alpha):
    """Half-widths of these intervals are near .015; four of them are far beyond chance."""
    net = vg.MLP(5, 200, "relu", "he", residual=alpha)
    law = shattering.expected_correlation(5, None if alpha is None else alpha**2)[1][-1]
    seen = intervals.of_mean(ensembles.gradient_correlation(net, key=jax.random.key(3), seeds=16))
    assert abs(seen.value - law) < 2 * (seen.high - seen.low) + 0.01


def test_the_law_begins_with_independent_halves_and_tends_to_a_power():
    cosine, gradient = shattering.expected_correlation(2000)
    assert gradient[:2].tolist() == [1.0, 0.5] and cosine[0] == 0
    steps = np.log(gradient[1000] / gradient[2000]) / np.log(2)
    assert steps == pytest.approx(3, rel=0.02)  # θ_l ≈ 3π / l
