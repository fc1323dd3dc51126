"""What every public name of `vanishing.live` says to input that it cannot use."""

import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.figure import Figure

from vanishing import live

pytestmark = pytest.mark.bad_input

T = np.linspace(0, 1, 5, dtype=np.float32)
SLIDER = live.Slider("a", 0.0, 2.0, value=1.0)
ANIMATION = {"init": lambda a: a, "step": lambda s, a: (s, {"y": s * jnp.asarray(T)}), "steps": 9}


def figure(**options):
    """A small figure, with something in it that is wrong."""
    fig = Figure()
    (line,) = fig.subplots().plot(T, T)
    given = {
        "fig": fig,
        "compute": lambda a: {"y": a * jnp.asarray(T)},
        "controls": [SLIDER],
        "bind": {line: "y"},
        "name": "tiny",
        "alt": "A line.",
    }
    return live.figure(**{**given, **options})


def animated(**options):
    """A small animated figure, with something in it that is wrong."""
    return figure(compute=live.Animation(**{**ANIMATION, **options}))


def named(name):
    """A figure whose one control has this name."""
    return figure(
        compute=lambda **values: {"y": jnp.asarray(T) * values[name]},
        controls=[live.Slider(name, 0.0, 2.0, value=1.0)],
    )


def slider(*numbers, **options):
    return live.Slider("x", *numbers, **options)


def network(layers, **options):
    return live.draw_network(Figure().subplots(), layers, **options)


def predict(drawing=None, **options):
    """A small prediction, with something in it that is wrong."""
    fig = Figure()
    drawn = (fig, fig.subplots().plot(T, T)) if drawing is None else drawing
    given = {"at": {"end": 1.0}, "name": "tiny", "question": "How far?", "alt": "A line."}
    return live.predict(drawn, **{**given, **options})


def ahead_of(output):
    strip = live.Ahead(output, 0, 1, label="y")
    return live.Slider("a", 0.0, 1.0, value=0.5, ahead=strip)


OTHER = plt.figure().subplots().plot(T, T)[0]
plt.close("all")

