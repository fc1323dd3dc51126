"""Rows 3 to 5 of the published numbers are in tests/claims; here the walk itself is tested."""

import jax
import numpy as np
import pytest

from vanishing import activations
from vanishing.studies import rounding


def test_floats_are_neighbours_and_both_ends_are_there():
    walk = rounding.floats(0.75, 1.5)
    assert walk[0] == 0.75 and walk[-1] == 1.5
    assert np.array_equal(walk[1:], np.nextafter(walk[:-1], np.float32(2)))


@pytest.mark.parametrize(("name", "sign"), [("tanh", 1), ("gelu", -1), ("sigmoid", 1)])
def test_zero_from_agrees_with_a_walk_over_every_single_float(name, sign):
    slope = jax.jit(activations.derivative(name))
    for low, high in ((16.0, 32.0), (8.0, 16.0), (4.0, 8.0)):  # outermost first
        walk = rounding.floats(low, high)
        alive = np.flatnonzero(np.asarray(slope(np.float32(sign) * walk)))
        if alive.size:
            assert rounding.zero_from(slope, sign) == sign * walk[alive[-1] + 1]
            return
    pytest.fail("expected a slope that is not zero at 4")


def test_zero_from_where_there_is_none_and_where_all_is_zero():
    assert rounding.zero_from(activations.derivative("leaky_relu"), -1) == -np.inf
    assert rounding.zero_from(activations.derivative("relu"), -1) == 0
    assert rounding.zero_from(activations.derivative("relu"), 1) == np.inf


def test_zero_from_finds_a_planted_end_behind_scattered_zeros():
    planted = np.float32(3.3)

    def slope(z):
        bits = np.abs(z).view(np.int32)
        return np.where((np.abs(z) >= planted) | (bits % 100 == 0), 0, 1)

    before = np.nextafter(planted, np.float32(0))
    expected = planted if slope(before) else before
    assert rounding.zero_from(slope) == expected
    assert rounding.zero_from(slope, -1) == -expected


@pytest.mark.parametrize("name", rounding.IDEAL)
def test_ideal_slopes_are_the_derivatives(name):
    z = np.linspace(-4, 4, 200, dtype=np.float32)
    with jax.enable_x64(True):
        exact = activations.derivative(name)(z.astype(np.float64))
    np.testing.assert_allclose(rounding.IDEAL[name](z), exact, atol=1e-6)


@pytest.mark.parametrize("name", rounding.FORMS)
def test_forms_are_the_same_function(name):
    z = np.linspace(-4, 4, 201, dtype=np.float32)
    for form in rounding.FORMS[name].values():
        np.testing.assert_allclose(form(z), rounding.IDEAL[name](z), rtol=2e-4)
