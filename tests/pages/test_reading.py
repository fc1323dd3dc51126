"""The built pages in a real browser: what they ask for, how they fit, who can read them."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from built import BOOK

pytestmark = [pytest.mark.book, pytest.mark.browser]


def watch(page) -> tuple[list[str], list[str]]:
    """Collect what a page asks for and what it complains about."""
    asked, complaints = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("requestfailed", lambda request: complaints.append(f"failed: {request.url}"))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "console",
        lambda said: said.type in ("error", "warning") and complaints.append(said.text),
    )
    return asked, complaints


def test_a_page_asks_nothing_of_other_hosts_and_is_quiet(reader, base, page_name):
    page = reader()
    asked, complaints = watch(page)
    page.goto(f"{base}/{page_name}", wait_until="networkidle")
    assert len(asked) > 5
    assert [url for url in asked if not url.startswith((base, "data:", "blob:"))] == []
    assert complaints == []


@pytest.mark.parametrize("width", [375, 320])
def test_a_page_fits_a_phone(reader, page_name, width):
    page = reader(width=width)
    page.goto((BOOK / page_name).as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 375])
def test_a_page_passes_axe(reader, page_name, scheme, width):
    page = reader(width=width, color_scheme=scheme)
    page.goto((BOOK / page_name).as_uri(), wait_until="networkidle")
    violations = Axe().run(page).response["violations"]
    found = {v["id"]: [node["html"][:200] for node in v["nodes"]] for v in violations}
    assert found == {}


def test_the_reader_chooses_light_or_dark(reader, address):
    page = reader(color_scheme="light")
    page.goto(f"{address}/chapters/index.html", wait_until="networkidle")
    light = page.evaluate("getComputedStyle(document.body).backgroundColor")
    for _ in range(3):  # the button goes through dark, light and the system's choice
        page.locator("button.theme-switch-button:visible").first.click()
        if page.evaluate("document.documentElement.dataset.theme") == "dark":
            break
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != light
    plate = "getComputedStyle(document.querySelector('.text_html:has(svg)')).backgroundColor"
    assert page.evaluate(plate) == "rgba(0, 0, 0, 0)"


def test_a_page_reads_without_scripts(reader, address):
    page = reader(java_script_enabled=False)
    page.goto(f"{address}/chapters/index.html")
    assert page.locator("#fig-fifty-layers svg").is_visible()
    page.goto(f"{address}/chapters/notation.html")
    assert page.locator("div.math .katex-html").first.is_visible()


def test_the_search_finds_a_page(reader, base):
    page = reader()
    page.goto(f"{base}/search.html?q=saturated", wait_until="networkidle")
    page.locator("#search-results li a", has_text="Notation").first.wait_for(timeout=5000)


def test_the_front_door_leads_to_the_first_page(reader, base):
    page = reader()
    page.goto(f"{base}/index.html")
    page.wait_for_url("**/chapters/index.html")
    assert page.locator("article h1").inner_text().startswith("Vanishing Gradients")
