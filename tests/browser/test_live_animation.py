"""Animated figures: Run, Pause, Step, Reset, speed, progress."""

import numpy as np
import pytest

pytestmark = pytest.mark.browser

LIVE = "document.querySelector('figure.live').live"


def history(page):
    return np.array(page.evaluate(f"Array.from({LIVE}.outputs.seen, String)"), float)


def expected(steps, start=2.0, rate=0.1):
    """w after each step of w ← w − 2·rate·w."""
    values = np.full(50, np.nan)
    values[: steps + 1] = start * (1 - 2 * rate) ** np.arange(steps + 1)
    return values


def wait_for(page, count):
    page.wait_for_function(f"(count) => {LIVE}.count === count", arg=count)


def test_step_by_step_as_jax_does(open_page, web, figures):
    page = open_page(f"{web}/descent.html")
    for _ in range(3):
        page.evaluate(f"{LIVE}.step()")
    np.testing.assert_allclose(history(page), expected(3), rtol=1e-5)
    machine = figures["descent"].machine
    machine.restart(figures["descent"].defaults)
    np.testing.assert_allclose(
        history(page), machine.advance(figures["descent"].defaults, 3)["seen"], rtol=1e-6
    )
    assert page.locator("[data-steps]").inner_text() == "3 of 40"


def test_run_ends_and_runs_again(open_page, web):
    page = open_page(f"{web}/descent.html")
    page.get_by_role("button", name="Run").click()
    wait_for(page, 40)
    np.testing.assert_allclose(history(page), expected(40), rtol=1e-4)
    assert page.get_by_role("button", name="Run").is_visible()
    assert page.evaluate("document.querySelector('progress').value") == 40
    page.get_by_role("button", name="Step").click()
    wait_for(page, 40)
    page.get_by_role("button", name="Run").click()
    page.wait_for_function(f"() => {LIVE}.count < 40")
    wait_for(page, 40)


def test_pause_keeps_the_place_and_reset_starts_again(open_page, web):
    page = open_page(f"{web}/descent.html")
    button = page.locator("[data-do=toggle]")
    button.focus()
    page.keyboard.press("Space")
    page.wait_for_function(f"() => {LIVE}.count >= 4")
    page.keyboard.press("Space")
    page.wait_for_timeout(100)
    count = page.evaluate(f"{LIVE}.count")
    page.wait_for_timeout(150)
    assert page.evaluate(f"{LIVE}.count") == count < 40
    np.testing.assert_allclose(history(page), expected(count), rtol=1e-4)
    page.get_by_role("button", name="Reset").click()
    wait_for(page, 0)
    np.testing.assert_allclose(history(page), expected(0), rtol=1e-6)


def test_a_control_restarts_unless_it_says_otherwise(open_page, web):
    page = open_page(f"{web}/descent.html")
    for _ in range(2):
        page.evaluate(f"{LIVE}.step()")
    page.evaluate(f"{LIVE}.set({{ rate: 0.25 }})")
    assert page.evaluate(f"{LIVE}.count") == 2
    page.evaluate(f"{LIVE}.step()")
    mixed = expected(2)
    mixed[3] = mixed[2] * 0.5
    np.testing.assert_allclose(history(page), mixed, rtol=1e-5)
    page.evaluate(f"{LIVE}.set({{ start: -1 }})")
    assert page.evaluate(f"{LIVE}.count") == 0
    np.testing.assert_allclose(history(page), expected(0, start=-1.0), rtol=1e-6)


def test_speed_draws_fewer_pictures(open_page, web):
    page = open_page(f"{web}/descent.html")
    page.get_by_label("speed").select_option("10×")
    counts = page.evaluate(f"""async () => {{
      const counts = new Set();
      const line = document.querySelector("[id$='.descent-0-0'] path");
      new MutationObserver(() => counts.add({LIVE}.count)).observe(line, {{ attributes: true }});
      await {LIVE}.run();
      return [...counts];
    }}""")
    assert set(counts) <= {0, 20, 40} and 40 in counts


def test_reduced_motion_strides(open_page, web):
    page = open_page(f"{web}/descent.html", reduced_motion="reduce")
    counts = page.evaluate(f"""async () => {{
      const counts = new Set();
      const line = document.querySelector("[id$='.descent-0-0'] path");
      new MutationObserver(() => counts.add({LIVE}.count)).observe(line, {{ attributes: true }});
      await {LIVE}.run();
      return [...counts];
    }}""")
    assert set(counts) <= {0, 8, 16, 24, 32, 40} and len(counts) >= 5


def test_state_in_the_address_starts_there(open_page, web):
    page = open_page(f"{web}/descent.html#fig-descent?start=-2&rate=0.5")
    page.wait_for_function(f"() => {LIVE}.outputs.seen")
    np.testing.assert_allclose(history(page), expected(0, start=-2.0), rtol=1e-6)


def test_preview_is_the_first_picture():
    import live_gallery

    figure = live_gallery.descent("previewed", preview=5)
    np.testing.assert_allclose(figure.outputs["seen"], expected(5), rtol=1e-5)
    assert 'value="5"' in figure.html()
