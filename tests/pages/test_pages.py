"""What the built pages say: links, texts for the blind, formulas, citations."""

import re
from functools import cache
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from bs4 import BeautifulSoup
from built import BOOK, NAMES, ROOT

import vanishing as vg

pytestmark = pytest.mark.book

LOADS = {"script": "src", "img": "src", "iframe": "src", "link": "href", "source": "src"}


@cache
def anchors(path: Path) -> frozenset[str]:
    soup = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
    return frozenset(tag["id"] for tag in soup.find_all(id=True))


def test_every_chapter_in_the_contents_is_a_page():
    listed = set(re.findall(r"(?:root|file): (\S+)", (ROOT / "_toc.yml").read_text()))
    assert {f"{name}.html" for name in listed} == set(NAMES)
    assert {f"chapters/{p.stem}" for p in (ROOT / "chapters").glob("*.md")} == listed


def test_the_first_page_leads_to_every_other():
    soup = BeautifulSoup((BOOK / "chapters/index.html").read_text(), "html.parser")
    linked = {f"chapters/{link['href']}" for link in soup.select("article section a[href]")}
    assert set(NAMES) - {"chapters/index.html"} <= linked, "name the chapter in chapters/index.md"


def test_links_and_anchors_resolve(soup, page_path):
    broken = []
    for link in soup.find_all("a", href=True):
        url = urlsplit(link["href"])
        if url.scheme:
            continue
        target = (page_path.parent / unquote(url.path)).resolve() if url.path else page_path
        # "#fig-name?control=value" sets a live figure; what follows the ? is not the anchor.
        anchor = unquote(url.fragment).split("?")[0]
        lost = target.suffix == ".html" and anchor and anchor not in anchors(target)
        if not target.is_file() or lost:
            broken.append(link["href"])
    assert broken == []


def test_the_text_sets_every_live_figure(soup):
    states = [
        link["href"] for link in soup.select("article a[href^='#fig-']") if "?" in link["href"]
    ]
    live = [figure.get("id") for figure in soup.select("article figure.live[id]")]
    assert [name for name in live if not any(s.startswith(f"#{name}?") for s in states)] == []


def test_every_live_figure_has_lines_for_a_notebook(soup, page_path):
    room = page_path.stem.replace("-", "_")
    for figure in soup.select("article figure.live"):
        name = figure["data-name"]
        lines = figure.select_one(".live-python code").get_text()
        assert lines == f"from vanishing.book.{room}.{name} import {name}\n\n{name}()"


def test_nothing_is_loaded_from_elsewhere(soup):
    tags = [tag for tag in soup.find_all(list(LOADS)) if tag.get("rel") != ["canonical"]]
    loaded = [tag.get(LOADS[tag.name]) for tag in tags]
    assert [url for url in loaded if url and (urlsplit(url).scheme or url.startswith("//"))] == []


def test_style_sheets_load_nothing_from_elsewhere():
    sheets = {p: p.read_text(encoding="utf-8") for p in (BOOK / "_static").rglob("*.css")}
    pattern = re.compile(r"(?:url\(|@import)\s*[\"']?(?:https?:)?//[^)\"']*")
    assert {
        p.name: pattern.findall(text) for p, text in sheets.items() if pattern.search(text)
    } == {}
    assert ".katex" in sheets[BOOK / "_static/book.css"]


def test_every_picture_has_a_text_alternative(soup):
    article = soup.find("article")
    silent = [img for img in article.find_all("img") if not img.get("alt", "").strip()]
    for svg in article.find_all("svg"):
        hidden = svg.find_parent(attrs={"aria-hidden": "true"}) or svg.get("aria-hidden") == "true"
        role = "group" if svg.find("a") else "img"  # nobody finds a link in an image
        named = svg.get("role") == role and len(svg.get("aria-label", "")) > 20
        if not (hidden or named):
            silent.append(svg)
    assert [str(picture)[:200] for picture in silent] == []


