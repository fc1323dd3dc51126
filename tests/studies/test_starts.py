"""Assumptions broken on purpose, and what training makes of a start."""

import jax
import numpy as np
import pytest

import vanishing as vg
from vanishing.studies import starts

SEEDS = 200


@pytest.fixture(scope="module")
def found():
    return starts.broken_assumptions(key=jax.random.key(5), seeds=SEEDS)


# By how many decades finite width (5L/2n nats and the like) may lower the mean of a logarithm.
@pytest.mark.parametrize(("name", "width"), [
    ("nothing", 0.12), ("mean zero", 0.02), ("independence", 0.02), ("symmetry", 0.1),
    ("straightness", 0.05), ("a foreign gradient", 0.1),
])  # fmt: skip
def test_each_broken_assumption_costs_what_its_law_says(found, name, width):
    law, measured = found[name]
    error = measured.std(ddof=1) / SEEDS**0.5
    assert -width - 4 * error < measured.mean() - law < 4 * error + 0.01


def test_every_law_is_told_apart_from_nothing_broken(found):
    for name, (law, measured) in found.items():
        if name != "nothing":
            error = measured.std(ddof=1) / SEEDS**0.5
            assert abs(measured.mean()) > 8 * error and np.sign(law) == np.sign(measured.mean())


def test_a_drift_begins_with_an_isometry_where_the_network_is_one():
    data = vg.datasets.lift(vg.datasets.two_moons(64, key=jax.random.key(0)), 8)
    net = vg.MLP(4, 8, "linear", "orthogonal", out_features=1)
    found = starts.drift(net, data, key=jax.random.key(1), seeds=2, steps=100, learning_rate=0.1)
    before, after = (starts.log_spread(part) for part in (found.before, found.after))
    assert (before < 1e-4).all() and (after > 0.01).all()
    assert (found.moved > 0).all() and (found.loss[:, 1] < found.loss[:, 0]).all()
