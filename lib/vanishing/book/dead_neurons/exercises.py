"""Exercises of the chapter "Dead neurons"."""

import math

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.stats import norm

from vanishing import datasets
from vanishing.book.checks import DRAWS, exercise
from vanishing.network import MLP, apply, init
from vanishing.probe import dead_units
from vanishing.studies import deaths


@exercise(
    "dead-neurons-orthogonal",
    hint="What does orthogonality say about the ten numbers w·x, and how likely is each below 0?",
)
def orthogonal():
    """The probability that ten independent signs are all negative."""
    return 0.5**10


@exercise(
    "dead-neurons-width",
    hint="How many of the fifty layers are ReLU layers? No algebra is needed: N is small.",
    tolerance=0.0,
)
def width():
    """The smallest N with which fifty layers are silent with a probability below 1%."""
    return next(n for n in range(1, 100) if 1 - (1 - 2.0**-n) ** 49 < 0.01)


@exercise(
    "dead-neurons-decay",
    hint="Which of the two terms of z shrinks, and to which size must it? Steps are whole.",
    tolerance=0.0,
)
def decay():
    """Steps until a decay of the weights alone has brought −0.8 above −0.2."""
    return math.ceil(math.log(0.2 / 0.8) / math.log(1 - 0.001))


@exercise(
    "dead-neurons-coast",
    hint="Write down the first three moves after the death, and compare each with the one before.",
)
def coast():
    """Σ η β^t · 2 over all steps t = 1, 2, … after the death."""
    return 2 * 0.01 * 0.9 / (1 - 0.9)


@exercise(
    "dead-neurons-bias",
    hint="w·x is normal with mean 0. What is its variance, and where does z = 0 lie on it?",
    inputs=lambda key: (jax.random.normal(key, ()),),
)
def bias():
    """P(w·x + b ≤ 0) with w·x normal of variance 2, as a function of b."""
    return lambda b: norm.cdf(-b / math.sqrt(2))


@exercise(
    "dead-neurons-prune",
    hint="Compare dead_units before, and the outputs before and after.",
    expects="a function",
)
def prune(answer):
    """Whether all that leads out of the dead is gone, and nothing else, bit by bit."""
    key, data_key = jax.random.split(jax.random.key(0))
    net = MLP(4, 16, "relu", "he", out_features=2)
    x = datasets.lift(datasets.two_moons(64, key=data_key), 16).x
    params, _ = deaths.kill(net, init(net, key=key), x, 0.1, key=key)
    dead = dead_units(net, params, x)
    pruned = answer(net, params, x)
    if jax.tree.map(jnp.shape, pruned) != jax.tree.map(jnp.shape, params):
        return "Return the parameters of the same network, weights of the same shapes."
    if jnp.any(apply(net, pruned, x) != apply(net, params, x)):
        return (
            "The outputs are others now. Which layer does dead[l] speak of, and is it rows or "
            "columns of the next matrix that lead out of it?"
        )
    hidden = params["weights"].at[1:].set(jnp.where(dead[:-1, :, None], 0, params["weights"][1:]))
    out = jnp.where(dead[-1][:, None], 0, params["read_out"]["weights"])
    if jnp.any(pruned["read_out"]["weights"][dead[-1]] != 0):
        return "The dead of the last layer still lead to the read-out."
    if jnp.any(jnp.where(dead[:-1, :, None], pruned["weights"][1:], 0) != 0):
        return "Some dead unit still has weights that lead out of it."
    right = params | {"weights": hidden, "read_out": params["read_out"] | {"weights": out}}
    if not jax.tree.all(jax.tree.map(lambda one, other: jnp.all(one == other), pruned, right)):
        return "The outputs are the same, but you changed more than what leads out of the dead."
    return True


@exercise(
    "dead-neurons-count",
    hint="Look at neighbouring records: a death is a unit that was alive in the one and is dead "
    "in the next.",
    expects="a function",
)
def count(answer):
    """Whether a function counts the born dead, deaths, returns, and the dead at the end."""
    for key in jax.random.split(jax.random.key(0), DRAWS):
        dead = np.asarray(jax.random.bernoulli(key, 0.3, (6, 3, 8)))
        said = np.asarray(answer(dead), float)
        if said.shape != (4,):
            return "Return four numbers: born dead, deaths, returns, dead at the end."
        turns = np.diff(dead.astype(int), axis=0)
        right = (dead[0].sum(), (turns == 1).sum(), (turns == -1).sum(), dead[-1].sum())
        if said[0] + said[1] - said[2] != said[3]:
            return (
                "Those born dead and the deaths, less the returns, are those dead at the end: "
                "yours do not add up."
            )
        if tuple(said) == (
            right[0],
            max(right[3] - right[0], 0),
            max(right[0] - right[3], 0),
            right[3],
        ):
            return "You compared the first record with the last; units turn in between, and back."
        if tuple(said) != right:
            return False
    return True
