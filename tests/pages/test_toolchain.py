"""The extensions that build the book, and what the README promises."""

import contextlib
import io
import re
import sys
from types import SimpleNamespace

import pytest
from built import ROOT

sys.path.insert(0, str(ROOT / "_ext"))

import katex_math
import run_notebooks


@pytest.fixture
def tree(tmp_path):
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "module.py").write_text("one = 1\n")
    (tmp_path / "requirements.txt").write_text("jax==1\n")
    return tmp_path


@pytest.mark.parametrize("changed", ["lib/module.py", "lib/new.js", "requirements.txt"])
def test_the_fingerprint_follows_library_and_pins(tree, changed):
    before = run_notebooks.fingerprint(tree)
    assert before == run_notebooks.fingerprint(tree)
    (tree / changed).write_text("two = 2\n")
    assert run_notebooks.fingerprint(tree) != before


def test_the_cache_of_an_older_library_is_dropped(tree, monkeypatch):
    monkeypatch.setattr(run_notebooks, "ROOT", tree)
    app = SimpleNamespace(outdir=tree / "_build" / "html")
    stale = tree / "_build" / "executed-html" / "stale"
    stale.mkdir(parents=True)
    config = SimpleNamespace()
    run_notebooks.name_cache(app, config)
    assert not stale.exists()
    assert config.nb_execution_cache_path.endswith(run_notebooks.fingerprint(tree))


def test_the_largest_notebook_starts_first(tmp_path):
    for name, length in {"a": 10, "b": 30, "c": 20, "d": 30}.items():
        (tmp_path / f"{name}.md").write_text("x" * length)
    env = SimpleNamespace(doc2path=lambda name: tmp_path / f"{name}.md")
    assert run_notebooks.largest_first(env, ["a", "b", "c", "d"]) == ["b", "d", "c", "a"]


def test_katex_sets_a_formula_and_refuses_a_wrong_one():
    node_modules = ROOT / "_build" / "npm" / "node_modules"
    katex = katex_math.Setter(
        node_modules / "katex" / "dist" / "katex.js", {r"\net": r"\mathcal{N}"}
    )
    try:
        right = katex(r"\chi_1 \in \net", display=False)
        marked = katex(r"\class{at-microscope-1}{J_1}", display=True)
        wrong = katex(r"\frac{1", display=True)
        unsafe = katex(r"\href{javascript:alert(1)}{J_1}", display=True)
    finally:
        katex.close()
    assert "<math" in right["html"] and "katex-html" in right["html"]
    assert "error" in wrong and "html" not in wrong
    assert 'class="enclosing at-microscope-1"' in marked["html"]
    assert "<a " not in unsafe["html"]


def test_every_dependency_is_pinned():
    for name in ("requirements.txt", "requirements-dev.txt"):
        lines = [line for line in (ROOT / name).read_text().splitlines() if line[:1] not in "#-"]
        assert [line for line in lines if not re.fullmatch(r"[\w.-]+==[\w.]+( ; .+)?", line)] == []
        assert len(lines) > 10
    assert (ROOT / "requirements.txt").read_text().splitlines()[-1] == "-e ."


def test_the_examples_in_the_readme_print_what_they_say():
    readme = (ROOT / "README.md").read_text()
    code = "\n".join(re.findall(r"```python\n(.*?)```", readme, re.DOTALL))
    promised = re.findall(r"# → (.*)", code)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(code, "README.md", "exec"), {})
    assert printed.getvalue().splitlines() == promised != []
