"""A loss inside a `shard_map` on eight devices reads as it does on one."""

import os
import subprocess
import sys
import textwrap

PROGRAM = """
import jax, jax.numpy as jnp, numpy as np
from jax.sharding import AxisType, NamedSharding, PartitionSpec as P
import vanishing as vg

keys = jax.random.split(jax.random.key(0), 5)
params = {
    "deep": jax.random.normal(keys[0], (9, 12, 12)) / 12**0.5,
    "up": jax.random.normal(keys[1], (12, 16)),
    "down": jax.random.normal(keys[2], (16, 12)),
    "out": jax.random.normal(keys[3], (12, 4)),
}
x, y = jax.random.normal(keys[4], (32, 12)), jnp.arange(32) % 4
SPECS = {"deep": P(), "up": P(None, "model"), "down": P("model", None), "out": P()}


def network(params, x, y, sharded):
    '''Sigmoid layers in a scan, then a wide layer of which each device has a part.'''
    def layer(h, w):
        return jax.nn.sigmoid(h @ w), None

    h, _ = jax.lax.scan(jax.checkpoint(layer), x, params["deep"])
    part = jax.nn.relu(h @ params["up"]) @ params["down"]
    h = h + (jax.lax.psum(part, "model") if sharded else part)
    chances = jax.nn.log_softmax(h @ params["out"])
    loss = -jnp.mean(jnp.take_along_axis(chances, y[:, None], axis=1))
    return jax.lax.pmean(loss, "data") if sharded else loss


def same(one, other):
    assert abs(one.loss - other.loss) < 1e-5
    for name, parameter in one.parameters.items():
        measured = other.parameters[name]
        for quantity in ("log_gradient_rms", "rms", "share_zero"):
            a, b = getattr(parameter, quantity), getattr(measured, quantity)
            assert abs(a - b) < 1e-4, (name, quantity, a, b)
    assert [a.name for a in one.layers] == [b.name for b in other.layers]
    for a, b in zip(one.layers, other.layers):
        for quantity in ("log_gradient_rms", "dead_fraction", "saturated_fraction",
                         "log_activation_rms", "feature_correlation", "gradient_correlation"):
            if a.name == "down" and quantity == "log_activation_rms":
                continue  # a device has a part of this product before the sum
            was, found = getattr(a, quantity), getattr(b, quantity)
            assert np.isnan(was) == np.isnan(found), (a.name, quantity, was, found)
            assert np.isnan(was) or abs(was - found) < 1e-3, (a.name, quantity, was, found)
"""


def run(body: str) -> str:
    """The program and `body`, in a process that believes to have eight devices."""
    flags = f"{os.environ.get('XLA_FLAGS', '')} --xla_force_host_platform_device_count=8"
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM + textwrap.dedent(body)],
        env={**os.environ, "XLA_FLAGS": flags, "JAX_PLATFORMS": "cpu"},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_numbers_are_those_of_one_device():
    """On a mesh of both kinds, with the batch and a layer shared out, and a batch over all."""
    run("""
    plain = vg.inspect(lambda p, x, y: network(p, x, y, False), params, x, y)
    for kind in (AxisType.Auto, AxisType.Explicit):
        mesh = jax.make_mesh((4, 2), ("data", "model"), axis_types=(kind,) * 2)

        def place(array, spec):
            return jax.device_put(array, NamedSharding(mesh, spec))

        def sharded(params, x, y):
            return jax.shard_map(
                lambda p, x, y: network(p, x, y, True), mesh=mesh,
                in_specs=(SPECS, P("data"), P("data")), out_specs=P(),
            )(params, x, y)

        with jax.set_mesh(mesh):
            placed = {name: place(array, SPECS[name]) for name, array in params.items()}
            batch = place(x, P("data")), place(y, P("data"))
            report = vg.inspect(sharded, placed, *batch)
        same(plain, report)
        assert [a.where for a in plain.layers] == [b.where for b in report.layers]

    def total(w, x):
        return jax.lax.psum(jnp.sum(jnp.tanh(x @ w)), ("data", "model"))

    mesh = jax.make_mesh((4, 2), ("data", "model"), axis_types=(AxisType.Auto,) * 2)
    over_all = jax.shard_map(
        total, mesh=mesh, in_specs=(P(), P(("model", "data"))), out_specs=P()
    )
    same(
        vg.inspect(lambda w, x: jnp.sum(jnp.tanh(x @ w)), params["up"], x),
        vg.inspect(over_all, params["up"], x),
    )
    """)


def test_what_cannot_be_done_on_whole_arrays_is_refused_with_its_line():
    out = run("""
    import traceback

    @jax.custom_vjp
    def passed(x):
        return jnp.round(x)

    passed.defvjp(lambda x: (jnp.round(x), None), lambda _, g: (g,))
    mesh = jax.make_mesh((8,), ("data",), axis_types=(AxisType.Auto,))
    loss = jax.shard_map(
        lambda w, x: jax.lax.psum(jnp.sum(passed(x @ w)), "data"),
        mesh=mesh, in_specs=(P(), P("data")), out_specs=P(),
    )
    try:
        vg.inspect(loss, params["up"], x)
    except NotImplementedError as error:
        print(error)
    """)
    assert "custom_vjp_call" in out and "without shard_map" in out, out
