"""The explorer of the ablation: which networks a filter leaves, and what helps among them."""

from collections.abc import Mapping
from functools import cache
from urllib.parse import quote

import jax.numpy as jnp
import numpy as np
from jaxtyping import UInt8
from matplotlib.ticker import NullLocator

from vanishing.book.labels import axis_titles, legend_above, reference
from vanishing.book.style import COLOURS, is_narrow, is_slide, live_figure, mosaic
from vanishing.live import Choice
from vanishing.studies import ablation as study
from vanishing.studies import worths
from vanishing.studies.ablation import FACTORS, GUESSING
from vanishing.studies.worths import CHANGES

#: What the values of each factor are called, in the order of `FACTORS`.
WORDS = {
    "initializer": ("PyTorch", "Xavier", "He"),
    "activation": ("sigmoid", "tanh", "ReLU"),
    "normalization": ("no norm", "batch norm", "layer norm"),
    "residual": ("plain", "scaled skips"),
    "depth": ("4 layers", "16 layers"),
    "optimizer": ("SGD", "Adam"),
}
LABELS = {"initializer": "start", "normalization": "normalisation", "residual": "skips",
          "optimizer": "optimiser"}  # fmt: skip
ANY = "any"
#: Filters that a phone has no room for beside the picture.
MORE = ("initializer", "optimizer")
#: Losses up to which networks are counted: a twentieth of a power of ten apart, up to guessing.
LEVELS = GUESSING * 10.0 ** np.linspace(-2.25, 0.05, 47)


def word(factor: str, value) -> str:
    """What a value is called.

    >>> word("normalization", None)
    'no norm'
    """
    return WORDS[factor][FACTORS[factor].index(value)]


def changes() -> list[str]:
    """What each of `CHANGES` is called.

    >>> changes()[-1]
    'SGD → Adam'
    """
    return [f"{WORDS[factor][0]} → {word(factor, value)}" for factor, value in CHANGES]


def link(fixed: Mapping[str, object]) -> str:
    """The address of the explorer with these filters.

    >>> link({"residual": True, "depth": 16})
    '#fig-ablation?residual=scaled%20skips&depth=16%20layers'
    """
    filters = [f"{factor}={quote(word(factor, value))}" for factor, value in fixed.items()]
    return "#fig-ablation?" + "&".join(filters)


@cache
def table() -> UInt8[np.ndarray, "networks starts 2"]:
    """The tuned losses for the page, two bytes each: C / ln 2 in 65535ths."""
    losses = study.tuned(study.losses()).reshape(study.NETWORKS, study.STARTS)
    shares = np.round(losses / GUESSING * 65535).astype(int)
    return np.stack(np.divmod(shares, 256), axis=-1).astype(np.uint8)


def chosen(ablation, **filters):
    """What the networks are that no filter takes out, and what each change is worth among them.

    Args:
        ablation: the `table`.
        filters: factor → 0 for any of its values, or the position of one, counted from 1.

    Returns:
        How many `networks`, the `median` of their losses, and the share that has `learnt` to bend
        the line, to below half of what the best straight one costs; the `share` that ends below
        each of `LEVELS` but the first; and `worth`, `low` and `high` of each of `CHANGES`, for
        which the filter of its own factor is not looked at.
    """
    losses = GUESSING / 65535 * (ablation.astype(jnp.float32) @ jnp.array([256.0, 1.0]))
    ends = jnp.median(losses, axis=1)
    below = (ends[:, None] < LEVELS[None, 1:].astype(np.float32)).astype(jnp.float32)
    wanted = jnp.array([filters[factor] for factor in FACTORS])[:, None]
    values = jnp.arange(worths.everything().shape[1])[None]
    kept = ((wanted == 0) | (wanted - 1 == values)).astype(jnp.float32)
    weights = worths.weights(kept)
    count = jnp.sum(weights)
    ordered = jnp.sort(jnp.where(weights > 0, ends, jnp.inf))
    middle = count.astype(jnp.int32) // 2
    before = (count.astype(jnp.int32) - 1) // 2
    worth = worths.worths(losses, kept)
    return {
        "networks": count,
        "median": (ordered[before] + ordered[middle]) / 2,
        "learnt": jnp.sum(jnp.where(ends < study.straight_line() / 2, weights, 0)) / count,
        "share": weights @ below / count,
        "worth": worth.value,
        "low": worth.low,
        "high": worth.high,
    }


