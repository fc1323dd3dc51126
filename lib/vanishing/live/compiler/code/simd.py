"""Formulas in WebAssembly's 128-bit vectors: four float32, or two float64, at once.

A float32 is rounded where the JavaScript rounds it, with `f`. One sum, product, quotient or root
of float32 is the same in either precision (see `code.literals.ROUND`); any other formula is
computed in float64, as in JavaScript, in two halves.
"""

from __future__ import annotations

import itertools
import math
import re
import struct
from collections.abc import Mapping

import numpy as np

from vanishing.live.compiler.code.assembly import (
    AND,
    DEMOTE,
    JOIN,
    PROMOTE,
    SELECT,
    UPPER,
    Module,
    double,
    get,
    put,
    simd,
    single,
    tee,
)
from vanishing.live.compiler.code.expressions import Tree, Unfit, parse
from vanishing.live.compiler.runtime.node import runtime_source
from vanishing.live.compiler.runtime.wasm import V128, leb

# What operations are called in either precision.
SINGLE = {
    "&": 78,
    "|": 80,
    "+": 228,
    "-": 229,
    "*": 230,
    "/": 231,
    "Math.min": 232,
    "Math.max": 233,
}
SINGLE |= {"-1": 225, "Math.abs": 224, "Math.sqrt": 227, "Math.floor": 104, "Math.ceil": 103}
DOUBLE = {"+": 240, "-": 241, "*": 242, "/": 243, "Math.min": 244, "Math.max": 245}
DOUBLE |= {"-1": 237, "Math.abs": 236, "Math.sqrt": 239, "Math.floor": 117, "Math.ceil": 116}
ORDER = {"===": 65, "!==": 66, "<": 67, ">": 68, "<=": 69, ">=": 70}
ROUNDED_ONCE = {"+", "-", "*", "/", "Math.sqrt"}  # by either precision to the same float32
EXACT = {"-1", "Math.abs", "Math.floor", "Math.ceil", "Math.min", "Math.max"}
#: Functions of the runtime that have a counterpart here, made from their text.
FUNCTIONS = ("Math.exp", "exp", "logistic", "tanh", "erfcPositive", "erfc", "erf")


class Formulas:
    """Turns trees into code; whoever inherits says where values come from.

    Attributes:
        dtypes: the element types of buffers and numbers, by name.
        types: of the locals, parameters first.
        names: by name the kind of a value, "single" or "double", and its locals.
        wide: whether all places of a vector count, or only the first.
    """

    def __init__(self, module: Module, parameters: list[int], dtypes: Mapping[str, str]):
        self.module, self.dtypes = module, dtypes
        self.types = list(parameters)
        self.names: dict[str, tuple[str, tuple[int, ...]]] = {}
        self.halves: dict[Tree, int] = {}
        self.wide = True

    def local(self, kind: int = V128) -> int:
        """A new local variable; a vector if nothing else is said."""
        self.types.append(kind)
        return len(self.types) - 1

    def load(self, buffer: str, place: Tree) -> bytes:
        """Four elements of a buffer, or one in all places."""
        raise Unfit(buffer)

    def constant(self, value: float) -> bytes:
        """A float64 in both places."""
        return self.module.constant(double(value))

    def _name(self, name: str) -> tuple[str, tuple[int, ...]]:
        if name not in self.names:
            raise Unfit(name)
        return self.names[name]

    def exact(self, tree: Tree) -> bool:
        """Whether the value is a float32, so that nothing is lost in four places."""
        match tree:
            case ("number", value):
                return float(np.float32(value)) == value
            case ("name", name):
                return self._name(name)[0] == "single"
            case ("[]" | "f" | "+1", *_):
                return True
            case ("&" | "|", *operands):
                return all(map(self.truth, operands))
            case ("?", _, then, other):
                return self.exact(then) and self.exact(other)
            case (operation, *operands) if operation in EXACT:
                return all(map(self.exact, operands))
        return False

    def truth(self, tree: Tree) -> bool:
        """Whether the value is 0 or 1."""
        match tree:
            case ("&" | "|", *operands):
                return all(map(self.truth, operands))
            case ("[]" | "name", name, *_):
                return self.dtypes.get(name) == "bool"
        return tree[0] == "+1"

    def single(self, tree: Tree) -> bytes:
        """Code that pushes four float32; 0 or 1 for a truth."""
        match tree:
            case ("number", value) | ("f", ("number", value)):
                return single(value)
            case ("name", name):
                return get(self._name(name)[1][0])
            case ("[]", buffer, place):
                return self.load(buffer, place)
            case ("f", (operation, *operands)) if operation in ROUNDED_ONCE and all(
                map(self.exact, operands)
            ):
                return b"".join(map(self.single, operands)) + simd(SINGLE[operation])
            case ("f", inner):
                return self.single(inner) if self.exact(inner) else self._rounded(inner)
            case ("?", test, then, other):
                return self.single(then) + self.single(other) + self.mask(test) + SELECT
            case ("+1", test):
                return self.mask(test) + single(1.0) + AND
            case (operation, *operands):
                return b"".join(map(self.single, operands)) + simd(SINGLE[operation])
        raise Unfit(tree[0])

    def _rounded(self, tree: Tree) -> bytes:
        low = self.double(tree, 0) + DEMOTE
        return low + self.double(tree, 1) + DEMOTE + JOIN if self.wide else low

    def mask(self, test: Tree) -> bytes:
        """Code that pushes ones where a comparison of float32 holds."""
        match test:
            case ("+1", inner):
                return self.mask(inner)
            case ("Number.isFinite", value) if self.exact(value):
                below = simd(SINGLE["Math.abs"]) + single(float("inf")) + simd(ORDER["<"])
                return self.single(value) + below
            case _ if self.truth(test):
                return self.single(test) + single(0.0) + simd(ORDER["!=="])
            case (operation, left, right) if operation in ORDER:
                if self.exact(left) and self.exact(right):
                    return self.single(left) + self.single(right) + simd(ORDER[operation])
        raise Unfit(test[0])

    def double(self, tree: Tree, half: int) -> bytes:
        """Code that pushes two float64, those of the lower half or, after these, of the upper."""
        if tree[0] != "number" and self.exact(tree):
            return self._widened(tree, half)
        match tree:
            case ("number", value):
                return self.constant(value)
            case ("name", name):
                return get(self._name(name)[1][half])
            case ("f", inner):
                return self.double(inner, half) + DEMOTE + PROMOTE
            case ("?", test, then, other):
                chosen = self.double(then, half) + self.double(other, half)
                return chosen + self._mask(test, half) + SELECT
            case (operation, *operands):
                code = b"".join(self.double(operand, half) for operand in operands)
                if operation in DOUBLE:
                    return code + simd(DOUBLE[operation])
                if operation in FUNCTIONS:
                    return code + b"\x10" + leb(function(self.module, operation))
        raise Unfit(tree[0])

    def _widened(self, tree: Tree, half: int) -> bytes:
        if tree not in self.halves:
            self.halves[tree] = self.local()
        kept = self.halves[tree]
        if half == 0:
            return self.single(tree) + tee(kept) + PROMOTE
        return get(kept) + get(kept) + UPPER + PROMOTE

    def _mask(self, test: Tree, half: int) -> bytes:
        match test:
            case ("+1", inner):
                return self._mask(inner, half)
            case (operation, left, right) if operation in ORDER:
                both = self.double(left, half) + self.double(right, half)
                return both + simd(ORDER[operation] + 6)
        raise Unfit(test[0])


