"""Intervals: against the library, against tables, and by how often they hold the truth."""

import jax
import numpy as np
import pytest
from scipy import stats

from vanishing.studies.intervals import chance_below, of_mean, of_median, of_share


def test_an_interval_covers_the_mean_of_the_distribution_as_often_as_it_says():
    samples = np.asarray(jax.random.normal(jax.random.key(0), (4000, 6)))
    _, low, high = of_mean(samples)
    covered = np.mean((low < 0) & (high > 0))
    assert covered == pytest.approx(0.95, abs=0.012)  # 3.5 standard deviations of the count


def test_an_interval_is_student_t():
    samples = np.array([0.3, 1.1, 0.7, 0.2])
    low, high = stats.t.interval(0.95, 3, samples.mean(), stats.sem(samples))
    np.testing.assert_allclose(of_mean(samples)[1:], (low, high))


def test_wilson_interval_of_independent_units():
    # Newcombe 1998, table I: 15 of 148, Wilson's score interval .0624 to .1605.
    trials = np.ones(148, int)
    found = of_share((np.arange(148) < 15).astype(int), trials)
    assert found.low == pytest.approx(0.0624, abs=5e-4)
    assert found.high == pytest.approx(0.1605, abs=5e-4)


def test_none_of_many_is_not_zero_for_sure():
    found = of_share(np.zeros(50, int), np.ones(50, int))
    assert found.value == found.low == 0.0
    assert found.high == pytest.approx(1.96**2 / (50 + 1.96**2), abs=1e-4)
    assert np.isnan(of_share(np.zeros(3, int), np.zeros(3, int)).value)


def test_units_that_share_their_fate_count_as_one():
    alone = of_share(np.arange(40) % 2, np.ones(40, int))
    crowd = of_share(16 * (np.arange(40) % 2), np.full(40, 16))
    assert crowd.of == 640
    # Clusters of 16 alike tell what 40 units do, up to the factor runs / (runs − 1).
    assert crowd.high - crowd.low == pytest.approx(alone.high - alone.low, rel=0.03)


def test_the_interval_covers_the_truth_nineteen_times_in_twenty():
    draw = np.random.default_rng(0)
    covered = 0
    for _ in range(400):  # networks differ: each has a probability of its own, 0.3 on average
        counts = draw.binomial(16, draw.beta(1.5, 3.5, size=30))
        found = of_share(counts, np.full(30, 16))
        covered += found.low <= 0.3 <= found.high
    assert 0.92 <= covered / 400 <= 0.98


@pytest.mark.parametrize("count", [0, 1, 15, 147, 148])
def test_the_share_of_independent_units_has_the_interval_of_the_library(count):
    found = of_share((np.arange(148) < count).astype(int), np.ones(148, int))
    expected = stats.binomtest(count, 148).proportion_ci(0.95, "wilson")
    # The only difference is the design effect's runs / (runs - 1), and only where it is used.
    np.testing.assert_allclose(found[3:], expected, rtol=0.01, atol=1e-12)


def test_the_interval_of_a_median_is_that_of_its_table():
    # Conover 1999, table A3 (binomial, p = 1/2): of 12 samples the 3rd and the 10th hold the
    # median with 96.1%, of 20 the 6th and the 15th with 95.9%.
    assert of_median(np.arange(1.0, 13))[1:] == (3, 10)
    assert of_median(np.arange(1.0, 21))[1:] == (6, 15)


def test_lost_runs_count_as_infinite_and_few_samples_say_little():
    assert of_median(np.r_[np.arange(8.0), [np.inf] * 4]) == (5.5, 2.0, np.inf)
    assert of_median(np.arange(4.0)) == (1.5, -np.inf, np.inf)


def test_the_interval_of_a_median_covers_it_at_least_as_often_as_it_says():
    samples = np.exp(np.asarray(jax.random.normal(jax.random.key(1), (1000, 12))))
    held = [low <= 1 <= high for _, low, high in map(of_median, samples)]
    assert np.mean(held) == pytest.approx(0.961, abs=0.022)  # 3.5 standard deviations


def test_the_next_sample_falls_below_a_bound_as_often_as_it_is_said_to():
    draws = np.asarray(jax.random.normal(jax.random.key(2), (1000, 9)))
    said = [chance_below(row[:8], row[8]) for row in draws]  # uniform, if the law is right
    for share in (0.01, 0.1, 0.5):
        assert np.mean(np.array(said) < share) == pytest.approx(
            share, abs=3.5 * np.sqrt(share * (1 - share) / len(draws))
        )


def test_what_does_not_vary_is_certain():
    assert chance_below(np.ones(8), 0.5) == 0 and chance_below(np.ones(8), 1.5) == 1
