"""Words beside what they name: at the ends of lines, at a value, along an axis."""

import textwrap
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.text import Annotation
from matplotlib.transforms import ScaledTranslation
from scipy.optimize import isotonic_regression

from vanishing.book.asking import GIVEN
from vanishing.live.palette import NEUTRAL

# Points from the end of a line to its word, and between the baselines of two words.
_GAP, _LEADING = 6.0, 13.0
# A line that ends farther from the edge, as a share of the axes, is led to its word.
_FAR = 0.1
# In a figure for a phone, long words beside a line would leave no room to the line.
_NARROW, _LONG, _LETTERS_BESIDE = 5.0, 18, 16  # inches, letters
# Of text of 10 points, less the room that ticks and labels beside the axes take.
_LETTERS_PER_INCH = 10


def spread(
    wanted: Float[np.ndarray, " n"], least: float, low: float, high: float
) -> Float[np.ndarray, " n"]:
    """The places nearest to those wanted of which no two are closer than `least`.

        min Σ (x_i − w_i)²   with   x_(i+1) − x_(i) ≥ least   in the order of w,   low ≤ x ≤ high

    With y_i = x_(i) − i·least that is a monotone regression between two bounds, which is the
    unbounded one clipped to them.

    Args:
        wanted: places in any order.
        least: the smallest distance between two of them, in the same unit.
        low, high: the ends of the room. Where it is too small for all, they begin at `low`.

    >>> spread(np.array([0.0, 1.0, 9.0]), 4.0, -9.0, 9.0).tolist()
    [-1.5, 2.5, 9.0]
    >>> spread(np.array([0.0, 1.0, 9.0]), 4.0, 0.0, 9.0).tolist()
    [0.0, 4.0, 9.0]
    """
    order = np.argsort(wanted, kind="stable")
    steps = least * np.arange(len(wanted))
    free = isotonic_regression(wanted[order] - steps).x
    places = np.empty(len(wanted))
    places[order] = np.clip(free, low, max(low, high - steps[-1])) + steps
    return places


def _end(line: Line2D, side: str) -> tuple[float, float]:
    """The outermost point of a line that can be drawn, in data units."""
    x, y = (np.asarray(values, float) for values in line.get_data())
    seen = np.flatnonzero(
        np.isfinite(line.axes.transScale.transform(np.column_stack([x, y])).sum(1))
    )
    place = seen[np.argmax(x[seen]) if side == "right" else np.argmin(x[seen])]
    return x[place], y[place]


def label_lines(
    ax: Axes, lines: Sequence[Line2D] | None = None, *, side: str = "right"
) -> list[Annotation]:
    """Write each line's label beside its end, in its colour, and never one over another.

    The words stand at the edge; a line that ends far from it is led there by a thin one.
    Takes the place of a legend. Set the limits of the axes first: the words are placed for them.

    Args:
        ax: the axes.
        lines: which of them; those with a label where None.
        side: "right" or "left": at which end.

    Returns:
        The words, in the order of the lines.

    >>> from matplotlib.figure import Figure
    >>> ax = Figure().subplots()
    >>> _ = ax.plot([1, 2], [3.0, 3.0], label="theory"), ax.plot([1, 2], [3.0, 3.01], label="real")
    >>> [word.get_text() for word in label_lines(ax)]
    ['theory', 'real']
    """
    if lines is None:
        lines = [line for line in ax.lines if not line.get_label().startswith("_")]
    if not lines:
        return []
    words = [str(line.get_label()) for line in lines]
    if ax.figure.get_figwidth() < _NARROW:
        words = [textwrap.fill(w, _LETTERS_BESIDE) if len(w) > _LONG else w for w in words]
    leading = _LEADING * max(word.count("\n") + 1 for word in words)
    ax.figure.draw_without_rendering()  # the layout decides how far apart two values are
    ends = np.array([_end(line, side) for line in lines])
    scale = 72 / ax.figure.dpi
    pixels = ax.transData.transform(ends) * scale
    low, high = (np.array(ax.get_window_extent().extents)[[1, 3]]) * scale
    places = spread(np.clip(pixels[:, 1], low, high), leading, low, high)
    edge, gap = (1.0, _GAP) if side == "right" else (0.0, -_GAP)
    beside = ax.transAxes + ScaledTranslation(gap / 72, 0, ax.figure.dpi_scale_trans)
    inside = np.abs(ax.transAxes.inverted().transform(pixels / scale)[:, 0] - edge)
    lead = {"arrowstyle": "-", "linewidth": 0.6, "alpha": 0.6, "relpos": (1 - edge, 0.5)}
    return [
        ax.annotate(
            word,
            tuple(end),
            xytext=(edge, (place - low) / (high - low)),
            textcoords=beside,
            va="center",
            ha="left" if side == "right" else "right",
            color=line.get_color(),
            annotation_clip=False,
            arrowprops=lead | {"color": line.get_color()} if away > _FAR else None,
        )
        for line, word, end, place, away in zip(lines, words, ends, places, inside, strict=True)
    ]


