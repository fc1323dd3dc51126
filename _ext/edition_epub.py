"""The book for readers of books: EPUB 3, XHTML and SVG with formulas in MathML, in one zip.

What a reading system needs to know stands in three files that are written here: the container,
the package and the contents; https://www.w3.org/TR/epub-33 says what they must be.
"""

import html
import re
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

import cover
from bs4 import Tag
from editions import Book, Page

#: Beyond what no edition has: what a reading system does without.
LEFT_OUT = "style, button, input, .katex-html, .print-note, .print-notes"
#: A colour of the page, which a script may change, and what stands for it where there is none.
COLOUR = re.compile(r"var\(--[\w-]+,\s*((?:[^()]|\([^()]*\))*)\)")
LINKS_IN_PICTURES = re.compile(r"</?a\b[^>]*>")
STYLE = """
body { margin: 0 4%; line-height: 1.45; }
pre, code { font-family: monospace; font-size: 0.85em; }
pre { padding: 0.5em; border: 1px solid #bbb; white-space: pre-wrap; overflow-wrap: anywhere; }
figure { margin: 1.2em 0; break-inside: avoid; }
figure img { width: 100%; }
figcaption, .live-says, .live-at { font-size: 0.9em; }
.caption-number, .fold-title { font-weight: bold; }
.fold, aside { margin: 1em 0; padding-left: 0.8em; border-left: 2px solid #999; }
.math { text-align: center; }
.eqno { float: right; }
td, th { padding: 0.2em 0.5em; text-align: left; vertical-align: top; }
.book-map img { max-width: 12em; }
.book-map strong, .book-map span { display: block; }
.for-ears { position: absolute; clip-path: inset(50%); }
.cover { margin: 0; text-align: center; }
.cover img { max-width: 100%; max-height: 100vh; }
"""
CONTAINER = """<?xml version="1.0" encoding="UTF-8"?>
<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container">
<rootfiles><rootfile full-path="book/package.opf" media-type="application/oebps-package+xml"/>
</rootfiles></container>
"""
TYPES = {
    "xhtml": "application/xhtml+xml",
    "svg": "image/svg+xml",
    "css": "text/css",
    "png": "image/png",
}
#: What a shelf shows of the book, and its first page.
COVER = "cover.png"


