"""What pages say of themselves to search engines, and to those who are sent a link."""

import re
import sys

import pytest
from axe_playwright_python.sync_playwright import Axe
from bs4 import BeautifulSoup
from built import BOOK, NAMES, ROOT

sys.path.insert(0, str(ROOT / "_ext"))

import sharing

from vanishing.book.index.book_map import CHAPTERS

pytestmark = pytest.mark.book

TITLE = "Vanishing Gradients"


def meta(soup, name: str) -> str:
    [tag] = soup.find_all("meta", attrs={"property" if ":" in name else "name": name})
    return tag["content"]


def test_a_page_says_what_it_is_about(soup, page_name):
    about = meta(soup, "description")
    assert 30 < len(about) < 220 and about.endswith(".") and about == meta(soup, "og:description")
    assert not re.search(r"\\|\$|\{|\n", about)
    assert meta(soup, "og:title") == re.sub("[¶#]$", "", soup.h1.text.strip())
    assert soup.title.text.startswith(meta(soup, "og:title")) and TITLE in soup.title.text


def test_no_two_pages_say_the_same():
    pages = [BeautifulSoup((BOOK / name).read_text("utf-8"), "html.parser") for name in NAMES]
    assert len({meta(page, "description") for page in pages}) == len(pages)
    assert len({page.title.text for page in pages}) == len(pages)


def test_what_needs_an_address_waits_for_one():
    published = '  baseurl: ""\n' not in (ROOT / "_config.yml").read_text(encoding="utf-8")
    pages = [(BOOK / name).read_text("utf-8") for name in (*NAMES, "index.html", "404.html")]
    assert (BOOK / "sitemap.xml").exists() == published
    assert [bool(re.search("canonical|og:url|og:image", page)) for page in pages[:-1]] == [
        published
    ] * (len(pages) - 1)
    assert not re.search("canonical|og:", pages[-1])


@pytest.mark.parametrize("slug", ["book", *CHAPTERS])
def test_a_card_is_drawn_and_always_the_same(slug):
    # The longest title that a chapter has takes two lines.
    drawn = sharing.card("The road up and the road down, and back", slug, TITLE)
    assert [int.from_bytes(drawn[at : at + 4]) for at in (16, 20)] == [1200, 630]
    assert 10_000 < len(drawn) < 300_000
    sharing.card.cache_clear()
    assert sharing.card("The road up and the road down, and back", slug, TITLE) == drawn


def test_cards_differ():
    drawn = {sharing.card("A title", slug, TITLE) for slug in ("book", *CHAPTERS)}
    assert len(drawn) == 1 + len(CHAPTERS)


@pytest.mark.parametrize("name", ["404.html", "index.html"])
def test_the_pages_around_the_book_are_sound(name):
    soup = BeautifulSoup((BOOK / name).read_text(encoding="utf-8"), "html.parser")
    links = [link["href"] for link in soup.select("a[href]:not([href^='#'])")]
    assert links and [link for link in links if not (BOOK / link).is_file()] == []
    assert soup.html["lang"] == "en" and soup.title.text


@pytest.mark.browser
def test_the_page_for_a_wrong_address_can_be_read_by_all(reader):
    page = reader()
    page.goto((BOOK / "404.html").as_uri(), wait_until="networkidle")
    assert Axe().run(page).response["violations"] == []
    page.set_viewport_size({"width": 320, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_every_page_names_the_licences(soup, page_path):
    links = {link.text: link["href"] for link in soup.select("footer a[rel=license]")}
    assert set(links) == {"CC BY 4.0", "MIT"}
    texts = [(page_path.parent / href).read_text(encoding="utf-8") for href in links.values()]
    assert texts == [(ROOT / f"LICENSE-{kind}.txt").read_text("utf-8") for kind in ("TEXT", "CODE")]
