"""A graph and the graphs nested in it, and where every value comes from.

A `Level` is one body of code that runs as a whole: the loss itself, the body of a scan, one
branch of a `cond`, a rematerialised part.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from vanishing.inspection import jaxprs
from vanishing.inspection.jaxprs import Atom, Equation, Graph, Value


class Origin(NamedTuple):
    """What a value is made of.

    Attributes:
        data: whether it depends on data.
        leaves: the parameters, by number, that it can be differentiated with respect to.
        reduced: whether all the data in it has been through a reduction: a mean, a maximum.
    """

    data: bool = False
    leaves: frozenset[int] = frozenset()
    reduced: bool = True

    def __or__(self, other: "Origin") -> "Origin":
        data = [origin for origin in (self, other) if origin.data]
        return Origin(
            bool(data), self.leaves | other.leaves, all(origin.reduced for origin in data)
        )


CONSTANT = Origin()


@dataclass(eq=False)
class Level:
    """One graph, what its values are made of, and the levels that its equations hold."""

    graph: Graph
    origins: dict[Value, Origin]
    children: dict[Equation, list["Level"]] = field(default_factory=dict)

    def origin(self, atom: Atom) -> Origin:
        """What an atom is made of; a literal of nothing."""
        return self.origins[atom] if isinstance(atom, Value) else CONSTANT

    def differentiable(self, atom: Atom) -> bool:
        """Whether a cotangent of this atom is wanted."""
        return isinstance(atom, Value) and atom.inexact and bool(self.origins[atom].leaves)

    def walk(self):
        """This level and all below it."""
        yield self
        for children in self.children.values():
            for child in children:
                yield from child.walk()


def build(graph: Graph, inputs: Sequence[Origin], constants: Origin) -> Level:
    """The level of a graph whose inputs are made of `inputs`.

    Args:
        graph: from `jaxprs.graph`.
        inputs: one origin for each of its inputs.
        constants: the origin of arrays that the function closes over.
    """
    level = Level(graph, dict(zip(graph.inputs, inputs, strict=True)))
    level.origins.update(dict.fromkeys(graph.constants, constants))
    for equation in graph.equations:
        level.origins.update(
            zip(equation.outputs, _outputs(level, equation, constants), strict=True)
        )
    return level


def _outputs(level: Level, equation: Equation, constants: Origin) -> list[Origin]:
    """The origins of an equation's outputs; its nested levels are put into `level.children`."""
    inputs = [level.origin(atom) for atom in equation.inputs]
    if loop := equation.loop:
        child, made = _loop(loop, inputs, constants)
        level.children[equation] = [child]
        return made
    if branches := equation.branches:
        bodies = [jaxprs.graph(branch) for branch in branches]
        children = [build(body, inputs[1:], constants) for body in bodies]
        level.children[equation] = children
        made = [[child.origin(atom) for atom in child.graph.outputs] for child in children]
        chosen = Origin(inputs[0].data)  # which branch is taken has no derivative
        return [_united([chosen, *origins]) for origins in zip(*made, strict=True)]
    if body := equation.rematerialised:
        child = build(jaxprs.graph(body), inputs, constants)
        level.children[equation] = [child]
        return [child.origin(atom) for atom in child.graph.outputs]
    return [_plain(equation, inputs, value) for value in equation.outputs]


def _plain(equation: Equation, inputs: list[Origin], value: Value) -> Origin:
    data, leaves, reduced = _united(inputs)
    if equation.op in jaxprs.CONTRACTIONS:
        reduced = False
    elif equation.op in jaxprs.REDUCTIONS:
        reduced = True
    if equation.op in jaxprs.NO_GRADIENT or not value.inexact:
        # Integers and booleans carry no gradient, but their data is data.
        leaves = frozenset()
    return Origin(data, leaves, reduced)


def _united(origins: Sequence[Origin]) -> Origin:
    made = CONSTANT
    for origin in origins:
        made = made | origin
    return made


def _loop(loop: jaxprs.Loop, inputs: list[Origin], constants: Origin):
    """The level of a scan's body, and the origins of the scan's outputs.

    What is carried may be made of more after each turn, so turns are taken until it is not.
    """
    body = jaxprs.graph(loop.body)
    first, last = loop.constants, loop.constants + loop.carried
    while True:
        level = build(body, inputs, constants)
        made = [level.origin(atom) for atom in body.outputs]
        carried = [
            before | after
            for before, after in zip(inputs[first:last], made[: loop.carried], strict=True)
        ]
        if carried == inputs[first:last]:
            return level, [*carried, *made[loop.carried :]]
        inputs = [*inputs[:first], *carried, *inputs[last:]]
