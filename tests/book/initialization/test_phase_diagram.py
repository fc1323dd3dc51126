"""The phase diagram: the browser's numbers against JAX's, and both against the library's."""

import functools
import gzip

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import vanishing as vg
from differential import same
from vanishing.book.initialization import phase_diagram as module
from vanishing.live.compiler import run_programs
from vanishing.live.machine import Run
from vanishing.live.page.assets import strip

CASES = 24


@functools.cache
def figure():
    return module.phase_diagram()


def settings():
    """Random control values, on the ordered side of the map and a little beyond its edge, where
    rounding is not yet amplified from layer to layer."""
    rng = np.random.default_rng(0)
    for k in range(CASES):
        yield {
            "activation": module.ACTIVATIONS[k % 3],
            "weights": module.WEIGHTS[k // 3 % 2],
            "sigma_w": float(rng.uniform(0.5, 1.5 if k % 3 < 2 else 1.0)),
            "sigma_b": float(rng.choice([0, rng.uniform(0, 1)])),
            "learning_rate": float(10 ** rng.uniform(-3, -1)),
            "seed": int(rng.integers(2**31)),
        }


@functools.cache
def compared():
    """For each setting: JAX's and Node's answer to `init`, and to one `step` from JAX's state."""
    live, jobs = figure().machine, []
    for k, values in enumerate(settings()):
        arguments = tuple(live.arguments(figure().state(**values)))
        start = state = live.jitted_init(*arguments)
        for _ in range(k % 3):
            state, _ = live.jitted_step(state, *arguments)
        jobs.append((arguments, start, state, live.jitted_step(state, *arguments)))
    programs = figure().programs
    calls = {"init": [args for args, *_ in jobs], "step": [(s, *args) for args, _, s, _ in jobs]}
    inits, steps = run_programs([(programs[name], calls[name]) for name in ("init", "step")])
    return [(start, init, step, got) for (_, start, _, step), init, got
            in zip(jobs, inits, steps, strict=True)]  # fmt: skip


@pytest.mark.parametrize("case", range(CASES))
def test_the_browser_draws_and_trains_as_jax_does(case):
    start, init, (state, outputs), (js_state, js_outputs) = compared()[case]
    # QR rounds by the matrix's condition number, about 10³ for the worst of twenty, relative to
    # the largest entry.
    trained, js_trained = start.trained.params, init.trained.params
    same(trained["weights"], js_trained["weights"], tolerance=5e-4, floor=1.0)
    same(outputs, js_outputs, floor=1e-2)
    # What a step adds to a parameter, and its rounding, are small beside weights of order 0.1.
    for after, js_after in ((start, init), (state, js_state)):
        rest, js_rest = (one._replace(trained=one.trained.step) for one in (after, js_after))
        same(rest, js_rest, floor=1e-2)
    for a, b in zip(*map(jax.tree.leaves, (state.trained, js_state.trained)), strict=True):
        np.testing.assert_allclose(b, a, rtol=1e-4, atol=1e-5)


def test_the_picture_at_rest_is_the_end_of_a_run():
    live = figure()
    assert np.isfinite(live.outputs["loss"]).all() and len(live.outputs["loss"]) == 41
    for layout in live.layouts:
        (image,) = [b.artist for b in layout.bounds if b.shows.get("z") == "map"]
        np.testing.assert_array_equal(image.get_array(), live.outputs["map"])


@pytest.mark.parametrize("name", module.ACTIVATIONS)
def test_the_map_is_what_theory_says(name):
    k = module.ACTIVATIONS.index(name)
    shown = module.diagram()[k] / 20.0 - module.REACH
    for row, column in ((0, 5), (3, 12), (10, 20), (21, 33)):
        chi = vg.theory.chi(name, float(module.GRID_W[column]), float(module.GRID_B[row]))
        expected = np.clip((module.DEPTH - 1) / 2 * np.log10(chi), -module.REACH, module.REACH)
        # Half a step of the map, and the gap between two ways to the fixed point.
        assert shown[row, column] == pytest.approx(expected, abs=0.06)


def test_the_edge_parts_the_map():
    for k, edge in enumerate(module.edge()):
        for row, sigma_w in enumerate(edge):
            shown = module.diagram()[k, row] / 20.0 - module.REACH
            beyond = module.GRID_W - sigma_w
            assert (shown[beyond < -0.1] <= 0).all() and (shown[beyond > 0.1] >= 0).all()


def test_it_shows_what_the_library_measures_and_trains():
    values = figure().state(sigma_w=1.2, sigma_b=0.3, seed=5)
    arguments = figure().machine.arguments(values)
    start = module.start(*arguments)
    net = vg.MLP(module.DEPTH, module.UNITS, "tanh", sigma_w=1.2, sigma_b=0.3, out_features=1)
    data = module.data(start.plane)
    shown = figure().machine.restart(values)
    np.testing.assert_allclose(
        shown["law"], vg.theory.predict(net, 1.0).log_gradient_rms / np.log(10), atol=1e-4
    )
    assert shown["chi"] == pytest.approx(vg.theory.chi("tanh", 1.2, 0.3), abs=1e-4)
    # One number, which XLA may compute twice, with the product fused into the difference or not.
    np.testing.assert_allclose(shown["first"], shown["now"], atol=1e-6)
    run = Run(figure().machine, values)
    run.advance(values, 1)
    _, history = vg.train(
        net, start.trained.params, data, key=jax.random.key(0), steps=module.STRIDE,
        learning_rate=0.1, record_every=module.STRIDE,
    )  # fmt: skip
    assert run.outputs(values)["loss_now"] == pytest.approx(history.loss[-1], rel=1e-4)


def test_orthogonal_weights_are():
    arguments = figure().machine.arguments(figure().state(weights="orthogonal", sigma_w=1.3))
    weights = module.start(*arguments).trained.params["weights"]
    square = jnp.einsum("lij,lkj->lik", weights, weights)
    unit = jnp.broadcast_to(1.3**2 * jnp.eye(module.UNITS), square.shape)
    np.testing.assert_allclose(square, unit, atol=1e-4)


def test_links_in_the_chapter_show_what_they_say():
    def look(output, **values):
        return np.array([np.ravel(figure().evaluate(seed=seed, **values)[output])[0]
                         for seed in range(5)])  # fmt: skip

    lost = look("first", sigma_w=0.6)
    assert (lost < -3).all() and (lost > -5.5).all()
    for rate in (0.1, 1.0):
        assert (look("loss_now", sigma_w=0.6, learning_rate=rate) > 0.65).all()
    assert (look("first", sigma_w=2.5) > 1).all()
    # Training is chaotic there: medians, which all but a coincidence of three of five keep apart.
    slow = look("loss_now", sigma_w=2.5, learning_rate=0.01)
    assert np.median(slow) < np.median(look("loss_now", sigma_w=2.5))
    assert np.median(look("loss_now")) < 0.6
    assert 1 < look("chi", activation="selu")[0] < 1.1


def test_the_code_is_small():
    sources = "\n".join(strip(program.source) for program in figure().programs.values())
    # A length map with its fixed point, two ways to draw weights (one is a QR), probe and update.
    assert len(gzip.compress(sources.encode(), 9)) <= 24_500
