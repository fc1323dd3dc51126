"""The built pages in a real browser: what they ask for, how they fit, who can read them."""

import pytest
from axe_playwright_python.sync_playwright import Axe

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


OPEN_WIDTH = """() => {
  const folds = [...document.querySelectorAll("article details:not([open])")];
  for (const fold of folds) fold.open = true;
  const width = document.documentElement.scrollWidth;
  for (const fold of folds) fold.open = false;
  return width;
}"""


def sideways(page, width: int) -> int:
    """By how many pixels the page is wider than a window of that width, all folds open."""
    page.set_viewport_size({"width": width, "height": 900})
    return max(0, page.evaluate(OPEN_WIDTH) - width)


def test_a_page_never_scrolls_sideways(opened):
    widths = (1440, 1100, 1000, 992, 768, 375, 320)
    assert {width: sideways(opened, width) for width in widths} == dict.fromkeys(widths, 0)


def test_a_page_never_scrolls_sideways_with_large_text(opened):
    # What the page is answerable for; tests/browser does the same with live figures alone.
    large = opened.add_style_tag(
        content="html { font-size: 200% !important } figure.live { display: none }"
    )
    found = {width: sideways(opened, width) for width in (375, 1280)}
    large.evaluate("style => style.remove()")
    assert found == {375: 0, 1280: 0}


# The glyph boxes of a formula are hidden from readers by ear and take half of axe's time; what
# colours could do to them is tested below.
GLYPHS = {"exclude": [[".katex-html"]]}
COLOURS = ["color-contrast", "link-in-text-block"]


@pytest.mark.parametrize("width", [1280, 375])
@pytest.mark.parametrize(("scheme", "rules"), [("light", {}), ("dark", {"runOnly": COLOURS})])
def test_a_page_passes_axe(opened, width, scheme, rules):
    """Every rule in the light; in the dark only colours can be others."""
    opened.set_viewport_size({"width": width, "height": 900})
    opened.emulate_media(color_scheme=scheme)
    result = Axe().run(opened, GLYPHS, {"resultTypes": ["violations"], **rules})
    found = {
        violation["id"]: [node["html"][:200] for node in violation["nodes"]]
        for violation in result.response["violations"]
    }
    assert found == {}


def test_formulas_have_the_colour_of_the_words_around_them(opened):
    other = opened.evaluate("""[...document.querySelectorAll(".katex-html")].filter(
      (glyphs) => getComputedStyle(glyphs).color !==
        getComputedStyle(glyphs.closest(".katex").parentElement).color
    ).map((glyphs) => glyphs.textContent)""")
    assert other == []


LOOSE = """[...document.querySelectorAll("article .katex")].filter((formula) =>
  /^[.,;:!?)]/.test(formula.nextSibling?.nodeType === 3 ? formula.nextSibling.data : "") &&
  !formula.closest(".keep")).map((formula) => formula.textContent)"""
BROKEN = """[...document.querySelectorAll("article .katex-html")].filter((formula) =>
  formula.children.length <= 3 && !formula.closest(".katex-display") &&
  formula.getClientRects().length > 1).map((formula) => formula.textContent)"""
CUT_BY_ITS_NUMBER = """[...document.querySelectorAll("div.math:has(.eqno)")].filter((box) => {
  const [number, formula] = [box.querySelector(".eqno"), box.querySelector(".formula")];
  return formula.scrollWidth > formula.clientWidth &&
    number.getBoundingClientRect().top < formula.getBoundingClientRect().bottom - 1;
}).map((box) => box.textContent)"""


def test_a_formula_has_room_beside_its_number_and_keeps_its_full_stop(opened):
    opened.set_viewport_size({"width": 375, "height": 900})
    assert (opened.evaluate(LOOSE), opened.evaluate(CUT_BY_ITS_NUMBER)) == ([], [])


def test_a_short_formula_stays_on_one_line(opened):
    opened.set_viewport_size({"width": 375, "height": 900})
    assert opened.evaluate(BROKEN) == []


PAPER = "getComputedStyle(document.documentElement).backgroundColor"


def test_the_reader_chooses_light_or_dark(reader, address):
    page = reader(color_scheme="light")
    page.goto(f"{address}/chapters/index.html", wait_until="networkidle")
    light, seen = page.evaluate(PAPER), []
    button = page.locator(".theme-switch-button")
    for _ in range(3):  # the system's choice, light, dark, and round again
        button.click()
        seen.append((button.inner_text().strip(), page.evaluate(PAPER) == light))
    names = ["Colours: light", "Colours: dark", "Colours: as your system"]
    assert seen == list(zip(names, [True, False, True], strict=True))


