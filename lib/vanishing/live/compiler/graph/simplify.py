"""Rewrites that save work: nothing is computed twice, in vain, or again in every round."""

from __future__ import annotations

from dataclasses import dataclass, field

from vanishing.live.compiler.graph.nodes import Const, Graph, Node, Var


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


def _fixed(node: Node) -> list[dict[Var, Var | Const]]:
    """For each body of a loop, which inputs are the same in every round, and what they are."""
    inputs, bodies = node.inputs, node.graphs
    if node.op == "scan":
        ends = [(0, node.params["num_consts"])]
    elif node.op == "while":
        split = node.params["cond_nconsts"]
        ends = [(0, split), (split, split + node.params["body_nconsts"])]
    else:
        ends = [(0, 0)] * len(bodies)
    return [
        dict(zip(body.inputs, inputs[start:end], strict=False))
        for body, (start, end) in zip(bodies, ends, strict=True)
    ]


def _take_out(body: Graph, fixed: dict) -> tuple[list[Node], list[Var]]:
    """Remove the nodes that depend on nothing but `fixed`; also the results still used inside."""
    moved, kept, results = [], [], []
    for node in body.nodes:
        if not all(isinstance(atom, Const) or atom in fixed for atom in node.inputs):
            kept.append(node)
            continue
        node.inputs = [fixed.get(atom, atom) for atom in node.inputs]
        results += node.outputs
        outside = [Var(var.shape, var.dtype) for var in node.outputs]
        fixed.update(zip(node.outputs, outside, strict=True))
        node.outputs = outside
        moved.append(node)
    body.nodes = kept
    used = {atom for node in kept for atom in node.inputs} | set(body.outputs)
    return moved, [var for var in results if var in used]


def lift_invariants(node: Node) -> list[Node]:
    """Move what is the same in every round of a loop out of it.

    Of the branches of a condition, only what depends on no variable at all is moved.

    Args:
        node: a loop or a condition; its bodies and inputs are changed.

    Returns:
        The nodes to compute before it.
    """
    lifted = []
    for k, (body, fixed) in enumerate(zip(node.graphs, _fixed(node), strict=True)):
        moved, results = _take_out(body, fixed)
        lifted += moved
        for var in results:
            _pass_in(node, k, var, fixed[var])
    return lifted


def _pass_in(node: Node, k: int, inside: Var, outside: Var | Const) -> None:
    """Hand one more unchanging value to the `k`-th body."""
    bodies, params = node.graphs, dict(node.params)
    if node.op == "cond":
        node.inputs = [*node.inputs, outside]
        for other in bodies:
            new = inside if other is bodies[k] else Var(inside.shape, inside.dtype)
            other.inputs = [*other.inputs, new]
        return
    counts = ["num_consts"] if node.op == "scan" else ["cond_nconsts", "body_nconsts"]
    place = sum(params[count] for count in counts[:k])
    node.inputs = [*node.inputs[:place], outside, *node.inputs[place:]]
    bodies[k].inputs = [inside, *bodies[k].inputs]
    params[counts[k]] += 1
    node.params = params
