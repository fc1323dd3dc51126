"""The static figures of the chapter on the chain rule."""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Array, Float

from vanishing.book.labels import axis_titles, label_lines, note, reference
from vanishing.book.style import (
    COLOURS,
    DEAD,
    NATS_PER_DECADE,
    THEORY,
    Figure,
    canvas,
    layer_colours,
    layers,
    picture,
)


@picture
def chain_factor(weights: Sequence[float]) -> Figure:
    """|w σ′(z)| of one sigmoid unit against its pre-activation z, for several weights w."""
    figure, ax = canvas()
    z = np.linspace(-8, 8, 401)
    slope = 1 / (2 + np.exp(z) + np.exp(-z))  # σ′ in a form that loses no digits
    for w, colour in zip(weights, layer_colours(weights), strict=True):
        factor = w * slope
        ax.plot(z, factor, label=f"w = {w:g}", color=colour)
        ax.annotate(
            f"w = {w:g}",
            (0, factor.max()),
            xytext=(0, 3),
            textcoords="offset points",
            ha="center",
            color=colour,
        )
    reference(ax, 1, "grows ↑")
    ax.annotate("shrinks ↓", (8, 1), xytext=(0, -12), textcoords="offset points", ha="right")
    ax.set(xlim=(-8, 8), ylim=(0, None))
    axis_titles(ax, x="pre-activation z", y="factor |w σ′(z)|")
    return figure


@picture
def power_law(
    lengths: Float[Array, " depth"],
    predicted: Float[Array, " layers"],
    measured: Float[Array, " layers"],
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
    right.loglog(layer, np.exp(predicted), color=COLOURS["slate"], label="product of factors")
    right.loglog(layer, np.sqrt(layer / layer[-1]), color=COLOURS["ink"], label="√(l/L)", **THEORY)
    axis_titles(right, x="layer l", y="gradient, relative to layer L")
    for ax in (left, right):
        ax.set_xlim(1, ax.lines[0].get_xdata()[-1])
        label_lines(ax, side="left" if ax is right else "right")
    right.yaxis.tick_right()
    return figure


@picture
def spread(
    samples: Float[Array, " networks"], mean: float, variance: float, *, label: str
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
def spectra(squared: Mapping[str, Float[Array, " width"]]) -> Figure:
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


@picture
def underflow(plain: Float[Array, " depth"], carried: Float[Array, " depth"]) -> Figure:
    """The gradient by layer as float32 holds it, and as its logarithm does.

    Args:
        plain: RMS of δ_l, computed in float32; zeros are marked along the floor.
        carried: ln of the same, scales carried as logarithms.
        alt: text alternative.
    """
    figure, ax = canvas()
    layer, plain = layers(plain), np.asarray(plain)
    decades = np.asarray(carried) / NATS_PER_DECADE
    held = plain > 0
    floor = np.full((~held).sum(), decades.min())
    (line,) = ax.plot(layer, decades, label="its logarithm, carried")
    (dots,) = ax.plot(
        layer[held],
        np.log10(plain[held]),
        ".",
        color=COLOURS["slate"],
        markersize=4,
        label="plain float32",
    )
    (crosses,) = ax.plot(
        layer[~held], floor, "x", color=DEAD, markersize=4, label="plain float32: exactly 0"
    )
    ax.set_xlim(1, len(layer))
    middle = len(layer) // 2
    ax.annotate(
        line.get_label(),
        (layer[middle], decades[middle]),
        xytext=(8, -12),
        textcoords="offset points",
        color=line.get_color(),
    )
    if held.any():
        at = (layer[held].mean(), np.log10(plain[held]).mean())
        note(ax, dots.get_label(), at, to=(14, -24), color=COLOURS["slate"])
    if (~held).any():
        ax.annotate(
            crosses.get_label(),
            (layer[~held][-1], decades.min()),
            xytext=(0, 8),
            textcoords="offset points",
            color=DEAD,
            ha="right",
        )
    axis_titles(ax, x="layer", y="log₁₀ of the gradient RMS")
    return figure
