"""What each primitive meets in `test_edges`: one row a primitive, complete over the compiler's.

A row holds functions, the element types that the compiler takes, and how far from JAX a float may
be. Each function meets the edge values of each of those types, in arrays, empty arrays and single
numbers. An element type that a row does not name must be refused, by JAX or by the compiler.

Signs of zeros count. Left out, because XLA's own answer depends on the processor or on how it
splits a loop: subnormal numbers (flushed or not), and float sums and products whose order matters.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.extend.random import threefry2x32_p

DTYPES = ("float32", "int32", "uint32", "uint8", "bool")
FLOAT = "float32"
SIGNED = "float32 int32"
INTEGERS = "int32 uint32 uint8"
NUMBERS = f"{FLOAT} {INTEGERS}"
WORDS = f"{INTEGERS} bool"
ALL = f"{NUMBERS} bool"

Calls = Callable[[str], list[tuple]]

LARGEST = float(np.finfo("f").max)
SMALL = 4 * float(np.finfo("f").tiny)  # room for an intermediate result before it is subnormal
LOWEST, HIGHEST = -(2**31), 2**31 - 1

# Signed zeros; halves, between which rounding to even must choose, and their neighbours; the last
# float with a half and the last odd one; the ends of what fits in each integer type; infinities.
FLOATS = [0.0, -0.0, 0.5, -0.5, 1.5, -1.5, 2.5, -2.5, 3.5, 0.49999997, -0.49999997, 1.0, -1.0]
FLOATS += [2.0, -3.0, 7.25, -7.25, 88.0, -88.0, 254.9, 255.0, 256.0, 8388607.5, -8388607.5]
FLOATS += [8388609.0, 16777217.0, 2.0**31, -(2.0**31), 2147483520.0, 2.0**32, 4294967040.0, 3e9]
FLOATS += [SMALL, -SMALL, 1e-30, -1e-30, 1e30, -1e30, LARGEST, -LARGEST, np.inf, -np.inf, np.nan]
SIGNED_WORDS = [0, 1, -1, 2, -2, 3, -3, 7, -7, 31, 32, 33, 46341, -46341, HIGHEST, LOWEST]
VALUES = {
    "float32": np.float32(FLOATS),
    "int32": np.int32([*SIGNED_WORDS, LOWEST + 1]),
    "uint32": np.uint32([0, 1, 2, 3, 7, 31, 32, 33, 65536, HIGHEST, 2**31, 2**32 - 2, 2**32 - 1]),
    "uint8": np.uint8([0, 1, 2, 3, 5, 7, 8, 9, 31, 127, 128, 200, 254, 255]),
    "bool": np.array([False, True, True, False]),
}
PLACES = [np.int32(k) for k in (0, 1, 99, -1, -99, HIGHEST, LOWEST)]
PLACES += [np.uint32(2**32 - 1), np.uint8(255)]
INDICES = [np.int32([0, -1, 2, 99, -99, HIGHEST, LOWEST]), np.uint32([0, 2, 99, 2**32 - 1])]
INDICES += [np.uint8([1, 255]), np.int32([1, 1, 0, 1]), np.int32([])]


@dataclass(frozen=True)
class Row:
    """How one primitive is tried.

    Attributes:
        calls: for an element type, the (function, *arguments) to try.
        dtypes: the element types that must compile; each other one must be refused.
        ulps: how many units in the last place a float may be from JAX's.
    """

    calls: Calls
    dtypes: str = ALL
    ulps: int = 0


# Element-wise ---------------------------------------------------------------------------------


def unary(fn) -> Calls:
    """Every edge value, none, and three numbers that are no arrays."""

    def calls(dtype):
        values = VALUES[dtype]
        numbers = [np.asarray(values[k])[()] for k in (0, 1, -1)]
        return [(fn, values), (fn, values[:0].reshape(0, 2)), *((fn, v) for v in numbers)]

    return calls


def binary(fn) -> Calls:
    """Every pair of edge values, none, and numbers."""

    def calls(dtype):
        values = VALUES[dtype]
        grid = [np.ascontiguousarray(v) for v in np.meshgrid(values, values)]
        pairs = [(values[0], values[1]), (values[-1], values[0]), (values[-2], values[-2])]
        return [(fn, *grid), (fn, *(v[:0] for v in grid)), *((fn, *pair) for pair in pairs)]

    return calls


def each(make: Callable[..., Callable], *options) -> Calls:
    """The unary calls of `make(option)`, for every option."""
    return lambda dtype: [c for option in options for c in unary(make(option))(dtype)]


def rounds(dtype) -> list[tuple]:
    """Both ways of rounding halves."""
    return each(lambda m: lambda a: lax.round(a, m), *lax.RoundingMethod)(dtype)


def powers(dtype) -> list[tuple]:
    """Powers on both sides of 0, which of integers JAX refuses."""
    lowest = -3 if dtype == "float32" else 0
    return each(lambda p: lambda a: lax.integer_pow(a, p), *range(lowest, 5))(dtype)


def shifts(fn) -> Calls:
    """By amounts of the program's arguments, and by those that are known in advance."""
    known = (0, 1, 7, 8, 31, 32, 33, -1)
    return lambda dtype: (
        binary(fn)(dtype)
        + [(lambda a, n=n: fn(a, np.asarray(n).astype(dtype)[()]), VALUES[dtype]) for n in known]
    )


