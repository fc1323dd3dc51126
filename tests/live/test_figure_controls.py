"""Controls: what they accept, how they reach JAX, how they are said."""

import numpy as np
import pytest

from vanishing.live import Choice, Seed, Slider, Toggle
from vanishing.live.names import check_controls
from vanishing.live.page.form import label_html


@pytest.mark.bad_input
@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Slider("x", 1.0, 1.0, value=1.0), "minimum < maximum"),
        (lambda: Slider("x", 0.0, 1.0, value=2.0), r"a value in \[0.0, 1.0\]; got 2.0"),
        (lambda: Slider("x", 0.0, 1.0), "a value in"),
        (lambda: Slider("x", 0.0, 1.0, value=0.5, log=True), "positive minimum"),
        (lambda: Slider("x", 0.0, 1.0, value=0.5, step=-0.1), "positive step"),
        (lambda: Slider("x", 0.05, 1.0, value=0.5, step=0.1), r"0.05 \+ k × 0.1"),
        (lambda: Slider("σ w", 0.0, 1.0, value=0.5), "identifier"),
        (lambda: Choice("x", ["a"]), "two or more distinct"),
        (lambda: Choice("x", ["a", "a"]), "two or more distinct"),
        (lambda: Choice("x", ["a", "b"], value="c"), "one of"),
        (lambda: Choice("x", "tanh"), "a list of options"),
        (lambda: Seed("x", value=-1), "0 ≤ value"),
        (lambda: Seed("x", value=True), "a whole number"),
        (lambda: Toggle("x", value="false"), "True or False"),
        (lambda: Slider("x", 0.0, 1.0, value=0.5, marks={2.0: "two"}), "marks in"),
        (lambda: Slider("x", 0.0, float("inf"), value=0.5), "a finite number as maximum"),
        (lambda: Slider("x", "0", 1.0, value=0.5), "a finite number as minimum"),
    ],
)
def test_what_cannot_be_moved_is_refused(make, words):
    with pytest.raises(ValueError, match=words):
        make()


@pytest.mark.bad_input
def test_names_are_distinct():
    with pytest.raises(ValueError, match=r"got \['x'\] twice"):
        check_controls([Seed("x"), Toggle("x")], animated=False)
    with pytest.raises(TypeError, match="got str"):
        check_controls(["sigma_w"], animated=False)


@pytest.mark.parametrize(
    ("control", "value", "dtype", "said"),
    [
        (Slider("x", 0.1, 3.0, value=1.0, step=0.01), 1.5, "float32", "1.50"),
        (Slider("x", 1, 100, value=50), 7, "int32", "7"),
        (Slider("x", 1e-4, 1.0, value=0.01, log=True), 0.0123456, "float32", "0.0123"),
        (Slider("x", 0.1, 8.0, value=1.0, log=True), 1.0, "float32", "1.00"),
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


def test_numbers_of_numpy_are_numbers():
    whole = Slider("x", np.int64(1), np.int32(9), value=np.uint8(3))
    assert whole.integer and whole.argument(3).dtype == "int32" and type(whole.value) is int
    assert Slider("x", np.float32(0), np.float32(1), value=np.float32(0.5)).step == 0.01


def test_tiny_steps_keep_their_digits():
    slider = Slider("x", 0.0, 1e-6, value=5e-8, step=5e-8)
    assert slider.decimals == 8 and slider.spoken(5e-8) == "0.00000005"


def test_labels_set_subscripts_and_escape():
    assert label_html("σ_w < 1") == "σ<sub>w</sub> &lt; 1"
