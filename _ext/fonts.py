"""The book's fonts, cut down to the characters that the book uses.

npm_assets.py brings them. Before the first page is written this module says which faces there are
(`css`); when the last page is written it reads which characters the pages contain and cuts every
font down to those: the first view of a page is then about a third of what it was.
A font that comes late never moves the text: `font-display: optional` keeps the fallback, which has
the same widths and heights, until the next page.
"""

import hashlib
import html
import logging
import os
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont
from fontTools.varLib import instancer
from sphinx.application import Sphinx

#: Greek and Coptic: in a file of its own, which only pages with Greek in their prose ask for.
GREEK = "U+0370-03FF"
#: What readouts and labels may show beside what stands on the pages.
ALPHABET = "".join(map(chr, range(0x20, 0x7F))) + "–—‘’“”…′″×÷±·−°µ√≈≤≥∞"
#: Superscripts: our serif has ¹ ² ³ alone. All come from one font that a reader may have, or each
#: "10⁻²⁰" would be set from two.
SUPERSCRIPTS = "U+B2-B3,U+B9,U+2070-207F"
HAVE_THEM = ("STIX Two Text", "Cambria", "Noto Serif", "DejaVu Serif")
#: The weights that the style sheets use; the files reach from 200 to 900.
WEIGHTS = (400, 700)
#: Kerning, ligatures and figures of one width; everything else that the files can do goes.
FEATURES = ["kern", "liga", "ccmp", "mark", "tnum", "lnum"]

logging.getLogger("fontTools").setLevel(logging.WARNING)  # else it says what it does to each table


@dataclass(frozen=True)
class Face:
    """One file of one family: what it is called here, and what it is cut from."""

    name: str
    family: str
    source: str
    style: str = "normal"
    characters: str | None = None

    @property
    def path(self) -> str:
        """The file under ``node_modules``."""
        package = self.source.partition("-wght")[0].rpartition("-")[0].removesuffix("-latin")
        return f"@fontsource-variable/{package}/files/{self.source}.woff2"

    def css(self, family: str = "", display: str = "optional") -> str:
        """The ``@font-face`` rule, under another name or with another patience if need be."""
        part = f"unicode-range:{self.characters};" if self.characters else ""
        return (
            f'@font-face{{font-family:"{family or self.family}";font-style:{self.style};'
            f"font-weight:{WEIGHTS[0]} {WEIGHTS[1]};font-display:{display};{part}"
            f'src:url("fonts/{self.name}.woff2") format("woff2")}}\n'
        )


FACES = (
    Face("serif", "Source Serif 4", "source-serif-4-latin-wght-normal"),
    Face("serif-italic", "Source Serif 4", "source-serif-4-latin-wght-italic", "italic"),
    Face("serif-greek", "Source Serif 4", "source-serif-4-greek-wght-normal", characters=GREEK),
    Face("code", "Source Code Pro", "source-code-pro-latin-wght-normal"),
    Face("code-greek", "Source Code Pro", "source-code-pro-greek-wght-normal", characters=GREEK),
)

#: Average advance of English text in fonts that readers have, regular and bold, in em. Regular:
#: from the tables of github.com/seek-oss/capsize (xWidthAvg / unitsPerEm); DejaVu's, often the only
#: serif of a small Linux, by `average_advance` from the file and the text of two chapters. How much
#: wider bold is was measured so in DejaVu and in Liberation Serif and Gelasio, whose letters are as
#: wide as those of Times and of Georgia.
FALLBACKS = {
    ("Georgia",): (913 / 2048, 1.162 * 913 / 2048),
    ("Times New Roman", "Liberation Serif", "Tinos"): (832 / 2048, 1.064 * 832 / 2048),
    ("DejaVu Serif",): (1044 / 2048, 1.102 * 1044 / 2048),
}
#: The cuts that stand in: the suffix of the local name, its weight, and ours that it stands for.
CUTS = (("", 400, 400), (" Bold", 700, 600))  # without bold ones, browsers smear


def average_advance(font: TTFont, text: str) -> float:
    """Mean advance width of the letters and spaces of ``text``, in em."""
    glyphs, advances = font.getBestCmap(), font["hmtx"]
    counts = Counter(c for c in text if (c.isalpha() or c == " ") and ord(c) in glyphs)
    total = sum(n * advances[glyphs[ord(c)]][0] for c, n in counts.items())
    return total / counts.total() / font["head"].unitsPerEm


def fallback_css(font: TTFont, text: str) -> str:
    """Faces of fonts that readers have, sized so that a line holds as much as in ``font``."""
    head, unit = font["hhea"], font["head"].unitsPerEm
    wanted = [
        average_advance(instancer.instantiateVariableFont(font, {"wght": ours}), text)
        for _, _, ours in CUTS
    ]
    rules = ""
    for k, (names, advances) in enumerate(FALLBACKS.items(), start=1):
        for (cut, weight, _), ours, advance in zip(CUTS, wanted, advances, strict=True):
            scale = ours / advance
            sources = ",".join(f'local("{name}{cut}")' for name in names)
            rules += (
                f'@font-face{{font-family:"Source Serif fallback {k}";font-weight:{weight};'
                f"src:{sources};"
                f"size-adjust:{scale:.2%};ascent-override:{head.ascent / unit / scale:.2%};"
                f"descent-override:{-head.descent / unit / scale:.2%};line-gap-override:0%}}\n"
            )
    return rules


