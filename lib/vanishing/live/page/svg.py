"""A matplotlib figure as SVG that follows the page: its colours, its font, its width; as a PNG
where only images can be shown."""

import base64
import html
import io
import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from vanishing.live.palette import VARIABLES

#: Matplotlib measures text with DejaVu Sans; Verdana, its ancestor, is as wide.
FONT = "var(--vg-figure-font, 'DejaVu Sans', Verdana, Geneva, sans-serif)"

_SETTINGS = {
    "svg.fonttype": "none",  # text stays text: it can be selected, read aloud and recoloured
    "svg.hashsalt": "vanishing",  # the same figure gives the same bytes
    "image.composite_image": False,  # images on one axes stay apart
}
#: What SVG takes as attributes too. A policy without 'unsafe-inline' refuses style attributes, and
#: would turn every picture into black boxes.
_ATTRIBUTES = frozenset(
    [
        "fill",
        "fill-opacity",
        "fill-rule",
        "font-family",
        "font-size",
        "font-style",
        "font-weight",
        "image-rendering",
        "opacity",
        "stroke",
        "stroke-dasharray",
        "stroke-dashoffset",
        "stroke-linecap",
        "stroke-linejoin",
        "stroke-miterlimit",
        "stroke-opacity",
        "stroke-width",
        "text-anchor",
    ]
)
#: What refers to a part of the picture itself, not to a live figure of the page.
_REFERENCE = r'href="#(?!fig-\w+\?)'
#: An index and what follows it up to the next one, as in `σ_w² = 2`.
_SUBSCRIPT = re.compile(r"(?<=[α-ω])_(\w)([^<_]*)")
_ROOT = f'font-family="{FONT}" stroke-linejoin="round" stroke-linecap="butt"'


@contextmanager
def points(fig: Figure) -> Iterator[None]:
    """Make one pixel of `fig` one point (1/72 inch), the unit of matplotlib's SVG."""
    dpi = fig.dpi
    fig.dpi = 72
    try:
        yield
    finally:
        fig.dpi = dpi


def check_figure(fig: Any) -> Figure:
    """Check that `fig` is a matplotlib figure."""
    if not isinstance(fig, Figure):
        raise TypeError(
            f"fig: expected a matplotlib Figure; got {type(fig).__name__}. "
            "Of figure, ax = plt.subplots() it is the first part."
        )
    return fig


def themed_svg(
    fig: Figure, alt: str | None = None, *, prefix: str = "", keep: Collection[str] = ()
):
    """Draw `fig` as inline SVG whose house colours are CSS variables.

    Args:
        fig: a matplotlib figure.
        alt: text alternative, what there is to see. None hides the picture from screen readers.
        prefix: put before every `id`, so that two figures on one page do not collide.
        keep: `gid` of the artists whose ids must stay.

    Returns:
        an `<svg>` element as `str`: as wide as its column, at most as wide as the figure. An
        artist with a URL (`set_url`) is a link; `#fig-name?control=value` sets a live figure.

    >>> from matplotlib.figure import Figure
    >>> themed_svg(Figure(), "Nothing yet.")[:44]
    '<svg role="img" aria-label="Nothing yet." vi'
    """
    check_figure(fig)
    buffer = io.StringIO()
    with mpl.rc_context(_SETTINGS):
        fig.savefig(buffer, format="svg", metadata=dict.fromkeys(("Date", "Creator")))
    source = buffer.getvalue()
    body = source[source.index("</metadata>") + len("</metadata>") :]
    body = re.sub(r'<style type="text/css">.*?</style>', "", body)  # would style the whole page
    body = re.sub(r"<!--.*?-->", "", body, flags=re.S)
    body = body.replace("xlink:href", "href").replace(' target="_blank"', "")
    body = _rename(body, prefix, keep)
    body = re.sub(r'style="([^"]*)"', lambda match: _attributes(_themed(match[1])), body)
    body = re.sub(r"(?<=data:image/png;base64,)[^\"]+", lambda match: _few(match[0]), body)
    body = re.sub(r' (?:d|x|y)="[^"]*"', lambda match: _rounded(match[0]), body)
    body = re.sub(r"\s*\n\s*", " ", body).replace("> <", "><")
    body = _SUBSCRIPT.sub(_lowered, body)
    width, height = fig.get_size_inches() * 72
    role = "group" if "<a " in body else "img"  # who sees one image does not find links in it
    label = f'role="{role}" aria-label="{html.escape(alt)}"' if alt else 'aria-hidden="true"'
    size = f'viewBox="0 0 {width:g} {height:g}" width="{width:g}pt" class="vg-svg"'
    root = f'{size} fill="{VARIABLES["#000000"]}" {_ROOT}'
    return f"<svg {label} {root}>{body.lstrip()}".strip()


