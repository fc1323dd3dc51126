"""The live figure's program beside what a web author would pick instead, in three engines.

One forward and one backward pass of 50 layers × 64 wide × 32 inputs, measured layer by layer, as a
slider is moved: compiled by this book, written by hand, TensorFlow.js and ONNX Runtime Web. All on
the main thread of a page, where Chromium can also be slowed down six times, as a middling phone.

    make bench
"""

import functools
import gzip
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import jax
import jax.numpy as jnp
import numpy as np
from benchmarks.race import TORCH
from playwright.sync_api import Browser, sync_playwright

import vanishing as vg
from vanishing.live import compiler
from vanishing.live.compiler.runtime.node import runtime_source

DEPTH, WIDTH, BATCH = 50, 64, 32
ROOT = Path(__file__).parents[1]
PAGE = Path(__file__).parent / "page"
SLOWER = 6
sys.path[:0] = [str(ROOT / "_ext"), str(ROOT / "tests"), str(ROOT / "tests/browser/engines")]

#: Contestant → what a page must load of it.
LOADED = {
    "compiled, WebAssembly": ("runtime.js", "program.js"),
    "compiled, JavaScript": ("runtime.js", "program.js"),
    "hand-written JavaScript": ("handwritten.js",),
    "TensorFlow.js": ("tf-core.min.js", "tf-backend-wasm.min.js", "tfjs-backend-wasm-simd.wasm"),
    "ONNX Runtime Web": (
        "ort.wasm.min.js",
        "ort-wasm-simd-threaded.mjs",
        "ort-wasm-simd-threaded.wasm",
    ),
}
#: Those that need no package from npm.
OWN = tuple(LOADED)[:3]
#: An engine: loads a page, runs a function there on an argument, gives its answer.
Engine = Callable[[str, str, dict], dict]


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


@contextmanager
def site(names: Sequence[str]) -> Iterator[Path]:
    """A folder with a page and everything that these contestants load."""
    program = compiler.compile(microscope, 0, 1.0)
    with TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "runtime.js").write_text(f"const RUNTIME = {runtime_source()};", "utf-8")
        (root / "program.js").write_text(f"const PROGRAM = {program.source};", "utf-8")
        for path in PAGE.glob("*.js"):
            shutil.copy(path, root)
        if set(names) - set(OWN):
            _fetch(root)
        loaded = [file for name in names for file in LOADED[name] if file.endswith(".js")]
        loaded += [path.name for path in PAGE.glob("*.js")]
        tags = "\n".join(f'<script src="{file}"></script>' for file in dict.fromkeys(loaded))
        (root / "index.html").write_text(
            f'<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,">\n{tags}\n',
            "utf-8",
        )
        yield root


def _fetch(root: Path) -> None:
    """Put the rivals from npm into the folder, and the network as ONNX Runtime wants it."""
    import npm_assets

    modules = npm_assets.install(ROOT / "_build" / "rivals", PAGE)
    for package in ("@tensorflow/tfjs-core", "@tensorflow/tfjs-backend-wasm", "onnxruntime-web"):
        for file in {file for name in LOADED for file in LOADED[name]}:
            if (modules / package / "dist" / file).exists():
                shutil.copy(modules / package / "dist" / file, root)
    x, weights, biases = (np.asarray(a) for a in jax.jit(microscope)(0, jnp.float32(1.0))[6:])
    np.savez(root / "problem.npz", x=x, drawn=weights, biases=biases)
    subprocess.run(
        [TORCH, PAGE / "onnx_model.py", root / "problem.npz", root / "model.onnx"], check=True
    )


def engines(browser: Browser) -> dict[str, Engine]:
    """The engines that are here, by name; Chromium also as on a middling phone."""
    import drivers

    import browsers

    def driven(drive: Callable) -> Engine:
        return lambda address, script, argument: drive([(address, argument)], script)[0][0]

    def slower(address: str, script: str, argument: dict) -> dict:
        page = browser.new_page()
        page.goto(address)
        session = page.context.new_cdp_session(page)
        session.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
        answer = page.evaluate(script, argument)
        page.close()
        return answer

    here = {"Chromium": driven(functools.partial(drivers.chromium, browser))}
    here[f"Chromium, {SLOWER}× slower"] = slower
    if browsers.firefox():
        here["Firefox"] = driven(drivers.firefox)
    if browsers.webkit():
        here["WebKit"] = driven(drivers.webkit)
    return here


def race(engines: Mapping[str, Engine], names: Sequence[str], rounds: int, warm: int) -> dict:
    """Milliseconds by engine and contestant, round by round, and the bytes that each loads, zipped.

    Raises:
        AssertionError: if a contestant computes other numbers than JAX does.
    """
    from serving import serving

    expected = [np.asarray(a) for a in jax.jit(microscope)(0, jnp.float32(1.5))[:6]]
    milliseconds = {}
    with site(names) as root, serving(root, policy="") as address:
        for engine, ask in engines.items():
            size = {"depth": DEPTH, "width": WIDTH, "batch": BATCH}
            wanted = {"names": list(names), "size": size, "rounds": rounds, "warm": warm}
            answer = ask(f"{address}/index.html", "race", wanted)
            for name, found in answer["found"].items():
                for a, b in zip(found, expected, strict=True):
                    np.testing.assert_allclose(
                        np.float32(a), b, rtol=1e-2, atol=2e-3, err_msg=f"{name} in {engine}"
                    )
            milliseconds[engine] = answer["times"]
        bytes_of = {
            name: sum(len(gzip.compress((root / file).read_bytes())) for file in LOADED[name])
            for name in names
        }
    return {"milliseconds": milliseconds, "bytes": bytes_of}


def measure(rounds: int = 60, warm: int = 10) -> dict:
    """All contestants in all engines that are here; see `race`."""
    import browsers

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=browsers.chromium(), args=["--no-sandbox"]
        )
        try:
            return race(engines(browser), tuple(LOADED) if TORCH.exists() else OWN, rounds, warm)
        finally:
            browser.close()
