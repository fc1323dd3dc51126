"""What the reader can move: sliders, choices, toggles and seeds.

A control knows its range, how its value reaches JAX, and how it is said. In an animated figure
a control with ``restart=True`` (the default) starts the run again when it changes.
"""

import math
import re
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

Value = float | int | str | bool


def _expect(condition: bool, control: "Control", expected: str, got: Any) -> None:
    if not condition:
        kind = type(control).__name__
        raise ValueError(f"{kind} {control.name!r}: expected {expected}, got {got!r} instead.")


@dataclass(frozen=True)
class Control:
    """What all controls share: a ``name`` (the keyword of ``compute``) and a ``label``."""

    kind: ClassVar[str]
    name: str

    def __post_init__(self) -> None:
        _expect(str(self.name).isidentifier(), self, "a Python identifier as name", self.name)
        if not self.label:
            object.__setattr__(self, "label", self.name.replace("_", " "))

    def spec(self) -> dict[str, Any]:
        """Return what the host in the browser needs to know, as JSON values."""
        return {"kind": self.kind, **vars(self)}

    def argument(self, value: Value) -> Any:
        """Return ``value`` as the scalar that ``compute`` receives."""
        raise NotImplementedError

    def spoken(self, value: Value) -> str:
        """Return ``value`` as the readout shows it."""
        return str(value)


def _round_step(minimum: float, maximum: float) -> float:
    """Return the largest of …, 0.01, 0.02, 0.05, 0.1, … that makes a hundred steps or more."""
    power = 10.0 ** math.floor(math.log10((maximum - minimum) / 100))
    return max(m * power for m in (1, 2, 5) if m * power <= (maximum - minimum) / 100 * 1.0001)


@dataclass(frozen=True)
class Slider(Control):
    """A number between ``minimum`` and ``maximum``, float32; int32 if all of its numbers are int.

    Args:
        name: keyword of ``compute``.
        minimum: smallest value.
        maximum: largest value.
        value: default value.
        step: distance of two values (ignored if ``log``); by default a round number that makes a
            hundred steps or more, or 1 if all numbers are int.
        label: what the reader sees; ``_`` after a symbol sets a subscript.
        log: whether equal distances on the slider are equal ratios.
        restart: whether a change starts an animated figure again.

    Raises:
        ValueError: if the range is empty, the value is outside or between two steps, or a log
            range reaches zero.

    >>> Slider("sigma_w", 0.1, 3.0, value=1.0, step=0.01).spoken(1.4)
    '1.40'
    """

    kind: ClassVar[str] = "slider"
    minimum: float
    maximum: float
    value: float = None
    step: float | None = None
    label: str = ""
    log: bool = False
    restart: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        ends = (self.minimum, self.maximum)
        _expect(self.minimum < self.maximum, self, "minimum < maximum", ends)
        inside = self.value is not None and self.minimum <= self.value <= self.maximum
        _expect(inside, self, f"a value in [{self.minimum}, {self.maximum}]", self.value)
        _expect(not self.log or self.minimum > 0, self, "a positive minimum (log)", self.minimum)
        if self.step is None:
            object.__setattr__(self, "step", 1 if self.integer else _round_step(*ends))
        _expect(self.step > 0, self, "a positive step", self.step)
        steps = (self.value - self.minimum) / self.step
        whole = self.log or abs(steps - round(steps)) < 1e-6
        _expect(whole, self, f"a value of the form {self.minimum} + k × {self.step}", self.value)

    @property
    def integer(self) -> bool:
        """Whether ``compute`` receives an int32."""
        numbers = (self.minimum, self.maximum, self.value, self.step)
        return all(isinstance(n, int) for n in numbers if n is not None)

    @property
    def decimals(self) -> int:
        """Digits after the point that tell two neighbouring values apart."""
        if self.integer:
            return 0
        return max(len(f"{x:.6f}".rstrip("0").split(".")[1]) for x in (self.step, self.minimum))

    def spec(self) -> dict[str, Any]:
        """Return the slider as JSON values."""
        return {**super().spec(), "integer": self.integer, "decimals": self.decimals}

    def argument(self, value: Value) -> np.generic:
        """Return an int32 or float32 scalar."""
        return np.int32(value) if self.integer else np.float32(value)

    def spoken(self, value: Value) -> str:
        """Return the value with as many digits as its step has; three if the slider is log."""
        return f"{value:.3g}" if self.log else f"{value:.{self.decimals}f}"


@dataclass(frozen=True)
class Choice(Control):
    """One of several named options; ``compute`` receives its index as int32.

    >>> Choice("activation", ["tanh", "relu"], value="relu").argument("relu")
    np.int32(1)
    """

    kind: ClassVar[str] = "choice"
    options: tuple[str, ...]
    value: str | None = None
    label: str = ""
    restart: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "options", tuple(map(str, self.options)))
        distinct = len(set(self.options)) == len(self.options) > 1
        _expect(distinct, self, "two or more distinct options", self.options)
        if self.value is None:
            object.__setattr__(self, "value", self.options[0])
        _expect(self.value in self.options, self, f"one of {self.options}", self.value)

    def argument(self, value: Value) -> np.int32:
        """Return the index of the option."""
        return np.int32(self.options.index(value))


@dataclass(frozen=True)
class Toggle(Control):
    """On or off; ``compute`` receives a bool.

    >>> Toggle("residual").spoken(True)
    'on'
    """

    kind: ClassVar[str] = "toggle"
    value: bool = False
    label: str = ""
    restart: bool = True

    def argument(self, value: Value) -> np.bool_:
        """Return a bool scalar."""
        return np.bool_(value)

    def spoken(self, value: Value) -> str:
        """Return "on" or "off"."""
        return "on" if value else "off"


@dataclass(frozen=True)
class Seed(Control):
    """The seed of the figure's random numbers, int32, with a button that draws the next one.

    >>> Seed("seed").argument(3)
    np.int32(3)
    """

    kind: ClassVar[str] = "seed"
    value: int = 0
    label: str = ""
    restart: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        _expect(0 <= self.value < 2**31, self, "0 ≤ value < 2³¹", self.value)

    def argument(self, value: Value) -> np.int32:
        """Return an int32 scalar."""
        return np.int32(value)


def label_html(label: str) -> str:
    """Return ``label`` with its subscripts set: ``σ_w`` becomes ``σ<sub>w</sub>``.

    >>> label_html("σ_w²")
    'σ<sub>w</sub>²'
    """
    escaped = label.replace("&", "&amp;").replace("<", "&lt;")
    return re.sub(r"_([A-Za-z0-9]+)", r"<sub>\1</sub>", escaped)


def validate(controls: list[Control]) -> None:
    """Raise a ``ValueError`` if two controls share a name, ``TypeError`` if one is no control."""
    for control in controls:
        if not isinstance(control, Control):
            raise TypeError(
                "Expected controls made of Slider, Choice, Toggle and Seed, "
                f"got {type(control).__name__} instead."
            )
    names = [control.name for control in controls]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"Expected distinct control names, got {twice} more than once.")


def clean(control: Control, value: Value) -> Value:
    """Return ``value`` inside the control's range, as the host does with values from a URL.

    >>> clean(Slider("x", 0.0, 1.0, value=0.5), 7)
    1.0
    """
    if isinstance(control, Slider):
        number = float(value)
        if not math.isfinite(number):
            return control.value
        number = min(max(number, control.minimum), control.maximum)
        return round(number) if control.integer else number
    if isinstance(control, Choice):
        return value if value in control.options else control.value
    return bool(value) if isinstance(control, Toggle) else int(value) % 2**31
