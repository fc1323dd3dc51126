"""Controls: what they accept, how they reach JAX, how they are said."""

import numpy as np
import pytest

from vanishing.live import Choice, Seed, Slider, Toggle
from vanishing.live.controls import clean, label_html, validate


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Slider("x", 1.0, 1.0, value=1.0), "minimum < maximum"),
        (lambda: Slider("x", 0.0, 1.0, value=2.0), r"a value in \[0.0, 1.0\], got 2.0 instead"),
        (lambda: Slider("x", 0.0, 1.0), "a value in"),
        (lambda: Slider("x", 0.0, 1.0, value=0.5, log=True), "positive minimum"),
        (lambda: Slider("x", 0.0, 1.0, value=0.5, step=-0.1), "positive step"),
        (lambda: Slider("x", 0.05, 1.0, value=0.5, step=0.1), r"0.05 \+ k × 0.1"),
        (lambda: Slider("σ w", 0.0, 1.0, value=0.5), "identifier"),
        (lambda: Choice("x", ["a"]), "two or more distinct"),
        (lambda: Choice("x", ["a", "a"]), "two or more distinct"),
        (lambda: Choice("x", ["a", "b"], value="c"), "one of"),
        (lambda: Seed("x", value=-1), "0 ≤ value"),
    ],
)
def test_what_cannot_be_moved_is_refused(make, words):
    with pytest.raises(ValueError, match=words):
        make()


def test_names_are_distinct():
    with pytest.raises(ValueError, match=r"\['x'\] more than once"):
        validate([Seed("x"), Toggle("x")])
    with pytest.raises(TypeError, match="got str instead"):
        validate(["sigma_w"])


@pytest.mark.parametrize(
    ("control", "value", "dtype", "said"),
    [
        (Slider("x", 0.1, 3.0, value=1.0, step=0.01), 1.5, "float32", "1.50"),
        (Slider("x", 1, 100, value=50), 7, "int32", "7"),
        (Slider("x", 1e-4, 1.0, value=0.01, log=True), 0.0123456, "float32", "0.0123"),
        (Choice("x", ["a", "b"]), "b", "int32", "b"),
        (Toggle("x"), True, "bool", "on"),
        (Seed("x"), 2**31 - 1, "int32", "2147483647"),
    ],
)
def test_how_values_reach_jax_and_the_reader(control, value, dtype, said):
    argument = control.argument(value)
    assert argument.dtype == dtype and argument.shape == ()
    assert control.spoken(value) == said


def test_default_steps_are_round():
    assert Slider("x", 0.1, 3.0, value=1.0).step == pytest.approx(0.02)
    assert Slider("x", 0.0, 1.0, value=0.5).step == pytest.approx(0.01)
    assert Slider("x", 0, 10, value=5).step == 1


def test_clean_is_a_projection():
    slider = Slider("x", 0.1, 3.0, value=1.0)
    assert [clean(slider, v) for v in (-1, 0.5, 99, np.nan)] == [0.1, 0.5, 3.0, 1.0]
    assert clean(Choice("x", ["a", "b"]), "z") == "a"
    assert clean(Slider("x", 1, 9, value=3), 2.6) == 3


def test_labels_set_subscripts_and_escape():
    assert label_html("σ_w < 1") == "σ<sub>w</sub> &lt; 1"
