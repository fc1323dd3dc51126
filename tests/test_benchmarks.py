"""The harness of `make bench`, on networks of four layers: nothing here asks how long it took."""

import json

import numpy as np
import pytest
from benchmarks.__main__ import measure
from benchmarks.race import TORCH
from benchmarks.regimes import REGIMES, check_same, problem

from vanishing.studies import benchmarks as study

WORKS = [regime.small for regime in {regime.work: regime for regime in REGIMES}.values()]


def test_all_contestants_compute_the_same_and_every_row_is_filled():
    # Unequal numbers stop the race.
    depths = {"vanishing": (3, 5), "JAX": (3,)}
    found = measure(WORKS, 2, 1.0, 0.0, deep=WORKS[:1], depths=depths)
    found = json.loads(json.dumps(found))
    for row, regime in zip(study.rows(found), WORKS, strict=True):
        plain, many, torch = regime.work != "inspect", regime.many > 1, TORCH.exists()
        does = dict(zip(study.COLUMNS, (torch, torch and many, plain, plain), strict=True))
        assert set(row.ratios) == {name for name, measured in does.items() if measured}
        assert all(0 < ratio.low <= ratio.median <= ratio.high for ratio in row.ratios.values())
        assert row.seconds > 0 and 0 < row.share < 1
        assert (row.reached is None) != torch
    assert found["executables"] == 1
    assert list(found["compile"]["vanishing"]) == ["3", "5"]
    tables = study.table(found), study.depth_table(found), study.memory_table(found)
    assert [len(text.splitlines()) for text in tables] == [2 + len(WORKS), 4, 3]


def test_other_numbers_are_not_the_same():
    arrays = {"rms": np.ones(3), "mean": np.zeros(3)}
    check_same({"rms": np.ones(3) + 1e-5, "mean": np.full(3, 1e-6)}, arrays)
    for other in ({"rms": np.ones(3) + 1e-2}, {"mean": np.full(3, 1e-4)}):
        with pytest.raises(AssertionError):
            check_same(arrays | other, arrays)
    with pytest.raises(AssertionError, match="mean"):
        check_same({"rms": np.ones(3)}, arrays)


def test_a_problem_is_the_same_in_every_process():
    for regime in WORKS:
        one, other = problem(regime), problem(regime)
        assert all(np.array_equal(one[name], other[name]) for name in one)
