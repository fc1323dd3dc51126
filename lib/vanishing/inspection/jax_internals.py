"""What `inspection` knows of JAX's insides: jaxprs, primitives' names and parameters.

A jaxpr becomes a `Graph`: equations in order, calls inlined (each with values of its own, for a
jaxpr that is called twice names its variables once), and only what has a meaning of its own for
a backward pass still nested: loops, branches, rematerialised parts. Functions with a derivative
rule of their own stay whole, so that their author's rule is what is measured.

A test holds every name used here; when JAX changes one, it is this module that changes, or
`shards`, which knows of one primitive more.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax._src import source_info_util
from jax._src.interpreters import partial_eval
from jax.extend.core import ClosedJaxpr, JaxprEqn, Literal
from jax.sharding import AxisType, NamedSharding, PartitionSpec

from vanishing.inspection import shards

# Calls that mean no more than their bodies, and the parameter that the body stands in.
CALLS = {"jit": "jaxpr", "pjit": "jaxpr", "closed_call": "call_jaxpr", "core_call": "call_jaxpr"}
# Functions with a derivative rule of their own, and the parameter that their body stands in.
OWN_RULE = {"custom_jvp_call": "call_jaxpr", "custom_vjp_call": "call_jaxpr"}
REMATERIALISED = {"remat2": "jaxpr", "checkpoint": "jaxpr"}
CONTRACTIONS = frozenset({"dot_general", "conv_general_dilated", "ragged_dot_general"})
REDUCTIONS = frozenset(
    {
        "reduce_sum",
        "reduce_max",
        "reduce_min",
        "reduce_prod",
        "reduce",
        "reduce_and",
        "reduce_or",
        "argmax",
        "argmin",
        "psum",  # over an axis of shards
        "pmax",
        "pmin",
    }
)
ELEMENTWISE = frozenset(
    {
        "abs",
        "acos",
        "acosh",
        "add",
        "add_any",
        "and",
        "asin",
        "asinh",
        "atan",
        "atan2",
        "atanh",
        "cbrt",
        "ceil",
        "clamp",
        "convert_element_type",
        "copy",
        "copy_p",
        "cos",
        "cosh",
        "digamma",
        "div",
        "eq",
        "erf",
        "erf_inv",
        "erfc",
        "exp",
        "exp2",
        "expm1",
        "floor",
        "ge",
        "gt",
        "integer_pow",
        "is_finite",
        "le",
        "lgamma",
        "log",
        "log1p",
        "logistic",
        "lt",
        "max",
        "min",
        "mul",
        "name",
        "ne",
        "neg",
        "nextafter",
        "not",
        "or",
        "pow",
        "reduce_precision",
        "rem",
        "round",
        "rsqrt",
        "select_n",
        "sign",
        "sin",
        "sinh",
        "sqrt",
        "square",
        "stop_gradient",
        "sub",
        "tan",
        "tanh",
        "xor",
    }
)
# Elementwise functions that are affine in their first operand while the others are fixed.
AFFINE = frozenset(
    {
        "add",
        "add_any",
        "sub",
        "mul",
        "div",
        "neg",
        "convert_element_type",
        "copy",
        "copy_p",
        "name",
        "reduce_precision",
    }
)
# What may stand between a product and its bias without making another quantity of it.
LAYOUT = frozenset(
    {
        "reshape",
        "transpose",
        "squeeze",
        "broadcast_in_dim",
        "convert_element_type",
        "copy",
        "copy_p",
        "expand_dims",
        "name",
    }
)
NO_GRADIENT = frozenset({"stop_gradient"})


@dataclass(eq=False, slots=True)
class Value:
    """One array of a graph, known by its identity."""

    aval: object

    @property
    def shape(self) -> tuple[int, ...]:
        """Its sizes."""
        return self.aval.shape

    @property
    def inexact(self) -> bool:
        """Whether a derivative can be taken with respect to it."""
        dtype = getattr(self.aval, "dtype", None)
        return dtype is not None and jnp.issubdtype(dtype, jnp.inexact)


@dataclass(eq=False, slots=True)
class Fixed:
    """A literal that stands in an equation."""

    value: object


Atom = Value | Fixed


@dataclass(eq=False, slots=True)
class Equation:
    """One equation of a graph.

    Attributes:
        op: the primitive's name.
        inputs: what it reads.
        outputs: what it makes.
        calls: names of the calls that it was inlined from, the outermost first.
        eqn: JAX's own equation, for its parameters.
    """

    op: str
    inputs: list[Atom]
    outputs: list[Value]
    calls: tuple[str, ...]
    eqn: JaxprEqn

    @property
    def params(self) -> dict:
        """The primitive's parameters."""
        return self.eqn.params

    @property
    def values(self) -> list[Value]:
        """The inputs that are not literals."""
        return [atom for atom in self.inputs if isinstance(atom, Value)]

    @property
    def name(self) -> str:
        """What its author calls it, where it has a rule of its own; else the primitive's name."""
        if self.op not in OWN_RULE:
            return self.op
        body = graph(_closed(self.params[OWN_RULE[self.op]]))
        calls = [equation.calls[0] for equation in body.equations if equation.calls]
        return self.params.get("name") or (calls[0] if calls else self.op)


