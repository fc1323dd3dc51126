"""The full factorial ablation: every network of a small design, with a tuned learning rate.

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
from scipy import optimize

from vanishing import activations, datasets, initializers
from vanishing.datasets import Dataset
from vanishing.network import MLP
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


if __name__ == "__main__":
    write(sys.argv[1])
