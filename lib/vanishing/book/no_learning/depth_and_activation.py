"""The live figure of `no-learning`: a deep network trains on real digits, on the reader's page."""

import math
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float, Int, UInt8

from vanishing import activations, datasets
from vanishing.book.style import COLOURS, canvas, house_style
from vanishing.datasets import Dataset
from vanishing.live import Animation, Choice, Seed, Slider
from vanishing.live import figure as live_figure
from vanishing.network import MLP, Params, apply, init
from vanishing.training import losses

DEPTH, WIDTH, CLASSES = 30, 64, 10  # layers allocated; a digit has 8 × 8 pixels
EXAMPLES, BATCH, STEPS = 1000, 32, 300
#: Each activation with the σ_w that is usual for it: Xavier's for the first two, He's for ReLU.
GAINS = {"sigmoid": 1.0, "tanh": 1.0, "relu": math.sqrt(2)}
#: The loss drawn is a running mean over about this many batches: one batch of 32 says little.
MEMORY = 15
FLOOR = 1e-13  # where a layer that has not moved at all is marked
OUTSIDE = 1e-30  # below the axis, where the mark of a layer that has moved is out of sight


class Run(NamedTuple):
    """A training run under way.

    Attributes:
        params: of all `DEPTH` layers; those above the depth in use never change.
        start: the hidden weights before the first step.
        step: steps made.
        losses: running mean of the loss before each step; NaN for steps not made.
        correct: running mean of the share of digits read rightly.
    """

    params: Params
    start: Float[Array, "depth width width"]
    step: Int[Array, ""]
    losses: Float[Array, " steps"]
    correct: Float[Array, ""]


@cache
def digits() -> UInt8[np.ndarray, "examples 65"]:
    """The first 1000 handwritten digits, a row each: 64 pixels, then the class.

    >>> digits().shape, digits().nbytes <= 64 * 1024
    ((1000, 65), True)
    """
    images, classes = datasets.digit_images()
    return np.concatenate([images, classes[:, None]], axis=1)[:EXAMPLES]


def standardised(rows: UInt8[Array, "examples 65"]) -> Dataset:
    """Rows of bytes as a data set, its pixels standardised as in `datasets.digits`.

    >>> standardised(jnp.asarray(digits()[:2])).y.tolist()
    [0, 1]
    """
    images, _ = datasets.digit_images()
    x = (rows[:, :-1].astype(jnp.float32) - float(images.mean())) / float(images.std())
    return Dataset(x, rows[:, -1].astype(jnp.int32))


