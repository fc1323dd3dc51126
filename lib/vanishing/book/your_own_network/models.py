"""Three small models in plain JAX, as readers write them: each with a fault, and without it.

A convolutional network that is fed raw pixels, a GRU whose gate is half open from the start, and
a transformer whose mask leaves an empty sentence nothing to look at.
"""

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import lax
from jaxtyping import Array, Float, Integer, PRNGKeyArray

from vanishing import datasets
from vanishing.training import losses

TIME, HIDDEN = 60, 16
LENGTH, WORDS, FEATURES = 8, 6, 16
SGD, ADAM = optax.sgd(0.05), optax.adam(0.01)


class Case(NamedTuple):
    """A model with its data, ready to be inspected and trained.

    Attributes:
        loss: loss(params, *batch) → one number.
        params: at the start, a pytree of floats.
        batch: the data, two or three arrays with the examples along the first axis; the classes
            [examples] come last.
        optimizer: an optax optimiser.
    """

    loss: Callable
    params: dict
    batch: tuple
    optimizer: optax.GradientTransformation


def _normal(key: PRNGKeyArray, *shape: int, gain: float = 1.0) -> Float[Array, "*shape"]:
    """Normal weights of variance gain² / fan-in."""
    return gain * jax.random.normal(key, shape) / float(np.prod(shape[:-1])) ** 0.5


def biased(x: Float[Array, "*shape"], b: Float[Array, "*end"]) -> Float[Array, "*shape"]:
    """x + b, the same b everywhere."""
    return x + jnp.broadcast_to(b, x.shape)


def affine(x: Float[Array, "b i"], layer: dict) -> Float[Array, "b o"]:
    """x w + b."""
    return biased(x @ layer["w"], layer["b"])


def convolve(x: Float[Array, "b r c i"], layer: dict, stride: int) -> Float[Array, "b R C o"]:
    """A 3 × 3 convolution and its bias."""
    product = lax.conv_general_dilated(
        x, layer["w"], (stride, stride), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")
    )
    return biased(product, layer["b"])


def convolution_loss(
    params: dict, pictures: Float[Array, "b 8 8 1"], classes: Integer[Array, " b"]
):
    """Two convolutions with ReLU, a linear read-out, cross-entropy."""
    h = jax.nn.relu(convolve(pictures, params["first"], 1))
    h = jax.nn.relu(convolve(h, params["second"], 2))
    return losses.loss(affine(h.reshape(len(h), -1), params["out"]), classes)


def convolution(cured: bool, *, key: PRNGKeyArray) -> Case:
    """Digits [256, 8, 8, 1]; sick, the pixels run from 0 to 255, cured, their variance is 1."""
    images, classes = datasets.digit_images()
    pixels = images[:256].reshape(-1, 8, 8, 1) * (255 / 16)
    if cured:
        pixels = (pixels - pixels.mean()) / pixels.std()
    keys = jax.random.split(key, 3)
    shapes = {"first": (3, 3, 1, 8), "second": (3, 3, 8, 16), "out": (256, 10)}
    params = {
        name: {"w": _normal(k, *shape, gain=2**0.5), "b": jnp.zeros(shape[-1])}
        for k, (name, shape) in zip(keys, shapes.items(), strict=True)
    }
    batch = jnp.asarray(pixels, jnp.result_type(float)), jnp.asarray(classes[:256])
    return Case(convolution_loss, params, batch, SGD)


def gru_step(params: dict, h: Float[Array, "b n"], x: Float[Array, "b i"]) -> Float[Array, "b n"]:
    """h′ = k h + (1 − k) n: the gate k keeps, the candidate n replaces, r resets."""
    both = jnp.concatenate([x, h], axis=1)
    keep = jax.nn.sigmoid(affine(both, params["keep"]))
    reset = jax.nn.sigmoid(affine(both, params["reset"]))
    mixed = jnp.concatenate([x, reset * h], axis=1)
    return keep * h + (1 - keep) * jnp.tanh(affine(mixed, params["new"]))


def gru_loss(params: dict, x: Float[Array, "b time i"], classes: Integer[Array, " b"]):
    """Read a sequence, then answer: cross-entropy of the answer."""

    def turn(h, now):
        return gru_step(params, h, now), None

    start = jnp.zeros((len(x), HIDDEN))
    h, _ = lax.scan(turn, start, jnp.swapaxes(x, 0, 1))
    return losses.loss(affine(h, params["out"]), classes)


