"""You draw it: a picture on which the reader draws what they expect before it shows what is so."""

import html
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import anywidget
import matplotlib.pyplot as plt
import numpy as np
import traitlets
from matplotlib.container import BarContainer
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from vanishing.live.artists.axes import axes_box, axis_maps
from vanishing.live.figure import has_frontend
from vanishing.live.page import assets
from vanishing.live.page.markup import inert, json_ready
from vanishing.live.page.numbers import KINDS
from vanishing.live.page.svg import check_figure, points, themed_svg

#: A figure, and the artists that wait until the reader has drawn; the measured one first.
Drawing = tuple[Figure, Sequence[Any]]
_FORM = re.compile(rf"\.?(\d*)([{''.join(KINDS)}])")
_shown: Counter[str] = Counter()


def predict(
    *drawings: Drawing,
    at: Mapping[str, float],
    name: str,
    question: str,
    alt: str,
    form: str = "g",
    unit: str = "",
) -> "Prediction":
    """Ask the reader to draw a curve or bars, then lay the measurement over it.

    By mouse, touch or pen the reader draws on the picture itself; by keyboard or with a screen
    reader they move one slider for each handle. The prediction stays in the reader's own
    browser. Without JavaScript the picture waits in a closed box.

    Args:
        drawings: one or two drawings of the same, for a wide page and for a narrow one. The
            first of the artists that wait is the measurement: a line, or bars.
        at: the handles: what each is called → its place along the x axis.
        name: an identifier, one for each prediction of a page.
        question: what to draw, in a sentence.
        alt: what the finished picture shows.
        form: how to set a value: one of `numbers.KINDS` with its digits, such as ".2g" or ".0f".
        unit: what follows a value, such as " %".

    Returns:
        A `Prediction`; as the last value of a cell it shows itself.

    Raises:
        ValueError, TypeError: an argument is of the wrong kind, named in the message.

    >>> figure = Figure()
    >>> line = figure.subplots().semilogy([1, 10], [1e-5, 1.0])
    >>> asked = predict((figure, line), at={"layer 1": 1, "layer 10": 10}, name="shrinks",
    ...                 question="How much is left?", alt="A line falls from 1 to 1e-5.")
    >>> [handle["truth"] for handle in asked.spec["handles"]]
    [1e-05, 1.0]
    """
    if not re.fullmatch(r"[a-z][a-z0-9_-]*", name):
        raise ValueError(
            f"name: expected small letters, digits, - and _; got {name!r}. It names the prediction "
            "in the page and in the reader's browser."
        )
    if not 1 <= len(drawings) <= 2:
        raise ValueError(
            f"drawings: expected one, or two for wide and narrow pages; got {len(drawings)}. "
            "Pass (figure, [line, …])."
        )
    if not at:
        raise ValueError("at: expected at least one handle; got none. Pass {'layer 1': 1}.")
    match = _FORM.fullmatch(form)
    if match is None:
        raise ValueError(
            f"form: expected digits and one of {', '.join(KINDS)}; got {form!r}. Try '.2g'."
        )
    number = {"type": match[2], "digits": int(match[1] or (0 if match[2] == "d" else 3))}
    pictures = [_picture(drawing, at) for drawing in drawings]
    _, artists = drawings[0]
    spec = {
        "name": name,
        "form": number,
        "unit": unit,
        "handles": [
            {"label": label, "x": float(x), "truth": value}
            for (label, x), value in zip(at.items(), _truths(artists[0], at), strict=True)
        ],
        "bars": isinstance(artists[0], BarContainer),
        "pictures": pictures,
    }
    return Prediction(drawings, name, question, alt, json_ready(spec))


def _truths(artist: Any, at: Mapping[str, float]) -> list[float]:
    """What was measured at each handle; between two points of a line, on the line as drawn."""
    if isinstance(artist, BarContainer):
        x = np.array([bar.get_x() + bar.get_width() / 2 for bar in artist])
        y = np.array([bar.get_height() for bar in artist])
        return [float(y[np.argmin(np.abs(x - place))]) for place in at.values()]
    x, y = (np.asarray(values, float) for values in artist.get_data(orig=True))
    outside = [label for label, place in at.items() if not x.min() <= place <= x.max()]
    if outside:
        raise ValueError(
            f"at: expected places on the line, {x.min():g} to {x.max():g}; got {outside} outside. "
            "There is no measurement to compare with."
        )
    order = np.argsort(x)
    log = artist.axes.get_yscale() == "log"
    scaled = np.log10(y[order]) if log else y[order]
    found = np.interp(list(at.values()), x[order], scaled)
    exact = {float(place): float(value) for place, value in zip(x, y, strict=True)}
    values = 10.0**found if log else found
    return [exact.get(float(p), float(v)) for p, v in zip(at.values(), values, strict=True)]


