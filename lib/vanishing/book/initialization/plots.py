"""The static figures of the chapter on initialisation."""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float
from matplotlib.ticker import LogFormatterSciNotation, MaxNLocator

from vanishing._types import AnyArray
from vanishing.book.labels import axis_titles, label_lines, note, reference
from vanishing.book.style import (
    ACTIVATIONS,
    COLOURS,
    LABELS,
    THEORY,
    Figure,
    canvas,
    layers,
    picture,
)
from vanishing.studies import intervals
from vanishing.studies.starts import Broken
from vanishing.training.tuning import Tuned


@picture
def recipes(
    square: Mapping[str, Float[AnyArray, " depth"]], varies: Mapping[str, Float[AnyArray, " depth"]]
) -> Figure:
    """What three recipes keep: the mean square of the outputs, and what of it differs.

    Args:
        square: activation → mean of h_l² over units and inputs, layer 1 first.
        varies: activation → variance of h_l over the inputs, averaged over the units.
        alt: text alternative.
    """
    figure, axes = canvas(columns=2, height=3.2, sharey=True)
    titles = ("mean square of the outputs", "their variance over the inputs")
    for ax, values, title in zip(axes, (square, varies), titles, strict=True):
        for name, by_layer in values.items():
            look = {"color": ACTIVATIONS[name], "label": LABELS[name]}
            ax.semilogy(layers(by_layer), by_layer, **look)
        ax.set(xlim=(1, max(map(len, values.values()))), ylim=(1e-25, 1e2))
        ax.xaxis.set_major_locator(MaxNLocator(5, integer=True))
        label_lines(ax)
        axis_titles(ax, x="layer", y=title)
    return figure


@picture
def broken(found: Mapping[str, Broken], words: Mapping[str, str]) -> Figure:
    """Each assumption broken: powers of ten that ten layers gain, measured beside the law.

    Args:
        found: from `starts.broken_assumptions`.
        words: what to call each.
        alt: text alternative.
    """
    figure, ax = canvas(height=0.9 + 0.55 * len(found))
    along = ax.get_yaxis_transform()
    for row, (name, case) in enumerate(found.items()):
        seen = intervals.of_mean(case.measured)
        ax.plot([case.law] * 2, [row - 0.25, row + 0.25], color=COLOURS["ink"], **THEORY)
        ax.plot([seen.low, seen.high], [row] * 2, color=COLOURS["blue"])
        ax.plot(seen.value, row, "o", color=COLOURS["blue"], markersize=5)
        ax.text(0, row - 0.3, words[name], transform=along)
        ax.text(1, row - 0.3, f"{seen.value:+.1f}".replace("-", "−"), transform=along, ha="right")
    rows = np.arange(len(found))  # between them stand the words
    ax.vlines(np.zeros(len(rows)), rows - 0.25, rows + 0.25, color=COLOURS["rule"], linewidth=0.8)
    ax.set(xlim=(-8, 24), ylim=(len(found) - 0.5, -0.9), yticks=[])
    axis_titles(ax, x="powers of ten gained by the mean square in ten layers")
    return figure


@picture
def losses(
    curves: Mapping[str, Float[AnyArray, "seeds records"]],
    steps: Sequence[int],
    *,
    guess: float,
    top: float = 1.2,
) -> Figure:
    """Loss through training: a thin line a network, a thick one the median.

    Args:
        curves: label → loss of each network at each record.
        steps: at which the records were made.
        guess: the loss of guessing, drawn as a reference.
        top: where the axis ends.
        alt: text alternative.
    """
    figure, ax = canvas()
    colours = (COLOURS["slate"], COLOURS["green"])
    lines = []
    for colour, (label, runs) in zip(colours, curves.items(), strict=True):
        ax.plot(steps, np.asarray(runs).T, color=colour, linewidth=0.7, alpha=0.45)
        lines += ax.plot(steps, np.median(runs, axis=0), color=colour, label=label)
    ax.set(xlim=(0, steps[-1]), ylim=(0, top))
    reference(ax, guess, "guessing")
    label_lines(ax, lines)
    axis_titles(ax, x="step", y="training loss")
    return figure


@picture
def disguised(parts: Mapping[str, Float[AnyArray, " depth"]]) -> Figure:
    """Powers of ten of several sizes by layer, each relative to its own largest.

    Args:
        parts: label → natural logarithm of a size, layer 1 first.
        alt: text alternative.
    """
    figure, ax = canvas()
    colours = (COLOURS["slate"], COLOURS["indigo"], COLOURS["blue"])
    for (label, log), colour in zip(parts.items(), colours, strict=True):
        decades = np.asarray(log) / np.log(10)
        ax.plot(layers(log), decades - decades.max(), color=colour, label=label)
    ax.set_xlim(1, max(map(len, parts.values())))
    label_lines(ax)
    axis_titles(ax, x="layer", y="powers of ten below the largest")
    return figure


@picture
def rates(found: Mapping[str, Tuned], *, guess: float, worst: float = 3.0) -> Figure:
    """What every learning rate makes of a start, and the fresh runs at the best one.

    Args:
        found: label → `Tuned`, six of them.
        guess: the loss of guessing, drawn as a reference.
        worst: losses above it, and runs that were lost, stand there.
        alt: text alternative.
    """
    figure, ax = canvas(height=3.8)
    lines = []
    colours = [COLOURS[name] for name in ("slate", "cyan", "indigo", "blue", "olive", "green")]
    for (label, tuned), colour in zip(found.items(), colours, strict=True):
        middle = np.minimum(np.median(tuned.grid.loss, axis=1), worst)
        (line,) = ax.semilogx(
            tuned.grid.rates, middle, "o-", color=colour, markersize=3, label=label
        )
        fresh = intervals.of_median(tuned.loss)
        ends = np.clip([fresh.low, fresh.high], 0, worst)
        ax.plot([tuned.rate] * 2, ends, color=colour, linewidth=4, alpha=0.45)
        lines.append(line)
    ax.set(ylim=(0, worst * 1.04))
    ax.xaxis.set_major_formatter(LogFormatterSciNotation())
    reference(ax, guess, "guessing", side="left")
    label_lines(ax, lines)
    axis_titles(ax, x="learning rate", y="loss after training")
    return figure


@picture
def two_balances(rows: Mapping[str, tuple[float, float]]) -> Figure:
    """For each activation the variance that keeps the signal, and the one that keeps the gradient.

    Args:
        rows: activation → n times the variance for the way up, and for the way back.
        alt: text alternative.
    """
    figure, ax = canvas(height=0.9 + 0.36 * len(rows))
    for row, (name, (up, back)) in enumerate(rows.items()):
        ax.plot([up, back], [row] * 2, color=COLOURS["grid"], linewidth=3, zorder=1)
        ax.plot(up, row, "^", color=ACTIVATIONS[name], markersize=7)
        ax.plot(back, row, "v", color=ACTIVATIONS[name], fillstyle="none", markersize=7)
    first = next(iter(rows.values()))
    note(ax, "signal", (first[0], 0), to=(0, 12), ha="center")
    note(ax, "gradient", (first[1], 0), to=(0, 12), ha="center")
    ax.set(xscale="log", ylim=(len(rows) - 0.5, -1.1))
    ax.set_yticks(range(len(rows)), [LABELS[name] for name in rows])
    ax.set_xticks([1, 2, 5, 10, 20], ["1", "2", "5", "10", "20"])
    ax.minorticks_off()
    ax.grid(axis="y", visible=False)
    axis_titles(ax, x="variance of a weight, times n")
    return figure
