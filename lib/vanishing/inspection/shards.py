"""A `shard_map` written as the same computation on whole arrays.

Each shard is an entry of one more axis: inputs are cut as their specs say, the body runs under
`jax.vmap` with the mesh's names, where a sum over devices is a sum over that axis, and outputs
are put together again. What is left is plain JAX, so that its layers are measured on all examples
and not on those of one device; on many devices, the compiler shares it out again.

With `jax_internals`, this is what `inspection` knows of JAX's insides.
"""

from collections.abc import Callable, Sequence
from functools import partial

import jax
import numpy as np
from jax import lax
from jax._src import config, core, source_info_util
from jax.extend.core import ClosedJaxpr, JaxprEqn, Literal

# Marks that a value differs from device to device: with whole arrays there is nothing to mark.
MARKS = frozenset({"pvary", "pcast"})
# Parameters that say where on the mesh a result lies.
SHARDINGS = frozenset({"sharding", "out_sharding"})


def whole(eqn: JaxprEqn, line: Callable[[JaxprEqn], str]) -> ClosedJaxpr:
    """The body of a `shard_map`, for whole arrays.

    Args:
        eqn: the equation.
        line: the reader's file and line of an equation.

    Raises:
        NotImplementedError: the body holds something that has no meaning on whole arrays.
    """
    names = [name for name in eqn.params["mesh"].axis_names if name in _manual(eqn)]
    sizes = {name: eqn.params["mesh"].shape[name] for name in names}

    def run(*arrays):
        cut = [
            _cut(array, spec, names, sizes)
            for array, spec in zip(arrays, eqn.params["in_specs"], strict=True)
        ]
        body = partial(_replay, eqn.params["jaxpr"], line=line)
        for name in reversed(names):
            mapped = [0 if name in _named(spec) else None for spec in eqn.params["in_specs"]]
            body = jax.vmap(body, mapped, 0, axis_name=name, axis_size=sizes[name])
        return [
            _joined(made, spec, names)
            for made, spec in zip(body(*cut), eqn.params["out_specs"], strict=True)
        ]

    return jax.make_jaxpr(run)(*(_shaped(atom.aval) for atom in eqn.invars))


def _shaped(aval) -> jax.ShapeDtypeStruct:
    return jax.ShapeDtypeStruct(aval.shape, aval.dtype)


def _manual(eqn: JaxprEqn) -> frozenset:
    return eqn.params["newly_manual_axes"]


def _named(spec) -> list[str]:
    """The names of a spec, in the order of the array's axes."""
    return [name for entry in spec for name in _entry(entry)]


def _entry(entry) -> tuple[str, ...]:
    return () if entry is None else entry if isinstance(entry, tuple) else (entry,)


def _cut(array, spec, names: Sequence[str], sizes: dict[str, int]):
    """One axis for each name of the spec, in front, in the order of the mesh."""
    shape, front, rest = [], {}, []
    for axis, size in enumerate(array.shape):
        for name in _entry(spec[axis]) if axis < len(spec) else ():
            front[name] = len(shape)
            shape.append(sizes[name])
            size //= sizes[name]
        rest.append(len(shape))
        shape.append(size)
    order = [front[name] for name in names if name in front] + rest
    return array.reshape(shape).transpose(order)


def _joined(array, spec, names: Sequence[str]):
    """The whole array; along a name that the spec has not, all are alike and the first is taken."""
    here = _named(spec)
    array = array[tuple(slice(None) if name in here else 0 for name in names)]
    front = [name for name in names if name in here]
    order, shape = [], []
    for axis in range(array.ndim - len(front)):
        size = array.shape[len(front) + axis]
        for name in _entry(spec[axis]) if axis < len(spec) else ():
            order.append(front.index(name))
            size *= array.shape[order[-1]]
        order.append(len(front) + axis)
        shape.append(size)
    return array.transpose(order).reshape(shape)


