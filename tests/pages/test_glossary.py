"""The glossary, and what a term means where it is used: on hover, on focus, without a request."""

import re

import pytest
from built import BOOK, NAMES, parsed

GLOSSARY = "chapters/glossary.html"
pytestmark = [pytest.mark.book, pytest.mark.browser]


def plain(tag) -> str:
    """What is read, each formula once."""
    return " ".join(
        text
        for text in tag.find_all(string=True)
        if not text.find_parent(attrs={"aria-hidden": "true"}) and text.parent.name != "annotation"
    )


def entries() -> list[tuple[list[str], list]]:
    """The terms of each entry, and its paragraphs."""
    found = []
    terms = []
    for tag in parsed(BOOK / GLOSSARY).select(".glossary > *"):
        if tag.name == "dt":
            terms.append(tag)
        else:
            found.append((terms, tag.find_all("p")))
            terms = []
    return found


def test_the_glossary_defines_the_field_in_a_sentence_or_two():
    found = entries()
    assert len(found) >= 40
    names = [terms[0].contents[0].casefold() for terms, _ in found]
    assert names == sorted(names)
    for terms, (definition, *_) in found:
        text = plain(definition).strip()
        assert text.endswith(".") and len(text.split()) <= 45, terms
        assert not definition.find("a"), "a link in a definition cannot be reached where it pops up"


def section(link):
    """The section that a link of the glossary leads to."""
    page, anchor = link["href"].split("#")
    found = parsed(BOOK / "chapters" / page).find(id=anchor)
    return found if found.name == "section" else found.find_parent("section")


def test_every_term_is_taught_where_its_entry_says():
    missing = []
    for terms, (_, taught) in entries():
        text = " ".join(section(taught.find("a")).get_text().casefold().split())
        names = [term.contents[0].casefold() for term in terms]
        # "vanishing gradient" is taught where gradients vanish.
        stems = [[word[:6] for word in re.findall(r"[\w-]+", name)] for name in names]
        if not any(all(stem in text for stem in words) for words in stems):
            missing.append(names)
    assert missing == []


def test_what_pops_up_is_what_the_glossary_says(soup):
    wanted = {link["aria-describedby"]: link["href"] for link in soup.select("a.term")}
    found = {box["id"]: box for box in soup.select(".about")}
    assert set(wanted) == set(found)
    for name, href in wanted.items():
        term = parsed(BOOK / GLOSSARY).find(id=href.split("#")[1])
        assert plain(found[name]).split() == plain(term.find_next("dd").p).split()
        assert found[name]["role"] == "tooltip" and found[name]["popover"] == "manual"


@pytest.fixture(scope="module")
def user() -> str:
    """A page that uses a term."""
    return next(name for name in NAMES if parsed(BOOK / name).select("a.term"))


@pytest.fixture
def term(reader, base, user):
    """A term of that page, in view, and what it means."""

    def find(**options):
        page = reader(**options)
        page.goto(f"{base}/{user}", wait_until="networkidle")
        term = page.locator("a.term").first
        term.scroll_into_view_if_needed()
        about = page.locator(f"[id='{term.get_attribute('aria-describedby')}']")
        return page, term, about

    return find


def test_a_definition_opens_on_hover_and_stays_while_the_pointer_is_on_it(term):
    page, word, about = term()
    assert not about.is_visible()
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    word.hover()
    about.wait_for(state="visible")
    about.hover()
    page.wait_for_timeout(600)
    assert about.is_visible()
    page.mouse.move(0, 0)
    about.wait_for(state="hidden")
    assert asked == []


def test_a_pointer_that_passes_opens_nothing(term):
    page, word, about = term()
    word.hover()
    page.mouse.move(0, 0)
    page.wait_for_timeout(600)
    assert not about.is_visible()


def test_a_definition_opens_on_focus_and_closes_on_escape(term):
    page, word, about = term()
    page.keyboard.press("Tab")  # from now on the focus is that of a keyboard
    word.focus()
    about.wait_for(state="visible")
    page.keyboard.press("Escape")
    assert not about.is_visible()
    assert word.evaluate("link => link === document.activeElement")
    word.blur()
    word.focus()
    about.wait_for(state="visible")
    page.keyboard.press("Tab")
    about.wait_for(state="hidden")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_definition_fits_a_small_screen(term, scheme):
    page, word, about = term(width=320, height=500, color_scheme=scheme)
    word.hover()
    about.wait_for(state="visible")
    box, at = about.bounding_box(), word.bounding_box()
    assert box["x"] >= 0 and box["x"] + box["width"] <= 320
    assert box["y"] >= 0 and box["y"] + box["height"] <= 500
    over, under = box["y"] + box["height"] <= at["y"], box["y"] >= at["y"] + at["height"]
    assert over or under, "it must not cover the word"
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    paper, ink = about.evaluate("""box => ["backgroundColor", "color"].map((name) =>
      Number(getComputedStyle(box)[name].match(/[0-9]+/)[0]))""")
    assert (paper > ink) == (scheme == "light")


def test_definitions_are_not_printed(term):
    page, _, about = term()
    page.emulate_media(media="print")
    assert not about.is_visible()


def test_without_scripts_a_term_leads_to_its_entry(term):
    page, word, about = term(java_script_enabled=False)
    assert not about.is_visible()
    word.click()
    page.wait_for_url("**/glossary.html#term-*")
