"""The static figures of the chapter on the chain rule."""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Array, Float

from vanishing.book.style import COLOURS, NATS_PER_DECADE, Picture, canvas, house_style, layers


@house_style
def chain_factor(weights: Sequence[float], *, alt: str) -> Picture:
    """|w σ′(z)| of one sigmoid unit against its pre-activation z, for several weights w."""
    figure, ax = canvas()
    z = np.linspace(-8, 8, 401)
    slope = 1 / (2 + np.exp(z) + np.exp(-z))  # σ′ in a form that loses no digits
    for w in weights:
        ax.plot(z, w * slope, label=f"w = {w:g}")
    ax.axhline(1, color=COLOURS["ink"], linewidth=1, linestyle="--")
    ax.annotate("grows", (-7.8, 1), xytext=(0, 4), textcoords="offset points")
    ax.annotate("shrinks", (-7.8, 1), xytext=(0, -12), textcoords="offset points")
    ax.set(xlabel="pre-activation z", ylabel="factor |w σ′(z)|")
    ax.legend()
    return Picture(figure, alt)


@house_style
def power_law(
    lengths: Float[Array, " depth"],
    predicted: Float[Array, " layers"],
    measured: Float[Array, " layers"],
    *,
    alt: str,
) -> Picture:
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
    left.loglog(layer, 1 / (2 * layer), "k--", linewidth=1.2, label="1/(2l)")
    left.set(xlabel="layer l", ylabel="variance of the pre-activations")
    layer = layers(measured)
    right.loglog(layer, np.exp(measured), label="measured")
    right.loglog(layer, np.exp(predicted), label="product of factors")
    right.loglog(layer, np.sqrt(layer / layer[-1]), "k--", linewidth=1.2, label="√(l/L)")
    right.set(xlabel="layer l", ylabel="gradient, relative to layer L")
    for ax in (left, right):
        ax.legend()
    return Picture(figure, alt)


@house_style
def spread(
    samples: Float[Array, " networks"], mean: float, variance: float, *, label: str, alt: str
) -> Picture:
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
    ax.plot(t, density, "k--", linewidth=1.4, label=f"normal, variance {variance:.3g}")
    ax.set(xlabel=label, ylabel="density")
    ax.legend()
    return Picture(figure, alt)


@house_style
def spectra(squared: Mapping[str, Float[Array, " width"]], *, alt: str) -> Picture:
    """Squared singular values of a product of layers, largest first, on a log scale.

    Args:
        squared: label → s_1², s_2², …
        alt: text alternative.
    """
    figure, ax = canvas()
    for label, values in squared.items():
        share = (np.arange(len(values)) + 0.5) / len(values)
        ax.semilogy(share, np.asarray(values), label=label)
    ax.set(xlabel="share of directions", ylabel="squared stretch", ylim=(1e-8, 1e3))
    ax.legend()
    return Picture(figure, alt)


@house_style
def underflow(
    plain: Float[Array, " depth"], carried: Float[Array, " depth"], *, alt: str
) -> Picture:
    """The gradient by layer as float32 holds it, and as its logarithm does.

    Args:
        plain: RMS of δ_l, computed in float32; zeros are marked along the floor.
        carried: ln of the same, scales carried as logarithms.
        alt: text alternative.
    """
    figure, ax = canvas()
    layer, plain = layers(plain), np.asarray(plain)
    decades = np.asarray(carried) / NATS_PER_DECADE
    ax.plot(layer, decades, label="logarithm carried")
    held = plain > 0
    ax.plot(layer[held], np.log10(plain[held]), ".", markersize=4, label="plain float32")
    floor = np.full((~held).sum(), decades.min())
    ax.plot(layer[~held], floor, "x", markersize=4, label="plain float32: exactly 0")
    ax.set(xlabel="layer", ylabel="log₁₀ of the gradient RMS")
    ax.legend(loc="upper left")
    return Picture(figure, alt)
