"""Numbers that stand as text in the chapter `no-learning`, against computed ones."""

import math
import re
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

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


def test_inputs_at_a_right_angle_come_as_close_as_the_margin_says():
    assert "in fifty layers down to a tenth of their distance" in TEXT
    theta = math.pi / 2
    for _ in range(50):  # Cho and Saul's map, as in the chapter on dead neurons
        theta = math.acos((math.sin(theta) + (math.pi - theta) * math.cos(theta)) / math.pi)
    assert math.sqrt(1 - math.cos(theta)) == pytest.approx(0.1, abs=0.02)
    net = vg.MLP(50, 512, "relu", "he")
    pair = math.sqrt(512) * jnp.eye(512)[:2]
    for seed in range(4):
        top = vg.forward(net, vg.init(net, key=jax.random.key(seed)), pair).post[-1]
        size = jnp.linalg.norm(top, axis=1)
        assert float(top[0] @ top[1] / size.prod()) > 0.97


def test_adam_with_a_harmless_epsilon_moves_all_layers_and_leaves_guessing():
    """Over eight starts the loss is then 1.93 ± .05, and the least that a layer moved is .47."""
    assert "from each of eight starts within 600 steps" in TEXT
    digits = vg.datasets.digits(1000)
    net = vg.MLP(30, 64, "sigmoid", sigma_w=1.0, sigma_b=0.0, out_features=10)
    with jax.enable_x64(True):
        wide = vg.datasets.Dataset(np.asarray(digits.x, np.float64), digits.y)
        for seed in (20, 21):
            _, history = vg.train(
                net, vg.init(net, key=jax.random.key(seed)), wide, key=jax.random.key(seed),
                steps=600, optimizer=optax.adam(0.001, eps=1e-30), batch_size=128, record_every=600,
            )  # fmt: skip
            assert history.loss[-1] < math.log(10) - 0.1
            assert history.moved[-1].min() > 0.25 and history.moved[-1].max() < 2
            assert 0.15 < history.accuracy[-1] < 0.3


def test_a_sigmoid_without_its_half_is_tanh_in_disguise():
    assert r"\tfrac12 \tanh \tfrac z2" in TEXT

    def centred(z):
        return jax.nn.sigmoid(z) - 0.5

    z = jnp.linspace(-20, 20, 401)
    np.testing.assert_allclose(centred(z), jnp.tanh(z / 2) / 2, atol=1e-6)
    for sigma_w in (1.0, 2.0, 4.0):
        assert vg.theory.chi(centred, sigma_w) ** 0.5 == pytest.approx(sigma_w / 4, rel=1e-5)


def test_wrong_answers_get_a_hint_and_right_ones_do_not():
    assert not vg.check("no-learning-entropy", math.log(10))
    assert not vg.check("no-learning-layers", 11)
    assert "float32" in vg.check("no-learning-rounding", 8).message
    assert vg.check("no-learning-guess", math.log(26))
    assert not vg.check("no-learning-rescue", 1.0)
    assert not vg.check("no-learning-rescue", 10.0)  # which the chapter gives to the sigmoid itself
    assert vg.check("no-learning-rescue", 5.0)


def test_what_a_read_out_alone_can_read():
    assert vg.check("no-learning-readout", (0.97, 0.12))
    for shares, told in (
        ((0.12, 0.97), "two layers come first"),
        ((0.97, 0.6), "Behind thirty, what is left"),
        ((0.4, 0.1), "for longer"),
        ((0.5, 0.5), "Give both shares"),
        ((97, 12), "from 0 to 1"),
        ((np.nan, 0.1), "from 0 to 1"),
    ):
        assert told in vg.check("no-learning-readout", shares).message


def test_the_first_step_of_adam():
    assert vg.check("no-learning-adam", lambda g, eps: g / (g + eps))
    assert vg.check("no-learning-adam", lambda g, eps: 1 / (1 + eps / g))
    assert "Adam without ε" in vg.check("no-learning-adam", lambda g, eps: 1.0).message
    assert "added below" in vg.check("no-learning-adam", lambda g, eps: g / eps).message
    root = vg.check("no-learning-adam", lambda g, eps: g / (g**2 + eps) ** 0.5)
    assert "added below" in root.message


def test_a_suspect_is_told_from_a_culprit():
    spirals = vg.datasets.spirals(64, key=jax.random.key(0))

    # After 200 steps the second ends between .25 and .79 for eight seeds, after 800 below .03.
    def run(sigma_w, learning_rate=1.0, steps=800):
        net = vg.MLP(8, 16, "tanh", sigma_w=sigma_w, in_features=2, out_features=1)
        params = vg.init(net, key=jax.random.key(1))
        return vg.train(net, params, spirals, key=jax.random.key(2), steps=steps,
                        learning_rate=learning_rate, record_every=10)[1]  # fmt: skip

    rests, learns = run(0.3), run(1.5, 0.3)
    assert rests.loss[-1] > 0.6 and learns.loss[-1] < 0.5
    assert vg.check("no-learning-own", (rests, learns))
    for answer, told in (
        ((learns, rests), "first still learns"),
        ((rests, run(0.3, 2.0)), "suspect is not the cause"),
        ((rests, run(1.5, steps=100)), "as many steps"),
        ((rests, run(1.5, learning_rate=1e38)), "diverged"),
        ((rests, learns, learns), "Give two histories"),
        ((0.69, 0.1, None), "Give two histories"),
    ):
        assert told in vg.check("no-learning-own", answer).message
