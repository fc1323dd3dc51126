"""The house style, and the static figures: one function a figure, each returns a `Picture`."""

import os
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from functools import wraps
from typing import Any, NamedTuple, TypeVar
from zlib import crc32

import matplotlib as mpl
import numpy as np
from jaxtyping import Float, Int, Shaped
from matplotlib.figure import Figure

from vanishing._types import AnyArray
from vanishing.book import address
from vanishing.book.asking import Ask, waiting
from vanishing.book.labels import axis_titles, label_lines
from vanishing.live import LiveFigure, Prediction, figure, predict
from vanishing.live.page.svg import png, themed_svg
from vanishing.live.palette import COLOURS, LAYERS, STYLE

#: One colour for each activation, everywhere.
ACTIVATIONS: dict[str, str] = {
    "sigmoid": COLOURS["purple"],
    "tanh": COLOURS["blue"],
    "relu": COLOURS["green"],
    "leaky_relu": COLOURS["olive"],
    "elu": COLOURS["cyan"],
    "selu": COLOURS["indigo"],
    "gelu": COLOURS["pink"],
    "silu": COLOURS["brown"],
    "linear": COLOURS["slate"],
}
#: How the activations are called in figures and tables.
LABELS: dict[str, str] = {
    "sigmoid": "sigmoid",
    "tanh": "tanh",
    "relu": "ReLU",
    "leaky_relu": "Leaky ReLU",
    "elu": "ELU",
    "selu": "SELU",
    "gelu": "GELU",
    "silu": "SiLU",
    "linear": "linear",
}
DEAD, SATURATED = COLOURS["vermilion"], COLOURS["gold"]
#: The same network twice: as it began or went untreated, and as it is now or cured.
BEFORE, NOW = COLOURS["slate"], COLOURS["blue"]
#: What is measured is solid; theory is dashed, this machine's rounding dotted, and a published
#: number is a ring.
THEORY = {"linestyle": "--", "linewidth": 1.2}
ROUNDING = {"linestyle": ":", "linewidth": 1.2}
PUBLISHED = {"marker": "o", "fillstyle": "none", "markersize": 9, "linestyle": "none"}

Drawn = TypeVar("Drawn")
NATS_PER_DECADE = np.log(10)


class Layout(NamedTuple):
    """How wide a figure is, and whether its panels stand one under another.

    Attributes:
        width: inches.
        stacked: panels that stand side by side on a wide page go one under another.
        tallest: inches; no figure is higher.
    """

    width: float
    stacked: bool = False
    tallest: float = np.inf


