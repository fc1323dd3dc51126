"""A progress bar for long runs, shown only where somebody watches."""

import sys

from tqdm.auto import tqdm

# Shorter runs end before a bar has been read.
DELAY_SECONDS = 2.0


def watched() -> bool:
    """Whether somebody is there to see: a terminal, or a notebook whose front end takes input.

    Batch runs of a notebook (a book being built) take none, and leave no trace of a bar.

    >>> watched()
    False
    """
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    kernel = getattr(shell, "kernel", None)
    if kernel is None:
        return sys.stderr.isatty()
    return bool(kernel.get_parent("shell").get("content", {}).get("allow_stdin", False))


def bar(total: int, show: bool | None, unit: str = "steps") -> tqdm:
    """A bar of so many units, gone when done; shown if `show`, where None if the run is long and
    watched."""
    wanted = watched() if show is None else show
    delay = DELAY_SECONDS if show is None else 0.0
    return tqdm(total=total, disable=not wanted, delay=delay, leave=False, unit=f" {unit}")
