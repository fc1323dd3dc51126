"""The floors of the house: what may import what (the contracts are in `pyproject.toml`)."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CONTRACTS = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
BROKEN = {
    "from a room above": ("live/upstairs.py", "from vanishing import studies"),
    "training from the live figure": ("live/aside.py", "import vanishing.training.loop"),
    "the live figure from training": ("training/aside.py", "import vanishing.live.figure"),
    "a private module of another package": ("book/burglar.py", "import vanishing.live._secret"),
}


# A process of its own: the linter closes a stream that pytest is still writing to.
LINT = """
from importlinter.cli import lint_imports
exit(lint_imports(config_filename="contracts.toml", no_cache=True))
"""


def linted(tree: Path) -> subprocess.CompletedProcess:
    """What the linter says of the package in `tree`, by the contracts of ours."""
    (tree / "contracts.toml").write_text(
        CONTRACTS.replace('"vanishing', '"house'), encoding="utf-8"
    )
    return subprocess.run(
        [sys.executable, "-c", LINT], cwd=tree, capture_output=True, text=True, check=False
    )


@pytest.fixture
def house(tmp_path) -> Path:
    """The package under another name, so that it is not the one already imported."""
    for path in (ROOT / "lib" / "vanishing").rglob("*.py"):
        target = tmp_path / "house" / path.relative_to(ROOT / "lib" / "vanishing")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(path.read_text(encoding="utf-8").replace("vanishing", "house"))
    return tmp_path


def test_every_contract_is_kept(house):
    verdict = linted(house)
    assert verdict.returncode == 0, verdict.stdout + verdict.stderr


@pytest.mark.parametrize("case", BROKEN)
def test_an_import_against_the_rules_is_seen(case, house):
    where, line = BROKEN[case]
    (house / "house" / "live" / "_secret.py").write_text('"""Nobody else\'s."""\n')
    (house / "house" / where).write_text(line.replace("vanishing", "house") + "\n")
    verdict = linted(house)
    assert verdict.returncode == 1 and "BROKEN" in verdict.stdout, verdict.stdout + verdict.stderr
