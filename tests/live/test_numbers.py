"""Numbers set as mathematics: what Python writes, and that the host writes the same."""

import math

import numpy as np
import pytest

from hosted import evaluate
from vanishing.live.page.numbers import KINDS, number

TIMES = "\u00a0×\u00a0"


@pytest.mark.parametrize(
    ("value", "kind", "digits", "said"),
    [
        (1e-21, "e", 0, "10⁻²¹"),
        (1.2e-21, "e", 1, f"1.2{TIMES}10⁻²¹"),
        (-3e-8, "e", 0, f"−3{TIMES}10⁻⁸"),
        (0.0, "e", 1, "0"),
        (1000.0, "g", 3, "1000"),
        (12345.0, "g", 3, "12300"),
        (123456.0, "g", 3, f"1.23{TIMES}10⁵"),
        (1e5, "g", 3, "10⁵"),
        (99999.0, "g", 3, "10⁵"),
        (0.00012, "g", 3, "0.00012"),
        (0.00009999, "g", 3, "0.0001"),
        (0.0000125, "g", 3, f"1.25{TIMES}10⁻⁵"),
        (1.0, "s", 3, "1.00"),
        (0.1, "s", 3, "0.100"),
        (100.0, "s", 3, "100"),
        (1e-4, "s", 3, "0.000100"),
        (-0.04, "f", 1, "0.0"),
        (-0.06, "f", 1, "−0.1"),
        (-0.0, "g", 3, "0"),
        (0.125, "f", 2, "0.12"),
        (2.5, "d", 0, "2"),
        (-0.4, "d", 0, "0"),
        (0.125, "%", 1, "12.5%"),
        (-30.8, "p", 0, "10⁻³¹"),
        (-30.8, "p", 2, f"1.6{TIMES}10⁻³¹"),
        (-0.03, "p", 1, "0.9"),
        (0.0, "p", 0, "10⁰"),
        (-999.5, "p", 1, f"3{TIMES}10⁻¹⁰⁰⁰"),
        (-math.inf, "p", 1, "0"),
        (1e7, "p", 1, "infinity"),
        (math.inf, "f", 2, "infinity"),
        (-math.inf, "e", 2, "−infinity"),
        (math.nan, "g", 2, "not a number"),
        (1e21, "f", 2, "10²¹"),
    ],
)
def test_a_number_reads_as_mathematics(value, kind, digits, said):
    assert number(value, kind, digits) == said


def test_positive_numbers_can_be_marked():
    assert [number(x, "f", 1, "+") for x in (1.0, -1.0, 0.0)] == ["+1.0", "−1.0", "+0.0"]


def sample():
    """Exact ties, ends of ranges, and numbers of all sizes."""
    rng = np.random.default_rng(0)
    ties = [0.5, 1.5, 2.5, 0.125, -0.375, 0.0625, 0.25, -2.5, 1e-4, 1e-5, 99999.5, 9.995, 1e15]
    random = rng.normal(size=200) * 10.0 ** rng.uniform(-45, 38, 200)
    usual = rng.normal(size=200) * 10.0 ** rng.integers(-5, 6, 200)
    return [0.0, -0.0, *ties, *random, *usual, 1.401298464324817e-45, float(np.float32(0.1))]


def test_the_host_writes_the_same():
    cases = [
        [x, kind, digits, sign]
        for x in sample()
        for kind in KINDS
        for digits in (0, 1, 2, 3, 6)
        for sign in ("", "+")
    ]
    source = "(cases) => cases.map(([x, type, digits, sign]) => format(x, { type, digits, sign }))"
    for case, got in zip(cases, evaluate(("numbers",), source, cases), strict=True):
        assert got == number(*case), case
