"""Numbers and statements that stand as text in `residual-connections`, against computed ones."""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import vanishing as vg
from vanishing.studies import paths, shattering

TEXT = Path(__file__).parents[2].joinpath("chapters", "residual-connections.md").read_text()


def test_the_counts_of_the_text():
    assert r"$2^{50} \approx 10^{15}$" in TEXT and pytest.approx(1e15, rel=0.15) == 2**50
    assert r"\approx 1/e" in TEXT and pytest.approx(np.exp(-1), rel=0.02) == (1 + 1 / 50) ** -50
    assert "half of the branches" in TEXT
    unscaled = vg.MLP(50, 8, "relu", "he", residual=1.0)
    np.testing.assert_allclose(paths.through_branch(unscaled), 0.5, atol=1e-6)


def test_normalised_paths_grow_like_a_logarithm():
    """The text says "about ln L"; the answer to an exercise says "fewer than seven"."""
    assert r"about $\ln L$" in TEXT and "fewer than seven branches" in TEXT
    for depth in (50, 1000):
        net = vg.MLP(depth, 4, "relu", "he", residual=1.0, normalization="layer", epsilon=0.0)
        mean = paths.through_branch(net).sum()
        assert mean == pytest.approx(np.log(depth), abs=0.5)
    assert mean < 7


def test_the_grid_has_the_step_that_the_text_names():
    x = shattering.inputs().ravel()
    assert "$0.016$ further on" in TEXT and "256 inputs" in TEXT and len(x) == 256
    assert float(x[1] - x[0]) == pytest.approx(0.016, abs=0.0005)


def test_the_power_law_has_the_exponent_of_the_text():
    assert "falls like $L^{-3}$" in TEXT
    gradient = shattering.expected_correlation(4000)[1]
    assert np.log2(gradient[4000] / gradient[2000]) == pytest.approx(-3, abs=0.05)


def test_relu_and_sigmoid_branches_are_what_the_text_says():
    """For ReLU χ = v, with any weights; for the sigmoid χ < v."""
    moments = vg.activations.second_moment, vg.activations.slope_second_moment
    added, passed = (float(moment("relu")) for moment in moments)
    assert added == pytest.approx(passed, rel=1e-5)
    added, passed = (float(moment("sigmoid")) for moment in moments)
    assert passed < 0.2 * added


def test_post_norm_changes_the_gradient_by_the_law_of_the_text():
    """One block in 32 wide networks: the mean square, on the way back, against (1 + χ)/(1 + v)."""
    phi, n = jnp.tanh, 400

    def norm(h):
        h = h - h.mean(axis=-1, keepdims=True)
        return h / jnp.sqrt((h**2).mean(axis=-1, keepdims=True))

    def factor(key):
        x_key, w_key, g_key = jax.random.split(key, 3)
        h = norm(jax.random.normal(x_key, (4, n)))
        W, g = 2 * jax.random.normal(w_key, (n, n)) / n**0.5, jax.random.normal(g_key, (4, n))
        back = jax.vjp(lambda h: norm(h + phi(h) @ W), h)[1](g)[0]
        return jnp.mean(back**2) / jnp.mean(g**2)

    measured = jax.lax.map(factor, jax.random.split(jax.random.key(0), 32)).mean()
    added = 4 * float(vg.activations.second_moment("tanh"))
    passed = 4 * float(vg.activations.slope_second_moment("tanh"))
    assert float(measured) == pytest.approx((1 + passed) / (1 + added), rel=0.03)


def test_wrong_answers_get_a_hint():
    name = "residual-connections"
    assert not vg.check(f"{name}-paths", (8000, 2**20))
    assert not vg.check(f"{name}-scale", 0.1)
    assert not vg.check(f"{name}-length", 25.0)
    assert not vg.check(f"{name}-pull", lambda g, h, W, alpha: alpha * (g @ W.T))
    assert not vg.check(f"{name}-cosine", 0.988)
    assert not vg.check(f"{name}-post", 1.0)
    told = vg.check(f"{name}-zero", (0.2, 0.2)).message
    assert "The first number is ∂C/∂W" in told
    assert vg.check(f"{name}-zero", (0.0, 0.2)) and not vg.check(f"{name}-zero", (0.0, 0.0))


def test_batch_normalised_paths_are_as_short_as_the_text_says():
    """Measured 4.9 ± 0.15 over networks."""
    assert "Its paths pass about five branches" in TEXT
    net = vg.MLP(50, 64, "relu", "he", residual=1.0, normalization="batch")
    share = paths.shares(net, key=jax.random.key(0), seeds=4, batch=32)
    assert 4 < float((share @ jnp.arange(51.0)).mean()) < 6


def test_lesions_are_told_from_other_cuts():
    def without(net, params, x, block):
        h = x
        for k, (W, b) in enumerate(zip(params["weights"], params["biases"][:, None], strict=True)):
            if k != block:
                f = jnp.tanh(h @ W + b) if net.residual is None else jnp.tanh(h) @ W + b
                h = f if net.residual is None else h + net.residual * f
        return h @ params["read_out"]["weights"] + params["read_out"]["biases"][None]

    def silenced(net, params, x, block):
        zeros = {name: params[name].at[block].set(0) for name in ("weights", "biases")}
        return vg.apply(net, params | zeros, x)

    def judged(function):
        return vg.check("residual-connections-lesion", function)

    assert judged(without)
    for function, told in (
        (silenced, "Right with skips."),
        (lambda net, params, x, block: without(net, params, x, block + 1), "count from 0"),
        (lambda net, params, x, block: vg.apply(net, params, x), "one layer less"),
        (lambda net, params, x, block: without(net, params, x, block)[0], "a row for each input"),
    ):
        assert told in judged(function).message
