"""Which artist shows which output: images, scatter plots, texts, and the choice among all.

Each `Bound` does two things. `apply` moves the matplotlib artist to a set of outputs (the first
picture, and the reference in tests); `spec` says the same to the host as numbers and ids.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from matplotlib.collections import FillBetweenPolyCollection, PathCollection
from matplotlib.container import BarContainer
from matplotlib.image import AxesImage
from matplotlib.lines import Line2D
from matplotlib.patches import StepPatch
from matplotlib.path import Path
from matplotlib.text import Text

from vanishing.live.artists.axes import axis_maps, colour_map
from vanishing.live.artists.bound import Bound, Outputs, numbers
from vanishing.live.artists.marks import BoundBand, BoundBars, BoundLine, BoundRule, BoundSteps
from vanishing.live.artists.network import BoundNetwork, NetworkPicture
from vanishing.live.page import text


class BoundImage(Bound):
    """`ax.imshow`: the matrix, through the artist's own colormap and norm."""

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
        """Size and colours."""
        return {"size": list(map(int, self.artist.get_size())), "colours": colour_map(self.artist)}

    def _axes(self) -> dict[str, Any]:
        return {}


class BoundScatter(Bound):
    """`ax.scatter`: offsets as one [n, 2] output or as x and y; colour and size if bound."""

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
        """The marker of size 1 as a path, and what stays."""
        offsets = np.array(self.artist.get_offsets(), float)
        colours = {"colours": colour_map(self.artist)} if "colour" in self.shows else {}
        return {
            "fixed": {"x": numbers(offsets[:, 0]), "y": numbers(offsets[:, 1])},
            "sizes": numbers(self.artist.get_sizes()),
            "marker": _marker(self.artist),
            **colours,
        }

    def _axes(self) -> dict[str, Any]:
        if not self.artist.get_offset_transform().contains_branch(self.ax.transData):
            raise ValueError(
                "PathCollection: expected offsets in data coordinates; got another transform. "
                "Draw it with ax.scatter."
            )
        return {"axes": axis_maps(self.ax)}


class BoundText(Bound):
    """`ax.text`: a template such as `"χ₁ = {chi:.3f}"`."""

    kind = "text"
    roles = ("template",)

    def check(self, shapes: Mapping[str, tuple[int, ...]]) -> None:
        """Parse the template against the outputs."""
        if "$" in self.shows["template"]:
            raise ValueError(
                f"Text: expected a template without TeX; got {self.shows['template']!r}. "
                "Write σ, χ₁ and so on as characters."
            )
        self.parts = text.parse(self.shows["template"], shapes)

    def drawn(self) -> list[str]:
        """Nothing: a number that is not finite is a word here."""
        return []

    def apply(self, outputs: Outputs) -> None:
        """Set the text."""
        self.artist.set_text(text.render(self.parts, outputs))

    def spec(self, ids: list[str]) -> dict[str, Any]:
        """The parts of the text."""
        return {"kind": self.kind, "ids": ids, "parts": self.parts}


def _single(role: str) -> Callable[[Any], dict[str, str]]:
    return lambda target: {role: target} if isinstance(target, str) else dict(target)


def _band(target: Any) -> dict[str, str]:
    if isinstance(target, Mapping):
        return dict(target)
    return dict(zip(BoundBand.roles, target, strict=True))


def _marker(collection: PathCollection) -> str:
    """The marker at size 1 as SVG path data (y downwards)."""
    letters = {Path.MOVETO: "M", Path.LINETO: "L", Path.CURVE3: "Q", Path.CURVE4: "C"}
    commands = []
    for vertices, code in collection.get_paths()[0].iter_segments(simplify=False):
        flipped = np.reshape(vertices, (-1, 2)) * [1, -1]
        coordinates = " ".join(f"{v:.4g}" for v in flipped.ravel())
        commands.append(letters[code] + coordinates if code in letters else "Z")
    return "".join(commands)


def _rule_role(line: Line2D) -> str | None:
    """The coordinate of an axvline ("x") or axhline ("y") that is in data units."""
    separately = line.get_transform().contains_branch_seperately(line.axes.transData)
    return {(True, False): "x", (False, True): "y"}.get(tuple(separately))


def bind_artist(artist: Any, target: Any) -> Bound:
    """Pair an artist with the outputs it shows.

    Args:
        artist: Line2D, BarContainer, StepPatch, AxesImage, PathCollection, fill_between's
            collection, Text, a network from `draw_network`.
        target: the name of an output, or names by role (`{"x": …, "y": …}`, `(lower, upper)`,
            `{"offsets": …, "colour": …, "size": …}`), or the template of a text.

    Raises:
        TypeError: if artists of that type cannot be bound.
    """
    if isinstance(artist, Line2D):
        rule = _rule_role(artist)
        return (BoundRule if rule else BoundLine)(artist, _single(rule or "y")(target))
    kinds = [
        (BarContainer, BoundBars, _single("length")),
        (StepPatch, BoundSteps, _single("values")),
        (AxesImage, BoundImage, _single("z")),
        (PathCollection, BoundScatter, _single("offsets")),
        (FillBetweenPolyCollection, BoundBand, _band),
        (Text, BoundText, _single("template")),
        (NetworkPicture, BoundNetwork, _single("units")),
    ]
    for artist_type, bound, shows in kinds:
        if isinstance(artist, artist_type):
            return bound(artist, shows(target))
    raise TypeError(
        "bind: expected a Line2D, BarContainer, StepPatch, AxesImage, PathCollection, fill_between "
        f"band, Text or network; got {type(artist).__name__}. Bind those, and leave other artists "
        "still."
    )
