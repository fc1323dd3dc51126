"""Shared by the tests and by the examples in docstrings: strict JAX, and the names they use."""

import functools
import os
import typing
from pathlib import Path

import jax
import jax.numpy as jnp
import jaxtyping
import pytest

# What `jaxtyping.jaxtyped` costs, it costs for the axes that arrays share: it binds the arguments
# of every call to remember them, and takes more than a millisecond to decorate a function, which
# one inside of another pays whenever that is called. Our compiler takes eight times as long with
# it. An annotation that names no axes needs the checker alone, and none needs nothing.
with_axes = jaxtyping.jaxtyped


def has_axes(hint) -> bool:
    """Whether an array of certain axes is part of an annotation."""
    if isinstance(hint, type) and issubclass(hint, (jaxtyping.AbstractArray, jaxtyping.PyTree)):
        return True
    return any(map(has_axes, typing.get_args(hint)))


# By code, which a function inside of another has in common with its next self. By its identity:
# equal code may be annotated otherwise, as what two dataclasses are given is.
HINTS: dict = {}


def hints_without_axes(fn) -> dict | None:
    """A function's annotations; None where one has axes, or names what is not to be seen."""
    code = fn.__code__
    if id(code) not in HINTS:
        try:
            hints = typing.get_type_hints(fn, include_extras=True)
        except Exception:
            hints = None
        hints = None if hints is None or any(map(has_axes, hints.values())) else hints
        HINTS[id(code)] = hints, code  # whose identity is not given to another while it is here
    return HINTS[id(code)][0]


def annotated(fn=None, *, typechecker):
    """What `jaxtyping.jaxtyped` does, at the price of what is to be checked."""
    if fn is None:
        return functools.partial(annotated, typechecker=typechecker)
    if isinstance(fn, type):
        made = vars(fn).get("__init__") if hasattr(fn, "__dataclass_fields__") else None
        if made is not None and not hasattr(made, "__wrapped__"):  # written by hand, it has been
            fn.__init__ = annotated(made, typechecker=typechecker)
        return fn
    hints = hints_without_axes(fn)
    if hints is None:
        return with_axes(fn, typechecker=typechecker)
    if not hints:
        return fn
    fn.__annotations__ = hints
    checked = typechecker(fn)

    @functools.wraps(fn)
    def call(*args, **kwargs):
        __tracebackhide__ = True
        return (fn if jaxtyping.config.jaxtyping_disable else checked)(*args, **kwargs)

    return call


# From here on every annotation in the library is held to what is passed and returned, the shapes
# of arrays included; as in PEP 484, an int is a float. By the hook itself and not by its option in
# `addopts`, which comes too late in the workers of pytest-xdist.
CHECKER = "beartype.beartype(conf=beartype.BeartypeConf(is_pep484_tower=True))"
jaxtyping.jaxtyped = annotated
jaxtyping.install_import_hook("vanishing", CHECKER)

# A silent broadcast between ranks is the commonest way to a wrong number that looks right; a
# silent change of dtype is the next.
jax.config.update("jax_numpy_rank_promotion", "raise")
jax.config.update("jax_numpy_dtype_promotion", "strict")


# What one worker takes at its largest (4.7 GiB was seen), with a browser and a kernel beside it.
WORKER_BYTES = 6 << 30


@pytest.hookimpl(optionalhook=True)  # without xdist (`-p no:xdist`) there is no such hook
def pytest_xdist_auto_num_workers() -> int:
    """As many workers as there are cores, and no more than memory has room for (`-n auto`)."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return max(1, min(os.cpu_count() or 1, memory // WORKER_BYTES))


@pytest.fixture
def checker() -> str:
    """What holds the library to its annotations, for a test of that."""
    return CHECKER


@pytest.fixture(autouse=True)
def _annotations(request):
    """Where a test hands in what no annotation allows (`bad_input`), the library must say so
    itself, as it does to a reader."""
    unchecked = request.node.get_closest_marker("bad_input") is not None
    jaxtyping.config.update("jaxtyping_disable", unchecked)


@pytest.fixture(autouse=True)
def _names(doctest_namespace):
    import vanishing as vg  # here: only after the hook

    doctest_namespace.update(vg=vg, jax=jax, jnp=jnp)


@pytest.fixture(scope="module", autouse=True)
def _room_for_executables():
    """XLA maps memory for each executable; a process that needs more than 65,530 maps dies."""
    yield
    maps = Path("/proc/self/maps")  # Linux alone has it, and the limit
    if maps.exists() and maps.read_bytes().count(b"\n") > 20_000:
        jax.clear_caches()
