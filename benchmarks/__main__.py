"""Every benchmark, one after the other: python -m benchmarks."""

import runpy
from pathlib import Path

for script in sorted(Path(__file__).parent.glob("*.py")):
    if script.name != Path(__file__).name:
        print(f"\n== {script.stem}", flush=True)
        runpy.run_path(str(script), run_name="__main__")
