"""The weight of a page, file by file, and whether anything moves while it comes."""

import gzip
import tomllib
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

import pytest
from built import BOOK, FRAMED

pytestmark = [pytest.mark.book, pytest.mark.browser]

BUDGET = tomllib.loads(Path(__file__).with_name("budget.toml").read_text(encoding="utf-8"))
ASSETS = BUDGET["assets"] | BUDGET["fonts"]

#: Adds up what moves without the reader's doing, from the first paint on.
SHIFTS = """
window.shifts = [];
const box = ({ x, y, width, height }) => [x, y, width, height].map(Math.round).join(" ");
new PerformanceObserver((list) => {
  for (const { hadRecentInput, value, sources } of list.getEntries()) if (!hadRecentInput) {
    const moved = sources.map(({ node, previousRect, currentRect }) =>
      `${node?.nodeName} ${node?.id ?? ""}: ${box(previousRect)} → ${box(currentRect)}`);
    window.shifts.push([value, ...moved]);
  }
}).observe({ type: "layout-shift", buffered: true });
"""
VISIBLE = "getComputedStyle(document.documentElement).visibility === 'visible'"


def weight(path: Path) -> int:
    """Bytes on the line: a font is compressed already."""
    content = path.read_bytes()
    return len(content) if path.suffix == ".woff2" else len(gzip.compress(content, 6))


def first_view(page, address: str, name: str) -> dict[str, int]:
    """What the page asks for before the reader does anything, and how heavy each file is."""
    asked = set()
    page.on("request", lambda request: asked.add(urlsplit(request.url).path))
    page.goto(f"{address}/{name}", wait_until="networkidle")
    page.evaluate("document.fonts.ready.then(() => true)")
    paths = [path for path in asked if path.startswith("/")]
    return {PurePosixPath(path).name: weight(BOOK / path[1:]) for path in paths}


def test_a_first_view_keeps_to_its_budget(reader, address, page_name):
    page = reader()
    found = first_view(page, address, page_name)
    html = found.pop(PurePosixPath(page_name).name)
    limits = BUDGET["html"]
    assert html <= limits.get(PurePosixPath(page_name).stem, limits["default"])
    assert {name: size for name, size in found.items() if size > ASSETS.get(name, 0)} == {}
    assert html + sum(found.values()) <= BUDGET["page"]["all"]
    assert {"book.css", "page.js", "serif.woff2"} <= set(found)


@pytest.mark.parametrize("name", FRAMED)
def test_so_does_a_figure_in_a_frame(reader, address, name):
    found = first_view(reader(), address, name)
    html = found.pop(PurePosixPath(name).name)
    assert html <= BUDGET["embed"]["html"]
    assert {file: size for file, size in found.items() if size > ASSETS.get(file, 0)} == {}
    assert html + sum(found.values()) <= BUDGET["embed"]["all"]
    assert {"vanishing-live.js", "embed.js"} <= set(found)


def test_the_fonts_come_in_time(reader, base, page_name):
    page = reader()
    page.goto(f"{base}/{page_name}", wait_until="networkidle")
    family = "Source Serif on disk" if base.startswith("file:") else "Source Serif 4"
    loaded = page.evaluate(
        "[...document.fonts].filter((f) => f.status === 'loaded').map((f) => f.family)"
    )
    assert family in {name.strip('"') for name in loaded}
    page.wait_for_function(VISIBLE)  # on disk a page waits for its fonts, half a second at most


@pytest.mark.parametrize("width", [1280, 375])
def test_nothing_moves_while_a_page_loads_and_is_read(reader, base, page_name, width):
    page = reader(width=width)  # a fresh context: the cache is cold
    page.add_init_script(SHIFTS)
    page.goto(f"{base}/{page_name}", wait_until="networkidle")
    page.wait_for_function(VISIBLE)
    assert page.evaluate("PerformanceObserver.supportedEntryTypes").count("layout-shift")
    for top in range(0, page.evaluate("document.documentElement.scrollHeight"), 700):
        page.evaluate(f"scrollTo(0, {top})")
        page.wait_for_timeout(30)
    page.wait_for_timeout(200)
    shifts = page.evaluate("window.shifts")
    assert sum(value for value, *_ in shifts) <= 0.02, shifts
    assert page.evaluate("document.documentElement.scrollWidth") <= width


STAND_INS = """Promise.all([1, 2, 3].map((n) => document.fonts
  .load(`1em "Source Serif fallback ${n}"`).then((faces) => faces.length > 0, () => false)))"""
HEIGHTS = """[...document.querySelectorAll("article h1, article section > p")]
  .map((element) => element.getBoundingClientRect().height)"""


@pytest.mark.parametrize("width", [1280, 375])
def test_what_stands_in_for_the_font_takes_the_same_room(reader, address, width):
    def heights(late: bool) -> list[float]:
        page = reader(width=width)
        if late:
            page.route("**/fonts/serif*", lambda route: route.abort())
        page.goto(f"{address}/chapters/propagation.html", wait_until="networkidle")
        if late and not any(page.evaluate(STAND_INS)):
            pytest.skip("this machine has none of the serif fonts that stand in for the book's")
        page.wait_for_function(f"innerWidth === {width} && document.readyState === 'complete'")
        page.evaluate("document.fonts.ready.then(() => true)")
        return page.evaluate(HEIGHTS)

    there, missing = heights(late=False), heights(late=True)
    assert len(missing) == len(there)
    assert missing[0] == there[0]  # the heading: where it wraps, everything moves
    assert sum(missing) == pytest.approx(sum(there), rel=0.03)
