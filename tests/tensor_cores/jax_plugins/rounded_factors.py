"""On the CPU, products of float32 as tensor cores take them.

JAX loads every module of `jax_plugins` on its path. With this one, of each factor of a matrix
product or a convolution 11 bits are kept, ten of them after the point (TensorFloat32, what NVIDIA's
GPUs have done since 2020), unless a higher precision is asked for; the sums stay in float32.
"""

from functools import partial

from jax import lax
from jax import numpy as jnp
from jax._src.lax import convolution
from jax._src.lax import lax as internal
from jax.interpreters import mlir

USUAL = {
    lax.dot_general_p: partial(internal._dot_general_lower, platform="cpu"),
    lax.conv_general_dilated_p: partial(
        convolution._conv_general_dilated_lower, expand_complex_convolutions=True
    ),
}


def _rounded(factor):
    if factor.dtype != jnp.float32:
        return factor
    return lax.reduce_precision(factor, exponent_bits=8, mantissa_bits=10)


def _lowering(primitive):
    def lower(ctx, left, right, **params):
        precision = params["precision"]
        if isinstance(precision, tuple):
            precision = precision[0]
        if precision not in (None, lax.Precision.DEFAULT):
            return USUAL[primitive](ctx, left, right, **params)
        full = params | {"precision": (lax.Precision.HIGHEST, lax.Precision.HIGHEST)}
        multiply = mlir.lower_fun(
            lambda left, right: primitive.bind(_rounded(left), _rounded(right), **full),
            multiple_results=False,
        )
        return multiply(ctx, left, right)

    return lower


def initialize() -> None:
    """What JAX calls before it looks for devices."""
    for primitive in USUAL:
        mlir.register_lowering(primitive, _lowering(primitive), platform="cpu")
