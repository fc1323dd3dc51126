"""A rule that stands for a slider: what the host is told, and what is refused."""

import pytest
from matplotlib.figure import Figure

from vanishing import live


def made(pick_line=True, control="level"):
    fig = Figure()
    ax = fig.subplots()
    ax.set(xlim=(0, 1), ylim=(0, 10))
    (line,) = ax.plot([0, 1], [0, 0])
    rule = ax.axhline(5)
    return live.figure(
        fig,
        lambda level, on: {"level": level, "both": level * 0 + 1.0},
        [live.Slider("level", 0.0, 10.0, value=5.0), live.Toggle("on")],
        {rule: "level"},
        name="picked",
        alt="A level line.",
        pick={rule if pick_line else line: control},
    )


def test_the_host_learns_where_a_tap_means_what():
    (pick,) = made().spec["layouts"][0]["picks"]
    left, top, right, bottom = pick["box"]
    offset, slope, log, _ = pick["axis"]
    assert (pick["control"], pick["role"], log) == ("level", "y", 0)
    assert left < right and top < bottom
    assert offset == pytest.approx(bottom) and offset + 10 * slope == pytest.approx(top)


@pytest.mark.parametrize(("on_rule", "control"), [(False, "level"), (True, "on"), (True, "none")])
def test_only_a_bound_rule_and_a_slider_can_be_paired(on_rule, control):
    with pytest.raises(ValueError, match=r"pick: expected a bound axvline or axhline.*; got"):
        made(on_rule, control)
