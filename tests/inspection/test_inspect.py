"""What `vg.inspect` sees, says and refuses."""

import inspected_models as models
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import vanishing as vg


def look(case, **options):
    with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        return vg.inspect(case.loss, case.params, *case.batch, **options)


def test_layers_agree_with_the_probe():
    """The book's own network: the two instruments read the same."""
    net = vg.MLP(depth=8, width=16, activation="tanh", sigma_w=0.7)
    params = vg.init(net, key=jax.random.key(0))
    x = jax.random.normal(jax.random.key(1), (32, 16))
    direction = jax.random.normal(jax.random.key(2), (32, 16))

    def loss(weights, x, direction):
        return jnp.sum(vg.apply(net, params | {"weights": weights}, x) * direction)

    signals = vg.probe(net, params, x, direction)
    report = vg.inspect(loss, params["weights"], x, direction)
    layers = [layer for layer in report.layers if layer.kind == "layer"]
    assert [layer.index for layer in layers] == list(range(8))
    np.testing.assert_allclose(
        [layer.log_gradient_rms for layer in layers], signals.log_gradient_rms, atol=1e-4
    )
    after = [layer for layer in report.layers if layer.kind == "activation"]
    np.testing.assert_allclose(
        np.exp([layer.log_activation_rms for layer in after]), signals.activation_rms, rtol=1e-4
    )


@pytest.mark.parametrize(
    ("activation", "dead"),
    [(jax.nn.relu, 1 / 3), (lambda z: jnp.maximum(z, 0.0), 1 / 3), (jnp.tanh, 0)],
)
def test_dead_and_saturated_are_counted(activation, dead):
    """Three units over two examples: one never active, one always, one half of the time.

    ReLU is flat at −1 (twice) and at −½, tanh is nearly so at 4 (three times).
    """
    z = jnp.array([[-1.0, 4.0, 4.0], [-1.0, 4.0, -0.5]])

    def loss(weights, x):
        return jnp.sum(activation(x @ weights["up"]) @ weights["down"])

    report = vg.inspect(loss, {"up": z, "down": jnp.ones((3, 1))}, jnp.eye(2))
    (unit,) = [layer for layer in report.layers if layer.kind == "activation"]
    assert unit.parameter == "['up']"
    assert unit.dead_fraction == pytest.approx(dead)
    assert unit.saturated_fraction == pytest.approx(3 / 6)


def test_no_layer_or_activation_is_made_up():
    """Layer norm, softmax, residual sums and the loss are none; GELU is one, not six."""
    report = look(models.linen_attention(post_norm=False))
    names = [layer.name for layer in report.layers if layer.kind == "activation"]
    assert names == [f"Block_{k}/Dense_1/kernel → gelu" for k in range(3)]
    assert sum(layer.kind == "layer" for layer in report.layers) == 3 * 6 + 1


def alike(rows):
    """The mean cosine between different rows, those of zeros left out, pair by pair."""
    rows = np.asarray(rows, np.float64).reshape(len(rows), -1)
    rows = rows[np.any(rows != 0, axis=1)]
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return np.mean([a @ b for k, a in enumerate(rows) for b in rows[:k]])


@pytest.mark.parametrize("axis", [0, 1])
def test_examples_are_compared_pair_by_pair(axis):
    """Features and gradients of 5 examples, each 3 steps long, whichever axis comes first."""
    keys = jax.random.split(jax.random.key(0), 4)
    x = jnp.moveaxis(jax.random.normal(keys[0], (5, 3, 4)), 0, axis)
    params = {"up": jax.random.normal(keys[1], (4, 7)), "down": jax.random.normal(keys[2], (7, 2))}
    aim = jnp.moveaxis(jax.random.normal(keys[3], (5, 3, 2)), 0, axis)
    here = jnp.array([1.0, 0.0, 1.0, 1.0, 1.0])  # an example that the loss does not look at

    def from_first(z, params, aim, here):
        here = jnp.moveaxis(here[:, None, None], 0, axis)
        return jnp.sum(here * (jax.nn.relu(z) @ params["down"] - aim) ** 2)

    def loss(params, x, aim, here):
        return from_first(x @ params["up"], params, aim, here)

    report = vg.inspect(loss, params, x, aim, here)
    with jax.enable_x64(True):
        wide = jax.tree.map(lambda a: a.astype(jnp.float64), (params, x, aim, here))
        z = wide[1] @ wide[0]["up"]
        gradient = jax.grad(from_first)(z, wide[0], *wide[2:])
    first, unit = report.layers[:2]
    assert report.examples == 5
    values = {first: (z, gradient), unit: (jax.nn.relu(np.asarray(z, np.float32)), None)}
    for layer, (features, gradients) in values.items():
        rows = np.moveaxis(np.asarray(features), axis, 0)
        assert layer.feature_correlation == pytest.approx(alike(rows), abs=1e-5)
        if gradients is not None:
            rows = np.moveaxis(np.asarray(gradients), axis, 0)
            assert layer.gradient_correlation == pytest.approx(alike(rows), abs=1e-5)


