"""The spectrum against `jax.jacobian`, closed forms, and a product in three hundred digits."""

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest

import vanishing as vg

KEY = jax.random.key(0)


def example(net):
    keys = jax.random.split(KEY, 2)
    return vg.init(net, key=keys[0]), jax.random.normal(keys[1], (net.in_features or net.width,))


@pytest.mark.parametrize(
    ("residual", "normalization"), [(None, None), (0.5, "layer"), (None, "layer")]
)
def test_it_is_that_of_jax_jacobian(residual, normalization):
    with jax.enable_x64(True):
        scales = {"sigma_w": 1.4, "residual": residual, "normalization": normalization}
        net = vg.MLP(depth=4, width=7, in_features=3, out_features=2, **scales)
        params, x = example(net)
        stream = vg.MLP(depth=4, width=7, **scales)
        inner = {name: params[name] for name in ("weights", "biases")}
        h = x @ params["read_in"]["weights"]
        jacobian = jax.jacobian(lambda h: vg.apply(stream, inner, h[None])[0])(h)
        expected = np.linalg.svd(jacobian, compute_uv=False)
        measured = vg.jacobian_spectrum(net, params, x)
        np.testing.assert_allclose(measured, expected, rtol=1e-9, atol=1e-12)


def in_many_digits(params, x, slope_of):
    """ln of the singular values, the product of the same floats taken with 700 digits."""
    with mpmath.workdps(700):
        h, product = x.astype(float), mpmath.eye(len(x))
        for weights in np.asarray(params["weights"], float):
            h, slope = slope_of(h @ weights)
            jacobian = mpmath.matrix((slope[:, None] * weights.T).tolist())
            product = jacobian * product
        squares = mpmath.eigsy(product * product.T, eigvals_only=True)
        return np.array([float(mpmath.log(s) / 2) for s in squares])[::-1]


def sigmoid(z):
    h = 1 / (1 + np.exp(-z))
    return h, h * (1 - h)


def linear(z):
    return z, np.ones_like(z)


@pytest.mark.parametrize(("name", "phi"), [("sigmoid", sigmoid), ("linear", linear)])
@pytest.mark.parametrize("depth", [8, 200])
def test_small_values_are_as_right_as_large_ones(name, phi, depth):
    with jax.enable_x64(True):
        net = vg.MLP(depth=depth, width=12, activation=name, sigma_w=1.0)
        params, x = example(net)
        expected = in_many_digits(params, np.asarray(x), phi)
        measured = vg.log_jacobian_spectrum(net, params, x)
    assert depth < 200 or expected[0] - expected[-1] > 200
    np.testing.assert_allclose(measured, expected, rtol=0, atol=1e-8)


def test_single_precision_is_right_to_what_its_layers_hold():
    net = vg.MLP(depth=200, width=12, activation="linear", sigma_w=1.0)
    params, x = example(net)
    measured = vg.log_jacobian_spectrum(net, params, x)
    # A layer's own smallest value, a thousandth of its largest at worst here, is known to about
    # 1e-3; two hundred such errors add up as a random walk.
    expected = in_many_digits(params, np.asarray(x), linear)
    np.testing.assert_allclose(measured, expected, rtol=0, atol=0.02)


def test_what_dead_units_take_away_is_zero():
    with jax.enable_x64(True):
        net = vg.MLP(depth=6, width=10, activation="relu", initializer="he")
        params, x = example(net)
        alive = np.asarray(vg.forward(net, params, x[None]).post[:, 0] > 0).sum(1).min()
        logs = np.asarray(vg.log_jacobian_spectrum(net, params, x))
    assert 0 < alive < 10
    assert np.isfinite(logs[:alive]).all() and (logs[alive:] == -np.inf).all()


def test_a_dead_unit_in_a_special_position_hides_no_other():
    net = vg.MLP(depth=3, width=4, activation="relu")
    params = {"weights": jnp.stack([jnp.eye(4)] * 3), "biases": jnp.zeros((3, 4))}
    logs = vg.log_jacobian_spectrum(net, params, jnp.array([-1.0, 2.0, 3.0, 4.0]))
    np.testing.assert_allclose(logs[:3], 0, atol=1e-5)
    assert logs[3] == -np.inf


def test_half_precision_parameters_are_measured_in_single(float16):
    net = vg.MLP(depth=3, width=5)
    params, x = example(net)
    half = jax.tree.map(lambda p: p.astype(float16), params)
    expected = vg.jacobian_spectrum(net, jax.tree.map(lambda p: p.astype(jnp.float32), half), x)
    np.testing.assert_allclose(vg.jacobian_spectrum(net, half, x), expected, rtol=1e-5)
