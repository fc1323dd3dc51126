"""The instrument against plain `jax.grad`, finite differences, long doubles and other platforms."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jax import export

import vanishing as vg

KEY = jax.random.key(0)
FLOAT64_AGREES = 1e-9


@partial(jax.jit, static_argnames=("net", "depth"))  # for speed alone
def reference(net, params, x, cotangent, depth):
    """The same measurements by `jax.grad` of a loop over layers: plain gradients, no logs."""
    phi, residual = net.phi, net.residual
    axis = {"batch": 0, "layer": 1}.get(net.normalization)

    def normalized(z):
        if axis is None:
            return z
        return (z - z.mean(axis, keepdims=True)) / jnp.sqrt(
            z.var(axis, keepdims=True) + net.epsilon
        )

    def affine(layer, h):
        return h @ layer["weights"] + layer["biases"][None]

    def run(weights, nudges):
        h = affine(params["read_in"], x) if "read_in" in params else x
        pre, post = [], []
        for layer in range(depth):

            def linear(h, layer=layer):
                return h @ weights[layer] + params["biases"][layer][None]

            if residual is None:
                pre.append(normalized(linear(h) + nudges[layer]))
                h = phi(pre[-1])
            else:
                pre.append(normalized(h))
                h = h + residual * linear(phi(pre[-1])) + nudges[layer]
            post.append(h)
        y = affine(params["read_out"], h) if "read_out" in params else h
        return jnp.sum(y * cotangent), (jnp.stack(pre), jnp.stack(post))

    nudges = jnp.zeros((depth, x.shape[0], net.width))
    gradients, (pre, post) = jax.grad(run, (0, 1), has_aux=True)(params["weights"], nudges)
    slope = jnp.abs(jax.vmap(jax.grad(phi))(pre.ravel()).reshape(pre.shape))
    steepest = jnp.max(jnp.abs(jax.vmap(jax.grad(phi))(jnp.linspace(-8.0, 8.0, 257))))
    return {
        "activation_mean": post.mean((1, 2)),
        "activation_rms": jnp.sqrt((post**2).mean((1, 2))),
        "log_activation_rms": 0.5 * jnp.log((post**2).mean((1, 2))),
        "dead": (slope == 0).all(1),
        "dead_fraction": (slope == 0).all(1).mean(1, dtype=float),
        "saturated_fraction": (slope < 0.01 * steepest).mean((1, 2), dtype=float),
        "gradient_rms": jnp.sqrt((gradients[1] ** 2).mean((1, 2))),
        "weight_gradient_rms": jnp.sqrt((gradients[0][:depth] ** 2).mean((1, 2))),
    }


@st.composite
def networks(draw):
    """A description, a batch size, a seed and how many layers to use (None: all of them).

    Every initializer has a test of its own: here parameters are drawn, see `drawn`."""
    scale = st.floats(0.5, 2.0)
    normalization = draw(st.sampled_from([None, "batch", "layer"]))
    # Over one or two numbers a normalisation leaves a gradient of rounding errors alone.
    least = 1 if normalization is None else 3
    net = vg.MLP(
        depth=draw(st.integers(1, 6)),
        width=draw(st.integers(least, 9)),
        activation=draw(st.sampled_from(list(vg.activations.ACTIVATIONS))),
        normalization=normalization,
        epsilon=draw(st.sampled_from([1e-5, 1e-2])),
        residual=draw(st.none() | scale),
        in_features=draw(st.none() | st.integers(1, 5)),
        out_features=draw(st.none() | st.integers(1, 5)),
    )
    depth = draw(st.none() | st.integers(1, net.depth))
    return net, draw(st.integers(least, 6)), draw(st.integers(0, 2**31)), depth


def example(net, batch, seed):
    """Parameters, a batch and a cotangent that no symmetry of the network is orthogonal to."""
    keys = jax.random.split(jax.random.key(seed), 3)
    x = jax.random.normal(keys[1], (batch, net.in_features or net.width))
    cotangent = jax.random.normal(keys[2], (batch, net.out_features or net.width))
    return vg.init(net, key=keys[0]), x, cotangent


def drawn(net, batch, seed):
    """As `example`, but by NumPy, for which nothing is compiled: most of a test's time."""
    rng = np.random.default_rng(seed)
    scale = rng.uniform(0.5, 2.0) / net.width**0.5
    shapes = jax.eval_shape(lambda: vg.init(net, key=KEY))
    params = jax.tree.map(lambda like: scale * rng.standard_normal(like.shape), shapes)
    x = rng.standard_normal((batch, net.in_features or net.width))
    return params, x, rng.standard_normal((batch, net.out_features or net.width))


