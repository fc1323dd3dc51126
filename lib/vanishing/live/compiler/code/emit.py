"""Turns the nodes of a graph into code, by one rule an operation, fusing as it goes."""

from __future__ import annotations

import re
from dataclasses import replace

from vanishing.live.compiler.code.fusion import hint_of, is_view, stored_values
from vanishing.live.compiler.code.registry import RULES
from vanishing.live.compiler.code.values import Scalar, Value, View
from vanishing.live.compiler.code.writer import Writer
from vanishing.live.compiler.graph.nodes import Const, Graph, Node, Var

# A recipe that asks for another that asks for another is as deep a call in Python, some six frames
# a level, of a thousand that it allows. A longer chain is stored half-way.
DEEPEST = 40


class Emitter(Writer):
    """Knows the value of every variable written so far.

    Attributes:
        env: the value of each variable.
        wanted: where a result should go.
        stored: which results need a buffer.
        in_place: which nodes may overwrite their operand.
        rest: what is still read after the node that is being written.
        said: the user's line that was quoted last.
        uses_matmul: whether the program needs the runtime's matrix product.
        published: the buffers that are arguments or results of the program.
        functions: the functions written beside it, by their text.
    """

    def __init__(self):
        super().__init__()
        self.env: dict[Var | Const, Value] = {}
        self.wanted: dict[Var, View] = {}
        self.stored: set[Var] = set()
        self.in_place: set[Node] = set()
        self.rest: list = []
        self.said = ""
        self.uses_matmul = False
        self.published: set[str] = set()
        self.functions: dict[str, str] = {}

    def destination(self, node: Node, output: int = 0) -> View:
        """Where the result of a node goes: a place that was asked for, or a new buffer."""
        var = node.outputs[output]
        if var in self.wanted:
            self.stored.add(var)
            return self.wanted.pop(var)
        return self.allocate(var.shape, var.dtype, hint_of(node))

    def value(self, atom: Var | Const) -> Value:
        """The value of an input of a node."""
        if isinstance(atom, Const):
            known = self.env.get(atom) or self.constant(atom)
            self.env[atom] = known
            return known
        return self.env[atom]

    def run(self, graph: Graph, inputs: list[Value]) -> list[Value]:
        """Write the nodes of a body; the values of its outputs."""
        self.depth += 1
        self.stored |= stored_values(graph.nodes, graph.outputs)
        for var, value in zip(graph.inputs, inputs, strict=True):
            named = value if var.shape or isinstance(value, Scalar) else self.named(value, "item")
            self.env[var] = named
        for k, node in enumerate(graph.nodes):
            self.rest = [a for n in graph.nodes[k + 1 :] for a in n.inputs] + graph.outputs
            self.node(node)
        results = [self.value(atom) for atom in graph.outputs]
        self.depth -= 1
        return results

    def overwritten(self, node: Node, value: Value) -> View:
        """A buffer that holds `value` and that `node` may write to.

        The value's own where nobody needs it any more. Recipes that have read from it, and are
        still to be computed, are computed first.
        """
        if node not in self.in_place:
            return self.store(value, self.destination(node))
        for atom in set(self.rest):
            later = self.env.get(atom)
            if later is not None and later is not value and value.buffer in later.reads:
                into = self.allocate(later.shape, later.dtype, later.name or "saved")
                self.env[atom] = self.store(later, into)
        return value

    def node(self, node: Node) -> None:
        """Write one node."""
        if node.op not in RULES:
            raise node.refuse(
                "has no rule", "use other operations, or add one to vanishing.live.compiler.rules"
            )
        self.comment(node)
        results = RULES[node.op](self, node, [self.value(a) for a in node.inputs])
        for k, (var, value) in enumerate(zip(node.outputs, results, strict=True)):
            self.env[var] = self.settle(node, k, var, value)

    def settle(self, node: Node, k: int, var: Var, value: Value) -> Value:
        """Compute a value now if it must be, or leave it to the loop that uses it."""
        value.name = value.name or hint_of(node)
        # A name or a number costs nothing to repeat; any other expression gets a name.
        if isinstance(value, Scalar) and re.fullmatch(r"[\w.-]+", value.text):
            return value
        if isinstance(value, Scalar) or not var.shape:
            return replace(self.named(value, hint_of(node)), shape=var.shape)
        wanted = var in self.stored and not is_view(node) and not isinstance(value, View)
        if wanted or value.depth > DEEPEST:
            return self.store(value, self.destination(node, k))
        return value

    def comment(self, node: Node) -> None:
        """Say once which line of the user's code the following comes from."""
        text = f"// {node.source.function}: {node.source.text}"
        if node.source.line and text != self.said:
            self.said = text
            self.lines.append("  " * self.indent + text)