def test_every_figure_has_a_caption(soup):
    figures = soup.select("article figure[id^=fig-]")
    # A live figure stands inside the one that MyST-NB numbers, and shares its caption.
    outermost = [f.find_parent("figure") or f for f in figures]
    assert [f.get("id") for f in outermost if not f.find("figcaption")] == []


def test_formulas_are_set(soup):
    for formula in soup.select("div.math, span.math"):
        assert formula.select_one(".katex math"), formula.text
    assert soup.select(".katex-error") == []
    assert not re.search(r"\\\(|\\\[|\$\$", soup.find("article").text)


def test_mathml_has_as_many_parts_as_it_must(soup):
    parts = {"msub": 2, "msup": 2, "mfrac": 2, "mover": 2, "munder": 2, "mroot": 2}
    parts |= {"msubsup": 3, "munderover": 3}
    found = soup.find_all(list(parts))
    wrong = [e for e in found if len(e.find_all(recursive=False)) != parts[e.name]]
    assert [str(element)[:200] for element in wrong] == []


def test_no_output_is_an_error_or_a_warning(soup):
    assert soup.select(".stderr, .traceback") == []


def test_headings_and_names_are_sound(soup):
    names = [tag["id"] for tag in soup.find_all(id=True)]
    assert sorted({name for name in names if names.count(name) > 1}) == []
    levels = [int(tag.name[1]) for tag in soup.select("article :is(h1, h2, h3, h4)")]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(below <= above + 1 for above, below in pairwise(levels))


def test_names_in_the_text_exist_in_the_library(soup):
    missing = []
    for code in soup.select("code.literal"):
        for dotted in re.findall(r"\bvg((?:\.\w+)+)", code.text):
            owner = vg
            for name in dotted[1:].split("."):
                owner = getattr(owner, name, None)
            if owner is None:
                missing.append(f"vg{dotted}")
    assert missing == []


def test_every_reference_is_in_the_bibliography():
    soup = BeautifulSoup((BOOK / "chapters/bibliography.html").read_text(), "html.parser")
    entries = re.findall(r"^@\w+\{", (ROOT / "references.bib").read_text(), flags=re.MULTILINE)
    assert len(soup.select("article .citation")) == len(entries) > 0


CHAPTERS = sorted((ROOT / "chapters").glob("*.md"))


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_every_exercise_has_a_solution_that_runs(chapter):
    text = chapter.read_text(encoding="utf-8")
    labels = re.findall(r"^:label: (ex-[a-z-]+)$", text, re.MULTILINE)
    solved = re.findall(r"^`{3,}\{solution-start\} (ex-[a-z-]+)$", text, re.MULTILINE)
    assert labels == solved and (not labels or 6 <= len(labels) <= 8)
    for solution in re.split(r"^`{3,}\{solution-start\} ", text, flags=re.MULTILINE)[1:]:
        code = re.split(r"^`{3,}\{solution-end\}", solution, flags=re.MULTILINE)[0]
        assert "{code-cell}" in code and ("assert" in code or "vg.check" in code)


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_cells_are_short(chapter):
    cells = re.findall(r"^```\{code-cell\}.*?^```$", chapter.read_text(), re.MULTILINE | re.DOTALL)
    bodies = [
        re.sub(r"^---\n.*?^---\n", "", cell, flags=re.MULTILINE | re.DOTALL) for cell in cells
    ]
    folded = [bool(re.search(r"(hide|remove)-input", cell)) for cell in cells]
    code = [
        [line for line in body.split("\n")[1:-1] if line.strip() and not line.startswith(":tags:")]
        for body in bodies
    ]
    # What the reader meets open is short; what they unfold may draw a whole figure.
    rows = [(cell, 24 if hidden else 15) for cell, hidden in zip(code, folded, strict=True)]
    assert [cell[0] for cell, most in rows if len(cell) > most] == []
