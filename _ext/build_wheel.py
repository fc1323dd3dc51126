"""The library as a wheel: the same bytes from the same sources, which it leaves untouched."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parents[1]
BUILD = "import sys, setuptools.build_meta as build; print(build.build_wheel(sys.argv[1]))"
EPOCH = "315532800"  # 1980, the first date that a zip file can hold


def build(into: Path, root: Path = ROOT) -> Path:
    """Build the wheel of the project in `root`, without asking any network.

    Returns:
        Its path, under `into`.
    """
    into.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as copy:  # setuptools writes beside what it reads
        for name in ("pyproject.toml", "LICENSE-CODE.txt"):
            shutil.copy(root / name, copy)
        ignored = shutil.ignore_patterns("__pycache__", "*.egg-info", ".*")
        shutil.copytree(root / "lib", Path(copy, "lib"), ignore=ignored)
        done = subprocess.run(
            [sys.executable, "-c", BUILD, str(into.resolve())],
            cwd=copy,
            env=os.environ | {"SOURCE_DATE_EPOCH": EPOCH},
            capture_output=True,
            text=True,
        )
    if done.returncode:
        raise RuntimeError(f"expected setuptools to build a wheel of {root}; got\n{done.stderr}")
    return into / done.stdout.splitlines()[-1]
