"""What the compiler needs from inside of JAX, named when a new JAX no longer has it."""

import ast
import re
import tomllib
from pathlib import Path

import jax

from vanishing.live.compiler.graph import jax_internals

ROOT = Path(__file__).parents[3]
COMPILER = ROOT / "lib/vanishing/live/compiler"


def test_jax_is_of_the_release_that_the_compiler_knows():
    known, found = jax_internals.RELEASE, jax.__version_info__[:2]
    assert found == known, (
        f"jax: expected release {known}; got {found}. jaxprs differ between releases: run "
        "tests/live/compiler against it, then move RELEASE and the bound in pyproject.toml."
    )


def test_pyproject_allows_that_release_alone():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    (bound,) = (d for d in project["dependencies"] if re.match(r"jax\b", d))
    major, minor = jax_internals.RELEASE
    assert bound == f"jax>={major}.{minor},<{major}.{minor + 1}"


def test_only_one_module_reaches_inside_of_jax():
    reaching = {
        path.name
        for path in COMPILER.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("jax._src")
    }
    assert reaching == {"jax_internals.py"}


FLOORS = ["runtime", "graph", "code", "rules", ""]  # each may import those before it, and itself


def test_imports_run_one_way():
    for path in COMPILER.rglob("*.py"):
        floor = path.relative_to(COMPILER).parts[0] if path.parent != COMPILER else ""
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and "live.compiler." in (node.module or ""):
                target = node.module.split("live.compiler.")[1].split(".")[0]
                target = target if target in FLOORS else ""
                assert FLOORS.index(target) <= FLOORS.index(floor), f"{path}: {node.module}"
