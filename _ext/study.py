"""The page of study: what there is to do in the book, how long it takes, and what is done.

What the reader has done is kept in their own browser by ``study.js``, the twin of this module.
"""

import html
import json
from pathlib import Path

from docutils import nodes
from rjsmin import jsmin
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective, SphinxRole
from sphinx_exercise.nodes import is_exercise_node
from steps import EXERCISE, KINDS, Step, chapters, duration

from vanishing.live.page import assets

logger = logging.getLogger(__name__)
SCRIPT = "study.js"
DOT = "●"
#: Under the table of progress; `study.js` knows them by their order.
BUTTONS = """
<form class="study-buttons">
<button type="button">Save as a file</button>
<button type="button">Load a file</button>
<button type="button">Forget everything</button>
<input type="file" accept=".json,application/json" hidden>
<output role="status"></output>
</form>
<p class="no-scripts">JavaScript is off in your browser, so nothing is kept or counted.</p>
"""


class pending_minutes(nodes.Inline, nodes.Element):
    """How long the chapters named in it take, once all of them are read."""


class Minutes(SphinxRole):
    """``{minutes}`no-learning chain-rule ●●```: to read both, with their exercises up to ●●."""

    def run(self) -> tuple[list[nodes.Node], list]:
        """Put it off until all pages are read, of which any may have changed."""
        self.env.note_reread()
        return [pending_minutes(asked=self.text)], []


class listing(nodes.General, nodes.Element):
    """A list of the whole book, once all pages are read; `kind` says which."""


class Listing(SphinxDirective):
    """``{progress}``, ``{quizzes}`` or ``{exercises}``."""

    def run(self) -> list[nodes.Node]:
        """Put it off until all pages are read, of which any may have changed."""
        self.env.note_reread()
        return [listing(kind=self.name)]


class Book:
    """The lists, as a page of the book shows them."""

    def __init__(self, app: Sphinx, docname: str) -> None:
        self.app, self.docname, self.chapters = app, docname, chapters(app.env)

    def link(self, chapter: str, text: str, name: str = "") -> str:
        """A link to a chapter, or to a step in it."""
        place = self.app.builder.get_relative_uri(self.docname, chapter) + (name and f"#{name}")
        return f'<a class="reference internal" href="{place}">{html.escape(text)}</a>'

    def title(self, chapter: str) -> str:
        """What a chapter is called."""
        return self.app.env.titles[chapter].astext()

    def item(self, chapter: str, step: Step) -> str:
        """A step in a list, by whose place the script finds it."""
        link = self.link(chapter, step.title, step.name)
        return f'<li data-place="{slug(chapter)}#{step.name}">{link}</li>'

    def table(self, head: list[str], rows: list[list[str]], kind: str) -> str:
        """A table whose rows begin with a chapter."""
        top = "".join(f'<th scope="col">{cell}</th>' for cell in head)
        body = "".join(
            f'<tr><th scope="row">{first}</th>{"".join(rest)}</tr>' for first, *rest in rows
        )
        return (
            f'<div class="table" data-scrolls="Table, scrolls sideways"><table class="{kind}">'
            f"<thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>"
        )

    def progress(self) -> str:
        """How long each chapter takes, and how much of what it asks is done."""
        rows = []
        for name, chapter in self.chapters.items():
            totals = {kind: len(chapter.of(kind)) for kind in KINDS}
            counts = [
                f'<td data-of="{slug(name)} {kind}">0 of {total}</td>' if total else "<td></td>"
                for kind, total in totals.items()
            ]
            times = [f"<td>{self.minutes(slug(name) + dots)}</td>" for dots in ("", f" {3 * DOT}")]
            rows.append([self.link(name, self.title(name)), *counts, *times])
        head = ["Chapter", *KINDS.values(), "To read", "With exercises"]
        return self.table(head, rows, "progress") + BUTTONS

    def quizzes(self) -> str:
        """Every quiz; the script shows those that are due."""
        items = [
            self.item(name, step) for name, c in self.chapters.items() for step in c.of("quiz")
        ]
        return f'<ul class="due">{"".join(items)}</ul>\n<p class="none-due">None is due today.</p>'

    def exercises(self) -> str:
        """Every exercise, by chapter and difficulty."""
        rows = []
        for name, chapter in self.chapters.items():
            cells = [self.link(name, self.title(name))]
            for dots in (1, 2, 3):
                items = [self.item(name, s) for level, s in chapter.exercises() if level == dots]
                cells.append(f"<td><ul>{''.join(items)}</ul></td>")
            rows.append(cells)
        spoken = [
            f'<span aria-hidden="true">{DOT * k}</span><span class="for-ears">{word}</span>'
            for k, word in enumerate(("easy", "middle", "hard"), start=1)
        ]
        return self.table(["Chapter", *spoken], rows, "exercises")

    def minutes(self, spec: str) -> str | None:
        """How long chapters take, with exercises up to the dots at the end; None of no chapter."""
        *names, last = spec.split()
        dots = last.count(DOT)
        names = names if dots else [*names, last]
        known = {slug(name): chapter for name, chapter in self.chapters.items()}
        if not set(names) <= set(known):
            return None
        return duration(
            sum(
                known[name].minutes
                + sum(EXERCISE[k - 1] for k, _ in known[name].exercises() if k <= dots)
                for name in names
            )
        )


