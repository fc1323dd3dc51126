"""A live figure in a real JupyterLab with a real kernel."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.browser

HERE = Path(__file__).parent
CELLS = [
    f"import sys; sys.path.insert(0, {str(HERE)!r})\nimport live_gallery, ipywidgets\n"
    "figure = live_gallery.gallery()\nfigure",
    "other = live_gallery.parabola()\nslider = ipywidgets.IntSlider(description='linked', max=4)\n"
    "link = ipywidgets.jslink((slider, 'value'), (other.widget, 'curvature'))\n"
    "seen = []\nother.widget.observe(lambda change: seen.append(change['new']), 'curvature')\n"
    "ipywidgets.VBox([slider, other.widget])",
    "run = live_gallery.descent()\nrun",
]
KERNEL = {"name": "python3", "display_name": "Python 3", "language": "python"}
FIGURE = "figure.live[data-name={}]"
OUTPUT = "([name, key]) => Array.from(document.querySelector(`figure.live[data-name=${name}]`)"
OUTPUT += ".live.outputs[key] || [], String)"


def notebook(cells):
    code = [
        {"cell_type": "code", "id": f"c{k}", "metadata": {}, "outputs": [],
         "execution_count": None, "source": source}
        for k, source in enumerate(cells)
    ]  # fmt: skip
    return {"cells": code, "metadata": {"kernelspec": KERNEL}, "nbformat": 4, "nbformat_minor": 5}


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """The address of a JupyterLab whose directory holds one notebook."""
    root = tmp_path_factory.mktemp("lab")
    (root / "live.ipynb").write_text(json.dumps(notebook(CELLS)))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    home = {f"JUPYTER_{kind}_DIR": str(root / kind) for kind in ("CONFIG", "DATA", "RUNTIME")}
    options = ["--no-browser", "--allow-root", "--IdentityProvider.token=", f"--port={port}"]
    options += ["--ServerApp.port_retries=0", "--LabApp.news_url=None"]
    log = (root / "log").open("w")
    process = subprocess.Popen(
        [sys.executable, "-m", "jupyterlab", *options],
        cwd=root, stdout=log, stderr=log, env={**os.environ, **home},
    )  # fmt: skip
    address = f"http://127.0.0.1:{port}"
    try:
        wait_until(lambda: answers(f"{address}/api"), (root / "log"))
        yield address
    finally:
        process.terminate()
        process.wait(20)
        log.close()


def answers(url):
    try:
        with urllib.request.urlopen(url, timeout=1):
            return True
    except OSError:
        return False


def wait_until(condition, log, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, log.read_text()[-2000:]
        time.sleep(0.2)


@pytest.fixture(scope="module")
def notebook_page(lab, chromium):
    """The notebook, opened and run."""
    context = chromium.new_context(viewport={"width": 1100, "height": 2400})
    page = context.new_page()
    page.set_default_timeout(60_000)
    page.goto(f"{lab}/lab/tree/live.ipynb?reset")
    page.wait_for_selector(".jp-Notebook .jp-CodeCell")
    page.get_by_text("| Idle").wait_for()
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    page.wait_for_selector(FIGURE.format("descent") + "[data-state=ready]")
    yield page
    context.close()


def output(page, name, key, expected, **close):
    """Wait until an output is what JAX gives."""
    deadline = time.monotonic() + 20
    while True:
        values = np.array(page.evaluate(OUTPUT, [name, key]), float)
        same = values.shape == np.shape(expected) and np.allclose(values, expected, equal_nan=True)
        if same or time.monotonic() > deadline:
            np.testing.assert_allclose(values, expected, rtol=1e-6)
            return
        page.wait_for_timeout(100)


def run_cell(page, source):
    """Type a new cell at the end, run it, and return its text output."""
    page.locator(".jp-CodeCell .cm-content").last.click()
    page.keyboard.press("Escape")
    page.keyboard.press("b")
    page.keyboard.press("Enter")
    page.keyboard.insert_text(source)
    page.keyboard.press("Control+Enter")
    cell = page.locator(".jp-CodeCell").last
    cell.locator(".jp-OutputArea-output").wait_for()
    return cell.locator(".jp-OutputArea-output").inner_text().strip()


def test_a_control_moves_the_kernel(notebook_page, figures):
    figure = notebook_page.locator(FIGURE.format("gallery"))
    assert figure.count() == 1
    output(notebook_page, "gallery", "y", figures["gallery"].outputs["y"])
    figure.get_by_label("f0").fill("2.5")
    output(notebook_page, "gallery", "y", figures["gallery"].evaluate(frequency=2.5)["y"])
    assert run_cell(notebook_page, "print(figure.widget.frequency)") == "2.5"


def test_the_kernel_moves_a_control(notebook_page, figures):
    run_cell(notebook_page, "figure.widget.shape = 'cosine'; figure.widget.seed = 5; print(1)")
    expected = figures["gallery"].evaluate(frequency=2.5, shape="cosine", seed=5)
    output(notebook_page, "gallery", "cloud", expected["cloud"].ravel())
    assert notebook_page.get_by_role("combobox", name="shape").input_value() == "cosine"


def test_jslink_observe_and_vbox(notebook_page, figures):
    notebook_page.locator(".widget-vbox .widget-slider .noUi-handle").focus()
    notebook_page.keyboard.press("ArrowRight")
    notebook_page.keyboard.press("ArrowRight")
    output(notebook_page, "parabola", "y", figures["parabola"].evaluate(curvature=2)["y"])
    assert run_cell(notebook_page, "print(seen[-1])") == "2"


def test_an_animation_runs_in_the_kernel(notebook_page):
    figure = notebook_page.locator(FIGURE.format("descent"))
    for _ in range(3):
        figure.get_by_role("button", name="Step").click()
        notebook_page.wait_for_timeout(200)
    output(notebook_page, "descent", "w", [2 * 0.8**3])
    figure.get_by_role("button", name="Run").click()
    output(notebook_page, "descent", "w", [2 * 0.8**40])
