"""The tuning loop: a learning rate that is bracketed, chosen on some starts, reported on others."""

import jax
import numpy as np
import pytest
from jax.tree_util import Partial

import vanishing as vg
from vanishing.training import tuning

KEY = jax.random.key(5)
DATA = vg.datasets.two_moons(64, key=jax.random.key(0))
NET = vg.MLP(depth=2, width=8, in_features=2, out_features=1)
RUN = {"key": KEY, "steps": 40, "batch_size": 16}


def test_a_run_of_the_grid_is_a_run_of_train():
    found = tuning.grid(NET, DATA, rates=(0.3, 0.1), starts=range(1, 3), **RUN)
    assert found.rates.tolist() == [0.1, 0.3]
    weight_key, batch_key = jax.random.split(jax.random.fold_in(KEY, 2))
    _, history = vg.train(
        NET, vg.init(NET, key=weight_key), DATA, key=batch_key, steps=40, optimizer="sgd",
        learning_rate=0.3, record_every=40, batch_size=16,
    )  # fmt: skip
    assert found.loss[1, 1] == pytest.approx(float(history.loss[-1]), rel=1e-4)
    assert found.accuracy[1, 1] == pytest.approx(float(history.accuracy[-1]), abs=1.5 / 64)


def test_an_edge_is_moved_until_the_best_rate_lies_inside():
    found = tuning.tuned(NET, DATA, rates=(1e-3, 1e-2), choose=2, report=2, extend=6, **RUN)
    rates = found.grid.rates
    np.testing.assert_allclose(np.diff(np.log10(rates)), 1, rtol=1e-6)
    assert rates[0] == 1e-3 and rates[0] < found.rate < rates[-1] and found.grid.edge is None
    assert found.grid.loss.shape == (len(rates), 2)
    score = np.log(found.grid.loss).mean(axis=1)
    assert score[found.grid.best] == score.min()


def test_where_the_grid_may_not_grow_the_edge_is_reported():
    found = tuning.tuned(NET, DATA, rates=(1e-4, 1e-3), choose=1, report=1, extend=0, **RUN)
    assert found.rate == 1e-3 and found.grid.edge == "high"
    wild = tuning.tuned(NET, DATA, rates=(1e3, 1e4), choose=1, report=1, extend=1, **RUN)
    assert wild.grid.rates.min() < 1e3 or wild.grid.edge == "high"


def test_the_starts_that_choose_are_not_those_that_are_reported():
    found = tuning.tuned(NET, DATA, rates=(0.1, 0.3), choose=2, report=3, **RUN)
    again = tuning.grid(NET, DATA, rates=[found.rate], starts=5, **RUN)
    np.testing.assert_array_equal(again.loss[0, :2], found.grid.loss[found.grid.best])
    np.testing.assert_array_equal(again.loss[0, 2:], found.loss)
    assert np.unique(again.loss).size == 5


def test_lost_runs_are_counted_and_their_rate_is_not_chosen():
    found = tuning.Grid(
        np.array([0.1, 1.0]), np.array([[0.5, 0.6], [0.1, np.inf]]), np.array([[0.7, 0.7], [1, 0]])
    )
    assert found.best == 0 and found.lost.tolist() == [0, 1]
    net = vg.MLP(depth=10, width=8, activation="relu", sigma_w=3.0, in_features=2, out_features=2)
    targets = vg.datasets.Dataset(DATA.x, 1e3 * DATA.x)
    lost = tuning.tuned(net, targets, rates=(1.0, 10.0), choose=2, report=3, extend=0, **RUN)
    assert lost.lost == 3 and lost.grid.lost.tolist() == [2, 2]
    assert np.isinf(lost.loss).all() and not lost.accuracy.any()


def test_fewer_layers_of_a_deep_network_are_a_shallow_one():
    deep = vg.MLP(depth=5, width=8, in_features=2, out_features=1)
    shallow = tuning.grid(deep, DATA, rates=[0.3], starts=2, depth=2, **RUN)
    whole = tuning.grid(deep, DATA, rates=[0.3], starts=2, depth=5, **RUN)
    plain = tuning.grid(deep, DATA, rates=[0.3], starts=2, **RUN)
    np.testing.assert_allclose(whole.loss, plain.loss, rtol=1e-4)
    assert not np.allclose(shallow.loss, whole.loss, rtol=1e-2)


def scaled(sigma_w):
    return vg.MLP(2, 8, sigma_w=sigma_w, sigma_b=0.0, in_features=2, out_features=1)


def test_one_executable_serves_every_scale_rate_and_number_of_steps():
    tuning.grid(Partial(scaled, 1.0), DATA, rates=(0.1, 0.3), starts=1, **RUN)
    before = tuning.end._cache_size()
    tuning.grid(Partial(scaled, 2.0), DATA, rates=(0.2,), starts=2, **(RUN | {"steps": 7}))
    assert tuning.end._cache_size() == before


BAD = [
    ({"rates": ()}, "rates: expected at least one learning rate, each > 0; got .*Try"),
    ({"rates": (0.1, 0.0)}, "rates: expected at least one learning rate, each > 0; got"),
    ({"rates": (0.1, -1.0)}, "rates: expected a finite number"),
    ({"rates": ("fast", 0.1)}, "rates: expected a number; got 'fast'"),
    ({"rates": (0.1,)}, "rates: expected at least two learning rates; got .0.1,.*Their ratio"),
    ({"rates": (0.1, 0.1)}, "rates: expected at least two learning rates; got"),
    ({"steps": 0}, "steps: expected at least 1; got 0"),
    ({"choose": 0}, "starts: expected at least 1; got 0"),
    ({"report": 1.5}, "report: expected an integer; got 1.5"),
    ({"extend": -1}, "extend: expected at least 0; got -1"),
]


@pytest.mark.bad_input
@pytest.mark.parametrize(("changed", "message"), BAD)
def test_bad_input_is_refused_with_a_remedy(changed, message):
    options = RUN | {"rates": (0.1, 0.3), "choose": 1, "report": 1} | changed
    with pytest.raises((ValueError, TypeError), match=message):
        tuning.tuned(NET, DATA, **options)
