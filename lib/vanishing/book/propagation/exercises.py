"""Exercises of the chapter "The road up and the road down"."""

import jax
import jax.numpy as jnp
import numpy as np
from scipy import stats

from vanishing import activations, theory
from vanishing.book.checks import exercise
from vanishing.network import MLP, init
from vanishing.spectrum import jacobian_spectrum


@exercise(
    "propagation-steps",
    hint="Give three numbers: q of ReLU in layer 10, then q and χ of sine at rest. In (a) write "
    "down V(q) first and count the steps; (b) can be iterated; (c) needs no new integral.",
)
def steps():
    """q_10 of ReLU with σ_w² = 2, σ_b² = 0.5 from q_1 = 1; q* and χ₁ of sine with σ_w² = 3."""
    q = 1.0
    for _ in range(9):
        q = theory.length_map("relu", q, 2**0.5, 0.5**0.5)
    rest = theory.length_fixed_point(jnp.sin, 3**0.5)
    return np.array([q, rest, theory.chi(jnp.sin, 3**0.5)])


def _q_and_scale(key):
    q, sigma_w = jax.random.uniform(key, (2,), minval=0.1, maxval=3.0)
    return float(q), float(sigma_w)


@exercise(
    "propagation-erf",
    hint="Square the slope before you average. The product of two bells around 0 is a bell again, "
    "and you know the area under one.",
    inputs=_q_and_scale,
)
def erf():
    """χ of the error function, as a function of q and σ_w."""
    moment = activations.slope_second_moment
    return lambda q, sigma_w: sigma_w**2 * moment(jax.scipy.special.erf, q)


@exercise(
    "propagation-critical",
    hint="χ₁ grows with σ_w. Bracket the place where it passes 1 by trying a few values.",
)
def critical():
    """σ_w at which a wide sigmoid network without biases keeps its gradient."""
    return theory.critical_sigma_w("sigmoid")


@exercise(
    "propagation-width",
    hint="The law of the chapter is for the squared norm; what is the standard deviation of the "
    "logarithm of the norm itself? Nineteen in twenty is two-sided.",
)
def width():
    """The width at which 19 of 20 He networks of 100 ReLU layers stay within a factor of two."""
    return 5 * 100 * (stats.norm.ppf(0.975) / 2 / np.log(2)) ** 2


@exercise(
    "propagation-alike",
    hint="Iterate the map from a right angle. Count as the chapter does: the inputs are not a "
    "layer, the first layer's outputs are.",
)
def alike():
    """The first He layer of ReLU whose outputs have a cosine above 0.99 for orthogonal inputs."""
    c, layer = 0.0, 0
    while c <= 0.99:
        c, layer = theory.correlation_map("relu", c, 1.0, 2**0.5), layer + 1
    return layer


@exercise(
    "propagation-cotangent",
    hint="Follow two parts of the cotangent: one along h, which keeps its size, and a random one, "
    "to which each layer adds what the slopes make of the first. Compare with the mean square "
    "behind the slopes of the last layer.",
)
def cotangent():
    """Growth of the mean square gradient over 50 layers of Leaky ReLU (0.2) when C is the sum."""

    def leaky(z):
        return jax.nn.leaky_relu(z, 0.2)

    slope = activations.derivative(leaky)
    kappa = activations.gaussian_mean(leaky) / activations.second_moment(leaky)
    added = kappa**2 * activations.second_moment(lambda z: leaky(z) * slope(z))
    return 1 + 49 * float(added / activations.slope_second_moment(leaky))


# How far one draw may lie from the mean of others, as a logarithm: over twelve draws its standard
# deviations are .02, .01, .06 and .02.
_SPREAD = np.array([0.15, 0.1, 0.4, 0.15])


@exercise(
    "propagation-eigenvalues",
    hint="Give four numbers: of one matrix the largest |eigenvalue| and the largest singular "
    "value, of the product the largest singular value and the root of the mean square of all.",
    expects="an array of shape (4,)",
)
def eigenvalues(answer):
    """Radius and largest singular value of one matrix, largest and RMS of a product of eight."""
    said = np.asarray(answer, float)
    if not (said > 0).all():
        return "None of the four is zero or negative."
    draws = []
    for seed in range(3):
        drawn = np.random.default_rng(100 + seed).normal(0, 200**-0.5, (8, 200, 200))
        stretch = np.linalg.svd(np.linalg.multi_dot(drawn), compute_uv=False)
        radius = np.abs(np.linalg.eigvals(drawn[0])).max()
        largest = np.linalg.norm(drawn[0], 2)
        draws.append([radius, largest, stretch[0], np.sqrt(np.mean(stretch**2))])
    right = np.mean(draws, axis=0)
    off = np.abs(np.log(said / right)) > _SPREAD
    if off[2] and np.isclose(said[2], right[1] ** 8, rtol=0.5):
        return "Multiply the matrices first: the largest stretches do not meet in one direction."
    if off[2] and np.isclose(said[2], right[0], rtol=0.5):
        return "The third is a singular value of the product, not what eigenvalues suggest."
    if off[0] and off[1] and not (np.abs(np.log(said[1::-1] / right[:2])) > _SPREAD[:2]).any():
        return "The eigenvalue comes first."
    return not off.any()


@exercise(
    "propagation-isometry",
    hint="Give the network and the size of the input: vg.jacobian_spectrum(net, params, size * "
    "direction). Two things spread the singular values, the weights and the slopes.",
    expects="a tuple",
)
def isometry(answer):
    """Whether thirty tanh layers stretch no direction three times as much as another."""
    net, size = answer
    if not isinstance(net, MLP) or (net.depth, net.width, net.phi) != (30, 100, jnp.tanh):
        return "The network first: vg.MLP(30, 100, 'tanh', …)."
    if net.residual is not None or net.normalization is not None:
        return "Choose the initialisation and the size, without skips and normalisation."
    if not 0 < float(size) < np.inf:
        return "The size of the input is a number above 0."
    ratios = []
    for key in jax.random.split(jax.random.key(0), 3):
        s = jacobian_spectrum(net, init(net, key=key), float(size) * jax.random.normal(key, (100,)))
        ratios.append(float(s[0]) / max(float(s[-1]), 1e-30))
    if max(ratios) < 3:
        return True
    cause = "the weights stretch by themselves" if max(ratios) > 1e6 else "the slopes differ"
    return f"The ratio is up to {max(ratios):.2g}: {cause}."
