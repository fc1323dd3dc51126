"""The book on paper: all pages as one document, printed by Chromium.

It is printed twice: where the chapters begin, which the contents say, is known after the first
time.
"""

import html
import re
import sys
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

from editions import ROOT, Book, Page
from playwright.sync_api import sync_playwright
from pypdf import PdfReader

sys.path.append(str(ROOT / "tests"))

import browsers  # the Chromium that the tests find

PRINT = """
@page { margin: 18mm 16mm 20mm; }
.edition-page { break-before: page; }
.edition-title, .edition-contents { font-family: var(--serif); }
.edition-title { padding-top: 30vh; text-align: center; }
.edition-contents ol { padding: 0; list-style: none; }
.edition-contents a { display: flex; justify-content: space-between; padding: 0.25em 0;
  border-bottom: 0.4pt dotted #999; color: inherit; text-decoration: none; }
.live-at { margin: 0.3em 0; font-size: 8pt; overflow-wrap: anywhere; }
svg.vg-svg { max-height: 200mm; }
"""
FOOT = """<div style="width: 100%; font: 8pt serif; text-align: center; color: #555">
<span class="pageNumber"></span></div>"""
#: Attributes that name a place, or the names of several.
PLACES = ("id", "for", "aria-labelledby", "aria-describedby")


def place(slug: str, name: str) -> str:
    """The name that a place of a page has among those of all pages."""
    return f"{slug}--{name}" if name else f"{slug}--"


def set_apart(page: Page) -> str:
    """The text of a page, its pictures in it, with names that no other page has."""
    for name in PLACES:
        for tag in page.text.find_all(attrs={name: True}):
            values = tag[name] if isinstance(tag[name], list) else tag[name].split()
            tag[name] = " ".join(place(page.slug, value) for value in values)
    inner = page.text.decode_contents()
    own = re.compile(r'\b(id="|href="#|url\(#)')
    pictures = [own.sub(rf"\g<1>{page.slug}--", picture) for picture in page.pictures]
    inner = re.sub(r'<img data-svg="(\d+)"/>', lambda found: pictures[int(found[1])], inner)
    return f'<article class="edition-page" id="{place(page.slug, "")}">{inner}</article>'


def front(book: Book, numbers: list[int]) -> str:
    """The page of the title, and the contents."""
    rows = "".join(
        f'<li><a href="#{place(page.slug, "")}"><span>{html.escape(page.title)}</span>'
        f"<span>{number}</span></a></li>"
        for page, number in zip(book.pages, numbers, strict=True)
    )
    address = f'<p><a href="{book.address}">{book.address}</a></p>' if book.address else ""
    return (
        f'<div class="edition-title"><p style="font-size: 28pt">{html.escape(book.title)}</p>'
        f"<p>{html.escape(book.author)}</p>{address}<p>Text and figures: CC BY 4.0. Code: MIT.</p>"
        f'</div><nav class="edition-page edition-contents"><h1>Contents</h1><ol>{rows}</ol></nav>'
    )


def document(book: Book, texts: list[str], numbers: list[int], static: str) -> str:
    """All of it as one page of HTML, in the look that the pages have on paper."""
    sheets = ("vanishing-live", "book", "fonts-on-disk")
    links = "".join(f'<link rel="stylesheet" href="{static}/{name}.css">' for name in sheets)
    return (
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{book.title}</title>'
        f'<meta name="author" content="{html.escape(book.author)}">{links}<style>{PRINT}</style>'
        f'</head><body><main class="middle">{front(book, numbers)}{"".join(texts)}</main></body>'
        "</html>"
    )


def beginnings(pdf: bytes, book: Book) -> list[int]:
    """The page of paper on which each page of the book begins, from the outline."""
    reader = PdfReader(BytesIO(pdf))
    found = {
        entry.title: reader.get_destination_page_number(entry) + 1
        for entry in reader.outline
        if not isinstance(entry, list)
    }
    return [found[page.title] for page in book.pages]


def write(book: Book, target: Path, say: Callable[[str], None]) -> None:
    """Print the book."""
    for page in book.pages:
        book.point(page, lambda slug, name: f"#{place(slug, name)}")
    texts = [set_apart(page) for page in book.pages]
    source = target.with_suffix(".print.html")
    with sync_playwright() as playwright:
        chromium = browsers.chromium()
        if chromium is None:
            raise SystemExit(browsers.REMEDY)
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page()

        def print_with(numbers: list[int]) -> bytes:
            source.write_text(document(book, texts, numbers, "_static"), encoding="utf-8")
            page.goto(source.as_uri(), wait_until="load", timeout=0)
            page.evaluate("document.fonts.ready.then(() => true)")
            page.set_default_timeout(0)
            return page.pdf(
                format="A4",
                outline=True,
                tagged=True,
                print_background=True,
                display_header_footer=True,
                header_template="<span></span>",
                footer_template=FOOT,
                prefer_css_page_size=True,
            )

        try:
            say("printing, to see where chapters begin")
            numbers = beginnings(print_with([0] * len(texts)), book)
            say("printing")
            target.write_bytes(print_with(numbers))
        finally:
            source.unlink(missing_ok=True)
            browser.close()
