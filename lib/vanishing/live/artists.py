"""Which artist shows which output: how to draw it here, and how to tell the host to draw it.

Each ``Bound`` does two things. ``apply`` moves the matplotlib artist to a set of outputs (the first
picture, and the reference in tests); ``spec`` says the same to the host as numbers and ids.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from matplotlib.collections import FillBetweenPolyCollection, PathCollection
from matplotlib.container import BarContainer
from matplotlib.image import AxesImage
from matplotlib.lines import Line2D
from matplotlib.patches import StepPatch
from matplotlib.text import Text

from vanishing.live import text
from vanishing.live.axes import axis_maps, colour_map
from vanishing.live.svg import points

Outputs = Mapping[str, np.ndarray]


def _numbers(values: Any) -> list[float | None]:
    flat = np.asarray(values, float).ravel()
    return [float(v) if np.isfinite(v) else None for v in flat]


@dataclass
class Bound:
    """An artist and the outputs it shows, by role: ``{"y": "gradient_rms"}``."""

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
        """Return the size that each role's output must have, where the artist fixes it."""
        return {}

    def extra(self) -> dict[str, Any]:
        """Return what the host needs beside the axes and the ids."""
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
        """Raise a ``ValueError`` if an output is missing or has the wrong size."""
        name = type(self.artist).__name__
        roles = [*self.needs, *self.shows] if self.shows else list(self.roles)
        unknown = [role for role in roles if role not in self.roles or role not in self.shows]
        if unknown:
            raise ValueError(f"{name}: expected roles among {self.roles}, got {self.shows}.")
        for role, output in self.shows.items():
            if output not in shapes:
                raise ValueError(
                    f"{name} is bound to {output!r}, but compute returns {sorted(shapes)}."
                )
            size = int(np.prod(shapes[output], dtype=int))
            expected = self.lengths().get(role, size)
            if size != expected:
                raise ValueError(
                    f"{name}: expected {expected} values of {output!r}, got shape "
                    f"{shapes[output]} instead; draw the artist with as many points as it will show."
                )

    def spec(self, ids: list[str]) -> dict[str, Any]:
        """Return the instruction for the host."""
        return {"kind": self.kind, "ids": ids, "shows": self.shows, **self._axes(), **self.extra()}

    def _in_data_units(self, transform: Any) -> bool:
        return transform.contains_branch(self.ax.transData)

    def _axes(self) -> dict[str, Any]:
        if not self._in_data_units(self.artists[0].get_transform()):
            raise ValueError(
                f"{type(self.artist).__name__}: expected an artist in data coordinates, "
                "got another transform; draw it with the axes' own methods."
            )
        return {"axes": axis_maps(self.ax)}


class BoundLine(Bound):
    """``ax.plot``: y, and x if it moves too; markers and line."""

    kind = "line"
    roles = ("y", "x")

    def apply(self, outputs: Outputs) -> None:
        """Move the line."""
        for role, output in self.shows.items():
            getattr(self.artist, f"set_{role}data")(np.ravel(outputs[output]))

    def lengths(self) -> dict[str, int]:
        """The line keeps its number of points."""
        return dict.fromkeys(self.shows, len(self.artist.get_xdata(orig=False)))

    def extra(self) -> dict[str, Any]:
        """Return the coordinates that stay."""
        fixed = {
            role: _numbers(getattr(self.artist, f"get_{role}data")(orig=False))
            for role in self.roles
            if role not in self.shows
        }
        if self.artist.get_drawstyle() != "default":
            raise ValueError("Line2D: expected drawstyle 'default'; draw steps with ax.stairs.")
        return {"fixed": fixed}


class BoundRule(Bound):
    """``ax.axvline`` and ``ax.axhline``: the one coordinate that moves."""

    kind = "rule"
    roles = ("x", "y")

    def _in_data_units(self, transform: Any) -> bool:
        return True  # along one axis only, which is what makes it a rule

    def apply(self, outputs: Outputs) -> None:
        """Move the line across."""
        for role, output in self.shows.items():
            getattr(self.artist, f"set_{role}data")([float(np.ravel(outputs[output])[0])] * 2)

    def lengths(self) -> dict[str, int]:
        """One number places the line."""
        return dict.fromkeys(self.roles, 1)

    def extra(self) -> dict[str, Any]:
        """Return the two ends along the line, in points."""
        column = 1 if "x" in self.shows else 0
        figure = self.ax.figure
        with points(figure):
            path = self.artist.get_transform().transform(self.artist.get_xydata())
            ends = figure.bbox.height - path[:, 1] if column else path[:, 0]
        return {"ends": _numbers(ends)}


