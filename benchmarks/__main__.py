"""Measure the library beside NumPy, PyTorch and plain JAX, and write what the book shows.

    make bench

Some minutes on a machine that does nothing else. `python -m benchmarks FILE` writes elsewhere.
How long a figure of the built book takes to follow its slider (`page_latency`) and what
`vg.inspect` costs beside a gradient (`inspect_speed`) are programs of their own in this folder.
"""

import json
import os
import platform
import sys
from datetime import date
from pathlib import Path

import numpy as np
from benchmarks import page_race
from benchmarks.race import CORES, TORCH, Worker, contestants, race
from benchmarks.regimes import DEEP, DEPTHS, PEAK, REGIMES, Regime

from vanishing.studies import benchmarks as study

ROUNDS, LIMIT = 11, 20.0  # of a regime; seconds after which no further round begins


def machine() -> dict[str, str | int | float]:
    """What was measured on, and how busy it was before."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    models = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    return {
        "processor": models[0] if models else platform.processor() or platform.machine(),
        "cores": CORES,
        "system": platform.system(),
        "python": platform.python_version(),
        "date": date.today().isoformat(),
        "load": round(os.getloadavg()[0], 2),
    }


def measure(regimes, rounds: int, limit: float, turn: float, deep=DEEP, depths=DEPTHS) -> dict:
    """Everything that the book shows.

    Args:
        regimes: what to measure.
        rounds, limit, turn: of each, see `race`.
        deep: whose memory to measure.
        depths: contestant → depths whose compilation to time.
    """
    found = {"machine": machine(), "versions": {}, "regimes": []}
    with contestants() as workers:
        for worker in workers.values():
            found["versions"] |= worker.ask("versions")
        for regime in regimes:
            found["regimes"].append({
                "name": regime.name,
                "goal": regime.goal,
                "operations": regime.operations,
                "peak": 2 * PEAK**3,
                "seconds": race(workers, regime, rounds, limit, turn),
            })  # fmt: skip
            print(study.table(found).splitlines()[-1], file=sys.stderr, flush=True)
        found["compile"] = {
            label: {depth: _compiled(workers[label], depth, rounds) for depth in depths[label]}
            for label in depths
        }
        found["executables"] = workers["vanishing"].ask("call", "executables", deep[0])
    found["memory"] = [
        {"name": regime.name, "parameters": 4 * regime.depth * regime.width * (regime.width + 1),
         "bytes": {name: _memory(name, regime) for name in ("vanishing", "torch")}}
        for regime in deep
    ]  # fmt: skip
    return found


def _compiled(worker: Worker, depth: int, rounds: int) -> float:
    """Seconds to compile the probe; the median of a few times."""
    regime = Regime("probe", 0, depth=depth, width=64, batch=32)
    times = [worker.ask("call", "seconds_to_compile", regime) for _ in range(min(rounds, 3))]
    return float(np.median(times))


def _memory(name: str, regime: Regime) -> int | None:
    if name == "torch" and not TORCH.exists():
        return None
    # What is freed goes back to the system at once, or a second call would seem to need nothing.
    worker = Worker(name, MALLOC_MMAP_THRESHOLD_="65536")
    try:
        return worker.ask("memory", regime.work, regime)
    finally:
        worker.close()


def main(path: Path) -> None:
    """Measure, write and print."""
    if not TORCH.exists():
        print(f"PyTorch is left out: expected it in {TORCH}; `make bench` puts it there.")
    found = measure(REGIMES, ROUNDS, LIMIT, 0.04)
    print("The same in a page …", file=sys.stderr, flush=True)
    found["page"] = page_race.measure()
    path.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(study.table(found), study.depth_table(found), study.memory_table(found),
          study.page_table(found), sep="\n\n")  # fmt: skip
    print(f"\nWritten to {path}; the book shows it on the page `benchmarks`.")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else study.MEASURED)
