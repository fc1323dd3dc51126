"""The report: records and findings, printed, drawn, tabulated, saved and compared."""

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from zlib import crc32

import numpy as np

from vanishing.inspection import page
from vanishing.inspection.findings import decades, place
from vanishing.inspection.nonfinite import Culprit
from vanishing.inspection.records import Finding, Layer, Parameter

# A table in a terminal shows so many rows, the first and the last of them.
ROWS = 24
COLUMNS = ("layer", "lg activation", "dead", "saturated", "alike", "lg gradient")


@dataclass(frozen=True, repr=False)
class Report:
    """What `inspect` has measured.

    Attributes:
        loss: the loss on the batch.
        layers: one `Layer` for each layer and activation, in the order of the forward pass; in a
            scan, one for each iteration.
        parameters: `jax.tree_util.keystr` of the path → `Parameter`.
        findings: what is wrong, the gravest first; empty where nothing is.
        loss_scale: number format → the largest power of two that the loss can be multiplied by
            without the largest gradient leaving the format.
        examples: number of examples in the batch, None where it cannot be told.
        crossed: lines in which every prediction meets every target, where two shapes have been
            stretched across each other.
        not_a_number: parameters and arrays of the batch that hold a NaN or an infinity, looked
            for where the loss or a gradient is none.
        culprit: the first equation that makes a NaN or an infinity of finite numbers, looked for
            where the loss or a gradient is none; None where every number is finite.
    """

    loss: float
    layers: tuple[Layer, ...]
    parameters: Mapping[str, Parameter]
    loss_scale: Mapping[str, float]
    examples: int | None
    findings: tuple[Finding, ...] = field(default=())
    crossed: tuple[str, ...] = ()
    not_a_number: tuple[str, ...] = ()
    culprit: Culprit | None = None

    @property
    def finite(self) -> bool:
        """Whether the loss and every gradient are numbers."""
        sizes = [parameter.log_gradient_rms for parameter in self.parameters.values()]
        return bool(np.isfinite(self.loss)) and not any(np.isnan(s) or s == np.inf for s in sizes)

    def __str__(self) -> str:
        rows = [COLUMNS, *map(_cells, self.layers)]
        if len(rows) > ROWS + 1:
            half = ROWS // 2
            left_out = (f"… {len(rows) - 1 - 2 * half} more", *[""] * (len(COLUMNS) - 1))
            rows = [*rows[: half + 1], left_out, *rows[-half:]]
        lines = [_title(self), "", *_aligned(rows), ""]
        return "\n".join([*lines, *(f"{n}. {f}" for n, f in enumerate(self.findings, 1))]).rstrip()

    __repr__ = __str__

    def _repr_html_(self) -> str:
        found = "".join(
            f"<li><strong>{_text(f.problem)}</strong>: {_text(f.where)}. {_text(f.evidence)} "
            f"{_text(f.remedy)} <em>Chapter: {_text(f.chapter)}.</em></li>"
            for f in self.findings
        )
        head = "".join(f"<th scope=col>{name}</th>" for name in COLUMNS)
        body = "".join(
            "<tr>" + "".join(f"<td>{_text(cell)}</td>" for cell in _cells(layer)) + "</tr>"
            for layer in self.layers
        )
        return (
            f"<div class=vg-report><style>{page.STYLE}</style><p>{_text(_title(self))}</p>"
            f"<ol>{found}</ol>{_picture(self)}"
            f"<details open><summary>Every layer</summary><table><thead><tr>{head}</tr></thead>"
            f"<tbody>{body}</tbody></table></details></div>"
        )

    def frame(self):
        """The layers as a pandas `DataFrame`, one row a layer, without histograms.

        Raises:
            ModuleNotFoundError: pandas is not installed.
        """
        try:
            import pandas
        except ModuleNotFoundError as error:
            raise ModuleNotFoundError(
                "frame: expected pandas to be installed; got none. Run pip install pandas, or "
                "read report.layers."
            ) from error
        spread = ["activation_histogram", "gradient_histogram"]
        return pandas.DataFrame([vars(layer) for layer in self.layers]).drop(columns=spread)

    def figure(self):
        """A matplotlib figure: sizes of signals and gradients, shares of dead units, by layer."""
        import matplotlib as mpl
        from matplotlib.figure import Figure

        from vanishing.live.palette import COLOURS, STYLE

        with mpl.rc_context(STYLE):
            figure = Figure(figsize=(7, 5.2))
            figure.subplots_adjust(page.LEFT, 0.1, page.RIGHT, 0.98, hspace=0.3)
            panels = figure.subplots(3, 1, sharex=True)
            for kind, mark, colour in (("layer", "o", "blue"), ("activation", ".", "purple")):
                some = [(k, layer) for k, layer in enumerate(self.layers) if layer.kind == kind]
                for panel, name in zip(panels, ("activation", "gradient"), strict=False):
                    sizes = [decades(getattr(x, f"log_{name}_rms")) for _, x in some]
                    at = [k for k, _ in some]
                    panel.plot(at, sizes, mark, color=COLOURS[colour], label=kind)
            units = [(k, x) for k, x in enumerate(self.layers) if x.kind == "activation"]
            for name, mark, colour in (("dead", "s", "vermilion"), ("saturated", "x", "gold")):
                shares = [getattr(x, f"{name}_fraction") for _, x in units]
                at = [k for k, _ in units]
                label = f"{name} {'units' if name == 'dead' else 'entries'}"
                panels[2].plot(at, shares, mark, color=COLOURS[colour], label=label)
            panels[0].set(ylabel="log₁₀ RMS\nof the signal")
            panels[1].set(ylabel="log₁₀ RMS\nof the gradient")
            panels[2].set(
                ylabel="share",
                xlim=(-0.5, len(self.layers) - 0.5),
                ylim=(-0.05, 1.05),
                xlabel="layer, in the order of the forward pass",
            )
            for panel in (panels[0], panels[2]):
                panel.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=2, borderpad=0)
        return figure

    def save(self, path: str | Path) -> Path:
        """Write one HTML file that asks for nothing else, and return its path."""
        from vanishing.live import palette

        path = Path(path)
        path.write_text(
            "<!doctype html><html lang=en><meta charset=utf-8>"
            "<meta name=viewport content='width=device-width'>"
            f"<title>Vanishing Gradients: report</title><style>{palette.css()}{page.PAPER}</style>"
            f"{self._repr_html_()}</html>",
            encoding="utf-8",
        )
        return path

    def compare(self, after: "Report") -> "Comparison":
        """What is another in a later report of the same network."""
        return Comparison(self, after)


