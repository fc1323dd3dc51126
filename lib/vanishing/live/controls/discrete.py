"""What is one of several: an option, on or off, a seed."""

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np

from vanishing.live.controls.base import Control, Value, plain


@dataclass(frozen=True)
class Choice(Control):
    """One of several named options; `compute` receives its index as int32.

    Args:
        name: keyword of `compute`.
        options: two or more distinct names.
        value: default option, the first if None.
        words: how options are shown, of those whose name is not for readers.
        label, restart, more, when: as in every `Control`.

    Raises:
        ValueError: if `options` is one text, has fewer than two entries or one twice, or lacks
            the default.

    >>> Choice("activation", ["tanh", "relu"], value="relu").argument("relu")
    np.int32(1)
    >>> Choice("activation", ["tanh", "relu"], words={"relu": "ReLU"}).spoken("relu")
    'ReLU'
    """

    kind: ClassVar[str] = "choice"
    options: Sequence[str]
    value: str | None = None
    _: KW_ONLY
    words: Mapping[str, str] = field(default_factory=dict, hash=False)

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
        shown = {option: self.words[option] for option in self.options if option in self.words}
        self._set("words", MappingProxyType(shown))

    def spec(self) -> dict[str, Any]:
        """The choice as JSON values."""
        return {**super().spec(), "words": dict(self.words)}

    def argument(self, value: Value) -> np.int32:
        """The index of the option."""
        return np.int32(self.options.index(value))

    def spoken(self, value: Value) -> str:
        """The option in the words for readers."""
        return self.words.get(value, value)


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
    value: bool | np.bool_ = False

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
    value: int | np.integer = 0

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
