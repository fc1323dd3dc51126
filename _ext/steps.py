"""What there is to do in each chapter, and how long it takes to read.

A chapter's steps are its predictions, quizzes and exercises. They are read off the chapters, so
whatever a chapter adds is counted, listed and timed.
"""

from collections.abc import Iterator
from typing import NamedTuple

from bs4 import BeautifulSoup
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.environment.collectors import EnvironmentCollector
from sphinx_exercise.nodes import exercise_subtitle, is_exercise_node, is_solution_node

#: Words a minute, and minutes for what takes longer than its words. The page of study says so.
WORDS, FORMULA, CODE, FIGURE, ANSWER = 150, 1, 1, 1, 2
#: Minutes for an exercise of one, two and three dots.
EXERCISE = (10, 20, 40)
#: The kinds of steps, by how their names begin.
KINDS = {"guess": "Predictions", "quiz": "Quizzes", "ex": "Exercises"}


class Step(NamedTuple):
    """Something to do: where it is on its page (``quiz-how-many``), and what it is called."""

    name: str
    title: str

    @property
    def kind(self) -> str:
        """A key of `KINDS`."""
        return self.name.partition("-")[0]


class Chapter(NamedTuple):
    """What a page asks of its reader: minutes to read it and answer, and what there is to do."""

    minutes: float
    steps: list[Step]

    def of(self, kind: str) -> list[Step]:
        """The steps of one kind."""
        return [step for step in self.steps if step.kind == kind]

    def exercises(self) -> list[tuple[int, Step]]:
        """Its exercises with one to three dots.

        Chapters order them from easy to hard, so the dots say in which third of them one stands.
        """
        found = self.of("ex")
        return [(1 + 3 * k // len(found), step) for k, step in enumerate(found)]


def asked(markup: str) -> Iterator[Step]:
    """The quizzes and predictions of an output."""
    if "vg-quiz" not in markup and "live-guess" not in markup:
        return
    page = BeautifulSoup(markup, "html.parser")
    for box in page.select(".vg-quiz[id], .live-guess[id]"):
        yield Step(box["id"], box.select_one("legend, .guess-question").get_text())


def steps(document: nodes.document) -> Iterator[Step]:
    """What there is to do on a page, in its order."""
    for node in document.findall(lambda n: is_exercise_node(n) or isinstance(n, nodes.raw)):
        if isinstance(node, nodes.raw):
            yield from asked(node.astext())
        else:
            title = next(iter(node.findall(exercise_subtitle)), node[0])
            yield Step(node["label"], title.astext())


def minutes(document: nodes.document, answers: int) -> float:
    """How long a page takes to read, without its exercises."""
    aside = [n for n in document.findall() if is_exercise_node(n) or is_solution_node(n)]
    skipped = {id(inner) for node in aside for inner in node.findall()}
    read = [n for n in document.findall(nodes.Element) if id(n) not in skipped]
    words = sum(
        len(node.astext().split())
        for node in read
        if isinstance(node, nodes.paragraph | nodes.title | nodes.caption)
    )
    hidden = {"tag_hide-input", "tag_remove-input", "tag_remove-cell"}
    cells = [node for node in read if node.get("nb_element") == "cell_code"]
    code = sum(not hidden & set(node["classes"]) for node in cells)
    formulas = sum(isinstance(node, nodes.math_block) for node in read)
    figures = sum(isinstance(node, nodes.figure) for node in read)
    longer = FORMULA * formulas + CODE * code + FIGURE * figures + ANSWER * answers
    return words / WORDS + longer


class Steps(EnvironmentCollector):
    """Collect `Chapter` of every page that has been read, in ``env.study``."""

    def clear_doc(self, app: Sphinx, env: BuildEnvironment, docname: str) -> None:
        """Forget a page."""
        getattr(env, "study", {}).pop(docname, None)

    def merge_other(self, app: Sphinx, env: BuildEnvironment, docnames, other) -> None:
        """Take over what another process has read."""
        env.study = {**getattr(env, "study", {}), **getattr(other, "study", {})}

    def process_doc(self, app: Sphinx, doctree: nodes.document) -> None:
        """Read a page."""
        env = app.env
        env.study = getattr(env, "study", {})
        found = list(steps(doctree))
        answers = sum(step.kind != "ex" for step in found)
        env.study[env.docname] = Chapter(minutes(doctree, answers), found)


def chapters(env: BuildEnvironment) -> dict[str, Chapter]:
    """The pages with exercises, in the order of the book."""
    order = env.toctree_includes.get(env.config.root_doc, [])
    return {name: env.study[name] for name in order if env.study[name].of("ex")}


def duration(total: float) -> str:
    """Minutes as a reader plans with them, to five of them: 118 are ``2 h``."""
    hours, rest = divmod(5 * round(total / 5), 60)
    parts = [f"{hours}\N{NO-BREAK SPACE}h"] * (hours > 0)
    parts += [f"{rest}\N{NO-BREAK SPACE}min"] * (rest > 0 or hours == 0)
    return "\N{NO-BREAK SPACE}".join(parts)


def setup(app: Sphinx) -> dict:
    """Register the extension; it comes after sphinx-exercise, whose nodes it reads."""
    app.add_env_collector(Steps)
    safe = {"parallel_read_safe": True, "parallel_write_safe": True}
    return {"version": "1", "env_version": 1, **safe}
