"""The still figures of `clinic`."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float
from matplotlib.colors import LinearSegmentedColormap, LogNorm
from matplotlib.ticker import NullLocator

from vanishing.book.asking import GIVEN
from vanishing.book.clinic.ablation import changes, link, word
from vanishing.book.clinic.patients import DEPTH, PATIENTS
from vanishing.book.clinic.treatment import CLASSES, Course, smooth
from vanishing.book.labels import axis_titles, label_lines, reference
from vanishing.book.style import COLOURS, DEAD, canvas, is_narrow, mosaic, picture
from vanishing.studies.ablation import GUESSING, straight_line
from vanishing.studies.guide import Node
from vanishing.studies.intervals import Interval

#: A colour for each patient, the same in every figure of the chapter; F is born dead.
LETTERS = dict(
    zip(
        PATIENTS,
        ("purple", "pink", "green", "cyan", "brown", "vermilion", "blue", "olive"),
        strict=True,
    )
)
TOP = 30.0  # losses beyond are drawn at the edge


@picture
def curves(courses: Mapping[str, Course]):
    """Loss of each patient, step by step; × where a run left the finite numbers.

    Args:
        courses: letter → its run.
        alt: text alternative.
    """
    figure, ax = canvas(3.6)
    for letter, run in courses.items():
        loss = np.minimum(smooth(run.loss), TOP)
        made = np.flatnonzero(np.isfinite(loss))
        colour = COLOURS[LETTERS[letter]]
        ax.plot(loss, color=colour, label=letter, linewidth=1.4)
        if len(made) < len(loss):
            ax.plot(made[-1], loss[made[-1]], "x", color=DEAD, markersize=7, clip_on=False)
    reference(ax, math.log(CLASSES), "guessing")
    ax.set(yscale="log", xlim=(0, len(loss) - 1), ylim=(0.5, TOP * 1.1))
    axis_titles(ax, x="step", y="training loss C; × no number")
    label_lines(ax)
    return figure


@picture
def by_layer(panels: Mapping[str, Mapping[str, Float[np.ndarray, " depth"]]], limits):
    """A panel for each reading: what it is in each layer of some patients.

    Args:
        panels: title → letter → a value for each layer, NaN beyond the last; −∞ is drawn
            as × at the bottom.
        limits: of the vertical axes, a pair for each panel.
        alt: text alternative.
    """
    figure, axes = canvas(3.4, columns=len(panels))
    layers = np.arange(1, DEPTH + 1)
    for k, (ax, (title, readings)) in enumerate(zip(np.ravel(axes), panels.items(), strict=True)):
        low, high = limits[k]
        for letter, values in readings.items():
            if len(zero := layers[np.isneginf(values)]):
                floor = np.full(len(zero), low)
                ax.plot(zero, floor, "x", color=DEAD, markersize=5, clip_on=False)
            shown = np.where(np.isneginf(values), low, values)
            ax.plot(layers, shown, color=COLOURS[LETTERS[letter]], label=letter, linewidth=1.4)
        ax.set(xlim=(1, DEPTH), ylim=(low, high))
        axis_titles(ax, x="layer", y=title)
        label_lines(ax, side="right")
    return figure


@picture
def outcomes(ends: Mapping[str, float]):
    """A bar for each cure of one patient: the loss at the end.

    Args:
        ends: cure → loss; infinite where the run was lost, which is drawn as a full bar.
        alt: text alternative.
    """
    figure, ax = canvas(3.2)
    places = np.arange(len(ends))
    heights = np.minimum(list(ends.values()), 4.0)
    ax.bar(places, heights, width=0.6, color=COLOURS["blue"], label="loss")
    reference(ax, math.log(CLASSES), "guessing")
    ax.set_xticks(places, list(ends), rotation=30, ha="right")
    ax.set(ylim=(0, 4), xlim=(-0.6, len(ends) - 0.4))
    axis_titles(ax, y="loss after the last step")
    return figure


#: From learnt to not learnt, on light and on dark paper alike.
_LEARNT = LinearSegmentedColormap.from_list(
    "learnt", [COLOURS["green"], "#f4f2ec", "#e3b3cb", COLOURS["pink"]]
)


@picture
def prescriptions(table: Mapping[str, Mapping[str, float]]):
    """Every cure on every patient: the loss at the end, in figures and as a shade.

    Args:
        table: letter → cure → loss; infinite where the run was lost.
        alt: text alternative.
    """
    cures = list(next(iter(table.values())))
    values = np.array([list(row.values()) for row in table.values()])
    if is_narrow():
        figure, ax = canvas(0.8 + 0.36 * len(cures))
        values = values.T
        columns, rows = list(table), cures
    else:
        figure, ax = canvas(0.8 + 0.36 * len(table))
        columns, rows = cures, list(table)
    # Guessing, ln 10, is the middle of the scale.
    norm = LogNorm(math.log(CLASSES) / 10, math.log(CLASSES) * 10)
    ax.imshow(np.clip(values, norm.vmin, norm.vmax), _LEARNT, norm, aspect="auto")
    for (row, column), loss in np.ndenumerate(values):
        words = "lost" if np.isinf(loss) else f"{loss:.2f}" if loss < 10 else f"{loss:.0f}"
        far = abs(math.log10(min(loss, 1e9) / math.log(CLASSES))) > 0.7
        ax.text(column, row, words, ha="center", va="center", fontsize=9,
                color="#fefefe" if far else "#101418")  # fmt: skip
    ax.set_xticks(range(len(columns)), columns)
    ax.set_yticks(range(len(rows)), rows)
    ax.tick_params(length=0, top=True, bottom=False, labeltop=True, labelbottom=False)
    ax.grid(visible=False)
    for spine in ax.spines.values():
        spine.set_visible(False)
    return figure


@picture
def worths(found: Interval, settings: Sequence[Float[np.ndarray, " settings"]]):
    """A bar for what each change is worth, its interval, and the middle 80% of the settings.

    Args:
        found: from `worths.worths`.
        settings: of each change, from `worths.differences`.
        alt: text alternative.
    """
    figure, ax = canvas(4.2)
    places = np.arange(len(found.value))
    ax.bar(places, found.value, width=0.55, color=COLOURS["blue"], label="worth")
    middle = [np.quantile(one, (0.1, 0.9)) for one in settings]
    ax.vlines(places, *np.transpose(middle), color=COLOURS["slate"], linewidth=1)
    for end in (found.low, found.high):
        ax.plot(places, end, "_", color=COLOURS["ink"], markersize=11)
    ax.axhline(0, color=COLOURS["ink"], linewidth=0.8, gid=GIVEN)
    ax.set_xticks(places, changes(), rotation=90 if is_narrow() else 30,
                  ha="center" if is_narrow() else "right")  # fmt: skip
    ax.set(ylim=(-0.4, 0.6), xlim=(-0.6, len(places) - 0.4))
    axis_titles(ax, y="by how much the loss falls")
    return figure


@picture
def guide(root: Node):
    """The tree of questions as an indented list, and how the networks of each answer end.

    Every answer is a link to the explorer that shows its networks.

    Args:
        root: from `guide.guide`.
        alt: text alternative.
    """
    nodes = list(root.walk())
    ratios = (1, 1) if is_narrow() else (1, 2)
    figure, axes = mosaic([["words", "ends"]], 0.9 + 0.27 * len(nodes), width_ratios=ratios)
    tree, ends, indent = axes["words"], axes["ends"], 0.08 if is_narrow() else 0.07
    rows = {id(node): row for row, node in enumerate(nodes)}
    for row, node in enumerate(nodes):
        at = indent * len(node.fixed)
        words = word(*list(node.fixed.items())[-1]) if node.fixed else f"all {len(node.losses)}"
        tree.text(at, row, words, va="center", url=link(node.fixed), color=COLOURS["blue"])
        for below in (rows[id(answer)] for answer in node.answers):
            elbow = [at + indent / 4, at + indent / 4, at + indent * 0.8], [row + 0.4, below, below]
            tree.plot(*elbow, color=COLOURS["rule"], linewidth=0.8)
        low, middle, high = np.quantile(node.losses, (0.1, 0.5, 0.9))
        ends.plot([low, high], [row, row], color=COLOURS["slate"], linewidth=1)
        ends.plot(middle, row, "o", color=COLOURS["blue"], markersize=5)
        ends.text(1.04, row, f"{middle:.2f}", transform=ends.get_yaxis_transform(), va="center")
    for ax in (tree, ends):
        ax.set(ylim=(len(nodes) - 0.5, -1), yticks=[])
    tree.set(xlim=(0, 1))
    tree.set_axis_off()
    ends.set(
        xscale="log",
        xticks=(ticks := (0.01, 0.1, GUESSING)),
        xticklabels=map("{:.2g}".format, ticks),
    )
    ends.xaxis.set_minor_locator(NullLocator())
    reference(ends, straight_line(), "", axis="x")
    axis_titles(ends, x="loss after the last step")
    return figure
