"""The full factorial ablation: every network of a small design, tuned, and what each part is worth.

`make ablation` trains them all and writes the table that `losses` reads.
"""

import json
import math
import sys
from functools import cache, partial
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from jax.tree_util import Partial
from jaxtyping import Array, Float
from scipy import optimize, stats

from vanishing import activations, datasets, initializers
from vanishing._types import AnyArray
from vanishing.datasets import Dataset
from vanishing.network import MLP
from vanishing.studies.intervals import CONFIDENCE, Interval
from vanishing.sweep import sweep
from vanishing.training import tuning

WIDTH, EXAMPLES, BATCH, STEPS = 32, 512, 32, 100
GUESSING = math.log(2)
#: Factor → its values. The first is what a small network has that nobody tended.
FACTORS = {
    "initializer": ("pytorch", "xavier", "he"),
    "activation": ("sigmoid", "tanh", "relu"),
    "normalization": (None, "batch", "layer"),
    "residual": (False, True),  # h + α f(h) with α = 1/√L
    "depth": (4, 16),
    "optimizer": ("sgd", "adam"),
}
#: Learning rates η, half a power of ten apart.
RATES = {
    "sgd": (0.01, 0.03, 0.1, 0.3, 1.0),
    "adam": (0.001, 0.003, 0.01, 0.03, 0.1),
}
STARTS = 4
NETWORKS = math.prod(map(len, FACTORS.values()))
#: All that decides the table, but for the library.
DESIGN = json.dumps([WIDTH, EXAMPLES, BATCH, STEPS, FACTORS, RATES, STARTS])
TABLE = Path(__file__).with_suffix(".npz")

Losses = Float[np.ndarray, "initializer activation normalization residual depth optimizer *runs"]


def moons() -> Dataset:
    """What all networks are trained on. No straight line tells these two classes apart: where
    one does, as with the digits, a network with skips learns without its layers."""
    return datasets.two_moons(EXAMPLES, key=jax.random.key(0))


@cache
def straight_line() -> float:
    """The loss of the best straight line between the moons.

    >>> 0.2 < straight_line() < GUESSING / 2
    True
    """
    x, y = (np.asarray(part, float) for part in moons())
    x, side = np.column_stack([x, np.ones(len(x))]), 2 * y - 1
    return float(
        optimize.minimize(lambda w: np.logaddexp(0, -side * (x @ w)).mean(), np.zeros(3)).fun
    )


def _network(shape, activation, sigma_w, sigma_b) -> MLP:
    phi = activations.switch(activation, FACTORS["activation"])
    return MLP(width=WIDTH, activation=phi, sigma_w=sigma_w, sigma_b=sigma_b, in_features=2,
               out_features=1, **shape)  # fmt: skip


def final_loss(
    initializer, activation, normalization, residual, depth, optimizer, rate, start
) -> Float[Array, ""]:
    """Train one network on `moons`; C on all of them after `STEPS` steps.

    Of a scheme its sizes are taken: weights N(0, σ_w²/n), biases N(0, σ_b²). The initialiser and
    the activation can then be traced, and one executable serves nine networks.

    Args:
        initializer, activation, rate: positions in `FACTORS` and `RATES`.
        normalization, residual, depth, optimizer: values in `FACTORS`.
        start: seed of weights and batches, the same ones for every network.

    Returns:
        The loss; infinite where the run left the finite numbers.
    """
    schemes = [initializers.get(name) for name in FACTORS["initializer"]]
    sigma_w = jnp.array([one.gain for one in schemes])[initializer]
    sigma_b = jnp.array([one.bias_gain for one in schemes])[initializer] / WIDTH**0.5
    shape = {"depth": depth, "normalization": normalization,
             "residual": depth**-0.5 if residual else None}  # fmt: skip
    net = Partial(partial(_network, shape), activation, sigma_w, sigma_b)
    loss, _ = tuning.end(
        net, moons(), jax.random.key(start), jnp.array(RATES[optimizer])[rate],
        STEPS, None, optimizer=optimizer, batch_size=BATCH,
    )  # fmt: skip
    return loss


def measure(store: str | Path | None = None, **some) -> Losses:
    """`final_loss` of every network, with every learning rate and from every start.

    Args:
        store: a folder in which a run that was stopped goes on, see `vg.sweep`.
        some: factor (or "rate", "start") → the values to be trained, as in `FACTORS` or as
            positions in it; all by default.
    """
    positions = {name: range(len(FACTORS[name])) for name in ("initializer", "activation")}
    grid = FACTORS | positions | {"rate": range(len(RATES["sgd"])), "start": range(STARTS)}
    return sweep(final_loss, grid | some, static=("depth",), block=36, store=store)


def write(store: str | Path) -> None:
    """Measure all of it, and keep it beside this module, in half precision."""
    with np.errstate(over="ignore"):  # a loss beyond 65504 is as good as infinite
        halves = measure(store).astype(np.float16)
    np.savez_compressed(TABLE, design=DESIGN, losses=halves)


@cache
def losses() -> Losses:
    """The table: the last two axes are the learning rates and the starts.

    >>> losses().shape
    (3, 3, 3, 2, 2, 2, 5, 4)
    """
    with np.load(TABLE) as table:
        return table["losses"].astype(np.float32)