@dataclass(eq=False)
class Graph:
    """A jaxpr with its calls inlined."""

    inputs: list[Value]
    equations: list[Equation] = field(default_factory=list)
    outputs: list[Atom] = field(default_factory=list)
    constants: dict[Value, object] = field(default_factory=dict)


class Loop(NamedTuple):
    """A scan: its body, and how many of its operands are constants and carried."""

    body: ClosedJaxpr
    constants: int
    carried: int
    length: int
    reverse: bool


def trace(function: Callable, *arguments) -> ClosedJaxpr:
    """The jaxpr of a function of arrays, without what its results do not need."""
    closed = jax.make_jaxpr(function)(*arguments)
    used = [True] * len(closed.jaxpr.outvars)
    jaxpr, _ = partial_eval.dce_jaxpr(closed.jaxpr, used, instantiate=True)
    return closed.replace(jaxpr=jaxpr)


def whole(array):
    """An array whose type does not say how it is shared out: those that do bind every operation."""
    sharding = getattr(array, "sharding", None)
    if isinstance(sharding, NamedSharding) and AxisType.Explicit in sharding.mesh.axis_types:
        return jax.device_put(array, NamedSharding(sharding.mesh, PartitionSpec()))
    return array


def graph(closed: ClosedJaxpr) -> Graph:
    """The graph of a closed jaxpr."""
    made = Graph([Value(variable.aval) for variable in closed.jaxpr.invars])
    made.outputs = _inline(made, closed, made.inputs, ())
    return made


def _inline(made: Graph, closed, arguments: Sequence[Atom], calls: tuple[str, ...]) -> list[Atom]:
    """Append a jaxpr's equations to a graph; return its outputs there."""
    jaxpr = getattr(closed, "jaxpr", closed)
    env = dict(zip(jaxpr.invars, arguments, strict=True))
    for variable, constant in zip(jaxpr.constvars, getattr(closed, "consts", ()), strict=True):
        env[variable] = Value(variable.aval)
        made.constants[env[variable]] = constant

    def read(atom) -> Atom:
        return Fixed(atom.val) if isinstance(atom, Literal) else env[atom]

    for eqn in jaxpr.eqns:
        op, inputs = eqn.primitive.name, [read(atom) for atom in eqn.invars]
        if op in CALLS:
            inner = (*calls, str(eqn.params.get("name", op)))
            outputs = _inline(made, eqn.params[CALLS[op]], inputs, inner)
        elif op == "shard_map":
            outputs = _inline(made, shards.whole(eqn, _line), inputs, calls)
        else:
            outputs = [Value(variable.aval) for variable in eqn.outvars]
            made.equations.append(Equation(op, inputs, outputs, calls, eqn))
        env.update(zip(eqn.outvars, outputs, strict=True))
    return [read(atom) for atom in jaxpr.outvars]


def evaluate(equation: Equation, arguments: Sequence) -> Sequence:
    """The outputs of one equation."""
    eqn = equation.eqn
    with eqn.ctx.manager:
        made = eqn.primitive.bind(*arguments, **eqn.primitive.get_bind_params(eqn.params))
    return made if eqn.primitive.multiple_results else [made]


def loop(equation: Equation) -> Loop | None:
    """The parts of a scan; None for any other equation."""
    if equation.op != "scan":
        return None
    p = equation.params
    return Loop(p["jaxpr"], p["num_consts"], p["num_carry"], p["length"], p["reverse"])


def branches(equation: Equation) -> tuple[ClosedJaxpr, ...] | None:
    """The branches of a `cond` or `switch`; None for any other equation."""
    return equation.params["branches"] if equation.op == "cond" else None


def widens(equation: Equation) -> bool:
    """Whether an equation converts to a number format with more bits: its pull-back has less."""
    if equation.op != "convert_element_type" or not isinstance(equation.inputs[0], Value):
        return False
    before, after = equation.inputs[0], equation.outputs[0]
    return (
        before.inexact
        and after.inexact
        and (before.aval.dtype.itemsize < after.aval.dtype.itemsize)
    )