def clamps(dtype) -> list[tuple]:
    """Bounds as arrays and as numbers, crossed ones and NaN among them."""
    values = VALUES[dtype]
    three = [np.ravel(v) for v in np.meshgrid(values[::2], values[::3], values[::2])]
    return [(lax.clamp, *three), (lax.clamp, values[1], values, values[-2])]


def selects(dtype) -> list[tuple]:
    """By truth and by number, of arrays and of numbers."""
    v = VALUES[dtype]
    thirds = [np.resize(v[k:], 3) for k in range(3)]
    return [
        (lax.select_n, v != v[0], v, v[::-1].copy()),
        (lax.select_n, np.int32([0, 1, 2]), *thirds),
        (lax.select_n, np.int32(2), *thirds),
        (lax.select_n, np.True_, v[:0], v[:0]),
    ]


def converts(dtype) -> list[tuple]:
    """To every type; and to a type and back into a sum, where a byte that is no bit would show."""
    calls = each(lambda to: lambda a: lax.convert_element_type(a, to), *DTYPES)(dtype)
    some = np.resize(VALUES[dtype][:4], 6)
    return calls + [(lambda a, to=to: jnp.sum(a.astype(to).astype("int32")), some) for to in DTYPES]


def bitcasts(dtype) -> list[tuple]:
    """To every type of the same width."""
    words = ("float32", "int32", "uint32")
    targets = words if dtype in words else (dtype,)
    return [(lambda a, to=to: lax.bitcast_convert_type(a, to), VALUES[dtype]) for to in targets]


def accumulated(dtype) -> list[tuple]:
    """Cotangents of an array that is used twice."""
    v = VALUES[dtype]
    return [(lambda a, b: jax.linear_transpose(lambda x: (x, x), v)((a, b)), v, v[::-1].copy())]


# Along axes -----------------------------------------------------------------------------------