def superscripts_css(family: str) -> str:
    """A face for superscripts alone, before which the family's own give way."""
    sources = ",".join(f'local("{name}")' for name in HAVE_THEM)
    return (
        f'@font-face{{font-family:"{family}";font-weight:{WEIGHTS[0]} {WEIGHTS[1]};'
        f"unicode-range:{SUPERSCRIPTS};src:{sources}}}\n"
    )


def css(packages: Path, text: str) -> str:
    """The faces of the book and of what stands in for them."""
    roman, own = TTFont(packages / FACES[0].path), "".join(face.css() for face in FACES)
    return own + superscripts_css(FACES[0].family) + fallback_css(roman, text)


def css_on_disk() -> str:
    """The same faces for pages in a folder: head.js lets these wait for them, so none is late."""
    on_disk = {"Source Serif 4": "Source Serif on disk", "Source Code Pro": "Source Code on disk"}
    own = "".join(face.css(on_disk[face.family], "block") for face in FACES)
    return own + superscripts_css(on_disk[FACES[0].family])


def katex_css(packages: Path) -> str:
    """KaTeX's style sheet; every browser that can run the live figures reads woff2."""
    sheet = (packages / "katex" / "dist" / "katex.min.css").read_text(encoding="utf-8")
    return re.sub(r',url\([^)]*\) format\("(?:woff|truetype)"\)', "", sheet)


def characters(page: str) -> tuple[set[str], set[str]]:
    """The characters of a page's text, and of its formulas as they are shown."""
    prose, formulas, depth = set(), set(), 0
    page = re.sub(r"<(script|style|annotation|math)\b.*?</\1>", "", page, flags=re.DOTALL)
    for tag, text in re.findall(r"(<[^>]*>)|([^<]+)", page):
        if text:
            (formulas if depth else prose).update(html.unescape(text))
        elif depth and tag.startswith(("<span", "</span")):
            depth += -1 if tag[1] == "/" else 1
        elif 'class="katex-html"' in tag:
            depth = 1
    return prose, formulas


def cut(source: Path, target: Path, wanted: set[str], cache: Path) -> None:
    """Write the part of a font that draws the ``wanted`` characters."""
    recipe = (source.read_bytes(), "".join(sorted(wanted)).encode(), repr((WEIGHTS, FEATURES)))
    digest = hashlib.sha256(repr(recipe).encode()).hexdigest()[:16]
    kept = cache / f"{source.stem}-{digest}.woff2"
    if not kept.exists():
        font = TTFont(source, recalcTimestamp=False)  # the same letters, the same bytes
        subsetter = Subsetter(Options(layout_features=FEATURES, notdef_outline=True))
        subsetter.populate(unicodes=[ord(c) for c in wanted])
        subsetter.subset(font)
        if "fvar" in font:
            instancer.instantiateVariableFont(font, {"wght": WEIGHTS}, inplace=True)
        font.flavor = "woff2"
        cache.mkdir(parents=True, exist_ok=True)
        half = kept.with_suffix(f".{os.getpid()}")  # slides and pages are built at once
        font.save(half)
        half.replace(kept)
    target.write_bytes(kept.read_bytes())


def provide(app: Sphinx, exception: Exception | None) -> None:
    """Cut all fonts once all pages are written."""
    if exception is not None or app.builder.format != "html":
        return
    prose, formulas = set(ALPHABET), set()
    for path in Path(app.outdir).rglob("*.html"):
        for found, part in zip((prose, formulas), characters(path.read_text("utf-8")), strict=True):
            found |= part
    target, cache = Path(app.outdir, "_static", "fonts"), Path(app.outdir).parent / "fonts"
    target.mkdir(parents=True, exist_ok=True)
    for face in FACES:
        cut(app.node_modules / face.path, target / f"{face.name}.woff2", prose, cache)
        licence = (app.node_modules / face.path).parents[1] / "LICENSE"
        (target / f"{face.name.partition('-')[0]}-LICENSE.txt").write_bytes(licence.read_bytes())
    for source in (app.node_modules / "katex" / "dist" / "fonts").glob("*.woff2"):
        cut(source, target / source.name, formulas, cache)


#: Lines of code under a live figure, that are seen once they are asked for.
CLOSED = re.compile(r'<details class="live-python">.*?</details>', re.DOTALL)


def needed(body: str) -> list[str]:
    """The fonts that a page shows in any case, for its head to ask for at once."""
    body = CLOSED.sub("", body)
    wanted = {
        "serif.woff2": True,
        "serif-italic.woff2": "<em>" in body,
        "code.woff2": "<code" in body or "<pre" in body,
        "KaTeX_Main-Regular.woff2": 'class="katex"' in body,
        "KaTeX_Math-Italic.woff2": "mathnormal" in body,
    }
    return [name for name, used in wanted.items() if used]


def setup(app: Sphinx) -> dict:
    """Register the extension."""
    app.setup_extension("npm_assets")
    app.connect("build-finished", provide)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
