"""Numbers that stand as text in the chapter `activations`, against computed ones."""

import functools
import re
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import vanishing as vg
from vanishing import activations
from vanishing.book.activations.activation_curves import activation_curves
from vanishing.studies import comparisons, rounding

TEXT = Path(__file__).parents[2].joinpath("chapters", "activations.md").read_text()


def slope64(name, z, **options):
    """φ′ in float64; `options` go to the activation."""
    with jax.enable_x64(True):
        phi = functools.partial(activations.get(name), **options) if options else name
        return float(activations.derivative(phi)(jnp.float64(z)))


def updates(z, eta, t):
    """Updates of the chapter's neuron from z to 0, by its equation for T."""
    return np.exp(2 * abs(z)) / (24 * eta * (1 + t))


@pytest.mark.parametrize("machine", ["this one", "a perfect one"])
def test_seven_of_eight_slopes_are_zero_somewhere(machine):
    assert TEXT.count("Leaky ReLU's alone is not") == 1
    assert "only Leaky ReLU's is not" in TEXT
    slopes = {name: rounding.IDEAL[name] for name in comparisons.NAMES}
    if machine == "this one":
        slopes = {name: activations.derivative(name) for name in comparisons.NAMES}
    somewhere = [
        name
        for name, slope in slopes.items()
        if min(abs(rounding.zero_from(slope, s)) for s in (-1, 1)) < 128
    ]
    assert set(comparisons.NAMES) - set(somewhere) == {"leaky_relu"} and len(somewhere) == 7


@pytest.mark.parametrize(("name", "said"), [("gelu", -0.75), ("silu", -1.28)])
def test_where_gelu_and_silu_turn_round(name, said):
    assert "at $-0.75$ and $-1.28$" in TEXT
    assert slope64(name, said - 0.01) < 0 < slope64(name, said + 0.01)


def test_the_ways_back_are_as_long_as_the_text_says():
    t = np.tanh(1.5)
    assert "some 36 000 updates" in TEXT and round(updates(-6, 0.1, t), -3) == 36_000
    assert "half a million updates" in TEXT and 4.5e5 < updates(-8.1, 0.5, t) < 5.5e5
    assert "660 000" in TEXT
    assert round(float(np.exp(12) * (1 + np.exp(-1.5)) / 0.3), -4) == 660_000
    assert "about $5 \\cdot 10^{-9}$ an update" in TEXT
    assert round(3 * 0.1 * (1 + t) * slope64("tanh", -10) * 1e9) == 5


def test_what_the_links_to_the_live_figure_show():
    """By the page's own arithmetic, which is not always this machine's."""
    live = activation_curves()
    cases = (("tanh", 10, 1.59), ("tanh", 10, 10.0), ("gelu", 20, 1.53), ("gelu", 20, 1.8))
    for name, _, sigma_w in cases:
        assert re.search(rf"activation={name}&sigma_w={sigma_w:g}\b", TEXT)
    calls = [
        tuple(live.machine.arguments({"activation": name, "layer": layer, "sigma_w": sigma_w,
                                      "sigma_b": 0.0, "seed": 0}))
        for name, layer, sigma_w in cases
    ]  # fmt: skip
    near, ten, less, more = live.programs["compute"].run_many(calls)
    assert near["zero"] == 0
    assert abs(ten["zero"] - 0.4) < 0.03 and ten["dead"] == 0  # "two in five"
    assert 25 < more["spread"] / less["spread"] < 35  # "thirty times the spread"
    assert abs(more["dead"] - 1 / 3) < 0.03 and less["dead"] == 0


def test_hand_written_gradients_fail_where_the_text_says():
    def square_overflows(z):
        return np.exp(np.float64(2 * z)) > np.finfo(np.float32).max

    assert "from $-44.4$ on" in TEXT and "goes wrong at 44.4" in TEXT
    assert square_overflows(44.4) and not square_overflows(44.3)
    assert "$10^{-43}$" in TEXT and f"{4 * np.exp(-100.0):.0e}" == "1e-43"


def test_the_numbers_of_the_quizzes():
    assert "it is 1.08" in TEXT and f"{slope64('gelu', 1.0):.2f}" == "1.08"
    assert "2.4 × 10⁻⁷" in TEXT and f"{np.spacing(np.float32(10 / 3)):.1e}" == "2.4e-07"
    assert rounding.IDEAL["gelu"](np.float32(-6)) == 0
    assert abs(activations.derivative("gelu")(-6.0)) < 1e-2  # saturated on any machine