def png(fig: Figure) -> bytes:
    """Draw `fig` as a PNG, 150 dots an inch: what shows where HTML is not trusted.

    >>> png(Figure((1, 1)))[1:4]
    b'PNG'
    """
    buffer = io.BytesIO()
    fig.savefig(buffer, format="png", dpi=150, metadata={"Software": None})
    return buffer.getvalue()


def _rounded(places: str) -> str:
    """Places to a hundredth of a point: more cannot be seen, and would be most of the bytes.

    A line goes on from point to point without a letter before each.

    >>> _rounded(' d="M 1.2041 0 L 2.13333 1 L 3 1 "')
    ' d="M 1.2 0 2.13 1 3 1 "'
    """
    places = re.sub(r"-?\d+\.\d{3,}", lambda number: _short(float(number[0])), places)
    return places if "C" in places or "Q" in places else re.sub(r"(?<=\d)\s+L ", " ", places)


def _short(place: float) -> str:
    return f"{place:.2f}".rstrip("0").rstrip(".")


def _few(encoded: str) -> str:
    """The same PNG with a table of its colours, which is half as large, if they are that few."""
    pixels = np.asarray(Image.open(io.BytesIO(base64.b64decode(encoded))).convert("RGBA"))
    colours, places = np.unique(pixels.reshape(-1, 4), axis=0, return_inverse=True)
    if len(colours) > 256:
        return encoded
    picture = Image.fromarray(places.reshape(pixels.shape[:2]).astype(np.uint8), "P")
    picture.putpalette(colours[:, :3].tobytes())
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", optimize=True, transparency=colours[:, 3].tobytes())
    return base64.b64encode(buffer.getvalue()).decode()


def _lowered(index: re.Match) -> str:
    """`σ_w` with its subscript. Each shift is counted in its own letters' size, and adds up."""
    after = f'<tspan dy="-0.21em">{index[2]}</tspan>' if index[2] else ""
    return f'<tspan dy="0.3em" font-size="70%">{index[1]}</tspan>{after}'


def _attributes(style: str) -> str:
    """A style as SVG's own attributes; what has none stays a style."""
    pairs = [pair.split(":", 1) for pair in style.split(";") if ":" in pair]
    given = {name.strip(): value.strip() for name, value in pairs}
    rest = ";".join(f"{name}:{value}" for name, value in given.items() if name not in _ATTRIBUTES)
    known = [f'{name}="{value}"' for name, value in given.items() if name in _ATTRIBUTES]
    return " ".join([*known, f'style="{rest}"'] if rest else known)


def _themed(style: str) -> str:
    """Replace house colours by variables, and drop the font, which the root names once."""
    style = re.sub(r";? ?font-family: '?DejaVu Sans'?[^;]*", "", style)
    return re.sub(r"#[0-9a-f]{6}\b", lambda match: VARIABLES.get(match[0], match[0]), style)


def _rename(body: str, prefix: str, keep: Collection[str]) -> str:
    """Prefix the ids that something refers to, and drop the others."""
    used = {*keep, *re.findall(rf'{_REFERENCE}([^"]+)"|url\(#([^)]+)\)', body)}
    used = {name for entry in used for name in ([entry] if isinstance(entry, str) else entry)}
    body = re.sub(r' id="([^"]*)"', lambda m: f' id="{prefix}{m[1]}"' if m[1] in used else "", body)
    body = re.sub(rf'{_REFERENCE}([^"]+)"', rf'href="#{prefix}\1"', body)
    return re.sub(r"url\(#([^)]+)\)", rf"url(#{prefix}\1)", body)