def axis_titles(ax: Axes, *, x: str | None = None, y: str | None = None) -> None:
    """What the axes measure, both to be read along: x under its axis, y over its own.

    >>> from matplotlib.figure import Figure
    >>> ax = Figure().subplots()
    >>> axis_titles(ax, x="layer", y="gradient")
    >>> ax.get_xlabel(), ax.get_title(loc="left")
    ('layer', 'gradient')
    """
    place = ax.get_subplotspec()
    share = len(place.colspan) / place.get_gridspec().ncols
    letters = int(_LETTERS_PER_INCH * ax.figure.get_figwidth() * share)
    if x is not None:
        ax.set_xlabel(textwrap.fill(x, letters))
    if y is not None:
        ax.set_title(textwrap.fill(y, letters), loc="left")


def legend_above(ax: Axes) -> None:
    """A legend in the line of the title, at its right end: no line that moves runs into it.

    >>> from matplotlib.figure import Figure
    >>> ax = Figure().subplots()
    >>> _ = ax.plot([1, 2], label="dead")
    >>> legend_above(ax)
    >>> [word.get_text() for word in ax.get_legend().get_texts()]
    ['dead']
    """
    names = len(ax.get_legend_handles_labels()[1])
    ax.legend(loc="lower right", bbox_to_anchor=(1, 1.02), ncols=names, borderaxespad=0)


def reference(ax: Axes, value: float, words: str, *, axis: str = "y", side: str = "right") -> None:
    """A thin dashed line at a value that matters, with the words for it.

    It is given, not measured: a reader who draws a prediction sees it (`asking`).

    Args:
        ax: the axes.
        value: where, in data units.
        words: what stands there.
        axis: "y" for a level, "x" for an upright.
        side: where the words of a level stand: over its right end, or under its left one.
    """
    ink, paper = NEUTRAL["ink"].light, NEUTRAL["surface"].light
    if axis == "y":
        ax.axhline(value, color=ink, linestyle="--", linewidth=1, gid=GIVEN)
        coordinates = ("axes fraction", "data")
        if side == "right":
            at, placed = (1, value), {"xytext": (0, 3), "ha": "right", "va": "bottom"}
        else:
            at, placed = (0, value), {"xytext": (0, -3), "ha": "left", "va": "top"}
    else:
        ax.axvline(value, color=ink, linestyle="--", linewidth=1, gid=GIVEN)
        at, coordinates = (value, 1), ("data", "axes fraction")
        placed = {"xytext": (3, 0), "ha": "left", "va": "top"}
    placed |= {"xycoords": coordinates, "textcoords": "offset points"}
    # Curves that pass behind the words are paler there.
    placed["bbox"] = {"facecolor": paper, "edgecolor": "none", "alpha": 0.6, "pad": 0.5}
    ax.annotate(words, at, gid=GIVEN, **placed)


def note(
    ax: Axes, words: str, at: tuple[float, float], *, to: tuple[float, float] = (0, 14), **how
):
    """The one number that matters, at the place where it is.

    Args:
        ax: the axes.
        words: what to say.
        at: the point spoken of, in data units.
        to: where the words stand, in points from it; a thin line leads back.
        how: anything that `Axes.annotate` takes.
    """
    line = {"arrowstyle": "-", "linewidth": 0.8, "color": NEUTRAL["rule"].light, "shrinkB": 3}
    return ax.annotate(words, at, xytext=to, textcoords="offset points", arrowprops=line, **how)
