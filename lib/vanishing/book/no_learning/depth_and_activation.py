"""The live figure of `no-learning`: a deep network trains on real digits, on the reader's page."""

import math
from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.tree_util import Partial
from jax.typing import ArrayLike
from jaxtyping import Array, Float, Int, PRNGKeyArray

from vanishing import activations
from vanishing.book.digits import EXAMPLES, digits, standardised
from vanishing.book.labels import axis_titles, reference
from vanishing.book.style import DEAD, LABELS, is_narrow, live_figure, mosaic
from vanishing.live import Animation, Choice, Cursor, Seed, Slider, draw_network
from vanishing.network import MLP, init
from vanishing.training import batches, losses, tuning, update

DEPTH, WIDTH, CLASSES = 30, 64, 10  # layers allocated; a digit has 8 × 8 pixels
BATCH, STEPS = 32, 300
#: Each activation with the σ_w that is usual for it: Xavier's for the first two, He's for ReLU.
GAINS = {"sigmoid": 1.0, "tanh": 1.0, "relu": math.sqrt(2)}
#: The loss drawn is a running mean over about this many batches: one batch of 32 says little.
MEMORY = 15
FLOOR = 1e-13  # where a layer that has not moved at all is marked
SHOWN = 4  # units drawn of each layer
FAINTEST = 0.2  # the shade of a line between two layers that nothing has moved
PALE = 9.0  # a unit whose weights have moved by 10⁻⁹ of their size is as pale as the paper


class Run(NamedTuple):
    """A training run under way.

    Attributes:
        trained: of all `DEPTH` layers; those above the depth in use never change.
        initial: the hidden weights before the first step.
        order: in which this epoch goes through the digits.
        losses: running mean of the loss before each step; NaN for steps not made.
        correct: running mean of the share of digits read correctly.
    """

    trained: update.State
    initial: Float[Array, "depth width width"]
    order: batches.Order
    losses: Float[Array, " steps"]
    correct: Float[Array, ""]


def network(activation: Int[ArrayLike, ""]) -> MLP:
    """The network, its activation (a position in `GAINS`) and σ_w chosen at run time."""
    gains = jnp.array(list(GAINS.values()), jnp.float32)
    phi = activations.switch(activation, tuple(GAINS))
    return MLP(DEPTH, WIDTH, phi, sigma_w=gains[activation], out_features=CLASSES)


def _keys(seed) -> tuple[PRNGKeyArray, PRNGKeyArray]:
    weight_key, batch_key = jax.random.split(jax.random.key(seed))
    return weight_key, batch_key


def start(depth, activation, learning_rate, seed, digits) -> Run:
    """Step 0. Arguments as in `frame`; the weights and the batches follow from the seed."""
    params = init(network(activation), key=_keys(seed)[0])
    rule = update.optimizer_named("sgd", learning_rate)
    nothing = jnp.full((STEPS + 1,), jnp.nan)
    trained, order = update.start(rule, params), batches.start(EXAMPLES)
    return Run(trained, params["weights"], order, nothing, jnp.zeros(()))


def frame(run: Run, depth, activation, learning_rate, seed, digits):
    """One step of plain gradient descent, and what the figure shows of the state before it.

    Args:
        run: the run so far.
        depth: layers in use, 1 to `DEPTH`.
        activation: position in `GAINS`.
        learning_rate: η.
        seed: of the weights and of the batches.
        digits: from `digits()`.

    Returns:
        The next state; and of the state given `loss` [steps + 1], its last value `loss_now`, the
        share of digits read correctly `correct`, `moved` [depth] = ‖W_l − W_l(0)‖ / ‖W_l(0)‖, its
        first value `first_layer`, and `unmoved` (`FLOOR` where that is 0, else NaN); and of
        the weights into each of the first `SHOWN` units of a layer, [depth · shown], the `shade`
        1 + log₁₀ moved / 9, and whether not one bit of them has changed (`stuck`); and the mean
        shade of each layer but the first, for the `lines` that lead to it.
    """
    state, now = run.trained, run.trained.step
    rows, order = batches.draw(digits, run.order, key=_keys(seed)[1], step=now, size=BATCH)
    data, rule = standardised(rows), update.optimizer_named("sgd", learning_rate)
    after, made = update.update(network(activation), rule, state, data, depth)
    mean = partial(batches.running_mean, step=now, memory=MEMORY)
    loss = mean(run.losses[jnp.maximum(now - 1, 0)], made.loss)
    right = mean(run.correct, losses.accuracy(made.outputs, data.y))
    curve = run.losses.at[now].set(loss)
    moved = _moved(run, depth)
    return Run(after, run.initial, order, curve, right), {
        "loss": curve,
        "loss_now": loss,
        "correct": right,
        "moved": moved,
        "first_layer": moved[0],
        "unmoved": jnp.where(moved == 0, FLOOR, jnp.nan),
        **_units(run, depth),
    }


def _moved(run: Run, depth) -> Float[Array, " depth"]:
    def norm(stack):
        return jnp.sqrt(jnp.sum(stack**2, axis=(1, 2)))

    moved = norm(run.trained.params["weights"] - run.initial) / norm(run.initial)
    return jnp.where(jnp.arange(DEPTH) < depth, moved, jnp.nan)


