"""Rows 10 to 13, 17, 19, 21 and 24: phases, power laws and the spread at finite width."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import vanishing as vg
from vanishing.studies import ensembles

KEY = jax.random.key(2016)


def test_schoenholz_2017_tanh_critical_line():
    sigma_b = 0.05**0.5
    sigma_w = vg.theory.critical_sigma_w("tanh", sigma_b)
    assert sigma_w**2 == pytest.approx(1.760955, abs=1e-5)
    q = vg.theory.length_fixed_point("tanh", sigma_w, sigma_b)
    assert q == pytest.approx(0.570048, abs=1e-5)


@pytest.mark.parametrize("variance, published", [(1, 0.75903), (1.76, 0.9998), (2.5, 1.13352)])
def test_schoenholz_2017_chi_for_tanh(variance, published):
    sigma_w, sigma_b = variance**0.5, 0.05**0.5
    digits = len(str(published)) - 2
    predicted = vg.theory.chi("tanh", sigma_w, sigma_b)
    assert round(predicted, digits) == published or predicted == pytest.approx(published, abs=1e-5)

    q = vg.theory.length_fixed_point("tanh", sigma_w, sigma_b)
    net = vg.MLP(depth=30, width=600, activation="tanh", sigma_w=sigma_w, sigma_b=sigma_b)
    settled = ((q - sigma_b**2) / sigma_w**2) ** 0.5
    logs = ensembles.gradient_logs(net, key=KEY, seeds=10, input_rms=settled)
    assert float(ensembles.layer_factor(logs)) == pytest.approx(published, rel=0.025)


@pytest.mark.parametrize("sigma_w, q, chi", [
    (1.3, 0.60705, 0.93981), (2.5, 4.07912, 1.58522), (4.0, 12.60415, 2.36726),
])  # fmt: skip
def test_poole_2016_fixed_points_and_chi_for_tanh(sigma_w, q, chi):
    assert vg.theory.length_fixed_point("tanh", sigma_w, 0.3) == pytest.approx(q, abs=1e-5)
    assert vg.theory.chi("tanh", sigma_w, 0.3) == pytest.approx(chi, abs=1e-5)


def test_roberts_yaida_hanin_critical_tanh_decays_as_a_power_law():
    net = vg.MLP(depth=4000, width=1, activation="tanh", sigma_w=1.0)
    length = vg.theory.predict(net, 1.0).length
    assert float(length[-1]) * 2 * 4000 == pytest.approx(1.0007, rel=0.01)
    # A power law: ten times the depth is a tenth of the variance.
    assert float(length[399] / length[3999]) == pytest.approx(10, rel=0.02)


def test_hanin_nica_2020_spread_of_he_relu_grows_as_5_depth_over_width():
    net = vg.MLP(depth=20, width=50, activation="relu", initializer="he")
    forward, backward = ensembles.log_square_gains(net, key=KEY, seeds=6000)
    assert float(forward.var()) == pytest.approx(2.163, rel=0.06)
    assert float(forward.mean()) == pytest.approx(-1.035, rel=0.06)
    assert float(backward.var()) == pytest.approx(2.204, rel=0.08)


def test_cho_saul_2009_relu_units_dead_on_two_orthogonal_inputs():
    net = vg.MLP(depth=4, width=2000, activation="relu", initializer="he")
    pair = ensembles.orthogonal_pair(2000)
    dead = ensembles.over_seeds(
        lambda params, *_: vg.probe(net, params, pair).dead_fraction, net, key=KEY, seeds=16
    )
    np.testing.assert_allclose(dead.mean(0), [0.25, 0.3016, 0.3322, 0.3534], rtol=0.03)


def test_balduzzi_2017_corrected_relu_gradients_decorrelate_as_a_power_law():
    net = vg.MLP(depth=5, width=500, activation="relu", initializer="he")
    correlation = ensembles.gradient_correlation(net, key=KEY, seeds=24).mean()
    assert float(correlation) == pytest.approx(0.1046, rel=0.08)
    assert float(correlation) > 3 * 2**-5


def squared_singular_values(activation, initializer, seeds):
    net = vg.MLP(depth=8, width=700, activation=activation, initializer=initializer)
    spectrum = ensembles.over_seeds(
        lambda params, x, _: vg.jacobian_spectrum(net, params, x[0]),
        net, key=KEY, seeds=seeds, batch=1,
    )  # fmt: skip
    return np.asarray(spectrum) ** 2


def test_saxe_2014_orthogonal_linear_network_is_an_isometry():
    with jax.enable_x64(True):
        squares = squared_singular_values("linear", "orthogonal", seeds=1)
    np.testing.assert_allclose(squares, 1, rtol=0, atol=1e-10)


@pytest.mark.parametrize("activation, initializer, published, tolerance", [
    ("linear", "lecun", 8, 0.12),
    ("relu", "orthogonal", 8, 0.15),
    ("relu", "he", 16, 0.20),
])  # fmt: skip
def test_pennington_2017_spread_of_the_squared_singular_values(
    activation, initializer, published, tolerance
):
    squares = squared_singular_values(activation, initializer, seeds=1)
    measured = jnp.mean(squares.var(1) / squares.mean(1) ** 2)
    assert float(measured) == pytest.approx(published, rel=tolerance)