def function(module: Module, name: str) -> int:
    """The place in a module of a function of the runtime, on two float64; it is added once."""
    if name not in module.known:
        module.known[name] = _exp(module) if name == "Math.exp" else _translated(module, name)
    return module.known[name]


def _exp(module: Module) -> int:
    """eˣ = 2ⁿ eʳ, n = round(x / ln 2), by the Taylor polynomial of eʳ up to r¹¹: relative error
    6e-15 in |r| < ln 2 / 2. Beyond ±700, where no float32 is left, it stays what it is there."""
    code = Formulas(module, [V128], {})
    n, r = code.local(), code.local()
    body = get(0) + code.constant(-700.0) + simd(245) + code.constant(700.0) + simd(244) + tee(0)
    body += code.constant(1 / np.log(2)) + simd(242) + simd(148) + put(n)
    high = 0.693147180369123816490  # 33 bits of ln 2, so that n times it is exact
    low = float(np.log(np.longdouble(2)) - np.longdouble(high))
    body += get(0)
    for part in (high, low):
        body += get(n) + code.constant(part) + simd(242) + simd(241)
    body += put(r)
    # In pairs, pairs of pairs and so on: in Horner's order each step waits for the one before.
    terms = [code.constant(1 / math.factorial(k)) for k in range(12)]
    power = get(r)
    while len(terms) > 1:
        pairs = itertools.zip_longest(terms[::2], terms[1::2])
        terms = [a + b + power + simd(242) + simd(240) if b else a for a, b in pairs]
        square = code.local()
        body += power + power + simd(242) + put(square)
        power = get(square)
    body += terms[0]
    # 2ⁿ is written into the bits.
    bits = get(n) + simd(252) + simd(199) + simd(12, *struct.pack("<q", 1023) * 2) + simd(206)
    body += bits + b"\x41" + leb(52, signed=True) + simd(203) + simd(242)
    return module.add([V128], [V128], code.types, body)


def _translated(module: Module, name: str) -> int:
    """A function of one number, from its text in `runtime.js`."""
    text = runtime_source()
    found = re.search(rf"^  const {name} = \(x\) => (\{{.*?^  \}}|.*?);$", text, re.M | re.S)
    body = found.group(1).replace("TINY", str(2.0**-126))
    body = body.strip("{}") if body[0] == "{" else f"return {body};"
    code, written = Formulas(module, [V128], {}), b""
    code.names["x"] = "double", (0, 0)
    tests, results = [], []
    statement = r"if \((.*?)\) \{?\s*return (.*?);\s*\}?|const (\w+) = (.*?);|return (.*?);"
    for test, early, new, value, last in re.findall(statement, body, re.S):
        if new:
            place = code.local()
            written += code.double(parse(value), 0) + put(place)
            code.names[new] = "double", (place, place)
        else:
            results.append(code.double(parse(early or last), 0))
            tests += [code._mask(parse(test), 0)] if test else []
    # What returns first is chosen last.
    chosen = results[-1]
    for test, early in reversed(list(zip(tests, results, strict=False))):
        chosen = early + chosen + test + SELECT
    return module.add([V128], [V128], code.types, written + chosen)
