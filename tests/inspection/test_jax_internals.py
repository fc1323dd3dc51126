"""What `inspection` takes for granted of JAX; when a test fails here, JAX has changed."""

import jax
import jax.numpy as jnp
import pytest

from vanishing.inspection import jax_internals

CHANGED = "JAX has changed: {} Mend vanishing/inspection/jax_internals.py."


def operations(function, *arguments):
    return jax_internals.graph(jax_internals.trace(function, *arguments)).equations


def only(function, *arguments):
    (equation,) = operations(function, *arguments)
    return equation


X = jnp.ones((4, 3))


def test_calls_are_inlined():
    names = [e.op for e in operations(jax.jit(lambda x: jax.jit(jnp.tanh)(x) * 2.0), X)]
    assert names == ["tanh", "mul"], CHANGED.format(f"a jitted call is now seen as {names}.")


def test_a_function_called_twice_has_values_of_its_own():
    inner = jax.jit(lambda x: x * 2.0)
    first, second = operations(lambda x: inner(inner(x)), X)
    assert first.outputs[0] is not second.outputs[0]


@pytest.mark.parametrize("function", [jax.nn.relu, jax.nn.relu6, jax.nn.silu, jax.nn.gelu])
def test_activations_are_elementwise(function):
    for equation in operations(function, X):
        assert jax_internals.elementwise(equation) or equation.op == "broadcast_in_dim", (
            CHANGED.format(f"{equation.op} is not known to be elementwise.")
        )


def test_relu_keeps_the_rule_of_its_author():
    assert only(jax.nn.relu, X).op in jax_internals.OWN_RULE, CHANGED.format(
        "jax.nn.relu has no custom_jvp_call any more."
    )
    assert only(jax.nn.relu, X).name == "relu"


def test_scan_cond_and_checkpoint_are_found():
    equations = operations(lambda x: jax.lax.scan(lambda c, s: (c + s, c), x[0], x), X)
    loop = jax_internals.loop(equations[-1])
    assert loop is not None and (loop.carried, loop.length, loop.reverse) == (1, 4, False), (
        CHANGED.format("scan names its parts in another way.")
    )
    conditions = operations(lambda x: jax.lax.cond(x[0, 0] > 0, jnp.sin, jnp.cos, x), X)
    assert len(jax_internals.branches(conditions[-1])) == 2, CHANGED.format("cond has changed.")
    kept = only(jax.checkpoint(lambda x: jnp.sin(jnp.cos(x))), X)
    assert jax_internals.rematerialised(kept) is not None, CHANGED.format(
        f"jax.checkpoint is now called {kept.op}."
    )


def test_a_shard_map_becomes_plain_jax():
    mesh = jax.make_mesh((1,), ("here",), axis_types=(jax.sharding.AxisType.Auto,))
    summed = jax.shard_map(
        lambda x: jax.lax.psum(jax.nn.relu(x), "here"),
        mesh=mesh,
        in_specs=jax.sharding.PartitionSpec("here"),
        out_specs=jax.sharding.PartitionSpec(),
    )
    made = {e.op for e in operations(summed, X)}
    assert "custom_jvp_call" in made and not made & {"shard_map", "psum_invariant", "pvary"}, (
        CHANGED.format(f"a shard_map is now seen as {made}; see shards.py.")
    )


def test_units_of_a_contraction():
    for subscripts, weight, units in (("bi,io->bo", (3, 5), (1,)), ("oi,bi->ob", None, (0,))):
        shapes = [(4, 3), weight] if weight else [(5, 3), (4, 3)]
        side = 1 if weight else 0
        equations = operations(
            lambda a, b, s=subscripts: jnp.einsum(s, a, b), *map(jnp.ones, shapes)
        )
        product = next(e for e in equations if e.op in jax_internals.CONTRACTIONS)
        swapped = jnp.shape(product.inputs[side].aval) != shapes[side]
        axes = jax_internals.unit_axes(product, 1 - side if swapped else side)
        for equation in equations[equations.index(product) + 1 :]:
            axes = jax_internals.moved_axes(equation, axes)
        assert axes == units, CHANGED.format("dot_general orders its axes in another way.")


def test_an_equation_knows_its_line():
    assert __file__ in jax_internals.line(only(lambda x: jnp.sin(x), X)), CHANGED.format(
        "equations do not know the line they come from."
    )
