"""The recipes of CONTRIBUTING.md: the files they name are there, and two of them are followed."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from importlinter.cli import lint_imports

ROOT = Path(__file__).parents[1]
RECIPES = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")

NOTEBOOK = """
# A throw-away chapter

```{code-cell} ipython3
import vanishing as vg

vg.check("throw-away-sum", 2)
```
"""
EXERCISES = '''"""Exercises of the throw-away chapter."""

from vanishing.book.checks import exercise


@exercise("throw-away-sum", hint="Add.")
def total():
    """One and one."""
    return 1 + 1
'''


@pytest.fixture
def tree(tmp_path) -> Path:
    """A copy of what the recipes change."""
    for folder in ("lib/vanishing", "chapters"):
        ignored = shutil.ignore_patterns("__pycache__", ".*")
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=ignored)
    for name in ("_toc.yml", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


def insert(path: Path, after: str, line: str) -> None:
    """Put a line after the one that begins with `after`."""
    lines = path.read_text(encoding="utf-8").split("\n")
    at = next(k for k, found in enumerate(lines) if found.strip().startswith(after))
    path.write_text("\n".join([*lines[: at + 1], line, *lines[at + 1 :]]), encoding="utf-8")


def says(tree: Path, code: str) -> str:
    """What Python prints in that tree."""
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=tree, capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": str(tree / "lib")},
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.strip()


def test_every_file_that_a_recipe_names_is_there():
    named = re.findall(r"`((?:lib|tests|chapters)/[^`<>]+)`", RECIPES)
    assert len(named) > 15
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_the_recipe_for_an_activation(tree):
    insert(tree / "lib/vanishing/activations.py", '"silu"', '    "softsign": jax.nn.soft_sign,')
    style = tree / "lib/vanishing/book/style.py"
    insert(style, '"silu": COLOURS', '    "softsign": COLOURS["slate"],')
    insert(style, '"silu": "', '    "softsign": "softsign",')
    printed = says(tree, """
import jax, numpy as np, vanishing as vg
from vanishing.book import style
net = vg.MLP(depth=3, width=8, activation="softsign", sigma_w=1.2)
signals = vg.probe(net, vg.init(net, key=jax.random.key(0)), np.ones((2, 8), np.float32))
assert np.all(np.isfinite(signals.log_gradient_rms))
assert style.ACTIVATIONS.keys() == style.LABELS.keys() == vg.activations.ACTIVATIONS.keys()
slope = vg.activations.derivative("softsign")
z = np.linspace(-3, 3, 13, dtype=np.float32)
np.testing.assert_allclose(vg.live.compile(slope, z).run(z), 1 / (1 + abs(z)) ** 2, rtol=1e-6)
print(round(float(vg.theory.critical_sigma_w("softsign", 0.0)), 4))
""")  # fmt: skip
    assert float(printed) == pytest.approx(1, abs=1e-3)  # 1 / |φ'(0)|, as φ(0) = 0


def test_the_recipe_for_a_chapter(tree, monkeypatch):
    header = (tree / "chapters/dead-neurons.md").read_text(encoding="utf-8").split("---")[1]
    chapter = tree / "chapters/throw-away.md"
    chapter.write_text(f"---{header}---\n{NOTEBOOK}", encoding="utf-8")
    insert(tree / "_toc.yml", "- file: chapters/dead-neurons", "  - file: chapters/throw-away")
    room = tree / "lib/vanishing/book/throw_away"
    room.mkdir()
    (room / "__init__.py").write_text('"""The room of the throw-away chapter."""\n')
    (room / "exercises.py").write_text(EXERCISES, encoding="utf-8")
    printed = says(tree, """
import jupytext
from sphinx_external_toc.parsing import parse_toc_yaml
from vanishing.book import checks
pages = list(parse_toc_yaml("_toc.yml"))
assert pages.index("chapters/throw-away") == pages.index("chapters/dead-neurons") + 1
assert "throw-away" in checks.chapters() and checks.names("throw-away") == ["throw-away-sum"]
notebook = jupytext.read("chapters/throw-away.md")
for cell in notebook.cells:
    if cell.cell_type == "code":
        exec(cell.source)
print(vg.check("throw-away-sum", 3))
""")  # fmt: skip
    assert "not yet" in printed.lower()
    monkeypatch.chdir(tree)
    monkeypatch.syspath_prepend(str(tree / "lib"))
    assert lint_imports(config_filename=str(tree / "pyproject.toml"), no_cache=True) == 0
