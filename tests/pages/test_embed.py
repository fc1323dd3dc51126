"""One live figure of the book in somebody else's page."""

import html
import re
import sys
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from bs4 import BeautifulSoup
from built import BOOK, FRAMED, NAMES, ROOT, parsed

from serving import serving

sys.path.insert(0, str(ROOT / "_ext"))

import embed

from vanishing.live.page.sphinxext import faulty_links

pytestmark = pytest.mark.book

TEACHING = BOOK / "chapters" / "teaching.html"
HOST = """<!doctype html><html lang="en"><meta charset="utf-8"><title>A course</title>
<link rel="icon" href="data:,"><body style="margin: 0"><p>Look:</p>{}<p id="below">Below.</p>"""
READY = "figure.live[data-state=ready]"
FIGURE = "document.querySelector('figure.live').live"
OUTPUTS = f"JSON.stringify(Object.values({FIGURE}.outputs).map((output) => [...output]))"
SCROLLS = "(({ scrollWidth, scrollHeight }) => [scrollWidth, scrollHeight])"
SCROLLS += "(document.documentElement)"
INSIDE = "Math.ceil(document.body.getBoundingClientRect().height)"


@pytest.fixture(params=FRAMED)
def framed(request) -> Path:
    return BOOK / request.param


def snippet() -> str:
    """What the teacher's page says to copy."""
    shown = parsed(TEACHING).select_one(".highlight-html").get_text()
    assert (
        shown.count(embed.STAND_IN) == 2 or 'baseurl: ""' not in (ROOT / "_config.yml").read_text()
    )
    return shown.strip()


def embedded(page):
    """The frame, once its figure computes."""
    frame = page.wait_for_selector("iframe").content_frame()
    frame.wait_for_selector(READY, timeout=60_000)
    return frame


def test_every_live_figure_has_a_page():
    live = [f["data-name"] for name in NAMES for f in parsed(BOOK / name).select("figure.live")]
    assert sorted(live) == [Path(name).stem for name in FRAMED]


def test_it_is_the_figure_of_the_chapter_and_leads_there(framed):
    soup = parsed(framed)
    figure, home = soup.select_one("figure.live"), soup.select_one(".embed-source a")
    target, _, anchor = home["href"].partition("#")
    chapter = parsed((framed.parent / target).resolve())
    there = chapter.select_one(f'figure.live[data-name="{framed.stem}"]')
    assert figure["id"] == anchor == f"fig-{framed.stem}" and chapter.find(id=anchor)
    for part in (".live-spec", ".live-picture", ".live-controls"):
        assert str(figure.select_one(part)) == str(there.select_one(part))
    assert home.text == re.sub("[¶#]$", "", chapter.h1.text)
    caption = figure.find("figcaption").get_text(" ", strip=True)
    assert len(caption) > 30 and not caption.startswith("Fig.") and "¶" not in caption


def test_its_links_lead_out_of_the_frame_to_what_is_there(framed):
    own = {"live-link"}
    links = [a for a in parsed(framed).find_all("a", href=True) if not own & {*a.get("class", ())}]
    assert {link["target"] for link in links} == {"_top"}
    for link in links:
        target, _, anchor = link["href"].partition("#")
        page = (framed.parent / target).resolve()
        assert page.is_file() and (not anchor or parsed(page).find(id=anchor))


def test_words_of_a_caption_keep_their_links():
    body = (
        '<figure class="live" data-name="a" aria-label="a &amp; b"><svg></svg></figure></div>'
        '<figcaption><p><span class="caption-number">Fig. 1 </span>See <a href="#x">x</a>, '
        '<a href="b.html#y">y</a> and <a href="https://example.org">z</a>.'
        '<a class="headerlink" href="#a">¶</a></p></figcaption>'
    )
    [(name, shown)] = embed.figures(body, "c.html")
    assert (name, shown["title"]) == ("a", "A & b")
    soup = BeautifulSoup(shown["body"], "html.parser")
    assert soup.figcaption.text == "See x, y and z." and soup.figure["id"] == "fig-a"
    assert [a["href"] for a in soup.find_all("a")] == [
        "../chapters/c.html#x",
        "../chapters/b.html#y",
        "https://example.org",
    ]


def test_what_the_teacher_is_shown_is_what_they_copy():
    shown = parsed(TEACHING).select_one(".embedded")
    copied = BeautifulSoup(snippet().replace(embed.STAND_IN, "../"), "html.parser")
    assert [(tag.name, tag.attrs) for tag in shown.find_all(True)] == [
        (tag.name, tag.attrs) for tag in copied.find_all(True)
    ]


