"""Numbers, links and statements that stand as text in `propagation`, against computed ones."""

import functools
import re
from pathlib import Path
from urllib.parse import parse_qsl

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from scipy import optimize
from scipy.special import polygamma
from scipy.stats import binom, norm

import vanishing as vg
from vanishing import activations, theory
from vanishing.book.propagation.cobwebs import cobwebs
from vanishing.live import Slider

TEXT = Path(__file__).parents[2].joinpath("chapters", "propagation.md").read_text()
LINKS = re.findall(r"\]\(#fig-cobwebs\?([^)]+)\)", TEXT)


@functools.cache
def figure():
    return cobwebs()


def look(link):
    """What the live figure shows at a link of the text."""
    values = dict(parse_qsl(link, strict_parsing=True))
    controls = {control.name: control for control in figure().controls}
    numbers = {
        name: float(value) if isinstance(controls[name], Slider) else value
        for name, value in values.items()
    }
    return figure().evaluate(**numbers)


def test_what_the_text_says_of_the_linked_states():
    order, chaos, apart, edge, he, relu, sigmoid = map(look, LINKS)
    assert order["chi"] < 1 and order["correlation"][-1] > 0.95
    assert chaos["chi"] > 1 and chaos["correlation_law"][-1] < 0.5
    assert "it heads for the same place" in TEXT
    assert apart["correlation_law"][-1] == pytest.approx(chaos["correlation_law"][-1], abs=0.15)
    assert edge["chi"] == pytest.approx(1, abs=0.01)
    np.testing.assert_allclose(he["length_law"], 2, rtol=1e-4)
    np.testing.assert_allclose(relu["correlation_law"], he["correlation_law"], atol=1e-5)
    assert "alike in three layers" in TEXT and sigmoid["correlation_law"][2] > 0.98


def sine(q, square=2.0):
    return square / 2 * (1 - np.exp(-2 * q))


def test_the_sine_by_hand():
    assert r"$q_2 = 1 - e^{-4} \approx 0.982$, $q_3 = 1 - e^{-1.963} \approx 0.860$" in TEXT
    second = sine(2.0)
    assert [round(second, 3), round(2 * second, 3), round(sine(second), 3)] == [0.982, 1.963, 0.860]
    rest = optimize.brentq(lambda q: sine(q) - q, 0.1, 2)
    assert r"$q^* \approx 0.797$" in TEXT and rest == pytest.approx(0.797, abs=5e-4)
    assert r"\chi_1 = 2 - q^* \approx 1.203" in TEXT and 2 - rest == pytest.approx(1.203, abs=5e-4)
    assert r"$V'(q^*) = 2 e^{-2q^*} = 2(1 - q^*) \approx 0.41$" in TEXT
    assert 2 * np.exp(-2 * rest) == pytest.approx(0.41, abs=5e-3)
    for q in (0.3, 2.0):
        assert theory.length_map(jnp.sin, q, 2**0.5) == pytest.approx(sine(q), rel=1e-9)
        slopes = float(activations.slope_second_moment(jnp.sin, q))
        assert 2 * slopes == pytest.approx(1 + np.exp(-2 * q), rel=1e-5)
    # As the walk's picture says: near 0.797 within the steps drawn.
    assert theory.length_fixed_point(jnp.sin, 2**0.5) == pytest.approx(rest, abs=1e-6)


def test_relu_halves():
    assert theory.length_map("relu", 0.8, 1.0) == pytest.approx(0.4)
    assert theory.length_map("relu", 0.8, 2**0.5) == pytest.approx(0.8)


def test_the_bell_of_tanh():
    assert r"\approx 0.53\, \sigma_w" in TEXT and 4 / 3 / (2 * np.pi) ** 0.5 == pytest.approx(
        0.53, abs=5e-3
    )
    z = np.linspace(-30, 30, 200_001)
    area = np.sum(np.cosh(z) ** -4.0) * (z[1] - z[0])
    assert area == pytest.approx(4 / 3, rel=1e-6)
    roots = [round(theory.chi("tanh", s) ** 0.5, 2) for s in (5, 10, 20)]
    assert roots == pytest.approx([1.70, 2.35, 3.29], abs=0.011)


def test_published_points_of_the_text():
    assert "critical point lies at $\\sigma_w^2 = 1.761$" in TEXT
    assert theory.critical_sigma_w("tanh", 0.05**0.5) ** 2 == pytest.approx(1.761, abs=5e-4)
    assert "$\\chi_1 = 1.0716$ a layer" in TEXT
    assert theory.chi("selu", 1.0) == pytest.approx(1.0716, abs=5e-5)
    selu = 1.0507009873554805**2 * (0.5 + 1.6732632423543772**2 * np.e**2 * norm.cdf(-2))
    assert r"\tfrac12 + a^2 e^2\, \Phi(-2)" in TEXT and selu == pytest.approx(1.0716, abs=5e-5)
    assert "a factor of 4 in the RMS" in TEXT and round(1.0716**20, 1) == 4.0
    assert "tanh at σ_w = 0.9 and no biases it vanishes" in TEXT and theory.chi("tanh", 0.9) < 1


