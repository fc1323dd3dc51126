"""Which values must be stored, and which can be computed inside the loop that uses them."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping

from vanishing.live.compiler.code.registry import ELEMENTWISE, STREAMS, VIEWS
from vanishing.live.compiler.graph.nodes import Node, Var

# Names of primitives that would say less in the program than these.
HINTS = {
    "dot_general": "product",
    "reduce_sum": "sum",
    "reduce_max": "max",
    "reduce_min": "min",
    "select_n": "chosen",
    "convert_element_type": "cast",
    "dynamic_slice": "slice",
    "dynamic_update_slice": "updated",
    "threefry2x32": "bits",
}
# Stands for an operation that reads an operand as often as it likes: more than one reader.
TWICE = frozenset({"first reader", "second reader"})


def hint_of(node: Node) -> str:
    """What to call the result of a node: the user's name for it, else the operation's."""
    return node.source.target or HINTS.get(node.op, node.op)


def is_view(node: Node) -> bool:
    """Whether a node only rearranges elements."""
    return node.op in VIEWS


def stored_values(
    nodes: list[Node], outputs: list, stage: Mapping[Node, object] | None = None
) -> set[Var]:
    """The results of element-wise nodes that must be stored in a buffer.

    A value that one loop reads is computed inside that loop. One that several loops read, or
    that a loop would read repeatedly, or that another stage needs, is stored.

    Args:
        nodes: in order.
        outputs: what the graph returns.
        stage: the guarded stage of each node; None if there is only one.

    Returns:
        The variables to store.
    """
    readers: dict[object, set] = defaultdict(set)
    home = {var: stage[node] for node in nodes for var in node.outputs} if stage else {}
    stored = set()
    for k, atom in enumerate(outputs):
        readers[atom].add(("output", k))
    # From the last node to the first: who reads a value is known once all that follow are.
    for node in reversed(nodes):
        own = set().union(*(readers[var] for var in node.outputs))
        if node.op in ELEMENTWISE and len(own) > 1:
            stored.update(node.outputs)
            own = {node.outputs[0]}  # stored by one loop, which is what reads the operands
        for k, atom in enumerate(node.inputs):
            readers[atom] |= _readers(node, k, own)
            if stage and home.get(atom, stage[node]) != stage[node]:
                readers[atom] |= TWICE
    return stored


def _readers(node: Node, k: int, own: set) -> set:
    """The loops that read the `k`-th input of a node whose own results `own` read."""
    if node.op not in ELEMENTWISE and not is_view(node):
        return {(node, k)} if node.op in STREAMS else set(TWICE)
    size = math.prod(node.inputs[k].shape)
    # A row that is broadcast would be computed once for every element that it meets.
    repeated = node.inputs[k].shape and size < math.prod(node.outputs[0].shape)
    return own | TWICE if repeated and node.op in (*ELEMENTWISE, "broadcast_in_dim") else own
