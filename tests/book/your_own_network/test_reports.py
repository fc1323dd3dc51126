"""The explorer of reports: what the page chooses is what was measured."""

import functools
import gzip

import numpy as np
import pytest

from vanishing.book.your_own_network import models
from vanishing.book.your_own_network import reports as module


@functools.cache
def figure():
    return module.reports()


@functools.cache
def compared():
    """Every setting there is: the answer of Node, of JAX, and the report."""
    live, cases = figure(), []
    for name, cured, step in module.measured():
        state = live.state(model=name, cured=cured, step=module.STEPS.index(step) + 1)
        cases.append((state, module.measured()[name, cured, step]))
    calls = [tuple(live.machine.arguments(state)) for state, _ in cases]
    answers = live.programs["compute"].run_many(calls)
    return [(live.evaluate(**state), got, read)
            for (state, read), got in zip(cases, answers, strict=True)]  # fmt: skip


@pytest.mark.parametrize("case", range(len(module.NAMES) * 2 * len(module.STEPS)))
def test_the_page_shows_what_was_measured(case):
    expected, got, read = compared()[case]
    for name, value in expected.items():
        # With a fused multiply-add or without: one rounding of a number below 32.
        np.testing.assert_allclose(got[name], value, rtol=1e-6, atol=4e-6)
    for k, name in enumerate(module.QUANTITIES):
        drawn = np.where(np.isfinite(read.rows[k]), read.rows[k], np.nan)
        half = 0.51 * module.FINENESS[k]
        np.testing.assert_allclose(got[name], drawn, rtol=0, atol=half)
    np.testing.assert_allclose(got["loss"], read.loss, rtol=1e-6)
    assert got["findings"] == read.findings and got["count"] == read.count


def test_sick_models_are_found_sick_and_cured_ones_are_not():
    found = module.measured()
    assert found["convolution", False, 100].findings > 0
    assert found["GRU", False, 0].findings > 0 and found["transformer", False, 0].findings > 0
    assert [found[name, True, 0].findings for name in models.MODELS] == [0, 0, 0]


def test_links_in_the_chapter_show_what_they_say():
    found = module.measured()
    before, after = (found["convolution", False, step].rows for step in (0, 10))
    assert np.nanmax(before[1]) > 2  # the signal is of the size of the pixels
    assert np.nanmax(after[2]) > np.nanmax(before[2]) + 0.2  # units died
    kept = found["GRU", False, 0].rows[1]
    assert kept[0] - kept[19] > 5  # the signal fades too
    sick, cured = (found["GRU", c, 0].rows[0] for c in (False, True))
    assert sick[19] - sick[0] > 5 and abs(cured[19] - cured[0]) < 2
    late = found["GRU", False, 100].rows[0]
    assert late[19] - late[0] > 5
    assert np.isfinite(found["transformer", False, 0].loss)
    assert np.isnan(found["transformer", False, 0].rows[0][:10]).all()
    assert np.isnan(found["transformer", False, 1].loss)


def test_the_code_is_small():
    source = figure().programs["compute"].source
    assert len(gzip.compress(source.encode(), 9)) <= 16_000