def test_tanh_between_layer_2_and_layer_200():
    assert "from layer 200 to layer 2 the gradient loses a factor of 10" in TEXT
    net = vg.MLP(depth=200, width=8, activation="tanh", sigma_w=1.0)
    law = theory.predict(net, 1.0).log_gradient_rms
    assert float(np.exp(law[1] - law[199])) == pytest.approx(0.1, rel=0.2)
    assert "would cost 4.5 powers of ten" in TEXT and round(-198 / 2 * np.log10(0.9), 1) == 4.5


def test_almost_equal_inputs_part_by_chi():
    """1 − R(c) over 1 − c, for c near 1, at rest."""
    assert r"1 - R(c) \approx" in TEXT
    for name, sigma_w, sigma_b in (("tanh", 1.0, 0.3), ("tanh", 2.5, 0.3), ("sigmoid", 2.0, 0.1)):
        rest = theory.length_fixed_point(name, sigma_w, sigma_b)
        apart = 1 - float(theory.correlation_map(name, 0.999, rest, sigma_w, sigma_b))
        assert apart / 1e-3 == pytest.approx(theory.chi(name, sigma_w, sigma_b), rel=0.02)


def test_clipping_leaves_the_ratio_between_layers():
    assert "leaves the ratio between layer 1 and layer $L$ as it was" in TEXT
    net = vg.MLP(20, 32, "tanh", sigma_w=3.0)
    params = vg.init(net, key=jax.random.key(0))
    x, g = jax.random.normal(jax.random.key(1), (2, 8, 32))
    plain = jax.grad(lambda p: jnp.sum(g * vg.apply(net, p, x)))(params)
    clip = optax.clip_by_global_norm(1.0)
    clipped, _ = clip.update(plain, clip.init(params))
    sizes = [jnp.linalg.norm(tree["weights"], axis=(1, 2)) for tree in (plain, clipped)]
    norms = [float(optax.tree.norm(tree)) for tree in (plain, clipped)]
    assert norms[0] > 100 and norms[1] < 1.001
    ratios = [float(size[0] / size[-1]) for size in sizes]
    assert ratios[0] > 100 and ratios[1] == pytest.approx(ratios[0], rel=1e-4)


def relu_map(c):
    theta = np.arccos(c)
    return (np.sin(theta) + (np.pi - theta) * c) / np.pi


def test_gradients_of_two_inputs_by_the_angles():
    c, product = 0.0, 1.0
    for _ in range(5):
        product *= 1 - np.arccos(c) / np.pi
        c = relu_map(c)
    assert "0.1046 after five layers" in TEXT and product == pytest.approx(0.1046, abs=5e-5)
    assert "gave $2^{-L}$, 0.031" in TEXT and f"{1 / 2**5:.3f}" == "0.031"


@functools.cache
def by_the_map(name, sigma_w, sigma_b, c, layers, q=None):
    """Correlations by layer; from q = 1, or at rest."""
    q, found = theory.length_fixed_point(name, sigma_w, sigma_b) if q is None else q, []
    for _ in range(layers):
        c = theory.correlation_map(name, c, q, sigma_w, sigma_b)
        q = theory.length_map(name, q, sigma_w, sigma_b)
        found.append(c)
    return np.array(found)


def test_the_table_of_phases():
    order = 1 - by_the_map("tanh", 1.0, 0.3, 0.0, 60)
    assert order[59] / order[49] == pytest.approx(theory.chi("tanh", 1.0, 0.3) ** 10, rel=0.05)
    ends = [by_the_map("tanh", 2.5, 0.3, c, 60)[-1] for c in (0.0, 0.9, 0.999)]
    assert ends == pytest.approx([ends[0]] * 3, abs=1e-3) and ends[0] < 0.5
    biased = theory.critical_sigma_w("tanh", 0.05**0.5)
    gap = 1 - by_the_map("tanh", biased, 0.05**0.5, 0.0, 400)
    assert gap[199] / gap[399] == pytest.approx(2, rel=0.1)  # a power of l, not an exponential
    assert theory.chi("tanh", biased, 0.05**0.5) == pytest.approx(1, abs=1e-6)
    fading = by_the_map("tanh", 0.7, 0.0, 0.5, 60, q=0.49)
    assert 0.45 < fading[-1] < 0.55 and theory.chi("tanh", 0.7) < 1
    free = by_the_map("tanh", 1.0, 0.0, 0.5, 200, q=1.0)
    assert 0.4 < free[-1] < 0.5  # hardly turns
    relu = 1 - by_the_map("relu", 2**0.5, 0.0, 0.0, 200, q=1.0)
    assert relu[99] / relu[199] == pytest.approx(4, rel=0.15)