COLUMN, PHONE = Layout(7.0), Layout(3.6, stacked=True)  # the text column of a page; a phone's
WIDTH = COLUMN.width
#: A slide of 1280 × 720, of which 24 pixels are ten points: all of it under its title, and what
#: the controls of a live figure leave beside them (_ext/deck_theme/deck.css).
SLIDE, SLIDE_BESIDE = Layout(6.8, tallest=2.95), Layout(4.95, tallest=2.72)
_LAYOUT: ContextVar[Layout] = ContextVar("layout", default=COLUMN)


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

    In the page it is inline SVG whose colours follow the theme, in two layouts of which the
    page's width chooses one; where only images can be shown, it is a PNG.

    Attributes:
        figure: the matplotlib figure, to be changed at will.
        alt: what there is to see, for those who do not see it.
        narrow: the same in a layout for narrow screens, or None.
    """

    figure: Figure
    alt: str
    narrow: Figure | None = None

    def _repr_html_(self) -> str:
        # Matplotlib names clip paths and markers by their content: the same in every figure.
        prefix = f"p{crc32(self.alt.encode()):x}-"
        wide = themed_svg(self.figure, self.alt, prefix=prefix)
        if self.narrow is None or os.environ.get("VANISHING_LIVE") != "page":
            return wide  # elsewhere no stylesheet would hide one of the two
        narrow = themed_svg(self.narrow, self.alt, prefix=f"n{prefix}")
        return f'<div class="vg-wide">{wide}</div><div class="vg-narrow">{narrow}</div>'

    def _repr_png_(self) -> bytes:
        return png(self.figure)


def _in_layouts(draw: Callable[..., Drawn], *args, answers: bool = False, **named) -> list[Drawn]:
    """What `draw` draws in the house style for the column, and for a phone; on slides for these.

    Args:
        draw, args, named: the function and its arguments.
        answers: whether controls will stand beside the figure.
    """
    on_slides = os.environ.get("VANISHING_LIVE") == "slide"
    drawn = []
    for layout in ((SLIDE_BESIDE if answers else SLIDE),) if on_slides else (COLUMN, PHONE):
        token = _LAYOUT.set(layout)
        try:
            drawn.append(house_style(draw)(*args, **named))
        finally:
            _LAYOUT.reset(token)
    return drawn


def picture(draw: Callable[..., Figure]) -> Callable[..., Any]:
    """Decorate a function that draws a figure: it draws in the house style, once for the column
    and once for a phone, takes the text alternative `alt` too, and returns a `Picture`.

    With an `Ask` as `ask` it returns a `Prediction`: the same figure, whose measurement waits
    until the reader has drawn what they expect.

    >>> @picture
    ... def half():
    ...     figure, ax = canvas()
    ...     ax.plot([0, 1], [0, 0.5], label="half")
    ...     return figure
    >>> drawn = half(alt="A line that rises.")
    >>> [float(figure.get_figwidth()) for figure in (drawn.figure, drawn.narrow)]
    [7.0, 3.6]
    >>> half(alt="A line that rises.", ask=Ask("half", "How far?", {"half": 1})).spec["handles"]
    [{'label': 'half', 'series': 0, 'x': 1.0, 'truth': 0.5}]
    """

    @wraps(draw)
    def drawn(*args, alt: str, ask: Ask | None = None, **named) -> Picture | Prediction:
        figures = _in_layouts(draw, *args, answers=ask is not None, **named)
        if ask is None:
            wide, *narrow = figures
            return Picture(wide, alt, *narrow)
        return predict(
            *((figure, waiting(figure, ask)) for figure in figures),
            at=ask.handles,
            name=ask.name,
            question=ask.question,
            alt=alt,
            known=ask.known,
            form=ask.form,
            unit=ask.unit,
        )

    return drawn


def live_figure(
    draw: Callable[..., tuple], compute: Any, controls: Sequence, **options
) -> LiveFigure:
    """A live figure that is drawn in the house style, once for the column and once for a phone.

    Args:
        draw: returns `(figure, bind)` or `(figure, bind, pick)` as `vg.live.figure` takes them;
            `is_narrow()` tells it for which of the two it draws.
        compute, controls, options: of `vg.live.figure`.

    Returns:
        A `LiveFigure`; the last value of a cell shows it.
    """
    (wide, bind, *pick), *others = _in_layouts(draw, answers=True)
    picks = {"pick": pick[0]} if pick else {}
    narrow = others[0] if others else None
    return figure(
        wide, compute, controls, bind, narrow=narrow,
        **address.figure(draw.__module__), **picks, **options,
    )  # fmt: skip


def canvas(height: float = 3.4, columns: int = 1, rows: int = 1, **options):
    """A figure as wide as the layout and its axes, for functions that draw in the house style.

    Args:
        height: inches; on a phone, panels of a row stand one under another and the figure is as
            many times higher.
        columns, rows: panels; the array of axes has that shape in every layout.
        options: for `Figure.subplots`.

    >>> figure, left_and_right = canvas(columns=2)
    >>> len(left_and_right)
    2
    """
    width, stacked, tallest = _LAYOUT.get()
    if stacked and columns > 1 and rows == 1:
        figure = Figure(figsize=(width, 0.85 * height * columns), layout="constrained")
        axes = figure.subplots(columns, 1, **options)
        return figure, axes.T if getattr(axes, "ndim", 1) == 2 else axes
    figure = Figure(figsize=(width, min(height, tallest)), layout="constrained")
    return figure, figure.subplots(rows, columns, **options)


def is_narrow() -> bool:
    """Whether a figure for a narrow screen is being drawn: fewer ticks, shorter words."""
    return _LAYOUT.get() is PHONE


def is_slide() -> bool:
    """Whether a figure for a slide is being drawn: half as high as on a page."""
    return _LAYOUT.get() in (SLIDE, SLIDE_BESIDE)


def mosaic(layout: Sequence[Sequence[str]], height: float = 3.4, **options):
    """A figure like that of `canvas`, its axes laid out and named as in `layout`.

    >>> figure, axes = mosaic([["wide", "wide"], ["left", "right"]])
    >>> sorted(axes)
    ['left', 'right', 'wide']
    """
    width, _, tallest = _LAYOUT.get()
    figure = Figure(figsize=(width, min(height, tallest)), layout="constrained")
    return figure, figure.subplot_mosaic(layout, **options)


def layer_colours(numbers: Sequence) -> list[str]:
    """A colour for each of some layers, from first to last along the ordered scale.

    >>> layer_colours([1, 30]) == [COLOURS["layer-1"], COLOURS["layer-7"]]
    True
    """
    places = np.round(np.linspace(1, len(LAYERS), max(len(numbers), 2))).astype(int)
    return [COLOURS[f"layer-{place}"] for place in places[: len(numbers)]]


@picture
def gradient_by_layer(
    measured: Mapping[str, Float[AnyArray, " depth"]],
    expected: Mapping[str, Float[AnyArray, " depth"]] | None = None,
) -> Figure:
    """Powers of ten that the gradient has gained or lost on its way from the last layer.

    Args:
        measured: label → ln RMS of δ_l, layer 1 first, as `probe` gives it. A label that names
            an activation gets that one's colour.
        expected: label → the same from a theory, drawn dashed; in the colour of the measured
            curve of that label, or in ink where there is none.
        alt: text alternative.
    """
    figure, ax = canvas()
    colours, named = {}, []
    for label, log in measured.items():
        colour = ACTIVATIONS.get(label, COLOURS["ink"] if len(measured) == 1 else None)
        words = LABELS.get(label, label)
        (line,) = ax.plot(layers(log), _decades(log), label=words, color=colour)
        colours[label] = line.get_color()
        named.append(line)
    for label, log in (expected or {}).items():
        colour = colours.get(label, COLOURS["ink"])
        # One name, one line: the label is that of the measured curve where there is one.
        name = f"_{label}" if label in colours else label
        (line,) = ax.plot(layers(log), _decades(log), label=name, color=colour, **THEORY)
        named += [line] if label not in colours else []
    axis_titles(ax, x="layer", y="gradient, powers of ten from the last layer")
    ax.set_xlim(1, max(len(log) for log in measured.values()))
    label_lines(ax, named, side="left")
    ax.yaxis.tick_right()
    return figure


def layers(values: Shaped[AnyArray, "depth ..."]) -> Int[np.ndarray, " depth"]:
    """1, 2, … L for an array over L layers."""
    return np.arange(1, len(values) + 1)


def _decades(log: Float[AnyArray, " depth"]) -> np.ndarray:
    return (np.asarray(log) - np.asarray(log)[-1]) / NATS_PER_DECADE


class Claim(NamedTuple):
    """A published number or law, what was measured here, and how far apart they may lie.

    Attributes:
        source: who says what, in a few words; "law of" or "settings of" them where they do not
            print the number.
        published: their number, or what their law gives at their settings.
        measured: ours.
        tolerance: accepted relative difference.
    """

    source: str
    published: float
    measured: float
    tolerance: float


@picture
def published_beside_measured(claims: Sequence[Claim]) -> Figure:
    """Measured over published for each claim, a ring at 1 and the accepted range around it."""
    # Words stand over the bars, beside which a phone has no room, and there over the numbers too.
    height, words = (0.75, 0.54) if is_narrow() else (0.5, 0.28)
    figure, ax = canvas(height=0.9 + height * len(claims))
    along = ax.get_yaxis_transform()
    for row, claim in enumerate(claims):
        low, span = 1 - claim.tolerance, 2 * claim.tolerance
        ax.barh(row, span, left=low, height=0.36, color=COLOURS["grid"])
        ax.plot(1, row, color=COLOURS["ink"], **PUBLISHED)
        ax.plot(claim.measured / claim.published, row, "o", color=COLOURS["blue"], markersize=5)
        numbers = f"{claim.published:.4g} | {claim.measured:.4g}".replace("-", "−")
        ax.text(0, row - words, claim.source, transform=along)
        ax.text(1, row - 0.28, numbers, transform=along, ha="right")
    ax.set(ylim=(len(claims) - 0.5, -0.9), yticks=[])
    axis_titles(ax, x="measured / published (ring)")
    return figure
