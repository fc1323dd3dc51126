"""The life map: the browser's columns against JAX's, and what the picture says."""

import functools
import gzip

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import vanishing as vg
from differential import animated, same
from vanishing.book.dead_neurons import life_map as module
from vanishing.live.machine import Run

figure = functools.cache(module.life_map)


def settings():
    """Random control values: each activation with each optimiser, at rates that do not diverge."""
    rng = np.random.default_rng(0)
    for k in range(24):
        yield {
            "activation": module.ACTIVATIONS[k % len(module.ACTIVATIONS)],
            "optimizer": module.OPTIMIZERS[k % len(module.OPTIMIZERS)],
            "learning_rate": float(10 ** rng.uniform(-3, -2)),
            "large_step": float(10 ** rng.uniform(0, 2)),
            "bias": float(rng.uniform(-0.5, 0.5)),
            "seed": int(rng.integers(2**31)),
            "unit": int(rng.integers(1, module.DEPTH * module.UNITS + 1)),
        }


@functools.cache
def compared():
    return animated(figure(), settings(), ahead=lambda case: case % 5)


@pytest.mark.parametrize("case", range(24))
def test_the_browser_draws_the_columns_that_jax_draws(case):
    start, js_start, (state, outputs), (js_state, js_outputs) = compared()[case]
    same(start, js_start)
    # A pre-activation is a sum that can cancel: its rounding is that of the largest, which is 1.
    # Ten layers of sums of 16, each rounded at 6e-8 on both sides: up to 2e-5.
    same(outputs.pop("z"), js_outputs.pop("z"), floor=0.2)
    same(outputs, js_outputs)
    # Nor can the mean of gradients that the optimiser keeps be better than the largest of them.
    same(state.trained.optimizer, js_state.trained.optimizer, floor=0.1)
    rest, js_rest = (
        s._replace(trained=s.trained._replace(optimizer=())) for s in (state, js_state)
    )
    same(rest, js_rest)


def test_the_first_picture_shows_a_whole_run():
    live = figure()
    for layout in live.layouts:
        (image,) = [b.artist for b in layout.bounds if b.shows.get("z") == "map"]
        np.testing.assert_array_equal(image.get_array().filled(np.nan), live.outputs["map"])
    assert (live.outputs["map"] <= 1).all() and live.outputs["killed"] > 0


def test_dead_units_of_the_map_are_those_of_the_library():
    values = figure().state(seed=3, bias=-0.3)
    outputs = figure().machine.restart(values)
    seen = module.data(jnp.asarray(outputs["plane"]))
    net = vg.MLP(module.DEPTH, module.UNITS, "relu", "he", out_features=1)
    params = module.parameters(module.start(*figure().machine.arguments(values)))
    dead = np.asarray(vg.dead_units(net, params, seen.x)).ravel()[::-1]
    np.testing.assert_array_equal(outputs["map"][:, 0] == module.DEAD, dead)
    assert outputs["dead"] == dead.sum() > 0


def test_a_unit_counts_as_active_where_its_slope_is_not_zero():
    outputs = figure().machine.restart(figure().state(unit=55))
    assert outputs["active"] == (outputs["z"] > 0).sum()
    assert outputs["layer"] == 4 and outputs["chosen"] == 55
    assert outputs["map"][-55, 0] == pytest.approx(
        outputs["active"] / module.POINTS if outputs["active"] else module.DEAD
    )


def test_a_leak_leaves_nobody_dead_and_a_run_cannot_leave_the_numbers():
    leaky = figure().evaluate(activation="leaky_relu", large_step=1000.0)
    assert leaky["dead"] == leaky["killed"] == 0
    wild = figure().evaluate(learning_rate=1.0, large_step=1000.0)
    assert np.isfinite(wild["map"]).all()


def test_links_in_the_chapter_show_what_they_say():
    biased = figure().evaluate(bias=-0.6)
    assert biased["loss_now"] == pytest.approx(np.log(2), abs=1e-3) and biased["dead"] > 80
    assert figure().evaluate(activation="tanh")["dead"] == 0
    default = figure().outputs["map"] == module.DEAD
    killed = ~default[:, module.LARGE] & default[:, module.LARGE + 1]
    assert killed.sum() > 20 and (killed & ~default[:, -1]).sum() > 5


def test_a_run_that_leaves_the_numbers_is_over_and_counts_nobody_as_dead():
    mild, large = figure().evaluate(large_step=1.0), figure().evaluate(large_step=1000.0)
    assert not np.isfinite(large["loss_now"]) and np.isnan(large["active"])
    reached = module.LARGE + 1  # the step is the first of the next column
    np.testing.assert_array_equal(large["map"][:, :reached], mild["map"][:, :reached])
    assert (large["map"][:, reached:] == module.COMING).all()
    assert large["dead"] == (mild["map"][:, module.LARGE] == module.DEAD).sum()


def test_the_code_is_small():
    sources = "\n".join(program.source for program in figure().programs.values())
    assert (
        len(gzip.compress(sources.encode(), 9)) <= 15_500
    )  # the library's own update is in it, checks and all


def test_deaths_and_returns_balance():
    outputs = figure().outputs
    born = (outputs["map"][:, 0] == module.DEAD).sum()
    assert born + outputs["killed"] - outputs["revived"] == outputs["dead"]


def test_the_step_trains_as_the_library_does():
    values = figure().state(large_step=1.0, optimizer="adam", learning_rate=0.003)
    machine = figure().machine
    run, losses = Run(machine, values), []
    for _ in range(3):
        run.advance(values, 1)
        losses.append(float(run.outputs(values)["loss_now"]))
    state = module.start(*machine.arguments(values))
    net = vg.MLP(module.DEPTH, module.UNITS, "relu", "he", out_features=1)
    _, history = vg.train(
        net,
        module.parameters(state),
        module.data(state.plane),
        key=jax.random.key(0),
        optimizer="adam",
        learning_rate=0.003,
        steps=3 * module.STRIDE,
        record_every=module.STRIDE,
    )
    np.testing.assert_allclose(losses, history.loss[1:], rtol=1e-4)
