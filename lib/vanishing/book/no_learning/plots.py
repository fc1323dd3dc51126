"""The static figures of the chapter on a network that will not learn."""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float

from vanishing._types import AnyArray
from vanishing.book.labels import axis_titles, label_lines, reference
from vanishing.book.style import (
    ACTIVATIONS,
    COLOURS,
    LABELS,
    NATS_PER_DECADE,
    ROUNDING,
    THEORY,
    Figure,
    canvas,
    is_narrow,
    layer_colours,
    layers,
    picture,
)
from vanishing.training.history import History

#: Where a value of exactly zero is marked on a logarithmic axis: below all others.
CROSS = {"marker": "x", "linestyle": "none", "markersize": 5}


@picture
def loss_curves(histories: Mapping[str, History], *, guess: float) -> Figure:
    """Training loss and accuracy against the step, a line a run.

    Args:
        histories: label → what `train` recorded.
        guess: the loss of knowing nothing, drawn dashed.
        alt: text alternative.
    """
    figure, (left, right) = canvas(columns=2, height=3.0)
    for label, history in histories.items():
        left.plot(history.step, history.loss, label=label)
        right.plot(history.step, 100 * history.accuracy, label=label)
    last = max(history.step[-1] for history in histories.values())
    reference(left, guess, "guessing")
    left.set(xlim=(0, last), ylim=(0, 1.3 * guess))
    right.set(xlim=(0, last), ylim=(0, 102))
    axis_titles(left, x="step", y="training loss C")
    axis_titles(right, x="step", y="digits read correctly, %")
    label_lines(left)
    label_lines(right)
    return figure


@picture
def movement(histories: Mapping[str, History]) -> Figure:
    """How far each layer has moved by the end of a run, a line a run; crosses where not at all."""
    figure, ax = canvas()
    ends = {label: np.asarray(history.moved[-1]) for label, history in histories.items()}
    floor = 0.1 * min(moved[moved > 0].min() for moved in ends.values())
    lines = []
    for label, moved in ends.items():
        layer, stuck = layers(moved), moved == 0
        lines += ax.semilogy(layer[~stuck], moved[~stuck], "o-", markersize=4, label=label)
        if stuck.any():
            crosses = np.full(stuck.sum(), floor)
            ax.plot(layer[stuck], crosses, color=lines[-1].get_color(), **CROSS)
            ax.annotate(
                f"{label}:\nnot moved" if is_narrow() else f"{label}: not moved at all",
                (layer[stuck][0], floor),
                xytext=(0, 6),
                textcoords="offset points",
                color=lines[-1].get_color(),
            )
    label_lines(ax, lines)
    axis_titles(ax, x="layer", y="how far the weights have moved")
    return figure


@picture
def speed(histories: Mapping[str, History], layers_shown: Sequence[int]) -> Figure:
    """log₁₀ RMS of ∂C/∂W_l through training, a panel a run and a line a layer.

    Args:
        histories: label → what `train` recorded.
        layers_shown: the layers to draw, counted from 1; those that a run lacks are left out.
        alt: text alternative.
    """
    figure, panels = canvas(columns=len(histories), height=3.2, sharey=True, squeeze=False)
    colours = dict(zip(layers_shown, layer_colours(layers_shown), strict=True))
    for ax, (label, history) in zip(panels[0], histories.items(), strict=True):
        decades = np.asarray(history.log_weight_gradient_rms) / NATS_PER_DECADE
        for layer in [layer for layer in layers_shown if layer <= decades.shape[1]]:
            curve = decades[:, layer - 1]
            ax.plot(history.step, curve, label=f"layer {layer}", color=colours[layer])
        ax.set_xlim(0, history.step[-1])
        axis_titles(ax, x="step", y=f"{label}: log₁₀ RMS of ∂C/∂W")
    for ax in panels[0]:
        label_lines(ax)
    return figure


@picture
def both_roads(
    forward: Float[AnyArray, " depth"],
    backward: Float[AnyArray, " depth"],
    *,
    factor: float,
    rounding: float,
) -> Figure:
    """What is left of a difference between inputs on the way up, and of a gradient on the way
    down, with the law that theory gives for both.

    Args:
        forward: ln RMS over the inputs of h_l − mean of h_l, layer 1 first.
        backward: ln RMS of δ_l.
        factor: what one layer multiplies either by, drawn dashed.
        rounding: rounding error of h_l relative to the differences at layer 1, drawn as a line.
        alt: text alternative.
    """
    figure, (left, right) = canvas(columns=2, height=3.2)
    depth = len(forward)
    layer = np.arange(1, depth + 1)
    up = (np.asarray(forward) - np.asarray(forward)[0]) / NATS_PER_DECADE
    down = (np.asarray(backward) - np.asarray(backward)[-1]) / NATS_PER_DECADE
    theory = {"color": COLOURS["ink"], **THEORY}
    left.plot(layer, up, label="measured")
    left.plot(layer, (layer - 1) * np.log10(factor), label="theory", **theory)
    left.axhline(np.log10(rounding), color=COLOURS["slate"], **ROUNDING)
    left.annotate(
        "rounding of\nfloat32",
        (depth, np.log10(rounding)),
        xytext=(0, -4),
        ha="right",
        va="top",
        textcoords="offset points",
    )
    right.plot(layer, down, label="measured")
    right.plot(layer, (depth - layer) * np.log10(factor), label="theory", **theory)
    axis_titles(left, x="layer (read upwards →)", y="log₁₀ of what is left of a difference")
    axis_titles(right, x="layer (← read downwards)", y="log₁₀ of what is left of a gradient")
    right.yaxis.tick_right()
    for ax, side in ((left, "right"), (right, "left")):
        ax.set(xlim=(1, depth), ylim=(depth * np.log10(factor) - 1, 1))
        label_lines(ax, side=side)
    return figure


@picture
def by_depth(
    shares: Mapping[str, tuple[Sequence[int], Float[AnyArray, "depths seeds"]]],
    *,
    guess: float,
) -> Figure:
    """Digits read correctly against depth: the median of the seeds, and a bar over all of them.

    Args:
        shares: label → depths, and the accuracy by depth and seed.
        guess: the accuracy of knowing nothing.
        alt: text alternative.
    """
    figure, ax = canvas()
    lines = []
    for label, (depths, share) in shares.items():
        percent = 100 * np.asarray(share)
        middle = np.median(percent, axis=1)
        reach = np.stack([middle - percent.min(1), percent.max(1) - middle])
        look = {"color": ACTIVATIONS.get(label), "marker": "o", "markersize": 4, "capsize": 3}
        lines.append(ax.errorbar(depths, middle, reach, **look).lines[0])
        lines[-1].set_label(LABELS.get(label, label))
    reference(ax, 100 * guess, "guessing")
    ticks = sorted({depth for depths, _ in shares.values() for depth in depths})
    ax.set(ylim=(0, 103), xscale="log")
    ax.set_xticks(ticks, [str(depth) for depth in ticks])
    ax.minorticks_off()
    label_lines(ax, lines)
    axis_titles(ax, x="layers", y="digits read correctly, %")
    return figure
