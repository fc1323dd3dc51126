"""The static figures of the chapter on the chain rule."""

from collections.abc import Collection, Sequence

import numpy as np
from jaxtyping import Float

from vanishing._types import AnyArray
from vanishing.book.labels import axis_titles, note, reference
from vanishing.book.style import (
    ACTIVATIONS,
    COLOURS,
    DEAD,
    NATS_PER_DECADE,
    Figure,
    canvas,
    layer_colours,
    layers,
    picture,
)


@picture
def factors(names: Sequence[str], measured: Collection[float], *, bound: float) -> Figure:
    """What one layer multiplies the gradient by, in several networks, beside a bound on it.

    Args:
        names: of the networks.
        measured: their factors, as bars called "measured".
        bound: what the story allows.
        alt: text alternative.
    """
    figure, ax = canvas()
    ax.bar(range(len(names)), measured, 0.6, color=ACTIVATIONS["sigmoid"], label="measured")
    reference(ax, bound, f"story: ≤ {bound:g}")
    # The words of the bound stand beside the bars.
    ax.set(xlim=(-0.6, len(names) + 0.9), ylim=(0, 1))
    ax.set_xticks(range(len(names)), names)
    axis_titles(ax, x="variance of the weights", y="factor of one layer")
    return figure


@picture
def chain_factor(weights: Collection[float]) -> Figure:
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
def underflow(plain: Float[AnyArray, " depth"], carried: Float[AnyArray, " depth"]) -> Figure:
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
