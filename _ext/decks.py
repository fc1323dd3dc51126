"""The slides: how a deck looks, and where each slide's section of the chapter is.

A deck is a text notebook in ``slides``, named after its chapter: each heading of the second level
begins a slide, and `{section}` on it names the section that it belongs to.
sphinx-revealjs builds it; what it loads stands in ``deck_theme``.
"""

import os
import re
from pathlib import Path

import fonts
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform
from sphinx.util import logging
from sphinx.util.docutils import SphinxRole

ROOT = Path(__file__).parents[1]
THEME = ROOT / "_ext" / "deck_theme"
STYLES = (ROOT / "_ext" / "theme" / "styles" / "base.css", THEME / "deck.css")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
logger = logging.getLogger(__name__)


def chapter_path(chapter: str) -> Path:
    """The text of the chapter of a deck."""
    return ROOT / "chapters" / f"{chapter}.md"


def sections(chapter: str) -> dict[str, str]:
    """Id → title of every section of a chapter, as its page has them."""
    text = chapter_path(chapter).read_text(encoding="utf-8")
    text = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)  # comments in code
    titles = {nodes.make_id(title): title for title in HEADING.findall(text)}
    return {name: re.sub(r'"([^"]*)"', r"“\1”", title) for name, title in titles.items()}


class Section(SphinxRole):
    """`{section}` with the id of a section: a link from the slide to it."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        """The link, or a warning where the chapter has no such section."""
        chapter = self.env.docname
        self.env.note_dependency(str(chapter_path(chapter)))
        known = sections(chapter)
        if self.text not in known:
            logger.warning(
                "expected a section of %s, one of %s; got %r",
                chapter,
                ", ".join(known),
                self.text,
                location=self.get_location(),
            )
        address = f"../chapters/{chapter}.html#{self.text}"
        words = known.get(self.text, self.text)
        return [nodes.reference("", words, refuri=address, classes=["section"])], []


class EverySlideHasItsSection(SphinxTransform):
    """Warn of a slide that does not say where in the chapter it belongs."""

    default_priority = 800

    def apply(self, **kwargs) -> None:
        """Look at the slides of one deck."""
        if self.env.docname == self.config.root_doc:
            return
        for slide in self.document.findall(nodes.section):
            links = (
                link
                for child in slide
                if not isinstance(child, nodes.section)
                for link in child.findall(nodes.reference)
                if "section" in link["classes"]
            )
            if len(list(links)) != 1:
                logger.warning("expected one {section} on each slide", location=slide)


def write_assets(app: Sphinx) -> None:
    """Write the style sheet and the script where the builder serves static files from."""
    static = Path(app.outdir, "_static")
    static.mkdir(parents=True, exist_ok=True)
    own = "".join(path.read_text("utf-8") for path in STYLES)
    faces = "".join(face.css(display="block") for face in fonts.FACES)
    sheet = faces + fonts.katex_css(app.node_modules) + own
    (static / "deck.css").write_text(sheet, encoding="utf-8")
    (static / "deck.js").write_text((THEME / "deck.js").read_text("utf-8"), encoding="utf-8")


def for_slides(app: Sphinx) -> None:
    """Have the kernels draw for slides (style.py)."""
    os.environ["VANISHING_LIVE"] = "slide"


def setup(app: Sphinx) -> dict:
    """Register theme, role and files; it comes after the live figures, whose setting it changes."""
    app.setup_extension("fonts")
    app.add_html_theme("deck", str(THEME))
    app.add_role("section", Section())
    app.add_transform(EverySlideHasItsSection)
    app.connect("builder-inited", write_assets)
    app.connect("builder-inited", for_slides)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
