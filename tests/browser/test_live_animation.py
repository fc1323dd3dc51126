"""Animated figures: Run, Pause, Step, Reset, speed, progress."""

import re

import numpy as np
import pytest

from vanishing.live.machine import Run
from vanishing.live.page.assets import source

pytestmark = pytest.mark.browser

LINE = "[id$='.previewed-0-0'] > path"
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
    figure = figures["descent"]
    run = Run(figure.machine, figure.defaults)
    run.advance(figure.defaults, 3)
    np.testing.assert_allclose(history(page), run.outputs(figure.defaults)["seen"], rtol=1e-6)
    assert page.locator("[data-steps]").inner_text() == "3 of 40"


def test_run_ends_and_runs_again(open_page, web):
    page = open_page(f"{web}/descent.html")
    page.get_by_role("button", name="Run").click()
    wait_for(page, 40)
    np.testing.assert_allclose(history(page), expected(40), rtol=1e-4)
    assert page.get_by_role("button", name="Run").is_visible()
    assert page.get_by_role("slider", name="step").input_value() == "40"
    page.get_by_role("button", name="Step").click()
    wait_for(page, 40)
    assert page.locator(".live-says").inner_text().startswith("This is the last step.")
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


def test_a_link_shows_the_result_and_reset_the_opening_picture(open_page, web):
    page = open_page(f"{web}/previewed.html")
    first = page.locator(LINE).get_attribute("d")
    assert page.locator("[data-steps]").inner_text() == "30 of 40"
    page.evaluate("location.hash = 'fig-previewed?start=-2&rate=0.05'")
    page.wait_for_function(f"() => {LIVE}.outputs.seen")
    np.testing.assert_allclose(history(page), expected(30, -2.0, 0.05), rtol=1e-4)
    assert page.locator("[data-steps]").inner_text() == "30 of 40"
    page.get_by_role("button", name="Reset").click()
    page.wait_for_function(f"() => {LIVE}.outputs.seen[0] === 2")
    np.testing.assert_allclose(history(page), expected(30), rtol=1e-4)
    drawn = np.array(re.findall(r"-?[0-9.]+", page.locator(LINE).get_attribute("d")), float)
    opening = np.array(re.findall(r"-?[0-9.]+", first), float)
    # The page was written in hundredths of a point, the browser draws in thousandths.
    np.testing.assert_allclose(drawn, opening, atol=5.6e-3)


def test_before_run_a_control_keeps_the_picture_until_the_result(open_page, web):
    page = open_page(f"{web}/previewed.html")
    marks = page.evaluate(f"""async () => {{
      const seen = new Set();
      const line = document.querySelector("[id$='.previewed-0-0'] path");
      const points = () => line.getAttribute("d").match(/[\\d.]+/g).length / 2;
      seen.add(points());
      new MutationObserver(() => seen.add(points())).observe(line, {{ attributes: true }});
      for (const start of [1.5, 1, 0.5]) await {LIVE}.set({{ start }});
      return [...seen];
    }}""")
    assert marks == [31]


@pytest.mark.parametrize("motion", ["no-preference", "reduce"])
def test_a_long_run_shows_at_once_how_far_it_is(motion, open_page, web):
    """The beginning, the way and the result; without motion, the beginning and the result."""
    page = open_page(f"{web}/previewed.html", reduced_motion=motion)
    seen, said, bars, last = page.evaluate(f"""async () => {{
      const {{ engine }} = {LIVE}, {{ ask }} = engine;
      let near = 0;
      engine.ask = async (wish) => {{ // five steps an answer, and each takes its time
        await new Promise((go) => setTimeout(go, 120));
        return ask({{ ...wish, to: Math.min(wish.to, near += 5) }});
      }};
      const seen = [], said = [], bars = new Set();
      const {{ draw }} = {LIVE};
      {LIVE}.draw = (outputs) => {{
        draw.call({LIVE}, outputs);
        seen.push(Array.from(outputs.seen).filter(Number.isFinite).length - 1);
        requestAnimationFrame(() => setTimeout(() => setTimeout(() => {{ // words follow a frame
          said.push(document.querySelector(".live-says").textContent);
          bars.add({LIVE}.bar.value);
        }})));
      }};
      await {LIVE}.set({{ start: 1 }});
      await new Promise((go) => setTimeout(go, 100));
      return [seen, said, [...bars], document.querySelector("[data-steps]").textContent];
    }}""")
    assert seen[0] == 5 and seen[-1] == 30 and seen == sorted(seen)
    assert len(seen) == 2 if motion == "reduce" else len(seen) > 2
    assert "step 5:" in said[0] and "step 30:" in said[-1] and last == "30 of 40"
    assert bars == ["30"]  # a hand may hold it
    np.testing.assert_allclose(history(page), expected(30, 1.0), rtol=1e-4)


