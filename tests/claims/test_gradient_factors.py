"""Rows 6, 7, 8, 14, 15, 16 and 26: the factor of one layer, scheme by scheme."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import vanishing as vg
from vanishing.studies import ensembles

KEY = jax.random.key(2010)


def settled_rms(activation, sigma_w, sigma_b=0.0):
    """RMS of h at which the variance of the pre-activations is at its fixed point already."""
    q = vg.theory.length_fixed_point(activation, sigma_w, sigma_b)
    return ((q - sigma_b**2) / sigma_w**2) ** 0.5


def norm_factor(net, seeds, skip=0):
    """√χ as measured, signals at their fixed point."""
    rms = settled_rms(net.activation, net.gain, net.bias_gain)
    logs = ensembles.gradient_logs(net, key=KEY, seeds=seeds, input_rms=rms)
    return float(ensembles.layer_factor(logs, skip)) ** 0.5


def test_glorot_bengio_2010_uniform_weights_lose_two_thirds_a_layer():
    net = vg.MLP(depth=8, width=400, activation="tanh", initializer="pytorch", sigma_b=0.0)
    # Inputs of 0.01: the linear regime of tanh.
    logs = ensembles.gradient_logs(net, key=KEY, seeds=8, batch=32, input_rms=0.01)
    assert float(ensembles.layer_factor(logs)) == pytest.approx(0.3333, rel=0.02)


def test_glorot_bengio_2010_xavier_on_400_to_800_is_a_compromise():
    net = vg.MLP(in_features=400, width=800, depth=1, initializer="xavier")

    def gains(key):
        keys = jax.random.split(key, 3)
        weights = vg.init(net, key=keys[0])["read_in"]["weights"]
        x = jax.random.normal(keys[1], (16, 400))
        y, pull = jax.vjp(lambda x: x @ weights, x)
        cotangent = jax.random.normal(keys[2], y.shape)
        back = pull(cotangent)[0]
        return jnp.mean(y**2) / jnp.mean(x**2), jnp.mean(back**2) / jnp.mean(cotangent**2)

    forward, backward = jax.lax.map(gains, jax.random.split(KEY, 60))
    assert float(forward.mean()) == pytest.approx(2 / 3, rel=0.02)
    assert float(backward.mean()) == pytest.approx(4 / 3, rel=0.02)


def test_he_2015_relu_halves_the_mean_square():
    assert float(vg.activations.second_moment("relu")) == pytest.approx(1 / 2, rel=0.03)
    slope = 0.01  # of leaky ReLU
    published = (1 + slope**2) / 2
    assert float(vg.activations.second_moment("leaky_relu")) == pytest.approx(published, rel=0.03)

    def mean_squares(key):
        z = jax.random.normal(key, (512, 512))
        return jnp.mean(jnp.stack([vg.activations.get(name)(z) ** 2
                                   for name in ("relu", "leaky_relu")]), (1, 2))  # fmt: skip

    sampled = jax.lax.map(mean_squares, jax.random.split(KEY, 40)).mean(0)
    np.testing.assert_allclose(sampled, [1 / 2, published], rtol=0.03)


@pytest.mark.parametrize("initializer, published", [("lecun", -30), ("he", 0)])
def test_he_2015_thirty_relu_layers_lose_30_bits_with_1_over_n_weights(initializer, published):
    net = vg.MLP(depth=30, width=512, activation="relu", initializer=initializer)

    squares = ensembles.over_seeds(
        lambda params, x, _: jnp.mean(vg.apply(net, params, x) ** 2), net, key=KEY, seeds=40
    )
    assert float(jnp.log2(squares.mean())) == pytest.approx(published, abs=0.45)


def test_mean_field_sigmoid_with_unit_weights_keeps_a_quarter_of_the_norm():
    assert vg.theory.chi("sigmoid", 1.0) == pytest.approx(0.05572, rel=1e-3)
    net = vg.MLP(depth=10, width=600, activation="sigmoid", sigma_w=1.0)
    measured = norm_factor(net, seeds=10)
    assert measured**2 == pytest.approx(0.05572, rel=0.03)
    assert measured == pytest.approx(0.236, rel=0.03)


@pytest.mark.parametrize("variance, published", [(1, 0.24), (4, 0.41), (16, 0.62), (64, 0.87)])
def test_mean_field_sigmoid_factor_is_not_a_quarter_but_grows_with_the_weights(variance, published):
    net = vg.MLP(depth=10, width=600, activation="sigmoid", sigma_w=variance**0.5)
    assert norm_factor(net, seeds=10) == pytest.approx(published, rel=0.03)
    assert vg.theory.chi("sigmoid", variance**0.5) ** 0.5 == pytest.approx(published, rel=0.03)


def test_klambauer_2017_selu_constants():
    alpha, scale = 1.6732632, 1.0507010
    selu = vg.activations.get("selu")
    assert float(selu(1.0)) == pytest.approx(scale, rel=1e-6)
    assert float(selu(-50.0)) == pytest.approx(-scale * alpha, rel=1e-6)
    assert vg.theory.length_fixed_point("selu", 1.0) == pytest.approx(1, abs=1e-6)


def test_klambauer_2017_selu_gradients_grow():
    assert vg.theory.chi("selu", 1.0) == pytest.approx(1.0716, abs=1e-3)
    net = vg.MLP(depth=40, width=600, activation="selu", initializer="lecun")
    assert norm_factor(net, seeds=10) ** 2 == pytest.approx(1.0716, rel=0.03)


def test_pytorch_default_is_six_times_below_he():
    weights = vg.init(vg.MLP(depth=10, width=256, initializer="pytorch"), key=KEY)["weights"]
    assert float(weights.var()) == pytest.approx(1 / (3 * 256), rel=0.01)
    he = vg.init(vg.MLP(depth=10, width=256, initializer="he"), key=KEY)["weights"]
    assert float(he.var() / weights.var()) == pytest.approx(6, rel=0.02)


def test_pytorch_default_vanishes_in_fifty_relu_layers():
    net = vg.MLP(depth=50, width=256, activation="relu", initializer="pytorch")
    logs = ensembles.gradient_logs(net, key=KEY, seeds=8)
    decades = logs / np.log(10)
    # 49 steps lie between layers 50 and 1, 6^(−49/2); the published 3e-20 is of fifty, 6^(−25).
    assert decades[:, 0].mean() == pytest.approx(np.log10(3e-20), abs=0.5)
    steps = (decades[:, 0] - decades[:, -1]).mean()
    assert steps == pytest.approx(np.log10(9e-20), abs=0.5)
