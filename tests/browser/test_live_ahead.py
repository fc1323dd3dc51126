"""The strip behind a slider's track: the outcome along its whole range."""

import re

import live_gallery
import numpy as np
import pytest

pytestmark = pytest.mark.browser

STRIP = "document.querySelector('figure.live').live.outlook.strips[0]"
PATH = ".live-ahead path"


def level(values, **others):
    figure = live_gallery.gallery()
    return [float(figure.evaluate(amplitude=value, **others)["level"]) for value in values]


def strip(page):
    """Where on the slider the strip was computed, and what was found there."""
    page.wait_for_function(f"() => {STRIP}.values.length > 0")
    return page.evaluate(f"[{STRIP}.positions, {STRIP}.values]")


def test_the_strip_is_what_jax_gives_along_the_slider(open_page, web):
    page = open_page(f"{web}/gallery.html")
    positions, values = strip(page)
    assert (positions[0], positions[-1], len(positions)) == (0.01, 10, 49)
    np.testing.assert_allclose(values, level(positions), rtol=1e-5)
    drawn = re.findall(r"[-\d.]+", page.locator(PATH).get_attribute("d"))
    x, y = np.array(drawn, float).reshape(-1, 2).T
    np.testing.assert_allclose(y[[0, -1]], 0.5)  # zero, half-way up
    np.testing.assert_allclose(y[1:-1], 0.5 - np.clip(values, -5, 5) / 10, atol=1e-4)
    assert np.all(np.diff(x[1:-1]) > 0) and (x[0], x[-1]) == (0, 1)


def test_other_controls_change_it_and_its_own_does_not(open_page, web):
    page = open_page(f"{web}/gallery.html")
    _, before = strip(page)
    drawn = page.locator(PATH).get_attribute("d")
    page.get_by_role("slider", name="amplitude").fill("180")
    page.wait_for_function(
        "() => document.querySelector('.live-says').textContent.includes('mplitude')"
    )
    page.wait_for_timeout(200)
    assert page.locator(PATH).get_attribute("d") == drawn
    page.get_by_label("flip").check()
    page.wait_for_function(
        f"(d) => document.querySelector('{PATH}').getAttribute('d') !== d", arg=drawn
    )
    assert strip(page)[1] == pytest.approx([-value for value in before], rel=1e-6)


def test_it_shifts_nothing_and_its_words_come_with_it(open_page, web):
    page = open_page(f"{web}/gallery.html")
    words = page.locator(".live-key")
    assert words.text_content() == "level"
    strip(page)
    assert words.is_visible()
    track, behind = (page.locator(s).bounding_box() for s in ("[name=amplitude]", ".live-ahead"))
    assert behind["height"] == track["height"] and behind["y"] == pytest.approx(track["y"], abs=0.5)


HIDE = """const hidden = new CSSStyleSheet();
  hidden.replaceSync(".live-ahead { display: none }");
  document.adoptedStyleSheets = [hidden];"""


def test_what_nobody_sees_is_not_computed(open_page, web):
    page = open_page(f"{web}/gallery.html", script=HIDE)  # as slides do
    asked = page.evaluate("""async () => {
      const { live } = document.querySelector("figure.live"), { ask } = live.engine;
      let asked = 0;
      live.engine.ask = (wish) => (asked++, ask(wish));
      await live.set({ amplitude: 2 });
      await new Promise((later) => setTimeout(later, 400)); // twice the rest before it looks
      return asked;
    }""")
    assert asked == 1
    page.evaluate("""() => {
      document.adoptedStyleSheets = [];
      document.querySelector("figure.live").live.set({ amplitude: 1 });
    }""")
    strip(page)


def test_a_fault_ahead_is_none_of_the_figure(open_page, web):
    page = open_page(f"{web}/gallery.html")
    strip(page)
    page.evaluate("""async () => {
      const { live } = document.querySelector("figure.live");
      const { ask } = live.engine;
      live.engine.ask = (wish) => (live.busy ? ask(wish) : Promise.reject(new Error("lost")));
      await live.set({ flip: true });
    }""")
    page.wait_for_function(f"() => {STRIP} === undefined")  # it is given up
    page.evaluate("() => document.querySelector('figure.live').live.set({ amplitude: 2 })")
    assert page.locator("figure.live").get_attribute("data-state") == "ready"
    found = page.evaluate("() => document.querySelector('figure.live').live.outputs.level[0]")
    assert found == pytest.approx(level([2.0], flip=True)[0], rel=1e-5)
