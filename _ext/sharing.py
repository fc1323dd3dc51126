"""What the world outside sees of the pages: descriptions, cards, one true address, a map of all.

An address can only be said where there is one: ``html: baseurl`` in ``_config.yml``. Without it
the pages have descriptions, and nothing else of this.
"""

import html
import re
import textwrap
from collections.abc import Iterator
from functools import cache
from io import BytesIO
from pathlib import Path, PurePosixPath

import archive
from docutils import nodes
from matplotlib.figure import Figure
from sphinx.application import Sphinx
from sphinx.config import Config

from vanishing.book.index.book_map import CHAPTERS
from vanishing.book.style import COLOURS, house_style

#: Pixels of the picture that goes with a link to a page, as Open Graph's readers want it.
CARD = (1200, 630)
#: What the archive and the editions are for.
FOR = ("to read from your disk", "for a reader of books (EPUB)", "for paper (PDF)")
#: A search engine shows about so many characters of a description.
LONGEST = 160


def describe(docname: str, page: nodes.document) -> str:
    """What a page is about: for a chapter the words of the book's map, else its first sentences."""
    if about := CHAPTERS.get(PurePosixPath(docname).name):
        return about[0]
    first = next(iter(page.findall(nodes.paragraph)), nodes.paragraph())
    sentences = re.split(r"(?<=[.!?]) ", " ".join(first.astext().split()))
    while len(sentences) > 1 and len(" ".join(sentences)) > LONGEST:
        sentences.pop()
    return " ".join(sentences)


@cache
@house_style
def card(title: str, slug: str, book: str) -> bytes:
    """A PNG: the book's name, and the title over the small picture of that chapter in the book's
    map; over all of them, if there is no such chapter."""
    figure = Figure([pixels / 200 for pixels in CARD], dpi=200)
    shown = [slug] if slug in CHAPTERS else list(CHAPTERS)
    lines = textwrap.wrap(title, 32)
    left, gap, columns = 0.06, 0.03, min(len(shown), 5)
    rows, width = -(-len(shown) // columns), (1 - 2 * left + gap) / columns - gap
    height = (0.72 - 0.13 * len(lines)) / rows - gap
    figure.text(left, 0.93, book, va="top", size=11, color=COLOURS["slate"])
    figure.text(left, 0.84, "\n".join(lines), va="top", size=21, weight="bold", linespacing=1.15)
    for k, name in enumerate(shown):
        row, column = divmod(k, columns)
        corner = left + column * (width + gap), 0.06 + (rows - 1 - row) * (height + gap)
        ax = figure.add_axes((*corner, width, height))
        ax.axis("off")
        CHAPTERS[name][1](ax)
    buffer = BytesIO()
    figure.savefig(buffer, metadata={"Software": None})
    return buffer.getvalue()


def write_card(app: Sphinx, docname: str) -> str:
    """Draw the card of a page, the book's own if it is no chapter, and return its address."""
    slug, book = PurePosixPath(docname).name, app.config.html_title
    title = app.env.titles[docname].astext()
    name, png = (
        (slug, card(title, slug, book)) if slug in CHAPTERS else ("book", card(book, "", ""))
    )
    path = Path(app.outdir, "_static", "cards", f"{name}.png")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(png)
    return f"{app.config.html_baseurl}_static/cards/{path.name}"


def settle(app: Sphinx, config: Config) -> None:
    """Let the book's address, if any, end in one slash."""
    if config.html_baseurl:
        config.html_baseurl = config.html_baseurl.rstrip("/") + "/"


def introduce(app: Sphinx, pagename: str, templatename: str, context: dict, doctree) -> None:
    """Give the head of a page what it says about it; the front door says what its room says."""
    docname = app.config.root_doc if pagename == "index" else pagename
    if docname not in app.env.found_docs:
        return
    context["description"] = describe(docname, doctree or app.env.get_doctree(docname))
    context["shared_title"] = app.env.titles[docname].astext()
    if app.config.html_baseurl:
        context["pageurl"] = app.config.html_baseurl + app.builder.get_target_uri(docname)
        # The workflow makes all of them; a book without an address may have none.
        files = zip((archive.NAME, *archive.EDITIONS), FOR, strict=True)
        context["whole"] = {use: app.config.html_baseurl + name for name, use in files}
        context["card"] = write_card(app, docname)
        context["card_size"] = CARD


def more_pages(app: Sphinx) -> Iterator[tuple[str, dict, str]]:
    """The front door, which leads to the first page, and what a host shows for a wrong address."""
    first = app.builder.get_target_uri(app.config.root_doc)
    yield "index", {"first_page": first}, "front_door.html"
    yield "404", {}, "404.html"


def finish(app: Sphinx, exception: Exception | None) -> None:
    """Write the map of the site, and let the 404 page lead home from any depth."""
    base = app.config.html_baseurl
    if exception is not None or app.builder.name != "html" or not base:
        return
    pages = [base + app.builder.get_target_uri(name) for name in sorted(app.env.found_docs)]
    rows = "".join(f"<url><loc>{html.escape(page)}</loc></url>\n" for page in pages)
    head = '<?xml version="1.0" encoding="UTF-8"?>\n<urlset xmlns="http://www.sitemaps.org/schemas/'
    sitemap = f'{head}sitemap/0.9">\n{rows}</urlset>\n'
    Path(app.outdir, "sitemap.xml").write_text(sitemap, encoding="utf-8")
    # A host shows this page under whatever address was asked for.
    lost = Path(app.outdir, "404.html")
    relative = re.compile(r'((?:href|src|action)=")(?![a-z]+:|#)')
    lost.write_text(relative.sub(rf"\g<1>{base}", lost.read_text("utf-8")), encoding="utf-8")


def setup(app: Sphinx) -> dict:
    """Register the extension."""
    app.connect("config-inited", settle)
    app.connect("html-page-context", introduce)
    app.connect("html-collect-pages", more_pages)
    app.connect("build-finished", finish)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