def batch(digits: UInt8[Array, "examples 65"], step: Int[Array, ""]) -> Dataset:
    """The digits of a step: the next `BATCH` of them, from the first again where too few are left.

    >>> batch(jnp.asarray(digits()), jnp.int32(0)).x.shape
    (32, 64)
    """
    first = (step % (EXAMPLES // BATCH)) * BATCH
    return standardised(lax.dynamic_slice_in_dim(digits, first, BATCH))


def network(activation: Int[Array, ""] | int) -> MLP:
    """The network, its activation (a position in `GAINS`) and σ_w chosen at run time."""
    gains = jnp.array(list(GAINS.values()), jnp.float32)
    phi = activations.switch(activation, tuple(GAINS))
    return MLP(DEPTH, WIDTH, phi, sigma_w=gains[activation], out_features=CLASSES)


def begin(depth, activation, learning_rate, seed, digits) -> Run:
    """Step 0. Arguments as in `step`; the weights follow from the seed."""
    params = init(network(activation), key=jax.random.key(seed))
    nothing = jnp.full((STEPS + 1,), jnp.nan)
    return Run(params, params["weights"], jnp.zeros((), jnp.int32), nothing, jnp.zeros(()))


def _running_mean(before, value, step):
    """Mean of the values so far, the last `MEMORY` counting most."""
    weight = jnp.maximum(1 / (jnp.asarray(step, jnp.float32) + 1), 1 / MEMORY)
    return jnp.where(step == 0, value, (1 - weight) * before + weight * value)


def advance(state: Run, depth, activation, learning_rate, digits) -> Run:
    """One step of plain gradient descent, θ ← θ − η ∂C/∂θ, on the next batch of digits."""
    net, data = network(activation), batch(digits, state.step)

    def cost(params):
        outputs = apply(net, params, data.x, depth=depth)
        return losses.loss(outputs, data.y), losses.accuracy(outputs, data.y)

    (loss, correct), gradient = jax.value_and_grad(cost, has_aux=True)(state.params)
    params = jax.tree.map(lambda theta, g: theta - learning_rate * g, state.params, gradient)
    loss = _running_mean(state.losses[jnp.maximum(state.step - 1, 0)], loss, state.step)
    correct = _running_mean(state.correct, correct, state.step)
    curve = state.losses.at[state.step].set(loss)
    return Run(params, state.start, state.step + 1, curve, correct)


def step(state: Run, depth, activation, learning_rate, seed, digits):
    """One frame of the figure.

    Args:
        state: the run so far.
        depth: layers in use, 1 to `DEPTH`.
        activation: position in `GAINS`.
        learning_rate: η.
        seed: of the weights; used by `begin` alone.
        digits: from `digits()`.

    Returns:
        The next state; and of the state given `loss` [steps + 1], its last value `loss_now`, the
        share of digits read rightly `correct`, `moved` [depth] = ‖W_l − W_l(0)‖ / ‖W_l(0)‖, its
        first value `first_layer`, and `unmoved` (`FLOOR` where that is 0, else `OUTSIDE`).
    """
    after = advance(state, depth, activation, learning_rate, digits)
    moved = _moved(state, depth)
    return after, {
        "loss": after.losses,
        "loss_now": after.losses[state.step],
        "correct": after.correct,
        "moved": moved,
        "first_layer": moved[0],
        "unmoved": jnp.where(moved == 0, FLOOR, OUTSIDE),
    }


def _moved(state: Run, depth) -> Float[Array, " depth"]:
    def norm(stack):
        return jnp.sqrt(jnp.sum(stack**2, axis=(1, 2)))

    moved = norm(state.params["weights"] - state.start) / norm(state.start)
    return jnp.where(jnp.arange(DEPTH) < depth, moved, jnp.nan)


@jax.jit
def _end(depth, activation, learning_rate, seed, digits):
    """Loss and share read rightly, both on all digits, after `STEPS` steps."""

    def one(_, state):
        return advance(state, depth, activation, learning_rate, digits)

    start = begin(depth, activation, learning_rate, seed, digits)
    params = lax.fori_loop(0, STEPS, one, start).params
    data = standardised(digits)
    outputs = apply(network(activation), params, data.x, depth=depth)
    return losses.loss(outputs, data.y), losses.accuracy(outputs, data.y)


def accuracies(
    activation: str, depths: Sequence[int], rates: Sequence[float], *, seeds: int
) -> Float[np.ndarray, "depths seeds"]:
    """Share of the figure's digits read rightly after a whole run, the learning rate tuned.

    For each depth that is the rate with the smallest loss on seed 0. The seeds reported are
    others: else the luckiest would win. All runs share one executable.

    Args:
        activation: a key of `GAINS`.
        depths: layers in use, each 1 to `DEPTH`.
        rates: learning rates to choose from.
        seeds: how many starts to report: 1, 2, 3, …

    Returns:
        A row a depth, a column a seed.
    """
    data, index = jnp.asarray(digits()), list(GAINS).index(activation)
    rows = []
    for depth in depths:
        tried = [float(_end(depth, index, float(rate), 0, data)[0]) for rate in rates]
        best = float(rates[np.nanargmin(tried)])
        rows.append([_end(depth, index, best, seed, data)[1] for seed in range(1, seeds + 1)])
    return np.asarray(rows)


@house_style
def _draw():
    figure, (left, right) = canvas(columns=2, height=3.2)
    (curve,) = left.plot(np.arange(STEPS + 1), np.full(STEPS + 1, np.nan))
    left.axhline(math.log(CLASSES), color=COLOURS["ink"], linestyle="--", linewidth=1)
    left.annotate("guessing", (STEPS, math.log(CLASSES)), xytext=(0, 4), ha="right",
                  textcoords="offset points")  # fmt: skip
    left.set(xlabel="step", ylabel="training loss C", xlim=(0, STEPS), ylim=(0, 3))
    nothing = np.full(DEPTH, np.nan)
    layers = np.arange(1, DEPTH + 1)
    (moved,) = right.plot(layers, nothing, "o-", markersize=4, linewidth=1)
    (unmoved,) = right.plot(layers, nothing, "x", color=COLOURS["vermilion"], markersize=5)
    right.annotate("× not moved at all", (1, FLOOR), xytext=(0, 6), va="bottom",
                   textcoords="offset points", color=COLOURS["vermilion"])  # fmt: skip
    right.set(xlabel="layer", ylabel="how far it has moved", yscale="log",
              xlim=(0, DEPTH + 1), ylim=(FLOOR / 3, 30))  # fmt: skip
    return figure, {curve: "loss", moved: "moved", unmoved: "unmoved"}


def depth_and_activation():
    """Depth and activation → the training loss, and how far each layer has moved from its start.

    The reader's browser draws the weights, runs forward and backward on 1000 real digits, and
    takes the steps. Its first picture is the end of a run of thirty sigmoid layers.

    Returns:
        A live figure; the last value of a cell shows it.

    >>> depth_and_activation().name
    'depth_and_activation'
    """
    drawn, bind = _draw()
    controls = [
        Slider("depth", 1, DEPTH, value=DEPTH, label="layers"),
        Choice("activation", tuple(GAINS)),
        Slider("learning_rate", 0.001, 10.0, value=1.0, label="learning rate η", log=True),
        Seed("seed"),
    ]
    return live_figure(
        drawn,
        Animation(begin, step, steps=STEPS, draw_every=1, preview=STEPS),
        controls,
        bind,
        name="depth_and_activation",
        data={"digits": digits()},
        describe="training loss {loss_now:.2f} (guessing is 2.30), {correct:.0%} of the digits "
        "right; layer 1 has moved by {first_layer:.1e} of its size",
        alt="Left, the training loss over 300 steps, with a dashed line at 2.30, the loss of "
        "guessing. Right, how far each layer has moved from its start, on a logarithmic scale. "
        "For thirty sigmoid layers the loss lies on the dashed line from the first step to the "
        "last; the layers near the output have moved, each one below it a fifth as far, and the "
        "lower half has not moved at all.",
    )
