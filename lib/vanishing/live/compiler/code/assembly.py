"""What functions in WebAssembly's 128-bit vectors are put together from.

Source: WebAssembly Core Specification 2.0, §5.4.9 (vector instructions).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from vanishing.live.compiler.runtime.wasm import V128, leb, name_bytes, section


def simd(operation: int, *immediate: int) -> bytes:
    """A vector instruction."""
    return b"\xfd" + leb(operation) + bytes(immediate)


SELECT, AND = simd(82), simd(78)
DEMOTE, PROMOTE = simd(94), simd(95)
LOWER = simd(12, *[255] * 8, *[0] * 8)  # with AND: the lower half, and nothing in the upper
UPPER = simd(13, *range(8, 16), *range(8, 16))  # after the operand twice: its upper half
JOIN = simd(13, *range(8), *range(16, 24))  # the lower halves of two


def single(value: float) -> bytes:
    """A float32 in all places."""
    return simd(12, *struct.pack("<f", value) * 4)


def double(value: float) -> bytes:
    """A float64 in both places."""
    return simd(12, *struct.pack("<d", value) * 2)


def get(local: int) -> bytes:
    """Push a local variable."""
    return b"\x20" + leb(local)


def put(local: int) -> bytes:
    """Pop into a local variable."""
    return b"\x21" + leb(local)


def tee(local: int) -> bytes:
    """Copy into a local variable."""
    return b"\x22" + leb(local)


@dataclass
class Module:
    """Functions under way to a WebAssembly module.

    Attributes:
        functions: their parameters, results and code, locals included.
        exported: the place of those that JavaScript calls.
        known: the place of those that the others call.
        constants: the vectors in its global variables, as the code that pushes them.
    """

    functions: list[tuple[list[int], list[int], bytes]] = field(default_factory=list)
    exported: dict[str, int] = field(default_factory=dict)
    known: dict[str, int] = field(default_factory=dict)
    constants: list[bytes] = field(default_factory=list)

    def constant(self, code: bytes) -> bytes:
        """Push a vector from a global variable. In a short function that is called for every pair
        this is quicker than to put the vector together each time, as V8 does."""
        if code not in self.constants:
            self.constants.append(code)
        return b"\x23" + leb(self.constants.index(code))

    def add(self, parameters: list[int], results: list[int], types: list[int], code: bytes) -> int:
        """Take a function; its place. `types` are those of parameters and locals."""
        declared = types[len(parameters) :]
        body = leb(len(declared)) + b"".join(b"\1" + bytes([kind]) for kind in declared)
        self.functions.append((parameters, results, body + code + b"\x0b"))
        return len(self.functions) - 1

    def bytes(self) -> bytes:
        """The module: imports `e.m` (its memory)."""
        kinds = [
            b"\x60" + b"".join(leb(len(kinds)) + bytes(kinds) for kinds in (taken, given))
            for taken, given, _ in self.functions
        ]
        places = [leb(k) for k in range(len(kinds))]
        exports = [name_bytes(name) + b"\0" + leb(place) for name, place in self.exported.items()]
        constants = [bytes([V128, 0]) + code + b"\x0b" for code in self.constants]
        bodies = [leb(len(body)) + body for *_, body in self.functions]

        def several(parts):
            return leb(len(parts)) + b"".join(parts)

        return b"\0asm\1\0\0\0" + b"".join(
            [
                section(1, several(kinds)),
                section(2, several([name_bytes("e") + name_bytes("m") + b"\2\0\1"])),
                section(3, several(places)),
                section(6, several(constants)),
                section(7, several(exports)),
                section(10, several(bodies)),
            ]
        )
