"""The clinic's one program: it trains any patient under any cure, here and on the reader's page.

Every network of the clinic is an `MLP`, and one executable serves them all.
"""

import math
from functools import lru_cache, partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jax.typing import ArrayLike
from jaxtyping import Array, Float, PRNGKeyArray, UInt8

from vanishing import activations
from vanishing._layers import normalize, read_out, scan
from vanishing.book.clinic.patients import ACTIVATIONS, DEPTH, Patient, traced
from vanishing.book.digits import EXAMPLES, digits, standardised
from vanishing.network import MLP, init
from vanishing.probe import rescale
from vanishing.training import batches, losses, update

WIDTH, CLASSES = 64, 10  # a digit has 8 × 8 pixels
BATCH, STEPS = 32, 80
#: The loss drawn is a running mean over about so many batches.
MEMORY = 10


def start(patient: Patient, *, key: PRNGKeyArray) -> update.State:
    """The network before its first step.

    Args:
        patient: the description; its numbers may be traced.
        key: JAX random key.
    """

    def drawn(**scales):
        return init(MLP(DEPTH, WIDTH, out_features=CLASSES, **scales), key=key)

    def gaussian():
        params = drawn(sigma_w=patient.sigma_w, sigma_b=0.0)
        return params | {"biases": jnp.full((DEPTH, WIDTH), patient.bias)}

    params = lax.cond(patient.sigma_w > 0, gaussian, lambda: drawn(initializer="pytorch"))
    return update.start(_rule(patient), params)


def _rule(patient: Patient):
    return update.optimizer_named("sgd", patient.rate)


def _normalized(kind, z: Float[Array, "batch width"]) -> Float[Array, "batch width"]:
    batch = partial(normalize, MLP(1, WIDTH, normalization="batch"))

    def detached(z):
        mean = lax.stop_gradient(jnp.mean(z, axis=0, keepdims=True))
        variance = lax.stop_gradient(jnp.mean((z - mean) ** 2, axis=0, keepdims=True))
        return (z - mean) * lax.rsqrt(variance + 1e-5)

    return lax.switch(kind, (lambda z: z, batch, detached), z)


class Readings(NamedTuple):
    """What the instruments say of each layer, on one batch; NaN where there is no layer.

    Attributes:
        spread: log₁₀ RMS of what φ receives.
        dead: share of units whose slope is exactly zero on every row of the batch.
        saturated: share of (row, unit) pairs whose slope is below 1% of the largest.
        alike: mean cosine between the h_l of two different rows.
    """

    spread: Float[Array, " depth"]
    dead: Float[Array, " depth"]
    saturated: Float[Array, " depth"]
    alike: Float[Array, " depth"]


def forward(patient: Patient, params, x) -> tuple[Float[Array, "batch out"], Readings]:
    """Outputs and readings; the network is that of `MLP`, plain or residual.

    Args:
        patient: the description; its numbers may be traced.
        params: from `start`.
        x: standardised digits, [batch, 64].
    """
    phi = activations.switch(patient.activation, ACTIVATIONS)
    slope_of = activations.derivative(phi)
    largest = jnp.array([0.25, 1.0, 1.0])[patient.activation]

    def plain(h, weights, biases):
        pre = _normalized(patient.normalization, h @ weights + biases[None])
        return phi(pre), pre

    def residual(h, weights, biases):
        pre = _normalized(patient.normalization, h)
        return h + patient.residual * (phi(pre) @ weights + biases[None]), pre

    def layer(h, weights, biases):
        post, pre = lax.cond(patient.residual > 0, residual, plain, h, weights, biases)
        slope = lax.stop_gradient(jnp.abs(slope_of(pre)))
        return post, Readings(
            spread=_decades(lax.stop_gradient(pre)),
            dead=jnp.mean((jnp.max(slope, axis=0) == 0).astype(slope.dtype)),
            saturated=jnp.mean((slope < 0.01 * largest).astype(slope.dtype)),
            alike=_alike(lax.stop_gradient(post)),
        )

    h, readings = scan(layer, x, (params["weights"], params["biases"]), patient.depth)
    return read_out(params, h), readings


def _decades(array) -> Float[Array, ""]:
    return rescale(array)[1] / math.log(10)


def _alike(h: Float[Array, "batch width"]) -> Float[Array, ""]:
    """Mean cosine of all pairs: |Σ u|² counts each pair twice, and each row with itself."""
    unit = rescale(h)[0]
    length = jnp.sqrt(jnp.sum(unit**2, axis=1, keepdims=True))
    total = jnp.sum(unit / jnp.where(length > 0, length, 1), axis=0)
    rows = h.shape[0]
    return (jnp.sum(total**2) - rows) / (rows * (rows - 1))


