"""Static figures of units that die and come back; each returns a `plots.Picture`."""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Array, Float

from vanishing.book.style import COLOURS, Picture, canvas, house_style
from vanishing.studies.intervals import Share


@house_style
def by_layer(
    shares: Mapping[str, Sequence[Share]],
    *,
    ylabel: str,
    alt: str,
    expected: Float[Array, " depth"] | None = None,
) -> Picture:
    """A share of the units, layer by layer, each with its 95 % interval.

    Args:
        shares: label → one `Share` a layer; layers without a trial are left out.
        ylabel: what the share is of.
        alt: text alternative.
        expected: what a theory gives, drawn dashed.
    """
    figure, ax = canvas()
    for k, (label, layers) in enumerate(shares.items()):
        known = [(l, s) for l, s in enumerate(layers, 1) if s.of]  # noqa: E741
        place = np.array([layer for layer, _ in known]) + 0.12 * (k - (len(shares) - 1) / 2)
        middle = 100 * np.array([s.share for _, s in known])
        ends = 100 * np.array([(s.low, s.high) for _, s in known]).T
        reach = np.maximum(np.stack([middle - ends[0], ends[1] - middle]), 0)
        ax.errorbar(place, middle, reach, fmt="o-", markersize=4, capsize=2.5, linewidth=1,
                    label=label)  # fmt: skip
    if expected is not None:
        ax.plot(np.arange(1, len(expected) + 1), 100 * np.asarray(expected), "k--", linewidth=1.2,
                label="theory")  # fmt: skip
    ax.set(xlabel="layer", ylabel=ylabel, ylim=(-2, None))
    ax.set_xticks(range(1, 1 + max(len(layers) for layers in shares.values())))
    ax.legend()
    return Picture(figure, alt)


@house_style
def by_inputs(dead: Mapping[str, Float[Array, " inputs"]], *, alt: str) -> Picture:
    """The share of dead units against the number of inputs that "dead" refers to.

    Args:
        dead: label → share of units dead on the first 1, 2, 3, … inputs.
        alt: text alternative.
    """
    figure, ax = canvas()
    for label, share in dead.items():
        ax.semilogx(np.arange(1, len(share) + 1), 100 * np.asarray(share), label=label)
    ax.set(xlabel="number of inputs", ylabel="units dead on all of them, %", ylim=(0, 60))
    ax.legend()
    return Picture(figure, alt)


@house_style
def compared(
    samples: Mapping[str, Float[Array, " seeds"]], *, xlabel: str, alt: str, log: bool = True
) -> Picture:
    """A number for each seed and label: points, and the median as a bar.

    Args:
        samples: label → a value a seed.
        xlabel: what the number is.
        alt: text alternative.
        log: whether the axis is logarithmic.
    """
    figure, ax = canvas(height=0.9 + 0.42 * len(samples))
    for row, (_, values) in enumerate(samples.items()):
        ax.plot(values, np.full(len(values), row), "o", color=COLOURS["blue"], markersize=4,
                alpha=0.6)  # fmt: skip
        ax.plot([np.median(values)] * 2, (row - 0.3, row + 0.3), color=COLOURS["vermilion"])
    ax.set(xlabel=xlabel, ylim=(len(samples) - 0.5, -0.5))
    if log:
        ax.set_xscale("log")
    ax.set_yticks(range(len(samples)), list(samples))
    ax.grid(axis="y", visible=False)
    return Picture(figure, alt)