def table(dtype) -> np.ndarray:
    """Edge values as a matrix of three columns."""
    values = VALUES[dtype]
    return np.resize(values, (-(-len(values) // 3), 3))


def lanes(values) -> list[np.ndarray]:
    """Arrays with every kind of axis: long, of one element, and empty, outside and inside."""
    rows = np.resize(values, (-(-len(values) // 3), 3))
    return [rows, values, values[:1], values[:0], rows[:0], rows[:, :0]]


def modest(dtype) -> np.ndarray:
    """Values whose sums and products, of a few, are exact in float32: halves, NaN, both zeros."""
    values = VALUES[dtype].tolist()
    return np.array([v for v in values if v != v or (abs(v) < 4 and v * 2 % 1 == 0)], dtype)


def any_order(dtype) -> np.ndarray:
    """Values of which a sum or product is the same in any order: integers wrap."""
    return modest(dtype) if dtype == "float32" else VALUES[dtype]


def along(fn, values=VALUES.__getitem__, empty=True) -> Calls:
    """`fn(array, axis)` along each axis of each lane; `empty`: also along axes of size 0."""
    return lambda dtype: [
        (lambda a, axis=axis: fn(a, axis), array)
        for array in lanes(values(dtype))
        for axis in range(array.ndim)
        if empty or array.shape[axis]
    ]


def reductions(name, values=VALUES.__getitem__) -> Calls:
    """Along each axis, and over all of them."""
    fn = getattr(lax, name)
    return lambda dtype: [
        *along(lambda a, axis: fn(a, (axis,)), values)(dtype),
        *((lambda a: fn(a, tuple(range(a.ndim))), array) for array in lanes(values(dtype))),
    ]


def running(name, values=VALUES.__getitem__) -> Calls:
    """From both ends."""
    fn = getattr(lax, name)
    return lambda dtype: [
        call
        for back in (False, True)
        for call in along(lambda a, axis, back=back: fn(a, axis, back), values)(dtype)
    ]


def sorts(dtype) -> list[tuple]:
    """Both ways, with ties, by several keys, stably, of nothing."""
    v = np.resize(VALUES[dtype], 2 * len(VALUES[dtype]))
    rank, half = np.arange(len(v), dtype=np.int32), v != v[0]
    return [
        *along(lambda a, axis: lax.sort(a, dimension=axis))(dtype),
        (lambda *a: lax.sort(a, num_keys=1, is_stable=True), v, rank),
        (lambda *a: lax.sort(a, num_keys=2, is_stable=True), half, v, rank),
        (lambda a: jnp.argsort(a, stable=True), v),
        (lambda a: jnp.argsort(a, stable=True, descending=True), v),
    ]


def top_ks(dtype) -> list[tuple]:
    """None, some, all; ties keep their order."""
    v = np.resize(VALUES[dtype], 2 * len(VALUES[dtype]))
    return [(lambda a, k=k: lax.top_k(a, k), v) for k in (0, 1, 5, len(v))] + [
        (lambda a: lax.top_k(a, 0), v[:0])
    ]


# Places ---------------------------------------------------------------------------------------


def gathers(dtype) -> list[tuple]:
    """Reads inside and outside of the array, and none, in each mode and through `jnp`."""
    reads = [lambda a, i: a[i, i], lambda a, i: jnp.take(a, i, axis=1)]
    reads += [lambda a, i, m=m: a.at[i].get(mode=m) for m in ("clip", "fill")]
    calls = [(read, table(dtype), where) for read in reads for where in INDICES]
    return [*calls, (lambda a, i: a.at[i].get(mode="promise_in_bounds"), table(dtype), INDICES[3])]


def scatters(method) -> Calls:
    """Writes inside and outside, and none, where it has a meaning also to the same place twice."""

    def calls(dtype):
        start = np.resize(any_order(dtype), (5, 3))
        return [
            (lambda a, i, v, m=mode: getattr(a.at[i, 1], method)(v, mode=m), start, where, news)
            for mode in ("drop", "clip")
            for places in INDICES
            for where in [places[:2] if method == "set" else places]
            for news in [np.resize(start[:1, :2], where.shape)]
            if method != "set" or len({*np.clip(where, 0, 4)}) == len(where)
        ]

    return calls


def slices(dtype) -> list[tuple]:
    """Windows that fit, stick out, are empty, or start where no index reaches."""
    t = table(dtype)
    return [
        *((lambda a, i: lax.dynamic_slice(a, (i, i), (2, 2)), t, place) for place in PLACES),
        (lambda a, i: lax.dynamic_slice(a, (i, i), (0, 3)), t, np.int32(1)),
        (lambda a: lax.dynamic_slice(a, (-1, 5), (2, 2)), t),
    ]


def updates(dtype) -> list[tuple]:
    """The same for writing."""
    t = table(dtype)
    write = lambda a, u, i: lax.dynamic_update_slice(a, u, (i, i))  # noqa: E731
    return [(write, t, t[-2:, ::2].copy(), place) for place in PLACES] + [
        (write, t, t[:0], np.int32(1))
    ]


# Arrangement ----------------------------------------------------------------------------------


def of_table(*fns) -> Calls:
    """Each function of the matrix of edge values."""
    return lambda dtype: [(fn, table(dtype)) for fn in fns]


def paddings(dtype) -> list[tuple]:
    """On both sides, negative, inside, until nothing is left, around nothing."""
    t, filling = table(dtype)[:2], VALUES[dtype][-1]
    configurations = [((1, 2, 0), (0, 1, 2)), ((-1, 2, 1), (1, -2, 0)), ((-2, 0, 0), (0, 0, 0))]
    configurations += [((2, -1, 3), (-2, 2, 1)), ((-3, 0, 1), (0, 0, 0)), ((0, 0, 0), (-1, -2, 0))]
    calls = [(lambda a, f, c=c: lax.pad(a, f, c), t, filling) for c in configurations]
    return [*calls, (lambda a, f: lax.pad(a, f, configurations[0]), t[:0], filling)]


def iotas(dtype) -> list[tuple]:
    """Positions, more of them than a byte can count."""
    shapes = ((300, 2), (0, 2), (1,))
    return [(lambda a, s=s: lax.broadcasted_iota(a.dtype, s, 0), VALUES[dtype][:1]) for s in shapes]


# Products -------------------------------------------------------------------------------------


def products(dtype) -> list[tuple]:
    """Matrices, vectors and stacks, through the kernel and past it, empty ones among them."""
    shapes = [((3, 5), (5, 8)), ((3, 5), (5, 1)), ((3, 0), (0, 4)), ((3, 0), (0, 1))]
    shapes += [((0, 2), (2, 4)), ((3, 2), (2, 0)), ((5,), (5,)), ((0,), (0,)), ((5, 9), (9, 5))]
    shapes += [((2, 3, 0), (2, 0, 5)), ((2, 3, 4), (2, 4, 5)), ((0, 3, 4), (0, 4, 5))]
    plain = [(jnp.matmul, *(np.resize(any_order(dtype), s) for s in pair)) for pair in shapes]
    if dtype != "float32":
        return plain
    return plain + [  # one infinity or NaN in a row must stay in its row, in tails of every length
        (jnp.matmul, np.ones((3, k), "f"), np.where(np.eye(k, 9), value, 1).astype("f"))
        for k, value in itertools.product(range(1, 9), (np.inf, -np.inf, np.nan))
    ]


def threefries(dtype) -> list[tuple]:
    """Words at both ends, in arrays and as numbers, and none."""
    words = VALUES[dtype]
    draw = threefry2x32_p.bind
    return [
        (draw, words, words[::-1].copy(), words, words),
        (draw, *words[:4]),
        (draw, words[:0], words[:0], words[:0], words[:0]),
    ]


def counters(dtype) -> list[tuple]:
    """The counters of random bits, as many as there are bits asked for."""
    return [
        (lambda key, shape=shape: jax.random.bits(jax.random.wrap_key_data(key), shape), words)
        for words in (VALUES[dtype][:2], VALUES[dtype][-2:])
        for shape in ((), (0,), (3, 0), (2, 3), (7,))
    ]


# Windows --------------------------------------------------------------------------------------


def convolutions(dtype) -> list[tuple]:
    """Padded, strided, spread and cut off; of no examples, no channels, and too small an image."""
    source = any_order(dtype)
    image, kernel = np.resize(source, (2, 3, 6)), np.resize(source[::-1], (4, 3, 2))
    options = [((1,), "SAME"), ((2,), ((3, -1),)), ((1,), ((0, 2),), (2,), (3,))]
    calls = [(lambda a, k, o=o: lax.conv_general_dilated(a, k, *o), image, kernel) for o in options]
    for some, weights in (
        (image[:0], kernel),
        (image[:, :0], kernel[:, :0]),
        (image[..., :1], kernel),
    ):
        calls.append((lambda a, k: lax.conv_general_dilated(a, k, (1,), "VALID"), some, weights))
    return calls


def pools(operation, start, values=VALUES.__getitem__) -> Calls:
    """Over windows that overlap, that padding widens, that do not fit; of nothing."""

    def calls(dtype):
        first, array = np.asarray(start(dtype), dtype)[()], np.resize(values(dtype), (7, 5))

        def pool(sizes, strides, padding):
            return lambda a: lax.reduce_window(a, first, operation, sizes, strides, padding)

        settings = [((2, 2), (2, 1), "VALID"), ((3, 1), (1, 2), "SAME")]
        settings += [((2, 3), (2, 2), ((1, 2), (2, 0))), ((9, 1), (1, 1), "VALID")]
        return [(pool(*s), a) for s in settings for a in (array, array[:0])]

    return calls


def lowest(dtype):
    """The identity of max."""
    return -np.inf if dtype == "float32" else np.iinfo(dtype).min


def highest(dtype):
    """The identity of min."""
    return np.inf if dtype == "float32" else np.iinfo(dtype).max


def pooled(push) -> Calls:
    """Derivatives of the largest in a window, with ties, infinities and NaN among the values."""

    def calls(dtype):
        array = np.resize(VALUES[dtype], (7, 5))

        def pool(a, sizes, strides, padding):
            return lax.reduce_window(a, -np.inf, lax.max, sizes, strides, padding)

        settings = [((2, 2), (2, 1), "VALID"), ((3, 1), (1, 2), "SAME")]
        settings += [((2, 3), (2, 2), ((1, 0), (1, 0)))]
        return [
            (lambda a, s=s: push(lambda a: pool(a, *s), a), values)
            for s in settings
            for values in (array, np.round(np.linspace(-3, 3, 35, dtype="f")).reshape(7, 5))
        ]

    return calls


def pushed(fn, a):
    """The derivative along the positions, forwards."""
    return jax.jvp(fn, (a,), (jnp.arange(a.size, dtype=a.dtype).reshape(a.shape),))[1]


def pulled(fn, a):
    """The derivative along the positions, backwards."""
    out, pull = jax.vjp(fn, a)
    return pull(jnp.arange(out.size, dtype=a.dtype).reshape(out.shape))[0]


# Control flow ---------------------------------------------------------------------------------


def scans(dtype) -> list[tuple]:
    """Some, one and no rounds, both ways, over rows, numbers, and nothing."""
    t, v = table(dtype), VALUES[dtype]
    loop = lambda s, a, r: lax.scan(lambda c, x: (x, c), s, a, reverse=r)  # noqa: E731
    starts = [
        (t[0], t),
        (t[0], t[:1]),
        (t[0], t[:0]),
        (v[0], v),
        (v[0], v[:0]),
        (t[0, :0], t[:, :0]),
    ]
    calls = [(lambda s, a, r=r: loop(s, a, r), *start) for start in starts for r in (False, True)]
    return [*calls, (lambda s: lax.scan(lambda c, _: (c, c), s, None, length=0), v)]


def whiles(dtype) -> list[tuple]:
    """No, one and several rounds; arrays, numbers and empty arrays are carried."""
    v = VALUES[dtype]

    def loop(n, a, b):
        return lax.while_loop(lambda s: s[0] < n, lambda s: (s[0] + 1, s[1][::-1], s[2]), (0, a, b))

    return [(loop, np.int32(n), v, v[0]) for n in (0, 1, 3, LOWEST)] + [
        (loop, np.int32(2), v[:0], v[1])
    ]


def conds(dtype) -> list[tuple]:
    """A number that chooses, inside and outside of the branches there are, and a truth."""
    v = VALUES[dtype]
    three = [lambda a: a, lambda a: a[::-1], lambda a: jnp.concatenate([a[1:], a[:1]])]
    calls = [(lambda i, a: lax.switch(i, three, a), i, v) for i in PLACES[:-1]]
    calls += [(lambda i, a: lax.cond(i, *three[:2], a), np.bool_(b), v) for b in (True, False)]
    return [*calls, (lambda i, a: lax.cond(i, *three[:2], a), np.True_, v[:0])]


# The table ------------------------------------------------------------------------------------

# XLA's polynomials differ between instruction sets by some units in the last place, and its sinh
# and cosh are exp(x - log 2) ± …, which loses log2(88) ≈ 6.5 bits at the upper end.
POLYNOMIAL, THROUGH_EXP = 16, 128

ROWS: dict[str, Row] = {
    "neg": Row(unary(lax.neg), NUMBERS),
    "abs": Row(unary(lax.abs), SIGNED),
    "sign": Row(unary(lax.sign), NUMBERS),
    "floor": Row(unary(lax.floor), FLOAT),
    "ceil": Row(unary(lax.ceil), FLOAT),
    "round": Row(rounds, FLOAT),
    "is_finite": Row(unary(lax.is_finite), FLOAT),
    "square": Row(unary(lax.square), NUMBERS),
    "sqrt": Row(unary(lax.sqrt), FLOAT, 1),
    "rsqrt": Row(unary(lax.rsqrt), FLOAT, 2),
    "integer_pow": Row(powers, NUMBERS, 4),
    "reduce_precision": Row(unary(lambda a: lax.reduce_precision(a, 8, 23)), FLOAT),
    **{
        name: Row(unary(getattr(lax, name)), FLOAT, POLYNOMIAL)
        for name in (
            *("cbrt", "exp", "exp2", "expm1", "log", "log1p", "logistic", "tanh", "erf", "erf_inv"),
            *("sin", "cos", "tan", "asin", "acos", "atan", "asinh", "acosh", "atanh"),
        )
    },
    **{
        name: Row(unary(getattr(lax, name)), FLOAT, THROUGH_EXP)
        for name in ("sinh", "cosh", "erfc")
    },
    "not": Row(unary(lax.bitwise_not), WORDS),
    "population_count": Row(unary(lax.population_count), INTEGERS),
    "clz": Row(unary(lax.clz), INTEGERS),
    **{
        name: Row(binary(getattr(lax, name)), NUMBERS)
        for name in ("add", "sub", "mul", "div", "rem")
    },
    "max": Row(binary(lax.max)),
    "min": Row(binary(lax.min)),
    "add_any": Row(accumulated, NUMBERS),
    **{name: Row(binary(getattr(lax, f"bitwise_{name}")), WORDS) for name in ("and", "or", "xor")},
    **{
        f"shift_{name}": Row(shifts(getattr(lax, f"shift_{name}")), INTEGERS)
        for name in ("left", "right_logical", "right_arithmetic")
    },
    **{name: Row(binary(getattr(lax, name))) for name in ("eq", "ne", "lt", "le", "gt", "ge")},
    **{
        name: Row(binary(getattr(lax, f"{name}_p").bind), FLOAT)
        for name in ("eq_to", "lt_to", "le_to")
    },
    "pow": Row(binary(lax.pow), FLOAT, POLYNOMIAL),
    "atan2": Row(binary(lax.atan2), FLOAT, POLYNOMIAL),
    "nextafter": Row(binary(lax.nextafter), FLOAT),
    "clamp": Row(clamps, NUMBERS),
    "select_n": Row(selects),
    "convert_element_type": Row(converts),
    "bitcast_convert_type": Row(bitcasts),
    "reduce_sum": Row(reductions("reduce_sum", any_order), NUMBERS),
    "reduce_prod": Row(reductions("reduce_prod", any_order), NUMBERS),
    "reduce_max": Row(reductions("reduce_max")),
    "reduce_min": Row(reductions("reduce_min")),
    **{f"reduce_{name}": Row(reductions(f"reduce_{name}"), WORDS) for name in ("and", "or", "xor")},
    **{
        name: Row(along(lambda a, axis, n=name: getattr(lax, n)(a, axis, "int32"), empty=False))
        for name in ("argmax", "argmin")
    },
    "cumsum": Row(running("cumsum", any_order), NUMBERS),
    "cumprod": Row(running("cumprod", any_order), NUMBERS),
    "cummax": Row(running("cummax"), NUMBERS),
    "cummin": Row(running("cummin"), NUMBERS),
    "cumlogsumexp": Row(running("cumlogsumexp"), FLOAT, POLYNOMIAL),
    "sort": Row(sorts),
    "top_k": Row(top_ks),
    "gather": Row(gathers),
    "scatter": Row(scatters("set")),
    **{
        f"scatter-{name}": Row(scatters(method), NUMBERS)
        for name, method in {
            **{"add": "add", "sub": "subtract", "mul": "multiply"},
            **{"min": "min", "max": "max"},
        }.items()
    },
    "dynamic_slice": Row(slices),
    "dynamic_update_slice": Row(updates),
    "broadcast_in_dim": Row(
        of_table(
            lambda a: jnp.broadcast_to(a[None, :, :1], (2, len(a), 3)),
            lambda a: jnp.broadcast_to(a[:0, None], (0, 4, 3)),
        )
    ),
    "reshape": Row(
        of_table(
            lambda a: a.reshape(3, -1),
            lambda a: a[:0].reshape(3, 0),
            lambda a: a[::2].T.reshape(-1),
        )
    ),
    "squeeze": Row(of_table(lambda a: lax.squeeze(a[:1], (0,)), lambda a: a[:1, :0].squeeze(0))),
    "transpose": Row(of_table(lambda a: a.T, lambda a: a[:0].T)),
    "rev": Row(of_table(lambda a: lax.rev(a, (0, 1)), lambda a: lax.rev(a[:0], (0,)))),
    "slice": Row(of_table(lambda a: a[1::2, :2], lambda a: a[2:2])),
    "split": Row(of_table(lambda a: lax.split(a, (1, 0, 2), 1))),
    "concatenate": Row(of_table(lambda a: jnp.concatenate([a, a[:0], a[::-1]]))),
    "stack": Row(
        of_table(lambda a: jnp.stack([a, a[::-1]], 1), lambda a: jnp.stack([a[:0], a[:0]]))
    ),
    "unstack": Row(
        of_table(lambda a: jnp.unstack(a, axis=1), lambda a: jnp.unstack(a[:2, :0], axis=0))
    ),
    "tile": Row(
        of_table(
            lambda a: jnp.tile(a, (2, 3)),
            lambda a: jnp.tile(a, (0, 2)),
            lambda a: jnp.tile(a[:0], (2, 2)),
        )
    ),
    "pad": Row(paddings),
    "iota": Row(iotas, NUMBERS),
    "dot_general": Row(products),
    "threefry2x32": Row(threefries, "uint32"),
    "iota_2x32_shape": Row(counters, "uint32"),
    "conv_general_dilated": Row(convolutions),
    "reduce_window_sum": Row(pools(lax.add, lambda _: 0, any_order), NUMBERS),
    "reduce_window_max": Row(pools(lax.max, lowest), NUMBERS),
    "reduce_window_min": Row(pools(lax.min, highest), NUMBERS),
    "select_and_scatter_add": Row(pooled(pulled), FLOAT),
    "select_and_gather_add": Row(pooled(pushed), FLOAT),
    "scan": Row(scans),
    "while": Row(whiles),
    "cond": Row(conds),
}
