"""Matched gains; the comparison itself is asserted in the chapter."""

import jax
import numpy as np
import pytest
from scipy import stats

import vanishing as vg
from vanishing import theory
from vanishing.studies import comparisons
from vanishing.training import tuning


@pytest.mark.parametrize("name", comparisons.NAMES)
def test_a_matched_gain_hands_on_a_variance_of_one(name):
    assert theory.length_map(name, 1.0, comparisons.matched_gain(name)) == pytest.approx(
        1, abs=1e-9
    )


def test_the_matched_gains_of_relu_and_selu_are_the_published_ones():
    assert comparisons.matched_gain("relu") ** 2 == pytest.approx(2, abs=1e-9)
    assert comparisons.matched_gain("selu") == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize(("name", "chi"), [("relu", 1.0), ("sigmoid", 0.1528)])
def test_gradients_shrink_by_the_theory(name, chi):
    log = comparisons.gradients(
        name, comparisons.matched_gain(name), key=jax.random.key(0), seeds=60
    )
    slope = np.asarray(log[3] - log[-3]) / (len(log) - 6)
    # A mean of logarithms lies below the logarithm of the mean: by up to 5/4n a layer for one
    # input (chapter chain-rule), less for a batch. 4.5 standard errors: 1 run in 30 000 fails.
    room = 4.5 * stats.sem(slope)
    assert np.log(chi) / 2 - 5 / (4 * 64) - room < slope.mean() < np.log(chi) / 2 + room
    # A cotangent of ones measures +0.024 for ReLU: the room must be too small for that.
    assert room < 0.02


def test_another_key_draws_other_networks():
    one, other = (
        comparisons.gradients("tanh", 1.0, key=jax.random.key(k), depth=3, seeds=2) for k in (0, 1)
    )
    assert not np.any(one[:-1] == other[:-1])


def test_tuning_is_of_the_network_that_is_named():
    found = comparisons.tuned(
        "tanh", 1.6, key=jax.random.key(0), rates=(1e-4, 0.1), depth=2, steps=30, choose=2, report=3
    )
    assert found.rate > 1e-4 and found.accuracy.min() > 0.7
    net = vg.MLP(2, 64, "tanh", sigma_w=1.6, sigma_b=0.0, out_features=10)
    same = tuning.grid(
        net, vg.datasets.digits(), key=jax.random.key(0), rates=[found.rate], starts=range(2, 5),
        steps=30,
    )  # fmt: skip
    # The same runs but for the compiler's fusing of an activation that is chosen at run time.
    np.testing.assert_allclose(found.loss, same.loss[0], rtol=1e-3)
