"""A loop nest as it is written: its loops, and its statements taken apart."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

from vanishing.live.compiler.code.expressions import Tree, Unfit, linear, parse


@dataclass
class Nest:
    """What `Loops.nest` has written, as text.

    Attributes:
        loops: names and sizes, from the outside in.
        outer: how many of them surround a reduction.
        lines: the constants at each depth, before the next loop.
        before: the start of a reduction, where loops surround it.
        statement: the innermost one.
        closing: what follows the inner loops, or None.
        dtypes: of buffers and numbers, by name.
    """

    loops: list[tuple[str, int]]
    outer: int
    lines: list[list[str]]
    before: str
    statement: str
    closing: str | None
    dtypes: dict[str, str]

    @property
    def rounds(self) -> int:
        """How often the innermost statement is run."""
        return math.prod(size for _, size in self.loops)

    @property
    def text(self) -> str:
        """Its statements."""
        return "\n".join([*itertools.chain(*self.lines), self.statement, self.closing or ""])


@dataclass
class Assignment:
    """A statement: its name or buffer, the place in that, and the value."""

    name: str
    place: dict[str, int] | None
    value: Tree

    @staticmethod
    def read(text: str) -> Assignment:
        """The statement that a line is."""
        found = re.match(r"(?:const )?([^\W\d]\w*)(?:\[([^\]]*)\])? = (.*);$", text)
        if not found:
            raise Unfit(text)
        name, place, value = found.groups()
        return Assignment(name, linear(parse(place)) if place else None, parse(value))


def loads(tree) -> Iterator[tuple[str, dict[str, int]]]:
    """Every element that an expression reads: its buffer, and where.

    >>> list(loads(parse("f(a[2 * i] + b[i])")))
    [('a', {'i': 2}), ('b', {'i': 1})]
    """
    if isinstance(tree, tuple):
        if tree[0] == "[]":
            yield tree[1], linear(tree[2])
        for part in tree[1:]:
            yield from loads(part)