def agrees(net, batch, seed, depth, *, of=drawn):
    with jax.enable_x64(True):
        params, x, cotangent = of(net, batch, seed)
        measured = vg.probe(net, params, x, cotangent, depth=depth)
        used = net.depth if depth is None else depth
        expected = reference(net, params, x, cotangent, used)
        expected = jax.tree.map(np.asarray, expected)
        for name, wanted in expected.items():
            got = np.asarray(getattr(measured, name))
            # Batch norm makes some means exactly 0: what a mean is small against is the RMS.
            scale = expected["activation_rms" if name == "activation_mean" else name]
            if name == "dead":
                np.testing.assert_array_equal(got, np.pad(wanted, [(0, net.depth - used), (0, 0)]))
                continue
            if name == "log_activation_rms":
                scale = 1.0  # a logarithm's error is a relative one of what it is taken of
            error = np.abs(got[:used] - wanted)
            assert (error <= FLOAT64_AGREES * scale).all(), (name, got, wanted)
            assert np.isnan(got[used:]).all(), name


@settings(max_examples=20, deadline=None, derandomize=True)
@given(networks())
def test_agrees_with_jax_grad_in_float64_for_random_networks(case):
    agrees(*case)


@pytest.mark.parametrize("initializer", vg.initializers.INITIALIZERS)
def test_agrees_with_jax_grad_for_every_initializer(initializer):
    net = vg.MLP(depth=3, width=5, initializer=initializer, residual=0.7)
    agrees(net, 4, 1, None, of=example)


@pytest.mark.parametrize("activation", vg.activations.ACTIVATIONS)
def test_agrees_with_jax_grad_for_every_activation(activation):
    net = vg.MLP(depth=3, width=5, activation=activation, normalization="batch")
    agrees(net, 4, 2, None)


def test_agrees_with_jax_grad_for_any_elementwise_callable():
    net = vg.MLP(depth=3, width=5, activation=lambda z: jnp.sin(z) + 0.1 * z)
    agrees(net, 4, 3, 2)


def test_agrees_with_finite_differences():
    with jax.enable_x64(True):
        net = vg.MLP(depth=3, width=4, sigma_w=1.3, sigma_b=0.2, in_features=2, out_features=3)
        params, x, cotangent = example(net, 5, 0)

        def cost(weights):
            return jnp.sum(vg.apply(net, params | {"weights": weights}, x) * cotangent)

        step = 1e-5
        nudges = step * np.eye(params["weights"].size).reshape(-1, 3, 4, 4)
        slopes = [(cost(params["weights"] + n) - cost(params["weights"] - n)) / (2 * step)
                  for n in nudges]  # fmt: skip
        expected = np.sqrt((np.reshape(slopes, (3, -1)) ** 2).mean(1))
        measured = vg.probe(net, params, x, cotangent).weight_gradient_rms
        np.testing.assert_allclose(measured, expected, rtol=1e-8)


def sigmoid_gradients_in_long_double(params, x):
    """ln RMS of δ_l by hand; a long double reaches 1e-4932, so nothing needs rescaling."""
    weights = np.asarray(params["weights"], np.longdouble)
    h, slopes = np.asarray(x, np.longdouble), []
    for matrix in weights:
        h = 1 / (1 + np.exp(-(h @ matrix)))
        slopes.append(h * (1 - h))
    cotangent, logs = np.ones_like(h), []
    for matrix, slope in zip(weights[::-1], slopes[::-1], strict=True):
        delta = cotangent * slope
        logs.append(np.log(np.sqrt(np.mean(delta**2))))
        cotangent = delta @ matrix.T
    return np.array(logs[::-1], float)


