"""Rows 20, 22 and 23: what normalisation and skip connections do at initialisation."""

import math

import jax
import jax.numpy as jnp
import pytest

import vanishing as vg
from vanishing.studies import ensembles

KEY = jax.random.key(2019)


@pytest.mark.parametrize("activation, batch, seeds, published", [
    ("relu", 512, 6, math.pi / (math.pi - 1)),
    ("relu", 64, 6, 1.4931),
    ("relu", 16, 10, 1.5900),
    ("linear", 6, 20, 4 / 3),
])  # fmt: skip
def test_yang_2019_batch_norm_explodes(activation, batch, seeds, published):
    net = vg.MLP(depth=20, width=700, activation=activation, initializer="he",
                 normalization="batch", epsilon=0.0)  # fmt: skip
    logs = ensembles.gradient_logs(net, key=KEY, seeds=seeds, batch=batch)
    assert float(ensembles.layer_factor(logs, skip=4)) == pytest.approx(published, rel=0.03)


def test_yang_2019_theory_reaches_pi_over_pi_minus_1():
    net = vg.MLP(depth=20, width=1, activation="relu", initializer="he",
                 normalization="batch", epsilon=0.0)  # fmt: skip
    factor = float(vg.theory.predict(net, 1.0).factor[9])
    assert factor == pytest.approx(1.46694, abs=1e-4)
    assert factor**0.5 == pytest.approx(1.2112, abs=1e-4)


def mean_square(net, seeds, batch):
    """E h_L² for inputs of unit mean square."""
    return float(ensembles.over_seeds(
        lambda params, x, _: jnp.mean(vg.apply(net, params, x) ** 2),
        net, key=KEY, seeds=seeds, batch=batch,
    ).mean())  # fmt: skip


@pytest.mark.parametrize("depth, scale, published, tolerance", [
    (10, 1.0, 1024, 0.12),
    (50, 50**-0.5, 2.69, 0.06),
    (50, 1 / 50, 1.02, 0.06),
])  # fmt: skip
def test_residual_scaling_of_relu_branches(depth, scale, published, tolerance):
    net = vg.MLP(depth=depth, width=300, activation="relu", initializer="he", residual=scale)
    assert mean_square(net, 20, 16) == pytest.approx(published, rel=tolerance)


def test_de_smith_2020_batch_norm_in_the_branch_makes_growth_linear():
    net = vg.MLP(depth=30, width=300, activation="relu", initializer="he", residual=1.0,
                 normalization="batch")  # fmt: skip
    assert mean_square(net, 8, 128) == pytest.approx(31, rel=0.06)
