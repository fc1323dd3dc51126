"""What is known of JAX's primitives: their names by what they do, and where their parts stand."""

from collections.abc import Sequence
from typing import NamedTuple

from jax.extend.core import ClosedJaxpr, JaxprEqn

from vanishing import _jax_internals

# Calls that mean no more than their bodies, and the parameter that the body stands in.
CALLS = {"jit": "jaxpr", "closed_call": "call_jaxpr"}
# Functions with a derivative rule of their own, and the parameter that their body stands in.
OWN_RULE = {"custom_jvp_call": "call_jaxpr", "custom_vjp_call": "call_jaxpr"}
REMATERIALISED = {"remat2": "jaxpr"}
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
        "name",
    }
)
NO_GRADIENT = frozenset({"stop_gradient"})


class Loop(NamedTuple):
    """A scan: its body, and how many of its operands are constants and carried."""

    body: ClosedJaxpr
    constants: int
    carried: int
    length: int
    reverse: bool

    def split(self, operands: Sequence) -> tuple[list, list, list]:
        """The constants, what is carried, and the slices, of the scan's operands."""
        first, last = self.constants, self.constants + self.carried
        return list(operands[:first]), list(operands[first:last]), list(operands[last:])


def closed(jaxpr) -> ClosedJaxpr:
    """A jaxpr with its constants, where it may stand without."""
    return jaxpr if isinstance(jaxpr, ClosedJaxpr) else ClosedJaxpr(jaxpr, ())


def call(eqn: JaxprEqn) -> ClosedJaxpr | None:
    """The body of a call that means no more than that; None for any other equation."""
    return _body(eqn, CALLS)


def own_rule(eqn: JaxprEqn) -> ClosedJaxpr | None:
    """The body of a function with a derivative rule of its own; None for any other equation."""
    return _body(eqn, OWN_RULE)


def rematerialised(eqn: JaxprEqn) -> ClosedJaxpr | None:
    """The body of a `jax.checkpoint`; None for any other equation."""
    return _body(eqn, REMATERIALISED)


def _body(eqn: JaxprEqn, places: dict[str, str]) -> ClosedJaxpr | None:
    name = eqn.primitive.name
    return closed(eqn.params[places[name]]) if name in places else None


def loop(eqn: JaxprEqn) -> Loop | None:
    """The parts of a scan; None for any other equation."""
    if eqn.primitive.name != "scan":
        return None
    p = eqn.params
    return Loop(p["jaxpr"], p["num_consts"], p["num_carry"], p["length"], p["reverse"])


def branches(eqn: JaxprEqn) -> tuple[ClosedJaxpr, ...] | None:
    """The branches of a `cond` or `switch`; None for any other equation."""
    return eqn.params["branches"] if eqn.primitive.name == "cond" else None


def line(eqn: JaxprEqn) -> str:
    """File and line of the reader's own code that an equation comes from."""
    frame = _jax_internals.user_frame(eqn.source_info.traceback)
    return f"{frame.file_name}:{frame.start_line}" if frame else "(line unknown)"
