"""Checks on what a caller hands in: expected, got, remedy."""

import numbers
from typing import ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

# Every description must fit into single precision, in which it will be run.
_LARGEST = float(np.finfo(np.float32).max)


def _is_plain_array(value) -> bool:
    return isinstance(value, jax.Array | np.ndarray) and not isinstance(value, jax.core.Tracer)


def _item(value):
    """The number in an array of no axes; anything else as it is."""
    if _is_plain_array(value) and value.shape == () and value.dtype.kind in "biufc":
        return value.item()
    return value


def whole(name: str, value, at_least: int) -> int:
    """Check a count (depth, width, steps): a whole number, at least `at_least`.

    >>> whole("depth", np.uint8(3), 1)
    3
    """
    value = _item(value)
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        kind = "a traced value" if isinstance(value, jax.core.Tracer) else repr(value)
        raise TypeError(
            f"{name}: expected an integer; got {kind} of type {type(value).__name__}. "
            "Pass a plain int."
        )
    if value < at_least:
        raise ValueError(
            f"{name}: expected at least {at_least}; got {value}. Pass {name}={at_least} or more."
        )
    return int(value)  # a NumPy integer would wrap around in the caller's arithmetic


def scale(name: str, value):
    """Check a scale (σ_w, α, ε): a finite number ≥ 0. Of traced values the shape is checked.

    >>> scale("sigma_w", 1)
    1.0
    """
    if isinstance(value, jax.Array | np.ndarray) and value.shape != ():
        raise ValueError(
            f"{name}: expected a single number; got an array of shape {value.shape}. "
            "Use jax.vmap over a function of one scale for many."
        )
    if isinstance(value, jax.core.Tracer):
        if not jnp.issubdtype(value.dtype, jnp.number):
            raise TypeError(
                f"{name}: expected a number; got a traced {value.dtype}. Pass a float such as 1.0."
            )
        return value
    value = _item(value)
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise TypeError(
            f"{name}: expected a number; got {value!r} of type {type(value).__name__}. "
            "Pass a float such as 1.0."
        )
    if not 0 <= value <= _LARGEST:
        raise ValueError(
            f"{name}: expected a finite number ≥ 0, of single precision's range; got {value}. "
            "It is a standard deviation or a scale; drop the sign."
        )
    return float(value)


def function(name: str, value) -> None:
    """Check that `value` can be called."""
    if not callable(value):
        raise TypeError(
            f"{name}: expected a function; got {value!r} of type {type(value).__name__}. "
            "Pass the function itself, such as jnp.tanh."
        )


def key(name: str, value) -> None:
    """Check a JAX random key, of the new kind or the old."""
    dtype, shape = getattr(value, "dtype", None), getattr(value, "shape", None)
    new = dtype is not None and jnp.issubdtype(dtype, jax.dtypes.prng_key) and shape == ()
    if not (new or (dtype == np.uint32 and shape == (2,))):
        got = repr(value) if shape is None else f"an array of {dtype}, shape {shape}"
        raise TypeError(
            f"{name}: expected one JAX random key; got {got}. Make one with jax.random.key(0)."
        )


def sizes(name: str, shape, at_least: int) -> tuple[int, ...]:
    """Check a shape: `at_least` positive whole numbers or more.

    >>> sizes("shape", [np.int64(2), 3], 1)
    (2, 3)
    """
    if not isinstance(shape, tuple | list) or len(shape) < at_least:
        raise TypeError(
            f"{name}: expected a tuple of {at_least} or more sizes; got {shape!r}. "
            "Pass one such as (3, 8, 4)."
        )
    return tuple(whole(f"{name}[{k}]", size, 1) for k, size in enumerate(shape))


def float_dtype(dtype):
    """Check a float dtype; JAX's default for None."""
    if dtype is None:
        return jnp.result_type(float)
    try:
        kind = jnp.dtype(dtype)
    except TypeError:
        kind = None
    if kind is None or not jnp.issubdtype(kind, jnp.floating):
        raise TypeError(
            f"dtype: expected a float dtype; got {dtype!r}. Pass jnp.float32 or leave it out."
        )
    return kind


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
    value = value if isinstance(value, jax.Array) else _numpy(name, value)
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
    dtype = dtype or jnp.result_type(float)
    if not traced and not _finite(value, dtype):
        raise ValueError(
            f"{name}: expected finite numbers of {jnp.dtype(dtype).name}; got NaN or infinity. "
            f"Find them with np.argwhere(~np.isfinite({name}))."
        )
    return jnp.asarray(value, dtype)


def row(name: str, value):
    """One input as a batch of one, where it comes without a batch axis."""
    value = value if isinstance(value, jax.Array) else _numpy(name, value)
    return value[None] if value.ndim == 1 else value


def _numpy(name: str, value) -> np.ndarray:
    try:
        return np.asarray(value)
    except (ValueError, TypeError) as error:
        raise TypeError(
            f"{name}: expected an array of floats; got a {type(value).__name__} that NumPy cannot "
            f"read: {error}. Pass rows of equal length."
        ) from error


