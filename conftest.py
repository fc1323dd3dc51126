"""Shared by the tests and by the examples in docstrings: strict JAX, and the names they use."""

import os
from pathlib import Path

import jax
import jax.numpy as jnp
import pytest

import vanishing as vg

# A silent broadcast between ranks is the commonest way to a wrong number that looks right; a
# silent change of dtype is the next.
jax.config.update("jax_numpy_rank_promotion", "raise")
jax.config.update("jax_numpy_dtype_promotion", "strict")


# What one worker takes at its largest, with a browser and a kernel beside it.
WORKER_BYTES = 4 << 30


def pytest_xdist_auto_num_workers() -> int:
    """As many workers as there are cores, and no more than memory has room for (`-n auto`)."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return max(1, min(os.cpu_count() or 1, memory // WORKER_BYTES))


@pytest.fixture(autouse=True)
def _names(doctest_namespace):
    doctest_namespace.update(vg=vg, jax=jax, jnp=jnp)


@pytest.fixture(scope="module", autouse=True)
def _room_for_executables():
    """XLA maps memory for each executable; a process that needs more than 65,530 maps dies."""
    yield
    maps = Path("/proc/self/maps")  # Linux alone has it, and the limit
    if maps.exists() and maps.read_bytes().count(b"\n") > 20_000:
        jax.clear_caches()
