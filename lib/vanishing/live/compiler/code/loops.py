"""Loop nests: as few and as long loops as the addresses allow, what is invariant outside."""

from __future__ import annotations

import contextlib
import itertools
import math
from collections import Counter
from collections.abc import Callable

from vanishing.live.compiler.code.kernels import Kernels
from vanishing.live.compiler.code.names import fresh
from vanishing.live.compiler.code.nests import Nest
from vanishing.live.compiler.code.values import Affine, Body, Index

Inside = Callable[[Body, list[Index]], str]


class Loops(Kernels):
    """Writes loops over the dimensions of arrays."""

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
        outer, *inner = [math.prod(group) for group in groups]
        if outer == 0 or (after is None and 0 in inner):
            return
        if 0 in inner:  # nothing to go through inside, but what surrounds it is still written
            self.nest(groups[:1], lambda body, index: f"{before} {after(body, index)}")
            return
        # Three times: to see which addresses there are, and so which loops can be one; to count
        # with these loops how often each element is asked for; and to write.
        names = iter("ijklmnopqrstuvwxyz")
        loops = [[(next(names), size) for size in group] for group in groups]
        observed = self._observe(loops, inside, after)
        loops = [_merge(group, observed.addresses) for group in loops]
        counts = self._observe(loops, inside, after).asked
        body, indexes = self._body(loops, counts)
        statement = inside(body, indexes)
        closing = after(body, indexes[:1]) if after else None
        lines, begin = iter(body.lines), len(self.lines)
        # A block of its own, so that the constants before the loops collide with no others.
        with self.block("") if body.lines[0] else contextlib.nullcontext():
            self._lines(next(lines))
            with self._loops(loops[0], lines):
                if before:
                    self.line(before)
                with self._loops(loops[1] if len(loops) > 1 else [], lines):
                    self.line(statement)
                if closing:
                    self.line(closing)
        opened = [[(name, size) for name, size in group if size > 1] for group in loops]
        flat, outer = list(itertools.chain(*opened)), len(opened[0])
        nest = Nest(flat, outer, body.lines, before, statement, closing, body.dtypes)
        self.put_aside(begin, nest)

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
        body = Body(levels, lambda hint: fresh(hint, names), counts)
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


def _merge(group, addresses):
    """Join neighbouring loops where every address steps evenly through both.

    Less code, and no inner loop to set up in each round of the outer one. A loop that was joined
    stays in the list with size 1, so that indexes keep their places.
    """
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
