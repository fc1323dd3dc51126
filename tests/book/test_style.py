"""The house style: what the static figures draw, and how they show."""

import re
from functools import cache
from importlib import import_module
from itertools import combinations
from pathlib import Path

import jax
import numpy as np
import pytest
from colorspacious import cspace_convert, deltaE
from matplotlib.colors import to_hex, to_rgb
from matplotlib.transforms import Affine2D, Bbox

from vanishing import activations
from vanishing.book import style
from vanishing.book.chain_rule import plots
from vanishing.book.labels import axis_titles
from vanishing.book.propagation import plots as propagation
from vanishing.live import Slider, palette

LOG = np.log(10) * np.array([-3.0, -2.0, -1.0])


def drawn(picture, label):
    (line,) = [x for ax in picture.figure.axes for x in ax.lines if x.get_label() == label]
    return line


def test_a_picture_is_an_image_with_words_whose_colours_follow_the_theme():
    picture = style.gradient_by_layer({"tanh": LOG}, alt='A "line" & more')
    html = picture._repr_html_()
    assert html.startswith('<svg role="img" aria-label="A &quot;line&quot; &amp; more"')
    left = set(re.findall(r"(?<!, )#[0-9a-f]{6}\b", html))  # not the fallback of a variable
    assert not left & {colour.light for colour in palette.PALETTE.values()}
    assert palette.VARIABLES[palette.CYCLE["blue"].light] in html
    assert picture._repr_png_().startswith(b"\x89PNG")


def test_ids_of_two_pictures_do_not_collide():
    first, second = (
        style.gradient_by_layer({"tanh": LOG}, alt=alt)._repr_html_() for alt in ("one", "two")
    )
    ids = [set(re.findall(r' id="([^"]+)"', html)) for html in (first, second)]
    assert ids[0] and not ids[0] & ids[1]


def test_the_same_picture_gives_the_same_bytes():
    htmls = {style.gradient_by_layer({"tanh": LOG}, alt="a")._repr_html_() for _ in range(2)}
    assert len(htmls) == 1


def test_gradients_are_drawn_in_decades_from_the_last_layer():
    picture = style.gradient_by_layer({"tanh": jax.numpy.asarray(LOG)}, {"tanh": LOG, "story": LOG},
                                      alt="a")  # fmt: skip
    ax = picture.figure.axes[0]
    measured, law, story = ax.lines
    for line in ax.lines:
        np.testing.assert_allclose(line.get_ydata(), [-2, -1, 0], atol=1e-6)
        assert line.get_xdata().tolist() == [1, 2, 3]
    assert law.get_color() == measured.get_color() != story.get_color()
    assert [word.get_text() for word in ax.texts] == ["tanh", "story"]
    assert [word.get_color() for word in ax.texts] == [measured.get_color(), story.get_color()]


def test_claims_lie_at_measured_over_published():
    claims = [style.Claim("a", 2.0, 2.2, 0.2), style.Claim("b", -30.0, -29.0, 0.1)]
    ax = style.published_beside_measured(claims, alt="a").figure.axes[0]
    rings = [line for line in ax.lines if line.get_fillstyle() == "none"]
    assert [ring.get_xdata()[0] for ring in rings] == [1, 1]
    dots = [
        line for line in ax.lines if line.get_fillstyle() == "full" and line.get_marker() == "o"
    ]
    assert [line.get_xdata()[0] for line in dots] == pytest.approx([1.1, 29 / 30])
    bars = [(bar.get_x(), bar.get_x() + bar.get_width()) for bar in ax.patches]
    np.testing.assert_allclose(bars, [(0.8, 1.2), (0.9, 1.1)])
    assert [text.get_text() for text in ax.texts] == ["a", "2 | 2.2", "b", "−30 | −29"]


def test_the_house_style_ends_with_the_figure():
    import matplotlib as mpl

    before = mpl.rcParams["axes.grid"]
    style.gradient_by_layer({"tanh": LOG}, alt="a")
    assert mpl.rcParams["axes.grid"] == before


