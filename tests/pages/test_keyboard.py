"""The pages by keyboard and by ear: where the focus goes, that it is seen, what has which name."""

from collections import Counter

import pytest
from built import BOOK, FRAMED

pytestmark = [pytest.mark.book, pytest.mark.browser]

STEPS = 40
FOCUS = """(() => {
  const element = document.activeElement, style = getComputedStyle(element);
  const { width, height } = element.getBoundingClientRect();
  const outlined = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
  return {
    html: element.outerHTML.slice(0, 120),
    seen: outlined && width * height > 0,
    live: Boolean(element.closest("figure.live")),
  };
})()"""


def open_page(page, name: str) -> None:
    """Open a page from disk, where it shows itself when its fonts are there."""
    page.goto((BOOK / name).as_uri())
    page.wait_for_function("getComputedStyle(document.documentElement).visibility === 'visible'")
    page.evaluate("document.fonts.ready.then(() => true)")


def press_tab(page) -> dict:
    page.keyboard.press("Tab")
    return page.evaluate(FOCUS)


def unseen(page, name: str) -> list[str]:
    """Where the focus is and nobody sees it."""
    open_page(page, name)
    stops = [press_tab(page) for _ in range(STEPS)]
    # After the last stop of a short page the browser itself has the focus; a frame shows its own.
    inside = [stop for stop in stops if not stop["html"].startswith(("<body", "<iframe"))]
    return [stop["html"] for stop in inside if not stop["seen"]]


def test_the_focus_is_always_seen(reader, page_name):
    assert unseen(reader(), page_name) == []


@pytest.mark.parametrize("name", FRAMED)
def test_so_it_is_in_a_frame(reader, name):
    assert unseen(reader(), name) == []


@pytest.mark.parametrize("width", [1280, 375])
def test_a_live_figure_is_ten_stops_away(reader, page_name, width):
    page = reader(width=width)
    open_page(page, page_name)
    if not page.locator("figure.live").count():
        assert page.locator(".skip a").all_inner_texts() == ["Skip to the text"]
        return
    skip = page.locator(".skip a", has_text="Skip to the live figure")
    stops = 0
    while not skip.evaluate("link => link === document.activeElement"):
        page.keyboard.press("Tab")
        stops += 1
    page.keyboard.press("Enter")
    while not press_tab(page)["live"]:
        stops += 1
        assert stops <= 10


def test_a_skip_link_leads_to_the_text(reader, page_name):
    page = reader()
    open_page(page, page_name)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("Boolean(document.activeElement.closest('#text'))")


def test_what_can_be_opened_is_named_by_what_is_seen(soup):
    assert soup.select("article summary[aria-label]") == []
    names = [tag.get_text(" ", strip=True) for tag in soup.select("details.code > summary")]
    figures = [name for name in names if "figure" in name]
    assert [name for name, times in Counter(figures).items() if times > 1] == []
    assert all(name.startswith("Show the code") for name in names)


def test_only_boxes_that_overflow_are_stops(opened):
    # When all letters are there, in the frame after the observers of sizes have answered.
    opened.evaluate("""document.fonts.ready.then(() => new Promise(
      (go) => requestAnimationFrame(() => setTimeout(go))))""")
    wrong = opened.evaluate("""[...document.querySelectorAll("[data-scrolls]")].filter((box) => {
      const overflows = box.scrollWidth > box.clientWidth + 1;
      const shown = box.checkVisibility({ contentVisibilityAuto: true });
      return shown && overflows !== (box.tabIndex === 0);
    }).map((box) => box.outerHTML.slice(0, 100))""")
    assert wrong == []


def test_the_contents_open_on_a_phone_without_scripts(reader, address):
    page = reader(width=375, java_script_enabled=False)
    page.goto(f"{address}/chapters/index.html")
    link = page.locator("#contents a", has_text="Notation")
    assert not link.is_visible()
    page.locator(".contents-button").click()
    link.click()
    page.wait_for_url("**/notation.html")


def test_pages_work_without_any_inline_script(reader, address):
    policy = (
        "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; worker-src blob:; "
        "style-src 'self' 'unsafe-inline'; img-src 'self' data:"
    )

    def guard(route):
        answer = route.fetch()
        route.fulfill(
            response=answer, headers={**answer.headers, "content-security-policy": policy}
        )

    page = reader()
    complaints = []
    page.on("console", lambda said: said.type == "error" and complaints.append(said.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.route("**/*", guard)
    page.goto(f"{address}/chapters/chain-rule.html", wait_until="networkidle")
    page.locator(".theme-switch-button").click()
    assert page.evaluate("document.documentElement.dataset.theme") == "light"
    page.locator("figure.live").first.scroll_into_view_if_needed()
    computed = "Object.keys(document.querySelector('figure.live').live.outputs).length > 0"
    for _ in range(100):  # Playwright's own waiting is a script from a string, which is forbidden
        if page.evaluate(computed):
            break
        page.wait_for_timeout(200)
    assert page.evaluate(computed)
    assert complaints == []
