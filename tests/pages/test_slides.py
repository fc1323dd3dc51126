"""The decks: every slide whole and legible, every figure alive, each with notes and a way back.

They lie beside the chapters in the built book; each is read from a web host and from a folder.
"""

import re

import pytest
from built import BOOK, ROOT, parsed

pytestmark = [pytest.mark.book, pytest.mark.browser]

DECKS = sorted(p.stem for p in (ROOT / "slides").glob("*.md") if p.stem != "index")
SIZES = [(1280, 720), (1920, 1080)]
SMALLEST = 24  # px of a slide of 1280 × 720: letters that the last row reads
#: The slide that is seen: what leaves it or runs into its foot, and words that are too small.
#: Indices and exponents may be smaller than the words that they belong to.
FAULTS = """(smallest) => {
  const slide = Reveal.getCurrentSlide(), room = slide.getBoundingClientRect();
  const scale = room.width / 1280;
  const foot = slide.querySelector("a.section")?.getBoundingClientRect().top ?? room.bottom;
  const unseen = ".notes, a.section, option, .katex *, .live-speaks, .guess-question";
  const shown = [...slide.querySelectorAll("*")].filter((node) =>
    node.checkVisibility() && !node.closest(unseen));
  const what = ({ tagName, className, textContent }) =>
    `${tagName}.${className}: ${textContent.slice(0, 60)}`;
  const out = shown.filter((node) => {
    if (node.closest("svg *") && !node.matches("text")) return false; // cut off by its axes
    const box = node.getBoundingClientRect();
    return box.width && (box.left < room.left - 1 || box.right > room.right + 1
      || box.top < room.top - 1 || box.bottom > foot + 1);
  });
  const small = shown.filter((node) => {
    const words = [...node.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
    if (!words || node.closest(".katex, sub, sup, small, tspan")) return false;
    const { a, b } = node.getScreenCTM?.() ?? { a: scale, b: 0 };
    return parseFloat(getComputedStyle(node).fontSize) * Math.hypot(a, b) < smallest * scale;
  });
  return [["leaves", out], ["small", small]].flatMap(([fault, nodes]) =>
    nodes.map((node) => `${fault} ${what(node)}`));
}"""
#: Moves a control of the live figure on this slide: whether its picture follows.
MOVES = """async () => {
  const { live } = Reveal.getCurrentSlide().querySelector("figure.live");
  const [control] = live.spec.controls, svg = live.find(".live-picture svg");
  const other = control.kind === "choice" ? control.options.find((o) => o !== control.value)
    : control.value === control.minimum ? control.maximum : control.minimum;
  const before = svg.innerHTML;
  await live.set({ [control.name]: other });
  const moved = svg.innerHTML !== before;
  await live.reset();
  return moved;
}"""


#: Turns to the slide of an element.
TURN = "(node) => Reveal.slide(Reveal.getIndices(node.closest('section')).h)"


def deck(name):
    return BOOK / "slides" / f"{name}.html"


@pytest.fixture
def present(reader):
    """``present(url)`` opens a deck; at the end nothing may have gone wrong, or left its origin."""
    wrong = []

    def present(url, width=1280, height=720):
        page = reader(width=width, height=height)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda said: wrong.append(said.text))
        own = (re.match(r"\w+://[^/]*/", url)[0], "data:", "blob:")
        page.on("request", lambda r: None if r.url.startswith(own) else wrong.append(r.url))
        page.goto(url)
        page.wait_for_function("() => window.Reveal?.isReady()")
        return page

    yield present
    assert not wrong


def slides_of(page):
    """Turn to each slide in turn, by the keyboard as a presenter does."""
    for number in range(page.evaluate("Reveal.getTotalSlides()")):
        if number:
            page.keyboard.press("PageDown")
        assert page.evaluate("Reveal.getSlidePastCount()") == number
        yield number + 1


@pytest.mark.parametrize(("width", "height"), SIZES)
@pytest.mark.parametrize("name", DECKS)
def test_every_slide_is_whole_legible_and_alive(name, width, height, present, address):
    served = (width, height) == SIZES[0]
    page = present(f"{address if served else BOOK.as_uri()}/slides/{name}.html", width, height)
    faults, figures = {}, 0
    for number in slides_of(page):
        current = page.locator("section.present:not(.stack)")
        for figure in current.locator("figure.live").all():
            figures += 1
            page.wait_for_function("(f) => f.dataset.state", arg=figure.element_handle())
            assert figure.get_attribute("data-state") == "ready", (name, number)
            assert page.evaluate(MOVES), (name, number)
        for guess in current.locator(".live-guess").all():
            assert guess.get_attribute("data-state") == "asks"
            guess.locator(".guess-again").click()
            assert guess.get_attribute("data-state") == "done"
        faults[number] = page.evaluate(FAULTS, SMALLEST)
    assert figures
    assert not {number: found for number, found in faults.items() if found}