def test_the_factor_of_a_chain_peaks_at_a_quarter_of_the_weight():
    picture = plots.chain_factor([4, 14], alt="a")
    for weight in (4, 14):
        line = drawn(picture, f"w = {weight}")
        z, factor = line.get_data()
        np.testing.assert_allclose(factor, weight / (4 * np.cosh(z / 2) ** 2), rtol=1e-12)
        assert factor.max() == pytest.approx(weight / 4)


def test_the_power_law_is_drawn_with_its_two_asymptotes():
    lengths = 1 / (2 * np.arange(1, 9))
    logs = 0.5 * np.log(np.arange(1, 6) / 5)
    picture = propagation.power_law(lengths, logs, logs + 0.1, alt="a")
    np.testing.assert_allclose(drawn(picture, "1/(2l)").get_ydata(), lengths)
    np.testing.assert_allclose(drawn(picture, "√(l/L)").get_ydata(), np.exp(logs))
    np.testing.assert_allclose(drawn(picture, "measured").get_ydata(), np.exp(logs + 0.1))


def test_the_spread_is_a_density_beside_its_normal():
    samples = np.random.default_rng(0).normal(-1, 2**0.5, 5000)
    picture = propagation.spread(samples, -1, 2, label="x", alt="a")
    ax = picture.figure.axes[0]
    area = sum(bar.get_width() * bar.get_height() for bar in ax.patches)
    assert area == pytest.approx(1)
    (normal,) = [line for line in ax.lines if line.get_linestyle() == "--"]
    assert np.trapezoid(normal.get_ydata(), normal.get_xdata()) == pytest.approx(1, abs=0.01)


def test_a_spectrum_spreads_over_all_directions():
    picture = propagation.spectra({"linear": np.array([4.0, 1.0])}, alt="a")
    assert drawn(picture, "linear").get_xdata().tolist() == [0.25, 0.75]


def test_underflow_separates_zeros_from_numbers():
    picture = plots.underflow(np.array([0.0, 1e-19, 1.0]), np.array([-90.0, -43.7, 0]),
                                         alt="a")  # fmt: skip
    assert drawn(picture, "plain float32").get_xdata().tolist() == [2, 3]
    assert drawn(picture, "plain float32: exactly 0").get_xdata().tolist() == [1]


def test_a_line_of_an_activation_has_the_colour_of_that_activation():
    ax = style.gradient_by_layer({"relu": LOG, "tanh": LOG - 1}, alt="a").figure.axes[0]
    assert [to_hex(line.get_color()) for line in ax.lines] == [
        style.ACTIVATIONS["relu"],
        style.ACTIVATIONS["tanh"],
    ]
    assert [word.get_text() for word in ax.texts] == ["ReLU", "tanh"]


def test_every_named_activation_has_a_colour_and_a_name_of_its_own():
    assert set(style.ACTIVATIONS) == set(style.LABELS) == set(activations.ACTIVATIONS)
    colours = [*style.ACTIVATIONS.values(), style.DEAD, style.SATURATED]
    assert len(set(colours)) == len(colours)


def _seen(colour: str, deficiency: str | None) -> np.ndarray:
    rgb = np.array(to_rgb(colour))
    if deficiency is None:
        return rgb
    space = {"name": "sRGB1+CVD", "cvd_type": deficiency, "severity": 100}
    return np.clip(cspace_convert(rgb, space, "sRGB1"), 0, 1)


