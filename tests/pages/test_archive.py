"""The whole book in one file: the same bytes from the same pages, and it reads from a folder."""

import os
import sys
from zipfile import ZipFile

import pytest
from built import BOOK, ROOT

sys.path.insert(0, str(ROOT / "_ext"))

import archive


def test_the_same_pages_give_the_same_bytes(tmp_path):
    pages = {"index.html": b"first", "chapters/a.html": b"<p>a</p>" * 100, "_static/b.js": b"1"}
    packed = []
    for date, names in enumerate((list(pages), reversed(pages))):
        book = tmp_path / str(date)
        for name in names:
            (book / name).parent.mkdir(parents=True, exist_ok=True)
            (book / name).write_bytes(pages[name])
            os.utime(book / name, (10**9 + date,) * 2)
        archive.pack(book)
        packed.append(archive.pack(book).read_bytes())  # a second time: not into itself
    assert packed[0] == packed[1]
    with ZipFile(book / archive.NAME) as file:
        found = {
            name.removeprefix("vanishing-gradients/"): file.read(name) for name in file.namelist()
        }
    assert found == pages


@pytest.mark.book
@pytest.mark.browser
def test_an_unpacked_book_reads_and_lives_on_disk(reader, tmp_path):
    with ZipFile(BOOK / archive.NAME) as file:
        file.extractall(tmp_path)
    page, asked, complaints = reader(), [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda said: said.type == "error" and complaints.append(said.text))
    page.on("requestfailed", lambda request: complaints.append(request.url))
    page.goto((tmp_path / "vanishing-gradients/index.html").as_uri())
    page.wait_for_url("**/chapters/index.html")
    figure = page.locator("figure.live").first
    figure.scroll_into_view_if_needed()
    page.wait_for_selector("figure.live[data-state=ready]", timeout=60_000)
    assert complaints == []
    assert {
        url for url in asked if not url.startswith((tmp_path.as_uri(), "data:", "blob:"))
    } == set()
