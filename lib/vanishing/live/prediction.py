"""You draw it: a picture on which the reader draws what they expect before it shows what is so."""

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
from matplotlib.colors import to_hex
from matplotlib.container import BarContainer
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from vanishing.live.artists.axes import axes_box, axis_maps
from vanishing.live.figure import has_frontend
from vanishing.live.page import assets
from vanishing.live.page.form import label_html
from vanishing.live.page.markup import inert, json_ready
from vanishing.live.page.numbers import KINDS
from vanishing.live.page.svg import check_figure, png, points, themed_svg
from vanishing.live.palette import VARIABLES

#: A figure, and the artists that wait until the reader has drawn; the measured ones first.
Drawing = tuple[Figure, Sequence[Any]]
_FORM = re.compile(rf"\.?(\d*)([{''.join(KINDS)}])")
_shown: Counter[str] = Counter()
_HOW = "Draw on the picture, or move these"
_UNDRAWN = "Show it without drawing"


def predict(
    *drawings: Drawing,
    at: Mapping[str, float] | Sequence[Mapping[str, float]],
    name: str,
    question: str,
    alt: str,
    known: Sequence[float] = (),
    form: str = "g",
    unit: str = "",
) -> "Prediction":
    """Ask the reader to draw curves, points or bars, then lay the measurement over them.

    By mouse, touch or pen the reader draws on the picture itself; by keyboard or with a screen
    reader they move one slider for each handle. The prediction stays in the reader's own
    browser. Without JavaScript the picture waits in a closed box.

    Args:
        drawings: one or two drawings of the same, for a wide page and for a narrow one. Of the
            artists that wait, the first are what was measured: lines (points where no line joins
            their markers), or bars.
        at: the handles of a measured artist: what each is called → its place along the x axis;
            of several artists a list, in their order.
        name: an identifier, one for each prediction of a page.
        question: what to draw, in a sentence; `_` after a symbol sets a subscript.
        alt: what the finished picture shows.
        known: places along the x axis at which the measured value is given beforehand.
        form: how to set a value: one of `numbers.KINDS` with its digits, such as ".2g" or ".0f".
        unit: what follows a value, such as "%".

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
    handles = [at] if isinstance(at, Mapping) else list(at)
    if not handles or not all(handles):
        raise ValueError("at: expected at least one handle; got none. Pass {'layer 1': 1}.")
    match = _FORM.fullmatch(form)
    if match is None:
        raise ValueError(
            f"form: expected digits and one of {', '.join(KINDS)}; got {form!r}. Try '.2g'."
        )
    number = {"type": match[2], "digits": int(match[1] or (0 if match[2] == "d" else 3))}
    pictures = [_picture(drawing, len(handles)) for drawing in drawings]
    measured = drawings[0][1][: len(handles)]
    spec = {
        "name": name,
        "form": number,
        "unit": unit,
        "handles": [
            {"label": label, "series": k, **_measured(artist, place)}
            for k, (artist, places) in enumerate(zip(measured, handles, strict=True))
            for label, place in places.items()
        ],
        "series": [_series(artist, known) for artist in measured],
        "bars": isinstance(measured[0], BarContainer),
        "pictures": pictures,
    }
    return Prediction(drawings, name, question, alt, json_ready(spec))


def _series(artist: Any, known: Sequence[float]) -> dict[str, Any]:
    """One of the measured artists: its name, its colour, and what is known of it beforehand."""
    patch = artist[0].get_facecolor() if isinstance(artist, BarContainer) else artist.get_color()
    colour = to_hex(patch)
    given = [_measured(artist, place) for place in known]
    return {
        "label": str(artist.get_label()),
        "colour": VARIABLES.get(colour, colour),
        "joined": isinstance(artist, Line2D) and artist.get_linestyle() != "None",
        "known": [[point["x"], point["truth"]] for point in given],
    }


def _measured(artist: Any, place: float) -> dict[str, float]:
    """Where a handle stands, and what was measured there.

    Between two points of a line that is the line as drawn; where markers show the points, and
    among bars, it is the nearest of them.
    """
    if isinstance(artist, BarContainer):
        x = np.array([bar.get_x() + bar.get_width() / 2 for bar in artist])
        y = np.array([bar.get_height() for bar in artist])
    else:
        x, y = (np.asarray(values, float) for values in artist.get_data(orig=True))
    apart = np.abs(x - place)
    nearest = int(np.argmin(apart))
    marked = isinstance(artist, BarContainer) or artist.get_marker() not in (None, "", " ", "None")
    inside = x.min() <= place <= x.max()
    if apart[nearest] == 0 or (marked and (inside or apart[nearest] < 0.5)):
        return {"x": float(x[nearest]), "truth": float(y[nearest])}
    if not inside:
        raise ValueError(
            f"at: expected places on the line, {x.min():g} to {x.max():g}; got {place:g} outside. "
            "There is no measurement to compare with."
        )
    order = np.argsort(x)
    log = artist.axes.get_yscale() == "log"
    value = np.interp(place, x[order], np.log10(y[order]) if log else y[order])
    return {"x": float(place), "truth": float(10.0**value if log else value)}


def _picture(drawing: Drawing, series: int) -> dict[str, Any]:
    figure, artists = drawing
    check_figure(figure)
    measured = list(artists[:series])
    wrong = [artist for artist in measured if not isinstance(artist, Line2D | BarContainer)]
    if wrong or len(measured) < series:
        kind = type(wrong[0]).__name__ if wrong else f"{len(measured)} of {series}"
        raise TypeError(
            f"drawings: expected a line or bars first among the artists that wait; got {kind}. "
            "Pass (figure, [line, label, …])."
        )
    first = measured[0]
    ax = first.axes if isinstance(first, Line2D) else first[0].axes
    plt.close(figure)
    for axes in figure.axes:
        axes.set(xlim=axes.get_xlim(), ylim=axes.get_ylim())
    with points(figure):
        figure.draw_without_rendering()
    figure.set_layout_engine("none")
    maps = axis_maps(ax)
    ends = np.array(ax.get_ylim(), float)
    ends = np.log10(ends) if maps["y"][2] else ends
    bars = list(first) if isinstance(first, BarContainer) else []
    return {
        "axes": maps,
        "box": axes_box(ax),
        "ends": sorted(map(float, ends)),
        "width": float(np.mean([bar.get_width() for bar in bars])) if bars else 0.0,
        "base": float(bars[0].get_y()) if bars else 0.0,
    }


def _parts(artist: Any) -> list[Any]:
    return list(artist) if isinstance(artist, BarContainer) else [artist]


class PredictionWidget(anywidget.AnyWidget):
    """What the reader draws, as synced traits."""

    _esm = assets.predict_module()
    _css = assets.stylesheet()
    _html = traitlets.Unicode().tag(sync=True)
    prediction = traitlets.List(traitlets.Float(allow_none=True)).tag(sync=True)
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
        prefix, keep = f"{uid}-{number}.", [artist.get_gid() for artist in waiting]
        svg = themed_svg(figure, self.alt, prefix=prefix, keep=keep)
        return re.sub(rf' id="{re.escape(prefix)}waits-\d+"', ' class="guess-waits"', svg)

    @cached_property
    def widget(self) -> "PredictionWidget":
        """The prediction as an `anywidget.AnyWidget`.

        Its traits: `prediction`, one number for each handle (None where the reader has drawn
        nothing; empty at first), and `compared`.
        """
        return PredictionWidget(_html=self.html())

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict[str, Any]:
        bundle = self.widget._repr_mimebundle_()[0] if has_frontend() else {}
        return {
            **bundle,
            "text/plain": f"Prediction {self.name}: {self.question}",
            "text/html": self.html(),
            "image/png": png(self.drawings[0][0]),
        }

    def html(self) -> str:
        """The prediction for a page that serves `vanishing-predict.js` and `vanishing-live.css`.

        All of it stands in the markup at its final height: the stylesheet shows the form where
        scripts run, and a closed box where they do not.
        """
        _shown[self.name] += 1
        uid = f"guess-{self.name}" + (f"-{_shown[self.name]}" if _shown[self.name] > 1 else "")
        kinds = ("vg-wide", "vg-narrow") if len(self.drawings) == 2 else ("",)
        pictures = "".join(
            f'<div class="guess-picture {kind}">{self._svg(k, uid)}</div>'
            for k, kind in enumerate(kinds)
        )
        block = json.dumps({**self.spec, "uid": uid}, ensure_ascii=False, separators=(",", ":"))
        return (
            f'<div class="live-guess" id="{uid}" role="group" aria-labelledby="{uid}-asks">'
            f'<p class="guess-question" id="{uid}-asks">{label_html(self.question)}</p>'
            f'<details class="guess-fold"><summary>Predict, then open</summary></details>'
            f'<div class="guess-body">{pictures}<form class="guess-form">{self._pens(uid)}'
            f'<fieldset class="guess-handles"><legend>{_HOW}</legend>{self._sliders(uid)}'
            '</fieldset><p class="guess-buttons"><button type="button" class="guess-compare" '
            'disabled>Compare with the measurement</button><button type="button" '
            f'class="guess-again" data-first="{_UNDRAWN}">{_UNDRAWN}</button></p>'
            '<p class="guess-words" role="status"></p></form></div>'
            f'<script type="application/json" class="guess-spec">{inert(block)}</script></div>'
        )

    def _pens(self, uid: str) -> str:
        """Which of several curves the next stroke draws."""
        series = self.spec["series"]
        if len(series) < 2:
            return ""
        pens = "".join(
            f'<label><input type="radio" name="{uid}-pen" value="{k}"{" checked" * (k == 0)}> '
            f"{label_html(one['label'])}</label>"
            for k, one in enumerate(series)
        )
        return f'<fieldset class="guess-pens"><legend>You draw</legend>{pens}</fieldset>'

    def _sliders(self, uid: str) -> str:
        low, high = self.spec["pictures"][0]["ends"]
        scale = f'min="{low:g}" max="{high:g}" step="{(high - low) / 100:g}"'
        return "".join(
            f'<div class="guess-handle"><label for="{uid}-{k}">{label_html(handle["label"])}'
            f'</label><input type="range" id="{uid}-{k}" {scale} value="{(low + high) / 2:g}">'
            f'<output for="{uid}-{k}"></output></div>'
            for k, handle in enumerate(self.spec["handles"])
        )
