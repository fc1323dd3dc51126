"""The figure in Python: what it accepts, what it tells the host, what it puts into the page."""

import base64
import gzip
import html.parser
import io
import json
import re

import jax.numpy as jnp
import numpy as np
import pytest
import traitlets
from matplotlib import image
from matplotlib.colors import LinearSegmentedColormap, LogNorm, Normalize
from matplotlib.figure import Figure

from vanishing import live
from vanishing.live import palette
from vanishing.live.artists.axes import axis_maps, colour_map
from vanishing.live.machine import Run
from vanishing.live.page import assets
from vanishing.live.page.svg import points, themed_svg

SLIDER = live.Slider("a", 0.0, 2.0, value=1.0)
T = np.linspace(0, 1, 5, dtype=np.float32)


def compute(a):
    return {"y": a * jnp.asarray(T), "level": a, "z": a * jnp.ones((2, 3))}


def make(bind, compute=compute, controls=(SLIDER,), scale="linear", **options):
    """A live figure whose artist is what ``bind(ax)`` returns."""
    fig = Figure((4, 3), layout="constrained")
    ax = fig.subplots()
    ax.set(ylim=(1e-3, 2), yscale=scale)
    options = {"name": "tiny", "alt": "A line.", **options}
    return live.figure(fig, compute, list(controls), bind(ax), **options)


def line(ax):
    return {ax.plot(T, T)[0]: "y"}


@pytest.mark.parametrize(
    ("bind", "words"),
    [
        (lambda ax: {ax.plot(T, T)[0]: "x"}, r"an output among \['level', 'y', 'z'\]; got 'x'"),
        (lambda ax: {ax.plot(T[:3], T[:3])[0]: "y"}, "expected 3 values of 'y'"),
        (lambda ax: {ax.plot(T, T)[0]: {"colour": "y"}}, "expected roles among"),
        (lambda ax: {ax.bar([0, 1], [1, 1]): "y"}, "expected 2 values"),
        (lambda ax: {ax.stairs(T[:2]): "y"}, "expected 2 values"),
        (lambda ax: {ax.imshow(np.ones((3, 3))): "z"}, "expected 9 values"),
        (lambda ax: {ax.text(0, 0, ""): "{y}"}, "expected one number"),
        (lambda ax: {ax.text(0, 0, ""): r"$\chi$ {level}"}, "without TeX"),
        (lambda ax: {ax.plot(T, T, drawstyle="steps")[0]: "y"}, "ax.stairs"),
        (lambda ax: {ax.plot(T, T, transform=ax.transAxes)[0]: "y"}, "data coordinates"),
        (lambda ax: {ax.fill_between(T, T, 2 * T): {"lower": "y"}}, "expected roles among"),
        (lambda ax: {live.draw_network(ax, [2, 2]): "y"}, "expected 4 values of 'y'"),
        (lambda ax: {live.draw_network(ax, [2, 2]): {"edges": "y"}}, "expected 1 values"),
        (lambda ax: {live.draw_network(ax, [2, 2]): {"skip": "y"}}, "expected roles among"),
        (lambda ax: {live.Cursor("layer", range(1, 3), [ax.plot(T, T)[0]]): ""}, "a bound Line2D"),
        (lambda ax: {live.Cursor("layer", range(1, 3), [ax]): "{y}"}, "expected one number"),
        (lambda ax: {live.Cursor("layer", range(1), [ax]): ""}, "expected a range of two"),
        (lambda ax: {live.Cursor("layer", range(2), []): ""}, "expected a place"),
        (lambda ax: {live.Cursor("l", range(2), [ax]): "" for _ in "ab"}, "expected one cursor"),
    ],
)
def test_what_does_not_fit_is_refused_with_a_remedy(bind, words):
    with pytest.raises(ValueError, match=words):
        make(bind)


