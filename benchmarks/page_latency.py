"""From a slider to the frame after it, for every live figure of the built book, in Chromium.

Once on this processor as it is, and once with the page's main thread six times slower, as on a
middling phone. Chromium does not slow workers down, so what they compute is counted six times
there: `phone` is what the throttled page took, and five times the median answer of the worker.

    make book && python benchmarks/page_latency.py [moves]
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).parents[1]
BOOK = ROOT / "_build" / "html"
SLOWER = 6
sys.path[:0] = [str(ROOT / "tests")]

# Moves the first slider of a figure to and fro; the time of each move until the frame after it
# is on the screen, and how long the worker took to answer.
MOVE = """async ([name, moves]) => {
  const { live } = document.querySelector(`figure.live[data-name="${name}"]`);
  const slider = live.spec.controls.find(({ kind, more }) => kind === "slider" && !more);
  const { name: moved, minimum, maximum, log } = slider;
  const { ask } = live.engine;
  const answers = [];
  live.engine.ask = async (wish) => {
    const before = performance.now();
    const answer = await ask(wish);
    answers.push(performance.now() - before);
    return answer;
  };
  const times = [];
  for (let k = 0; k < moves; k++) {
    const share = 0.5 + 0.4 * Math.sin(k);
    const value = log ? minimum * (maximum / minimum) ** share
      : minimum + share * (maximum - minimum);
    const before = performance.now();
    await live.set({ [moved]: value });
    await new Promise((go) => requestAnimationFrame(() => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = go;
      port2.postMessage(null);
    }));
    times.push(performance.now() - before);
  }
  live.engine.ask = ask;
  return [times, answers];
}"""
FIGURES = """() => [...document.querySelectorAll("figure.live")].filter(({ live }) =>
  live.spec.controls.some(({ kind, more }) => kind === "slider" && !more))
  .map(({ dataset }) => dataset.name)"""


def pages() -> list[str]:
    """The chapters that have live figures."""
    found = sorted((BOOK / "chapters").glob("*.html"))
    live = [p.name for p in found if 'class="live"' in p.read_text(encoding="utf-8")]
    if not live:
        raise SystemExit(
            f"expected the built book in {BOOK}, found no live figure; run `make book`"
        )
    return live


def measure(page: Page, moves: int) -> Iterator[tuple[str, dict[int, tuple]]]:
    """Name of each figure with a slider, and for either speed its times and answers in ms."""
    page.wait_for_function("() => !document.querySelector('figure.live:not([data-state=ready])')")
    session = page.context.new_cdp_session(page)
    for name in page.evaluate(FIGURES):
        page.locator(f"figure.live[data-name={name}]").scroll_into_view_if_needed()
        page.evaluate(MOVE, [name, 5])  # what is compiled and prepared on the first moves
        found = {}
        for slower in (1, SLOWER):
            session.send("Emulation.setCPUThrottlingRate", {"rate": slower})
            found[slower] = page.evaluate(MOVE, [name, moves])
        session.send("Emulation.setCPUThrottlingRate", {"rate": 1})
        yield name, found


def main(moves: int) -> None:
    """Measure and print."""
    import browsers
    from serving import serving

    print(
        f"{'figure':22}{'here: median':>14}{'p95':>8}{'worker':>8}{'phone: median':>16}{'p95':>8}"
    )
    with serving(BOOK) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=browsers.chromium(), args=["--no-sandbox"]
        )
        for name in pages():
            page = browser.new_page(viewport={"width": 390, "height": 844})
            page.goto(f"{address}/chapters/{name}")
            for figure, found in measure(page, moves):
                (times, answers), (slow, _) = found[1], found[SLOWER]
                worker = float(np.median(answers))
                phone = np.percentile(slow, [50, 95]) + (SLOWER - 1) * worker
                median, late = np.percentile(times, [50, 95])
                here = f"{figure:22}{median:12.1f}{late:8.1f}{worker:8.1f}"
                print(f"{here}{phone[0]:16.1f}{phone[1]:8.1f}", flush=True)
            page.close()
        browser.close()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 60)
