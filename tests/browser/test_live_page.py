"""How a live figure sits in a page: still on arrival, dark, printed, narrow, accessible."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from vanishing.live import palette

pytestmark = pytest.mark.browser

SAYS = "(word) => document.querySelector('.live-says').textContent.includes(word)"

PAGES = ["gallery", "descent", "two"]
SHIFT = """
  window.shift = 0;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) window.shift += entry.value;
  }).observe({ type: "layout-shift", buffered: true });"""
COLOUR = """([selector, property]) =>
  getComputedStyle(document.querySelector(selector)).getPropertyValue(property)"""
BLUE = palette.CYCLE["blue"]
LINE = "[id$='.gallery-0-0'] > path"


def rgb(colour):
    """A colour as browsers write it."""
    return "rgb({}, {}, {})".format(*(int(colour[i : i + 2], 16) for i in (1, 3, 5)))


@pytest.mark.parametrize("name", PAGES)
def test_nothing_moves_on_arrival(name, open_page, web):
    page = open_page(f"{web}/{name}.html", script=SHIFT)
    page.wait_for_selector("figure[data-state=ready]")
    page.wait_for_timeout(300)
    assert page.evaluate("window.shift") == 0


def test_nothing_moves_when_the_address_sets_a_state(open_page, web):
    page = open_page(f"{web}/gallery.html#fig-gallery?amplitude=9&shape=decay", script=SHIFT)
    page.wait_for_function(SAYS, arg="mplitude")
    assert page.evaluate("window.shift") == 0


def test_a_shorter_sentence_moves_nothing(open_page, web):
    page = open_page(f"{web}/gallery.html", viewport={"width": 320, "height": 800})
    before, after, text = page.evaluate("""async () => {
      const { live } = document.querySelector("figure.live");
      const heights = () => [live.element, live.voice.written].map((node) => node.offsetHeight);
      const rest = () => new Promise((go) => requestAnimationFrame(() => setTimeout(go, 50)));
      live.voice.tell("A sentence that goes on and on. ".repeat(9));
      await rest();
      const before = heights();
      await live.set({ amplitude: 2 });
      await rest();
      return [before, heights(), live.voice.written.textContent];
    }""")
    assert text.startswith("Amplitude 2") and after == before and before[1] > 150
    page.set_viewport_size({"width": 1000, "height": 800})
    page.wait_for_function(
        "(high) => document.querySelector('.live-says').offsetHeight < high", arg=before[1]
    )


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1000])
def test_axe_finds_nothing(name, scheme, width, open_page, web):
    options = {"color_scheme": scheme, "viewport": {"width": width, "height": 800}}
    page = open_page(f"{web}/{name}.html", **options)
    page.wait_for_selector("figure[data-state=ready]")
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize("name", PAGES)
def test_320_pixels_hold_everything(name, open_page, web):
    page = open_page(f"{web}/{name}.html", viewport={"width": 320, "height": 640}, has_touch=True)
    page.wait_for_selector("figure[data-state=ready]")
    assert page.evaluate("document.documentElement.scrollWidth") == 320
    for box in page.locator("figure :is(input, select, button)").all():
        area = box.bounding_box()
        assert area["x"] >= 0 and area["x"] + area["width"] <= 320


def test_dark_follows_the_system_and_the_theme(open_page, web):
    page = open_page(f"{web}/gallery.html", color_scheme="dark")
    assert page.evaluate(COLOUR, [LINE, "stroke"]) == rgb(BLUE.dark)
    page.evaluate("document.documentElement.dataset.theme = 'light'")
    assert page.evaluate(COLOUR, [LINE, "stroke"]) == rgb(BLUE.light)
    page.emulate_media(color_scheme="light")
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    assert page.evaluate(COLOUR, [LINE, "stroke"]) == rgb(BLUE.dark)
    assert page.evaluate(COLOUR, ["svg text", "fill"]) == rgb(palette.NEUTRAL["ink"].dark)


def test_print_is_light_and_keeps_the_present_state(open_page, web):
    page = open_page(f"{web}/gallery.html", color_scheme="dark")
    first = page.locator(LINE).get_attribute("d")
    page.evaluate("document.querySelector('figure.live').live.set({ amplitude: 3 })")
    page.wait_for_function(SAYS, arg="mplitude")
    page.emulate_media(media="print")
    assert page.evaluate(COLOUR, [LINE, "stroke"]) == rgb(BLUE.light)
    assert page.locator("form").is_hidden()
    assert page.locator(LINE).get_attribute("d") != first


def test_the_style_stays_in_the_figure(open_page, web):
    page = open_page(f"{web}/gallery.html")
    assert page.locator("svg style").count() == 0
    assert page.evaluate(COLOUR, ["h1", "stroke-linejoin"]) == "miter"


def test_shared_data_reaches_the_program(open_page, web):
    page = open_page(f"{web}/scaled.html")
    y = page.evaluate("""async () => {
      const { live } = document.querySelector("figure.live");
      await live.set({ share: 0.5 });
      return Array.from(live.outputs.y);
    }""")
    assert y == [12.5 * k for k in range(10)]
