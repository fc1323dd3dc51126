"""Loops in vectors: which loops are, and that they are what their JavaScript says."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from edges import FLOATS
from jax import lax, nn
from jax.scipy import special

from vanishing.live.compiler import compile, run_programs

SIZE = 301  # more than a call is worth, and no multiple of four
EDGES = np.resize(np.float32([*FLOATS, 1e-40, -1e-45, 7.99881, -7.9988117, -87.3366]), SIZE)
DRAWN = np.random.default_rng(0).standard_normal((2, SIZE)).astype("f") * 4
X, Y = (np.where(np.arange(SIZE) % 2, EDGES, row) for row in DRAWN)
A, B = DRAWN[:, :300].reshape(2, 20, 15)
EXACT = {
    "arithmetic": (lambda x, y: (x + y) * x - y / x, X, Y),
    "roots": (lambda x, y: jnp.sqrt(x) + lax.rsqrt(y), X, Y),
    "rounding": (lambda x, y: jnp.floor(x) - jnp.ceil(y) + jnp.abs(x), X, Y),
    "powers": (lambda x: x**3 - x**2, X),
    "smaller and larger": (lambda x, y: jnp.maximum(x, y) - jnp.minimum(x, 0.0), X, Y),
    "choice": (lambda x, y: jnp.where(x > y, x, -y), X, Y),
    "choice by truths": (lambda x, y: jnp.where((x > y) & (x < 3) | (y == 0), x, y), X, Y),
    "truths": (lambda x, y: [x >= y, x != y, jnp.isfinite(x)], X, Y),
    "choice by a number": (lambda x, y, k: jnp.where(k > 1, x, y), X, Y, 2.0),
    "a number": (lambda x, k: x * k, X, 0.1),
    "exp": (jnp.exp, X),
    "tanh": (jnp.tanh, X),
    "sigmoid": (nn.sigmoid, X),
    "erf": (special.erf, X),
    "erfc": (special.erfc, X),
    "transposed": (lambda a, b: a.T * 2 + b.T, A, B),
    "reversed": (lambda x: x[::-1] + 1, X),
    "every other": (lambda x: jnp.concatenate([x, x])[::2] + 1, X),
    "rows": (lambda a, b: a / b[:, :1] + b[:1], A, B),
    "largest": (lambda x: [jnp.max(x), jnp.max(jnp.abs(x)), jnp.min(x)], X),
    "largest of rows": (lambda a: [jnp.max(a, 1), jnp.min(a, 0)], A),
    "all and any": (lambda x: [jnp.all(x < 9), jnp.any(x == 2), jnp.isfinite(x).all()], X),
    "all of rows": (lambda a: [jnp.all(a < 6, 1), jnp.any(a > 5, 0)], A),
    "sums": (lambda a: [jnp.sum(a), jnp.sum(a, 0), jnp.sum(a, 1), jnp.mean(a > 0)], A),
    "sums of products": (lambda a, b: [jnp.sum(a * b, 1), jnp.vdot(a, b)], A, B),
}


@pytest.fixture(scope="module")
def found():
    """The programs, and what they say with WebAssembly and without."""
    programs = {name: compile(fn, *args) for name, (fn, *args) in EXACT.items()}
    jobs = [(programs[name], [tuple(args)]) for name, (_, *args) in EXACT.items()]
    with_it, without = (run_programs(jobs, wasm=wasm) for wasm in (True, False))
    return {n: (programs[n], *with_it[k], *without[k]) for k, n in enumerate(EXACT)}


@pytest.mark.parametrize("name", EXACT)
def test_all_loops_are_in_vectors(name, found):
    """And none of them has its JavaScript alone."""
    source = found[name][0].source
    assert source.count("const loop_") == source.count("? (p0") > 0


@pytest.mark.parametrize("name", EXACT)
def test_vectors_are_their_javascript_to_the_bit(name, found):
    _, fast, slow = found[name]
    for ours, theirs in zip(jax.tree.leaves(fast), jax.tree.leaves(slow), strict=True):
        if "sum" in name:  # in float64, but in another order, before it is rounded
            np.testing.assert_allclose(ours, theirs, rtol=2e-7)
        else:
            np.testing.assert_array_equal(ours, theirs)
            if ours.dtype == np.float32:
                np.testing.assert_array_equal(
                    np.signbit(ours[ours == 0]), np.signbit(theirs[theirs == 0])
                )


def test_loops_that_differ_in_names_alone_are_one_function():
    def twice(x, y):
        return jnp.sort(x) * 2, jnp.sort(y) * 2

    assert compile(twice, X, Y).source.count("const loop_") == 1


@pytest.mark.parametrize(
    "fn",
    [
        lambda x: x.astype(jnp.int32) + 1,
        lambda x: x[jnp.argsort(x)],
        jnp.cumsum,
        jnp.log,
    ],
)
def test_what_has_no_vectors_stays_javascript(fn):
    program = compile(fn, DRAWN[0])
    with_it, without = (program.run(DRAWN[0], wasm=wasm) for wasm in (True, False))
    np.testing.assert_array_equal(with_it, without)
    assert "const loop_" in program.source and "? (p0" not in program.source
