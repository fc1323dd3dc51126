"""The floors of the house: what may import what (the contracts are in `pyproject.toml`)."""

from pathlib import Path

import pytest
from importlinter.cli import lint_imports

ROOT = Path(__file__).parents[1]
CONTRACTS = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
BROKEN = {
    "from a room above": ("live/upstairs.py", "from vanishing import studies"),
    "training from the live figure": ("live/aside.py", "import vanishing.training.loop"),
    "the live figure from training": ("training/aside.py", "import vanishing.live.figure"),
    "a private module of another package": ("book/burglar.py", "import vanishing.live._secret"),
}


def kept(tree: Path, monkeypatch) -> bool:
    """Whether the package in `tree` keeps the contracts."""
    config = tree / "contracts.toml"
    config.write_text(CONTRACTS.replace('"vanishing', '"house'), encoding="utf-8")
    monkeypatch.syspath_prepend(str(tree))
    monkeypatch.chdir(tree)
    return lint_imports(config_filename=str(config), no_cache=True) == 0


@pytest.fixture
def house(tmp_path) -> Path:
    """The package under another name, so that it is not the one already imported."""
    for path in (ROOT / "lib" / "vanishing").rglob("*.py"):
        target = tmp_path / "house" / path.relative_to(ROOT / "lib" / "vanishing")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(path.read_text(encoding="utf-8").replace("vanishing", "house"))
    return tmp_path


def test_every_contract_is_kept(house, monkeypatch, capsys):
    assert kept(house, monkeypatch), capsys.readouterr().out


@pytest.mark.parametrize("case", BROKEN)
def test_an_import_against_the_rules_is_seen(case, house, monkeypatch):
    where, line = BROKEN[case]
    (house / "house" / "live" / "_secret.py").write_text('"""Nobody else\'s."""\n')
    (house / "house" / where).write_text(line.replace("vanishing", "house") + "\n")
    assert not kept(house, monkeypatch)
