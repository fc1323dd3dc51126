"""The instrument: one forward and one backward pass, measured layer by layer."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float

from vanishing import _checks, activations
from vanishing._layers import Step, climb, normalize, read_in, read_out, step
from vanishing.network import MLP, Params

# A unit is called saturated on an input where its slope is below this share of the largest
# slope the activation has. A convention of this book; death needs no convention, it is zero.
SATURATED_BELOW = 0.01


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Signals:
    """What `probe` measures; arrays of shape [depth], layer 1 first, but for `dead`.

    Attributes:
        activation_mean: mean of h_l over batch and units.
        activation_rms: root mean square of h_l over batch and units.
        dead: [depth, width], which units have φ′ exactly zero on every input of the batch; False
            in layers beyond the depth in use.
        dead_fraction: the share of them in each layer.
        saturated_fraction: share of (input, unit) pairs with |φ′| < 0.01 max|φ′|.
        log_gradient_rms: ln RMS of ∂C/∂z_l over batch and units (see `probe`).
        log_weight_gradient_rms: ln RMS of ∂C/∂W_l over its entries.
    """

    activation_mean: Float[Array, " depth"]
    activation_rms: Float[Array, " depth"]
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


class _Tape(NamedTuple):
    """What the way down needs of the way up."""

    multiplied: Float[Array, "batch width"]
    slope: Float[Array, "batch width"]
    unnormalized: Float[Array, "batch width"] | None


def rescale(array: Float[Array, "*shape"]) -> tuple[Float[Array, "*shape"], Float[Array, ""]]:
    """Split an array into one of unit RMS and the natural log of the scale taken out.

    The largest entry is divided out before anything is squared, so that neither the squares
    nor their sum can leave the range of the dtype. An array of zeros stays zero, with log −∞.

    >>> unit, log = rescale(jnp.array([3e-30, -3e-30]))
    >>> unit.tolist(), round(float(log), 3)
    ([1.0, -1.0], -67.979)
    """
    largest = jnp.max(jnp.abs(array))
    shrunk = array / jnp.where(largest > 0, largest, 1)
    rms = jnp.sqrt(jnp.mean(shrunk**2))
    return shrunk / jnp.where(rms > 0, rms, 1), jnp.log(largest) + jnp.log(rms)


def _dead(slope: Float[Array, "batch width"]) -> Bool[Array, " width"]:
    return jnp.max(jnp.abs(slope), axis=0) == 0


def _measure(net: MLP, taken: Step):
    """The statistics of one layer on the way up, and what the way down will need."""
    slope = activations.derivative(net.activation)(taken.pre)
    size = jnp.abs(slope)
    dtype = slope.dtype
    threshold = (SATURATED_BELOW * activations.largest_slope(net.activation)).astype(dtype)
    dead = _dead(slope)
    statistics = {
        "activation_mean": jnp.mean(taken.post),
        "activation_rms": jnp.exp(rescale(taken.post)[1]),
        "dead": dead,
        "dead_fraction": jnp.mean(dead.astype(dtype)),
        "saturated_fraction": jnp.mean((size < threshold).astype(dtype)),
    }
    kept = None if net.normalization is None else taken.unnormalized
    return statistics, _Tape(taken.multiplied, slope, kept)


def _through_activation(net: MLP, tape: _Tape, cotangent):
    """Pull a cotangent of φ(N(·)) back to N's input. φ is elementwise, so its vector-Jacobian
    product is a product with φ′, which the way up has measured already."""
    cotangent = cotangent * tape.slope
    if net.normalization is None:
        return cotangent
    return jax.vjp(lambda z: normalize(net, z), tape.unnormalized)[1](cotangent)[0]


def _down(net: MLP, log_scale, cotangent, weights, tape: _Tape):
    """One layer of the backward pass on a rescaled cotangent, its log carried beside it."""
    if net.residual is None:
        delta, log = rescale(_through_activation(net, tape, cotangent))
        weight_gradient = tape.multiplied.T @ delta
        below = delta @ weights.T
    else:
        delta, log = rescale(cotangent)
        branch = net.residual * delta
        weight_gradient = tape.multiplied.T @ branch
        below = delta + _through_activation(net, tape, branch @ weights.T)
    log_scale = log_scale + log
    measured = {
        "log_gradient_rms": log_scale,
        "log_weight_gradient_rms": log_scale + rescale(weight_gradient)[1],
    }
    return (log_scale, below), measured


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
    top, (statistics, tape) = climb(
        net, params, read_in(params, x), depth, lambda taken: _measure(net, taken)
    )

    def pull(cotangent):
        if net.out_features is not None:
            cotangent = cotangent @ params["read_out"]["weights"].T
        return Signals(**statistics, **_descend(net, params, tape, cotangent, depth))

    return read_out(params, top), pull


def _descend(net: MLP, params: Params, tape: _Tape, cotangent, depth) -> dict[str, Array]:
    """The backward pass from ∂C/∂h_L: the gradients' sizes, layer by layer."""

    def one(carry, weights, tape):
        return _down(net, *carry, weights, tape)

    def guarded(carry, layer):
        index, weights, tape = layer
        absent = dict.fromkeys(("log_gradient_rms", "log_weight_gradient_rms"), jnp.nan * carry[0])
        if depth is None:
            return one(carry, weights, tape)
        return lax.cond(index < depth, lambda: one(carry, weights, tape), lambda: (carry, absent))

    layers = (jnp.arange(net.depth), params["weights"], tape)
    start = (jnp.zeros((), cotangent.dtype), cotangent)
    return lax.scan(guarded, start, layers, reverse=True)[1]


