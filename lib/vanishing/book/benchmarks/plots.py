"""The still figure of `benchmarks`."""

from collections.abc import Sequence

import numpy as np
from matplotlib.ticker import FuncFormatter

from vanishing.book.labels import axis_titles
from vanishing.book.style import COLOURS, Figure, canvas, is_narrow, picture
from vanishing.studies.benchmarks import COLUMNS, Row

CONTESTANTS = dict(zip(COLUMNS, ("blue", "green", "brown", "purple"), strict=True))


@picture
def ratios(rows: Sequence[Row]) -> Figure:
    """How many times longer than the library each contestant takes, and the goals.

    Args:
        rows: from `benchmarks.rows`.
        alt: text alternative.
    """
    height, words = (0.62, 0.42) if is_narrow() else (0.46, 0.36)
    figure, ax = canvas(height=1.1 + height * len(rows))
    places = np.arange(len(rows))
    for name, colour in CONTESTANTS.items():
        at = [k for k in places if name in rows[k].ratios]
        found = np.array([rows[k].ratios[name] for k in at]).reshape(-1, 3)
        ax.hlines(at, found[:, 0], found[:, 2], color=COLOURS[colour], linewidth=2.5, alpha=0.5)
        ax.plot(found[:, 1], at, "o", color=COLOURS[colour], markersize=5, label=name)
    goals = [row.goal for row in rows]
    ax.plot(goals, places, "|", color=COLOURS["ink"], markersize=12, label="goal")
    for k, row in enumerate(rows):
        ax.text(0, k - words, row.name, transform=ax.get_yaxis_transform(), va="center")
    ax.vlines(np.ones(len(rows)), places - 0.2, places + 0.2, color=COLOURS["ink"], linewidth=1)
    ax.set(xscale="log", ylim=(len(rows) - 0.4, -0.8), yticks=[])
    ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
    axis_titles(ax, x="how many times the library’s own time (log)")
    # Too wide for the line of the title, where legends stand else.
    figure.legend(loc="outside upper left", ncols=2 if is_narrow() else 5)
    return figure
