"""The live figures of the built pages: legible, whole and within reach on every screen."""

import pytest
from built import BOOK, NAMES

pytestmark = [pytest.mark.book, pytest.mark.browser]

SMALLEST = 11  # px, of any word on any screen
PHONE = {"width": 390, "height": 844}
#: So many controls that the last are reached by scrolling, under the picture that stays.
LONG = {"life_map", "phase_diagram"}
#: The picture that the page shows of each figure: its words with their heights, and which are cut.
PICTURES = """() => [...document.querySelectorAll("figure.live")].map((figure) => {
  const all = [...figure.querySelectorAll(".live-picture svg")];
  const [svg, ...others] = all.filter((one) => one.checkVisibility());
  const room = svg.getBoundingClientRect();
  const words = [...svg.querySelectorAll("text")].filter((text) => text.textContent.trim());
  return {
    name: figure.dataset.name,
    others: others.length,
    narrow: Boolean(svg.closest(".vg-narrow")),
    size: Math.min(...words.map((text) =>
      parseFloat(getComputedStyle(text).fontSize) * Math.hypot(...ends(text.getScreenCTM())))),
    cut: words.filter((text) => {
      const box = text.getBoundingClientRect();
      return box.left < room.left - 1 || box.right > room.right + 1
        || box.top < room.top - 1 || box.bottom > room.bottom + 1;
    }).map((text) => text.textContent),
    height: room.height,
    form: figure.querySelector("form").getBoundingClientRect().height,
  };
  function ends({ a, b }) { return [a, b]; } // length of the unit along a line of text
})"""
#: Moves the first control of each figure, and says whether the picture that is seen has changed.
MOVED = """async () => {
  const found = {};
  for (const figure of document.querySelectorAll("figure.live")) {
    const svg = [...figure.querySelectorAll(".live-picture svg")].find((s) => s.checkVisibility());
    const [control] = figure.live.spec.controls;
    const other = control.kind === "choice" ? control.options.find((o) => o !== control.value)
      : control.value === control.minimum ? control.maximum : control.minimum;
    const before = svg.innerHTML;
    await figure.live.set({ [control.name]: other });
    found[figure.dataset.name] = svg.innerHTML !== before;
  }
  return found;
}"""


def pictures(page, **size) -> list[dict]:
    page.set_viewport_size({"width": 1280, "height": 900, **size})
    page.wait_for_selector("figure.live:not([data-state])", state="detached")
    return page.evaluate(PICTURES)


def test_the_book_has_live_figures():
    live = [name for name in NAMES if 'class="live"' in (BOOK / name).read_text(encoding="utf-8")]
    assert len(live) >= 10


@pytest.mark.parametrize("width", [320, 375, 660, 768, 1256, 1280])
def test_every_word_is_legible_and_none_is_cut(opened, width):
    for picture in pictures(opened, width=width):
        assert not picture["others"] and picture["narrow"] == (width < 600), picture
        assert picture["size"] >= SMALLEST and not picture["cut"], picture


def test_picture_and_controls_are_as_high_as_a_phone(reader, page_path):
    page = reader(**PHONE, has_touch=True, is_mobile=True)
    page.goto(page_path.as_uri())
    for picture in pictures(page, **PHONE):
        assert picture["height"] <= 0.55 * PHONE["height"], picture
        fits = picture["height"] + picture["form"] <= PHONE["height"]
        assert fits == (picture["name"] not in LONG), picture


def test_on_a_phone_the_picture_that_is_seen_moves(opened):
    pictures(opened, **PHONE)
    assert not [name for name, moved in opened.evaluate(MOVED).items() if not moved]
