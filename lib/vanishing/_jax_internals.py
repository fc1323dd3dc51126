"""All that the library takes from inside of JAX, so that a new JAX breaks one module.

jaxprs are no public interface: their parameters and the names of primitives change between minor
releases, which is why `pyproject.toml` bounds JAX from above. `live.compiler` and
`inspection.jaxprs` read them; what is private beyond that is here, and
`tests/test_jax_internals.py` names what is missing when the bound is moved.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager

from jax._src import config, core, pjit, source_info_util
from jax._src.interpreters import partial_eval, pxla

RELEASE = (0, 10)  # the minor release of JAX whose jaxprs are known


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


def at(traceback) -> AbstractContextManager:
    """A context in which what is traced comes from the line of an equation's traceback."""
    return source_info_util.user_context(traceback)


def context(eqn) -> AbstractContextManager:
    """The settings (the mesh, how random numbers are made) under which an equation was traced."""
    return eqn.ctx.manager


def bind(eqn, arguments: Sequence, params: dict) -> Sequence:
    """The outputs of one equation, with other parameters than its own."""
    made = eqn.primitive.bind(*arguments, **eqn.primitive.get_bind_params(params))
    return made if eqn.primitive.multiple_results else [made]


def derivative(eqn):
    """The rule of a `custom_jvp_call` that a mesh's shards call.

    JAX traces a rule when it is first asked for: as on the shards, where the call was.

    Returns:
        The jaxpr of (primals, tangents) → (outputs, their tangents), without the tangents that
        are zero; its constants; for each output, whether its tangent is.
    """
    primals = len(eqn.invars) - eqn.params["num_consts"]
    with context(eqn), _on_shards(eqn.ctx.cur_abstract_mesh):
        return _derivative(eqn, [False] * primals)


def rule(eqn):
    """The same as `derivative` of a `custom_jvp_call` on whole arrays."""
    dtypes = [variable.aval.dtype for variable in eqn.invars[eqn.params["num_consts"] :]]
    with context(eqn):
        return _derivative(eqn, [core.primal_dtype_to_tangent_dtype(d) != d for d in dtypes])


def _derivative(eqn, zeros: Sequence[bool]):
    return eqn.params["jvp_jaxpr_fun"].call_wrapped(*zeros)


@contextmanager
def _on_shards(mesh) -> Iterator[None]:
    with core.extend_axis_env_nd(mesh.shape.items()), config._check_vma(True):
        yield


def forget_lowered() -> None:
    """Free what programs were lowered to before XLA compiled them; the compiled ones stay.

    JAX keeps each MLIR module, in a context of more than a megabyte, as long as its program.
    """
    pjit._pjit_lower.cache_clear()
    pxla._cached_lowering_to_hlo.cache_clear()