def gru(cured: bool, *, key: PRNGKeyArray) -> Case:
    """Remember the sign of a number through 59 silent steps, x [64, 60, 1]; cured, k starts at
    1 − 1/60."""
    *keys, data = jax.random.split(key, 5)
    params = {
        name: {"w": _normal(k, HIDDEN + 1, HIDDEN), "b": jnp.zeros(HIDDEN)}
        for k, name in zip(keys, ("keep", "reset", "new"), strict=False)
    }
    params["out"] = {"w": _normal(keys[3], HIDDEN, 2), "b": jnp.zeros(2)}
    if cured:
        params["keep"]["b"] += float(np.log(TIME - 1.0))
    first = jax.random.normal(data, (64, 1, 1))
    x = jnp.pad(first, ((0, 0), (0, TIME - 1), (0, 0)))  # a number, then silence
    return Case(gru_loss, params, (x, (x[:, 0, 0] > 0).astype(jnp.int32)), ADAM)


def attention(block: dict, x: Float[Array, "b t f"], here: Array, hidden: float):
    """Every position looks at the positions that are `here`; a score of `hidden` for the others."""
    q, k, v = (x @ block[name] for name in ("q", "k", "v"))
    scores = jnp.einsum("bif,bjf->bij", q, k) / FEATURES**0.5
    scores = jnp.where(here[:, None, :], scores, hidden)
    return jax.nn.softmax(scores) @ v


@cache
def transformer_loss(hidden: float) -> Callable:
    """Two blocks of attention and two linear layers, the mean over positions, cross-entropy."""

    def loss(params, words, lengths, classes):
        here = jnp.arange(LENGTH)[None] < lengths[:, None]
        h = biased(jax.nn.one_hot(words, WORDS) @ params["words"], params["places"])
        for block in params["blocks"]:
            h = h + attention(block, jax.nn.standardize(h), here, hidden)
            h = h + jax.nn.gelu(jax.nn.standardize(h) @ block["up"]) @ block["down"]
        total = jnp.sum(jnp.where(here[..., None], h, 0.0), axis=1)
        mean = total / jnp.maximum(lengths, 1)[:, None].astype(total.dtype)
        return losses.loss(mean @ params["out"], classes)

    return loss


def transformer(cured: bool, *, key: PRNGKeyArray) -> Case:
    """Does word 0 occur? Sentences have 0 to 8 words, as numbers [sentences, 8]; the sick mask
    is −∞, the cured one −10⁹."""
    first, *keys = jax.random.split(key, 15)
    draw = iter(keys)
    shapes = {name: (FEATURES, FEATURES) for name in ("q", "k", "v")}
    shapes |= {"up": (FEATURES, 4 * FEATURES), "down": (4 * FEATURES, FEATURES)}
    params = {
        "words": _normal(next(draw), WORDS, FEATURES, gain=WORDS**0.5),
        "places": 0.1 * jax.random.normal(next(draw), (LENGTH, FEATURES)),
        "blocks": [
            {name: _normal(next(draw), *shape) for name, shape in shapes.items()} for _ in range(2)
        ],
        "out": _normal(next(draw), FEATURES, 2),
    }
    one, two = jax.random.split(first)
    words = jax.random.randint(one, (64, LENGTH), 0, WORDS)
    lengths = jax.random.randint(two, (64,), 0, LENGTH + 1)
    lengths = lengths.at[0].set(0)  # one empty sentence at least
    occurs = jnp.any((words == 0) & (jnp.arange(LENGTH)[None] < lengths[:, None]), axis=1)
    loss = transformer_loss(-1e9 if cured else -jnp.inf)
    return Case(loss, params, (words, lengths, occurs.astype(jnp.int32)), ADAM)


#: The models, by the name that the chapter gives them.
MODELS: dict[str, Callable[..., Case]] = {
    "convolution": convolution,
    "GRU": gru,
    "transformer": transformer,
}


@cache
def _step(loss: Callable, optimizer: optax.GradientTransformation) -> Callable:
    """One step of plain training, compiled."""

    @jax.jit
    def step(params, state, batch):
        cost, gradient = jax.value_and_grad(loss)(params, *batch)
        with jax.numpy_dtype_promotion("standard"):  # optax raises floats to powers of counters
            delta, state = optimizer.update(gradient, state, params)
        return optax.apply_updates(params, delta), state, cost

    return step


def train(case: Case, steps: int) -> tuple[Case, Float[np.ndarray, " steps"]]:
    """Plain full-batch training that goes on whatever happens, as most loops do.

    Returns:
        The case with its trained parameters, and the loss before each step.
    """
    step, params = _step(case.loss, case.optimizer), case.params
    state, curve = case.optimizer.init(params), []
    for _ in range(steps):
        params, state, cost = step(params, state, case.batch)
        curve.append(float(cost))
    return case._replace(params=params), np.array(curve)
