"""A loop nest as a function in WebAssembly, four elements at once."""

from __future__ import annotations

from vanishing.live.compiler.code.assembly import (
    AND,
    DEMOTE,
    JOIN,
    LOWER,
    Module,
    double,
    get,
    put,
    simd,
    single,
    tee,
)
from vanishing.live.compiler.code.elements import PLACES, Elements
from vanishing.live.compiler.code.expressions import Tree, Unfit
from vanishing.live.compiler.code.nests import Assignment, Nest
from vanishing.live.compiler.runtime.wasm import ADD, F64, VOID, const

# What a reduction starts from, and its step on four float32 and on one float64. It adds in float64,
# as JavaScript does, and rounds once; of 0 and 1, "and" is the smaller and "or" the larger.
SUM, LARGER, SMALLER = (simd(240), b"\xa0"), (simd(233), b"\xa5"), (simd(232), b"\xa4")
STEPS = {"+": ("0", *SUM), "Math.max": ("-Infinity", *LARGER), "Math.min": ("Infinity", *SMALLER)}
STEPS |= {"|": ("0", *LARGER), "&": ("1", *SMALLER)}
LARGER_WORD = simd(184)  # of floats that are not negative it is the larger, or NaN


class Vectors(Elements):
    """Writes the function of one nest.

    Attributes:
        across: whether a total is taken over the places of a vector.
        places: the locals of constants and totals, by name and half.
    """

    def __init__(self, module: Module, nest: Nest, free: list[str]):
        super().__init__(module, nest, free)
        self.across = self.reduces and self.stepped in dict(nest.loops[nest.outer :])
        self.places: dict[tuple[str, int], int] = {}

    def function(self) -> int:
        """The place of the function in its module."""
        kinds = self.types[: len(self.free)]
        returned = self.free.index(self.statement.name) if self._returns else None
        code = self.start + self._rounds(0)
        if returned is None:
            return self.module.add(kinds, [], self.types, code)
        return self.module.add(kinds, [F64], self.types, code + get(returned))

    @property
    def _returns(self) -> bool:
        return self.reduces and self.closing is None

    def _rounds(self, depth: int) -> bytes:
        """What happens inside of so many loops."""
        code = b"".join(map(self._define, self.lines[depth]))
        edge = self.reduces and depth == self.nest.outer
        code += self._begin() if edge else b""
        if depth < len(self.nest.loops):
            code += self._loop(depth)
        else:
            code += self._step() if self.reduces else self.store(self.statement)
        return code + (self._finish() if edge else b"")

    def _loop(self, depth: int) -> bytes:
        name, size = self.nest.loops[depth]
        code = const(0) + put(self.variables[name])
        if name != self.stepped:
            return code + self._repeat(depth, size, 1)
        whole = size // PLACES * PLACES
        code += self._repeat(depth, whole, PLACES)
        if whole < size:  # what fills no vector goes by the first place of one
            self.wide = False
            code += self._repeat(depth, size, 1)
            self.wide = True
        return code

    def _repeat(self, depth: int, end: int, step: int) -> bytes:
        variable = self.variables[self.nest.loops[depth][0]]
        innermost = depth == len(self.nest.loops) - 1
        if innermost:
            self.inside, self.pointers, self.entry = True, {}, b""
        body = self._rounds(depth + 1)
        entry = self.entry if innermost else b""
        self.inside = self.inside and not innermost
        onward = get(variable) + const(4 * step) + ADD + tee(variable) + const(4 * end) + b"\x48"
        return entry + b"\x03" + bytes([VOID]) + body + onward + b"\x0d\0\x0b"

    def _place(self, name: str, half: int = 0) -> int:
        if (name, half) not in self.places:
            self.places[name, half] = self.local()
        return self.places[name, half]

    def _define(self, line: Assignment) -> bytes:
        """Keep a constant of the loop."""
        if self.exact(line.value):
            place = self._place(line.name)
            code = self.single(line.value) + put(place)
            self.names[line.name] = "single", (place, place)
            return code
        places = self._place(line.name), self._place(line.name, 1)
        halves = enumerate(places if self.wide else places[:1])
        code = b"".join(self.double(line.value, half) + put(place) for half, place in halves)
        self.names[line.name] = "double", places
        return code

    def _reduction(self) -> tuple[str, Tree]:
        """The step of a reduction, and what it takes in."""
        name, value = self.statement.name, self.statement.value
        if value[0] not in STEPS or len(value) != 3 or value[1] != ("name", name):
            raise Unfit("another reduction")
        if value[0] in "&|" and not self.truth(value[2]):
            raise Unfit("bits")
        return value[0], value[2]

    def _begin(self) -> bytes:
        step, total = self._reduction()[0], self.statement.name
        start = STEPS[step][0]
        if self.nest.before not in ("", f"let {total} = {start};"):
            raise Unfit(self.nest.before)
        if step == "+":
            return b"".join(double(0.0) + put(self._place(total, half)) for half in (0, 1))
        return single(float(start.replace("Infinity", "inf"))) + put(self._place(total))

    def _step(self) -> bytes:
        (step, taken), total = self._reduction(), self.statement.name
        alone = self.across and not self.wide  # the other places are nothing
        if step == "+":
            code = b""
            for half in (0, 1) if self.wide else (0,):
                more = self.double(taken, half) + (LOWER + AND if alone else b"")
                place = self._place(total, half)
                code += get(place) + more + STEPS[step][1] + put(place)
            return code
        if not self.exact(taken):
            raise Unfit("not rounded")
        place = self._place(total)
        larger = (step, taken[0]) == ("Math.max", "Math.abs")
        first = simd(31, 0) + simd(19) if alone else b""
        step = LARGER_WORD if larger else STEPS[step][1]
        return get(place) + self.single(taken) + first + step + put(place)

    def _finish(self) -> bytes:
        """Round the totals and store them, or return the only one."""
        step, total = self._reduction()[0], self.statement.name
        low, high = self._place(total), self._place(total, 1)
        if self.closing and self.closing.value not in (("f", ("name", total)), ("name", total)):
            raise Unfit(self.nest.closing)
        if not self.across:
            value = get(low) + DEMOTE + get(high) + DEMOTE + JOIN if step == "+" else get(low)
            return self.store(self.closing, value)
        value = self._joined(step, low, high)
        if self._returns:
            place = self.free.index(total)
            return get(place) + value + STEPS[step][2] + put(place)
        self.wide = False
        code = self.store(self.closing, value + b"\xb6" + simd(19))
        self.wide = True
        return code

    def _joined(self, step: str, low: int, high: int) -> bytes:
        """Push the total over all places, a float64."""
        pair = get(low) + get(high) + SUM[0] + tee(low) if step == "+" else b""
        if step == "+":
            return pair + simd(33, 0) + get(low) + simd(33, 1) + SUM[1]
        lanes = [get(low) + simd(31, lane) + b"\xbb" for lane in range(PLACES)]
        return lanes[0] + b"".join(lane + STEPS[step][2] for lane in lanes[1:])
