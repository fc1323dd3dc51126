"""Comparing activations fairly: matched gains, a tuned learning rate for each, many seeds."""

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import jax
import numpy as np
from jax import lax
from jaxtyping import Array, Float, PRNGKeyArray
from scipy import stats

from vanishing import activations, datasets
from vanishing.network import MLP, init
from vanishing.probe import probe
from vanishing.training import tuning

NAMES = tuple(name for name in activations.ACTIVATIONS if name != "linear")


def matched_gain(activation: str | activations.Activation) -> float:
    """σ_w = E[φ(z)²]^(−1/2), z ~ N(0, 1): the gain that hands a variance of 1 on as 1.

    With it and no biases the length map leaves q = 1 where it is, whatever the activation.

    >>> round(matched_gain("relu") ** 2, 6)
    2.0
    """
    with jax.enable_x64(True):
        return float(activations.second_moment(activation)) ** -0.5


class Interval(NamedTuple):
    """A mean over seeds and its 95 % confidence interval (Student's t).

    Attributes:
        mean, low, high: of the last axis of the samples.
    """

    mean: Float[np.ndarray, "*shape"]
    low: Float[np.ndarray, "*shape"]
    high: Float[np.ndarray, "*shape"]


def interval(samples: Float[Array, "*shape seeds"]) -> Interval:
    """The mean of `samples` over their last axis, with its interval.

    >>> [round(float(end), 3) for end in interval(np.array([1.0, 2.0, 3.0]))]
    [2.0, -0.484, 4.484]
    """
    samples = np.asarray(samples, float)
    count = samples.shape[-1]
    mean = samples.mean(-1)
    reach = stats.t.ppf(0.975, count - 1) * samples.std(-1, ddof=1) / np.sqrt(count)
    return Interval(mean, mean - reach, mean + reach)


def _network(index, sigma_w, **fields) -> MLP:
    """A network whose activation is `NAMES[index]`, chosen at run time: one executable serves
    them all, and there is less to wait for."""
    phi = activations.switch(index, NAMES)
    return MLP(width=64, activation=phi, sigma_w=sigma_w, sigma_b=0.0, **fields)


@partial(jax.jit, static_argnames=("depth", "batch", "seeds"))
def _gradients(index, sigma_w, key, depth, batch, seeds):
    def one(key):
        key, data_key = jax.random.split(key)
        net = _network(index, sigma_w, depth=depth)
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


@partial(jax.jit, static_argnames=("depth",))
def _end(index, sigma_w, seed, rate, steps, data, depth):
    net = _network(index, sigma_w, depth=depth, out_features=10)
    params = init(net, key=jax.random.key(seed))
    return tuning.end(net, params, data, rate, steps, optimizer="sgd", batch_size=32)


class Tuned(NamedTuple):
    """One activation with the learning rate that suits it.

    Attributes:
        rates: learning rates tried.
        tuning_loss: mean final loss of each over the seeds that choose; infinite if one diverged.
        best: the learning rate chosen.
        loss: final losses on the seeds that are reported, nats.
        accuracy: of the same runs.
    """

    rates: Float[np.ndarray, " rates"]
    tuning_loss: Float[np.ndarray, " rates"]
    best: float
    loss: Float[np.ndarray, " seeds"]
    accuracy: Float[np.ndarray, " seeds"]


def tuned(
    activation: str,
    sigma_w: float,
    *,
    rates: Sequence[float] = (0.003, 0.01, 0.03, 0.1, 0.3),
    depth: int = 8,
    steps: int = 100,
    choose: int = 4,
    seeds: int = 8,
) -> Tuned:
    """Train on the digits with every learning rate, and report the best one on fresh seeds.

    The seeds that choose are not among those that are reported, else luck would count.

    Args:
        activation: one of `NAMES`.
        sigma_w: σ_w of the hidden layers and of the read-out; biases start at 0.
        rates: the grid of learning rates, for plain SGD on 32 digits a step.
        depth: layers, 64 wide; the first sits on the 64 pixels.
        steps: updates.
        choose: how many seeds judge a learning rate.
        seeds: how many are reported.
    """
    index, data = NAMES.index(activation), datasets.digits()

    def runs(seeds, rate):
        ends = [_end(index, sigma_w, seed, rate, steps, data, depth) for seed in seeds]
        return np.asarray(ends).T

    tuning_loss = np.array([runs(range(choose), rate)[0].mean() for rate in rates])
    best = float(rates[int(np.argmin(tuning_loss))])
    return Tuned(np.asarray(rates), tuning_loss, best, *runs(range(choose, choose + seeds), best))
