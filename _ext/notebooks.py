"""Each chapter as an executed notebook that runs anywhere, Colab included.

The chapters themselves are notebooks, but for Jupyter with MyST: elsewhere their directives and
roles are noise. Here the page that Sphinx has resolved stands as plain Markdown around the cells
and outputs that MyST-NB has cached.
The first cell installs the library, from the wheel that lies beside the notebooks, if need be.
"""

import ast
import html
import re
from itertools import takewhile
from pathlib import Path, PurePosixPath

import build_wheel
import nbformat
from docutils import nodes
from folding import disclosure
from jupyter_cache import get_cache
from myst_nb.core.read import create_nb_reader
from myst_nb.core.utils import coalesce_streams
from plain_markdown import PlainMarkdown
from sphinx.application import Sphinx

FOLDER = "notebooks"
INSTALL = """# The library, if it is not here yet; the book keeps its wheel beside this notebook.
try:
    import vanishing
except ModuleNotFoundError:
    %pip install --quiet {wheel}"""
#: Code that a page hides is folded in Jupyter, and in Colab.
FOLDED = {"jupyter": {"source_hidden": True}, "cellView": "form"}
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}


def is_glue(statement: ast.stmt) -> bool:
    """Whether a statement does nothing but hand numbers to the text of the page."""
    match statement:
        case ast.ImportFrom(module="myst_nb") | ast.Expr(ast.Call(ast.Name("glue"))):
            return True
        case ast.For(body=body, orelse=rest) | ast.If(body=body, orelse=rest):
            return all(map(is_glue, [*body, *rest]))
    return False


def without_glue(source: str) -> str:
    """The code of a cell as it is where no page waits for its numbers."""
    lines: list[str | None] = list(source.split("\n"))

    def leave_out(statements: list[ast.stmt], needed: bool) -> None:
        for statement in statements:
            start, end = statement.lineno - 1, statement.end_lineno
            if is_glue(statement):
                lines[start:end] = [None] * (end - start)
            else:
                leave_out(getattr(statement, "body", []), True)
                leave_out(getattr(statement, "orelse", []), True)
        if needed and statements and all(map(is_glue, statements)):
            lines[statements[0].lineno - 1] = " " * statements[0].col_offset + "pass"

    leave_out(ast.parse(source).body, False)
    kept = "\n".join(line for line in lines if line is not None)
    return re.sub(r"\n{3,}", "\n\n", kept).strip("\n")


def only_asserts(source: str) -> bool:
    """Whether a cell is empty, or a test of the page."""
    return all(isinstance(statement, ast.Assert) for statement in ast.parse(source).body)


def plain_output(output: dict) -> dict | None:
    """An output as every front end can show it, None if it was for the page: where there is a
    picture, the picture; the live figure comes when the cell is run."""
    data = output.get("data")
    if data is None:
        return output
    shown = "image/png" if "image/png" in data else "text/html"
    kept = {kind: data[kind] for kind in (shown, "text/plain") if kind in data}
    return nbformat.from_dict({**output, "data": kept, "metadata": {}}) if kept else None