@pytest.mark.parametrize("name", DECKS)
def test_a_deck_has_notes_and_leads_to_the_sections_of_its_chapter(name):
    slides = parsed(deck(name)).select("section > section")
    assert 12 <= len(slides) <= 20
    chapter = parsed(BOOK / "chapters" / f"{name}.html")
    for slide in slides:
        [notes], [link] = slide.select("aside.notes"), slide.select("a.section")
        assert len(notes.get_text().split()) >= 5
        page, section = link["href"].split("#")
        assert page == f"../chapters/{name}.html"
        assert chapter.find(id=section), section
        assert link.get_text() in chapter.find(id=section).get_text()
    assert any("Predict" in slide.find(["h1", "h2"]).get_text() for slide in slides)
    assert chapter.select_one(f'footer a[href="../slides/{name}.html"]')


def test_a_slider_keeps_its_keys_and_a_remote_turns_the_slides(present):
    page = present(deck("no-learning").as_uri())
    slide = "Reveal.getSlidePastCount()"
    figure = page.locator("figure.live[data-name=depth_and_activation]")
    page.evaluate(TURN, figure.element_handle())
    slider, here = figure.locator("input[name=depth]"), page.evaluate(slide)
    slider.focus()
    page.keyboard.press("ArrowLeft")
    assert slider.input_value() == "29" and page.evaluate(slide) == here
    figure.get_by_role("button", name="Another").focus()
    page.keyboard.press("Space")
    assert figure.locator("input[name=seed]").input_value() == "1"
    assert page.evaluate(slide) == here
    slider.focus()
    page.keyboard.press("PageDown")
    assert page.evaluate(slide) == here + 1 and slider.input_value() == "29"
    page.keyboard.press("ArrowLeft")  # the slider has gone, and the keys with it
    assert page.evaluate(slide) == here and slider.input_value() == "29"
    slider.focus()
    page.keyboard.press("Escape")
    assert not page.evaluate("Reveal.isOverview()")
    page.keyboard.press("ArrowRight")
    assert page.evaluate(slide) == here + 1 and slider.input_value() == "29"


def test_the_class_draws_and_the_next_class_begins_afresh(present):
    page = present(deck("no-learning").as_uri())
    for _ in range(2):
        guess = page.locator(".live-guess")
        page.evaluate(TURN, guess.element_handle())
        assert guess.get_attribute("data-state") == "asks"
        box = guess.locator(".guess-paper").bounding_box()
        for height in (0.1, 0.5):  # a stroke for each curve, at the right end
            page.mouse.move(box["x"] + 0.8 * box["width"], box["y"] + height * box["height"])
            page.mouse.down()
            page.mouse.move(box["x"] + box["width"] - 2, box["y"] + height * box["height"])
            page.mouse.up()
        guess.get_by_role("button", name="Compare").click()
        assert "you expected" in guess.locator(".guess-words").inner_text()
        page.reload()
        page.wait_for_function("() => window.Reveal?.isReady()")


def test_the_presenter_has_notes_in_a_window_of_their_own(present):
    page = present(deck("no-learning").as_uri())
    with page.expect_popup() as opened:
        page.keyboard.press("s")
    notes = opened.value.locator(".speaker-controls-notes .value")
    notes.get_by_text("The popular story first").wait_for()


def test_a_deck_prints_a_sheet_for_each_slide(present):
    page = present(deck("no-learning").as_uri() + "?print-pdf")
    page.wait_for_selector(".pdf-page")
    sheets = page.pdf(prefer_css_page_size=True, print_background=True)
    slides = len(parsed(deck("no-learning")).select("section > section"))
    assert len(re.findall(rb"/Type\s*/Page\b", sheets)) == slides
    margins = page.evaluate("""() => [...document.querySelectorAll(".pdf-page :is(h1, h2)")].map(
      (h) => h.getBoundingClientRect().left - h.closest(".pdf-page").getBoundingClientRect().left)
    """)
    assert set(map(round, margins)) == {40}
