"""Where the built book is, and its pages."""

import functools
from pathlib import Path

from bs4 import BeautifulSoup

ROOT = Path(__file__).parents[2]
BOOK = ROOT / "_build" / "html"
#: Read when tests are collected, so that every page is a test of its own.
NAMES = sorted(p.relative_to(BOOK).as_posix() for p in (BOOK / "chapters").glob("*.html"))
#: The live figures for frames in other pages.
FRAMED = sorted(p.relative_to(BOOK).as_posix() for p in (BOOK / "embed").glob("*.html"))


@functools.cache
def parsed(path: Path) -> BeautifulSoup:
    """A page's elements: to be read, not changed."""
    return BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
