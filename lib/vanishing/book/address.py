"""Where the book is published, and where in it a live figure stands."""

import json
import re
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

_CONFIG = Path(__file__).parents[3] / "_config.yml"


@cache
def book() -> str:
    """The address of the book with a slash at its end, "" while it has none.

    In a copy of the project `_config.yml` says it. Elsewhere, as on Colab, the library was
    installed from the wheel that lies beside the pages, and pip has noted where it found it.
    """
    if _CONFIG.exists():
        found = re.search(r'^  baseurl: *"?([^"\s]*)', _CONFIG.read_text(encoding="utf-8"), re.M)
        return found[1].rstrip("/") + "/" if found and found[1] else ""
    try:
        noted = distribution("vanishing-gradients").read_text("direct_url.json")
    except PackageNotFoundError:
        return ""
    url = json.loads(noted or "{}").get("url", "")
    return url.rpartition("notebooks/")[0] if url.startswith("http") else ""


def figure(module: str) -> dict[str, str]:
    """What a live figure says of where it comes from, as `vg.live.figure` takes it.

    Args:
        module: the one that makes it and has its name, in the room of a chapter; of a figure from
            elsewhere there is nothing to say.

    >>> print(figure("vanishing.book.chain_rule.microscope")["python"])
    from vanishing.book.chain_rule.microscope import microscope
    <BLANKLINE>
    microscope()
    """
    match module.split("."):
        case ["vanishing", "book", room, name]:
            page = book() and f"{book()}chapters/{room.replace('_', '-')}.html"
            return {"python": f"from {module} import {name}\n\n{name}()", "page": page}
    return {}