def _picture(drawing: Drawing, at: Mapping[str, float]) -> dict[str, Any]:
    figure, artists = drawing
    check_figure(figure)
    if not artists or not isinstance(artists[0], Line2D | BarContainer):
        kind = type(artists[0]).__name__ if artists else "nothing"
        raise TypeError(
            f"drawings: expected a line or bars first among the artists that wait; got {kind}. "
            "Pass (figure, [line, label, …])."
        )
    ax = artists[0].axes if isinstance(artists[0], Line2D) else artists[0][0].axes
    plt.close(figure)
    for axes in figure.axes:
        axes.set(xlim=axes.get_xlim(), ylim=axes.get_ylim())
    with points(figure):
        figure.draw_without_rendering()
    figure.set_layout_engine("none")
    maps = axis_maps(ax)
    ends = np.array(ax.get_ylim(), float)
    ends = np.log10(ends) if maps["y"][2] else ends
    bars = list(artists[0]) if isinstance(artists[0], BarContainer) else []
    return {
        "axes": maps,
        "box": axes_box(ax),
        "ends": sorted(map(float, ends)),
        "width": float(np.mean([bar.get_width() for bar in bars])) if bars else 0.0,
        "base": float(bars[0].get_y()) if bars else 0.0,
        "waits": sum(len(_parts(artist)) for artist in artists),
    }


def _parts(artist: Any) -> list[Any]:
    return list(artist) if isinstance(artist, BarContainer) else [artist]


class PredictionWidget(anywidget.AnyWidget):
    """What the reader draws, as synced traits."""

    _esm = assets.predict_module()
    _css = assets.stylesheet()
    _html = traitlets.Unicode().tag(sync=True)
    prediction = traitlets.List(traitlets.Float()).tag(sync=True)
    compared = traitlets.Bool(False).tag(sync=True)


@dataclass(frozen=True)
class Prediction:
    """A picture to draw on; made by `predict`.

    Attributes:
        drawings: the figures, each with the artists that wait.
        name: its name in the page.
        question: what the reader is asked.
        alt: what the finished picture shows.
        spec: everything that the host needs, as JSON values.
    """

    drawings: tuple[Drawing, ...]
    name: str
    question: str
    alt: str
    spec: dict[str, Any] = field(repr=False)

    def _svg(self, number: int, uid: str) -> str:
        figure, artists = self.drawings[number]
        waiting = [part for artist in artists for part in _parts(artist)]
        for k, artist in enumerate(waiting):
            artist.set_gid(f"waits-{k}")
        keep = [artist.get_gid() for artist in waiting]
        return themed_svg(figure, self.alt, prefix=f"{uid}-{number}.", keep=keep)

    @cached_property
    def widget(self) -> "PredictionWidget":
        """The prediction as an `anywidget.AnyWidget`.

        Its traits: `prediction`, one number for each handle (empty before the reader has drawn),
        and `compared`.
        """
        return PredictionWidget(_html=self.html())

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict[str, Any]:
        bundle = self.widget._repr_mimebundle_()[0] if has_frontend() else {}
        return {
            **bundle,
            "text/plain": f"Prediction {self.name}: {self.question}",
            "text/html": self.html(),
        }

    def html(self) -> str:
        """The prediction for a page that serves `vanishing-predict.js` and `vanishing-live.css`."""
        _shown[self.name] += 1
        uid = f"guess-{self.name}" + (f"-{_shown[self.name]}" if _shown[self.name] > 1 else "")
        kinds = ("vg-wide", "vg-narrow") if len(self.drawings) == 2 else ("",)
        pictures = "".join(
            f'<div class="guess-picture {kind}">{self._svg(k, uid)}</div>'
            for k, kind in enumerate(kinds)
        )
        sliders = "".join(
            f'<div class="guess-handle"><label for="{uid}-{k}">{html.escape(handle["label"])}'
            f'</label><input type="range" id="{uid}-{k}"><output for="{uid}-{k}"></output></div>'
            for k, handle in enumerate(self.spec["handles"])
        )
        block = json.dumps({**self.spec, "uid": uid}, ensure_ascii=False, separators=(",", ":"))
        return (
            f'<div class="live-guess" id="{uid}">'
            f'<p class="guess-question">{html.escape(self.question)}</p>'
            f"<details><summary>Predict, then open</summary>{pictures}"
            f'<form class="guess-form" hidden><fieldset><legend>Your prediction</legend>{sliders}'
            '</fieldset><p><button type="button" class="guess-compare">Compare with the '
            'measurement</button> <button type="button" class="guess-again">Draw again</button>'
            '</p></form><p class="guess-words" role="status"></p></details>'
            f'<script type="application/json" class="guess-spec">{inert(block)}</script></div>'
        )
