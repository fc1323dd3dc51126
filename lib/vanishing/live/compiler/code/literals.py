"""Numbers and expressions as JavaScript text."""

from __future__ import annotations

import re

import numpy as np

# What makes a number one of an element type. A float32 that was computed in double precision is
# rounded once, which for + - × ÷ √ is what float32 arithmetic gives: 53 ≥ 2 · 24 + 2 bits
# (Figueroa, "When is double rounding innocuous?", 1995).
ROUND = {
    "float32": "f({})",
    "int32": "{} | 0",
    "uint32": "{} >>> 0",
    "uint8": "{} & 255",
    "bool": "+Boolean({})",
}


def number(value) -> str:
    """A constant as JavaScript.

    >>> number(np.float32(-0.5)), number(np.bool_(True)), number(np.float32("-inf"))
    ('-0.5', '1', '-Infinity')
    """
    value = value.item() if hasattr(value, "item") else value
    if isinstance(value, bool | int):
        return str(int(value))
    if value != value:  # NaN alone
        return "NaN"
    if value in (float("inf"), float("-inf")):
        return "Infinity" if value > 0 else "-Infinity"
    text = str(np.float32(value))  # the shortest text that reads back as this float32
    text = text.removesuffix(".0")
    # JavaScript reads the text as a double, so round it unless it is exact already.
    return text if float(text) == value else f"f({text})"


def wrapped(text: str) -> str:
    """Parentheses around an expression, unless it is a name, a number, or one call.

    The formulas that an expression is put into do not say how tightly their operators bind.
    """
    head = re.match(r"[@\w.$]+", text)
    rest = text[head.end() :] if head else text
    depth = 0
    for place, character in enumerate(rest):
        # Closed before the end: what follows is an operator, as in f(a) + f(b).
        depth += (character in "([") - (character in ")]")
        if depth == 0 and place < len(rest) - 1:
            return f"({text})"
    return text if head else f"({text})"
