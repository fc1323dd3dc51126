"""The house style, and the static figures: one function a figure, each returns a `Picture`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import NamedTuple
from zlib import crc32

import matplotlib as mpl
import numpy as np
from cycler import cycler
from jaxtyping import Array, Float
from matplotlib.figure import Figure

from vanishing.live.svg import themed_svg
from vanishing.palette import CYCLE, NEUTRAL

COLOURS: dict[str, str] = {name: colour.light for name, colour in {**CYCLE, **NEUTRAL}.items()}

STYLE = {
    "axes.prop_cycle": cycler(color=[COLOURS[name] for name in CYCLE]),
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": COLOURS["slate"],
    "axes.unicode_minus": True,
    "font.size": 10,
    "grid.color": COLOURS["grid"],
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "lines.linewidth": 1.8,
    "xtick.color": COLOURS["slate"],
    "ytick.color": COLOURS["slate"],
    "xtick.labelcolor": COLOURS["ink"],
    "ytick.labelcolor": COLOURS["ink"],
}
#: Every function that draws in the house style is decorated with this.
house_style = mpl.rc_context(STYLE)

WIDTH = 7.0  # inches: the text column of a page
NATS_PER_DECADE = np.log(10)


@dataclass(frozen=True)
class Picture:
    """A matplotlib figure with its text alternative; the value of a cell shows it.

    In the page it is inline SVG whose colours follow the theme; where only images can be shown,
    it is a PNG.

    Attributes:
        figure: the matplotlib figure, to be changed at will.
        alt: what there is to see, for those who do not see it.
    """

    figure: Figure
    alt: str

    def _repr_html_(self) -> str:
        # Matplotlib names clip paths and markers by their content: the same in every figure.
        return themed_svg(self.figure, self.alt, prefix=f"p{crc32(self.alt.encode()):x}-")

    def _repr_png_(self) -> bytes:
        buffer = BytesIO()
        self.figure.savefig(buffer, format="png", dpi=150)
        return buffer.getvalue()


def canvas(height: float = 3.4, columns: int = 1, rows: int = 1, **options):
    """A figure as wide as the text and its axes; call it inside `house_style`.

    >>> with house_style:
    ...     figure, left_and_right = canvas(columns=2)
    >>> len(left_and_right)
    2
    """
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    return figure, figure.subplots(rows, columns, **options)


@house_style
def gradient_by_layer(
    measured: Mapping[str, Float[Array, " depth"]],
    expected: Mapping[str, Float[Array, " depth"]] | None = None,
    *,
    alt: str,
) -> Picture:
    """Powers of ten that the gradient has gained or lost on its way from the last layer.

    Args:
        measured: label → ln RMS of δ_l, layer 1 first, as `probe` gives it.
        expected: label → the same from a theory, drawn dashed; in the colour of the measured
            curve of that label, or in ink where there is none.
        alt: text alternative.
    """
    figure, ax = canvas()
    colours = {}
    for label, log in measured.items():
        (line,) = ax.plot(_layers(log), _decades(log), label=label)
        colours[label] = line.get_color()
    for label, log in (expected or {}).items():
        own = {"label": label} if label not in colours else {}
        colour = colours.get(label, COLOURS["ink"])
        ax.plot(_layers(log), _decades(log), "--", color=colour, linewidth=1.2, **own)
    ax.set(xlabel="layer", ylabel="powers of ten, from the last layer")
    ax.legend()
    return Picture(figure, alt)


def _layers(log: Float[Array, " depth"]) -> np.ndarray:
    return np.arange(1, len(log) + 1)


def _decades(log: Float[Array, " depth"]) -> np.ndarray:
    return (np.asarray(log) - np.asarray(log)[-1]) / NATS_PER_DECADE


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
    layer = _layers(lengths)
    left.loglog(layer, lengths, label="length map")
    left.loglog(layer, 1 / (2 * layer), "k--", linewidth=1.2, label="1/(2l)")
    left.set(xlabel="layer l", ylabel="variance of the pre-activations")
    layer = _layers(measured)
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
    layer, plain = _layers(plain), np.asarray(plain)
    decades = np.asarray(carried) / NATS_PER_DECADE
    ax.plot(layer, decades, label="logarithm carried")
    held = plain > 0
    ax.plot(layer[held], np.log10(plain[held]), ".", markersize=4, label="plain float32")
    floor = np.full((~held).sum(), decades.min())
    ax.plot(layer[~held], floor, "x", markersize=4, label="plain float32: exactly 0")
    ax.set(xlabel="layer", ylabel="log₁₀ of the gradient RMS")
    ax.legend(loc="upper left")
    return Picture(figure, alt)


class Claim(NamedTuple):
    """A published number, what was measured here, and how far apart they may lie.

    Attributes:
        source: who says what, in a few words.
        published: their number.
        measured: ours.
        tolerance: accepted relative difference.
    """

    source: str
    published: float
    measured: float
    tolerance: float


@house_style
def published_beside_measured(claims: Sequence[Claim], *, alt: str) -> Picture:
    """Measured over published for each claim, with the accepted range around 1."""
    figure, ax = canvas(height=0.9 + 0.36 * len(claims))
    for row, claim in enumerate(claims):
        low, span = 1 - claim.tolerance, 2 * claim.tolerance
        ax.barh(row, span, left=low, height=0.5, color=COLOURS["grid"])
        ax.plot(claim.measured / claim.published, row, "o", color=COLOURS["blue"])
        numbers = f"{claim.published:.4g} | {claim.measured:.4g}"
        ax.text(1.02, row, numbers, transform=ax.get_yaxis_transform(), va="center")
    ax.axvline(1, color=COLOURS["ink"], linewidth=1)
    ax.set(xlabel="measured / published", ylim=(len(claims) - 0.4, -0.6))
    ax.set_yticks(range(len(claims)), [claim.source for claim in claims])
    ax.grid(axis="y", visible=False)
    return Picture(figure, alt)
