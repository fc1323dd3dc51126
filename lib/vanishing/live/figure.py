"""A matplotlib figure that stays alive: on a static page, in slides and in Jupyter."""

import os
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from vanishing.live.artists.binding import bind_artist
from vanishing.live.artists.marks import BoundLine, BoundRule
from vanishing.live.controls import Control, Slider, Value, clean, validate
from vanishing.live.machine import Animation, Machine
from vanishing.live.page import text
from vanishing.live.page.assets import strip
from vanishing.live.page.markup import figure_html, json_ready
from vanishing.live.page.svg import points, themed_svg

_shown: Counter[str] = Counter()  # how often each name was displayed: ids differ by it


class LiveFigure:
    """What :func:`figure` returns; it displays itself."""

    def __init__(
        self,
        fig,
        compute,
        controls,
        bind,
        *,
        name,
        alt,
        caption="",
        describe=None,
        data=None,
        pick=None,
    ):
        _check_words(name, alt)
        validate(list(controls))
        self.fig, self.name, self.alt, self.caption = fig, name, alt, caption
        self.controls = tuple(controls)
        self.machine = Machine(compute, self.controls, data, name)
        self.defaults: dict[str, Value] = {c.name: c.value for c in self.controls}
        self.bounds = [bind_artist(artist, target) for artist, target in bind.items()]
        self.outputs = self.machine.compute(self.defaults)
        shapes = {key: value.shape for key, value in self.outputs.items()}
        for bound in self.bounds:
            bound.check(shapes)
        self._freeze()
        self.picks = [self._pick(rule, control) for rule, control in (pick or {}).items()]
        self._say = text.parse(describe or self._summary(), shapes, list(self.defaults))
        self.draw(self.outputs)
        self.programs = self.machine.programs(self.defaults)
        self.spec  # noqa: B018  (here, since IPython only prints errors raised while displaying)

    def _pick(self, rule: Any, control: str) -> dict[str, Any]:
        """Return what the host needs to turn a tap in the rule's axes into the control's value."""
        bound = next((b for b in self.bounds if b.artist is rule), None)
        sliders = [c.name for c in self.controls if isinstance(c, Slider)]
        if not isinstance(bound, BoundRule) or control not in sliders:
            raise ValueError(
                f"pick: expected a bound axvline or axhline and one of the sliders {sliders}, got "
                f"{type(rule).__name__} and {control!r} instead."
            )
        return {"control": control, **bound.place()}

    def _freeze(self) -> None:
        """Keep limits and layout, so that two settings compare honestly."""
        plt.close(self.fig)  # else the notebook shows it a second time, still
        for ax in self.fig.axes:
            ax.set(xlim=ax.get_xlim(), ylim=ax.get_ylim())
        with points(self.fig):
            self.fig.draw_without_rendering()
        self.fig.set_layout_engine("none")

    def _summary(self) -> str:
        """Return a template that names the ends of every line and every single number."""
        lines = {b.shows.get("y") for b in self.bounds if isinstance(b, BoundLine)}
        said = []
        for name, value in self.outputs.items():
            words = name.replace("_", " ")
            if value.size == 1:
                said.append(f"{words} {{{name}!v:.3g}}")
            elif name in lines and value.ndim == 1:
                said.append(f"{words} from {{{name}[0]:.2g}} to {{{name}[-1]:.2g}}")
        return "; ".join(said) or "The picture has changed"

    def draw(self, outputs: Mapping[str, Any]) -> None:
        """Move the matplotlib artists to ``outputs``."""
        for bound in self.bounds:
            bound.apply(outputs)

    def evaluate(self, **values: Value) -> dict[str, np.ndarray]:
        """Return the outputs at the given control values (defaults for the others), from JAX.

        An animated figure gives those of its first picture.
        """
        return self.machine.compute(self.state(**values))

    def state(self, **values: Value) -> dict[str, Value]:
        """Return all control values, those given inside their range, the others at default."""
        unknown = sorted(set(values) - set(self.defaults))
        if unknown:
            raise ValueError(f"Expected controls among {sorted(self.defaults)}, got {unknown}.")
        return {c.name: clean(c, values.get(c.name, c.value)) for c in self.controls}

    @property
    def sentence(self) -> str:
        """The picture at the defaults in words, as the live region says it first."""
        spoken = {c.name: c.spoken(c.value) for c in self.controls}
        words = text.render(self._say, self.outputs, spoken)
        return (
            re.sub("^[a-z](?=[a-z ])", lambda first: first[0].upper(), words) + "." + self._gaps()
        )

    def _gaps(self) -> str:
        shown = {name: None for b in self.bounds if b.kind != "text" for name in b.shows.values()}
        return text.gaps(self.outputs, list(shown))

    @cached_property
    def spec(self) -> dict[str, Any]:
        """Everything that the host needs beside picture and programs, as JSON values."""
        artists = [
            bound.spec([f"{self.name}-{row}-{k}" for k in range(len(bound.artists))])
            for row, bound in enumerate(self.bounds)
        ]
        animation = self.machine.animation
        spec = {
            "name": self.name,
            "controls": [control.spec() for control in self.controls],
            "artists": artists,
            "outputs": list(self.outputs),
            "say": self._say,
            "picks": self.picks,
            "data": list(self.machine.data),
            "animation": animation
            and {
                "steps": animation.steps,
                "stride": animation.draw_every,
                "preview": animation.preview,
                "ranks": self.machine.state_ranks(self.defaults),
            },
        }
        return json_ready(spec)

    def svg(self, uid: str | None = None, outputs: Mapping[str, Any] | None = None) -> str:
        """Return the picture of ``outputs`` (at the defaults if None); ids begin with ``uid``."""
        for row, bound in enumerate(self.bounds):
            for k, artist in enumerate(bound.artists):
                artist.set_gid(f"{self.name}-{row}-{k}")
        keep = [artist.get_gid() for bound in self.bounds for artist in bound.artists]
        self.draw(self.outputs if outputs is None else outputs)
        prefix = f"{uid or 'fig-' + self.name}."
        return themed_svg(self.fig, self.alt, prefix=prefix, keep=keep)

    def html(self) -> str:
        """Return the figure for a page that serves ``vanishing-live.js`` and ``.css``."""
        _shown[self.name] += 1
        uid = f"fig-{self.name}" + (f"-{_shown[self.name]}" if _shown[self.name] > 1 else "")
        sources = {key: strip(program.source) for key, program in self.programs.items()}
        return figure_html(self, uid, self.svg(uid), {**self.spec, "programs": sources})

    @cached_property
    def widget(self):
        """The figure as an ``anywidget.AnyWidget``; its controls are synced traits."""
        from vanishing.live.widget import make_widget

        return make_widget(self)

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict[str, Any]:
        bundle = self.widget._repr_mimebundle_()[0] if _has_frontend() else {}
        words = f"LiveFigure {self.name}: {self.alt}"
        return {**bundle, "text/plain": words, "text/html": self.html()}


