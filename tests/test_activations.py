"""The named activations, their slopes and their Gaussian moments."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import vanishing as vg
from vanishing import activations

NAMES = tuple(activations.ACTIVATIONS)

# By hand, in NumPy: value and slope on the two sides of 0.
BY_HAND = {
    "sigmoid": (lambda z: 1 / (1 + np.exp(-z)), lambda z: np.exp(-z) / (1 + np.exp(-z)) ** 2),
    "tanh": (np.tanh, lambda z: 1 / np.cosh(z) ** 2),
    "relu": (lambda z: np.maximum(z, 0), lambda z: (z > 0) * 1.0),
    "leaky_relu": (lambda z: np.where(z > 0, z, 0.01 * z), lambda z: np.where(z > 0, 1, 0.01)),
    "elu": (lambda z: np.where(z > 0, z, np.expm1(z)), lambda z: np.where(z > 0, 1, np.exp(z))),
    "silu": (
        lambda z: z / (1 + np.exp(-z)),
        lambda z: 1 / (1 + np.exp(-z)) * (1 + z * (1 - 1 / (1 + np.exp(-z)))),
    ),
    "linear": (lambda z: z, np.ones_like),
}


@pytest.mark.parametrize("name", BY_HAND)
def test_values_and_slopes_by_hand(name):
    z = np.linspace(-6, 6, 122)  # leaves 0 out
    value, slope = BY_HAND[name]
    with jax.enable_x64(True):
        np.testing.assert_allclose(activations.get(name)(jnp.asarray(z)), value(z), rtol=1e-12)
        got = activations.derivative(name)(jnp.asarray(z))
        np.testing.assert_allclose(got, slope(z), rtol=1e-9)


@pytest.mark.parametrize("name", NAMES)
def test_slopes_are_finite_differences(name):
    z, step = np.linspace(-5, 5, 101)[:-1] + 0.05, 1e-6
    with jax.enable_x64(True):
        phi = activations.get(name)
        expected = (phi(jnp.asarray(z + step)) - phi(jnp.asarray(z - step))) / (2 * step)
        got = activations.derivative(name)(jnp.asarray(z))
        np.testing.assert_allclose(got, expected, rtol=1e-6, atol=1e-9)


def test_slope_of_relu_at_zero_is_zero():
    assert float(activations.derivative("relu")(0.0)) == 0


@pytest.mark.parametrize("name", NAMES)
def test_largest_slope_is_the_largest_on_a_fine_grid(name):
    fine = jnp.abs(activations.derivative(name)(jnp.linspace(-20.0, 20.0, 400_001))).max()
    assert float(activations.largest_slope(name)) == pytest.approx(float(fine), rel=1e-3)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("variance", [0.01, 1.0, 30.0])
def test_gaussian_moments_against_brute_force(name, variance):
    with jax.enable_x64(True):
        z, step = jnp.linspace(-12, 12, 2_000_000, retstep=True)  # even: straddles 0
        density = jnp.exp(-(z**2) / 2) / jnp.sqrt(2 * jnp.pi) * step
        for moment, function in [
            (activations.second_moment, activations.get(name)),
            (activations.slope_second_moment, activations.derivative(name)),
        ]:
            expected = float(jnp.sum(function(variance**0.5 * z) ** 2 * density))
            assert float(moment(name, variance)) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("root", [1e-6, 1e-3, 0.1, 0.3, 1.0, 3.0, 20.0, 64.0, 1e3, 1e4])
@pytest.mark.parametrize("name", ["tanh", "sigmoid", "gelu", "silu", "elu", "relu"])
def test_gaussian_moments_are_exact_for_narrow_and_for_wide_densities(name, root):
    """Against eighty panels of forty nodes on each half-line, their ends in geometric steps."""
    nodes, weights = np.polynomial.legendre.leggauss(40)
    ends = np.concatenate([[0], np.geomspace(1e-7, 12, 80)])
    width = np.diff(ends)[:, None] / 2
    z = (ends[:-1, None] + width * (nodes + 1)).ravel()
    density = (width * weights).ravel() * np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
    with jax.enable_x64(True):
        for moment, function in [
            (activations.second_moment, activations.get(name)),
            (activations.slope_second_moment, activations.derivative(name)),
        ]:
            both = sum(np.asarray(function(jnp.asarray(s * root * z))) ** 2 for s in (1, -1))
            assert float(moment(name, root**2)) == pytest.approx(both @ density, rel=1e-10)


def test_gaussian_mean_of_one_is_one_in_both_precisions():
    def mass():
        return float(activations.gaussian_mean(jnp.ones_like))

    assert mass() == pytest.approx(1, abs=1e-6)
    with jax.enable_x64(True):
        assert mass() == pytest.approx(1, abs=1e-14)


def test_switch_chooses_at_run_time_in_one_executable():
    names = ("tanh", "relu", "gelu")
    traces = []

    @jax.jit
    def logs(index):
        traces.append(index)
        net = vg.MLP(depth=4, width=6, activation=activations.switch(index, names), sigma_w=1.2)
        params = vg.init(net, key=jax.random.key(0))
        return vg.probe(net, params, jnp.ones((2, 6))).log_gradient_rms

    for index, name in enumerate(names):
        net = vg.MLP(depth=4, width=6, activation=name, sigma_w=1.2)
        params = vg.init(net, key=jax.random.key(0))
        expected = vg.probe(net, params, jnp.ones((2, 6))).log_gradient_rms
        np.testing.assert_allclose(logs(jnp.int32(index)), expected, rtol=1e-4)
    assert len(traces) == 1
