"""A traced JAX function as a flat graph: calls inlined, keys made plain, dead and double code gone.

A jaxpr nests one jaxpr per ``jit`` or ``custom_jvp`` call and carries typed random keys.
The generator wants neither, so this module rewrites a jaxpr as a :class:`Graph` of
:class:`Node` over :class:`Var` and :class:`Const`, in which only loops and branches nest
and a key is what it is made of: two words of uint32 in one more trailing dimension.
"""

from __future__ import annotations

import functools
import linecache
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

import jax
import numpy as np
from jax._src import source_info_util
from jax._src.interpreters import partial_eval

DTYPES = ("float32", "int32", "uint32", "uint8", "bool")
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


class CompileError(Exception):
    """A JAX function that cannot become JavaScript: says what, where, and the way out."""


def dtype_error(dtype, where: str) -> CompileError:
    """The error for an element type that compiled programs do not have."""
    remedy = "cast to float32 or int32"
    if str(dtype) in ("float64", "int64", "uint64"):
        remedy = "compile with jax_enable_x64 off, or cast to a 32-bit type"
    elif str(dtype).startswith("key"):
        remedy = "pass a seed and call jax.random.key inside"
    return CompileError(
        f"expected one of {', '.join(DTYPES)}, got {dtype} {where}\n  Way out: {remedy}"
    )


@dataclass(frozen=True)
class Source:
    """Where in the user's code a node comes from."""

    file: str = ""
    line: int = 0
    function: str = ""

    @property
    def text(self) -> str:
        """The line of code itself."""
        return linecache.getline(self.file, self.line).strip()

    @property
    def target(self) -> str:
        """The name on the left of the line's assignment, or nothing."""
        match = re.match(r"([A-Za-z]\w*)\s*=[^=]", self.text)
        return match.group(1) if match else ""

    def __str__(self):
        return f"{self.file}:{self.line} ({self.function}): {self.text}" if self.line else "unknown"


@dataclass(eq=False)
class Var:
    """A value that is computed."""

    shape: tuple[int, ...]
    dtype: str


@dataclass(eq=False)
class Const:
    """A value that is known when the program is compiled."""

    value: np.ndarray

    @property
    def shape(self) -> tuple[int, ...]:
        """Its shape."""
        return self.value.shape

    @property
    def dtype(self) -> str:
        """Its element type."""
        return self.value.dtype.name


@dataclass(eq=False)
class Node:
    """One operation; loops and branches hold their bodies in ``graphs``."""

    op: str
    inputs: list[Var | Const]
    outputs: list[Var]
    params: dict
    source: Source
    graphs: tuple[Graph, ...] = ()

    def refuse(self, why: str, remedy: str) -> CompileError:
        """The error to raise when this node cannot be compiled."""
        return CompileError(f"`{self.op}` {why}, at {self.source}\n  Way out: {remedy}")


@dataclass(eq=False)
class Graph:
    """Nodes in an order in which they can be computed."""

    inputs: list[Var]
    nodes: list[Node]
    outputs: list[Var | Const]


@functools.lru_cache(maxsize=4096)
def _source(traceback) -> Source:
    frame = source_info_util.user_frame(traceback)
    return Source(frame.file_name, frame.start_line, frame.function_name) if frame else Source()


def _key_impl(aval):
    """The random number generator of a typed key, or None for a plain array."""
    return getattr(aval.dtype, "_impl", None)


def _physical(aval, source: Source) -> tuple[tuple[int, ...], str]:
    impl = _key_impl(aval)
    if impl is not None:
        return (*aval.shape, *impl.key_shape), "uint32"
    if not all(isinstance(size, int) for size in aval.shape):
        raise CompileError(
            f"expected static shapes, got {aval.shape}, at {source}\n  Way out: use fixed sizes"
        )
    if aval.dtype.name not in DTYPES:
        raise dtype_error(aval.dtype, f"at {source}")
    return aval.shape, aval.dtype.name


def _lift_key_params(op: str, params: dict, ndim: int) -> dict | None:
    """Parameters of a structural operation on keys, for the array of words behind them."""
    words = 2
    lifted = {
        "slice": lambda p: {
            "start_indices": (*p["start_indices"], 0),
            "limit_indices": (*p["limit_indices"], words),
            "strides": (*p["strides"], 1) if p["strides"] else None,
        },
        "squeeze": lambda p: p,
        "concatenate": lambda p: p,
        "stack": lambda p: p,
        "unstack": lambda p: p,
        "rev": lambda p: p,
        "select_n": lambda p: p,
        "scan": lambda p: p,
        "while": lambda p: p,
        "cond": lambda p: p,
        "reshape": lambda p: {**p, "new_sizes": (*p["new_sizes"], words)},
        "transpose": lambda p: {"permutation": (*p["permutation"], ndim)},
        "dynamic_slice": lambda p: {"slice_sizes": (*p["slice_sizes"], words)},
        "broadcast_in_dim": lambda p: {
            "shape": (*p["shape"], words),
            "broadcast_dimensions": (*p["broadcast_dimensions"], len(p["shape"])),
        },
    }.get(op)
    return lifted(params) if lifted else None


