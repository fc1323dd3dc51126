"""The training engine: right, repeatable, and safe when it fails."""

import hashlib
import os
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import vanishing as vg
from vanishing import live
from vanishing.datasets import Dataset
from vanishing.training import batches, losses, update

KEY = jax.random.key(7)
MOONS = vg.datasets.two_moons(64, key=jax.random.key(0))
NET = vg.MLP(depth=3, width=8, activation="relu", initializer="he", in_features=2, out_features=1)
PARAMS = vg.init(NET, key=jax.random.key(1))


def run(net=NET, params=PARAMS, data=MOONS, **changed):
    options = {"key": KEY, "steps": 6, "optimizer": "sgd", "learning_rate": 0.1, "record_every": 2}
    return vg.train(net, params, data, **(options | changed))


def by_hand(params, data, rule, steps, loss):
    """The same descent, written as a loop over jax.grad of the output's loss."""
    inner = rule.init(params)
    with jax.numpy_dtype_promotion("standard"):
        for _ in range(steps):
            gradient = jax.grad(lambda p: loss(vg.apply(NET, p, data.x), data.y))(params)
            updates, inner = rule.update(gradient, inner, params)
            params = optax.apply_updates(params, updates)
    return params


def logistic(outputs, y):
    sign = (2 * y - 1).astype(outputs.dtype)
    return jnp.mean(jnp.logaddexp(0.0, -sign * outputs[:, 0]))


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("sgd", optax.sgd(0.1)),
        ("momentum", optax.sgd(0.1, momentum=0.9)),
        ("adam", optax.adam(0.1)),
    ],
)
def test_it_descends_as_a_plain_loop_over_grad_does(name, rule):
    params, _ = run(optimizer=name)
    expected = by_hand(PARAMS, MOONS, rule, 6, logistic)
    for got, want in zip(jax.tree.leaves(params), jax.tree.leaves(expected), strict=True):
        np.testing.assert_allclose(got, want, rtol=2e-4, atol=1e-6)


def test_a_transformation_does_what_its_name_does():
    named, _ = run(optimizer="adam")
    given, _ = run(optimizer=optax.adam(0.1), learning_rate=None)
    jax.tree.map(np.testing.assert_array_equal, named, given)


def test_records_are_of_the_state_before_each_step_and_of_the_last():
    _, history = run(steps=7, record_every=3)
    assert history.step.tolist() == [0, 3, 6, 7]
    for steps, loss in zip(history.step[1:], history.loss[1:], strict=True):
        params, _ = run(steps=int(steps), record_every=int(steps))
        outputs = vg.apply(NET, params, MOONS.x)
        assert loss == pytest.approx(float(logistic(outputs, MOONS.y)), rel=1e-5)


def test_how_often_it_records_does_not_change_the_run():
    often, _ = run(steps=9, record_every=1, batch_size=10)
    seldom, _ = run(steps=9, record_every=9, batch_size=10)
    jax.tree.map(np.testing.assert_array_equal, often, seldom)


def test_more_records_than_chunks():
    _, history = run(steps=50, record_every=1)
    assert history.step.tolist() == list(range(51))
    assert history.loss[-1] < history.loss[0]


def test_read_outs_agree_with_the_probe_and_with_plain_gradients():
    params, history = run(steps=4, record_every=4)
    gradient = jax.grad(lambda p: logistic(vg.apply(NET, p, MOONS.x), MOONS.y))(params)
    cotangent = jax.grad(lambda out: logistic(out, MOONS.y))(vg.apply(NET, params, MOONS.x))
    signals = vg.probe(NET, params, MOONS.x, cotangent)
    rms = jnp.sqrt(jnp.mean(gradient["weights"] ** 2, axis=(1, 2)))
    size = jnp.sqrt(jnp.mean(params["weights"] ** 2, axis=(1, 2)))
    np.testing.assert_allclose(history.log_weight_gradient_rms[-1], jnp.log(rms), atol=1e-4)
    np.testing.assert_allclose(history.log_gradient_rms[-1], signals.log_gradient_rms, atol=1e-4)
    np.testing.assert_allclose(
        history.log10_update_ratio[-1], jnp.log10(0.1 * rms / size), atol=1e-4
    )
    np.testing.assert_allclose(history.activation_rms[-1], signals.activation_rms, rtol=1e-5)
    np.testing.assert_allclose(history.saturated_fraction[-1], signals.saturated_fraction)
    moved = params["weights"] - PARAMS["weights"]
    start = jnp.linalg.norm(PARAMS["weights"], axis=(1, 2))
    np.testing.assert_allclose(
        history.moved[-1], jnp.linalg.norm(moved, axis=(1, 2)) / start, rtol=1e-4
    )
    outputs = vg.apply(NET, params, MOONS.x)[:, 0]
    assert history.accuracy[-1] == np.mean((outputs > 0) == (MOONS.y == 1))


