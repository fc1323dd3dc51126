"""Static figures of networks that train, or fail to; each returns a `plots.Picture`."""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Array, Float

from vanishing.book.style import COLOURS, NATS_PER_DECADE, Picture, canvas, house_style
from vanishing.training.history import History

#: Where a value of exactly zero is marked on a logarithmic axis: below all others.
CROSS = {"marker": "x", "linestyle": "none", "markersize": 5}


def _reference(ax, value: float, label: str):
    ax.axhline(value, color=COLOURS["ink"], linestyle="--", linewidth=1)
    ax.annotate(label, (1, value), xycoords=("axes fraction", "data"), xytext=(0, 4), ha="right",
                textcoords="offset points")  # fmt: skip


@house_style
def loss_curves(histories: Mapping[str, History], *, guess: float, alt: str) -> Picture:
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
    _reference(left, guess, "guessing")
    left.set(xlabel="step", ylabel="training loss C", ylim=(0, 1.3 * guess))
    right.set(xlabel="step", ylabel="digits read rightly, %", ylim=(0, 102))
    right.legend(loc="center right")
    return Picture(figure, alt)


@house_style
def movement(histories: Mapping[str, History], *, alt: str) -> Picture:
    """How far each layer has moved by the end of a run, a line a run; crosses where not at all."""
    figure, ax = canvas()
    ends = {label: np.asarray(history.moved[-1]) for label, history in histories.items()}
    floor = 0.1 * min(moved[moved > 0].min() for moved in ends.values())
    for label, moved in ends.items():
        layer = np.arange(1, len(moved) + 1)
        stuck = moved == 0
        (line,) = ax.semilogy(layer[~stuck], moved[~stuck], "o-", markersize=4, label=label)
        if stuck.any():
            ax.plot(layer[stuck], np.full(stuck.sum(), floor), color=line.get_color(),
                    label=f"{label}: not moved at all", **CROSS)  # fmt: skip
    ax.set(xlabel="layer", ylabel="how far the weights have moved")
    ax.legend(loc="lower right")
    return Picture(figure, alt)


@house_style
def speed(histories: Mapping[str, History], layers: Sequence[int], *, alt: str) -> Picture:
    """log₁₀ RMS of ∂C/∂W_l through training, a panel a run and a line a layer.

    Args:
        histories: label → what `train` recorded.
        layers: the layers to draw, counted from 1; those that a run lacks are left out.
        alt: text alternative.
    """
    figure, panels = canvas(columns=len(histories), height=3.2, sharey=True, squeeze=False)
    for ax, (label, history) in zip(panels[0], histories.items(), strict=True):
        decades = np.asarray(history.log_weight_gradient_rms) / NATS_PER_DECADE
        for layer in [l for l in layers if l <= decades.shape[1]]:  # noqa: E741
            ax.plot(history.step, decades[:, layer - 1], label=f"layer {layer}")
        ax.set(xlabel="step", title=label)
        ax.legend(fontsize=8, ncols=2)
    panels[0, 0].set(ylabel="log₁₀ RMS of ∂C/∂W$_l$")
    return Picture(figure, alt)


@house_style
def both_roads(
    forward: Float[Array, " depth"],
    backward: Float[Array, " depth"],
    *,
    factor: float,
    rounding: float,
    alt: str,
) -> Picture:
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
    left.plot(layer, up, label="measured")
    left.plot(layer, (layer - 1) * np.log10(factor), "k--", linewidth=1.2, label="theory")
    left.axhline(np.log10(rounding), color=COLOURS["ink"], linewidth=0.8)
    left.annotate("rounding of float32", (1, np.log10(rounding)), xytext=(0, -12),
                  textcoords="offset points")  # fmt: skip
    right.plot(layer, down, label="measured")
    right.plot(layer, (depth - layer) * np.log10(factor), "k--", linewidth=1.2, label="theory")
    left.set(xlabel="layer (read upwards →)", ylabel="log₁₀ of what is left of a difference")
    right.set(xlabel="layer (← read downwards)", ylabel="log₁₀ of what is left of a gradient")
    for ax in (left, right):
        ax.set(ylim=(depth * np.log10(factor) - 1, 1))
        ax.legend(loc="lower center")
    return Picture(figure, alt)


@house_style
def by_depth(
    shares: Mapping[str, tuple[Sequence[int], Float[Array, "depths seeds"]]],
    *,
    guess: float,
    alt: str,
) -> Picture:
    """Digits read rightly against depth: the median of the seeds, and a bar over all of them.

    Args:
        shares: label → depths, and the accuracy by depth and seed.
        guess: the accuracy of knowing nothing.
        alt: text alternative.
    """
    figure, ax = canvas()
    for label, (depths, share) in shares.items():
        percent = 100 * np.asarray(share)
        middle = np.median(percent, axis=1)
        reach = np.stack([middle - percent.min(1), percent.max(1) - middle])
        ax.errorbar(depths, middle, reach, marker="o", markersize=4, capsize=3, label=label)
    _reference(ax, 100 * guess, "guessing")
    ticks = sorted({depth for depths, _ in shares.values() for depth in depths})
    ax.set(xlabel="layers", ylabel="digits read rightly, %", ylim=(0, 103), xscale="log")
    ax.set_xticks(ticks, [str(depth) for depth in ticks])
    ax.minorticks_off()
    ax.legend(loc="center left")
    return Picture(figure, alt)
