"""Sentences with numbers in them, set alike by Python and by the host in the browser.

A template names outputs and controls in braces: `"χ₁ = {chi:.3f}"`,
`"layer 1: {gradient_rms[0]:.1e}"`; the letters are those of `numbers.KINDS`.
`{gradient_rms[0]!v:.1e}` adds the verb: "falls to 3.2 × 10⁻⁸", "rises to …", "stays at …", and at
first "is …".
"""

import re
import string
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np

from vanishing.live.page.numbers import KINDS, number

_FIELD = re.compile(r"([A-Za-z_]\w*)(?:\[(-?\d+)\])?")
_FORMAT = re.compile(rf"(\+?)(?:\.(\d{{1,2}}))?([{''.join(KINDS)}])")


def parse(
    template: str, shapes: Mapping[str, tuple[int, ...]], words: Collection[str] = ()
) -> list:
    """Split a template into plain strings and fields that the host can fill.

    Args:
        template: text with fields `{name:format}`, `{name[index]:format}`.
        shapes: shape of every output that may be named.
        words: names of controls that may be named (they are shown as their readout).

    Returns:
        List of strings and of `{"name", "index", "verb", "sign", "digits", "type"}`.

    Raises:
        ValueError: if a name is unknown, an index misses, or a format is not one of
            `numbers.KINDS` with optional `+` and precision.

    >>> parse("a {x:.2f}", {"x": ()})[1]["digits"]
    2
    """
    parts: list = []
    for literal, field, form, conversion in string.Formatter().parse(template):
        if literal:
            parts.append(literal)
        if field is None:
            continue
        match = _FIELD.fullmatch(field)
        if match is None or (match[1] not in shapes and match[1] not in words):
            known = sorted([*shapes, *words])
            raise ValueError(
                f"{template!r}: expected one of {known} in braces; got {field!r}. "
                "Double a brace that is to be shown."
            )
        part = {"name": match[1], "verb": conversion == "v"}
        if match[1] in shapes:
            part |= _number(template, field, shapes[match[1]], match[2], form)
        parts.append(part)
    return parts


def _number(template: str, field: str, shape: tuple, index: str | None, form: str) -> dict:
    position = int(index or 0)
    size = int(np.prod(shape, dtype=int))
    if (index is None and size != 1) or len(shape) > 1 or not -size <= position < size:
        raise ValueError(
            f"{template!r}: expected one number; got {field!r} of shape {shape}. "
            "Name one element, as in {name[0]}."
        )
    match = _FORMAT.fullmatch(form or "g")
    if match is None:
        raise ValueError(
            f"{template!r}: expected a format made of '+', '.digits' and one of "
            f"{', '.join(KINDS)}; got {form!r}. Write it as in {{name:.2f}}."
        )
    default = {"d": 0, "s": 3, "p": 2}.get(match[3], 6)
    digits = int(match[2]) if match[2] else default
    return {"index": position % size, "sign": match[1], "digits": digits, "type": match[3]}


def render(parts: list, outputs: Mapping[str, Any], words: Mapping[str, str] | None = None) -> str:
    """Fill the fields of a parsed template.

    Args:
        parts: from `parse`.
        outputs: by name, arrays of the shapes that `parse` was given; a field shows one element.
        words: what is said for a name, such as the value of a control.

    >>> render(parse("{x:.1e}", {"x": ()}), {"x": 0.00012})
    '1.2\\xa0×\\xa010⁻⁴'
    """
    return "".join(part if isinstance(part, str) else _fill(part, outputs, words) for part in parts)


def gaps(outputs: Mapping[str, Any], drawn: Sequence[tuple[str, str, bool]]) -> str:
    """Say which of the drawn outputs hold numbers that cannot be drawn.

    Args:
        outputs: by name.
        drawn: name, words, and whether NaN after the last number is padding (the points of a line
            that are not there yet), not a fault.

    >>> gaps({"a": np.array([1.0, np.nan, 2.0, np.nan])}, [("a", "the loss", True)])
    ' 1 of 3 values (the loss) are not finite; they are left out.'
    """
    said = ""
    for name, words, padded in drawn:
        values = np.ravel(outputs[name]).astype(float)
        there = np.flatnonzero(~np.isnan(values))
        if padded:
            values = values[: there[-1] + 1 if len(there) else 1]
        lost = int(np.sum(~np.isfinite(values)))
        if lost == len(values):
            said += f" No finite value to draw ({words})."
        elif lost:
            said += f" {lost} of {len(values)} values ({words}) are not finite; they are left out."
    return said


def capital(sentence: str) -> str:
    """The sentence with a capital, unless it begins with a symbol such as x₁.

    >>> capital("a line"), capital("χ is 1")
    ('A line', 'χ is 1')
    """
    return re.sub("^[a-z](?=[a-z ])", lambda first: first[0].upper(), sentence)


def _fill(part: dict, outputs: Mapping[str, Any], words: Mapping[str, str] | None) -> str:
    verb = "is " if part["verb"] else ""
    if "type" not in part:
        return verb + words[part["name"]]
    value = float(np.ravel(outputs[part["name"]])[part["index"]])
    return verb + number(value, part["type"], part["digits"], part["sign"])
