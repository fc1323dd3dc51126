"""What one layer does, and how a stack of them is climbed."""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

from vanishing._types import AnyArray


def matmul(left: AnyArray, right: AnyArray) -> AnyArray:
    """left @ right to the last bits of its dtype on every device, and so are its derivatives.

    `@` in float32 keeps 11 of the 24 bits of a factor on tensor cores, and 8 on a TPU: fast, and
    too few for an instrument.
    """
    return jnp.matmul(left, right, precision="highest")


class Step(NamedTuple):
    """One layer taken apart, as the backward pass needs it."""

    post: Float[Array, "batch width"]
    pre: Float[Array, "batch width"]
    unnormalized: Float[Array, "batch width"]  # what N receives
    multiplied: Float[Array, "batch width"]  # what W_l receives


class Statistics(NamedTuple):
    """What batch normalisation subtracts and divides by, for each unit.

    Attributes:
        mean: of what N receives, over a batch.
        variance: the mean square of the deviations from it (divided by the size of the batch).
    """

    mean: Float[Array, "*depth width"]
    variance: Float[Array, "*depth width"]


def moments(z: Float[Array, "batch width"], axis: int) -> tuple[Array, Array]:
    """Mean and biased variance along an axis, which is kept."""
    mean = jnp.mean(z, axis, keepdims=True)
    return mean, jnp.mean((z - mean) ** 2, axis, keepdims=True)


def normalize(
    net,
    z: Float[Array, "batch width"],
    weigh: Callable[[Array, Array], Array] = jnp.add,
    fixed: Statistics | None = None,
) -> Float[Array, "batch width"]:
    """N(z) = (z − mean) / √(var + ε), over the batch for each unit, or over the units of each
    example. No learnt scale or shift: at initialisation they are 1 and 0. What does not vary
    gives 0, with ε = 0 too. `weigh` adds ε to the variance where z has a scale of its own;
    `fixed` is used in place of the statistics of this batch."""
    if net.normalization is None:
        return z
    if fixed is None:
        mean, variance = moments(z, 0 if net.normalization == "batch" else -1)
    else:
        mean, variance = fixed.mean[None], fixed.variance[None]
    total = weigh(variance, jnp.asarray(net.epsilon, z.dtype))
    return (z - mean) * lax.rsqrt(jnp.where(total > 0, total, 1))


def step(
    net,
    weights,
    biases,
    h: Float[Array, "batch width"],
    fixed: Statistics | None = None,
    mark: Callable[[Array], Array] = lambda array: array,
) -> Step:
    """One layer: h_{l-1} → h_l, with what lies between. `mark` is handed what δ_l is the gradient
    of: z_l in a plain network, h_l in a residual one."""
    if net.residual is None:
        linear = mark(matmul(h, weights) + biases[None])
        pre = normalize(net, linear, fixed=fixed)
        return Step(net.phi(pre), pre, linear, h)
    pre = normalize(net, h, fixed=fixed)
    active = net.phi(pre)
    return Step(mark(h + net.residual * (matmul(active, weights) + biases[None])), pre, h, active)


def _absent(like: jax.ShapeDtypeStruct) -> Array:
    """What a layer that is not there reads: NaN, or 0 and False where NaN has no place."""
    value = jnp.nan if jnp.issubdtype(like.dtype, jnp.floating) else 0
    return jnp.full(like.shape, value, like.dtype)


def scan(one: Callable, carry, layers, depth, *, reverse: bool = False):
    """`lax.scan` over the first `depth` layers; what `one` stacks reads NaN (0, False) above."""
    if depth is None:
        return lax.scan(lambda carry, layer: one(carry, *layer), carry, layers, reverse=reverse)

    def guarded(carry, indexed):
        index, layer = indexed
        absent = jax.tree.map(_absent, jax.eval_shape(one, carry, *layer)[1])
        return lax.cond(index < depth, lambda: one(carry, *layer), lambda: (carry, absent))

    indices = jnp.arange(jax.tree.leaves(layers)[0].shape[0])
    return lax.scan(guarded, carry, (indices, layers), reverse=reverse)


def climb(
    net, params, h, depth, visit: Callable[[Step], object], statistics: Statistics | None = None
):
    """Scan up the first `depth` layers; stack what `visit` makes of each, NaN (0, False) above."""

    def one(h, weights, biases, fixed):
        taken = step(net, weights, biases, h, fixed)
        return taken.post, visit(taken)

    return scan(one, h, (params["weights"], params["biases"], statistics), depth)


def _affine(layer: dict[str, AnyArray] | None, h: AnyArray) -> AnyArray:
    return h if layer is None else matmul(h, layer["weights"]) + layer["biases"][None]


def read_in(params, x: Float[Array, "batch features"]) -> Float[Array, "batch width"]:
    """h_0 = x W_in + b_in, or x itself where the network has no read-in."""
    return _affine(params.get("read_in"), x)


def read_out(params, h: Float[Array, "batch width"]) -> Float[Array, "batch out"]:
    """y = h_L W_out + b_out, or h_L itself where the network has no read-out."""
    return _affine(params.get("read_out"), h)
