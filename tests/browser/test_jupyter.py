"""Live figures, and whole chapters, in a real JupyterLab with a real kernel."""

import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import numpy as np
import pytest
import yaml

pytestmark = pytest.mark.browser

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
CELLS = [
    f"import sys; sys.path.insert(0, {str(HERE)!r})\nimport live_gallery, ipywidgets\n"
    "figure = live_gallery.gallery(page='{page}')\nfigure",
    "other = live_gallery.parabola()\nslider = ipywidgets.IntSlider(description='linked', max=4)\n"
    "link = ipywidgets.jslink((slider, 'value'), (other.widget, 'curvature'))\n"
    "seen = []\nother.widget.observe(lambda change: seen.append(change['new']), 'curvature')\n"
    "ipywidgets.VBox([slider, other.widget])",
    "run = live_gallery.descent()\nrun",
]
KERNEL = {"name": "python3", "display_name": "Python 3", "language": "python"}
FIGURE = "figure.live[data-name={}]"
OUTPUT = "([name, key]) => Array.from(document.querySelector(`figure.live[data-name=${name}]`)"
OUTPUT += "?.live?.outputs[key] || [], String)"  # nothing yet on a page that is still being read
#: The page with code that asks least; the others wait for `make journeys`.
SHORT = "index"
LONGEST = 900_000  # ms that a chapter may run on a busy machine
#: The code cells as Jupyter holds them: the page need not show them all.
CELLS_OF = """[...jupyterapp.shell.currentWidget.content.model.cells]
  .filter(({ type }) => type === "code")
  .map((cell) => ({ ...cell.toJSON(), state: cell.executionState }))"""
#: Moves the first control of a live figure: who answered, and whether its picture followed.
MOVES = """async (figure) => {
  const { live } = figure, picture = live.find(".live-picture");
  const [control] = live.spec.controls;
  const other = control.kind === "choice" ? control.options.find((o) => o !== control.value)
    : control.value === control.minimum ? control.maximum : control.minimum;
  const before = picture.innerHTML;
  await live.set({ [control.name]: other });
  return [live.where, picture.innerHTML !== before];
}"""
#: What only MyST reads, and a reader of the notebook should not see.
RAW = re.compile(r"^\s*(?:`{3,}|:{3,})\s*\{?|\{[\w:+-]+\}`", re.MULTILINE)


def with_code():
    """The pages with code; those that take long are for `make journeys`."""
    contents = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    for name in [contents["root"], *(entry["file"] for entry in contents["chapters"])]:
        if "{code-cell}" in (ROOT / f"{name}.md").read_text(encoding="utf-8"):
            slug = name.removeprefix("chapters/")
            yield pytest.param(slug, marks=[pytest.mark.journeys] * (slug != SHORT))


def notebook(cells):
    code = [
        {"cell_type": "code", "id": f"c{k}", "metadata": {}, "outputs": [],
         "execution_count": None, "source": source}
        for k, source in enumerate(cells)
    ]  # fmt: skip
    return {"cells": code, "metadata": {"kernelspec": KERNEL}, "nbformat": 4, "nbformat_minor": 5}


@pytest.fixture(scope="module")
def lab(tmp_path_factory, web):
    """The address of a JupyterLab that opens chapters as `make lab` does; beside them one
    notebook."""
    root = tmp_path_factory.mktemp("lab")
    (root / "live.ipynb").write_text(
        json.dumps(notebook(CELLS)).replace("{page}", f"{web}/gallery.html")
    )
    shutil.copytree(ROOT / "chapters", root / "chapters")
    shutil.copy(ROOT / "_toc.yml", root)
    viewers = root / "CONFIG/labconfig/default_setting_overrides.json"
    subprocess.run(
        [sys.executable, "-m", "jupytext_config", "--settings-file", viewers,
         "set-default-viewer", "markdown", "myst"], check=True,
    )  # fmt: skip
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    home = {f"JUPYTER_{kind}_DIR": str(root / kind) for kind in ("CONFIG", "DATA", "RUNTIME")}
    options = ["--no-browser", "--allow-root", "--IdentityProvider.token=", f"--port={port}"]
    options += ["--ServerApp.port_retries=0", "--LabApp.news_url=None"]
    options += ["--LabApp.expose_app_in_browser=True"]
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


@contextlib.contextmanager
def all_run(chromium, lab, path, height):
    """A notebook, opened and told to run; at the end it may have asked nothing of other hosts."""
    context = chromium.new_context(viewport={"width": 1100, "height": height})
    page, elsewhere, own = context.new_page(), [], (lab, "data:", "blob:")
    page.on("request", lambda r: None if r.url.startswith(own) else elsewhere.append(r.url))
    page.set_default_timeout(60_000)
    try:
        page.goto(f"{lab}/lab/tree/{path}?reset")
        page.wait_for_selector(".jp-Notebook .jp-CodeCell")
        page.get_by_text("| Idle").wait_for()
        page.get_by_role("menuitem", name="Run", exact=True).click()
        page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
        yield page
    finally:
        context.close()
    assert elsewhere == []


