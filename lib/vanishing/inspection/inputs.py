"""What a caller hands in: named, checked, traced."""

import traceback
from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import AxisType, NamedSharding, PartitionSpec

from vanishing.inspection import jaxprs


def parameters(params) -> tuple[list[str], list]:
    """The path and the array of every parameter.

    >>> parameters({"w": jnp.ones(2)})[0]
    ["['w']"]
    """
    paths = jax.tree_util.tree_leaves_with_path(params)
    if not paths:
        raise ValueError(
            "params: expected a pytree with at least one array; got none. "
            "Pass the parameters first: inspect(loss, params, *batch)."
        )
    for path, leaf in paths:
        where = f"params{jax.tree_util.keystr(path)}"
        if not hasattr(leaf, "dtype"):
            raise TypeError(
                f"{where}: expected an array; got {type(leaf).__name__}. Pass the arrays alone: "
                "eqx.partition(model, eqx.is_inexact_array) or nnx.split(model, nnx.Param, ...)."
            )
        if not jnp.issubdtype(leaf.dtype, jnp.floating):
            raise TypeError(
                f"{where}: expected floats; got dtype {leaf.dtype}. No gradient exists for it: "
                "pass it with the batch, or split it off (nnx.split(model, nnx.Param, ...))."
            )
    return [jax.tree_util.keystr(path) for path, _ in paths], [leaf for _, leaf in paths]


def readable(path: str) -> str:
    """A path for people.

    >>> readable("['params']['Dense_0']['kernel']"), readable(".layers[0].weight")
    ('Dense_0/kernel', 'layers/0/weight')
    """
    if not path:  # the parameters are one array
        return "params"
    for mark in ("['", "']", "[", "]", "."):
        path = path.replace(mark, "/")
    parts = [part for part in path.split("/") if part]
    if len(parts) > 1 and parts[0] == "params":
        parts = parts[1:]
    if len(parts) > 1 and parts[-1] == "value":  # Flax nnx wraps each array
        parts = parts[:-1]
    return "/".join(parts)


def not_finite(params, batch) -> tuple[str, ...]:
    """Which parameters and arrays of the batch hold a NaN or an infinity.

    >>> not_finite({"w": jnp.ones(2)}, (jnp.array([1.0, jnp.nan]), jnp.arange(3)))
    ('batch[0]',)
    """
    named = [(readable(jax.tree_util.keystr(p)), a) for p, a in _leaves(params)]
    named += [(f"batch{jax.tree_util.keystr(path)}", a) for path, a in _leaves(batch)]
    return tuple(
        name
        for name, array in named
        if jnp.issubdtype(jnp.result_type(array), jnp.inexact)
        and not bool(jnp.all(jnp.isfinite(array)))
    )


def _leaves(tree) -> list:
    return jax.tree_util.tree_leaves_with_path(tree)


def whole(array):
    """An array whose type does not say how it is shared out: those that do bind every operation."""
    sharding = getattr(array, "sharding", None)
    if isinstance(sharding, NamedSharding) and AxisType.Explicit in sharding.mesh.axis_types:
        return jax.device_put(array, NamedSharding(sharding.mesh, PartitionSpec()))
    return array


def batch_size(data: Sequence) -> int | None:
    """How many examples there are, as far as shapes tell; None where they do not.

    The first size of arrays of the most kinds, for pictures and their classes share it and the
    statistics of layers are all of one kind; then the size that more kinds have anywhere, for
    time may come before the batch; then that of the larger array.

    >>> pictures, classes, statistics = jnp.ones((8, 5, 5)), jnp.arange(8), jnp.ones(5)
    >>> batch_size([statistics, statistics, pictures, classes])
    8
    """
    arrays = [array for array in data if np.ndim(array) > 0]

    def kinds(holds: Callable) -> int:
        return len({(np.ndim(a), str(a.dtype)) for a in arrays if holds(np.shape(a))})

    def weight(size: int) -> tuple[int, int, int]:
        largest = max(np.size(a) for a in arrays if np.shape(a)[0] == size)
        return kinds(lambda shape: shape[0] == size), kinds(lambda s: size in s), largest

    return max({np.shape(array)[0]: None for array in arrays}, key=weight, default=None)


def traced(loss: Callable, flat: Callable, arrays: Sequence):
    """The jaxpr of `flat`, which calls `loss`.

    Raises:
        TypeError, ValueError: what JAX cannot trace, or what is not one number.
    """
    try:
        closed = jaxprs.trace(flat, *arrays)
    except (jax.errors.JAXTypeError, jax.errors.JAXIndexError) as error:
        raise TypeError(
            f"loss: expected a function that JAX can trace; got {type(error).__name__} at "
            f"{_line(error)}. Decide with jnp.where or jax.lax.cond instead of if, and keep "
            "NumPy and .item() out of it."
        ) from error
    outputs = closed.out_avals
    if len(outputs) != 1 or outputs[0].shape != ():
        shapes = ", ".join(str(output.shape) for output in outputs)
        raise ValueError(
            f"loss: expected one number, shape (); got {len(outputs)} output(s) of shape {shapes}. "
            "Take the mean over the batch, and return the loss alone, without auxiliary values."
        )
    if not jnp.issubdtype(outputs[0].dtype, jnp.floating):
        raise TypeError(
            f"loss: expected a float; got dtype {outputs[0].dtype}. "
            "A count or an accuracy has no gradient; return the loss it stands for."
        )
    return closed


def _line(error: Exception) -> str:
    """The last line of the reader's own code in a traceback."""
    inner = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if "/jax/" not in frame.filename and "/vanishing/inspection/" not in frame.filename
    ]
    return f"{inner[-1].filename}:{inner[-1].lineno}" if inner else "(line unknown)"
