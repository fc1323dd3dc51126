"""A residual network as a sum over paths: how much of the gradient came by paths of each length."""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float, PRNGKeyArray
from scipy import stats

from vanishing import activations, theory
from vanishing._layers import climb, read_in, step
from vanishing._types import AnyArray
from vanishing.network import MLP, Params
from vanishing.studies.ensembles import over_seeds


class Parts(NamedTuple):
    """The gradient at h_0, taken apart by the length of the paths that brought it.

    Attributes:
        by_length: the sum over the paths through exactly k branches, k = 0 … L; all of them
            together are ∂C/∂h_0.
        stream: δ_l = ∂C/∂h_l, which arrives at block l; block 1 first.
        branch: what of ∂C/∂h_{l-1} came through the branch of block l. The skip brings δ_l.
    """

    by_length: Float[Array, "lengths batch width"]
    stream: Float[Array, "depth batch width"]
    branch: Float[Array, "depth batch width"]


def take_apart(
    branch: Callable,
    layers,
    below: Float[AnyArray, "depth batch width"],
    cotangent: Float[AnyArray, "batch width"],
    skip: float | Float[AnyArray, " depth"] = 1.0,
) -> Parts:
    """Pull a cotangent back through blocks h ↦ s h + branch(h, layer), path length by path length.

    A block multiplies the cotangent by s I + J_lᵀ. Kept apart by the number of J in a product, the
    gradient is a polynomial whose coefficients obey

        G_k ← s_l G_k + J_lᵀ G_{k−1}        from the last block to the first, G_0 = ∂C/∂h_L

    so that all 2^L paths are summed exactly, for the price of L + 1 backward passes.

    Args:
        branch: (h, layer) → what the branch adds.
        layers: pytree of what `branch` wants of each block, stacked along a first axis [depth].
        below: h_{l−1}, what block l receives.
        cotangent: ∂C/∂h_L.
        skip: s, for all blocks or for each; 0 cuts the skips and leaves one path, through all
            branches.

    Returns:
        `Parts`.
    """

    def down(carry, block):
        layer, h, kept = block
        _, pull = jax.vjp(lambda h: branch(h, layer), h)
        pulled = jax.vmap(lambda part: pull(part)[0])(carry)
        longer = jnp.concatenate([jnp.zeros_like(pulled[:1]), pulled[:-1]])
        return kept * carry + longer, (jnp.sum(carry, axis=0), jnp.sum(pulled, axis=0))

    start = jnp.zeros((len(below) + 1, *cotangent.shape), cotangent.dtype).at[0].set(cotangent)
    blocks = (layers, below, jnp.broadcast_to(jnp.asarray(skip, below.dtype), len(below)))
    by_length, (stream, pulled) = lax.scan(down, start, blocks, reverse=True)
    return Parts(by_length, stream, pulled)


def parts(
    net: MLP,
    params: Params,
    x: Float[AnyArray, "batch features"],
    cotangent: Float[AnyArray, "batch width"],
) -> Parts:
    """The gradient of a residual network, path length by path length (see `take_apart`).

    Args:
        net: a residual network.
        params: its parameters.
        x: inputs, [batch, in_features], or [batch, width] without a read-in.
        cotangent: ∂C/∂h_L.

    Returns:
        `Parts`.

    Raises:
        ValueError: the network has no residual branches.

    Source: Veit, Wilber & Belongie 2016, who sampled paths of a trained network.

    >>> net = MLP(depth=3, width=4, activation="linear", residual=1.0)
    >>> params = {"weights": jnp.stack([jnp.eye(4)] * 3), "biases": jnp.zeros((3, 4))}
    >>> parts(net, params, jnp.ones((1, 4)), jnp.ones((1, 4))).by_length[:, 0, 0].tolist()
    [1.0, 3.0, 3.0, 1.0]
    """
    if net.residual is None:
        raise ValueError("net: expected residual branches; got residual=None. Give it a scale.")
    h_0 = read_in(params, x)
    _, above = climb(net, params, h_0, None, lambda taken: taken.post)
    below = jnp.concatenate([h_0[None], above[:-1]])

    def branch(h, layer):
        return step(net, *layer, h).post - h

    return take_apart(branch, (params["weights"], params["biases"]), below, cotangent)


def share(by_length: Float[AnyArray, "lengths batch width"]) -> Float[Array, " lengths"]:
    """Of the mean square of all parts, the share of each; they sum to 1.

    Parts of different lengths are nearly orthogonal in a wide random network, so that this is
    nearly their share in the mean square of the gradient itself.

    >>> [round(float(part), 2) for part in share(jnp.array([[[3.0]], [[4.0]]]))]
    [0.36, 0.64]
    """
    square = jnp.mean(by_length**2, axis=(1, 2))
    return square / jnp.sum(square)


def shares(
    net: MLP, *, key: PRNGKeyArray, seeds: int, batch: int = 16
) -> Float[Array, "seeds lengths"]:
    """`share` in `seeds` independent networks with random inputs and cotangents.

    >>> net = MLP(depth=3, width=8, activation="relu", initializer="he", residual=0.5)
    >>> shares(net, key=jax.random.key(0), seeds=2).shape
    (2, 4)
    """
    return over_seeds(
        lambda params, x, cotangent: share(parts(net, params, x, cotangent).by_length),
        net,
        key=key,
        seeds=seeds,
        batch=batch,
    )


def through_branch(net: MLP, input_rms: float = 1.0) -> Float[np.ndarray, " depth"]:
    """p_l, the share of the mean squared gradient that block l sends through its branch.

        p_l = β_l / (1 + β_l),   β_l = α² σ_w² E[φ′²], divided by the stream's variance under N

    1 + β_l is the factor χ of `theory.predict`, which has it from block 2 on.

    >>> net = MLP(depth=3, width=8, activation="relu", initializer="he", residual=1.0,
    ...           normalization="layer", epsilon=0.0)
    >>> through_branch(net).round(3).tolist()  # less and less, as the stream grows
    [0.5, 0.333, 0.25]
    """
    above = theory.predict(net, input_rms).length
    variance = jnp.concatenate([jnp.array([input_rms**2], above.dtype), above[:-1]])
    divided = jnp.ones_like(variance) if net.normalization is None else variance + net.epsilon
    slopes = jax.vmap(lambda q: activations.slope_second_moment(net.activation, q))
    passed = (net.residual * net.gain) ** 2 * slopes(variance / divided) / divided
    return np.asarray(passed / (1 + passed), float)


def expected_share(net: MLP, input_rms: float = 1.0) -> Float[np.ndarray, " lengths"]:
    """What to expect of `share` in a wide random network.

    Cotangents that come by two different paths are uncorrelated, so their mean squares add up, and
    each block sends the share p_l through its branch whatever the others do. The number of branches
    on a path is then Poisson-binomial; binomial where all blocks agree.

    >>> half = MLP(depth=2, width=8, activation="relu", initializer="he", residual=1.0)
    >>> expected_share(half).round(3).tolist()
    [0.25, 0.5, 0.25]
    """
    return stats.poisson_binom.pmf(np.arange(net.depth + 1), through_branch(net, input_rms))
