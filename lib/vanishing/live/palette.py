"""The house colours, each with a light and a dark variant.

Every figure is drawn in the light variants. In the page each of them stands for a CSS variable
(`--vg-blue`), so that one stylesheet turns all figures dark, and print turns them light again.
"""

from typing import NamedTuple


class Colour(NamedTuple):
    """One colour on light and on dark paper, as `#rrggbb`."""

    light: str
    dark: str


#: Categorical colours: contrast of at least 3:1 against white, and (dark variant) against #121212.
CYCLE: dict[str, Colour] = {
    "blue": Colour("#1467b3", "#6fb1f5"),
    "vermilion": Colour("#c8501e", "#ff9a66"),
    "green": Colour("#117a5b", "#4cc9a0"),
    "purple": Colour("#7a4fb5", "#bd9cf2"),
    "pink": Colour("#b8397a", "#f58fbf"),
    "gold": Colour("#8f6a00", "#e0bd4d"),
    "cyan": Colour("#0f7f8f", "#58cbd9"),
    "slate": Colour("#66707a", "#a6b0ba"),
}

#: Ink, paper and the lines between. Matplotlib's own default grey of grids and legends maps too.
NEUTRAL: dict[str, Colour] = {
    "ink": Colour("#000000", "#e6eaee"),
    "surface": Colour("#ffffff", "#121212"),
    "grid": Colour("#d5dae0", "#3a434d"),
    "rule": Colour("#b0b0b0", "#4c5661"),
    "frame": Colour("#cccccc", "#4a535d"),
}

PALETTE: dict[str, Colour] = {**CYCLE, **NEUTRAL}

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
