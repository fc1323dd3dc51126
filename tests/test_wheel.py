"""The wheel: all of the library, the same bytes from the same sources, and it works by itself."""

import os
import subprocess
import sys
import tomllib
from email import message_from_bytes
from pathlib import Path
from zipfile import ZipFile

import pytest
from packaging.requirements import Requirement

sys.path.insert(0, str(Path(__file__).parents[1] / "_ext"))

import build_wheel
from build_wheel import ROOT

#: Python that finds the library in the wheel's folder alone, measures, and draws a live figure.
ALONE = """
import sys, pathlib
here = pathlib.Path(sys.argv[1])
import jax, vanishing as vg
net = vg.MLP(depth=200, width=16, activation="sigmoid", sigma_w=1.0)
params = vg.init(net, key=jax.random.key(0))
signals = vg.probe(net, params, jax.random.normal(jax.random.key(1), (8, 16)))
assert -310 < signals.log_gradient_rms[0] < -260
from vanishing.book.activations.activation_curves import activation_curves
from vanishing.live.page import assets
page = activation_curves().html()
assert 'class="live-spec"' in page and "<svg" in page
assert len(assets.script()) > 10_000 and len(assets.stylesheet()) > 1_000
ours = [module for name, module in sys.modules.items() if name.split(".")[0] == "vanishing"]
files = [pathlib.Path(module.__file__) for module in ours]
print([str(file) for file in files if here not in file.parents])
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Path:
    return build_wheel.build(tmp_path_factory.mktemp("wheel"))


def test_the_wheel_holds_every_file_of_the_library(built):
    with ZipFile(built) as file:
        packed = {name for name in file.namelist() if name.startswith("vanishing/")}
    files = {path.relative_to(ROOT / "lib") for path in (ROOT / "lib/vanishing").rglob("*.*")}
    needed = {
        path.as_posix()
        for path in files
        if path.suffix != ".pyc" and path.suffixes != [".d", ".ts"]  # types, for the checker alone
    }
    assert packed == needed
    assert {Path(name).suffix for name in needed} >= {".py", ".js", ".css"}


def test_the_wheel_says_what_the_project_says(built):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    with ZipFile(built) as file:
        [name] = [name for name in file.namelist() if name.endswith("/METADATA")]
        said = message_from_bytes(file.read(name))
        assert any(name.endswith("LICENSE-CODE.txt") for name in file.namelist())
    assert (said["Version"], said["License-Expression"]) == (project["version"], "MIT")
    needs = map(Requirement, said.get_all("Requires-Dist"))
    assert {need for need in needs if not need.marker} == set(
        map(Requirement, project["dependencies"])
    )


def test_the_same_sources_give_the_same_bytes(built, tmp_path):
    assert build_wheel.build(tmp_path).read_bytes() == built.read_bytes()


def test_building_leaves_no_trace(built):
    assert not (ROOT / "build").exists()


def test_the_wheel_works_alone(built, tmp_path):
    with ZipFile(built) as file:
        file.extractall(tmp_path)
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", ALONE, str(tmp_path)],
        cwd=tmp_path, capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
    )  # fmt: skip
    assert (ran.returncode, ran.stdout.strip()) == (0, "[]"), ran.stderr
