"""The named activations, their derivatives and their Gaussian moments."""

import contextlib
import weakref
from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.typing import ArrayLike
from jaxtyping import Array, Bool, Float, Int

from vanishing import _checks
from vanishing._types import Scalar
from vanishing.moments import gaussian_mean

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


# What has passed already; weak, so that no callable is kept alive for having been looked at.
_PASSED: weakref.WeakSet = weakref.WeakSet()
# In no order, and with an equal pair: a sort, a rank and a neighbour must show.
_LOOK_AT = np.array([0.7, -1.3, 1.9, -0.4], np.float32)


def _check_elementwise(activation: Activation) -> None:
    """Refuse a callable that fails on an array, changes its shape or dtype, mixes its entries
    (softmax, a mean, "the k largest") or is not finite (a logarithm)."""
    try:
        if activation in _PASSED:
            return
    except TypeError:
        raise TypeError(
            f"activation: expected a hashable callable, for the executables are kept by it; got "
            f"{activation!r}. Give its class __eq__ and __hash__, or wrap it in a function."
        ) from None
    with jax.ensure_compile_time_eval():
        _check_shapes(activation)
        together = activation(jnp.asarray(_LOOK_AT))
        if isinstance(together, jax.core.Tracer):
            return  # closes over a traced value (`switch` with a traced index): nothing to look at
        alone = [activation(jnp.full(4, z, np.float32))[k] for k, z in enumerate(_LOOK_AT)]
        jacobian = jax.jacobian(activation)(jnp.asarray(_LOOK_AT))
    coupled = np.asarray(jacobian) * (1 - np.eye(4, dtype=np.float32))
    # Entries of a vector may be computed by another polynomial than a row of equal ones.
    if np.any(coupled != 0) or not np.allclose(together, alone, 1e-4, 1e-5, equal_nan=True):
        raise ValueError(
            "activation: expected an elementwise callable; got one whose output i depends on "
            "input j ≠ i. Move the coupling (softmax, normalisation) out of the activation."
        )
    if not np.all(np.isfinite(together)):
        raise ValueError(
            f"activation: expected a callable that is finite everywhere; got {np.asarray(together)}"
            f" for {_LOOK_AT}. Pre-activations have either sign: guard it with jnp.where."
        )
    with contextlib.suppress(TypeError):  # some callable objects take no weak reference
        _PASSED.add(activation)


def _check_shapes(activation: Activation) -> None:
    try:
        shape = jax.eval_shape(activation, _LOOK_AT)
    except Exception as error:
        raise TypeError(
            f"activation: expected an elementwise JAX callable of one array; got {activation!r}, "
            f"which raises {type(error).__name__} on an array of shape [4]. Write it with "
            "jax.numpy, jnp.where in place of `if`."
        ) from error
    if getattr(shape, "shape", None) != _LOOK_AT.shape:
        raise ValueError(
            f"activation: expected an elementwise callable, [4] → [4]; got [4] → {shape}. "
            "Return one value for each input."
        )
    if shape.dtype != np.float32:
        raise TypeError(
            f"activation: expected an elementwise callable that returns floats, float32 → float32; "
            f"got dtype {shape.dtype}. Return something differentiable, of the input's dtype."
        )


def is_traced(activation: str | Activation) -> bool:
    """Whether φ closes over a traced value, as `switch` with a traced index does.

    >>> is_traced("tanh")
    False
    """
    if isinstance(activation, str):
        return False
    with jax.ensure_compile_time_eval():
        return isinstance(activation(jnp.zeros((), np.float32)), jax.core.Tracer)