def test_a_bit_for_every_unit_that_is_dead_on_the_data_set():
    biases = PARAMS["biases"].at[1, 3].set(-1e3).at[2, 5].set(-1e3)
    _, history = run(params=PARAMS | {"biases": biases}, learning_rate=1e-6)
    trace = vg.forward(NET, PARAMS | {"biases": biases}, MOONS.x)
    expected = np.all(np.asarray(trace.pre) <= 0, axis=1)
    assert history.dead_units.dtype == bool and history.dead_units.shape == (4, 3, 8)
    np.testing.assert_array_equal(history.dead_units[0], expected)
    assert history.dead_units[:, 1, 3].all() and history.dead_units[:, 2, 5].all()
    np.testing.assert_allclose(history.dead_fraction, history.dead_units.mean(-1))


def test_dead_refers_to_the_data_set_and_not_to_the_batch():
    net = vg.MLP(depth=1, width=2, activation="relu")
    params = {"weights": jnp.eye(2)[None], "biases": jnp.zeros((1, 2))}
    x = jnp.array([[-1.0, 1.0]] * 31 + [[1.0, -1.0]])
    _, history = run(net, params, Dataset(x, x), batch_size=1, steps=3, record_every=1)
    assert not history.dead_units[0].any()


def test_a_layer_that_cannot_hear_the_loss_does_not_move():
    net = vg.MLP(depth=2, width=8, activation="relu", out_features=1)
    data = vg.datasets.lift(MOONS, 8)
    params = vg.init(net, key=KEY)
    params["biases"] = params["biases"].at[1].set(-1e3)  # every unit above is dead
    _, history = run(net, params, data)
    assert np.all(history.moved[:, 0] == 0)
    assert np.all(history.log10_update_ratio[:, 0] == -np.inf)


def test_residual_and_normalised_networks_train():
    net = vg.MLP(
        depth=6, width=16, activation="relu", initializer="he", normalization="batch",
        residual=0.4, in_features=2, out_features=2,
    )  # fmt: skip
    _, history = run(net, vg.init(net, key=KEY), steps=60, record_every=60, optimizer="adam",
                     learning_rate=0.01)  # fmt: skip
    assert history.accuracy[-1] > 0.95 and history.loss[-1] < history.loss[0] / 2


def test_each_epoch_is_one_permutation():
    data = Dataset(jnp.arange(12.0)[:, None], jnp.arange(12))
    drawn, order = [], batches.start(12)
    for step in range(6):
        batch, order = batches.draw(data, order, key=KEY, step=step, size=4)
        np.testing.assert_array_equal(batch.x[:, 0], batch.y)
        drawn.append(batch.y)
    first, second = np.concatenate(drawn[:3]), np.concatenate(drawn[3:])
    assert sorted(first) == sorted(second) == list(range(12))
    assert first.tolist() != second.tolist()


def test_losses_follow_the_targets():
    outputs = jax.random.normal(KEY, (5, 3))
    y = jnp.array([0, 1, 2, 1, 0])
    log_share = jax.nn.log_softmax(outputs)[jnp.arange(5), y]
    assert float(losses.loss(outputs, y)) == pytest.approx(-float(log_share.mean()), rel=1e-6)
    assert float(losses.accuracy(outputs, y)) == float((outputs.argmax(1) == y).mean())
    targets = jnp.ones((5, 3))
    half_square = 0.5 * float(((outputs - 1) ** 2).sum(1).mean())
    assert float(losses.loss(outputs, targets)) == pytest.approx(half_square, rel=1e-6)
    assert np.isnan(losses.accuracy(outputs, targets))


FRESH = """
import hashlib, jax, vanishing as vg
data = vg.datasets.digits(300)
net = vg.MLP(depth=4, width=64, activation="relu", initializer="he", out_features=10)
params, history = vg.train(net, vg.init(net, key=jax.random.key(1)), data, key=jax.random.key(2),
                           steps=30, optimizer="adam", learning_rate=1e-3, record_every=7,
                           batch_size=50)
bits = b"".join(leaf.tobytes() for leaf in jax.tree.leaves(jax.device_get(params)))
bits += b"".join(getattr(history, name).tobytes() for name in ("loss", "moved", "dead_units"))
print(hashlib.sha256(bits).hexdigest())
"""


def test_two_processes_agree_to_the_last_bit():
    runs = [
        subprocess.run([sys.executable, "-c", FRESH], capture_output=True, text=True, check=True,
                       env=os.environ)
        for _ in range(2)
    ]  # fmt: skip
    assert len(runs[0].stdout.strip()) == hashlib.sha256().digest_size * 2
    assert runs[0].stdout == runs[1].stdout
    assert runs[0].stderr == ""