@jax.jit  # one program for a shape, not three
def _ends(value):
    return jnp.min(value), jnp.max(value)


def _in_memory(value: Array) -> bool:
    return value.is_fully_addressable and all(d.platform == "cpu" for d in value.devices())


def _finite(value, dtype) -> bool:
    """Whether all are finite in `dtype`: the least is, and the largest; a NaN would be both."""
    # Looked at now, even where the caller is being traced and this array is a constant to it; by
    # NumPy where it can, which takes a twentieth of the time that starting a program does.
    if isinstance(value, np.ndarray) or _in_memory(value):
        with np.errstate(all="ignore"):
            value = np.asarray(value, jnp.dtype(dtype))
            ends = value.min(), value.max()
    else:
        with jax.ensure_compile_time_eval():
            ends = _ends(jnp.asarray(value, dtype))
    return all(bool(np.isfinite(end)) for end in ends)


def depth(value, allocated: int, name: str = "depth", at_least: int = 1):
    """Check how many of the stacked layers to use; of a traced value shape and dtype."""
    if isinstance(value, jax.core.Tracer):
        if value.shape != () or not jnp.issubdtype(value.dtype, jnp.integer):
            raise TypeError(
                f"{name}: expected one integer; got a traced {value.dtype} of shape {value.shape}. "
                f"Convert it with {name}.astype('int32'), and use jax.vmap for many."
            )
        return value
    if value is None and name == "depth":
        return None
    value = whole(name, value, at_least)
    if value > allocated:
        if name != "depth":
            raise ValueError(f"{name}: expected at most {allocated}; got {value}. Choose another.")
        raise ValueError(
            f"depth: expected at most the {allocated} layers that were allocated; got {value}. "
            f"Build the network with MLP(depth={value}, ...)."
        )
    return value


class Description:
    """What a check must know of a network; `vanishing.MLP` is one, and stands above this floor."""

    SCALES: ClassVar[tuple[str, ...]]

    def shapes(self):
        """The structure and shapes that `init` gives, without drawing anything."""
        raise NotImplementedError


def network(net) -> None:
    """Check that `net` is a description, and one network rather than a batch of them."""
    if not isinstance(net, Description):
        got = f"the class {net.__name__}" if isinstance(net, type) else f"a {type(net).__name__}"
        raise TypeError(
            f"net: expected a vanishing.MLP; got {got}. "
            "Describe the network first, vg.MLP(depth=3, width=8); params come after it."
        )
    # One that JAX has put together has not been checked.
    for name in net.SCALES:
        if (value := getattr(net, name)) is not None or name == "epsilon":
            scale(name, value)


def tree(net, params) -> None:
    """Check that `params` has the structure and shapes that `init` gives for this network, one
    float dtype, and no NaN."""
    expected = net.shapes()
    have, want = jax.tree.structure(params), jax.tree.structure(expected)
    if have != want:
        raise ValueError(
            f"params: expected the structure {want}; got {have}. "
            "Make them with vanishing.init(net, key=key)."
        )
    paths = jax.tree_util.tree_leaves_with_path(expected)
    leaves = jax.tree.leaves(params)
    dtype = getattr(leaves[0], "dtype", None)
    for (path, leaf), got in zip(paths, leaves, strict=True):
        _leaf(f"params{jax.tree_util.keystr(path)}", got, leaf.shape, dtype)


def _leaf(name: str, leaf, shape: tuple[int, ...], dtype) -> None:
    remedy = "Make them with vanishing.init(net, key=key)"
    if not isinstance(leaf, jax.Array | np.ndarray):
        raise TypeError(f"{name}: expected an array; got a {type(leaf).__name__}. {remedy}.")
    if leaf.shape != shape:
        raise ValueError(
            f"{name}: expected shape {shape}; got {leaf.shape}. {remedy} for this very network."
        )
    if not jnp.issubdtype(leaf.dtype, jnp.floating):
        raise TypeError(f"{name}: expected floats; got dtype {leaf.dtype}. {remedy}.")
    if leaf.dtype != dtype:
        raise TypeError(
            f"{name}: expected one dtype throughout, {dtype}; got {leaf.dtype}. "
            "Convert all: jax.tree.map(lambda p: p.astype('float32'), params)."
        )
    if not isinstance(leaf, jax.core.Tracer) and not _finite(leaf, leaf.dtype):
        raise ValueError(
            f"{name}: expected finite numbers; got NaN or infinity. Training has diverged, or the "
            f"scale is too large: find them with np.argwhere(~np.isfinite({name}))."
        )


def inputs(net, params, x, depth_in_use):
    """Check what every entry point takes; return x as a float array, and depth."""
    network(net)
    tree(net, params)
    features = net.width if net.in_features is None else net.in_features
    dtype = params["weights"].dtype
    x = array("x", x, (None, features), "[batch, features]", dtype)
    return x, depth(depth_in_use, net.depth)
