"""Static figures of activation functions; each returns a `plots.Picture`."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Array, Float

from vanishing import activations
from vanishing.book.style import COLOURS, NATS_PER_DECADE, Picture, canvas, house_style
from vanishing.studies import rounding
from vanishing.studies.comparisons import NAMES, Interval

#: How the activations are called in figures and tables.
LABELS = {
    "sigmoid": "sigmoid", "tanh": "tanh", "relu": "ReLU", "leaky_relu": "Leaky ReLU",
    "elu": "ELU", "selu": "SELU", "gelu": "GELU", "silu": "SiLU",
}  # fmt: skip
_COLOUR = dict(zip(NAMES, list(COLOURS.values()), strict=False))


@house_style
def gallery(zeros: Mapping[str, tuple[float, float]], *, alt: str) -> Picture:
    """φ and φ′ of the named activations, a panel each, with exact zeros of φ′ shaded.

    Args:
        zeros: name → from where on φ′ is exactly 0 to the left and to the right, ±inf if nowhere.
        alt: text alternative.
    """
    figure, panels = canvas(height=4.4, columns=4, rows=2, sharex=True, sharey=True)
    z = np.linspace(-20, 20, 2001, dtype=np.float32)
    for ax, (name, (left, right)) in zip(panels.flat, zeros.items(), strict=True):
        for low, high in ((-20, max(left, -20)), (min(right, 20), 20)):
            ax.axvspan(low, high, color=COLOURS["vermilion"], alpha=0.22, linewidth=0)
        ax.plot(z, activations.get(name)(z), label="φ")
        ax.plot(z, activations.derivative(name)(z), color=COLOURS["green"], label="φ′")
        ax.annotate(LABELS[name], (0.04, 0.9), xycoords="axes fraction", weight="bold")
        ax.set(xlim=(-20, 20), ylim=(-2.2, 3.2), xticks=(-15, 0, 15))
    panels[0, 3].legend(loc="lower right")
    for ax in panels[1]:
        ax.set_xlabel("z")
    return Picture(figure, alt)


@house_style
def staircase(end: float, *, alt: str) -> Picture:
    """tanh′ as float32 computes it from 1 − tanh², from a correctly rounded tanh, and exactly.

    Args:
        end: from where on this machine's tanh′ is exactly zero.
        alt: text alternative.
    """
    figure, ax = canvas()
    z = np.linspace(5.5, 12, 4001, dtype=np.float32)
    ax.semilogy(z, np.cosh(z.astype(float)) ** -2.0, color=COLOURS["green"], label="exact")
    perfect, device = rounding.IDEAL["tanh"], activations.derivative("tanh")
    for label, slope, colour, stop, height in (
        ("correctly rounded tanh", perfect, "gold", rounding.zero_from(perfect), 2e-9),
        ("this machine", device, "blue", end, 2e-10),
    ):
        steps, style = np.asarray(slope(z)), {"color": COLOURS[colour], "linewidth": 1.2}
        ax.semilogy(z, np.where(steps > 0, steps, np.nan), label=label, **style)
        if stop < z[-1]:
            ax.axvline(stop, linestyle=":", **style)
        ax.annotate(f"0 from {stop:.2f}", (min(stop, 10.5), height), xytext=(4, 0),
                    textcoords="offset points", color=COLOURS[colour])  # fmt: skip
    ax.set(xlabel="pre-activation z", ylabel="tanh′(z)", ylim=(1e-10, 1e-4))
    ax.legend()
    return Picture(figure, alt)


@house_style
def zero_shares(
    measured: Mapping[str, Float[Array, " scales"]],
    expected: Mapping[str, Float[Array, " points"]],
    spreads: Float[Array, " scales"],
    curve: Float[Array, " points"],
    *,
    alt: str,
) -> Picture:
    """Share of Gaussian pre-activations at which φ′ is exactly zero, against their spread.

    Args:
        measured: name → share counted on samples, drawn as dots.
        expected: name → share from the Gaussian's tail, drawn as lines.
        spreads: the standard deviations √q of the samples.
        curve: those of the lines.
        alt: text alternative.
    """
    figure, ax = canvas()
    for name, share in expected.items():
        ax.loglog(curve, share, color=_COLOUR[name], label=LABELS[name])
        ax.loglog(spreads, np.where(measured[name] > 0, measured[name], np.nan), "o",
                  markersize=4, color=_COLOUR[name])  # fmt: skip
    ax.set(xlabel="standard deviation of the pre-activations, √q",
           ylabel="share with φ′ exactly 0", ylim=(1e-5, 1))  # fmt: skip
    ax.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    return Picture(figure, alt)


@house_style
def gradients_by_gain(groups: Mapping[str, Mapping[str, Interval]], *, alt: str) -> Picture:
    """Powers of ten that the gradient gains or loses on its way from the last layer.

    Args:
        groups: what a panel shows → name → interval of ln RMS relative to the last layer, [depth].
        alt: text alternative.
    """
    figure, panels = canvas(columns=len(groups), height=3.8, sharey=True)
    for ax, (title, intervals) in zip(panels, groups.items(), strict=True):
        for name, (mean, low, high) in intervals.items():
            layer = np.arange(1, len(mean) + 1)
            ax.plot(layer, mean / NATS_PER_DECADE, color=_COLOUR[name], label=LABELS[name])
            ax.fill_between(layer, low / NATS_PER_DECADE, high / NATS_PER_DECADE,
                            color=_COLOUR[name], alpha=0.3, linewidth=0)  # fmt: skip
        ax.set(xlabel=f"layer ({title})")
    panels[0].set_ylabel("powers of ten, from the last layer")
    panels[-1].legend(loc="lower right", ncols=2)
    return Picture(figure, alt)


@house_style
def intervals(rows: Mapping[str, Interval], *, label: str, alt: str) -> Picture:
    """A mean and its interval a row.

    Args:
        rows: name → interval of one number.
        label: what it is, for the axis.
        alt: text alternative.
    """
    figure, ax = canvas(height=0.8 + 0.36 * len(rows))
    for row, (name, (mean, low, high)) in enumerate(rows.items()):
        ax.plot([low, high], [row, row], color=_COLOUR[name], linewidth=3, alpha=0.5)
        ax.plot(mean, row, "o", color=_COLOUR[name])
    ax.set_yticks(range(len(rows)), [LABELS[name] for name in rows])
    ax.set(xlabel=label, ylim=(len(rows) - 0.4, -0.6))
    return Picture(figure, alt)
