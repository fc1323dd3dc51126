"""Batch normalisation: its explosion law for finite batches, and what its statistics do."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float, Num, PRNGKeyArray

from vanishing import _checks
from vanishing._layers import matmul
from vanishing._types import AnyArray
from vanishing.datasets import Dataset
from vanishing.network import MLP, Params, Statistics, init, statistics
from vanishing.training import batches, losses, update

Number = Num[AnyArray, "*shape"] | float | int


def linear_factor(batch: Number) -> Number:
    """What one layer of batch norm without activation does to the mean squared gradient.

        (B − 2) / (B − 3)

    Args:
        batch: B > 3 inputs.

    Source: Yang et al. 2019, where a random layer is infinitely wide; the book derives it.

    >>> round(linear_factor(6), 6)
    1.333333
    """
    return (batch - 2) / (batch - 3)


def relu_factor(batch: Number) -> Float[Array, "*shape"]:
    """What one layer of batch norm and ReLU does to the mean squared gradient, on its way down.

        B / ((B − 3)(B − 1)) · (T / (a − b) − (B − 1) / B)

        a = ½, b = (√(1 − ρ²) + ρ (π/2 + arcsin ρ)) / 2π,   ρ = −1 / (B − 1)
        T = (B − 1)² / 2B + (B − 1)/B · (¼ + arcsin ρ / 2π)

    a and b are the mean product of an input's ReLU with itself and with another input's, T the
    trace of the slopes between two centrings. It tends to π / (π − 1).

    Args:
        batch: B > 3 inputs; may be traced.

    Source: Yang et al. 2019 compute it in another form; the book derives this one.

    >>> [round(float(relu_factor(batch)), 4) for batch in (16, 64, 10**6)]
    [1.59, 1.4931, 1.4669]
    """
    batch = jnp.asarray(batch, jnp.result_type(float))
    correlation = -1 / (batch - 1)
    angle = jnp.arcsin(correlation)
    other = jnp.sqrt(1 - correlation**2) + correlation * (jnp.pi / 2 + angle)
    varies = 0.5 - other / (2 * jnp.pi)
    both = 0.25 + angle / (2 * jnp.pi)
    trace = (batch - 1) ** 2 / (2 * batch) + (batch - 1) / batch * both
    return batch / ((batch - 3) * (batch - 1)) * (trace / varies - (batch - 1) / batch)


class Descent(NamedTuple):
    """A run of plain gradient descent; an entry a step, before it is made.

    Attributes:
        loss: C on all data; infinite from where the run left the finite numbers.
        bias_rms: RMS of the hidden biases.
        weight_rms: RMS of the hidden weights.
    """

    loss: Float[Array, " steps"]
    bias_rms: Float[Array, " steps"]
    weight_rms: Float[Array, " steps"]


@partial(jax.jit, static_argnames=("normalize", "steps"))
def descend(
    normalize: Callable[[Array, PRNGKeyArray], Array],
    net: MLP,
    data: Dataset,
    *,
    key: PRNGKeyArray,
    rate: Number,
    steps: int,
) -> Descent:
    """Train a network on all data at once, with a normalisation that somebody wrote by hand.

        h_l = φ(N(h_{l−1} W_l + b_l)),   θ ← θ − η ∂C/∂θ

    Args:
        normalize: N, from z [batch, width] and a random key, another one in every layer and step.
        net: depth, width, activation and initialisation; its own normalisation is not used.
        data: what it is trained on.
        key: of the weights, and of what N draws.
        rate: η.
        steps: updates.

    >>> net = vg.MLP(2, 64, "relu", "he", out_features=10)
    >>> run = descend(lambda z, key: z, net, vg.datasets.digits(50), key=jax.random.key(0),
    ...               rate=0.1, steps=20)
    >>> bool(run.loss[-1] < run.loss[0])
    True
    """
    weight_key, noise_key = jax.random.split(key)
    sgd = update.optimizer_named("sgd", rate)

    def cost(params, step_key):
        def up(h, layer):
            weights, biases, key = layer
            return net.phi(normalize(matmul(h, weights) + biases[None], key)), None

        keys = jax.random.split(step_key, net.depth)
        h, _ = lax.scan(up, data.x, (params["weights"], params["biases"], keys))
        out = params["read_out"]
        outputs = matmul(h, out["weights"]) + out["biases"][None]
        return losses.loss(outputs, data.y), outputs

    def one(state, step):
        after, made = update.descend(
            partial(cost, step_key=jax.random.fold_in(noise_key, step)), sgd, state
        )
        rms = [jnp.sqrt(jnp.mean(state.params[name] ** 2)) for name in ("biases", "weights")]
        loss = jnp.where(after.trouble == 0, made.loss, jnp.inf)
        return after, Descent(loss, *rms)

    state = update.start(sgd, init(net, key=weight_key))
    return lax.scan(one, state, jnp.arange(steps))[1]


def ends(
    normalize: Callable[[Array, PRNGKeyArray], Array],
    net: MLP,
    data: Dataset,
    *,
    key: PRNGKeyArray,
    rates: Sequence[float],
    seeds: int | range,
    steps: int,
    last: int = 10,
) -> Float[np.ndarray, "rates seeds"]:
    """The loss at the end of `descend`, for each learning rate and start.

    Args:
        normalize, net, data, key, steps: as in `descend`; start s uses `fold_in(key, s)`.
        rates: learning rates.
        seeds: how many starts; or which, as a range.
        last: the mean over so many of the last steps; infinite where a run was lost.
    """
    seeds = seeds if isinstance(seeds, range) else range(seeds)

    def end(rate, seed):
        run = descend(
            normalize, net, data, key=jax.random.fold_in(key, seed), rate=rate, steps=steps
        )
        return run.loss[-last:].mean()

    return np.array([[float(end(rate, seed)) for seed in seeds] for rate in rates])


class Running(NamedTuple):
    """What training on mini-batches leaves behind.

    Attributes:
        params: after the last step, the pytree of `vg.init`.
        statistics: the running mean and variance of each unit, [depth, width] both.
    """

    params: Params
    statistics: Statistics


@partial(jax.jit, static_argnames=("batch_size",))
def _train(net, data, key, rate, steps, memory, *, batch_size) -> Running:
    weight_key, batch_key = jax.random.split(key)
    sgd = update.optimizer_named("sgd", rate)

    def one(_, carry):
        state, order, kept = carry
        batch, order = batches.draw(data, order, key=batch_key, step=state.step, size=batch_size)
        seen = statistics(net, state.params, batch.x)
        kept = jax.tree.map(lambda old, new: memory * old + (1 - memory) * new, kept, seen)
        return update.update(net, sgd, state, batch)[0], order, kept

    state = update.start(sgd, init(net, key=weight_key))
    shape = (net.depth, net.width)
    kept = Statistics(jnp.zeros(shape), jnp.ones(shape))
    carry = (state, batches.start(len(data.x)), kept)
    state, _, kept = lax.fori_loop(0, steps, one, carry)
    return Running(state.params, kept)


def train_running(
    net: MLP,
    data: Dataset,
    *,
    key: PRNGKeyArray,
    rate: Number,
    steps: int,
    batch_size: int,
    memory: Number = 0.9,
) -> Running:
    """Train on mini-batches and keep running statistics beside, as libraries do.

        kept ← m · kept + (1 − m) · statistics of the batch

    Args:
        net: with normalization="batch".
        data: what it is trained on.
        key: of the weights and the batches.
        rate: η of plain gradient descent.
        steps: updates.
        batch_size: examples a step.
        memory: m, near 1; about 1 / (1 − m) batches are remembered.

    Returns:
        `Running`; the statistics begin at mean 0 and variance 1.

    >>> net = vg.MLP(2, 64, "relu", "he", normalization="batch", out_features=10)
    >>> data = vg.datasets.digits(200)
    >>> trained = train_running(net, data, key=jax.random.key(0), rate=0.1, steps=30, batch_size=20)
    >>> y = vg.apply(net, trained.params, data.x[:1], statistics=trained.statistics)
    >>> y.shape
    (1, 10)
    """
    _checks.whole("steps", steps, 1)
    return _train(net, data, key, rate, steps, memory, batch_size=batch_size)