@jax.jit
def _probe(net: MLP, params: Params, x, cotangent, depth) -> Signals:
    return probe_vjp(net, params, x, depth)[1](cotangent)


def probe(
    net: MLP,
    params: Params,
    x: Float[Array, "batch features"],
    cotangent: Float[Array, "batch out"] | None = None,
    depth=None,
) -> Signals:
    """Measure every layer in one forward and one backward pass.

    With C = Σ cotangent ⊙ output, the gradients reported are

        δ_l = ∂C/∂z_l    in a plain network, z_l = h_{l-1} W_l + b_l before any normalisation
        δ_l = ∂C/∂h_l    in a residual network: the stream
        ∂C/∂W_l          in both

    The backward pass rescales the cotangent to unit RMS at every layer and carries the log of
    the scale, so a gradient of 1e-1000 is measured as well as one of 1. "Dead" means φ′ = 0
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
    slope = activations.derivative(net.activation)
    h = read_in(params, x)
    return climb(net, params, h, None, lambda taken: _dead(slope(taken.pre)))[1]


def dead_units(
    net: MLP, params: Params, x: Float[Array, "batch features"]
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


@jax.jit
def _spectrum(net: MLP, params: Params, x):
    def up(carry, layer):
        h, tangents, log = carry
        h, push = jax.linearize(lambda h: step(net, *layer, h).post, h)
        tangents, more = rescale(jax.vmap(push)(tangents))
        return (h, tangents, log + more), None

    h = read_in(params, x)
    tangents = jnp.eye(net.width, dtype=x.dtype)[:, None, :]
    layers = (params["weights"], params["biases"])
    start = (h, tangents, jnp.zeros((), x.dtype))
    (_, tangents, log), _ = lax.scan(up, start, layers)
    return jnp.exp(log) * jnp.linalg.svd(tangents[:, 0, :], compute_uv=False)


def jacobian_spectrum(
    net: MLP, params: Params, x: Float[Array, " features"]
) -> Float[Array, " width"]:
    """Singular values of ∂h_L/∂h_0 at one input, largest first.

    The product of the layers' Jacobians is built by pushing the unit vectors forward, rescaled
    at every layer, so that it neither overflows nor underflows on the way.

    Args:
        net: the description; batch normalisation is refused, for one input is no batch.
        params: from `init`.
        x: one input, [features] or [1, features].

    Raises:
        ValueError, TypeError: batch normalisation, or more than one input; and as in `probe`.

    An orthogonal linear network is an isometry:

    >>> net = vg.MLP(depth=8, width=16, activation="linear", initializer="orthogonal")
    >>> params = vg.init(net, key=jax.random.key(0))
    >>> bool(jnp.allclose(vg.jacobian_spectrum(net, params, jnp.ones(16)), 1, atol=1e-5))
    True
    """
    if net.normalization == "batch":
        raise ValueError(
            "normalization: expected None or 'layer'; got 'batch'. One input is not a batch: "
            "its normalised value would be 0. Use probe() for a network with batch norm."
        )
    x = jnp.atleast_2d(jnp.asarray(x))
    x, _ = _checks.inputs(net, params, x, None)
    if x.shape[0] != 1:
        raise ValueError(
            f"x: expected one input, [features]; got {x.shape[0]} of them. "
            "Take one row, or jax.vmap over them."
        )
    return _spectrum(net, params, x)
