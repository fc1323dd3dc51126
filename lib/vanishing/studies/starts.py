"""What a start promises and what becomes of it: assumptions broken on purpose, and training."""

import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from vanishing import _checks, activations, theory
from vanishing._types import AnyArray
from vanishing.datasets import Dataset
from vanishing.moments import gaussian_mean
from vanishing.network import MLP, init
from vanishing.spectrum import log_jacobian_spectrum
from vanishing.training import train

DEPTH, WIDTH = 10, 128
#: How far each assumption is missed: all biases, and the RMS of the inputs of a tanh network.
BIAS, LARGE = 0.5, 3.0


class Broken(NamedTuple):
    """One assumption behind Xavier's or He's variance, and what happens where it fails.

    Attributes:
        law: log₁₀ of the factor on the mean square over `DEPTH` layers, by theory.
        measured: the same in each network.
    """

    law: float
    measured: Float[np.ndarray, " seeds"]


def broken_assumptions(*, key: PRNGKeyArray, seeds: int) -> dict[str, Broken]:
    """Break the assumptions of the derivation one at a time, and measure ten layers.

    Args:
        key: JAX random key; every case gets the same weights up to scale, and the same inputs.
        seeds: networks of ten layers of 128 units, one standard normal input each.

    Returns:
        "nothing" is He's start for ReLU as it should be; then the name of what is broken →
        `Broken`. The last is about the way back: its factor is that of the squared gradient.

    >>> found = broken_assumptions(key=jax.random.key(0), seeds=8)
    >>> [round(broken.law, 2) for broken in found.values()]
    [0.0, 21.93, -5.52, 1.19, -2.2, 1.04]
    """
    _checks.whole("seeds", seeds, 2)
    weight_key, input_key = jax.random.split(key)
    x = jax.random.normal(input_key, (seeds, WIDTH))
    lecun = MLP(DEPTH, WIDTH, "linear", "lecun")
    keys = jax.random.split(weight_key, seeds)
    plain = jax.vmap(lambda key: init(lecun, key=key)["weights"])(keys)
    he = 2**0.5 * plain
    copies = jnp.broadcast_to(plain[..., :1], plain.shape)
    # ln of a squared standard normal has the mean −γ − ln 2: every unit is one and the same.
    one_unit = -(np.euler_gamma + math.log(2)) / math.log(10)
    large = float(theory.predict(MLP(DEPTH, WIDTH, "tanh", "lecun"), LARGE).activation_rms[-1])
    output = _climb("linear", plain, 0.0, x)
    return {
        "nothing": Broken(0.0, _gain(x, _climb("relu", he, 0.0, x))),
        "mean zero": Broken(
            _all_positive(), _gain(jnp.abs(x), _climb("relu", jnp.abs(he), 0.0, jnp.abs(x)))
        ),
        "independence": Broken(DEPTH * one_unit, _gain(x, _climb("linear", copies, 0.0, x))),
        "symmetry": Broken(_shifted(), _gain(x, _climb("relu", he, BIAS, x))),
        "straightness": Broken(
            2 * math.log10(large / LARGE), _gain(LARGE * x, _climb("tanh", plain, 0.0, LARGE * x))
        ),
        # The mean fourth power of the singular values over their mean square, squared.
        "a foreign gradient": Broken(
            math.log10(DEPTH + 1), _gain(output, _climb("linear", _back(plain), 0.0, output))
        ),
    }


def _climb(activation, weights, bias, h) -> Float[Array, "seeds width"]:
    phi = activations.get(activation)
    for layer in range(weights.shape[1]):
        h = phi(jnp.einsum("si,sij->sj", h, weights[:, layer], precision="highest") + bias)
    return h


def _back(weights) -> Float[Array, "seeds depth width width"]:
    """The linear network that a cotangent meets on its way back."""
    return jnp.swapaxes(weights[:, ::-1], -1, -2)