def switch(index: Int[ArrayLike, ""], names: Sequence[str]) -> Activation:
    """The activation `names[index]`, chosen at run time.

    One compiled program then serves every activation, which is what a control in a live
    figure needs.

    Args:
        index: position in `names`; a whole number, or traced (a traced one that does not exist
            takes the nearest that does, as in `jax.lax.switch`).
        names: of activations, or the callables.

    Returns:
        φ, from an array to an array of the same shape and dtype.

    Raises:
        ValueError, TypeError: no names, one that is unknown, an index outside them.

    >>> float(switch(1, ("tanh", "relu"))(jnp.float32(-2.0)))
    0.0
    """
    if isinstance(names, str) or not isinstance(names, Sequence) or not names:
        raise TypeError(
            f"names: expected a sequence of activations, at least one; got {names!r}. "
            "Pass a tuple such as ('tanh', 'relu')."
        )
    branches = tuple(get(name) for name in names)
    index = _checks.depth(index, len(names) - 1, name="index", at_least=0)
    return lambda z: lax.switch(index, branches, z)


def derivative(activation: str | Activation) -> Activation:
    """The elementwise derivative φ′, by forward-mode differentiation of φ itself.

    What a network multiplies by in its backward pass is this, rounding included: where JAX
    returns an exact zero, so does `derivative`.

    Args, errors: as in `get`.

    Returns:
        φ′, from an array of any shape to one of the same shape and dtype.

    >>> float(derivative("sigmoid")(0.0))
    0.25
    """
    phi = get(activation)

    def slope(z: Float[ArrayLike, "*shape"]) -> Float[Array, "*shape"]:
        z = jnp.asarray(z)
        return jax.jvp(phi, (z,), (jnp.ones_like(z),))[1]

    return slope


def largest_slope(activation: str | Activation) -> Float[Array, ""]:
    """The largest |φ′(z)| over z in [-8, 8], where every named activation attains it.

    Args, errors: as in `get`.

    Returns:
        A scalar of the default float dtype.

    >>> float(largest_slope("tanh"))
    1.0
    """
    return jnp.max(jnp.abs(derivative(activation)(jnp.linspace(-8.0, 8.0, 257))))


def homogeneous_at_ends(activation: str | Activation, dtype) -> Bool[Array, "2"]:
    """Whether φ(c z) = c φ(z) for the smallest z and for the largest, c > 0.

    ReLU's family and the linear map are so everywhere. The tanh is at 0 alone, the sigmoid
    nowhere; ELU, SELU, GELU and SiLU are at both ends and in between bend from one law to the
    other. Looked at 2^±32 in single precision (2^±256 in double), where a smooth function has
    become its own limit to the last digit; a traced `switch` is looked at when it runs.

    >>> homogeneous_at_ends("tanh", jnp.float32).tolist()
    [True, False]
    """
    phi, reach = get(activation), end_exponent(dtype)
    ends = np.ldexp(1.0, np.array([[-reach], [reach]])) * np.array([1.0, -1.0])
    once, twice = (phi(jnp.asarray(c * ends, dtype)) for c in (1, 2))
    size = jnp.max(jnp.abs(once), axis=1)
    error = jnp.max(jnp.abs(twice - 2 * once), axis=1)
    return (size > 0) & (error <= 8 * jnp.finfo(dtype).eps * size)


def end_exponent(dtype) -> int:
    """The power of two from which on an activation counts as its limit: a quarter of the range,
    so that the cubes inside an activation stay finite."""
    return jnp.finfo(dtype).maxexp // 4


def second_moment(activation: str | Activation, variance: Scalar = 1.0) -> Float[Array, ""]:
    """E[φ(√q z)²]: the mean square of a layer's output, given inputs of variance q.

    Args:
        activation: φ, a name or an elementwise callable.
        variance: q ≥ 0, a number or traced.

    Returns:
        A scalar of the default float dtype.

    Raises:
        ValueError, TypeError: as in `get` and in `moments.gaussian_mean`.

    >>> round(float(second_moment("relu", 2.0)), 5)
    1.0
    """
    phi = get(activation)
    return gaussian_mean(lambda z: phi(z) ** 2, variance)


def slope_second_moment(activation: str | Activation, variance: Scalar = 1.0) -> Float[Array, ""]:
    """E[φ′(√q z)²]: what one activation does to the mean squared gradient.

    Args, returns, errors: as in `second_moment`.

    >>> round(float(slope_second_moment("relu")), 5)
    0.5
    """
    slope = derivative(activation)
    return gaussian_mean(lambda z: slope(z) ** 2, variance)
