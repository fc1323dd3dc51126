"""`just-enough-jax` explains what the chapters use of JAX."""

import re
from pathlib import Path

from vanishing import activations

CHAPTERS = Path(__file__).parents[2] / "chapters"
PAGE = CHAPTERS.joinpath("just-enough-jax.md").read_text()
CELL = re.compile(r"^```\{code-cell\}[^\n]*\n(.*?)^```", re.M | re.S)


def taught():
    """The chapters proper, each of which has a deck of slides."""
    decks = {deck.stem for deck in CHAPTERS.parent.joinpath("slides").glob("*.md")}
    return sorted(decks & {page.stem for page in CHAPTERS.glob("*.md")})


def test_every_name_that_the_code_uses_is_on_the_page():
    functions = {*activations.ACTIVATIONS, "softplus"}  # "the activation functions"
    missing = set()
    for chapter in taught():
        for cell in CELL.findall(CHAPTERS.joinpath(f"{chapter}.md").read_text()):
            if "remove-" in cell.split("\n\n")[0]:
                continue
            for name in re.findall(r"\b(?:jax|lax)(?:\.[a-z_0-9]+)+|\b\w*argnums\b", cell):
                last = name.split(".")[-1]
                if last not in functions and not re.search(rf"[.`]{last}\b", PAGE):
                    missing.add((chapter, name))
    assert len(taught()) >= 11 and not missing
