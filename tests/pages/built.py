"""Where the built book is."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
BOOK = ROOT / "_build" / "html"
#: Read when tests are collected, so that every page is a test of its own.
NAMES = sorted(p.relative_to(BOOK).as_posix() for p in (BOOK / "chapters").glob("*.html"))
