"""Shared by the tests and by the examples in docstrings: strict JAX, and the names they use."""

import os
from pathlib import Path

import jax
import jax.numpy as jnp
import jaxtyping
import pytest

# From here on every annotation in the library is held to what is passed and returned, the shapes
# of arrays included; as in PEP 484, an int is a float. By the hook itself and not by its option in
# `addopts`, which comes too late in the workers of pytest-xdist.
CHECKER = "beartype.beartype(conf=beartype.BeartypeConf(is_pep484_tower=True))"
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
