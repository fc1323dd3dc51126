"""The browser computes what JAX computes, and draws what matplotlib draws."""

import base64
import io
import re

import numpy as np
import pytest
from matplotlib import image

from vanishing.live.page.numbers import KINDS, number
from vanishing.live.page.svg import points

pytestmark = pytest.mark.browser

STATES = [
    {},
    {"frequency": 2.5, "amplitude": 2.0},
    {"shape": "cosine", "flip": True, "seed": 12},
    {"shape": "decay", "amplitude": 9.0, "frequency": 4.9},
    {"amplitude": 0.02, "seed": 2147483647},
]
SET = """async (values) => {
  const { live } = document.querySelector("figure.live");
  await live.set(values);
  const entries = Object.entries(live.outputs).map(([k, v]) => [k, Array.from(v, String)]);
  return Object.fromEntries(entries);
}"""
GROUP = "(id) => document.querySelector(`[id$='.${id}']`).outerHTML"


def outputs_of(page, values):
    return {k: np.array(v, float) for k, v in page.evaluate(SET, values).items()}


def numbers(text):
    return np.array(re.findall(r"-?\d+\.?\d*(?:e-?\d+)?", text), float)


def vertices(group):
    """Coordinates of the drawn path, definitions of markers aside."""
    shown = re.sub(r"<defs.*?</defs>", "", group, flags=re.S)
    (d, *_) = re.findall(r' d="([^"]*)"', shown)  # what follows marks where a line leaves its axes
    return numbers(d).reshape(-1, 2)


def marks(group):
    """Position of every visible marker."""
    visible = [tag for tag in re.findall(r"<use [^>]*>", group) if "display: none" not in tag]
    return [[float(re.search(rf'\b{c}="([^"]*)"', tag)[1]) for c in "xy"] for tag in visible]


@pytest.mark.parametrize("where", ["http", "file"])
def test_every_control_gives_what_jax_gives(where, open_page, web, site, figures):
    page = open_page(f"{web}/gallery.html" if where == "http" else f"file://{site}/gallery.html")
    figure = figures["gallery"]
    for state in STATES:
        ours = outputs_of(page, {**figure.defaults, **state})
        theirs = figure.evaluate(**state)
        assert ours.keys() == theirs.keys()
        for name, expected in theirs.items():
            np.testing.assert_allclose(
                ours[name], np.ravel(expected), rtol=1e-4, atol=2e-6, err_msg=f"{name} at {state}"
            )


@pytest.mark.parametrize("state", STATES)
def test_paths_are_those_of_matplotlib(state, open_page, web, figures):
    figure = figures["gallery"]
    page = open_page(f"{web}/gallery.html")
    outputs = outputs_of(page, {**figure.defaults, **state})
    figure.draw({k: v.reshape(figure.outputs[k].shape) for k, v in outputs.items()})
    kinds = set()
    for row, bound in enumerate(figure.layouts[0].bounds):
        if bound.kind in ("line", "rule", "bars", "steps", "band"):
            kinds.add(bound.kind)
            for k, artist in enumerate(bound.artists):
                drawn = vertices(page.evaluate(GROUP, f"gallery-{row}-{k}"))
                expected = reference(artist)
                if bound.kind in ("band", "bars"):  # an outline may start anywhere
                    drawn, expected = same_start(drawn, expected)
                np.testing.assert_allclose(drawn, expected, atol=2e-3)
    assert len(kinds) == 5


def same_start(drawn, expected):
    """Order both outlines by the nearest vertex of the other, so that they can be compared."""
    distance = np.abs(drawn[:, None] - expected[None]).sum(-1)
    both_ways = [drawn, drawn[distance.argmin(0)]], [expected[distance.argmin(1)], expected]
    return tuple(np.concatenate(pair) for pair in both_ways)


def reference(artist):
    """The vertices of a matplotlib artist in points, y downwards, without those not finite."""
    path = artist.get_paths()[0] if hasattr(artist, "get_paths") else artist.get_path()
    codes = np.full(len(path), path.LINETO) if path.codes is None else path.codes
    with points(artist.figure):
        places = artist.get_transform().transform(path.vertices[codes != path.CLOSEPOLY])
        places[:, 1] = artist.figure.bbox.height - places[:, 1]
    return places[np.isfinite(places).all(1)]


def test_markers_sit_on_the_line(open_page, web):
    page = open_page(f"{web}/gallery.html")
    outputs_of(page, {"amplitude": 2})
    group = page.evaluate(GROUP, "gallery-0-0")
    np.testing.assert_allclose(marks(group), vertices(group), atol=2e-3)


def test_images_have_matplotlibs_pixels(open_page, web, figures):
    figure = figures["gallery"]
    page = open_page(f"{web}/gallery.html")
    outputs = outputs_of(page, {"amplitude": 3, "frequency": 2})
    (row,) = (r for r, b in enumerate(figure.layouts[0].bounds) if b.kind == "image")
    name = f"gallery-{row}-0"
    shaped = {k: v.reshape(figure.outputs[k].shape) for k, v in outputs.items()}
    expected = re.search(rf'<image[^>]*ref\.{name}"[^>]*>', figure.svg("ref", shaped))[0]
    ours, theirs = (pixels(tag) for tag in (page.evaluate(GROUP, name), expected))
    np.testing.assert_allclose(ours, theirs, atol=1.5 / 255)


def pixels(tag):
    encoded = re.search(r"base64,([^\"]*)", tag)[1]
    return image.imread(io.BytesIO(base64.b64decode(encoded)))


