"""Weight initialisers by name, each drawn for a whole stack of layers at once."""

import math
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax.nn import initializers as jax_initializers
from jaxtyping import Array, Float, PRNGKeyArray

from vanishing import _checks

Draw = Callable[..., Array]


class Initializer(NamedTuple):
    """How one scheme draws weights and biases.

    Attributes:
        weights: (key, shape, dtype) → array; the last two axes are fan-in and fan-out.
        gain: σ_w, the standard deviation of a weight times √fan_in in a square layer.
        bias_gain: the standard deviation of a bias times √fan_in.
    """

    weights: Draw
    gain: float
    bias_gain: float = 0.0


def _scaled(scale: float, mode: str, distribution: str) -> Draw:
    """Variance scaling whose fans are those of one layer, whatever the stack's depth."""

    def draw(key: PRNGKeyArray, shape: tuple[int, ...], dtype) -> Array:
        batch_axis = tuple(range(len(shape) - 2))
        return jax_initializers.variance_scaling(
            scale, mode, distribution, batch_axis=batch_axis, dtype=dtype
        )(key, shape)

    return draw


def _orthogonal(key: PRNGKeyArray, shape: tuple[int, ...], dtype) -> Array:
    """Haar-distributed orthogonal matrices, one for each leading index."""
    *stack, rows, columns = shape
    keys = jax.random.split(key, math.prod(stack))
    draw = jax_initializers.orthogonal()
    return jax.vmap(lambda k: draw(k, (rows, columns), dtype))(keys).reshape(shape)


# Sources: xavier — Glorot & Bengio 2010 (their "normalized initialization"); he — He et al. 2015;
# lecun — LeCun et al. 1998; orthogonal — Saxe et al. 2014;
# pytorch — torch.nn.Linear's default, U[-1/√fan_in, 1/√fan_in] for weights and biases;
# lsuv — Mishkin & Matas 2016: orthogonal, then rescaled on data by `network.init`.
INITIALIZERS: dict[str, Initializer] = {
    "xavier": Initializer(_scaled(1.0, "fan_avg", "uniform"), 1.0),
    "he": Initializer(_scaled(2.0, "fan_in", "normal"), math.sqrt(2.0)),
    "lecun": Initializer(_scaled(1.0, "fan_in", "normal"), 1.0),
    "orthogonal": Initializer(_orthogonal, 1.0),
    "pytorch": Initializer(_scaled(1 / 3, "fan_in", "uniform"), math.sqrt(1 / 3), math.sqrt(1 / 3)),
    "gaussian": Initializer(_scaled(1.0, "fan_in", "normal"), 1.0),
    "lsuv": Initializer(_orthogonal, 1.0),
}


def get(initializer: str) -> Initializer:
    """Return the scheme that `initializer` names.

    Raises:
        ValueError: the name is unknown.
        TypeError: not a string.

    >>> round(get("he").gain ** 2, 6)
    2.0
    """
    if not isinstance(initializer, str):
        raise TypeError(
            f"initializer: expected a name; got {initializer!r} of type "
            f"{type(initializer).__name__}. Pass one of {', '.join(INITIALIZERS)}, or sigma_w=."
        )
    if initializer not in INITIALIZERS:
        raise ValueError(
            f"initializer: expected one of {', '.join(INITIALIZERS)}; got {initializer!r}. "
            "Check the spelling, or give sigma_w= for plain Gaussian weights."
        )
    return INITIALIZERS[initializer]


def weights(
    initializer: str, shape: tuple[int, ...], *, key: PRNGKeyArray, dtype=None
) -> Float[Array, "*stack fan_in fan_out"]:
    """Draw weight matrices of shape [..., fan_in, fan_out].

    Args:
        initializer: a key of `INITIALIZERS`.
        shape: the last two entries are fan-in and fan-out; leading ones stack layers.
        key: JAX random key.
        dtype: a float dtype; JAX's default where None.

    Returns:
        An array of that shape and dtype, with a standard deviation of gain / √fan_in in a square
        layer.

    Raises:
        ValueError, TypeError: an unknown name, fewer than two sizes or one that is no positive
            integer, no random key, a dtype that is no float.

    >>> weights("he", (3, 8, 4), key=jax.random.key(0)).shape
    (3, 8, 4)
    """
    scheme = get(initializer)
    _checks.key("key", key)
    return scheme.weights(key, _checks.sizes("shape", shape, 2), _checks.float_dtype(dtype))


def biases(
    initializer: str, shape: tuple[int, ...], fan_in: int, *, key: PRNGKeyArray, dtype=None
) -> Float[Array, "*stack fan_out"]:
    """Draw biases: zero, but U[-1/√fan_in, 1/√fan_in] for "pytorch".

    Args:
        initializer: a key of `INITIALIZERS`.
        shape: [..., fan_out].
        fan_in: inputs of a unit.
        key: JAX random key.
        dtype: a float dtype; JAX's default where None.

    Returns:
        An array of that shape and dtype.

    Raises:
        ValueError, TypeError: as in `weights`.

    >>> biases("he", (2, 3), 8, key=jax.random.key(0)).tolist()
    [[0.0, 0.0, 0.0], [0.0, 0.0, 0.0]]
    """
    scheme, shape = get(initializer), _checks.sizes("shape", shape, 1)
    dtype = _checks.float_dtype(dtype)
    _checks.key("key", key)
    bound = scheme.bias_gain * math.sqrt(3 / _checks.whole("fan_in", fan_in, 1))
    if bound == 0:
        return jnp.zeros(shape, dtype)
    return jax.random.uniform(key, shape, dtype, -bound, bound)