def test_a_run_that_will_take_long_answers_at_once(open_page, web):
    """Once the pace is known: its first step; a run that fits into one answer, its last."""
    page = open_page(f"{web}/previewed.html")
    first, second, again, onward, short = page.evaluate(f"""() => {{
      let clock = 0; // ms, of which a step takes two
      const Date = {{ now: () => clock }};
      {source("machine")}
      const step = (count) => {{
        clock += 2;
        return [[count + 1], [count]];
      }};
      const spec = {{ outputs: ["seen"], animation: {{ ranks: [0], steps: 500, bytes: 4 }} }};
      const programs = {{ init: () => () => [[0]], step: () => step }};
      const answer = machine(() => ({{}}), spec, programs, []);
      const seek = (begins, to) => answer({{ op: "seek", begins, to }}).count;
      return [seek("a", 500), seek("a", 500), seek("b", 500), seek("b", 500), seek("c", 4)];
    }}""")
    assert (first, second) == (9, 19)  # of an unknown pace, what patience allows
    assert (again, onward, short) == (0, 10, 4)


def test_looking_never_restarts(open_page, web):
    page = open_page(f"{web}/previewed.html")
    page.evaluate(f"{LIVE}.set({{ rate: 0.2 }})")
    assert page.evaluate(f"{LIVE}.count") == 30


def test_scrubbing_goes_anywhere_and_back(open_page, web):
    page = open_page(f"{web}/descent.html")
    bar = page.get_by_role("slider", name="step")
    for step in (17, 3, 39, 0, 25):
        bar.fill(str(step))
        wait_for(page, step)
        np.testing.assert_allclose(history(page), expected(step), rtol=1e-4)
    assert bar.get_attribute("aria-valuetext") == "25 of 40"
    page.wait_for_function("() => location.hash === '#fig-descent?step=25'")


def test_the_address_holds_the_step(open_page, web):
    page = open_page(f"{web}/descent.html#fig-descent?start=1&step=12")
    wait_for(page, 12)
    np.testing.assert_allclose(history(page), expected(12, 1.0), rtol=1e-4)
    page = open_page(f"{web}/descent.html#fig-descent?step=1e999")
    wait_for(page, 40)


def test_a_double_click_on_run_runs(open_page, web):
    page = open_page(f"{web}/descent.html")
    page.get_by_role("button", name="Run").dblclick()
    wait_for(page, 40)


def test_eye_and_ear(open_page, web):
    """What is read agrees with the picture at all times; what is spoken comes at rest, once."""
    page = open_page(f"{web}/descent.html")
    seen, spoken = page.evaluate(f"""async () => {{
      const [says, speaks] = [".live-says", ".live-speaks"].map((s) => document.querySelector(s));
      const seen = [], spoken = [];
      const line = document.querySelector("[id$='.descent-0-0'] path");
      new MutationObserver(() => spoken.push(speaks.textContent))
        .observe(speaks, {{ childList: true, characterData: true, subtree: true }});
      new MutationObserver(() => seen.push([{LIVE}.count, says.textContent]))
        .observe(line, {{ attributes: true }});
      await {LIVE}.run();
      await new Promise((next) => setTimeout(next, 600));
      return [seen, spoken];
    }}""")
    assert len(seen) > 10
    assert all(words.startswith(f"Step {count}:") for count, words in seen)
    assert len(spoken) == 1 and spoken[0] == seen[-1][1]


def test_preview_is_the_first_picture():
    import live_gallery

    figure = live_gallery.descent("previewed", preview=5)
    np.testing.assert_allclose(figure.outputs["seen"], expected(5), rtol=1e-5)
    assert 'value="5"' in figure.html()


def test_a_figure_that_plays_by_itself_does_so_in_silence(open_page, web):
    page = open_page(f"{web}/alive.html")
    wait_for(page, 40)
    page.wait_for_timeout(400)
    assert page.locator(".live-speaks").inner_text() == ""
    assert page.get_by_role("button", name="Run").is_visible()
    page.get_by_role("button", name="Step").click()
    assert page.locator(".live-says").inner_text().startswith("This is the last step.")


@pytest.mark.parametrize("how", ["less motion", "a link"])
def test_a_figure_plays_by_itself_only_where_it_may(how, open_page, web):
    options = {"reduced_motion": "reduce"} if how == "less motion" else {}
    where = "#fig-alive?rate=0.25" if how == "a link" else ""
    page = open_page(f"{web}/alive.html{where}", **options)
    page.wait_for_timeout(700)
    assert page.evaluate(f"{LIVE}.count") == 0
