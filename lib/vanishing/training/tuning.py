"""Many short runs: what every learning rate makes of a network, and the rate that suits it."""

from collections.abc import Sequence
from functools import partial
from typing import Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.tree_util import Partial
from jax.typing import ArrayLike
from jaxtyping import Array, Float, Int, PRNGKeyArray

from vanishing import _checks
from vanishing.datasets import Dataset
from vanishing.network import MLP, apply, init
from vanishing.training import batches, losses, update

Depth = Int[ArrayLike, ""] | None


class Grid(NamedTuple):
    """The ends of the runs of one network: a row a learning rate, a column a start.

    Attributes:
        rates: learning rates, ascending.
        loss: C on all data after the last step; infinite where the run left the finite numbers.
        accuracy: share of examples classified correctly then; 0 where it did.
    """

    rates: Float[np.ndarray, " rates"]
    loss: Float[np.ndarray, "rates starts"]
    accuracy: Float[np.ndarray, "rates starts"]

    @property
    def lost(self) -> Int[np.ndarray, " rates"]:
        """How many of the runs left the finite numbers, for each learning rate."""
        return np.isinf(self.loss).sum(axis=1)

    @property
    def best(self) -> int:
        """Position of the learning rate with the smallest mean ln C: losses of one network lie
        decades apart, and their plain mean is that of the worst start. One that lost a run is
        chosen only where all did."""
        with np.errstate(divide="ignore"):  # a loss may be exactly 0
            return int(np.argmin(np.log(self.loss).mean(axis=1)))

    @property
    def edge(self) -> Literal["low", "high"] | None:
        """On which edge of the grid the best learning rate lies, so that a better one may lie
        beyond; None where it is bracketed."""
        if self.best == 0:
            return "low"
        return "high" if self.best == len(self.rates) - 1 else None


class Tuned(NamedTuple):
    """A network with the learning rate that suits it.

    Attributes:
        grid: the runs that chose.
        rate: the learning rate chosen.
        loss: C after the last step, in fresh runs at that rate; infinite where one was lost.
        accuracy: of the same runs; 0 where one was lost.
    """

    grid: Grid
    rate: float
    loss: Float[np.ndarray, " starts"]
    accuracy: Float[np.ndarray, " starts"]

    @property
    def lost(self) -> int:
        """How many of the fresh runs left the finite numbers."""
        return int(np.isinf(self.loss).sum())


@partial(jax.jit, static_argnames=("optimizer", "batch_size"))
def end(
    net: MLP | Partial,
    data: Dataset,
    key: PRNGKeyArray,
    rate: Float[ArrayLike, ""],
    steps: Int[ArrayLike, ""],
    depth: Depth = None,
    *,
    optimizer: str = "sgd",
    batch_size: int | None = 32,
) -> tuple[Float[Array, ""], Float[Array, ""]]:
    """Where training from scratch ends: `grid` for one learning rate and one start.

    Args:
        net, data, steps, depth, optimizer, batch_size: as in `grid`.
        key: of the weights and the batches.
        rate: learning rate; as all but the last two, it may be traced.

    Returns:
        C on all of `data`, infinite where the run left the finite numbers; and the share of
        examples classified rightly, 0 where it did.

    >>> data = vg.datasets.two_moons(64, key=jax.random.key(0))
    >>> net = vg.MLP(depth=2, width=8, in_features=2, out_features=1)
    >>> loss, right = end(net, data, jax.random.key(1), 0.3, 100)
    >>> bool(loss < 0.3), bool(right > 0.8)
    (True, True)
    """
    net = net() if isinstance(net, Partial) else net
    weight_key, batch_key = jax.random.split(key)
    rule = update.optimizer_named(optimizer, rate)

    def one(_, run):
        state, order = run
        batch, order = batches.draw(data, order, key=batch_key, step=state.step, size=batch_size)
        return update.update(net, rule, state, batch, depth)[0], order

    run = update.start(rule, init(net, key=weight_key)), batches.start(len(data.x))
    state, _ = lax.fori_loop(0, steps, one, run)
    outputs = apply(net, state.params, data.x, depth)
    loss = losses.loss(outputs, data.y)
    finite = (state.trouble == 0) & jnp.isfinite(loss)
    correct = losses.accuracy(outputs, data.y)
    return jnp.where(finite, loss, jnp.inf), jnp.where(finite, correct, 0.0)


