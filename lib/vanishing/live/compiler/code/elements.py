"""The elements of a loop nest in vectors: which four belong together, and where they lie."""

from __future__ import annotations

import itertools

from vanishing.live.compiler.code.assembly import Module, get, put, simd, single
from vanishing.live.compiler.code.expressions import Tree, Unfit, linear
from vanishing.live.compiler.code.nests import Assignment, Nest, loads
from vanishing.live.compiler.code.simd import Formulas
from vanishing.live.compiler.runtime.wasm import ADD, F64, I32, MUL, const

PLACES = 4  # float32 in a vector
SHORT = 2 * PLACES  # a loop of fewer rounds is taken only where no other can be
WHOLE, SPLAT, FIRST, NEXT, STORE, STORE_FIRST = map(simd, (0, 9, 92, 86, 11, 90))
ALIGNED, UNALIGNED = b"\x02\x00", b"\x00\x00"  # to four bytes or one; nothing to add
WIDTHS = {"float32": 4, "bool": 1, "uint8": 1}  # bytes
FROM_BYTES = simd(137) + simd(169) + simd(251)  # to words of two bytes, of four, to float32
TO_BYTES = simd(249) + single(0.0) + simd(134) + single(0.0) + simd(102)  # and back
IN_BYTES, IN_FOURS = const(2) + b"\x74", const(2) + b"\x75"  # times four, and by four


class Elements(Formulas):
    """Reads and writes what a nest does.

    Attributes:
        stepped: the loop that goes four elements at a time.
        variables: the locals of loops, indexes and buffers, all of them in bytes.
        inside: whether the innermost loop is being written.
        pointers: of that loop, by the code that they save.
        entry: what is computed before it.
    """

    def __init__(self, module: Module, nest: Nest, free: list[str]):
        self.nest, self.free, self.variables = nest, free, {}
        self.inside, self.pointers, self.entry = False, {}, b""
        self.lines = [list(map(Assignment.read, lines)) for lines in nest.lines]
        self.statement = Assignment.read(nest.statement)
        self.closing = Assignment.read(nest.closing) if nest.closing else None
        indexes = {n for _, place in self._places() for n in place} - {"", *dict(nest.loops)}
        buffers = {name for name, _ in self._places()}
        if any(nest.dtypes.get(name) not in WIDTHS for name in buffers):
            raise Unfit("another element type")
        if not indexes <= {*free}:
            raise Unfit("a place that is computed")
        whole = buffers | indexes
        super().__init__(module, [I32 if n in whole else F64 for n in free], nest.dtypes)
        self.stepped = self._stepped()
        self.start = b"".join(self._parameter(n, n in whole, n in indexes) for n in free)
        self.variables |= {name: self.local(I32) for name, _ in nest.loops}

    @property
    def reduces(self) -> bool:
        """Whether it is a reduction."""
        return self.statement.place is None

    def _parameter(self, name: str, whole: bool, index: bool) -> bytes:
        """Take an index in bytes, and a number into all places of a vector."""
        place = self.free.index(name)
        if whole:
            self.variables[name] = place
            return get(place) + IN_BYTES + put(place) if index else b""
        if name == self.statement.name:
            return b""
        kept, exact = self.local(), self.dtypes.get(name) in ("float32", "bool")
        self.names[name] = "single" if exact else "double", (kept, kept)
        return get(place) + (b"\xb6" + simd(19) if exact else simd(20)) + put(kept)

    def _places(self) -> list[tuple[str, dict[str, int]]]:
        """Every element that is read or written: its buffer, and where."""
        made = [a for a in (*itertools.chain(*self.lines), self.statement, self.closing) if a]
        stored = [(a.name, a.place) for a in made if a.place is not None]
        return stored + [load for a in made for load in loads(a.value)]

    def _stepped(self) -> str:
        """A loop whose neighbouring rounds write neighbouring elements, and read such if it can
        be, or the same one."""
        target = self.closing or self.statement
        reduced = dict(self.nest.loops[self.nest.outer :]) if self.reduces else {}
        places = self._places()
        if any(name == target.name and place != target.place for name, place in places):
            raise Unfit("a round may read what another has written")

        def apart(name: str, *widths: int) -> set[int]:
            found = [place for buffer, place in places if WIDTHS[self.dtypes[buffer]] in widths]
            return {place.get(name, 0) for place in found} - {0, 1}

        fit = [
            (bool(apart(name, 1, 4)), size < SHORT, -depth, name)
            for depth, (name, size) in enumerate(self.nest.loops)
            if size >= PLACES
            and not apart(name, 1)
            and (name in reduced or target.place.get(name) == 1)
        ]
        if not fit:
            raise Unfit("no loop goes element by element")
        return min(fit)[-1]

    def _moved(self, buffer: str, place: dict[str, int]) -> bytes:
        """Add so many elements to an address. Loops and indexes count in fours, as float32 do."""
        code = b""
        for name, factor in place.items():
            value = get(self.variables[name]) if name else const(4)
            code += value + (const(factor) + MUL if factor != 1 else b"")
            code += IN_FOURS if WIDTHS[self.dtypes[buffer]] == 1 else b""
            code += ADD
        return code

    def _address(self, buffer: str, place: dict[str, int]) -> bytes:
        """Push an address. What the innermost loop does not change is computed before it."""
        inner = self.nest.loops[-1][0] if self.inside else None
        place = {name: factor for name, factor in place.items() if factor}
        fixed = {name: factor for name, factor in place.items() if name != inner}
        code = get(self.variables[buffer]) + self._moved(buffer, fixed)
        if not self.inside:
            return code
        if code not in self.pointers:
            self.pointers[code] = self.local(I32)
            self.entry += code + put(self.pointers[code])
        changing = {inner: place[inner]} if inner in place else {}
        return get(self.pointers[code]) + self._moved(buffer, changing)

    def load(self, buffer: str, place: Tree) -> bytes:
        """Four neighbours, four that lie apart, one in all places, or one in the first place."""
        at = linear(place)
        address, step = self._address(buffer, at), at.get(self.stepped, 0)
        if WIDTHS[self.dtypes[buffer]] == 1:
            if step and self.wide:
                return address + FIRST + UNALIGNED + FROM_BYTES
            return address + b"\x2d" + UNALIGNED + b"\xb3" + simd(19)
        if step in (0, 1) or not self.wide:
            return address + (SPLAT if not step else WHOLE if self.wide else FIRST) + ALIGNED
        base = self.local(I32)
        ahead = [get(base) + const(4 * step * k) + ADD for k in range(PLACES - 1, 0, -1)]
        lanes = b"".join(NEXT + ALIGNED + bytes([k]) for k in range(1, PLACES))
        return address + put(base) + b"".join(ahead) + get(base) + FIRST + ALIGNED + lanes

    def store(self, target: Assignment, value: bytes | None = None) -> bytes:
        """Write an element: what the assignment says, or a given vector."""
        if value is None:
            exact = self.exact(target.value)
            value = self.single(target.value) if exact else self._rounded(target.value)
        if WIDTHS[self.dtypes[target.name]] == 1:
            how = (STORE_FIRST if self.wide else simd(88)) + UNALIGNED + b"\0"
            value += TO_BYTES
        else:
            how = STORE + ALIGNED if self.wide else STORE_FIRST + ALIGNED + b"\0"
        return self._address(target.name, target.place) + value + how
