"""Every live figure in every engine, from a host and from a folder: it moves, as JAX says."""

import functools
import importlib
from pathlib import Path

import drivers
import numpy as np
import pytest

import vanishing.book
from serving import WITH_WASM, serving
from vanishing.live import Choice, LiveFigure, Seed
from vanishing.live.machine import Run
from vanishing.live.page import assets

pytestmark = [
    pytest.mark.browser,
    # Selenium warns of what it does itself.
    pytest.mark.filterwarnings("ignore:setting remote_server_addr:DeprecationWarning"),
]

PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{name}</title>
{ear}<link rel="icon" href="data:,"><link rel="stylesheet" href="vanishing-live.css">
<script defer src="vanishing-live.js"></script></head><body><main>{body}</main></body></html>
"""
STEP = 3  # of an animated figure: training is chaotic, and rounding grows with every step
#: Set a state; what the figure then holds, who computed it, and whether the picture changed.
MOVE = """async ([name, state]) => {
  if (!name) return null;
  const figure = document.querySelector(`figure.live[data-name="${name}"]`);
  for (let k = 0; k < 200 && !figure.live; k++) await new Promise((go) => setTimeout(go, 50));
  const { live } = figure;
  const before = figure.querySelector("svg").outerHTML;
  await live.set(state);
  return {
    where: live.where,
    moved: figure.querySelector("svg").outerHTML !== before,
    outputs: Object.fromEntries(
      Object.entries(live.outputs).map(([key, values]) => [key, Array.from(values, String)])),
  };
}"""


@functools.cache
def figures() -> dict[str, LiveFigure]:
    """Every live figure of the book: in a chapter's room, a module named like its function."""
    rooms = Path(vanishing.book.__file__).parent
    found = {}
    for path in sorted(rooms.glob("*/*.py")):
        if "live_figure(" not in path.read_text(encoding="utf-8"):
            continue
        module = importlib.import_module(f"vanishing.book.{path.parent.name}.{path.stem}")
        figure = getattr(module, path.stem)()
        found[figure.name] = figure
    return found


def other_state(figure: LiveFigure) -> dict:
    """A setting that is not the first one: another seed, or the next choice."""
    seeds = {c.name: c.value + 3 for c in figure.controls if isinstance(c, Seed)}
    choices = [c for c in figure.controls if isinstance(c, Choice)]
    changed = seeds or {c.name: next(o for o in c.options if o != c.value) for c in choices[:1]}
    return {**changed, **({"step": STEP} if figure.machine.animation else {})}


def expected(figure: LiveFigure) -> dict[str, np.ndarray]:
    """What JAX finds in that state."""
    state = other_state(figure)
    steps = state.pop("step", None)
    if steps is None:
        return figure.evaluate(**state)
    values = figure.state(**state)
    run = Run(figure.machine, values)
    run.advance(values, steps)
    return run.outputs(values)


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """A page for each live figure, and what they load."""
    root = tmp_path_factory.mktemp("engines")
    (root / assets.SCRIPT).write_text(assets.script(), encoding="utf-8")
    (root / assets.STYLESHEET).write_text(assets.stylesheet(), encoding="utf-8")
    faulty = "<script>console.error('I complain')</script>"
    faulty = PAGE.format(ear=drivers.EAR, name="faulty", body=faulty)
    (root / "faulty.html").write_text(faulty, encoding="utf-8")
    for name, figure in figures().items():
        page = PAGE.format(ear=drivers.EAR, name=name, body=figure.html())
        (root / f"{name}.html").write_text(page, encoding="utf-8")
        for data, encoded in figure.machine.encoded_data().items():
            script = assets.data_script(data, encoded)
            (root / f"vanishing-data-{data}.js").write_text(script, encoding="utf-8")
    return root


@pytest.fixture(scope="module", params=["chromium", "firefox", "webkit"])
def answers(request, site) -> dict:
    """What one engine says of each figure in both places."""
    drive = {
        "chromium": lambda *call: drivers.chromium(request.getfixturevalue("chromium"), *call),
        "firefox": drivers.firefox,
        "webkit": drivers.webkit,
    }[request.param]
    states = {name: other_state(figure) for name, figure in figures().items()}
    with serving(site, WITH_WASM) as address:
        bases = {"http": address, "file": site.as_uri()}
        cases = [(place, name) for place in bases for name in states]
        visits = [(f"{bases[p]}/{name}.html", [name, states[name]]) for p, name in cases]
        cases.append(("http", "faulty"))
        visits.append((f"{address}/faulty.html", [None, None]))
        return dict(zip(cases, drive(visits, MOVE), strict=True))


def test_a_complaint_is_heard(answers):
    _, complaints = answers["http", "faulty"]
    assert len(complaints) == 1 and "I complain" in complaints[0]


@pytest.mark.parametrize("place", ["http", "file"])
def test_every_figure_moves_and_finds_what_jax_finds(answers, place):
    assert len(figures()) >= 5
    for name, figure in figures().items():
        answer, complaints = answers[place, name]
        assert complaints == [], name
        assert answer["where"] == "worker", name
        assert answer["moved"], name
        want = expected(figure)
        assert answer["outputs"].keys() == want.keys(), name
        for key, value in want.items():
            got = np.array(answer["outputs"][key], float)
            compare(got, np.asarray(value, float).ravel(), f"{name}: {key}")


def compare(got, want, where: str) -> None:
    """Equal to a thousandth, or to a hundredth of the largest where a sum cancels."""
    finite = want[np.isfinite(want)]
    floor = 1e-2 * np.max(np.abs(finite), initial=0)
    np.testing.assert_allclose(got, want, rtol=1e-3, atol=floor, err_msg=where)