@pytest.fixture(scope="module")
def notebook_page(lab, chromium):
    """The notebook, opened and run."""
    with all_run(chromium, lab, "live.ipynb", 2400) as page:
        page.wait_for_selector(FIGURE.format("descent") + "[data-state=ready]")
        yield page


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


def test_the_arrow_keys_mark_a_layer_in_every_panel(notebook_page):
    run_cell(notebook_page, "live_gallery.pointed()")
    hand = notebook_page.locator(f"{FIGURE.format('pointed')} .live-hand")
    notebook_page.keyboard.press("Escape")
    hand.focus()
    for key in ("ArrowRight", "ArrowUp", "ArrowRight", "ArrowLeft"):
        notebook_page.keyboard.press(key)
    assert hand.input_value() == "3"
    marks = notebook_page.locator(f"{FIGURE.format('pointed')} .live-cursor > *")
    assert marks.count() >= 5  # a place each, in every layout


def test_the_notebook_leads_to_its_state_on_the_page(notebook_page, figures):
    figure = notebook_page.locator(FIGURE.format("gallery"))
    figure.get_by_role("button", name="Reset").click()
    figure.get_by_role("combobox", name="shape").select_option("decay")
    figure.get_by_label("flip").check()
    run_cell(notebook_page, "figure.widget.amplitude = 3; print(1)")
    expected = figures["gallery"].evaluate(shape="decay", flip=True, amplitude=3)
    output(notebook_page, "gallery", "y", expected["y"])
    with notebook_page.expect_popup() as opened:
        figure.get_by_role("link", name="Link to this state").click()
    page = opened.value
    output(page, "gallery", "y", expected["y"])
    assert page.evaluate("document.querySelector('figure.live').live.where") == "worker"
    page.close()


def test_without_a_page_there_is_no_link(notebook_page):
    assert not notebook_page.locator(FIGURE.format("parabola")).locator(".live-link").count()


def test_a_figure_opens_in_the_state_that_python_names(notebook_page):
    run_cell(notebook_page, "run.at(start=-1, rate=0.2, step=12); print(1)")
    output(notebook_page, "descent", "w", [-(0.6**12)])
    assert run_cell(notebook_page, "print(run.at().widget.step)") == "0"
    output(notebook_page, "descent", "w", [2])
    notebook_page.locator(FIGURE.format("descent")).get_by_role("button", name="Step").click()
    output(notebook_page, "descent", "w", [1.6])
    assert run_cell(notebook_page, "print(run.widget.step)") == "1"
    run_cell(notebook_page, "run.at(); print(1)")


def test_an_animation_runs_in_the_kernel(notebook_page):
    figure = notebook_page.locator(FIGURE.format("descent"))
    for _ in range(3):
        figure.get_by_role("button", name="Step").click()
        notebook_page.wait_for_timeout(200)
    output(notebook_page, "descent", "w", [2 * 0.8**3])
    figure.get_by_role("button", name="Run").click()
    output(notebook_page, "descent", "w", [2 * 0.8**40])


@pytest.fixture
def chapter(lab, chromium, slug):
    """A chapter, opened as the reader of JupyterLab does, and all of it run."""
    with all_run(chromium, lab, f"chapters/{slug}.md", 1400) as page:
        page.wait_for_function(
            f"() => {CELLS_OF}.every(({{ state }}) => state === 'idle')",
            timeout=LONGEST,
            polling=500,
        )
        yield page
        page.evaluate("jupyterapp.shell.currentWidget.sessionContext.shutdown()")


@pytest.mark.parametrize("slug", list(with_code()))
def test_a_chapter_opens_as_a_notebook_and_runs(chapter):
    cells = chapter.evaluate(CELLS_OF)
    wrong = [
        o
        for cell in cells
        for o in cell["outputs"]
        if o.get("name", o["output_type"]) in ("error", "stderr")
    ]
    assert not wrong, wrong
    assert all(cell["execution_count"] for cell in cells) and len(cells) > 1
    words = chapter.locator(".jp-RenderedMarkdown").all_text_contents()
    assert [RAW.search(text)[0] for text in words if RAW.search(text)] == []
    made = chapter.locator("figure.live").element_handles()
    shown = [
        o["data"].get("text/html", "") for cell in cells for o in cell["outputs"] if "data" in o
    ]
    assert len(made) == sum('<figure class="live"' in "".join(page) for page in shown)
    for figure in made:
        figure.scroll_into_view_if_needed()
        assert figure.evaluate(MOVES) == ["kernel", True]
