"""The singular values of a network's Jacobian, the smallest as right as the largest."""

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float, Int

from vanishing import _checks
from vanishing._layers import matmul, read_in, step
from vanishing._types import AnyArray
from vanishing.network import MLP, Params

# One-sided Jacobi converges quadratically: six to eight sweeps are usual, twelve always enough.
_SWEEPS = 12


def _ratio(log_above, log_below) -> Array:
    """exp(log_above − log_below), 0 where the row below is itself zero."""
    return jnp.where(log_below == -jnp.inf, 0, jnp.exp(log_above - log_below))


def _rows(matrix: Float[Array, "rows n"]) -> tuple[Float[Array, " rows"], Float[Array, "rows n"]]:
    """Take the norms of the rows out, as logarithms."""
    largest = jnp.max(jnp.abs(matrix), axis=1, keepdims=True)
    shrunk = matrix / jnp.where(largest > 0, largest, 1)
    norm = jnp.linalg.norm(shrunk, axis=1, keepdims=True)
    unit = shrunk / jnp.where(norm > 0, norm, 1)
    return (jnp.log(largest) + jnp.log(norm))[:, 0], unit


def _times_layer(product, jacobian: Float[Array, "n n"]):
    """Q D U → J Q D U, again as orthogonal, diagonal (in logs) and upper triangular.

    J Q = Q′ R and R = D₁ U₁, so the product is Q′ (D₁ D) (D⁻¹ U₁ D) U. U₁ is triangular and D
    falls, so that nothing in the bracket grows: the sizes live in D alone.
    """
    q, log, upper = product
    q, r = jnp.linalg.qr(matmul(jacobian, q))
    n = len(log)
    # A row below this is rounding: the layer's rank is deficient (dead units).
    resolved = n * jnp.finfo(r.dtype).eps * jnp.max(jnp.abs(r))
    r = jnp.where(jnp.max(jnp.abs(r), axis=1, keepdims=True) > resolved, r, 0)
    more, first = _rows(r)
    # Below the diagonal `first` is 0 and the ratio may be infinite.
    above = jnp.triu(jnp.ones_like(r, dtype=bool))
    bracket = first * jnp.where(above, _ratio(log[None, :], log[:, None]), 0)
    last, upper = _rows(matmul(bracket, upper))
    return q, log + more + last, upper