@pytest.mark.parametrize("mode", ["light", "dark"])
@pytest.mark.parametrize("sight", [None, "deuteranomaly", "protanomaly", "tritanomaly"])
def test_the_colours_that_meet_most_often_stay_apart_for_every_eye(mode, sight):
    names = ["purple", "blue", "green", "vermilion", "gold"]
    seen = [_seen(getattr(palette.CYCLE[name], mode), sight) for name in names]
    apart = [deltaE(a, b, input_space="sRGB1") for a, b in combinations(seen, 2)]
    assert min(apart) > 9  # in CAM02-UCS, where 1 is just noticeable


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_layers_run_from_near_the_paper_to_near_the_ink(mode):
    lightness = [
        cspace_convert(to_rgb(getattr(colour, mode)), "sRGB1", "JCh")[0]
        for colour in palette.LAYERS.values()
    ]
    steps = np.diff(lightness)
    assert (steps < -2).all() if mode == "light" else (steps > 2).all()


@cache
def pictures():
    """One of each static figure that takes no training to draw."""
    return list(_pictures())


def _pictures():
    yield style.gradient_by_layer({"sigmoid": LOG, "tanh": LOG / 9}, {"0.25 a layer": LOG}, alt="a")
    yield plots.chain_factor([1, 4, 7, 14], alt="a")
    steps = np.arange(1, 201)
    law = 0.5 * np.log(steps / 200)
    yield propagation.power_law(1 / (2 * steps), law, law + 0.02, alt="a")
    yield propagation.spectra(
        {"Gaussian": 10.0 ** np.linspace(2, -7, 64), "Haar": np.ones(64)}, alt="a"
    )
    yield plots.factors(
        ["1/n", "4/n", "16/n", "64/n"], [0.24, 0.41, 0.62, 0.87], bound=0.25, alt="a"
    )
    scales = (1, 2, 5, 10, 20)
    change, share = np.array([-1.0, 2, 7, 10, 14]), [0, 0.04, 0.5, 0.7, 0.9]
    yield propagation.large_weights(scales, share, change, change + 0.3, alt="a")
    q, walk = np.linspace(0, 3.5, 50), np.array([2, 0.98, 0.86, 0.82, 0.81, 0.80])
    starts = {0.3: (walk / 8, walk / 8), 1.0: (walk, walk), 1.3: (1.6 * walk, 1.6 * walk)}
    yield propagation.length_cobweb((q, 1 - np.exp(-2 * q)), walk, starts, alt="a")
    cosine = 1 - 44 / (np.arange(100) + 6.6) ** 2
    yield propagation.alike(cosine, np.stack([cosine[:50], cosine[:50] ** 2]), alt="a")
    decades = -0.63 * np.arange(199, -1, -1)
    yield plots.underflow(np.where(decades > -38, 10.0**decades, 0), decades * np.log(10), alt="a")


def words_of(figure):
    """All texts that are drawn: labels of ticks outside the limits are not."""
    for ax in figure.axes:
        yield from [*ax.texts, ax.xaxis.label, ax.yaxis.label, ax.title, ax._left_title]
        yield from ax.get_legend().get_texts() if ax.get_legend() else []
        for axis in (ax.xaxis, ax.yaxis):
            low, high = sorted(axis.get_view_interval())
            for tick in axis.get_major_ticks():
                if low <= tick.get_loc() <= high:
                    yield from (tick.label1, tick.label2)


def along(text) -> Bbox:
    """The box of a word in axes turned as it is, where slanted words stand side by side."""
    angle, upright = text.get_rotation(), text.get_window_extent()
    text.set_rotation(0)
    flat = text.get_window_extent()
    text.set_rotation(angle)
    centre = (upright.min + upright.max) / 2
    return Bbox.from_bounds(
        *(Affine2D().rotate_deg(-angle).transform(centre) - flat.size / 2), *flat.size
    )


