"""The live figure of `clinic`: choose a patient and a cure, and watch it train."""

import math
from functools import cache, partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, UInt8

from vanishing.book.clinic import patients, treatment
from vanishing.book.clinic.patients import CURES, DEPTH, PATIENTS
from vanishing.book.clinic.treatment import BATCH, CLASSES, STEPS
from vanishing.book.digits import EXAMPLES, digits
from vanishing.book.labels import axis_titles, legend_above, reference
from vanishing.book.style import (
    BEFORE,
    DEAD,
    NOW,
    SATURATED,
    is_narrow,
    is_slide,
    live_figure,
    mosaic,
)
from vanishing.live import Animation, Choice, Cursor, Seed
from vanishing.training import batches, update

#: Losses and gradients beyond these are drawn at the edge.
LOSS, GRADIENT = (0.03, 30.0), (-24.0, 8.0)
#: The untreated losses travel as bytes: steps of a fiftieth of a power of ten from `LOSS[0]` on.
PER_DECADE, MISSING = 50, 255
ASIDE = -4.0  # where a mark stands that is not to be seen: in the picture, left of the axes


class Run(NamedTuple):
    """A training run under way.

    Attributes:
        trained: the network.
        order: in which this epoch goes through the digits.
        losses: running mean of the loss before each step; NaN for steps not made.
        correct: running mean of the share of digits read correctly.
        first: log₁₀ RMS of ∂C/∂W_l in the first step.
        last: what was read before the last step that could be made.
    """

    trained: update.State
    order: batches.Order
    losses: Float[Array, " steps"]
    correct: Float[Array, ""]
    first: Float[Array, " depth"]
    last: treatment.Made


def _keys(seed):
    return jax.random.split(jax.random.key(seed))


@cache
def untreated() -> UInt8[np.ndarray, "patients steps"]:
    """The loss of each patient without a cure, for the seed that the figure opens with."""
    curves = []
    for patient in PATIENTS.values():
        with jax.ensure_compile_time_eval():
            curve = treatment.smooth(treatment.course(patient).loss)
        decades = np.log10(np.clip(curve, *LOSS) / LOSS[0])
        curves.append(np.where(np.isnan(decades), MISSING, np.round(PER_DECADE * decades)))
    return np.array(curves).astype(np.uint8)


def start(patient, cure, seed, digits) -> Run:
    """Step 0. Arguments as in `frame`; the weights and the batches follow from the seed."""
    trained = treatment.start(patients.chosen(patient, cure), key=_keys(seed)[0])
    nothing, unread = jnp.full((STEPS + 1,), jnp.nan), jnp.full((DEPTH,), jnp.nan)
    return Run(trained, batches.start(EXAMPLES), nothing, jnp.zeros(()), unread, treatment.unread())


def frame(run: Run, patient, cure, seed, digits):
    """One step of gradient descent, and what the instruments show of the state before it.

    Args:
        run: the run so far.
        patient, cure: positions in `PATIENTS`, `CURES`.
        seed: of the weights and of the batches.
        digits: bytes, a row each: 64 pixels, then the class.

    Returns:
        The next state; and of the state given, the running mean of the loss `loss` [steps + 1]
        and its last value `loss_now`; that of the untreated patient as `untreated`; the step at
        which the run left the finite numbers, `lost`, and the layers in which ∂C/∂W_l is exactly
        0, `zero` (or `ASIDE`); the share of digits read correctly, `correct`; log₁₀ RMS of ∂C/∂W_l
        now (`gradient`) and in the first step (`first`); the readings `spread`, `dead`,
        `saturated` and `alike` of `treatment.Readings`; and the RMS of the hidden biases, `bias`.
    """
    state, now = run.trained, run.trained.step
    case = patients.chosen(patient, cure)
    rows, order = batches.draw(digits, run.order, key=_keys(seed)[1], step=now, size=BATCH)
    after, made = treatment.step(case, state, rows)
    going = after.trouble == 0
    made = jax.tree.map(partial(jnp.where, going | (now == 0)), made, run.last)
    before = jnp.maximum(now - 1, 0)
    mean = partial(treatment.running_mean, step=now)
    loss = mean(run.losses[before], made.loss)
    right = jnp.where(going, mean(run.correct, made.correct), run.correct)
    curve = run.losses.at[now].set(jnp.where(going, loss, jnp.nan))
    first = jnp.where(now == 0, made.gradient, run.first)
    sick = jnp.asarray(untreated())[patient].astype(jnp.float32)
    sick = jnp.where(sick == MISSING, jnp.nan, LOSS[0] * 10 ** (sick / PER_DECADE))
    layer = jnp.arange(1, DEPTH + 1, dtype=jnp.float32)
    return Run(after, order, curve, right, first, made), {
        "loss": jnp.clip(curve, *LOSS),
        "loss_now": jnp.where(going, loss, jnp.inf),
        "untreated": jnp.append(sick, jnp.nan),
        "lost": jnp.where(going, ASIDE, before.astype(jnp.float32))[None],
        "correct": right,
        "gradient": jnp.clip(made.gradient, *GRADIENT),
        "first": jnp.clip(first, *GRADIENT),
        "zero": jnp.where(made.gradient == -jnp.inf, layer, ASIDE),
        **made.readings._asdict(),
        "bias": jnp.sqrt(jnp.mean(state.params["biases"] ** 2)),
    }


