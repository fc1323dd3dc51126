"""Writes a whole program, in stages that are computed again only if their inputs changed."""

from __future__ import annotations

from vanishing.live.compiler.code.emit import Emitter
from vanishing.live.compiler.code.fusion import stored_values
from vanishing.live.compiler.code.literals import ROUND
from vanishing.live.compiler.code.values import Scalar
from vanishing.live.compiler.graph.nodes import Graph, Node, Source, Spec, Var


def _stages(graph: Graph) -> tuple[list[Node], dict[Node, frozenset[int]], list[Var]]:
    """The nodes, grouped by the inputs that they depend on, and the outputs."""
    needs = {var: frozenset([k]) for k, var in enumerate(graph.inputs)}
    results = [Var(atom.shape, atom.dtype) for atom in graph.outputs]
    final = [
        Node("output", [atom], [var], {}, Source())
        for atom, var in zip(graph.outputs, results, strict=True)
    ]
    stage = {}
    for node in [*graph.nodes, *final]:
        stage[node] = frozenset().union(*(needs.get(atom, frozenset()) for atom in node.inputs))
        needs.update(dict.fromkeys(node.outputs, stage[node]))
    return sorted(stage, key=lambda n: (len(stage[n]), sorted(stage[n]))), stage, results


def write_program(graph: Graph, name: str, inputs: tuple[Spec, ...]) -> str:
    """The JavaScript of a program: a function expression that takes the runtime."""
    emitter = Emitter()
    parameters, changed = _receive(emitter, graph, inputs)
    nodes, stage, results = _stages(graph)
    emitter.stored = stored_values(nodes, [], stage)
    groups: dict[frozenset[int], list[Node]] = {}
    for node in nodes:
        groups.setdefault(stage[node], []).append(node)
    for needs, members in groups.items():
        guard = " || ".join(changed[k] for k in sorted(needs)) or "first"
        with emitter.block(f"if ({guard})"):
            for node in members:
                emitter.node(node)
    emitter.line("ready = true;")
    emitter.line(f"return [{', '.join(emitter.env[var].text for var in results)}];")
    return _assemble(emitter, name, parameters)


def _receive(emitter: Emitter, graph: Graph, inputs: tuple[Spec, ...]):
    """Take the arguments in, and find out which have changed."""
    emitter.line("const first = !ready;")
    emitter.line("ready = false;")
    parameters, changed = [], []
    for spec, var in zip(inputs, graph.inputs, strict=True):
        hint = spec.name.replace(".", "_")
        parameter = emitter.fresh(hint)
        parameters.append(parameter)
        changed.append(emitter.fresh(f"{hint}_changed"))
        if spec.shape:
            kept = emitter.allocate(spec.shape, spec.dtype, f"own_{hint}")
            emitter.published.add(kept.buffer)
            emitter.line(f"const {changed[-1]} = @changed({kept.buffer}, {parameter}) || first;")
            emitter.env[var] = kept
        else:
            last = emitter.fresh(f"last_{hint}")
            emitter.declare(last)
            emitter.line(f"{parameter} = {ROUND[spec.dtype].format(parameter)};")
            # -0 is another number than 0: its reciprocal has the other sign.
            emitter.line(f"const {changed[-1]} = !Object.is({parameter}, {last}) || first;")
            emitter.line(f"{last} = {parameter};")
            emitter.env[var] = Scalar((), spec.dtype, text=parameter)
    return parameters, changed


def _assemble(emitter: Emitter, name: str, parameters: list[str]) -> str:
    used = ", ".join(sorted(emitter.runtime))
    head = [f"(function {name}(rt) {{", "  const f = Math.fround;"]
    if used:
        head.append(f"  const {{ {used} }} = rt;")
    head.append(f"  const heap = rt.heap({emitter.bytes});")
    vectors = emitter.vectors()
    if vectors:
        head.append(f'  const simd = heap.loops("{vectors}");')
    if emitter.uses_matmul:
        head.append("  const { matmul } = heap;")
    head += [f"  {line}" for line in emitter.declarations]
    head += ["  let ready = false;", f"  return function ({', '.join(parameters)}) {{"]
    return "\n".join([*head, *emitter.lines, "  };", "})"])