def xhtml(title: str, body: str) -> str:
    """A file of the book."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE html>\n'
        '<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops" '
        f'lang="en" xml:lang="en"><head><title>{html.escape(title)}</title>'
        f'<link rel="stylesheet" href="style.css"/></head>\n<body>{body}</body></html>\n'
    )


def still(picture: str) -> str:
    """A picture as a file of its own: its colours written out, its links left to the text."""
    picture = LINKS_IN_PICTURES.sub("", COLOUR.sub(r"\1", picture))
    return picture.replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg"', 1)


def unfold(text: Tag) -> None:
    """Show what is folded: many reading systems cannot open it."""
    for summary in text.select("details.code > summary"):
        summary.decompose()
    for details in text.find_all("details"):
        details.name, details.attrs = "div", {"class": "fold"}
    for summary in text.find_all("summary"):
        summary.name, summary.attrs = "p", {"class": "fold-title"}


def mend(text: Tag) -> None:
    """Two faults that browsers forgive: a caption may only stand right in its figure, and KaTeX
    writes a name or a sign under an accent as a letter with parts."""
    for body in text.select("figure > .live-body"):
        body.unwrap()
    for letter in text.select(":is(mi, mo):has(> *)"):
        letter.name = "mrow"


def convert(page: Page) -> dict[str, str]:
    """Name and content of the files that a page becomes."""
    for part in page.text.select(LEFT_OUT):
        part.decompose()
    unfold(page.text)
    mend(page.text)
    files = {}
    for image in page.text.select("img[data-svg]"):
        number = image.attrs.pop("data-svg")
        picture = page.pictures[int(number)]
        said = re.match(r'<svg[^>]* aria-label="([^"]*)"', picture)
        name = f"{page.slug}-{number}.svg"
        image.attrs = {"src": name, "alt": html.unescape(said[1]) if said else ""}
        files[name] = still(picture)
    return {f"{page.slug}.xhtml": xhtml(page.title, page.text.decode_contents()), **files}


def contents(book: Book) -> str:
    """The table of contents: pages, and their sections."""
    rows = []
    for page in book.pages:
        sections = "".join(
            f'<li><a href="{page.slug}.xhtml#{section["id"]}">'
            f"{html.escape(section.h2.get_text())}</a></li>"
            for section in page.text.select("section[id]:has(> h2)")
        )
        below = sections and f"<ol>{sections}</ol>"
        rows.append(f'<li><a href="{page.slug}.xhtml">{html.escape(page.title)}</a>{below}</li>')
    nav = f'<nav epub:type="toc"><h1>Contents</h1><ol>{"".join(rows)}</ol></nav>'
    return xhtml(book.title, nav)


def front(book: Book) -> dict[str, str | bytes]:
    """The cover, and the page that shows it."""
    page = f'<figure class="cover"><img src="{COVER}" alt="{html.escape(cover.ALT)}"/></figure>'
    return {COVER: cover.draw(book.title, book.author), "cover.xhtml": xhtml(book.title, page)}


def package(book: Book, files: dict[str, str | bytes]) -> str:
    """What is in the zip, in which order it is read, and what the book is."""
    items, spine = [], []
    for name, content in files.items():
        formulas = name.endswith(".xhtml") and "<math" in content
        uses = {
            "nav": name == "contents.xhtml",
            "mathml": formulas,
            "cover-image": name == COVER,
        }
        uses = " ".join(key for key, used in uses.items() if used)
        properties = uses and f' properties="{uses}"'
        kind = TYPES[name.rpartition(".")[2]]
        items.append(f'<item id="{name}" href="{name}" media-type="{kind}"{properties}/>')
        if name.endswith(".xhtml"):
            spine.append(f'<itemref idref="{name}"/>')
    identifier = uuid.uuid5(uuid.NAMESPACE_URL, book.address or book.title)
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    features = ("alternativeText", "MathML", "tableOfContents", "structuralNavigation")
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="id" xml:lang="en">
<metadata xmlns:dc="http://purl.org/dc/elements/1.1/">
<dc:identifier id="id">urn:uuid:{identifier}</dc:identifier>
<dc:title>{html.escape(book.title)}</dc:title>
<dc:creator>{html.escape(book.author)}</dc:creator>
<dc:language>en</dc:language>
<dc:rights>Text and figures: CC BY 4.0. Code: MIT.</dc:rights>
<meta property="dcterms:modified">{now}</meta>
<meta property="schema:accessMode">textual</meta>
<meta property="schema:accessMode">visual</meta>
<meta property="schema:accessModeSufficient">textual</meta>
{"".join(f'<meta property="schema:accessibilityFeature">{name}</meta>' for name in features)}
<meta property="schema:accessibilityHazard">none</meta>
</metadata>
<manifest>{"".join(items)}</manifest>
<spine>{"".join(spine)}</spine>
</package>
"""


def write(book: Book, target: Path, say: Callable[[str], None]) -> None:
    """Write the book; what kind of zip it is stands first, and is not compressed."""
    files: dict[str, str | bytes] = {}
    for page in book.pages:
        say(page.title)
        book.point(page, lambda slug, name: f"{slug}.xhtml" + (name and f"#{name}"))
        files |= convert(page)
    files = {**front(book), "contents.xhtml": contents(book), "style.css": STYLE, **files}
    files = {f"book/{name}": content for name, content in files.items()} | {
        "book/package.opf": package(book, files),
        "META-INF/container.xml": CONTAINER,
    }
    with ZipFile(target, "w") as file:
        for name, content in {"mimetype": "application/epub+zip", **files}.items():
            entry = ZipInfo(name)
            entry.compress_type = ZIP_STORED if name == "mimetype" else ZIP_DEFLATED
            file.writestr(entry, content)
