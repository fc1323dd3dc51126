"""What the reader is asked to draw before a still figure shows what was measured."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure

#: The mark (`gid`) of an artist that is no measurement, and is seen while the reader draws.
GIVEN = "given"


class Ask(NamedTuple):
    """A question about a figure: what `style.picture` takes as `ask`.

    Attributes:
        name: an identifier, one for each prediction of a page.
        question: what to draw, in a sentence.
        at: name of a line (or of bars) as it stands in the figure → the place along the x axis
            at which to predict it, or what each of several places is called → the place.
        known: places at which the measured value is given beforehand.
        form, unit: how a value is set: digits and type, and what follows it.
        panel: which of the figure's axes to draw on.
    """

    name: str
    question: str
    at: Mapping[str, float | Mapping[str, float]]
    known: Sequence[float] = ()
    form: str = "g"
    unit: str = ""
    panel: int = 0

    @property
    def handles(self) -> list[dict[str, float]]:
        """The places of each line, every one under a name that says of which line it is.

        >>> Ask("a", "How far?", {"tanh": 1, "ReLU": {"layer 1": 1}}).handles
        [{'tanh': 1}, {'ReLU, layer 1': 1}]
        """
        return [
            {f"{line}, {place}" if len(self.at) > 1 else place: x for place, x in places.items()}
            if isinstance(places, Mapping)
            else {line: places}
            for line, places in self.at.items()
        ]


def waiting(figure: Figure, ask: Ask) -> list[Any]:
    """The artists that wait for the reader: those asked about first, then all that would tell.

    Every line, band, bar and word of the figure would, but for those marked `GIVEN`.

    Raises:
        ValueError: the panel has no line, and no bars, of a name that `ask` gives.

    >>> figure = Figure()
    >>> _ = figure.subplots().plot([0, 1], [0, 1], label="tanh")
    >>> len(waiting(figure, Ask("a", "How far?", {"tanh": 1})))
    1
    """
    panel = figure.axes[ask.panel]
    named = {str(one.get_label()): one for one in [*panel.containers, *panel.lines]}
    missing = [name for name in ask.at if name not in named]
    if missing:
        raise ValueError(
            f"at: expected names of lines or bars in the panel, {sorted(named)}; got {missing}. "
            "Write them as they stand in the figure."
        )
    asked = [named[name] for name in ask.at]
    seen = {id(part) for one in asked for part in (one if isinstance(one, tuple) else [one])}
    others = [part for axes in figure.axes for part in _drawn(axes) if id(part) not in seen]
    return [*asked, *(part for part in others if part.get_gid() != GIVEN)]


def _drawn(axes: Axes) -> list[Any]:
    arrows = [arrow for text in axes.texts if (arrow := getattr(text, "arrow_patch", None))]
    return [*axes.lines, *axes.collections, *axes.patches, *axes.images, *axes.texts, *arrows]