def slug(docname: str) -> str:
    """What a page is called in its address."""
    return docname.rpartition("/")[2]


class Fill(SphinxPostTransform):
    """Write the lists and times where they stand, and a box to tick under every exercise."""

    default_priority = 100
    formats = ("html",)

    def run(self, **kwargs) -> None:
        """Transform one page."""
        book = Book(self.app, self.env.docname)
        for node in list(self.document.findall(listing)):
            node.replace_self(nodes.raw("", getattr(book, node["kind"])(), format="html"))
        for node in list(self.document.findall(pending_minutes)):
            time = book.minutes(node["asked"])
            if time is None:
                known = ", ".join(map(slug, book.chapters))
                logger.warning(
                    "minutes: expected chapters of %s; got %r", known, node["asked"], location=node
                )
            node.replace_self(nodes.Text(time or "?"))
        if self.app.builder.name != "html":  # a book on paper, or in a reader of its own
            return
        titles = dict(self.env.study[self.env.docname].steps)
        for node in self.document.findall(is_exercise_node):
            spoken = f'<span class="for-ears">: {html.escape(titles[node["label"]])}</span>'
            box = (
                f'<p class="tick"><label><input type="checkbox" value="{node["label"]}"> '
                f"Solved{spoken}</label></p>"
            )
            node += nodes.raw("", box, format="html")


def write_script(app: Sphinx, env: BuildEnvironment) -> None:
    """Write the script with the steps of every chapter, by which it counts."""
    if app.builder.format != "html":
        return
    book = {slug(name): [s.name for s in c.steps] for name, c in chapters(env).items()}
    source = Path(__file__).with_name("theme") / "scripts" / SCRIPT
    parts = [assets.source("memory"), jsmin(source.read_text("utf-8"))]
    call = f"study({json.dumps(book, separators=(',', ':'))});"
    text = "\n".join(['(function () {\n"use strict";', *parts, call, "})();\n"])
    Path(app.outdir, "_static", SCRIPT).write_text(text, encoding="utf-8")


def setup(app: Sphinx) -> dict:
    """Register the extension."""
    app.setup_extension("steps")
    app.add_node(pending_minutes)
    app.add_node(listing)
    app.add_role("minutes", Minutes())
    for name in ("progress", "quizzes", "exercises"):
        app.add_directive(name, Listing)
    app.add_post_transform(Fill)
    app.connect("env-updated", write_script)
    app.add_js_file(SCRIPT, loading_method="defer")
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