#: public name, call, what the message must name.
CASES = [
    ("Slider", lambda: live.Slider("two words", 0.0, 1.0, value=0.5), "identifier as name"),
    ("Slider", lambda: live.Slider(3, 0.0, 1.0, value=0.5), "identifier as name"),
    ("Slider", lambda: slider("0", 1.0, value=0.5), "as minimum; got '0'"),
    ("Slider", lambda: slider(0.0, None, value=0.5), "as maximum; got None"),
    ("Slider", lambda: slider(0.0, np.nan, value=0.5), "as maximum; got nan"),
    ("Slider", lambda: slider(0.0, 1.0, value=True), "as value; got True"),
    ("Slider", lambda: slider(0.0, 1.0, value=0.5, step="x"), "as step; got 'x'"),
    ("Slider", lambda: slider(0.0, 1.0, value=0.5, step=0), "a positive step"),
    ("Slider", lambda: slider(2.0, 1.0, value=1.5), "minimum < maximum"),
    ("Slider", lambda: slider(0.0, 1.0, value=0.5, log=True), "a positive minimum"),
    ("Slider", lambda: slider(0.0, 1.0, value=0.5, marks=[0.5]), "a mapping as marks"),
    ("Slider", lambda: slider(0.0, 1.0, value=0.5, marks={2: "x"}), "marks in"),
    ("Slider", lambda: slider(0.0, 1.0, value=0.5, marks={1: 1}), "a word for each mark"),
    ("Slider", lambda: slider(0.0, 1.0, value=0.5, when="y"), "a mapping as when"),
    ("Slider", lambda: slider(0.0, 1.0, value=0.5, label=3), "text as label"),
    ("Slider", lambda: slider(0.0, 1.0, value=0.5, ahead="y"), "an Ahead; got 'y'"),
    ("Ahead", lambda: live.Ahead("y", 1, 1, label="y"), r"finite low < high; got \(1, 1\)"),
    ("Ahead", lambda: live.Ahead("y", 0, np.inf, label="y"), "expected finite low < high"),
    ("Ahead", lambda: live.Ahead("y", 0, 1, label=" "), "expected a label; got ' '"),
    ("figure", lambda: figure(controls=[ahead_of("x")]), r"expected one of \['y'\] in braces"),
    ("figure", lambda: figure(controls=[ahead_of("y")]), "expected one number; got 'y' of shape"),
    ("Animation", lambda: figure(
        compute=live.Animation(**ANIMATION), controls=[ahead_of("y[0]")]),
     "no ahead in an animated figure"),
    ("Choice", lambda: live.Choice("c", "tanh"), "a list of options; got 'tanh'"),
    ("Choice", lambda: live.Choice("c", 3), "a list of options; got 3"),
    ("Choice", lambda: live.Choice("c", ["a"]), "two or more"),
    ("Choice", lambda: live.Choice("c", ["a", "b"], value="z"), "got 'z'"),
    ("Toggle", lambda: live.Toggle("t", value="false"), "True or False; got 'false'"),
    ("Toggle", lambda: live.Toggle("t", value=1), "True or False; got 1"),
    ("Seed", lambda: live.Seed("s", value=-1), "got -1"),
    ("Seed", lambda: live.Seed("s", value=1.5), "got 1.5"),
    ("Seed", lambda: live.Seed("s", value="1"), "got '1'"),
    ("Animation", lambda: live.Animation(1, ANIMATION["step"]), "init: expected a function"),
    ("Animation", lambda: live.Animation(ANIMATION["init"], None), "step: expected a function"),
    ("Animation", lambda: live.Animation(**{**ANIMATION, "steps": 0}), "steps: expected"),
    ("Animation", lambda: live.Animation(**{**ANIMATION, "steps": 2.5}), "steps: expected"),
    ("Animation", lambda: live.Animation(**ANIMATION, preview=10), "preview: expected at most"),
    ("Animation", lambda: live.Animation(**ANIMATION, draw_every=10), "draw_every: expected at"),
    ("Animation", lambda: animated(step=lambda s, a: (jnp.stack([s, s]), {"y": T})), "to stay"),
    ("Animation", lambda: animated(step=lambda s, a: (s > 0, {"y": T})), "to stay float32"),
    ("Animation", lambda: animated(step=lambda s, a: ((s, s), {"y": T})), "like that of init"),
    ("Animation", lambda: animated(step=lambda s, a: {"y": T}), r"a pair \(state, outputs\)"),
    ("figure", lambda: figure(fig=3), "fig: expected a matplotlib Figure; got int"),
    ("figure", lambda: figure(compute=3), "compute: expected a function"),
    ("figure", lambda: figure(compute=lambda a: a), "compute: expected a dict of arrays"),
    ("figure", lambda: figure(compute=lambda b: {"y": T}), r"expected a function of \(a\)"),
    ("figure", lambda: figure(controls=["a"]), "controls: expected Slider"),
    ("figure", lambda: figure(controls=[SLIDER, SLIDER]), r"got \['a'\] twice"),
    ("figure", lambda: figure(bind=[1]), "bind: expected a mapping"),
    ("figure", lambda: figure(bind={3: "y"}), "bind: expected a Line2D.*; got int"),
    ("figure", lambda: figure(bind={OTHER: "y"}), "artists of this figure; got a Line2D"),
    ("figure", lambda: figure(name="two words"), "name: expected an identifier"),
    ("figure", lambda: figure(name=3), "name: expected an identifier; got 3"),
    ("figure", lambda: figure(alt=" "), "tiny: expected a text alternative"),
    ("figure", lambda: figure(alt=None), "tiny: expected a text alternative; got None"),
    ("figure", lambda: figure(describe="{x}"), r"expected one of \['a', 'y'\] in braces"),
    ("figure", lambda: figure(words={"x": "an x"}), r"words: expected outputs among \['y'\]"),
    ("figure", lambda: figure(data=[1]), "data: expected a mapping"),
    ("figure", lambda: figure(data={"a": np.zeros(3, np.uint8)}), "no control's; got 'a'"),
    ("figure", lambda: figure(data={"d": T}), r"data\['d'\]: expected uint8"),
    ("figure", lambda: figure(pick={OTHER: "a"}), "pick: expected a bound axvline"),
    ("figure", lambda: figure(narrow=3), r"narrow: expected a tuple \(fig, bind\).*; got 3"),
    ("figure", lambda: figure(presets={"x": {"b": 1}}), r"names among \['a'\]; got \['b'\]"),
    ("figure", lambda: figure(presets={"x": {"a": "much"}}), "a: expected a number; got 'much'"),
    *(
        ("figure", lambda name=name: named(name), f"got '{name}', which Python, the widget")
        for name in ("keys", "comm", "layout", "tooltip", "send", "close", "observe", "traits",
                     "log", "model_id", "open", "lambda", "class", "_x", "__proto__")
    ),
    ("figure", lambda: figure(controls=[live.Slider("a", 0.0, 1.0, value=0.5, when={"b": 1})]),
     "when to name one of"),
    ("figure", lambda: figure(compute=lambda a, t: {"y": T}, controls=[
        live.Slider("a", 0.0, 1.0, value=0.5, when={"t": "on"}), live.Toggle("t")]),
     "a value of that control; got 'on'"),
    ("LiveFigure", lambda: figure().evaluate(b=1), "names among"),
    ("LiveFigure", lambda: figure().evaluate(a="much"), "a: expected a number; got 'much'"),
    ("LiveFigure", lambda: figure().state(a=np.nan), "a: expected a number; got nan"),
    ("LiveFigure", lambda: figure().state(a=True), "a: expected a number; got True"),
    ("compile", lambda: live.compile(lambda x: jnp.linalg.svd(x)[1], jnp.eye(3)), "svd"),
    ("Program", lambda: live.compile(lambda x: x, T).run(T[:2]), r"shape \(5,\)"),
    ("Cursor", lambda: live.Cursor("layer", range(1, 2), [3]), "layer: expected a range of two"),
    ("Cursor", lambda: live.Cursor("layer", 9, [3]), "layer: expected a range of two .* got 9"),
    ("Cursor", lambda: live.Cursor("layer", range(9), []), "layer: expected a place to mark"),
    ("Cursor", lambda: live.Cursor("layer", range(9), 3), "layer: expected a list of places"),
    ("Cursor", lambda: figure(bind={live.Cursor("layer", range(9), [3]): "all"}), "got int"),
    ("draw_network", lambda: network([]), "layers: expected at least one unit"),
    ("draw_network", lambda: network([3, 0]), "layers: expected at least one unit"),
    ("draw_network", lambda: network([3], skips=[(1, 2)]), "skips: expected pairs of layers"),
    ("draw_network", lambda: network([3, 3], skips=[(2, 1)]), "skips: expected pairs of layers"),
    ("draw_network", lambda: network([3], full=0), "full: expected another value"),
    ("draw_network", lambda: network([3], colour="puce"), "colour: expected one of .*got"),
    ("predict", lambda: predict(name="Two words"), "name: expected small letters"),
    ("predict", lambda: predict(at={}), "at: expected at least one handle"),
    ("predict", lambda: predict(at={"before": -1}), "at: expected places on the line, 0 to 1"),
    ("predict", lambda: predict(form="many"), "form: expected digits and one of"),
    ("predict", lambda: predict(drawing=(Figure(), [])), "a line or bars first .* got 0 of 1"),
    ("predict", lambda: predict(drawing=(3, [])), "fig: expected a matplotlib Figure; got int"),
    ("predict", lambda: live.predict(at={"a": 1}, name="a", question="?", alt="A line."),
     "drawings: expected one, or two"),
    ("themed_svg", lambda: live.themed_svg(3), "fig: expected a matplotlib Figure; got int"),
]  # fmt: skip
#: Public names that take no input of their own.
EXEMPT = {"CompileError", "NetworkPicture", "Prediction"}


@pytest.mark.parametrize(("name", "call", "words"), CASES)
def test_bad_input_is_named(name, call, words):
    with pytest.raises((TypeError, ValueError, live.CompileError), match=words) as caught:
        call()
    if name not in ("compile", "Program"):  # the compiler's messages have a test of their own
        assert "expected" in str(caught.value) and "; got " in str(caught.value)


def test_every_public_name_has_a_case():
    assert {name for name, *_ in CASES} | EXEMPT == set(live.__all__)
