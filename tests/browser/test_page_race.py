"""The race of `make bench` in a page, among those that need no other package; nothing is timed."""

import pytest
from benchmarks import page_race

from vanishing.studies import benchmarks as study

pytestmark = pytest.mark.browser


def test_a_program_and_what_is_written_by_hand_compute_the_same(chromium):
    engines = page_race.engines(chromium)
    slow = next(name for name in engines if "slower" in name)
    found = page_race.race({"Chromium": engines["Chromium"], slow: engines[slow]},
                           page_race.OWN, rounds=3, warm=0)  # fmt: skip
    assert list(found["milliseconds"]) == ["Chromium", slow]
    for times in found["milliseconds"].values():
        assert all(len(times[name]) == 3 and min(times[name]) > 0 for name in page_race.OWN)
    table = study.page_table({"page": found}).splitlines()
    assert [line.count("|") for line in table] == [5] * (2 + len(page_race.OWN))
