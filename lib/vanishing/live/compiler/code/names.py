"""Names in JavaScript: what is reserved, what is an identifier, what is still free."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

# Keywords of JavaScript, and what the text of every program refers to.
RESERVED = re.findall(
    r"\w+",
    """
    arguments await break case catch class const continue debugger default delete do else enum
    eval export extends false finally for function if implements import in instanceof interface
    let new null package private protected public return static super switch this throw true try
    typeof var void while with yield f rt heap matmul simd first ready undefined NaN Infinity Math
    Number Boolean Object
    """,
)


def identifier(text: str, default: str = "program") -> str:
    """The nearest name that JavaScript takes: letters of any script, digits, underscores.

    >>> identifier("2 b"), identifier("class"), identifier("σ²"), identifier("<lambda>")
    ('_2_b', 'class_', 'σ', 'lambda')
    """
    # Python's identifiers are JavaScript's too; a prefix tests a character in any place but first.
    kept = (c if f"a{c}".isidentifier() else " " for c in text)
    name = "_".join("".join(kept).replace("_", " ").split()) or default
    name = name if name.isidentifier() else f"_{name}"
    return f"{name}_" if name in RESERVED else name


def taken(*more: Iterable[str]) -> Counter[str]:
    """How often each name was given so far: those that are reserved, and `more`, once."""
    return Counter([*RESERVED, *(name for names in more for name in names)])


def fresh(hint: str, names: Counter[str]) -> str:
    """A name in camel case that was not given yet; `names` counts it.

    >>> names = taken()
    >>> fresh("row_sum", names), fresh("row_sum", names), fresh("new", names)
    ('rowSum', 'rowSum2', 'new2')
    """
    hint = re.sub(r"_(\w)", lambda m: m.group(1).upper(), identifier(hint, "t").strip("_"))
    hint = hint if hint.isidentifier() else f"t{hint}"
    # x, x2, x3, …, past a variable that the user has called x2.
    while True:
        names[hint] += 1
        name = hint if names[hint] == 1 else f"{hint}{names[hint]}"
        if name == hint or not names[name]:
            names[name] += name != hint
            return name