def _replay(jaxpr, *arguments, line) -> list:
    """Run a jaxpr's equations again, in no mesh."""
    closed = jaxpr if isinstance(jaxpr, ClosedJaxpr) else ClosedJaxpr(jaxpr, ())
    env = dict(zip(closed.jaxpr.constvars, map(_bare, closed.consts), strict=True))
    env.update(zip(closed.jaxpr.invars, arguments, strict=True))

    def read(atom):
        return _bare(atom.val) if isinstance(atom, Literal) else env[atom]

    again = partial(_replay, line=line)
    for eqn in closed.jaxpr.eqns:
        given = [read(atom) for atom in eqn.invars]
        with source_info_util.user_context(eqn.source_info.traceback):
            try:
                made = _equation(eqn, given, again)
            except (NotImplementedError, TypeError, ValueError, NameError) as error:
                raise NotImplementedError(
                    "inspect: expected a shard_map whose collectives also run under jax.vmap; got "
                    f"`{eqn.primitive.name}` at {line(eqn)} ({error}). Inspect the loss "
                    "of the whole batch, without shard_map: it has the same gradients."
                ) from error
        env.update(zip(eqn.outvars, made, strict=True))
    return [read(atom) for atom in closed.jaxpr.outvars]


def _bare(constant):
    """A constant that does not know on which mesh it was made."""
    plain = np.issubdtype(getattr(constant, "dtype", np.dtype(float)), np.number)
    return np.asarray(constant) if plain else constant


def _equation(eqn: JaxprEqn, given: Sequence, replay: Callable) -> Sequence:
    """The outputs of one equation; nested bodies are run again too, for they hold marks."""
    op, params = eqn.primitive.name, eqn.params
    params = params | dict.fromkeys(SHARDINGS & params.keys())
    if op in MARKS:
        return given
    if op == "psum_invariant":
        return [lax.psum(given[0], params["axes"])]
    if op == "jit":
        return replay(params["jaxpr"], *given)
    if op in ("remat2", "checkpoint"):
        return jax.checkpoint(partial(replay, params["jaxpr"]), prevent_cse=params["prevent_cse"])(
            *given
        )
    if op == "cond":
        branches = [partial(replay, branch) for branch in params["branches"]]
        return lax.switch(given[0], branches, *given[1:])
    if op == "scan":
        first, last = params["num_consts"], params["num_consts"] + params["num_carry"]

        def turn(carry, slices):
            made = replay(params["jaxpr"], *given[:first], *carry, *slices)
            return made[: last - first], made[last - first :]

        carried, stacked = lax.scan(
            turn, given[first:last], given[last:], params["length"], params["reverse"]
        )
        return [*carried, *stacked]
    if op == "custom_jvp_call":
        return _with_rule(eqn, replay)(*given)
    if op == "custom_vjp_call":
        raise NotImplementedError("its rule is bound to the shards that it was traced for")
    made = eqn.primitive.bind(*given, **eqn.primitive.get_bind_params(params))
    return made if eqn.primitive.multiple_results else [made]


def _with_rule(eqn: JaxprEqn, replay: Callable) -> Callable:
    """A function with its author's derivative, both run again."""
    function = jax.custom_jvp(partial(replay, eqn.params["call_jaxpr"]))
    fixed = eqn.params["num_consts"]

    @function.defjvp
    def rule(primals, tangents):
        primals, tangents = primals[fixed:], tangents[fixed:]
        # JAX traces a rule when it is first asked for: as on the shards, where the call was.
        mesh = eqn.ctx.cur_abstract_mesh
        on_shards = core.extend_axis_env_nd(mesh.shape.items()), config._check_vma(True)
        with eqn.ctx.manager, on_shards[0], on_shards[1]:
            traced = eqn.params["jvp_jaxpr_fun"].call_wrapped(*[False] * len(primals))
        jaxpr, constants, still = traced
        made = replay(ClosedJaxpr(jaxpr, constants), *primals, *tangents)
        outputs, moving = made[: len(still)], iter(made[len(still) :])
        return outputs, [
            jax.numpy.zeros_like(output) if stands else next(moving)
            for output, stands in zip(outputs, still, strict=True)
        ]

    return function
