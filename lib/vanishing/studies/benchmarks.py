"""How fast the library is beside what a user would pick instead: what `make bench` measured last.

All contestants do the same work in the same minutes, each in a process of its own, in turns; what
is compared is the ratio of the times of one round.
"""

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np

MEASURED = Path(__file__).with_suffix(".json")
#: Prefix of the contestants of which the fastest is the one to beat.
HOOKS = "PyTorch, hooks"
#: The contestants, one column each.
COLUMNS = (HOOKS, "PyTorch, vmap", "NumPy", "JAX")


class Ratio(NamedTuple):
    """A contestant's time over the library's, round by round: median and quartiles."""

    low: float
    median: float
    high: float

    def __str__(self) -> str:
        return (
            f"{self.median:.2g} ({self.low:.2g}–{self.high:.2g})"
            if self.median < 10
            else (f"{self.median:.0f} ({self.low:.0f}–{self.high:.0f})")
        )


class Row(NamedTuple):
    """A regime as it was measured.

    Attributes:
        name: what was done.
        goal: what the ratio to PyTorch's hooks was to be.
        seconds: the library's median time.
        ratios: contestant → how many times longer it took; without those that do not do it.
        share: of the machine's own peak, a large matrix product in the same rounds, in operations
            a second; counted are the matrix products that the work cannot do without.
    """

    name: str
    goal: float
    seconds: float
    ratios: dict[str, Ratio]
    share: float

    @property
    def reached(self) -> bool | None:
        """Whether the goal was; None where PyTorch was not measured."""
        return self.ratios[HOOKS].median >= self.goal if HOOKS in self.ratios else None


def load() -> dict:
    """What was measured: the machine and the versions, and every round of every regime."""
    return json.loads(MEASURED.read_text(encoding="utf-8"))


def ratio(theirs, ours) -> Ratio:
    """Median and quartiles of the ratios of single rounds.

    >>> ratio([2.0, 4.0, 6.0], [1.0, 1.0, 2.0])
    Ratio(low=2.5, median=3.0, high=3.5)
    """
    return Ratio(*np.percentile(np.divide(theirs, ours), [25, 50, 75]).tolist())


def rows(measured: dict) -> list[Row]:
    """The regimes, from what `load` returns."""
    return [_row(**regime) for regime in measured["regimes"]]


def _row(name, goal, operations, peak, seconds) -> Row:
    ours = seconds["vanishing"]
    names = {}
    for key in COLUMNS:
        found = [label for label in seconds if label.startswith(key)]
        if found:  # of several threads the fastest
            names[key] = min(found, key=lambda label: np.median(seconds[label]))
    ratios = {key: ratio(seconds[label], ours) for key, label in names.items()}
    product = np.divide(seconds["sgemm"], peak)  # seconds of an operation at the peak
    share = float(np.median(operations * product / np.array(ours)))
    return Row(name, goal, float(np.median(ours)), ratios, share)


def table(measured: dict) -> str:
    """The regimes as a table in Markdown: how many times longer each contestant takes."""
    lines = [["Work", "Goal", *COLUMNS, "vanishing", "of the peak"]]
    lines.append([":--", *["--:"] * (len(lines[0]) - 1)])
    for row in rows(measured):
        cells = [str(row.ratios.get(key, "–")) for key in COLUMNS]
        lines.append([row.name, f"{row.goal:g}", *cells, _milliseconds(row.seconds),
                      f"{100 * row.share:.0f}%"])  # fmt: skip
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _milliseconds(seconds: float) -> str:
    return f"{1e3 * seconds:.3g} ms"


def machine(measured: dict) -> str:
    """The machine, whether it had other work, the day and the versions."""
    on, versions = measured["machine"], measured["versions"]
    libraries = ", ".join(f"{name} {version}" for name, version in sorted(versions.items()))
    where = f"{on['processor']}, {on['cores']} cores, {on['system']}, {on['date']}"
    busy = f"\nBusy: {on['load']:.0f} programs were running beside it." if on["load"] >= 1 else ""
    return f"{where}{busy}\nPython {on['python']}, {libraries}"


def in_words(found: list[Row]) -> str:
    """Which goals were reached, and which were missed by how much.

    >>> far = Ratio(2.0, 3.0, 4.0)
    >>> print(in_words([Row("one", 2, 1e-3, {HOOKS: far}, 0.2), Row("two", 6, 1.0, {}, 0.1)]))
    1 of 1 goals reached.
    """
    judged = [row for row in found if row.reached is not None]
    missed = [row for row in judged if not row.reached]
    lines = [f"{len(judged) - len(missed)} of {len(judged)} goals reached."]
    lines += [
        f"Missed: {row.name}: {row.ratios[HOOKS].median:.1f} of {row.goal:g}, "
        f"at {100 * row.share:.0f}% of the peak."
        for row in missed
    ]
    return "\n".join(lines)


def depth_table(measured: dict) -> str:
    """What depth costs, as a table in Markdown: seconds to compile the probe, and memory."""
    lines = ["| Depth | vanishing compiles | JAX, unrolled |", "|--:|--:|--:|"]
    unrolled = measured["compile"]["JAX"]
    for depth, seconds in measured["compile"]["vanishing"].items():
        other = f"{unrolled[depth]:.2f} s" if depth in unrolled else "–"
        lines.append(f"| {depth} | {seconds:.2f} s | {other} |")
    return "\n".join(lines)


def memory_table(measured: dict) -> str:
    """What the probe of a deep network needs beside the parameters, as a table in Markdown."""
    lines = [
        "| Network | Parameters | PyTorch, hooks | vanishing | Ratio |",
        "|:--|--:|--:|--:|--:|",
    ]
    for row in measured["memory"]:
        ours, theirs = row["bytes"]["vanishing"], row["bytes"]["torch"]
        ratio = f"{ours / theirs:.2f}" if ours and theirs else "–"
        cells = (row["name"], *map(_megabytes, (row["parameters"], theirs, ours)), ratio)
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def page_table(measured: dict) -> str:
    """The compiled program in a page beside its rivals, as a table in Markdown.

    How many times longer each takes, round by round, and what a page loads of it.
    """
    times, loaded = measured["page"]["milliseconds"], measured["page"]["bytes"]
    ours, *others = loaded
    lines = [["In a page", *times, "Loads"], [":--", *["--:"] * (len(times) + 1)]]
    own = [f"{np.median(found[ours]):.3g} ms" for found in times.values()]
    lines.append([ours, *own, _size(loaded[ours])])
    for name in others:
        found = [str(ratio(found[name], found[ours])) for found in times.values()]
        lines.append([name, *found, _size(loaded[name])])
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _size(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count >= 1e6 else f"{count / 1e3:.1f} kB"


def _megabytes(count: int | None) -> str:
    return "–" if count is None else f"{count / 1e6:.0f} MB"
