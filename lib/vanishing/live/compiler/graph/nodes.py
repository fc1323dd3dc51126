"""Flat graphs: what a traced JAX function becomes before it is written as JavaScript."""

from __future__ import annotations

import linecache
import re
from dataclasses import dataclass

import numpy as np

DTYPES = ("float32", "int32", "uint32", "uint8", "bool")


class CompileError(Exception):
    """A JAX function that cannot become JavaScript: says what, where, and the way out."""


def dtype_error(dtype, where: str) -> CompileError:
    """The error for an element type that compiled programs do not have."""
    remedy = "Cast to float32 or int32"
    if str(dtype) in ("float64", "int64", "uint64"):
        remedy = "Compile with jax_enable_x64 off, or cast to a 32-bit type"
    elif str(dtype).startswith("key"):
        remedy = "Pass a seed and call jax.random.key inside"
    return CompileError(
        f"compile: expected one of {', '.join(DTYPES)}; got {dtype} {where}. {remedy}."
    )


@dataclass(frozen=True)
class Source:
    """Where in the user's code a node comes from."""

    file: str = ""
    line: int = 0
    function: str = ""

    @property
    def text(self) -> str:
        """The line of code itself."""
        return linecache.getline(self.file, self.line).strip()

    @property
    def target(self) -> str:
        """The name on the left of the line's assignment, or nothing."""
        match = re.match(r"([A-Za-z]\w*)\s*=[^=]", self.text)
        return match.group(1) if match else ""

    def __str__(self):
        return f"{self.file}:{self.line} ({self.function}): {self.text}" if self.line else "unknown"


@dataclass(eq=False)
class Var:
    """A value that is computed."""

    shape: tuple[int, ...]
    dtype: str


@dataclass(eq=False)
class Const:
    """A value that is known when the program is compiled."""

    value: np.ndarray

    @property
    def shape(self) -> tuple[int, ...]:
        """Its shape."""
        return self.value.shape

    @property
    def dtype(self) -> str:
        """Its element type."""
        return self.value.dtype.name


@dataclass(eq=False)
class Node:
    """One operation; loops and branches hold their bodies in `graphs`."""

    op: str
    inputs: list[Var | Const]
    outputs: list[Var]
    params: dict
    source: Source
    graphs: tuple[Graph, ...] = ()

    def refuse(self, why: str, remedy: str) -> CompileError:
        """The error to raise when this node cannot be compiled."""
        return CompileError(
            f"compile: expected operations that JavaScript can do; got `{self.op}`, which {why}, "
            f"at {self.source}. {remedy[0].upper()}{remedy[1:]}."
        )


@dataclass(eq=False)
class Graph:
    """Nodes in an order in which they can be computed."""

    inputs: list[Var]
    nodes: list[Node]
    outputs: list[Var | Const]


@dataclass(frozen=True)
class Spec:
    """One array that goes into a program or comes out of it."""

    name: str
    shape: tuple[int, ...]
    dtype: str
