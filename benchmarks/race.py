"""Contestants in processes of their own, that take turns at the same work."""

import os
import pickle
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter

from benchmarks.regimes import Regime, check_same

ROOT = Path(__file__).parents[1]
TORCH = ROOT / "_build" / "torch" / "bin" / "python"
CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
#: Name in the table → module and threads; PyTorch is often faster on one.
CONTESTANTS = {
    "vanishing": ("vanishing", None),
    "NumPy": ("numpy", None),
    "JAX": ("jax", None),
    "PyTorch, hooks, 1 thread": ("torch", 1),
    f"PyTorch, hooks, {CORES} threads": ("torch", CORES),
    "PyTorch, vmap": ("torch_vmap", CORES),
}
#: What would keep NumPy from the best kernel for this processor.
TIES = "OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"


class Worker:
    """A contestant's process."""

    def __init__(self, name: str, threads: int | None = None, **environment: str):
        python = TORCH if name.startswith("torch") else sys.executable
        kept = {key: value for key, value in os.environ.items() if key not in TIES}
        if threads is not None:
            environment["OMP_NUM_THREADS"] = str(threads)
        if name == "vanishing":  # each core is a device to JAX: that is how it sweeps on all
            flags = f"{os.environ.get('XLA_FLAGS', '')} --xla_force_host_platform_device_count="
            environment["XLA_FLAGS"] = flags + str(CORES)
        self._process = subprocess.Popen(
            [python, "-m", "benchmarks.worker", name],
            cwd=ROOT,
            env=kept | environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def ask(self, *request):
        """The answer to a request, see `benchmarks.worker`."""
        pickle.dump(request, self._process.stdin)
        self._process.stdin.flush()
        return pickle.load(self._process.stdout)

    def close(self) -> None:
        """End the process."""
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()


@contextmanager
def contestants() -> Iterator[dict[str, Worker]]:
    """All that are installed here, by their names in the table."""
    started = {
        label: Worker(name, threads)
        for label, (name, threads) in CONTESTANTS.items()
        if TORCH.exists() or not name.startswith("torch")
    }
    try:
        yield started
    finally:
        for worker in started.values():
            worker.close()


def race(
    workers: dict[str, Worker], regime: Regime, rounds: int, limit: float, turn: float
) -> dict[str, list[float]]:
    """Let all do the work in turns, after they have shown that they compute the same numbers.

    Args:
        workers: from `contestants`.
        regime: the work.
        rounds: turns of each.
        limit: seconds after which no further round begins; there are at least two.
        turn: seconds that a turn takes at least: a short call is made many times in it.

    Returns:
        Contestant → seconds of one call, round by round; and "sgemm", the seconds of a large
        matrix product in between, which says what the machine could do in that very round.
    """
    found = {label: worker.ask("prepare", regime.work, regime) for label, worker in workers.items()}
    for numbers in found.values():
        if numbers is not None:
            check_same(numbers, found["vanishing"])
    turns = [(label, workers[label], regime.work) for label in found if found[label] is not None]
    workers["NumPy"].ask("prepare", "sgemm", regime)
    turns.append(("sgemm", workers["NumPy"], "sgemm"))
    times, start = {label: [] for label, *_ in turns}, perf_counter()
    for k in range(rounds):
        if k >= 2 and perf_counter() - start > limit:
            break
        for label, worker, work in turns[k % len(turns) :] + turns[: k % len(turns)]:
            times[label].append(worker.ask("seconds", work, turn))
    return times