def test_unknown_artists_and_bad_functions_are_refused():
    with pytest.raises(TypeError, match="got Rectangle"):
        make(lambda ax: {ax.add_patch(ax.bar([0], [1]).patches[0].__class__((0, 0), 1, 1)): "y"})
    with pytest.raises(TypeError, match="a dict of arrays"):
        make(line, compute=lambda a: a)
    with pytest.raises(ValueError, match="symlog"):
        make(line, scale="symlog")
    with pytest.raises(ValueError, match="text alternative"):
        make(line, alt=" ")
    with pytest.raises(ValueError, match="expected an identifier"):
        make(line, name="two words")
    with pytest.raises(ValueError, match="twice"):
        make(line, controls=[SLIDER, SLIDER])
    with pytest.raises(ValueError, match="expected uint8"):
        make(line, compute=lambda a, d: compute(a), data={"d": np.ones(3)})
    with pytest.raises(ValueError, match="preview"):
        doubling(preview=11)


def test_what_the_browser_cannot_run_is_refused_when_the_figure_is_made():
    with pytest.raises(live.CompileError):
        make(line, compute=lambda a: {"y": jnp.linalg.svd(a * jnp.ones((5, 5)))[1]})


@pytest.mark.parametrize("scale", ["linear", "log"])
def test_positions_are_matplotlibs(scale):
    figure = make(line, scale=scale)
    fig = figure.layouts[0].fig
    ax = fig.axes[0]
    maps = axis_maps(ax)
    rng = np.random.default_rng(0)
    data = rng.uniform(0.01, 2, (20, 2))
    with points(fig):
        expected = ax.transData.transform(data)
        height = fig.bbox.height
    offset, slope, log, _ = maps["y"]
    values = np.log10(data[:, 1]) if log else data[:, 1]
    np.testing.assert_allclose(offset + slope * values, height - expected[:, 1], rtol=1e-9)
    np.testing.assert_allclose(maps["x"][0] + maps["x"][1] * data[:, 0], expected[:, 0], rtol=1e-9)
    assert bool(log) is (scale == "log")


@pytest.mark.parametrize("norm", [{"vmin": -1, "vmax": 3}, {"norm": LogNorm(0.01, 10)}])
def test_colours_are_matplotlibs(norm):
    shown = Figure().subplots().imshow(np.ones((2, 2)), cmap="magma", **norm)
    spec = colour_map(shown)
    table = np.frombuffer(base64.b64decode(spec["table"]), np.uint8).reshape(-1, 4)
    offset, slope, log = spec["norm"]
    values = np.random.default_rng(1).uniform(0.001, 20, 100)
    t = offset + slope * (np.log10(values) if log else values)
    inside = np.minimum(np.floor(t * 256), 255).astype(int) + 1
    index = np.where(t < 0, 0, np.where(t > 1, 257, inside))
    np.testing.assert_array_equal(table[index], shown.to_rgba(values, bytes=True))


@pytest.mark.parametrize("shades", [3, 400])
def test_images_keep_their_pixels_in_half_the_bytes(shades):
    z = np.random.default_rng(0).uniform(size=(40, 50))
    fig = Figure()
    steps = LinearSegmentedColormap.from_list("steps", [(0, 0.5, 1, 0), (1, 0, 0, 1)], shades)
    fig.subplots().imshow(z, steps, interpolation="none")
    encoded = re.search(r"base64,([^\"]+)", themed_svg(fig))[1]
    data = base64.b64decode(encoded)
    expected = steps(Normalize(z.min(), z.max())(z), bytes=True)
    np.testing.assert_array_equal(np.round(255 * image.imread(io.BytesIO(data))), expected)
    assert (data[25] == 3) == (shades < 257)  # the kind of PNG: with a table of its colours


class Elements(html.parser.HTMLParser):
    """Collects ids, and the text of the JSON block."""

    def __init__(self, text):
        super().__init__()
        self.ids, self.scripts, self._script = [], [], False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.ids += [value for key, value in attrs if key == "id"]
        self._script = dict(attrs).get("type") == "application/json"

    def handle_data(self, data):
        if self._script:
            self.scripts.append(data)