@pytest.mark.skipif(
    np.finfo(np.longdouble).maxexp < 16384, reason="the reference needs an 80-bit long double"
)
def test_thousand_sigmoid_layers_are_within_a_thousandth_at_every_layer():
    net = vg.MLP(depth=1000, width=32, activation="sigmoid", sigma_w=1.0)
    params = vg.init(net, key=KEY)
    x = jax.random.normal(jax.random.key(1), (16, 32))
    measured = np.asarray(vg.probe(net, params, x).log_gradient_rms, float)
    expected = sigmoid_gradients_in_long_double(params, x)
    assert expected[0] < -600 * np.log(10)
    relative_error_of_the_gradient = np.abs(np.expm1(measured - expected))
    assert relative_error_of_the_gradient.max() < 1e-3


def scaled_reference(net, params, x, cotangent):
    """A plain network in NumPy's doubles, each layer's real scale divided out and its log kept."""
    weights, biases = (np.asarray(params[name], float) for name in ("weights", "biases"))
    h, log, ups, slopes = np.asarray(x, float), 0.0, [], []
    slope_of = jax.jit(vg.activations.derivative(net.activation))
    for matrix, bias in zip(weights, biases, strict=True):
        z = h @ matrix + (np.exp(-log) * bias if bias.any() else 0)
        slopes.append(np.asarray(slope_of(z)))
        h = np.asarray(net.phi(z))
        size = np.sqrt(np.mean(h**2))
        h, log = h / size, log + np.log(size)
        ups.append(log)
    g, log, downs = np.asarray(cotangent, float), 0.0, []
    for matrix, slope in zip(weights[::-1], slopes[::-1], strict=True):
        delta = g * slope
        size = np.sqrt(np.mean(delta**2))
        g, log = (delta / size) @ matrix.T, log + np.log(size)
        downs.append(log)
    dead = [(slope == 0).all(0) for slope in slopes]
    return np.array(ups), np.array(downs[::-1]), np.array(dead)


@pytest.mark.parametrize("sigma_w", [0.1, 1.0, 2**0.5, 8.0])
@pytest.mark.parametrize("activation", ["relu", "leaky_relu", "linear"])
def test_a_thousand_layers_of_any_scale_are_within_a_thousandth(activation, sigma_w):
    net = vg.MLP(depth=1000, width=32, activation=activation, sigma_w=sigma_w)
    params, x, cotangent = example(net, 16, 0)
    with jax.enable_x64(True):
        up, down, dead = scaled_reference(net, params, x, cotangent)
    measured = vg.probe(net, params, x, cotangent)
    if sigma_w in (0.1, 8.0):
        assert np.abs(up[-1]) > 1000
    np.testing.assert_allclose(measured.log_activation_rms, up, rtol=0, atol=1e-3)
    np.testing.assert_allclose(measured.log_gradient_rms, down, rtol=0, atol=1e-3)
    np.testing.assert_array_equal(measured.dead, dead)


@pytest.mark.parametrize("residual", [None, 1.0])
@pytest.mark.parametrize("name", ["tanh", "relu", "elu", "selu", "gelu", "silu"])
def test_single_precision_measures_what_double_precision_does(name, residual):
    """Up to four hundred nats: beyond the range of the one, within that of the other."""
    net = vg.MLP(depth=120, width=24, activation=name, sigma_w=1.0, residual=residual)
    inputs = example(net, 16, 0)
    for sigma_w in (0.1, 8.0):
        if (name, sigma_w) == ("tanh", 8.0):
            continue  # chaos: it amplifies the rounding of single precision itself
        scaled = jax.tree.map(lambda a: sigma_w * a, inputs[0])  # noqa: B023
        single = vg.probe(net, scaled, *inputs[1:])
        with jax.enable_x64(True):
            wide = jax.tree.map(lambda a: a.astype(float), (scaled, *inputs[1:]))
            double = vg.probe(net, *wide)
        for field in ("log_activation_rms", "log_gradient_rms", "log_weight_gradient_rms"):
            got, want = getattr(single, field), getattr(double, field)
            np.testing.assert_allclose(got, want, rtol=0, atol=2e-3, err_msg=field)


