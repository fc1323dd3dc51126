"""The static figures of the chapter on dead neurons."""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float
from matplotlib.ticker import LogLocator, NullFormatter

from vanishing._types import AnyArray
from vanishing.book.labels import axis_titles, label_lines
from vanishing.book.style import (
    COLOURS,
    PUBLISHED,
    THEORY,
    Figure,
    canvas,
    is_narrow,
    layer_colours,
    picture,
)
from vanishing.studies.intervals import Share, of_median

#: A colour for each optimiser, the same in every figure of the chapter.
OPTIMISERS = {
    "gradient descent": COLOURS["blue"],
    "momentum": COLOURS["green"],
    "momentum, memory erased": COLOURS["purple"],
    "Adam": COLOURS["pink"],
}


@picture
def by_layer(
    shares: Mapping[str, Sequence[Share]],
    *,
    ylabel: str,
    expected: Float[AnyArray, " depth"] | None = None,
) -> Figure:
    """A share of the units, layer by layer, each with its 95% interval.

    Args:
        shares: label → one `Share` a layer; layers without a trial are left out. An optimiser
            has its own colour.
        ylabel: what the share is of.
        alt: text alternative.
        expected: what a theory gives, drawn dashed.
    """
    figure, ax = canvas()
    lines = []
    for k, (label, layers) in enumerate(shares.items()):
        known = [(layer, share) for layer, share in enumerate(layers, 1) if share.of]
        place = np.array([layer for layer, _ in known]) + 0.12 * (k - (len(shares) - 1) / 2)
        middle = 100 * np.array([share.value for _, share in known])
        ends = 100 * np.array([(share.low, share.high) for _, share in known]).T
        reach = np.maximum(np.stack([middle - ends[0], ends[1] - middle]), 0)
        look = {"markersize": 4, "capsize": 2.5, "linewidth": 1, "color": OPTIMISERS.get(label)}
        lines.append(ax.errorbar(place, middle, reach, fmt="o-", **look).lines[0])
        lines[-1].set_label(label)
    if expected is not None:
        law = 100 * np.asarray(expected)
        place = np.arange(1, len(law) + 1)
        lines += ax.plot(place, law, color=COLOURS["ink"], label="theory", **THEORY)
    ax.set_ylim(-2, None)
    depth = max(len(layers) for layers in shares.values())
    ax.set_xticks(range(1, 1 + depth, 2 if is_narrow() and depth > 8 else 1))
    label_lines(ax, lines)
    axis_titles(ax, x="layer", y=ylabel)
    return figure


@picture
def by_inputs(dead: Mapping[str, Float[AnyArray, " inputs"]]) -> Figure:
    """The share of dead units against the number of inputs that "dead" refers to.

    Args:
        dead: label of a layer, first layer first → share of units dead on the first 1, 2, 3, …
            inputs.
        alt: text alternative.
    """
    figure, ax = canvas()
    for (label, share), colour in zip(dead.items(), layer_colours(list(dead)), strict=True):
        inputs = np.arange(1, len(share) + 1)
        ax.semilogx(inputs, 100 * np.asarray(share), label=label, color=colour)
    ax.set(xlim=(1, max(len(share) for share in dead.values())), ylim=(0, 60))
    label_lines(ax)
    axis_titles(ax, x="number of inputs", y="units dead on all of them, %")
    return figure


@picture
def by_width(
    widths: Sequence[int],
    measured: Mapping[str, Sequence[Share]],
    laws: Mapping[str, Sequence[float]],
    published: Mapping[str, Mapping[int, float]],
) -> Figure:
    """A share of the networks against the width of their layers, with its 95% interval.

    Args:
        widths: units a layer.
        measured: label → one `Share` a width.
        laws: label → what a theory gives for each width, drawn dashed.
        published: label → width → what others measured, drawn as rings.
        alt: text alternative.
    """
    figure, ax = canvas()
    ax.set(yscale="log", xlim=(min(widths) - 0.3, max(widths) + 0.3), ylim=(0.03, 130))
    lines = []
    for label, shares in measured.items():
        middle, low, high = 100 * np.array([(s.value, s.low, s.high) for s in shares]).T
        reach = np.maximum(np.stack([middle - low, high - middle]), 0)
        bars = ax.errorbar(widths, middle, reach, fmt="o-", markersize=4, capsize=2.5, linewidth=1)
        lines.append(bars.lines[0])
        lines[-1].set_label(label)
        colour = lines[-1].get_color()
        if label in laws:
            ax.plot(widths, 100 * np.array(laws[label]), color=colour, **THEORY)
        for width, share in published.get(label, {}).items():
            ax.plot(width, 100 * share, color=colour, **PUBLISHED)
    ax.set_xticks(list(widths))
    label_lines(ax, lines)
    axis_titles(ax, x="units a layer, N", y="networks born dead, %")
    return figure


@picture
def compared(
    samples: Mapping[str, Float[AnyArray, " seeds"]], *, xlabel: str, log: bool = True
) -> Figure:
    """A number for each seed and label: points, the median as a bar, and its 95% interval.

    Args:
        samples: label → a value a seed; six of them at least, for an interval.
        xlabel: what the number is.
        alt: text alternative.
        log: whether the axis is logarithmic.
    """
    figure, ax = canvas(height=0.9 + 0.42 * len(samples))
    for row, (_, values) in enumerate(samples.items()):
        ax.plot(
            values, np.full(len(values), row), "o", color=COLOURS["blue"], markersize=4, alpha=0.6
        )
        median, low, high = of_median(values)
        ax.plot([median] * 2, (row - 0.3, row + 0.3), color=COLOURS["ink"])
        ax.plot((low, high), [row + 0.3] * 2, color=COLOURS["ink"], linewidth=1)
    ax.set(ylim=(len(samples) - 0.5, -0.5))
    axis_titles(ax, x=xlabel)
    if log:
        ax.set_xscale("log")
        decades = np.ptp(np.log10(np.concatenate(list(samples.values()))))
        ax.xaxis.set_major_locator(LogLocator(subs=(1.0, 3.0) if decades < 2 else (1.0,)))
        ax.xaxis.set_minor_formatter(NullFormatter())
    ax.set_yticks(range(len(samples)), list(samples))
    ax.grid(axis="y", visible=False)
    return figure