def _units(run: Run, depth) -> dict[str, Array]:
    now, then = (w[..., :SHOWN] for w in (run.trained.params["weights"], run.initial))
    moved = jnp.sqrt(jnp.sum((now - then) ** 2, axis=1) / jnp.sum(then**2, axis=1))
    used = (jnp.arange(DEPTH) < depth)[:, None]
    shade = jnp.clip(1 + jnp.log10(jnp.maximum(moved, 10.0**-PALE)) / PALE, 0, 1)
    stuck = jnp.max(jnp.abs(now - then), axis=1) == 0
    shade = jnp.where(used, shade, jnp.nan)
    lines = jnp.maximum(jnp.mean(shade, axis=1)[1:], FAINTEST)
    return {"shade": shade, "stuck": used & stuck, "lines": lines}


def tuned(
    activation: str, depth: int, *, key: PRNGKeyArray, rates: Sequence[float], **options
) -> tuning.Tuned:
    """Whole runs of the figure's network, at the learning rate that suits it.

    All activations and depths share one executable.

    Args:
        activation: a key of `GAINS`.
        depth: layers in use, 1 to `DEPTH`.
        key: JAX random key.
        rates: learning rates to begin with.
        **options: of `tuning.tuned`: `choose`, `report`, `extend`.

    Returns:
        `tuning.Tuned`, its losses and accuracies on all digits of the figure.
    """
    net = Partial(network, list(GAINS).index(activation))
    data = standardised(jnp.asarray(digits()))
    return tuning.tuned(
        net, data, key=key, rates=rates, steps=STEPS, batch_size=BATCH, depth=depth, **options
    )


def _draw():
    height, ratio = (3.6, 1.8) if is_narrow() else (4.6, 2.4)
    figure, axes = mosaic([["net", "net"], ["loss", "moved"]], height, height_ratios=[1, ratio])
    left, right, net = axes["loss"], axes["moved"], axes["net"]
    (curve,) = left.plot(np.arange(STEPS + 1), np.full(STEPS + 1, np.nan))
    reference(left, math.log(CLASSES), "guessing")
    left.set(xlim=(0, STEPS), ylim=(0, 3), yticks=[0, 1, 2, 3])
    nothing = np.full(DEPTH, np.nan)
    layers = np.arange(1, DEPTH + 1)
    (moved,) = right.plot(layers, nothing, "o-", markersize=4, linewidth=1)
    (unmoved,) = right.plot(layers, nothing, "x", color=DEAD, markersize=5)
    right.annotate(
        "× not moved",
        (1, FLOOR),
        xytext=(0, -6),
        va="top",
        textcoords="offset points",
        color=DEAD,
    )
    right.set_yscale("log", nonpositive="mask")
    right.set(xlim=(0, DEPTH + 1), xticks=[1, 10, 20, 30])
    right.set(ylim=(FLOOR / 1e5, 30), yticks=[1e-12, 1e-8, 1e-4, 1])
    axis_titles(left, x="step", y="training loss C")
    axis_titles(right, x="layer", y="how far it moved")
    axis_titles(net, y="units: the stronger, the farther moved; × not at all")
    net.set_xticks([1, 10, 20, 30])
    network = draw_network(net, [SHOWN] * DEPTH, edges=2)
    shown = {"units": "shade", "dead": "stuck", "edges": "lines"}
    layer = Cursor("layer", range(1, DEPTH + 1), [network, right])
    return figure, {
        curve: "loss",
        moved: "moved",
        unmoved: "unmoved",
        network: shown,
        layer: "moved by {moved:.1e} of its size",
    }


def depth_and_activation():
    """Depth and activation → the training loss, and how far each layer has moved from its start.

    The reader's browser draws the weights, runs forward and backward on 1000 real digits, and
    takes the steps. Its first picture is the end of a run of thirty sigmoid layers.

    Returns:
        A live figure; the last value of a cell shows it.

    >>> depth_and_activation().name
    'depth_and_activation'
    """
    controls = [
        Slider("depth", 1, DEPTH, value=DEPTH, label="layers"),
        Choice("activation", tuple(GAINS), words=LABELS),
        Slider("learning_rate", 0.001, 10.0, value=1.0, label="learning rate η", log=True),
        Seed("seed"),
    ]
    return live_figure(
        _draw,
        Animation(start, frame, steps=STEPS, draw_every=1, preview=STEPS),
        controls,
        name="depth_and_activation",
        title="depth, activation and learning",
        words={
            "loss": "training loss",
            "moved": "how far each layer has moved",
            "unmoved": "layers that have not moved",
            "shade": "how far the weights into each unit have moved",
            "stuck": "units whose weights have not moved",
            "lines": "how far the weights into each layer have moved",
        },
        data={"digits": digits()},
        describe="training loss {loss_now:.2f} (guessing is 2.30), {correct:.0%} of the digits "
        "right; layer 1 has moved by {first_layer:.1e} of its size",
        alt="Above, the network, four units of each of thirty layers: those on the right are blue, "
        "to the left they grow paler, and in the left half all are crossed. Below left, the "
        "training loss over 300 steps, with a dashed line at 2.30, the loss of "
        "guessing. Below right, how far each layer has moved from its start, on a log scale. "
        "For thirty sigmoid layers the loss lies on the dashed line from the first step to the "
        "last; the layers near the output have moved, each one below it a fifth as far, and the "
        "lower half has not moved at all.",
    )