def test_biases_of_any_scale_meet_signals_of_any_scale():
    """Tiny inputs under large biases and the reverse, where one scale must not hide the other."""
    net = vg.MLP(depth=3, width=8, activation="relu")
    params, x, cotangent = example(net, 4, 0)
    params["biases"] = 1e-25 * jax.random.normal(KEY, (3, 8))
    for size in (1e-35, 1e-25, 1.0, 1e30):
        with jax.enable_x64(True):
            up, down, dead = scaled_reference(net, params, size * np.asarray(x), cotangent)
        measured = vg.probe(net, params, size * x, cotangent)
        np.testing.assert_allclose(measured.log_activation_rms, up, rtol=1e-6)
        np.testing.assert_allclose(measured.log_gradient_rms, down, rtol=1e-5, atol=1e-5)
        np.testing.assert_array_equal(measured.dead, dead)


def test_an_activation_that_no_scale_can_be_taken_out_of_reads_infinity():
    net = vg.MLP(depth=8, width=8, activation=jnp.square, sigma_w=4.0)
    signals = vg.probe(net, vg.init(net, key=KEY), jnp.ones((2, 8)))
    assert np.isfinite(signals.log_activation_rms[:3]).all()
    assert not np.isfinite(signals.log_activation_rms[-1])


@pytest.mark.parametrize("scale", [1e-30, 1e30])
def test_scale_of_the_cotangent_is_only_an_offset_of_the_logarithm(scale):
    net = vg.MLP(depth=5, width=8, sigma_w=1.0, out_features=3)
    params, x, cotangent = example(net, 4, 0)
    one = vg.probe(net, params, x, cotangent)
    scaled = vg.probe(net, params, x, cotangent * scale)
    np.testing.assert_allclose(
        scaled.log_gradient_rms, one.log_gradient_rms + np.log(scale), rtol=1e-5
    )
    np.testing.assert_allclose(
        scaled.log_weight_gradient_rms, one.log_weight_gradient_rms + np.log(scale), rtol=1e-5
    )


def test_no_gradient_reads_minus_infinity_and_zero():
    net = vg.MLP(depth=3, width=4, activation="relu")
    params = vg.init(net, key=KEY)
    params["biases"] = params["biases"].at[1].set(-100.0)  # layer 2 is dead on this batch
    signals = vg.probe(net, params, jnp.ones((2, 4)))
    assert signals.dead_fraction.tolist()[1:] == [1.0, 1.0]
    assert signals.log_gradient_rms.tolist() == [-np.inf] * 3
    assert signals.gradient_rms.tolist() == signals.weight_gradient_rms.tolist() == [0.0] * 3


def test_dead_and_saturated_are_told_apart():
    net = vg.MLP(depth=1, width=3, activation="tanh")
    params = {"weights": jnp.eye(3)[None], "biases": jnp.zeros((1, 3))}
    # Slopes of unit 1: 1 and 0; unit 2: 0.0013 and 0.0013; unit 3: 0 and 0.
    signals = vg.probe(net, params, jnp.array([[0.0, 4.0, 20.0], [20.0, -4.0, -20.0]]))
    assert signals.dead_fraction.tolist() == pytest.approx([1 / 3])
    assert signals.saturated_fraction.tolist() == pytest.approx([5 / 6])


def test_dead_units_are_those_that_the_probe_counts():
    net = vg.MLP(depth=3, width=16, activation="relu", sigma_w=1.0, sigma_b=2.0)
    params, x, cotangent = example(net, 4, 0)
    signals = vg.probe(net, params, x, cotangent)
    np.testing.assert_array_equal(signals.dead, vg.dead_units(net, params, x))
    np.testing.assert_allclose(signals.dead_fraction, signals.dead.mean(-1))
    assert 0 < signals.dead.sum() < 48
    assert not vg.probe(net, params, x, cotangent, depth=1).dead[1:].any()


