"""The factorial ablation: its table is the code's, and what is drawn from it is what it says."""

import functools
import itertools

import numpy as np
import pytest

from vanishing.studies import ablation, guide, intervals, worths
from vanishing.studies.ablation import FACTORS, NETWORKS, RATES, STARTS
from vanishing.studies.worths import CHANGES


@functools.cache
def table():
    return ablation.tuned(ablation.losses())


def rows():
    return table().reshape(NETWORKS, STARTS)


def test_the_table_is_that_of_the_design():
    with np.load(ablation.TABLE) as stored:
        assert str(stored["design"]) == ablation.DESIGN
        assert stored["losses"].shape[-2:] == (len(RATES["sgd"]), STARTS)
    assert ablation.TABLE.stat().st_size < 200_000


SETTINGS = [(None, False, 4, "sgd"), ("batch", True, 4, "adam"), ("layer", False, 16, "sgd")]


@pytest.mark.parametrize("setting", SETTINGS, ids=str)
def test_the_table_is_what_the_code_measures(setting):
    """Nine networks of each kind, at learning rates that lose none of them.

    Another processor makes at worst what another start would. Two means of ln C over four starts
    lie less than 5 standard deviations apart, which is 7 of their difference: by Student with six
    degrees of freedom, in all but one of two thousand cases.
    """
    fixed = dict(zip(("normalization", "residual", "depth", "optimizer"), setting, strict=True))
    rates = [1, 2]
    fresh = ablation.measure(**{name: [value] for name, value in fixed.items()}, rate=rates)
    chosen = tuple([FACTORS[name].index(value)] for name, value in fixed.items())
    kept = np.ix_(range(3), range(3), *chosen, rates, range(STARTS))
    stored, fresh = np.log(ablation.losses()[kept]), np.log(fresh)
    assert fresh.shape == stored.shape and np.isfinite(stored).all()
    spread = np.maximum(stored.std(-1, ddof=1), fresh.std(-1, ddof=1))
    half = 2.0**-11  # the table is in half precision
    assert (np.abs(fresh.mean(-1) - stored.mean(-1)) < 5 * spread + half).all()


def test_no_start_chooses_its_own_learning_rate():
    losses = np.random.default_rng(0).uniform(0.1, 0.6, (5, 4, 6))
    ends = ablation.tuned(losses)
    for start in range(6):
        changed = losses.copy()
        changed[..., start] = np.random.default_rng(1).uniform(0.1, 0.6, (5, 4))
        same_half = [s for s in range(6) if (s < 3) == (start < 3) and s != start]
        np.testing.assert_array_equal(ablation.tuned(changed)[:, same_half], ends[:, same_half])
        assert all(ends[n, start] in losses[n, :, start] for n in range(5))


def test_a_lost_run_counts_as_guessing_and_its_rate_is_not_chosen():
    losses = np.array([[0.1, np.inf, 0.1, 0.1], [0.5, 0.5, 0.5, 0.5]])
    assert ablation.tuned(losses).tolist() == [0.1, ablation.GUESSING, 0.5, 0.5]


def test_a_worth_is_the_mean_difference_over_all_settings():
    found = worths.worths(rows(), worths.everything())
    for change, (factor, _) in enumerate(CHANGES):
        pairs = worths.differences(table(), change)
        assert len(pairs) == NETWORKS // len(FACTORS[factor])
        mean = intervals.of_mean(pairs)
        for got, expected in zip(found, mean, strict=True):
            assert got[change] == pytest.approx(expected, abs=1e-4)


def only(**values):
    """Weights that keep one value of some factors."""
    kept = worths.everything()
    for name, value in values.items():
        row = list(FACTORS).index(name)
        kept[row] = np.arange(kept.shape[1]) == FACTORS[name].index(value)
    return kept


def test_a_filter_leaves_the_settings_that_have_its_values():
    kept = only(activation="relu", depth=16)
    found = worths.worths(rows(), kept)
    assert worths.weights(kept).sum() == NETWORKS / 6
    here = table()[:, 2][:, :, :, 1]  # initialiser, normalisation, skips, optimiser
    expected = intervals.of_mean((here[..., 0, :] - here[..., 1, :]).mean(-1).ravel())
    place = CHANGES.index(("optimizer", "adam"))
    assert [end[place] for end in found] == pytest.approx(list(expected), abs=1e-4)
    # Its own factor's filter is not looked at: sigmoid still has something to be compared with.
    place = CHANGES.index(("activation", "tanh"))
    free = worths.worths(rows(), only(depth=16))
    assert found.value[place] == pytest.approx(float(free.value[place]), abs=1e-6)


def test_where_one_setting_is_left_the_interval_is_over_its_starts():
    kept = only(initializer="he", activation="tanh", normalization=None, residual=False, depth=16)
    found = worths.worths(rows(), kept)
    pair = table()[2, 1, 0, 0, 1]
    expected = intervals.of_mean(pair[0] - pair[1])
    place = CHANGES.index(("optimizer", "adam"))
    assert [end[place] for end in found] == pytest.approx(list(expected), abs=1e-4)


def test_the_guide_asks_the_question_that_tells_most():
    ends = np.median(table(), axis=-1)

    def unexplained(array):
        return np.abs(array - np.median(array)).sum()

    left = {
        name: sum(unexplained(part) for part in np.moveaxis(ends, axis, 0))
        for axis, name in enumerate(FACTORS)
    }
    assert guide.guide(table(), 3).asks == min(left, key=left.get)


@pytest.mark.parametrize("leaves", [1, 5, 12])
def test_the_leaves_of_the_guide_share_the_networks_out(leaves):
    root = guide.guide(table(), leaves)
    ends = [node for node in root.walk() if not node.answers]
    assert len(ends) <= leaves
    together = np.sort(np.concatenate([node.losses for node in ends]))
    np.testing.assert_array_equal(together, np.sort(np.median(table(), axis=-1).ravel()))
    for one, other in itertools.combinations(ends, 2):
        assert any(one.fixed[name] != other.fixed[name] for name in {*one.fixed} & {*other.fixed})
