"""Three normalisations live: the browser against JAX, and both against the library."""

import functools
import gzip

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import vanishing as vg
from vanishing.book.normalization import normalizers as module
from vanishing.live.compiler import run_programs
from vanishing.live.page.assets import strip
from vanishing.network import NORMALIZATIONS

CASES = 24


@functools.cache
def figure():
    return module.normalizers()


def settings():
    """Random control values; shallow ones under batch norm, which amplifies rounding as it does
    every difference between inputs: by up to 1.75 a layer in batches of four."""
    rng = np.random.default_rng(0)
    for case in range(CASES):
        norm = NORMALIZATIONS[case % 3]
        yield {
            "normalization": str(norm).lower(),
            "batch": str(rng.choice(module.BATCHES)),
            "depth": int(rng.integers(2, 13 if norm == "batch" else module.LAYERS + 1)),
            "sigma_w": float(np.exp(rng.uniform(0, np.log(2)))),
            "seed": int(rng.integers(2**31)),
        }


@functools.cache
def compared():
    live = figure()
    calls = [tuple(live.machine.arguments(live.state(**values))) for values in settings()]
    (found,) = run_programs([(live.programs["compute"], calls)])
    return list(zip([live.evaluate(**values) for values in settings()], found, strict=True))


@pytest.mark.parametrize("case", range(CASES))
def test_the_browser_draws_what_jax_draws(case):
    expected, got = compared()[case]
    assert expected.keys() == got.keys()
    for name, want in expected.items():
        np.testing.assert_allclose(got[name], want, rtol=1e-3, atol=1e-3, err_msg=name)


def drawn(seed, sigma_w):
    """The network, the inputs and the cotangent of a state, for the library."""
    keys = jax.random.split(jax.random.key(seed), 3)
    shape = (module.INPUTS, module.WIDTH)
    x, cotangent = (jax.random.normal(key, shape) for key in keys[:2])
    weights = jax.random.normal(keys[2], (module.LAYERS, module.WIDTH, module.WIDTH))
    weights = weights * (sigma_w / module.WIDTH**0.5)
    return {"weights": weights, "biases": jnp.zeros(weights.shape[:2])}, x, cotangent


@pytest.mark.parametrize("normalization", NORMALIZATIONS)
def test_it_shows_what_the_library_measures(normalization):
    depth = 12
    shown = figure().evaluate(
        normalization=str(normalization).lower(), depth=depth, sigma_w=1.5, seed=5
    )
    params, x, cotangent = drawn(5, 1.5)
    params = {name: values[:depth] for name, values in params.items()}
    net = vg.MLP(depth, module.WIDTH, "relu", "he", normalization=normalization)
    seen = vg.probe(net, params, x, cotangent)
    decades = (seen.log_gradient_rms - seen.log_gradient_rms[-1]) / np.log(10)
    np.testing.assert_allclose(shown["gradient"][:depth], decades, atol=1e-3)
    np.testing.assert_allclose(
        shown["activation"][:depth], seen.log_activation_rms / np.log(10), atol=1e-3
    )
    h = np.asarray(vg.forward(net, params, x).post[-1])
    unit = h / np.linalg.norm(h, axis=1, keepdims=True)
    cosines = (unit @ unit.T)[~np.eye(len(h), dtype=bool)]
    assert shown["alike"][depth - 1] == pytest.approx(cosines.mean(), abs=1e-3)


def test_batches_are_groups_of_the_inputs():
    depth, size = 6, 16
    shown = figure().evaluate(batch=str(size), depth=depth, seed=3)
    params, x, _ = drawn(3, module.HE)
    params = {name: values[:depth] for name, values in params.items()}
    net = vg.MLP(depth, module.WIDTH, "relu", "he", normalization="batch")
    groups = [vg.forward(net, params, x[k : k + size]).post for k in range(0, len(x), size)]
    rms = np.sqrt(np.mean(np.concatenate(groups, axis=1) ** 2, axis=(1, 2)))
    np.testing.assert_allclose(shown["activation"][:depth], np.log10(rms), atol=1e-3)


def test_theory_stands_where_it_should():
    limit = figure().evaluate()["limit"]
    assert limit[0] == pytest.approx(49 / 2 * np.log10(np.pi / (np.pi - 1)), rel=1e-5)
    assert (figure().evaluate(normalization="layer")["law"] == 0).all()
    half = figure().evaluate(normalization="none", sigma_w=1.0)["law"]
    assert half[0] == pytest.approx(-49 / 2 * np.log10(2), rel=1e-5)
    batch = figure().evaluate(batch="16")["law"]
    assert batch[0] == pytest.approx(49 / 2 * np.log10(1.5900), rel=1e-3)


def test_links_in_the_chapter_show_what_they_say():
    plain, layer = (figure().evaluate(normalization=kind) for kind in ("none", "layer"))
    batch, four = figure().evaluate(), figure().evaluate(batch="4")
    for calm in (plain, layer):  # the gradient is level, and inputs become alike
        assert abs(calm["gradient"][0]) < 1.5 and calm["alike"][-1] > 0.95
    assert 3 < batch["gradient"][0] < 5.5 and batch["alike"][-1] < 0.5
    assert four["gradient"][0] > batch["gradient"][0] + 3
    assert figure().evaluate(normalization="none", sigma_w=1.0)["gradient"][0] < -5
    for kind in ("batch", "layer"):
        scaled = figure().evaluate(normalization=kind, sigma_w=1.0)["gradient"]
        same = figure().evaluate(normalization=kind)["gradient"]
        assert scaled[0] == pytest.approx(same[0], abs=0.05)


def test_layers_that_are_not_there_repeat_the_last():
    shown = figure().evaluate(depth=7)
    assert shown["layer"].tolist() == [*range(1, 8), *[7] * 43]
    for values in shown.values():
        np.testing.assert_array_equal(values[7:], values[6])


def test_the_first_picture_shows_the_outputs():
    live = figure()
    for layout in live.layouts:
        lines = {b.shows["y"]: b.artist for b in layout.bounds if "y" in b.shows}
        assert lines.keys() == live.outputs.keys() - {"layer"}
        for name, line in lines.items():
            np.testing.assert_array_equal(line.get_ydata(), live.outputs[name])


def test_the_program_is_small():
    source = strip(figure().programs["compute"].source)
    assert len(gzip.compress(source.encode(), 9)) <= 7_200
