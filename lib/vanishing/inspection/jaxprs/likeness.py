"""Whether two equations compute the same: equal primitives, parameters, literals and types.

What a parameter holds is compared, not where it lies in memory: each call of a function makes a
jaxpr anew. Of a function with a rule of its own the rule is compared too, for its author may have
made it for one layer. Two that close over arrays are never alike.
"""

from collections.abc import Hashable

import jax
import numpy as np
from jax.extend.core import ClosedJaxpr, Jaxpr

from vanishing import _jax_internals
from vanishing.inspection.jaxprs import primitives
from vanishing.inspection.jaxprs.graph import Atom, Equation, Fixed, Graph, evaluate, graph


def likeness(equation: Equation, rules: bool = True) -> Hashable:
    """Equal for two equations that compute the same of the same operands.

    Args:
        equation: of any kind.
        rules: whether a JVP rule matters.
    """
    if equation.op == "custom_vjp_call":
        try:
            return _of_graph(_pulled_back(equation), rules)
        except Exception:  # the author's code
            return object()
    params = {k: _content(v, rules) for k, v in equation.params.items() if k != "jvp_jaxpr_fun"}
    if equation.op == "custom_jvp_call" and rules:
        # A rule is not differentiated again: what rules its own calls have does not matter.
        try:
            jaxpr, constants, still = _jax_internals.rule(equation.eqn)
        except Exception:  # the author's code: a rule that refuses is never asked elsewhere
            return object()
        body = graph(ClosedJaxpr(jaxpr, constants))
        params["rule"] = _of_graph(body, rules=False), tuple(still)
    return (
        equation.op,
        tuple(sorted(params.items())),
        tuple(_type(atom) for atom in equation.inputs),
        tuple(_type(value) for value in equation.outputs),
        equation.eqn.ctx,
    )


def _pulled_back(equation: Equation) -> Graph:
    """What an equation makes and pulls back: all that its VJP rule does."""
    wanted = [value for value in dict.fromkeys(equation.values) if value.inexact]
    others = [value for value in dict.fromkeys(equation.values) if not value.inexact]
    places = [place for place, value in enumerate(equation.outputs) if value.inexact]

    def run(chosen, given, cotangents):
        def made(*chosen):
            env = dict(zip([*wanted, *others], [*chosen, *given], strict=True))
            arguments = [a.value if isinstance(a, Fixed) else env[a] for a in equation.inputs]
            results = evaluate(equation, arguments)
            return [results[place] for place in places], results

        _, pull, results = jax.vjp(made, *chosen, has_aux=True)
        return results, pull(cotangents)

    sent = [equation.outputs[place] for place in places]
    avals = [[value.aval for value in values] for values in (wanted, others, sent)]
    return graph(jax.make_jaxpr(run)(*avals))


def _content(parameter, rules: bool) -> Hashable:
    """A parameter, equal to another that means the same."""
    if isinstance(parameter, ClosedJaxpr | Jaxpr):
        return _of_graph(graph(primitives.closed(parameter)), rules)
    if isinstance(parameter, tuple | list):
        return tuple(_content(part, rules) for part in parameter)
    try:
        hash(parameter)
    except TypeError:
        return id(parameter)
    return parameter


def _of_graph(body: Graph, rules: bool) -> Hashable:
    """A graph whose values are numbered in order, so that two that differ in names are equal."""
    if body.constants:  # a rule's may be gone when the next is looked at: their ids tell nothing
        return object()
    numbers = {value: k for k, value in enumerate(body.inputs)}

    def read(atom: Atom):
        return _type(atom) if isinstance(atom, Fixed) else numbers[atom]

    lines = []
    for equation in body.equations:
        lines.append((likeness(equation, rules), tuple(map(read, equation.inputs))))
        for value in equation.outputs:
            numbers[value] = len(numbers)
    return tuple(lines), tuple(map(read, body.outputs))


def _type(atom: Atom) -> Hashable:
    """The type of a value; a literal with its number."""
    if isinstance(atom, Fixed):
        number = np.asarray(atom.value)
        return number.shape, str(number.dtype), number.tobytes()
    return atom.shape, str(getattr(atom.aval, "dtype", "")), getattr(atom.aval, "weak_type", None)
