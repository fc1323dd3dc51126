"""The gradient microscope: the browser's numbers against JAX's, and both against the library's."""

import functools
import gzip

import jax
import numpy as np
import pytest

import vanishing as vg
from differential import opens_at_its_defaults, still
from vanishing.book.chain_rule import microscope as module
from vanishing.live.page.assets import strip
from vanishing.network import NORMALIZATIONS

CASES = 48


figure = functools.cache(module.microscope)


def settings():
    """Random control values over all structures; where a network is chaotic and amplifies its
    rounding, shallow ones (batch normalisation), or weights of the ordered phase (tanh)."""
    rng = np.random.default_rng(0)
    for case in range(CASES):
        name, norm = module.NAMES[case % 8], NORMALIZATIONS[case // 8 % 3]
        plain = case < CASES // 2
        yield {
            "depth": int(rng.integers(1, 13 if plain and norm == "batch" else module.LAYERS + 1)),
            "activation": name,
            "sigma_w": float(np.exp(rng.uniform(np.log(0.1), np.log(1 if name == "tanh" else 8)))),
            "sigma_b": float(rng.choice([0, rng.uniform(0, 1)])),
            "normalization": str(norm).lower(),
            "residual": not plain,
            "alpha": float(rng.uniform(0.05, 1.2)),
            "seed": int(rng.integers(2**31)),
        }


@functools.cache
def compared():
    return still(figure(), settings())


def network(values):
    """The network that is shown, its parameters and its inputs, by the public functions alone."""
    scales = {name: values[name] for name in ("activation", "sigma_w", "sigma_b")}
    scales |= {"width": module.WIDTH, "residual": values["alpha"] if values["residual"] else None}
    norm = values["normalization"]
    scales |= {"normalization": None if norm == "none" else norm}
    keys = jax.random.split(jax.random.key(values["seed"]), 3)
    params = vg.init(vg.MLP(depth=module.LAYERS, **scales), key=keys[2])
    x = jax.random.normal(keys[0], (module.BATCH, module.WIDTH))
    depth = values["depth"]
    params = {name: leaf[:depth] for name, leaf in params.items()}
    return vg.MLP(depth=depth, **scales), params, x


def doubtful(values):
    """Layer by layer, the share of units of which rounding decides whether they are dead: their
    largest slope is not 0 and below 1e-5. 1 + tanh is rounded at 2^−23, and GELU's slope takes
    that times |z u′| ≤ 30, with u inside of its tanh: 4e-6. An XLA that fuses products, one that
    does not, and the page come to exactly 0 at different places there."""
    net, params, x = network(values)
    pre = vg.forward(net, params, x).pre
    with jax.enable_x64(True):
        slope = vg.activations.derivative(net.activation)(np.asarray(pre, np.float64))
    largest = np.max(np.abs(slope), axis=1)
    share = np.zeros(module.LAYERS)
    share[: net.depth] = ((largest > 0) & (largest < 1e-5)).mean(axis=1)
    return share


@pytest.mark.parametrize("case", range(CASES))
def test_the_browser_finds_what_jax_finds(case):
    expected, got = compared()[case]
    assert expected.keys() == got.keys()
    np.testing.assert_array_equal(got["layer"], expected["layer"])
    far = np.abs(np.asarray(got["dead"]) - expected["dead"])
    if np.nanmax(far) > 1.1 / module.WIDTH:
        far = far - doubtful(list(settings())[case])
    assert np.nanmax(far) <= 1.1 / module.WIDTH
    np.testing.assert_array_equal(np.isnan(got["dead"]), np.isnan(expected["dead"]))
    one = 1 / (module.WIDTH * module.BATCH)  # a pair on the very edge may count on its other side
    np.testing.assert_allclose(got["saturated"], expected["saturated"], atol=4.1 * one)
    for name in ("gradient", "gradient_law", "activation", "activation_law"):
        np.testing.assert_allclose(got[name], expected[name], rtol=1e-4, atol=1e-4, err_msg=name)


@pytest.mark.parametrize("normalization", NORMALIZATIONS)
@pytest.mark.parametrize("residual", [None, 0.5])
def test_it_shows_what_the_library_measures_and_predicts(normalization, residual):
    """A network of the depth shown, built and probed by the public functions alone."""
    shown = figure().evaluate(
        depth=12, activation="tanh", sigma_w=1.3, sigma_b=0.3, seed=5,
        normalization=str(normalization).lower(), residual=residual is not None, alpha=0.5,
    )  # fmt: skip
    scales = {"sigma_w": 1.3, "sigma_b": 0.3, "normalization": normalization}
    deep = vg.MLP(depth=module.LAYERS, width=module.WIDTH, **scales, residual=residual)
    keys = jax.random.split(jax.random.key(5), 3)
    x, cotangent = (jax.random.normal(k, (module.BATCH, module.WIDTH)) for k in keys[:2])
    params = vg.init(deep, key=keys[2])
    params = {name: values[:12] for name, values in params.items()}
    net = vg.MLP(depth=12, width=module.WIDTH, **scales, residual=residual)
    seen, law = vg.probe(net, params, x, cotangent), vg.theory.predict(net, 1.0)
    decades = (seen.log_gradient_rms - seen.log_gradient_rms[-1]) / np.log(10)
    np.testing.assert_allclose(shown["gradient"][:12], decades, atol=1e-4)
    np.testing.assert_allclose(shown["activation"][:12], np.log10(seen.activation_rms), atol=1e-4)
    np.testing.assert_allclose(shown["saturated"][:12], seen.saturated_fraction, atol=1e-3)
    decades = law.log_gradient_rms / np.log(10)
    np.testing.assert_allclose(shown["gradient_law"][:12], decades, atol=1e-4)
    expected = np.log10(law.activation_rms)
    np.testing.assert_allclose(shown["activation_law"][:12], expected, atol=1e-4)


def test_layers_that_are_not_there_repeat_the_last():
    shown = figure().evaluate(depth=7)
    assert shown["layer"].tolist() == [*range(1, 8), *[7] * 43]
    for values in shown.values():
        np.testing.assert_array_equal(values[7:], values[6])


@pytest.mark.parametrize("sigma_w", [0.1, 8.0])
def test_every_number_is_finite_at_both_ends_of_the_slider(sigma_w):
    for name in module.NAMES:
        law = figure().evaluate(activation=name, sigma_w=sigma_w)
        assert all(np.isfinite(values).all() for values in law.values())


@pytest.mark.parametrize("sigma_w", [0.1, 8.0])
def test_relu_dies_by_no_scale_and_follows_its_law(sigma_w):
    """Fifty layers by factors of σ_w / √2: 1e-58 and 5e37. A ReLU is dead by signs alone."""
    shown = figure().evaluate(activation="relu", sigma_w=sigma_w)
    half = figure().evaluate(activation="relu", sigma_w=1.0)
    np.testing.assert_allclose(shown["dead"], half["dead"], atol=1.1 / module.WIDTH)
    slope = np.log10(sigma_w / 2**0.5)
    np.testing.assert_allclose(np.diff(shown["activation_law"]), slope, atol=1e-4)
    assert abs(shown["activation"][-1] - shown["activation_law"][-1]) < 3


def test_the_first_picture_shows_the_outputs():
    live = figure()
    opens_at_its_defaults(live)
    for layout in live.layouts:
        lines = {b.shows["y"]: b.artist for b in layout.bounds if "y" in b.shows}
        assert lines.keys() == live.outputs.keys() - {"layer"}
        for name, line in lines.items():
            np.testing.assert_array_equal(line.get_xdata(), live.outputs["layer"])
            np.testing.assert_array_equal(line.get_ydata(), live.outputs[name])


def test_the_program_is_small():
    source = strip(figure().programs["compute"].source)
    # Six structures, each with its exponents carried up and down: about half of it.
    assert len(gzip.compress(source.encode(), 9)) <= 21_000
