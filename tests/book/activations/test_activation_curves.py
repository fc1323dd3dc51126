"""Activations over real pre-activations: the browser's numbers against JAX's."""

import functools

import jax
import numpy as np
import pytest
from scipy.stats import norm

from differential import opens_at_its_defaults, still
from saturation import disputed
from vanishing import activations
from vanishing.book.activations import activation_curves as module
from vanishing.studies import rounding
from vanishing.studies.comparisons import NAMES, matched_gain

COUNTED = ("share", "zero", "saturated")
ONE = 1 / (module.BATCH * module.WIDTH)


figure = functools.cache(module.activation_curves)


def settings():
    """Random control values; large gains for the first layers only, where no chaos has built up."""
    rng = np.random.default_rng(1)
    for case in range(32):
        large = case % 3 == 0
        yield {
            "activation": NAMES[case % len(NAMES)],
            "layer": int(rng.integers(1, 4 if large else module.DEPTH + 1)),
            "sigma_w": float(np.exp(rng.uniform(*np.log([1.5, 20] if large else [0.1, 1.5])))),
            "sigma_b": float(rng.uniform(0, 1)),
            "seed": int(rng.integers(2**31)),
        }


@functools.cache
def compared():
    return still(figure(), settings())


@functools.cache
def pre_activations(case):
    values = list(settings())[case]
    return np.asarray(_seen(*figure().machine.arguments(figure().state(**values))))


_seen = jax.jit(module.pre_activations)


@pytest.mark.parametrize("case", range(32))
def test_the_browser_finds_what_jax_finds(case):
    expected, got = compared()[case]
    name = list(settings())[case]["activation"]
    open_points, z = disputed(name, module.GRID), disputed(name, pre_activations(case))
    np.testing.assert_allclose(got["phi"], expected["phi"], rtol=1e-4, atol=1e-6)
    # GELU's slope multiplies 1 − tanh², off by 3e-7 on either side, by up to 9. Where the two may
    # differ about an exact zero, tanh stays just below 1 and GELU multiplies what is left by 24.
    both = expected["slope"], got["slope"]
    np.testing.assert_allclose(*(slope[~open_points] for slope in both), rtol=1e-4, atol=5e-6)
    assert np.max(np.abs(both)[:, open_points], initial=0) < 2e-5
    np.testing.assert_allclose(got["spread"], expected["spread"], rtol=1e-4)
    for shading in ("zero_above", "zero_below"):
        same = got[shading] == expected[shading]
        assert np.all(same | open_points)
    # A value on the very edge may be counted on its other side.
    for count in COUNTED:
        slack = np.mean(z) if count == "zero" else 0
        np.testing.assert_allclose(got[count], expected[count], atol=4.1 * ONE + slack)
    slack = np.mean(z.any(axis=0))
    np.testing.assert_allclose(got["dead"], expected["dead"], atol=1.1 / module.WIDTH + slack)


@pytest.mark.parametrize("name", NAMES)
def test_the_shading_begins_where_the_slope_becomes_zero(name):
    is_shaded = figure().evaluate(activation=name)["zero_above"] == module.TOP
    for sign in (-1, 1):
        edge = abs(rounding.zero_from(activations.derivative(name), sign))
        beyond = sign * module.GRID > edge
        before = (sign * module.GRID > 0) & ~beyond & ~disputed(name, module.GRID)
        assert is_shaded[beyond].all() and not is_shaded[before].any()


def test_the_shares_are_those_of_the_normal_distribution_where_it_applies():
    """First layer: z is a sum of 64 independent terms with weights of σ_w²/64."""
    outputs = [figure().evaluate(activation="relu", layer=1, sigma_w=2.0, seed=s) for s in range(4)]
    share = np.mean([o["share"] for o in outputs], axis=0)
    edges = np.linspace(-module.REACH, module.REACH, module.BINS + 1) / 2.0
    np.testing.assert_allclose(share, np.diff(norm.cdf(edges)), atol=0.02)
    assert np.mean([o["spread"] for o in outputs]) == pytest.approx(2, rel=0.02)
    assert np.mean([o["zero"] for o in outputs]) == pytest.approx(0.5, abs=0.02)


def test_at_matched_gain_only_relu_meets_zeros_in_the_first_layer():
    for name in NAMES:
        outputs = figure().evaluate(activation=name, layer=1, sigma_w=matched_gain(name))
        assert (outputs["zero"] > 0.3) == (name == "relu")
        assert outputs["zero"] < 0.01 or name == "relu"


def test_the_first_picture_shows_the_outputs():
    live = figure()
    opens_at_its_defaults(live)
    for layout in live.layouts:
        shown = {bound.shows.get("values"): bound.artist for bound in layout.bounds}
        np.testing.assert_array_equal(shown["share"].get_data().values, live.outputs["share"])
    assert 0.9 < live.outputs["share"].sum() < 1.1