def _draw():
    height = 4.2 if is_narrow() else 5.4
    figure, axes = mosaic([["losses"], ["worth"]], height, height_ratios=[2, 3])
    losses, worth = axes["losses"], axes["worth"]
    share = np.asarray(chosen(table(), **dict.fromkeys(FACTORS, 0))["share"])
    passing = losses.stairs(share, LEVELS, fill=True, color=COLOURS["blue"], label="under filter")
    losses.stairs(share, LEVELS, color=COLOURS["ink"], linewidth=1.2, label="all networks")
    losses.set(xscale="log", ylim=(0, 1.3), yticks=[0, 0.5, 1], xlim=(LEVELS[0], LEVELS[-1]))
    losses.set_xticks(ticks := [0.01, 0.03, 0.1, 0.3], ticks)
    losses.xaxis.set_minor_locator(NullLocator())
    reference(losses, study.straight_line(), "straight line", axis="x")
    if is_slide():
        axis_titles(losses, y="share ending below a loss")
        legend_above(losses)
    else:
        axis_titles(losses, x="loss after the last step", y="share of the networks that end below")
        losses.legend(loc="upper left")

    places, nothing = np.arange(len(CHANGES)), np.zeros(len(CHANGES))
    bind = {passing: "share"}
    bind[worth.bar(places, nothing, width=0.55, color=COLOURS["blue"])] = "worth"
    for end in ("low", "high"):
        (mark,) = worth.plot(
            places, nothing, "_", color=COLOURS["ink"], markersize=6 if is_narrow() else 13
        )
        bind[mark] = end
    worth.axhline(0, color=COLOURS["ink"], linewidth=0.8)
    worth.set(ylim=(-0.8, 0.8), xlim=(-0.6, len(CHANGES) - 0.4))
    if is_slide():  # what is changed to, in lines so short that they stand side by side
        worth.set_xticks(places, [word(*change).replace(" ", "\n") for change in CHANGES])
        worth.set_yticks([-0.5, 0, 0.5])
    else:
        worth.set_xticks(places, changes(), rotation=55 if is_narrow() else 30, ha="right")
    axis_titles(worth, y="by how much the loss falls")
    return figure, bind


def ablation():
    """Filters on a factorial of trained networks → their losses, and what each change is worth.

    Returns:
        A live figure; the last value of a cell shows it.

    >>> ablation().name
    'ablation'
    """
    controls = [
        Choice(factor, (ANY, *words), label=LABELS.get(factor, factor), more=factor in MORE)
        for factor, words in WORDS.items()
    ]
    return live_figure(
        _draw,
        chosen,
        controls,
        name="ablation",
        title="the ablation",
        words={
            "share": "share of the networks that end below a loss",
            "worth": "what each change is worth",
            "low": "lower end of its interval",
            "high": "upper end of its interval",
        },
        data={"ablation": table()},
        describe="{networks:d} networks; their median loss {median!v:.2f}, where guessing costs "
        f"{GUESSING:.2f} and a straight line {study.straight_line():.2f}; {{learnt:.0%}} end below "
        "half of the line",
        presets={
            "all": {},
            "plain and deep": {"residual": "plain", "depth": "16 layers"},
            "deep with skips": {"residual": "scaled skips", "depth": "16 layers"},
            "sigmoid": {"activation": "sigmoid"},
        },
        alt="Above, the share of networks that end below a loss: it climbs from none at 0.004 to "
        "one half at 0.08, steeply at the straight line, and to all at guessing. Below, nine bars "
        "with an interval each. tanh and ReLU for the sigmoid and skips for plain layers stand "
        "highest, near 0.19; Adam, batch norm and He are lower; Xavier and layer norm are near 0, "
        "and sixteen layers stand below it.",
    )
