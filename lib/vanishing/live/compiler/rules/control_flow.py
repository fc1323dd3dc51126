"""Loops and branches."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

from vanishing.live.compiler.code.emit import Emitter
from vanishing.live.compiler.code.fusion import hint_of
from vanishing.live.compiler.code.outline import outline
from vanishing.live.compiler.code.registry import rule
from vanishing.live.compiler.code.values import Affine, Scalar, Value, View
from vanishing.live.compiler.graph.nodes import Graph, Node, Var

# What writes some elements of an array and keeps the rest.
UPDATES = ("dynamic_update_slice", "scatter")


def _hint(graph: Graph, k: int, default: str) -> str:
    """The name of a body's k-th result: a carried value is called as the user calls the value that
    takes its place."""
    for node in graph.nodes:
        if graph.outputs[k] in node.outputs:
            return hint_of(node)
    return default


def _updates_in_place(graph: Graph, carry: Var, result) -> list[Node]:
    """The chain of window updates from a carried array to its next value, if it is nothing else.

    JAX hands on a new array for each element that a round writes. Where nobody reads the old one
    afterwards, writing into it is the same, and a round costs what it writes, not the whole array.
    """
    chain: list[Node] = []
    makers = {var: node for node in graph.nodes for var in node.outputs}
    while result is not carry:
        node = makers.get(result)
        if node is None or not node.op.startswith(UPDATES):
            return []
        chain.append(node)
        result = node.inputs[0]
    # A later reader, or an update that takes its new elements from the old array, would see the
    # old values overwritten.
    for node in chain:
        place = graph.nodes.index(node)
        later = [a for n in graph.nodes[place + 1 :] for a in n.inputs] + graph.outputs
        if node.inputs[0] in (*later, *node.inputs[1:]):
            return []
    return chain


class Carry:
    """The values that a loop hands from one round to the next.

    They live in places of their own, a buffer or a `let` each: the body is written once, and has
    to find them under the same names in every round.
    """

    def __init__(self, emitter: Emitter, body: Graph, inputs: list[Var], initial: list[Value]):
        self.emitter, self.body = emitter, body
        self.values = [
            self._start(value, _hint(body, k, "carry")) for k, value in enumerate(initial)
        ]
        for k, var in enumerate(inputs):
            emitter.in_place.update(_updates_in_place(body, var, body.outputs[k]))

    def _start(self, value: Value, hint: str) -> Value:
        if value.shape:
            into = self.emitter.allocate(value.shape, value.dtype, hint)
            return self.emitter.store(value, into)
        name = self.emitter.fresh(hint)
        self.emitter.declare(name)
        self.emitter.line(f"{name} = {value.text};")
        return Scalar((), value.dtype, name=hint, text=name)

    def advance(self, results: list[Value]) -> None:
        """Replace the old values by the new, once all new ones are known.

        (a, b) ← (b, a + b) has to read both before it writes either. What would read an old value
        after it was replaced is therefore computed into a place between; the rest goes straight.
        """
        emitter, own = self.emitter, {v.buffer for v in self.values if isinstance(v, View)}
        names = {v.text for v in self.values if isinstance(v, Scalar)}
        arrays, numbers = [], []
        for old, new in zip(self.values, results, strict=True):
            if isinstance(old, Scalar):
                if new.text != old.text:
                    fresh = emitter.named(new, old.name) if new.text in names else new
                    numbers.append(f"{old.text} = {fresh.text};")
            # Nothing to do where the body has updated the buffer in place.
            elif not (isinstance(new, View) and new.buffer == old.buffer and new.whole):
                if new.reads & own:
                    into = emitter.allocate(new.shape, new.dtype, f"next_{old.name}")
                    new = emitter.store(new, into)
                arrays.append((new, old))
        for move in arrays:
            emitter.store(*move)
        for text in numbers:
            emitter.line(text)


@rule("scan")
def scan(emitter: Emitter, node: Node, values: list[Value]) -> list[Value]:
    """A loop of known length over slices of arrays."""
    params, (body,) = node.params, node.graphs
    consts, carried = params["num_consts"], params["num_carry"]
    length, arrays = params["length"], values[consts + carried :]
    carry = Carry(
        emitter, body, body.inputs[consts : consts + carried], values[consts : consts + carried]
    )
    collected = [emitter.destination(node, carried + k) for k in range(len(node.outputs) - carried)]
    step = emitter.fresh("step")
    place = Affine.var(step)
    slices = [_row(_rows(emitter, v), place) for v in arrays]
    rows = [_row(view, place) for view in collected]
    down = params["reverse"]
    header = f"for (let {step} = 0; {step} < {length}; {step}++)"
    if down:
        header = f"for (let {step} = {length - 1}; {step} >= 0; {step}--)"
    with emitter.block(header):
        # The body computes a row where it belongs, instead of in a buffer that is copied there.
        emitter.wanted.update(zip(body.outputs[carried:], rows, strict=True))
        results = emitter.run(body, [*values[:consts], *carry.values, *slices])
        for row, value in zip(rows, results[carried:], strict=True):
            _put(emitter, value, row)
        carry.advance(results[:carried])
    return [*carry.values, *collected]


def _rows(emitter: Emitter, value: Value) -> Value:
    """A value whose rows can be read one by one without computing the others.

    A recipe would be computed again in every round, by each element that asks for it; of a vector
    every round asks for one element, so that storing it first would save nothing.
    """
    return value if isinstance(value, Scalar) or not value.shape[1:] else emitter.view(value)


def _row(value: Value, place: Affine) -> Value:
    return value.moved(value.shape[1:], lambda new: (place, *new))


def _put(emitter: Emitter, value: Value, into: View) -> None:
    # What was asked for with `wanted` is there already, unless the operation made a view of it.
    there = isinstance(value, View) and (value.buffer, value.offset) == (into.buffer, into.offset)
    if not there:
        emitter.store(value, into)


@rule("while")
def while_loop(emitter: Emitter, node: Node, values: list[Value]) -> list[Value]:
    """A loop that ends when a condition fails."""
    test, body = node.graphs
    a, b = node.params["cond_nconsts"], node.params["body_nconsts"]
    carry = Carry(emitter, body, body.inputs[b:], values[a + b :])
    # Not `while (test)`: a condition may take several statements, and stands inside.
    with emitter.block("while (true)"):
        (go_on,) = emitter.run(test, [*values[:a], *carry.values])
        emitter.line(f"if (!{go_on.text}) break;")
        carry.advance(emitter.run(body, [*values[a : a + b], *carry.values]))
    return carry.values


@rule("cond")
def branch(emitter: Emitter, node: Node, values: list[Value]) -> list[Value]:
    """One of several bodies, chosen by a number."""
    which, *operands = values
    results: list[Value] = []
    # Declared before the branches, each of which writes to the same places.
    for k, var in enumerate(node.outputs):
        if var.shape:
            results.append(emitter.destination(node, k))
        else:
            name = emitter.fresh(hint_of(node))
            emitter.declare(name)
            results.append(Scalar((), var.dtype, text=name))

    def write(chosen: str, operands: list[Value], results: list[Value]) -> None:
        _write_branches(emitter, node.graphs, chosen, operands, results)

    if not outline(emitter, node, values, results, write):
        write(which.text, operands, results)
    return results


def _write_branches(
    emitter: Emitter,
    graphs: Sequence[Graph],
    chosen: str,
    operands: list[Value],
    results: list[Value],
) -> None:
    if len(graphs) == 2:  # JAX's first branch is the one for False
        headers = [f"if ({chosen})", "else"]
        order = [1, 0]
        switch = contextlib.nullcontext()
    else:
        order = list(range(len(graphs)))
        # JAX has brought the number into the range: the last case is what remains.
        headers = [f"case {k}:" for k in order[:-1]] + ["default:"]
        switch = emitter.block(f"switch ({chosen})")
    with switch, emitter.branches() as begin:
        for k, header in zip(order, headers, strict=True):
            begin()
            with emitter.block(header):
                with emitter.apart():
                    _branch_body(emitter, graphs[k], operands, results)
                if len(order) > 2:
                    emitter.line("break;")


def _branch_body(emitter: Emitter, body: Graph, operands: list[Value], results: list[Value]):
    for atom, result in zip(body.outputs, results, strict=True):
        if isinstance(result, View):
            emitter.wanted[atom] = result
    for value, result in zip(emitter.run(body, operands), results, strict=True):
        if isinstance(result, View):
            _put(emitter, value, result)
        else:
            emitter.line(f"{result.text} = {value.text};")
