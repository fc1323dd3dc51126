"""Templates: parsed once, filled alike by Python and the host."""

import numpy as np
import pytest

from vanishing.live.page.text import gaps, parse, render

SHAPES = {"rms": (50,), "chi": (), "matrix": (2, 3)}


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("{missing}", "expected one of"),
        ("{rms}", "expected one number"),
        ("{rms[50]}", "expected one number"),
        ("{rms[-51]}", "expected one number"),
        ("{matrix[0]}", "expected one number"),
        ("{chi:x}", "expected a format"),
        ("{chi:>10.2f}", "expected a format"),
        ("{chi.real}", "expected one of"),
    ],
)
def test_templates_that_the_host_could_not_fill_are_refused(template, words):
    with pytest.raises(ValueError, match=words):
        parse(template, SHAPES)


def test_a_template_is_filled_as_python_does():
    values = {"rms": np.linspace(0, 1, 50, dtype=np.float32), "chi": np.float32(0.125)}
    template = "χ {chi:.2f}, {chi:+.1%}, last {rms[-1]:.1e}, {chi!v:g}, {act}"
    parts = parse(template, SHAPES, ["act"])
    assert (
        render(parts, values, {"act": "tanh"}) == "χ 0.12, +12.5%, last 1.0 × 10⁰, is 0.125, tanh"
    )


def test_numbers_that_are_none_are_words():
    parts = parse("{chi:.2f}", SHAPES)
    said = [render(parts, {"chi": x}) for x in (np.nan, np.inf, -np.inf)]
    assert said == ["not a number", "infinity", "−infinity"]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([1.0, 2.0], ""),
        ([1.0, np.nan, np.nan], ""),
        ([1.0, np.nan, 3.0], " 1 of 3 values (the loss) are not finite; they are left out."),
        ([1.0, np.inf, np.nan], " 1 of 2 values (the loss) are not finite; they are left out."),
        ([np.nan, np.nan], " No finite value to draw (the loss)."),
    ],
)
def test_gaps_are_told_from_padding(values, said):
    assert gaps({"a": np.array(values)}, [("a", "the loss", True)]) == said


def test_where_nothing_pads_every_number_counts():
    values = {"z": np.array([1.0, np.nan, np.nan, np.nan])}
    said = " 3 of 4 values (pre-activation) are not finite; they are left out."
    assert gaps(values, [("z", "pre-activation", False)]) == said