def grid(
    net: MLP | Partial,
    data: Dataset,
    *,
    key: PRNGKeyArray,
    rates: Sequence[float],
    starts: int | range,
    steps: int,
    optimizer: str = "sgd",
    batch_size: int | None = 32,
    depth: Depth = None,
) -> Grid:
    """Train `net` from scratch with every learning rate and from every start.

    All runs share one executable, which serves other scales of the network (`sigma_w`, …), other
    rates, numbers of steps and depths too; and, through a `Partial`, other activations.

    Args:
        net: the description; or a `jax.tree_util.Partial` that returns it, so that what it
            closes over may be traced: `Partial(make, index, sigma_w)`.
        data: what to train on, as for `train`.
        key: JAX random key. Start s draws its weights and batches from `fold_in(key, s)`, the
            same ones with every learning rate.
        rates: learning rates to try, each > 0.
        starts: how many starts; or which, as a range.
        steps: updates in each run.
        optimizer: "sgd", "momentum" or "adam".
        batch_size: examples a step, see `batches.draw`; None for all.
        depth: use the first `depth` layers only.

    Returns:
        The `Grid` of final losses and accuracies on all of `data`.

    Raises:
        ValueError, TypeError: no learning rate, or one that is not a number > 0; a count < 1.

    >>> data = vg.datasets.two_moons(64, key=jax.random.key(0))
    >>> net = vg.MLP(depth=2, width=8, in_features=2, out_features=1)
    >>> found = grid(net, data, key=jax.random.key(1), rates=(1e-4, 0.3), starts=2, steps=100)
    >>> found.loss.shape, found.best, found.edge
    ((2, 2), 1, 'high')
    """
    _checks.whole("steps", steps, 1)
    rates = sorted(_check_rates(rates))
    starts = starts if isinstance(starts, range) else range(_checks.whole("starts", starts, 1))
    one = partial(
        end, net, data, steps=steps, depth=depth, optimizer=optimizer, batch_size=batch_size
    )
    keys = [jax.random.fold_in(key, start) for start in starts]
    ends = [[one(key, rate) for key in keys] for rate in rates]
    loss, accuracy = np.moveaxis(np.asarray(jax.device_get(ends)), -1, 0)
    return Grid(np.asarray(rates), loss, accuracy)


def _check_rates(rates) -> list[float]:
    checked = [_checks.scale("rates", rate) for rate in rates]
    if not checked or min(checked) == 0:
        raise ValueError(
            f"rates: expected at least one learning rate, each > 0; got {rates}. "
            "Try rates=(0.01, 0.03, 0.1, 0.3)."
        )
    return checked


def _beyond(found: Grid) -> float:
    """The rate next to the edge that the best one lies on, as far off as its neighbour."""
    edge, neighbour = (0, 1) if found.edge == "low" else (-1, -2)
    return float(found.rates[edge] ** 2 / found.rates[neighbour])


def _joined(one: Grid, other: Grid) -> Grid:
    order = np.argsort(np.concatenate([one.rates, other.rates]))
    return Grid(*(np.concatenate(pair)[order] for pair in zip(one, other, strict=True)))


def tuned(
    net: MLP | Partial,
    data: Dataset,
    *,
    key: PRNGKeyArray,
    rates: Sequence[float],
    choose: int = 4,
    report: int = 12,
    extend: int = 4,
    **run,
) -> Tuned:
    """Find the learning rate that suits `net`, and report it on fresh starts.

    The rate with the smallest mean logarithm of the loss is chosen. If it lies on an edge of the
    grid, the grid is extended there, in the same ratio, until the best rate is bracketed;
    `Tuned.grid.edge` says if it still is not. The starts that choose are not among those that are
    reported, else luck would count.

    Args:
        net, data, key: as in `grid`.
        rates: learning rates to begin with, at least two.
        choose: how many starts judge a rate: 0, 1, …
        report: how many are reported: the next ones.
        extend: by how many rates the grid may grow.
        **run: `steps`, and what else `grid` takes.

    Returns:
        `Tuned`: the grid, the rate, and the ends of the fresh runs.

    Raises:
        ValueError, TypeError: fewer than two rates; otherwise as `grid`.

    >>> data = vg.datasets.two_moons(64, key=jax.random.key(0))
    >>> net = vg.MLP(depth=2, width=8, in_features=2, out_features=1)
    >>> found = tuned(net, data, key=jax.random.key(1), rates=(0.01, 0.1), steps=100)
    >>> found.grid.edge is None, found.rate > 0.1, found.loss.shape, found.lost
    (True, True, (12,), 0)
    """
    _checks.whole("report", report, 1)
    _checks.whole("extend", extend, 0)
    if len(set(_check_rates(rates))) < 2:
        raise ValueError(
            f"rates: expected at least two learning rates; got {rates}. Their ratio is the step "
            "of the grid: try rates=(0.03, 0.1)."
        )
    one = partial(grid, net, data, key=key, **run)
    found = one(rates=rates, starts=choose)
    for _ in range(extend):
        if found.edge is None:
            break
        found = _joined(found, one(rates=[_beyond(found)], starts=choose))
    rate = float(found.rates[found.best])
    fresh = one(rates=[rate], starts=range(choose, choose + report))
    return Tuned(found, rate, fresh.loss[0], fresh.accuracy[0])
