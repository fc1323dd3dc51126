"""Writes the JavaScript of a graph: names, buffers, loops, fusion and guarded stages."""

from __future__ import annotations

import contextlib
import math
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

from vanishing.live.fusion import hint_of, is_view, stored_values
from vanishing.live.elementwise import OPS, REPEATS, expression, number
from vanishing.live.graph import CompileError, Const, Graph, Node, Var
from vanishing.live.node import runtime_names
from vanishing.live.values import Affine, Body, Index, Lazy, Scalar, Value, View, strides_of

BYTES = {"float32": 4, "int32": 4, "uint32": 4, "uint8": 1, "bool": 1}
ARRAYS = {"float32": "f32", "int32": "i32", "uint32": "u32", "uint8": "u8", "bool": "u8"}
CONSTANT_BYTES = 4096
RESERVED = (
    "arguments await break case catch class const continue debugger default delete do else enum "
    "eval export extends false finally for function if implements import in instanceof interface "
    "let new null package private protected public return static super switch this throw true try "
    "typeof var void while with yield f rt heap matmul first ready undefined NaN Infinity Math "
    "Number Boolean"
).split()
RULES: dict[str, Callable] = {}


def rule(*ops: str):
    """Register how an operation is emitted: ``(emitter, node, values) -> values``."""

    def register(function):
        RULES.update(dict.fromkeys(ops, function))
        return function

    return register


