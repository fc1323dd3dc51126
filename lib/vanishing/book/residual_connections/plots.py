"""The static figures of the chapter on residual connections."""

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
from jaxtyping import Float

from vanishing._types import AnyArray
from vanishing.book.labels import axis_titles, label_lines
from vanishing.book.style import (
    COLOURS,
    PUBLISHED,
    THEORY,
    Figure,
    canvas,
    is_narrow,
    is_slide,
    picture,
)
from vanishing.studies import shattering
from vanishing.studies.intervals import Interval

#: Measured, and what a theory expects of it (or None).
Curve = tuple[Float[AnyArray, " blocks"], Float[AnyArray, " blocks"] | None]


@picture
def unravelled(blocks: int) -> Figure:
    """Every path through a few residual blocks, a row each: through which branches it goes."""
    figure, ax = canvas(height=0.7 + 0.28 * 2**blocks)
    paths = [path for k in range(blocks + 1) for path in combinations(range(blocks), k)]
    for row, path in enumerate(paths):
        ax.plot((0, blocks), (row, row), color=COLOURS["green"], linewidth=1.4)
        for block in path:
            middle = block + 0.5
            ends = (middle - 0.3, middle + 0.3)
            ax.plot(ends, (row, row), color=COLOURS["brown"], linewidth=1.8)
            words = {"ha": "center", "va": "center", "color": COLOURS["brown"]}
            words["fontsize"] = 10 if is_slide() else 9
            box = {"boxstyle": "round,pad=0.25", "edgecolor": COLOURS["brown"]}
            box["facecolor"] = COLOURS["surface"]
            ax.text(middle, row, f"branch {block + 1}", bbox=box, **words)
        ax.plot((0, blocks), (row, row), ".", color=COLOURS["ink"], markersize=5)
    names = [f"{len(path)} branch{'' if len(path) == 1 else 'es'}" for path in paths]
    ax.set_yticks(range(len(paths)), names)
    ax.set(xlim=(-0.1, blocks + 0.1), ylim=(len(paths) - 0.5, -0.7))
    ax.set_xticks((0, blocks), ("h₀", f"h{'₀₁₂₃₄₅'[blocks]}"))
    ax.grid(visible=False)
    ax.spines["bottom"].set_visible(False)
    ax.tick_params(axis="x", length=0)
    return figure


@picture
def path_lengths(
    shares: Mapping[str, Float[AnyArray, "seeds lengths"]],
    expected: Mapping[str, Float[np.ndarray, " lengths"]],
) -> Figure:
    """Which share of the gradient came by paths of each length, a panel a network.

    Args:
        shares: label → what `paths.shares` measured; bars are means over the networks.
        expected: label → `paths.expected_share`, dashed.
        alt: text alternative.
    """
    figure, axes = canvas(columns=len(shares), height=2.8)
    for ax, (label, share) in zip(axes, shares.items(), strict=True):
        law = 100 * expected[label]
        lengths = np.arange(len(law))
        mean = 100 * np.asarray(share).mean(axis=0)
        ax.bar(lengths, mean, width=0.75, color=COLOURS["blue"], label=label)
        ax.plot(lengths, law, color=COLOURS["ink"], **THEORY)
        last = np.searchsorted(np.cumsum(law), 99.95)
        ax.set(xlim=(-0.8, last + 0.8), ylim=(0, 1.15 * max(law.max(), mean.max())))
        ax.xaxis.get_major_locator().set_params(integer=True)
        axis_titles(ax, x="branches on the path", y=f"{label}, % of the gradient")
    return figure


@picture
def by_block(panels: Mapping[str, Mapping[str, Curve]], *, side: Sequence[str] = ()) -> Figure:
    """Powers of ten, block by block.

    Args:
        panels: what the panel measures → label → measured, and expected (dashed) or None.
        side: for each panel, at which end its lines are named; "right" where not given.
        alt: text alternative.
    """
    figure, axes = canvas(columns=len(panels), height=3.2)
    for k, (ax, (title, curves)) in enumerate(zip(np.ravel(axes), panels.items(), strict=True)):
        lines = []
        for label, (measured, law) in curves.items():
            block = np.arange(1, len(measured) + 1)
            lines += ax.plot(block, measured, label=label)
            if law is not None:
                ax.plot(block, law, color=lines[-1].get_color(), **THEORY)
        ax.set_xlim(1, len(block))
        where = side[k] if k < len(side) else "right"
        if where == "left":
            ax.yaxis.tick_right()
        axis_titles(ax, x="block", y=title)
        label_lines(ax, lines, side=where)
    return figure


@picture
def slopes(gradients: Mapping[str, Float[AnyArray, " points"]]) -> Figure:
    """df/dx along the input, each relative to its own RMS, one under another.

    Args:
        gradients: label → the gradient on the grid of `shattering.inputs`.
        alt: text alternative.
    """
    figure, axes = canvas(rows=len(gradients), height=1.25 * len(gradients), sharex=True)
    for ax, (label, gradient) in zip(axes, gradients.items(), strict=True):
        x = np.linspace(-shattering.REACH, shattering.REACH, len(gradient))
        g = np.asarray(gradient, float)
        ax.plot(x, g / np.sqrt(np.mean(g**2)), linewidth=1.0, color=COLOURS["blue"])
        ax.set(xlim=(x[0], x[-1]), ylim=(-3.6, 3.6), yticks=(-2, 0, 2))
        axis_titles(ax, y=label)
    axis_titles(axes[-1], x="input x")
    return figure


@picture
def with_depth(
    measured: Mapping[str, tuple[Sequence[int], Sequence[Interval]]],
    *,
    ylabel: str,
    laws: Mapping[str, tuple[Sequence[int], Float[np.ndarray, " depths"]]] | None = None,
    published: Mapping[int, float] | None = None,
    log: bool = False,
) -> Figure:
    """Something against the depth of the network, with its 95% interval.

    Args:
        measured: label → depths, and an `Interval` for each.
        ylabel: what it is.
        laws: label → depths and what a theory gives, dashed; in the colour of the measured curve
            of that label, or in ink where there is none, and then named.
        published: depth → a published number.
        log: whether both axes are logarithmic.
        alt: text alternative.
    """
    figure, ax = canvas()
    lines, colours = [], {}
    for label, (depths, found) in measured.items():
        value, low, high = (
            np.array([float(part) for part in ends]) for ends in zip(*found, strict=True)
        )
        reach = np.stack([value - low, high - value])
        bars = ax.errorbar(depths, value, reach, fmt="o-", markersize=4, capsize=2.5, linewidth=1.4)
        lines.append(bars.lines[0])
        lines[-1].set_label(label)
        colours[label] = lines[-1].get_color()
    for label, (depths, law) in (laws or {}).items():
        colour = colours.get(label, COLOURS["ink"])
        (line,) = ax.plot(depths, law, color=colour, label=label, **THEORY)
        lines += [] if label in colours else [line]
    if published:
        ax.plot(list(published), list(published.values()), color=COLOURS["ink"], **PUBLISHED)
    if log:
        ax.set(xscale="log", yscale="log")
    depths = sorted({depth for shown, _ in measured.values() for depth in shown})
    ax.set_xticks(depths, [str(depth) for depth in depths], minor=False)
    ax.minorticks_off()
    ax.margins(x=0.03)
    axis_titles(ax, x="depth" if is_narrow() else "depth L", y=ylabel)
    label_lines(ax, lines)
    return figure
