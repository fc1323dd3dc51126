"""Batch normalisation with statistics that stand still."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import vanishing as vg

NET = vg.MLP(depth=4, width=8, activation="relu", initializer="he", normalization="batch")
PARAMS = vg.init(NET, key=jax.random.key(0))
X = jax.random.normal(jax.random.key(1), (32, 8))


def test_statistics_are_those_of_every_layer():
    found, h = vg.statistics(NET, PARAMS, X), np.asarray(X)
    for layer in range(NET.depth):
        z = h @ np.asarray(PARAMS["weights"][layer])
        np.testing.assert_allclose(found.mean[layer], z.mean(0), atol=1e-5)
        np.testing.assert_allclose(found.variance[layer], z.var(0), rtol=1e-4)
        h = np.maximum((z - z.mean(0)) / np.sqrt(z.var(0) + NET.epsilon), 0)


@pytest.mark.parametrize("residual", [None, 0.5])
def test_the_batch_s_own_statistics_change_nothing(residual):
    net = vg.MLP(depth=4, width=8, normalization="batch", residual=residual, out_features=3)
    params = vg.init(net, key=jax.random.key(2))
    fixed = vg.statistics(net, params, X)
    for run in (vg.apply, lambda *a, **k: vg.forward(*a, **k).post):
        expected = run(net, params, X)
        np.testing.assert_allclose(run(net, params, X, statistics=fixed), expected, atol=1e-5)


def test_with_fixed_statistics_an_output_depends_on_its_own_input_alone():
    fixed = vg.statistics(NET, PARAMS, X)
    together = vg.apply(NET, PARAMS, X, statistics=fixed)
    alone = jnp.concatenate([vg.apply(NET, PARAMS, x[None], statistics=fixed) for x in X])
    np.testing.assert_allclose(together, alone, atol=1e-5)
    shifted = vg.apply(NET, PARAMS, X.at[1:].multiply(3.0))
    assert not np.allclose(shifted[0], vg.apply(NET, PARAMS, X)[0], atol=1e-2)


def test_fewer_layers_use_the_first_statistics():
    fixed = vg.statistics(NET, PARAMS, X)
    shallow = vg.apply(NET, PARAMS, X, depth=2, statistics=fixed)
    np.testing.assert_allclose(shallow, vg.forward(NET, PARAMS, X).post[1], atol=1e-5)


@pytest.mark.parametrize("normalization", [None, "layer"])
def test_only_batch_norm_has_statistics(normalization):
    net = vg.MLP(depth=4, width=8, normalization=normalization)
    fixed = vg.statistics(NET, PARAMS, X)
    for refused in (
        lambda: vg.statistics(net, PARAMS, X),
        lambda: vg.apply(net, PARAMS, X, statistics=fixed),
        lambda: vg.forward(net, PARAMS, X, statistics=fixed),
    ):
        with pytest.raises(ValueError, match="expected a network with normalization='batch'"):
            refused()