@dataclass(frozen=True, repr=False)
class Comparison:
    """Two reports, layer by layer.

    Attributes:
        before: the earlier report.
        after: the later report.
    """

    before: Report
    after: Report

    @property
    def changes(self) -> tuple[tuple[str, float, float], ...]:
        """(layer, change of ln activation RMS, change of ln gradient RMS) of what both have."""
        old = {(layer.name, layer.index): layer for layer in self.before.layers}
        pairs = [(old[x.name, x.index], x) for x in self.after.layers if (x.name, x.index) in old]
        return tuple(
            (
                place(new),
                new.log_activation_rms - was.log_activation_rms,
                new.log_gradient_rms - was.log_gradient_rms,
            )
            for was, new in pairs
        )

    @property
    def cured(self) -> tuple[Finding, ...]:
        """Findings of the earlier report whose problem the later one has no more."""
        left = {finding.problem for finding in self.after.findings}
        return tuple(f for f in self.before.findings if f.problem not in left)

    @property
    def new(self) -> tuple[Finding, ...]:
        """Findings of the later report whose problem the earlier one did not have."""
        had = {finding.problem for finding in self.before.findings}
        return tuple(f for f in self.after.findings if f.problem not in had)

    def __str__(self) -> str:
        rows = [("layer", "lg activation", "lg gradient")]
        rows += [(name, f"{decades(a):+.2f}", f"{decades(g):+.2f}") for name, a, g in self.changes]
        lines = [f"loss {self.before.loss:.4g} → {self.after.loss:.4g}", "", *_aligned(rows), ""]
        lines += [f"cured: {finding.problem} ({finding.where})" for finding in self.cured]
        lines += [f"new: {finding}" for finding in self.new]
        return "\n".join(lines).rstrip()

    __repr__ = __str__


def _title(report: Report) -> str:
    found = len(report.findings)
    words = "nothing wrong found" if not found else f"{found} finding{'s' if found > 1 else ''}"
    parts = f"{len(report.layers)} layers and activations, {len(report.parameters)} parameters"
    return f"loss {report.loss:.4g}; {parts}; {words}"


def _cells(layer: Layer) -> tuple[str, ...]:
    return (
        place(layer),
        f"{decades(layer.log_activation_rms):.2f}",
        _share(layer.dead_fraction),
        _share(layer.saturated_fraction),
        "" if np.isnan(layer.feature_correlation) else f"{layer.feature_correlation:.3f}",
        f"{decades(layer.log_gradient_rms):.2f}",
    )


def _share(share: float) -> str:
    return "" if np.isnan(share) else f"{share:.0%}"


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
    return [
        "  ".join(
            cell.ljust(width) if k == 0 else cell.rjust(width)
            for k, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def _text(words: str) -> str:
    return html.escape(words)


def _picture(report: Report) -> str:
    """The figure, in colours that follow the page, with the histograms of every layer."""
    from vanishing.live import themed_svg

    alt = f"Sizes and shares of every layer. {_title(report)}."
    name = f"r{crc32(str(report).encode()):x}"
    svg = themed_svg(report.figure(), alt, prefix=f"{name}-")
    return page.picture(svg, report.layers, name)