class BoundBars(Bound):
    """``ax.bar``, ``ax.barh``, ``ax.hist``: the lengths of the bars."""

    kind = "bars"
    roles = ("length",)

    @property
    def artists(self) -> list[Any]:
        """Every bar is an artist."""
        return list(self.artist.patches)

    @property
    def _along(self) -> str:
        return "width" if self.artist.orientation == "horizontal" else "height"

    def apply(self, outputs: Outputs) -> None:
        """Set the lengths."""
        for bar, value in zip(self.artists, np.ravel(outputs[self.shows["length"]]), strict=True):
            getattr(bar, f"set_{self._along}")(float(value))

    def lengths(self) -> dict[str, int]:
        """One value a bar."""
        return {"length": len(self.artists)}

    def extra(self) -> dict[str, Any]:
        """Return where the bars stand: ``[low, high, base]`` each."""
        flat = self._along == "width"
        stand = [
            (b.get_y(), b.get_y() + b.get_height(), b.get_x())
            if flat
            else (b.get_x(), b.get_x() + b.get_width(), b.get_y())
            for b in self.artists
        ]
        return {"stand": [_numbers(row) for row in stand], "flat": flat}


class BoundSteps(Bound):
    """``ax.stairs``: the values between fixed edges."""

    kind = "steps"
    roles = ("values",)

    def apply(self, outputs: Outputs) -> None:
        """Set the values."""
        self.artist.set_data(np.ravel(outputs[self.shows["values"]]).astype(float))

    def lengths(self) -> dict[str, int]:
        """One value between two edges."""
        return {"values": len(self.artist.get_data().values)}

    def extra(self) -> dict[str, Any]:
        """Return edges and baseline."""
        data = self.artist.get_data()
        base = None if data.baseline is None else _numbers(data.baseline)
        flat = self.artist.orientation == "horizontal"
        return {"edges": _numbers(data.edges), "base": base, "flat": flat}


class BoundBand(Bound):
    """``ax.fill_between``: lower and upper limit over a fixed x."""

    kind = "band"
    roles = needs = ("lower", "upper")

    def __post_init__(self) -> None:
        vertices = self.artist.get_paths()[0].vertices
        count = (len(vertices) - 3) // 2
        self.x = vertices[1 : 1 + count, 0].copy()  # first point of the outline is the turn

    def apply(self, outputs: Outputs) -> None:
        """Set both limits."""
        lower, upper = (np.ravel(outputs[self.shows[role]]) for role in self.roles)
        self.artist.set_data(self.x, lower, upper)

    def lengths(self) -> dict[str, int]:
        """One value of each at every x."""
        return dict.fromkeys(self.roles, len(self.x))

    def extra(self) -> dict[str, Any]:
        """Return x."""
        return {"x": _numbers(self.x)}


class BoundImage(Bound):
    """``ax.imshow``: the matrix, through the artist's own colormap and norm."""

    kind = "image"
    roles = ("z",)

    def __post_init__(self) -> None:
        self.artist.set_interpolation("none")  # one value, one pixel: the reader's browser scales

    def apply(self, outputs: Outputs) -> None:
        """Set the matrix."""
        self.artist.set_data(np.reshape(outputs[self.shows["z"]], self.artist.get_size()))

    def lengths(self) -> dict[str, int]:
        """The image keeps its size."""
        return {"z": int(np.prod(self.artist.get_size()))}

    def extra(self) -> dict[str, Any]:
        """Return size and colours."""
        return {"size": list(map(int, self.artist.get_size())), "colours": colour_map(self.artist)}

    def _axes(self) -> dict[str, Any]:
        return {}


