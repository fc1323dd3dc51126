"""An artist and the outputs it shows: what all kinds of artists share."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from vanishing.live.artists.axes import axis_maps

Outputs = Mapping[str, np.ndarray]


def numbers(values: Any) -> list[float | None]:
    """Return `values` as a flat list for JSON, None where they are not finite."""
    flat = np.asarray(values, float).ravel()
    return [float(v) if np.isfinite(v) else None for v in flat]


@dataclass
class Bound:
    """An artist and the outputs it shows, by role: `{"y": "gradient_rms"}`."""

    kind: ClassVar[str]
    roles: ClassVar[tuple[str, ...]]
    needs: ClassVar[tuple[str, ...]] = ()
    artist: Any
    shows: dict[str, str]

    def __post_init__(self) -> None:
        """Prepare the artist."""

    def apply(self, outputs: Outputs) -> None:
        """Move the matplotlib artist."""
        raise NotImplementedError

    def lengths(self) -> dict[str, int]:
        """The size that each role's output must have, where the artist fixes it."""
        return {}

    def drawn(self) -> list[str]:
        """Names of the outputs whose numbers are places or colours, not words."""
        return list(self.shows.values())

    def extra(self) -> dict[str, Any]:
        """What the host needs beside the axes and the ids."""
        return {}

    @property
    def artists(self) -> list[Any]:
        """The artists that get an id of their own in the picture."""
        return [self.artist]

    @property
    def ax(self) -> Any:
        """The axes in which the artist is drawn."""
        return self.artists[0].axes

    def check(self, shapes: Mapping[str, tuple[int, ...]]) -> None:
        """Check that every output is there and has the size that the artist shows.

        Raises:
            ValueError: if one is missing or has another size, or a role is unknown.
        """
        name = type(self.artist).__name__
        roles = [*self.needs, *self.shows] if self.shows else list(self.roles)
        unknown = [role for role in roles if role not in self.roles or role not in self.shows]
        if unknown:
            raise ValueError(
                f"{name}: expected roles among {self.roles}; got {self.shows}. "
                f"A {name} is bound by these."
            )
        for role, output in self.shows.items():
            if output not in shapes:
                raise ValueError(
                    f"{name}: expected an output among {sorted(shapes)}; got {output!r}. "
                    "Bind what compute returns."
                )
            size = int(np.prod(shapes[output], dtype=int))
            expected = self.lengths().get(role, size)
            if size != expected:
                raise ValueError(
                    f"{name}: expected {expected} values of {output!r}; got shape "
                    f"{shapes[output]}. Draw the artist with as many as it will show."
                )

    def spec(self, ids: list[str]) -> dict[str, Any]:
        """The instruction for the host."""
        return {"kind": self.kind, "ids": ids, "shows": self.shows, **self._axes(), **self.extra()}

    def _in_data_units(self, transform: Any) -> bool:
        return transform.contains_branch(self.ax.transData)

    def _axes(self) -> dict[str, Any]:
        if not self._in_data_units(self.artists[0].get_transform()):
            raise ValueError(
                f"{type(self.artist).__name__}: expected an artist in data coordinates; "
                "got another transform. Draw it with the axes' own methods."
            )
        return {"axes": axis_maps(self.ax)}
