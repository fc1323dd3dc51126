"""Numbers and statements that stand as text in `initialization`, against computed ones."""

import math
import re
from itertools import pairwise
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import vanishing as vg
from vanishing.studies import starts

TEXT = Path(__file__).parents[2].joinpath("chapters", "initialization.md").read_text()


def test_numbers_in_the_text():
    for words, value in (
        (r"$\mathbb{E}[\ln \xi^2] = -\gamma - \ln 2 = -1.27$", -np.euler_gamma - np.log(2)),
        (r"$n^2 m^2 = 4n/\pi = 163$", 4 * 128 / np.pi),
        (r"$(8/9)^{10}$", (8 / 9) ** 10),
        (r"$0.9^{-50} \approx 194$", 0.9**-50),
        (r"$\sqrt{2/576} = 0.059$", (2 / 576) ** 0.5),
    ):
        assert words in TEXT
        said = re.search(r"(?:=|\\approx) (-?[\d.]+)\$$", words)
        assert said is None or value == pytest.approx(float(said[1]), rel=0.005)
    assert "a typical layer loses 72%" in TEXT
    assert round(1 - math.exp(-np.euler_gamma - math.log(2)), 2) == 0.72
    assert "differ by a factor of 14 in amplitude" in TEXT and round(0.9**-25) == 14
    assert r"$6^{-49/2} = 9 \cdot 10^{-20}$" in TEXT and round(1e20 * 6**-24.5) == 9
    assert r"$6^{-25} = 3.5 \cdot 10^{-20}$" in TEXT and round(1e20 * 6.0**-25, 1) == 3.5
    assert "$2^{-15}$ of an amplitude is well above rounding" in TEXT
    assert "by about $5L/2n$ nats, here a tenth of a power of ten" in TEXT
    lower = 5 * starts.DEPTH / (2 * starts.WIDTH) / math.log(10)
    found = starts.broken_assumptions(key=jax.random.key(3), seeds=400)["nothing"].measured
    assert round(lower, 1) == 0.1
    assert abs(found.mean() + lower) < 4 * found.std(ddof=1) / 20 + 0.01  # and terms in L/n²
    assert "nineteen powers of ten" in TEXT and round(20 * math.log10(9)) == 19


def test_pytorch_is_six_times_below_he_and_has_the_leak_of_the_text():
    he, pytorch = (vg.initializers.get(name).gain ** 2 for name in ("he", "pytorch"))
    assert "six times below He's" in TEXT and he / pytorch == pytest.approx(6)
    assert "`a=sqrt(5)`" in TEXT and pytorch == pytest.approx(2 / (1 + 5))


def test_signal_and_gradient_agree_for_two_straight_pieces_alone():
    def ratio(name):
        return float(vg.activations.second_moment(name) / vg.activations.slope_second_moment(name))

    assert ratio("relu") == pytest.approx(1, abs=1e-5)
    assert ratio("leaky_relu") == pytest.approx(1, abs=1e-5)
    for name in ("sigmoid", "tanh", "elu", "selu", "gelu", "silu"):
        assert abs(ratio(name) - 1) > 0.02


def test_either_wish_alone_will_do():
    """v = 1/n_in: the way back telescopes to n_L / n_0."""
    widths = [30, 80, 20, 120, 60]
    key, x_key, g_key = jax.random.split(jax.random.key(0), 3)
    g, up = jax.random.normal(g_key, (4000, 60)), jax.random.normal(x_key, (4000, 30))

    def chain(key):
        keys = jax.random.split(key, 4)
        return [vg.initializers.weights("lecun", pair, key=k) for pair, k in
                zip(pairwise(widths), keys, strict=True)]  # fmt: skip

    ups, backs = [], []
    for one in jax.random.split(key, 60):
        y, back = up, g
        weights = chain(one)
        for W in weights:
            y = y @ W
        for W in reversed(weights):
            back = back @ W.T
        ups.append(float(jnp.mean(y**2)))
        backs.append(float(jnp.mean(back**2)))
    for seen, law in ((ups, 1), (backs, 60 / 30)):
        assert abs(np.mean(seen) - law) < 4 * np.std(seen, ddof=1) / 60**0.5


def test_permutations_and_positive_inputs_make_relu_an_isometry():
    assert "given inputs that are positive, never meets a closed unit" in TEXT
    net = vg.MLP(8, 16, "relu", sigma_w=1.0, sigma_b=0.0)
    rng = np.random.default_rng(0)
    weights = np.stack([np.eye(16)[rng.permutation(16)] for _ in range(8)])
    params = vg.init(net, key=jax.random.key(0)) | {"weights": jnp.asarray(weights, jnp.float32)}
    x = jnp.asarray(rng.uniform(0.1, 1, 16), jnp.float32)
    np.testing.assert_allclose(vg.jacobian_spectrum(net, params, x), 1, rtol=1e-5)


def test_wrong_answers_get_a_hint():
    assert not vg.check("initialization-bound", (2 / 256) ** 0.5)
    assert not vg.check("initialization-leak", lambda a: 2 / (1 + a))
    assert not vg.check("initialization-conv", ((2 / 64) ** 0.5, 19.08))
    assert not vg.check("initialization-zigzag", 1.0)
    assert not vg.check("initialization-dropout", lambda p: 2 / p)
    assert not vg.check("initialization-square", (3**-0.5, 1.0))
    assert not vg.check("initialization-edge", lambda q: np.array([1.0, 0.0]))


def test_twins_are_told_from_others():
    def twins(net, key):
        params = vg.init(net, key=key)
        same = jnp.full_like(params["weights"], 0.1).at[0].set(params["weights"][0, :, :1])
        out = {"weights": jnp.full((net.width, 1), 0.2), "biases": jnp.zeros(1)}
        return params | {"weights": same, "read_out": out}

    def rows(net, key):
        params = twins(net, key)
        drawn = vg.init(net, key=key)["weights"]
        return params | {"weights": jnp.broadcast_to(drawn[:, :1], drawn.shape)}

    def columns(net, key):
        drawn = vg.init(net, key=key)["weights"]
        return twins(net, key) | {"weights": jnp.broadcast_to(drawn[:, :, :1], drawn.shape)}

    def with_read_out(net, key, scale=1.0):
        out = jax.tree.map(lambda part: scale * part, vg.init(net, key=key)["read_out"])
        return twins(net, key) | {"read_out": out}

    def asleep(net, key):
        params = with_read_out(net, key, 0.0)
        return params | {"weights": params["weights"].at[1:].set(0)}

    assert vg.check("initialization-copies", twins)
    assert vg.check("initialization-copies", lambda net, key: with_read_out(net, key, 0.0))
    for function, told in (
        (lambda net, key: vg.init(net, key=key), "differ already"),
        (rows, "the columns of its matrix"),
        (columns, "tells them apart"),
        (with_read_out, "tells them apart"),
        (asleep, "nothing moves them"),
        (lambda net, key: jax.tree.map(jnp.zeros_like, twins(net, key)), "never wake"),
        (lambda net, key: twins(net, key)["weights"], "as vg.init does"),
    ):
        assert told in vg.check("initialization-copies", function).message
