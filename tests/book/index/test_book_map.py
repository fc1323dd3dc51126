"""The map of the first page: the chapters there are, in order, and a picture for each known one."""

import re
from pathlib import Path

import pytest

from vanishing.book.index import book_map as module

ROOT = Path(__file__).parents[3]


def test_the_map_follows_the_contents():
    chapters = module.book_map(ROOT).chapters
    pages = re.findall(r"- file: chapters/([\w-]+)", (ROOT / "_toc.yml").read_text())
    assert list(chapters) == [page for page in pages if page not in module.REFERENCE]
    assert chapters["no-learning"] == "A network that will not learn"
    assert set(chapters) <= set(module.CHAPTERS), (
        "give the chapter a line and a picture in CHAPTERS"
    )
    links = re.findall(r'href="([^"]+)\.html"', module.book_map(ROOT)._repr_html_())
    assert links == list(chapters)


@pytest.mark.parametrize("slug", module.CHAPTERS)
def test_every_picture_is_drawn_and_light(slug):
    svg = module.thumbnail(slug)
    assert 'aria-hidden="true"' in svg and svg.count("<path") > 1
    assert len(svg) < 30_000
    assert module.thumbnail(slug) == svg
