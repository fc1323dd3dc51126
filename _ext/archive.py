"""Pack the built book into one file beside its pages: ``python _ext/archive.py``.

Whoever unpacks it reads the book from the folder. The same pages give the same bytes.
"""

from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

BOOK = Path(__file__).parents[1] / "_build" / "html"
NAME = "vanishing-gradients.zip"
#: What `make editions` puts beside the pages.
EDITIONS = ("vanishing-gradients.epub", "vanishing-gradients.pdf")
#: What the pages do not need: how Sphinx remembers its settings, and links from other books.
LEFT_OUT = {NAME, *EDITIONS, ".buildinfo", "objects.inv"}


def pack(book: Path) -> Path:
    """Pack a built book; every file in it dates from 1980, the first year that a zip can hold."""
    target = book / NAME
    with ZipFile(target, "w") as file:
        for path in sorted(path for path in book.rglob("*") if path.is_file()):
            name = path.relative_to(book).as_posix()
            if name not in LEFT_OUT:
                entry = ZipInfo(f"{target.stem}/{name}")
                entry.compress_type, entry.external_attr = ZIP_DEFLATED, 0o644 << 16
                file.writestr(entry, path.read_bytes())
    return target


if __name__ == "__main__":
    pack(BOOK)
