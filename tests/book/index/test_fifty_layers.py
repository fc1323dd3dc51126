"""The figure of the first page against the library, and the browser's against JAX."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import vanishing as vg
from differential import same
from vanishing.book.index import fifty_layers as module
from vanishing.live.compiler import run_programs


@functools.cache
def figure():
    return module.fifty_layers()


def state(seed=0):
    return module.start(1.0, 0, seed)


@pytest.mark.parametrize("place", range(3))
@pytest.mark.parametrize("sigma_w", [0.7, 1.0, 2.0])
def test_both_ways_are_those_of_the_library(place, sigma_w):
    name = list(module.COLOURS)[place]
    turning = state()
    net = vg.MLP(module.DEPTH, module.WIDTH, name, sigma_w=1.0)
    params = {"weights": sigma_w * turning.weights, "biases": jnp.zeros((50, 64))}
    x, g = turning.ends[:1], turning.cotangent[None]
    trace, seen = vg.forward(net, params, x), vg.probe(net, params, x, g)
    _, up = module.frame(turning, jnp.float32(sigma_w), jnp.int32(0), 0)
    _, down = module.frame(turning, jnp.float32(sigma_w), jnp.int32(1), 0)
    h = np.asarray(trace.post[:, 0, : module.SHOWN])
    np.testing.assert_allclose(up[name], np.sign(h) * np.sqrt(np.abs(h)), rtol=2e-3, atol=2e-3)
    ln10 = np.log(10)
    log = np.asarray(seen.log_gradient_rms) / ln10
    # Half the digits of float32 are lost on fifty layers at worst; three of a power are plenty.
    assert down["end"][place] == pytest.approx(log[0] - log[-1], abs=2e-3)
    assert up["end"][place] == pytest.approx(float(seen.log_activation_rms[-1]) / ln10, abs=2e-3)


def test_the_network_is_that_of_the_figure_below():
    net = vg.MLP(depth=50, width=64, activation="relu", sigma_w=1.0)
    weights = vg.init(net, key=jax.random.key(0))["weights"]
    np.testing.assert_array_equal(weights, state().weights)


def test_the_input_goes_once_round():
    turning = state()._replace(count=jnp.int32(module.STEPS))
    arguments = jnp.float32(1.0), jnp.int32(0), 0
    first, last = (module.frame(each, *arguments)[1] for each in (state(), turning))
    for name in module.COLOURS:
        np.testing.assert_allclose(first[name], last[name], atol=2e-3)


def test_the_browser_computes_what_jax_does():
    live, rng, jobs = figure().machine, np.random.default_rng(0), []
    for case in range(20):
        # Up to the edge of chaos of tanh: beyond it, rounding grows from layer to layer.
        values = {"sigma_w": float(rng.uniform(0.6, 1.05)), "seed": int(rng.integers(2**31))}
        values["show"] = (module.SIGNAL, module.GRADIENT)[case % 2]
        arguments = tuple(live.arguments(values))
        begun = live.jitted_init(*arguments)
        turned = begun._replace(count=jnp.int32(rng.integers(module.STEPS)))
        jobs.append((arguments, begun, turned, live.jitted_step(turned, *arguments)))
    programs = figure().programs
    calls = {"init": [args for args, *_ in jobs], "step": [(s, *args) for args, _, s, _ in jobs]}
    inits, steps = run_programs([(programs[name], calls[name]) for name in ("init", "step")])
    for (_, begun, _, (state, outputs)), init, (js_state, js) in zip(
        jobs, inits, steps, strict=True
    ):
        same(begun, init)
        same(state, js_state)
        # |√a − √b| ≤ √|a − b|, and fifty layers of float32 keep five digits. A gradient in whose
        # sum all terms cancel, or a ReLU at its kink, may differ by more: one in a hundred may.
        for name in module.COLOURS:
            apart = np.abs(np.asarray(outputs[name]) - js[name])
            assert np.quantile(apart, 0.99) < 4e-3
        np.testing.assert_allclose(js["end"], outputs["end"], atol=1e-2)