def _gain(before, after) -> Float[np.ndarray, " seeds"]:
    squares = [np.mean(np.square(np.asarray(a, float)), axis=1) for a in (before, after)]
    return np.log10(squares[1] / squares[0])


def _all_positive() -> float:
    """|W| for W ~ N(0, 2/n): of mean 2/√(πn) and variance (2 − 4/π)/n. All units are positive,
    and ReLU leaves them alone: the squared mean grows by 4n/π a layer, and takes the rest along."""
    squared_mean, square = 2 / np.pi, 1.0  # of |x|, x standard normal
    for _ in range(DEPTH):
        grown = 4 * WIDTH / np.pi * squared_mean
        squared_mean, square = grown, grown + (2 - 4 / np.pi) * square
    return math.log10(square)


def _shifted() -> float:
    """ReLU of pre-activations of mean `BIAS`: E[relu(z)²] is more than half of E[z²]."""
    square = 1.0
    for _ in range(DEPTH):
        square = float(gaussian_mean(lambda z: jax.nn.relu(z + BIAS) ** 2, 2 * square))
    return math.log10(square)


class Drift(NamedTuple):
    """A start, and what training has made of it.

    Attributes:
        before, after: ln of the singular values of ∂h_L/∂h_0 at one example, largest first.
        moved: ‖W_l(t) − W_l(0)‖ / ‖W_l(0)‖, over the layers.
        loss: C before and after.
    """

    before: Float[np.ndarray, "seeds width"]
    after: Float[np.ndarray, "seeds width"]
    moved: Float[np.ndarray, "seeds depth"]
    loss: Float[np.ndarray, "seeds 2"]


def drift(
    net: MLP,
    data: Dataset,
    *,
    key: PRNGKeyArray,
    seeds: int,
    steps: int,
    learning_rate: float,
    batch_size: int | None = 32,
) -> Drift:
    """Train, and see how far the Jacobian has left the one that the start gave it.

    Args:
        net: the description.
        data: what to train on; its first example is where the Jacobians are taken.
        key: JAX random key.
        seeds: how many networks.
        steps, learning_rate, batch_size: of plain gradient descent, see `train`.

    Returns:
        `Drift`.

    >>> data = vg.datasets.lift(vg.datasets.two_moons(64, key=jax.random.key(0)), 8)
    >>> net = vg.MLP(depth=4, width=8, initializer="orthogonal", out_features=1)
    >>> found = drift(net, data, key=jax.random.key(1), seeds=2, steps=50, learning_rate=0.1)
    >>> found.before.shape, found.moved.shape, bool((found.loss[:, 1] < found.loss[:, 0]).all())
    ((2, 8), (2, 4), True)
    """
    runs = [
        _drift(net, data, one, steps, learning_rate, batch_size)
        for one in jax.random.split(key, _checks.whole("seeds", seeds, 1))
    ]
    return Drift(*(np.stack(part) for part in zip(*runs, strict=True)))


def _drift(net, data, key, steps, learning_rate, batch_size) -> Drift:
    weight_key, batch_key = jax.random.split(key)
    params = init(net, key=weight_key)
    trained, history = train(
        net, params, data, key=batch_key, steps=steps, learning_rate=learning_rate,
        record_every=steps, batch_size=batch_size, progress=False,
    )  # fmt: skip
    ends = [np.asarray(log_jacobian_spectrum(net, p, data.x[0])) for p in (params, trained)]
    return Drift(*ends, history.moved[-1], history.loss[[0, -1]])


def log_spread(
    log_values: Float[AnyArray, "*runs width"],
) -> Float[np.ndarray, "*runs"] | np.floating:
    """Standard deviation of ln s: 0 for an isometry, or for a multiple of one.

    >>> log_spread(np.log([2.0, 2.0, 2.0])).round(6).item()
    0.0
    """
    return np.std(np.asarray(log_values, float), axis=-1)
