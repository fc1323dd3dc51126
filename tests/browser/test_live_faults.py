"""What may go wrong, and what the reader then sees."""

import numpy as np
import pytest

pytestmark = pytest.mark.browser

SAYS = "(word) => document.querySelector('.live-says').textContent.includes(word)"

WHERE = "document.querySelector('figure.live').live.where"

COUNT_WORKERS = """
  window.workers = 0; window.posts = 0;
  const Original = Worker;
  Worker = class extends Original {
    constructor(...args) { super(...args); window.workers++; }
    postMessage(...args) { window.posts++; super.postMessage(...args); }
  };"""
SET = """async (values) => {
  const { live } = document.querySelector("figure.live");
  await live.set(values);
  return [live.state, Array.from(live.outputs.y || [])];
}"""


@pytest.mark.parametrize("name", ["gallery", "parabola", "descent", "scaled"])
@pytest.mark.parametrize("where", ["http", "file"])
def test_the_worker_answers(name, where, open_page, web, site):
    page = open_page(f"{web if where == 'http' else f'file://{site}'}/{name}.html")
    page.evaluate("document.querySelector('figure.live').live.reset()")
    assert page.evaluate(WHERE) == "worker"
    assert page.evaluate("Object.keys(document.querySelector('figure.live').live.outputs).length")


def test_worker_refused_by_policy_computes_in_the_page(open_page, web):
    page = open_page(f"{web}/no-worker/parabola.html")
    state, y = page.evaluate(SET, {"curvature": 3})
    assert state == {"curvature": 3}
    assert np.isclose(max(y), 3)
    page.faults[:] = [f for f in page.faults if "worker" not in f.lower()]
    assert page.evaluate(WHERE) == "page"


def test_worker_missing_computes_in_the_page(open_page, web):
    page = open_page(f"{web}/parabola.html", script="Worker = undefined")
    assert np.isclose(max(page.evaluate(SET, {"curvature": 2})[1]), 2)
    assert page.evaluate(WHERE) == "page"


def test_worker_that_fails_later_computes_in_the_page(open_page, web):
    broken = """Worker = class {
      constructor() { setTimeout(() => this.onmessage({ data: { ready: true } })); }
      postMessage() { setTimeout(() => this.onmessage({ data: { error: "out of memory" } })); }
      terminate() {}
    };"""
    page = open_page(f"{web}/parabola.html", script=broken)
    assert np.isclose(max(page.evaluate(SET, {"curvature": 2})[1]), 2)
    assert page.evaluate(WHERE) == "page"


def test_everything_refused_leaves_picture_and_a_plain_sentence(open_page, web):
    page = open_page(f"{web}/no-inline/parabola.html")
    page.wait_for_selector("figure[data-state=failed]")
    assert page.locator(".live-says").inner_text().startswith("This figure cannot be recomputed")
    assert page.get_by_role("slider").is_disabled()
    assert page.locator("svg[role=img]").is_visible()
    page.faults.clear()  # the browser itself reports what the policy refused


def test_without_javascript_the_picture_and_its_words_remain(open_page, web):
    page = open_page(f"{web}/gallery.html", java_script_enabled=False)
    assert page.locator("svg[role=img]").is_visible()
    assert page.get_by_text("Level is 0.96").is_visible()
    assert page.locator("noscript p").is_visible()
    for kind in ("input", "button", "select", "a.live-link"):
        for control in page.locator(kind).all():
            assert not control.is_visible()


def test_numbers_that_are_not_finite_are_gaps_and_words(open_page, web):
    page = open_page(f"{web}/gallery.html")
    page.evaluate("document.querySelector('figure.live').live.set({ amplitude: 2 })")
    page.wait_for_function(SAYS, arg="finite")
    text = page.locator(".live-says").inner_text()
    assert "values (root) are not finite; they are left out." in text
    d = page.evaluate("document.querySelector(`[id$='.gallery-4-0'] path`).getAttribute('d')")
    assert 10 < d.count("L") < 30 and "NaN" not in d


