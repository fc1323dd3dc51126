"""The two cobwebs: the browser's numbers against JAX's, and both against the library's."""

import functools
import gzip

import jax
import numpy as np
import pytest

import vanishing as vg
from differential import still
from vanishing.book.propagation import cobwebs as module
from vanishing.live.page.assets import strip

CASES = 24


@functools.cache
def figure():
    return module.cobwebs()


def settings():
    """Random control values; in the chaotic phase two orders of a sum drift apart by χ a layer,
    so weights stay below σ_w = 2, where fifteen layers amplify rounding a hundredfold."""
    rng = np.random.default_rng(0)
    for case in range(CASES):
        yield {
            "activation": module.NAMES[case % len(module.NAMES)],
            "sigma_w": float(np.exp(rng.uniform(np.log(0.5), np.log(2)))),
            "sigma_b": float(rng.choice([0, rng.uniform(0, 1)])),
            "alike": float(rng.uniform(0, 0.99)),
            "size": float(np.exp(rng.uniform(np.log(0.1), np.log(5)))),
            "seed": int(rng.integers(2**31)),
        }


@functools.cache
def compared():
    return still(figure(), settings())


@pytest.mark.parametrize("case", range(CASES))
def test_the_browser_finds_what_jax_finds(case):
    expected, got = compared()[case]
    assert expected.keys() == got.keys()
    for name, value in expected.items():
        np.testing.assert_allclose(got[name], value, rtol=3e-4, atol=3e-4, err_msg=name)


def test_the_network_is_one_of_the_library_and_its_inputs_have_the_angle_asked_for():
    shown = figure().evaluate(activation="tanh", sigma_w=1.5, sigma_b=0.2, alike=0.6, seed=4)
    input_key, weight_key = jax.random.split(jax.random.key(4))
    x = module.pair(0.6, 1.0, input_key)
    assert float(np.mean(x[0] * x[1])) == pytest.approx(0.6, abs=1e-5)
    np.testing.assert_allclose(np.mean(np.square(x), axis=1), 1, atol=1e-5)
    net = vg.MLP(module.LAYERS, module.WIDTH, "tanh", sigma_w=1.5, sigma_b=0.2)
    z = np.asarray(vg.forward(net, vg.init(net, key=weight_key), x).pre, float)
    np.testing.assert_allclose(shown["length"], np.mean(z**2, axis=(1, 2)), rtol=1e-4)
    size = np.linalg.norm(z, axis=2)
    cosine = np.sum(z[:, 0] * z[:, 1], axis=1) / (size[:, 0] * size[:, 1])
    np.testing.assert_allclose(shown["correlation"], cosine, atol=1e-4)


def test_the_laws_are_those_of_the_theory():
    shown = figure().evaluate(activation="relu", sigma_w=1.2, sigma_b=0.3, alike=0.25, size=2.0)
    net = vg.MLP(module.LAYERS, module.WIDTH, "relu", sigma_w=1.2, sigma_b=0.3)
    law = vg.theory.predict(net, 2.0)
    np.testing.assert_allclose(shown["length_law"], law.length, rtol=1e-4)
    q = 1.2**2 * 4 + 0.3**2
    c = (1.2**2 * 4 * 0.25 + 0.3**2) / q
    for layer in range(module.LAYERS):
        assert shown["correlation_law"][layer] == pytest.approx(c, abs=1e-5)
        c = vg.theory.correlation_map("relu", c, q, 1.2, 0.3)
        q = vg.theory.length_map("relu", q, 1.2, 0.3)
    assert shown["chi"] == pytest.approx(1.2**2 / 2, rel=1e-5)


def test_networks_scatter_about_the_law():
    """Over 12 seeds the mean cosine of layer 5 is on the map: its standard deviation between
    networks of 100 units is .03 here, so .05 is five standard errors."""
    seen = [figure().evaluate(alike=0.5, sigma_w=1.2, seed=s) for s in range(12)]
    mean = np.mean([one["correlation"][4] for one in seen])
    assert mean == pytest.approx(seen[0]["correlation_law"][4], abs=0.05)


@pytest.mark.parametrize("end", [{"sigma_w": 0.5, "size": 0.1}, {"sigma_w": 5.0, "size": 5.0}])
@pytest.mark.parametrize("name", module.NAMES)
def test_every_number_is_finite_at_the_ends_of_the_sliders(name, end):
    shown = figure().evaluate(activation=name, **end)
    assert all(np.isfinite(values).all() for values in shown.values())


def test_the_first_picture_shows_the_outputs():
    live = figure()
    again = live.evaluate()
    for name, value in live.outputs.items():
        np.testing.assert_array_equal(again[name], value)
    shown = {name for bound in live.layouts[0].bounds for name in bound.shows.values()}
    assert live.outputs.keys() - {"chi"} <= shown


def test_the_program_is_small():
    source = strip(figure().programs["compute"].source)
    assert len(gzip.compress(source.encode(), 9)) <= 10_800
