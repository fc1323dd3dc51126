"""The instrument: one forward and one backward pass, measured layer by layer."""

from collections.abc import Callable
from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from vanishing import _checks, activations
from vanishing._layers import matmul, read_in, read_out, scan
from vanishing._scaled import Scaled, log_rms, split, times
from vanishing._scaled_layers import step, step_back
from vanishing._types import AnyArray, pytree
from vanishing.network import MLP, Params

# A unit is called saturated on an input where its slope is below this share of the largest
# slope the activation has. A convention of this book; death needs no convention, it is zero.
SATURATED_BELOW = 0.01


@pytree()
@dataclass(frozen=True)
class Signals:
    """What `probe` measures; arrays of shape [depth], layer 1 first, but for `dead`.

    Attributes:
        activation_mean: mean of h_l over batch and units.
        activation_rms: root mean square of h_l over batch and units; 0 or ∞ where it leaves the
            floats.
        log_activation_rms: ln of it, which does not leave them.
        dead: [depth, width], which units have φ′ exactly zero on every input of the batch; False
            in layers beyond the depth in use.
        dead_fraction: the share of them in each layer.
        saturated_fraction: share of (input, unit) pairs with |φ′| < 0.01 max|φ′|.
        log_gradient_rms: ln RMS of ∂C/∂z_l over batch and units (see `probe`).
        log_weight_gradient_rms: ln RMS of ∂C/∂W_l over its entries.
    """

    activation_mean: Float[Array, " depth"]
    activation_rms: Float[Array, " depth"]
    log_activation_rms: Float[Array, " depth"]
    dead: Bool[Array, "depth width"]
    dead_fraction: Float[Array, " depth"]
    saturated_fraction: Float[Array, " depth"]
    log_gradient_rms: Float[Array, " depth"]
    log_weight_gradient_rms: Float[Array, " depth"]

    @property
    def gradient_rms(self) -> Float[Array, " depth"]:
        """exp(log_gradient_rms): underflows to 0 where the logarithm does not."""
        return jnp.exp(self.log_gradient_rms)

    @property
    def weight_gradient_rms(self) -> Float[Array, " depth"]:
        """exp(log_weight_gradient_rms)."""
        return jnp.exp(self.log_weight_gradient_rms)


def rescale(array: Float[Array, "*shape"]) -> tuple[Float[Array, "*shape"], Float[Array, ""]]:
    """Split an array into one of unit RMS and the natural log of the scale taken out.

    A power of two is divided out before anything is squared, so that neither the squares nor
    their sum can leave the range of the dtype. An array of zeros stays zero, with log −∞.

    >>> unit, log = rescale(jnp.array([3e-30, -3e-30]))
    >>> unit.tolist(), round(float(log), 3)
    ([1.0, -1.0], -67.979)
    """
    scaled = split(array)
    rms = jnp.sqrt(jnp.mean(scaled.mantissa**2))
    return scaled.mantissa / jnp.where(rms > 0, rms, 1), log_rms(scaled)


def _dead(slope: Float[Array, "batch width"]) -> Bool[Array, " width"]:
    return jnp.max(jnp.abs(slope), axis=0) == 0


def on_the_way_up(net: MLP, slope: Float[Array, "batch width"], post: Scaled) -> dict[str, Array]:
    """The `Signals` of one layer that its φ′ and h_l tell, without those of the way down."""
    dtype, dead = slope.dtype, _dead(slope)
    threshold = (SATURATED_BELOW * activations.largest_slope(net.activation)).astype(dtype)
    log = log_rms(post)
    unit_rms = jnp.sqrt(jnp.mean(post.mantissa**2))
    rms = jnp.exp(log)
    return {
        "activation_mean": jnp.mean(post.mantissa) / jnp.where(unit_rms > 0, unit_rms, 1) * rms,
        "activation_rms": rms,
        "log_activation_rms": log,
        "dead": dead,
        "dead_fraction": jnp.mean(dead.astype(dtype)),
        "saturated_fraction": jnp.mean((jnp.abs(slope) < threshold).astype(dtype)),
    }


def probe_vjp(
    net: MLP, params: Params, x: Float[Array, "batch features"], depth=None
) -> tuple[Float[Array, "batch out"], Callable[[Float[Array, "batch out"]], Signals]]:
    """`probe` in its two halves, for a cotangent that depends on the outputs, as a loss's does.

    One forward pass, like `jax.vjp`'s; nothing is checked, so that it can stand in any trace.

    Args: as in `probe`.

    Returns:
        The outputs, and the function that pulls a cotangent of theirs back: ∂C/∂output → `Signals`.

    >>> net = vg.MLP(depth=3, width=4)
    >>> params, x = vg.init(net, key=jax.random.key(0)), jnp.ones((2, 4))
    >>> outputs, pull = probe_vjp(net, params, x)
    >>> at_once = vg.probe(net, params, x, outputs)
    >>> bool(jnp.allclose(pull(outputs).gradient_rms, at_once.gradient_rms))
    True
    """
    ends = activations.homogeneous_at_ends(net.activation, x.dtype)

    def up(h, weights, biases):
        taken = step(net, ends, h, weights, biases)
        return taken.post, (on_the_way_up(net, taken.slope, taken.post), taken)

    layers = (params["weights"], params["biases"])
    top, (statistics, tape) = scan(up, split(read_in(params, x)), layers, depth)

    def pull(cotangent):
        if net.out_features is not None:
            cotangent = matmul(cotangent, params["read_out"]["weights"].T)

        def down(cotangent, weights, taken):
            below, delta, weight_gradient = step_back(net, cotangent, weights, taken)
            return below, {
                "log_gradient_rms": log_rms(delta),
                "log_weight_gradient_rms": log_rms(weight_gradient),
            }

        layers = (params["weights"], tape)
        _, gradients = scan(down, split(cotangent), layers, depth, reverse=True)
        return Signals(**statistics, **gradients)

    return read_out(params, times(*top)), pull