def test_scatter_moves_colours_and_scales(open_page, web, figures):
    figure = figures["gallery"]
    page = open_page(f"{web}/gallery.html")
    outputs = outputs_of(page, {"seed": 7})
    (row,) = (r for r, b in enumerate(figure.layouts[0].bounds) if b.kind == "scatter")
    bound = figure.layouts[0].bounds[row]
    maps = bound.spec(["x"])["axes"]
    group = page.evaluate(GROUP, f"gallery-{row}-0")
    drawn = [
        [re.search(pattern, tag)[1] for pattern in (r'fill="rgba\(([^)]*)', *PLACED)]
        for tag in re.findall(r"<path [^>]*transform=[^>]*>", group)
    ]
    places = np.array([numbers(place) for _, place, _ in drawn])
    cloud = outputs["cloud"].reshape(-1, 2)
    for column, axis in enumerate("xy"):
        offset, slope, *_ = maps[axis]
        np.testing.assert_allclose(places[:, column], offset + slope * cloud[:, column], atol=2e-3)
    sizes = np.array([float(scale) for *_, scale in drawn])
    np.testing.assert_allclose(sizes**2, outputs["area"], rtol=1e-5)
    colours = np.array([numbers(colour)[:3] for colour, *_ in drawn])
    expected = bound.artist.to_rgba(outputs["hue"], bytes=True)[:, :3]
    np.testing.assert_allclose(colours, expected, atol=1.5)


def test_text_is_formatted_as_python_does(open_page, web, figures):
    page = open_page(f"{web}/gallery.html")
    level = outputs_of(page, {"amplitude": 2, "frequency": 1.3})["level"][0]
    assert page.locator("svg text", has_text="level").text_content() == f"level {level:+.2f}"


PLACED = (r"translate\(([^)]*)", r"scale\(([^)]*)")
NUMBERS = [0.0, 1.0, 0.125, 2.5, 0.5, 1.5, -0.375, 1e-5, 1e-4, 123456.0, 1234567.0, 9.9999e-5,
           99999.95, 3.2e-38, 1.401298464324817e-45, 6.25e-2, 4.35, 1e18, -2.675, 0.00065,
           float(np.float32(0.1)), float(np.float32(1e-8))]  # fmt: skip


def test_numbers_are_set_as_python_sets_them(open_page, web):
    page = open_page(f"{web}/parabola.html")
    cases = [
        (x, sign, digits, kind)
        for x in NUMBERS
        for sign in ("", "+")
        for digits in (0, 1, 2, 3, 6)
        for kind in KINDS
    ]
    ours = page.evaluate(
        "(cases) => cases.map(([x, sign, digits, type]) =>"
        " vanishingLive.format(x, { sign, digits, type }))",
        cases,
    )
    for (x, sign, digits, kind), got in zip(cases, ours, strict=True):
        assert got == number(x, kind, digits, sign), (x, sign, digits, kind)


def test_a_curve_that_leaves_its_axes_is_marked_where_it_does(open_page, web):
    page = open_page(f"{web}/furnished.html")
    marks = "document.querySelector('.live-off').getAttribute('d')"
    counts = []
    for gain in (1, 8):
        page.evaluate("(gain) => document.querySelector('figure.live').live.set({ gain })", gain)
        counts.append(page.evaluate(marks).count("M"))
    # 8 cos(12 t) is beyond ±2 in five stretches, around 0, π, 2π, 3π and near 12: two ends each.
    assert counts == [0, 10]


COLOURS = """([svg, part, paint]) => {
  const matplotlib = document.createElement("div");
  matplotlib.innerHTML = svg;
  document.body.append(matplotlib);
  const group = (root) => root.querySelector(`[id$=".layered-0-${part}"]`);
  const marks = [...group(matplotlib).querySelectorAll(":scope > use, :scope > path")];
  const paths = [...group(document.querySelector("figure.live")).querySelectorAll("path")];
  const look = (node) => {
    const style = getComputedStyle(node);
    return [style[paint], Number(style[`${paint}Opacity`])];
  };
  const pairs = marks.map((mark) => {
    const at = mark.getTotalLength ? mark.getPointAtLength(mark.getTotalLength() / 3)
      : new DOMPoint(mark.x.baseVal.value, mark.y.baseVal.value);
    const drawn = paths.filter((path) => path.isPointInFill(at) || path.isPointInStroke(at));
    return [look(mark), drawn.map(look)];
  });
  matplotlib.remove();
  return pairs;
}"""


@pytest.mark.parametrize("state", [{}, {"depth": 2, "scale": 2.0}, {"depth": 5, "scale": 0.3}])
def test_a_network_is_coloured_as_matplotlib_colours_it(state, open_page, web, figures):
    page = open_page(f"{web}/layered.html", color_scheme="light")
    page.evaluate(SET, {"depth": 3, "scale": 1.5})  # and back, so that the page has to draw
    figure = figures["layered"]
    page.evaluate(SET, {**figure.defaults, **state})
    svg = figure.svg("ref", figure.evaluate(**state))
    for part, (paint, count) in enumerate(
        [("fill", 20), ("stroke", 20), ("stroke", 4), ("stroke", 2)]
    ):
        pairs = page.evaluate(COLOURS, [svg, part, paint])
        assert len(pairs) == count
        for (colour, opacity), drawn in pairs:
            if opacity < 0.01:
                assert all(left < 0.01 for _, left in drawn)
            else:
                assert drawn == [[colour, pytest.approx(opacity, abs=1e-5)]]


def test_a_network_is_drawn_by_a_path_a_shade(open_page, web):
    page = open_page(f"{web}/layered.html")
    paths = "document.querySelectorAll(\"[id$='.layered-0-0'] path[d^=M]\").length"
    page.evaluate(SET, {"depth": 5, "scale": 0.0})
    assert page.evaluate(paths) == 1  # of twenty units that are all as pale
    page.evaluate(SET, {"depth": 5, "scale": 2.0})
    assert 10 < page.evaluate(paths) < 22
