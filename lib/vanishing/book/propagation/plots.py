"""The static figures of the chapter on the two roads."""

from collections.abc import Collection, Mapping

import numpy as np
from jaxtyping import Float

from vanishing._types import AnyArray
from vanishing.book.asking import GIVEN
from vanishing.book.labels import axis_titles, label_lines, note
from vanishing.book.style import (
    ACTIVATIONS,
    COLOURS,
    SATURATED,
    THEORY,
    Figure,
    canvas,
    layers,
    picture,
)


@picture
def large_weights(
    scales: Collection[float],
    saturated: Collection[float],
    decades: Collection[float],
    expected: Collection[float],
) -> Figure:
    """Share of saturated units, and what becomes of the gradient, against the scale of weights.

    Args:
        scales: σ_w.
        saturated: share of pairs of input and unit that are saturated, for each.
        decades: powers of ten that the gradient changes by on its way down; the line is called
            "measured", and is drawn in the second panel.
        expected: the same from theory.
        alt: text alternative.
    """
    figure, (left, right) = canvas(columns=2)
    left.plot(scales, 100 * np.asarray(saturated), "o-", color=SATURATED, gid=GIVEN)
    left.set(ylim=(0, 100))
    right.plot(scales, decades, "o-", color=ACTIVATIONS["tanh"], label="measured")
    right.plot(scales, expected, color=COLOURS["ink"], **THEORY)
    right.set(ylim=(-20, 20))
    right.axhline(0, color=COLOURS["slate"], linewidth=0.8, gid=GIVEN)
    for ax, words in ((left, "saturated, %"), (right, "gradient at layer 1, powers of ten")):
        ax.set(xscale="log", xticks=list(scales), xticklabels=[f"{s:g}" for s in scales])
        ax.minorticks_off()
        axis_titles(ax, x="weight scale σ_w", y=words)
    return figure


@picture
def length_cobweb(
    curve: tuple[Float[AnyArray, " points"], Float[AnyArray, " points"]],
    steps: Float[AnyArray, " layers"],
    starts: Mapping[float, tuple[Float[AnyArray, " layers"], Float[AnyArray, " layers"]]],
) -> Figure:
    """The length map with its staircase, and lengths by layer from several starts.

    Args:
        curve: q and V(q).
        steps: q_1, q_2, … of the staircase.
        starts: RMS of the input → q_l by the map, and q_l of networks.
        alt: text alternative.
    """
    figure, (left, right) = canvas(columns=2)
    q, above = curve
    left.plot(q, q, color=COLOURS["slate"], linewidth=0.8)
    left.plot(q, above, color=COLOURS["ink"], **THEORY)
    left.plot(np.repeat(steps[:-1], 2), np.repeat(steps, 2)[1:-1], color=COLOURS["blue"])
    left.plot(steps[-1], steps[-1], "o", color=COLOURS["blue"])
    note(left, f"q* = {steps[-1]:.3f}", (steps[-1], steps[-1]), to=(-30, 30))
    left.set(xlim=(0, q[-1]), ylim=(0, q[-1]))
    axis_titles(left, x="q of a layer", y="q of the layer above")
    for rms, (law, seen) in starts.items():
        right.plot(layers(law), law, color=COLOURS["ink"], **THEORY)
        right.plot(layers(seen), seen, "o", markersize=4, label=f"input {rms:g}")
    right.set(xlim=(0.5, len(steps) + 0.5), ylim=(0, q[-1]))
    axis_titles(right, x="layer", y="length q")
    named = [line for line in right.lines if line.get_label().startswith("input")]
    for line in named:
        at = line.get_xdata()[0], line.get_ydata()[0]
        beside = (14, 7) if line.get_ydata()[1] < at[1] else (34, -4)  # clear of its dashed line
        place = {"xytext": beside, "textcoords": "offset points", "va": "center"}
        right.annotate(line.get_label(), at, color=line.get_color(), **place)
    return figure


