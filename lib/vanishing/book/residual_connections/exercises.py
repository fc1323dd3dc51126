"""Exercises of the chapter "Residual connections"."""

import math
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np

from vanishing import activations
from vanishing.book.checks import exercise
from vanishing.network import MLP, apply, init
from vanishing.studies import paths, shattering


@exercise(
    "residual-connections-paths",
    hint="Give both numbers. A path is a choice of the blocks whose branch it takes.",
    tolerance=0.0,
)
def count():
    """Paths through exactly 3 of 20 branches, and all paths."""
    return np.array([math.comb(20, 3), 2**20])


@exercise(
    "residual-connections-scale",
    hint="Each block multiplies E h² by the same factor. Which one must it be, and which α has it?",
)
def scale():
    """α with which 100 blocks of He-initialised ReLU branches make E h² ten times as large."""
    return math.sqrt(10 ** (1 / 100) - 1)


@exercise(
    "residual-connections-length",
    hint="The stream that block l receives has a variance of l. Which share of the gradient does "
    "block l then send through its branch? The mean of a sum is the sum of the means.",
    tolerance=2e-3,
)
def length():
    """Branches on a path, on average, in 50 blocks with a normalisation in the branch."""
    net = MLP(50, 8, "relu", "he", residual=1.0, normalization="layer", epsilon=0.0)
    return float(paths.through_branch(net).sum())


def _block(key):
    keys = jax.random.split(key, 3)
    g, h = jax.random.normal(keys[0], (5,)), jax.random.normal(keys[1], (5,))
    return g, h, jax.random.normal(keys[2], (5, 5)), 0.3


@exercise(
    "residual-connections-pull",
    hint="Two ways lead down: one leaves g as it is. On the other, what does W do to a row, which "
    "slope comes next, and where does α stand?",
    inputs=_block,
)
def pull():
    """∂C/∂h_{l−1} of one tanh block, as a function of g = ∂C/∂h_l, h_{l−1}, W_l and α."""
    phi = activations.get("tanh")

    def pulled(g, h, weights, alpha):
        return jax.vjp(lambda h: h + alpha * phi(h) @ weights, h)[1](g)[0]

    return pulled


@exercise(
    "residual-connections-cosine",
    hint="Start with θ_1 = π/2. Per block, what of the inner product comes through the skip, what "
    "through the branch, and by what do both lengths grow?",
    tolerance=2e-3,
)
def cosine():
    """Cosine between two orthogonal inputs' streams after 50 blocks of scale 1/√50."""
    return shattering.expected_correlation(50, 1 / 50)[0][-1]


@exercise(
    "residual-connections-post",
    hint="The sum has a larger variance than what came in, and the normalisation divides by its "
    "root. Going back there are two ways, and the same division.",
    tolerance=2e-3,
)
def post():
    """Factor of a post-normalised block with a tanh branch, σ_w = 1, on the squared gradient."""
    added, passed = activations.second_moment("tanh"), activations.slope_second_moment("tanh")
    return float((1 + passed) / (1 + added))


@exercise(
    "residual-connections-zero",
    hint="Give two numbers. With α = 0 what does C depend on?",
    expects="an array of shape (2,)",
)
def zero(answer):
    """At α = 0 the weights get no gradient, and the scales do."""
    weights, scales = jnp.asarray(answer)
    if weights != 0:
        return "The first number is ∂C/∂W. Let α stand in front of the branch, and be 0."
    return bool(scales > 0)


@exercise(
    "residual-connections-lesion",
    hint="Without a block there is one layer less: the next one receives what the block received.",
    expects="a function",
)
def lesion(answer):
    """Whether a function runs a network without one of its blocks, with skips and without."""
    right = {}
    for kind, scale in (("residual", 0.5), ("plain", None)):
        net = MLP(4, 8, "tanh", sigma_w=1.5, sigma_b=0.5, residual=scale, out_features=3)
        params, x = init(net, key=jax.random.key(0)), jax.random.normal(jax.random.key(1), (5, 8))
        cut = [_without(net, params, x, block) for block in range(4)]
        got = [np.asarray(answer(net, params, x, block), float) for block in range(4)]
        if any(one.shape != (5, 3) for one in got):
            return "Return the outputs of the network, a row for each input."
        right[kind] = [np.allclose(a, b, atol=1e-4) for a, b in zip(got, cut, strict=True)]
        if np.allclose(got[:3], cut[1:], atol=1e-4):
            return "You took out the block after the one that was asked for: they count from 0."
    if all(right["residual"]) and not all(right["plain"]):
        return "Right with skips. A plain layer of zeros is still there, and hands on nothing."
    return all(right["residual"] + right["plain"])


def _without(net, params, x, block):
    less = {name: np.delete(params[name], block, axis=0) for name in ("weights", "biases")}
    return apply(replace(net, depth=net.depth - 1), params | less, x)