def test_another_key_draws_other_batches():
    one, _ = run(batch_size=8)
    other, _ = run(batch_size=8, key=jax.random.key(8))
    assert not np.array_equal(one["weights"], other["weights"])


@pytest.mark.parametrize("batch_size", [None, 16])
def test_a_run_that_diverges_stops_with_a_report_and_finite_parameters(batch_size):
    net = vg.MLP(depth=10, width=8, activation="relu", initializer="he", in_features=2,
                 out_features=1)  # fmt: skip
    targets = Dataset(MOONS.x, jnp.ones((64, 1)))
    params, history = run(net, vg.init(net, key=KEY), targets, learning_rate=30.0, steps=400,
                          record_every=1, batch_size=batch_size)  # fmt: skip
    assert history.diverged.what in ("loss", "gradient", "parameters")
    assert history.step[-1] <= history.diverged.step < 400
    assert all(bool(jnp.all(jnp.isfinite(leaf))) for leaf in jax.tree.leaves(params))
    assert f"diverged at step {history.diverged.step}" in repr(history)
    again, _ = run(net, vg.init(net, key=KEY), targets, learning_rate=30.0, batch_size=batch_size,
                   steps=history.diverged.step, record_every=1)  # fmt: skip
    jax.tree.map(np.testing.assert_array_equal, params, again)


# One linear unit, ŷ = w x, and a target of ½. The loss squares ŷ; the gradient multiplies by x.
@pytest.mark.parametrize(
    ("weight", "x", "rule", "what"),
    [
        (1.0, 1e30, optax.sgd(1.0), "loss"),
        (1e-7, 1e25, optax.sgd(1.0), "gradient"),
        (1.0, 1.0, optax.scale(jnp.inf), "parameters"),
    ],
)
def test_the_report_names_what_was_not_finite(weight, x, rule, what):
    net = vg.MLP(depth=1, width=1, activation="linear")
    params = {"weights": jnp.full((1, 1, 1), weight), "biases": jnp.zeros((1, 1))}
    data = Dataset(jnp.array([[x]]), jnp.array([[0.5]]))
    _, history = run(net, params, data, optimizer=rule, learning_rate=None)
    assert history.diverged == vg.training.Divergence(0, what)
    assert len(history.step) == 1


BAD = [
    ({"steps": 0}, "steps: expected at least 1; got 0. Pass steps=1"),
    ({"steps": 2.0}, "steps: expected an integer; got 2.0"),
    ({"record_every": 7}, "record_every: expected at most 6; got 7. Pass a smaller one."),
    ({"record_every": 0}, "record_every: expected at least 1; got 0."),
    ({"batch_size": 65}, "batch_size: expected at most 64; got 65."),
    (
        {"optimizer": "adamw"},
        "optimizer: expected one of sgd, momentum, adam .*; got 'adamw'.*Check",
    ),
    ({"optimizer": 0.1}, "optimizer: expected one of sgd.*; got 0.1.*pass optax.sgd"),
    ({"optimizer": optax.sgd(0.1)}, "learning_rate: expected none beside .*; got 0.1. Give it to"),
    ({"learning_rate": None}, "learning_rate: expected a number > 0 for 'sgd'; got None. Try"),
    ({"learning_rate": 0.0}, "learning_rate: expected a number > 0 for 'sgd'; got 0.0. Try"),
    ({"learning_rate": -1.0}, "learning_rate: expected a finite number ≥ 0, .*; got -1.0"),
    (
        {"data": Dataset(MOONS.x.at[3, 1].set(jnp.nan), MOONS.y)},
        "x: expected finite numbers of float32; got",
    ),
    ({"data": Dataset(MOONS.x, MOONS.y[:60])}, "y: expected one target for each of the 64 .*; got"),
    (
        {"data": Dataset(MOONS.x, MOONS.y + 1)},
        "y: expected classes from 0 to 1 .*; got 1 to 2.*from 0",
    ),
    ({"data": Dataset(MOONS.x, MOONS.y - 1)}, "y: expected classes from 0 to 1 .*; got -1 to 0"),
    (
        {"data": Dataset(MOONS.x, MOONS.y.astype(float))},
        "y: expected numbers of shape .*y.astype.int",
    ),
    ({"data": Dataset(MOONS.x, MOONS.y[:, None])}, "y: expected classes of shape .examples.; got"),
    (
        {"data": Dataset(MOONS.x, jnp.full((64, 1), jnp.inf))},
        "y: expected finite numbers of float32; got",
    ),
]


@pytest.mark.bad_input
@pytest.mark.parametrize(("changed", "message"), BAD)
def test_bad_input_is_refused_with_a_remedy(changed, message):
    with pytest.raises((ValueError, TypeError), match="(?s)" + message):
        run(**changed)