class BoundScatter(Bound):
    """``ax.scatter``: offsets as one [n, 2] output or as x and y; colour and size if bound."""

    kind = "scatter"
    roles = ("offsets", "x", "y", "colour", "size")

    @property
    def _count(self) -> int:
        return len(self.artist.get_offsets())

    def apply(self, outputs: Outputs) -> None:
        """Move the points, colour and scale them."""
        shown = {role: np.ravel(outputs[output]) for role, output in self.shows.items()}
        offsets = np.array(self.artist.get_offsets(), float)
        if "offsets" in shown:
            offsets = shown["offsets"].reshape(-1, 2)
        for column, role in enumerate("xy"):
            if role in shown:
                offsets[:, column] = shown[role]
        self.artist.set_offsets(offsets)
        if "colour" in shown:
            self.artist.set_array(shown["colour"])
        if "size" in shown:
            self.artist.set_sizes(shown["size"])

    def lengths(self) -> dict[str, int]:
        """The points keep their number."""
        return {role: self._count * (1 + (role == "offsets")) for role in self.roles}

    def extra(self) -> dict[str, Any]:
        """Return the marker of size 1 as a path, and what stays."""
        path = self.artist.get_paths()[0]
        offsets = np.array(self.artist.get_offsets(), float)
        marker = " ".join(
            "MLQC?Z"[{1: 0, 2: 1, 3: 2, 4: 3, 79: 5}[int(code)]]
            + (
                ""
                if code == 79
                else " ".join(
                    f"{v:.4f}" for v in np.reshape(xy, (-1, 2)).dot([[1, 0], [0, -1]]).ravel()
                )
            )
            for xy, code in path.iter_segments(curves=True)
        )
        colours = {"colours": colour_map(self.artist)} if "colour" in self.shows else {}
        return {
            "fixed": {"x": _numbers(offsets[:, 0]), "y": _numbers(offsets[:, 1])},
            "sizes": _numbers(self.artist.get_sizes()),
            "marker": marker,
            **colours,
        }

    def _axes(self) -> dict[str, Any]:
        if not self.artist.get_offset_transform().contains_branch(self.ax.transData):
            raise ValueError("PathCollection: expected offsets in data coordinates.")
        return {"axes": axis_maps(self.ax)}


class BoundText(Bound):
    """``ax.text``: a template such as ``"χ₁ = {chi:.3f}"``."""

    kind = "text"
    roles = ("template",)

    def check(self, shapes: Mapping[str, tuple[int, ...]]) -> None:
        """Parse the template against the outputs."""
        if "$" in self.shows["template"]:
            raise ValueError("Bound text cannot hold TeX; write σ, χ₁ and so on as characters.")
        self.parts = text.parse(self.shows["template"], shapes)

    def apply(self, outputs: Outputs) -> None:
        """Set the text."""
        self.artist.set_text(text.render(self.parts, outputs))

    def spec(self, ids: list[str]) -> dict[str, Any]:
        """Return the parts of the text."""
        return {"kind": self.kind, "ids": ids, "parts": self.parts}


def _single(role: str):
    return lambda target: {role: target} if isinstance(target, str) else dict(target)


def _band(target: Any) -> dict[str, str]:
    return (
        dict(target)
        if isinstance(target, Mapping)
        else dict(zip(("lower", "upper"), target, strict=True))
    )


def _rule_role(line: Line2D) -> str | None:
    """Return the coordinate of an axvline ("x") or axhline ("y") that is in data units."""
    separately = line.get_transform().contains_branch_seperately(line.axes.transData)
    return {(True, False): "x", (False, True): "y"}.get(tuple(separately))


def bind_artist(artist: Any, target: Any) -> Bound:
    """Pair an artist with the outputs it shows.

    Args:
        artist: Line2D, BarContainer, StepPatch, AxesImage, PathCollection, fill_between's
            collection, Text.
        target: the name of an output, or names by role (``{"x": …, "y": …}``, ``(lower, upper)``,
            ``{"offsets": …, "colour": …, "size": …}``), or the template of a text.

    Raises:
        TypeError: if artists of that type cannot be bound.
    """
    if isinstance(artist, Line2D):
        rule = _rule_role(artist)
        return (
            BoundRule(artist, _single(rule)(target))
            if rule
            else BoundLine(artist, _single("y")(target))
        )
    kinds = [
        (BarContainer, BoundBars, _single("length")),
        (StepPatch, BoundSteps, _single("values")),
        (AxesImage, BoundImage, _single("z")),
        (PathCollection, BoundScatter, _single("offsets")),
        (FillBetweenPolyCollection, BoundBand, _band),
        (Text, BoundText, _single("template")),
    ]
    for artist_type, bound, shows in kinds:
        if isinstance(artist, artist_type):
            return bound(artist, shows(target))
    raise TypeError(
        "Expected a Line2D, BarContainer, StepPatch, AxesImage, PathCollection, fill_between band "
        f"or Text, got {type(artist).__name__}; bind those, and leave other artists still."
    )
