"""The static figures of the chapter on normalisation."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float
from matplotlib.patches import Rectangle

from vanishing._types import AnyArray
from vanishing.book.labels import axis_titles, label_lines, reference
from vanishing.book.style import COLOURS, PUBLISHED, THEORY, Figure, canvas, picture
from vanishing.studies.intervals import Interval
from vanishing.studies.normalization import Descent, linear_factor, relu_factor


@picture
def descents(runs: Mapping[str, Descent]) -> Figure:
    """Loss, and RMS of the biases, against the step; a line a run.

    Args:
        runs: label → what `studies.normalization.descend` recorded.
        alt: text alternative.
    """
    figure, (left, right) = canvas(columns=2, height=3.0)
    for label, run in runs.items():
        step = np.arange(len(run.loss))
        left.plot(step, run.loss, label=label)
        right.plot(step, run.bias_rms, label=label)
    for ax, words in ((left, "training loss C"), (right, "RMS of the biases")):
        ax.set(xlim=(0, len(run.loss) - 1), ylim=(0, None))
        axis_titles(ax, x="step", y=words)
        label_lines(ax)
    return figure


@picture
def axes_of_the_mean(rows: int = 4, columns: int = 6) -> Figure:
    """Which numbers of [batch, units] one mean is taken over, for three normalisations.

    Args:
        rows: inputs.
        columns: units.
        alt: text alternative.
    """
    figure, panels = canvas(columns=3, height=2.2)
    kinds = {
        "batch norm": (slice(None), 2),
        "layer norm": (1, slice(None)),
        "RMSNorm: no mean": (1, slice(None)),
    }
    for ax, (words, chosen) in zip(panels, kinds.items(), strict=True):
        together = np.zeros((rows, columns), bool)
        together[chosen] = True
        for (row, column), inside in np.ndenumerate(together):
            colour = COLOURS["blue"] if inside else COLOURS["grid"]
            ax.add_patch(Rectangle((column + 0.06, row + 0.06), 0.88, 0.88, color=colour))
        ax.set(xlim=(0, columns), ylim=(rows, 0), xticks=[], yticks=[], aspect="equal")
        ax.spines[:].set_visible(False)
        axis_titles(ax, x="units →", y=words)
    panels[0].set_ylabel("← inputs")
    return figure


@picture
def explosion(
    measured: Mapping[str, Mapping[int, Interval]], published: Mapping[int, float]
) -> Figure:
    """The factor of the squared gradient against the batch size: laws, published, measured.

    Args:
        measured: "relu" and "linear" → batch size → factor with its interval.
        published: batch size → the factor by a published law.
        alt: text alternative.
    """
    figure, ax = canvas()
    batch, lines = np.geomspace(5, 600, 200), []
    for name, law in (("relu", relu_factor), ("linear", linear_factor)):
        colour, words = {"relu": ("green", "ReLU"), "linear": ("slate", "linear")}[name]
        (line,) = ax.plot(batch, law(batch), color=COLOURS[colour], label=words, **THEORY)
        lines.append(line)
        for size, (value, low, high) in measured[name].items():
            reach = [[value - low], [high - value]]
            look = {"markersize": 5, "capsize": 3, "color": COLOURS[colour]}
            ax.errorbar(size, value, reach, fmt="o", **look)
    ax.plot(list(published), list(published.values()), color=COLOURS["ink"], **PUBLISHED)
    limit = np.pi / (np.pi - 1)
    ax.plot(batch, np.full_like(batch, limit), color=COLOURS["ink"], linewidth=0.8)
    ax.annotate("π/(π − 1)", (150, limit), xytext=(0, -13), textcoords="offset points")
    ax.set(xscale="log", xlim=(5, 600), ylim=(0.95, 2.6))
    ticks = (8, 16, 64, 256)
    ax.set_xticks(ticks, [str(tick) for tick in ticks])
    ax.minorticks_off()
    label_lines(ax, lines)
    axis_titles(ax, x="batch size B", y="factor of the squared gradient per layer")
    return figure


@picture
def starts(
    samples: Mapping[str, tuple[Float[AnyArray, " seeds"], Interval]],
    *,
    xlabel: str,
    log: bool = False,
    guess: float | None = None,
) -> Figure:
    """A dot for each start, and a bar for their mean or median and its 95% interval.

    Args:
        samples: label → a value a start, and the interval.
        xlabel: what the value is.
        log: whether the axis is logarithmic.
        guess: the value of knowing nothing.
        alt: text alternative.
    """
    figure, ax = canvas(height=1.0 + 0.45 * len(samples))
    for row, (values, (middle, low, high)) in enumerate(samples.values()):
        ax.plot(
            values, np.full(len(values), row), "o", color=COLOURS["blue"], markersize=4, alpha=0.5
        )
        look = {"color": COLOURS["ink"], "linewidth": 1.5}
        ax.plot([low, high], [row + 0.28] * 2, **look)
        ax.plot([middle] * 2, [row + 0.14, row + 0.42], **look)
    ax.set(ylim=(len(samples) - 0.4, -0.6))
    if log:
        ax.set_xscale("log")
    if guess is not None:
        reference(ax, guess, "guessing", axis="x")
    ax.set_yticks(range(len(samples)), list(samples))
    ax.grid(axis="y", visible=False)
    axis_titles(ax, x=xlabel)
    return figure
