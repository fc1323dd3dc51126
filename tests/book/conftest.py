"""The built book, a server for it, and a real browser to read it with."""

import shutil
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from bs4 import BeautifulSoup
from built import BOOK, NAMES
from playwright.sync_api import sync_playwright

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]


def pytest_generate_tests(metafunc):
    if "page_name" in metafunc.fixturenames:
        assert NAMES, f"expected the built book in {BOOK}, found no pages; run `make book`"
        metafunc.parametrize("page_name", NAMES)


@pytest.fixture
def page_path(page_name) -> Path:
    return BOOK / page_name


@pytest.fixture
def soup(page_path) -> BeautifulSoup:
    return BeautifulSoup(page_path.read_text(encoding="utf-8"), "html.parser")


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


@pytest.fixture(scope="session")
def address():
    """Where the book is served over http."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=BOOK))
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(params=["http", "file"])
def base(request, address) -> str:
    """Both places that a page is read from: a web host and a folder."""
    return address if request.param == "http" else BOOK.as_uri()


@pytest.fixture(scope="session")
def chromium():
    executable = shutil.which("chromium")
    if executable is None:
        pytest.fail("expected chromium on the PATH, found none; install it (.ci/run does)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def reader(chromium):
    """A fresh browser page; ``reader(width=..., ...)`` gives one with other settings."""
    contexts = []

    def make(width=1280, height=900, **options):
        contexts.append(
            chromium.new_context(viewport={"width": width, "height": height}, **options)
        )
        return contexts[-1].new_page()

    yield make
    for context in contexts:
        context.close()
