"""The live figure of `your-own-network`: three models, sick and cured, along their training."""

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from vanishing.book.labels import axis_titles, legend_above
from vanishing.book.style import (
    COLOURS,
    DEAD,
    NATS_PER_DECADE,
    SATURATED,
    canvas,
    is_narrow,
    live_figure,
)
from vanishing.book.your_own_network import models
from vanishing.inspection import Layer
from vanishing.inspection.api import read
from vanishing.inspection.instrument import Instrument
from vanishing.live import Choice, Slider, Toggle

NAMES = tuple(models.MODELS)
#: When the models are inspected: after so many steps of training.
STEPS = (0, 1, 10, 100)
#: Places on the axis; a model with more records (a GRU has some for every time step) shows so
#: many of them, evenly chosen.
PLACES = 20
QUANTITIES = ("gradient", "activation", "dead", "saturated", "unit")
#: A page carries code and few numbers, so each travels as a byte: value = first + step · byte, as
#: fine as a picture can show; 255 stands for what is not drawn.
FIRST = np.array([-19.5, -14.0, 0.0, 0.0, 0.0], np.float32)
FINENESS = np.array([0.1, 0.1, 0.005, 0.005, 1.0], np.float32)
NOTHING = 255


class Read(NamedTuple):
    """What the figure shows of one report.

    Attributes:
        rows: [quantities, places]; NaN where there is nothing.
        loss: the loss.
        findings: how many there are.
        count: how many places are used.
    """

    rows: Float[np.ndarray, "quantities places"]
    loss: float
    findings: int
    count: int


def _chosen(layers: Sequence[Layer]) -> list[Layer]:
    """The records shown: of a loop one layer alone, the last that it has in a turn."""
    turns = [layer for layer in layers if layer.index is not None and layer.kind == "activation"]
    if turns:
        layers = [layer for layer in turns if layer.name == turns[-1].name]
    if len(layers) <= PLACES:
        return list(layers)
    return [layers[k] for k in np.linspace(0, len(layers) - 1, PLACES).round().astype(int)]


def _rows(layers: Sequence[Layer]) -> Float[np.ndarray, "quantities places"]:
    rows = np.full((len(QUANTITIES), PLACES), np.nan, np.float32)
    for place, layer in enumerate(layers):
        log = layer.log_gradient_rms, layer.log_activation_rms
        rows[:2, place] = np.array(log) / NATS_PER_DECADE
    # Only activations have units that may be dead: side by side, or each layer would leave a gap.
    units = [(place, layer) for place, layer in enumerate(layers, 1) if layer.kind == "activation"]
    for k, (place, layer) in enumerate(units):
        rows[2:, k] = layer.dead_fraction, layer.saturated_fraction, place
    return rows


@cache
def measured() -> dict[tuple[str, bool, int], Read]:
    """Every model, sick and cured, inspected after each of `STEPS`: one compilation a model."""
    found, instruments = {}, {}
    for name in NAMES:
        for cured in (False, True):
            case = models.MODELS[name](cured, key=jax.random.key(0))
            instrument = instruments.setdefault(
                case.loss, Instrument(case.loss, case.params, case.batch)
            )
            made = 0
            for step in STEPS:
                case, _ = models.train(case, step - made)
                made = step
                report = read(instrument, case.params, case.batch)
                shown = _chosen(report.layers)
                found[name, cured, step] = Read(
                    _rows(shown), report.loss, len(report.findings), len(shown)
                )
    return found


