"""Checks on what a caller hands in: expected, got, remedy."""

import math
import numbers

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

Scalar = Float[Array, ""] | float


def whole(name: str, value, at_least: int) -> int:
    """Check a count (depth, width, steps): a plain integer, at least `at_least`.

    >>> whole("depth", 3, 1)
    3
    """
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        raise TypeError(
            f"{name}: expected an integer; got {value!r} of type {type(value).__name__}. "
            "Pass a plain int."
        )
    if value < at_least:
        raise ValueError(
            f"{name}: expected at least {at_least}; got {value}. Pass {name}={at_least} or more."
        )
    return int(value)


def scale(name: str, value):
    """Check a scale (σ_w, α, ε): a finite number ≥ 0. Traced values pass unchecked.

    >>> scale("sigma_w", 1)
    1.0
    """
    if isinstance(value, jax.Array | np.ndarray) and not isinstance(value, jax.core.Tracer):
        if value.shape != ():
            raise ValueError(
                f"{name}: expected a single number; got an array of shape {value.shape}. "
                "Use jax.vmap over a function of one scale for many."
            )
        value = value.item()
    if isinstance(value, bool | str | list | tuple | complex):
        raise TypeError(
            f"{name}: expected a number; got {value!r} of type {type(value).__name__}. "
            "Pass a float such as 1.0."
        )
    if not isinstance(value, numbers.Real):
        return value  # a tracer, or a placeholder while JAX rebuilds the pytree
    if not (math.isfinite(value) and value >= 0):
        raise ValueError(
            f"{name}: expected a finite number ≥ 0; got {value}. "
            "It is a standard deviation or a scale; drop the sign."
        )
    return float(value)


def array(name: str, value, shape: tuple[int | None, ...], meaning: str, dtype=None) -> Array:
    """Check a float array: its dtype, its rank, its sizes, at least one row, no NaN.

    Args:
        name: what the caller calls it.
        value: the array, or anything NumPy reads as one.
        shape: the expected sizes, None where any positive size will do.
        meaning: the axes in words, for the message, such as "[batch, width]".
        dtype: cast to this float dtype; JAX's default where None.
    """
    traced = isinstance(value, jax.core.Tracer)
    value = value if isinstance(value, jax.Array) else np.asarray(value)
    if not jnp.issubdtype(value.dtype, jnp.floating):
        raise TypeError(
            f"{name}: expected floats; got dtype {value.dtype}. "
            f"Convert it first: {name}.astype('float32')."
        )
    if value.ndim != len(shape) or any(
        want not in (None, have) for want, have in zip(shape, value.shape, strict=True)
    ):
        want = ", ".join("any" if size is None else str(size) for size in shape)
        raise ValueError(
            f"{name}: expected shape {meaning} = ({want}); got {value.shape}. "
            + ("Add a batch axis: x[None]." if value.ndim == len(shape) - 1 else "Reshape it.")
        )
    if 0 in value.shape:
        raise ValueError(
            f"{name}: expected at least one row; got shape {value.shape}. Pass a non-empty batch."
        )
    if not traced and not _finite(value):
        raise ValueError(
            f"{name}: expected finite numbers; got NaN or infinity. "
            f"Find them with np.argwhere(~np.isfinite({name}))."
        )
    return jnp.asarray(value, dtype or jnp.result_type(float))


def _finite(value) -> bool:
    # Looked at now, even where the caller is being traced and this array is a constant to it.
    with jax.ensure_compile_time_eval():
        return bool(jnp.all(jnp.isfinite(value)))


def depth(value, allocated: int):
    """Check how many of the stacked layers to use; traced values pass unchecked."""
    if value is None or isinstance(value, jax.core.Tracer):
        return value
    if isinstance(value, jax.Array | np.ndarray) and value.shape == ():
        value = value.item()
    whole("depth", value, 1)
    if value > allocated:
        raise ValueError(
            f"depth: expected at most the {allocated} layers that were allocated; got {value}. "
            f"Build the network with MLP(depth={value}, ...)."
        )
    return value


def tree(params, expected) -> None:
    """Check that `params` has the structure and shapes that `init` gives for this network."""
    have, want = jax.tree.structure(params), jax.tree.structure(expected)
    if have != want:
        raise ValueError(
            f"params: expected the structure {want}; got {have}. "
            "Make them with vanishing.init(net, key=key)."
        )
    paths = jax.tree_util.tree_leaves_with_path(expected)
    for (path, leaf), got in zip(paths, jax.tree.leaves(params), strict=True):
        where = jax.tree_util.keystr(path)
        if jnp.shape(got) != leaf.shape:
            raise ValueError(
                f"params{where}: expected shape {leaf.shape}; got {jnp.shape(got)}. "
                "Make them with vanishing.init(net, key=key) for this very network."
            )
        if not jnp.issubdtype(jnp.result_type(got), jnp.floating):
            raise TypeError(
                f"params{where}: expected floats; got dtype {jnp.result_type(got)}. "
                "Make them with vanishing.init(net, key=key)."
            )


def _shapes(net) -> dict:
    """The structure and shapes that `init` gives, without drawing anything."""

    def affine(stack, fan_in, fan_out):
        sizes = {"weights": (*stack, fan_in, fan_out), "biases": (*stack, fan_out)}
        return {name: jax.ShapeDtypeStruct(size, float) for name, size in sizes.items()}

    shapes = affine((net.depth,), net.width, net.width)
    if net.in_features is not None:
        shapes["read_in"] = affine((), net.in_features, net.width)
    if net.out_features is not None:
        shapes["read_out"] = affine((), net.width, net.out_features)
    return shapes


def inputs(net, params, x, depth_in_use):
    """Check what every entry point takes; return x as a float array, and depth."""
    tree(params, _shapes(net))
    features = net.width if net.in_features is None else net.in_features
    dtype = params["weights"].dtype
    x = array("x", x, (None, features), "[batch, features]", dtype)
    return x, depth(depth_in_use, net.depth)
