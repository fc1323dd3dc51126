"""A jaxpr as a graph: equations in order, calls inlined.

Each call's body has values of its own, for a jaxpr that is called twice names its variables once.
Only what has a meaning of its own for a backward pass stays nested: loops, branches,
rematerialised parts. Functions with a derivative rule of their own stay whole, so that their
author's rule is what is measured.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import jax
import jax.numpy as jnp
from jax.extend.core import ClosedJaxpr, JaxprEqn, Literal

from vanishing import _jax_internals
from vanishing.inspection.jaxprs import primitives, shards
from vanishing.inspection.jaxprs.primitives import Loop


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

    @property
    def real(self) -> bool:
        """Whether it is an array of floats, not of complex numbers."""
        return self.inexact and not jnp.issubdtype(self.aval.dtype, jnp.complexfloating)


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
    def loop(self) -> Loop | None:
        """The parts of a scan; None for any other equation."""
        return primitives.loop(self.eqn)

    @property
    def branches(self) -> tuple[ClosedJaxpr, ...] | None:
        """The branches of a `cond` or `switch`; None for any other equation."""
        return primitives.branches(self.eqn)

    @property
    def rematerialised(self) -> ClosedJaxpr | None:
        """The body of a `jax.checkpoint`; None for any other equation."""
        return primitives.rematerialised(self.eqn)

    @property
    def own_rule(self) -> "Graph | None":
        """The body of a function with a derivative rule of its own; None for any other."""
        body = primitives.own_rule(self.eqn)
        return None if body is None else graph(body)

    @property
    def name(self) -> str:
        """What its author calls it, where it has a rule of its own; else the primitive's name."""
        if (body := self.own_rule) is None:
            return self.op
        calls = [equation.calls[0] for equation in body.equations if equation.calls]
        return self.params.get("name") or (calls[0] if calls else self.op)

    @property
    def elementwise(self) -> bool:
        """Whether each entry of the output depends on one entry of each input, by one function."""
        if (body := self.own_rule) is None:
            return self.op in primitives.ELEMENTWISE
        shape = self.outputs[0].shape
        return len(self.outputs) == 1 and all(
            inner.elementwise and inner.outputs[0].shape in (shape, ()) for inner in body.equations
        )

    @property
    def signature(self) -> str:
        """What an elementwise equation computes, in characters: no shapes, no variables."""
        if (body := self.own_rule) is not None:
            inside = "; ".join(inner.signature for inner in body.equations)
            return f"{self.op} {self.name} ({inside})"
        told = ("y", "new_dtype", "approximate")
        kept = {key: p for key, p in self.params.items() if key in told}
        return f"{self.op} {kept}" if kept else self.op

    @property
    def widens(self) -> bool:
        """Whether it converts to a number format with more bits: its pull-back has less."""
        if self.op != "convert_element_type" or not isinstance(self.inputs[0], Value):
            return False
        before, after = self.inputs[0], self.outputs[0]
        wider = before.aval.dtype.itemsize < after.aval.dtype.itemsize
        return before.inexact and after.inexact and wider

    @property
    def line(self) -> str:
        """File and line of the reader's own code that it comes from."""
        return primitives.line(self.eqn)


@dataclass(eq=False)
class Graph:
    """A jaxpr with its calls inlined."""

    inputs: list[Value]
    equations: list[Equation] = field(default_factory=list)
    outputs: list[Atom] = field(default_factory=list)
    constants: dict[Value, object] = field(default_factory=dict)


def trace(function: Callable, *arguments) -> ClosedJaxpr:
    """The jaxpr of a function of arrays, without what its results do not need."""
    closed = jax.make_jaxpr(function)(*arguments)
    return closed.replace(jaxpr=_jax_internals.pruned(closed.jaxpr))


def graph(closed: ClosedJaxpr) -> Graph:
    """The graph of a closed jaxpr."""
    made = Graph([Value(variable.aval) for variable in closed.jaxpr.invars])
    made.outputs = _inline(made, closed, made.inputs, ())
    return made


def _inline(
    made: Graph, closed: ClosedJaxpr, arguments: Sequence[Atom], calls: tuple[str, ...]
) -> list[Atom]:
    """Append a jaxpr's equations to a graph; return its outputs there."""
    env = dict(zip(closed.jaxpr.invars, arguments, strict=True))
    for variable, constant in zip(closed.jaxpr.constvars, closed.consts, strict=True):
        env[variable] = Value(variable.aval)
        made.constants[env[variable]] = constant

    def read(atom) -> Atom:
        return Fixed(atom.val) if isinstance(atom, Literal) else env[atom]

    for eqn in closed.jaxpr.eqns:
        op, inputs = eqn.primitive.name, [read(atom) for atom in eqn.invars]
        if body := primitives.call(eqn):
            inner = (*calls, str(eqn.params.get("name", op)))
            outputs = _inline(made, body, inputs, inner)
        elif op == "shard_map":
            outputs = _inline(made, shards.whole(eqn), inputs, calls)
        else:
            outputs = [Value(variable.aval) for variable in eqn.outvars]
            made.equations.append(Equation(op, inputs, outputs, calls, eqn))
        env.update(zip(eqn.outvars, outputs, strict=True))
    return [read(atom) for atom in closed.jaxpr.outvars]


def evaluate(equation: Equation, arguments: Sequence) -> Sequence:
    """The outputs of one equation."""
    with _jax_internals.context(equation.eqn):
        return _jax_internals.bind(equation.eqn, arguments, equation.params)