def test_pre_activation_is_taken_after_the_bias():
    params = {"w": jnp.ones((1, 1)), "b": jnp.full((1,), 3.0)}
    report = vg.inspect(
        lambda p, x: jnp.sum(jnp.tanh(x @ p["w"] + p["b"][None])), params, jnp.zeros((2, 1))
    )
    assert np.exp(report.layers[0].log_activation_rms) == pytest.approx(3)


def test_a_vanishing_tower_beside_one_that_does_not():
    """One scale for all cotangents would lose the first tower; each has its own."""
    weights = [jnp.eye(4) * 1e-3] * 30

    def loss(params, x):
        left = right = x
        for w in params["left"]:
            left = left @ w
        for w in params["right"]:
            right = right @ w
        return jnp.sum(left) + jnp.sum(right)

    params = {"left": weights, "right": [jnp.eye(4)] * 30}
    report = vg.inspect(loss, params, jnp.ones((2, 4)))
    first = next(x for x in report.layers if x.parameter == "['left'][0]")
    assert first.log_gradient_rms == pytest.approx(29 * np.log(1e-3), abs=1e-4)


def test_recurrent_layers_have_a_record_a_step():
    report = look(models.haiku_lstm())
    steps = [x.index for x in report.layers if x.kind == "layer" and x.index is not None]
    assert sorted(set(steps)) == list(range(50))


def test_update_ratio_is_the_optimisers():
    params = {"w": 2 * jnp.ones((3, 3))}
    case = models.Case(lambda p, x: jnp.mean(x @ p["w"]), params, (jnp.ones((4, 3)),))
    report = look(case, optimizer=optax.adam(1e-2))
    # Adam's first step is the learning rate, whatever the gradient.
    assert report.parameters["['w']"].update_ratio == pytest.approx(1e-2 / 2, rel=1e-4)


def test_underflow_is_counted_and_rescued():
    """A gradient of 1e-9 and one of 1: float16 flushes the first unless the loss is scaled."""
    x = jnp.array([[1.0, 1e-9]])
    report = vg.inspect(lambda w, x: jnp.sum(x @ w), jnp.ones((2, 1)), x)
    share = report.parameters[""].share_underflow
    assert share["float16"] == share["float8_e4m3"] == 0.5
    assert share["bfloat16"] == 0
    assert report.loss_scale["float16"] == 2.0**13
    assert report.parameters[""].share_rescued["float16"] == 0  # 1e-9 · 8192 = 8e-6 > 2^-25


def test_a_while_loop_is_refused_with_its_line():
    def loss(p):
        return jnp.sum(jax.lax.while_loop(lambda v: jnp.sum(v) < 9.0, lambda v: v * 2.0, p))

    with pytest.raises(NotImplementedError, match=r"test_inspect\.py:\d+.*lax\.scan"):
        vg.inspect(loss, jnp.ones(2))


@pytest.mark.parametrize(
    ("loss", "params", "error", "words"),
    [
        (lambda p, x: x @ p, jnp.ones((2, 2)), ValueError, "expected one number"),
        (lambda p, x: jnp.sum(p), jnp.ones(2, int), TypeError, "expected floats; got dtype int32"),
        (lambda p, x: jnp.sum(p["w"]), {"w": 1.0}, TypeError, "expected an array; got float"),
        (lambda p, x: jnp.sum(x), {}, ValueError, "at least one array"),
        (
            lambda p, x: jnp.sum(p) if p[0] > 0 else 0.0,
            jnp.ones(2),
            TypeError,
            r"test_inspect\.py:",
        ),
        (lambda p, x: jnp.argmax(p), jnp.ones(2), TypeError, "expected a float; got dtype int32"),
    ],
)
def test_bad_input(loss, params, error, words):
    with pytest.raises(error, match=words):
        vg.inspect(loss, params, jnp.ones((2, 2)))


