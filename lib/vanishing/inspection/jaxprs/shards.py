"""A `shard_map` written as the same computation on whole arrays.

Each shard is an entry of one more axis: inputs are cut as their specs say, the body runs under
`jax.vmap` with the mesh's names, where a sum over devices is a sum over that axis, and outputs
are put together again. What is left is plain JAX, so that its layers are measured on all examples
and not on those of one device; on many devices, the compiler shares it out again.
"""

from collections.abc import Callable, Sequence
from functools import partial

import jax
import numpy as np
from jax import lax
from jax.extend.core import ClosedJaxpr, JaxprEqn, Literal

from vanishing import _jax_internals
from vanishing.inspection.jaxprs import primitives

# Marks that a value differs from device to device: with whole arrays there is nothing to mark.
MARKS = frozenset({"pvary"})
# Parameters that say where on the mesh a result lies.
SHARDINGS = frozenset({"sharding", "out_sharding"})


def whole(eqn: JaxprEqn) -> ClosedJaxpr:
    """The body of a `shard_map`, for whole arrays.

    Args:
        eqn: the equation.

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
        body = partial(_replay, eqn.params["jaxpr"])
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


def _replay(jaxpr, *arguments) -> list:
    """Run a jaxpr's equations again, in no mesh."""
    closed = primitives.closed(jaxpr)
    env = dict(zip(closed.jaxpr.constvars, map(_bare, closed.consts), strict=True))
    env.update(zip(closed.jaxpr.invars, arguments, strict=True))

    def read(atom):
        return _bare(atom.val) if isinstance(atom, Literal) else env[atom]

    for eqn in closed.jaxpr.eqns:
        with _jax_internals.at(eqn.source_info.traceback):
            try:
                made = _equation(eqn, [read(atom) for atom in eqn.invars])
            except (NotImplementedError, TypeError, ValueError, NameError) as error:
                raise NotImplementedError(
                    "inspect: expected a shard_map whose collectives also run under jax.vmap; got "
                    f"`{eqn.primitive.name}` at {primitives.line(eqn)} ({error}). Inspect the loss "
                    "of the whole batch, without shard_map: it has the same gradients."
                ) from error
        env.update(zip(eqn.outvars, made, strict=True))
    return [read(atom) for atom in closed.jaxpr.outvars]


def _bare(constant):
    """A constant that does not know on which mesh it was made."""
    plain = np.issubdtype(getattr(constant, "dtype", np.dtype(float)), np.number)
    return np.asarray(constant) if plain else constant


def _equation(eqn: JaxprEqn, given: Sequence) -> Sequence:
    """The outputs of one equation; nested bodies are run again too, for they hold marks."""
    op, params = eqn.primitive.name, eqn.params
    if op in MARKS:
        return given
    if op == "psum_invariant":
        return [lax.psum(given[0], params["axes"])]
    if body := primitives.call(eqn):
        return _replay(body, *given)
    if body := primitives.rematerialised(eqn):
        kept = jax.checkpoint(partial(_replay, body), prevent_cse=params["prevent_cse"])
        return kept(*given)
    if branches := primitives.branches(eqn):
        return lax.switch(given[0], [partial(_replay, branch) for branch in branches], *given[1:])
    if loop := primitives.loop(eqn):
        return _scan(loop, given)
    if op == "custom_jvp_call":
        return _with_rule(eqn)(*given)
    if op == "custom_vjp_call":
        raise NotImplementedError("its rule is bound to the shards that it was traced for")
    return _jax_internals.bind(eqn, given, params | dict.fromkeys(SHARDINGS & params.keys()))


def _scan(loop: primitives.Loop, given: Sequence) -> Sequence:
    constants, carry, slices = loop.split(given)

    def turn(carry, slices):
        made = _replay(loop.body, *constants, *carry, *slices)
        return made[: loop.carried], made[loop.carried :]

    carried, stacked = lax.scan(turn, carry, slices, loop.length, loop.reverse)
    return [*carried, *stacked]


def _with_rule(eqn: JaxprEqn) -> Callable:
    """A function with its author's derivative, both run again."""
    function = jax.custom_jvp(partial(_replay, primitives.own_rule(eqn)))
    fixed = eqn.params["num_consts"]

    @function.defjvp
    def rule(primals, tangents):
        jaxpr, constants, still = _jax_internals.derivative(eqn)
        made = _replay(ClosedJaxpr(jaxpr, constants), *primals[fixed:], *tangents[fixed:])
        outputs, moving = made[: len(still)], iter(made[len(still) :])
        return outputs, [
            jax.numpy.zeros_like(output) if stands else next(moving)
            for output, stands in zip(outputs, still, strict=True)
        ]

    return function
