"""Lines, rules, bars, steps and bands: the artists drawn as paths."""

from typing import Any

import numpy as np

from vanishing.live.artists.axes import axes_box, axis_maps
from vanishing.live.artists.bound import Bound, Outputs, numbers
from vanishing.live.page.svg import points


class BoundLine(Bound):
    """`ax.plot`: y, and x if it moves too; markers and line."""

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
        """The coordinates that stay."""
        fixed = {
            role: numbers(getattr(self.artist, f"get_{role}data")(orig=False))
            for role in self.roles
            if role not in self.shows
        }
        if self.artist.get_drawstyle() != "default":
            raise ValueError(
                f"Line2D: expected drawstyle 'default'; got {self.artist.get_drawstyle()!r}. "
                "Draw steps with ax.stairs."
            )
        return {"fixed": fixed, "box": axes_box(self.ax)}


class BoundRule(Bound):
    """`ax.axvline` and `ax.axhline`: the one coordinate that moves."""

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
        """The two ends along the line, in points."""
        column = 1 if "x" in self.shows else 0
        figure = self.ax.figure
        with points(figure):
            path = self.artist.get_transform().transform(self.artist.get_xydata())
            ends = figure.bbox.height - path[:, 1] if column else path[:, 0]
        return {"ends": numbers(ends)}

    def place(self) -> dict[str, Any]:
        """The rule's coordinate, its axis, and the box of its axes in points."""
        (role,) = self.shows
        return {"role": role, "axis": axis_maps(self.ax)[role], "box": axes_box(self.ax)}


class BoundBars(Bound):
    """`ax.bar`, `ax.barh`, `ax.hist`: the lengths of the bars."""

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
        """Where the bars stand: `[low, high, base]` each."""
        flat = self._along == "width"
        stand = [
            (b.get_y(), b.get_y() + b.get_height(), b.get_x())
            if flat
            else (b.get_x(), b.get_x() + b.get_width(), b.get_y())
            for b in self.artists
        ]
        return {"stand": [numbers(row) for row in stand], "flat": flat}


class BoundSteps(Bound):
    """`ax.stairs`: the values between fixed edges."""

    kind = "steps"
    roles = ("values",)

    def apply(self, outputs: Outputs) -> None:
        """Set the values."""
        self.artist.set_data(np.ravel(outputs[self.shows["values"]]).astype(float))

    def lengths(self) -> dict[str, int]:
        """One value between two edges."""
        return {"values": len(self.artist.get_data().values)}

    def extra(self) -> dict[str, Any]:
        """Edges and baseline."""
        data = self.artist.get_data()
        base = None if data.baseline is None else numbers(data.baseline)
        flat = self.artist.orientation == "horizontal"
        return {"edges": numbers(data.edges), "base": base, "flat": flat}


class BoundBand(Bound):
    """`ax.fill_between`: lower and upper limit over a fixed x."""

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
        """X."""
        return {"x": numbers(self.x)}