def test_classes_need_a_read_out():
    net = vg.MLP(depth=2, width=2)
    with pytest.raises(ValueError, match=r"out_features: expected a read-out.*got None. Build"):
        run(net, vg.init(net, key=KEY))


def test_a_bar_is_shown_on_request_and_gone_afterwards(capsys):
    run(progress=True)
    shown = capsys.readouterr().err
    assert "/6" in shown and shown.endswith("\r")
    run()
    assert capsys.readouterr().err == ""


def test_lift_keeps_every_distance_but_for_one_scale():
    data = vg.datasets.spirals(40, key=KEY)
    lifted = vg.datasets.lift(data, 16)
    flat, high = (jnp.linalg.norm(x[:, None] - x[None], axis=-1) for x in (data.x, lifted.x))
    ratio = (high / jnp.where(flat > 0, flat, 1))[flat > 0]
    assert float(ratio.max() / ratio.min()) == pytest.approx(1, abs=1e-3)
    assert float(jnp.sqrt(jnp.mean(lifted.x**2))) == pytest.approx(1, abs=1e-5)
    with pytest.raises(ValueError, match="features: expected at least 3; got 2"):
        vg.datasets.lift(data, 2)


def test_signs_are_in_no_linear_map():
    data = vg.datasets.xor_signs(4000, key=KEY)
    assert set(np.unique(data.y)) == {0, 1}
    correlation = jnp.corrcoef(jnp.column_stack([data.x, data.y.astype(float)]), rowvar=False)
    assert float(jnp.max(jnp.abs(correlation[-1, :-1]))) < 0.06
    np.testing.assert_array_equal(data.y, data.x[:, 0] * data.x[:, 1] < 0)


def test_a_step_is_pure_and_compiles_for_any_backend():
    rule = update.optimizer_named("adam", 0.01)
    state = update.start(rule, PARAMS)
    step = jax.jit(lambda state: update.update_and_read(NET, rule, state, MOONS, PARAMS["weights"]))
    for platform in ("cpu", "cuda", "tpu"):
        assert jax.export.export(step, platforms=[platform])(state).platforms == (platform,)


def test_recording_runs_the_network_once_up_and_once_down():
    rule = update.optimizer_named("sgd", 0.1)
    state, initial = update.start(rule, PARAMS), PARAMS["weights"]
    traced = jax.make_jaxpr(lambda s: update.read(NET, s, s.params, MOONS, initial))(state)
    assert str(traced).count(" scan[") == 2


def life_map_step(optimizer, learning_rate):
    """A network as the page trains it: ten layers, 16 wide, moons laid into 16 dimensions."""
    net = vg.MLP(10, 16, "relu", "he", out_features=1)
    data = vg.datasets.lift(vg.datasets.two_moons(128, key=KEY), 16)
    params = vg.init(net, key=KEY)
    start = update.start(update.optimizer_named(optimizer, learning_rate), params)

    def step(state, initial, x, y, learning_rate):
        rule = update.optimizer_named(optimizer, learning_rate)
        return update.update_and_read(net, rule, state, Dataset(x, y), initial)

    return step, start, (params["weights"], data.x, data.y, np.float32(learning_rate))


@pytest.mark.parametrize(
    ("optimizer", "learning_rate"), [("sgd", 0.02), ("momentum", 0.01), ("adam", 0.003)]
)
def test_a_step_compiled_for_the_page_does_what_jax_does(optimizer, learning_rate):
    step, state, rest = life_map_step(optimizer, learning_rate)
    program, jitted = live.compile(step, state, *rest), jax.jit(step)
    calls, expected = [], []
    for _ in range(24):
        calls.append((state, *rest))
        state, record = jitted(*calls[-1])
        expected.append((state, record))
    for got, want in zip(program.run_many(calls), expected, strict=True):
        for here, there in zip(jax.tree.leaves(got), jax.tree.leaves(want), strict=True):
            if here.dtype == np.float32:
                size = float(jnp.max(jnp.abs(there)))
                np.testing.assert_allclose(here, there, rtol=1e-4, atol=1e-5 * size)
            else:
                np.testing.assert_array_equal(here, there)
    assert expected[-1][1].loss < expected[0][1].loss
    assert 0 < expected[-1][1].dead_units.sum() < 160


def test_the_running_mean_is_plain_at_first_and_then_forgets():
    values = np.random.default_rng(0).normal(size=9)
    plain, short = 9.0, 9.0
    for step, value in enumerate(values):
        plain = batches.running_mean(plain, value, step=step, memory=9)
        short = batches.running_mean(short, value, step=step, memory=2)
    np.testing.assert_allclose(plain, np.mean(values), rtol=1e-5)
    expected = values[0]
    for value in values[1:]:
        expected = (expected + value) / 2
    np.testing.assert_allclose(short, expected, rtol=1e-5)
