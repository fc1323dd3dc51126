"""What the pass that trains has seen is what the probe sees, wherever the floats end."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.extend.core import jaxprs_in_params

import vanishing as vg
from vanishing.training import update

ENDS = {"width": 8, "in_features": 2, "out_features": 1}
NETS = {
    "plain": vg.MLP(depth=12, activation="relu", initializer="he", **ENDS),
    "batch norm": vg.MLP(depth=6, activation="sigmoid", normalization="batch", epsilon=0, **ENDS),
    "residual": vg.MLP(depth=6, activation="gelu", normalization="layer", residual=0.5, **ENDS),
}
MOONS = vg.datasets.two_moons(64, key=jax.random.key(0))
SGD = update.optimizer_named("sgd", 0.1)


def one_step(net, params, batch):
    start = update.start(SGD, params)
    return update.update_and_read(net, SGD, start, MOONS, params["weights"], batch)


@pytest.mark.parametrize("net", NETS.values(), ids=NETS)
def test_one_pass_sees_what_two_see(net):
    params = vg.init(net, key=jax.random.key(1))
    # As it is; and so small that signals, gradients or what is normalised leave single precision.
    small = params | {"weights": 1e-22 * params["weights"]}
    scaled = jax.tree.map(lambda *leaves: jnp.stack(leaves), params, small)
    state, record = jax.jit(jax.vmap(lambda params: one_step(net, params, None)))(scaled)
    with_batch = jax.jit(lambda params: jax.lax.map(lambda one: one_step(net, one, MOONS), params))
    same_state, expected = with_batch(scaled)
    for got, want in zip(jax.tree.leaves(state), jax.tree.leaves(same_state), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-7)
    for field in dataclasses.fields(expected):
        got, want = getattr(record, field.name), getattr(expected, field.name)
        np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-4, err_msg=field.name)
    assert not np.array_equal(record.log_gradient_rms[0], record.log_gradient_rms[1])


def scans(jaxpr) -> int:
    """How often a jaxpr goes through the layers, but for what a loop may leave out."""
    count = 0
    for equation in jaxpr.eqns:
        count += equation.primitive.name == "scan"
        if equation.primitive.name != "while":
            count += sum(map(scans, jaxprs_in_params(equation.params)))
    return count


def test_a_step_on_all_data_goes_up_once_and_down_once():
    net = NETS["plain"]
    params = vg.init(net, key=jax.random.key(1))
    once, twice = (
        jax.make_jaxpr(lambda params, batch=batch: one_step(net, params, batch))(params)
        for batch in (None, MOONS)
    )
    assert (scans(once.jaxpr), scans(twice.jaxpr)) == (2, 4)
