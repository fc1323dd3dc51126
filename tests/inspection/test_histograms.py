"""Histograms of pre-activations, activations and gradients, against NumPy in float64."""

import inspected_models as models
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import vanishing as vg

# Where an entry lies within so much of a bin's edge, float32's rounding may move it over.
ROUNDING = 1e-3


def check(histogram, entries):
    """The counts, from the largest bin down, are those of float64 but for entries at an edge."""
    sizes = np.abs(np.asarray(entries, np.float64)).ravel()
    counts, edges = np.array(histogram.counts), np.array(histogram.edges)
    assert counts.shape == (24,) and edges.shape == (25,)
    assert sum(counts) + histogram.zeros == sizes.size
    assert histogram.zeros == np.sum(sizes == 0)
    logs = np.log(sizes[sizes > 0])
    assert edges[0] == -np.inf
    np.testing.assert_allclose(np.diff(edges[1:]), np.log(2))
    assert edges[-2] - ROUNDING < logs.max() < edges[-1] + ROUNDING
    for edge, above in zip(edges[:-1], np.cumsum(counts[::-1])[::-1], strict=True):
        assert np.sum(logs >= edge + ROUNDING) <= above <= np.sum(logs >= edge - ROUNDING)


def deep(depth=40, width=16):
    """Sigmoid layers: the first gradients are far below what float32 holds."""
    keys = jax.random.split(jax.random.key(0), depth + 1)
    weights = [jax.random.normal(key, (width, width)) / 4 for key in keys[1:]]

    def loss(weights, x):
        for weight in weights:
            x = jax.nn.sigmoid(x @ weight)
        return jnp.mean(x) * 1e-30

    return loss, weights, jax.random.normal(keys[0], (32, width))


def test_counts_agree_with_float64_where_float32_has_none():
    loss, weights, x = deep()
    report = vg.inspect(loss, weights, x)
    with jax.enable_x64(True):
        wide = [np.asarray(weight, np.float64) for weight in weights]
        signals = [np.asarray(x, np.float64)]
        for weight in wide:
            signals += [signals[-1] @ weight, 1 / (1 + np.exp(-(signals[-1] @ weight)))]
        gradient = np.full(signals[-1].shape, 1e-30 / signals[-1].size)
    gradients = [gradient]
    for layer in reversed(range(len(wide))):
        after = signals[2 * layer + 2]
        gradients.append(gradients[-1] * after * (1 - after))
        gradients.append(gradients[-1] @ wide[layer].T)
    assert len(report.layers) == 2 * len(weights)
    assert np.abs(gradients[-2]).max() < 1e-46  # not even a subnormal number of float32
    for layer, signal, gradient in zip(report.layers, signals[1:], gradients[-2::-1], strict=True):
        check(layer.activation_histogram, signal)
        check(layer.gradient_histogram, gradient)


def test_zeros_are_counted_apart():
    z = jnp.array([[-1.0, 4.0, 0.5], [-1.0, 4.0, -0.5]])
    params = {"up": z, "down": jnp.array([[1.0], [2.0], [3.0]])}
    report = vg.inspect(
        lambda p, x: jnp.sum(jax.nn.relu(x @ p["up"]) @ p["down"]), params, jnp.eye(2)
    )
    layer, unit, _ = report.layers
    check(layer.activation_histogram, z)
    check(unit.activation_histogram, jnp.maximum(z, 0))
    assert unit.activation_histogram.counts[-4:] == (1, 0, 0, 2)
    check(unit.gradient_histogram, [[1, 2, 3]] * 2)
    check(layer.gradient_histogram, [[0, 2, 3], [0, 2, 0]])


def test_what_is_far_below_the_largest_is_in_the_first_bin():
    x = jnp.array([[1.0, 2.0**-22, 2.0**-23, 1e-30, 0.0]]).T
    report = vg.inspect(lambda w, x: jnp.sum(x @ w), jnp.ones((1, 1)), x)
    (layer,) = report.layers
    assert layer.activation_histogram.counts == (2, 1, *[0] * 20, 0, 1)
    assert layer.activation_histogram.edges[-2] == 0
    assert layer.activation_histogram.zeros == 1
    assert layer.gradient_histogram.counts == (*[0] * 23, 5)


@pytest.mark.parametrize("bad", [jnp.nan, jnp.inf])
def test_nothing_is_counted_of_what_is_not_finite(bad):
    x = jnp.array([[1.0], [bad]])
    (layer,) = vg.inspect(lambda w, x: jnp.sum(x @ w), jnp.ones((1, 1)), x).layers
    assert sum(layer.activation_histogram.counts) + layer.activation_histogram.zeros == 0
    assert sum(layer.gradient_histogram.counts) == 2


def test_every_turn_of_a_loop_has_its_own():
    case = models.plain_scan(depth=5)
    turns = [x for x in vg.inspect(case.loss, case.params, *case.batch).layers if x.index == 3]
    assert turns
    for layer in turns:
        edges = layer.gradient_histogram.edges
        assert edges[-7] < layer.log_gradient_rms < edges[-1]
        assert sum(layer.gradient_histogram.counts) + layer.gradient_histogram.zeros == 8 * 12


@pytest.mark.parametrize("dtype", ["bfloat16", "float64"])
def test_in_other_number_formats(dtype):
    with jax.enable_x64(dtype == "float64"):
        x = jax.random.normal(jax.random.key(0), (64, 8)).astype(dtype)
        report = vg.inspect(lambda w, x: jnp.sum(x @ w), jnp.eye(8, dtype=dtype), x)
        check(report.layers[0].activation_histogram, x.astype(jnp.float32))


def test_in_half_precision(float16):
    test_in_other_number_formats(float16)