def test_the_page_holds_all_and_ids_differ():
    figure = make(line, name="held", describe="level </script> {level}")
    first, second = Elements(figure.html()), Elements(figure.html())
    assert first.ids[0] == "fig-held" and second.ids[0] == "fig-held-2"
    assert not set(first.ids) & set(second.ids)
    assert len(first.ids) == len(set(first.ids))
    (block,) = first.scripts
    spec = json.loads(block)
    assert spec["programs"]["compute"] == assets.strip(figure.programs["compute"].source)
    assert spec["outputs"] == ["level", "y", "z"]
    assert spec["say"][0] == "level </script> "


def test_the_picture_is_that_of_the_defaults_and_comes_out_the_same():
    figure = make(line, name="same")
    np.testing.assert_array_equal(figure.layouts[0].fig.axes[0].lines[0].get_ydata(), T)
    assert figure.svg("x") == figure.svg("x")
    assert figure.svg("x") != figure.svg("x", figure.evaluate(a=2.0))
    assert figure.sentence == "Level is 1; y from 0 to 1."


def test_a_second_layout_shows_the_same_outputs_under_ids_of_its_own():
    def second(output="y"):
        fig = Figure((2, 2))
        ax = fig.subplots()
        return fig, {ax.plot(T, np.zeros(5))[0]: output}

    figure = make(line, name="twofold", narrow=second())
    for layout in figure.layouts:
        np.testing.assert_array_equal(layout.fig.axes[0].lines[0].get_ydata(), T)
    page = Elements(figure.html())
    assert len(page.ids) == len(set(page.ids))
    assert {"fig-twofold.twofold-0-0", "fig-twofold-narrow.twofold-0-0"} <= set(page.ids)
    assert figure.html().count("<svg") == 2 and make(line).html().count("<svg") == 1
    with pytest.raises(ValueError, match=r"narrow: expected artists for the outputs \['y'\]"):
        make(line, narrow=(Figure(), {}))


def test_markers_that_the_page_could_not_find_are_refused():
    def afar(ax):
        return {ax.plot([-40], [1.0], "x")[0]: {"y": "level"}}

    def near(ax):
        ax.set_xlim(0, 1)
        return {ax.plot([-0.1], [1.0], "x")[0]: {"y": "level"}}

    assert "fig-tiny.tiny-0-0" in make(near).svg()
    with pytest.raises(ValueError, match="markers of which one at least lies in the figure"):
        make(lambda ax: (ax.set_xlim(0, 1), afar(ax))[1]).svg()


def test_values_are_kept_in_range_and_unknown_ones_refused():
    figure = make(line)
    assert figure.state(a=99) == {"a": 2.0}
    with pytest.raises(ValueError, match=r"names among \['a'\]; got \['b'\]"):
        figure.evaluate(b=1)


def doubling(**options):
    def step(state, a):
        return state * 2, {"y": state * jnp.ones(5)}

    return live.Animation(lambda a: a, step, steps=10, **options)


def test_runs_do_not_disturb_each_other():
    figure = make(line, compute=doubling(preview=2))
    widget, answers = figure.widget, []
    widget.send = lambda content, buffers=None: answers.append((content, buffers))

    def seek(view, to):
        request = {"op": "seek", "state": {"a": 1.0}, "view": view, "to": to}
        widget._answer(None, request, [])
        content, (y,) = answers[-1]
        return content["count"], np.frombuffer(y, "float32")[0]

    assert seek("one", 4) == (4, 16)
    assert seek("two", 1) == (1, 2)
    assert figure.evaluate(a=2.0)["y"][0] == 8
    assert seek("one", 5) == (5, 32) and seek("two", 2) == (2, 4)
    assert seek("one", 3) == (3, 8)
    widget._answer(None, {"op": "close", "view": "one"}, [])
    assert set(widget._runs) == {"two"}


def test_an_animation_shows_the_state_that_comes_in():
    animation = doubling(preview=3)
    figure = make(line, compute=animation)
    assert figure.outputs["y"][0] == 8
    assert figure.machine.restart({"a": 1.5})["y"][0] == 1.5
    run = Run(figure.machine, {"a": 1.5})
    run.advance({"a": 1.5}, 2)
    assert run.outputs({"a": 1.5})["y"][0] == 6
    assert set(figure.programs) == {"init", "step"}


