"""A matplotlib figure that stays alive: on a static page, in slides and in Jupyter."""

import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from vanishing.live import names, reading
from vanishing.live.artists.marks import BoundLine
from vanishing.live.controls import Control, Slider, Value
from vanishing.live.layout import Layout
from vanishing.live.machine import Animation, Machine
from vanishing.live.page import text
from vanishing.live.page.assets import strip
from vanishing.live.page.markup import figure_html, json_ready
from vanishing.live.page.svg import png

_shown: Counter[str] = Counter()  # how often each name was displayed: ids differ by it


class LiveFigure:
    """A matplotlib figure kept alive: controls move, `compute` runs again, artists follow.

    It displays itself: let it be the last value of a cell.

    Args:
        fig: the figure, its axes and limits as they shall stay. Bound artists need placeholder
            data of the right size.
        compute: pure function `compute(**controls) -> dict[str, Array]` with static shapes, or
            an `Animation`.
        controls: `Slider`, `Choice`, `Toggle`, `Seed`.
        bind: artist → output name, or names by role, or the template of a text; and a `Cursor` →
            the template of what it says.
        name: identifier; the figure's element is `fig-<name>`.
        alt: text alternative of the first picture: what there is to see.
        title: what the figure is called, in words; the name with spaces by default.
        caption: HTML under the figure.
        describe: template of the sentence said after a change, such as
            `"gradient at layer 1 {gradient[0]!v:.1e}"`; see `vanishing.live.page.text`.
        words: what outputs are called where the figure speaks of them: `{"z": "pre-activation"}`.
        data: shared arrays, uint8, at most 64 KB each; `compute` receives them by keyword.
        pick: bound axvline or axhline → the slider that it stands for, which a tap in its axes
            then moves.
        presets: cases worth seeing, a button each: `{"He": {"sigma_w": 1.41}}`; controls that a
            case does not name are at their default in it.
        narrow: `(fig, bind)` or `(fig, bind, pick)`: the same outputs drawn a second time, for
            narrow pages. A page shows the one or the other, as its width allows; without it the
            picture shrinks with the page, and its words with it. Draw it 3.6 inches wide, and no
            higher than leaves room for the controls.
        python: lines of Python that make this figure anywhere, the last of them the call; a page
            offers them, with the state that its reader has found, to who wants it in a notebook.
        page: address of the published page that shows the figure; in a notebook it has a link to
            its state there.

    Attributes:
        layouts: the drawings, each a `Layout`; the wide one first.
        outputs: of the first picture, by name, as NumPy arrays.
        defaults: control values of the first picture, by name.

    Raises:
        TypeError: if something is of the wrong kind.
        ValueError: if names, shapes, scales or formats do not fit.
        CompileError: if `compute` cannot be compiled for the browser.

    >>> fig = Figure((3, 2))
    >>> (line,) = fig.subplots().plot([0, 1], [0, 1])
    >>> slope = Slider("slope", 0.0, 2.0, value=1.0)
    >>> compute = lambda slope: {"y": slope * np.arange(2, dtype=np.float32)}
    >>> live = LiveFigure(fig, compute, [slope], {line: "y"}, name="ramp", alt="A ramp.")
    >>> live.evaluate(slope=2)["y"]
    array([0., 2.], dtype=float32)
    """

    def __init__(
        self,
        fig: Figure,
        compute: Callable[..., Mapping[str, Any]] | Animation,
        controls: Sequence[Control],
        bind: Mapping[Any, Any],
        *,
        name: str,
        alt: str,
        title: str = "",
        caption: str = "",
        describe: str | None = None,
        words: Mapping[str, str] | None = None,
        data: Mapping[str, Any] | None = None,
        pick: Mapping[Any, str] | None = None,
        presets: Mapping[str, Mapping[str, Value]] | None = None,
        narrow: tuple | None = None,
        python: str = "",
        page: str = "",
    ) -> None:
        names.check_words(name, alt)
        self.name, self.alt, self.caption = name, alt, caption
        self.python, self.page = python, page
        self.title = title or name.replace("_", " ")
        self.controls = tuple(controls)
        names.check_controls(self.controls, animated=isinstance(compute, Animation))
        self.machine = Machine(compute, self.controls, data, name)
        self.defaults: dict[str, Value] = {c.name: c.value for c in self.controls}
        self.presets = {word: self.state(**case) for word, case in (presets or {}).items()}
        self.outputs = self.machine.compute(self.defaults)
        self.layouts = self._layouts((fig, bind, pick), narrow)
        self.words = self._names(words or {})
        self._say = text.parse(describe or self._summary(), self._shapes, list(self.defaults))
        self.programs = self.machine.programs(self.defaults)
        self.spec  # noqa: B018  (here, since IPython only prints errors raised while displaying)

    @property
    def _shapes(self) -> dict[str, tuple[int, ...]]:
        return {key: value.shape for key, value in self.outputs.items()}

    def _layouts(self, wide: tuple, narrow: Any) -> list[Layout]:
        if narrow is not None and not (isinstance(narrow, tuple) and 2 <= len(narrow) <= 3):
            raise TypeError(
                f"narrow: expected a tuple (fig, bind) or (fig, bind, pick); got {narrow!r}. "
                "Draw the figure a second time, and pass both with what its artists show."
            )
        sliders = [control.name for control in self.controls if isinstance(control, Slider)]
        shared = {"name": self.name, "outputs": self.outputs, "sliders": sliders}
        layouts = [Layout(*drawn, **shared) for drawn in (wide, narrow) if drawn is not None]
        shown = [sorted(layout.drawn()) for layout in layouts]
        if shown[-1] != shown[0]:
            raise ValueError(
                f"narrow: expected artists for the outputs {shown[0]}; got those for {shown[-1]}. "
                "Both layouts show the same."
            )
        return layouts

    def _names(self, words: Mapping[str, str]) -> dict[str, str]:
        unknown = sorted(set(words) - set(self.outputs))
        if unknown:
            raise ValueError(
                f"words: expected outputs among {list(self.outputs)}; got {unknown}. "
                "Name what compute returns."
            )
        return {name: words.get(name, name.replace("_", " ")) for name in self.outputs}

    def _summary(self) -> str:
        """A template that names the ends of every line and every single number."""
        bounds = self.layouts[0].bounds
        lines = {bound.shows.get("y") for bound in bounds if isinstance(bound, BoundLine)}
        said = []
        for name, value in self.outputs.items():
            words = self.words[name].replace("{", "{{").replace("}", "}}")
            if value.size == 1:
                said.append(f"{words} {{{name}!v:.3g}}")
            elif name in lines and value.ndim == 1:
                said.append(f"{words} from {{{name}[0]:.2g}} to {{{name}[-1]:.2g}}")
        return "; ".join(said) or "The picture has changed"

    def draw(self, outputs: Mapping[str, Any]) -> None:
        """Move the matplotlib artists to `outputs`: by name, of the shapes that compute returns."""
        for layout in self.layouts:
            layout.draw(outputs)

    def evaluate(self, **values: Value) -> dict[str, np.ndarray]:
        """The outputs at the given control values, the others at their default, from JAX.

        An animated figure gives those of its picture at rest.

        Args:
            **values: by the name of the control: a `Slider`'s number, the text of a `Choice`.

        Returns:
            By name, arrays of the shape and dtype that compute returns.

        Raises:
            ValueError: if a control is unknown, or a value means nothing to it.
        """
        return self.machine.compute(self.state(**values))

    def at(self, **values: Value) -> "LiveFigure":
        """This figure, moved in the notebook to the given control values, others at their default.

        Its page writes such a call for the state that a reader has found there. On a page a figure
        opens at its defaults: link to another state.

        Args:
            **values: as for `evaluate`; of an animated figure also `step`, a count, in which to
                rest; `preview` by default.

        Raises:
            ValueError: if a control is unknown, or a value means nothing to it.

        >>> fig = Figure((3, 2))
        >>> bind, x = {fig.subplots().axvline(0): "x"}, Slider("x", 0, 9, 5)
        >>> live = LiveFigure(fig, lambda x: {"x": x}, [x], bind, name="line", alt="A line.")
        >>> live.at(x=7).widget.x
        7
        """
        for name, value in reading.state(self.settings, values).items():
            setattr(self.widget, name, value)
        return self

    @property
    def settings(self) -> tuple[Control, ...]:
        """What an address tells of the figure: its controls, and the step of an animated one."""
        animation = self.machine.animation
        if animation is None:
            return self.controls
        return (*self.controls, Slider("step", 0, animation.steps, animation.preview))

    def state(self, **values: Value) -> dict[str, Value]:
        """All control values, those given inside their range, the others at default.

        Raises:
            ValueError: if a control is unknown, or a value means nothing to it.
        """
        return reading.state(self.controls, values)

    @property
    def sentence(self) -> str:
        """The picture at the defaults in words, as the page says it first."""
        spoken = {c.name: c.spoken(c.value) for c in self.controls}
        words = text.render(self._say, self.outputs, spoken)
        return text.capital(words) + "." + text.gaps(self.outputs, self._drawn())

    def _drawn(self) -> list[tuple[str, str, bool]]:
        """Name and words of each output that is drawn, and whether NaN may pad its end."""
        return [
            (name, self.words[name], kinds <= {"line", "network"})
            for name, kinds in self.layouts[0].drawn().items()
        ]

    @cached_property
    def spec(self) -> dict[str, Any]:
        """Everything that the host needs beside picture and programs, as JSON values."""
        spec = {
            "name": self.name,
            "controls": [self._control(control) for control in self.controls],
            "layouts": [layout.spec() for layout in self.layouts],
            "outputs": list(self.outputs),
            "say": self._say,
            "drawn": self._drawn(),
            "presets": list(self.presets.values()),
            "data": list(self.machine.data),
            "python": self.python,
        }
        if self.machine.animation:
            spec["animation"] = self._animation()
        return json_ready(spec)

    def _control(self, control: Control) -> dict[str, Any]:
        """The control's own spec, where the output that lies ahead is one number of this figure."""
        ahead = getattr(control, "ahead", None)
        if ahead is None:
            return control.spec()
        if self.machine.animation:
            raise ValueError(
                f"{control.name}: expected no ahead in an animated figure, whose outcome is a "
                "whole run; got one. Drop it."
            )
        (field,) = text.parse(f"{{{ahead.output}}}", self._shapes)
        place = {"name": field["name"], "index": field["index"]}
        return {**control.spec(), "ahead": {**place, "low": ahead.low, "high": ahead.high}}

    def _animation(self) -> dict[str, Any]:
        animation, leaves = self.machine.animation, self.machine.state_leaves(self.defaults)
        return {
            "steps": animation.steps,
            "stride": animation.draw_every,
            "preview": animation.preview,
            "autoplay": animation.autoplay,
            "ranks": [leaf.ndim for leaf in leaves],
            "bytes": sum(leaf.size * leaf.dtype.itemsize for leaf in leaves),
        }

    def svg(
        self,
        uid: str | None = None,
        outputs: Mapping[str, Any] | None = None,
        *,
        narrow: bool = False,
    ) -> str:
        """The picture as SVG, in points; ids begin with `uid`.

        Args:
            uid: `fig-<name>` if None.
            outputs: what to show, of the shapes that compute returns; those at the defaults if
                None.
            narrow: in the layout for narrow pages, which the figure must have.
        """
        prefix = f"{uid or 'fig-' + self.name}{'-narrow' * narrow}."
        shown = self.outputs if outputs is None else outputs
        return self.layouts[narrow].svg(shown, self.alt, prefix)

    def html(self) -> str:
        """The figure for a page that serves `vanishing-live.js` and `.css`."""
        _shown[self.name] += 1
        uid = f"fig-{self.name}" + (f"-{_shown[self.name]}" if _shown[self.name] > 1 else "")
        sources = {key: strip(program.source) for key, program in self.programs.items()}
        svgs = [self.svg(uid, narrow=bool(k)) for k in range(len(self.layouts))]
        return figure_html(self, uid, svgs, {**self.spec, "programs": sources})

    @cached_property
    def widget(self):
        """The figure as an `anywidget.AnyWidget`; its controls are synced traits."""
        from vanishing.live.widget import make_widget

        return make_widget(self)

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict[str, Any]:
        bundle = self.widget._repr_mimebundle_()[0] if has_frontend() else {}
        words = f"LiveFigure {self.name}: {self.alt}"
        page = self.html()  # leaves the figure at its defaults, which the PNG then shows
        picture = {"text/html": page, "image/png": png(self.layouts[0].fig)}
        return {**bundle, "text/plain": words, **picture}


#: How a figure is made: `live.figure(fig, compute, controls, bind, name=..., alt=...)`.
figure = LiveFigure


def has_frontend() -> bool:
    """Whether a Jupyter front end listens: a kernel runs, and no page or slide is being built."""
    if os.environ.get("VANISHING_LIVE") in ("page", "slide"):
        return False
    try:
        from IPython import get_ipython
    except ImportError:
        return False
    return getattr(get_ipython(), "kernel", None) is not None
