"""Binder: what repo2docker makes of the repository, and whether a chapter fits in there."""

import contextlib
import importlib
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import IPython
import psutil
import pytest
from IPython.core.events import EventManager, available_events

import vanishing.book
from vanishing import _jax_internals

ROOT = Path(__file__).parents[1]
#: What mybinder.org promises; https://mybinder.readthedocs.io/en/latest/about/about.html
BYTES = 2 << 30
#: The chapter whose kernel becomes largest.
LARGEST = "normalization"
LEFT = shutil.ignore_patterns(".git", ".venv*", "_build", "__pycache__", "*.egg-info", ".*_cache")


@pytest.fixture(scope="module")
def dockerfile() -> str:
    """What repo2docker would give to Docker, which need not be there."""
    command = [sys.executable, "-m", "repo2docker", "--no-build", "--debug", str(ROOT)]
    ran = subprocess.run(command, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def steps(dockerfile: str) -> list[str]:
    """The commands that concern this repository, in order."""
    return [line for line in re.findall(r"^RUN (.+)", dockerfile, re.M) if "binder/" in line]


def started_by(dockerfile: str) -> str:
    """What runs every command in there."""
    return re.search(r'^ENV R2D_ENTRYPOINT="\$\{REPO_DIR\}/(.+)"$', dockerfile, re.M)[1]


def test_repo2docker_accepts_the_repository(dockerfile):
    assert "environment-2epy-2d3-2e11" in dockerfile  # Python 3.11, as binder/runtime.txt says
    assert steps(dockerfile) == [
        '${KERNEL_PYTHON_PREFIX}/bin/pip install --no-cache-dir -r "binder/requirements.txt"',
        "chmod +x binder/postBuild",
        "./binder/postBuild",
        'chmod +x "${REPO_DIR}/binder/start"',
    ]
    assert started_by(dockerfile) == "binder/start"


def test_xla_compiles_there_as_for_the_book():
    (flags,) = re.findall(r'^export XLA_FLAGS="(.+)"$', (ROOT / "binder/start").read_text(), re.M)
    (cheaply,) = re.findall(r"^CHEAPLY := (.+)$", (ROOT / "Makefile").read_text(), re.M)
    assert cheaply == f'XLA_FLAGS="$$XLA_FLAGS {flags}"'


def test_a_notebook_lets_go_of_what_programs_were_lowered_to_after_every_cell(monkeypatch):
    events = EventManager(None, available_events)
    monkeypatch.setattr(IPython, "get_ipython", lambda: SimpleNamespace(events=events))
    importlib.reload(vanishing.book)
    assert events.callbacks["post_execute"] == [_jax_internals.forget_lowered]


def taken(trees: list[subprocess.Popen]) -> int:
    """Bytes that these processes and all below them hold, what they share counted once."""
    held = 0
    for tree in trees:
        for process in (psutil.Process(tree.pid), *psutil.Process(tree.pid).children(True)):
            with contextlib.suppress(psutil.NoSuchProcess):  # it has ended meanwhile
                held += process.memory_full_info().pss
    return held


@pytest.mark.journeys
@pytest.mark.skipif(
    sys.platform != "linux", reason="Binder runs Linux, which counts what is shared"
)
def test_a_chapter_runs_in_the_environment_of_the_dockerfile_within_2_gb(dockerfile, tmp_path):
    python = shutil.which("python3.11")
    if python is None:
        pytest.skip("Binder takes Python 3.11, and there is none on the PATH")
    repository, prefix = tmp_path / "repository", tmp_path / "environment"
    shutil.copytree(ROOT, repository, ignore=LEFT)
    subprocess.run([python, "-m", "venv", prefix], check=True)
    ours = ("PYTHONPATH", "XLA_FLAGS", "JAX_COMPILATION_CACHE_DIR", "VIRTUAL_ENV")
    environment = {name: value for name, value in os.environ.items() if name not in ours}
    environment |= {
        "KERNEL_PYTHON_PREFIX": str(prefix),
        "REPO_DIR": str(repository),
        "HOME": str(tmp_path / "home"),
        "PATH": f"{prefix / 'bin'}:{os.environ['PATH']}",
    }
    there = {"cwd": repository, "env": environment}
    for step in steps(dockerfile):
        subprocess.run(["bash", "-c", step], check=True, **there)
    start = repository / started_by(dockerfile)
    lab = [start, "jupyter", "lab", "--no-browser", "--allow-root", "--port=0"]
    run = [start, "jupytext", "--to", "notebook", "--execute", f"chapters/{LARGEST}.md"]
    server = subprocess.Popen(lab, **there)
    try:
        chapter = subprocess.Popen(run, **there)
        most = 0
        while chapter.poll() is None:
            most = max(most, taken([server, chapter]))
            time.sleep(0.5)
    finally:
        server.terminate()
        server.wait(20)
    assert chapter.returncode == 0
    print(f"{most / 2**30:.2f} GiB")
    assert server.returncode is not None and 0 < most < BYTES
