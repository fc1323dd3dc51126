"""Every primitive that the compiler knows, against JAX."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from differential import Cases

rng = np.random.default_rng(0)
X = rng.standard_normal((8, 6)).astype(np.float32)
Y = rng.standard_normal((8, 6)).astype(np.float32)
V = np.linspace(-3, 3, 13).astype(np.float32)
POSITIVE = np.abs(V) + np.float32(0.1)
UNIT = V / np.float32(3.1)
EDGES = np.float32([0, -0.0, 1, -1, 0.5, -0.5, 2.5, -1.5, 1e30, -1e30, np.inf, -np.inf, np.nan])
K = rng.integers(-(2**31), 2**31 - 1, 12).astype(np.int32)
J = np.int32([0, 1, -1, 3, -3, 7, -7, 12, 2**31 - 1, -(2**31), 5, 31])
U = rng.integers(0, 2**32 - 1, 12).astype(np.uint32)
SMALL = np.uint32([0, 1, 2, 3, 5, 8, 13, 21, 31, 32, 33, 4000000000])
B = V > 0
C = np.abs(V) < 1.6
D = rng.standard_normal((3, 4, 5)).astype(np.float32)
E = rng.standard_normal((3, 5, 2)).astype(np.float32)

CASES = {}

for op in [
    "exp",
    "exp2",
    "expm1",
    "tanh",
    "logistic",
    "erf",
    "erfc",
    "sin",
    "cos",
    "tan",
    "asinh",
    "atan",
    "sinh",
    "cosh",
    "floor",
    "ceil",
    "abs",
    "neg",
    "sign",
    "square",
    "cbrt",
    "is_finite",
]:
    CASES[op] = (getattr(lax, op), V)
for op in ["log", "log1p", "sqrt", "rsqrt"]:
    CASES[op] = (getattr(lax, op), POSITIVE)
for op in ["asin", "acos", "atanh", "erf_inv"]:
    CASES[op] = (getattr(lax, op), UNIT)
CASES["acosh"] = (lax.acosh, POSITIVE + 1)
for op in [
    "floor",
    "ceil",
    "abs",
    "neg",
    "sign",
    "square",
    "is_finite",
    "exp",
    "tanh",
    "logistic",
    "erf",
    "erfc",
    "erf_inv",
    "log",
]:
    CASES[f"{op} at the edges"] = (getattr(lax, op), EDGES)
for op in ["add", "sub", "mul", "div", "max", "min", "atan2", "rem", "nextafter"]:
    CASES[op] = (getattr(lax, op), X, Y)
    CASES[f"{op} edges"] = (getattr(lax, op), EDGES[:, None], EDGES[None, :])
CASES["pow"] = (lax.pow, POSITIVE, V)
CASES["pow edges"] = (lax.pow, EDGES[:, None], EDGES[None, :])
CASES["pow of a float by an integer"] = (lax.pow, V, np.int32(3))
for op in ["eq", "ne", "lt", "le", "gt", "ge"]:
    CASES[op] = (getattr(lax, op), EDGES[:, None], EDGES[None, :])
    CASES[f"{op} int"] = (getattr(lax, op), K, J)
    CASES[f"{op} uint"] = (getattr(lax, op), U, SMALL)
for op in [
    "add",
    "sub",
    "mul",
    "div",
    "rem",
    "max",
    "min",
    "bitwise_and",
    "bitwise_or",
    "bitwise_xor",
]:
    CASES[f"{op} int"] = (getattr(lax, op), K, J)
    CASES[f"{op} uint"] = (getattr(lax, op), U, SMALL)
for op in ["neg", "abs", "sign", "bitwise_not", "population_count", "clz"]:
    CASES[f"{op} int"] = (getattr(lax, op), J)
for op in ["bitwise_not", "population_count", "clz"]:
    CASES[f"{op} uint"] = (getattr(lax, op), U)
for op in ["shift_left", "shift_right_logical", "shift_right_arithmetic"]:
    CASES[f"{op} int"] = (getattr(lax, op), K, np.abs(J[::-1]) % 40)
    CASES[f"{op} uint"] = (getattr(lax, op), U, SMALL)
for op in ["bitwise_and", "bitwise_or", "bitwise_xor"]:
    CASES[f"{op} bool"] = (getattr(lax, op), B, C)
CASES["not bool"] = (lax.bitwise_not, B)
for p in (-3, -2, -1, 0, 1, 2, 3, 5, 9):
    CASES[f"integer_pow {p}"] = (lambda v, p=p: lax.integer_pow(v, p), V + np.float32(0.01))
CASES["integer_pow int"] = (lambda v: lax.integer_pow(v, 5), J)
for way in ("AWAY_FROM_ZERO", "TO_NEAREST_EVEN"):
    method = getattr(lax.RoundingMethod, way)
    CASES[f"round {way}"] = (lambda v, m=method: lax.round(v, m), np.float32([*(V * 2), *EDGES]))
for a in ("float32", "int32", "uint32", "uint8", "bool"):
    for b in ("float32", "int32", "uint32", "uint8", "bool"):
        source = {"float32": np.float32([0, 0.5, 1.9, 100, 254.9]), "int32": J, "uint32": U}
        value = source.get(a, np.uint8([0, 1, 7, 255]) if a == "uint8" else B)
        CASES[f"convert {a} to {b}"] = (lambda v, b=b: lax.convert_element_type(v, b), value)
CASES["convert saturates"] = (
    lambda v: (v.astype(jnp.int32), v.astype(jnp.uint32)),
    np.float32([1e10, -1e10, np.nan, np.inf, -np.inf, -1.5]),
)
CASES["bitcast"] = (lambda v: lax.bitcast_convert_type(v, jnp.int32), EDGES)
CASES["bitcast uint"] = (lambda v: lax.bitcast_convert_type(v, jnp.uint32), V)
CASES["bitcast back"] = (
    lambda v: lax.bitcast_convert_type(v, jnp.float32),
    V.view(np.int32).copy(),
)
CASES["select"] = (jnp.where, B, V, -V)
CASES["select of three"] = (
    lambda i, a, b, c: lax.select_n(i, a, b, c),
    np.int32([0, 1, 2]),
    V[:3],
    V[3:6],
    V[6:9],
)
CASES["clamp"] = (lambda v: lax.clamp(-1.0, v, 2.0), EDGES)
CASES["reduce_precision"] = (lambda v: lax.reduce_precision(v, 8, 23), V)
CASES["mixed sizes"] = (lambda a, b: (a[:, None] + b[None, :]) * a[:, None], V, UNIT)

for op in ["sum", "prod", "max", "min"]:
    for axis in (None, 0, 1, (0, 1), -1):
        CASES[f"{op} over {axis}"] = (lambda x, o=op, a=axis: getattr(jnp, o)(x, axis=a), X)
    CASES[f"{op} int"] = (lambda v, o=op: getattr(jnp, o)(v), K)
    CASES[f"{op} uint"] = (lambda v, o=op: getattr(jnp, o)(v), U)
for op in ["any", "all"]:
    CASES[op] = (lambda v, o=op: getattr(jnp, o)(v > 0, axis=1), X)
CASES["reduce_xor"] = (lambda v: lax.reduce_xor(v, (0,)), U)
CASES["reduce_or int"] = (lambda v: lax.reduce_or(v, (0,)), K)
CASES["reduce_and int"] = (lambda v: lax.reduce_and(v, (0,)), K)
CASES["max with nan"] = (jnp.max, EDGES)
for op in ["argmax", "argmin"]:
    for axis in (0, 1):
        CASES[f"{op} {axis}"] = (lambda x, o=op, a=axis: getattr(jnp, o)(x, axis=a), X)
    CASES[f"{op} flat"] = (lambda x, o=op: getattr(jnp, o)(x), X)
    CASES[f"{op} ties and nan"] = (lambda x, o=op: getattr(jnp, o)(x), EDGES)
    CASES[f"{op} int"] = (lambda x, o=op: getattr(jnp, o)(x), J)
for op in ["cumsum", "cumprod", "cummax", "cummin", "cumlogsumexp"]:
    for reverse in (False, True):
        CASES[f"{op} {reverse}"] = (
            lambda x, o=op, r=reverse: getattr(lax, o)(x, axis=1, reverse=r),
            X,
        )
CASES["cumsum int"] = (jnp.cumsum, K)

CASES["transpose"] = (lambda d: jnp.transpose(d, (2, 0, 1)) * 2, D)
CASES["transpose and reshape"] = (lambda x: x.T.reshape(4, 12), X)
CASES["reshape"] = (lambda d: (d + 1).reshape(6, 10).reshape(-1), D)
CASES["squeeze"] = (lambda x: jnp.squeeze(x[:1] * 2, 0), X)
CASES["expand"] = (lambda v: lax.expand_dims(v * 2, (0, 2)), V)
CASES["broadcast"] = (lambda v: jnp.broadcast_to(v[:, None], (13, 4)), V)
CASES["rev"] = (lambda d: lax.rev(d, (0, 2)), D)
CASES["slice"] = (lambda d: d[1:, ::2, 1:4:2], D)
CASES["split"] = (lambda x: jnp.split(x * 2, [1, 4], axis=1), X)
CASES["concatenate"] = (lambda x, y: jnp.concatenate([x, y[:2], x * y], axis=0), X, Y)
CASES["stack"] = (lambda x, y: jnp.stack([x, y, x - y], axis=1), X, Y)
CASES["unstack"] = (lambda d: jnp.unstack(d, axis=1), D)
CASES["tile"] = (lambda x: jnp.tile(x, (2, 3)), X)
CASES["repeat"] = (lambda x: jnp.repeat(x, 3, axis=1), X)
CASES["pad"] = (lambda x: lax.pad(x, 7.0, ((1, 2, 0), (0, 1, 2))), X)
CASES["numpy pad"] = (lambda x: jnp.pad(x, ((1, 1), (0, 2)))[1:5] * 2, X)
CASES["pad negative"] = (lambda x: lax.pad(x, 7.0, ((-1, 2, 1), (1, -2, 0))), X)
CASES["iota"] = (lambda x: x + lax.iota(np.float32, 6)[None] + jnp.arange(8.0)[:, None], X)
CASES["eye tri"] = (lambda x: jnp.tril(x) + jnp.eye(8, 6), X)
CASES["linspace"] = (lambda a: jnp.linspace(a, 3.0, 7), np.float32(1))
CASES["roll"] = (lambda x: jnp.roll(x, 2, axis=0), X)
CASES["meshgrid"] = (lambda v: jnp.meshgrid(v, v * 2), V)

CASES["sort"] = (lambda x: jnp.sort(x, axis=0), X)
CASES["sort nan"] = (jnp.sort, EDGES)
CASES["sort descending"] = (lambda x: jnp.sort(x, axis=1, descending=True), X)
CASES["argsort"] = (lambda x: jnp.argsort(x, axis=1), X)
CASES["argsort ties"] = (jnp.argsort, np.int32([3, 1, 3, 1, 2, 2]))
CASES["sort by two keys"] = (
    lambda a, b, c: lax.sort((a, b, c), num_keys=2),
    np.int32([2, 1, 2, 1]),
    np.float32([1, 3, 0, 2]),
    np.float32([9, 8, 7, 6]),
)
CASES["top_k"] = (lambda x: lax.top_k(x, 3), X)
CASES["median"] = (lambda x: jnp.median(x, axis=0), X)
CASES["quantile"] = (lambda v: jnp.quantile(v, jnp.array([0.1, 0.5, 0.8])), V)
CASES["histogram"] = (lambda v: jnp.histogram(v, bins=8, range=(-3.0, 3.0))[0], X)
CASES["bincount"] = (lambda v: jnp.bincount(v, length=5), np.int32([0, 1, 1, 4, 9]))
CASES["searchsorted"] = (lambda v: jnp.searchsorted(V, v), X)

CASES["index by a number"] = (lambda x, i: x[i], X, np.int32(-2))
CASES["index by an array"] = (lambda x, i: x[i], X, np.int32([1, -1, 5]))
CASES["index by two arrays"] = (lambda x, i: x[i, i[::-1]], X, np.int32([1, 3, 5]))
CASES["index out of range"] = (
    lambda x, i: (x.at[i].get(mode="fill", fill_value=-1.0), x.at[i].get(mode="clip")),
    X,
    np.int32([1, 50, 3]),
)
CASES["index fills nan"] = (lambda x, i: jnp.take(x, i, axis=1), X, np.int32([1, 50, 3]))
CASES["take_along_axis"] = (lambda x: jnp.take_along_axis(x, jnp.argsort(x, 1), 1), X)
CASES["batched index"] = (jax.vmap(lambda x, i: x[i]), X, np.int32([0, 1, 2, 3, 4, 5, 0, 1]))
CASES["batched slice"] = (
    jax.vmap(lambda x, i: lax.dynamic_slice(x, (i,), (3,))),
    X,
    np.int32([0, 1, 2, 3, 4, 5, 0, 1]),
)
CASES["dynamic_slice"] = (lambda x, i: lax.dynamic_slice(x, (i, 1), (3, 4)), X, np.int32(2))
CASES["dynamic_slice clamps"] = (lambda x, i: lax.dynamic_slice(x, (i, i), (3, 4)), X, np.int32(99))
CASES["dynamic_update_slice"] = (
    lambda x, y, i: lax.dynamic_update_slice(x, y[:2, :3], (i, 2)),
    X,
    Y,
    np.int32(5),
)
for op in ["set", "add", "multiply", "min", "max"]:
    CASES[f"scatter {op}"] = (
        lambda x, i, o=op: getattr(x.at[i], o)(2.0),
        X,
        np.int32([1, 3, 99]),
    )
CASES["scatter repeated"] = (lambda x, i: x.at[i].add(Y[:4]), X, np.int32([1, 1, 3, 1]))
CASES["scatter columns"] = (lambda x, i: x.at[:, i].set(Y[:, :2]), X, np.int32([4, 0]))
CASES["scatter int"] = (lambda i: jnp.zeros(6, jnp.int32).at[i].add(1), np.int32([1, 1, 5, 3]))
CASES["batched scatter"] = (
    jax.vmap(lambda x, i: x.at[i].set(0.0)),
    X,
    np.int32([0, 1, 2, 3, 4, 5, 0, 1]),
)
CASES["gradient of indexing"] = (
    jax.grad(lambda x, i: jnp.sum(x[i] ** 2)),
    X,
    np.int32([1, 1, 3]),
)

CASES["matrix product"] = (lambda x, y: x @ y.T, X, Y)
CASES["transposed product"] = (lambda x, y: x.T @ y, X, Y)
CASES["doubly transposed product"] = (lambda x, y: x.T @ y.T[:6].T, X, Y)
CASES["matrix and vector"] = (lambda x: (x @ x[0], x[:, 0] @ x), X)
CASES["scalar product"] = (lambda v: jnp.vdot(v, v), V)
CASES["outer product"] = (lambda v: jnp.outer(v, v), V)
CASES["batched product"] = (lambda d, e: d @ e, D, E)
CASES["tensordot"] = (lambda d, e: jnp.tensordot(d, e, axes=((0, 2), (0, 1))), D, E)
CASES["einsum"] = (lambda d, e: jnp.einsum("bij,bjk->kbi", d, e), D, E)
CASES["einsum of slices"] = (lambda d: jnp.einsum("bij,bkj->bik", d[:, ::2], d[:, 1:]), D)
CASES["integer product"] = (lambda i: jnp.outer(i, i) @ i, J)
for m, k, n in ((1, 1, 4), (3, 5, 7), (5, 64, 9), (4, 3, 8), (9, 2, 13), (33, 17, 31), (2, 9, 1)):
    a, b = rng.standard_normal((m, k)), rng.standard_normal((k, n))
    CASES[f"product {m}×{k}×{n}"] = (jnp.matmul, a.astype(np.float32), b.astype(np.float32))

SUITE = Cases(CASES)


@pytest.mark.parametrize("name", CASES)
def test_agrees_with_jax(name):
    SUITE.check(name)