class Made(NamedTuple):
    """A step, and what was read before it was made.

    Attributes:
        loss, correct: of the batch.
        gradient: log₁₀ RMS of ∂C/∂W_l; −∞ where it is exactly zero, NaN where there is no layer.
        readings: of the batch.
    """

    loss: Float[Array, ""]
    correct: Float[Array, ""]
    gradient: Float[Array, " depth"]
    readings: Readings


def step(patient: Patient, state: update.State, rows: UInt8[Array, "batch 65"]):
    """One step of gradient descent → the next state, and `Made`."""
    data = standardised(rows)

    def cost(params):
        outputs, readings = forward(patient, params, data.x)
        return losses.loss(outputs, data.y), (outputs, readings)

    after, made = update.descend(cost, _rule(patient), state)
    outputs, readings = made.outputs
    size = jax.vmap(_decades)(made.delta["weights"]) - jnp.log10(patient.rate)
    gradient = jnp.where(jnp.arange(DEPTH) < patient.depth, size, jnp.nan)
    return after, Made(made.loss, losses.accuracy(outputs, data.y), gradient, readings)


#: Of `batches`, over the clinic's memory.
running_mean = partial(batches.running_mean, memory=MEMORY)


@jax.jit
def smooth(values: Float[ArrayLike, " steps"]) -> Float[Array, " steps"]:
    """`running_mean` of a whole curve.

    >>> smooth(jnp.array([1.0, 3.0, 5.0])).tolist()
    [1.0, 2.0, 3.0]
    """

    def one(mean, place):
        step, value = place
        mean = running_mean(mean, value, step=step)
        return mean, mean

    values = jnp.asarray(values)
    return lax.scan(one, jnp.zeros((), values.dtype), (jnp.arange(len(values)), values))[1]


def unread() -> Made:
    """What there is to read before the first step."""
    none, layers = jnp.full((), jnp.nan), jnp.full((DEPTH,), jnp.nan)
    return Made(none, none, layers, Readings(layers, layers, layers, layers))


class Course(NamedTuple):
    """A whole run.

    Attributes:
        loss: of each batch, [steps]; NaN from the step on that could not be made.
        first, last: `Made` of the first step, and of the last that could be made.
        trouble: 0, or why it stopped, see `training.history.TROUBLES`.
    """

    loss: Float[Array, " steps"]
    first: Made
    last: Made
    trouble: Array


@jax.jit
def _course(patient: Patient, key, rows) -> Course:
    weight_key, batch_key = jax.random.split(key)

    def go(carry, t):
        state, order, first, last = carry
        batch, order = batches.draw(rows, order, key=batch_key, step=t, size=BATCH)
        after, made = step(patient, state, batch)
        going = after.trouble == 0
        last = jax.tree.map(partial(jnp.where, going | (t == 0)), made, last)
        first = jax.tree.map(partial(jnp.where, t == 0), made, first)
        return (after, order, first, last), jnp.where(going, made.loss, jnp.nan)

    def one(carry, t):
        lost = carry[0].trouble > 0
        return lax.cond(lost, lambda carry, t: (carry, jnp.full((), jnp.nan)), go, carry, t)

    carry = (start(patient, key=weight_key), batches.start(EXAMPLES), unread(), unread())
    (state, _, first, last), loss = lax.scan(one, carry, jnp.arange(STEPS))
    return Course(loss, first, last, state.trouble)


@lru_cache(maxsize=512)
def course(patient: Patient, seed: int = 0) -> Course:
    """Train a patient for `STEPS` steps on the digits, and read the instruments at both ends.

    >>> from vanishing.book.clinic.patients import PATIENTS
    >>> found = course(PATIENTS["C"])
    >>> bool(found.loss[-1] > 2), bool(found.first.gradient[0] < -8)
    (True, True)
    """
    return jax.device_get(_course(traced(patient), jax.random.key(seed), jnp.asarray(digits())))


def final_loss(patient: Patient, seed: int = 0) -> float:
    """Running mean of the loss at the end of a run; infinite where the run was lost.

    >>> from vanishing.book.clinic.patients import PATIENTS
    >>> final_loss(PATIENTS["E"])
    inf
    """
    end = smooth(course(patient, seed).loss)[-1]
    return math.inf if math.isnan(end) else float(end)
