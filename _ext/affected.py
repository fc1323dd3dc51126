"""Which pages are written after an edit: those that were edited, and every one if they changed what
other pages show of them.

Sphinx writes the pages that it has read, and leaves alone those that only repeat what these say: a
title in the list of chapters, the number of a figure, the definition of a term.
"""

import hashlib
from collections.abc import Iterable
from pathlib import Path

import glossary
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment


def shown_elsewhere(app: Sphinx, env: BuildEnvironment) -> str:
    """Digest of all that one page may show of another."""
    titles = {name: title.astext() for name, title in env.titles.items()}
    definitions = {term: text.astext() for term, text in glossary.definitions(app).items()}
    told = (
        titles, env.toc_secnumbers, env.toc_fignumbers, env.get_domain("std").labels, definitions,
        {name: chapter.steps for name, chapter in env.study.items()},
    )  # fmt: skip
    ordered = [sorted(part.items()) for part in told]
    return hashlib.sha256(repr(ordered).encode()).hexdigest()


def memory(app: Sphinx) -> Path:
    """Where the digest of the pages that stand in the output folder is kept."""
    return Path(app.outdir).with_name(f"shown-{Path(app.outdir).name}.txt")


def affected(app: Sphinx, env: BuildEnvironment) -> Iterable[str]:
    """The pages to be written besides those that have been read."""
    app.shown_elsewhere = shown_elsewhere(app, env)
    known = memory(app).read_text() if memory(app).exists() else ""
    return env.found_docs if app.shown_elsewhere != known else ()


def remember(app: Sphinx, exception: Exception | None) -> None:
    """Keep the digest once all pages are written: a build that was cut off has written some."""
    if exception is None:
        memory(app).write_text(app.shown_elsewhere)


def setup(app: Sphinx) -> dict:
    """Register the extension."""
    app.connect("env-get-updated", affected, priority=900)  # when figures have their numbers
    app.connect("build-finished", remember)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
