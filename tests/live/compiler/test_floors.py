"""The floors of the compiler: which of its modules may import which."""

import ast
from pathlib import Path

COMPILER = Path(__file__).parents[3] / "lib/vanishing/live/compiler"
FLOORS = ["runtime", "graph", "code", "rules", ""]  # each may import those before it, and itself


def test_imports_run_one_way():
    for path in COMPILER.rglob("*.py"):
        floor = path.relative_to(COMPILER).parts[0] if path.parent != COMPILER else ""
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and "live.compiler." in (node.module or ""):
                target = node.module.split("live.compiler.")[1].split(".")[0]
                target = target if target in FLOORS else ""
                assert FLOORS.index(target) <= FLOORS.index(floor), f"{path}: {node.module}"
