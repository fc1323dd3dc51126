"""Matched gains and intervals; the comparison itself is asserted in the chapter."""

import jax
import numpy as np
import pytest
from scipy import stats

from vanishing import theory
from vanishing.studies import comparisons


@pytest.mark.parametrize("name", comparisons.NAMES)
def test_a_matched_gain_hands_on_a_variance_of_one(name):
    assert theory.length_map(name, 1.0, comparisons.matched_gain(name)) == pytest.approx(
        1, abs=1e-9
    )


def test_the_matched_gains_of_relu_and_selu_are_the_published_ones():
    assert comparisons.matched_gain("relu") ** 2 == pytest.approx(2, abs=1e-9)
    assert comparisons.matched_gain("selu") == pytest.approx(1, abs=1e-5)


def test_an_interval_covers_the_mean_of_the_distribution_as_often_as_it_says():
    samples = np.asarray(jax.random.normal(jax.random.key(0), (4000, 6)))
    _, low, high = comparisons.interval(samples)
    covered = np.mean((low < 0) & (high > 0))
    assert covered == pytest.approx(0.95, abs=0.012)  # 3.5 standard deviations of the count


def test_an_interval_is_student_t():
    samples = np.array([0.3, 1.1, 0.7, 0.2])
    low, high = stats.t.interval(0.95, 3, samples.mean(), stats.sem(samples))
    np.testing.assert_allclose(comparisons.interval(samples)[1:], (low, high))


@pytest.mark.parametrize(("name", "chi"), [("relu", 1.0), ("sigmoid", 0.1528)])
def test_gradients_shrink_by_the_theory(name, chi):
    # Over eight keys the mean is −.006 ± .0035 from the law for ReLU (the mean of a logarithm is
    # below the logarithm of the mean) and −.007 ± .0018 for the sigmoid. A cotangent of ones,
    # which is aligned with ReLU's outputs, would be off by +.035.
    log = comparisons.gradients(name, comparisons.matched_gain(name), key=jax.random.key(0))
    per_layer = (log.mean(1)[3] - log.mean(1)[-3]) / (len(log) - 6)
    assert per_layer == pytest.approx(np.log(chi) / 2, abs=0.02)


def test_tuning_picks_the_least_loss_and_reports_other_seeds():
    found = comparisons.tuned("tanh", 1.6, rates=(1e-4, 0.1), depth=2, steps=30, choose=2, seeds=3)
    assert found.best == 0.1 == found.rates[np.argmin(found.tuning_loss)]
    assert found.loss.shape == found.accuracy.shape == (3,)
    assert found.accuracy.min() > 0.7 and np.unique(found.loss).size == 3
