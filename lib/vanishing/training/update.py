"""One training step and its read-outs: pure, of static shapes, for any compiler."""

from collections.abc import Callable
from functools import partial, reduce
from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax
from jax.typing import ArrayLike
from jaxtyping import Array, Float, Int, PyTree

from vanishing.datasets import Dataset
from vanishing.network import MLP, Params, apply
from vanishing.probe import rescale
from vanishing.training import losses, passes
from vanishing.training.history import Record

# Heavy-ball momentum and Adam's β₁, β₂, ε: the defaults of their papers (Polyak 1964 has no
# default; 0.9 is everybody's; Kingma & Ba 2015).
OPTIMIZERS = {
    "sgd": optax.sgd,
    "momentum": partial(optax.sgd, momentum=0.9),
    "adam": partial(optax.adam, b1=0.9, b2=0.999, eps=1e-8),
}
Optimizer = str | optax.GradientTransformation


class State(NamedTuple):
    """Everything that a step changes.

    Attributes:
        params: θ, a network's parameters, or any pytree of floats.
        optimizer: the optimiser's own state.
        step: steps made.
        trouble: 0, or which of `history.TROUBLES` stopped the run; such a state stays as it is.
    """

    params: PyTree[Array]
    optimizer: optax.OptState
    step: Int[Array, ""]
    trouble: Int[Array, ""]


def optimizer_named(optimizer: Optimizer, learning_rate) -> optax.GradientTransformation:
    """The optax transformation: "sgd", "momentum" or "adam" with a learning rate (which may be
    traced, so that one executable serves every value), or the transformation given.

    >>> sgd = optimizer_named("sgd", 0.5)
    >>> sgd.update(2.0, sgd.init(2.0))[0]
    -1.0
    """
    return OPTIMIZERS[optimizer](learning_rate) if isinstance(optimizer, str) else optimizer


def start(optimizer: optax.GradientTransformation, params: PyTree[Array]) -> State:
    """The state before the first step.

    Args:
        optimizer: an optax transformation, see `optimizer_named`.
        params: from `init`, or any pytree of float arrays, of any shapes.

    >>> net = vg.MLP(depth=2, width=4)
    >>> state = start(optimizer_named("sgd", 0.1), vg.init(net, key=jax.random.key(0)))
    >>> int(state.step), int(state.trouble)
    (0, 0)
    """
    zero = jnp.zeros((), jnp.int32)
    return State(params, optimizer.init(params), zero, zero)


class Made(NamedTuple):
    """What an update was made from, before it was added.

    Attributes:
        delta: Δθ, what the optimiser adds; of the structure of the parameters.
        loss: C at the parameters before the update.
        outputs: what the cost returned beside it: ŷ on the batch, there too.
    """

    delta: PyTree[Array]
    loss: Float[Array, ""]
    outputs: PyTree[Array]


def _finite(tree) -> Array:
    floats = [leaf for leaf in jax.tree.leaves(tree) if jnp.issubdtype(leaf.dtype, jnp.floating)]
    return reduce(jnp.logical_and, [jnp.all(jnp.isfinite(leaf)) for leaf in floats])


def descend(
    cost: Callable[[PyTree[Array]], tuple[Float[Array, ""], PyTree[Array]]],
    optimizer: optax.GradientTransformation,
    state: State,
) -> tuple[State, Made]:
    """One step down a cost; one that is not finite is not made.

        θ ← θ + Δθ,   Δθ = optimiser(∂C/∂θ)

    Args:
        cost: θ → C and the outputs that it is the cost of.
        optimizer: an optax transformation, see `optimizer_named`.
        state: from `start`, or from the last step.

    Returns:
        The state after the step, and what it was `Made` from. Where the loss, the gradient or
        the parameters (the optimiser's own state among them) would be infinite or NaN, the state
        given, with `trouble` saying which.

    >>> sgd = optimizer_named("sgd", 0.25)
    >>> state, made = descend(lambda x: (x**2, x), sgd, start(sgd, jnp.float32(2.0)))
    >>> float(state.params), float(made.loss)
    (1.0, 4.0)
    """
    (loss, outputs), gradient = jax.value_and_grad(cost, has_aux=True)(state.params)
    state, delta = _move(optimizer, state, loss, gradient)
    return state, Made(delta, loss, outputs)


def _move(optimizer, state: State, loss, gradient) -> tuple[State, PyTree[Array]]:
    """The state after a step and Δθ, see `descend`."""
    with jax.numpy_dtype_promotion("standard"):  # optax raises floats to powers of its counters
        delta, inner = optimizer.update(gradient, state.optimizer, state.params)
    params = optax.apply_updates(state.params, delta)
    after = jnp.where(_finite((params, inner)), 0, 3)
    trouble = jnp.where(jnp.isfinite(loss), jnp.where(_finite(gradient), after, 2), 1)
    trouble = jnp.where(state.trouble > 0, state.trouble, trouble)
    moved, stays = (params, inner, state.step + 1), tuple(state[:3])
    kept = jax.tree.map(partial(jnp.where, trouble == 0), moved, stays)
    return State(*kept, trouble), delta


