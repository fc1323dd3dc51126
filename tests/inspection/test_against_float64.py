"""Every parameter's gradient, of models of four libraries, against `jax.grad` in float64."""

import inspected_models as models
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import vanishing as vg

# The promise: the logarithm to 3e-3. What rounding does to a sum that cancels is no more than
# that for any of these; a gradient that is zero in exact arithmetic has no logarithm to compare.
TOLERANCE = 3e-3


def float64(tree):
    def widen(leaf):
        floating = jnp.issubdtype(leaf.dtype, jnp.floating)
        return leaf.astype(jnp.float64) if floating else leaf

    return jax.tree.map(widen, tree)


def reference(case, jitter=0.0):
    """Path → ln RMS of the gradient; of parameters that are another by a share `jitter`."""
    with jax.enable_x64(True), jax.numpy_dtype_promotion("standard"):
        params, rng = float64(case.params), np.random.default_rng(0)
        if jitter:
            params = jax.tree.map(
                lambda leaf: leaf * (1 + jitter * rng.standard_normal(leaf.shape)), params
            )
        gradient = jax.grad(case.loss)(params, *float64(case.batch))
        leaves = jax.tree_util.tree_leaves_with_path(gradient)
        with np.errstate(divide="ignore"):
            return {
                jax.tree_util.keystr(path): np.log(np.sqrt(np.mean(np.asarray(leaf) ** 2)))
                for path, leaf in leaves
            }


@pytest.mark.parametrize("model", models.MODELS, ids=lambda model: model.__name__)
def test_parameters_agree(model):
    with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        case = model()
        report = vg.inspect(case.loss, case.params, *case.batch)
        expected = reference(case)
    assert report.parameters.keys() == expected.keys()
    largest = max(expected.values())
    for path, log in expected.items():
        measured = report.parameters[path].log_gradient_rms
        if path.endswith(case.cancels) and case.cancels:
            assert measured < largest + np.log(1e-5), (path, measured)
            continue
        assert measured == log or abs(measured - log) < TOLERANCE, (path, measured, log)


@pytest.mark.parametrize("model", [models.plain, models.plain_scan, models.plain_residual])
def test_in_float64_itself(model):
    """With `jax_enable_x64`, and a model in float64, nothing is rounded to float32 on the way."""
    case = model()
    expected = reference(case)
    with jax.enable_x64(True):
        report = vg.inspect(case.loss, float64(case.params), *float64(case.batch))
    for path, log in expected.items():
        assert abs(report.parameters[path].log_gradient_rms - log) < 1e-6, path


def test_float32_would_have_read_zero():
    """The reason for all this, on the reader's own kind of model."""
    case = models.plain_scan(depth=200)
    report = vg.inspect(case.loss, case.params, *case.batch)
    assert not np.any(np.asarray(jax.grad(case.loss)(case.params, *case.batch)["w"])[0])
    assert -500 < report.layers[0].log_gradient_rms < -200


def test_ten_thousand_nats():
    """5000 linear layers that each divide by eight: far below what float64 can hold."""
    depth, factor = 5000, 0.125

    def loss(weights, x):
        return jnp.sum(jax.lax.scan(lambda h, w: (h @ w, None), x, weights)[0])

    weights = factor * jnp.broadcast_to(jnp.eye(2), (depth, 2, 2))
    report = vg.inspect(loss, weights, jnp.ones((1, 2)))
    measured = [layer.log_gradient_rms for layer in report.layers]
    assert measured[0] < -1e4
    np.testing.assert_allclose(measured, np.arange(depth)[::-1] * np.log(factor), atol=1e-6)
