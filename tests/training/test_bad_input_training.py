"""What `train` makes of arguments that are wrong, unusual, or lead out of the numbers at once."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import vanishing as vg
from vanishing.datasets import Dataset
from vanishing.training import losses

pytestmark = pytest.mark.bad_input

KEY = jax.random.key(7)
MOONS = vg.datasets.two_moons(64, key=jax.random.key(0))
NET = vg.MLP(depth=2, width=8, activation="relu", initializer="he", in_features=2, out_features=1)
PARAMS = vg.init(NET, key=jax.random.key(1))
X, Y = MOONS


def run(params=PARAMS, data=MOONS, **changed):
    options = {"key": KEY, "steps": 6, "optimizer": "sgd", "learning_rate": 0.1, "record_every": 2}
    return vg.train(NET, params, data, **(options | changed))


BAD = [
    ({"data": None}, "data: expected a pair .x, y.; got NoneType. Pass"),
    ({"data": "moons"}, "data: expected a pair .x, y.; got str. Pass"),
    ({"data": {"x": X, "y": Y}}, "data: expected a pair .x, y.; got dict of 2. Pass"),
    ({"data": (X, Y, Y)}, "data: expected a pair .x, y.; got tuple of 3. Pass"),
    ({"data": X}, "data: expected a pair"),
    ({"data": (X[:60], Y)}, "y: expected one target for each of the 60 examples; got"),
    ({"data": (X, Y.astype(bool))}, "y: expected"),
    ({"data": (X, Y.astype(complex))}, "y: expected"),
    ({"key": None}, "key: expected one JAX random key; got None of type NoneType. Pass"),
    ({"key": 0}, "key: expected one JAX random key; got 0 of type int. Pass"),
    ({"key": jax.random.split(KEY, 2)}, "key: expected one JAX random key; got"),
    ({"learning_rate": lambda step: jnp.ones(3)}, "learning_rate: expected a schedule .*; got"),
    ({"learning_rate": "fast"}, "learning_rate: expected a number; got 'fast'"),
    ({"steps": np.float32(6)}, "steps: expected an integer; got"),
    ({"batch_size": 0}, "batch_size: expected at least 1; got 0"),
]


@pytest.mark.parametrize(("changed", "message"), BAD)
def test_bad_input_is_refused_with_a_remedy(changed, message):
    with pytest.raises((ValueError, TypeError), match="(?s)" + message):
        run(**changed)


OUTPUTS, CLASSES = jnp.zeros((4, 3)), jnp.array([0, 1, 2, 1])
BAD_PAIRS = [
    ([[0.0] * 3] * 4, CLASSES, r"outputs: expected an array of floats; got list .* Pass"),
    (OUTPUTS.astype(int), CLASSES, "outputs: expected an array of floats; got .*int32. Pass"),
    (OUTPUTS[:, 0], CLASSES, r"outputs: expected shape .examples, out.; got .4,.. For one"),
    (OUTPUTS[:0], CLASSES[:0], r"outputs: expected shape .examples, out.; got .0, 3."),
    (OUTPUTS, [0, 1, 2, 1], "y: expected an array of classes or numbers; got list. Pass"),
    (OUTPUTS, CLASSES[:3], r"y: expected classes of shape .4,., .* got int32 of shape .3,."),
    (OUTPUTS, CLASSES[:, None], "y: expected classes of shape"),
    (OUTPUTS[:, :1], jnp.zeros(4), r"y: expected floats of shape .4, 1., .*y.:, None."),
    (OUTPUTS, OUTPUTS > 0, "y: expected floats of shape .* got bool"),
    (OUTPUTS, CLASSES + 1, "y: expected classes from 0 to 2; got 1 to 3. Number"),
    (OUTPUTS[:, :1], CLASSES, "y: expected classes from 0 to 1; got 0 to 2. Number"),
    (OUTPUTS, CLASSES - 1, "y: expected classes from 0 to 2; got -1 to 1. Number"),
]


@pytest.mark.parametrize("function", [losses.loss, losses.accuracy])
@pytest.mark.parametrize(("outputs", "y", "message"), BAD_PAIRS)
def test_outputs_and_targets_that_do_not_belong_together_are_refused(function, outputs, y, message):
    with pytest.raises((ValueError, TypeError), match="(?s)" + message):
        function(outputs, y)


def test_classes_that_a_jitted_caller_closes_over_are_still_checked():
    assert jnp.isfinite(jax.jit(lambda outputs: losses.loss(outputs, CLASSES))(OUTPUTS))
    wrong = CLASSES + 1
    with pytest.raises(ValueError, match="y: expected classes from 0 to 2"):
        jax.jit(lambda outputs: losses.loss(outputs, wrong))(OUTPUTS)


def test_counts_of_eight_bits_do_not_wrap_around():
    _, history = run(steps=np.uint8(250), record_every=np.uint8(100), batch_size=np.uint8(32))
    assert history.step.tolist() == [0, 100, 200, 250]


@pytest.mark.parametrize("within", [jax.jit, jax.grad])
def test_inside_a_transformation_it_says_where_to_go(within):
    with pytest.raises(TypeError, match=r"params: expected values; got a traced .*Call it outside"):
        within(lambda p: run(params=p)[1].loss[-1])(PARAMS)


@pytest.mark.parametrize("name", ["sgd", "momentum", "adam"])
def test_a_learning_rate_may_be_a_schedule(name):
    constant, _ = run(optimizer=name, learning_rate=0.1)
    schedule, _ = run(optimizer=name, learning_rate=optax.constant_schedule(0.1))
    for one, other in zip(jax.tree.leaves(constant), jax.tree.leaves(schedule), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)
    resting, _ = run(optimizer=name, learning_rate=lambda step: jnp.where(step < 1, 0.1, 0.0))
    single, _ = run(optimizer=name, learning_rate=0.1, steps=1, record_every=1)
    np.testing.assert_allclose(resting["weights"], single["weights"], rtol=1e-4, atol=1e-6)


HUGE = Dataset(X, jnp.full((64, 1), 1e30))


@pytest.mark.parametrize("steps", [1, 6])
@pytest.mark.parametrize(
    "changed",
    [
        {"learning_rate": 1e30},
        {"data": HUGE},
        {"optimizer": "adam", "learning_rate": 3e38},
        {"optimizer": "adam", "data": HUGE},
    ],
)
def test_a_run_that_diverges_at_once_still_reports(changed, steps):
    params, history = run(**changed, steps=steps, record_every=1)
    assert history.diverged is not None and history.diverged.step <= 1
    assert history.step[0] == 0 and str(history.diverged) in repr(history)
    assert all(bool(jnp.all(jnp.isfinite(leaf))) for leaf in jax.tree.leaves(params))
    vg.dead_units(NET, params, X)
