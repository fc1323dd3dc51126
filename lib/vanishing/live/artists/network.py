"""The network as a picture: units and the edges between them, a value in the colour of each."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.colors import to_rgb
from matplotlib.path import Path

from vanishing.live.artists.bound import Bound, Outputs
from vanishing.live.palette import PALETTE, VARIABLES

#: Nothing quite vanishes: what matplotlib finds fully transparent it leaves out of the SVG, and
#: the page could not bring it back.
_FAINT = 1e-3
_EDGE = 0.45  # of an edge whose value is not shown
#: Steps from no colour to all of it, too small to be told apart: the page draws one path for all
#: marks of a shade, as a browser's work for a frame grows with the elements that change.
_SHADES = 32


class NetworkPicture:
    """Columns of dots for the units of each layer, lines between them; made by `draw_network`.

    Attributes:
        ax: the axes.
        layers: units drawn in each layer.
        units, edges, skips, crosses: matplotlib collections; a dot a unit, a path between two
            layers, an arc a skip, a cross a unit.
        zero, full: values that have no colour and all of it.
        colours: of values on the side of `full`, and of those on the other side of `zero`.
    """

    def __init__(self, ax, layers, *, zero, full, colours, edges, skips, radius) -> None:
        self.ax, self.layers, self.zero, self.full = ax, tuple(layers), zero, full
        self.colours = tuple(PALETTE[name].light for name in colours)
        places = [_column(x, count) for x, count in enumerate(self.layers, 1)]
        tall = max(self.layers)
        rise = 0.12 * tall + 0.4 if skips else 0.0
        ax.set(xlim=(0.3, len(self.layers) + 0.7), ylim=(-tall / 2 - 0.3, tall / 2 + 0.3 + rise))
        ax.set_yticks([])
        ax.grid(visible=False)
        ax.spines[:].set_visible(False)
        ax.tick_params(length=0)
        ax.figure.draw_without_rendering()  # the layout decides how much room a unit has
        unit = _unit(ax, tall + rise)  # points
        radius = radius or 0.36 * min(unit)
        ink = PALETTE["slate"].light
        self.edges = PathCollection(
            [_fan(a, b, edges, radius / unit) for a, b in pairwise(places)],
            facecolors="none",
            edgecolors=[(*to_rgb(ink), _EDGE)],
            linewidths=min(0.8, radius / 3),
            zorder=1,
        )
        self.skips = PathCollection(
            [_arc(a, b, tall / 2, tall / 2 + 0.3 + 0.8 * rise) for a, b in skips],
            facecolors="none",
            edgecolors=[ink],
            linewidths=1.6,
            zorder=1,
        )
        for collection in (self.edges, self.skips):
            ax.add_collection(collection, autolim=False)
        x, y = np.concatenate(places).T
        look = {"clip_on": False, "linewidths": min(0.8, radius / 4)}
        self.units = ax.scatter(x, y, s=np.pi * radius**2, edgecolors=ink, zorder=2, **look)
        self.crosses = ax.scatter(x, y, s=2 * radius**2, marker="x", zorder=3, clip_on=False)
        self.edges.set_clip_on(False)
        self.skips.set_clip_on(False)
        self.paint("units", np.full(len(x), zero))
        self.paint("dead", np.zeros(len(x)))

    @property
    def figure(self) -> Any:
        """The figure in which it is drawn."""
        return self.ax.figure

    @property
    def axes(self) -> Axes:
        """The axes in which it is drawn."""
        return self.ax

    def size(self, role: str) -> int:
        """How many values a role takes: a unit each, a gap between layers each, a skip each."""
        parts = {"units": self.units, "dead": self.crosses}
        if role in parts:
            return len(parts[role].get_offsets())
        return len({"edges": self.edges, "skips": self.skips}[role].get_paths())

    def paint(self, role: str, values) -> None:
        """Show the values of one role; where one is not finite there is nothing to see."""
        values = np.ravel(np.asarray(values, float))
        if role == "dead":
            shown = np.where(values > 0, 1.0, _FAINT)
            self.crosses.set_color([(*to_rgb(PALETTE["vermilion"].light), a) for a in shown])
            return
        t = np.clip((values - self.zero) / (self.full - self.zero), -1, 1)
        t = np.floor(_SHADES * t + 0.5) / _SHADES
        alive = np.isfinite(t)
        depth = np.where(alive, np.maximum(np.abs(t), _FAINT), _FAINT)
        hues = [to_rgb(self.colours[int(value < 0)]) for value in t]
        rgba = [(*hue, a) for hue, a in zip(hues, depth, strict=True)]
        if role == "units":
            self.units.set_facecolor(rgba)
            ink = to_rgb(PALETTE["slate"].light)
            self.units.set_edgecolor([(*ink, a) for a in np.where(alive, 1.0, _FAINT)])
        else:
            (self.edges if role == "edges" else self.skips).set_edgecolor(rgba)


def draw_network(
    ax: Axes,
    layers: Sequence[int],
    *,
    zero: float = 0.0,
    full: float = 1.0,
    colour: str = "blue",
    negative: str = "pink",
    edges: int = 2,
    skips: Sequence[tuple[int, int]] = (),
    radius: float | None = None,
) -> NetworkPicture:
    """Draw a network: a column of dots for each layer, lines from each to the next.

        opacity of a unit = |t|,   t = (value − zero) / (full − zero), clipped to [−1, 1]

    in 32 steps, so that it is as pale as the paper, light or dark, where there is nothing. Bind it
    in `live.figure` by role: `units` (a value a unit, layer by layer), `dead` (not 0 where a unit
    is crossed), `edges` (a value for each gap between two layers), `skips` (a value each). What is
    not finite is not drawn, so that a network may be as deep as a slider says.

    Args:
        ax: axes with nothing else in them; x is the layer, from 1.
        layers: how many units to draw in each; of wide layers, a few.
        zero, full: values without colour, and with all of it; `full` may be below `zero`.
        colour, negative: names of the house palette, for t above 0 and below.
        edges: lines that leave a unit.
        skips: pairs of layers joined by an arc.
        radius: of a dot in points; as large as there is room if None.

    Returns:
        A `NetworkPicture`, to be bound.

    Raises:
        ValueError: no layers, an empty layer, a skip that leads nowhere, `full` equal to `zero`, or
            a colour that the house does not have.

    >>> from matplotlib.figure import Figure
    >>> net = draw_network(Figure().subplots(), [4, 4, 4], skips=[(1, 3)])
    >>> {role: net.size(role) for role in ("units", "dead", "edges", "skips")}
    {'units': 12, 'dead': 12, 'edges': 2, 'skips': 1}
    """
    if not layers or min(layers) < 1:
        raise ValueError(
            f"layers: expected at least one unit in each of some layers; got {list(layers)}. "
            "Say how many to draw, such as [8] * 30."
        )
    wrong = [skip for skip in skips if not 1 <= skip[0] < skip[1] <= len(layers)]
    if wrong:
        raise ValueError(
            f"skips: expected pairs of layers from 1 to {len(layers)}, the lower first; got "
            f"{wrong}. Count layers from 1."
        )
    if full == zero:
        raise ValueError(
            f"full: expected another value than zero's, {zero}; got {full}. "
            "Give the value that has all the colour."
        )
    unknown = [name for name in (colour, negative) if name not in PALETTE]
    if unknown:
        raise ValueError(f"colour: expected one of {sorted(PALETTE)}; got {unknown}. Name those.")
    return NetworkPicture(
        ax,
        layers,
        zero=zero,
        full=full,
        colours=(colour, negative),
        edges=edges,
        skips=skips,
        radius=radius,
    )


def _column(x: float, count: int) -> np.ndarray:
    """Places of the units of one layer, the first on top."""
    return np.column_stack([np.full(count, float(x)), (count - 1) / 2 - np.arange(count)])


def _unit(ax: Axes, tall: float) -> np.ndarray:
    """Points from one layer to the next, and from one unit to the next."""
    (left, right), box = ax.get_xlim(), ax.get_window_extent()
    return 72 / ax.figure.dpi * np.array([box.width / (right - left), box.height / (tall + 0.6)])


def _fan(below: np.ndarray, above: np.ndarray, edges: int, radius: np.ndarray) -> Path:
    """Lines from each unit of a layer to `edges` of the next, spread over it, from rim to rim."""
    many = min(edges, len(above))
    lines = []
    for k, start in enumerate(below):
        near = k * len(above) // len(below)
        for end in sorted({(near + r * len(above) // many) % len(above) for r in range(many)}):
            way = above[end] - start
            rim = way / np.linalg.norm(way / radius)
            lines += [start + rim, above[end] - rim]
    return Path(lines, [Path.MOVETO, Path.LINETO] * (len(lines) // 2))


def _arc(first: int, last: int, foot: float, height: float) -> Path:
    """From over one layer to over another."""
    top = ((first + last) / 2, 2 * height - foot)
    return Path([(first, foot), top, (last, foot)], [Path.MOVETO, Path.CURVE3, Path.CURVE3])


class BoundNetwork(Bound):
    """`draw_network`: colours of units, of the edges between two layers and of skips; crosses."""

    kind = "network"
    roles = ("units", "dead", "edges", "skips")

    def __post_init__(self) -> None:
        self.artist.crosses.set_visible("dead" in self.shows)  # the rest would only weigh

    @property
    def artists(self) -> list[Any]:
        """The collections of the roles that are shown, in their order."""
        picture = self.artist
        parts = (picture.units, picture.crosses, picture.edges, picture.skips)
        return [part for role, part in zip(self.roles, parts, strict=True) if role in self.shows]

    def apply(self, outputs: Outputs) -> None:
        """Colour what is shown."""
        for role, output in self.shows.items():
            self.artist.paint(role, outputs[output])

    def lengths(self) -> dict[str, int]:
        """The network keeps its units."""
        return {role: self.artist.size(role) for role in self.roles}

    def extra(self) -> dict[str, Any]:
        """Which element shows which role, and the scale of the colours."""
        hues = [VARIABLES.get(colour, colour) for colour in self.artist.colours]
        shown = [role for role in self.roles if role in self.shows]
        scale = {"zero": float(self.artist.zero), "full": float(self.artist.full)}
        return {"parts": shown, "hues": hues, "shades": _SHADES, **scale}

    def _axes(self) -> dict[str, Any]:
        return {}
