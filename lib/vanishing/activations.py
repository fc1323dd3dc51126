"""The named activations, their derivatives and their Gaussian moments."""

from collections.abc import Callable
from functools import lru_cache

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float, Int

Activation = Callable[[Array], Array]

ACTIVATIONS: dict[str, Activation] = {
    "sigmoid": jax.nn.sigmoid,
    "tanh": jnp.tanh,
    "relu": jax.nn.relu,
    "leaky_relu": jax.nn.leaky_relu,
    "elu": jax.nn.elu,
    "selu": jax.nn.selu,
    "gelu": jax.nn.gelu,
    "silu": jax.nn.silu,
    "linear": lambda z: z,
}

# Gauss-Legendre nodes on [0, 1], mirrored to both half-lines: the kink of the ReLU family
# sits at 0, and a rule that never straddles it is exact to rounding on either side.
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(64)
# Beyond ten standard deviations a Gaussian holds 1.5e-23 of its mass.
_REACH = 10.0


def get(activation: str | Activation) -> Activation:
    """Return the elementwise function φ that `activation` names, or `activation` itself.

    Args:
        activation: a key of `ACTIVATIONS`, or an elementwise JAX callable.

    Returns:
        A function from an array to an array of the same shape and dtype.

    Raises:
        ValueError: the name is unknown, or the callable is not elementwise.
        TypeError: neither a name nor a callable.

    >>> float(get("relu")(-1.0))
    0.0
    """
    if isinstance(activation, str):
        if activation not in ACTIVATIONS:
            raise ValueError(
                f"activation: expected one of {', '.join(ACTIVATIONS)} or an elementwise JAX "
                f"callable; got {activation!r}. Check the spelling, or pass the function itself."
            )
        return ACTIVATIONS[activation]
    if not callable(activation):
        raise TypeError(
            f"activation: expected a name or an elementwise JAX callable; got {activation!r} of "
            f"type {type(activation).__name__}. Pass one of {', '.join(ACTIVATIONS)}."
        )
    _check_elementwise(activation)
    return activation


@lru_cache(maxsize=256)
def _check_elementwise(activation: Activation) -> None:
    """Refuse a callable whose Jacobian is not diagonal (softmax, a mean, a reshape)."""
    probe = np.array([0.7, -1.3, 1.9, -0.4], np.float32)  # in no order: a sort must show
    with jax.ensure_compile_time_eval():
        shape = jax.eval_shape(activation, probe)
        if getattr(shape, "shape", None) != probe.shape:
            raise ValueError(
                f"activation: expected an elementwise callable, [4] → [4]; got [4] → {shape}. "
                "Return one value for each input."
            )
        if not jnp.issubdtype(shape.dtype, jnp.floating):
            raise TypeError(
                f"activation: expected an elementwise callable that returns floats; got dtype "
                f"{shape.dtype}. Return something differentiable, of the input's dtype."
            )
        jacobian = jax.jacobian(activation)(probe)
    if isinstance(jacobian, jax.core.Tracer):
        return  # closes over a traced value (`switch` with a traced index): nothing to look at
    coupled = np.asarray(jacobian) * (1 - np.eye(4, dtype=np.float32))
    if np.any(coupled != 0):
        raise ValueError(
            "activation: expected an elementwise callable; got one whose output i depends on "
            "input j ≠ i. Move the coupling (softmax, normalisation) out of the activation."
        )


def switch(index: Int[Array, ""] | int, names: tuple[str, ...]) -> Activation:
    """The activation `names[index]`, chosen at run time.

    One compiled program then serves every activation, which is what a control in a live
    figure needs.

    >>> float(switch(1, ("tanh", "relu"))(jnp.float32(-2.0)))
    0.0
    """
    branches = tuple(get(name) for name in names)
    return lambda z: lax.switch(index, branches, z)


def derivative(activation: str | Activation) -> Activation:
    """The elementwise derivative φ′, by forward-mode differentiation of φ itself.

    What a network multiplies by in its backward pass is this, rounding included: where JAX
    returns an exact zero, so does `derivative`.

    >>> float(derivative("sigmoid")(0.0))
    0.25
    """
    phi = get(activation)

    def slope(z: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
        z = jnp.asarray(z)
        return jax.jvp(phi, (z,), (jnp.ones_like(z),))[1]

    return slope


def largest_slope(activation: str | Activation) -> Float[Array, ""]:
    """The largest |φ′(z)| over z in [-8, 8], where every named activation attains it.

    >>> float(largest_slope("tanh"))
    1.0
    """
    return jnp.max(jnp.abs(derivative(activation)(jnp.linspace(-8.0, 8.0, 257))))


def gaussian_mean(
    function: Activation, variance: Float[Array, ""] | float = 1.0
) -> Float[Array, ""]:
    """E[f(√q z)] for z ~ N(0, 1), by Gauss-Legendre quadrature on each half-line.

    Args:
        function: f, elementwise; smooth except perhaps at 0.
        variance: q, the variance of f's argument.

    Returns:
        The expectation, in the default float dtype.

    >>> round(float(gaussian_mean(lambda z: jax.nn.relu(z) ** 2)), 6)
    0.5
    """
    half = _REACH * (_NODES + 1) / 2
    density = np.exp(-(half**2) / 2) / np.sqrt(2 * np.pi) * _WEIGHTS * _REACH / 2
    z = jnp.asarray(half, jnp.result_type(float)) * jnp.sqrt(variance)
    both = jnp.sum(function(jnp.stack([z, -z])), axis=0)
    return jnp.sum(jnp.asarray(density, z.dtype) * both)


def second_moment(
    activation: str | Activation, variance: Float[Array, ""] | float = 1.0
) -> Float[Array, ""]:
    """E[φ(√q z)²]: the mean square of a layer's output, given inputs of variance q.

    >>> round(float(second_moment("relu", 2.0)), 5)
    1.0
    """
    phi = get(activation)
    return gaussian_mean(lambda z: phi(z) ** 2, variance)


def slope_second_moment(
    activation: str | Activation, variance: Float[Array, ""] | float = 1.0
) -> Float[Array, ""]:
    """E[φ′(√q z)²]: what one activation does to the mean squared gradient.

    >>> round(float(slope_second_moment("relu")), 5)
    0.5
    """
    slope = derivative(activation)
    return gaussian_mean(lambda z: slope(z) ** 2, variance)