def test_momentum_pushes_on_in_the_direction_of_the_accident():
    assert "does not: it remembers the accident itself, and pushes on" in TEXT
    z, velocity, path = 1.5, 0.0, []
    for step in range(300):
        delta = 38.33 if step == 0 else (np.tanh(z) - np.tanh(1.5)) / np.cosh(z) ** 2
        velocity = 0.9 * velocity + delta
        z -= 3 * 0.1 * velocity
        path.append(z)
    assert path[0] == pytest.approx(-10, abs=0.01) and path[1] < -20 and path[-1] < -100
    assert np.all(np.diff(path) <= 0)


def test_a_large_output_is_no_sign_of_life():
    """As in the chapter, from other weights and inputs; small outputs are `dead-neurons`'s."""
    assert "No output is anywhere near zero, and most units are dead" in TEXT
    net = vg.MLP(depth=10, width=64, sigma_w=0.7, sigma_b=40.0)
    for seed in (2, 3):
        x = jax.random.normal(jax.random.key(seed), (64, 64))
        params = vg.init(net, key=jax.random.key(seed + 10))
        pre, post = (np.asarray(layers[-1]) for layers in vg.forward(net, params, x))
        rounded = rounding.IDEAL["tanh"](pre)
        assert np.abs(post).min(axis=0).mean() > 0.9
        assert (rounded == 0).all(axis=0).mean() > 0.5


def test_wrong_answers_get_a_hint_and_right_ones_do_not():
    assert not vg.check("activations-saturation", (3.0, 4.6))
    assert not vg.check("activations-bfloat16", 9.01)
    assert not vg.check("activations-elu", lambda z: jnp.where(z > 0, z, jnp.exp(z) - 1))
    assert not vg.check("activations-elu", jax.nn.relu)
    assert vg.check("activations-elu", jax.nn.elu)
    assert not vg.check("activations-leak", 2**0.5)
    assert not vg.check("activations-return", 1000)
    assert not vg.check("activations-own", jax.nn.relu)
    assert not vg.check("activations-own", jnp.tanh)
    assert "straight" in vg.check("activations-own", lambda z: z).message
    assert "straight" in vg.check("activations-own", lambda z: z + 0.01 * jnp.tanh(z)).message
    assert "corner" in vg.check("activations-own", lambda z: jax.nn.leaky_relu(z, 0.5)).message
    assert vg.check("activations-own", lambda z: z + 0.2 * jnp.tanh(z))


def test_the_wrong_reason_is_told_from_the_right_one():
    def judged(function):
        return vg.check("activations-reason", function)

    assert judged(lambda z: jnp.tanh(jnp.cbrt(z)))
    assert judged(lambda z: np.sign(z) * np.minimum(np.abs(z) ** 0.5, 7) / 8)
    assert judged(lambda z: 0.3 * np.tanh(z - z * np.log(np.clip(np.abs(z), 1e-99, 1))))
    for function, told in (
        (lambda z: jnp.tanh(3 * z), "answers the first question"),
        (lambda z: jnp.tanh(1000 * z), "answers the first question"),
        (lambda z: jnp.tanh(z), "Near 0 its slope does not grow beyond 1."),
        (lambda z: 0.5 * jnp.sign(z) + 0.1 * jnp.tanh(z), "jumps"),
        (jnp.cbrt, "leaves (−1, 1)"),
        (lambda z: jnp.power(z, 1 / 3) / 9, "no number"),
        (jnp.sin, "does not increase"),
        (lambda z: 0 * z, "does not increase"),
        (lambda z: 0.5, "one value for each z"),
    ):
        assert told in judged(function).message


def test_the_exact_slope_is_told_from_others():
    def judged(slope, value=jnp.tanh):
        phi = jax.custom_jvp(value)
        phi.defjvp(lambda z, dz: (value(z[0]), slope(z[0]) * dz[0]))
        return vg.check("activations-exact", phi)

    def formula(distance):
        return lambda z: 4 * jnp.exp(-2 * distance(z)) / (1 + jnp.exp(-2 * distance(z))) ** 2

    assert judged(formula(jnp.abs)) and judged(lambda z: 1 / jnp.cosh(z) ** 2)
    assert "still exactly zero" in vg.check("activations-exact", jnp.tanh).message
    assert "wrong below" in judged(formula(lambda z: z)).message
    assert "values" in judged(formula(jnp.abs), jnp.sin).message
    assert "1/cosh²" in judged(lambda z: 2 * formula(jnp.abs)(z)).message
