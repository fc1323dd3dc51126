"""Layer by layer, what to expect of a network: variances, activations, gradients."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

from vanishing import _checks, activations
from vanishing._scaled import Scaled, align, power, split, times
from vanishing.network import MLP


class Prediction(NamedTuple):
    """What the theory expects `probe` to find; arrays of shape [depth].

    Attributes:
        length: q_l, the variance of z_l in a plain network, of h_l in a residual one; over the
            batch alone under batch normalisation. 0 or ∞ where it leaves the floats.
        factor: χ_l, by which the squared gradient changes from layer l + 1 down to layer l;
            1 in the last entry, where the measurement starts.
        log_gradient_rms: ln of the RMS of δ_l relative to δ_L: the sum of ½ ln χ from l up.
        activation_rms: RMS of h_l; 0 or ∞ where it leaves the floats.
        log_activation_rms: ln of it, which does not leave them.
    """

    length: Float[Array, " depth"]
    factor: Float[Array, " depth"]
    log_gradient_rms: Float[Array, " depth"]
    activation_rms: Float[Array, " depth"]
    log_activation_rms: Float[Array, " depth"]


class _Branch(NamedTuple):
    """One layer, where N (or φ itself) receives a variance q."""

    added: Scaled  # the variance that the affine map puts out
    passed: Scaled  # its factor on the squared gradient
    square: Scaled  # E[φ²]
    out: Scaled  # the mean square that the affine map puts out


def _product(*factors: Scaled) -> Scaled:
    """Of a few: their mantissas are near 1, and stay within the floats together."""
    mantissa, exponent = factors[0]
    for factor in factors[1:]:
        mantissa, exponent = mantissa * factor.mantissa, exponent + factor.exponent
    return Scaled(mantissa, exponent)


def _sum(*terms: Scaled) -> Scaled:
    mantissas, exponent = align(*terms)
    return Scaled(sum(mantissas[1:], mantissas[0]), exponent)


def _inverse(value: Scaled) -> Scaled:
    positive = value.mantissa > 0
    inverse = jnp.where(positive, 1 / jnp.where(positive, value.mantissa, 1), 0)
    return Scaled(inverse, -value.exponent)


def _squared(value) -> Scaled:
    root = split(jnp.asarray(value, jnp.result_type(float)))
    return _product(root, root)


def _log(value: Scaled) -> Float[Array, "*shape"]:
    dtype = value.mantissa.dtype
    return value.exponent.astype(dtype) * jnp.log(2.0).astype(dtype) + jnp.log(value.mantissa)


def _moments(net: MLP, ends, q: Scaled) -> tuple[Scaled, Scaled, Scaled]:
    """E[φ²], Var[φ] and E[φ′²] at any variance: beyond the ends of `probe` by the same law."""
    phi, slope = net.phi, activations.derivative(net.activation)
    dtype = q.mantissa.dtype
    free = jnp.where(q.exponent < 0, ends[0], ends[1])
    reach = jnp.where(free, 2 * activations.end_exponent(dtype), -jnp.finfo(dtype).minexp)
    used = jnp.clip(q.exponent, -reach, reach)
    square, mean, slopes = activations.gaussian_mean(
        lambda z: (phi(z) ** 2, phi(z), slope(z) ** 2), q.mantissa * power(used, dtype)
    )
    left = jnp.where(free, q.exponent - used, 0)
    varies = jnp.maximum(square - mean**2, 0)
    return split(square, left), split(varies, left), split(slopes)


class _Layers:
    """What every layer of a network does to a variance; the scales are squared once."""

    def __init__(self, net: MLP):
        dtype = jnp.result_type(float)
        self.net, self.ends = net, activations.homogeneous_at_ends(net.activation, dtype)
        self.gain, self.bias = _squared(net.gain), _squared(net.bias_gain)

    def __call__(self, q: Scaled) -> _Branch:
        """One layer, where N (or φ itself) receives a variance q."""
        net, divided = self.net, None
        if net.normalization is not None:
            epsilon = split(jnp.asarray(net.epsilon, q.mantissa.dtype))
            divided = _inverse(_sum(q, epsilon))
            q = split(*_product(q, divided))
        square, varies, slopes = _moments(net, self.ends, q)
        # LSUV chooses σ_w² = 1 / E[φ²] on the data: what the weights put out has variance 1.
        gain = _inverse(square) if net.initializer == "lsuv" else self.gain
        passed = _product(gain, slopes) if divided is None else _product(gain, slopes, divided)
        out = _sum(_product(gain, square), self.bias)
        # What all inputs share is no variance over the batch.
        added = _product(gain, varies) if net.normalization == "batch" else out
        return _Branch(added, passed, square, out)


def _plain(net: MLP, start: Scaled):
    layers = _Layers(net)

    def up(q, _):
        layer = layers(q)
        return split(*layer.added), (q, layer.passed, layer.square)

    # LSUV's first weights, too, put out a variance of 1.
    lsuv = net.initializer == "lsuv"
    q = split(jnp.ones_like(start.mantissa)) if lsuv else _product(layers.gain, start)
    if net.normalization != "batch":
        q = _sum(q, layers.bias)
    return lax.scan(up, split(*q), length=net.depth)[1]


def _residual(net: MLP, start: Scaled):
    layers, alpha = _Layers(net), _squared(net.residual)
    one = split(jnp.ones_like(start.mantissa))

    def up(carry, _):
        q, square = carry
        layer = layers(q)
        # The mean square of the stream grows by all that the branch puts out, its variance by
        # what varies.
        q = split(*_sum(q, _product(alpha, layer.added)))
        square = split(*_sum(square, _product(alpha, layer.out)))
        return (q, square), (q, _sum(one, _product(alpha, layer.passed)), square)

    start = split(*start)
    _, (length, factor, square) = lax.scan(up, (start, start), length=net.depth + 1)
    # The factor of a branch belongs to the layer below it, whose stream it receives.
    length, square = jax.tree.map(lambda part: part[:-1], (length, square))
    return length, jax.tree.map(lambda part: part[1:], factor), square


@jax.jit
def _predict(net: MLP, input_rms) -> Prediction:
    walk = _plain if net.residual is None else _residual
    length, factor, square = walk(net, _squared(input_rms))
    log_factor = _log(factor).at[-1].set(0.0)
    log_gradient = jnp.cumsum(0.5 * log_factor[::-1])[::-1]
    log_activation = 0.5 * _log(square)
    lengths = jax.vmap(times)(*length)
    return Prediction(
        lengths, jnp.exp(log_factor), log_gradient, jnp.exp(log_activation), log_activation
    )


def predict(net: MLP, input_rms) -> Prediction:
    """Layer by layer, the variance and the gradient factor that theory expects of `net`.

    For infinite width, and under batch normalisation for infinitely many independent inputs:

        plain      q_{l+1} = σ_w² E[φ(√q_l z)²] + σ_b²            χ_l = σ_w² E[φ′(√q_l z)²]
        residual   q_{l+1} = q_l + α² (σ_w² E[φ²] + σ_b²)         χ_l = 1 + α² σ_w² E[φ′²]

    A normalisation hands φ unit variance and divides cotangents by the standard deviation it
    found: E[φ′²] / q_l in place of E[φ′²]. Batch normalisation also takes out what φ's outputs
    have in common over the batch: Var[φ] in place of E[φ²].

    Under LSUV, σ_w² is 1 / E[φ²] of each layer's own input, so that q_{l+1} = 1 + σ_b². No
    quantity is clipped: a mantissa carries its power of two, as in `probe`.

    Args:
        net: the description; its scales may be traced.
        input_rms: root mean square of h_0, after the read-in; a number ≥ 0, may be traced.

    Returns:
        `Prediction`, arrays of shape [depth].

    Raises:
        ValueError, TypeError: the RMS is negative, infinite or no number; net is no `MLP`.

    Batch norm and ReLU explode by π/(π − 1) a layer, Yang et al. 2019:

    >>> net = vg.MLP(depth=9, width=64, activation="relu", initializer="he", normalization="batch")
    >>> round(float(vg.theory.predict(net, 1.0).factor[4]), 4), round(jnp.pi / (jnp.pi - 1), 4)
    (1.4669, 1.4669)
    """
    _checks.network(net)
    return _predict(net, _checks.scale("input_rms", input_rms))