@jax.jit
def _probe(net: MLP, params: Params, x, cotangent, depth) -> Signals:
    return probe_vjp(net, params, x, depth)[1](cotangent)


def probe(
    net: MLP,
    params: Params,
    x: Float[AnyArray, "batch features"],
    cotangent: Float[AnyArray, "batch out"] | None = None,
    depth=None,
) -> Signals:
    """Measure every layer in one forward and one backward pass.

    With C = Σ cotangent ⊙ output, the gradients reported are

        δ_l = ∂C/∂z_l    in a plain network, z_l = h_{l-1} W_l + b_l before any normalisation
        δ_l = ∂C/∂h_l    in a residual network: the stream
        ∂C/∂W_l          in both

    Both passes divide a power of two out at every layer and carry it beside, so a gradient of
    1e-1000 is measured as well as one of 1, and so is an activation, wherever φ allows it: where
    it has become proportional to its input, as ReLU is everywhere and every named activation but
    the sigmoid is near 0 (see `activations.homogeneous_at_ends`). It cannot where φ grows faster
    than its argument (z², exp): what leaves the floats there is infinite, and the layers above it
    read ∞ or NaN, as the network itself would. A bounded φ needs nothing: tanh(∞) = 1.

    "Dead" means φ′ = 0
    exactly for every input *of the batch x given*: no gradient reaches the unit's weights from
    any of them.

    Args:
        net: the description.
        params: from `init`.
        x: inputs, [batch, in_features], or [batch, width] without a read-in.
        cotangent: ∂C/∂output, shape of the output; ones where None, so C is the sum of the
            outputs. Ones are a special direction: batch norm removes the mean, and in a He-ReLU
            network they make the mean square of δ grow by 1 + (2/π)(L − 1) on its way down (the
            book derives it). For the factor of a typical direction give a random one.
        depth: use the first `depth` layers only (may be traced); the rest read NaN.

    Returns:
        `Signals`, arrays of shape [depth], and `dead` of shape [depth, width].

    Raises:
        ValueError, TypeError: wrong rank, width or dtype, an empty batch, NaN, a bad depth.

    Two hundred sigmoid layers: float32 reads zero, the logarithm does not (here to base 10).

    >>> net = vg.MLP(depth=200, width=64, activation="sigmoid", sigma_w=1.0)
    >>> params = vg.init(net, key=jax.random.key(0))
    >>> x = jax.random.normal(jax.random.key(1), (32, 64))
    >>> signals = vg.probe(net, params, x)
    >>> float(signals.gradient_rms[0]), round(float(signals.log_gradient_rms[0]) / 2.302585)
    (0.0, -126)
    """
    x, depth = _checks.inputs(net, params, x, depth)
    features = net.width if net.out_features is None else net.out_features
    if cotangent is None:
        cotangent = jnp.ones((x.shape[0], features), x.dtype)
    shape = (x.shape[0], features)
    cotangent = _checks.array("cotangent", cotangent, shape, "[batch, out]", x.dtype)
    return _probe(net, params, x, cotangent, depth)


@jax.jit
def _dead_units(net: MLP, params: Params, x):
    # On scaled arrays, as `probe`: a plain forward pass that overflows ends in NaN, where ReLU's
    # slope is 0, and units would be called dead that are not.
    ends = activations.homogeneous_at_ends(net.activation, x.dtype)

    def up(h, weights, biases):
        taken = step(net, ends, h, weights, biases)
        return taken.post, _dead(taken.slope)

    return scan(up, split(read_in(params, x)), (params["weights"], params["biases"]), None)[1]


def dead_units(
    net: MLP, params: Params, x: Float[AnyArray, "batch features"]
) -> Bool[Array, "depth width"]:
    """Which units are dead on x: φ′ of their pre-activation is exactly zero on every row.

    What `Signals.dead` holds, for the price of a forward pass. "Dead" is said of the batch x
    given, of no other input.

    Args:
        net: the description.
        params: from `init`.
        x: inputs, [batch, in_features], or [batch, width] without a read-in.

    Returns:
        A boolean for each unit, [depth, width].

    Raises:
        ValueError, TypeError: as in `probe`.

    >>> net = vg.MLP(depth=1, width=2, activation="relu")
    >>> params = {"weights": jnp.eye(2)[None], "biases": jnp.array([[0.0, -5.0]])}
    >>> dead_units(net, params, jnp.array([[1.0, 1.0], [-2.0, 4.0]])).tolist()
    [[False, True]]
    """
    x, _ = _checks.inputs(net, params, x, None)
    return _dead_units(net, params, x)
