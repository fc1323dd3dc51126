"""A cursor that several panels share: what the reader points at in one is marked in all."""

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.image import AxesImage
from matplotlib.lines import Line2D

from vanishing.live.artists.axes import axes_box, axis_maps
from vanishing.live.artists.bound import Bound, Outputs, numbers
from vanishing.live.artists.marks import BoundLine
from vanishing.live.artists.network import NetworkPicture
from vanishing.live.page import text

_HALF = 0.5  # of a layer: a column of a network or a row of an image is marked as a whole


class Cursor:
    """One number, such as that of a layer, which several panels of a figure know.

    Bind it in `live.figure` to what it says of that number. Once the reader points at a layer,
    taps it, or moves to it by the arrow keys, every place marks the same layer, with the values of
    the lines that the words name; Escape takes the mark away.

    Args:
        word: what is counted: `"layer"`.
        numbers: `range(1, 51)`, the first and the last of them and all between.
        places: axes, of which x is the number; or what shows one thing for each number in order:
            a bound line or scatter (its points), a network (its columns), an image (its rows, from
            the lower end of its y axis, the same number of them for each).

    Raises:
        TypeError: if a place is none of these, or they are not in a list.
        ValueError: if there are fewer than two numbers, or no place.

    >>> from matplotlib.figure import Figure
    >>> import numpy as np
    >>> from vanishing.live import LiveFigure, Slider
    >>> fig = Figure()
    >>> left, right = fig.subplots(1, 2)
    >>> layer = np.arange(1.0, 6.0)
    >>> (up,), (down,) = left.plot(layer, layer), right.plot(layer, layer)
    >>> cursor = Cursor("layer", range(1, 6), [left, right])
    >>> live = LiveFigure(
    ...     fig,
    ...     lambda pace: {"signal": pace * layer, "gradient": -pace * layer},
    ...     [Slider("pace", 0.0, 1.0, value=1.0)],
    ...     {up: "signal", down: "gradient", cursor: "{signal:.1f} up, {gradient:.1p} down"},
    ...     name="two_panels",
    ...     alt="One line rises, the other falls.",
    ... )
    >>> [place["lines"] for place in live.spec["layouts"][0]["cursor"]["places"]]
    [[0], [1]]
    """

    def __init__(self, word: str, numbers: range, places: Collection[Any]) -> None:
        if not (isinstance(numbers, range) and numbers.step == 1 and len(numbers) > 1):
            raise ValueError(
                f"{word}: expected a range of two numbers or more, one by one; got {numbers!r}. "
                "Write range(1, 51) for layers 1 to 50."
            )
        if not isinstance(places, Collection):
            raise TypeError(f"{word}: expected a list of places; got {places!r}. Write [axes].")
        self.word, self.numbers, self.places = word, numbers, tuple(places)
        if not self.places:
            raise ValueError(f"{word}: expected a place to mark; got none. Name axes or artists.")

    def spec(self, template: str, bounds: Sequence[Bound], outputs: Outputs) -> dict[str, Any]:
        """What the host needs to find a number under the pointer, and to mark it.

        Args:
            template: what is said of a number; an output with a value for each number is named
                without an index. See `vanishing.live.page.text`.
            bounds: the bound artists of the same layout, in the host's order.
            outputs: of the first picture.

        Raises:
            TypeError: if a place is of the wrong kind.
            ValueError: if a place is not of this figure, or the template names no output.
        """
        size = len(self.numbers)
        shapes = {name: value.shape for name, value in outputs.items()}
        each = {name: () if shape == (size,) else shape for name, shape in shapes.items()}
        say = text.parse(template, each)
        said = {part["name"] for part in say if not isinstance(part, str)}
        places = [self._place(place, bounds, said) for place in self.places]
        lines = [bounds[row] for place in places for row in place.get("lines", ())]
        shown = said.union(*(line.shows.values() for line in lines))
        return {
            "word": self.word,
            "first": self.numbers[0],
            "last": self.numbers[-1],
            "say": say,
            "places": places,
            # A run that rests at its end has not been run yet where the page is opened.
            "outputs": {name: _short(outputs[name]) for name in sorted(shown)},
        }

    def _place(self, place: Any, bounds: Sequence[Bound], said: set[str]) -> dict[str, Any]:
        """Where a number is: on an axis, give or take half of one; or at a point of an artist."""
        if isinstance(place, Axes):
            _check_ours(place, bounds)
            lines = [
                row
                for row, bound in enumerate(bounds)
                if isinstance(bound, BoundLine)
                and bound.ax is place
                and bound.shows.get("y") in said
            ]
            return {**_along("x", place, axis_maps(place)["x"], 0.0), "lines": lines}
        if not isinstance(place, NetworkPicture | AxesImage | Line2D | PathCollection):
            raise TypeError(
                f"{self.word}: expected axes, a line, a scatter, a network or an image; got "
                f"{type(place).__name__}. Name the axes whose x counts the {self.word}s."
            )
        row = _row(place, bounds)
        if isinstance(place, NetworkPicture):
            return _along("x", place.ax, axis_maps(place.ax)["x"], _HALF)
        if isinstance(place, AxesImage):
            return _along("y", place.axes, self._rows(place), _HALF)
        return {"points": row, "box": axes_box(place.axes)}

    def _rows(self, image: AxesImage) -> list[float]:
        """The y axis in units of the number: the image's height is shared by all of them."""
        offset, slope, *scale = axis_maps(image.axes)["y"]
        low, high = sorted(image.get_extent()[2:])
        step = (high - low) / len(self.numbers)
        return [offset + slope * (low - step * (self.numbers[0] - _HALF)), slope * step, *scale]


def _short(values: np.ndarray) -> list[float | None]:
    """Six digits of each: more than is shown, in half of the bytes."""
    return [v if v is None else float(f"{v:.6g}") for v in numbers(values)]


def _along(role: str, ax: Axes, axis: list[float], half: float) -> dict[str, Any]:
    ticks = getattr(ax, f"{role}axis").get_ticklabels()
    named = any(tick.get_visible() and tick.get_text() for tick in ticks)
    at = {"role": role, "axis": axis, "half": half, "named": named}
    return {**at, "box": axes_box(ax), "lines": []}


def _check_ours(ax: Axes, bounds: Sequence[Bound]) -> None:
    if bounds and ax.figure is not bounds[0].ax.figure:
        raise ValueError("cursor: expected axes of this figure; got another's. Name its own.")


def _row(artist: Any, bounds: Sequence[Bound]) -> int:
    rows = [row for row, bound in enumerate(bounds) if bound.artist is artist]
    if not rows:
        raise ValueError(
            f"cursor: expected a bound {type(artist).__name__}; got one that shows no output. "
            "Bind it, or name its axes."
        )
    return rows[0]
