"""Sphinx extension: serve the live figures' script, stylesheet and shared data with the book."""

import os
import re
from pathlib import Path

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform

from vanishing.live import assets

_DATA = re.compile(
    r'<script type="text/plain" class="live-data" data-name="(\w+)">([^<]*)</script>'
)


class LiveLinks(SphinxPostTransform):
    """Turn ``[text](#fig-name?sigma_w=1)`` into a link that sets the figure.

    MyST looks for a target of that name and warns; the host in the page answers such links.
    """

    default_priority = 8  # before MyST resolves (and misses) them at 9

    def run(self, **kwargs) -> None:
        """Resolve the links of one document."""
        for node in list(self.document.findall(pending_xref)):
            target = node.get("reftarget", "")
            if node.get("reftype") == "myst" and re.match(r"fig-\w+\?", target):
                link = nodes.reference("", "", refuri=f"#{target}", internal=True)
                link += [child.deepcopy() for child in node.children]
                node.replace_self(link)


def write_assets(app: Sphinx) -> None:
    """Write the script and the stylesheet where the builder serves static files from."""
    if app.builder.format != "html":
        return
    static = Path(app.outdir, "_static")
    static.mkdir(parents=True, exist_ok=True)
    (static / assets.SCRIPT).write_text(assets.script(), encoding="utf-8")
    (static / assets.STYLESHEET).write_text(assets.stylesheet(), encoding="utf-8")


def share_data(app: Sphinx, pagename: str, templatename: str, context: dict, doctree) -> None:
    """Move shared data out of the page into one file for the whole book."""
    if "live-data" not in context.get("body", ""):
        return
    for name, encoded in _DATA.findall(context["body"]):
        path = Path(app.outdir, "_static", f"vanishing-data-{name}.js")
        source = assets.data_script(name, encoded)
        known = app.env.live_data.setdefault(name, source)
        if known != source:
            raise ValueError(f"{pagename}: expected one data set {name!r} in the book, got two.")
        path.write_text(source, encoding="utf-8")
    context["body"] = _DATA.sub("", context["body"])


def _start(app: Sphinx) -> None:
    os.environ["VANISHING_LIVE"] = "page"  # kernels inherit it: no widget, no comm, only the page
    app.add_js_file(assets.SCRIPT, loading_method="defer")
    app.add_css_file(assets.STYLESHEET)


def _prepare(app: Sphinx, env, docnames) -> None:
    env.live_data = {}


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect to Sphinx."""
    app.connect("builder-inited", _start)
    app.connect("builder-inited", write_assets)
    app.connect("env-before-read-docs", _prepare)
    app.connect("html-page-context", share_data)
    app.add_post_transform(LiveLinks)
    return {"parallel_read_safe": True, "parallel_write_safe": False}
