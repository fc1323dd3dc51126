"""Numbers that stand as text in the chapter `no-learning`, against computed ones."""

import math
import re
from pathlib import Path

import numpy as np

import vanishing as vg

TEXT = Path(__file__).parents[2].joinpath("chapters", "no-learning.md").read_text()
FACTOR = math.sqrt(vg.theory.chi("sigmoid", 1.0))


def test_guessing_among_ten_costs_what_the_text_says():
    (said,) = re.findall(r"\\ln 10 \\approx ([\d.]+)", TEXT)
    assert said == f"{math.log(10):.2f}"


def test_a_loss_of_four_point_six_is_that_of_a_hundred_classes():
    assert "loss of 4.6" in TEXT and f"{math.log(100):.1f}" == "4.6"


def test_the_factor_of_the_exercise_is_that_of_the_theory():
    assert "\\sqrt{\\chi_1} = 0.236" in TEXT and f"{FACTOR:.3f}" == "0.236"
    assert 4 < 1 / FACTOR < 4.5  # "about four times more slowly"


def test_thirty_quarters_leave_what_the_text_says():
    (power,) = re.findall(r"0\.25\^\{30\} \\approx 10\^\{-(\d+)\}", TEXT)
    assert round(30 * math.log10(4)) == int(power)


def test_float64_buys_some_fifteen_layers_more():
    single, double = (math.ceil(bits * math.log(2) / -math.log(FACTOR)) for bits in (24, 53))
    assert "some fifteen layers more" in TEXT and 13 <= double - single <= 15


def test_a_float32_loses_what_the_text_says():
    half = np.finfo(np.float32).eps / 2
    assert "$6 \\cdot 10^{-8}$" in TEXT and f"{half:.0e}" == "6e-08"
    assert "2^{-27}" in TEXT and np.spacing(np.float32(0.1)) == 2.0**-27


def test_wrong_answers_get_a_hint_and_right_ones_do_not():
    assert not vg.check("no-learning-entropy", math.log(10))
    assert not vg.check("no-learning-layers", 11)
    assert "float32" in vg.check("no-learning-rounding", 8).message
    assert vg.check("no-learning-guess", math.log(26))
    assert not vg.check("no-learning-rescue", 1.0)