def test_fifty_fast_moves_do_not_queue(open_page, web):
    page = open_page(f"{web}/parabola.html", script=COUNT_WORKERS)
    page.evaluate(SET, {"curvature": 2})
    before = page.evaluate("window.posts")
    state, y = page.evaluate("""async () => {
      const { live } = document.querySelector("figure.live");
      for (let i = 0; i < 50; i++) live.set({ curvature: i % 4 });
      await live.set({ curvature: 4 });
      return [live.state, Array.from(live.outputs.y)];
    }""")
    assert state == {"curvature": 4} and np.isclose(max(y), 4)
    assert page.evaluate("window.posts") - before <= 2
    assert page.evaluate("window.workers") == 1


def test_whoever_opens_the_engine_at_once_has_one_worker(open_page, web):
    page = open_page(f"{web}/descent.html#fig-descent?step=3", script=COUNT_WORKERS)
    count = page.evaluate("""async () => {
      const { live } = document.querySelector("figure.live");
      live.warm(); // as the page does once the figure is near
      await live.set({ step: 4 });
      return live.count;
    }""")
    assert count == 4 and page.evaluate(WHERE) == "worker"
    assert page.evaluate("window.workers") == 1


def test_moves_spread_over_time_end_at_the_last(open_page, web, figures):
    page = open_page(f"{web}/gallery.html")
    y = page.evaluate("""async () => {
      const { live } = document.querySelector("figure.live");
      for (let i = 0; i < 50; i++) {
        live.set({ frequency: 0.1 * (i % 40) });
        await new Promise((next) => setTimeout(next, 2));
      }
      await live.set({ frequency: 3.3 });
      return Array.from(live.outputs.y);
    }""")
    np.testing.assert_allclose(y, figures["gallery"].evaluate(frequency=3.3)["y"], atol=1e-4)


def test_destroy_leaves_nothing_behind(open_page, web):
    page = open_page(f"{web}/parabola.html")
    page.evaluate(SET, {"curvature": 2})
    path = "document.querySelector(`[id$='.parabola-0-0'] path`).getAttribute('d')"
    before = page.evaluate(path)
    page.evaluate("document.querySelector('figure.live').live.destroy()")
    page.get_by_role("slider").fill("4")
    page.wait_for_timeout(100)
    assert page.evaluate(path) == before
    assert page.evaluate("document.querySelector('figure.live').live") is None


def test_a_worker_that_falls_silent_is_replaced(open_page, web):
    silent = """const Original = Worker; let made = 0;
    Worker = class extends Original {
      constructor(...args) { super(...args); this.number = ++made; }
      postMessage(message) {
        if (this.number > 1 || Array.isArray(message)) super.postMessage(message);
      }
    };"""
    page = open_page(f"{web}/parabola.html", script=silent)
    page.evaluate("vanishingLive.PATIENCE.hear = 1000")
    page.evaluate("document.querySelector('figure.live').live.warm()")
    assert np.isclose(max(page.evaluate(SET, {"curvature": 2})[1]), 2)
    assert page.evaluate(WHERE) == "worker"


def test_data_that_did_not_arrive_are_asked_for_again(open_page, web, site):
    page = open_page(f"{web}/later.html")
    page.wait_for_function("() => document.querySelector('.live-says').textContent.includes('try')")
    assert page.get_by_role("slider").is_enabled()
    page.context.set_offline(False)
    source = (
        "(window.vanishingData ??= {}).ramp = btoa('\\x00\\x19\\x32\\x4b\\x64\\x7d\\x96\\xaf');"
    )
    rest = "window.vanishingData.bulk = btoa('\\x00');"
    (site / "vanishing-data-ramp.js").write_text(source + rest)
    page.evaluate("document.querySelector('figure.live').live.set({ share: 0.5 })")
    page.wait_for_function("() => document.querySelector('figure.live').live.where === 'worker'")
    page.faults[:] = [f for f in page.faults if "404" not in f]


def test_without_its_script_a_figure_says_that_it_waits(open_page, web):
    page = open_page(f"{web}/scriptless.html")
    wait = "getComputedStyle(document.querySelector('.live-wait'), '::before').content"
    assert "Loading" in page.evaluate(wait)
    assert page.locator("svg[role=img]").is_visible() and page.get_by_role("slider").is_disabled()
    late = page.evaluate("document.getAnimations()[0].effect.getComputedTiming().delay")
    assert late == 30_000
    page.evaluate("document.getAnimations()[0].finish()")
    assert "Reload" in page.evaluate(wait)
