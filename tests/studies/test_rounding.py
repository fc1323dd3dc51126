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
def test_first_zero_agrees_with_a_walk_over_every_single_float(name, sign):
    slope = jax.jit(activations.derivative(name))
    walk = rounding.floats(2.0, 20.0)
    zero = np.flatnonzero(np.asarray(slope(np.float32(sign) * walk)) == 0)
    assert rounding.first_zero(slope, sign) == sign * walk[zero[0]]
    assert zero.size == walk.size - zero[0], "once zero, always zero"


def test_first_zero_where_there_is_none_and_where_all_is_zero():
    assert rounding.first_zero(activations.derivative("leaky_relu"), -1) == -np.inf
    assert rounding.first_zero(activations.derivative("relu"), -1) == 0
    assert rounding.first_zero(activations.derivative("relu"), 1) == np.inf


def test_first_zero_finds_a_planted_zero():
    planted = np.float32(3.3)
    slope = lambda z: np.where(np.abs(z) >= planted, 0, 1)  # noqa: E731
    assert rounding.first_zero(slope) == planted
    assert rounding.first_zero(slope, -1) == -planted


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
