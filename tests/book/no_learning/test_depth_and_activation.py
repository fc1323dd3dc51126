"""The figure of `no-learning`: the browser's steps against JAX's, and what the picture says."""

import functools

import jax
import numpy as np
import pytest

from differential import animated, opens_at_its_defaults, same
from vanishing.book.no_learning import depth_and_activation as module

figure = functools.cache(module.depth_and_activation)


def settings():
    """Random control values: the learning rate stays where no run blows up and rounding rules."""
    rng = np.random.default_rng(0)
    for _ in range(20):
        yield {
            "depth": int(rng.integers(1, module.DEPTH + 1)),
            "activation": str(rng.choice(list(module.GAINS))),
            "learning_rate": float(10 ** rng.uniform(-3, -1)),
            "seed": int(rng.integers(2**31)),
        }


@functools.cache
def compared():
    return animated(figure(), settings(), ahead=lambda case: 3)


@pytest.mark.parametrize("case", range(20))
def test_the_browser_makes_the_steps_that_jax_makes(case):
    start, js_start, (state, outputs), (js_state, js_outputs) = compared()[case]
    same(start, js_start)
    # Of a unit, one bit of one weight decides; of what is that small, only how pale it is.
    finer = {"shade", "stuck", "lines"}
    same(*({k: v for k, v in seen.items() if k not in finer} for seen in (outputs, js_outputs)))
    np.testing.assert_allclose(js_outputs["shade"], outputs["shade"], atol=0.12)
    # The derivative by a bias is a sum over the batch that cancels: it inherits the rounding of
    # terms that are a hundred times larger.
    same(state, js_state, floor=1e-2)


def test_the_first_picture_shows_the_end_of_a_whole_run():
    live = figure()
    opens_at_its_defaults(live)
    for layout in live.layouts:
        (curve,) = [b.artist for b in layout.bounds if b.shows.get("y") == "loss"]
        np.testing.assert_array_equal(curve.get_ydata(), live.outputs["loss"])
    assert np.isfinite(live.outputs["loss"]).all()


def test_thirty_sigmoid_layers_guess_and_the_lower_half_never_moves():
    outputs = figure().outputs
    assert abs(outputs["loss_now"] - np.log(10)) < 0.05
    assert outputs["correct"] < 0.2
    assert (outputs["moved"][:10] == 0).all() and outputs["moved"][-1] > 0.1
    np.testing.assert_array_equal(outputs["unmoved"] == module.FLOOR, outputs["moved"] == 0)


def test_the_units_are_crossed_where_the_layer_has_not_moved():
    outputs = figure().outputs
    stuck, moved = outputs["stuck"], outputs["moved"]
    assert stuck[moved == 0].all() and not stuck[-5:].any()
    assert (outputs["shade"][moved == 0] == 0).all()
    top = outputs["shade"][-1]
    np.testing.assert_allclose(top, 1 + np.log10(moved[-1]) / module.PALE, atol=0.1)


def test_two_sigmoid_layers_learn_and_the_absent_layers_read_nan():
    outputs = figure().evaluate(depth=2)
    assert outputs["loss_now"] < 0.2 and outputs["correct"] > 0.9
    assert np.isfinite(outputs["moved"][:2]).all() and np.isnan(outputs["moved"][2:]).all()
    assert np.isnan(outputs["shade"][2:]).all() and np.isnan(outputs["lines"][1:]).all()
    assert np.isfinite(outputs["lines"][0]) and not outputs["stuck"].any()


def test_an_epoch_shows_each_digit_at_most_once_in_kernel_and_page():
    step = figure().machine.jitted_step
    arguments = tuple(figure().machine.arguments(figure().state(depth=1)))
    run, orders = figure().machine.jitted_init(*arguments), []
    epoch = module.EXAMPLES // module.BATCH
    for _ in range(epoch + 1):
        run, _ = step(run, *arguments)
        orders.append(np.asarray(run.order))
    assert sorted(orders[0]) == list(range(module.EXAMPLES))
    assert all(np.array_equal(order, orders[0]) for order in orders[:epoch])
    assert not np.array_equal(orders[epoch], orders[0])


def test_tuned_runs_are_those_of_the_figure():
    found = module.tuned(
        "sigmoid", 2, key=jax.random.key(0), rates=(0.001, 1.0), choose=1, report=2, extend=0
    )
    assert found.rate == 1.0 and (found.accuracy > 0.9).all()
