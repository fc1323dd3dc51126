"""Python and the host read the same value from the same input, and say it alike."""

import json

import pytest
from control_cases import CASES, LOG, SLIDER, TINY, TOGGLE

from hosted import evaluate
from vanishing.live.page.markup import json_ready
from vanishing.live.reading import read, state

PARTS = ("numbers", "controls")


@pytest.mark.parametrize(("control", "value", "meant"), CASES)
def test_python_reads_what_is_meant(control, value, meant):
    got = read(control, value)
    assert got == meant and type(got) is type(meant)


def test_the_host_reads_what_python_reads():
    specs = [[json_ready(control.spec()), value] for control, value, _ in CASES]
    got = evaluate(PARTS, "(cases) => cases.map(([c, v]) => clean(c, v))", specs)
    assert got == [json.loads(json.dumps(meant)) for _, _, meant in CASES]


def test_values_are_said_alike():
    said = [(control, meant) for control, _, meant in CASES]
    specs = [[json_ready(control.spec()), value] for control, value in said]
    got = evaluate(PARTS, "(cases) => cases.map(([c, v]) => spoken(c, v))", specs)
    assert got == [control.spoken(value) for control, value in said]


def test_a_log_slider_stops_at_every_value_that_has_a_meaning():
    got = evaluate(PARTS, "(c) => stops(c)", json_ready(LOG.spec()))
    assert got == sorted(got) and {0.01, 1.0, 100.0} <= set(got) and 150 < len(got) < 210


@pytest.mark.parametrize(
    ("control", "value"),
    [(SLIDER, "much"), (SLIDER, float("nan")), (SLIDER, None), (TOGGLE, "maybe"), (TINY, True)],
)
def test_a_caller_who_means_nothing_is_told(control, value):
    with pytest.raises(ValueError, match=rf"^{control.name}: expected .*; got .*\. "):
        state([control], {control.name: value})
