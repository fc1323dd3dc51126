"""Comparing activations fairly: matched gains, a tuned learning rate for each, many seeds."""

from collections.abc import Sequence
from functools import cache, partial

import jax
from jax import lax
from jax.tree_util import Partial
from jaxtyping import Array, Float, PRNGKeyArray

from vanishing import activations, datasets
from vanishing.network import MLP, init
from vanishing.probe import probe
from vanishing.training import tuning
from vanishing.training.tuning import Tuned

NAMES = tuple(name for name in activations.ACTIVATIONS if name != "linear")


def matched_gain(activation: str | activations.Activation) -> float:
    """σ_w = E[φ(z)²]^(−1/2), z ~ N(0, 1): the gain that hands a variance of 1 on as 1.

    With it and no biases the length map leaves q = 1 where it is, whatever the activation.

    >>> round(matched_gain("relu") ** 2, 6)
    2.0
    """
    with jax.enable_x64(True):
        return float(activations.second_moment(activation)) ** -0.5


def _network(depth: int, index, sigma_w, **shape) -> MLP:
    """A network whose activation is `NAMES[index]`, chosen at run time: one executable serves
    them all, and there is less to wait for."""
    phi = activations.switch(index, NAMES)
    return MLP(depth, 64, phi, sigma_w=sigma_w, sigma_b=0.0, **shape)


@cache
def _maker(depth: int, **shape):
    """`_network` as one and the same function each time, which is what `jax.jit` compiles once."""
    return partial(_network, depth, **shape)


@partial(jax.jit, static_argnames=("depth", "batch", "seeds"))
def _gradients(index, sigma_w, key, depth, batch, seeds):
    net = _maker(depth)(index, sigma_w)

    def one(key):
        key, data_key = jax.random.split(key)
        # Ones would not do for the cotangent: they are aligned with what the network puts out.
        x, cotangent = jax.random.normal(data_key, (2, batch, net.width))
        return probe(net, init(net, key=key), x, cotangent).log_gradient_rms

    log = lax.map(one, jax.random.split(key, seeds)).T
    return log - log[-1:]


def gradients(
    activation: str,
    sigma_w: float,
    *,
    key: PRNGKeyArray,
    depth: int = 30,
    batch: int = 32,
    seeds: int = 20,
) -> Float[Array, "depth seeds"]:
    """ln RMS of δ_l relative to δ_L, in many networks, each with inputs of its own.

    The cotangent is random and standard normal, as the theory of `theory.chi` assumes.
    One of ones would let ReLU, whose factor is 1, gain half a power of ten in 30 layers.

    Args:
        activation: one of `NAMES`.
        sigma_w: σ_w, the gain; there are no biases.
        key: of the weights, the inputs and the cotangents.
        depth: layers, 64 wide.
        batch: standard normal inputs that a network is shown.
        seeds: how many networks.

    >>> float(gradients("tanh", 1.0, key=jax.random.key(0), depth=3, seeds=2)[-1, 0])
    0.0
    """
    return _gradients(NAMES.index(activation), sigma_w, key, depth, batch, seeds)


def tuned(
    activation: str,
    sigma_w: float,
    *,
    key: PRNGKeyArray,
    rates: Sequence[float] = (0.003, 0.01, 0.03, 0.1, 0.3),
    depth: int = 8,
    steps: int = 100,
    choose: int = 4,
    report: int = 8,
    normalization: str | None = None,
) -> Tuned:
    """Train on the digits with every learning rate, and report the best one on fresh starts.

    Args:
        activation: one of `NAMES`.
        sigma_w: σ_w of the hidden layers and of the read-out; biases start at 0.
        key: JAX random key.
        rates: learning rates to begin with, for plain SGD on 32 digits a step.
        depth: layers, 64 wide; the first sits on the 64 pixels.
        steps: updates.
        choose: how many starts judge a learning rate.
        report: how many are reported.
        normalization: before each activation, as in `MLP`.

    Returns:
        `tuning.Tuned`; its losses and accuracies are those of the fresh starts, [report].
    """
    make = _maker(depth, out_features=10, normalization=normalization)
    net = Partial(make, NAMES.index(activation), sigma_w)
    return tuning.tuned(
        net, datasets.digits(), key=key, rates=rates, steps=steps, choose=choose, report=report
    )
