"""Layers that are alike share a program, and read as if each had been compiled by itself."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from inspected_models import Case, cross_entropy

import vanishing as vg
from vanishing.inspection import repetitions, segments
from vanishing.inspection.instrument import Instrument


@pytest.fixture(autouse=True)
def every_cut(monkeypatch):
    """Cut what is too short to be worth it, too: it is compiled sooner."""
    monkeypatch.setattr(repetitions, "WORTH", 1)


def normal(seed, *shape):
    return jax.random.normal(jax.random.key(seed), shape) / shape[-2] ** 0.5


def chain(layer, depth=4, width=6):
    """A loss of layers: layer(number, h, weights) → h, each with a weight of its own."""
    weights = [normal(k, width, width) for k in range(depth)]

    def loss(weights, x, y):
        for k in range(depth):
            x = layer(k, x, weights)
        return cross_entropy(x, y)

    return Case(loss, weights, (normal(99, 8, width), jnp.arange(8) % width))


def programs(case):
    instrument = Instrument(case.loss, case.params, case.batch)
    made = [segment.program for segment in instrument._segments]
    return len(made), len(set(made))


def test_layers_that_are_alike_share_a_program():
    """The first wants no gradient of the data, and the loss is a segment of its own."""
    assert programs(chain(lambda k, x, w: jax.nn.tanh(x @ w[k]))) == (5, 2)
    assert programs(chain(lambda k, x, w: jax.nn.relu(x @ w[k]))) == (5, 2)
    assert programs(chain(lambda k, x, w: _clipped(0.1)(x @ w[k]))) == (5, 2)
    tied = chain(lambda k, x, w: jax.nn.tanh(x @ w[0]))
    assert programs(tied) == (5, 2)


def _slope(k, x, w):
    return jax.nn.leaky_relu(x @ w[k], 0.1 if k == 2 else 0.2)


def _other_rule(factor):
    @jax.custom_jvp
    def function(x):
        return jnp.tanh(x)

    function.defjvp(lambda x, t: (jnp.tanh(*x), factor * t[0]))
    return function


def _clipped(most):
    """tanh, with its gradient clipped."""

    @jax.custom_vjp
    def function(x):
        return jnp.tanh(x)

    def backward(y, gradient):
        return (jnp.clip((1 - y**2) * gradient, -most, most),)

    function.defvjp(lambda x: (jnp.tanh(x),) * 2, backward)
    return function


@pytest.mark.parametrize(
    "layer",
    [
        lambda k, x, w: (jax.nn.sigmoid if k == 2 else jax.nn.tanh)(x @ w[k]),
        _slope,
        lambda k, x, w: jax.nn.tanh(x @ w[k].T if k == 2 else x @ w[k]),
        lambda k, x, w: jax.nn.tanh(x @ w[k]) @ w[k if k == 2 else 0],
        lambda k, x, w: _other_rule(2.0 if k == 2 else 1.0)(x @ w[k]),
        lambda k, x, w: _other_rule(jnp.array(2.0 if k == 2 else 1.0))(x @ w[k]),
        lambda k, x, w: _clipped(1e-3 if k == 2 else 1e-2)(x @ w[k]),
    ],
    ids=["activation", "slope", "transposed", "sharing", "rule", "array", "clips"],
)
def test_what_differs_is_compiled_by_itself(layer):
    case = chain(layer, depth=5)
    count, kinds = programs(case)
    assert kinds > 2 or count == 1
    report = vg.inspect(case.loss, case.params, *case.batch)
    gradient = jax.grad(case.loss)(case.params, *case.batch)
    for path, leaf in jax.tree_util.tree_leaves_with_path(gradient):
        measured = report.parameters[jax.tree_util.keystr(path)].log_gradient_rms
        assert np.exp(measured) == pytest.approx(float(jnp.sqrt(jnp.mean(leaf**2))), rel=1e-4)


def reports(case, **keywords):
    """The report as it is, and that of one program."""
    made = []
    for worth in (1, 10**9):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(repetitions, "WORTH", worth)
            made.append(vg.inspect(case.loss, case.params, *case.batch, **keywords))
    return made


def assert_equal(one, other):
    """The same names in the same order, and the same numbers but for rounding."""
    assert one.loss == pytest.approx(other.loss, rel=1e-5)
    assert one.loss_scale == other.loss_scale
    assert [f.problem for f in one.findings] == [f.problem for f in other.findings]
    assert len(one.layers) == len(other.layers) > 0
    for pair in zip(one.layers, other.layers, strict=True):
        _alike(*pair)
    assert one.parameters.keys() == other.parameters.keys()
    for name, parameter in one.parameters.items():
        _alike(parameter, other.parameters[name])


def _alike(one, other):
    for name, value in vars(one).items():
        there = getattr(other, name)
        if isinstance(value, vg.inspection.Histogram):
            moved = np.abs(np.subtract(value.counts, there.counts)).sum()
            assert moved <= 0.02 * sum(value.counts), name
        elif isinstance(value, float):
            assert value == pytest.approx(there, abs=1e-4, rel=1e-4, nan_ok=True), name
        elif name.startswith("share_") and not isinstance(value, float):
            assert dict(value) == pytest.approx(dict(there), abs=0.01)
        else:
            assert value == there, name


def blocks():
    """Pre-norm blocks with one mask, a table and a bias for all; each rematerialised in part."""
    shapes = {"q": (8, 8), "v": (8, 8), "up": (8, 12), "down": (12, 8)}
    params = [
        {name: normal(5 * k + n, *shape) for n, (name, shape) in enumerate(shapes.items())}
        for k in range(3)
    ]

    @jax.checkpoint
    def attend(x, weights, mask):
        q, v = x @ weights["q"], x @ weights["v"]
        return jax.nn.softmax(q @ x.swapaxes(1, 2) + mask) @ v

    def loss(params, key, x, y):
        mask = jnp.where(jnp.tril(jnp.ones((5, 5))) > 0, 0.0, -1e9)[None]
        for weights in params["blocks"]:
            key, own = jax.random.split(key)
            x = x + attend(x, weights, mask)
            h = jax.nn.gelu(x @ weights["up"] + params["bias"])
            h = jnp.where(jax.random.bernoulli(own, 0.8, h.shape), h, 0.0)
            x = x + h @ weights["down"]
        return cross_entropy(x.mean(1), y)

    params = {"blocks": params, "bias": normal(7, 1, 1, 12), "unused": jnp.ones(3)}
    return Case(loss, params, (jax.random.key(1), normal(99, 8, 5, 8), jnp.arange(8) % 4))


def stages():
    """All that was made is read again at the end, and loops and branches repeat."""
    params = {"in": normal(0, 6, 6), "loops": [normal(k, 3, 6, 6) for k in range(1, 4)]}

    def loss(params, x, y):
        x, seen = jnp.tanh(x @ params["in"]), []
        for weights in params["loops"]:
            x, _ = jax.lax.scan(lambda h, w: (jax.nn.relu(h @ w), None), x, weights)
            x = jax.lax.cond(jnp.sum(x) > 0, lambda h, w: jnp.tanh(h @ w[0]), lambda h, w: h,
                             x, weights)  # fmt: skip
            seen.append(x)
        return cross_entropy(sum(seen), y)

    return Case(loss, params, (normal(99, 8, 6), jnp.arange(8) % 6))


@pytest.mark.parametrize("model", [blocks, stages])
def test_reports_are_those_of_one_program(model):
    with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        case = model()
        count, kinds = programs(case)
        assert count > kinds
        assert_equal(*reports(case, optimizer=optax.adam(1e-3)))


def test_nothing_is_traced_again_from_step_to_step():
    traced = []

    def layer(k, x, w):
        traced.append(k)
        return jax.nn.tanh(x @ w[k])

    case = chain(layer)
    instrument = Instrument(case.loss, case.params, case.batch)
    for _ in range(2):
        instrument(case.params, case.batch)
        sizes = [s.program.down._cache_size() for s in instrument._segments[:-1]]
    assert traced == [0, 1, 2, 3]
    assert set(sizes) == {1}


def test_what_has_effects_stays_whole_and_has_them_once(capfd):
    def layer(k, x, w):
        jax.debug.print("layer {} {}", k, jnp.mean(x))
        return jax.nn.tanh(x @ w[k])

    case = chain(layer)

    def loss(*arguments):
        value = case.loss(*arguments)
        jax.debug.print("loss {}", value)
        return value

    report = vg.inspect(loss, case.params, *case.batch)
    jax.effects_barrier()
    said = capfd.readouterr().out.split("\n")
    assert [line.split(" ")[0] for line in said if line] == ["layer"] * 4 + ["loss"]
    assert report.loss == pytest.approx(float(case.loss(case.params, *case.batch)), rel=1e-5)


def test_arrays_of_numpy_are_handed_over_once():
    table = np.asarray(normal(3, 6, 6))
    case = chain(lambda k, x, w: jax.nn.tanh(x @ w[k] + jnp.asarray(table)[:1]))
    instrument = Instrument(case.loss, case.params, case.batch)
    inputs = instrument.plan.level.graph.inputs
    given = dict(zip(inputs, [*case.params, *case.batch], strict=True))
    with jax.transfer_guard_host_to_device("disallow_explicit"):
        segments.walk(instrument._segments, instrument._constants | given)