def _panels():
    """The axes: two by two, or one under another."""
    if is_narrow():
        return mosaic([["loss"], ["gradient"], ["spread"], ["shares"]], 4.4)
    return mosaic([["loss", "gradient"], ["spread", "shares"]], 5.2)


def _draw():
    figure, axes = _panels()
    steps, layers = np.arange(STEPS + 1), np.arange(1, DEPTH + 1)
    nothing, unread, bind = np.full(STEPS + 1, np.nan), np.full(DEPTH, np.nan), {}

    def line(panel, output, x, y, *style, **options):
        (drawn,) = axes[panel].plot(x, y, *style, **options)
        bind[drawn] = output

    grey = {"color": BEFORE, "linewidth": 1.2}
    line("loss", "untreated", steps, nothing, label="untreated", **grey)
    line("loss", "loss", steps, nothing, color=NOW, label="now")
    line("loss", {"x": "lost"}, [ASIDE], [LOSS[1]], "x", color=DEAD, markersize=8)
    line("gradient", "first", layers, unread, label="first step", **grey)
    line("gradient", "gradient", layers, unread, color=NOW, label="now")
    line("gradient", {"x": "zero"}, np.full(DEPTH, ASIDE), np.full(DEPTH, GRADIENT[0]), "x",
         color=DEAD, markersize=5)  # fmt: skip
    line("spread", "spread", layers, unread, color=NOW)
    line("shares", "alike", layers, unread, color=NOW, label="alike")
    line("shares", "saturated", layers, unread, color=SATURATED, label="saturated")
    line("shares", "dead", layers, unread, color=DEAD, label="dead")

    axes["loss"].set(yscale="log", xlim=(-2, STEPS), ylim=(LOSS[0], LOSS[1] * 1.1))
    reference(axes["loss"], math.log(CLASSES), "guessing")
    axis_titles(axes["loss"], x="step", y="loss" if is_slide() else "loss; × no number")
    axes["gradient"].set(ylim=(GRADIENT[0] - 1, GRADIENT[1] + 1), yticks=[-20, -10, 0])
    axis_titles(axes["gradient"], y="log₁₀ ∂C/∂W; × zero")
    axes["spread"].set(ylim=(-3, 7), yticks=[0, 5])
    axis_titles(
        axes["spread"], y="log₁₀ input of φ" if is_slide() else "log₁₀ RMS of what φ receives"
    )
    axes["shares"].set(ylim=(-0.08, 1.08), yticks=[0, 0.5, 1])
    axis_titles(axes["shares"], y=None if is_slide() else "shares")
    for name in ("gradient", "spread", "shares"):
        axes[name].set_xlim(0, DEPTH + 1)
        axis_titles(axes[name], x="layer")
        if is_narrow():
            axes[name].label_outer()
    for name in ("loss", "shares") if is_slide() else ("loss", "gradient", "shares"):
        legend_above(axes[name])
    by_layer = [axes[name] for name in ("gradient", "spread", "shares")]
    bind[Cursor("layer", range(1, DEPTH + 1), by_layer)] = (
        "gradient {gradient:.2p}, φ receives {spread:.2p}, cosine {alike:.2f}, "
        "{saturated:.0%} saturated, {dead:.0%} dead"
    )
    return figure, bind


def clinic():
    """A patient and a cure → its training and five instruments, step by step.

    The reader's browser draws the weights, runs forward and backward on real digits and takes
    the steps. At rest it shows the end of the run.

    Returns:
        A live figure; the last value of a cell shows it.

    >>> clinic().name
    'clinic'
    """
    controls = [
        Choice("patient", tuple(PATIENTS), label="patient"),
        Choice("cure", tuple(CURES), label="cure"),
        Seed("seed", more=True),
    ]
    return live_figure(
        _draw,
        Animation(start, frame, steps=STEPS, preview=STEPS),
        controls,
        name="clinic",
        title="the clinic",
        words={
            "loss": "training loss",
            "untreated": "loss without a cure",
            "lost": "step at which the numbers ended",
            "gradient": "gradient of each layer's weights",
            "first": "the same in the first step",
            "zero": "layers without any gradient",
            "spread": "size of what the activation receives",
            "alike": "cosine between two inputs",
        },
        data={"digits": digits()},
        describe="loss {loss_now:.2f} (guessing is 2.30), {correct:.0%} "
        "of the digits right; hidden biases of size {bias:.2f}",
        alt="Four panels of patient A, thirty sigmoid layers, untreated. First, the loss lies on "
        "the dashed line of guessing. Second, the gradient falls on a straight line from ten to "
        "the minus two at layer 30 to ten to the minus twenty at layer 1. Third, what the "
        "activation receives is of order one in all layers. Fourth, no unit is dead or saturated, "
        "and the cosine between two inputs is 1 from layer 3 on.",
    )
