"""One number in several panels: what is pointed at in one is marked in all, formulas included."""

import re

import numpy as np
import pytest

from vanishing.live.artists.axes import axis_maps
from vanishing.live.page.numbers import number

pytestmark = pytest.mark.browser

LIVE = "document.querySelector('figure.live').live"
PHONE, DESK = {"width": 375, "height": 800}, {"width": 1000, "height": 800}
SPOKEN = "() => document.querySelector('.live-speaks').textContent.startsWith('Layer 3')"
BOXES = "[...document.querySelectorAll('p, svg, form, .formula')].map((e) => e.offsetTop)"


def picture(page):
    """The layout that is seen."""
    return page.locator(".live-picture svg:visible")


def marked(page) -> int | None:
    return page.evaluate(f"{LIVE}.cursor.number")


def point_at(page, layout, panel: int, layer: float, act="move"):
    """Move the mouse to a layer of one of the panels, or tap there."""
    ax = layout.fig.axes[panel]
    offset, slope, *_ = axis_maps(ax)["x"]
    box = picture(page).bounding_box()
    scale = box["width"] / (72 * layout.fig.get_figwidth())
    middle = 1 - (ax.get_position().y0 + ax.get_position().y1) / 2
    x, y = box["x"] + scale * (offset + slope * layer), box["y"] + box["height"] * middle
    page.mouse.move(x, y) if act == "move" else page.touchscreen.tap(x, y)


def drawn(page, kind: str) -> list[float]:
    """Where hairlines or frames are, in points."""
    nodes = picture(page).locator(f".live-cursor > {kind}").all()
    return [float(re.search(r"[-\d.]+", node.get_attribute("d"))[0]) for node in nodes]


def words(page) -> list[str]:
    return picture(page).locator(".live-cursor > text").all_text_contents()


def open_pointed(open_page, web, size=DESK, **options):
    page = open_page(f"{web}/pointed.html", viewport=size, **options)
    page.locator("figure.live").scroll_into_view_if_needed()
    page.wait_for_function(f"() => {LIVE}.outputs.signal")
    return page


@pytest.fixture
def figure(figures):
    return figures["pointed"]


@pytest.mark.parametrize(("size", "row"), [(DESK, 0), (PHONE, 1)])
def test_a_layer_pointed_at_in_one_panel_is_marked_in_all(size, row, open_page, web, figure):
    page = open_pointed(open_page, web, size)
    layout, outputs = figure.layouts[row], figure.outputs
    before = page.evaluate(BOXES)
    for panel in (0, 1, 2):  # lines, lines over a log axis, the network
        point_at(page, layout, panel, 2.2)
        assert marked(page) == 2
        at = [axis_maps(ax)["x"] for ax in layout.fig.axes[:2]]
        np.testing.assert_allclose(drawn(page, "path"), [a + 2 * b for a, b, *_ in at], atol=0.01)
        signal, gradient = (float(outputs[name][1]) for name in ("signal", "gradient"))
        assert words(page) == [number(signal, "f", 1), number(gradient, "e", 1)]
        assert picture(page).locator(".live-cursor > rect:not(.live-halo)").count() == 2
        assert picture(page).locator(".live-ring").count() == 1
    assert page.evaluate(BOXES) == before  # nothing moves
    page.mouse.move(5, 5)
    assert marked(page) is None and not words(page)


def test_rows_and_points_are_where_matplotlib_has_them(open_page, web, figure):
    page = open_pointed(open_page, web)
    page.evaluate(f"() => {LIVE}.cursor.mark(4)")
    rows, against = figure.layouts[0].fig.axes[3:5]
    offset, slope, *_ = axis_maps(rows)["y"]
    frame = picture(page).locator(".live-cursor > rect:not(.live-halo)").nth(1)
    top, height = (float(frame.get_attribute(name)) for name in ("y", "height"))
    np.testing.assert_allclose([top, top + height], [offset + slope * y for y in (7.5, 5.5)])
    ring, maps = picture(page).locator(".live-ring"), axis_maps(against)
    place = [float(ring.get_attribute(name)) for name in ("cx", "cy")]
    values = figure.outputs["signal"][3], figure.outputs["turn"][3]
    expected = [maps[k][0] + maps[k][1] * v for k, v in zip("xy", values, strict=True)]
    np.testing.assert_allclose(place, expected, atol=0.01)


def test_the_keyboard_moves_the_mark_and_it_is_said(open_page, web):
    page = open_pointed(open_page, web)
    address = page.url
    page.locator("figure.live .live-hand").focus()
    assert marked(page) == 1
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert marked(page) == 3
    hand = page.get_by_role("slider", name="mark a layer").last
    assert hand.get_attribute("aria-valuetext") == "layer 3"
    page.wait_for_function(SPOKEN)
    page.keyboard.press("Escape")
    assert marked(page) is None
    assert page.url == address
    page.keyboard.press("ArrowRight")
    page.emulate_media(media="print")
    assert not picture(page).locator(".live-cursor").is_visible()


def test_a_layer_that_is_not_there_is_not_marked(open_page, web):
    page = open_pointed(open_page, web)
    page.evaluate(f"() => {LIVE}.set({{ depth: 3 }})")
    page.evaluate(f"() => {LIVE}.cursor.mark(5)")
    assert marked(page) == 3
    assert page.locator(".live-lit").all_text_contents() == ["J_L"]


def test_a_finger_marks_by_a_tap_and_leaves_by_another(open_page, web, figure):
    page = open_pointed(open_page, web, PHONE, has_touch=True)
    point_at(page, figure.layouts[1], 0, 4.1, "tap")
    assert marked(page) == 4
    page.locator("h1").tap()
    assert marked(page) is None


def test_a_term_and_its_layer_mark_each_other(open_page, web):
    page = open_pointed(open_page, web)
    lit = page.locator(".live-lit")
    for term, layer in (("J_1", 1), ("J_L", 5), ("J_l", 3)):
        page.get_by_text(term, exact=True).hover()
        assert marked(page) == layer and lit.all_text_contents() == [term]
        assert page.locator(".live-answer").text_content().startswith(f"layer {layer}: ")
    page.mouse.move(5, 5)
    assert marked(page) is None and lit.count() == 0
    page.locator(".live-formula .live-hand").focus()
    page.keyboard.press("ArrowRight")
    assert marked(page) == 4 and lit.all_text_contents() == ["J_l"]
