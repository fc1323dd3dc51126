"""A chapter is whole: a page with exercises, a room, a deck, a place on the map, in one order."""

import re
from pathlib import Path

import yaml

from vanishing.book.index.book_map import CHAPTERS

ROOT = Path(__file__).parents[2]
PAGES = [
    Path(entry["file"]).name
    for entry in yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))["chapters"]
]
#: Pages to look things up have no exercises, and none of the rest.
TAUGHT = [
    name
    for name in PAGES
    if "{exercise-start}" in (ROOT / "chapters" / f"{name}.md").read_text(encoding="utf-8")
]


def test_every_chapter_has_a_deck_and_every_deck_its_chapter():
    decks = {path.stem for path in (ROOT / "slides").glob("*.md")} - {"index"}
    assert len(TAUGHT) >= 10 and decks == set(TAUGHT)
    listed = (ROOT / "slides" / "index.md").read_text(encoding="utf-8")
    assert re.findall(r"^[\w-]+$", listed, re.MULTILINE) == TAUGHT


def test_every_chapter_has_a_room_and_a_place_on_the_map():
    rooms = {path.parent.name for path in (ROOT / "lib/vanishing/book").glob("*/__init__.py")}
    taught, pages = ({name.replace("-", "_") for name in names} for names in (TAUGHT, PAGES))
    assert taught <= rooms - {"index"} <= pages
    assert list(CHAPTERS) == TAUGHT
