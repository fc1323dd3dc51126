"""Sentences with numbers in them, formatted alike by Python and by the host in the browser.

A template names outputs and controls in braces: ``"χ₁ = {chi:.3f}"``,
``"layer 1: {gradient_rms[0]:.1e}"``. ``{gradient_rms[0]!v:.1e}`` adds the verb: "falls to 3.2e-08",
"rises to …", "stays at …", and at first "is …".
"""

import re
import string
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

_FIELD = re.compile(r"([A-Za-z_]\w*)(?:\[(-?\d+)\])?")
_FORMAT = re.compile(r"(\+?)(?:\.(\d{1,2}))?([fegd%])")


def parse(
    template: str, shapes: Mapping[str, tuple[int, ...]], words: Collection[str] = ()
) -> list:
    """Split ``template`` into plain strings and fields that the host can fill.

    Args:
        template: text with fields ``{name:format}``, ``{name[index]:format}``.
        shapes: shape of every output that may be named.
        words: names of controls that may be named (they are shown as their readout).

    Returns:
        list of strings and of ``{"name", "index", "verb", "sign", "digits", "type"}``.

    Raises:
        ValueError: if a name is unknown, an index misses, or a format is not one of
            ``f e g d %`` with optional ``+`` and precision.

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
            raise ValueError(f"{template!r}: expected one of {known} in braces, got {field!r}.")
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
            f"{template!r}: expected one number, got {field!r} of shape {shape}; "
            "name one element, as in {name[0]}."
        )
    match = _FORMAT.fullmatch(form or "g")
    if match is None:
        raise ValueError(
            f"{template!r}: expected a format made of '+', '.digits' and one of f, e, g, d, %, "
            f"got {form!r} instead."
        )
    default = {"d": 0}.get(match[3], 6)
    digits = int(match[2]) if match[2] else default
    return {"index": position % size, "sign": match[1], "digits": digits, "type": match[3]}


def render(parts: list, outputs: Mapping[str, Any], words: Mapping[str, str] | None = None) -> str:
    """Fill the fields of a parsed template, as Python's ``format`` does.

    >>> render(parse("{x:.1e}", {"x": ()}), {"x": 0.00012})
    '1.2e-04'
    """
    return "".join(part if isinstance(part, str) else _fill(part, outputs, words) for part in parts)


def gaps(outputs: Mapping[str, Any], shown: Collection[str]) -> str:
    """Say which of the ``shown`` outputs hold numbers that cannot be drawn.

    NaN after the last number is padding (layers or steps that are not there), not a fault.

    >>> gaps({"a_b": np.array([1.0, np.nan, 2.0, np.nan])}, ["a_b"])
    ' 1 of 3 values of a b are not finite; they are left out.'
    """
    said = ""
    for name in shown:
        values = np.ravel(outputs[name]).astype(float)
        numbers = np.flatnonzero(~np.isnan(values))
        values = values[: numbers[-1] + 1 if len(numbers) else 1]
        lost = int(np.sum(~np.isfinite(values)))
        words = name.replace("_", " ")
        if lost == len(values):
            said += f" No finite value of {words} to draw."
        elif lost:
            said += f" {lost} of {len(values)} values of {words} are not finite; they are left out."
    return said


def _fill(part: dict, outputs: Mapping[str, Any], words: Mapping[str, str] | None) -> str:
    verb = "is " if part["verb"] else ""
    if "type" not in part:
        return verb + words[part["name"]]
    value = float(np.ravel(outputs[part["name"]])[part["index"]])
    if not np.isfinite(value):
        return verb + ("not a number" if np.isnan(value) else f"{'−' * (value < 0)}infinity")
    if part["type"] == "d":
        return verb + format(round(value), part["sign"] + "d")
    return verb + format(value, f"{part['sign']}.{part['digits']}{part['type']}")