class Emitter:
    """Writes code, and knows the value of every variable written so far."""

    def __init__(self):
        self.lines: list[str] = []
        self.indent = 2
        self.declarations: list[str] = []
        self.names: Counter[str] = Counter((*RESERVED, *runtime_names()))
        self.runtime: set[str] = set()
        self.env: dict[Var, Value] = {}
        self.wanted: dict[Var, View] = {}
        self.stored: set[Var] = set()
        self.bytes = self.constant_bytes = 0
        self.said = ""
        self.depth = 0
        self.uses_matmul = False
        self.published: set[str] = set()
        self.in_place: set[Node] = set()
        self.rest: list = []

    # Text -----------------------------------------------------------------------------------

    def line(self, text: str) -> None:
        """Write one line; ``@name`` stands for a function of the runtime."""
        self.runtime.update(re.findall(r"@(\w+)", text))
        self.lines.append("  " * self.indent + text.replace("@", ""))

    @contextlib.contextmanager
    def block(self, header: str):
        """Write a block in braces."""
        self.line(f"{header} {{".strip())
        self.indent += 1
        yield
        self.indent -= 1
        self.line("}")

    def fresh(self, hint: str, names: Counter[str] | None = None) -> str:
        """A name that is not taken yet."""
        names = self.names if names is None else names
        hint = re.sub(r"\W+", "_", hint).strip("_") or "t"
        hint = re.sub(r"_(\w)", lambda m: m.group(1).upper(), hint)
        while True:
            names[hint] += 1
            name = hint if names[hint] == 1 else f"{hint}{names[hint]}"
            if name == hint or not names[name]:
                names[name] += name != hint
                return name

    # Storage --------------------------------------------------------------------------------

    def allocate(self, shape: tuple[int, ...], dtype: str, hint: str) -> View:
        """A buffer of the program's own."""
        name, size = self.fresh(hint), math.prod(shape)
        self.bytes += -(-max(size, 1) * BYTES[dtype] // 16) * 16
        dims = ",".join(map(str, shape))
        self.declarations.append(f"const {name} = heap.{ARRAYS[dtype]}({size}); // {dtype}[{dims}]")
        reads, strides = frozenset([name]), strides_of(shape)
        return View(shape, dtype, reads, hint, name, Affine(), strides, math.prod(shape))

    def declare(self, name: str) -> None:
        """Declare a number that is set later. Outside of loops it lives on between calls."""
        if self.depth:
            self.line(f"let {name};")
        else:
            self.declarations.append(f"let {name};")

    def destination(self, node: Node, output: int = 0) -> View:
        """Where the result of a node goes: a place that was asked for, or a new buffer."""
        var = node.outputs[output]
        if var in self.wanted:
            self.stored.add(var)
            return self.wanted.pop(var)
        return self.allocate(var.shape, var.dtype, hint_of(node))

    def scalar(self, text: str, dtype: str, hint: str) -> Scalar:
        """Name a number. Outside of loops and branches it lives on until the next call."""
        name = self.fresh(hint)
        if self.depth:
            self.line(f"const {name} = {text};")
        else:
            self.declare(name)
            self.line(f"{name} = {text};")
        return Scalar((), dtype, frozenset(), hint, name)

    def constant(self, const: Const) -> Value:
        """A value that is known at build time."""
        array = const.value
        flat = array.reshape(-1)
        if array.size == 0 or (flat == flat[0]).all() or array.size == 1:
            return Scalar(array.shape, const.dtype, text=number(flat[0]) if array.size else "0")
        self.constant_bytes += array.nbytes
        if self.constant_bytes > CONSTANT_BYTES:
            raise CompileError(
                f"expected at most {CONSTANT_BYTES} bytes of constants, got {self.constant_bytes} "
                f"with one of shape {array.shape}\n  Way out: send a seed, not weights: draw "
                "arrays inside the function with jax.random, or pass them as arguments"
            )
        view = self.allocate(array.shape, const.dtype, "table")
        self.declarations.append(f"{view.buffer}.set([{', '.join(map(number, flat))}]);")
        return view

    def value(self, atom: Var | Const) -> Value:
        """The value of an input of a node."""
        if isinstance(atom, Const):
            known = self.env.get(atom) or self.constant(atom)
            self.env[atom] = known
            return known
        return self.env[atom]

    # Loops ----------------------------------------------------------------------------------

    def nest(
        self, groups: list[tuple[int, ...]], inside: Callable[[Body, list[Index]], str], before=None, after=None
    ) -> None:
        """Write nested loops over groups of dimensions.

        Neighbouring dimensions of a group become one loop where every address allows it.

        Args:
            groups: sizes of the loops, outermost group first.
            inside: writes to the body, given an index per group; returns the last statement.
            before: with two groups, the statement between them.
            after: with two groups, the same for the statement after the inner group.
        """
        names = iter("ijklmnopqrstuvwxyz")
        loops = [[(next(names), size) for size in group] for group in groups]
        observed = self._observe(loops, inside, after)
        loops = [_merge(group, observed.addresses) for group in loops]
        counts = self._observe(loops, inside, after).asked
        body, indexes = self._body(loops, counts)
        statement = inside(body, indexes)
        closing = after(body, indexes[:1]) if after else None
        lines = iter(body.lines)
        with self.block("") if body.lines[0] else contextlib.nullcontext():
            self._lines(next(lines))
            with self._loops(loops[0], lines):
                if before:
                    self.line(before)
                with self._loops(loops[1] if len(loops) > 1 else [], lines):
                    self.line(statement)
                if closing:
                    self.line(closing)

    def _lines(self, lines: list[str]) -> None:
        for line in lines:
            self.line(line)

    @contextlib.contextmanager
    def _loops(self, loops, lines):
        with contextlib.ExitStack() as opened:
            for name, size in loops:
                if size > 1:
                    header = f"for (let {name} = 0; {name} < {size}; {name}++)"
                    opened.enter_context(self.block(header))
                    self._lines(next(lines))
            yield

    def _body(self, loops, counts):
        levels = [[], *([name] for group in loops for name, size in group if size > 1)]
        names = Counter(self.names)
        body = Body(levels, lambda hint: self.fresh(hint, names), counts)
        indexes = [
            tuple(Affine.var(name) if size > 1 else Affine() for name, size in group)
            for group in loops
        ]
        return body, indexes

    def _observe(self, loops, inside, after) -> Body:
        body, indexes = self._body(loops, None)
        inside(body, indexes)
        if after:
            after(body, indexes[:1])
        return body

    def store(self, value: Value, into: View) -> View:
        """Write the elements of ``value`` to ``into``."""
        if isinstance(value, View) and value.whole and into.whole and value.size > 16:
            self.line(f"{into.buffer}.set({value.buffer});")
            return into

        def inside(body: Body, index) -> str:
            source = value.at(body, index[0])
            return f"{into.buffer}[{body.use(into.address(index[0]))}] = {source};"

        if value.size:
            self.nest([value.shape], inside)
        return into

    def dense(self, value: Value, hint: str = "") -> View:
        """A contiguous view of ``value``, copied only if need be."""
        if isinstance(value, View) and value.contiguous:
            return value
        hint = hint or value.name or "packed"
        return self.store(value, self.allocate(value.shape, value.dtype, hint))

    def view(self, value: Value, hint: str = "") -> View:
        """A strided view of ``value``, computed only if need be."""
        return value if isinstance(value, View) else self.dense(value, hint)

    # Graphs ---------------------------------------------------------------------------------

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
        """A buffer that holds ``value`` and that ``node`` may write to."""
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
                "cannot be compiled to JavaScript", "use operations that vanishing.live knows"
            )
        self.comment(node)
        results = RULES[node.op](self, node, [self.value(a) for a in node.inputs])
        for k, (var, value) in enumerate(zip(node.outputs, results, strict=True)):
            self.env[var] = self.settle(node, k, var, value)

    def settle(self, node: Node, k: int, var: Var, value: Value) -> Value:
        """Compute a value now if it must be, or leave it to the loop that uses it."""
        value.name = value.name or hint_of(node)
        if isinstance(value, Scalar) and re.fullmatch(r"[\w.-]+", value.text):
            return value
        if isinstance(value, Scalar) or not var.shape:
            return replace(self.named(value, hint_of(node)), shape=var.shape)
        if var in self.stored and not is_view(node) and not isinstance(value, View):
            return self.store(value, self.destination(node, k))
        return value

    def named(self, value: Value, hint: str) -> Scalar:
        """The only element of a rank-0 value, as a named number."""
        body = Body([[]], self.fresh, {})
        text = value.at(body, ())
        self._lines(body.lines[0])
        return self.scalar(text, value.dtype, hint)

    def comment(self, node: Node) -> None:
        """Say once which line of the user's code the following comes from."""
        text = f"// {node.source.function}: {node.source.text}"
        if node.source.line and text != self.said:
            self.said = text
            self.lines.append("  " * self.indent + text)


