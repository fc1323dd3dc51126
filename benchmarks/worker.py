"""The process of one contestant: it answers requests that come through a pipe.

    python -m benchmarks.worker NAME

NAME is a module of `benchmarks.contestants`. A request is the name of a function below and its
arguments, an answer what it returns; both are pickled.
"""

import gc
import importlib
import os
import pickle
import sys
from pathlib import Path
from time import perf_counter

from benchmarks.regimes import Regime, problem

_RUNS = {}


def prepare(contestant, work: str, regime: Regime):
    """Get ready for a regime; the numbers, or None where the contestant does not do this work."""
    if (make := getattr(contestant, work, None)) is None:
        return None
    _RUNS[work] = make(problem(regime))
    return _RUNS[work]()


def seconds(contestant, work: str, turn: float) -> float:
    """How long a call takes, over at least so many seconds of calls."""
    calls, start = 0, perf_counter()
    while (taken := perf_counter() - start) < turn or not calls:
        _RUNS[work]()
        calls += 1
    return taken / calls


def call(contestant, name: str, regime: Regime):
    """What a function of the contestant says of a regime."""
    return getattr(contestant, name)(problem(regime))


def memory(contestant, work: str, regime: Regime) -> int | None:
    """Bytes that a second call needs beside the parameters; None where the system cannot tell."""
    if not Path("/proc/self/clear_refs").exists():
        return None
    run = getattr(contestant, work)(problem(regime))
    run()
    gc.collect()
    before = _resident("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # forget the largest so far
    run()
    return _resident("VmHWM") - before


def _resident(name: str) -> int:
    status = Path("/proc/self/status").read_text()
    return 1024 * int(status.split(f"{name}:")[1].split()[0])


def versions(contestant) -> dict[str, str]:
    """Of the libraries that are imported here."""
    names = "jax", "flax", "numpy", "torch"
    return {name: str(sys.modules[name].__version__) for name in names if name in sys.modules}


def main(name: str) -> None:
    """Answer until the pipe is closed."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints is no answer
    contestant = importlib.import_module(f"benchmarks.contestants.{name}")
    while True:
        try:
            request, *arguments = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        pickle.dump(globals()[request](contestant, *arguments), answers)
        answers.flush()


if __name__ == "__main__":
    main(sys.argv[1])
