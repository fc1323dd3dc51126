"""From a slider to the frame after it, for every live figure of the built book, in Chromium.

From the move to the first frame on the screen that draws an answer to it; of a figure that trains
anew this is the network at its first steps, and `run` is the time until the end of its training.

Once on this processor as it is, and once with the page's main thread six times slower, as on a
middling phone. Chromium does not slow workers down, so what they compute is counted six times
there: `phone` is what the throttled page took, and five times what the worker did until it could
answer first, `worker`: all of a still figure, the start and one step of one that trains. (Where a
run answers later, as its machine has patience, what is counted twice so is taken off.)

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

# Moves the first slider of a figure to and fro. For each move, in ms: until the first frame with
# an answer is on the screen, and the last one; how long the worker took to the first answer, how
# long it takes at least, and how long it took for all.
MOVE = """async ([name, moves]) => {
  const { live } = document.querySelector(`figure.live[data-name="${name}"]`);
  const slider = live.spec.controls.find(({ kind, more }) => kind === "slider" && !more);
  const { name: moved, minimum, maximum, log } = slider;
  const { ask } = live.engine;
  const timed = async (wish) => {
    const before = performance.now();
    const answer = await ask(wish);
    return [answer, performance.now() - before];
  };
  const painted = () => new Promise((go) => requestAnimationFrame(() => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = go;
    port2.postMessage(null);
  }));
  const { draw } = live;
  const times = [];
  for (let k = 0; k < moves; k++) {
    const share = 0.5 + 0.4 * Math.sin(k);
    const value = log ? minimum * (maximum / minimum) ** share
      : minimum + share * (maximum - minimum);
    const answers = [];
    live.engine.ask = async (wish) => {
      const [answer, took] = await timed(wish);
      answers.push(took);
      return answer;
    };
    const before = performance.now();
    let last = 0;
    const first = new Promise((go) => (live.draw = (outputs) => {
      draw.call(live, outputs);
      painted().then(() => go((last = performance.now() - before)));
    }));
    await live.set({ [moved]: value });
    await painted();
    live.engine.ask = ask;
    live.draw = draw;
    const wish = { op: "seek", to: 0, fresh: true };
    const begins = live.spec.animation && slider.restart; // a still figure has no run to begin
    const least = begins ? (await timed(live.request(live.state, wish)))[1] : answers[0];
    const all = answers.reduce((sum, took) => sum + took, 0);
    times.push([await first, last, answers[0], least, all]);
  }
  return times;
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


def measure(page: Page, moves: int) -> Iterator[tuple[str, dict[int, np.ndarray]]]:
    """Name of each figure with a slider, and for either speed the times of `MOVE`, [moves, 5]."""
    page.wait_for_function("() => !document.querySelector('figure.live:not([data-state=ready])')")
    session = page.context.new_cdp_session(page)
    for name in page.evaluate(FIGURES):
        page.locator(f"figure.live[data-name={name}]").scroll_into_view_if_needed()
        page.evaluate(MOVE, [name, 5])  # what is compiled and prepared on the first moves
        found = {}
        for slower in (1, SLOWER):
            session.send("Emulation.setCPUThrottlingRate", {"rate": slower})
            found[slower] = np.array(page.evaluate(MOVE, [name, moves]))
        session.send("Emulation.setCPUThrottlingRate", {"rate": 1})
        yield name, found


def row(name: str, found: dict[int, np.ndarray]) -> str:
    """A line of the table."""
    here, slow = found[1], found[SLOWER]
    answer, least, everything = np.median(here[:, 2:], axis=0)
    waits = max(0.0, SLOWER * least - answer)
    numbers = [*np.percentile(here[:, 0], [50, 95]), least]
    numbers += list(np.percentile(slow[:, 0], [50, 95]) + waits)
    if here[:, 1].mean() > here[:, 0].mean() + 1:
        numbers += [np.median(here[:, 1]), np.median(slow[:, 1]) + (SLOWER - 1) * everything]
    return f"{name:22}" + "".join(f"{number:9.1f}" for number in numbers)


def main(moves: int) -> None:
    """Measure and print."""
    import browsers
    from serving import WITH_WASM, serving

    titles = ["here", "p95", "worker", "phone", "p95", "run", "phone"]
    print(f"{'figure':22}" + "".join(f"{title:>9}" for title in titles))
    # As most hosts serve a page: the strictest policy would refuse WebAssembly.
    with serving(BOOK, WITH_WASM) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=browsers.chromium(), args=["--no-sandbox"]
        )
        for name in pages():
            page = browser.new_page(viewport={"width": 390, "height": 844})
            page.goto(f"{address}/chapters/{name}")
            for figure, found in measure(page, moves):
                print(row(figure, found), flush=True)
            page.close()
        browser.close()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 60)
