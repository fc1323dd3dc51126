"""Runs all cells of chapters and slides, and the tests of arithmetic, as other machines compute.

    make portable                               everything
    make portable ISAS="SSE4_2 native"          on these machines only
    make portable ONLY="activations claims"     what has one of these words in its name

XLA can be told to use no more than an older processor's instructions, or one thread. Sums are
then taken in another order, products are rounded before they are added, and tanh is another
polynomial. What the book says and what its tests hold must not depend on it. Nor on tensor cores,
which keep 11 bits of a factor unless they are asked for more: `tests/tensor_cores` emulates them.

It goes on after a failure and lists all of them at the end. What passed is remembered under a
fingerprint of everything that it depends on, and is not run again.
"""

import argparse
import hashlib
import os
import platform
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

import jupytext
from nbclient import NotebookClient
from nbformat import NotebookNode

ROOT = Path(__file__).resolve().parents[1]
MEMORY = ROOT / "_build" / "portable"
NO_TESTS = 5  # pytest's code where all tests of a module need a book or a browser
CELL_SECONDS = 1800  # one cell may be that slow, on a loaded machine and under an emulator
#: Name → what the environment adds. An x86 processor can pretend to be an older one, for which
#: programs are compiled as the caller says.
FLAGS = os.environ.get("XLA_FLAGS", "")
OLDER = {
    isa: {"XLA_FLAGS": f"{FLAGS} --xla_cpu_max_isa={isa}".strip()}
    for isa in ("SSE4_2", "AVX", "AVX2")
}
MACHINES: dict[str, dict[str, str]] = {
    **(OLDER if platform.machine().lower() in ("x86_64", "amd64") else {}),
    "native": {"XLA_FLAGS": ""},
    # The environment variable sizes XLA's pool of threads, the flag keeps Eigen out of it.
    "one_thread": {"XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false", "NPROC": "1"},
    "tensor_cores": {"PYTHONPATH": f"{ROOT / 'tests/tensor_cores'}{os.pathsep}{ROOT / 'lib'}"},
}
#: Tests that no processor can change, by what stands in their paths: built pages and browsers,
#: refusals (made before anything is computed), structure, text and style.
UNMOVED = (
    "tests/browser/", "tests/book/test_", "tests/live/test_", "_bad_input", "_floors.py",
    "_jax_internals.py", "test_binder.py", "test_browsers.py", "test_checks.py", "test_imports.py",
    "test_progress.py", "test_recipes.py",
)  # fmt: skip
#: Whether products are fused into sums, and whether a factor keeps more than 11 bits.
ARITHMETIC = """
import jax, jax.numpy as jnp
from vanishing.studies import rounding
fine = 1 + jnp.full((2, 2), 2.0**-12)
print(jax.default_backend(), int(rounding.fuses_products()), int((fine @ fine)[0, 0] > 2))
"""


@dataclass(frozen=True)
class Unit:
    """What is run as one, and remembered as one.

    Attributes:
        name: as it is listed.
        sources: everything below the root that can change its outcome.
        run: environment ↦ failures, one text each.
    """

    name: str
    sources: tuple[Path, ...]
    run: Callable[[Mapping[str, str]], list[str]]


def below(*folders: str) -> Iterator[Path]:
    """The source files below these folders."""
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in {".py", ".js", ".css", ".md", ".wat", ".json"} and path.is_file():
                yield path


def texts() -> Iterator[Unit]:
    """One unit a chapter, and one a deck of slides, that has cells."""
    shared = (ROOT / "requirements.txt", *below("lib"))
    for path in (*sorted(ROOT.glob("chapters/*.md")), *sorted(ROOT.glob("slides/*.md"))):
        if "{code-cell}" in path.read_text(encoding="utf-8"):
            name = path.relative_to(ROOT).as_posix()
            yield Unit(name, (path, *shared), lambda env, p=path: cells(p, env))


def tests() -> Iterator[Unit]:
    """One unit a module of tests that computes, and one for the examples in the docstrings."""
    pins = [ROOT / name for name in ("requirements.txt", "requirements-dev.txt", "pyproject.toml")]
    helpers = [path for path in below("tests") if not path.name.startswith("test_")]
    shared = (*pins, *below("lib"), *helpers, ROOT / "conftest.py")
    yield Unit("lib", shared, lambda env: pytests(ROOT / "lib", env))
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        name = path.relative_to(ROOT).as_posix()
        # Of the tests of pages only those of a chapter's statements compute anything.
        elsewhere = name.startswith("tests/pages/") and "test_chapter_" not in name
        if not elsewhere and not any(part in name for part in UNMOVED):
            # With its neighbours, from which it may import.
            own = (*path.parent.glob("*.py"), *(below("chapters") if "/pages/" in name else ()))
            yield Unit(name, (*shared, *own), lambda env, p=path: pytests(p, env))


def cells(path: Path, env: Mapping[str, str]) -> list[str]:
    """Execute a chapter, going on after a failing cell, and tell which failed."""
    notebook = jupytext.read(path)
    client = NotebookClient(
        notebook, timeout=CELL_SECONDS, allow_errors=True, kernel_name="python3",
        resources={"metadata": {"path": str(path.parent)}}, extra_arguments=["--log-level=ERROR"],
    )  # fmt: skip
    client.execute(env=dict(env))
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    if not code:
        return [f"{path.name}: expected cells of code, found none"]
    return [
        f"{path.name}, cell {number} of {len(code)}: {told}"
        for number, cell in enumerate(code, start=1)
        for told in faults(cell)
    ]


