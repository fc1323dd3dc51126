"""Mini-batches: each epoch goes once through a permutation of its own."""

import jax
import jax.numpy as jnp
from jax import lax
from jax.typing import ArrayLike
from jaxtyping import Array, Float, Int, PRNGKeyArray, PyTree

Order = Int[Array, " examples"]


def start(examples: int) -> Order:
    """The order before the first step, as the data lie; the first `draw` replaces it.

    Args:
        examples: how many there are.

    >>> start(3).tolist()
    [0, 1, 2]
    """
    return jnp.arange(examples, dtype=jnp.int32)


def draw(
    data: PyTree, order: Order, *, key: PRNGKeyArray, step: Int[ArrayLike, ""], size: int | None
) -> tuple[PyTree, Order]:
    """The batch of a step, and the order to hand to the next.

        batch t = data[π_e(p s), …, π_e(p s + s − 1)],   e, p = divmod(t, ⌊N / s⌋)

    π_e is a uniform random permutation, drawn once, in the first step of epoch e: it costs more
    than a small network's whole update, so it is carried from step to step. The last N mod s of
    each permutation sit that epoch out. Pure, of static shapes: the batches are the same in a
    kernel and in a compiled page. Under `jax.vmap` every step draws a permutation (a `cond`
    becomes a `select`): loop over runs with `jax.lax.map`.

    Args:
        data: arrays with the same first axis, [examples, …] each.
        order: from `start`, or from the `draw` of the step before.
        key: JAX random key; epoch e uses `fold_in(key, e)`.
        step: t, steps made before this one; they have to come one after another.
        size: s, examples a batch; None for all of them, as they lie.

    Returns:
        The batch, arrays [size, …], and the order of the epoch.

    >>> order, seen = start(6), []
    >>> for step in range(3):
    ...     batch, order = draw(jnp.arange(6), order, key=jax.random.key(0), step=step, size=2)
    ...     seen += batch.tolist()
    >>> sorted(seen)
    [0, 1, 2, 3, 4, 5]
    """
    if size is None:
        return data, order
    per_epoch = order.shape[0] // size
    epoch, place = step // per_epoch, step % per_epoch

    def permuted():
        return jax.random.permutation(jax.random.fold_in(key, epoch), start(order.shape[0]))

    order = lax.cond(place == 0, permuted, lambda: order)
    chosen = lax.dynamic_slice_in_dim(order, place * size, size)
    return jax.tree.map(lambda array: array[chosen], data), order


def running_mean(
    before: Float[ArrayLike, ""],
    value: Float[ArrayLike, ""],
    *,
    step: Int[ArrayLike, ""],
    memory: int,
) -> Float[Array, ""]:
    """Mean of what each batch said so far, the last `memory` batches counting most.

        m_t = (1 − w) m_{t−1} + w v_t,   w = max(1 / (t + 1), 1 / memory)

    It is the plain mean of the first `memory` values, then forgets exponentially.

    Args:
        before: m_{t−1}; whatever it is at t = 0.
        value: v_t, of this batch.
        step: t, batches before this one.
        memory: over how many batches, roughly.

    >>> float(running_mean(3.0, 6.0, step=2, memory=10))
    4.0
    """
    weight = jnp.maximum(1 / (jnp.asarray(step, jnp.float32) + 1), 1 / memory)
    return jnp.where(step == 0, value, (1 - weight) * before + weight * value)
