"""Primitives that the compiler takes apart: QR and loops under `vmap`, against JAX."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

import vanishing as vg
from differential import Cases

rng = np.random.default_rng(12)
COUNTS = np.int32([1, 2, 3, 0, 5, 1])
X = rng.standard_normal((6, 4)).astype(np.float32)
CASES = {}

for m, n in ((1, 1), (5, 1), (1, 5), (4, 4), (7, 3), (3, 7), (9, 8)):
    a = rng.standard_normal((m, n)).astype(np.float32)
    for mode in ("reduced", "complete", "r"):
        CASES[f"{mode} QR of {m}×{n}"] = (lambda a, mode=mode: jnp.linalg.qr(a, mode=mode), a)
CASES["QR of a stack"] = (jnp.linalg.qr, rng.standard_normal((2, 3, 5, 4)).astype(np.float32))
CASES["QR of a triangle"] = (jnp.linalg.qr, np.triu(X[:4]))  # nothing to reflect: R keeps its signs
CASES["QR of zeros"] = (jnp.linalg.qr, 0 * X)
CASES["QR of large numbers"] = (jnp.linalg.qr, X * np.float32(1e25))  # squares overflow
CASES["QR of small numbers"] = (jnp.linalg.qr, X * np.float32(1e-25))  # squares underflow
CASES["orthogonal"] = (lambda s: jax.random.orthogonal(jax.random.key(s), 5, (3,)), 1)
CASES["orthogonal, not square"] = (
    lambda s: jax.nn.initializers.orthogonal()(jax.random.key(s), (3, 7)),
    2,
)
for name in ("orthogonal", "lsuv"):
    net = vg.MLP(depth=5, width=12, activation="relu", initializer=name)
    CASES[f"initialised by {name}"] = (lambda s, n=net: vg.init(n, key=jax.random.key(s)), 3)


def counted(n, v):
    """A loop whose length differs from example to example."""
    return lax.fori_loop(0, n, lambda i, h: jnp.sin(h) + i.astype(h.dtype), v)


CASES["counted loop under vmap"] = (jax.vmap(counted), COUNTS, X)
CASES["counted loop under two vmaps"] = (
    jax.vmap(jax.vmap(counted)),
    np.stack([COUNTS, COUNTS[::-1]]),
    np.stack([X[:, 0], X[:, 1]]),
)
CASES["loop on a value under vmap"] = (
    jax.vmap(lambda v: lax.while_loop(lambda h: jnp.sum(h * h) > 0.1, lambda h: h * 0.7, v)),
    X,
)
CASES["loop with constants under vmap"] = (
    jax.vmap(
        lambda v, w: lax.while_loop(lambda s: s[0] < w[0], lambda s: (s[0] + 1, s[1] * w), (0.0, v))
    ),
    X,
    np.abs(X) * 3,
)
CASES["loop that draws under vmap"] = (
    jax.vmap(
        lambda n, s: lax.while_loop(
            lambda c: c[0] < n,
            lambda c: (
                c[0] + 1,
                c[1] + jax.random.normal(jax.random.fold_in(jax.random.key(s), c[0])),
            ),
            (0, 0.0),
        )
    ),
    COUNTS,
    COUNTS,
)
SUITE = Cases(CASES)


@pytest.mark.parametrize("name", CASES)
def test_agrees_with_jax(name):
    # An error of Q is one of the whole matrix: the condition number, about a hundred for Gaussian
    # matrices of this size, times 6e-8, of the largest entry.
    SUITE.check(name, floor=0.1)


def test_a_program_draws_matrices_that_are_orthogonal():
    program = vg.live.compile(lambda s: jax.random.orthogonal(jax.random.key(s), 16), 0)
    for q in program.run_many([(seed,) for seed in range(4)]):
        np.testing.assert_allclose(q @ q.T, np.eye(16), atol=2e-6)  # 16 × 2⁻²⁴, twice
