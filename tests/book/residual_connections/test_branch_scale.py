"""The scale of the branches: the browser against JAX, and both against the library."""

import functools
import gzip

import jax
import numpy as np
import pytest

import vanishing as vg
from differential import still
from vanishing.book.residual_connections import branch_scale as module
from vanishing.live.page.assets import strip
from vanishing.studies import paths, shattering

CASES = 24


@functools.cache
def figure():
    return module.branch_scale()


def settings():
    rng = np.random.default_rng(0)
    for case in range(CASES):
        yield {
            "depth": int(rng.integers(1, module.BLOCKS + 1)),
            "alpha": float(np.exp(rng.uniform(np.log(0.01), np.log(1.5)))),
            "skips": case % 4 != 0,
            "normalized": case % 3 == 0,
            "seed": int(rng.integers(2**31)),
        }


@functools.cache
def compared():
    return still(figure(), settings())


@pytest.mark.parametrize("case", range(CASES))
def test_the_browser_finds_what_jax_finds(case):
    expected, got = compared()[case]
    assert expected.keys() == got.keys()
    # A unit on the very edge of its kink may be counted on its other side.
    for name in expected:
        loose = name in ("slope", "autocorrelation")
        np.testing.assert_allclose(
            got[name], expected[name], rtol=1e-2 if loose else 1e-3, atol=0.05 if loose else 1e-3,
            err_msg=name,
        )  # fmt: skip


@pytest.mark.parametrize("normalized", [False, True])
def test_it_shows_what_the_library_measures_and_predicts(normalized):
    """A network of the depth shown, built from the same parameters by public functions."""
    shown = figure().evaluate(depth=12, alpha=0.5, normalized=normalized, seed=5)
    net = vg.MLP(12, module.WIDTH, "relu", "he", residual=0.5, in_features=1, out_features=1,
                 normalization="layer" if normalized else None)  # fmt: skip
    params = shattering.start(module.NET, key=jax.random.key(5))
    params |= {name: params[name][:12] for name in ("weights", "biases")}
    x = shattering.inputs()
    top = np.broadcast_to(params["read_out"]["weights"][:, 0], (4, module.WIDTH))
    found = paths.parts(net, params, x[module.ROWS], top)
    np.testing.assert_allclose(shown["share"][:13], paths.share(found.by_length), atol=1e-4)
    np.testing.assert_allclose(shown["share"][13:], 0, atol=1e-7)
    np.testing.assert_allclose(shown["share_law"][:13], paths.expected_share(net), atol=1e-4)
    rms = np.sqrt(np.mean(np.asarray(vg.forward(net, params, x).post) ** 2, axis=(1, 2)))
    np.testing.assert_allclose(
        np.diff(shown["activation"][1:13]), np.diff(np.log10(rms)), atol=1e-4
    )
    law = vg.theory.predict(net, 1.0)
    np.testing.assert_allclose(
        shown["activation_law"][1:13], np.log10(law.activation_rms), atol=1e-4
    )
    np.testing.assert_allclose(
        shown["gradient_law"][1:13], law.log_gradient_rms / np.log(10), atol=1e-4
    )
    slope = np.asarray(shattering.gradient(net, params, x))
    np.testing.assert_allclose(shown["slope"], slope / np.sqrt(np.mean(slope**2)), atol=1e-3)
    assert shown["autocorrelation"] == pytest.approx(shattering.autocorrelation(slope), abs=1e-3)


def test_without_skips_there_is_one_path_and_no_scale():
    shown = figure().evaluate(skips=False, alpha=0.1)
    assert shown["length"] == pytest.approx(module.BLOCKS) and shown["direct"] == 0
    assert np.abs(shown["skip_arc"]).max() == 0 and shown["branch_arc"].min() == pytest.approx(-1)
    assert abs(shown["gradient_law"][0]) < 1e-5 and abs(shown["gradient"][0]) < 3


def test_layers_that_are_not_there_repeat_the_last_and_draw_no_arc():
    shown = figure().evaluate(depth=7)
    assert shown["place"].tolist() == [*range(8), *[7] * 43]
    assert shown["arc_place"].max() == 7 and not shown["skip_arc"][7 * len(module.ARC) :].any()
    for name in ("activation", "gradient", "activation_law", "gradient_law"):
        np.testing.assert_array_equal(shown[name][8:], shown[name][7])


@pytest.mark.parametrize("alpha", [0.01, 1.5])
def test_every_number_is_finite_at_both_ends_of_the_slider(alpha):
    for normalized in (False, True):
        shown = figure().evaluate(alpha=alpha, normalized=normalized)
        assert all(np.isfinite(values).all() for values in shown.values())


def test_what_the_chapter_says_of_the_linked_states():
    """Over networks, the shares of four inputs lie within .1 of the law, the sizes within 1."""
    unscaled, root = figure().evaluate(), figure().evaluate(alpha=0.1414)
    assert 6 < unscaled["gradient"][0] < 9 and 6 < unscaled["activation"][-1] < 9
    assert 20 < unscaled["length"] < 30 and unscaled["direct"] < 1e-6
    assert 0.5 < root["length"] < 1.6 and root["direct"] > 0.2
    middle = slice(len(module.ARC) // 2, -1, len(module.ARC))
    assert root["skip_arc"][middle].min() > 0.9
    whole = figure().evaluate(alpha=0.02)
    assert whole["direct"] > 0.95
    arcs = -figure().evaluate(normalized=True)["branch_arc"][middle]
    assert arcs[:5].mean() > 3 * arcs[-20:].mean()
    cut = figure().evaluate(skips=False)
    assert abs(cut["gradient"][0]) < 3 and cut["autocorrelation"] < root["autocorrelation"]


def test_the_first_picture_shows_the_outputs():
    again = figure().evaluate()
    for name, value in figure().outputs.items():
        np.testing.assert_array_equal(again[name], value)


def test_the_program_is_small():
    source = strip(figure().programs["compute"].source)
    assert len(gzip.compress(source.encode(), 9)) <= 9_800