def test_the_power_of_the_relu_map():
    """1 − R(c) = e − k e^(3/2) + …, and a = 4 / k²."""
    assert r"k = \tfrac{2\sqrt2}{3\pi}" in TEXT and r"\tfrac92 \pi^2 \approx 44" in TEXT
    k = 2 * 2**0.5 / (3 * np.pi)
    for e in (1e-3, 1e-4):
        assert (relu_map(1 - e) - (1 - e)) / e**1.5 == pytest.approx(k, rel=0.05)
    assert 4 / k**2 == pytest.approx(4.5 * np.pi**2) and round(4 / k**2) == 44


def test_the_exact_spread_of_twenty_narrow_layers():
    """ln of (2/n) χ²_K with K ~ Bin(n, ½): the variance over both, twenty times; and 5/n."""
    K = np.arange(1, 51)
    share = binom.pmf(K, 50, 0.5)
    mean, variance = (polygamma(order, K / 2) for order in (0, 1))
    exact = 20 * (share @ variance + share @ mean**2 - (share @ mean) ** 2)
    assert "abs(exact - 2.163)" in TEXT and exact == pytest.approx(2.163, abs=5e-4)
    share, K = binom.pmf(np.arange(51), 50, 0.5), np.arange(51)
    assert share @ (2 * K) + share @ K**2 - (share @ K) ** 2 == pytest.approx(50 + 50 / 4)


def test_how_far_the_mean_of_logarithms_lies_below_the_law():
    """ln RMS: half of the mean of ln of (2/n) χ²_K, K ~ Bin(n, ½), for each layer."""
    chain_rule = Path(__file__).parents[2].joinpath("chapters", "chain-rule.md").read_text()
    assert "it lies $5L/(4n)$ below the theory" in TEXT
    assert "the 49 steps" in chain_rule and "by a tenth of a power of ten" in chain_rule
    K, steps = np.arange(1, 257), 49
    share = binom.pmf(K, 256, 0.5)
    below = -steps * (np.log(4 / 256) + share @ polygamma(0, K / 2)) / 2
    assert below == pytest.approx(5 * steps / (4 * 256), rel=0.02)
    assert round(below / np.log(10), 1) == 0.1


def test_a_nilpotent_matrix_and_its_transpose_stretch():
    A = np.array([[0.0, 2.0], [0.0, 0.0]])
    assert not np.linalg.eigvals(A).any() and not np.linalg.eigvals(A.T).any()
    product = np.linalg.matrix_power(A @ A.T, 5)
    assert "by $2^{10}$" in TEXT and np.linalg.norm(np.array([1.0, 0.0]) @ product) == 2**10


def relative_variance(rng, relu, orthogonal, width=200, depth=8):
    """Var s² over (mean s²)² of one network, by traces: Σ s² = tr JJᵀ, Σ s⁴ = tr (JJᵀ)²."""
    J, h = np.eye(width), rng.normal(size=width)
    for _ in range(depth):
        W = rng.normal(0, width**-0.5, (width, width))
        if orthogonal:
            Q, R = np.linalg.qr(W)
            W = Q * np.sign(np.diag(R))
        z = h @ W
        J = J @ W * (z > 0 if relu else 1)
        h = np.maximum(z, 0) if relu else z
    return width * np.sum((J @ J.T) ** 2) / np.sum(J**2) ** 2 - 1


def test_the_spread_of_singular_values_over_two_hundred_networks():
    said = re.search(r"they are \$([\d.]+) \\pm ([\d.]+)\$, \$([\d.]+) \\pm ([\d.]+)\$ and "
                     r"\$([\d.]+) \\pm ([\d.]+)\$", TEXT)  # fmt: skip
    numbers = np.array(said.groups(), float).reshape(3, 2)
    rng = np.random.default_rng(1)
    for (mean, spread), (relu, orthogonal) in zip(
        numbers, ((False, False), (True, True), (True, False)), strict=True
    ):
        each = [relative_variance(rng, relu, orthogonal) for _ in range(30)]
        # Four standard errors of both samples, and half of the last digit that is printed.
        assert abs(np.mean(each) - mean) < 4 * spread * (1 / 30 + 1 / 200) ** 0.5 + 0.05
        assert abs(np.std(each, ddof=1) / spread - 1) < 0.5