def tuned(
    losses: Float[np.ndarray, "*networks rates starts"],
) -> Float[np.ndarray, "*networks starts"]:
    """The loss of each start at the learning rate that suits its network, at most ln 2.

    Half of the starts choose the rate, by the smallest mean ln C, for the other half, and these
    for them: no start is among those that chose for it. A network worse than guessing, or lost,
    has learnt as little as one that guesses.

    Args:
        losses: of every network, learning rate and start.

    >>> tuned(np.array([[0.1, 0.2, 0.5, 0.1], [0.3, 0.3, 0.2, 0.2]])).tolist()
    [0.3, 0.3, 0.5, 0.1]
    """
    first, second = np.split(np.asarray(losses), 2, axis=-1)
    ends = []
    for judged, judges in ((first, second), (second, first)):
        with np.errstate(divide="ignore"):  # a loss may be exactly 0
            best = np.log(judges).mean(-1, keepdims=True).argmin(-2, keepdims=True)
        ends.append(np.take_along_axis(judged, best, axis=-2)[..., 0, :])
    return np.minimum(np.concatenate(ends, axis=-1), GUESSING)


#: Every change whose worth is asked for: a factor, and the value that replaces its first one.
CHANGES = [(name, value) for name, values in FACTORS.items() for value in values[1:]]
# Student's quantile for n samples, of which there are at least two.
_REACH = stats.t.ppf((1 + CONFIDENCE) / 2, np.maximum(np.arange(NETWORKS // 2 + 1) - 1, 1))

Kept = Float[AnyArray, "factors values"]


def everything() -> Float[np.ndarray, "factors values"]:
    """1 for every value of every factor: no network is left out.

    >>> int(everything().sum())
    15
    """
    lengths = np.array([len(values) for values in FACTORS.values()])
    return (np.arange(lengths.max()) < lengths[:, None]).astype(np.float32)


def weights(kept: Kept) -> Float[Array, " networks"]:
    """1 for the networks all of whose values are kept, 0 for the others.

    Args:
        kept: which values, as `everything`; may be traced.
    """
    lengths = [len(values) for values in FACTORS.values()]
    places = jnp.stack(jnp.unravel_index(jnp.arange(NETWORKS), lengths))
    return jnp.prod(jnp.take_along_axis(jnp.asarray(kept), places, axis=1), axis=0)


def differences(losses: Losses, change: int) -> Float[np.ndarray, " settings"]:
    """By how much a change lowers the loss in each setting of all other factors.

    Args:
        losses: from `tuned`.
        change: position in `CHANGES`.

    Returns:
        d_s = C(first) − C(value), mean over the starts.
    """
    name, value = CHANGES[change]
    mean = np.moveaxis(np.mean(losses, axis=-1), list(FACTORS).index(name), 0)
    return np.ravel(mean[0] - mean[FACTORS[name].index(value)])


@jax.jit
def worths(losses: Float[AnyArray, "networks starts"], kept: Kept) -> Interval:
    """What each change is worth, on average over the settings of all other factors.

        w = mean_s d_s ± t · sd(d_s) / √n,   d_s as in `differences`

    The interval is that of a mean over settings, were the n at hand a sample of all such
    settings. Where one is left, it is that over its starts.

    Args:
        losses: from `tuned`, a row a network.
        kept: which networks count, as `everything`; the factor of the change itself is not
            looked at.

    Returns:
        `Interval` in nats, an entry for each of `CHANGES`; positive where the loss falls.

    >>> found = worths(tuned(losses()).reshape(NETWORKS, STARTS), everything())
    >>> len(found.value), bool((found.low < found.value).all())
    (9, True)
    """
    names, lengths = list(FACTORS), [len(values) for values in FACTORS.values()]
    strides = jnp.array(NETWORKS // np.cumprod(lengths))

    def one(factor, place):
        here = jnp.arange(kept.shape[1]) == place
        counted = weights(jnp.asarray(kept).at[factor].set(here.astype(kept.dtype)))
        # Of a network with the value in question: the one that differs from it in the first.
        pair = jnp.maximum(jnp.arange(NETWORKS) - place * strides[factor], 0)
        return _mean(losses[pair] - losses, counted)

    factors = jnp.array([names.index(name) for name, _ in CHANGES])
    places = jnp.array([FACTORS[name].index(value) for name, value in CHANGES])
    return jax.vmap(one)(factors, places)


def _mean(samples: Float[Array, "networks starts"], counted: Float[Array, " networks"]) -> Interval:
    count, starts = jnp.sum(counted), samples.shape[1]
    networks = jnp.mean(samples, 1)
    mean = counted @ networks / count
    spread = counted @ (networks - mean) ** 2 / jnp.maximum(count - 1, 1)
    alone = jnp.var(counted @ samples / count, ddof=1)
    reach = jnp.asarray(_REACH, mean.dtype)
    reach = jnp.where(
        count > 1,
        reach[count.astype(jnp.int32)] * jnp.sqrt(spread / count),
        reach[starts] * jnp.sqrt(alone / starts),
    )
    return Interval(mean, mean - reach, mean + reach)


if __name__ == "__main__":
    write(sys.argv[1])
