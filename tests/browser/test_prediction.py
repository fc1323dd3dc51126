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
</head><body><main><h1>Predict</h1>{}</main></body></html>"""
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
        unit=" %",
    )


@pytest.fixture(scope="module")
def asked(tmp_path_factory):
    folder = tmp_path_factory.mktemp("predict")
    (folder / assets.PREDICT).write_text(assets.predict_script())
    (folder / assets.STYLESHEET).write_text(assets.stylesheet())
    (folder / "page.html").write_text(PAGE.format(curve().html() + bars().html()))
    return folder / "page.html"


@pytest.fixture
def page(asked, open_page):
    return open_page(asked.as_uri())


def words(page, name):
    return page.locator(f"#guess-{name} .guess-words").inner_text()


def values(page, name):
    return page.evaluate(f"document.querySelector('#guess-{name}').guess.drawn")


def box(page, name):
    return page.locator(f"#guess-{name} .guess-paper").first.bounding_box()


def test_the_measurement_waits_until_the_reader_has_drawn(page):
    line = page.locator("[id='guess-curve-0.waits-0']")
    assert line.evaluate("node => getComputedStyle(node).visibility") == "hidden"
    compare = page.locator("#guess-curve .guess-compare")
    assert compare.is_disabled() and words(page, "curve") == ""
    slider = page.get_by_label("layer 1", exact=True)
    assert slider.get_attribute("aria-valuetext") == "not drawn yet"
    slider.focus()
    page.keyboard.press("ArrowRight")
    compare.click()
    assert line.evaluate("node => getComputedStyle(node).visibility") == "visible"
    assert slider.is_disabled()


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
        "Farthest at layer 1: you expected 10⁻³, it is 10⁻²⁰, 17 powers of ten apart. On average "
    )
    asked = "document.querySelector('#guess-bars').guess"
    page.evaluate(f"{asked}.drawn = [50, 50, 0]; {asked}.compare()")
    assert words(page, "bars") == (
        "Farthest at tanh: you expected 50 %, it is 9 %, 41 % apart. On average 14 % apart."
    )


def test_a_tap_sets_a_bar_and_keys_set_the_others(page):
    area = box(page, "bars")
    page.mouse.click(area["x"] + area["width"] * 0.19, area["y"] + area["height"] * 0.25)
    assert values(page, "bars")[0] == pytest.approx(75, abs=1)
    page.get_by_label("ReLU").focus()
    page.keyboard.press("Home")
    assert values(page, "bars")[2] == 0
    assert page.get_by_label("ReLU").get_attribute("aria-valuetext") == "0 %"


def test_the_prediction_is_there_when_the_reader_comes_back(asked, open_page):
    page = open_page(asked.as_uri())
    page.get_by_label("tanh").fill("30")
    page.locator("#guess-bars .guess-compare").click()
    said = words(page, "bars")
    page.reload()
    assert values(page, "bars")[1] == 30 and words(page, "bars") == said
    page.locator("#guess-bars .guess-again").click()
    page.reload()
    assert page.locator("#guess-bars .guess-compare").is_disabled()


@pytest.mark.parametrize("stored", ["null", "3", '{"drawn": [1]}', '{"drawn": ["a", 1, 2]}', "{"])
def test_what_else_the_browser_holds_does_no_harm(asked, open_page, stored):
    page = open_page(asked.as_uri())
    page.evaluate(f"localStorage.setItem('vanishing-guess:bars', {json.dumps(stored)})")
    page.reload()
    assert page.locator("#guess-bars .guess-compare").is_disabled()


def test_it_works_where_storage_is_blocked(asked, open_page):
    page = open_page(asked.as_uri())
    page.add_init_script(
        "Object.defineProperty(window, 'localStorage', { get() { throw new Error('blocked'); } })"
    )
    page.reload()
    page.get_by_label("tanh").fill("9")
    page.locator("#guess-bars .guess-compare").click()
    assert words(page, "bars").startswith("Farthest at")


def test_without_scripts_the_picture_waits_in_a_closed_box(asked, chromium):
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(asked.as_uri())
    assert not page.locator("#guess-bars svg").is_visible()
    page.get_by_text("Predict, then open").nth(1).click()
    assert page.locator("#guess-bars svg").is_visible()
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
