"""What a book with an address of its own adds: on a book of two pages, built with the true
configuration but for a stand-in address, and built twice."""

import io
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import urljoin, urlsplit
from xml.etree import ElementTree
from zipfile import ZipFile

import nbformat
import pytest
from bs4 import BeautifulSoup
from built import BOOK, ROOT

sys.path.insert(0, str(ROOT / "_ext"))

import archive

pytestmark = [pytest.mark.book, pytest.mark.browser]

ADDRESS = "https://example.org/course/book/"
REPOSITORY = "https://github.com/someone/book"
#: What a book is made of beside its pages.
PARTS = ("_ext", "_static", "lib", "references.bib", "requirements.txt", "pyproject.toml")
MAIN = "from jupyter_book.cli.main import main; main()"
HEADER = (ROOT / "chapters/dead-neurons.md").read_text(encoding="utf-8").split("---")[1]
FIRST = "# A book\n\nOf two pages. See {doc}`dead-neurons`.\n\n```{code-cell}\n1 + 1\n```\n"
FIRST += "\n```{bibliography}\n:all:\n```\n"
CHAPTER = r"""# A chapter

By {cite:t}`he2015`, of {eq}`eq-one` and {numref}`fig-ramp`;
{doc}`index`, [steep](#fig-ramp?slope=2).

$$
x^2 \\ y
$$ (eq-one)

```{code-cell}
:tags: [remove-cell]

from myst_nb import glue

half = 0.5
glue("half", half, display=False)
assert half < 1
```

It is {glue:text}`half`, 2*3 or `a|b`.

```{margin}
Aside.
```

```{code-cell}
---
tags: [remove-input]
mystnb:
  figure:
    name: fig-ramp
    caption: A ramp of $a$.
---
import numpy as np
from matplotlib.figure import Figure

from vanishing import live

fig = Figure((3, 2))
(line,) = fig.subplots().plot([0, 1], [0, 1])
slope = live.Slider("slope", 0.0, 2.0, value=1.0, step=0.5)
ramp = lambda slope: {"y": slope * np.arange(2, dtype=np.float32)}
live.figure(fig, ramp, [slope], {line: "y"}, name="ramp", alt="A ramp that rises to the right.")
```

| Sign | Means |
|:--|:--|
| $\lvert x \rvert$ | `a\|b` |

Term
: Said.

:::{dropdown} Predict, then open: how large is $x < 1$?
- Small.
- Or not.
:::

```{exercise-start} Add
:label: ex-add
```
How much?
```{exercise-end}
```

```{solution-start} ex-add
:class: dropdown
```
Count.

```{code-cell}
print(half + half)
```
```{solution-end}
```
"""
MARKDOWN = [
    r"""# A chapter

By He *et al.* [[2015](ADDRESSchapters/index.html#id7)], of (1) and Fig. 1; """
    r"""[A book](ADDRESSchapters/index.html), """
    r"""[steep](ADDRESSchapters/dead-neurons.html#fig-ramp?slope=2).

$$
\begin{aligned}x^2 \\ y\end{aligned} \tag{1}
$$

It is 0.5, 2\*3 or `a|b`.

> Aside.""",
    r"""**Fig. 1.** A ramp of $a$.

| Sign | Means |
| --- | --- |
| $\lvert x \rvert$ | `a\|b` |

- Term: Said.""",
    r"""<details>
<summary>Predict, then open: how large is $x < 1$?</summary>

- Small.
- Or not.

</details>""",
    r"""## Exercise 1 (Add)

How much?""",
    r"""<details>
<summary>Solution to Exercise 1 (Add)</summary>

Count.

</details>""",
]


def made(root: Path) -> Path:
    """The folder of the book of two pages, built from nothing in `root`."""
    for name in (*PARTS, *(path.name for path in ROOT.glob("LICENSE-*"))):
        (root / name).symlink_to(ROOT / name)
    (root / "chapters").mkdir()
    for name, text in {"index": FIRST, "dead-neurons": CHAPTER}.items():
        (root / f"chapters/{name}.md").write_text(f"---{HEADER}---\n\n{text}", encoding="utf-8")
    (root / "_toc.yml").write_text(
        "format: jb-book\nroot: chapters/index\nchapters:\n  - file: chapters/dead-neurons\n"
    )
    config = (ROOT / "_config.yml").read_text(encoding="utf-8")
    for key, value in {"baseurl": ADDRESS.rstrip("/"), "url": REPOSITORY}.items():
        config, found = re.subn(rf'^  {key}: ".*"$', f'  {key}: "{value}"', config, flags=re.M)
        assert found == 1
    (root / "_config.yml").write_text(config, encoding="utf-8")
    (root / "_build").mkdir()
    (root / "_build/npm").symlink_to(BOOK.parent / "npm")
    build(root)
    archive.pack(root / "_build/html")
    return root / "_build/html"


