"""What all controls share: a name, a label, and when they have an effect."""

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np

Value = float | int | str | bool
#: A number as it may be written; a control holds it as Python's.
Number = float | np.number


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
