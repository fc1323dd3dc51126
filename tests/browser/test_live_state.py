"""State in the address, links that set it, Reset, and every control by mouse and by key."""

import numpy as np
import pytest

pytestmark = pytest.mark.browser

SAYS = "(word) => document.querySelector('.live-says').textContent.includes(word)"

STATE = "document.querySelector('figure.live').live.state"
DRAWN = "() => Object.keys(document.querySelector('figure.live').live.outputs).length > 0"
DEFAULTS = {"frequency": 1, "amplitude": 1, "shape": "sine", "flip": False, "seed": 3}


def wait_for(page, name, value):
    page.wait_for_function(
        f"([name, value]) => {STATE}[name] === value", arg=[name, value], timeout=5000
    )


def test_each_control_moves_by_hand(open_page, web):
    page = open_page(f"{web}/gallery.html")
    page.get_by_label("f0").fill("2.5")
    # The 181st of the stops of a log slider.
    page.get_by_role("slider", name="amplitude").fill("180")
    page.get_by_label("shape").select_option("decay")
    page.get_by_label("flip").check()
    page.get_by_label("seed").fill("8")
    page.get_by_role("button", name="Another").click()
    state = page.evaluate(STATE)
    assert state == {
        "frequency": 2.5, "amplitude": 5.01, "shape": "decay", "flip": True, "seed": 9,
    }  # fmt: skip
    assert page.locator(".live-value").first.inner_text() == "2.5"
    page.wait_for_function("() => location.hash.includes('seed=9')")
    page.get_by_role("button", name="Reset").click()
    assert page.evaluate(STATE) == DEFAULTS
    page.wait_for_function("() => location.hash === '#fig-gallery?'")


def test_keyboard_alone(open_page, web):
    page = open_page(f"{web}/gallery.html")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent").startswith("Skip to the live")
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("End")
    assert page.evaluate(STATE)["frequency"] == 5
    page.keyboard.press("Tab")
    page.keyboard.press("Home")
    assert page.evaluate(STATE)["amplitude"] == 0.01
    page.keyboard.press("Tab")
    page.keyboard.press("c")
    assert page.evaluate(STATE)["shape"] == "cosine"
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    assert page.evaluate(STATE)["flip"] is True
    for _ in range(3):
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate(STATE) == DEFAULTS
    slider = page.get_by_role("slider", name="amplitude")
    assert slider.get_attribute("aria-valuetext") == "1.00"
    slider.focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowLeft", "ArrowLeft"):
        page.keyboard.press(key)
    assert page.evaluate(STATE)["amplitude"] == 1  # a log slider comes back to its default


def test_address_sets_the_state_and_is_clamped(open_page, web, figures):
    query = "frequency=99&amplitude=-3&shape=square&flip=true&seed=1.7&unknown=1"
    page = open_page(f"{web}/gallery.html#fig-gallery?{query}")
    page.wait_for_function(DRAWN)
    assert page.evaluate(STATE) == {
        "frequency": 5, "amplitude": 0.01, "shape": "sine", "flip": True, "seed": 1,
    }  # fmt: skip
    y = page.evaluate("Array.from(document.querySelector('figure.live').live.outputs.y)")
    expected = figures["gallery"].evaluate(frequency=5, amplitude=0.01, flip=True, seed=1)["y"]
    np.testing.assert_allclose(y, expected, rtol=1e-4, atol=1e-6)


def test_links_in_prose_and_back(open_page, web):
    page = open_page(f"{web}/links.html")
    page.wait_for_function("() => document.querySelector('figure.live').live")
    page.locator("#link").click()
    wait_for(page, "shape", "cosine")
    assert page.evaluate(STATE)["amplitude"] == 2
    page.wait_for_function(
        "() => document.querySelector('.live-picture').getBoundingClientRect().top < innerHeight"
    )
    page.go_back()
    wait_for(page, "shape", "sine")
    page.go_forward()
    wait_for(page, "shape", "cosine")
    # By key: a click could meet the held picture, which goes back to its place as the page scrolls.
    page.get_by_label("flip").press("Space")
    page.wait_for_function("() => location.hash.includes('flip=true')")
    page.go_back()
    wait_for(page, "flip", False)
    page.go_forward()
    wait_for(page, "flip", True)