def build(root: Path) -> None:
    """Build what there is to build."""
    command = [sys.executable, "-c", MAIN, "build", ".", "--warningiserror"]
    ran = subprocess.run(command, cwd=root, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.fixture(scope="module")
def book(tmp_path_factory) -> Path:
    return made(tmp_path_factory.mktemp("published"))


@pytest.fixture(scope="module")
def page(book) -> BeautifulSoup:
    return BeautifulSoup((book / "chapters/dead-neurons.html").read_text("utf-8"), "html.parser")


def meta(page: BeautifulSoup) -> dict[str, str]:
    found = page.find_all("meta", content=True)
    return {tag.get("property") or tag.get("name"): tag["content"] for tag in found}


@pytest.fixture(scope="module")
def again(tmp_path_factory) -> Path:
    return made(tmp_path_factory.mktemp("again"))


def test_two_builds_give_the_same_bytes(book, again):
    files = [path.relative_to(book) for path in book.rglob("*") if path.is_file()]
    assert len(files) > 30 and Path(archive.NAME) in files
    assert [
        str(name) for name in files if (book / name).read_bytes() != (again / name).read_bytes()
    ] == []


def test_an_edit_writes_the_pages_that_show_it(again):  # and the last test to read them
    first, other = again.parents[1] / "chapters/index.md", again / "chapters/dead-neurons.html"
    for old, new, elsewhere in [("two pages", "two leaves", False), ("A book", "Retitled", True)]:
        before = other.stat().st_mtime_ns
        first.write_text(first.read_text("utf-8").replace(old, new, 1), encoding="utf-8")
        build(again.parents[1])
        assert new in (again / "chapters/index.html").read_text("utf-8")
        assert (other.stat().st_mtime_ns > before) == elsewhere
    assert "Retitled" in other.read_text("utf-8")


def test_a_page_says_where_it_is_and_shows_its_card(book, page):
    here, said = f"{ADDRESS}chapters/dead-neurons.html", meta(page)
    assert page.find("link", rel="canonical")["href"] == said["og:url"] == here
    assert said["og:image"].startswith(ADDRESS)
    picture = (book / said["og:image"].removeprefix(ADDRESS)).read_bytes()
    size = [int.from_bytes(picture[at : at + 4]) for at in (16, 20)]
    assert picture[1:4] == b"PNG" and size == [1200, 630]
    assert [int(said[f"og:image:{side}"]) for side in ("width", "height")] == size
    front = BeautifulSoup((book / "index.html").read_text("utf-8"), "html.parser")
    assert meta(front)["og:url"] == f"{ADDRESS}chapters/index.html"
    assert meta(front)["og:image"] == f"{ADDRESS}_static/cards/book.png"


def test_the_map_of_the_site_names_every_page(book):
    pages = [
        place.text for place in ElementTree.parse(book / "sitemap.xml").iterfind("{*}url/{*}loc")
    ]
    names = sorted(path.relative_to(book).as_posix() for path in book.glob("chapters/*.html"))
    assert pages == [ADDRESS + name for name in names]


def test_a_page_can_be_run_and_the_book_downloaded(page):
    links = {link.text: link["href"] for link in page.select("ul.take a")}
    hosts = [urlsplit(links[f"Run this page on {name}"]).netloc for name in ("Binder", "Colab")]
    assert hosts == ["mybinder.org", "colab.research.google.com"]
    whole = {ADDRESS + name for name in (archive.NAME, *archive.EDITIONS)}
    assert whole <= set(links.values())


@pytest.mark.parametrize("asked", ["lost", "chapters/lost.html", "a/b/c/"])
def test_a_wrong_address_leads_home_from_any_depth(book, reader, asked):
    """The host is played by the test: it shows 404.html for whatever is not there."""
    visitor, missed = reader(), []

    def answer(route):
        path = book / urlsplit(route.request.url).path.removeprefix(urlsplit(ADDRESS).path)
        there = path.is_file()
        missed.extend([] if there else [route.request.url])
        route.fulfill(path=path if there else book / "404.html", status=200 if there else 404)

    visitor.route("**/*", answer)
    visitor.goto(urljoin(ADDRESS, asked), wait_until="networkidle")
    assert missed == [urljoin(ADDRESS, asked)]  # styles, scripts and fonts came
    assert visitor.evaluate("document.styleSheets.length") >= 2
    visitor.locator("#contents a", has_text="A chapter").click()
    visitor.wait_for_url(f"{ADDRESS}chapters/dead-neurons.html")
    visitor.goto(urljoin(ADDRESS, asked))
    visitor.locator("#search-field").fill("ramp")
    visitor.locator("#search-field").press("Enter")
    visitor.wait_for_url(f"{ADDRESS}search.html?q=ramp")


def test_a_notebook_says_what_the_page_says_in_plain_markdown(book):
    notebook = nbformat.read(book / "notebooks/dead-neurons.ipynb", 4)
    said = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    assert [text.replace(ADDRESS, "ADDRESS") for text in said[:-1]] == MARKDOWN
    references, colophon = said[-1].split("\n\n")[1:]
    assert references.startswith("- Kaiming He, ") and "Delving deep" in references
    assert f"({ADDRESS}chapters/dead-neurons.html)" in colophon and "CC BY 4.0" in colophon


def test_a_notebook_keeps_the_code_that_later_cells_need(book):
    notebook = nbformat.read(book / "notebooks/dead-neurons.ipynb", 4)
    install, hidden, figure, solution = (c for c in notebook.cells if c.cell_type == "code")
    wheel = next((book / "notebooks").glob("*.whl"))
    assert install.source.endswith(f"%pip install --quiet {ADDRESS}notebooks/{wheel.name}")
    assert hidden.source == "half = 0.5\nassert half < 1"
    assert set(figure.outputs[0].data) == {"image/png", "text/plain"}
    assert solution.outputs[0].text == "1.0\n" and solution.metadata.jupyter.source_hidden


def test_the_archive_is_the_book(book):
    with ZipFile(io.BytesIO((book / archive.NAME).read_bytes())) as file:
        names = {name.partition("/")[2] for name in file.namelist()}
        assert all(entry.date_time == (1980, 1, 1, 0, 0, 0) for entry in file.infolist())
    there = {path.relative_to(book).as_posix() for path in book.rglob("*") if path.is_file()}
    assert names == there - archive.LEFT_OUT
