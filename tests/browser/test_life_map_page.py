"""The life map in a real browser: a tap chooses a unit, and a frame is quick."""

import numpy as np
import pytest

from vanishing.figures import life_map as module
from vanishing.live import assets

pytestmark = pytest.mark.browser

LIVE = "document.querySelector('figure.live').live"
TIMES = f"""async () => {{
  const times = [];
  for (let k = 0; k < 40; k++) {{
    const before = performance.now();
    await {LIVE}.step();
    times.push(performance.now() - before);
  }}
  return times;
}}"""


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


def test_a_frame_takes_less_than_sixteen_milliseconds(open_page, live, tmp_path):
    page = open_page(write_page(live, tmp_path))
    page.evaluate(f"{LIVE}.set({{seed: 1}})")
    times = page.evaluate(TIMES)
    assert np.percentile(times, 25) <= 16  # the machine may be busy; a quarter of the frames is not
