"""Convolutions, pooling and their derivatives at random settings, against JAX."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from differential import Cases

rng = np.random.default_rng(11)
CASES = {}


def draw(*shape):
    return rng.standard_normal(shape).astype(np.float32)


def convolution(settings):
    return lambda a, k: lax.conv_general_dilated(a, k, **settings)


def gradients(fn):
    return lambda *args: jax.grad(
        lambda *a: jnp.sum(jnp.sin(fn(*a))), argnums=tuple(range(len(args)))
    )(*args)


def forwards(fn):
    return lambda a: jax.jvp(fn, (a,), (jnp.cos(a),))


for trial in range(8):
    groups = [(1, 1), (2, 1), (1, 2), (3, 1)][trial % 4]  # of channels, of examples
    taps, channels = rng.integers(1, 4, 2), 6
    settings = {
        "window_strides": tuple(rng.integers(1, 3, 2).tolist()),
        "padding": [tuple(pair) for pair in rng.integers(0, 3, (2, 2)).tolist()],
        "lhs_dilation": tuple(rng.integers(1, 3, 2).tolist()),
        "rhs_dilation": tuple(rng.integers(1, 3, 2).tolist()),
        "feature_group_count": groups[0],
        "batch_group_count": groups[1],
    }
    fn, arrays = (
        convolution(settings),
        (draw(2, channels, 7, 6), draw(6, channels // groups[0], *taps)),
    )
    CASES[f"convolution {trial}"] = (fn, *arrays)
    CASES[f"gradients of convolution {trial}"] = (gradients(fn), *arrays)

LAYOUT = {"padding": "SAME", "dimension_numbers": ("NHWC", "HWIO", "NHWC")}
CASES["convolution, channels last"] = (
    convolution({"window_strides": (2, 2), **LAYOUT}),
    draw(2, 8, 8, 3),
    draw(3, 3, 3, 5),
)
CASES["transposed convolution"] = (
    lambda a, k: lax.conv_transpose(
        a, k, (2, 2), "SAME", dimension_numbers=LAYOUT["dimension_numbers"]
    ),
    draw(2, 4, 4, 3),
    draw(3, 3, 3, 5),
)
CASES["convolution under vmap"] = (
    jax.vmap(convolution({"window_strides": (1, 1), "padding": "SAME"})),
    draw(3, 2, 2, 5, 5),
    draw(3, 4, 2, 3, 3),
)
CASES["convolve"] = (jnp.convolve, draw(9), draw(4))

for trial in range(6):
    operation, first = [(lax.max, -jnp.inf), (lax.min, jnp.inf), (lax.add, 0.0)][trial % 3]
    window = tuple(rng.integers(1, 4, 3).tolist())
    strides = tuple(rng.integers(1, 3, 3).tolist())
    padding = [tuple(rng.integers(0, size, 2).tolist()) for size in window]

    def pool(a, o=operation, f=first, s=(window, strides, padding)):
        return lax.reduce_window(a, f, o, *s)

    for kind, values in (("pooling", draw(5, 7, 6)), ("pooling of ties", np.round(draw(5, 7, 6)))):
        CASES[f"{kind} {trial}"] = (pool, values)
        CASES[f"gradient of {kind} {trial}"] = (gradients(pool), values)
        CASES[f"tangent of {kind} {trial}"] = (forwards(pool), values)
CASES["second derivative of pooling"] = (
    forwards(gradients(lambda a: lax.reduce_window(a, -jnp.inf, lax.max, (2, 2), (1, 2), "SAME"))),
    draw(6, 6),
)


def network(params, image):
    """A small convolutional network: two layers, each with pooling."""
    for kernel in params:
        image = jnp.tanh(lax.conv(image, kernel, (1, 1), "SAME"))
        image = lax.reduce_window(image, -jnp.inf, lax.max, (1, 1, 2, 2), (1, 1, 2, 2), "VALID")
    return jnp.mean(image, axis=(2, 3))


CASES["a convolutional network's gradients"] = (
    jax.value_and_grad(lambda p, a: jnp.mean(network(p, a) ** 2)),
    [draw(4, 1, 3, 3), draw(5, 4, 3, 3)],
    draw(3, 1, 8, 8),
)
SUITE = Cases(CASES)


@pytest.mark.parametrize("name", CASES)
def test_agrees_with_jax(name):
    # A gradient is a sum over places that cancels: what remains carries the rounding of its terms.
    SUITE.check(name, floor=5e-2)
