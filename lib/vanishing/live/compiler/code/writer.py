"""Writes JavaScript: buffers, constants, and the loops that fill them."""

from __future__ import annotations

import math

from vanishing.live.compiler.code.literals import number
from vanishing.live.compiler.code.loops import Loops
from vanishing.live.compiler.code.values import Affine, Body, Scalar, Value, View, strides_of
from vanishing.live.compiler.graph.nodes import CompileError, Const

BYTES = {"float32": 4, "int32": 4, "uint32": 4, "uint8": 1, "bool": 1}
ARRAYS = {"float32": "f32", "int32": "i32", "uint32": "u32", "uint8": "u8", "bool": "u8"}
ALIGNMENT = 16  # bytes: a WebAssembly vector, so that the matrix product loads whole ones
CONSTANT_BYTES = 4096  # a page carries code; weights are drawn from a seed in the browser
SMALL_COPY = 16  # elements up to which a loop is faster than a call of `set`


class Writer(Loops):
    """Allocates buffers and fills them.

    Attributes:
        depth: how many loops and branches surround the next line.
        bytes: the memory allocated so far.
        constant_bytes: how much of it is written out in the text.
        tables: the constants written out, by content.
    """

    def __init__(self):
        super().__init__()
        self.depth = 0
        self.bytes = self.constant_bytes = 0
        self.tables: dict[tuple, View] = {}

    def allocate(self, shape: tuple[int, ...], dtype: str, hint: str, lasting=False) -> View:
        """A buffer of the program's own, which branches that exclude each other may share."""
        name, size = self.lasting(hint) if lasting else self.fresh(hint), math.prod(shape)
        # The name may be known from a branch that excludes this one: then its buffer serves, if
        # it is of the same kind and size.
        while self.buffers.get(name, (dtype, size)) != (dtype, size):
            name = self.fresh(hint)
        if name not in self.buffers:
            self.buffers[name] = dtype, size
            self.bytes += -(-max(size, 1) * BYTES[dtype] // ALIGNMENT) * ALIGNMENT
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
        # `jnp.zeros` and the like: one number for all (NaN is not equal to itself).
        if array.size == 0 or (flat == flat[0]).all() or array.size == 1:
            return Scalar(array.shape, const.dtype, text=number(flat[0]) if array.size else "0")
        content = (const.dtype, array.shape, array.tobytes())
        if content in self.tables:
            return self.tables[content]
        self.constant_bytes += array.nbytes
        if self.constant_bytes > CONSTANT_BYTES:
            raise CompileError(
                f"compile: expected at most {CONSTANT_BYTES} bytes of constants; got "
                f"{self.constant_bytes} with one of shape {array.shape}. Send a seed, not weights: "
                "draw arrays inside the function with jax.random, or pass them as arguments."
            )
        view = self.allocate(array.shape, const.dtype, "table", lasting=True)
        self.declarations.append(f"{view.buffer}.set([{', '.join(map(number, flat))}]);")
        self.tables[content] = view
        return view

    def named(self, value: Value, hint: str) -> Scalar:
        """The only element of a rank-0 value, as a named number."""
        body = Body([[]], self.fresh, {})  # no loops: all of it stands here
        text = value.at(body, ())
        self._lines(body.lines[0])
        return self.scalar(text, value.dtype, hint)

    def store(self, value: Value, into: View) -> View:
        """Write the elements of `value` to `into`."""
        if isinstance(value, View) and value.whole and into.whole and value.size > SMALL_COPY:
            self.line(f"{into.buffer}.set({value.buffer});")
            return into

        def inside(body: Body, index) -> str:
            source = value.at(body, index[0])
            return f"{into.at(body, index[0])} = {source};"

        if value.size:
            self.nest([value.shape], inside)
        return into

    def dense(self, value: Value, hint: str = "") -> View:
        """A contiguous view of `value`, copied only if need be."""
        if isinstance(value, View) and value.contiguous:
            return value
        hint = hint or value.name or "packed"
        return self.store(value, self.allocate(value.shape, value.dtype, hint))

    def view(self, value: Value, hint: str = "") -> View:
        """A strided view of `value`, computed only if need be."""
        return value if isinstance(value, View) else self.dense(value, hint)