def test_nothing_of_the_callers_is_changed():
    case = models.plain()
    before = jax.tree.map(np.array, (case.params, case.batch))
    look(case)
    after = jax.tree.map(np.array, (case.params, case.batch))
    jax.tree.map(np.testing.assert_array_equal, before, after)


def test_watch_measures_every_nth_step():
    case = models.plain(depth=3)
    watched = vg.watch(case.loss, every=3, optimizer=optax.sgd(0.1))
    logs = [watched(case.params, *case.batch) for _ in range(7)]
    assert [log is not None for log in logs] == [True, False, False, True, False, False, True]
    assert all(type(value) is float for value in logs[0].values())
    assert {"loss", "gradient/0/w", "update/0/w", "dead/0/w → tanh"} <= logs[0].keys()


SELDOM = {
    "callback": lambda x: (jax.debug.callback(lambda v: None, x), x)[1],
    "fft": lambda x: jnp.tile(jnp.fft.rfft(x).real[:, :2], 2),
    "sort": jnp.sort,
    "scatter": lambda x: x.at[:, :2].add(jax.lax.top_k(x, 2)[0]),
    "solve": lambda x: jnp.linalg.solve(jnp.eye(4) + 0.1 * x.T @ x, x.T).T,
    "while, without a gradient": lambda x: (
        x * jax.lax.while_loop(lambda c: c < 2.0, lambda c: c + 1.0, 1.0)
    ),
    "bits": lambda x: jnp.where(jax.random.bernoulli(jax.random.key(1), 0.8, x.shape), x, 0.0),
    "barrier": jax.lax.optimization_barrier,
}


@pytest.mark.parametrize("name", SELDOM)
def test_equations_that_are_seldom_seen(name):
    """Some have no outputs, some no derivative."""
    weights = [jax.random.normal(jax.random.key(k), (4, 4)) for k in range(3)]
    x = jax.random.normal(jax.random.key(9), (8, 4))

    def loss(weights, x):
        for weight in weights:
            x = SELDOM[name](jnp.tanh(x @ weight))
        return jnp.mean(x**2)

    report = vg.inspect(loss, weights, x)
    assert [layer.kind for layer in report.layers][:2] == ["layer", "activation"]
    for place, gradient in enumerate(jax.grad(loss)(weights, x)):
        rms = np.exp(report.parameters[f"[{place}]"].log_gradient_rms)
        assert rms == pytest.approx(float(jnp.sqrt(jnp.mean(gradient**2))), rel=1e-4)


@pytest.mark.parametrize("scale", [0.05, 1.0, 4.0])
@pytest.mark.parametrize("most", [1e-6, 1e-2, 10.0])
def test_a_rule_that_is_not_linear_sees_what_it_sees_in_training(scale, most):
    """A `custom_vjp` that clips, in twelve layers that shrink the gradient or make it grow."""

    @jax.custom_vjp
    def clipped(x):
        return x

    clipped.defvjp(lambda x: (x, None), lambda _, g: (jnp.clip(g, -most, most),))
    weights = scale / 2 * jax.random.normal(jax.random.key(0), (12, 4, 4))

    def loss(weights, x):
        for weight in weights[:6]:
            x = clipped(x @ weight)
        x, _ = jax.lax.scan(lambda x, weight: (clipped(x @ weight), None), x, weights[6:])
        return jnp.sum(x**2)

    x = jax.random.normal(jax.random.key(1), (8, 4))
    (parameter,) = vg.inspect(loss, weights, x).parameters.values()
    gradient = jax.grad(loss)(weights, x)
    rms = float(jnp.sqrt(jnp.mean(gradient**2)))
    assert np.exp(parameter.log_gradient_rms) == pytest.approx(rms, rel=1e-4)
