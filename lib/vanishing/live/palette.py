"""The house colours, each with a light and a dark variant.

Every figure is drawn in the light variants. In the page each of them stands for a CSS variable
(`--vg-blue`), so that one stylesheet turns all figures dark, and print turns them light again.
"""

from typing import NamedTuple

from cycler import cycler


class Colour(NamedTuple):
    """One colour on light and on dark paper, as `#rrggbb`."""

    light: str
    dark: str


#: Categorical colours: contrast of at least 4.5:1 (words have them too) against white,
#: and (dark variant) against #121212.
#: Those that meet most often (purple, blue, green, vermilion, gold) stay apart in the common
#: colour-vision deficiencies too, by their lightness.
CYCLE: dict[str, Colour] = {
    "blue": Colour("#1a75c7", "#4f9ff0"),
    "vermilion": Colour("#a32b06", "#ff7f4a"),
    "green": Colour("#0f7a55", "#3fcf9c"),
    "purple": Colour("#5e2d91", "#d9c2ff"),
    "pink": Colour("#a8206a", "#f57ab8"),
    "gold": Colour("#927000", "#f2d36b"),
    "cyan": Colour("#07818f", "#4fd0de"),
    "olive": Colour("#4f6b00", "#b5d84a"),
    "indigo": Colour("#2b2f86", "#6f74e0"),
    "brown": Colour("#7d4230", "#d39a80"),
    "slate": Colour("#66707a", "#a6b0ba"),
}

#: Those that mean dead and saturated: no line gets them by chance.
TAKEN = ("vermilion", "gold")

#: An ordered scale, from the first layer to the last: from near the paper towards the ink.
LAYERS: dict[str, Colour] = {
    "layer-1": Colour("#22827f", "#9083c4"),
    "layer-2": Colour("#1d7581", "#929ad6"),
    "layer-3": Colour("#236680", "#93b0e5"),
    "layer-4": Colour("#2b567c", "#93c5ef"),
    "layer-5": Colour("#324574", "#94d9f6"),
    "layer-6": Colour("#363368", "#99edfa"),
    "layer-7": Colour("#351f58", "#a2fffa"),
}

#: Ink, paper and the lines between. Matplotlib's own default grey of grids and legends maps too.
NEUTRAL: dict[str, Colour] = {
    "ink": Colour("#000000", "#e6eaee"),
    "surface": Colour("#ffffff", "#121212"),
    "grid": Colour("#d5dae0", "#3a434d"),
    "rule": Colour("#b0b0b0", "#4c5661"),
    "frame": Colour("#cccccc", "#4a535d"),
}

PALETTE: dict[str, Colour] = {**CYCLE, **LAYERS, **NEUTRAL}

COLOURS: dict[str, str] = {name: colour.light for name, colour in PALETTE.items()}

#: How matplotlib draws in the house.
STYLE = {
    "axes.prop_cycle": cycler(color=[COLOURS[name] for name in CYCLE if name not in TAKEN]),
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.edgecolor": COLOURS["slate"],
    "axes.labelcolor": COLOURS["ink"],
    "axes.titlesize": 10,
    "axes.titlepad": 8,
    "axes.unicode_minus": True,
    "font.size": 10,
    "grid.color": COLOURS["grid"],
    "grid.linewidth": 0.6,
    "legend.borderpad": 0.2,
    "legend.columnspacing": 0.8,
    "legend.frameon": False,
    "legend.handlelength": 1.2,
    "legend.handletextpad": 0.4,
    "lines.linewidth": 1.8,
    "xtick.color": COLOURS["slate"],
    "ytick.color": COLOURS["slate"],
    "xtick.labelcolor": COLOURS["ink"],
    "ytick.labelcolor": COLOURS["ink"],
    "ytick.major.size": 0,
}

#: `{"#1467b3": "var(--vg-blue, #1467b3)", ...}`: what a light colour becomes in the page.
VARIABLES: dict[str, str] = {
    colour.light: f"var(--vg-{name}, {colour.light})" for name, colour in PALETTE.items()
}


def css() -> str:
    """The stylesheet that defines every `--vg-*` variable, light, dark and printed.

    The theme attribute of the page decides; where there is none, the reader's system does.
    Slides stay light, because their paper does.
    """
    light = "".join(f"--vg-{name}:{c.light};" for name, c in PALETTE.items())
    dark = "".join(f"--vg-{name}:{c.dark};" for name, c in PALETTE.items())
    named = 'html[data-theme="dark"],body[data-jp-theme-light="false"]'
    system = "html:not([data-theme]):not(:has(.reveal,.jp-ThemedContainer,[data-jp-theme-light]))"
    return (
        f":root{{{light}}}\n"
        f"@media screen{{{named}{{{dark}color-scheme:dark}}}}\n"
        f"@media screen and (prefers-color-scheme:dark){{{system}{{{dark}color-scheme:dark}}}}\n"
    )