def test_other_links_of_the_page_move_no_control(open_page, web):
    page = open_page(f"{web}/links.html")
    page.get_by_label("flip").check()
    page.wait_for_function("() => location.hash.includes('flip=true')")
    for place in ("#far", "#fig-gallery"):
        page.locator(f"p a[href='{place}']").click()
        page.wait_for_function("(place) => location.hash === place", arg=place)
        assert page.evaluate(STATE)["flip"] is True
    page.go_back()
    page.go_back()
    wait_for(page, "flip", True)


def test_link_to_this_state(open_page, web):
    page = open_page(f"{web}/gallery.html")
    page.get_by_label("shape").select_option("cosine")
    link = page.get_by_role("link", name="Link to this state")
    assert link.get_attribute("href") == "#fig-gallery?shape=cosine"


def test_two_figures_keep_apart(open_page, web):
    page = open_page(f"{web}/two.html#fig-parabola?curvature=3")
    page.wait_for_function(
        "() => document.querySelectorAll('figure.live')[1].live.state.curvature === 3"
    )
    page.get_by_label("shape").select_option("cosine")
    states = page.evaluate("[...document.querySelectorAll('figure.live')].map((f) => f.live.state)")
    assert states[0]["shape"] == "cosine" and states[1] == {"curvature": 3}


def test_one_figure_twice(open_page, web):
    page = open_page(f"{web}/twice.html")
    paths = page.evaluate("""async () => {
      const figures = [...document.querySelectorAll("figure.live")];
      await figures[0].live.set({ curvature: 4 });
      await figures[1].live.set({ curvature: 2 });
      const path = (f) => f.querySelector("[id*='parabola-0'] path").getAttribute("d");
      return figures.map((f) => [f.id, path(f)]);
    }""")
    (first, one), (second, two) = paths
    assert one != two
    assert second == f"{first}-2"
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map((node) => node.id)")
    assert len(ids) == len(set(ids))


def test_the_live_region_says_what_changed(open_page, web):
    page = open_page(f"{web}/gallery.html")
    says = page.locator(".live-says")
    assert says.inner_text().startswith("Level is 0.96. 24 of 50 values (root) are not finite")
    page.wait_for_function(DRAWN)
    page.evaluate("document.querySelector('figure.live').live.set({ amplitude: 2 })")
    page.wait_for_function(SAYS, arg="rises")
    assert says.inner_text().startswith("Amplitude 2.00: level rises to 1.9")


SLOW = """async () => {
  const { live } = document.querySelector("figure.live");
  const { ask } = live.engine;
  const wait = (ms) => new Promise((done) => setTimeout(done, ms));
  live.engine.ask = async (request) => {
    await wait(500);
    return ask(request);
  };
  live.set({ gain: 2 });
  await wait(200);
  await live.set({ gain: 4 }); // while the answer to the first is on its way
}"""


def test_what_is_read_is_what_is_seen_where_answers_are_slow(open_page, web):
    page = open_page(f"{web}/furnished.html")
    page.wait_for_function(DRAWN)
    page.evaluate(SLOW)
    assert "largest value rises to 4.00" in page.locator(".live-says").inner_text()


def test_words_wait_for_the_frame_that_draws_their_picture(open_page, web):
    page = open_page(f"{web}/furnished.html")
    page.wait_for_function(DRAWN)
    early, late = page.evaluate("""async () => {
      const { live } = document.querySelector("figure.live");
      const words = () => [".live-value", ".live-says"].map((s) => live.find(s).textContent);
      const { draw } = live;
      let early;
      live.draw = (outputs) => {
        draw.call(live, outputs);
        requestAnimationFrame(() => (early = words())); // the last that the frame hears of
      };
      const before = words();
      const answer = await live.engine.ask(live.request({ ...live.state, gain: 4 }));
      live.engine.ask = async () => answer; // at once, for words wait a tenth of a second at most
      await live.set({ gain: 4 });
      return [early.map((now, k) => now === before[k]), words()];
    }""")
    assert early == [True, True]
    assert late[0] == "4.00" and "largest value rises to 4.00" in late[1]


def test_words_follow_a_hand_that_does_not_rest(open_page, web):
    page = open_page(f"{web}/furnished.html")
    page.wait_for_function(DRAWN)
    seen = page.evaluate("""async () => {
      const { live } = document.querySelector("figure.live");
      const seen = new Set();
      for (let k = 0; k < 100; k++) {
        live.set({ gain: 1 + k / 50 });
        await new Promise((go) => setTimeout(go, 8));
        seen.add([".live-value", ".live-says"].map((s) => live.find(s).textContent).join());
      }
      return seen.size;
    }""")
    assert seen >= 4  # of 0.8 s, a tenth of a second each at the latest
