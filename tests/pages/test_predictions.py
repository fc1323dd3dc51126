"""Every chapter has the reader draw before it reveals, and what it asks can be drawn."""

import json

import numpy as np
import pytest
from built import BOOK, parsed

from vanishing.book import checks

pytestmark = pytest.mark.book


@pytest.mark.parametrize("chapter", checks.chapters())
def test_what_is_asked_can_be_drawn(chapter):
    asked = parsed(BOOK / f"chapters/{chapter}.html").select(".live-guess .guess-spec")
    assert asked
    for spec in map(json.loads, (script.string for script in asked)):
        for handle in spec["handles"]:
            truth = handle["truth"]
            for picture in spec["pictures"]:
                truth_drawn = np.log10(truth) if picture["axes"]["y"][2] else truth
                low, high = picture["ends"]
                slack = 0.01 * (high - low)
                assert low - slack <= truth_drawn <= high + slack, (spec["name"], handle["label"])
