"""The static figures of the chapter on activation functions."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float

from vanishing import activations
from vanishing._types import AnyArray
from vanishing.book.labels import axis_titles, label_lines, note
from vanishing.book.style import (
    ACTIVATIONS,
    COLOURS,
    DEAD,
    NATS_PER_DECADE,
    ROUNDING,
    Figure,
    canvas,
    is_narrow,
    layers,
    picture,
)
from vanishing.book.style import LABELS as ALL_LABELS
from vanishing.studies import rounding
from vanishing.studies.comparisons import NAMES
from vanishing.studies.intervals import Interval

#: The eight of this chapter: the linear one, which bends nothing, is left out.
LABELS = {name: ALL_LABELS[name] for name in NAMES}


@picture
def gallery(zeros: Mapping[str, tuple[float, float]]) -> Figure:
    """φ and φ′ of the named activations, a panel each, with exact zeros of φ′ shaded.

    Args:
        zeros: name → from where on φ′ is exactly 0 to the left and to the right, ±inf if nowhere.
        alt: text alternative.
    """
    rows, columns = (4, 2) if is_narrow() else (2, 4)
    figure, panels = canvas(rows * 2.2, columns, rows, sharex=True, sharey=True)
    z = np.linspace(-20, 20, 2001, dtype=np.float32)
    for ax, (name, (left, right)) in zip(panels.flat, zeros.items(), strict=True):
        for low, high in ((-20, max(left, -20)), (min(right, 20), 20)):
            ax.axvspan(low, high, color=DEAD, alpha=0.22, linewidth=0)
        ax.plot(z, activations.get(name)(z), color=ACTIVATIONS[name])
        ax.plot(z, activations.derivative(name)(z), "--", color=ACTIVATIONS[name], linewidth=1.3)
        ax.set(xlim=(-20, 20), ylim=(-2.2, 3.2), xticks=(-15, 0, 15))
        axis_titles(ax, y=LABELS[name])
    panels[0, 0].annotate("φ", (-15, 0.15))
    note(panels[0, 0], "φ′ dashed", (0, 0.25), to=(-8, 22))
    for ax in panels[-1]:
        axis_titles(ax, x="pre-activation z")
    return figure


@picture
def staircase(end: float) -> Figure:
    """tanh′ as float32 computes it from 1 − tanh², from a correctly rounded tanh, and exactly.

    Args:
        end: from where on this machine's tanh′ is exactly zero.
        alt: text alternative.
    """
    figure, ax = canvas()
    z = np.linspace(5.5, 12, 4001, dtype=np.float32)
    ax.set(yscale="log", xlim=(5.5, 12), ylim=(1e-10, 1e-4))
    (exact,) = ax.plot(z, np.cosh(z.astype(float)) ** -2.0, color=COLOURS["ink"], label="exact")
    perfect, device = rounding.IDEAL["tanh"], activations.derivative("tanh")
    machine = {"color": ACTIVATIONS["tanh"], **ROUNDING}
    narrow = is_narrow()  # there the words stand one over the other, left of the exact line
    for label, slope, stop, look, words_at in (
        (
            "correctly\nrounded" if narrow else "correctly rounded tanh",
            perfect,
            rounding.zero_from(perfect),
            {"color": COLOURS["slate"], "linewidth": 1.2},
            {"to": (0, 14), "ha": "center"} if narrow else {"to": (14, 16), "ha": "left"},
        ),
        (
            "this machine",
            device,
            end,
            machine,
            {"to": (-48, 64), "ha": "left"} if narrow else {"to": (-14, 16), "ha": "right"},
        ),
    ):
        steps = np.asarray(slope(z))
        ax.plot(z, np.where(steps > 0, steps, np.nan), **look)
        if stop < z[-1]:
            ax.plot(stop, 1e-10, "x", color=DEAD, clip_on=False, zorder=3)
        words = f"{label}:\n{'' if narrow else 'exactly '}0 from {stop:.2f}"
        note(ax, words, (min(stop, 11.0), 1e-10), color=look["color"], **words_at)
    label_lines(ax, [exact])
    axis_titles(ax, x="pre-activation z", y="tanh′(z)")
    return figure


@picture
def zero_shares(
    measured: Mapping[str, Float[AnyArray, " scales"]],
    expected: Mapping[str, Float[AnyArray, " points"]],
    spreads: Float[AnyArray, " scales"],
    curve: Float[AnyArray, " points"],
) -> Figure:
    """Share of Gaussian pre-activations at which φ′ is exactly zero, against their spread.

    Args:
        measured: name → share counted on samples, drawn as dots.
        expected: name → share from the Gaussian's tail, drawn as lines.
        spreads: the standard deviations √q of the samples.
        curve: those of the lines.
        alt: text alternative.
    """
    figure, ax = canvas()
    ax.set(xscale="log", yscale="log", xlim=(min(curve), max(curve)), ylim=(1e-5, 1))
    lines = []
    for name, share in expected.items():
        look = {"color": ACTIVATIONS[name], "label": LABELS[name]}
        lines += ax.plot(curve, share, **look)
        seen = np.where(measured[name] > 0, measured[name], np.nan)
        ax.plot(spreads, seen, "o", markersize=4, color=look["color"])
    label_lines(ax, lines)
    axis_titles(ax, x="standard deviation of the pre-activations, √q", y="share with φ′ exactly 0")
    return figure


@picture
def gradients_by_gain(groups: Mapping[str, Mapping[str, Interval]]) -> Figure:
    """Powers of ten that the gradient gains or loses on its way from the last layer.

    Args:
        groups: what a panel shows → name → interval of ln RMS relative to the last layer, [depth].
        alt: text alternative.
    """
    figure, panels = canvas(columns=len(groups), height=3.8, sharey=True)
    for ax, (title, intervals) in zip(panels, groups.items(), strict=True):
        for name, (mean, low, high) in intervals.items():
            layer, look = layers(mean), {"color": ACTIVATIONS[name]}
            ax.plot(layer, mean / NATS_PER_DECADE, label=LABELS[name], **look)
            ends = (low / NATS_PER_DECADE, high / NATS_PER_DECADE)
            ax.fill_between(layer, *ends, alpha=0.3, linewidth=0, **look)
        ax.set(xlim=(1, len(mean)))
        ax.yaxis.tick_right()
        axis_titles(ax, x="layer", y=title)
    for ax in panels:
        label_lines(ax, side="left")
    return figure


@picture
def intervals(rows: Mapping[str, Interval], *, label: str) -> Figure:
    """A mean and its interval a row.

    Args:
        rows: name → interval of one number.
        label: what it is, for the axis.
        alt: text alternative.
    """
    figure, ax = canvas(height=0.8 + 0.36 * len(rows))
    for row, (name, (mean, low, high)) in enumerate(rows.items()):
        ax.plot([low, high], [row, row], color=ACTIVATIONS[name], linewidth=3, alpha=0.5)
        ax.plot(mean, row, "o", color=ACTIVATIONS[name])
    ax.set_yticks(range(len(rows)), [LABELS[name] for name in rows])
    ax.set(ylim=(len(rows) - 0.4, -0.6))
    axis_titles(ax, x=label)
    return figure