def tidy(figure):
    """Check that no word lies on another or leaves the figure."""
    figure.draw_without_rendering()
    words = [text for text in words_of(figure) if text.get_text() and text.get_visible()]
    room = figure.bbox.padded(1)
    for word in words:
        box = word.get_window_extent()
        inside = room.x0 <= box.x0 and box.x1 <= room.x1 and box.y1 <= room.y1 and room.y0 <= box.y0
        assert inside, word.get_text()
    for first, second in combinations(words, 2):
        parallel = first.get_rotation() == second.get_rotation()
        a, b = (along(word) if parallel else word.get_window_extent() for word in (first, second))
        overlap = min(a.x1, b.x1) - max(a.x0, b.x0), min(a.y1, b.y1) - max(a.y0, b.y0)
        on = f"{first.get_text()!r} on {second.get_text()!r}"
        assert not (overlap[0] > 1 and overlap[1] > 1), on


@pytest.mark.parametrize("layout", ["figure", "narrow"])
@pytest.mark.parametrize("number", range(5))
def test_no_word_lies_on_another_or_leaves_the_figure(number, layout):
    tidy(getattr(pictures()[number], layout))


ROOMS = Path(style.__file__).parent
LIVE = [p for p in sorted(ROOMS.glob("*/*.py")) if "live_figure(" in p.read_text(encoding="utf-8")]


@pytest.mark.parametrize("path", LIVE, ids=lambda path: path.stem)
def test_nor_does_one_in_either_layout_of_a_live_figure(path):
    module = import_module(f"vanishing.book.{path.parent.name}.{path.stem}")
    (wide, *_), (narrow, *_) = style._in_layouts(module._draw)
    assert wide.get_figwidth() == 7.0 and narrow.get_figwidth() == 3.6
    assert narrow.get_figheight() <= 4.6  # half of a phone's screen is for what moves the picture
    for figure in (wide, narrow):
        tidy(figure)


DECKS = "".join(p.read_text(encoding="utf-8") for p in ROOMS.parents[2].glob("slides/*.md"))


@pytest.mark.parametrize("path", [p for p in LIVE if p.stem in DECKS], ids=lambda path: path.stem)
def test_nor_does_one_on_a_slide(path, monkeypatch):
    monkeypatch.setenv("VANISHING_LIVE", "slide")
    module = import_module(f"vanishing.book.{path.parent.name}.{path.stem}")
    [(figure, *_)] = style._in_layouts(module._draw, answers=True)
    assert figure.get_figwidth() == style.SLIDE_BESIDE.width
    assert figure.get_figheight() <= style.SLIDE_BESIDE.tallest
    tidy(figure)


def test_a_live_figure_of_the_house_has_two_layouts():
    def draw():
        figure, ax = style.canvas(3.0)
        rule = ax.axhline(1.0)
        axis_titles(ax, y="short" if style.is_narrow() else "a longer title")
        return figure, {rule: "level"}, {rule: "level"}

    level = Slider("level", 0.0, 2.0, value=1.0)
    live = style.live_figure(
        draw, lambda level: {"level": level}, [level], name="two", alt="A line."
    )
    titles = [layout.fig.axes[0].get_title(loc="left") for layout in live.layouts]
    assert titles == ["a longer title", "short"]
    assert [layout.picks[0]["control"] for layout in live.layouts] == ["level", "level"]
    assert live.layouts[1].fig.axes[0].spines["top"].get_visible() is False  # the house style


def test_the_page_gets_both_layouts_and_jupyter_one(monkeypatch):
    picture = style.gradient_by_layer({"tanh": LOG}, alt="a")
    assert picture._repr_html_().count("<svg") == 1
    monkeypatch.setenv("VANISHING_LIVE", "page")
    html = picture._repr_html_()
    assert html.count("<svg") == 2 and 'class="vg-narrow"' in html
    ids = re.findall(r' id="([^"]+)"', html)
    assert ids and len(set(ids)) == len(ids)


def test_a_slide_gets_one_layout_of_its_own(monkeypatch):
    monkeypatch.setenv("VANISHING_LIVE", "slide")
    picture = style.gradient_by_layer({"tanh": LOG}, alt="a")
    assert picture._repr_html_().count("<svg") == 1
    assert picture.figure.get_size_inches().tolist() == [style.SLIDE.width, style.SLIDE.tallest]