@picture
def alike(
    expected: Float[AnyArray, " layers"],
    measured: Float[AnyArray, "networks depth"],
) -> Figure:
    """The cosine between two inputs, layer by layer.

    Args:
        expected: of the correlation map.
        measured: of each network; their mean is called "measured", and the band is their range.
        alt: text alternative.
    """
    figure, ax = canvas()
    ax.plot(layers(expected), expected, color=COLOURS["ink"], **THEORY)
    layer, mean = layers(measured.T), np.mean(measured, axis=0)
    ax.plot(layer, mean, color=ACTIVATIONS["relu"], label="measured")
    ends = np.min(measured, axis=0), np.max(measured, axis=0)
    ax.fill_between(layer, *ends, color=ACTIVATIONS["relu"], alpha=0.25, linewidth=0)
    ax.set(xlim=(1, len(expected)), ylim=(-0.05, 1.05))
    axis_titles(ax, x="layer", y="cosine between the two")
    return figure


@picture
def power_law(
    lengths: Float[AnyArray, " depth"],
    predicted: Float[AnyArray, " layers"],
    measured: Float[AnyArray, " layers"],
) -> Figure:
    """tanh at its critical point: q_l against 1/(2l), and the gradient against √(l/L), log-log.

    Args:
        lengths: q_l, layer 1 first.
        predicted: ln RMS of δ_l relative to layer L, the product of the factors.
        measured: the same of a network.
        alt: text alternative.
    """
    figure, (left, right) = canvas(columns=2)
    layer = layers(lengths)
    left.loglog(layer, lengths, label="length map")
    left.loglog(layer, 1 / (2 * layer), color=COLOURS["ink"], label="1/(2l)", **THEORY)
    axis_titles(left, x="layer l", y="variance of the pre-activations")
    layer = layers(measured)
    right.loglog(layer, np.exp(measured), label="measured")
    right.loglog(
        layer, np.exp(predicted), color=COLOURS["slate"], label="product of factors", **THEORY
    )
    right.loglog(layer, np.sqrt(layer / layer[-1]), color=COLOURS["ink"], label="√(l/L)", **THEORY)
    axis_titles(right, x="layer l", y="gradient, relative to layer L")
    for ax in (left, right):
        ax.set_xlim(1, ax.lines[0].get_xdata()[-1])
        label_lines(ax, side="left" if ax is right else "right")
    right.yaxis.tick_right()
    return figure


@picture
def spread(
    samples: Float[AnyArray, " networks"], mean: float, variance: float, *, label: str
) -> Figure:
    """How one quantity differs between networks that share everything but their seed.

    Args:
        samples: one value a network.
        mean: of the normal density that a theory predicts.
        variance: of the same.
        label: what the samples are, for the axis.
        alt: text alternative.
    """
    figure, ax = canvas()
    ax.hist(np.asarray(samples), bins=60, density=True, color=COLOURS["blue"], alpha=0.55)
    t = np.linspace(*ax.get_xlim(), 200)
    density = np.exp(-((t - mean) ** 2) / (2 * variance)) / np.sqrt(2 * np.pi * variance)
    ax.plot(t, density, color=COLOURS["ink"], **THEORY)
    peak = (mean + variance**0.5, density.max() * np.exp(-0.5))
    note(ax, f"normal, variance {variance:.3g}", peak, to=(24, 12))
    axis_titles(ax, x=label, y="density")
    return figure


@picture
def spectra(squared: Mapping[str, Float[AnyArray, " width"]]) -> Figure:
    """Squared singular values of a product of layers, largest first, on a log scale.

    Args:
        squared: label → s_1², s_2², …
        alt: text alternative.
    """
    figure, ax = canvas()
    for label, values in squared.items():
        share = (np.arange(len(values)) + 0.5) / len(values)
        ax.semilogy(share, np.asarray(values), label=label)
    ax.set(xlim=(0, 1), ylim=(1e-8, 1e3))
    label_lines(ax, side="left")
    ax.yaxis.tick_right()
    axis_titles(ax, x="share of directions", y="squared stretch")
    return figure
