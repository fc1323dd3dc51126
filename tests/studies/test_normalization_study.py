"""The law of finite batches, and the networks trained with and without attached statistics."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import vanishing as vg
from vanishing.studies import normalization as study

DIGITS = vg.datasets.digits(100)


@pytest.mark.parametrize("batch", [6, 8, 16])
@pytest.mark.parametrize(
    "name, law", [("relu", study.relu_factor), ("linear", study.linear_factor)]
)
def test_the_laws_are_those_of_one_layer_drawn_by_hand(name, law, batch):
    """One unit of an infinitely wide layer: a normal z, a cotangent that was centred above."""
    rng = np.random.default_rng(batch)
    draws = 400_000
    phi, slope = {
        "relu": (lambda z: np.maximum(z, 0), lambda z: (z > 0).astype(float)),
        "linear": (lambda z: z, np.ones_like),
    }[name]
    z, g = (a - a.mean(1, keepdims=True) for a in rng.standard_normal((2, draws, batch)))
    direction = z / np.sqrt((z**2).mean(1, keepdims=True))
    varies = phi(direction).var(axis=1).mean() * batch / (batch - 1)  # weights of variance 1/n
    spread = np.sqrt((z**2).mean(1, keepdims=True) * varies)
    pulled = slope(direction) * g
    inner = (pulled * direction).mean(1, keepdims=True)
    delta = (pulled - pulled.mean(1, keepdims=True) - direction * inner) / spread
    factor = (delta**2).sum() / (g**2).sum()
    # The spread of the estimate is below 1% at six inputs, where 1/s² has a heavy tail.
    assert factor == pytest.approx(float(law(batch)), rel=0.04)


def test_the_law_tends_to_pi_over_pi_minus_one():
    assert float(study.relu_factor(1e6)) == pytest.approx(np.pi / (np.pi - 1), rel=1e-5)
    falls = np.diff(study.relu_factor(jnp.array([4.0, 8.0, 16.0, 64.0, 512.0])))
    assert (falls < 0).all()


def attached(z, key):
    return (z - z.mean(0, keepdims=True)) / jnp.sqrt(z.var(0, keepdims=True) + 1e-5)


def detached(z, key):
    mean, variance = jax.lax.stop_gradient((z.mean(0, keepdims=True), z.var(0, keepdims=True)))
    return (z - mean) / jnp.sqrt(variance + 1e-5)


def test_a_network_by_hand_descends_as_the_library_s_does():
    plain = vg.MLP(3, 64, "relu", "he", out_features=10)
    normed = vg.MLP(3, 64, "relu", "he", out_features=10, normalization="batch")
    key = jax.random.key(1)
    run = study.descend(attached, plain, DIGITS, key=key, rate=0.1, steps=10)
    params = vg.init(normed, key=jax.random.split(key)[0])
    _, history = vg.train(normed, params, DIGITS, key=key, steps=10, learning_rate=0.1)
    np.testing.assert_allclose(run.loss, history.loss[:10], rtol=1e-3)


def test_detached_biases_move_and_attached_ones_do_not():
    net = vg.MLP(3, 64, "relu", "he", out_features=10)
    ends = [
        study.descend(normalize, net, DIGITS, key=jax.random.key(0), rate=0.1, steps=50)
        for normalize in (attached, detached)
    ]
    assert ends[0].bias_rms[-1] < 1e-4 < 1e-2 < ends[1].bias_rms[-1]


def test_lost_runs_count_as_infinite():
    net = vg.MLP(6, 64, "relu", sigma_w=6.0, out_features=10)
    found = study.ends(
        lambda z, key: z, net, DIGITS, key=jax.random.key(0), rates=(1e-6, 1e30), seeds=2, steps=12
    )
    assert found.shape == (2, 2) and np.isfinite(found[0]).all() and np.isinf(found[1]).all()


def test_running_statistics_are_averages_of_those_of_the_batches():
    net = vg.MLP(2, 64, "relu", "he", normalization="batch", out_features=10)
    key = jax.random.key(3)
    once = study.train_running(net, DIGITS, key=key, rate=0.1, steps=1, batch_size=100, memory=0.75)
    start = vg.init(net, key=jax.random.split(key)[0])
    seen = vg.statistics(net, start, DIGITS.x)
    np.testing.assert_allclose(once.statistics.mean, 0.25 * seen.mean, atol=1e-5)
    np.testing.assert_allclose(once.statistics.variance, 0.75 + 0.25 * seen.variance, rtol=1e-4)
