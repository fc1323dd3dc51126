"""Numbers that stand as text on the page `rounding`, and of it in `activations`."""

import functools
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from vanishing import activations
from vanishing.studies import rounding

CHAPTERS = Path(__file__).parents[2] / "chapters"
TEXT = (CHAPTERS / "rounding.md").read_text()
SHORT = (CHAPTERS / "activations.md").read_text()


def test_the_ends_of_correctly_rounded_slopes_are_those_in_the_text():
    for words, value in (
        (r"13 \ln 2 = 9.01", 13 * np.log(2)),
        (r"25 \ln 2 = 17.33", 25 * np.log(2)),
    ):
        assert words in SHORT and words.endswith(f"{value:.2f}")
    for name, said in (("gelu", "$-5.16$"), ("elu", "$-17.33"), ("selu", "$-17.33")):
        assert said in TEXT and said in SHORT
        assert f"{rounding.zero_from(rounding.IDEAL[name], -1):.2f}" in said


@pytest.mark.skipif(jax.default_backend() != "cpu", reason="numbers of XLA's CPU backend")
def test_the_ends_on_a_processor_are_those_in_the_text():
    ends = [rounding.zero_from(activations.derivative(name), s) for name, s in
            (("tanh", 1), ("gelu", -1))]  # fmt: skip
    assert "from 7.999 on" in TEXT and "from 7.999 on" in SHORT and "replaced by 1 at 20" in TEXT
    assert "at $-4.87$ or $-7.35$, with and without fused" in TEXT
    expected = (7.999, -4.868) if rounding.fuses_products() else (20.0, -7.345)
    assert ends == pytest.approx(expected, abs=5e-4)


def test_the_true_slope_of_gelu_where_the_computed_one_ends():
    assert r"$-3.3 \cdot 10^{-6}$" in TEXT
    with jax.enable_x64(True):
        exact = functools.partial(jax.nn.gelu, approximate=False)
        slope = float(jax.grad(exact)(jnp.float64(-5.15786)))
    assert f"{slope:.1e}" == "-3.3e-06"


def test_compile_time_rounding_is_as_the_margin_says():
    folded = float(jax.jit(lambda: jax.grad(jnp.tanh)(8.5))())
    assert r"$1.2 \cdot 10^{-7}$" in TEXT and f"{folded:.1e}" == "1.2e-07"
    assert folded != jax.grad(jnp.tanh)(8.5)


def test_tanh_without_fused_products_keeps_no_more_than_the_text_says():
    # One float below 1 is what is left: (1 + t)(1 − t) with 1 − t = 2⁻²⁴ is 1.2e-7, with two
    # and three such steps 2.4e-7 and 3.6e-7.
    assert r"up to $4 \cdot 10^{-7}$, none of it true" in TEXT
    slope = np.asarray(activations.derivative("tanh")(rounding.floats(10.0, 128.0, 64)))
    assert slope.max() < 4e-7 and 1 / np.cosh(10.0) ** 2 < 1e-8


def test_half_precision_has_the_digits_and_the_range_of_the_text():
    assert "below $6 \\cdot 10^{-5}$" in TEXT
    assert f"{float(jnp.finfo(jnp.float16).tiny):.0e}" == "6e-05"
    tiny = [float(jnp.finfo(dtype).tiny) for dtype in (jnp.bfloat16, jnp.float32)]
    assert tiny[0] == tiny[1] and jnp.finfo(jnp.bfloat16).nmant == 7
    assert np.float16(6.2e-5 * 2**-4) != np.float32(6.2e-5 * 2**-4)


def test_a_slope_without_the_subtraction_lives_nearly_five_times_as_far():
    forms = rounding.FORMS["tanh"]
    end = rounding.zero_from(jax.jit(forms["4e⁻²ᶻ/(1 + e⁻²ᶻ)²"]))
    assert "lives nearly five times as far" in TEXT and 4.5 < end / (13 * np.log(2)) < 6
