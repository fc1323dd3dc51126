"""What a value means to a control: lenient for links, strict for callers; `controls.js` agrees."""

import math
import numbers
import re
from collections.abc import Mapping, Sequence
from typing import Any

from vanishing.live.controls import Control, Seed, Slider, Toggle, Value, plain

_NUMBER = re.compile(r"\s*[+-]?(Infinity|(\d+\.?\d*|\.\d+)(e[+-]?\d+)?)\s*", re.I | re.A)
_ON, _OFF = ("true", "on", "1"), ("false", "off", "0")


def read(control: Control, value: Any) -> Value:
    """Any value brought into the control's range; the default where it means nothing there.

    The host does the same with what comes from the address of a page, and a table of cases in the
    tests runs through both.

    >>> read(Slider("x", 0.0, 1.0, value=0.5), "7"), read(Toggle("on"), "false")
    (1.0, False)
    """
    meant = _meant(control, value)
    if meant is None:
        return control.value
    if isinstance(control, Slider):
        return _on_grid(control, min(max(meant, control.minimum), control.maximum))
    if isinstance(control, Seed):
        return math.floor(min(max(meant, 0), 2**31 - 1))
    return meant


def _meant(control: Control, value: Any) -> Value | None:
    """The number, option or truth that `value` names, None if it names none."""
    value = plain(value)
    if isinstance(control, Slider | Seed):
        return _number(value)
    if isinstance(control, Toggle):
        word = str(value).lower()
        return word in _ON if word in _ON + _OFF else None
    return str(value) if str(value) in control.options else None


def _number(value: Any) -> float | None:
    if isinstance(value, str):
        value = float(value) if _NUMBER.fullmatch(value) else None
    real = isinstance(value, numbers.Real) and not isinstance(value, bool)
    return value if real and not math.isnan(value) else None


def _on_grid(slider: Slider, value: float) -> float | int:
    """The nearest value the slider can take; a mark, and anything in a log range, is one."""
    if slider.log or value in slider.marks:
        return value
    k = math.floor((value - slider.minimum) / slider.step + 0.5)
    near = round(min(slider.minimum + k * slider.step, slider.maximum), slider.decimals)
    return int(near) if slider.integer else near


def state(controls: Sequence[Control], values: Mapping[str, Any]) -> dict[str, Value]:
    """All control values: those given inside their range, the others at their default.

    Raises:
        ValueError: if a control is unknown, or a value means nothing to its control.
    """
    names = [control.name for control in controls]
    unknown = sorted(set(values) - set(names))
    if unknown:
        raise ValueError(
            f"controls: expected names among {sorted(names)}; got {unknown}. "
            "Write them as in the figure's controls."
        )
    for control in controls:
        if control.name in values and _meant(control, values[control.name]) is None:
            raise ValueError(
                f"{control.name}: expected {_expected(control)}; "
                f"got {values[control.name]!r}. Leave it out for the default."
            )
    return {c.name: read(c, values.get(c.name, c.value)) for c in controls}


def _expected(control: Control) -> str:
    if isinstance(control, Slider | Seed):
        return "a number"
    return "True or False" if isinstance(control, Toggle) else f"one of {control.options}"
