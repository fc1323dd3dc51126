"""Writes JavaScript: lines, names, buffers and loop nests."""

from __future__ import annotations

import contextlib
import math
import re
from collections import Counter
from collections.abc import Callable

from vanishing.live.compiler.code.values import Affine, Body, Index, Scalar, Value, View, strides_of
from vanishing.live.compiler.graph.nodes import CompileError, Const
from vanishing.live.compiler.rules.elementwise import number
from vanishing.live.compiler.runtime.node import runtime_names

BYTES = {"float32": 4, "int32": 4, "uint32": 4, "uint8": 1, "bool": 1}
ARRAYS = {"float32": "f32", "int32": "i32", "uint32": "u32", "uint8": "u8", "bool": "u8"}
CONSTANT_BYTES = 4096
RESERVED = re.findall(
    r"\w+",
    """
    arguments await break case catch class const continue debugger default delete do else enum
    eval export extends false finally for function if implements import in instanceof interface
    let new null package private protected public return static super switch this throw true try
    typeof var void while with yield f rt heap matmul first ready undefined NaN Infinity Math
    Number Boolean
    """,
)
Inside = Callable[[Body, list[Index]], str]


class Writer:
    """Writes lines, loops and buffers; the names it gives are never given twice."""

    def __init__(self):
        self.lines: list[str] = []
        self.indent = 2
        self.depth = 0  # 0 outside of loops and branches
        self.declarations: list[str] = []
        self.names: Counter[str] = Counter((*RESERVED, *runtime_names()))
        self.runtime: set[str] = set()
        self.bytes = self.constant_bytes = 0
        self.tables: dict[tuple, View] = {}
        self.buffers: dict[str, tuple[str, int]] = {}
        self.kept: Counter[str] = Counter()

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

    def lasting(self, hint: str) -> str:
        """A name that is not taken again, in no branch."""
        name = self.fresh(hint)
        while name in self.buffers:
            name = self.fresh(hint)
        self.kept[name] += 1
        return name

    @contextlib.contextmanager
    def branches(self):
        """Write branches of which one runs: they share the names of numbers and of buffers.

        Yields a function to call before each branch.
        """
        before, taken = self.names, Counter()

        def begin() -> None:
            nonlocal taken
            taken |= self.names
            self.names = before | self.kept

        yield begin
        self.names = taken | self.names

    # Storage --------------------------------------------------------------------------------

    def allocate(self, shape: tuple[int, ...], dtype: str, hint: str, lasting=False) -> View:
        """A buffer of the program's own, which branches that exclude each other may share."""
        name, size = self.lasting(hint) if lasting else self.fresh(hint), math.prod(shape)
        while self.buffers.get(name, (dtype, size)) != (dtype, size):
            name = self.fresh(hint)
        if name not in self.buffers:
            self.buffers[name] = dtype, size
            self.bytes += -(-max(size, 1) * BYTES[dtype] // 16) * 16
            made, dims = f"heap.{ARRAYS[dtype]}({size})", ",".join(map(str, shape))
            self.declarations.append(f"const {name} = {made}; // {dtype}[{dims}]")
        reads, strides = frozenset([name]), strides_of(shape)
        return View(shape, dtype, reads, hint, name, Affine(), strides, math.prod(shape))

    def declare(self, name: str) -> None:
        """Declare a number that is set later. Outside of loops it lives on between calls."""
        if self.depth:
            self.line(f"let {name};")
        else:
            self.declarations.append(f"let {name};")

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
        content = (const.dtype, array.shape, array.tobytes())
        if content in self.tables:
            return self.tables[content]
        self.constant_bytes += array.nbytes
        if self.constant_bytes > CONSTANT_BYTES:
            raise CompileError(
                f"expected at most {CONSTANT_BYTES} bytes of constants, got {self.constant_bytes} "
                f"with one of shape {array.shape}\n  Way out: send a seed, not weights: draw "
                "arrays inside the function with jax.random, or pass them as arguments"
            )
        view = self.allocate(array.shape, const.dtype, "table", lasting=True)
        self.declarations.append(f"{view.buffer}.set([{', '.join(map(number, flat))}]);")
        self.tables[content] = view
        return view

    def named(self, value: Value, hint: str) -> Scalar:
        """The only element of a rank-0 value, as a named number."""
        body = Body([[]], self.fresh, {})
        text = value.at(body, ())
        self._lines(body.lines[0])
        return self.scalar(text, value.dtype, hint)

    # Loops ----------------------------------------------------------------------------------

    def nest(
        self, groups: list[tuple[int, ...]], inside: Inside, before="", after: Inside | None = None
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