def test_powers_in_the_exercises():
    for words, value, said in (
        (r"$\sigma_w = 6 \sqrt\pi \approx 10.6$", 6 * np.pi**0.5, 10.6),
        (r"$n \ge 500\, (0.98 / \ln 2)^2$", 500 * (0.98 / np.log(2)) ** 2, 999.5),
    ):
        assert words in TEXT and value == pytest.approx(said, rel=5e-3)
    square = 1 + 2 / np.pi * 49
    assert "32 at the first of 50 layers of ReLU" in TEXT and round(square) == 32
    z = np.linspace(-40, 40, 400_001)
    slope = np.asarray(jax.nn.sigmoid(z), float)
    area = np.sum((slope * (1 - slope)) ** 2) * (z[1] - z[0])
    assert area == pytest.approx(1 / 6, rel=1e-4)


def test_wrong_answers_get_a_hint():
    assert not vg.check("propagation-steps", (5.0, 1.41, 1.59))
    assert not vg.check("propagation-erf", lambda q, sigma_w: sigma_w**2)
    assert not vg.check("propagation-critical", 10.6)
    assert not vg.check("propagation-width", 250)
    assert not vg.check("propagation-alike", 58)
    assert not vg.check("propagation-cotangent", 32.2)
    assert not vg.check("propagation-cotangent", 19.46)  # the leak's slope forgotten at the top


def test_a_cotangent_of_ones_grows_as_the_solution_says():
    """Seven layers by a slope of −0.6, where forgetting the slopes would give 7.17."""
    assert r"\frac{(1 - a)^2\, (1 + a^4)}{(1 + a^2)^3}\, (L - l)" in TEXT

    def by_law(a, L):
        return 1 + 2 / np.pi * (1 - a) ** 2 * (1 + a**4) / (1 + a**2) ** 3 * (L - 1)

    assert vg.check("propagation-cotangent", by_law(0.2, 50))
    rng, a, n, grown = np.random.default_rng(0), -0.6, 500, []
    for _ in range(40):
        h, layers, g = rng.normal(size=n), [], np.ones(n)
        for _ in range(8):
            W = rng.normal(0, (2 / (1 + a**2) / n) ** 0.5, (n, n))
            z = h @ W
            h = np.where(z > 0, z, a * z)
            layers.append((W, np.where(z > 0, 1, a)))
        for W, slope in layers[::-1]:
            delta = g * slope
            g = W @ delta
            grown.append(np.mean(delta**2))
    ratio = np.reshape(grown, (40, 8))[:, -1] / np.reshape(grown, (40, 8))[:, 0]
    error = ratio.std(ddof=1) / 40**0.5
    assert error < 0.25 and abs(ratio.mean() - by_law(a, 8)) < 4 * error


def test_eigenvalues_and_singular_values_are_told_apart():
    drawn = np.random.default_rng(7).normal(0, 200**-0.5, (8, 200, 200))
    stretch = np.linalg.svd(np.linalg.multi_dot(drawn), compute_uv=False)
    right = (np.abs(np.linalg.eigvals(drawn[0])).max(), np.linalg.norm(drawn[0], 2),
             stretch[0], np.sqrt(np.mean(stretch**2)))  # fmt: skip
    assert vg.check("propagation-eigenvalues", right)
    for answer, told in (
        ((1.0, 2.0, 256.0, 1.0), "Multiply the matrices first"),
        ((1.0, 2.0, 1.0, 1.0), "not what eigenvalues suggest"),
        ((2.0, 1.0, 4.5, 1.0), "eigenvalue comes first"),
        ((1.0, 2.0, 4.5, 0.3), "Give four numbers"),
        ((1.0, 2.0, 4.5, 0.0), "zero or negative"),
        (np.full(4, np.nan), "zero or negative"),
    ):
        assert told in vg.check("propagation-eigenvalues", answer).message


def test_isometries_are_told_from_others():
    def judged(size, *fields, **named):
        return vg.check("propagation-isometry", (vg.MLP(*fields, **named), size))

    assert judged(0.05, 30, 100, "tanh", "orthogonal")
    for verdict, told in (
        (judged(0.3, 30, 100, "tanh", "orthogonal"), "the slopes differ"),
        (judged(0.05, 30, 100, "tanh", "xavier"), "the weights stretch"),
        (judged(0.0, 30, 100, "tanh", "orthogonal"), "above 0"),
        (judged(0.05, 3, 100, "tanh", "orthogonal"), "network first"),
        (judged(0.05, 30, 100, "linear", "orthogonal"), "network first"),
        (judged(0.05, 30, 100, "tanh", "orthogonal", residual=0.1), "without skips"),
        (vg.check("propagation-isometry", (0.05, vg.MLP(30, 100))), "network first"),
        (vg.check("propagation-isometry", (1, 2, 3)), "Expected a"),
    ):
        assert told in verdict.message
