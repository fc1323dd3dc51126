"""How far each assertion about chance is from failing: chapters and tests, run with other seeds.

    make margins ONLY="chapters/dead-neurons.md tests/studies/test_deaths.py"

A network trained on another processor takes another path, as one from another seed does: the
spread over seeds bounds what an honest build may find. So every random key is moved on, eight
times, and of each comparison in an `assert` the distance from failing is written down: right
minus left of `left < right` (or the logarithm of their ratio, where these vary by factors), the
tolerance minus what is allowed to differ. From the eight distances follows the chance that one
more build fails (`intervals.chance_below`). It must be below 1/1000; those that are above are
listed, and so is what failed outright.

Comparisons that no seed moves are left out, as are those of booleans and of `allclose`, of which
only failures are told.
"""

import argparse
import ast
import builtins
import json
import operator
import os
import re
import subprocess
import sys
import tempfile
from collections import defaultdict
from importlib.machinery import SourceFileLoader
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
ALLOWED = 1e-3
#: What the process that runs one seed is told: how far to move keys, and where to write.
SHIFT, RECORD = "MARGINS_SHIFT", "MARGINS_RECORD"
HOLDS = {
    "Lt": operator.lt, "LtE": operator.le, "Gt": operator.gt, "GtE": operator.ge,
    "Eq": operator.eq, "NotEq": operator.ne, "In": lambda a, b: a in b,
    "NotIn": lambda a, b: a not in b, "Is": operator.is_, "IsNot": operator.is_not,
}  # fmt: skip


class Watch(ast.NodeTransformer):
    """Hands every comparison inside an `assert`, and its outcome, to the functions below."""

    def __init__(self, place: str):
        self.place = place

    def visit_Assert(self, node: ast.Assert):
        where = f"{self.place}:{node.lineno}: {ast.unparse(node.test)}"
        watched = _Comparisons(where).visit(node.test)
        call = ast.Call(ast.Name("_outcome", ast.Load()), [ast.Constant(where), watched], [])
        return ast.copy_location(ast.Expr(call), node)


class _Comparisons(ast.NodeTransformer):
    def __init__(self, where: str):
        self.where = where

    def visit_Compare(self, node: ast.Compare):
        text = ast.unparse(node)
        self.generic_visit(node)
        names = " ".join(type(op).__name__ for op in node.ops)
        sides = ast.List([node.left, *node.comparators], ast.Load())
        arguments = [ast.Constant(self.where), ast.Constant(text), ast.Constant(names), sides]
        return ast.Call(ast.Name("_compare", ast.Load()), arguments, [])

    def visit_Call(self, node: ast.Call):
        self.generic_visit(node)
        if isinstance(node.func, ast.Name) and node.func.id == "abs":
            node.func.id = "_signed_abs"
        return node


class Size(float):
    """The absolute value of a number that remembers its sign: `abs(x) < t` can fail at both."""

    signed: float


def sides(name: str, left, right) -> list[tuple[float, float]]:
    """What must be the smaller and the larger, a pair for each end at which it can fail."""
    if name == "Eq" and hasattr(right, "tolerance"):  # pytest.approx of a number
        off = float(left) - float(right.expected)
        return [(off, right.tolerance), (-off, right.tolerance)]
    if name not in ("Lt", "LtE", "Gt", "GtE"):
        return []
    small, large = (left, right) if name in ("Lt", "LtE") else (right, left)
    if isinstance(small, Size):
        return [(small.signed, float(large)), (-small.signed, float(large))]
    small, large = np.broadcast_arrays(np.asarray(small, float), np.asarray(large, float))
    closest = np.argmin(large - small)
    return [(float(small.flat[closest]), float(large.flat[closest]))]


def distances(pairs: list[tuple[float, float]]) -> np.ndarray:
    """How far each pair is from failing: the difference; or the logarithm of the ratio, where
    both are positive and one of them varies by more than a factor of two."""
    small, large = np.array(pairs).T
    positive = (small > 0).all() and (large > 0).all()
    if positive and max(small.max() / small.min(), large.max() / large.min()) > 2:
        return np.log(large / small)
    return large - small


def _compare(where, text, names, values):
    """What the comparison itself would give; what it compares is kept."""
    held = None
    for place, name in enumerate(names.split()):
        left, right = values[place : place + 2]
        try:
            found = sides(name, left, right)
        except (TypeError, ValueError):  # no numbers
            found = []
        for end, pair in enumerate(found):
            seen[where, text, f"{name} {place} {end}"].append(pair)
        one = HOLDS[name](left, right)
        held = one if held is None else held & one
    return held


def _outcome(where, held):
    failed[where] += not held


def _signed_abs(x):
    size = abs(x)
    if np.ndim(size):
        return size
    found = Size(size)
    found.signed = float(x)
    return found


seen: dict[tuple, list[tuple[float, float]]] = defaultdict(list)
failed: dict[str, int] = defaultdict(int)


