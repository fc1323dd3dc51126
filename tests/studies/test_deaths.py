"""Who dies, who comes back, and with what certainty it may be said."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import vanishing as vg
from vanishing.studies import deaths

KEY = jax.random.key(3)
DATA = vg.datasets.lift(vg.datasets.two_moons(64, key=jax.random.key(0)), 16)
DATA32 = vg.datasets.lift(vg.datasets.two_moons(64, key=jax.random.key(0)), 32).x
NET = vg.MLP(depth=3, width=16, activation="relu", initializer="he", out_features=1)


def test_lives_are_those_that_training_records():
    dead = deaths.lives(NET, optax.sgd(0.1), DATA, key=KEY, runs=2, steps=6)
    start = vg.init(NET, key=jax.random.split(KEY, 2)[1])
    _, history = vg.train(
        NET, start, DATA, key=KEY, steps=6, optimizer="sgd", learning_rate=0.1, record_every=1
    )
    np.testing.assert_array_equal(dead[1], history.dead_units)


def test_runs_that_leave_the_numbers_are_left_out():
    wild = optax.sgd(deaths.with_one_large_step(0.1, 1e30, at=2))
    assert deaths.lives(NET, wild, DATA, key=KEY, runs=2, steps=4).shape == (0, 5, 3, 16)
    killed = deaths.after_a_kill(
        NET, wild, DATA, key=KEY, runs=2, before=1, after=4, margin=0.1, forget=True
    )
    assert killed.shape == (0, 5, 3)


def test_a_kill_kills_a_live_unit_in_each_layer_and_no_more_than_that():
    params = vg.init(NET, key=KEY)
    before = vg.dead_units(NET, params, DATA.x)
    after, units = deaths.kill(NET, params, DATA.x, 0.1, key=KEY)
    dead = vg.dead_units(NET, after, DATA.x)
    assert not before[jnp.arange(3), units].any() and dead[jnp.arange(3), units].all()
    np.testing.assert_array_equal(before[0].at[units[0]].set(True), dead[0])
    changed = after["biases"] != params["biases"]
    assert changed.sum() == 3 and changed[jnp.arange(3), units].all()
    top = vg.forward(NET, after, DATA.x).pre[0, :, units[0]]
    spread = jnp.sqrt(jnp.mean(vg.forward(NET, params, DATA.x).pre[0, :, units[0]] ** 2))
    assert float(top.max()) == pytest.approx(-0.1 * float(spread), rel=1e-4)


@pytest.mark.parametrize("name", ["sgd, decay", "momentum", "adam, decay"])
def test_a_dead_first_layer_unit_stays_dead_once_nothing_remembers_its_gradient(name):
    rule = deaths.rules(0.05 if "adam" not in name else 0.003, 0.01)[name]
    dead = deaths.after_a_kill(
        NET, rule, DATA, key=KEY, runs=16, before=30, after=120, margin=0.1, forget=True
    )
    assert dead[:, :, 0].all()
    assert deaths.came_back(dead)[2].count > 0


def test_a_memory_of_gradients_can_bring_a_first_layer_unit_back():
    dead = deaths.after_a_kill(
        NET, deaths.rules(0.05, 0.0)["momentum"], DATA, key=KEY, runs=32, before=30, after=100,
        margin=0.1,
    )  # fmt: skip
    assert dead[:, 0].all()
    assert deaths.came_back(dead)[0].low > 0


def test_a_penalty_that_adam_rescales_moves_a_dead_unit_across_zero():
    # λθ is all the gradient that the unit gets; Adam turns it into steps of equal length, so
    # weights and bias do not shrink in proportion and the sign of w x + b may change.
    rule = deaths.rules(0.01, 0.01)["adam, decay in the gradient"]
    dead = deaths.after_a_kill(
        NET, rule, DATA, key=KEY, runs=32, before=30, after=300, margin=0.1, forget=True
    )
    assert (~dead[:, :, 0]).any()


def test_a_large_step_kills_and_the_counts_are_of_the_right_units():
    dead = np.zeros((2, 5, 1, 3), bool)
    dead[0, :, 0, 0] = True  # born dead: neither killed nor revived
    dead[0, 2:, 0, 1] = True  # killed by step 1 for good
    dead[1, 2:4, 0, 2] = True  # killed by step 1, back at the end
    dead[1, 4, 0, 0] = True  # died later
    (killed,), (revived,), (died,) = (
        deaths.killed(dead, 1), deaths.revived(dead, 1), deaths.died(dead),
    )  # fmt: skip
    assert (killed.count, killed.of) == (2, 5)
    assert (revived.count, revived.of) == (1, 2)
    assert (died.count, died.of) == (2, 5)


def test_without_biases_the_scale_of_the_weights_kills_nobody():
    # ReLU is homogeneous: PyTorch's small weights and He's give the same signs everywhere.
    small, he = (
        deaths.born_dead(vg.MLP(6, 32, "relu", sigma_w=s), DATA32, key=KEY, runs=8)
        for s in (3**-0.5, 2**0.5)
    )
    assert [layer.count for layer in small] == [layer.count for layer in he]


def test_pytorch_biases_kill_half_of_a_deep_network():
    default, zero = (
        deaths.born_dead(vg.MLP(12, 32, "relu", "pytorch", sigma_b=bias), DATA32, key=KEY, runs=16)[
            -1
        ]
        for bias in (None, 0.0)
    )
    assert default.low > zero.high
    assert default.low < 0.5 < default.high