def _pairings(n: int) -> np.ndarray:
    """All pairs of n (even) columns in n − 1 rounds of disjoint ones: a round-robin tournament."""
    others = np.arange(1, n)
    rounds = [np.concatenate([[0], np.roll(others, k)]) for k in range(n - 1)]
    return np.stack([np.stack([order[: n // 2], order[: n // 2 - 1 : -1]]) for order in rounds])


def _rotate(columns, pair: Int[Array, "2 half"]):
    """Make each pair of columns orthogonal by a rotation (one-sided Jacobi, Hestenes 1958).

    Columns are unit vectors u with logs of their norms. With r = |small| / |large| and
    c = u·v the rotation's tangent is t = r τ; t itself may underflow, τ does not.
    """
    unit, log = columns
    first, second = pair
    swap = log[first] < log[second]
    large, small = jnp.where(swap, second, first), jnp.where(swap, first, second)
    u, v = unit[large], unit[small]
    r = _ratio(log[small], log[large])
    c = jnp.sum(u * v, axis=1)
    # t² + 2 ζ t − 1 = 0 with 2 ζ = (1 − r²) / (r c); of the two roots the smaller, over r.
    tau = 2 * c / (1 - r**2 + jnp.sqrt((1 - r**2) ** 2 + 4 * (r * c) ** 2))
    tau = jnp.where(jnp.isfinite(tau), tau, 0)  # 0 / 0: two equal columns, already orthogonal
    cosine = lax.rsqrt(1 + (r * tau) ** 2)[:, None]
    grow, above = _rows(cosine * (u + (r**2 * tau)[:, None] * v))
    shrink, below = _rows(cosine * (v - tau[:, None] * u))
    unit = unit.at[large].set(above).at[small].set(below)
    return unit, log.at[large].add(grow).at[small].add(shrink)


def _log_singular_values(log, upper) -> Float[Array, " n"]:
    """ln of the singular values of D U: one-sided Jacobi on the columns of (D U)ᵀ, which finds
    each to a few roundings of itself where U is well conditioned (Demmel & Veselić 1992)."""
    n = len(log)
    if n % 2:  # one column of zeros makes pairs
        log = jnp.append(log, -jnp.inf)
        upper = jnp.pad(upper, [(0, 1), (0, 0)])
    pairings = jnp.asarray(_pairings(len(log)))

    def round_(k, columns):
        return _rotate(columns, pairings[k % len(pairings)])

    _, log = lax.fori_loop(0, _SWEEPS * len(pairings), round_, (upper, log))
    return jnp.sort(log)[::-1][:n]


@jax.jit
def _log_spectrum(net: MLP, params: Params, x):
    def up(carry, layer):
        h, product = carry

        def one(h):
            above = step(net, *layer, h[None]).post[0]
            return above, above

        jacobian, h = jax.jacobian(one, has_aux=True)(h)
        return (h, _times_layer(product, jacobian)), None

    # Any orthogonal matrix may stand on the right. One in no special position keeps a dead unit
    # from putting a zero before the last rows of R.
    mixed = jax.random.orthogonal(jax.random.key(0), net.width, dtype=x.dtype)
    unit = jnp.eye(net.width, dtype=x.dtype)
    start = (read_in(params, x)[0], (mixed, jnp.zeros(net.width, x.dtype), unit))
    layers = (params["weights"], params["biases"])
    (_, (_, log, upper)), _ = lax.scan(up, start, layers)
    return _log_singular_values(log, upper)


def log_jacobian_spectrum(
    net: MLP, params: Params, x: Float[AnyArray, " features"]
) -> Float[Array, " width"]:
    """ln of the singular values of ∂h_L/∂h_0 at one input, largest first; −∞ for 0.

    The product of the layers' Jacobians is never formed: it would lose all but the largest of
    its singular values, which lie hundreds of powers of ten apart. It is carried as Q D U, Q made
    orthogonal anew at every layer (QR), D in logarithms, and its singular values are found by
    one-sided Jacobi, which is accurate for the smallest, too. A layer's own smallest values are
    as good as its dtype: in float32 one below about 1e-5 of its largest counts as 0, as the
    values lost with dead units do.

    Args:
        net: the description; batch normalisation is refused, for one input is no batch.
        params: from `init`.
        x: one input, [features] or [1, features].

    Returns:
        Natural logarithms, [width].

    Raises:
        ValueError, TypeError: batch normalisation, or more than one input; and as in `probe`.

    Source: Geist, Parlitz & Lauterborn 1990 (the product by QR); Demmel & Veselić 1992 (Jacobi).

    Fifty random linear layers: the largest and the smallest of 16 values, in powers of ten.

    >>> net = vg.MLP(depth=50, width=16, activation="linear", initializer="lecun")
    >>> params = vg.init(net, key=jax.random.key(0))
    >>> s = vg.log_jacobian_spectrum(net, params, jnp.ones(16)) / jnp.log(10)
    >>> bool(s[0] > -5), bool(s[-1] < -30)
    (True, True)
    """
    return _log_spectrum(net, *_one_input(net, params, x))


def jacobian_spectrum(
    net: MLP, params: Params, x: Float[AnyArray, " features"]
) -> Float[Array, " width"]:
    """Singular values of ∂h_L/∂h_0 at one input, largest first.

    exp of `log_jacobian_spectrum`, which see: 0 where they leave the floats and their logarithms
    do not.

    Args, errors: as in `log_jacobian_spectrum`.

    Returns:
        Singular values, [width].

    An orthogonal linear network is an isometry:

    >>> net = vg.MLP(depth=8, width=16, activation="linear", initializer="orthogonal")
    >>> params = vg.init(net, key=jax.random.key(0))
    >>> bool(jnp.allclose(vg.jacobian_spectrum(net, params, jnp.ones(16)), 1, atol=1e-5))
    True
    """
    return jnp.exp(log_jacobian_spectrum(net, params, x))


def _one_input(net: MLP, params: Params, x) -> tuple[Params, Array]:
    _checks.network(net)
    if net.normalization == "batch":
        raise ValueError(
            "normalization: expected None or 'layer'; got 'batch'. One input is not a batch: "
            "its normalised value would be 0. Use probe() for a network with batch norm."
        )
    _checks.tree(net, params)
    dtype = params["weights"].dtype
    dtype = jnp.float32 if jnp.finfo(dtype).bits < 32 else dtype  # QR has no half precision
    params = jax.tree.map(lambda leaf: jnp.asarray(leaf, dtype), params)
    x, _ = _checks.inputs(net, params, _checks.row("x", x), None)
    if x.shape[0] != 1:
        raise ValueError(
            f"x: expected one input, [features]; got {x.shape[0]} of them. "
            "Take one row, or jax.vmap over them."
        )
    return params, x
