"""Exercises of the chapter "Normalisation"."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from vanishing import activations
from vanishing.book.checks import exercise
from vanishing.studies import ensembles
from vanishing.studies.normalization import linear_factor


def _normalized(
    z: Float[Array, "..."], axis: int = 0, *, centre: bool = True, epsilon: float = 0.0
) -> Float[Array, "..."]:
    mean = z.mean(axis, keepdims=True) if centre else jnp.zeros(())
    return (z - mean) / jnp.sqrt(((z - mean) ** 2).mean(axis, keepdims=True) + epsilon)


@exercise(
    "normalization-pencil",
    hint="First the four normalised numbers, then the two means that the backward formula "
    "subtracts, and the division last.",
)
def pencil() -> Float[Array, " batch"]:
    """δ of the batch (2, 4, 4, 6) for the cotangent (1, 0, 0, 0), ε = 0."""
    _, pull = jax.vjp(_normalized, jnp.array([2.0, 4.0, 4.0, 6.0]))
    return pull(jnp.array([1.0, 0.0, 0.0, 0.0]))[0]


@exercise(
    "normalization-pair",
    hint="Write both outputs as functions of half the difference of the two inputs, and "
    "differentiate with ε in place.",
)
def pair() -> float:
    """∂ẑ₁/∂z₁ for the batch (−1, 1) and ε = 10⁻⁵."""
    with jax.enable_x64(True):
        slope = jax.jacobian(lambda z: _normalized(z, epsilon=1e-5))(jnp.array([-1.0, 1.0]))
        return float(slope[0, 0])


def _z_and_cotangent(key: PRNGKeyArray) -> tuple[Array, Array]:
    z, cotangent = jax.random.normal(key, (2, 4, 7))
    return 2 * z + 1, cotangent


@exercise(
    "normalization-layer",
    hint="Everything stands in the formula for batch norm already, but for the axis of the means.",
    inputs=_z_and_cotangent,
)
def layer():
    """∂C/∂z [batch, units] of layer norm with ε = 10⁻⁵, a function of z and the cotangent."""
    return lambda z, cotangent: jax.vjp(lambda z: _normalized(z, 1, epsilon=1e-5), jnp.asarray(z))[
        1
    ](cotangent)[0]


@exercise(
    "normalization-rank",
    hint="Which changes of the eight numbers leave the normalised numbers where they are? Each "
    "independent one costs a direction.",
)
def rank() -> np.ndarray:
    """Ranks of the Jacobians of layer norm and of RMSNorm on eight units, ε = 0."""
    with jax.enable_x64(True):
        z = jax.random.normal(jax.random.key(0), (8,))
        return np.array(
            [
                np.linalg.matrix_rank(
                    jax.jacobian(lambda z, c=centre: _normalized(z, centre=c))(z), tol=1e-9
                )
                for centre in (True, False)
            ]
        )


@exercise(
    "normalization-square",
    hint="For a standard normal z you need the mean of z² and of z⁴; the variance of φ is what "
    "stands below the fraction.",
)
def square() -> float:
    """The factor of the squared gradient under batch norm for φ(z) = z²."""
    with jax.enable_x64(True):
        mean, second, slopes = activations.gaussian_mean(lambda z: (z**2, z**4, 4 * z**2), 1.0)
        return float(slopes / (second - mean**2))


@exercise(
    "normalization-rate",
    hint="The gradient is no longer the same, and neither is the size of what it is added to.",
)
def rate() -> float:
    """By what the learning rate has to grow when all weights before a batch norm are doubled."""

    def loss(weights):
        z = jnp.array([[1.0, 2.0], [3.0, -1.0], [0.5, 0.7]]) @ weights
        return jnp.sum(_normalized(z) * jnp.array([1.0, -2.0, 0.3]))

    with jax.enable_x64(True):
        weights = jnp.array([0.6, -1.1])
        once, doubled = jax.grad(loss)(weights), jax.grad(loss)(2 * weights)
        return float(2 * jnp.linalg.norm(once) / jnp.linalg.norm(doubled))


@exercise(
    "normalization-linear",
    hint="Centring and scaling leave so many of B directions; the mean of 1/χ² with k degrees of "
    "freedom is 1/(k − 2).",
    inputs=lambda key: (jax.random.randint(key, (), 6, 60).astype(float),),
)
def linear():
    """The factor of the squared gradient under batch norm without activation, a function of B."""
    return linear_factor


@exercise(
    "normalization-calm",
    hint="The factor is the mean squared slope over the variance of φ. For which functions that "
    "are not linear are the two nearly the same?",
    expects="an MLP",
)
def calm(net):
    """Whether fifty bent layers with batch norm keep the gradient within a power of ten."""
    if net.depth != 50 or net.width > 256:
        return "Take fifty layers, of 256 units at most."
    if net.normalization != "batch" or net.epsilon > 1e-3:
        return "Normalise every layer over its batch, with an ε that does not matter."
    if net.residual is not None:
        return "Skips would do it; here, do it without."
    slope = activations.derivative(net.activation)(jnp.linspace(-3, 3, 601))
    if jnp.max(slope) - jnp.min(slope) < 0.1 * jnp.max(jnp.abs(slope)):
        return "That is a straight line, or nearly: let the slope vary by at least a tenth."
    logs = ensembles.gradient_logs(net, key=jax.random.key(0), seeds=8, batch=64)
    powers = float(jnp.mean(logs[:, 0] - logs[:, -1])) / np.log(10)
    if abs(powers) < 1:
        return True
    return (
        f"From layer 50 to layer 1 the gradient changes by {powers:+.1f} powers of ten. What does "
        "one layer multiply it by?"
    )