def test_a_forward_pass_that_overflows_kills_nobody():
    # ReLU without biases is homogeneous: 2^50 times the weights are the same signs, while plain
    # float32 comes to ∞ − ∞ in the third layer, and ReLU's slope at NaN is 0.
    net = vg.MLP(depth=6, width=16, activation="relu", initializer="he", sigma_b=0.0)
    params, x = vg.init(net, key=KEY), jax.random.normal(KEY, (8, 16))
    large = params | {"weights": params["weights"] * 2.0**50}
    assert not jnp.isfinite(vg.forward(net, large, x).post[-1]).any()
    np.testing.assert_array_equal(vg.dead_units(net, large, x), vg.dead_units(net, params, x))


def counted():
    """An activation that counts how often it is traced."""
    traces = []

    def activation(z):
        traces.append(z)
        return jnp.tanh(z)

    return activation, traces


def test_one_executable_serves_every_depth():
    activation, traces = counted()
    net = vg.MLP(depth=12, width=6, activation=activation)
    params, x, cotangent = example(net, 3, 0)
    vg.probe(net, params, x, cotangent, depth=1)
    vg.forward(net, params, x, depth=1)
    compiled = len(traces)
    for depth in range(2, 13):
        signals = vg.probe(net, params, x, cotangent, depth=depth)
        trace = vg.forward(net, params, x, depth=jnp.int32(depth))
        assert int(np.isfinite(signals.log_gradient_rms).sum()) == depth
        assert int(np.isfinite(trace.post[:, 0, 0]).sum()) == depth
    assert compiled > 0 and len(traces) == compiled


def test_one_executable_serves_every_scale():
    activation, traces = counted()

    def measured(sigma_w, sigma_b):
        net = vg.MLP(depth=4, width=6, activation=activation, sigma_w=sigma_w, sigma_b=sigma_b,
                     residual=sigma_b, normalization="layer", epsilon=sigma_b)  # fmt: skip
        params = vg.init(net, key=KEY)
        return vg.probe(net, params, jnp.ones((2, 6))).log_gradient_rms

    measured(1.0, 0.1)
    compiled = len(traces)
    assert measured(2.0, 0.3).shape == (4,)
    assert len(traces) == compiled


def test_traced_scales_and_depth_give_the_numbers_of_static_ones():
    def measured(sigma_w, sigma_b, residual, depth):
        net = vg.MLP(depth=5, width=8, activation="gelu", sigma_w=sigma_w, sigma_b=sigma_b,
                     normalization="batch", residual=residual)  # fmt: skip
        params = vg.init(net, key=KEY)
        x = jax.random.normal(jax.random.key(1), (6, 8))
        cotangent = jax.random.normal(jax.random.key(2), (6, 8))
        return vg.probe(net, params, x, cotangent, depth=depth).log_gradient_rms

    scales = (1.5, 0.2, 0.7, 4)
    np.testing.assert_allclose(jax.jit(measured)(*scales), measured(*scales), rtol=1e-5)


def test_runs_inside_vmap_over_seeds():
    net = vg.MLP(depth=3, width=5)
    x = jnp.ones((2, 5))

    def logs(key):
        return vg.probe(net, vg.init(net, key=key), x).log_gradient_rms

    keys = jax.random.split(KEY, 4)
    expected = jnp.stack([logs(key) for key in keys])
    np.testing.assert_allclose(jax.vmap(logs)(keys), expected, rtol=1e-5)


@pytest.mark.parametrize("initializer", ["orthogonal", "lsuv", "pytorch"])
@pytest.mark.parametrize("normalization", [None, "batch"])
def test_lowers_for_every_platform(initializer, normalization):
    net = vg.MLP(depth=4, width=8, activation="gelu", initializer=initializer, in_features=3,
                 normalization=normalization, out_features=2)  # fmt: skip
    params, x, _ = example(net, 4, 0)
    platforms = ("cpu", "cuda", "tpu")

    def lowered(function, *arguments):
        return export.export(jax.jit(function), platforms=platforms)(*arguments).platforms

    def probed(params, x, depth):
        return vg.probe(net, params, x, depth=depth)

    assert lowered(lambda key: vg.init(net, key=key), KEY) == platforms
    assert lowered(lambda params, x: vg.forward(net, params, x), params, x) == platforms
    assert lowered(probed, params, x, jnp.int32(2)) == platforms
