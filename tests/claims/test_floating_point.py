"""Rows 1 to 5: calculus, and what IEEE 754 and XLA leave of it."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import vanishing as vg
from vanishing.studies.rounding import FORMS, IDEAL, fuses_products, zero_from

ON_CPU = jax.default_backend() == "cpu"
only_on_cpu = pytest.mark.skipif(not ON_CPU, reason="a number of XLA's CPU backend")
sigmoid_slope = vg.activations.derivative("sigmoid")
tanh_slope = vg.activations.derivative("tanh")


def test_calculus_slopes_of_sigmoid_and_tanh():
    z = jnp.linspace(-10, 10, 100_001)
    slopes = sigmoid_slope(z)
    assert float(slopes.max()) == pytest.approx(0.25, abs=1e-6)
    assert float(z[slopes.argmax()]) == pytest.approx(0, abs=1e-3)
    assert float(tanh_slope(0.0)) == pytest.approx(1, abs=1e-6)
    assert float(vg.activations.get("tanh")(1.5)) == pytest.approx(0.9051483, abs=1e-6)


@pytest.mark.parametrize("dtype, normal, subnormal", [
    (np.float32, 63, 74),
    (np.float16, 7, 12),
])  # fmt: skip
def test_ieee_754_last_power_of_a_quarter(dtype, normal, subnormal):
    power, last, last_normal = dtype(1), 0, 0
    while (power := power * dtype(0.25)) != 0:
        last += 1
        last_normal += power >= np.finfo(dtype).tiny
    assert (last_normal, last) == (normal, subnormal)


def quarters(dtype):
    """Eighty linear layers of one unit whose only weight is ¼."""
    net = vg.MLP(depth=80, width=1, activation="linear")
    params = {"weights": jnp.full((80, 1, 1), 0.25, dtype), "biases": jnp.zeros((80, 1), dtype)}
    return net, params, jnp.ones((1, 1), dtype)


@only_on_cpu
def test_xla_on_a_cpu_flushes_subnormal_quarters_to_zero():
    net, params, x = quarters(jnp.float32)
    alive = np.asarray(vg.forward(net, params, x).post[:, 0, 0] != 0)
    assert alive.tolist() == [layer <= 63 for layer in range(1, 81)]
    plain = jax.grad(lambda x: vg.apply(net, params, x).sum())(x)
    assert float(plain[0, 0]) == 0


def test_the_logarithm_goes_on_where_ieee_754_ends():
    logs = vg.probe(*quarters(jnp.float32)).log_gradient_rms
    np.testing.assert_allclose(logs, np.arange(79, -1, -1) * np.log(0.25), rtol=1e-6)


def test_rounding_tanh_slope_is_zero_from_13_ln_2_when_rounded_correctly():
    zero = zero_from(IDEAL["tanh"])
    assert zero == pytest.approx(13 * np.log(2), abs=1e-4)
    assert zero == pytest.approx(9.0109, abs=1e-4)


@only_on_cpu
def test_rounding_tanh_slope_is_zero_from_7_99881_on_xla_cpu():
    # Without fused multiply-add XLA's polynomial never settles at 1; it is cut off at 20.
    expected = 7.99881 if fuses_products() else 20.0
    by_grad = jax.vmap(jax.grad(vg.activations.get("tanh")))
    for slope in (tanh_slope, by_grad, FORMS["tanh"]["1 − tanh²(z)"]):
        assert zero_from(jax.jit(slope)) == pytest.approx(expected, abs=1e-4)


def test_rounding_sigmoid_slope_is_zero_from_25_ln_2_when_rounded_correctly():
    zero = zero_from(IDEAL["sigmoid"])
    assert zero == pytest.approx(25 * np.log(2), abs=1e-3)
    assert zero == pytest.approx(17.3287, abs=1e-3)


@only_on_cpu
@pytest.mark.parametrize("slope", [sigmoid_slope, FORMS["sigmoid"]["s(z)(1 − s(z))"]])
def test_rounding_sigmoid_slope_is_zero_from_16_6355_and_minus_87_34_on_xla_cpu(slope):
    slope = jax.jit(slope)
    assert zero_from(slope) == pytest.approx(16.6355, abs=1e-3)
    agrees(-zero_from(slope, sign=-1), 87.34, 126 * np.log(2))


def agrees(zero, printed, exact):
    """Within 1e-3 of the closed form (2^−126 is the least normal float32), and as printed."""
    assert zero == pytest.approx(exact, abs=1e-3)
    assert round(zero, 2) == printed


@only_on_cpu
@pytest.mark.parametrize("name, form, printed, exact", [
    ("tanh", "4e⁻²ᶻ/(1 + e⁻²ᶻ)²", 43.67, 63 * np.log(2)),
    ("tanh", "1/cosh²(z)", 44.36, 64 * np.log(2)),
    ("sigmoid", "s(z)s(−z)", 87.34, 126 * np.log(2)),
])  # fmt: skip
def test_rounding_forms_that_keep_the_slope(name, form, printed, exact):
    agrees(zero_from(jax.jit(FORMS[name][form])), printed, exact)
