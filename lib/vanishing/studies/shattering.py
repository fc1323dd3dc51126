"""Shattered gradients: the gradient of a network of one input, and how fast it forgets itself."""

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float, PRNGKeyArray

from vanishing import _checks
from vanishing._types import AnyArray
from vanishing.network import MLP, Params, apply, init

#: Balduzzi et al. 2017 look at 256 inputs between −2 and 2.
POINTS, REACH = 256, 2.0


def inputs(points: int = POINTS) -> Float[Array, "points 1"]:
    """A grid of inputs from −2 to 2.

    >>> inputs(3).ravel().tolist()
    [-2.0, 0.0, 2.0]
    """
    return jnp.linspace(-REACH, REACH, points)[:, None]


def start(net: MLP, *, key: PRNGKeyArray) -> Params:
    """Parameters of a network of one input, whose read-in has standard normal biases.

    Without them every unit would switch at x = 0, and the network be two straight lines.

    >>> net = MLP(depth=2, width=8, activation="relu", initializer="he", in_features=1)
    >>> bool((start(net, key=jax.random.key(0))["read_in"]["biases"] != 0).all())
    True
    """
    bias_key, key = jax.random.split(key)
    params = init(net, key=key)
    biases = jax.random.normal(bias_key, (net.width,))
    return params | {"read_in": params["read_in"] | {"biases": biases}}


def gradient(net: MLP, params: Params, x: Float[AnyArray, "points 1"]) -> Float[Array, " points"]:
    """df/dx of a network of one input and one output, at every point.

    >>> net = MLP(depth=1, width=2, activation="linear", in_features=1, out_features=1)
    >>> ones = jax.tree.map(jnp.ones_like, init(net, key=jax.random.key(0)))
    >>> gradient(net, ones, inputs(2)).tolist()
    [4.0, 4.0]
    """
    return jax.jvp(lambda x: apply(net, params, x), (x,), (jnp.ones_like(x),))[1][:, 0]


def gradients(
    net: MLP, *, key: PRNGKeyArray, seeds: int, points: int = POINTS
) -> Float[Array, "seeds points"]:
    """`gradient` of `seeds` independent networks on the grid of `inputs`.

    >>> net = MLP(2, 8, "relu", "he", in_features=1, out_features=1)
    >>> gradients(net, key=jax.random.key(0), seeds=3, points=5).shape
    (3, 5)
    """
    return _gradients(net, jax.random.split(key, _checks.whole("seeds", seeds, 1)), inputs(points))


@jax.jit
def _gradients(net: MLP, keys, x):
    return lax.map(lambda key: gradient(net, start(net, key=key), x), keys)


def autocorrelation(
    gradient: Float[AnyArray, "*shape points"], lag: int = 1
) -> Float[np.ndarray, "*shape"]:
    """How much the gradient at one point of the grid says of the gradient `lag` points on.

        Σ_i (g_i − ḡ) (g_{i+lag} − ḡ) / Σ_i (g_i − ḡ)²

    Near 1 for a gradient that changes slowly, near 0 for white noise.

    Args:
        gradient: along a grid, the last axis.
        lag: in points.

    Returns:
        A number for each gradient; NaN for one that is constant.

    >>> autocorrelation(jnp.array([1.0, -1.0, 1.0, -1.0])).round(2).tolist()
    -0.75
    """
    g = np.asarray(gradient, float)
    g = g - g.mean(axis=-1, keepdims=True)
    square = (g * g).sum(axis=-1)
    product = (g[..., lag:] * g[..., : g.shape[-1] - lag]).sum(axis=-1)
    return np.divide(product, square, out=np.full_like(square, np.nan), where=square > 0)


def expected_correlation(
    depth: int, square_scale: float | None = None
) -> tuple[Float[np.ndarray, " above"], Float[np.ndarray, " above"]]:
    """How alike two orthogonal inputs and their gradients are in a wide He-initialised ReLU net.

    Two inputs at an angle θ leave a layer with the cosine (sin θ + (π − θ) cos θ) / π, and of the
    units that are open to one of them the share κ = 1 − θ/π is open to both. In a plain network

        cos θ_{l+1} = κ-map of θ_l,   gradients ∏ κ_l

    and with branches of scale α, of which a share of α² / (1 + α²) goes through the branch,

        cos θ_{l+1} = (cos θ_l + α² map) / (1 + α²),   gradients ∏ (1 + α² κ_l) / (1 + α²)

    Args:
        depth: L.
        square_scale: α², or None for a plain network.

    Returns:
        The cosine between the two h_l, l = 0 … L, and that between the gradients of l layers.

    Source: Cho & Saul 2009 for the map; Balduzzi et al. 2017 for the question.

    >>> round(float(expected_correlation(5)[1][-1]), 4)
    0.1046
    """
    branch, whole = (1.0, 1.0) if square_scale is None else (square_scale, 1 + square_scale)
    kept = whole - branch
    cosine, gradient = [0.0], [1.0]
    for _ in range(_checks.whole("depth", depth, 1)):
        theta = np.arccos(cosine[-1])
        mapped = (np.sin(theta) + (np.pi - theta) * np.cos(theta)) / np.pi
        gradient.append(gradient[-1] * (kept + branch * (1 - theta / np.pi)) / whole)
        cosine.append(min((kept * cosine[-1] + branch * mapped) / whole, 1.0))
    return np.array(cosine), np.array(gradient)
