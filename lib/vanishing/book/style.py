"""The house style, and the static figures: one function a figure, each returns a `Picture`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import wraps
from io import BytesIO
from typing import NamedTuple, TypeVar
from zlib import crc32

import matplotlib as mpl
import numpy as np
from cycler import cycler
from jaxtyping import Array, Float
from matplotlib.figure import Figure

from vanishing.live.page.svg import themed_svg
from vanishing.live.palette import CYCLE, NEUTRAL

COLOURS: dict[str, str] = {name: colour.light for name, colour in {**CYCLE, **NEUTRAL}.items()}

STYLE = {
    "axes.prop_cycle": cycler(color=[COLOURS[name] for name in CYCLE]),
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": COLOURS["slate"],
    "axes.unicode_minus": True,
    "font.size": 10,
    "grid.color": COLOURS["grid"],
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "lines.linewidth": 1.8,
    "xtick.color": COLOURS["slate"],
    "ytick.color": COLOURS["slate"],
    "xtick.labelcolor": COLOURS["ink"],
    "ytick.labelcolor": COLOURS["ink"],
}
Drawn = TypeVar("Drawn")
WIDTH = 7.0  # inches: the text column of a page
NATS_PER_DECADE = np.log(10)


def house_style(draw: Callable[..., Drawn]) -> Callable[..., Drawn]:
    """Decorate a function that draws, so that it draws in the house style."""

    @wraps(draw)
    def styled(*args, **named) -> Drawn:
        with mpl.rc_context(STYLE):
            return draw(*args, **named)

    return styled


@dataclass(frozen=True)
class Picture:
    """A matplotlib figure with its text alternative; the value of a cell shows it.

    In the page it is inline SVG whose colours follow the theme; where only images can be shown,
    it is a PNG.

    Attributes:
        figure: the matplotlib figure, to be changed at will.
        alt: what there is to see, for those who do not see it.
    """

    figure: Figure
    alt: str

    def _repr_html_(self) -> str:
        # Matplotlib names clip paths and markers by their content: the same in every figure.
        return themed_svg(self.figure, self.alt, prefix=f"p{crc32(self.alt.encode()):x}-")

    def _repr_png_(self) -> bytes:
        buffer = BytesIO()
        self.figure.savefig(buffer, format="png", dpi=150)
        return buffer.getvalue()


def canvas(height: float = 3.4, columns: int = 1, rows: int = 1, **options):
    """A figure as wide as the text and its axes, for functions in the `house_style`.

    >>> figure, left_and_right = canvas(columns=2)
    >>> len(left_and_right)
    2
    """
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    return figure, figure.subplots(rows, columns, **options)


def mosaic(layout: Sequence[Sequence[str]], height: float = 3.4, **options):
    """A figure like that of `canvas`, its axes laid out and named as in `layout`.

    >>> figure, axes = mosaic([["wide", "wide"], ["left", "right"]])
    >>> sorted(axes)
    ['left', 'right', 'wide']
    """
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    return figure, figure.subplot_mosaic(layout, **options)


@house_style
def gradient_by_layer(
    measured: Mapping[str, Float[Array, " depth"]],
    expected: Mapping[str, Float[Array, " depth"]] | None = None,
    *,
    alt: str,
) -> Picture:
    """Powers of ten that the gradient has gained or lost on its way from the last layer.

    Args:
        measured: label → ln RMS of δ_l, layer 1 first, as `probe` gives it.
        expected: label → the same from a theory, drawn dashed; in the colour of the measured
            curve of that label, or in ink where there is none.
        alt: text alternative.
    """
    figure, ax = canvas()
    colours = {}
    for label, log in measured.items():
        (line,) = ax.plot(layers(log), _decades(log), label=label)
        colours[label] = line.get_color()
    for label, log in (expected or {}).items():
        own = {"label": label} if label not in colours else {}
        colour = colours.get(label, COLOURS["ink"])
        ax.plot(layers(log), _decades(log), "--", color=colour, linewidth=1.2, **own)
    ax.set(xlabel="layer", ylabel="powers of ten, from the last layer")
    ax.legend()
    return Picture(figure, alt)


def layers(log: Float[Array, " depth"]) -> np.ndarray:
    """1, 2, … L for an array over L layers."""
    return np.arange(1, len(log) + 1)


def _decades(log: Float[Array, " depth"]) -> np.ndarray:
    return (np.asarray(log) - np.asarray(log)[-1]) / NATS_PER_DECADE


class Claim(NamedTuple):
    """A published number, what was measured here, and how far apart they may lie.

    Attributes:
        source: who says what, in a few words.
        published: their number.
        measured: ours.
        tolerance: accepted relative difference.
    """

    source: str
    published: float
    measured: float
    tolerance: float


@house_style
def published_beside_measured(claims: Sequence[Claim], *, alt: str) -> Picture:
    """Measured over published for each claim, with the accepted range around 1."""
    figure, ax = canvas(height=0.9 + 0.5 * len(claims))
    along = ax.get_yaxis_transform()  # words stand over the bars: beside them a phone has no room
    for row, claim in enumerate(claims):
        low, span = 1 - claim.tolerance, 2 * claim.tolerance
        ax.barh(row, span, left=low, height=0.36, color=COLOURS["grid"])
        ax.plot(claim.measured / claim.published, row, "o", color=COLOURS["blue"])
        numbers = f"{claim.published:.4g} | {claim.measured:.4g}"
        ax.text(0, row - 0.28, claim.source, transform=along)
        ax.text(1, row - 0.28, numbers, transform=along, ha="right")
    ax.axvline(1, color=COLOURS["ink"], linewidth=1)
    ax.set(xlabel="measured / published", ylim=(len(claims) - 0.5, -0.9), yticks=[])
    return Picture(figure, alt)
