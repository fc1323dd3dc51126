"""What the reader can move: sliders, choices, toggles and seeds.

A control knows its range, how its value reaches JAX, and how it is said. What any value means to
it, from a link, a script or an input, is in `reading.py`.
"""

import math
import numbers
from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from decimal import Decimal
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np

from vanishing.live.page.numbers import number

Value = float | int | str | bool


def plain(value: Any) -> Any:
    """A NumPy scalar as the Python number it stands for; anything else as it is."""
    return value.item() if isinstance(value, np.generic) else value


@dataclass(frozen=True)
class Control:
    """What all controls share.

    Attributes:
        name: keyword of `compute`.
        label: what the reader sees; `_` after a symbol sets a subscript. By default the name.
        restart: whether a change starts an animated figure again; a control that only looks at
            the run, or changes it while it goes on, says False.
        more: whether the control stands behind "More controls", for what a section does not need.
        when: the other controls' values with which this one has an effect, such as
            `{"residual": True}` or `{"normalization": ("batch", "layer")}`; with others it is
            disabled.
    """

    kind: ClassVar[str]
    name: str
    _: KW_ONLY
    label: str = ""
    restart: bool = True
    more: bool = False
    when: Mapping[str, Any] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        self._expect(
            isinstance(self.name, str) and self.name.isidentifier(),
            "a Python identifier as name",
            self.name,
            "It is a keyword of compute.",
        )
        self._expect(isinstance(self.label, str), "text as label", self.label, "Write words.")
        self._expect(
            isinstance(self.when, Mapping),
            "a mapping as when",
            self.when,
            'Write when={"residual": True}.',
        )
        if not self.label:
            self._set("label", self.name.replace("_", " "))
        allowed = {
            name: tuple(value) if isinstance(value, list | tuple) else (value,)
            for name, value in self.when.items()
        }
        self._set("when", MappingProxyType(allowed))

    def _set(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)  # the dataclass is frozen from here on

    def _expect(self, condition: bool, expected: str, got: Any, remedy: str) -> None:
        if not condition:
            kind = type(self).__name__
            raise ValueError(f"{kind} {self.name!r}: expected {expected}; got {got!r}. {remedy}")

    def spec(self) -> dict[str, Any]:
        """What the host in the browser needs to know, as JSON values."""
        return {"kind": self.kind, **vars(self), "when": dict(self.when)}

    def argument(self, value: Value) -> Any:
        """The scalar that `compute` receives."""
        raise NotImplementedError

    def spoken(self, value: Value) -> str:
        """The value as the readout shows it."""
        return str(value)


def _round_step(minimum: float, maximum: float) -> float:
    """The largest of …, 0.01, 0.02, 0.05, 0.1, … that makes a hundred steps or more."""
    largest = (maximum - minimum) / 100
    power = math.floor(math.log10(largest))
    steps = [float(f"{m}e{power}") for m in (1, 2, 5)]  # 5 * 1e-6 would not be 5e-6
    return max(step for step in steps if step <= largest * 1.0001 or step == steps[0])


def _decimals(value: float) -> int:
    """Digits after the point of a number as it was written."""
    return max(-Decimal(f"{value:.12g}").normalize().as_tuple().exponent, 0)


