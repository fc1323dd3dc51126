"""The live figure in Jupyter: an anywidget whose controls are synced traits.

The host draws as on a page; the numbers come from the kernel, where `jax.jit` runs the function.
"""

import time
from typing import Any

import anywidget
import numpy as np
import traitlets

from vanishing.live.controls import Choice, Control, Slider, Toggle
from vanishing.live.machine import Machine, Run
from vanishing.live.page import assets

_PATIENCE = 0.02  # seconds of a run between two answers, so that a newer wish need not wait


class LiveWidget(anywidget.AnyWidget):
    """What all figures' widgets share; each figure adds a trait per control."""

    _spec = traitlets.Dict().tag(sync=True)
    _html = traitlets.Unicode().tag(sync=True)

    def __init__(self, machine: Machine, **kwargs: Any) -> None:
        self._machine = machine
        self._runs: dict[str, Run] = {}  # by view: two views of one widget run apart
        super().__init__(**kwargs)
        self.on_msg(self._answer)

    def _answer(self, _, request: dict[str, Any], buffers: list) -> None:
        """Compute what a view asks for, and send the outputs' bytes back to it."""
        view = request["view"]
        if request["op"] == "close":
            self._runs.pop(view, None)
            return
        reply: dict[str, Any] = {"view": view}
        try:
            outputs = self._evaluate(request)
        except Exception as error:  # whatever goes wrong, the view must not wait for ever
            self.send({**reply, "error": f"{type(error).__name__}: {error}"})
            raise
        if view in self._runs:
            reply["count"] = self._runs[view].count
        reply["dtypes"] = [str(value.dtype) for value in outputs.values()]
        self.send(reply, [np.ascontiguousarray(value).tobytes() for value in outputs.values()])

    def _evaluate(self, request: dict[str, Any]) -> dict[str, np.ndarray]:
        if request["op"] == "compute":
            return self._machine.compute(request["state"])
        return self._seek(request["view"], request["state"], request["to"], request.get("fresh"))

    def _seek(self, view: str, values: dict, to: int, fresh: bool | None) -> dict[str, np.ndarray]:
        """Come nearer to step `to` while patience lasts; backwards is once more from step 0."""
        run = self._runs.get(view)
        if fresh or run is None or not run.leads_to(values, to):
            run = self._runs[view] = Run(self._machine, values)
        end = time.monotonic() + _PATIENCE
        while run.count < to and time.monotonic() < end:
            run.advance(values, 1)
        return run.outputs(values)


def _trait(control: Control) -> traitlets.TraitType:
    if isinstance(control, Slider):
        kind = traitlets.CInt if control.integer else traitlets.CFloat
        return kind(control.value, min=control.minimum, max=control.maximum).tag(sync=True)
    if isinstance(control, Choice):
        return traitlets.Enum(list(control.options), default_value=control.value).tag(sync=True)
    if isinstance(control, Toggle):
        return traitlets.Bool(control.value).tag(sync=True)
    return traitlets.CInt(control.value, min=0, max=2**31 - 1).tag(sync=True)


def make_widget(figure: Any) -> LiveWidget:
    """The widget of a `vanishing.live.LiveFigure`.

    `figure.widget.sigma_w = 1.4` moves the control in every view; `observe`, `link` and `jslink`
    work as with any ipywidget, and so does `VBox([figure.widget, ...])`. The step of an animated
    figure is the one at which its reader, or Python, has let it rest.
    """
    traits = {control.name: _trait(control) for control in figure.settings}
    # anywidget reads these from the class; they are built here, not when the module is imported.
    source = {"_esm": assets.module(), "_css": assets.stylesheet()}
    kind = type(f"Live_{figure.name}", (LiveWidget,), {**traits, **source})
    spec = {**figure.spec, "page": figure.page}
    return kind(figure.machine, _spec=spec, _html=figure.html())
