"""The built pages in every engine, from a host and from a folder: figures move as JAX says."""

import functools
import importlib
from pathlib import Path
from unittest.mock import patch

import drivers
import numpy as np
import pytest

import vanishing.book
from serving import WITH_WASM, serving
from vanishing.live import Choice, LiveFigure, Seed
from vanishing.live.machine import Machine, Run

pytestmark = [
    pytest.mark.book,
    pytest.mark.browser,
    # Selenium warns of what it does itself.
    pytest.mark.filterwarnings("ignore:setting remote_server_addr:DeprecationWarning"),
]

BOOK = Path(__file__).parents[3] / "_build" / "html"
#: Place → folders whose pages are visited there; a frame stands on somebody's host.
VISITED = {"http": ("chapters", "embed"), "file": ("chapters",)}
STEP = 3  # of an animated figure: training is chaotic, and rounding grows with every step
#: Set each figure of a page to its state; what it then holds, who computed it, and whether the
#: picture changed. A figure that does not answer tells how it is.
MOVE = """async (states) => {
  const found = {};
  for (const figure of document.querySelectorAll("figure.live")) {
    for (let k = 0; k < 200 && !figure.live; k++) await new Promise((go) => setTimeout(go, 50));
    const { live } = figure;
    const picture = figure.querySelector(".live-picture");
    const before = picture.innerHTML;
    const silent = new Promise((_, tell) => setTimeout(() => tell(new Error(JSON.stringify({
      ...figure.dataset, where: live.where, busy: live.busy, count: live.count, wanted: live.wanted,
      hidden: document.hidden,
    }))), 75000));
    await Promise.race([live.set(states[figure.dataset.name]), silent]);
    found[figure.dataset.name] = {
      where: live.where,
      moved: picture.innerHTML !== before,
      outputs: Object.fromEntries(
        Object.entries(live.outputs).map(([key, values]) => [key, Array.from(values, String)])),
    };
  }
  return found;
}"""


@functools.cache
@patch.object(Machine, "programs", lambda *_: {})  # the pages have them
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


@functools.cache
def expected(name: str) -> dict[str, np.ndarray]:
    """What JAX finds for a figure in that state."""
    figure = figures()[name]
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
    """The built book, each of its pages with an ear for complaints."""
    root = tmp_path_factory.mktemp("engines")
    for path in BOOK.iterdir():
        if path.name not in VISITED["http"]:
            (root / path.name).symlink_to(path)
    for folder in VISITED["http"]:
        (root / folder).mkdir()
        for path in (BOOK / folder).glob("*.html"):
            page = path.read_text(encoding="utf-8").replace("<head>", "<head>" + drivers.EAR)
            (root / folder / path.name).write_text(page, encoding="utf-8")
    icon = '<link rel="icon" href="data:,">'  # else browsers complain of one that is not there
    faulty = f"<!doctype html>{icon}{drivers.EAR}<script>console.error('I complain')</script>"
    (root / "chapters" / "faulty.html").write_text(faulty, encoding="utf-8")
    return root


@pytest.fixture(scope="module", params=["chromium", "firefox", "webkit"])
def answers(request, site) -> dict:
    """What one engine says of each page, by place and path."""
    drive = {
        "chromium": lambda *call: drivers.chromium(request.getfixturevalue("chromium"), *call),
        "firefox": drivers.firefox,
        "webkit": drivers.webkit,
    }[request.param]
    states = {name: other_state(figure) for name, figure in figures().items()}
    cases = [
        (place, path.relative_to(site).as_posix())
        for place, folders in VISITED.items()
        for folder in folders
        for path in sorted((site / folder).glob("*.html"))
    ]
    with serving(site, WITH_WASM) as address:
        bases = {"http": address, "file": site.as_uri()}
        visits = [(f"{bases[place]}/{page}", states) for place, page in cases]
        return dict(zip(cases, drive(visits, MOVE), strict=True))


def test_a_complaint_is_heard(answers):
    _, complaints = answers["http", "chapters/faulty.html"]
    assert len(complaints) == 1 and "I complain" in complaints[0]


def test_no_page_complains(answers):
    heard = {case: complaints for case, (_, complaints) in answers.items() if complaints}
    assert {page for _, page in heard} == {"chapters/faulty.html"}, heard


@pytest.mark.parametrize(("place", "folder"), [(p, f) for p in VISITED for f in VISITED[p]])
def test_every_figure_moves_and_finds_what_jax_finds(answers, place, folder):
    found = {}
    for (where, page), (figures_there, _) in answers.items():
        if where == place and page.startswith(folder):
            found |= figures_there
    assert found.keys() == figures().keys() and len(found) >= 10
    for name in figures():
        answer = found[name]
        assert answer["where"] == "worker", name
        assert answer["moved"], name
        want = expected(name)
        assert answer["outputs"].keys() == want.keys(), name
        for key, value in want.items():
            got = np.array(answer["outputs"][key], float)
            compare(got, np.asarray(value, float).ravel(), f"{name}: {key}")


def compare(got, want, where: str) -> None:
    """Equal to a thousandth, or to a hundredth of the largest where a sum cancels."""
    finite = want[np.isfinite(want)]
    floor = 1e-2 * np.max(np.abs(finite), initial=0)
    np.testing.assert_allclose(got, want, rtol=1e-3, atol=floor, err_msg=where)