def test_colours_become_variables_and_nothing_leaks():
    fig = Figure((2, 2))
    fig.subplots().plot(T, T, color=palette.CYCLE["blue"].light)
    svg = themed_svg(fig, 'Say "what"', prefix="p.")
    assert f'stroke="var(--vg-blue, {palette.CYCLE["blue"].light})"' in svg
    assert not re.search(r' (d|x|y)="[^"]*\.\d{3}', svg)  # hundredths of a point are enough
    assert "style=" not in svg  # a strict Content-Security-Policy would drop it
    assert "<style" not in svg and "<!--" not in svg and "&quot;what&quot;" in svg
    assert all(name.startswith("p.") for name in re.findall(r' id="([^"]*)"', svg))
    referred = set(re.findall(r'href="#([^"]*)"', svg)) | set(re.findall(r"url\(#([^)]*)\)", svg))
    assert referred == set(re.findall(r' id="([^"]*)"', svg))


def test_words_with_an_address_are_links_that_a_reader_of_the_page_finds():
    fig = Figure((2, 2))
    fig.text(0.5, 0.5, "deep", url="#fig-ramp?a=1&b=x%20y")
    svg = themed_svg(fig, "A word.", prefix="p.")
    assert '<a href="#fig-ramp?a=1&amp;b=x%20y"><text' in svg.replace("<g>", "")
    assert svg.startswith('<svg role="group"') and "_blank" not in svg


def contrast(one, two):
    def luminance(colour):
        c = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
        linear = np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)
        return linear @ [0.2126, 0.7152, 0.0722]

    low, high = sorted((luminance(one), luminance(two)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("name", [*palette.CYCLE, *palette.LAYERS, "ink"])
def test_colours_stand_out_on_their_paper(name):
    colour, paper = palette.PALETTE[name], palette.PALETTE["surface"]
    assert contrast(colour.light, paper.light) >= 4.5
    assert contrast(colour.dark, paper.dark) >= 4.5


def test_files_are_stripped():
    assert "\n\n" not in assets.script() and "@param" not in assets.script()
    assert "hydrate(document)" in assets.script() and "export default" in assets.module()
    assert "/*" not in assets.stylesheet()


def test_what_a_page_loads_is_small():
    # Runtime and compiler's kernel, host with scrubbing, presets, docking, addresses, numbers,
    # networks, the cursor that panels and formulas share, the lines for a notebook.
    assert len(gzip.compress(assets.script().encode(), 9)) <= 21 * 1024


def test_the_widget_has_a_trait_for_every_control_and_answers_with_bytes():
    controls = [SLIDER, live.Choice("c", ["x", "y"]), live.Toggle("t"), live.Seed("s")]

    def all_of_them(a, c, t, s):
        return {"y": a * jnp.asarray(T), "n": c + s + t.astype(jnp.int32)}

    widget = make(line, compute=all_of_them, controls=controls, name="traits").widget
    assert {"a", "c", "t", "s"} <= set(widget.keys)
    with pytest.raises(traitlets.TraitError):
        widget.a = 9.0
    sent = []
    widget.send = lambda content, buffers=None: sent.append((content, buffers))
    state = {"a": 2.0, "c": "y", "t": True, "s": 4}
    widget._answer(None, {"op": "compute", "state": state, "view": "v"}, [])
    (content, buffers), *_ = sent
    assert content == {"view": "v", "dtypes": ["int32", "float32"]}
    assert np.frombuffer(buffers[0], "int32") == 6
    np.testing.assert_array_equal(np.frombuffer(buffers[1], "float32"), 2 * T)


def test_outside_jupyter_no_comm_is_made(monkeypatch):
    bundle = make(line, name="still")._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "text/html", "image/png"}
    width, height = np.frombuffer(bundle["image/png"][16:24], ">u4")
    assert (width, height) == (600, 450)  # 4 by 3 inches
