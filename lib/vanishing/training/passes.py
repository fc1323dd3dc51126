"""A pass through a network, up and down: the gradient that trains it, and every layer's signals."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float

from vanishing import activations
from vanishing._layers import read_in, read_out, scan, step
from vanishing._scaled import Scaled, log_rms
from vanishing.datasets import Dataset
from vanishing.network import MLP, Params
from vanishing.probe import Signals, on_the_way_up, probe_vjp
from vanishing.training import losses


class Seen(NamedTuple):
    """What a pass has seen.

    Attributes:
        loss: C.
        outputs: ŷ.
        signals: every layer's, the cotangent being ∂C/∂ŷ.
    """

    loss: Float[Array, ""]
    outputs: Float[Array, "examples out"]
    signals: Signals


def scaled(net: MLP, params: Params, data: Dataset) -> Seen:
    """What `probe` sees: no signal is too small for it, and no gradient.

    Args:
        net: the description.
        params: from `init`.
        data: float x [examples, features], and targets as in `losses.loss`.

    >>> data = vg.datasets.two_moons(64, key=jax.random.key(0))
    >>> net = vg.MLP(depth=200, width=8, activation="sigmoid", in_features=2, out_features=1)
    >>> signals = scaled(net, vg.init(net, key=jax.random.key(1)), data).signals
    >>> float(signals.gradient_rms[0]), bool(signals.log_gradient_rms[0] < -200)
    (0.0, True)
    """
    outputs, pull = probe_vjp(net, params, data.x)
    loss, cotangent = losses.loss_and_cotangent(outputs, data.y)
    return Seen(loss, outputs, pull(cotangent))


def _plain_log_rms(array: Float[Array, "*shape"]) -> Float[Array, ""]:
    return log_rms(Scaled(array, jnp.int32(0)))


@jax.custom_vjp
def _overheard(array: Float[Array, "*shape"], ear: Float[Array, ""]) -> Float[Array, "*shape"]:
    """The array; what arrives as the gradient of `ear` is ln RMS of the array's own."""
    return array


_overheard.defvjp(
    lambda array, ear: (array, None), lambda _, cotangent: (cotangent, _plain_log_rms(cotangent))
)


def plain(net: MLP, params: Params, data: Dataset) -> tuple[Float[Array, ""], Params, Seen]:
    """C and ∂C/∂θ, by `jax.value_and_grad`, and what there was to see.

    Where the floats held all that went up and down, that is seen in this very pass; where they
    did not, a second one is made, `scaled`.

    Args: as in `scaled`.

    Returns:
        C and ∂C/∂θ, underflow included; and what `scaled` would return.

    >>> data = vg.datasets.two_moons(64, key=jax.random.key(0))
    >>> net = vg.MLP(depth=2, width=8, in_features=2, out_features=1)
    >>> _, gradient, seen = plain(net, vg.init(net, key=jax.random.key(1)), data)
    >>> size = jnp.sqrt(jnp.mean(gradient["weights"] ** 2, axis=(1, 2)))
    >>> bool(jnp.allclose(seen.signals.weight_gradient_rms, size))
    True
    """
    slope = activations.derivative(net.activation)

    def up(h, weights, biases, delta_ear, weights_ear):
        weights = _overheard(weights, weights_ear)
        taken = step(net, weights, biases, h, mark=lambda array: _overheard(array, delta_ear))
        pre, post, received = lax.stop_gradient((taken.pre, taken.post, taken.unnormalized))
        squared = post if net.normalization is None else received
        statistics = on_the_way_up(net, slope(pre), Scaled(post, jnp.int32(0)))
        return taken.post, (statistics, _plain_log_rms(squared))

    def cost(params, ears):
        layers = (params["weights"], params["biases"], *ears)
        top, (statistics, squared) = scan(up, read_in(params, data.x), layers, None)
        outputs = read_out(params, top)
        return losses.loss(outputs, data.y), (outputs, statistics, squared)

    ears = (jnp.zeros(net.depth, data.x.dtype),) * 2
    found, (gradient, heard) = jax.value_and_grad(cost, (0, 1), has_aux=True)(params, ears)
    loss, (outputs, statistics, squared) = found
    down = dict(zip(("log_gradient_rms", "log_weight_gradient_rms"), heard, strict=True))
    seen = Seen(loss, outputs, Signals(**statistics, **down))
    # The middle third of the exponents: there no square, and no entry that counts, is lost.
    reach = -jnp.finfo(data.x.dtype).minexp / 3 * np.log(2)
    sizes = jnp.stack([statistics["log_activation_rms"], squared, *heard])

    def again(carry):
        # XLA moves what is the same in every round out of a loop; the barrier makes it depend.
        now, _ = lax.optimization_barrier((params, carry[1]))
        return scaled(net, now, data), jnp.array(True)

    # A loop of one round or none, for under `jax.vmap` a `cond` would always run both branches.
    seen, _ = lax.while_loop(
        lambda carry: ~carry[1], again, (seen, jnp.all(jnp.abs(sizes) < reach))
    )
    return loss, gradient, seen