def test_every_state_that_the_teacher_links_to_exists():
    links = parsed(TEACHING).select("article a[href*='#fig-'], article iframe")
    asked = [link.get("href") or link["src"] for link in links]
    assert len({address for address in asked if "?" in address}) >= 10
    for address in asked:
        page, _, state = address.partition("#")
        chapter = (TEACHING.parent / page).read_text(encoding="utf-8")
        assert list(faulty_links(f'{chapter}<a href="#{html.escape(state)}">')) == []


@pytest.mark.browser
@pytest.mark.parametrize("place", ["http", "file"])
def test_a_page_of_another_origin_embeds_it(reader, address, place, tmp_path):
    book = f"{address}/" if place == "http" else f"{BOOK.as_uri()}/"
    (tmp_path / "course.html").write_text(HOST.format(snippet().replace(embed.STAND_IN, book)))
    with serving(tmp_path, policy=f"default-src 'self' {address} data: 'unsafe-inline'") as other:
        course = f"{other}/" if place == "http" else f"{tmp_path.as_uri()}/"
        asked, complaints, page = [], [], reader(width=1280)
        page.on("request", lambda request: asked.append(request.url))
        page.on(
            "console",
            lambda said: said.type in ("error", "warning") and complaints.append(said.text),
        )
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(f"{course}course.html")
        frame = embedded(page)
        assert frame.evaluate(f"{FIGURE}.state.activation") == "relu"

        box = page.locator("iframe")
        for width in (1280, 600, 375):
            page.set_viewport_size({"width": width, "height": 800})
            page.wait_for_timeout(400)
            height = frame.evaluate(INSIDE)
            assert box.evaluate("(frame) => frame.offsetHeight") == height > 300
            assert frame.evaluate(SCROLLS) == [width, height]

        before = frame.evaluate(OUTPUTS)
        frame.select_option("select[name=activation]", "tanh")
        frame.wait_for_function(f"(before) => {OUTPUTS} !== before", arg=before, timeout=20_000)
        frame.locator(".live-more summary").click()  # it grows
        page.wait_for_timeout(400)
        assert box.evaluate("(frame) => frame.offsetHeight") == frame.evaluate(INSIDE)

        frame.locator(".embed-source a").first.click()  # to the chapter, in that very state
        page.wait_for_url(f"{book}chapters/chain-rule.html*activation=tanh*", wait_until="commit")
        assert complaints == []
        inside = (course, book, "data:", "blob:")
        assert [url for url in asked if not url.startswith(inside)] == []


@pytest.mark.browser
def test_where_scripts_are_not_allowed_the_frame_is_enough(reader, address, tmp_path):
    frame_alone = re.sub(r"<script.*", "", snippet()).replace(embed.STAND_IN, f"{address}/")
    (tmp_path / "course.html").write_text(HOST.format(frame_alone))
    page = reader()
    page.goto((tmp_path / "course.html").as_uri())
    embedded(page)
    height = 16 * int(re.search(r"height: (\d+)rem", frame_alone)[1])
    assert page.locator("iframe").evaluate("(frame) => frame.offsetHeight") == height


@pytest.mark.browser
def test_only_frames_of_the_book_are_given_room(reader, tmp_path):
    stranger = "<script>parent.postMessage({vanishingGradients: {height: 9999}}, '*')</script>"
    (tmp_path / "stranger.html").write_text(stranger)
    script = f'<script src="{(BOOK / "_static/embed.js").as_uri()}"></script>'
    frame = '<iframe src="stranger.html" style="height: 100px; border: 0"></iframe>'
    (tmp_path / "course.html").write_text(HOST.format(script + frame))
    page = reader()
    page.goto((tmp_path / "course.html").as_uri(), wait_until="networkidle")
    assert page.locator("iframe").evaluate("(frame) => frame.offsetHeight") == 100


@pytest.mark.browser
@pytest.mark.parametrize("colours", ["light", "dark"])
def test_it_can_be_read_by_all(reader, framed, colours):
    page = reader(width=320, color_scheme=colours)
    page.goto(framed.as_uri())
    page.wait_for_selector(READY, timeout=60_000)
    assert Axe().run(page).response["violations"] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


@pytest.mark.browser
def test_the_page_around_may_choose_the_colours(reader, address, tmp_path):
    dark = snippet().replace("border: 0", "border: 0; color-scheme: dark")
    (tmp_path / "course.html").write_text(HOST.format(dark.replace(embed.STAND_IN, f"{address}/")))
    page = reader(color_scheme="null")  # as this system has it, which is light
    page.goto((tmp_path / "course.html").as_uri())
    seen = "matchMedia('(prefers-color-scheme: dark)').matches"
    assert (page.evaluate(seen), embedded(page).evaluate(seen)) == (False, True)