@cache
def _tables() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The same as arrays: [model, cured, step, …], so that the page can choose."""
    grid = [[[measured()[n, c, s] for s in STEPS] for c in (False, True)] for n in NAMES]

    def table(field: str, kind) -> np.ndarray:
        return np.array([[[getattr(r, field) for r in row] for row in rows] for rows in grid], kind)

    rows = packed(table("rows", np.float32))
    return rows, table("loss", np.float32), table("findings", np.uint8), table("count", np.uint8)


def packed(rows: Float[np.ndarray, "*reports quantities places"]) -> np.ndarray:
    """Numbers as bytes."""
    code = np.round((rows - FIRST[:, None]) / FINENESS[:, None])
    return np.where(np.isfinite(code), np.clip(code, 0, NOTHING - 1), NOTHING).astype(np.uint8)


def compute(model, cured, step) -> dict[str, Array]:
    """Choose among the reports that were measured when the book was built.

    Args:
        model: position in `NAMES`.
        cured: whether the fault is mended.
        step: position in `STEPS`.

    Returns:
        `gradient`, `activation` [places]: log₁₀ RMS; `dead`, `saturated` [places]: shares of the
        activations, which stand at the places `unit`; NaN after the last. `loss`; the number of
        `findings` and of places (`count`); the number of `steps` made.
    """
    rows, losses, findings, counts = map(jnp.asarray, _tables())
    at = (model, cured.astype(jnp.int32), step - 1)
    code = rows[at]
    shown = code.astype(jnp.float32) * FINENESS[:, None] + FIRST[:, None]
    shown = jnp.where(code == NOTHING, jnp.nan, shown)
    return {
        **{name: shown[k] for k, name in enumerate(QUANTITIES)},
        "loss": losses[at],
        "findings": findings[at].astype(jnp.int32),
        "count": counts[at].astype(jnp.int32),
        "steps": jnp.asarray(STEPS, jnp.int32)[step - 1],
    }


def _draw():
    figure, axes = canvas(3.6 if is_narrow() else 6.0, rows=3, sharex=True)
    panels = dict(zip(("gradient", "activation", "units"), axes, strict=True))
    place, flat = np.arange(1.0, PLACES + 1), np.zeros(PLACES)
    bind = {}

    def line(panel, shows, label, colour):
        (drawn,) = panels[panel].plot(place, flat, "o-", markersize=4, label=label, color=colour)
        bind[drawn] = shows

    line("gradient", "gradient", "gradient", COLOURS["blue"])
    line("activation", "activation", "signal", COLOURS["ink"])
    line("units", {"x": "unit", "y": "dead"}, "dead", DEAD)
    line("units", {"x": "unit", "y": "saturated"}, "saturated", SATURATED)
    panels["gradient"].set(ylim=(-20, 6), yticks=[-20, -10, 0])
    axis_titles(panels["gradient"], y="log₁₀ gradient RMS")
    panels["activation"].set(ylim=(-14, 12), yticks=[-10, 0, 10])
    axis_titles(panels["activation"], y="log₁₀ signal RMS")
    panels["units"].set(ylim=(-0.03, 1.03), yticks=[0, 0.5, 1])
    axis_titles(panels["units"], x="place on the way up", y="share")
    legend_above(panels["units"])
    for panel in panels.values():
        panel.set(xlim=(0, PLACES + 1), xticks=range(5, PLACES + 1, 5))
    words = panels["gradient"].text(PLACES, 3, "loss 1.0, findings: 0", ha="right")
    bind[words] = "loss {loss:.3g}, findings: {findings}"
    return figure, bind


def reports():
    """Model × sick or cured × time → what `vg.inspect` has measured at every place.

    Returns:
        A live figure; the last value of a cell shows it.
    """
    _tables()  # measured now: inside of `compute`, which is traced, nothing has a value
    controls = [
        Choice("model", NAMES),
        Toggle("cured"),
        Slider("step", 1, len(STEPS), value=1, label="inspection"),
    ]
    return live_figure(
        _draw,
        compute,
        controls,
        name="reports",
        title="reports of three models",
        words={"dead": "dead share", "saturated": "saturated share", "activation": "signal"},
        describe="after {steps} steps of training the loss is {loss:.3g}; the report has "
        "{findings} findings; at the first place the gradient is {gradient[0]:.1p}",
        alt="Three panels over the places of the convolutional network with raw pixels, before "
        "training. Above, five points of the gradient between ten to the minus four and minus "
        "three. In the middle the signal, near ten to the two. Below, no unit is dead and more "
        "than half of the entries of the two ReLUs are flat.",
    )
