"""Primitives written in terms of others, as JAX functions that are traced and inlined.

What JAX hands to LAPACK, or rewrites only when it lowers for a device, has no rule of its own:
it is taken apart here, so that the code generator need not know it.
"""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax import lax
from jax.extend.core import jaxpr_as_fun


def decomposed(primitive: str, params: dict, ndim: int) -> Callable | None:
    """The JAX function that does what a primitive does, or None where it has a rule of its own.

    Args:
        primitive: its name.
        params: its parameters.
        ndim: the rank of its first operand; leading axes of a matrix are a stack of them.
    """
    if primitive == "while":
        return _batched_while(params) if params["cond_jaxpr"].out_avals[0].shape else None
    table = {"geqrf": _geqrf, "householder_product": _householder_product}
    if primitive == "qr" and not params["pivoting"]:
        table["qr"] = lambda a: _qr(a, full=params["full_matrices"])
    function = table.get(primitive)
    for _ in range(ndim - 2 if function else 0):
        function = _stacked(function)
    return function


def _stacked(function: Callable) -> Callable:
    """Apply to one matrix of a stack after the other: a loop of scalars, in less memory."""
    return lambda *stacks: lax.map(lambda matrices: function(*matrices), stacks)


def _batched_while(params: dict) -> Callable:
    """A loop under `vmap`: it runs while any element goes on, and only those are changed."""
    test, body = (jaxpr_as_fun(params[name]) for name in ("cond_jaxpr", "body_jaxpr"))
    a, b = params["cond_nconsts"], params["body_nconsts"]

    def loop(*operands):
        test_consts, body_consts, start = operands[:a], operands[a : a + b], operands[a + b :]

        def go_on(carry):
            return test(*test_consts, *carry)[0]

        def advance(carry):
            going = go_on(carry)
            return tuple(
                lax.select(lax.broadcast_in_dim(going, old.shape, range(going.ndim)), new, old)
                for old, new in zip(carry, body(*body_consts, *carry), strict=True)
            )

        return lax.while_loop(lambda carry: jnp.any(go_on(carry)), advance, tuple(start))

    return loop


def _reflector(column: jax.Array, k) -> tuple[jax.Array, jax.Array, jax.Array]:
    """The Householder reflection I − τ v vᵀ that zeroes a column below its k-th entry.

    Signs as LAPACK's `larfg`: β = −sign(α) ‖(α, x)‖ with α the k-th entry and x what is below, so
    that α − β cannot cancel. Where x = 0 there is nothing to reflect: τ = 0 and β = α.

    Args:
        column: shape [m].
        k: where the reflection starts.

    Returns:
        v, of shape [m], with 1 at k and 0 above; τ; β.
    """
    place = jnp.arange(column.shape[0])
    below = jnp.where(place > k, column, jnp.zeros_like(column))
    alpha = column[k]
    # Divided by the largest entry, no square leaves the range of float32.
    largest = jnp.maximum(jnp.max(jnp.abs(below), initial=0), jnp.abs(alpha))
    nothing = jnp.max(jnp.abs(below), initial=0) == 0
    scale = jnp.where(nothing, jnp.ones_like(largest), largest)
    norm = scale * jnp.sqrt(jnp.sum((below / scale) ** 2) + (alpha / scale) ** 2)
    beta = jnp.where(nothing, alpha, -jnp.copysign(norm, alpha))
    tau = jnp.where(nothing, jnp.zeros_like(beta), (beta - alpha) / jnp.where(nothing, 1, beta))
    v = below / jnp.where(nothing, jnp.ones_like(beta), alpha - beta)
    return jnp.where(place == k, jnp.ones_like(v), v), tau, beta


def _geqrf(a: jax.Array) -> tuple[jax.Array, jax.Array]:
    """The QR factorisation of a matrix, packed: R above the diagonal, the reflectors below.

    Source: Golub and Van Loan, Matrix Computations, algorithm 5.2.1.

    Args:
        a: shape [m, n].

    Returns:
        R and the reflectors, of shape [m, n]; the τ of each, of shape [min(m, n)].
    """
    rows, columns = (jnp.arange(size) for size in a.shape)

    def step(a, k):
        v, tau, beta = _reflector(a[:, k], k)
        later = jnp.where(columns > k, v @ a, jnp.zeros_like(a[0]))
        a = a - jnp.outer(tau * v, later)
        packed = jnp.where(rows < k, a[:, k], jnp.where(rows == k, beta, v))
        return a.at[:, k].set(packed), tau

    return lax.scan(step, a, jnp.arange(min(a.shape)))


def _householder_product(a: jax.Array, taus: jax.Array) -> jax.Array:
    """The first columns of H₀ H₁ …, with Hᵢ = I − τᵢ vᵢ vᵢᵀ.

    Args:
        a: shape [m, n], the reflectors below the diagonal.
        taus: shape [k], k at most n.

    Returns:
        Shape [m, n], its columns orthonormal.
    """
    place = jnp.arange(a.shape[0])

    def step(q, reflection):
        k, tau = reflection
        v = jnp.where(place > k, a[:, k], (place == k).astype(a.dtype))
        return q - jnp.outer(tau * v, v @ q), None

    start = jnp.eye(*a.shape, dtype=a.dtype)
    return lax.scan(step, start, (jnp.arange(taus.shape[0]), taus), reverse=True)[0]


def _qr(a: jax.Array, full: bool) -> tuple[jax.Array, jax.Array]:
    """Q with orthonormal columns and R upper triangular, Q R = A.

    Args:
        a: shape [m, n].
        full: whether Q has m columns, or as many as are needed.
    """
    m, n = a.shape
    packed, taus = _geqrf(a)
    width = m if full else min(m, n)
    reflectors = jnp.zeros((m, width), a.dtype).at[:, : min(width, n)].set(packed[:, :width])
    return _householder_product(reflectors, taus), jnp.triu(packed[:width])