def rematerialised(equation: Equation) -> ClosedJaxpr | None:
    """The body of a `jax.checkpoint`; None for any other equation."""
    if equation.op not in REMATERIALISED:
        return None
    return ClosedJaxpr(equation.params[REMATERIALISED[equation.op]], ())


def elementwise(equation: Equation) -> bool:
    """Whether each entry of the output depends on one entry of each input, the same everywhere."""
    if equation.op in OWN_RULE:
        body = graph(_closed(equation.params[OWN_RULE[equation.op]]))
        shape = equation.outputs[0].shape
        return len(equation.outputs) == 1 and all(
            elementwise(inner) and inner.outputs[0].shape in (shape, ()) for inner in body.equations
        )
    return equation.op in ELEMENTWISE


def _closed(jaxpr) -> ClosedJaxpr:
    return jaxpr if isinstance(jaxpr, ClosedJaxpr) else ClosedJaxpr(jaxpr, ())


def signature(equation: Equation) -> str:
    """What an elementwise equation computes, in characters: no shapes, no variables."""
    if equation.op in OWN_RULE:
        body = graph(_closed(equation.params[OWN_RULE[equation.op]]))
        inside = "; ".join(signature(inner) for inner in body.equations)
        return f"{equation.op} {equation.name} ({inside})"
    kept = {
        key: p for key, p in equation.params.items() if key in ("y", "new_dtype", "approximate")
    }
    return f"{equation.op} {kept}" if kept else equation.op


def unit_axes(equation: Equation, weight: int) -> tuple[int, ...]:
    """The axes of a contraction's output that come from its weight alone: its units.

    Args:
        equation: a contraction.
        weight: which of its operands is the weight, 0 or 1.
    """
    if equation.op == "conv_general_dilated":
        return (equation.params["dimension_numbers"].out_spec[1],)
    if equation.op != "dot_general":
        return (len(equation.outputs[0].shape) - 1,)
    contracted, batched = equation.params["dimension_numbers"]
    ranks = [len(jnp.shape(_aval(atom))) for atom in equation.inputs]
    free = [ranks[side] - len(contracted[side]) - len(batched[side]) for side in (0, 1)]
    first = len(batched[0]) + (0 if weight == 0 else free[0])
    # A weight with an axis of its own for each expert or device has units for each.
    return (*range(len(batched[0])), *range(first, first + free[weight]))


def _aval(atom: Atom):
    return atom.aval if isinstance(atom, Value) else atom.value


def moved_axes(equation: Equation, axes: tuple[int, ...]) -> tuple[int, ...] | None:
    """Where axes of the first input stand in the output of a layout equation; None if nowhere."""
    before, after = equation.inputs[0].shape, equation.outputs[0].shape
    if equation.op == "transpose":
        return tuple(sorted(equation.params["permutation"].index(axis) for axis in axes))
    if equation.op == "broadcast_in_dim":
        return tuple(int(equation.params["broadcast_dimensions"][axis]) for axis in axes)
    if before == after:
        return axes
    return _regrouped(before, after, axes)


def _regrouped(before, after, axes: tuple[int, ...]) -> tuple[int, ...] | None:
    """`moved_axes` of a reshape: axes are followed where they are split, joined or squeezed."""
    found, i, j = [], 0, 0
    while i < len(before) or j < len(after):
        left, right = [], []
        have = want = 1
        while True:
            if have <= want and i < len(before):
                have, i = have * before[i], i + 1
                left.append(i - 1)
            elif j < len(after):
                want, j = want * after[j], j + 1
                right.append(j - 1)
            if have == want and (left or right):
                break
            if i == len(before) and j == len(after):
                break
        mine = {axis in axes for axis in left if before[axis] != 1}
        if mine == {True, False}:
            return None
        if mine == {True}:
            found += right
    return tuple(found)


def line(equation: Equation) -> str:
    """File and line of the reader's own code that an equation comes from."""
    return _line(equation.eqn)


def _line(eqn: JaxprEqn) -> str:
    frame = source_info_util.user_frame(eqn.source_info.traceback)
    return f"{frame.file_name}:{frame.start_line}" if frame else "(line unknown)"


def nested(closed: ClosedJaxpr) -> Iterator[JaxprEqn]:
    """Every equation of a jaxpr, those of its calls, loops and branches included."""
    for eqn in closed.jaxpr.eqns:
        yield eqn
        for inner in jax.core.jaxprs_in_params(eqn.params):
            yield from nested(_closed(inner))
