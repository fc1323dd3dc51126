"""Each live figure as a page of its own, small enough for an ``<iframe>`` in somebody's course.

Such a page has the figure as its chapter has it, and a link back to it. ``embed.js``, its twin,
serves both ends: the figure says how high it is, and the page around gives it that room.
"""

import html
import re
from collections.abc import Iterator

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

FOLDER = "embed"
SCRIPT = "embed.js"
#: What stands for the address of a book that has none yet.
STAND_IN = "https://example.org/vanishing/"
#: A live figure, and the caption that MyST-NB has given it, if it has none of its own.
FIGURE = re.compile(
    r'<figure class="live".*?</figure>(?:\s*</div>\s*<figcaption>(?P<caption>.*?)</figcaption>)?',
    re.DOTALL,
)
#: In a caption: the book's number for the figure, and the link to itself.
OF_THE_BOOK = re.compile(r'<span class="caption-number">.*?</span>|<a class="headerlink".*?</a>')


def outward(part: str, chapter: str) -> str:
    """Let the links in words of a chapter lead there, out of the frame."""
    part = re.sub(r'href="#', f'href="{chapter}#', part)
    part = re.sub(r'href="(?!\w+:|\.\./)', 'href="../chapters/', part)
    return part.replace("<a ", '<a target="_top" ')


def figures(body: str, chapter: str) -> Iterator[tuple[str, dict]]:
    """Name of each live figure of a page, and what `embed.html` shows of it.

    Args:
        body: the page's text.
        chapter: its file name.
    """
    for found in FIGURE.finditer(body):
        figure = found[0].partition("</figure>")[0]
        name = re.search(r'data-name="(\w+)"', figure)[1]
        if f'id="fig-{name}"' not in figure:  # the figure around it had the name
            figure = figure.replace('<figure class="live"', f'<figure class="live" id="fig-{name}"')
        words = OF_THE_BOOK.sub("", found["caption"] or "")
        words = words and f"<figcaption>{outward(words, chapter)}</figcaption>"
        title = html.unescape(re.search(r'aria-label="([^"]+)"', figure)[1])
        shown = {"title": title[0].upper() + title[1:], "body": f"{figure}{words}</figure>"}
        yield name, {**shown, "home": f"../chapters/{chapter}#fig-{name}"}


class Embed(SphinxDirective):
    """``{embed} microscope?activation=relu`` with ``:title:`` and ``:height:``, which a frame has
    until the figure says its own: what to copy, and what it shows."""

    required_arguments = 1
    option_spec = {  # noqa: RUF012
        "title": directives.unchanged_required,
        "height": directives.unchanged_required,
    }

    def run(self) -> list[nodes.Node]:
        """The same lines twice: to be read, and to be followed by the browser."""
        base = self.config.html_baseurl
        snippet = self.lines((base or STAND_IN).rstrip("/") + "/")
        code = nodes.literal_block(snippet, snippet, language="html")
        shown = self.lines("../" * self.env.docname.count("/"))
        live = nodes.raw("", f'<div class="embedded">{shown}</div>', format="html")
        return [code, live] if base else [code, self.unpublished(), live]

    def unpublished(self) -> nodes.paragraph:
        """What to do about the address."""
        words = ("Write the address at which the book is published in place of ", ".")
        address = nodes.literal(STAND_IN, STAND_IN)
        return nodes.paragraph("", "", nodes.Text(words[0]), address, nodes.Text(words[1]))

    def lines(self, root: str) -> str:
        """What embeds the figure, from the book at `root`."""
        name, _, query = self.arguments[0].partition("?")
        page = html.escape(f"{root}{FOLDER}/{name}.html#fig-{name}?{query}")
        title = html.escape(self.options["title"])
        return (
            f'<iframe src="{page}"\n  title="{title}" loading="lazy"'
            f' style="width: 100%; height: {self.options["height"]}; border: 0"></iframe>\n'
            f'<script async src="{root}_static/{SCRIPT}"></script>'
        )


def collect(app: Sphinx, pagename: str, templatename: str, context: dict, doctree) -> None:
    """Keep the live figures of a chapter until all pages are written."""
    if doctree is None or "body" not in context:
        return
    chapter = app.env.titles[pagename].astext()
    for name, shown in figures(context["body"], pagename.rpartition("/")[2] + ".html"):
        app.embedded[name] = {**shown, "chapter": chapter}


def pages(app: Sphinx) -> Iterator[tuple[str, dict, str]]:
    """A page for each."""
    for name, shown in app.embedded.items():
        yield f"{FOLDER}/{name}", shown, "embed.html"


def start(app: Sphinx) -> None:
    """Nothing is collected yet."""
    app.embedded = {}


def setup(app: Sphinx) -> dict:
    """Register the extension."""
    app.add_directive("embed", Embed)
    app.connect("builder-inited", start)
    app.connect("html-page-context", collect, priority=950)  # when the body is finished
    app.connect("html-collect-pages", pages)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": False}
