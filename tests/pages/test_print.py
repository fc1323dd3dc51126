"""The pages on paper: light, nothing folded, nothing cut."""

import re

import pytest
from built import BOOK

pytestmark = [pytest.mark.book, pytest.mark.browser]


@pytest.fixture(scope="module")
def paper(opened):
    """The page as it goes to a printer, of a reader whose screen is dark."""
    opened.set_viewport_size({"width": 680, "height": 900})  # A4 without its margins
    opened.emulate_media(media="print", color_scheme="dark")
    opened.evaluate("dispatchEvent(new Event('beforeprint'))")
    return opened


def test_paper_is_light(paper):
    ink, ground = paper.evaluate("""[document.querySelector("h1"), document.documentElement].map(
      (element, i) => getComputedStyle(element)[i ? "backgroundColor" : "color"]
        .match(/[0-9]+/g).slice(0, 3).map(Number))""")
    assert max(ink) < 80 and min(ground) > 250


def test_nothing_stays_folded(paper):
    hidden = paper.evaluate("""[...document.querySelectorAll("article details > :not(summary)")]
      .filter((element) => !element.closest(".live-controls, .vg-narrow, .guess-form"))
      .filter((element) => !element.checkVisibility({ contentVisibilityAuto: true }))
      .map((element) => element.outerHTML.slice(0, 100))""")
    assert hidden == []


def test_nothing_is_cut_at_the_right(paper):
    cut = paper.evaluate("""[...document.querySelectorAll("article pre")]
      .filter((box) => box.scrollWidth > box.clientWidth + 1).map((box) => box.textContent)""")
    assert cut == []


def test_what_only_a_screen_can_do_is_not_printed(paper):
    shown = paper.evaluate("""[...document.querySelectorAll(
      ".bar, .skip, .contents, .copy, .headerlink, details.code > summary, .live-controls")]
      .filter((element) => element.checkVisibility({ visibilityProperty: true }))
      .map((element) => element.outerHTML.slice(0, 100))""")
    assert shown == []


def test_links_are_notes(paper):
    noted = paper.evaluate("""[...document.querySelectorAll("article a.external")].filter(
      (link) => link.textContent !== link.getAttribute("href")).map((link) => [
        link.getAttribute("href"), Number(link.nextElementSibling.textContent)])""")
    listed = paper.locator(".print-notes li").all_inner_texts()
    assert all(listed[number - 1] == address for address, number in noted)


def test_notes_are_not_on_the_screen(reader):
    page = reader()
    page.goto((BOOK / "chapters/bibliography.html").as_uri())
    assert page.locator(".print-note, .print-notes").count() > 10
    assert page.locator(".print-note:visible, .print-notes:visible").count() == 0


def test_the_notation_is_one_sheet(reader):
    page = reader()
    page.goto((BOOK / "chapters/notation.html").as_uri(), wait_until="networkidle")
    sheet = page.pdf(format="A4")
    assert len(re.findall(rb"/Type\s*/Page\b", sheet)) <= 2
    page.emulate_media(media="print")
    smallest = page.evaluate("""Math.min(...[...document.querySelectorAll("td, td code")].map(
      (element) => parseFloat(getComputedStyle(element).fontSize)))""")
    assert smallest >= 8.9  # pixels, 6.7 points: no smaller than a footnote
