"""Flattens a jaxpr: calls inlined, random keys made plain, dead and double code gone.

A jaxpr nests one jaxpr per `jit` or `custom_jvp` call and carries typed random keys.
The generator wants neither: in a `graph.Graph` only loops and branches
nest, and a key is what it is made of, two words of uint32 in one more trailing dimension.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable

import jax
import numpy as np

from vanishing._jax_internals import key_impl, pruned, user_frame
from vanishing.live.compiler.graph.decompositions import decomposed
from vanishing.live.compiler.graph.keys import lift_params, raw_random
from vanishing.live.compiler.graph.nodes import (
    DTYPES,
    CompileError,
    Const,
    Graph,
    Node,
    Source,
    Var,
    dtype_error,
)
from vanishing.live.compiler.graph.simplify import lift_invariants, simplify

CALLS = {
    "jit": "jaxpr",
    "pjit": "jaxpr",
    "closed_call": "call_jaxpr",
    "core_call": "call_jaxpr",
    "custom_jvp_call": "call_jaxpr",
    "custom_vjp_call": "call_jaxpr",
    "remat2": "jaxpr",
    "checkpoint": "jaxpr",
}
IDENTITIES = {
    "copy",
    "copy_p",
    "stop_gradient",
    "optimization_barrier",
    "sharding_constraint",
    "pvary",
    "random_wrap",
    "random_unwrap",
    "random_clone",
    "name",
}


@functools.lru_cache(maxsize=4096)
def _source(traceback) -> Source:
    frame = user_frame(traceback)
    return Source(frame.file_name, frame.start_line, frame.function_name) if frame else Source()


def _physical(aval, source: Source) -> tuple[tuple[int, ...], str]:
    impl = key_impl(aval)
    if impl is not None:
        return (*aval.shape, *impl.key_shape), "uint32"
    if not all(isinstance(size, int) for size in aval.shape):
        raise CompileError(
            f"compile: expected static shapes; got {aval.shape}, at {source}. Use fixed sizes."
        )
    if aval.dtype.name not in DTYPES:
        raise dtype_error(aval.dtype, f"at {source}")
    return aval.shape, aval.dtype.name


def _platform(platforms: tuple) -> Const:
    """The branch that JAX would take on a CPU."""
    for k, names in enumerate(platforms):
        if names is None or "cpu" in names:
            return Const(np.asarray(k, np.int32))
    raise CompileError(
        f"compile: expected a branch for the CPU; got {platforms}. Add a default branch."
    )


class _Flattener:
    """Rewrites jaxprs as graphs."""

    def graph(self, closed, source: Source) -> Graph:
        """The graph of a closed jaxpr."""
        jaxpr = closed.jaxpr
        inputs = [Var(*_physical(v.aval, source)) for v in jaxpr.invars]
        nodes: list[Node] = []
        return simplify(
            Graph(inputs, nodes, self.inline(jaxpr, closed.consts, inputs, nodes, source))
        )

    def inline(
        self, jaxpr, consts: Iterable, args: list, nodes: list[Node], source: Source
    ) -> list:
        """Append the nodes of `jaxpr` applied to `args`; return its outputs.

        `source` stands for equations that do not know their own.
        """
        env = dict(zip(jaxpr.constvars, (Const(np.asarray(c)) for c in consts), strict=True))
        env.update(zip(jaxpr.invars, args, strict=True))

        def read(atom):
            return (
                Const(np.asarray(atom.val, atom.aval.dtype)) if hasattr(atom, "val") else env[atom]
            )

        for eqn in jaxpr.eqns:
            where = _source(eqn.source_info.traceback)
            where = where if where.line else source
            outputs = self.equation(eqn, [read(a) for a in eqn.invars], nodes, where)
            env.update(zip(eqn.outvars, outputs, strict=True))
        return [read(a) for a in jaxpr.outvars]

    def equation(self, eqn, inputs: list, nodes: list[Node], source: Source) -> list:
        """Append the nodes of one equation; return its outputs."""
        op, params = eqn.primitive.name, eqn.params
        if op in CALLS:
            body = params[CALLS[op]]
            return self.inline(
                getattr(body, "jaxpr", body), getattr(body, "consts", ()), inputs, nodes, source
            )
        if op in IDENTITIES:
            return inputs
        if op == "platform_index":
            return [_platform(params["platforms"])]
        if op == "cond" and isinstance(inputs[0], Const):
            chosen = params["branches"][int(inputs[0].value)]
            return self.inline(chosen.jaxpr, chosen.consts, inputs[1:], nodes, source)
        raw = raw_random(eqn)
        if raw is not None:
            specs = [jax.ShapeDtypeStruct(a.shape, a.dtype) for a in inputs]
            closed = jax.make_jaxpr(raw)(*specs)
            return self.inline(closed.jaxpr, closed.consts, inputs, nodes, source)
        simpler = decomposed(op, params, eqn.invars[0].aval.ndim) if eqn.invars else None
        if simpler is not None:
            closed = jax.make_jaxpr(simpler)(*(v.aval for v in eqn.invars))
            return self.inline(closed.jaxpr, closed.consts, inputs, nodes, source)
        return self.append(eqn, inputs, nodes, source)

    def append(self, eqn, inputs: list, nodes: list[Node], source: Source) -> list:
        """Append an equation as a node; return its outputs."""
        op, params = eqn.primitive.name, eqn.params
        outputs = [Var(*_physical(v.aval, source)) for v in eqn.outvars]
        if op in ("empty", "empty2", "zeros_like"):
            return [Const(np.zeros(v.shape, v.dtype)) for v in outputs]
        node = Node(op, inputs, outputs, params, source)
        if eqn.effects:
            raise node.refuse("has a side effect", "remove prints, callbacks and assertions")
        if any(key_impl(v.aval) for v in (*eqn.invars, *eqn.outvars)):
            self.lift_keys(node, eqn)
        node.graphs = tuple(self.bodies(op, params, source))
        nodes += [*lift_invariants(node), node]
        return outputs

    def lift_keys(self, node: Node, eqn) -> None:
        """Make a structural operation on keys one on their words."""
        lifted = lift_params(node.op, node.params, eqn.outvars[0].aval.ndim)
        if lifted is None or (node.op == "select_n" and node.inputs[0].shape):
            raise node.refuse(
                "is not known for arrays of random keys", "index or split keys one by one"
            )
        node.params = lifted
        if node.op == "dynamic_slice":
            node.inputs = [*node.inputs, Const(np.asarray(0, np.int32))]

    def bodies(self, op: str, params: dict, source: Source):
        """The graphs of a loop or a branch."""
        names = {"scan": ("jaxpr",), "while": ("cond_jaxpr", "body_jaxpr")}.get(op, ())
        for closed in params["branches"] if op == "cond" else (params[n] for n in names):
            yield self.graph(closed, source)


def from_jaxpr(closed) -> Graph:
    """The simplified graph of a closed jaxpr.

    Args:
        closed: what `jax.make_jaxpr` returns.

    Returns:
        Its graph; equations whose result is never used are gone.

    Raises:
        CompileError: an element type or a shape that JavaScript code cannot have.
    """
    return _Flattener().graph(closed.replace(jaxpr=pruned(closed.jaxpr)), Source())