def _raw_random(eqn):
    """The plain-array JAX function behind a primitive on typed keys, or None."""
    impl = eqn.params.get("impl") or _key_impl(eqn.invars[0].aval) if eqn.invars else None
    name, params, rank = eqn.primitive.name, eqn.params, eqn.invars[0].aval.ndim if impl else 0
    table = {
        "random_seed": lambda: impl.seed,
        "random_split": lambda: lambda key: impl.split(key, params["shape"]),
        "random_bits": lambda: (
            lambda key: impl.random_bits(key, params["bit_width"], params["shape"])
        ),
        "random_fold_in": lambda: impl.fold_in,
    }
    if name not in table:
        return None
    fn = table[name]()
    for _ in range(rank):
        fn = jax.vmap(fn)
    return fn


def _platform(platforms: tuple) -> Const:
    """The branch that JAX would take on a CPU."""
    for k, names in enumerate(platforms):
        if names is None or "cpu" in names:
            return Const(np.int32(k))
    raise CompileError(f"expected a branch for the CPU, got {platforms}")


class _Flattener:
    """Rewrites jaxprs as graphs."""

    def graph(self, closed, source: Source) -> Graph:
        """The graph of a closed jaxpr."""
        jaxpr = closed.jaxpr
        inputs = [Var(*_physical(v.aval, source)) for v in jaxpr.invars]
        nodes: list[Node] = []
        return simplify(Graph(inputs, nodes, self.inline(jaxpr, closed.consts, inputs, nodes, source)))

    def inline(
        self, jaxpr, consts: Iterable, args: list, nodes: list[Node], source: Source
    ) -> list:
        """Append the nodes of ``jaxpr`` applied to ``args``; return its outputs.

        ``source`` stands for equations that do not know their own.
        """
        env = dict(zip(jaxpr.constvars, (Const(np.asarray(c)) for c in consts), strict=True))
        env.update(zip(jaxpr.invars, args, strict=True))

        def read(atom):
            return Const(np.asarray(atom.val, atom.aval.dtype)) if hasattr(atom, "val") else env[atom]

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
        if eqn.effects:
            raise Node(op, inputs, [], params, source).refuse(
                "has a side effect", "remove prints, callbacks and assertions"
            )
        outputs = [Var(*_physical(v.aval, source)) for v in eqn.outvars]
        if op in ("empty", "empty2", "zeros_like"):
            return [Const(np.zeros(v.shape, v.dtype)) for v in outputs]
        node = Node(op, inputs, outputs, params, source)
        raw = _raw_random(eqn)
        if raw is not None:
            specs = [jax.ShapeDtypeStruct(a.shape, a.dtype) for a in inputs]
            closed = jax.make_jaxpr(raw)(*specs)
            return self.inline(closed.jaxpr, closed.consts, inputs, nodes, source)
        if any(_key_impl(v.aval) for v in (*eqn.invars, *eqn.outvars)):
            self.lift_keys(node, eqn)
        node.graphs = tuple(self.bodies(op, params, source))
        nodes.append(node)
        return outputs

    def lift_keys(self, node: Node, eqn) -> None:
        """Make a structural operation on keys one on their words."""
        lifted = _lift_key_params(node.op, node.params, eqn.outvars[0].aval.ndim)
        if lifted is None or (node.op == "select_n" and node.inputs[0].shape):
            raise node.refuse("is not known for arrays of random keys", "index or split keys one by one")
        node.params = lifted
        if node.op == "dynamic_slice":
            node.inputs = [*node.inputs, Const(np.int32(0))]

    def bodies(self, op: str, params: dict, source: Source):
        """The graphs of a loop or a branch."""
        names = {"scan": ("jaxpr",), "while": ("cond_jaxpr", "body_jaxpr")}.get(op, ())
        for closed in params["branches"] if op == "cond" else (params[n] for n in names):
            yield self.graph(closed, source)


def from_jaxpr(closed) -> Graph:
    """The simplified graph of a closed jaxpr.

    Args:
        closed: what ``jax.make_jaxpr`` returns.

    Returns:
        Its graph; equations whose result is never used are gone.

    Raises:
        CompileError: an element type or a shape that JavaScript code cannot have.
    """
    jaxpr, _ = partial_eval.dce_jaxpr(closed.jaxpr, [True] * len(closed.jaxpr.outvars), True)
    return _Flattener().graph(closed.replace(jaxpr=jaxpr), Source())


@dataclass
class _Merge:
    """Replaces a computation that was done before by its earlier result."""

    seen: dict = field(default_factory=dict)
    alias: dict = field(default_factory=dict)

    def atom_key(self, atom):
        if isinstance(atom, Const):
            return (atom.dtype, atom.shape, atom.value.tobytes())
        return id(atom)

    def node(self, node: Node) -> bool:
        node.inputs = [self.alias.get(a, a) for a in node.inputs]
        if node.graphs:
            return True
        params = sorted((k, str(v)) for k, v in node.params.items() if not k.endswith("jaxpr"))
        key = (node.op, *map(self.atom_key, node.inputs), str(params), node.outputs[0].shape)
        first = self.seen.setdefault(key, node)
        if first is not node:
            self.alias.update(zip(node.outputs, first.outputs, strict=True))
        return first is node


def simplify(graph: Graph) -> Graph:
    """Drop what is computed twice, then what is never used."""
    merge = _Merge()
    nodes = [node for node in graph.nodes if merge.node(node)]
    outputs = [merge.alias.get(a, a) for a in graph.outputs]
    used, kept = set(outputs), []
    for node in reversed(nodes):
        if used.intersection(node.outputs):
            used.update(node.inputs)
            kept.append(node)
    return Graph(graph.inputs, kept[::-1], outputs)