def watch() -> None:
    """In this process: move every key, and look into the assertions of what is imported."""
    import jax

    shift = int(os.environ[SHIFT])
    key, generator = jax.random.key, np.random.default_rng
    jax.random.key = lambda seed, **kind: key(seed + shift, **kind)
    np.random.default_rng = lambda seed=0: generator(
        seed + shift if isinstance(seed, int) else seed
    )
    for function in (_compare, _outcome, _signed_abs):
        setattr(builtins, function.__name__, function)
    compiled = SourceFileLoader.get_code

    def get_code(loader, name):
        path = Path(loader.path).resolve()
        if not path.is_relative_to(ROOT / "tests") or not path.name.startswith("test_"):
            return compiled(loader, name)
        return code(path.read_text(encoding="utf-8"), path.relative_to(ROOT).as_posix())

    SourceFileLoader.get_code = get_code


def code(source: str, place: str):
    """The source with its assertions watched, compiled."""
    return compile(ast.fix_missing_locations(Watch(place).visit(ast.parse(source))), place, "exec")


def pytest_configure() -> None:
    """As a plugin of pytest."""
    watch()


def pytest_unconfigure() -> None:
    """As a plugin of pytest."""
    write()


def write() -> None:
    """Leave what was seen to the process that asked."""
    rows = [(*names, values) for names, values in seen.items()]
    Path(os.environ[RECORD]).write_text(json.dumps({"seen": rows, "failed": failed}))


def cells(chapter: str) -> None:
    """Run the cells of a chapter in this process, one after the other."""
    import jupytext

    watch()
    path = (ROOT / chapter).resolve()
    os.chdir(path.parent)
    names = {"__name__": "__main__"}
    for number, cell in enumerate(jupytext.read(path).cells, 1):
        if cell.cell_type == "code":
            exec(code(cell.source, f"{chapter}, cell {number}"), names)
    write()


def one(target: str, shift: int) -> dict:
    """What was seen and what failed in one target with its keys moved on."""
    if target.endswith(".md"):
        command = [__file__, "--cells", target]
    else:
        command = ["-m", "pytest", "-p", "margins", "--assert=plain", "-p", "no:cacheprovider",
                   "-m", "not book and not browser", target]  # fmt: skip
    paths = os.pathsep.join([str(ROOT / "tests"), str(ROOT / "lib")])
    with tempfile.TemporaryDirectory() as folder:
        record = Path(folder) / "record.json"
        environment = os.environ | {
            SHIFT: str(shift), RECORD: str(record), "PYTHONPATH": paths, "MPLBACKEND": "agg",
        }  # fmt: skip
        done = subprocess.run(
            [sys.executable, *command], cwd=ROOT, env=environment, capture_output=True, text=True
        )
        if done.returncode > 1 or not record.exists():  # 1: a test failed otherwise than by assert
            raise SystemExit(f"{target} with keys moved by {shift}:\n{done.stdout}{done.stderr}")
        for line in re.findall(r"^(?:FAILED|ERROR) .*$", done.stdout, re.M):
            print(f"{target} with keys moved by {shift}: {line}")
        return json.loads(record.read_text())


def report(target: str, runs: list[dict]) -> int:
    """Print the assertions whose chance of failing is above what is allowed; how many there are."""
    from vanishing.studies.intervals import chance_below

    values, lost = defaultdict(list), defaultdict(int)
    for run in runs:
        for where, text, end, pairs in run["seen"]:
            for time, pair in enumerate(pairs):  # a loop comes by again and again
                values[where, text, end, time].append(pair)
        for where, count in run["failed"].items():
            lost[where] += count > 0
    risks: dict[str, float] = defaultdict(float)
    worst: dict[str, tuple] = {}
    for (where, text, *_), pairs in values.items():
        found = distances(pairs)
        if len(found) < len(runs) or not np.isfinite(found).all() or not np.ptp(found):
            continue
        risk = chance_below(found, 0.0)
        risks[where] += risk
        if risk >= worst.get(where, (0,))[0]:
            worst[where] = (risk, text, found)
    wrong = sorted({w for w in risks if risks[w] > ALLOWED} | {w for w in lost if lost[w]})
    print(f"{target}: {len(risks)} assertions move with the seed, {len(wrong)} too close")
    for where in wrong:
        print(f"  {where}\n    fails with {lost[where]} of {len(runs)} seeds, "
              f"chance {risks[where]:.1e}")  # fmt: skip
        if where in worst:
            _, text, found = worst[where]
            print(f"    {text}: distances {found.mean():.3g} ± {found.std(ddof=1):.2g}, "
                  f"smallest {found.min():.3g}")  # fmt: skip
    return len(wrong)


def main() -> int:
    """Read the command line, run every target with every seed, report."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("targets", nargs="+", help="chapters (.md) and modules of tests (.py)")
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--cells", action="store_true", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.cells:
        cells(*chosen.targets)
        return 0
    found = [
        report(target, [one(target, 1000 * (seed + 1)) for seed in range(chosen.seeds)])
        for target in chosen.targets
    ]
    return int(any(found))


if __name__ == "__main__":
    sys.exit(main())
