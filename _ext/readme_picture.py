"""Write the README's picture from the book's first page: ``python _ext/readme_picture.py``."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]


def main() -> None:
    """Take the drawing out of the built page and make it a file of its own."""
    page = (ROOT / "_build" / "html" / "chapters" / "index.html").read_text(encoding="utf-8")
    drawing = re.search(r'id="fig-fifty-layers".*?<svg (.*?</svg>)', page, re.DOTALL)[1]
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" {drawing}\n'
    (ROOT / "fifty-layers.svg").write_text(svg, encoding="utf-8")


if __name__ == "__main__":
    main()
