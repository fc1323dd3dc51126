"""The house style: what the static figures draw, and how they show."""

import re

import jax
import numpy as np
import pytest
from matplotlib.colors import to_hex

from vanishing.book import style
from vanishing.book.chain_rule import plots
from vanishing.live import palette

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
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["tanh", "story"]


def test_claims_lie_at_measured_over_published():
    claims = [style.Claim("a", 2.0, 2.2, 0.2), style.Claim("b", -30.0, -29.0, 0.1)]
    ax = style.published_beside_measured(claims, alt="a").figure.axes[0]
    dots = [line for line in ax.lines if line.get_marker() == "o"]
    assert [line.get_xdata()[0] for line in dots] == pytest.approx([1.1, 29 / 30])
    bars = [(bar.get_x(), bar.get_x() + bar.get_width()) for bar in ax.patches]
    np.testing.assert_allclose(bars, [(0.8, 1.2), (0.9, 1.1)])
    assert [text.get_text() for text in ax.texts] == ["a", "2 | 2.2", "b", "-30 | -29"]


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
    picture = plots.power_law(lengths, logs, logs + 0.1, alt="a")
    np.testing.assert_allclose(drawn(picture, "1/(2l)").get_ydata(), lengths)
    np.testing.assert_allclose(drawn(picture, "√(l/L)").get_ydata(), np.exp(logs))
    np.testing.assert_allclose(drawn(picture, "measured").get_ydata(), np.exp(logs + 0.1))


def test_the_spread_is_a_density_beside_its_normal():
    samples = np.random.default_rng(0).normal(-1, 2**0.5, 5000)
    picture = plots.spread(samples, -1, 2, label="x", alt="a")
    ax = picture.figure.axes[0]
    area = sum(bar.get_width() * bar.get_height() for bar in ax.patches)
    assert area == pytest.approx(1)
    (normal,) = ax.lines
    assert np.trapezoid(normal.get_ydata(), normal.get_xdata()) == pytest.approx(1, abs=0.01)


def test_a_spectrum_spreads_over_all_directions():
    picture = plots.spectra({"linear": np.array([4.0, 1.0])}, alt="a")
    assert drawn(picture, "linear").get_xdata().tolist() == [0.25, 0.75]


def test_underflow_separates_zeros_from_numbers():
    picture = plots.underflow(np.array([0.0, 1e-19, 1.0]), np.array([-90.0, -43.7, 0]),
                                         alt="a")  # fmt: skip
    assert drawn(picture, "plain float32").get_xdata().tolist() == [2, 3]
    assert drawn(picture, "plain float32: exactly 0").get_xdata().tolist() == [1]


def test_colours_are_the_palette():
    ax = plots.chain_factor([1], alt="a").figure.axes[0]
    assert to_hex(ax.lines[0].get_color()) == palette.CYCLE["blue"].light
