"""Traces the user's function, and says where it asked for what only a run would know."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from pathlib import Path

import jax
import numpy as np

from vanishing._jax_internals import is_users
from vanishing.live.compiler.graph.nodes import CompileError, Source

OWN = str(Path(__file__).parent)
REMEDIES = {
    jax.errors.TracerBoolConversionError: (
        "a truth value while it is compiled",
        "Choose between arrays with jnp.where, and between computations with jax.lax.cond.",
    ),
    jax.errors.TracerArrayConversionError: (
        "a NumPy array while it is compiled",
        "Use jax.numpy in place of numpy.",
    ),
    jax.errors.TracerIntegerConversionError: (
        "a Python integer while it is compiled",
        "Index with a jax array, or close over the number instead of passing it.",
    ),
    jax.errors.NonConcreteBooleanIndexError: (
        "a mask's number of true entries while it is compiled",
        "Keep the shape: jnp.where(mask, x, 0).",
    ),
    jax.errors.UnexpectedTracerError: (
        "a value of another call",
        "Return what the function computes, instead of storing it outside.",
    ),
    jax.errors.ConcretizationTypeError: (
        "a number while it is compiled",
        "Close over what decides shapes and loops instead of passing it.",
    ),
}


def check_examples(fn: Callable, examples: tuple) -> None:
    """Refuse what cannot be traced at all.

    Raises:
        TypeError: no function, or an example that is neither array nor number.
    """
    if not callable(fn):
        raise TypeError(
            f"compile: expected a function as fn; got {_short(fn)}. Pass a function of arrays."
        )
    for path, leaf in jax.tree_util.tree_flatten_with_path(examples)[0]:
        kind = getattr(getattr(leaf, "dtype", None), "kind", "V")
        array = hasattr(leaf, "shape") and hasattr(leaf, "dtype") and kind not in "OSUMm"
        if not (array or isinstance(leaf, bool | int | float | complex | np.generic)):
            place = jax.tree_util.keystr(path[1:])
            raise TypeError(
                "compile: expected arrays and numbers, in lists, tuples or dicts, as examples; "
                f"got {_short(leaf)} for argument {path[0].idx}{place}. Pass an array or a number."
            )


def trace(fn: Callable, examples: tuple):
    """The jaxpr of a function, and the shapes of what it returns.

    Raises:
        CompileError: the function needs a value that is known only when the program runs.
    """
    try:
        closed, shapes = jax.make_jaxpr(fn, return_shape=True)(*examples)
    except tuple(REMEDIES) as error:
        wanted, remedy = next(v for kind, v in REMEDIES.items() if isinstance(error, kind))
        raise CompileError(
            f"compile: expected a function of arrays whose values are not known yet; got one that "
            f"needs {wanted}, at {_users_line(error)}. {remedy}"
        ) from error
    except TypeError as error:
        if "Tracer" not in str(error):  # the user's own, or about what the function returns
            raise
        raise CompileError(
            "compile: expected sizes that are known when a function is compiled; got one that is "
            f"computed, at {_users_line(error)}. Close over it instead of passing it."
        ) from error
    except OverflowError as error:
        raise CompileError(
            f"compile: expected integers of 32 bits; got one that does not fit ({error}), at "
            f"{_users_line(error)}. Pass a float or a smaller integer."
        ) from error
    if any(isinstance(constant, jax.core.Tracer) for constant in closed.consts):
        raise CompileError(
            "compile: expected a function of its arguments; got one that uses a value of another "
            "call. Return what the function computes, instead of storing it outside."
        )
    return closed, shapes


def _users_line(error: BaseException) -> Source:
    """The innermost line of an error's traceback that is neither JAX's nor the compiler's."""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if is_users(frame.filename) and not frame.filename.startswith(OWN):
            return Source(frame.filename, frame.lineno or 0, frame.name)
    return Source()


def _short(value) -> str:
    """A value as an error shows it."""
    text = repr(value)
    kind = type(value).__name__
    return f"{text if len(text) <= 60 else text[:57] + '…'} of type {kind}"
