"""One layer on arrays of any scale: the way up, and the way down.

`_layers` is what a network computes; here each layer hands on a mantissa and a power of two (see
`_scaled`), so that no depth can carry a signal or a gradient out of the floats.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from vanishing import activations
from vanishing._layers import matmul, normalize
from vanishing._scaled import Scaled, align, power, split
from vanishing.network import MLP


class Step(NamedTuple):
    """One layer of the way up: what it hands on, and what the way down needs of it."""

    post: Scaled
    slope: Float[Array, "batch width"]
    multiplied: Scaled  # what W_l receives
    unnormalized: Scaled | None  # what N receives


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


def step(net: MLP, ends, h: Scaled, weights, biases) -> Step:
    """One layer of the forward pass: h_{l-1} → h_l, as `_layers.step` does it."""
    if net.residual is None:
        (below, bias), exponent = align(h, split(biases))
        linear = Scaled(matmul(below, weights) + bias[None], exponent)
        post, slope = _activate(net, ends, _normalize(net, linear)[0])
        return Step(post, slope, Scaled(below, exponent), _kept(net, linear))
    active, slope = _activate(net, ends, _normalize(net, h)[0])
    (active, bias), exponent = align(active, split(biases))
    branch = split(net.residual * (matmul(active, weights) + bias[None]), exponent)
    (stream, branch), top = align(h, branch)
    return Step(split(stream + branch, top), slope, Scaled(active, exponent), _kept(net, h))


def _kept(net: MLP, z: Scaled) -> Scaled | None:
    return None if net.normalization is None else z


def _through_activation(net: MLP, taken: Step, cotangent, exponent) -> Scaled:
    """Pull a cotangent of φ(N(·)) back to N's input. φ is elementwise, so its vector-Jacobian
    product is a product with φ′, which the way up has measured already."""
    cotangent = cotangent * taken.slope
    if net.normalization is None:
        return Scaled(cotangent, exponent)
    pulled = _normalize(net, taken.unnormalized)[1](cotangent)
    return Scaled(pulled.mantissa, pulled.exponent + exponent)


def step_back(net: MLP, cotangent: Scaled, weights, taken: Step) -> tuple[Scaled, Scaled, Scaled]:
    """One layer of the backward pass: ∂C/∂h_l → ∂C/∂h_{l-1}, δ_l and ∂C/∂W_l, all scaled."""
    multiplied = taken.multiplied
    if net.residual is None:
        delta = split(*_through_activation(net, taken, *cotangent))
        branch = delta.mantissa
        below = Scaled(matmul(branch, weights.T), delta.exponent)
    else:
        delta = split(*cotangent)
        branch = net.residual * delta.mantissa
        pulled = _through_activation(net, taken, matmul(branch, weights.T), delta.exponent)
        (stream, pulled), exponent = align(delta, pulled)
        below = Scaled(stream + pulled, exponent)
    outer = matmul(multiplied.mantissa.T, branch)
    weight_gradient = split(outer, multiplied.exponent + delta.exponent)
    return below, delta, weight_gradient
