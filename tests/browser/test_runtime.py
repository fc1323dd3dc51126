"""The runtime in a real browser: with WebAssembly, and where a policy refuses it."""

import numpy as np
import pytest

from vanishing.live.compiler import compile
from vanishing.live.compiler.runtime.node import runtime_source

pytestmark = pytest.mark.browser

PAGE = """<!doctype html><meta charset="utf-8">{policy}<title>runtime</title>
<script>
{runtime}
const program = {program};
window.inPage = () => {{
  const rt = vanishingRuntime();
  return [rt.wasm, [...program(rt)(new Float32Array(64).fill(0.5), 2)[0]]];
}};
window.inWorker = () => new Promise((done, fail) => {{
  const code = `${{vanishingRuntime}}; const rt = vanishingRuntime(); const program = ${{program}};
    postMessage([rt.wasm, [...program(rt)(new Float32Array(64).fill(0.5), 2)[0]]]);`;
  const worker = new Worker(URL.createObjectURL(new Blob([code])));
  worker.onmessage = (event) => done(event.data);
  worker.onerror = fail;
}});
</script>"""
STRICT = (
    '<meta http-equiv="Content-Security-Policy" '
    "content=\"script-src 'self' 'unsafe-inline' blob:\">"
)


def squared(x, scale):
    """A matrix product, so that the kernel is needed."""
    return x @ x * scale


@pytest.mark.parametrize(("policy", "wasm"), [("", True), (STRICT, False)])
def test_runs_in_the_page_and_in_a_worker_from_a_file(chromium, tmp_path, policy, wasm):
    x = np.full((8, 8), 0.5, np.float32)
    text = PAGE.format(
        policy=policy, runtime=runtime_source(), program=compile(squared, x, 1.0).source
    )
    path = tmp_path / "page.html"
    path.write_text(text, encoding="utf-8")
    page = chromium.new_page()
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(path.as_uri())
    for place in ("inPage", "inWorker"):
        used, values = page.evaluate(f"{place}()")
        assert used is wasm
        np.testing.assert_array_equal(np.float32(values), (x @ x * 2).ravel())
    assert not errors
    page.close()