def _merge(group, addresses):
    """Join neighbouring loops where every address steps evenly through both."""
    group = list(group)
    last = len(group) - 1
    for outer in range(last - 1, -1, -1):
        (name, size), (inner, length) = group[outer], group[last]
        if size == 1:
            continue
        if length > 1 and all(
            a.coefficient(name) == a.coefficient(inner) * length for a in addresses
        ):
            group[last], group[outer] = (inner, size * length), (name, 1)
        else:
            last = outer
    return group


@rule(*OPS)
def elementwise(emitter: Emitter, node: Node, values: list[Value]) -> list[Value]:
    """An operation on elements: a recipe, to be fused into the loop that stores it."""
    shape = node.outputs[0].shape

    def element(body: Body, index: Index) -> str:
        for value in values[: node.op in REPEATS]:
            body.element(value, _own(value, index))  # ask twice, so that it gets a name
        operands = [body.element(v, _own(v, index)) for v in values]
        return expression(node, operands)

    if all(isinstance(v, Scalar) for v in values):
        text = expression(node, [v.text for v in values])
        return [Scalar(shape, node.outputs[0].dtype, text=text)]
    reads = frozenset().union(*(v.reads for v in values))
    return [Lazy(shape, node.outputs[0].dtype, reads, element=element)]


def _own(value: Value, index: Index) -> Index:
    """The index into an operand: size-1 dimensions are repeated, rank 0 has no index."""
    if not value.shape:
        return ()
    return tuple(
        Affine() if size == 1 else position
        for size, position in zip(value.shape, index, strict=True)
    )