@dataclass(frozen=True)
class Slider(Control):
    """A number between `minimum` and `maximum`, float32; int32 if all of its numbers are whole.

    Args:
        name: keyword of `compute`.
        minimum: smallest value.
        maximum: largest value.
        value: default value.
        step: distance of two values (ignored if `log`); by default a round number that makes a
            hundred steps or more, or 1 if all numbers are int.
        log: whether equal distances on the slider are equal ratios.
        marks: the values that matter, with a word for each, which stands below the slider and
            sets it: `{1.41421: "He"}`.
        label, restart, more, when: as in every `Control`.

    Raises:
        ValueError: if the range is empty, the value is outside or between two steps, a log
            range reaches zero, or a mark is outside.

    >>> Slider("sigma_w", 0.1, 3.0, value=1.0, step=0.01).spoken(1.4)
    '1.40'
    >>> Slider("gain", 0.1, 8.0, value=1.0, log=True, marks={1.41421: "He"}).spoken(1.41421)
    '1.41'
    """

    kind: ClassVar[str] = "slider"
    minimum: float
    maximum: float
    value: float | None = None
    step: float | None = None
    _: KW_ONLY
    log: bool = False
    marks: Mapping[float, str] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("minimum", "maximum", "value", "step"):
            self._set(name, self._finite(name))
        self._check_range()
        if self.step is None:
            ends = (self.minimum, self.maximum)
            self._set("step", 1 if self.integer else _round_step(*ends))
        self._expect(self.step > 0, "a positive step", self.step, "Drop the sign.")
        self._check_grid()
        self._check_marks()

    def _finite(self, name: str) -> float | int | None:
        value = plain(getattr(self, name))
        if value is None and name in ("value", "step"):
            return None
        real = isinstance(value, numbers.Real) and not isinstance(value, bool)
        self._expect(
            real and math.isfinite(value),
            f"a finite number as {name}",
            value,
            "Pass a float such as 1.0, or an int for whole numbers.",
        )
        return value

    def _check_range(self) -> None:
        low, high = self.minimum, self.maximum
        self._expect(low < high, "minimum < maximum", (low, high), "Swap or part them.")
        inside = self.value is not None and low <= self.value <= high
        self._expect(inside, f"a value in [{low}, {high}]", self.value, "Name the default.")
        self._expect(
            not self.log or low > 0, "a positive minimum (log)", low, "A logarithm has no zero."
        )

    def _check_grid(self) -> None:
        steps = (self.value - self.minimum) / self.step
        whole = self.log or abs(steps - round(steps)) < 1e-6
        self._expect(
            whole,
            f"a value of the form {self.minimum} + k × {self.step}",
            self.value,
            "Move the minimum or the step, so that the reader can come back.",
        )

    def _check_marks(self) -> None:
        self._expect(
            isinstance(self.marks, Mapping),
            "a mapping as marks",
            self.marks,
            'Write marks={1.41421: "He"}.',
        )
        marks = {plain(at): word for at, word in self.marks.items()}
        for at, word in marks.items():
            real = isinstance(at, numbers.Real) and self.minimum <= at <= self.maximum
            self._expect(real, f"marks in [{self.minimum}, {self.maximum}]", at, "Widen the range.")
            self._expect(isinstance(word, str), "a word for each mark", word, "Write a str.")
        self._set("marks", MappingProxyType(marks))

    @property
    def integer(self) -> bool:
        """Whether `compute` receives an int32."""
        written = (self.minimum, self.maximum, self.value, self.step)
        return all(isinstance(n, int) for n in written if n is not None) and not self.log

    @property
    def decimals(self) -> int:
        """Digits after the point that tell two neighbouring values apart."""
        return 0 if self.integer else max(_decimals(self.step), _decimals(self.minimum))

    def spec(self) -> dict[str, Any]:
        """The slider as JSON values."""
        marks = [[at, word] for at, word in sorted(self.marks.items())]
        return {
            **super().spec(),
            "integer": self.integer,
            "decimals": self.decimals,
            "marks": marks,
        }

    def argument(self, value: Value) -> np.generic:
        """An int32 or float32 scalar."""
        return np.int32(value) if self.integer else np.float32(value)

    def spoken(self, value: Value) -> str:
        """The value with as many digits as its step has; three that count if the slider is log."""
        return number(value, "s", 3) if self.log else number(value, "f", self.decimals)


@dataclass(frozen=True)
class Choice(Control):
    """One of several named options; `compute` receives its index as int32.

    Args:
        name: keyword of `compute`.
        options: two or more distinct names.
        value: default option, the first if None.
        label, restart, more, when: as in every `Control`.

    Raises:
        ValueError: if `options` is one text, has fewer than two entries or one twice, or lacks
            the default.

    >>> Choice("activation", ["tanh", "relu"], value="relu").argument("relu")
    np.int32(1)
    """

    kind: ClassVar[str] = "choice"
    options: Sequence[str]
    value: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        several = not isinstance(self.options, str | bytes) and hasattr(self.options, "__iter__")
        self._expect(several, "a list of options", self.options, 'Write ["tanh", "relu"].')
        self._set("options", tuple(map(str, self.options)))
        distinct = len(set(self.options)) == len(self.options) > 1
        self._expect(
            distinct,
            "two or more distinct options",
            self.options,
            "One option leaves nothing to choose.",
        )
        if self.value is None:
            self._set("value", self.options[0])
        self._expect(
            self.value in self.options,
            f"one of {self.options}",
            self.value,
            "Write the default as it stands in options.",
        )

    def argument(self, value: Value) -> np.int32:
        """The index of the option."""
        return np.int32(self.options.index(value))


@dataclass(frozen=True)
class Toggle(Control):
    """On or off; `compute` receives a bool.

    Args:
        name: keyword of `compute`.
        value: default, off if left out.
        label, restart, more, when: as in every `Control`.

    Raises:
        ValueError: if the default is no bool.

    >>> Toggle("residual").spoken(True)
    'on'
    """

    kind: ClassVar[str] = "toggle"
    value: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        self._set("value", plain(self.value))
        self._expect(isinstance(self.value, bool), "True or False", self.value, "Pass a bool.")

    def argument(self, value: Value) -> np.bool_:
        """A bool scalar."""
        return np.bool_(value)

    def spoken(self, value: Value) -> str:
        """On or off, in words."""
        return "on" if value else "off"


@dataclass(frozen=True)
class Seed(Control):
    """The seed of the figure's random numbers, int32, with a button that draws the next one.

    Args:
        name: keyword of `compute`.
        value: default, 0 ≤ value < 2³¹.
        label, restart, more, when: as in every `Control`.

    Raises:
        ValueError: if the default is no int32 or negative.

    >>> Seed("seed").argument(3)
    np.int32(3)
    """

    kind: ClassVar[str] = "seed"
    value: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        self._set("value", plain(self.value))
        whole = isinstance(self.value, int) and not isinstance(self.value, bool)
        self._expect(
            whole and 0 <= self.value < 2**31,
            "a whole number, 0 ≤ value < 2³¹",
            self.value,
            "Seeds are counted from 0.",
        )

    def argument(self, value: Value) -> np.int32:
        """An int32 scalar."""
        return np.int32(value)
