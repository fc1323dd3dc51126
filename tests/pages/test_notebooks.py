"""Each chapter's executed notebook: sound, in plain Markdown, with its pictures, and it runs."""

import ast
import re
import sys

import nbformat
import pytest
from built import BOOK, NAMES, ROOT
from IPython.core.interactiveshell import InteractiveShell
from nbclient import NotebookClient

sys.path.insert(0, str(ROOT / "_ext"))

import notebooks

pytestmark = pytest.mark.book

#: What only MyST and Sphinx read.
RAW = re.compile(
    r"\{[\w:+-]+\}`"  # a role
    r"|^\s*(?:`{3,}|:{3,}) ?\{"  # a directive
    r"|^:[\w-]+:|^\([\w-]+\)=$"  # an option, a target
    r"|\]\((?!https?://)"  # a link into a folder that is not there
    r"|\bglue\b",
    re.MULTILINE,
)
WITH_CODE = [
    name
    for name in NAMES
    if "{code-cell}" in (ROOT / name).with_suffix(".md").read_text(encoding="utf-8")
    and name != "chapters/index.html"
]


@pytest.fixture(params=WITH_CODE)
def name(request) -> str:
    return request.param


def path(name):
    return BOOK / "notebooks" / f"{name.removeprefix('chapters/').removesuffix('.html')}.ipynb"


@pytest.fixture
def notebook(name) -> nbformat.NotebookNode:
    return nbformat.read(path(name), nbformat.NO_CONVERT)


def code(notebook) -> list[str]:
    return [cell.source for cell in notebook.cells if cell.cell_type == "code"]


def test_the_page_leads_to_its_notebook(name):
    page = (BOOK / name).read_text(encoding="utf-8")
    assert f'href="../{path(name).relative_to(BOOK).as_posix()}" download' in page


def test_the_notebook_is_sound(notebook):
    nbformat.validate(notebook)
    assert len({cell.id for cell in notebook.cells}) == len(notebook.cells) > 3
    kinds = [[o.output_type for o in cell.get("outputs", ())] for cell in notebook.cells]
    assert all(kind.count("stream") <= 1 for kind in kinds)


def test_nothing_of_myst_is_left(notebook):
    texts = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    assert [RAW.search(text)[0] for text in texts if RAW.search(text)] == []
    marked = re.compile(r"\$\$.*?\$\$|``.*?``|`.*?`|\$.*?\$", re.DOTALL)  # formulas, code
    prose = [marked.sub("", text) for text in texts]
    assert [text for text in prose if re.search(r"[{}]|\bNone\b", text)] == []
    assert texts[0].startswith("# ")


def test_nothing_in_the_code_needs_the_book_s_tools(notebook):
    install, *rest = code(notebook)
    assert install.startswith("# The library") and "%pip install" in install
    assert [source for source in rest if re.search(r"myst_nb|\bglue\(", source)] == []
    assert all(ast.parse(source).body for source in rest)


def test_every_figure_is_a_picture(notebook, name):
    page = (BOOK / name).read_text(encoding="utf-8")
    outputs = [o for cell in notebook.cells for o in cell.get("outputs", ())]
    kinds = [set(output.data) for output in outputs if "data" in output]
    captions = page.count('class="caption-number">Fig. ')
    assert sum("image/png" in kind for kind in kinds) >= captions
    assert set().union(*kinds) <= {"image/png", "text/html", "text/plain"}
    assert not any(output.output_type == "error" for output in outputs)
    numbers = re.findall(r"\*\*Fig\. ([\d.]+)\.\*\*", "\n".join(c.source for c in notebook.cells))
    assert numbers == re.findall(r'class="caption-number">Fig\. ([\d.]+) ', page)


def test_formulas_and_exercises_have_the_numbers_of_the_page(notebook, name):
    page = (BOOK / name).read_text(encoding="utf-8")
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    assert re.findall(r"\\tag\{(.+?)\}", text) == re.findall(r'class="eqno">\((.+?)\)', page)
    exercises = re.findall(r"^#+ Exercise ([\d.]+) ", text, re.MULTILINE)
    assert exercises == re.findall(r'class="caption-number">Exercise ([\d.]+)', page)
    assert len(exercises) == len(set(re.findall(r"Solution to Exercise ([\d.]+) ", text)))


def test_numbers_for_the_page_are_left_out_and_nothing_else():
    source = """from myst_nb import glue
a = 1
glue("a", a,
     display=False)
for b in "xy":
    glue(b, a)
for b in "xy":
    glue(b, a)
    print(b)
if a:
    glue("b", b)
else:
    c = 2"""
    left = ["a = 1", 'for b in "xy":', "    print(b)", "if a:", "    pass", "else:", "    c = 2"]
    assert notebooks.without_glue(source).split("\n") == left


def printed(notebook) -> list[str]:
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    return ["".join(output.text for output in cell.outputs) for cell in cells]


def test_the_first_cells_run():
    notebook = nbformat.read(path("chapters/just-enough-jax.html"), nbformat.NO_CONVERT)
    notebook.cells = notebook.cells[:8]
    before = printed(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = []
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": BOOK}}).execute()
    assert len(before) > 2 and printed(notebook) == before


@pytest.mark.parametrize("missing", [True, False])
def test_the_first_cell_installs_what_is_missing(monkeypatch, missing):
    shell, asked = InteractiveShell(), []
    shell.register_magic_function(asked.append, magic_name="pip")
    if missing:
        monkeypatch.setitem(sys.modules, "vanishing", None)
    shell.run_cell(notebooks.INSTALL.format(wheel="some.whl")).raise_error()
    assert asked == ["install --quiet some.whl"] * missing
