"""The life map in a real browser: its first picture stays, and a tap chooses a unit."""

import pytest

from vanishing.book.dead_neurons import life_map as module
from vanishing.live.page import assets

pytestmark = pytest.mark.browser

LIVE = "document.querySelector('figure.live').live"


def write_page(live, folder):
    """A page with the figure alone, and its address."""
    (folder / assets.SCRIPT).write_text(assets.script())
    (folder / assets.STYLESHEET).write_text(assets.stylesheet())
    head = f'<link rel="stylesheet" href="{assets.STYLESHEET}"><script defer src="{assets.SCRIPT}">'
    page = folder / "page.html"
    page.write_text(f"<!doctype html><meta charset=utf-8>{head}</script>{live.html()}")
    return page.as_uri()


@pytest.fixture(scope="module")
def live():
    return module.life_map()


def test_a_tap_on_the_map_chooses_a_unit(open_page, live, tmp_path):
    address = write_page(live, tmp_path)
    page = open_page(address)
    page.evaluate(f"{LIVE}.set({{seed: 1}})")  # step 0, drawn
    image = page.locator("svg image").first.bounding_box()
    unit = 100.25
    page.mouse.click(
        image["x"] + image["width"] / 3,
        image["y"] + image["height"] * (1 - (unit - 0.5) / (module.DEPTH * module.UNITS)),
    )
    page.wait_for_function(f"{LIVE}.outputs.chosen[0] === 100")
    assert page.evaluate(f"{LIVE}.state.unit") == 100
    page.mouse.click(image["x"] + image["width"] + 40, image["y"] + 5)  # beside the map
    page.wait_for_timeout(200)
    assert page.evaluate(f"{LIVE}.state.unit") == 100


def test_the_points_of_the_first_picture_stay(open_page, live, tmp_path):
    page = open_page(write_page(live, tmp_path))
    bounds = live.layouts[0].bounds
    [points] = [k for k, bound in enumerate(bounds) if "offsets" in bound.shows]
    marks = page.locator(f".vg-wide [id$='life_map-{points}-0'] :is(use, path[transform])")
    assert marks.count() == module.POINTS
    page.evaluate(f"{LIVE}.set({{unit: 90}})")
    page.wait_for_function(f"{LIVE}.outputs.z")
    assert marks.count() == module.POINTS
