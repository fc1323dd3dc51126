"""Array values as the generator sees them: something that has an element at an index.

An index is one :class:`Affine` expression per dimension. A :class:`View` is a strided window
on a buffer, so transposes, slices and broadcasts cost nothing; a :class:`Lazy` value is a
recipe for an element, so element-wise operations fuse into the loop that stores the result.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

Index = tuple["Affine", ...]


@dataclass(frozen=True)
class Affine:
    """`const + Σ coefficient · variable`: an index or an address, as JavaScript."""

    const: int = 0
    terms: tuple[tuple[str, int], ...] = ()

    @staticmethod
    def var(name: str) -> Affine:
        """The variable itself."""
        return Affine(0, ((name, 1),))

    def coefficient(self, name: str) -> int:
        """The factor of one variable."""
        return dict(self.terms).get(name, 0)

    def names(self) -> set[str]:
        """The variables in it."""
        return {name for name, _ in self.terms}

    def __add__(self, other: Affine | int) -> Affine:
        if not isinstance(other, Affine):
            return Affine(self.const + int(other), self.terms)
        terms = dict(self.terms)
        for name, factor in other.terms:
            terms[name] = terms.get(name, 0) + factor
        kept = tuple(sorted((n, c) for n, c in terms.items() if c))
        return Affine(self.const + other.const, kept)

    def __mul__(self, factor: int) -> Affine:
        factor = int(factor)  # NumPy's integers come from the parameters of operations
        if factor == 0:
            return Affine()
        return Affine(self.const * factor, tuple((n, c * factor) for n, c in self.terms))

    def __str__(self):
        parts = [n if c == 1 else f"{c} * {n}" for n, c in self.terms]
        if self.const or not parts:
            parts.append(str(self.const))
        return " + ".join(parts).replace("+ -", "- ")


def strides_of(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Row-major strides, in elements.

    >>> strides_of((2, 3, 4))
    (12, 4, 1)
    """
    return tuple(math.prod(shape[axis + 1 :]) for axis in range(len(shape)))


@dataclass(eq=False)
class Value:
    """An array of `shape` and `dtype` whose elements JavaScript can compute.

    `reads` names the buffers it depends on; `name` suggests what to call it.
    """

    shape: tuple[int, ...]
    dtype: str
    reads: frozenset[str] = frozenset()
    name: str = ""
    depth = 0

    @property
    def size(self) -> int:
        """How many elements it has."""
        return math.prod(self.shape)

    def at(self, body: Body, index: Index) -> str:
        """The JavaScript expression of one element."""
        raise NotImplementedError

    def moved(self, shape: tuple[int, ...], index: Callable[[Index], Iterable[Affine]]) -> Value:
        """The same elements in another arrangement; `index` maps new positions to old ones."""
        return Lazy(
            shape,
            self.dtype,
            self.reads,
            self.name,
            element=lambda body, new: body.element(self, tuple(index(new))),
            depth=self.depth + 1,
        )


@dataclass(eq=False)
class Scalar(Value):
    """One JavaScript number, or an array that holds it everywhere."""

    text: str = "0"

    def at(self, body: Body, index: Index) -> str:
        """The number."""
        body.dtypes[self.text] = self.dtype
        return self.text

    def moved(self, shape, index) -> Value:
        """Every arrangement of one number is the number."""
        return Scalar(shape, self.dtype, self.reads, self.name, self.text)


@dataclass(eq=False)
class Lazy(Value):
    """A recipe: how to compute one element."""

    element: Callable[[Body, Index], str] = None
    depth: int = 1  # how many recipes deep it asks for others

    def at(self, body: Body, index: Index) -> str:
        """What the recipe says."""
        return self.element(body, index)


@dataclass(eq=False)
class View(Value):
    """A strided window on a buffer."""

    buffer: str = ""
    offset: Affine = Affine()
    strides: tuple[int, ...] = ()
    length: int = 0

    def address(self, index: Index) -> Affine:
        """Where in the buffer the element lies."""
        total = self.offset
        for position, stride in zip(index, self.strides, strict=True):
            total = total + position * stride
        return total

    def at(self, body: Body, index: Index) -> str:
        """The element of the buffer, to be read or written."""
        body.dtypes[self.buffer] = self.dtype
        return f"{self.buffer}[{body.use(self.address(index))}]"

    @property
    def contiguous(self) -> bool:
        """Whether the elements lie one after the other, in order."""
        return all(
            size == 1 or stride == dense
            for size, stride, dense in zip(
                self.shape, self.strides, strides_of(self.shape), strict=True
            )
        )

    @property
    def whole(self) -> bool:
        """Whether it is all of its buffer, in order."""
        return self.contiguous and self.offset == Affine() and self.length == self.size

    def moved(self, shape, index) -> View:
        """A window with other strides on the same buffer."""
        # The arrangement as arithmetic: the address in terms of unknown indexes is a sum whose
        # coefficients are the strides, and what is left without them is the offset.
        names = [f"@{axis}" for axis in range(len(shape))]  # no name in JavaScript
        address = self.address(tuple(index(tuple(Affine.var(name) for name in names))))
        strides = tuple(address.coefficient(name) for name in names)
        for name, stride in zip(names, strides, strict=True):
            address = address + Affine.var(name) * -stride
        return replace(self, shape=shape, offset=address, strides=strides)

    def reshaped(self, shape: tuple[int, ...]) -> View:
        """Another shape for dense elements."""
        return replace(self, shape=shape, strides=strides_of(shape))


class Body:
    """The inside of a loop nest: hands out element expressions, sharing what is used twice.

    `levels` lists the loop variables from the outside in. The first time it is used without
    `counts`, to learn how often each element is asked for and which addresses are used.
    """

    def __init__(self, levels, fresh, counts=None):
        self.levels = [set(names) for names in levels]
        self.fresh, self.counts = fresh, counts
        self.addresses: list[Affine] = []
        self.asked: dict = {}
        self.known: dict = {}
        self.lines: list[list[str]] = [[] for _ in levels]
        self.opaque: dict[str, int] = {}
        self.dtypes: dict[str, str] = {}

    def level(self, index: Index) -> int:
        """The innermost loop that an index depends on."""
        names = {name for position in index for name in position.names()}
        deepest = [k for k, own in enumerate(self.levels) if own & names]
        return max([0, *deepest, *(self.opaque.get(name, 0) for name in names)])

    def use(self, address: Affine) -> Affine:
        """Note that an address (or a bare index) is used."""
        self.addresses.append(address)
        return address

    def element(self, value: Value, index: Index) -> str:
        """The expression of one element of `value`: short, or a named constant."""
        if isinstance(value, Scalar):
            return value.at(self, index)
        key = (id(value), index)  # values compare by identity: two recipes may look alike
        self.asked[key] = self.asked.get(key, 0) + 1
        if key in self.known:
            return self.known[key]
        level = self.level(index)
        text = value.at(self, index)
        # In the innermost loop a short expression that is used once is written where it is used;
        # outside of it a name saves computing it in every round.
        inner = level == len(self.levels) - 1
        if inner and self.counts is not None and self.counts.get(key, 1) < 2 and len(text) < 90:
            return text
        self.known[key] = self.temporary(text, level, value.name)
        return self.known[key]

    def temporary(self, text: str, level: int, name: str = "") -> str:
        """Name an expression at a loop level; an integer one can be used in an index."""
        fresh = self.fresh(name or "t")
        self.lines[level].append(f"const {fresh} = {text};")
        self.opaque[fresh] = level
        return fresh
