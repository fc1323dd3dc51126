"""Writes a switch between element-wise formulas, such as activations, as a function of its own.

A figure that offers eight activations switches between them wherever the network uses φ or φ′.
Written once, they keep the program small, and the functions short enough for the browser's
optimising compiler, which leaves very long ones alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from vanishing.live.compiler.code.fusion import hint_of, is_view
from vanishing.live.compiler.code.names import taken
from vanishing.live.compiler.code.registry import ELEMENTWISE
from vanishing.live.compiler.code.values import Affine, Scalar, Value, View
from vanishing.live.compiler.code.writer import Writer
from vanishing.live.compiler.graph.nodes import Const, Graph, Node
from vanishing.live.compiler.runtime.node import runtime_names

Switch = Callable[[str, list[Value], list[Value]], None]


def outline(
    emitter: Writer, node: Node, values: list[Value], results: list[Value], switch: Switch
) -> bool:
    """Call a function that does what the `cond` of `node` does; write it if it is new.

    Args:
        emitter: where the call goes; its `functions` are those written so far, by their text.
        node: a `cond`.
        values: its operands, the number that chooses first.
        results: where its results go.
        switch: writes the switch, given the text of the number, operands and results.

    Returns:
        False, and nothing is written, where the `cond` is no such switch.
    """
    dense = [v for v in [*values, *results] if isinstance(v, View) and v.contiguous]
    scalars = [v for v in values if isinstance(v, Scalar)]
    # Of two branches `if` is as short; what is no number and no
    # dense array would have to be copied before the call.
    simple = len(node.graphs) > 2 and len(results) == 1 and all(map(_formula, node.graphs))
    if not simple or len(dense) + len(scalars) != len(values) + len(results):
        return False
    parameters, inside, arguments = _parameters([*values, *results])
    # Written aside, with only the parameters as known names: two switches between the same
    # formulas then have the same text, and share one function.
    state = emitter.lines, emitter.names, emitter.indent, emitter.said
    emitter.lines, emitter.indent, emitter.said = [], 2, ""
    emitter.names = taken(runtime_names(), parameters)
    operands, places = inside[: len(values)], inside[len(values) :]
    switch(operands[0].text, operands[1:], places)
    text = "\n".join(emitter.lines)
    emitter.lines, emitter.names, emitter.indent, emitter.said = state
    if text not in emitter.functions:
        name = emitter.functions[text] = emitter.lasting(f"choose_{hint_of(node)}")
        header = f"function {name}({', '.join(parameters)}) {{"
        emitter.declarations.append(f"{header}\n{text}\n  }}")
    emitter.line(f"{emitter.functions[text]}({', '.join(arguments)});")
    return True


def _formula(graph: Graph) -> bool:
    """Whether a body only combines elements, and stores nothing but its result."""
    atoms = [*graph.outputs, *(atom for node in graph.nodes for atom in node.inputs)]
    tables = any(isinstance(atom, Const) and atom.value.size > 1 for atom in atoms)
    return not tables and all(node.op in ELEMENTWISE or is_view(node) for node in graph.nodes)


def _parameters(values: list[Value]) -> tuple[list[str], list[Value], list[str]]:
    """Names for the values inside of the function, the values so named, and what is passed."""
    parameters, inside, arguments = [], [], []
    for k, value in enumerate(values):
        name = f"v{k}" if k else "which"
        parameters.append(name)
        if isinstance(value, Scalar):
            inside.append(replace(value, text=name))
            arguments.append(value.text)
        else:
            # Where the window begins is passed beside the buffer: a loop calls it row by row.
            start = f"{name}From"
            window = {"buffer": name, "offset": Affine.var(start), "length": 0}
            inside.append(replace(value, reads=frozenset([name]), **window))
            parameters.append(start)
            arguments += [value.buffer, str(value.offset)]
    return parameters, inside, arguments