class Notebook(PlainMarkdown):
    """A page as the cells of a notebook.

    Args:
        app, page: as for `PlainMarkdown`.
        source: the notebook of the page, executed.
    """

    def __init__(self, app: Sphinx, page: str, source: nbformat.NotebookNode) -> None:
        super().__init__(app, page)
        self._source, self._next = source, 0  # the first cell of it that is not yet here
        self._cells: list[nbformat.NotebookNode] = []
        self._fold = ""  # what is to be opened for the blocks to be seen

    def written(self, document: nodes.document) -> nbformat.NotebookNode:
        """The whole page."""
        wheel = self.app.wheel.name
        if base := self.app.config.html_baseurl:
            wheel = f"{base}{FOLDER}/{wheel}"
        self._add(nbformat.v4.new_code_cell, INSTALL.format(wheel=wheel))
        self.write(document)
        self._code(len(self._source.cells))
        if self.cited:
            self.blocks.append("## References")
            self.blocks.append("\n".join(f"- {entry}" for entry in self.cited))
        book = self.app.config.html_title
        book = f"[{book}]({self.address})" if self.address else book
        self.blocks.append(f"From the book *{book}*. Text and figures: CC BY 4.0; code: MIT.")
        self._close()
        metadata = {"kernelspec": KERNEL, "language_info": {"name": "python"}}
        return nbformat.v4.new_notebook(cells=self._cells, metadata=metadata)

    def cell(self, node: nodes.container) -> None:
        """Append a cell, with the caption of its figure, and what follows it unseen on the page."""
        end = node["cell_index"] + 1
        self._code(end)
        for caption in node.findall(nodes.caption):
            self.blocks.append(f"**{self.numbered(caption)}.** {self.words(caption)}")
        tags = (cell.metadata.get("tags", ()) for cell in self._source.cells[end:])
        self._code(end + len(list(takewhile(lambda tags: "remove-cell" in tags, tags))))

    def disclosure(self, node: disclosure) -> None:
        """What is folded on the page stays folded; code cells stand between."""
        self._close()
        title, *rest = node.children
        # A line of HTML, in which nothing but a formula is marked.
        self._fold = "".join(
            self.word(part) if isinstance(part, nodes.math) else html.escape(part.astext(), False)
            for part in title.children
        )
        for child in rest:
            self.block(child)
        self._close()
        self._fold = ""

    def _add(self, make, source: str, **options) -> None:
        """Append a cell; its id is its place, so that the same page gives the same bytes."""
        self._cells.append(make(source, id=f"cell-{len(self._cells)}", **options))

    def _close(self) -> None:
        """Append what is written as a Markdown cell."""
        text, self.blocks = "\n\n".join(self.blocks), []
        if text and self._fold:
            text = f"<details>\n<summary>{self._fold}</summary>\n\n{text}\n\n</details>"
        if text:
            self._add(nbformat.v4.new_markdown_cell, text)

    def _code(self, end: int) -> None:
        """Append the code before place `end` of the source, also what the page leaves out: later
        cells may need it."""
        for cell in self._source.cells[self._next : end]:
            source = without_glue(cell.source) if cell.cell_type == "code" else ""
            if only_asserts(source):
                continue
            self._close()
            hidden = self._fold or any("-input" in tag for tag in cell.metadata.get("tags", ()))
            self._add(
                nbformat.v4.new_code_cell,
                source,
                # What a cell prints comes in pieces, cut by chance.
                outputs=coalesce_streams(list(filter(None, map(plain_output, cell.outputs)))),
                execution_count=cell.execution_count,
                metadata=FOLDED if hidden else {},
            )
        self._next = end


def executed(app: Sphinx, page: str) -> nbformat.NotebookNode | None:
    """The notebook of a page with the outputs that the cache holds, None if it has no code."""
    env = app.env
    path = env.doc2path(page)
    text = Path(path).read_text(encoding="utf-8")
    reader = create_nb_reader(path, env.myst_config, env.mystnb_config, text)
    if reader is None:
        return None
    cache = get_cache(env.mystnb_config.execution_cache_path)
    return cache.merge_match_into_notebook(reader.read(text))[1]


def write(app: Sphinx, pagename: str, templatename: str, context: dict, doctree) -> None:
    """Write the notebook of one page, and tell its foot. The first page, a map, has none."""
    if doctree is None or pagename == app.config.root_doc:
        return
    if (source := executed(app, pagename)) is None:
        return
    context["notebook"] = f"{FOLDER}/{PurePosixPath(pagename).name}.ipynb"
    notebook = Notebook(app, pagename, source).written(doctree)
    Path(app.outdir, context["notebook"]).write_text(nbformat.writes(notebook), encoding="utf-8")


def start(app: Sphinx) -> None:
    """Build the wheel, whose name the notebooks say."""
    if app.builder.format == "html":
        app.wheel = build_wheel.build(Path(app.outdir, FOLDER))


def setup(app: Sphinx) -> dict:
    """Register the extension; it comes after `folding`, whose nodes it reads."""
    app.connect("builder-inited", start)
    app.connect("html-page-context", write)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
