"""A real Chromium, a server with the book's strictest rules, and pages that report every fault."""

import functools
import http.server
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]

#: What a careful host sends. Directories named after a fault send something stricter.
POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' blob:; worker-src blob:; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:"
)
STRICTER = {
    "/no-worker/": POLICY.replace("worker-src blob:", "worker-src 'none'"),
    "/no-inline/": POLICY.replace("'unsafe-inline' blob:", "").replace(
        "worker-src blob:", "worker-src 'none'"
    ),
}


class Handler(http.server.SimpleHTTPRequestHandler):
    """Serves files, silently, with a Content-Security-Policy."""

    def end_headers(self) -> None:
        policy = next((p for key, p in STRICTER.items() if self.path.startswith(key)), POLICY)
        self.send_header("Content-Security-Policy", policy)
        super().end_headers()

    def log_message(self, *args) -> None:
        pass


@contextmanager
def serving(directory: Path) -> Iterator[str]:
    """Serve ``directory`` on a free port; yields the address."""
    handler = functools.partial(Handler, directory=str(directory))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One headless Chromium for all tests."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        yield browser
        browser.close()


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
<p id="far" style="margin-top:150vh">{}</p>"""


@pytest.fixture(scope="session")
def figures() -> dict:
    """The live figures of the test pages, by name."""
    import live_gallery

    makers = (live_gallery.gallery, live_gallery.parabola, live_gallery.descent)
    return {figure.name: figure for figure in (make() for make in (*makers, live_gallery.scaled))}


@pytest.fixture(scope="session")
def site(figures, tmp_path_factory) -> Path:
    """A directory of pages with live figures, and the files they need."""
    from vanishing.live import assets

    root = tmp_path_factory.mktemp("site")
    pages = {name: figure.html() for name, figure in figures.items()}
    pages["two"] = pages["gallery"] + pages["parabola"]
    pages["twice"] = pages["parabola"] * 2
    pages["links"] = LINKS.format("") + pages["gallery"]
    for folder in (root, root / "no-worker", root / "no-inline"):
        folder.mkdir(exist_ok=True)
        (folder / assets.SCRIPT).write_text(assets.script())
        (folder / assets.STYLESHEET).write_text(assets.stylesheet())
        for name, body in pages.items():
            (folder / f"{name}.html").write_text(PAGE.format(body=body))
    return root


@pytest.fixture(scope="session")
def web(site) -> Iterator[str]:
    """The address of the test pages over http."""
    with serving(site) as address:
        yield address
