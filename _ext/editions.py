"""The book as one PDF and one EPUB beside its pages, made of them: ``python _ext/editions.py``.

Neither runs a script: live figures stand in the state in which their page opens, with a link to
the live one if the book has an address (``html: baseurl`` in ``_config.yml``).
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from urllib.parse import quote, unquote, urlsplit

import yaml
from archive import BOOK, EDITIONS
from bs4 import BeautifulSoup, Tag

ROOT = Path(__file__).parents[1]
#: What waits for a hand, a script or another screen.
SCREEN_ONLY = (
    "script, iframe, noscript, form, .headerlink, .tick, .guess-fold, .live-speaks, .vg-narrow, "
    ".no-scripts, .none-due"
)
PICTURE = re.compile(r"<svg\b.*?</svg>", re.DOTALL)


@dataclass(frozen=True)
class Page:
    """A page of the book as an edition has it.

    Attributes:
        slug, title: what it is called in its address, and in words.
        text: its article; an ``<img data-svg="3">`` stands for each picture.
        pictures: these, as SVG.
    """

    slug: str
    title: str
    text: Tag
    pictures: list[str]


@dataclass(frozen=True)
class Book:
    """All of them in order, and what the book says of itself."""

    title: str
    author: str
    address: str
    pages: list[Page]

    def point(self, page: Page, to: Callable[[str, str], str]) -> None:
        """Let the links of a page lead to what the edition has, else to the published book.

        Args:
            to: the address in the edition of a page and a place in it (``""``: its beginning).
        """
        known = {other.slug: other for other in self.pages}
        for link in page.text.find_all("a", href=True):
            url = urlsplit(link["href"])
            if url.scheme:
                continue
            slug = Path(url.path).stem if url.path else page.slug
            place, state, _ = unquote(url.fragment).partition("?")
            inside = slug in known and (not url.path or url.path.endswith(".html"))
            if inside and not (state and self.address):
                there = place and known[slug].text.find(id=place)
                link["href"] = to(slug, place if there else "")
            elif self.address:
                path = url.path if url.path else f"{page.slug}.html"
                place = quote(url.fragment, safe="%=&?")  # docutils writes it as it is read
                link["href"] = f"{self.address}chapters/{path}#{place}".rstrip("#")
            else:
                link.unwrap()


def read_page(path: Path, address: str) -> Page:
    """A built page without what only a screen can do."""
    pictures: list[str] = []

    def keep(found: re.Match) -> str:
        pictures.append(found[0])
        return f'<img data-svg="{len(pictures) - 1}">'

    whole = path.read_text(encoding="utf-8")
    body = whole[whole.index("<article") : whole.index("</article>")]
    text = BeautifulSoup(PICTURE.sub(keep, body), "html.parser").article
    title = text.h1.get_text().rstrip("¶#").strip()
    for part in text.select(SCREEN_ONLY):
        part.decompose()
    for figure in text.select("figure.live") if address else ():
        live = f"{address}chapters/{path.name}#fig-{figure['data-name']}"
        note = BeautifulSoup(f'<p class="live-at"><a href="{live}">{live}</a></p>', "html.parser")
        figure.select_one(".live-says").insert_after(note)
    return Page(path.stem, title, text, pictures)


def settings(name: str) -> dict:
    """What `_config.yml` or `_toc.yml` says."""
    return yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))


def read(names: list[str] | None = None, address: str | None = None) -> Book:
    """The built book, or some of its pages, as if it had another address."""
    config, contents = settings("_config.yml"), settings("_toc.yml")
    names = names or [contents["root"], *(entry["file"] for entry in contents["chapters"])]
    address = config["html"]["baseurl"] if address is None else address
    address = address and address.rstrip("/") + "/"
    pages = [read_page(BOOK / f"{name}.html", address) for name in names]
    return Book(config["title"], config["author"], address, pages)


def main() -> None:
    """Make both, and say how long each part takes."""
    import edition_epub
    import edition_pdf

    started = perf_counter()

    def say(words: str) -> None:
        print(f"{perf_counter() - started:5.0f} s  {words}", flush=True)

    for name, edition in zip(EDITIONS, (edition_epub, edition_pdf), strict=True):
        say("reading the pages")
        target = BOOK / name
        edition.write(read(), target, say)
        say(f"{target.name}: {target.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