def _has_frontend() -> bool:
    """Whether a Jupyter front end listens: a kernel runs, and no page is being built."""
    if os.environ.get("VANISHING_LIVE") == "page":
        return False
    try:
        from IPython import get_ipython
    except ImportError:
        return False
    return getattr(get_ipython(), "kernel", None) is not None


def _check_words(name: str, alt: str) -> None:
    if not name.isidentifier():
        raise ValueError(f"Expected an identifier as name, got {name!r}; write words_like_this.")
    if not alt.strip():
        raise ValueError(f"{name}: expected a text alternative that says what there is to see.")


def figure(
    fig: Figure,
    compute: Callable[..., Mapping[str, Any]] | Animation,
    controls: Sequence[Control],
    bind: Mapping[Any, Any],
    *,
    name: str,
    alt: str,
    caption: str = "",
    describe: str | None = None,
    data: Mapping[str, Any] | None = None,
    pick: Mapping[Any, str] | None = None,
) -> LiveFigure:
    """Keep a matplotlib figure alive: controls move, ``compute`` runs again, artists follow.

    Args:
        fig: the figure, its axes and limits as they shall stay. Bound artists need placeholder
            data of the right size.
        compute: pure function ``compute(**controls) -> dict[str, Array]`` with static shapes, or
            an :class:`Animation`.
        controls: :class:`Slider`, :class:`Choice`, :class:`Toggle`, :class:`Seed`.
        bind: artist → output name, or names by role, or the template of a text.
        name: identifier; the figure's element is ``fig-<name>``.
        alt: text alternative of the first picture: what there is to see.
        caption: HTML under the figure.
        describe: template of the sentence said after a change, such as
            ``"gradient at layer 1 {gradient[0]!v:.1e}"``.
        data: shared arrays, uint8, at most 64 KB; ``compute`` receives them by keyword.
        pick: bound axvline or axhline → the slider that it stands for, which a tap in its axes
            then moves.

    Returns:
        a :class:`LiveFigure`; let it be the last value of a cell.

    Raises:
        ValueError: if names, shapes, scales or formats do not fit.
        CompileError: if ``compute`` cannot be compiled for the browser.
    """
    return LiveFigure(
        fig,
        compute,
        controls,
        bind,
        name=name,
        alt=alt,
        caption=caption,
        describe=describe,
        data=data,
        pick=pick,
    )
