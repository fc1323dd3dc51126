"""A number between two ends."""

import math
import numbers
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field
from decimal import Decimal
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np

from vanishing.live.controls.base import Control, Number, Value, plain
from vanishing.live.page.numbers import number


def _round_step(minimum: float, maximum: float) -> float:
    """The largest of …, 0.01, 0.02, 0.05, 0.1, … that makes a hundred steps or more."""
    largest = (maximum - minimum) / 100
    power = math.floor(math.log10(largest))
    steps = [float(f"{m}e{power}") for m in (1, 2, 5)]  # 5 * 1e-6 would not be 5e-6
    return max(step for step in steps if step <= largest * 1.0001 or step == steps[0])


def _decimals(value: float) -> int:
    """Digits after the point of a number as it was written."""
    return max(-Decimal(f"{value:.12g}").normalize().as_tuple().exponent, 0)


def _is_finite(value: Any) -> bool:
    real = isinstance(value, numbers.Real) and not isinstance(value, bool)
    return real and math.isfinite(value)


@dataclass(frozen=True)
class Ahead:
    """What lies ahead on a slider: one output along its whole range, drawn pale behind its track.

    Attributes:
        output: its name, with an index if it has several elements: `"gradient[0]"`.
        low, high: its values at the lower and the upper edge of the strip; beyond them it is cut.
            The strip is filled from zero, or from the edge that is nearer to zero.
        label: what the output is, in a few words that stand beside the slider's own.

    Raises:
        ValueError: if the range is empty or not finite, or if there is no label.

    >>> Ahead("gradient[0]", -30, 10, label="gradient at layer 1").high
    10
    """

    output: str
    low: Number
    high: Number
    _: KW_ONLY
    label: str

    def __post_init__(self) -> None:
        ends = self.low, self.high
        if not (all(map(_is_finite, ends)) and self.low < self.high):
            raise ValueError(
                f"Ahead {self.output!r}: expected finite low < high; got {ends}. "
                "Name what stands at the strip's lower and upper edge."
            )
        if not (isinstance(self.label, str) and self.label.strip()):
            raise ValueError(
                f"Ahead {self.output!r}: expected a label; got {self.label!r}. "
                "Say in a few words what the strip shows."
            )


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
        ahead: the outcome along its whole range, which a page draws behind it.
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
    minimum: Number
    maximum: Number
    value: Number | None = None
    step: Number | None = None
    _: KW_ONLY
    log: bool = False
    marks: Mapping[Number, str] = field(default_factory=dict, hash=False)
    ahead: Ahead | None = None

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
        strip = self.ahead is None or isinstance(self.ahead, Ahead)
        self._expect(strip, "an Ahead", self.ahead, 'Write Ahead("loss", 0, 3, label="loss").')

    def _finite(self, name: str) -> float | int | None:
        value = plain(getattr(self, name))
        if value is None and name in ("value", "step"):
            return None
        self._expect(
            _is_finite(value),
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
            "ahead": self.ahead and vars(self.ahead),
        }

    def argument(self, value: Value) -> np.generic:
        """An int32 or float32 scalar."""
        return np.int32(value) if self.integer else np.float32(value)

    def spoken(self, value: Value) -> str:
        """The value with as many digits as its step has; three that count if the slider is log."""
        return number(value, "s", 3) if self.log else number(value, "f", self.decimals)
