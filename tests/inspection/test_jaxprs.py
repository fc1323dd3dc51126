"""What `inspection` takes for granted of JAX; when a test fails here, JAX has changed."""

from functools import partial

import jax
import jax.extend.core.primitives
import jax.numpy as jnp
import pytest
from jax._src.lax import lax as inside
from jax.extend.core import Primitive, jaxprs_in_params

from vanishing.inspection import jaxprs
from vanishing.inspection.jaxprs import primitives, shards

WHERE = "vanishing/inspection/jaxprs/"


def changed(what: str, module: str = "primitives") -> str:
    return f"JAX has changed: {what} Mend {WHERE}{module}.py."


def operations(function, *arguments):
    return jaxprs.graph(jaxprs.trace(function, *arguments)).equations


def only(function, *arguments):
    (equation,) = operations(function, *arguments)
    return equation


X = jnp.ones((4, 3))


TABLES = [
    "CALLS",
    "OWN_RULE",
    "REMATERIALISED",
    "CONTRACTIONS",
    "REDUCTIONS",
    "ELEMENTWISE",
    "AFFINE",
    "LAYOUT",
    "NO_GRADIENT",
]


@pytest.mark.parametrize("table", TABLES)
def test_every_primitive_exists(table):
    places = (jax.extend.core.primitives, jax.lax, inside)
    known = {p.name for place in places for p in vars(place).values() if isinstance(p, Primitive)}
    gone = set(getattr(primitives, table)) - known
    assert not gone, changed(f"no primitive is called {sorted(gone)} any more, see {table}.")


def test_every_table_is_tested():
    tables = {name for name in vars(primitives) if name.isupper()}
    assert tables == set(TABLES)


MESH = jax.make_mesh((1,), ("here",), axis_types=(jax.sharding.AxisType.Auto,))
HERE = jax.sharding.PartitionSpec("here")


@partial(jax.shard_map, mesh=MESH, in_specs=HERE, out_specs=jax.sharding.PartitionSpec())
def sharded(x):
    mark = jax.lax.pcast(jnp.ones((4, 3)), "here", to="varying")
    return jax.lax.psum(jax.nn.relu(x) + mark, "here")


@jax.custom_vjp
def passed(x):
    return jnp.round(x)


passed.defvjp(lambda x: (jnp.round(x), None), lambda _, g: (g,))

PARAMETERS = {
    "jit": (jax.jit(jnp.sin), ["jaxpr", "name"]),
    "custom_jvp_call": (jax.nn.relu, ["call_jaxpr", "jvp_jaxpr_fun", "num_consts"]),
    "custom_vjp_call": (passed, ["call_jaxpr"]),
    "remat2": (jax.checkpoint(jnp.sin), ["jaxpr", "prevent_cse"]),
    "cond": (lambda x: jax.lax.cond(x[0, 0] > 0, jnp.sin, jnp.cos, x), ["branches"]),
    "scan": (
        lambda x: jax.lax.scan(lambda c, s: (c + s, c), x[0], x),
        ["jaxpr", "num_consts", "num_carry", "length", "reverse"],
    ),
    "dot_general": (lambda x: x @ x.T, ["dimension_numbers"]),
    "conv_general_dilated": (
        lambda x: jax.lax.conv(x[None, None], x[None, None], (1, 1), "SAME"),
        ["dimension_numbers"],
    ),
    "transpose": (jnp.transpose, ["permutation"]),
    "broadcast_in_dim": (lambda x: x[:, None] * x[..., None], ["broadcast_dimensions"]),
    "integer_pow": (lambda x: x**3, ["y"]),
    "convert_element_type": (lambda x: x.astype(jnp.bfloat16), ["new_dtype"]),
    "shard_map": (sharded, ["mesh", "in_specs", "out_specs", "jaxpr", "newly_manual_axes"]),
    "pvary": (sharded, []),
    "psum_invariant": (sharded, ["axes"]),
}


def found(jaxpr):
    """The equations of a jaxpr, and of what is in it, by the primitive."""
    made = {}
    for eqn in jaxpr.eqns:
        for inner in jaxprs_in_params(eqn.params):
            made |= found(inner)
        made[eqn.primitive.name] = eqn
    return made


