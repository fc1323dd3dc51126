"""Many short runs at once: what is left of the loss for every learning rate and every seed."""

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Float

from vanishing.datasets import Dataset
from vanishing.network import MLP, Params, apply, init
from vanishing.training import losses, update


class Grid(NamedTuple):
    """The ends of the runs of one network.

    Attributes:
        rates: learning rates.
        loss: final loss on all data, infinite where a run left the finite numbers.
        accuracy: final share of examples classified rightly, 0 where it did.
    """

    rates: Float[np.ndarray, " rates"]
    loss: Float[np.ndarray, "rates seeds"]
    accuracy: Float[np.ndarray, "rates seeds"]

    @property
    def best(self) -> int:
        """Position of the learning rate with the smallest median loss over the seeds."""
        return int(np.argmin(np.median(self.loss, axis=1)))


def _window(data: Dataset, step, size: int) -> Dataset:
    """The next `size` examples, from the first again where too few are left. No shuffling: a
    permutation at every step would cost more than the step."""
    start = (step % (len(data.x) // size)) * size
    return Dataset(*(lax.dynamic_slice_in_dim(array, start, size) for array in data))


@partial(jax.jit, static_argnames=("optimizer", "batch_size"))
def end(net: MLP, params: Params, data: Dataset, rate, steps, *, optimizer, batch_size):
    """Final loss (infinite where the run left the finite numbers) and accuracy of one run."""
    rule = update.optimizer_named(optimizer, rate)

    def step(_, state):
        return update.advance(net, rule, state, _window(data, state.step, batch_size))[0]

    state = lax.fori_loop(0, steps, step, update.begin(rule, params))
    outputs = apply(net, state.params, data.x)
    finite = state.trouble == 0
    loss = jnp.where(finite, losses.loss(outputs, data.y), jnp.inf)
    return loss, jnp.where(finite, losses.accuracy(outputs, data.y), 0.0)


def grid(
    net: MLP,
    data: Dataset,
    *,
    rates: Sequence[float],
    seeds: int,
    steps: int,
    optimizer: str = "sgd",
    batch_size: int = 32,
) -> Grid:
    """Train `net` from scratch for every learning rate and every seed.

    All runs share one executable, which serves other scales (`sigma_w`, …) of the network too.
    Seed s draws the weights, the same for every learning rate; the batches follow one another in
    the order of the data, which must therefore be mixed.

    Args:
        net: the description.
        data: what to train on, as for `training.train`.
        rates: learning rates to try.
        seeds: how many seeds: 0, 1, 2, …
        steps: updates in each run.
        optimizer: "sgd", "momentum" or "adam".
        batch_size: examples a step.

    Returns:
        The `Grid` of final losses and accuracies on all of `data`.

    >>> data = vg.datasets.two_moons(64, key=jax.random.key(0))
    >>> net = vg.MLP(depth=2, width=8, in_features=2, out_features=1)
    >>> found = grid(net, data, rates=(1e-4, 0.3), seeds=2, steps=100)
    >>> found.loss.shape, found.best
    ((2, 2), 1)
    """
    run = partial(end, net, data=data, steps=steps, optimizer=optimizer, batch_size=batch_size)
    starts = [init(net, key=jax.random.key(seed)) for seed in range(seeds)]
    ends = [[run(params, rate=np.float32(rate)) for params in starts] for rate in rates]
    loss, accuracy = np.moveaxis(np.asarray(ends), -1, 0)
    return Grid(np.asarray(rates), loss, accuracy)
