"""Sums over paths: against every path on its own, against autodiff, against the coin."""

import itertools
import math
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import vanishing as vg
from vanishing.studies import paths

KINDS = [
    {},
    {"residual": 0.3, "normalization": "layer"},
    {"residual": 1.0, "normalization": "batch"},
    {"activation": "tanh", "residual": 1.5},
]


def drawn(net, batch=4):
    keys = jax.random.split(jax.random.key(0), 3)
    x = jax.random.normal(keys[1], (batch, net.in_features or net.width))
    return vg.init(net, key=keys[0]), x, jax.random.normal(keys[2], (batch, net.width))


@pytest.mark.parametrize("kind", KINDS)
def test_all_parts_together_are_the_gradient_of_jax(kind):
    usual = {"activation": "relu", "residual": 1.0}
    net = vg.MLP(depth=6, width=8, in_features=5, **(usual | kind))
    params, x, g = drawn(net)
    found = paths.parts(net, params, x, g)

    h_0 = x @ params["read_in"]["weights"] + params["read_in"]["biases"][None]
    rest = {name: params[name] for name in ("weights", "biases")}
    bare = replace(net, in_features=None)
    expected = jax.vjp(lambda h: vg.apply(bare, rest, h), h_0)[1](g)[0]
    scale = float(jnp.abs(expected).max())
    np.testing.assert_allclose(found.by_length.sum(axis=0), expected, atol=1e-5 * scale)
    np.testing.assert_allclose(found.stream[0] + found.branch[0], expected, atol=1e-5 * scale)


def test_each_part_is_the_sum_of_its_paths():
    net = vg.MLP(4, 6, "relu", "he", residual=0.7)
    params, x, g = drawn(net, batch=1)
    below = [x, *vg.forward(net, params, x).post[:-1]]
    jacobians = [
        0.7 * jnp.where(h.T > 0, W, 0) for h, W in zip(below, params["weights"], strict=True)
    ]
    sums = [jnp.zeros_like(g) for _ in range(5)]
    for path in itertools.product((0, 1), repeat=4):
        part = g
        for taken, jacobian in zip(path[::-1], jacobians[::-1], strict=True):
            part = part @ jacobian.T if taken else part
        sums[sum(path)] += part
    found = paths.parts(net, params, x, g).by_length
    np.testing.assert_allclose(found, jnp.stack(sums), rtol=1e-4, atol=1e-5)


def test_cut_skips_leave_the_longest_path_alone():
    net = vg.MLP(5, 8, "relu", "he", residual=1.0)
    params, x, g = drawn(net)

    def branch(h, layer):
        return jax.nn.relu(h) @ layer

    below = jnp.broadcast_to(x, (5, *x.shape))
    found = paths.take_apart(branch, params["weights"], below, g, skip=0.0).by_length
    assert float(jnp.abs(found[:-1]).max()) == 0 < float(jnp.abs(found[-1]).max())
    one = paths.take_apart(branch, params["weights"], below, g, jnp.ones(5)).by_length
    np.testing.assert_array_equal(
        one, paths.take_apart(branch, params["weights"], below, g).by_length
    )


@pytest.mark.parametrize("alpha", [1.0, 0.2])
def test_the_law_is_a_coin(alpha):
    net = vg.MLP(20, 64, "relu", "he", residual=alpha)
    p = alpha**2 / (1 + alpha**2)
    coin = [math.comb(20, k) * p**k * (1 - p) ** (20 - k) for k in range(21)]
    np.testing.assert_allclose(paths.expected_share(net), coin, atol=1e-5)
    measured = np.asarray(paths.shares(net, key=jax.random.key(0), seeds=8, batch=8))
    assert abs(measured.mean(axis=0) - coin).sum() / 2 < 0.1
    np.testing.assert_allclose(measured.sum(axis=1), 1, rtol=1e-5)


def test_a_normalised_block_sends_less_the_later_it_comes():
    net = vg.MLP(30, 64, "relu", "he", residual=1.0, normalization="layer", epsilon=0.0)
    np.testing.assert_allclose(paths.through_branch(net), 1 / np.arange(2, 32), rtol=1e-4)
    factor = vg.theory.predict(net, 1.0).factor  # of block 2 and on
    np.testing.assert_allclose(1 / (1 - paths.through_branch(net)[1:]), factor[:-1], rtol=1e-4)


def test_a_plain_network_has_no_skips():
    net = vg.MLP(3, 4)
    with pytest.raises(ValueError, match="net: expected residual branches; got residual=None"):
        paths.parts(net, *drawn(net))
