"""The instrument: one forward and one backward pass, measured layer by layer."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from vanishing import _checks, activations
from vanishing._layers import normalize, read_in, read_out, scan
from vanishing._scaled import Scaled, align, log_rms, power, split, times
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


class _Climbed(NamedTuple):
    """One layer of the way up: what it hands on, and what the way down needs of it."""

    post: Scaled
    slope: Float[Array, "batch width"]
    multiplied: Scaled  # what W_l receives
    unnormalized: Scaled | None  # what N receives


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


def _normalize(net: MLP, z: Scaled) -> tuple[Scaled, Callable[[Array], Scaled]]:
    """N(z), and its pull-back of a cotangent's mantissa.

    With z = 2^k ẑ and j = min(k, 0), N = 2^j (ẑ − mean) / √(4^j var + 4^(j−k) ε): none of the
    three powers can overflow.
    """
    if net.normalization is None:
        return z, lambda cotangent: Scaled(cotangent, jnp.int32(0))
    lower = jnp.minimum(z.exponent, 0)
    shift = lower - z.exponent

    def weigh(variance, epsilon):
        dtype = variance.dtype
        return variance * power(2 * lower, dtype) + epsilon * power(2 * shift, dtype)

    value, pull = jax.vjp(lambda mantissa: normalize(net, mantissa, weigh), z.mantissa)
    return Scaled(value, lower), lambda cotangent: Scaled(pull(cotangent)[0], shift)


def _activate(net: MLP, ends: Bool[Array, "2"], z: Scaled) -> tuple[Scaled, Array]:
    """φ(z) and φ′(z), for z of any scale.

    Where φ has become homogeneous, at the end that z is beyond, φ(2^k ẑ) = 2^(k−κ) φ(2^κ ẑ) and
    the slopes agree, κ the exponent of that end. In between κ = k, and nothing is approximated.
    """
    dtype = z.mantissa.dtype
    free = jnp.where(z.exponent < 0, ends[0], ends[1])
    # Where φ is not free, what lies beyond the floats is as good as their end.
    reach = jnp.where(free, activations.end_exponent(dtype), -jnp.finfo(dtype).minexp)
    used = jnp.clip(z.exponent, -reach, reach)
    inner = z.mantissa * power(used, dtype)
    slope = activations.derivative(net.activation)(inner)
    return split(net.phi(inner), jnp.where(free, z.exponent - used, 0)), slope


def _climb(net: MLP, ends, h: Scaled, weights, biases) -> _Climbed:
    """One layer: h_{l-1} → h_l, as `_layers.step` does it, on scaled arrays."""
    if net.residual is None:
        (below, bias), exponent = align(h, split(biases))
        linear = Scaled(below @ weights + bias[None], exponent)
        post, slope = _activate(net, ends, _normalize(net, linear)[0])
        return _Climbed(post, slope, Scaled(below, exponent), _kept(net, linear))
    active, slope = _activate(net, ends, _normalize(net, h)[0])
    (active, bias), exponent = align(active, split(biases))
    branch = split(net.residual * (active @ weights + bias[None]), exponent)
    (stream, branch), top = align(h, branch)
    return _Climbed(split(stream + branch, top), slope, Scaled(active, exponent), _kept(net, h))


def _kept(net: MLP, z: Scaled) -> Scaled | None:
    return None if net.normalization is None else z


def _statistics(net: MLP, taken: _Climbed) -> dict[str, Array]:
    """The statistics of one layer on the way up."""
    slope, post = taken.slope, taken.post
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


def _through_activation(net: MLP, taken: _Climbed, cotangent, exponent) -> Scaled:
    """Pull a cotangent of φ(N(·)) back to N's input. φ is elementwise, so its vector-Jacobian
    product is a product with φ′, which the way up has measured already."""
    cotangent = cotangent * taken.slope
    if net.normalization is None:
        return Scaled(cotangent, exponent)
    pulled = _normalize(net, taken.unnormalized)[1](cotangent)
    return Scaled(pulled.mantissa, pulled.exponent + exponent)


def _down(net: MLP, cotangent: Scaled, weights, taken: _Climbed):
    """One layer of the backward pass on a scaled cotangent ∂C/∂h_l."""
    multiplied = taken.multiplied
    if net.residual is None:
        delta = split(*_through_activation(net, taken, *cotangent))
        branch = delta.mantissa
        below = Scaled(branch @ weights.T, delta.exponent)
    else:
        delta = split(*cotangent)
        branch = net.residual * delta.mantissa
        pulled = _through_activation(net, taken, branch @ weights.T, delta.exponent)
        (stream, pulled), exponent = align(delta, pulled)
        below = Scaled(stream + pulled, exponent)
    weight_gradient = split(multiplied.mantissa.T @ branch, multiplied.exponent + delta.exponent)
    return below, {
        "log_gradient_rms": log_rms(delta),
        "log_weight_gradient_rms": log_rms(weight_gradient),
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
        taken = _climb(net, ends, h, weights, biases)
        return taken.post, (_statistics(net, taken), taken)

    layers = (params["weights"], params["biases"])
    top, (statistics, tape) = scan(up, split(read_in(params, x)), layers, depth)

    def pull(cotangent):
        if net.out_features is not None:
            cotangent = cotangent @ params["read_out"]["weights"].T

        def down(cotangent, weights, taken):
            return _down(net, cotangent, weights, taken)

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
        taken = _climb(net, ends, h, weights, biases)
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