def test_the_choice_of_colours_is_kept(reader, address):
    page = reader(color_scheme="light")
    page.goto(f"{address}/chapters/index.html")
    button = page.locator(".theme-switch-button")
    button.click()
    button.click()
    dark = page.evaluate(PAPER)
    page.goto(f"{address}/chapters/notation.html")
    assert page.evaluate(PAPER) == dark
    assert button.inner_text().strip() == "Colours: dark"


def test_a_page_works_where_storage_is_blocked(reader, base):
    page = reader(color_scheme="light")
    _, complaints = watch(page)
    blocked = "{ get() { throw new DOMException('denied', 'SecurityError'); } }"
    page.add_init_script(f"Object.defineProperty(window, 'localStorage', {blocked})")
    page.goto(f"{base}/chapters/index.html", wait_until="networkidle")
    light = page.evaluate(PAPER)
    page.locator(".theme-switch-button").click(click_count=2)
    assert page.evaluate(PAPER) != light
    page.locator("#search-field").fill("saturated")
    page.locator("#search-field").press("Enter")
    page.locator("#search-results li a", has_text="Notation").first.wait_for(timeout=5000)
    assert complaints == []


def test_a_page_reads_without_scripts(reader, address):
    page = reader(java_script_enabled=False)
    page.goto(f"{address}/chapters/index.html")
    page.locator("#fig-fifty-layers summary").click()  # a prediction waits in a closed box
    assert page.locator("#fig-fifty-layers svg").first.is_visible()
    page.goto(f"{address}/chapters/notation.html")
    assert page.locator("div.math .katex-html").first.is_visible()


def test_the_search_finds_a_page(reader, base):
    page = reader()
    page.goto(f"{base}/search.html?q=saturated", wait_until="networkidle")
    page.locator("#search-results li a", has_text="Notation").first.wait_for(timeout=5000)
    page.wait_for_function("""() => document.querySelector(".search-summary").innerText
      === `Places found: ${document.querySelectorAll("ul.search > li").length}`""")


def test_the_excerpts_of_a_search_are_prose(reader, address):
    page = reader()
    page.goto(f"{address}/search.html?q=saturated", wait_until="networkidle")
    excerpts = page.locator("#search-results .context")
    excerpts.first.wait_for(timeout=5000)
    for text in excerpts.all_inner_texts():
        assert not any(mark in text for mark in (".pdf", ".md", "\\", "¶", "import "))
        assert not text.startswith("...") and not text.endswith("...")  # as Sphinx cuts a word
    meant = "saturated: Of a unit, on one input"
    assert any(text.startswith(meant) for text in excerpts.all_inner_texts())


def test_only_the_search_page_loads_the_index(reader, address):
    page = reader()
    asked, _ = watch(page)
    page.goto(f"{address}/chapters/index.html", wait_until="networkidle")
    assert not any("search" in url or "language_data" in url for url in asked)
    page.keyboard.press("/")
    page.keyboard.type("saturated")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search.html?q=saturated")


def test_the_front_door_leads_to_the_first_page(reader, base):
    page = reader()
    page.goto(f"{base}/index.html")
    page.wait_for_url("**/chapters/index.html")
    assert page.locator("article h1").inner_text().startswith("Vanishing Gradients")


def test_what_leaves_a_section_is_cut_off_only_far_from_the_window(reader, address):
    page = reader()
    page.goto(f"{address}/chapters/propagation.html")
    page.wait_for_function("() => document.querySelector('section.far')")
    where = """() => [...document.querySelectorAll("article > section section")]
      .filter((section) => section.checkVisibility({ contentVisibilityAuto: true }))
      .map((section) => {
      const { top, bottom } = section.getBoundingClientRect();
      const near = bottom > -innerHeight / 2 && top < 1.5 * innerHeight;
      return [near, getComputedStyle(section).overflowX];
    })"""
    for share in (0, 0.5, 1):
        page.evaluate("(s) => scrollTo(0, s * document.documentElement.scrollHeight)", share)
        page.wait_for_function(f"""() => {{
          const found = ({where})(), near = found.filter(([near]) => near);
          return near.length && near.every(([, overflow]) => overflow === "visible")
            && found.some(([, overflow]) => overflow === "clip");
        }}""")
    page.emulate_media(media="print")
    assert {overflow for _, overflow in page.evaluate(where)} == {"visible"}
