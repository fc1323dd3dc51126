"""Numbers and links that stand as text in the chapter `chain-rule`, against computed ones."""

import functools
import re
from dataclasses import replace
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import vanishing as vg
from vanishing.book.chain_rule.microscope import microscope

TEXT = Path(__file__).parents[2].joinpath("chapters", "chain-rule.md").read_text()


@functools.cache
def figure():
    return microscope()


def look(**values):
    """Decades of gradient between the last layer and the first, measured and expected."""
    shown = figure().evaluate(**values)
    return shown["gradient"][0], shown["gradient_law"][0]


def test_what_the_text_says_of_the_linked_states():
    he = {"activation": "relu", "sigma_w": 1.41421}
    assert ": 31 powers of ten" in TEXT and look(sigma_w=1.0) == pytest.approx((-31, -31), abs=0.5)
    assert "bring nearly all of it back" in TEXT and look(sigma_w=8.0)[0] > -4
    assert figure().evaluate(sigma_w=8.0)["saturated"][49] > 0.2
    assert look(activation="relu")[0] < -6 and abs(look(**he)[1]) < 0.01
    assert "hardly loses anything" in TEXT and -1.5 < look(activation="tanh")[0] < 0.5
    assert look(activation="tanh", sigma_w=2.5)[0] > 4
    saturated = figure().evaluate(activation="tanh", sigma_w=2.5)["saturated"][49]
    assert "one pair in seven is saturated" in TEXT and 0.11 < saturated < 0.18


def test_the_story_of_ten_sigmoid_layers():
    described = {1: 5.7, 4: 3.6, 16: 1.9, 64: 0.6}
    inputs, cotangent = jax.random.normal(jax.random.key(0), (2, 32, 400))
    factors = []
    for variance, decades in described.items():
        net = vg.MLP(depth=10, width=400, activation="sigmoid", sigma_w=variance**0.5)
        params = vg.init(net, key=jax.random.key(variance))
        log = vg.probe(net, params, inputs, cotangent).log_gradient_rms
        lost = float(log[-1] - log[0])
        factors.append(np.exp(-lost / 9))
        assert f"minus {decades}" in TEXT and lost / np.log(10) == pytest.approx(decades, abs=0.06)
    assert "0.23; the others reach about 0.40, 0.61 and 0.85" in TEXT
    assert factors == pytest.approx([0.23, 0.40, 0.61, 0.85], abs=6e-3)


def test_the_first_line_by_pencil():
    assert r"\sigma(1) = 0.7311$, $\sigma'(1) = 0.7311 \cdot 0.2689 = 0.1966$" in TEXT
    value, slope = jax.value_and_grad(jax.nn.sigmoid)(1.0)
    assert [f"{n:.4f}" for n in (value, 1 - value, slope)] == ["0.7311", "0.2689", "0.1966"]


def test_the_factors_in_the_quiz():
    factors = [vg.theory.chi("sigmoid", scale) ** 0.5 for scale in (1.0, 2.0)]
    assert "{:.3f} becomes {:.3f}".format(*factors) in TEXT


def test_powers_in_the_text():
    for words, value in (
        (r"$2^{-24.5} \approx 4 \cdot 10^{-8}$", 2**-24.5 / 1e-8),
        (r"$125 \ln 2 / \ln 6 \approx 48$", 125 * np.log(2) / np.log(6)),
        (r"$0.25^{10} \approx 10^{-6}$", 0.25**10 / 1e-6),
    ):
        assert words in TEXT
        said = re.search(r"\\approx (?:10\^{-6}|([\d.]+))", words)
        if said and said[1]:
            assert value == pytest.approx(float(said[1]), rel=0.08)
        elif said:
            assert value == pytest.approx(1, rel=0.08)
    assert np.finfo(np.float32).eps ** (1 / 3) == pytest.approx(0.005, rel=0.05)


def test_the_squared_error_loses_what_the_text_says_where_it_is_most_wrong():
    def squared(o):
        return 0.5 * (jax.nn.sigmoid(o) - 1) ** 2

    assert r"leaves $5 \cdot 10^{-5}$" in TEXT and f"{-jax.grad(squared)(-10.0):.0e}" == "5e-05"
    for o in (-10.0, 0.7):
        p = float(jax.nn.sigmoid(o))
        by_log = jax.grad(lambda o: -jax.nn.log_sigmoid(o))(o)
        assert float(by_log) == pytest.approx(p - 1, rel=1e-6)
        assert float(jax.grad(squared)(o)) == pytest.approx((p - 1) * p * (1 - p), rel=1e-5)


def test_slopes_alone_are_a_third_with_the_wrong_sign():
    assert "a third of the true size and the wrong sign, for $w_2 w_3 = -3$" in TEXT
    assert -1.5 * 2 == -3


def test_how_far_a_blind_instrument_sees():
    assert vg.check("chain-rule-blind", 48) and vg.check("chain-rule-blind", 49)
    assert "its square" in vg.check("chain-rule-blind", 97).message
    assert "by the mean" in vg.check("chain-rule-blind", 57).message
    assert "logarithms" in vg.check("chain-rule-blind", 126).message
    assert "logarithms" in vg.check("chain-rule-blind", np.nan).message


def test_a_test_of_a_backward_pass_is_tested():
    def against_jax(backward, net, tolerance=1e-3):
        params = vg.init(net, key=jax.random.key(0))
        x, g = jax.random.normal(jax.random.key(1), (2, 8, net.width))
        right = jax.grad(lambda params: jnp.sum(g * vg.apply(net, params, x)))(params)
        by_hand = x.T @ backward(net, params, vg.forward(net, params, x), g)[0]
        return bool(jnp.allclose(by_hand, right["weights"][0], rtol=tolerance, atol=tolerance))

    def judged(test):
        return vg.check("chain-rule-bugs", test)

    deep = vg.MLP(depth=4, width=8, activation="tanh")
    assert judged(lambda backward: against_jax(backward, deep))
    for test, told in (
        (lambda backward: True, "passes this bug: no transpose"),
        (lambda backward: False, "fails a backward pass that is right"),
        (lambda backward: against_jax(backward, replace(deep, depth=1)), "no transpose"),
        (lambda backward: against_jax(backward, replace(deep, activation="relu")), "slope at h"),
        (lambda backward: against_jax(backward, deep, 1e9), "passes this bug"),
        (lambda backward: backward(), "Your function raised TypeError"),
    ):
        assert told in judged(test).message
