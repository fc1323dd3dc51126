"""The forward pass against a loop in NumPy."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import vanishing as vg

KEY = jax.random.key(0)


def by_hand(net, params, x):
    """(pre, post, output) of a tanh network, in NumPy."""
    params = jax.tree.map(lambda leaf: np.asarray(leaf, float), params)
    axis = {"batch": 0, "layer": 1}.get(net.normalization)

    def normalized(z):
        if axis is None:
            return z
        return (z - z.mean(axis, keepdims=True)) / np.sqrt(z.var(axis, keepdims=True) + net.epsilon)

    h, pre, post = x @ params["read_in"]["weights"] + params["read_in"]["biases"], [], []
    for weights, biases in zip(params["weights"], params["biases"], strict=True):
        if net.residual is None:
            pre.append(normalized(h @ weights + biases))
            h = np.tanh(pre[-1])
        else:
            pre.append(normalized(h))
            h = h + net.residual * (np.tanh(pre[-1]) @ weights + biases)
        post.append(h)
    output = h @ params["read_out"]["weights"] + params["read_out"]["biases"]
    return np.stack(pre), np.stack(post), output


@pytest.mark.parametrize("normalization", [None, "batch", "layer"])
@pytest.mark.parametrize("residual", [None, 0.3])
def test_forward_and_apply_are_the_equations(normalization, residual):
    net = vg.MLP(depth=4, width=7, sigma_w=1.4, sigma_b=0.5, normalization=normalization,
                 residual=residual, epsilon=1e-3, in_features=3, out_features=2)  # fmt: skip
    with jax.enable_x64(True):
        params = vg.init(net, key=KEY)
        x = np.random.default_rng(0).normal(size=(6, 3))
        pre, post, output = by_hand(net, params, x)
        trace = vg.forward(net, params, x)
        np.testing.assert_allclose(trace.pre, pre, rtol=1e-10, atol=1e-12)
        np.testing.assert_allclose(trace.post, post, rtol=1e-10, atol=1e-12)
        np.testing.assert_allclose(vg.apply(net, params, x), output, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("residual", [None, 0.5])
def test_depth_uses_the_first_layers_only(residual):
    net = vg.MLP(depth=6, width=5, residual=residual, out_features=2)
    params, x = vg.init(net, key=KEY), jnp.ones((3, 5))
    short = dataclasses.replace(net, depth=2)
    first = params | {name: params[name][:2] for name in ("weights", "biases")}
    expected = vg.forward(short, first, x)
    for depth in (2, np.int64(2), jnp.int32(2)):
        trace = vg.forward(net, params, x, depth=depth)
        np.testing.assert_allclose(trace.post[:2], expected.post, rtol=1e-6)
        assert jnp.isnan(trace.post[2:]).all() and jnp.isnan(trace.pre[2:]).all()
        got = vg.apply(net, params, x, depth=depth)
        np.testing.assert_allclose(got, vg.apply(short, first, x), rtol=1e-6)


def test_batch_norm_gives_each_unit_zero_mean_and_unit_variance():
    net = vg.MLP(depth=3, width=50, normalization="batch", epsilon=0.0)
    x = jax.random.normal(jax.random.key(1), (64, 50))
    pre = vg.forward(net, vg.init(net, key=KEY), x).pre
    np.testing.assert_allclose(pre.mean(1), 0, atol=1e-5)
    np.testing.assert_allclose((pre**2).mean(1), 1, rtol=1e-4)


def test_layer_norm_gives_each_example_zero_mean_and_unit_variance():
    net = vg.MLP(depth=3, width=50, normalization="layer", epsilon=0.0)
    x = jax.random.normal(jax.random.key(1), (6, 50))
    pre = vg.forward(net, vg.init(net, key=KEY), x).pre
    np.testing.assert_allclose(pre.mean(2), 0, atol=1e-5)
    np.testing.assert_allclose((pre**2).mean(2), 1, rtol=1e-4)


def test_a_description_is_frozen_hashable_and_equal_by_value():
    net, same = (vg.MLP(depth=3, width=4, sigma_w=1) for _ in range(2))
    assert net == same and hash(net) == hash(same) and len({net, same}) == 1
    assert net != vg.MLP(depth=3, width=4, sigma_w=2)
    with pytest.raises(dataclasses.FrozenInstanceError):
        net.depth = 4


def test_xavier_is_what_nothing_said_means_and_gaussian_what_sigma_w_means():
    assert vg.MLP(depth=1, width=1).initializer == "xavier"
    assert vg.MLP(depth=1, width=1, sigma_w=1.0).initializer == "gaussian"
    pytorch = vg.MLP(depth=1, width=12, initializer="pytorch")
    assert (pytorch.gain, pytorch.bias_gain) == pytest.approx((1 / 3**0.5, 1 / 6))


def test_scales_survive_vmap():
    def spread(sigma_w):
        net = vg.MLP(depth=2, width=30, sigma_w=sigma_w)
        return vg.init(net, key=KEY)["weights"].std()

    one, two = jax.vmap(spread)(jnp.array([1.0, 2.0]))
    assert float(two / one) == pytest.approx(2, rel=1e-5)
