"""The measurements behind published numbers: the same function for figure, test and slide."""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float, PRNGKeyArray

from vanishing import _checks
from vanishing._types import AnyArray, Scalar
from vanishing.network import MLP, apply, forward, init
from vanishing.probe import probe, rescale


def over_seeds(
    measure: Callable[..., Array],
    net: MLP,
    *,
    key: PRNGKeyArray,
    seeds: int,
    batch: int = 16,
    input_rms: Scalar = 1.0,
):
    """Measure `seeds` independent networks, one after another in one compiled program.

    Args:
        measure: (params, x, cotangent) → pytree of arrays, for one network.
        net: the description that all of them share.
        key: JAX random key.
        seeds: how many networks, each with its own weights, inputs and cotangent.
        batch: inputs per network, random directions.
        input_rms: root mean square of each input; cotangents are standard normal.

    Returns:
        What `measure` returns, stacked along a first axis of length `seeds`.

    Raises:
        ValueError, TypeError: fewer than one seed or input, a negative input_rms.

    >>> net = vg.MLP(depth=3, width=8)
    >>> over_seeds(lambda params, x, _: vg.apply(net, params, x), net,
    ...            key=jax.random.key(0), seeds=5, batch=2).shape
    (5, 2, 8)
    """
    _checks.whole("seeds", seeds, 1)
    _checks.whole("batch", batch, 1)
    scale = _checks.scale("input_rms", input_rms)

    def one(key):
        weight_key, input_key, cotangent_key = jax.random.split(key, 3)
        x = jax.random.normal(input_key, (batch, net.in_features or net.width))
        x = scale * jax.vmap(lambda row: rescale(row)[0])(x)
        cotangent = jax.random.normal(cotangent_key, (batch, net.out_features or net.width))
        return measure(init(net, key=weight_key), x, cotangent)

    return jax.jit(lambda keys: lax.map(one, keys))(jax.random.split(key, seeds))


def gradient_logs(net: MLP, **sample) -> Float[Array, "seeds depth"]:
    """ln RMS of δ_l in `seeds` independent networks; keywords as in `over_seeds`.

    >>> net = vg.MLP(depth=3, width=8)
    >>> gradient_logs(net, key=jax.random.key(0), seeds=5).shape
    (5, 3)
    """
    return over_seeds(
        lambda params, x, cotangent: probe(net, params, x, cotangent).log_gradient_rms,
        net,
        **sample,
    )


def layer_factor(logs: Float[AnyArray, "seeds depth"], skip: int = 0) -> Float[Array, ""]:
    """χ as measured: by how much one layer multiplies the mean squared gradient.

        χ = (⟨δ_a²⟩ / ⟨δ_b²⟩)^(1/(b−a)),   a = 1 + skip, b = L − skip, ⟨·⟩ over the seeds

    Args:
        logs: from `gradient_logs`.
        skip: layers left out at either end, where the signal has not settled.

    >>> round(float(layer_factor(jnp.log(jnp.array([[1.0, 2.0, 4.0]])))), 6)
    0.25
    """
    square = jax.nn.logsumexp(2 * logs, axis=0)
    first, last = skip, logs.shape[1] - 1 - skip
    return jnp.exp((square[first] - square[last]) / (last - first))


def log_square_gains(net: MLP, *, key: PRNGKeyArray, seeds: int) -> tuple[Array, Array]:
    """ln ‖h_L‖²/‖h_0‖² and ln ‖∂C/∂h_0‖²/‖∂C/∂h_L‖², one input to each of `seeds` networks.

    In a He-initialised ReLU network both have variance of about 5L/n, however good the mean:
    Hanin 2018; Hanin & Nica 2020.

    Args:
        net: the description, without read-in or read-out.
        key: JAX random key.
        seeds: how many networks.

    Returns:
        forward and backward log gains, each [seeds]; −∞ where a narrow network has died.

    >>> net = vg.MLP(depth=3, width=8, activation="linear", initializer="orthogonal")
    >>> forward, backward = log_square_gains(net, key=jax.random.key(0), seeds=2)
    >>> bool(jnp.allclose(forward, 0, atol=1e-5) & jnp.allclose(backward, 0, atol=1e-5))
    True
    """

    def measure(params, x, cotangent):
        top, pull = jax.vjp(lambda x: apply(net, params, x), x)
        size = [rescale(array)[1] for array in (x, top, cotangent, pull(cotangent)[0])]
        return 2 * (size[1] - size[0]), 2 * (size[3] - size[2])

    return over_seeds(measure, net, key=key, seeds=seeds, batch=1)


