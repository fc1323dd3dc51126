"""Pages with live figures that report every fault."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from serving import serving


class Faults(list):
    """What went wrong on a page; a test that provokes a fault clears it."""

    def watch(self, page: Page, origin: str) -> None:
        """Record console warnings and errors, exceptions, and requests to other origins."""
        page.on("pageerror", lambda error: self.append(f"exception: {error}"))
        page.on("console", self._console)
        own = (origin, "data:", "blob:", "file:")
        page.on(
            "request",
            lambda request: None if request.url.startswith(own) else self.append(request.url),
        )

    def _console(self, message) -> None:
        if message.type in ("error", "warning"):
            self.append(f"console: {message.text}")


@pytest.fixture
def open_page(chromium: Browser) -> Iterator[Callable[..., Page]]:
    """``open_page(url, **context options)``; at the end no page may have had a fault."""
    contexts, faults = [], Faults()

    def open_page(url: str, script: str = "", **options) -> Page:
        context = chromium.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.faults = faults
        page.set_default_timeout(10_000)
        faults.watch(page, url[: url.find("/", 8)])
        if script:
            page.add_init_script(script)
        page.goto(url)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not faults, "\n".join(faults)


PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Live figures</title><link rel="icon" href="data:,">
<link rel="stylesheet" href="vanishing-live.css"><script defer src="vanishing-live.js"></script>
<style>body {{ margin: 0; font-family: sans-serif }} main {{ max-width: 44rem; margin: auto;
padding: 0 1rem }}</style></head>
<body><main><h1>Live figures</h1>{body}</main></body></html>
"""
LINKS = """<p><a id="link" href="#fig-gallery?shape=cosine&amp;amplitude=2">cosine</a></p>
<p><a href="#far">far</a> <a href="#fig-gallery">figure</a></p>
<p id="far" style="margin-top:150vh">{}</p>"""
FORMULA = """<div class="math"><div class="formula"><span class="enclosing at-pointed-1">J_1</span>
<span class="enclosing at-pointed-each">J_l</span>
<span class="enclosing at-pointed-last">J_L</span></div></div>"""
DISTANT = """{}<p style="margin-top:60vh">Words.</p>
<p>Set it from <a href="#fig-parabola?curvature=3">far away</a>.</p><p style="height:150vh"></p>"""


@pytest.fixture(scope="session")
def figures() -> dict:
    """The live figures of the test pages, by name."""
    import live_gallery

    makers = (
        live_gallery.gallery,
        live_gallery.parabola,
        live_gallery.descent,
        live_gallery.scaled,
        live_gallery.furnished,
        live_gallery.layered,
        live_gallery.folded,
        live_gallery.pointed,
        lambda: live_gallery.descent("previewed", preview=30),
        lambda: live_gallery.descent("alive", autoplay=True),
    )
    return {figure.name: figure for figure in (make() for make in makers)}


@pytest.fixture(scope="session")
def site(figures, tmp_path_factory) -> Path:
    """A directory of pages with live figures, and the files they need."""
    from vanishing.live.page import assets

    root = tmp_path_factory.mktemp("site")
    pages = {name: figure.html() for name, figure in figures.items()}
    pages["two"] = pages["gallery"] + pages["parabola"]
    pages["twice"] = pages["parabola"] * 2
    pages["links"] = LINKS.format("") + pages["gallery"]
    pages["distant"] = DISTANT.format(pages["parabola"])
    pages["pointed"] = FORMULA + pages["pointed"]
    pages["later"] = re.sub('<script type="text/plain".*?</script>', "", pages["scaled"])
    for folder in (root, root / "no-worker", root / "no-inline", root / "no-style"):
        folder.mkdir(exist_ok=True)
        (folder / assets.SCRIPT).write_text(assets.script())
        (folder / assets.STYLESHEET).write_text(assets.stylesheet())
        for name, body in pages.items():
            (folder / f"{name}.html").write_text(PAGE.format(body=body))
    bare = PAGE.replace('<script defer src="vanishing-live.js"></script>', "")
    (root / "scriptless.html").write_text(bare.format(body=pages["parabola"]))
    return root


@pytest.fixture(scope="session")
def web(site) -> Iterator[str]:
    """The address of the test pages over http."""
    with serving(site) as address:
        yield address
