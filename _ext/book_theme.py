"""The look of the pages: one frame, one style sheet, a few small scripts.

The folder ``theme`` holds the templates, the parts of the style sheet and the scripts.
What other extensions would add to every page is left out: of their style sheets and scripts the
book needs none (what they fold, `folding.py` folds when the book is built).
"""

import re
from pathlib import Path

import fonts
from bs4 import BeautifulSoup
from docutils import nodes
from docutils.parsers.rst.directives.body import Sidebar
from pygments.styles import get_style_by_name
from pygments.token import STANDARD_TYPES, Comment
from sphinx.application import Sphinx

THEME = Path(__file__).parent / "theme"
#: The parts of the style sheet, in the order in which later ones refine earlier ones.
SHEETS = ("base", "frame", "text", "figures", "code", "print")
SCRIPTS = ("head", "page", "search", "terms", "embed")
#: Light and dark colours of code, both with a contrast of at least 7:1.
CODE = ("a11y-high-contrast-light", "a11y-high-contrast-dark")
#: Comments in the dark; that style has them in the gold of numbers, louder than the code.
QUIET = "b4bac1"
#: Served by extensions for pages that have neither the book's frame nor its folding.
UNUSED = re.compile(
    r"documentation_options|doctools|sphinx_highlight|pygments|basic\.css|mystnb|exercise\.css"
    r"|sphinx-design|design-tabs"
)


class Margin(Sidebar):
    """An aside, beside the text where there is room, else under it."""

    required_arguments = 0
    optional_arguments = 1  # a title

    def run(self) -> list[nodes.Node]:
        """The aside, without an empty title."""
        titled = bool(self.arguments)
        self.arguments = self.arguments or [""]
        [aside] = super().run()
        aside["classes"].append("margin")
        if not titled:
            aside.pop(0)
        return [aside]


def code_css(light: str, dark: str) -> str:
    """Pygments' colours of code in both styles; tokens without a colour of their own inherit."""
    styles = [get_style_by_name(name) for name in (light, dark)]
    rules = []
    for token, name in STANDARD_TYPES.items():
        one, two = (style.style_for_token(token) for style in styles)
        if not name or not one["color"] or not two["color"]:
            continue
        at_night = QUIET if token in Comment else two["color"]
        colour = f"color:light-dark(#{one['color']},#{at_night})"
        weight = ";font-weight:600" if one["bold"] else ""
        slant = ";font-style:italic" if one["italic"] else ""
        rules.append(f".highlight .{name}{{{colour}{weight}{slant}}}")
    return "\n".join(rules) + "\n"


def write_assets(app: Sphinx) -> None:
    """Write the style sheet and the scripts where the builder serves static files from."""
    if app.builder.format != "html":
        return
    static = Path(app.outdir, "_static")
    static.mkdir(parents=True, exist_ok=True)
    text = "".join(p.read_text("utf-8") for p in Path(app.srcdir, "chapters").glob("*.md"))
    own = "".join((THEME / "styles" / f"{n}.css").read_text("utf-8") for n in SHEETS)
    parts = [fonts.css(app.node_modules, text), fonts.katex_css(app.node_modules), code_css(*CODE)]
    own = re.sub(r"/\*.*?\*/\n*|^ +", "", own, flags=re.DOTALL | re.MULTILINE)
    (static / "book.css").write_text("".join(parts) + own, encoding="utf-8")
    (static / "fonts-on-disk.css").write_text(fonts.css_on_disk(), encoding="utf-8")
    for name in SCRIPTS:
        source = (THEME / "scripts" / f"{name}.js").read_text("utf-8")
        (static / f"{name}.js").write_text(source, encoding="utf-8")
    app.add_css_file("book.css", priority=900)  # after the house colours, which it uses
    app.add_js_file("page.js", loading_method="defer")


def first_live_figure(body: str) -> str | None:
    """The id by which the page's first live figure can be reached."""
    before, found, after = body.partition('<figure class="live"')
    if not found:
        return None
    own = re.match(r'[^>]* id="([^"]+)"', after)
    return own[1] if own else re.findall(r'<figure [^>]*id="(fig-[^"]+)"', before)[-1]


def sections(context: dict) -> str:
    """The list of the page's sections, without theirs."""
    page = BeautifulSoup(context.get("toc", ""), "html.parser").find("li")
    if page is None or page.ul is None:
        return ""
    for deeper in page.ul.select("ul"):
        deeper.decompose()
    return str(page.ul)


def contents(context: dict) -> str:
    """The chapters, and under the one that is open its sections."""
    chapters = context["toctree"](collapse=True, maxdepth=1, includehidden=True)
    before, here, after = chapters.partition('<a class="current reference internal" href="#">')
    name, end, after = after.partition("</a>")
    return f"{before}{here}{name}{end}{sections(context) if here else ''}{after}"


def complete(app: Sphinx, pagename: str, templatename: str, context: dict, doctree) -> None:
    """Give the frame what it asks for, and keep from the page what it does not use."""
    body = context.get("body", "")
    for kind in ("css_files", "script_files"):
        context[kind] = [file for file in context[kind] if not UNUSED.search(str(file.filename))]
    context["preloaded_fonts"] = fonts.needed(body)
    context["first_live_figure"] = first_live_figure(body)
    context["contents"] = contents(context)
    context["author"] = app.config.author
    deck = Path("slides", Path(pagename).name)  # that of a chapter is named after it
    context["deck"] = f"{deck}.html" if Path(app.srcdir, f"{deck}.md").exists() else ""


def setup(app: Sphinx) -> dict:
    """Register the theme, its files and the margin."""
    app.setup_extension("fonts")
    app.add_html_theme("vanishing", str(THEME))
    app.add_directive("margin", Margin)
    app.connect("builder-inited", write_assets)
    # After the extensions that finish the body of the page.
    app.connect("html-page-context", complete, priority=900)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
