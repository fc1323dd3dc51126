"""Exercises of the chapter "Your own network"."""

import math

import jax
import jax.numpy as jnp

from vanishing.book.checks import exercise
from vanishing.inspection.report import Report


@exercise(
    "your-own-network-guessing",
    hint="Every class gets the same probability. What is −ln of it?",
)
def guessing():
    """The cross-entropy of a uniform guess among 1000 classes."""
    return math.log(1000)


@exercise(
    "your-own-network-gate",
    hint="What must one gate be, if sixty equal ones make ½? Then undo the sigmoid.",
)
def gate():
    """The b with which sixty gates σ(b) together keep half."""
    keep = 0.5 ** (1 / 60)
    return math.log(keep / (1 - keep))


@exercise(
    "your-own-network-scale",
    hint="float16 rounds to zero below 2^-25. Which power of two lifts 1e-9 above that?",
    tolerance=0.0,
)
def scale():
    """The smallest power of two that lifts a gradient of 1e-9 above half of 2^-24."""
    return 2 ** math.ceil(math.log2(2.0**-25 / 1e-9))


@exercise(
    "your-own-network-root",
    hint="The gradient of the branch that is not taken is multiplied by zero. Make it finite.",
    inputs=lambda key: (jax.random.normal(key, (6,)) * jnp.array([1.0, 1.0, 1.0, 0.0, 1.0, 0.0]),),
)
def root():
    """The square root of the positive numbers, 0 elsewhere, with a gradient that is finite."""

    def safe(x):
        positive = x > 0
        return jnp.where(positive, jnp.sqrt(jnp.where(positive, x, 1.0)), 0.0)

    return lambda x: jnp.stack([safe(x), jax.grad(lambda x: jnp.sum(safe(x)))(x)])


@exercise(
    "your-own-network-memory",
    hint="How large is Adam's first step in every entry? The ratio is relative to the weights.",
)
def memory():
    """The update ratio of Adam's first step at a rate of 0.003 for weights of RMS 0.25."""
    return 0.003 / 0.25


@exercise(
    "your-own-network-unused",
    hint="The report knows of a parameter if it is in what you hand over as params. Does it have "
    "a row for yours?",
    expects="a Report",
)
def unused(report):
    """Whether a report has a parameter that the loss does not depend on, and says so."""
    if not isinstance(report, Report):
        return False
    idle = [parameter for parameter in report.parameters.values() if not parameter.used]
    if not idle and any(parameter.share_zero == 1 for parameter in report.parameters.values()):
        return "A gradient is zero there, yet the loss reads every parameter."
    return bool(idle)


@exercise(
    "your-own-network-own",
    hint="Give four things: the report before, the report after, a layer as the table names it, "
    "and 'grows' or 'falls', your prediction for its gradient.",
    expects="a tuple",
)
def own(answer):
    """Whether the gradient of one layer went from one report to the other as predicted."""
    if len(answer) != 4 or not all(isinstance(report, Report) for report in answer[:2]):
        return False
    before, after, layer, word = answer
    if word not in ("grows", "falls"):
        return "The last is 'grows' or 'falls'."
    if before.parameters.keys() != after.parameters.keys():
        return "These are reports of two networks. Inspect one, twice."
    changes = {name: change for name, _, change in before.compare(after).changes}
    if layer not in changes:
        return f"No row of that name; one of them is {next(iter(changes), 'none')!r}."
    change = changes[layer]
    if not abs(change) > 1e-3:
        return "Nothing has changed there that could be told from rounding. Train in between."
    if (change > 0) != (word == "grows"):
        return "It went the other way. Look at the rows above and below it: what happened there?"
    return True
