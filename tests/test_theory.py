"""Mean-field theory against closed forms and against wide networks."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import optimize

import vanishing as vg
from vanishing import theory
from vanishing.studies import ensembles

KEY = jax.random.key(0)


@pytest.mark.parametrize("name, sigma_w", [
    ("relu", 2**0.5),
    ("leaky_relu", (2 / (1 + 0.01**2)) ** 0.5),
    ("linear", 1.0),
])  # fmt: skip
def test_critical_sigma_w_of_piecewise_linear_activations(name, sigma_w):
    assert theory.critical_sigma_w(name) == pytest.approx(sigma_w, abs=1e-6)


@pytest.mark.parametrize("sigma_b", [0.1, 1.5])
def test_biases_leave_the_edge_of_relu_where_it_is(sigma_b):
    """There its length map runs along the diagonal, above it by σ_b² / q, which rounds to 0."""
    assert theory.critical_sigma_w("relu", sigma_b) == pytest.approx(2**0.5, abs=1e-9)


def test_critical_sigma_w_of_selu_counts_both_sides_of_its_kink():
    alpha, scale = 1.6732632423543772, 1.0507009873554805
    critical = (2 / (scale**2 * (1 + alpha**2))) ** 0.5
    assert theory.critical_sigma_w("selu") == pytest.approx(critical, abs=1e-4)


@pytest.mark.parametrize("name", ["silu", "gelu"])
def test_where_chi_jumps_the_critical_point_is_where_one_is_a_fixed_point(name):
    """Without biases E[φ²] / q grows: from q = 1 the iteration sinks to 0 below 1 / √E[φ(z)²],
    and runs away above."""
    with jax.enable_x64(True):
        critical = float(vg.activations.second_moment(name)) ** -0.5
    assert theory.critical_sigma_w(name) == pytest.approx(critical, abs=1e-9)
    assert theory.chi(name, critical * (1 - 1e-6)) < 1 < theory.chi(name, critical * (1 + 1e-6))


def test_critical_points_in_closed_form():
    assert theory.critical_sigma_w("tanh") == pytest.approx(1, abs=1e-12)
    for sigma_b in (0.01, 0.3, 1.0):
        critical = theory.critical_sigma_w("tanh", sigma_b)
        assert theory.chi("tanh", critical, sigma_b) == pytest.approx(1, abs=1e-9)


def test_a_fixed_point_where_the_map_is_tangent():
    """SiLU with biases: σ_w² = (q − σ_b²) / E[φ²] has a maximum above q = 1, where two fixed
    points meet; at a σ_w a little below, q* is the lower one of a close pair."""

    def sigma_w(q):
        with jax.enable_x64(True):
            return float((q - 0.25) / vg.activations.second_moment("silu", q)) ** 0.5

    meeting = optimize.minimize_scalar(
        lambda q: -sigma_w(q), bounds=(1.0, 20.0), method="bounded", options={"xatol": 1e-9}
    ).x
    assert 1.1 < meeting < 19
    for below in (1e-2, 1e-4):  # closer still, the reference itself loses digits
        wanted = sigma_w(meeting) * (1 - below)
        lower = optimize.brentq(lambda q: sigma_w(q) - wanted, 1.0, meeting, xtol=1e-13)  # noqa: B023
        assert theory.length_fixed_point("silu", wanted, 0.5) == pytest.approx(lower, abs=1e-9)
    assert theory.length_fixed_point("silu", sigma_w(meeting) * (1 + 1e-6), 0.5) == float("inf")


def test_chi_has_the_derivative_of_its_implicit_function_in_both_modes():
    with jax.enable_x64(True):
        for scales in ((0.8, 0.3), (1.5, 0.2), (3.0, 0.5)):
            step = 1e-5
            for k in (0, 1):
                ahead, behind = (
                    theory.chi("tanh", *(s + sign * step * (k == j) for j, s in enumerate(scales)))
                    for sign in (1, -1)
                )
                function = lambda *s: theory.chi("tanh", *s)  # noqa: E731
                expected = (ahead - behind) / (2 * step)
                assert float(jax.grad(function, k)(*scales)) == pytest.approx(expected, rel=1e-6)
                assert float(jax.jacfwd(function, k)(*scales)) == pytest.approx(expected, rel=1e-6)


def test_lsuv_is_predicted_as_it_is_measured():
    net = vg.MLP(depth=20, width=256, activation="relu", initializer="lsuv")
    keys = jax.random.split(KEY, 3)
    x, cotangent = (jax.random.normal(key, (64, 256)) for key in keys[:2])
    params = vg.init(net, key=keys[2], data=x)
    log = vg.probe(net, params, x, cotangent).log_gradient_rms
    predicted = theory.predict(net, 1.0)
    np.testing.assert_allclose(predicted.length, 1, rtol=1e-5)
    np.testing.assert_allclose(predicted.log_gradient_rms, 0, atol=1e-5)
    assert abs(float(log[0] - log[-1])) < 0.6  # without its gains: −6.6


@pytest.mark.parametrize("sigma_w", [0.1, 8.0])
def test_a_prediction_is_clipped_on_neither_side(sigma_w):
    net = vg.MLP(depth=1000, width=8, activation="relu", sigma_w=sigma_w)
    predicted = theory.predict(net, 1.0)
    steps = np.arange(1, 1001) * np.log(sigma_w / 2**0.5)
    np.testing.assert_allclose(predicted.log_activation_rms, steps, atol=2e-3)
    np.testing.assert_allclose(predicted.log_gradient_rms, steps[::-1] - steps[0], atol=2e-3)


@pytest.mark.parametrize("sigma_w", [0.5, 1.2, 2.0])
def test_chi_of_relu_is_half_the_variance_wherever_q_goes(sigma_w):
    assert theory.chi("relu", sigma_w) == pytest.approx(sigma_w**2 / 2, rel=1e-9)
    assert theory.chi("leaky_relu", sigma_w) == pytest.approx(sigma_w**2 * 0.50005, rel=1e-9)


def test_fixed_points_in_closed_form():
    assert theory.length_fixed_point("linear", 0.6, 0.8) == pytest.approx(1.0, abs=1e-9)
    assert theory.length_fixed_point("linear", 0.0, 0.5) == pytest.approx(0.25, abs=1e-12)
    assert theory.length_fixed_point("relu", 2.0) == float("inf")
    assert theory.length_fixed_point("tanh", 0.5) == pytest.approx(0, abs=1e-12)
    assert theory.length_map("linear", 3.0, 2.0, 0.5) == pytest.approx(12.25, rel=1e-12)


def test_the_fixed_point_is_one():
    for name in ("sigmoid", "tanh", "elu", "selu", "gelu"):
        q = theory.length_fixed_point(name, 0.9, 0.3)
        assert theory.length_map(name, q, 0.9, 0.3) == pytest.approx(q, rel=1e-10)


def test_plain_numbers_give_plain_numbers_even_inside_a_trace():
    outside = theory.chi("tanh", 1.5, 0.1)
    assert isinstance(outside, float)
    inside = jax.jit(lambda x: x * theory.chi("tanh", 1.5, 0.1))(1.0)
    assert float(inside) == pytest.approx(outside, rel=1e-6)


@pytest.mark.parametrize("function", [theory.chi, theory.length_fixed_point])
def test_traced_scales_give_the_same_numbers(function):
    scales = jnp.array([[0.8, 0.1], [1.5, 0.3], [3.0, 0.5]])
    traced = jax.vmap(lambda s: function("tanh", s[0], s[1]))(scales)
    expected = [function("tanh", float(w), float(b)) for w, b in scales]
    np.testing.assert_allclose(traced, expected, rtol=1e-4)


@pytest.mark.parametrize("normalization", [None, "batch", "layer"])
@pytest.mark.parametrize("residual", [None, 0.5])
def test_prediction_is_what_a_wide_network_shows(normalization, residual):
    net = vg.MLP(depth=8, width=400, activation="tanh", sigma_w=1.3, sigma_b=0.2,
                 normalization=normalization, residual=residual)  # fmt: skip

    def measure(params, x, cotangent):
        trace = vg.forward(net, params, x)
        length = trace.pre if residual is None and normalization is None else trace.post
        log = vg.probe(net, params, x, cotangent).log_gradient_rms
        return log - log[-1], jnp.mean(length**2, (1, 2)), jnp.mean(trace.post**2, (1, 2))

    # A large batch: under batch norm the theory is that of infinitely many inputs.
    logs, lengths, squares = ensembles.over_seeds(measure, net, key=KEY, seeds=3, batch=256)
    predicted = theory.predict(net, 1.0)
    np.testing.assert_allclose(logs.mean(0), predicted.log_gradient_rms, atol=0.06)
    np.testing.assert_allclose(squares.mean(0) ** 0.5, predicted.activation_rms, rtol=0.03)
    if normalization is None:
        np.testing.assert_allclose(lengths.mean(0), predicted.length, rtol=0.05)


def test_prediction_has_one_executable_for_every_scale():
    traces = []

    def activation(z):
        traces.append(z)
        return jnp.tanh(z)

    theory.predict(vg.MLP(depth=5, width=9, activation=activation, sigma_w=1.0), 1.0)
    compiled = len(traces)
    theory.predict(vg.MLP(depth=5, width=9, activation=activation, sigma_w=2.0), 0.5)
    assert len(traces) == compiled > 0


def cho_saul(c):
    """The correlation map of ReLU without biases, Cho & Saul 2009."""
    theta = np.arccos(c)
    return (np.sin(theta) + (np.pi - theta) * c) / np.pi


CORRELATIONS = (-1.0, -0.5, 0.0, 0.3, 0.9, 0.9999, 1 - 1e-8, 1.0)


@pytest.mark.parametrize("c", CORRELATIONS)
def test_the_correlation_map_of_relu_is_the_arc_cosine_kernel(c):
    for q in (0.01, 3.0):  # ReLU knows no scale
        found = theory.correlation_map("relu", c, q, 2**0.5)
        assert found == pytest.approx(cho_saul(c), abs=1e-6)


@pytest.mark.parametrize("c", CORRELATIONS)
@pytest.mark.parametrize("q, error", [(0.1, 1e-8), (1.0, 1e-8), (10.0, 1e-8), (100.0, 3e-6)])
def test_the_correlation_map_of_erf_is_an_arcsine(c, q, error):
    """Williams 1997: E[erf(u) erf(v)] = (2/π) arcsin(2 c q / (1 + 2 q))."""
    product, square = (np.arcsin(2 * x * q / (1 + 2 * q)) * 2 / np.pi for x in (c, 1.0))
    expected = (1.5**2 * product + 0.3**2) / (1.5**2 * square + 0.3**2)
    found = theory.correlation_map(jax.scipy.special.erf, c, q, 1.5, 0.3)
    assert found == pytest.approx(expected, abs=error)


@pytest.mark.parametrize("sigma_w, sigma_b", [(0.8, 0.3), (1.3, 0.3), (2.5, 0.3)])
def test_the_slope_of_the_correlation_map_at_1_is_chi(sigma_w, sigma_b):
    q = theory.length_fixed_point("tanh", sigma_w, sigma_b)
    step = 1e-4
    slope = (1 - theory.correlation_map("tanh", 1 - step, q, sigma_w, sigma_b)) / step
    assert slope == pytest.approx(theory.chi("tanh", sigma_w, sigma_b), rel=1e-3)


def test_a_traced_correlation_map_agrees_with_the_plain_one():
    cs = np.linspace(-1, 1, 9, dtype=np.float32)
    traced = jax.jit(jax.vmap(lambda c: theory.correlation_map("tanh", c, 2.0, 1.5, 0.2)))(cs)
    plain = [theory.correlation_map("tanh", float(c), 2.0, 1.5, 0.2) for c in cs]
    np.testing.assert_allclose(traced, plain, atol=3e-6)


def test_where_nothing_arrives_a_correlation_stays():
    assert theory.correlation_map("relu", 0.3, 0.0, 1.0) == pytest.approx(0.3)


def test_two_inputs_in_real_networks_follow_the_correlation_map():
    """Sixteen networks of 400 units: the mean cosine has a standard error below .01."""
    net = vg.MLP(depth=8, width=400, activation="relu", initializer="he")
    seen = ensembles.apart(net, key=KEY, seeds=16).cosine.mean(axis=0)
    c = 0.0
    for layer in range(8):
        c = cho_saul(c)
        assert float(seen[layer]) == pytest.approx(c, abs=0.03)