def orthogonal_pair(width: int) -> Float[Array, "2 width"]:
    """Two inputs of RMS 1 at a right angle: a right start for what happens to angles.

    >>> pair = orthogonal_pair(6)
    >>> round(float(pair[0] @ pair[1]), 6), round(float((pair**2).mean()), 6)
    (0.0, 1.0)
    """
    first = jnp.arange(width) < width // 2
    x = jnp.stack([first, ~first]).astype(jnp.result_type(float))
    return x / jnp.sqrt(jnp.mean(x**2, axis=1, keepdims=True))


def gradient_correlation(net: MLP, *, key: PRNGKeyArray, seeds: int) -> Float[Array, " seeds"]:
    """How alike the gradients of two orthogonal inputs are: the cosine between their Jacobians.

        ⟨J(x), J(x′)⟩ / (‖J(x)‖ ‖J(x′)‖),   J(x) = ∂h_L/∂x

    It is the correlation of the input gradients over all cotangents at once. In a ReLU
    network without biases it falls as ∏(1 − θ_l/π), θ_l the angle between the two at layer l
    (Cho & Saul 2009): a power law, where Balduzzi et al. 2017 shatter as 2^−L. The two point in
    random directions, since a residual block hands its input to φ as it is.

    Args:
        net: the description, without read-in or read-out.
        key: JAX random key.
        seeds: how many networks.

    >>> net = vg.MLP(depth=3, width=8, activation="linear")
    >>> gradient_correlation(net, key=jax.random.key(0), seeds=1).round(5).tolist()
    [1.0]
    """

    def measure(params, pair, _):
        def jacobian(x):
            return rescale(jax.jacobian(lambda x: apply(net, params, x[None])[0])(x))[0]

        first, second = pair
        second = rescale(second - jnp.mean(first * second) * first)[0]  # at a right angle
        return jnp.mean(jacobian(first) * jacobian(second))

    return over_seeds(measure, net, key=key, seeds=seeds, batch=2)


class Apart(NamedTuple):
    """How two inputs that start at a right angle look to each layer, in several networks.

    Attributes:
        cosine: between their outputs h_l.
        distance: ‖h_l − h_l′‖, relative to that of the inputs.
        log_gradient_rms: ln RMS of δ_l on these two inputs, for a random cotangent.
    """

    cosine: Float[Array, "seeds depth"]
    distance: Float[Array, "seeds depth"]
    log_gradient_rms: Float[Array, "seeds depth"]


def apart(net: MLP, *, key: PRNGKeyArray, seeds: int) -> Apart:
    """Send two orthogonal inputs up `seeds` networks, and a random gradient down.

    Args:
        net: the description, without read-in or read-out.
        key: JAX random key.
        seeds: how many networks.

    Returns:
        `Apart`, each of its arrays [seeds, depth].

    >>> net = vg.MLP(depth=3, width=8, activation="linear", initializer="orthogonal")
    >>> apart(net, key=jax.random.key(0), seeds=2).distance.round(4).tolist()
    [[1.0, 1.0, 1.0], [1.0, 1.0, 1.0]]
    """
    pair = orthogonal_pair(net.width)

    def measure(params, _, cotangent):
        post = forward(net, params, pair).post
        size = jnp.linalg.norm(post, axis=2)
        cosine = jnp.sum(post[:, 0] * post[:, 1], axis=1) / (size[:, 0] * size[:, 1])
        distance = jnp.linalg.norm(post[:, 0] - post[:, 1], axis=1)
        distance = distance / jnp.linalg.norm(pair[0] - pair[1])
        return Apart(cosine, distance, probe(net, params, pair, cotangent).log_gradient_rms)

    return over_seeds(measure, net, key=key, seeds=seeds, batch=2)
