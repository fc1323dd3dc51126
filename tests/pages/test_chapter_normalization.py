"""Numbers and statements that stand as text in `normalization`, against computed ones."""

import math
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import vanishing as vg
from vanishing.moments import gaussian_mean
from vanishing.studies import normalization as study

TEXT = Path(__file__).parents[2].joinpath("chapters", "normalization.md").read_text()


def test_the_factors_of_the_text():
    limit = math.pi / (math.pi - 1)
    assert "\\approx 1.467" in TEXT and round(limit, 3) == 1.467
    assert "\\sqrt{1.467} = 1.211" in TEXT and round(limit**0.5, 3) == 1.211
    assert "\\approx 10^{4.1}" in TEXT and round(49 / 2 * math.log10(limit), 1) == 4.1
    assert "1 - \\frac1\\pi = 0.68" in TEXT and round(1 - 1 / math.pi, 2) == 0.68
    assert "with 8 inputs the squared gradient grows by 1.8" in TEXT
    assert round(float(study.relu_factor(8)), 1) == 1.8
    assert "explode by 1.47" in TEXT and round(limit, 2) == 1.47


@pytest.mark.parametrize("kind, said", [("batch", 1.03), ("layer", 0.15)])
def test_the_sigmoid_s_factors(kind, said):
    assert f"{said}" in TEXT
    net = vg.MLP(9, 64, "sigmoid", "lecun", normalization=kind, epsilon=0.0)
    assert float(vg.theory.predict(net, 1.0).factor[4]) == pytest.approx(said, abs=0.005)


def test_the_factor_of_batch_norm_is_the_mean_degree():
    """An activation made of Hermite polynomials of degree 1, 2 and 3."""
    shares = np.array([0.5, 0.3, 0.2])

    def phi(z):
        degrees = z, (z**2 - 1) / math.sqrt(2), (z**3 - 3 * z) / math.sqrt(6)
        return sum(float(c) ** 0.5 * part for c, part in zip(shares, degrees, strict=True))

    slope = jax.vmap(jax.grad(phi))
    with jax.enable_x64(True):
        mean, square, slopes = gaussian_mean(
            lambda z: (phi(z), phi(z) ** 2, slope(z.ravel()).reshape(z.shape) ** 2)
        )
    factor = float(slopes / (square - mean**2))
    assert factor == pytest.approx(float(shares @ [1, 2, 3]), rel=1e-6)


def test_no_named_activation_keeps_the_gradient_level_under_batch_norm():
    for name in vg.activations.ACTIVATIONS:
        net = vg.MLP(9, 64, name, "lecun", normalization="batch", epsilon=0.0)
        factor = float(vg.theory.predict(net, 1.0).factor[4])
        assert factor == pytest.approx(1, abs=1e-5) if name == "linear" else factor > 1.02


def test_a_batch_of_one_says_nothing():
    net = vg.MLP(3, 8, "relu", "he", normalization="batch", out_features=2)
    params = vg.init(net, key=jax.random.key(0))
    x = jax.random.normal(jax.random.key(1), (5, 8))
    outputs = np.concatenate([vg.apply(net, params, one[None]) for one in x])
    np.testing.assert_array_equal(outputs, np.broadcast_to(outputs[:1], outputs.shape))


def test_the_jolts_are_as_large_as_the_text_says():
    assert "up to half a standard deviation and scaled by up to a quarter" in TEXT
    assert "minval=-0.5, maxval=0.5" in TEXT and "minval=0.75, maxval=1.25" in TEXT


def test_wrong_answers_get_a_hint():
    assert not vg.check("normalization-pencil", np.array([1.0, 0.0, 0.0, 0.0]))
    assert not vg.check("normalization-pair", 0.0)
    assert not vg.check("normalization-layer", lambda z, g: jnp.asarray(g))
    assert not vg.check("normalization-rank", (7, 8))
    assert not vg.check("normalization-square", 4.0)
    assert not vg.check("normalization-rate", 2.0)
    assert not vg.check("normalization-linear", lambda batch: batch / (batch - 3))


def test_a_calm_network_is_told_from_others():
    def judged(leak=0.6, *fields, **named):
        named = {"normalization": "batch"} | named
        bent = lambda z: jnp.where(z > 0, z, leak * z)  # noqa: E731
        return vg.check("normalization-calm", vg.MLP(*(fields or (50, 32)), bent, "lecun", **named))

    assert judged(0.7)
    for verdict, told in (
        (judged(0.0), "changes by +"),
        (judged(0.99), "straight line"),
        (judged(0.6, 20, 32), "Take fifty layers"),
        (judged(normalization="layer"), "over its batch"),
        (judged(normalization=None), "over its batch"),
        (judged(epsilon=1.0), "over its batch"),
        (judged(residual=0.1), "without"),
        (vg.check("normalization-calm", 0.6), "Expected an MLP; got one number."),
    ):
        assert told in verdict.message