def update(
    net: MLP,
    optimizer: optax.GradientTransformation,
    state: State,
    batch: Dataset,
    depth: Int[ArrayLike, ""] | None = None,
) -> tuple[State, Made]:
    """One step of gradient descent on a batch, `descend` for a network.

    The gradient is plain `jax.grad`, underflow included: this is how a network is trained, while
    `probe` is how it is measured. A step that is not finite is not made.

    Args:
        net: the description.
        optimizer: an optax transformation, see `optimizer_named`.
        state: from `start`, or from the last update.
        batch: what the gradient is taken on: float x [batch, features], and targets.
        depth: use the first `depth` layers only (may be traced); the others do not move.

    Returns:
        The state after the step, and what it was `Made` from.

    >>> data = vg.datasets.two_moons(64, key=jax.random.key(0))
    >>> net = vg.MLP(depth=2, width=8, in_features=2, out_features=1)
    >>> sgd = optimizer_named("sgd", 0.1)
    >>> state, made = update(net, sgd, start(sgd, vg.init(net, key=jax.random.key(1))), data)
    >>> int(state.step), made.outputs.shape
    (1, (64, 1))
    """

    def cost(params):
        outputs = apply(net, params, batch.x, depth)
        return losses.loss(outputs, batch.y), outputs

    return descend(cost, optimizer, state)


def _log10_rms(array: Float[Array, "*shape"]) -> Float[Array, ""]:
    return rescale(array)[1] / jnp.log(10.0).astype(array.dtype)


def read(
    net: MLP,
    state: State,
    delta: Params,
    data: Dataset,
    initial: Float[Array, "depth width width"],
) -> Record:
    """All read-outs of a state.

    Args:
        net: the description.
        state: from `start` or `update`.
        delta: Δθ, what the optimiser is about to add.
        data: what the read-outs refer to, with float x and integer classes or float targets.
        initial: W(0), the hidden weights that `moved` compares with.
    """
    return _record(passes.scaled(net, state.params, data), state, delta, data, initial)


def _record(seen: passes.Seen, state: State, delta: Params, data: Dataset, initial) -> Record:
    signals, weights, size = seen.signals, state.params["weights"], jax.vmap(_log10_rms)
    return Record(
        loss=seen.loss,
        accuracy=losses.accuracy(seen.outputs, data.y),
        log_gradient_rms=signals.log_gradient_rms,
        log_weight_gradient_rms=signals.log_weight_gradient_rms,
        log10_update_ratio=size(delta["weights"]) - size(weights),
        activation_rms=signals.activation_rms,
        dead_fraction=signals.dead_fraction,
        saturated_fraction=signals.saturated_fraction,
        dead_units=signals.dead,
        moved=10 ** (size(weights - initial) - size(initial)),
    )


def update_and_read(
    net: MLP,
    optimizer: optax.GradientTransformation,
    state: State,
    data: Dataset,
    initial: Float[Array, "depth width width"],
    batch: Dataset | None = None,
) -> tuple[State, Record]:
    """One training step and the read-outs of the state *before* it. Pure; compiles anywhere.

    Without a batch of its own, one pass gives the gradient and the read-outs, see `passes.plain`.

    Args:
        net: the description.
        optimizer: an optax transformation, see `optimizer_named`.
        state: from `start`, or from the last step.
        data: what the read-outs refer to, with float x and integer classes or float targets.
        initial: W(0), the hidden weights before the first step.
        batch: what the gradient is taken on; `data` where None.

    Returns:
        The state after the step, and the `Record` of the state given.

    >>> data = vg.datasets.two_moons(64, key=jax.random.key(0))
    >>> net = vg.MLP(depth=2, width=8, in_features=2, out_features=1)
    >>> adam, params = optimizer_named("adam", 0.01), vg.init(net, key=jax.random.key(1))
    >>> go = jax.jit(lambda state: update_and_read(net, adam, state, data, params["weights"]))
    >>> state, record = go(start(adam, params))
    >>> int(state.step), float(record.moved[0])
    (1, 0.0)
    """
    if batch is not None:
        new, made = update(net, optimizer, state, batch)
        return new, read(net, state, made.delta, data, initial)
    loss, gradient, seen = passes.plain(net, state.params, data)
    new, delta = _move(optimizer, state, loss, gradient)
    return new, _record(seen, state, delta, data, initial)
