"""A figure in two layouts: the page's width chooses, and the one that is seen moves."""

import numpy as np
import pytest
from test_live_drawing import reference, vertices

from vanishing.live.artists.axes import axis_maps

pytestmark = pytest.mark.browser

LIVE = "document.querySelector('figure.live').live"
SET = f"(height) => {LIVE}.set({{ height }})"
PHONE, DESK = {"width": 375, "height": 800}, {"width": 1000, "height": 800}
SHOWN = """[...document.querySelectorAll(".live-picture svg")]
  .map((svg) => svg.checkVisibility())"""
#: What `folded` binds first; ids end with it.
LINE = "folded-0-0"


def group(page, layout, name):
    return page.locator(f".live-picture svg >> nth={layout}").locator(f"[id$='.{name}']")


def at(page, layout, figure, state):
    """Whether the line of a layout is where matplotlib has it in this state."""
    drawn = vertices(group(page, layout, LINE).evaluate("(node) => node.outerHTML"))
    figure.draw(figure.evaluate(**state))
    return np.allclose(drawn, reference(figure.layouts[layout].bounds[0].artist), atol=2e-2)


@pytest.fixture
def folded(figures):
    return figures["folded"]


@pytest.mark.parametrize(("size", "seen"), [(DESK, 0), (PHONE, 1)])
def test_the_width_chooses_and_what_is_seen_moves(size, seen, open_page, web, folded):
    page = open_page(f"{web}/folded.html", viewport=size)
    assert page.evaluate(SHOWN) == [seen == 0, seen == 1]
    page.evaluate(SET, 2.5)
    assert at(page, seen, folded, {"height": 2.5}) and at(page, 1 - seen, folded, {})
    words = page.locator(".live-picture svg").nth(seen).locator("text", has_text="level")
    assert words.text_content() == "level 2.50"


def test_a_turned_phone_shows_the_same_state(open_page, web, folded):
    page = open_page(f"{web}/folded.html", viewport=PHONE)
    page.evaluate(SET, 2.0)
    page.set_viewport_size(DESK)
    page.wait_for_timeout(200)
    assert at(page, 0, folded, {"height": 2.0})
    page.evaluate(SET, 0.5)
    page.set_viewport_size(PHONE)
    page.wait_for_timeout(200)
    assert at(page, 1, folded, {"height": 0.5})


def test_without_scripts_or_styles_one_picture_is_seen(open_page, web, figures):
    for size, seen in ((DESK, [True, False]), (PHONE, [False, True])):
        page = open_page(f"{web}/folded.html", viewport=size, java_script_enabled=False)
        svgs = page.locator(".live-picture svg")
        assert [svg.is_visible() for svg in svgs.all()] == seen
    page = open_page(f"{web}/folded.html", viewport=PHONE)
    page.evaluate("document.querySelector('link[rel=stylesheet]').remove()")
    assert page.evaluate(SHOWN) == [True, False]


def test_paper_has_the_wide_one_as_it_is_now(open_page, web, folded):
    page = open_page(f"{web}/folded.html", viewport=PHONE)
    page.evaluate(SET, 3.0)
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    assert page.evaluate(SHOWN) == [True, False]
    assert at(page, 0, folded, {"height": 3.0})


@pytest.mark.parametrize(("size", "seen"), [(DESK, 0), (PHONE, 1)])
def test_a_tap_means_what_its_layout_says(size, seen, open_page, web, folded):
    page = open_page(f"{web}/folded.html", viewport=size)
    page.wait_for_selector("figure[data-state=ready]")
    svg = page.locator(".live-picture svg").nth(seen)
    layout = folded.layouts[seen]
    offset, slope, *_ = axis_maps(layout.fig.axes[0])["y"]
    left, _, right, _ = layout.picks[0]["box"]
    box, width = svg.bounding_box(), 72 * layout.fig.get_figwidth()
    scale = box["width"] / width
    page.mouse.click(
        box["x"] + scale * (left + right) / 2, box["y"] + scale * (offset + slope * 2.2)
    )
    page.wait_for_function(f"() => {LIVE}.outputs.level")
    assert page.evaluate(f"{LIVE}.state.height") == pytest.approx(2.2, abs=0.03)


def test_both_text_alternatives_follow_the_state(open_page, web, folded):
    page = open_page(f"{web}/folded.html")
    page.evaluate(SET, 2.0)
    page.wait_for_function("() => document.querySelector('svg').ariaLabel.startsWith('No')")
    labels = page.locator(".live-picture svg").evaluate_all("(all) => all.map((s) => s.ariaLabel)")
    assert labels[0] == labels[1] and "2.00" in labels[0]
