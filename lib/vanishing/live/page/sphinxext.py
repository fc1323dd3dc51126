"""Sphinx extension: serve the live figures' script, stylesheet and shared data with the book."""

import html
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qsl

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging

from vanishing.live.page import assets

logger = logging.getLogger(__name__)

_SPEC = re.compile(r'<script type="application/json" class="live-spec">([^<]*)</script>')
_DATA = re.compile(
    r'<script type="text/plain" class="live-data" data-name="(\w+)">([^<]*)</script>'
)


class LiveLinks(SphinxPostTransform):
    """Turn `[text](#fig-name?sigma_w=1)` into a link that sets the figure, also that of another
    page, `[text](chapter.md#fig-name?sigma_w=1)`.

    MyST looks for a target of that name and warns; the host in the page answers such links.
    """

    default_priority = 8  # before MyST resolves (and misses) them at 9

    def run(self, **kwargs) -> None:
        """Resolve the links of one document."""
        here, relative = self.env.docname, self.app.builder.get_relative_uri
        for node in list(self.document.findall(pending_xref)):
            page, target = "", node.get("reftarget", "")
            if node.get("refdomain") == "doc":
                page, target = relative(here, target), node.get("reftargetid") or ""
            if node.get("reftype") == "myst" and re.match(r"fig-\w+\?", target):
                link = nodes.reference("", "", refuri=f"{page}#{target}", internal=True)
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
    (static / assets.PREDICT).write_text(assets.predict_script(), encoding="utf-8")


def faulty_links(body: str) -> Iterator[str]:
    """Say of every link that sets a figure of this page what about it cannot be done."""
    specs = {spec["name"]: spec for spec in map(json.loads, _SPEC.findall(body))}
    for name, query in _asked(body):
        if name not in specs:
            yield f"#fig-{name}: no live figure {name!r} on this page, only {sorted(specs)}"
            continue
        controls = {control["name"]: control for control in specs[name]["controls"]}
        if "animation" in specs[name]:
            controls["step"] = {"kind": "step", "maximum": specs[name]["animation"]["steps"]}
        for key, value in parse_qsl(query):
            if key not in controls:
                yield f"#fig-{name}: no control {key!r}, only {sorted(controls)}"
            elif not _possible(controls[key], value):
                yield f"#fig-{name}: {value!r} for {key!r} is out of reach: {controls[key]}"


def faulty_terms(body: str) -> Iterator[str]:
    """Say of every term of a formula, `\\class{at-name-2}{…}`, which layer it names in vain."""
    specs = {spec["name"]: spec for spec in map(json.loads, _SPEC.findall(body))}
    for name, number in re.findall(r'"enclosing at-(\w+)-(\w+)"', body):
        cursor = specs[name]["layouts"][0]["cursor"] if name in specs else None
        if cursor is None:
            yield f"at-{name}-{number}: no live figure {name!r} with a cursor on this page"
        elif number not in ("each", "last", *map(str, _numbers(cursor))):
            yield f"at-{name}-{number}: no number of {_numbers(cursor)}, nor each, nor last"


def _numbers(cursor: dict) -> range:
    return range(cursor["first"], cursor["last"] + 1)


def _asked(body: str) -> Iterator[tuple[str, str]]:
    """Name and query of each figure that a link of the page sets; one link may set several."""
    for hash_ in re.findall(r'href="#(fig-\w+\?[^"]*)"', body):
        for part in re.split(r"&(?=fig-[^&?=]+\?)", html.unescape(hash_)):
            name, query = part.removeprefix("fig-").split("?", 1)
            yield name, query


def _possible(control: dict, value: str) -> bool:
    if control["kind"] == "choice":
        return value in control["options"]
    if control["kind"] == "toggle":
        return value in ("true", "false")
    try:
        number = float(value)
    except ValueError:
        return False
    return control.get("minimum", 0) <= number <= control.get("maximum", 2**31 - 1)


def finish_page(app: Sphinx, pagename: str, templatename: str, context: dict, doctree) -> None:
    """Check links, keep ids unique, and move shared data into one file for the whole book."""
    body = context.get("body", "")
    if 'class="live-guess"' in body:
        app.add_js_file(assets.PREDICT, loading_method="defer")  # on this page alone
    for fault in (*faulty_links(body), *faulty_terms(body)):
        logger.warning("%s: %s", pagename, fault)
    for outer in re.findall(r'<figure [^>]*id="(fig-[^"]+)"', body):  # Sphinx's, with the number
        own = f'<figure class="live" id="{outer}"'
        if body.count(f'id="{outer}"') > 1:
            body = body.replace(own, '<figure class="live"')
    for name, encoded in _DATA.findall(body):
        path = Path(app.outdir, "_static", f"vanishing-data-{name}.js")
        source = assets.data_script(name, encoded)
        if app.live_data.setdefault(name, source) != source:
            raise ExtensionError(
                f"{pagename}: expected one data set {name!r} in the book, got two."
            )
        path.write_text(source, encoding="utf-8")
    context["body"] = _DATA.sub("", body)


def _start(app: Sphinx) -> None:
    os.environ["VANISHING_LIVE"] = "page"  # kernels inherit it: no widget, no comm, only the page
    app.live_data = {}
    app.add_js_file(assets.SCRIPT, loading_method="defer")
    app.add_css_file(assets.STYLESHEET)


def _finish(app: Sphinx, exception: Exception | None) -> None:
    os.environ.pop("VANISHING_LIVE", None)  # what this process starts from now on is no page


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect to Sphinx."""
    app.connect("builder-inited", _start)
    app.connect("builder-inited", write_assets)
    app.connect("html-page-context", finish_page)
    app.connect("build-finished", _finish)
    app.add_post_transform(LiveLinks)
    return {"parallel_read_safe": True, "parallel_write_safe": False}
