"""The built book, served and in a folder, and a real browser to read it with."""

import contextlib
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from built import BOOK, NAMES, parsed

from serving import serving


def pytest_generate_tests(metafunc):
    if "page_name" in metafunc.fixturenames:
        assert NAMES, f"expected the built book in {BOOK}, found no pages; run `make book`"
        # Of the module, so that what opens a page once serves all its tests of that page.
        metafunc.parametrize("page_name", NAMES, scope="module")


@pytest.fixture
def page_path(page_name) -> Path:
    return BOOK / page_name


@pytest.fixture
def soup(page_path) -> BeautifulSoup:
    """The page's elements: to be read, not changed."""
    return parsed(page_path)


@pytest.fixture(scope="session")
def address():
    """Where the book is served over http."""
    with serving(BOOK) as address:
        yield address


@pytest.fixture(params=["http", "file"])
def base(request, address) -> str:
    """Both places that a page is read from: a web host and a folder."""
    return address if request.param == "http" else BOOK.as_uri()


@contextlib.contextmanager
def readers(chromium):
    """A function that opens a fresh browser page; all are closed at the end."""
    contexts = []

    def make(width=1280, height=900, **options):
        contexts.append(
            chromium.new_context(viewport={"width": width, "height": height}, **options)
        )
        return contexts[-1].new_page()

    try:
        yield make
    finally:
        for context in contexts:
            context.close()


@pytest.fixture
def reader(chromium):
    """A fresh browser page; ``reader(width=..., ...)`` gives one with other settings."""
    with readers(chromium) as make:
        yield make


@pytest.fixture(scope="module")
def opened(chromium, page_name):
    """The page from disk, opened once and at rest; a test sets what it needs and tidies up."""
    with readers(chromium) as make:
        page = make()
        page.goto((BOOK / page_name).as_uri(), wait_until="networkidle")
        yield page
