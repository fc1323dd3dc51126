"""All that the compiler takes from inside of JAX, so that a new JAX breaks one module.

jaxprs are no public interface: their parameters and the names of primitives change between minor
releases, which is why `pyproject.toml` bounds JAX from above. `tests/live/compiler/test_jax.py`
names what is missing when the bound is moved.
"""

from __future__ import annotations

from jax._src import source_info_util
from jax._src.interpreters import partial_eval

RELEASE = (0, 10)  # the minor release of JAX whose jaxprs the compiler knows


def pruned(jaxpr):
    """The same jaxpr without the equations that no output needs."""
    return partial_eval.dce_jaxpr(jaxpr, [True] * len(jaxpr.outvars), True)[0]


def key_impl(aval):
    """The random number generator of a typed key, or None for a plain array."""
    return getattr(aval.dtype, "_impl", None)


def user_frame(traceback):
    """The innermost frame outside of JAX (`file_name`, `start_line`, `function_name`), or None.

    Args:
        traceback: an equation's `source_info.traceback`.
    """
    return source_info_util.user_frame(traceback)


def is_users(filename: str) -> bool:
    """Whether a file is neither JAX's own nor Python's machinery."""
    return source_info_util.is_user_filename(filename)
