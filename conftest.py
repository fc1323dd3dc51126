"""Shared by the tests and by the examples in docstrings: strict JAX, and the names they use."""

import jax
import jax.numpy as jnp
import pytest

import vanishing as vg

# A silent broadcast between ranks is the commonest way to a wrong number that looks right; a
# silent change of dtype is the next.
jax.config.update("jax_numpy_rank_promotion", "raise")
jax.config.update("jax_numpy_dtype_promotion", "strict")


@pytest.fixture(autouse=True)
def _names(doctest_namespace):
    doctest_namespace.update(vg=vg, jax=jax, jnp=jnp)
