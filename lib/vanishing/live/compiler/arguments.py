"""What goes into a program: its names, and its values without loss."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence

import jax
import numpy as np

from vanishing.live.compiler.graph.nodes import Spec


def path_name(path) -> str:
    """A path into a pytree as text, its steps joined by dots."""
    return jax.tree_util.keystr(path, simple=True, separator=".")


def input_names(fn: Callable, examples: tuple) -> list[str]:
    """A name for each array among the arguments: the parameter's, and the path inside of it."""
    try:
        bound = list(inspect.signature(fn).bind(*examples).arguments)
    except (TypeError, ValueError):
        bound = []
    names = bound if len(bound) == len(examples) else [f"input{k}" for k in range(len(examples))]
    labelled = jax.tree_util.tree_flatten_with_path(examples)[0]
    return [
        ".".join(filter(None, (names[path[0].idx], path_name(path[1:])))) for path, _ in labelled
    ]


def function_name(fn: Callable) -> str:
    """What a function is called; of a callable object, its class."""
    while isinstance(fn, functools.partial):
        fn = fn.func
    return getattr(fn, "__name__", type(fn).__name__)


def flattened(program: str, args: tuple, tree, specs: Sequence[Spec]) -> list[np.ndarray]:
    """The arguments of one call as arrays of the types that a program was compiled for.

    Args:
        program: its name, for errors.
        args: the arguments.
        tree: their structure when the program was compiled.
        specs: names, shapes and element types of the arrays in them.

    Raises:
        ValueError: another structure, another shape, or a value that the element type cannot hold.
        TypeError: something that is no real number.
    """
    leaves, structure = jax.tree.flatten(args)
    if structure != tree:
        raise ValueError(
            f"{program}.run: expected arguments like {tree}; got {structure}. "
            "Pass what it was compiled for."
        )
    return [_held(program, leaf, spec) for leaf, spec in zip(leaves, specs, strict=True)]


def _held(program: str, value, spec: Spec) -> np.ndarray:
    """A value in the element type of its argument, which must be able to hold it."""
    array = np.asarray(value)
    if array.dtype.kind not in "biuf":
        raise TypeError(
            f"{program}.run: expected {spec.name} of real numbers; got {value!r} of type "
            f"{array.dtype}. Pass {spec.dtype}."
        )
    if array.shape != spec.shape:
        raise ValueError(
            f"{program}.run: expected {spec.name} of shape {spec.shape}; got {array.shape}. "
            "Compile it for that shape."
        )
    with np.errstate(all="ignore"):
        held = array.astype(spec.dtype)
    # A float may be rounded, but not become infinite; every other type is kept as it is.
    floats = spec.dtype == "float32"
    lost = np.isfinite(array) & ~np.isfinite(held) if floats else held != array
    if np.any(lost):
        raise ValueError(
            f"{program}.run: expected {spec.name} of {spec.dtype}; got {array[lost].flat[0]}, "
            "which it cannot hold. Round it, or compile for another type."
        )
    return held