@pytest.mark.parametrize("name", PARAMETERS)
def test_every_parameter_exists(name):
    function, wanted = PARAMETERS[name]
    eqns = found(jax.make_jaxpr(function)(X).jaxpr)
    module = "shards" if function is sharded else "primitives"
    assert name in eqns, changed(f"{name} is now one of {sorted(eqns)}.", module)
    gone = set(wanted) - eqns[name].params.keys()
    assert not gone, changed(
        f"{name} has no parameter {sorted(gone)}, but {sorted(eqns[name].params)}.", module
    )


def test_the_parameters_that_shards_leaves_out_exist():
    eqns = found(jax.make_jaxpr(lambda x: x @ jnp.ones_like(x).T)(X).jaxpr).values()
    gone = shards.SHARDINGS - {name for eqn in eqns for name in eqn.params}
    assert not gone, changed(f"no equation has a parameter {sorted(gone)}.", "shards")


def test_calls_are_inlined():
    names = [e.op for e in operations(jax.jit(lambda x: jax.jit(jnp.tanh)(x) * 2.0), X)]
    assert names == ["tanh", "mul"], changed(f"a jitted call is now seen as {names}.")


def test_a_function_called_twice_has_values_of_its_own():
    inner = jax.jit(lambda x: x * 2.0)
    first, second = operations(lambda x: inner(inner(x)), X)
    assert first.outputs[0] is not second.outputs[0]


@pytest.mark.parametrize("function", [jax.nn.relu, jax.nn.relu6, jax.nn.silu, jax.nn.gelu])
def test_activations_are_elementwise(function):
    for equation in operations(function, X):
        assert equation.elementwise or equation.op == "broadcast_in_dim", changed(
            f"{equation.op} is not known to be elementwise."
        )


def test_relu_keeps_the_rule_of_its_author():
    assert only(jax.nn.relu, X).op in jaxprs.OWN_RULE, changed(
        "jax.nn.relu has no custom_jvp_call any more."
    )
    assert only(jax.nn.relu, X).name == "relu"


def test_scan_cond_and_checkpoint_are_found():
    equations = operations(lambda x: jax.lax.scan(lambda c, s: (c + s, c), x[0], x), X)
    loop = equations[-1].loop
    assert loop is not None and (loop.carried, loop.length, loop.reverse) == (1, 4, False), changed(
        "scan names its parts in another way."
    )
    conditions = operations(lambda x: jax.lax.cond(x[0, 0] > 0, jnp.sin, jnp.cos, x), X)
    assert len(conditions[-1].branches) == 2, changed("cond has changed.")
    kept = only(jax.checkpoint(lambda x: jnp.sin(jnp.cos(x))), X)
    assert kept.rematerialised is not None, changed(f"jax.checkpoint is now called {kept.op}.")


def test_a_shard_map_becomes_plain_jax():
    made = {e.op for e in operations(sharded, X)}
    assert "custom_jvp_call" in made and not made & {"shard_map", "psum_invariant", "pvary"}, (
        changed(f"a shard_map is now seen as {made}.", "shards")
    )


def test_units_of_a_contraction():
    for subscripts, weight, units in (("bi,io->bo", (3, 5), (1,)), ("oi,bi->ob", None, (0,))):
        shapes = [(4, 3), weight] if weight else [(5, 3), (4, 3)]
        side = 1 if weight else 0
        equations = operations(
            lambda a, b, s=subscripts: jnp.einsum(s, a, b), *map(jnp.ones, shapes)
        )
        product = next(e for e in equations if e.op in jaxprs.CONTRACTIONS)
        swapped = jnp.shape(product.inputs[side].aval) != shapes[side]
        axes = jaxprs.unit_axes(product, 1 - side if swapped else side)
        for equation in equations[equations.index(product) + 1 :]:
            axes = jaxprs.moved_axes(equation, axes)
        assert axes == units, changed("dot_general orders its axes in another way.", "axes")


def test_an_equation_knows_its_line():
    assert __file__ in only(lambda x: jnp.sin(x), X).line, changed(
        "equations do not know the line they come from."
    )
