"""Exercises of the chapter "A network that will not learn"."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import optax

from vanishing import datasets, theory
from vanishing.book.checks import DRAWS, exercise
from vanishing.network import MLP, forward, init
from vanishing.training import losses, tuning
from vanishing.training.history import History


@exercise(
    "no-learning-guess",
    hint="Which probability does a network that knows nothing give to the right letter?",
)
def guess():
    """The loss of the same answer for 26 equally frequent classes."""
    return math.log(26)


@exercise(
    "no-learning-rounding",
    hint="np.spacing(np.float32(0.1)) is how far the next float32 is. Which share of it is lost?",
    tolerance=0.0,
)
def rounding():
    """The smallest k for which 0.1 − 10^−k is 0.1 in float32."""
    weight = np.float32(0.1)
    return next(k for k in range(1, 45) if weight - np.float32(10.0**-k) == weight)


@exercise(
    "no-learning-entropy",
    hint="What does the formula become once you have shown which p_k is best? The ten digits are "
    "nearly equally frequent, but not quite; logarithms are natural.",
    tolerance=1e-5,  # ln 10 is only 5e-5 away, and is not the answer
)
def entropy():
    """The entropy of the classes of the first 1000 digits."""
    share = np.bincount(datasets.digits(1000).y) / 1000
    return float(-np.sum(share * np.log(share)))


@exercise(
    "no-learning-layers",
    hint="Write the sentence as an inequality for L, and mind what dividing by a negative number "
    "does. L is whole.",
    tolerance=0.0,
)
def layers():
    """Layers after which a difference of 1 is below the rounding of float32."""
    factor = math.sqrt(theory.chi("sigmoid", 1.0))
    return math.ceil(-24 * math.log(2) / math.log(factor))


def _centred(z):
    return jax.nn.sigmoid(z) - 0.5


@exercise(
    "no-learning-rescue",
    hint="Where do the pre-activations lie, and how steep is the function there? vg.theory.chi "
    "takes any function; the thirtieth power of √χ₁ should be near one.",
    expects="one number",
)
def rescue(sigma_w):
    """Whether thirty layers of σ(z) − ½ with weights of that scale learn: the better of two starts.

    Over eight starts the share read is .92 ± .05 at σ_w = 3 and 1 at 4 and 5; over four it is 1 at
    6, .49 ± .04 at 8, and that of guessing at 2 and at 12.
    """
    net = MLP(30, 64, _centred, sigma_w=float(sigma_w), sigma_b=0.0, out_features=10)
    run = tuning.grid(
        net,
        datasets.digits(1000),
        key=jax.random.key(0),
        optimizer="adam",
        rates=(0.001,),
        starts=2,
        steps=600,
        batch_size=64,
    )
    return bool(run.accuracy.max() > 0.9)


def _readout_alone(depth: int) -> float:
    """Share of the digits that a read-out tells apart behind frozen sigmoid layers."""
    net, digits = (
        MLP(depth, 64, "sigmoid", sigma_w=1.0, sigma_b=0.0, out_features=10),
        datasets.digits(1000),
    )
    params = init(net, key=jax.random.key(0))
    h = forward(net, params, digits.x).post[-1]
    h = (h - h.mean(0, keepdims=True)) / (h.std(0, keepdims=True) + 1e-6)

    def outputs(out):
        return h @ out["weights"] + out["biases"][None]

    def move(_, out):
        slopes = jax.grad(lambda out: losses.loss(outputs(out), digits.y))(out)
        return jax.tree.map(lambda p, slope: p - slope, out, slopes)

    out = jax.lax.fori_loop(0, 100, move, params["read_out"])
    return float(losses.accuracy(outputs(out), digits.y))


@exercise(
    "no-learning-readout",
    hint="Give both shares, that behind two layers first. Compute h of the last layer once, bring "
    "its units to unit variance, and let the read-out learn until it no longer improves.",
    expects="an array of shape (2,)",
)
def readout(answer):
    """Shares of the digits behind two frozen layers and behind thirty, to a fifth.

    Behind two layers they are .98 to .99 from each of four starts (.82 without the unit variance),
    behind thirty .10 (.13 after 2000 steps).
    """
    two, thirty = np.asarray(answer, float)
    if not (0 <= two <= 1 and 0 <= thirty <= 1):
        return "Give shares, from 0 to 1."
    right = np.array([_readout_alone(2), _readout_alone(30)])
    if np.abs(right - (two, thirty)).max() < 0.2:
        return True
    if np.abs(right[::-1] - (two, thirty)).max() < 0.2:
        return "The two layers come first."
    if abs(two - right[0]) < 0.2:
        return "Behind two layers, yes. Behind thirty, what is left that tells digits apart?"
    if abs(thirty - right[1]) < 0.2 and two < right[0]:
        return (
            "Behind thirty, yes. Two random layers leave more: let the read-out learn for longer."
        )
    return False


@exercise(
    "no-learning-adam",
    hint="In the first step both running means, once corrected for their start, are those of one "
    "derivative alone. What is added below?",
    expects="a function",
)
def adam(answer):
    """Adam's first step for one derivative, in units of η, as a function of g and ε."""
    with jax.enable_x64(True), jax.numpy_dtype_promotion("standard"):  # as optax needs it
        for key in jax.random.split(jax.random.key(0), DRAWS):
            g, epsilon = (
                float(x) for x in 10 ** jax.random.uniform(key, (2,), minval=-12, maxval=-6)
            )
            rule, weight = optax.adam(1.0, eps=epsilon), jnp.zeros(())
            step = -float(rule.update(jnp.asarray(g), rule.init(weight))[0])
            said = abs(float(answer(g, epsilon)))
            if np.isclose(said, 1, rtol=1e-3) and not np.isclose(step, 1, rtol=1e-3):
                return f"That is Adam without ε. Try a g of {g:.0e} with an ε of {epsilon:.0e}."
            if not np.isclose(said, step, rtol=1e-3):
                return False
    return True


# A loss that rests falls by less than a twentieth in the second half of its run; one that learns
# ends a fifth below it.
_RESTS, _LEARNS = 0.95, 0.8


@exercise(
    "no-learning-own",
    hint="Give two histories, as vg.train returns them: the run that rests, and the one that "
    "differs in your last suspect alone.",
    expects="a tuple",
)
def own(answer):
    """Whether the loss of the first run rests, and that of the second, as long, goes further."""
    if len(answer) != 2 or not all(isinstance(history, History) for history in answer):
        return False
    rests, learns = answer
    if rests.diverged or learns.diverged:
        return "One of the runs diverged: that is another disease. Take a smaller learning rate."
    if len(rests.step) < 3 or rests.step[-1] != learns.step[-1]:
        return "Train both for as many steps, with three records or more: else time is a suspect."
    half = rests.loss[len(rests.loss) // 2]
    if rests.loss[-1] < _RESTS * half:
        return f"The first still learns: halfway its loss is {half:.3g}, then {rests.loss[-1]:.3g}."
    if learns.loss[-1] > _LEARNS * rests.loss[-1]:
        return (
            f"The second ends at {learns.loss[-1]:.3g}, the first at {rests.loss[-1]:.3g}: that "
            "suspect is not the cause."
        )
    return True
