"""The static figures of the chapter on the reader's own network."""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float

from vanishing.book.labels import axis_titles, label_lines
from vanishing.book.style import (
    BEFORE,
    COLOURS,
    NATS_PER_DECADE,
    NOW,
    Figure,
    canvas,
    picture,
)
from vanishing.inspection import Report

#: Where a panel of losses ends: in the first steps on raw pixels the loss is far above it.
TOP = 1e3


def by_turn(report: Report, parameter: str) -> Float[np.ndarray, " turns"]:
    """log₁₀ RMS of the gradient at one layer of a loop, first turn first."""
    rows = {
        layer.index: layer.log_gradient_rms / NATS_PER_DECADE
        for layer in report.layers
        if layer.kind == "layer" and layer.parameter == parameter
    }
    return np.array([rows[turn] for turn in sorted(rows)])


@picture
def gradient_by_turn(reports: Mapping[str, Report], parameter: str) -> Figure:
    """The gradient at one layer of a loop, turn by turn.

    Args:
        reports: label → report, the sick model first.
        parameter: `jax.tree_util.keystr` of the layer's weight.
        alt: text alternative.
    """
    figure, ax = canvas()
    for (label, report), colour in zip(reports.items(), (BEFORE, NOW), strict=True):
        sizes = by_turn(report, parameter)
        ax.plot(np.arange(1, len(sizes) + 1), sizes, label=label, color=colour)
    label_lines(ax, side="left")
    ax.yaxis.tick_right()
    axis_titles(ax, x="time step", y="log₁₀ gradient RMS")
    return figure


@picture
def losses(
    curves: Mapping[str, Float[np.ndarray, " steps"]], marks: Sequence[float] = ()
) -> Figure:
    """The loss through training, sick and cured; dotted where guessing lies.

    Args:
        curves: label → the loss before each step, the sick model first.
        marks: what guessing costs.
        alt: text alternative.
    """
    figure, ax = canvas(height=2.6)
    for (label, curve), colour in zip(curves.items(), (BEFORE, NOW), strict=True):
        ax.semilogy(np.asarray(curve), label=label, color=colour)
    for mark in marks:
        ax.axhline(mark, color=COLOURS["ink"], linewidth=0.8, linestyle=":")
    ax.set_ylim(top=TOP)
    label_lines(ax)
    axis_titles(ax, x="step", y="loss")
    return figure
