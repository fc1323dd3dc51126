"""The reader draws what they expect, by every means, and sees it beside what is so."""

import json

import numpy as np
import pytest
from matplotlib.figure import Figure

from vanishing import live
from vanishing.live.page import assets

pytestmark = pytest.mark.browser
PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Predict</title>
<meta name="viewport" content="width=device-width">
<link rel="stylesheet" href="vanishing-live.css"><script defer src="vanishing-predict.js"></script>
</head><body><main><h1>Predict</h1>{}<p>After.</p><section id="summary"><h2>Summary</h2></section>
</main></body></html>"""
LAYERS = np.arange(1, 31)


def curve():
    """A gradient that loses 20 powers of ten."""
    drawings = []
    for width in (6, 3.5):
        figure = Figure((width, 3), layout="constrained")
        ax = figure.subplots()
        (line,) = ax.semilogy(LAYERS, 10.0 ** (-20 * (30 - LAYERS) / 29))
        ax.set(xlim=(1, 30), ylim=(1e-25, 10), xlabel="layer", ylabel="gradient")
        drawings.append((figure, [line, ax.text(15, 1e-8, "measured")]))
    return live.predict(
        *drawings,
        at={f"layer {layer}": layer for layer in (1, 10, 20, 30)},
        name="curve",
        question="How much of the gradient is left at each layer?",
        alt="A line from 1 at layer 30 down to ten to the minus 20 at layer 1.",
        form=".0e",
    )


def bars():
    """Three shares."""
    figure = Figure((5, 3), layout="constrained")
    ax = figure.subplots()
    heights = ax.bar([0, 1, 2], [50, 9, 1], width=0.8)
    ax.set(xlim=(-0.6, 2.6), ylim=(0, 100), xticks=[])
    return live.predict(
        (figure, [heights]),
        at={"sigmoid": 0, "tanh": 1, "ReLU": 2},
        name="bars",
        question="How many are dead?",
        alt="Three bars: 50, 9 and 1 per cent.",
        form=".0f",
        unit="%",
    )


def pair():
    """Two curves that are known to meet at the right."""
    figure = Figure((5, 3), layout="constrained")
    ax = figure.subplots()
    (one,) = ax.plot([1, 50], [-30, 0], label="sigmoid", color="#5e2d91")
    (two,) = ax.plot([1, 50], [-1, 0], label="tanh")
    ax.set(xlim=(1, 50), ylim=(-40, 5))
    return live.predict(
        (figure, [one, two]),
        at=[{"sigmoid": 1}, {"tanh": 1}],
        name="pair",
        question="Where do both end?",
        alt="Two lines.",
        known=[50],
        form=".0f",
        unit=" powers of ten",
    )


@pytest.fixture(scope="module")
def asked(tmp_path_factory):
    folder = tmp_path_factory.mktemp("predict")
    (folder / assets.PREDICT).write_text(assets.predict_script())
    (folder / assets.STYLESHEET).write_text(assets.stylesheet())
    (folder / "page.html").write_text(PAGE.format(curve().html() + bars().html() + pair().html()))
    return folder / "page.html"


@pytest.fixture
def page(asked, open_page):
    return open_page(asked.as_uri())


def fill_bars(page, value):
    sliders = page.locator("#guess-bars input[type=range]")
    for k in range(3):
        sliders.nth(k).fill(value)


def keep(page, kept):
    page.evaluate(f"localStorage.setItem('vanishing-progress', JSON.stringify({json.dumps(kept)}))")


def words(page, name):
    return page.locator(f"#guess-{name} .guess-words").inner_text()


def values(page, name):
    return page.evaluate(f"document.querySelector('#guess-{name}').guess.drawn")


def box(page, name):
    paper = page.locator(f"#guess-{name} .guess-paper").first
    paper.scroll_into_view_if_needed()
    return paper.bounding_box()


def hidden(page, name):
    waits = page.locator(f"#guess-{name} .guess-waits").first
    return waits.evaluate("node => getComputedStyle(node).visibility") == "hidden"


def test_the_measurement_waits_until_the_reader_has_drawn(page):
    picture = page.locator("#guess-curve svg").first
    assert hidden(page, "curve") and "still empty" in picture.get_attribute("aria-label")
    compare = page.locator("#guess-curve .guess-compare")
    sliders = page.locator("#guess-curve input[type=range]")
    assert sliders.first.get_attribute("aria-valuetext") == "not drawn yet"
    for k in range(4):
        assert compare.is_disabled()
        sliders.nth(k).focus()
        page.keyboard.press("ArrowRight")
        assert words(page, "curve") == f"{k + 1} of 4 set."
    compare.click()
    assert not hidden(page, "curve") and sliders.first.is_disabled()
    assert picture.get_attribute("aria-label").startswith("A line from 1 at layer 30")
    assert sliders.first.get_attribute("aria-valuetext").endswith("; is 10⁻²⁰")


def test_who_only_wants_to_look_may(page):
    page.locator("#guess-bars .guess-again").click()
    assert not hidden(page, "bars") and words(page, "bars") == "Here is what was measured."
    page.locator("#guess-bars .guess-again").click()
    assert hidden(page, "bars")


def test_each_of_two_curves_has_its_own_pen(page):
    area = box(page, "pair")
    top = area["y"] + area["height"]
    for end in (0.5, 0.9):
        page.mouse.move(area["x"] + area["width"] * 0.9, top - area["height"] * 0.85)
        page.mouse.down()
        page.mouse.move(area["x"] + 2, top - area["height"] * end, steps=4)
        page.mouse.up()
    # On an axis from -40 to 5; the first stroke was the first curve's, then the pen moved on.
    np.testing.assert_allclose(values(page, "pair"), [-17.5, 0.5], atol=0.5)
    lines = page.locator("#guess-pair .guess-line")
    assert [lines.nth(k).get_attribute("d").count("L") for k in (0, 1)] == [1, 1]
    page.locator("#guess-pair .guess-compare").click()
    assert words(page, "pair").startswith("Farthest at sigmoid: you expected −")


def test_the_marks_of_the_chosen_curve_lie_above(page):
    guess = page.locator("#guess-pair")
    top = """(guess) => [...guess.querySelectorAll("circle.guess-mark")].at(-1)
      .style.getPropertyValue("--guess")"""
    seen = []
    for pen in (1, 0):
        guess.get_by_role("radio").nth(pen).check()
        seen.append(guess.evaluate(top))
    assert len(set(seen)) == 2


def test_a_stroke_far_from_every_handle_sets_the_nearest(page):
    area = box(page, "pair")
    page.mouse.click(area["x"] + area["width"] / 2, area["y"] + area["height"] * 5 / 45)
    assert values(page, "pair") == [pytest.approx(0, abs=0.3), None]


@pytest.mark.parametrize("width", [1280, 375])
def test_nothing_moves_when_the_script_comes(asked, open_page, width):
    page = open_page(asked.as_uri())
    page.set_viewport_size({"width": width, "height": 900})
    keep(page, {"page#guess-bars": {"drawn": [100, 0, 50], "done": True}})

    def height(script):
        page.route("**/vanishing-predict.js", script)
        page.reload()
        page.unroute("**/vanishing-predict.js")
        return page.evaluate("document.querySelector('main > p').getBoundingClientRect().top")

    without = height(lambda route: route.fulfill(body="", content_type="text/javascript"))
    assert height(lambda route: route.continue_()) == without
    assert page.locator("#guess-bars").get_attribute("data-state") == "done"


def test_the_summary_tells_what_was_expected(page):
    assert page.locator("#summary .guess-recall").count() == 0
    for label in ("sigmoid", "tanh"):
        page.locator("#guess-pair .guess-handle", has_text=label).locator("input").fill("0")
    page.locator("#guess-pair .guess-compare").click()
    said = page.locator("#summary .guess-recall li").inner_text()
    assert said.startswith("Where do both end? Farthest at sigmoid: you expected 0 powers of ten")
    page.reload()
    assert page.locator("#summary .guess-recall li").inner_text() == said
    page.locator("#guess-pair .guess-again").click()
    assert page.locator("#summary .guess-recall").count() == 0


def test_one_stroke_of_the_pointer_draws_the_curve(page):
    area = box(page, "curve")
    page.mouse.move(area["x"] + 1, area["y"] + area["height"] * 0.9)
    page.mouse.down()
    page.mouse.move(area["x"] + area["width"] - 1, area["y"] + area["height"] * 0.1, steps=3)
    page.mouse.up()
    drawn = values(page, "curve")
    assert drawn == sorted(drawn)
    # From nine tenths of the way down to one tenth, on an axis from 10 to 10^-25.
    np.testing.assert_allclose(drawn, np.interp([1, 10, 20, 30], [1, 30], [-22.4, -1.6]), atol=0.5)


def test_the_distance_is_said_in_words(page):
    asked = "document.querySelector('#guess-curve').guess"
    page.evaluate(f"{asked}.drawn = [-3, -2, -1, 0]; {asked}.compare()")
    assert words(page, "curve").startswith(
        "Farthest at layer 1: you expected 10⁻³, it is 10⁻²⁰, 17 powers of ten apart; on average "
    )
    asked = "document.querySelector('#guess-bars').guess"
    page.evaluate(f"{asked}.drawn = [50, 50, 0]; {asked}.compare()")
    assert words(page, "bars") == (
        "Farthest at tanh: you expected 50%, it is 9%, 41 points apart; on average 14."
    )


def test_a_tap_sets_a_bar_and_keys_set_the_others(page):
    area = box(page, "bars")
    page.mouse.click(area["x"] + area["width"] * 0.19, area["y"] + area["height"] * 0.25)
    assert values(page, "bars")[0] == pytest.approx(75, abs=1)
    slider = page.locator("#guess-bars input[type=range]").nth(2)
    slider.focus()
    page.keyboard.press("Home")
    assert values(page, "bars")[1:] == [None, 0]
    assert slider.get_attribute("aria-valuetext") == "0%"


def test_the_prediction_is_there_when_the_reader_comes_back(asked, open_page):
    page = open_page(asked.as_uri())
    fill_bars(page, "30")
    page.locator("#guess-bars .guess-compare").click()
    said = words(page, "bars")
    page.reload()
    assert values(page, "bars")[1] == 30 and words(page, "bars") == said
    page.locator("#guess-bars .guess-again").click()
    page.reload()
    assert page.locator("#guess-bars .guess-compare").is_disabled()


@pytest.mark.parametrize("done", [None, 3, {"drawn": [1]}, {"drawn": ["a", 1, 2]}, {"done": True}])
def test_what_else_the_browser_holds_does_no_harm(asked, open_page, done):
    page = open_page(asked.as_uri())
    keep(page, {"page#guess-bars": done})
    page.reload()
    assert page.locator("#guess-bars .guess-compare").is_disabled()


@pytest.mark.parametrize("kept", ["{", "null", "3", "[]"])
def test_a_memory_that_is_none_does_no_harm(asked, open_page, kept):
    page = open_page(asked.as_uri())
    page.evaluate(f"localStorage.setItem('vanishing-progress', '{kept}')")
    page.reload()
    fill_bars(page, "9")
    page.reload()
    assert values(page, "bars") == [9, 9, 9]


def test_it_works_where_storage_is_blocked(asked, open_page):
    page = open_page(asked.as_uri())
    page.add_init_script(
        "Object.defineProperty(window, 'localStorage', { get() { throw new Error('blocked'); } })"
    )
    page.reload()
    fill_bars(page, "9")
    page.locator("#guess-bars .guess-compare").click()
    assert words(page, "bars").startswith("Farthest at")


def test_without_scripts_the_picture_waits_in_a_closed_box(asked, chromium):
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(asked.as_uri())
    assert not page.locator("#guess-bars svg").is_visible()
    page.get_by_text("Predict, then open").nth(1).click()
    assert page.locator("#guess-bars svg").is_visible() and not hidden(page, "bars")
    assert not page.locator("#guess-bars form").is_visible()
    context.close()


def test_a_phone_gets_the_narrow_picture_and_draws_on_it(asked, chromium):
    context = chromium.new_context(viewport={"width": 375, "height": 800}, has_touch=True)
    page = context.new_page()
    page.goto(asked.as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= 375
    paper = page.locator("#guess-curve .vg-narrow .guess-paper")
    assert paper.is_visible() and not page.locator("#guess-curve .vg-wide").is_visible()
    area = paper.bounding_box()
    page.mouse.click(area["x"] + 2, area["y"] + area["height"] / 2)
    assert values(page, "curve")[0] == pytest.approx(-12, abs=0.5)
    context.close()
