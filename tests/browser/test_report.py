"""A saved report, opened from disk: a layer that is pointed at shows its histograms."""

import jax
import jax.numpy as jnp
import pytest

import vanishing as vg
from vanishing.inspection import page

pytestmark = pytest.mark.browser
DEPTH = 6


@pytest.fixture(scope="module")
def report():
    keys = jax.random.split(jax.random.key(0), DEPTH)
    weights = [jax.random.normal(key, (16, 16)) / 4 for key in keys]

    def loss(weights, x):
        for weight in weights:
            x = jax.nn.relu(x @ weight)
        return jnp.mean(x**2)

    return vg.inspect(loss, weights, jax.random.normal(jax.random.key(1), (32, 16)))


@pytest.fixture
def opened(open_page, report, tmp_path):
    def opened(**options):
        return open_page(report.save(tmp_path / "report.html").as_uri(), **options)

    return opened


def card(shown):
    """The words of the only card to be seen; None where there is none."""
    cards = [c for c in shown.locator(".vg-card").all() if c.is_visible()]
    assert len(cards) <= 1
    return cards[0].inner_text() if cards else None


def middle(shown, layer, count):
    """The place of a layer's marks on the picture, by the limits that the figure has."""
    box = shown.locator(".vg-picture > svg").bounding_box()
    share = page.LEFT + (page.RIGHT - page.LEFT) * (layer + 0.5) / count
    return box["x"] + box["width"] * share, box["y"] + box["height"] * 0.8


def test_the_places_are_those_of_the_marks(report):
    figure = report.figure()
    (width, _), count = figure.canvas.get_width_height(), len(report.layers)
    for panel in figure.axes:
        for layer in range(count):
            x, _ = panel.transData.transform((layer, 0))
            share = page.LEFT + (page.RIGHT - page.LEFT) * (layer + 0.5) / count
            assert x / width == pytest.approx(share, abs=1e-6)


@pytest.mark.parametrize("width", [1280, 375])
def test_by_mouse(opened, report, width):
    shown, count = opened(viewport={"width": width, "height": 900}), len(report.layers)
    assert card(shown) is None
    for layer in (0, 3, count - 1):
        shown.mouse.move(*middle(shown, layer, count))
        record, words = report.layers[layer], card(shown)
        assert words.startswith(record.name)
        assert ("pre-activation" in words) == (record.kind == "layer")
        visible = shown.locator(".vg-card:visible")
        drawn = [path.get_attribute("d") for path in visible.locator("path").all()]
        histograms = record.activation_histogram, record.gradient_histogram
        assert [d.count("M") for d in drawn] == [
            sum(count > 0 for count in histogram.counts) for histogram in histograms
        ]
        over, box = visible.bounding_box(), shown.locator(".vg-picture").bounding_box()
        place, _ = middle(shown, layer, count)
        assert box["x"] <= over["x"] and over["x"] + over["width"] <= box["x"] + box["width"]
        assert not over["x"] < place < over["x"] + over["width"]  # the layer stays in view
    shown.mouse.move(1, 1)
    assert card(shown) is None


def test_by_keyboard(opened, report):
    shown = opened()
    shown.keyboard.press("Tab")
    shown.keyboard.press("Space")
    assert card(shown).startswith(report.layers[0].name)
    for _ in range(3):
        shown.keyboard.press("ArrowRight")
    assert card(shown).startswith(report.layers[3].name)
    name = shown.evaluate("document.activeElement.getAttribute('aria-label')")
    assert name.startswith(f"{report.layers[3].name}: activation, lg size") and "zero" in name
    # Another that is pointed at hides it meanwhile.
    shown.mouse.move(*middle(shown, 8, len(report.layers)))
    assert card(shown).startswith(report.layers[8].name)
    shown.mouse.move(1, 1)
    assert card(shown).startswith(report.layers[3].name)
    shown.keyboard.press("Tab")
    assert card(shown) is None


def test_by_touch(opened, report):
    shown = opened(viewport={"width": 375, "height": 800}, has_touch=True, is_mobile=True)
    shown.touchscreen.tap(*middle(shown, 7, len(report.layers)))
    assert card(shown).startswith(report.layers[7].name)


def test_without_scripts_and_not_in_print(opened, report):
    shown = opened(java_script_enabled=False)
    shown.mouse.move(*middle(shown, 2, len(report.layers)))
    assert card(shown).startswith(report.layers[2].name)
    shown.emulate_media(media="print")
    assert card(shown) is None and not shown.locator(".vg-layers").is_visible()
    assert shown.locator(".vg-picture > svg").is_visible()
