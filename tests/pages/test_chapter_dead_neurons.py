"""Numbers and statements that stand as text in `dead-neurons`, against computed ones."""

import math
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import vanishing as vg

TEXT = Path(__file__).parents[2].joinpath("chapters", "dead-neurons.md").read_text()


def test_pytorch_weights_are_smaller_by_the_factor_of_the_text():
    he, pytorch = (vg.initializers.get(name).gain for name in ("he", "pytorch"))
    assert "$\\sqrt 6$ times larger" in TEXT and math.isclose(he / pytorch, 6**0.5)


def test_the_share_of_a_pair_follows_from_half_circles():
    rng = np.random.default_rng(0)
    theta = 1.1
    pair = np.array([[1.0, 0.0], [np.cos(theta), np.sin(theta)]])
    silent = (rng.standard_normal((200_000, 2)) @ pair.T <= 0).all(axis=1).mean()
    assert abs(silent - (0.5 - theta / (2 * np.pi))) < 0.004


@pytest.mark.parametrize("leak", [0.0, 0.01])
def test_a_step_moves_z_as_the_push_equation_says(leak):
    h, e_key, w_key = jax.random.split(jax.random.key(0), 3)
    h = jnp.abs(jax.random.normal(h, (8, 5)))
    e, w = jax.random.normal(e_key, (8,)), jax.random.normal(w_key, (5,))

    def cost(w, b):
        return jnp.sum(e * jax.nn.leaky_relu(h @ w + b, leak))

    z = h @ w + 0.1
    dw, db = jax.grad(cost, argnums=(0, 1))(w, 0.1)
    moved = h @ (w - 0.5 * dw) + 0.1 - 0.5 * db - z
    delta = jnp.where(z > 0, e, leak * e)
    np.testing.assert_allclose(moved, -0.5 * (h @ h.T + 1) @ delta, rtol=1e-4, atol=1e-4)


def test_a_dead_first_layer_unit_keeps_its_bits_under_gradient_descent():
    data = vg.datasets.lift(vg.datasets.two_moons(64, key=jax.random.key(0)), 16)
    net = vg.MLP(3, 16, "relu", "he", out_features=1)
    params = vg.init(net, key=jax.random.key(1))
    params["biases"] = params["biases"].at[0, 5].set(-100.0)
    trained, _ = vg.train(
        net, params, data, key=jax.random.key(2), steps=50, optimizer=optax.sgd(0.1)
    )
    assert bool((trained["weights"][0, :, 5] == params["weights"][0, :, 5]).all())
    assert float(trained["biases"][0, 5]) == -100.0
    assert not bool((trained["weights"][0] == params["weights"][0]).all())


def test_a_unit_that_nothing_listens_to_gets_no_gradient_and_is_not_dead():
    """Outgoing weights of zero: cut off in the first step, and from then on not any more."""
    assert "only cut off; it comes back with the layer above" in TEXT
    data = vg.datasets.lift(vg.datasets.two_moons(64, key=jax.random.key(0)), 16)
    net = vg.MLP(2, 16, "relu", "he", out_features=1)
    start = vg.init(net, key=jax.random.key(1))
    unit = int(jnp.argmin(vg.dead_units(net, start, data.x)[0]))
    start["weights"] = start["weights"].at[1, unit].set(0.0)
    assert not vg.dead_units(net, start, data.x)[0, unit]
    rule = {"key": jax.random.key(2), "optimizer": optax.sgd(0.1), "batch_size": None}
    once, _ = vg.train(net, start, data, steps=1, **rule)
    assert bool((once["weights"][0, :, unit] == start["weights"][0, :, unit]).all())
    assert bool((once["weights"][1, unit] != 0).any())
    twice, _ = vg.train(net, once, data, steps=1, **rule)
    assert not bool((twice["weights"][0, :, unit] == start["weights"][0, :, unit]).all())


def test_the_widths_of_the_pencil():
    assert "is 1.2% for $N = 12$ and 0.6% for $N = 13$" in TEXT
    for width, said in ((12, 0.012), (13, 0.006)):
        assert math.isclose(49 * 2.0**-width, 1 - (1 - 2.0**-width) ** 49, rel_tol=0.01)
        assert round(49 * 2.0**-width, 3) == said


def test_wrong_answers_get_a_hint():
    assert not vg.check("dead-neurons-orthogonal", 0.5)
    assert not vg.check("dead-neurons-width", 12)
    assert not vg.check("dead-neurons-decay", 1385)
    assert not vg.check("dead-neurons-coast", 0.2)
    assert not vg.check("dead-neurons-bias", lambda b: b)


def pruned(net, params, x):
    dead = vg.dead_units(net, params, x)
    out = params["read_out"] | {
        "weights": jnp.where(dead[-1][:, None], 0, params["read_out"]["weights"])
    }
    hidden = params["weights"].at[1:].multiply(jnp.where(dead[:-1, :, None], 0.0, 1.0))
    return params | {"weights": hidden, "read_out": out}


def test_what_leads_out_of_the_dead_is_removed_and_nothing_else():
    def others(net, params, x):
        dead = vg.dead_units(net, params, x)
        return pruned(net, params, x) | {
            "weights": params["weights"] * jnp.where(dead[:, None, :], 0.0, 1.0)
        }

    def no_read_out(net, params, x):
        return pruned(net, params, x) | {"read_out": params["read_out"]}

    def columns_too(net, params, x):
        dead = vg.dead_units(net, params, x)
        less = pruned(net, params, x)
        return less | {"weights": less["weights"] * jnp.where(dead[:, None, :], 0.0, 1.0)}

    def one_late(net, params, x):
        dead = vg.dead_units(net, params, x)
        return params | {"weights": params["weights"] * jnp.where(dead[:, :, None], 0.0, 1.0)}

    assert vg.check("dead-neurons-prune", pruned)
    for function, told in (
        (lambda net, params, x: params, "lead to the read-out"),
        (no_read_out, "lead to the read-out"),
        (others, "weights that lead out of it"),
        (columns_too, "more than what leads out"),
        (one_late, "rows or columns"),
        (lambda net, params, x: vg.init(net, key=jax.random.key(9)), "outputs are others"),
        (lambda net, params, x: params["weights"], "parameters of the same network"),
    ):
        assert told in vg.check("dead-neurons-prune", function).message


def test_lives_are_counted():
    def counted(dead):
        turns = np.diff(np.asarray(dead).astype(int), axis=0)
        return dead[0].sum(), (turns > 0).sum(), (turns < 0).sum(), dead[-1].sum()

    def ends(dead):
        born, end = int(dead[0].sum()), int(dead[-1].sum())
        return born, max(end - born, 0), max(born - end, 0), end

    assert vg.check("dead-neurons-count", counted)
    for function, told in (
        (ends, "units turn in between"),
        (lambda dead: counted(dead)[:3], "four numbers"),
        (lambda dead: (*counted(dead)[:3], 0), "do not add up"),
        (lambda dead: (*(counted(dead) + np.array([0, 1, 1, 0])),), "neighbouring records"),
    ):
        assert told in vg.check("dead-neurons-count", function).message
