"""One layout of a live figure: the page's width chooses which of them is seen."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from vanishing.live.artists.binding import bind_artist
from vanishing.live.artists.bound import Bound, Outputs
from vanishing.live.artists.cursor import Cursor
from vanishing.live.artists.marks import BoundRule
from vanishing.live.page.svg import check_figure, points, themed_svg


class Layout:
    """A matplotlib figure, what its artists show, and which of its rules stand for sliders.

    Args:
        fig, bind, pick: as in `LiveFigure`.
        name: of the live figure; the ids of its artists begin with it.
        outputs: of the first picture, which is drawn.
        sliders: names of the sliders that a rule may stand for.

    Attributes:
        fig: the figure, its limits and its layout frozen.
        bounds: artists with the outputs that they show.
        picks: what the host needs to turn a tap into a control's value.
        cursor: what it needs to mark one number in several panels, or None.

    Raises:
        TypeError: if something is of the wrong kind.
        ValueError: if artists, outputs, sizes or sliders do not fit.
    """

    def __init__(
        self,
        fig: Figure,
        bind: Mapping[Any, Any],
        pick: Mapping[Any, str] | None = None,
        *,
        name: str,
        outputs: Outputs,
        sliders: Sequence[str],
    ) -> None:
        self.fig, self.name = check_figure(fig), name
        self.bounds = self._bind(bind, {key: value.shape for key, value in outputs.items()})
        self._freeze()
        self.cursor = self._cursor(bind, outputs)
        self.picks = [self._pick(*pair, sliders) for pair in (pick or {}).items()]
        self.draw(outputs)

    def _bind(self, bind: Mapping[Any, Any], shapes: Mapping[str, tuple]) -> list[Bound]:
        """Pair the artists of this figure with the outputs they show."""
        if not isinstance(bind, Mapping):
            raise TypeError(
                f"bind: expected a mapping from artists to outputs; got {type(bind).__name__}. "
                'Write {line: "y"}.'
            )
        bounds = [
            bind_artist(artist, target)
            for artist, target in bind.items()
            if not isinstance(artist, Cursor)
        ]
        for bound in bounds:
            if any(artist.figure is not self.fig for artist in bound.artists):
                raise ValueError(
                    f"bind: expected artists of this figure; got a {type(bound.artist).__name__} "
                    "of another. Draw it in the figure that you pass."
                )
            bound.check(shapes)
        return bounds

    def _cursor(self, bind: Mapping[Any, Any], outputs: Outputs) -> dict | None:
        """What the host needs for the cursor, if one is bound."""
        cursors = [artist for artist in bind if isinstance(artist, Cursor)]
        if len(cursors) > 1:
            raise ValueError(
                f"bind: expected one cursor; got {len(cursors)}. Name all places in one of them."
            )
        return cursors[0].spec(bind[cursors[0]], self.bounds, outputs) if cursors else None

    def _freeze(self) -> None:
        """Keep limits and layout, so that two settings compare honestly."""
        plt.close(self.fig)  # else the notebook shows it a second time, still
        for ax in self.fig.axes:
            ax.set(xlim=ax.get_xlim(), ylim=ax.get_ylim())
        with points(self.fig):
            self.fig.draw_without_rendering()
        self.fig.set_layout_engine("none")

    def _pick(self, rule: Any, control: str, sliders: Sequence[str]) -> dict[str, Any]:
        """What the host needs to turn a tap in the rule's axes into the control's value."""
        bound = next((b for b in self.bounds if b.artist is rule), None)
        if not isinstance(bound, BoundRule) or control not in sliders:
            raise ValueError(
                f"pick: expected a bound axvline or axhline and one of the sliders {sliders}; got "
                f"{type(rule).__name__} and {control!r}. Bind the rule, and pair it with a slider."
            )
        return {"control": control, **bound.place()}

    def draw(self, outputs: Outputs) -> None:
        """Move the matplotlib artists to `outputs`: by name, of the shapes that compute returns."""
        for bound in self.bounds:
            bound.apply(outputs)

    def drawn(self) -> dict[str, set[str]]:
        """Output that is drawn → the kinds of artists that draw it."""
        kinds: dict[str, set[str]] = {}
        for bound in self.bounds:
            for name in bound.drawn():
                kinds.setdefault(name, set()).add(bound.kind)
        return kinds

    def _ids(self, row: int) -> list[str]:
        return [f"{self.name}-{row}-{k}" for k in range(len(self.bounds[row].artists))]

    def spec(self) -> dict[str, Any]:
        """What the host needs to move the artists, and to read a tap."""
        artists = [bound.spec(self._ids(row)) for row, bound in enumerate(self.bounds)]
        return {"artists": artists, "picks": self.picks, "cursor": self.cursor}

    def svg(self, outputs: Outputs, alt: str, prefix: str) -> str:
        """The picture of `outputs` as SVG, in points; ids begin with `prefix`."""
        keep = []
        for row, bound in enumerate(self.bounds):
            for artist, name in zip(bound.artists, self._ids(row), strict=True):
                artist.set_gid(name)
                keep.append(name)
        self.draw(outputs)
        svg = themed_svg(self.fig, alt, prefix=prefix, keep=keep)
        empty = rf'<g id="{re.escape(prefix)}([^"]*)">(?:<defs>.*?</defs>)?<g[^>]*/></g>'
        for name in re.findall(empty, svg):
            raise ValueError(
                f"bind: expected markers of which one at least lies in the figure; got none of "
                f"{name} there, and the page would have nothing to move. Draw one of them in the "
                "first picture, outside of the axes if it is not to be seen."
            )
        return svg
