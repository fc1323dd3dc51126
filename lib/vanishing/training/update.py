"""One training step and its read-outs: pure, of static shapes, for any compiler."""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, Int

from vanishing.datasets import Dataset
from vanishing.network import MLP, Params, apply
from vanishing.probe import probe_vjp, rescale
from vanishing.training import losses
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
    """Everything that a step changes, and what it compares with.

    Attributes:
        params: the network's parameters.
        optimizer: the optimiser's own state.
        start: the hidden weights before the first step.
        step: steps made.
        trouble: 0, or which of `history.TROUBLES` stopped the run; such a state stays as it is.
    """

    params: Params
    optimizer: optax.OptState
    start: Float[Array, "depth width width"]
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


def begin(optimizer: optax.GradientTransformation, params: Params) -> State:
    """The state before the first step.

    >>> net = vg.MLP(depth=2, width=4)
    >>> state = begin(optimizer_named("sgd", 0.1), vg.init(net, key=jax.random.key(0)))
    >>> int(state.step), state.start.shape
    (0, (2, 4, 4))
    """
    zero = jnp.zeros((), jnp.int32)
    return State(params, optimizer.init(params), params["weights"], zero, zero)


def _finite(tree) -> Array:
    return jnp.all(jnp.stack([jnp.all(jnp.isfinite(leaf)) for leaf in jax.tree.leaves(tree)]))


def advance(
    net: MLP, optimizer: optax.GradientTransformation, state: State, batch: Dataset
) -> tuple[State, Params]:
    """One step of gradient descent on `batch`: the new state, and the update ΔW that led there.

        θ ← θ + Δθ,   Δθ = optimiser(∂C/∂θ)

    The gradient is plain `jax.grad`, underflow included: this is how a network is trained, while
    `probe` is how it is measured. A step that is not finite is not made.
    """

    def cost(params):
        return losses.loss(apply(net, params, batch.x), batch.y)

    value, gradient = jax.value_and_grad(cost)(state.params)
    with jax.numpy_dtype_promotion("standard"):  # optax raises floats to powers of its counters
        updates, inner = optimizer.update(gradient, state.optimizer, state.params)
    params = optax.apply_updates(state.params, updates)
    found = jnp.stack([_finite(value), _finite(gradient), _finite((params, inner))])
    first = 1 + jnp.argmin(found).astype(jnp.int32)
    trouble = jnp.where(state.trouble > 0, state.trouble, jnp.where(jnp.all(found), 0, first))
    made = State(params, inner, state.start, state.step + 1, trouble)
    stays = state._replace(trouble=trouble)
    new = jax.tree.map(partial(jnp.where, trouble == 0), made, stays)
    return new, updates


def _log10_rms(array: Float[Array, "*shape"]) -> Float[Array, ""]:
    return rescale(array)[1] / jnp.log(10.0).astype(array.dtype)


def read(net: MLP, state: State, updates: Params, data: Dataset) -> Record:
    """All read-outs of a state on `data`; `updates` is what the optimiser is about to add."""
    params = state.params
    outputs, pull = probe_vjp(net, params, data.x)
    loss, cotangent = losses.loss_and_cotangent(outputs, data.y)
    signals = pull(cotangent)
    weights, size = params["weights"], jax.vmap(_log10_rms)
    return Record(
        loss=loss,
        accuracy=losses.accuracy(outputs, data.y),
        log_gradient_rms=signals.log_gradient_rms,
        log_weight_gradient_rms=signals.log_weight_gradient_rms,
        log10_update_ratio=size(updates["weights"]) - size(weights),
        activation_rms=signals.activation_rms,
        dead_fraction=signals.dead_fraction,
        saturated_fraction=signals.saturated_fraction,
        dead_units=signals.dead,
        moved=10 ** (size(weights - state.start) - size(state.start)),
    )


def step(
    net: MLP,
    optimizer: optax.GradientTransformation,
    state: State,
    data: Dataset,
    batch: Dataset | None = None,
) -> tuple[State, Record]:
    """One training step and the read-outs of the state *before* it. Pure; compiles anywhere.

    Args:
        net: the description.
        optimizer: an optax transformation, see `optimizer_named`.
        state: from `begin`, or from the last step.
        data: what the read-outs refer to, with float x and integer classes or float targets.
        batch: what the gradient is taken on; `data` where None.

    Returns:
        The state after the step, and the `Record` of the state given.

    >>> data = vg.datasets.two_moons(64, key=jax.random.key(0))
    >>> net = vg.MLP(depth=2, width=8, in_features=2, out_features=1)
    >>> adam = optimizer_named("adam", 0.01)
    >>> state = begin(adam, vg.init(net, key=jax.random.key(1)))
    >>> state, record = jax.jit(lambda state: step(net, adam, state, data))(state)
    >>> int(state.step), float(record.moved[0])
    (1, 0.0)
    """
    new, updates = advance(net, optimizer, state, data if batch is None else batch)
    return new, read(net, state, updates, data)