def faults(cell: NotebookNode) -> Iterator[str]:
    """What a cell raised, with the line of the cell, and what it wrote to standard error."""
    for output in cell.outputs:
        if output.output_type == "error":
            trace = re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(output.traceback))
            where = re.findall(r"^-+> *\d+ (.*)$", trace, re.M)[:1]  # the first arrow is the cell's
            yield f"{output.ename}: {output.evalue}".rstrip(": ") + "".join(
                f"\n        {line.strip()}" for line in where
            )
        elif output.output_type == "stream" and output.name == "stderr":
            yield f"wrote to stderr: {output.text.strip()[:500]}"


def pytests(path: Path, env: Mapping[str, str]) -> list[str]:
    """Run the tests below a path, and tell which failed."""
    options = ("-p", "no:cacheprovider", "--tb=line", "-rfE", "--color=no")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, "-m", "not book and not browser", path],
        cwd=ROOT, env=dict(env), capture_output=True, text=True,
    )  # fmt: skip
    failed = re.findall(r"^(?:FAILED|ERROR) .*$", done.stdout, re.M)
    if done.returncode not in (0, NO_TESTS) and not failed:
        return [f"pytest ended with {done.returncode}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}"]
    return failed


def processor() -> str:
    """What this processor is and can do."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    wanted = ("model name", "flags", "Features", "CPU part")
    return "\n".join(
        sorted({line for line in lines if line.startswith(wanted)})
        or [platform.machine(), platform.processor()]
    )


def fingerprint(unit: Unit, machine: str) -> str:
    """Digest of everything that the outcome depends on."""
    # By name, as neighbours depend on the same files.
    told = (unit.name, MACHINES[machine], processor(), sys.version)
    digest = hashlib.sha256("\n".join(map(str, told)).encode())
    for path in (*unit.sources, *below("tests/tensor_cores"), Path(__file__)):
        digest.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:24]


def environment(machine: str) -> dict[str, str]:
    """The environment in which a unit runs.

    The cache of compiled programs is the machine's own: under another name stand programs that
    were compiled for other instructions.
    """
    kind = hashlib.sha256(processor().encode()).hexdigest()[:8]
    return os.environ | {"PYTHONPATH": str(ROOT / "lib")} | MACHINES[machine] | {
        "JAX_COMPILATION_CACHE_DIR": str(MEMORY / f"compiled-{machine}-{kind}"),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0.5",
    }  # fmt: skip


def pretends(machine: str) -> str:
    """How it multiplies: the older instructions cannot fuse a product into a sum, tensor cores
    round the factors."""
    found = subprocess.run(
        [sys.executable, "-c", ARITHMETIC],
        env=environment(machine), capture_output=True, text=True, check=True,
    )  # fmt: skip
    backend, fused, fine = found.stdout.split()
    if machine in ("SSE4_2", "AVX") and (backend != "cpu" or fused == "1"):
        raise SystemExit(
            f"{machine}: expected XLA to compute without fused multiply-add; it does not heed "
            "XLA_FLAGS. Look up what --xla_cpu_max_isa is called now."
        )
    if machine == "tensor_cores" and fine == "1":
        raise SystemExit(
            f"{machine}: expected products of factors with 11 bits; JAX does not load the plugin "
            "in tests/tensor_cores. Look up how it finds them now."
        )
    return (
        f"{machine}: {backend}, {'with' if fused == '1' else 'without'} fused multiply-add, "
        f"{'24' if fine == '1' else '11'} bits of a factor"
    )


def outcome(unit: Unit, machine: str) -> tuple[list[str], float | None]:
    """The failures of one unit on one machine and the seconds it took, None if remembered."""
    memory = MEMORY / f"{machine}-{fingerprint(unit, machine)}.passed"
    if memory.exists():
        return [], None
    begun = time.monotonic()
    failures = unit.run(environment(machine))
    if not failures:
        memory.parent.mkdir(parents=True, exist_ok=True)
        memory.write_text(f"{unit.name}\n")
    return failures, time.monotonic() - begun


def run(units: list[Unit], machines: list[str], jobs: int) -> dict[str, list[str]]:
    """Every unit on every machine, with a line of progress each; all failures by machine."""
    failures: dict[str, list[str]] = {machine: [] for machine in machines}
    todo = [(unit, machine) for machine in machines for unit in units]
    with ThreadPoolExecutor(max_workers=jobs) as pool:
        running = {pool.submit(outcome, *job): job for job in todo}
        for count, future in enumerate(as_completed(running), start=1):
            unit, machine = running[future]
            found, seconds = future.result()
            failures[machine] += found
            took = "as before" if seconds is None else f"{seconds:6.0f} s"
            said = f"{len(found)} FAILED" if found else "passed"
            print(
                f"[{count}/{len(todo)}] {machine:10} {unit.name:45} {took:>9}  {said}", flush=True
            )
            for failure in found:
                print(f"      {failure}", flush=True)
    return failures


def main() -> int:
    """Read the command line, run, and list what failed."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--isas", nargs="+", default=list(MACHINES), choices=list(MACHINES))
    parser.add_argument("--only", nargs="+", default=[""], help="words, one of them in the name")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    chosen = parser.parse_args()
    units = [u for u in (*texts(), *tests()) if any(word in u.name for word in chosen.only)]
    if not units:
        parser.error(f"--only: expected words that stand in names, got {chosen.only}")
    for machine in chosen.isas:
        print(pretends(machine), flush=True)
    failures = run(units, chosen.isas, chosen.jobs)
    print()
    for machine, found in failures.items():
        verdict = f"{len(found)} failed" if found else "all passed"
        print(f"{machine}: {verdict}", *found, sep="\n      ")
    return int(any(failures.values()))


if __name__ == "__main__":
    sys.exit(main())
