"""Whole functions: activations and derivatives, control flow, random numbers, training."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from jax import lax, nn, random

from differential import Cases

rng = np.random.default_rng(1)
X = rng.standard_normal((8, 6)).astype(np.float32)
W = (rng.standard_normal((3, 6, 6)) / 2).astype(np.float32)
V = np.linspace(-6, 6, 49).astype(np.float32)
KEY = np.uint32([7, 11])

ACTIVATIONS = {
    "sigmoid": nn.sigmoid,
    "tanh": jnp.tanh,
    "relu": nn.relu,
    "leaky_relu": nn.leaky_relu,
    "elu": nn.elu,
    "selu": nn.selu,
    "gelu, tanh form": nn.gelu,
    "gelu, exact": lambda z: nn.gelu(z, approximate=False),
    "silu": nn.silu,
    "softplus": nn.softplus,
    "mish": nn.mish,
    "hard_tanh": nn.hard_tanh,
}
CASES = {}
for name, phi in ACTIVATIONS.items():
    CASES[name] = (phi, V)
    CASES[f"{name}, pulled back"] = (lambda v, p=phi: jax.vjp(p, v)[1](jnp.cos(v))[0], V)
    CASES[f"{name}, pushed forward"] = (lambda v, p=phi: jax.jvp(p, (v,), (jnp.cos(v),)), V)
    CASES[f"{name}, at zero"] = (jax.vmap(jax.grad(phi)), np.float32([0, -0.0]))

# What is fused into a reduction may bind less tightly than the reduction's own operator.
CHOICES = {
    "a choice between arrays": lambda k, v: jnp.where(k > 0, 0.0, v),
    "a choice of elements": lambda k, v: jnp.where(v > 0, v, -v),
    "a chain of choices": lambda k, v: lax.select_n((v > 0).astype(jnp.int32) + k, v, v + 1, 2 * v),
    "bits": lambda k, v: (v * 8).astype(jnp.int32) | k,
    "a shift": lambda k, v: (v * 8).astype(jnp.int32) << k,
    "a comparison": lambda k, v: (v > k.astype(v.dtype)).astype(jnp.int32),
}
REDUCTIONS = {
    "sum": lambda a: jnp.sum(a, axis=1),
    "prod": lambda a: jnp.prod(a, axis=1),
    "max": lambda a: jnp.max(a, axis=1),
    "argmax": lambda a: jnp.argmax(a, axis=1),
    "cumsum": lambda a: jnp.cumsum(a, axis=0),
    "cumprod": lambda a: jnp.cumprod(a, axis=1),
}
for choice, choose in CHOICES.items():
    for name, reduction in REDUCTIONS.items():
        for k in (0, 1):
            fused = (lambda k, v, r=reduction, c=choose: r(c(k, v)), np.int32(k), X)
            CASES[f"{name} of {choice}, {k}"] = fused

CASES["switch"] = (lambda i, v: lax.switch(i, [jnp.sin, nn.relu, nn.gelu], v), 5, V)
CASES["cond"] = (lambda i, v: lax.cond(i > 2, jnp.sin, lambda v: v, v), 5, V)
CASES["cond of scalars"] = (lambda a: lax.cond(a > 0, lambda: (a, 1), lambda: (-a, 2)), -2.0)
CASES["vmapped cond"] = (
    jax.vmap(lambda x: lax.cond(x[0] > 0, lambda: jnp.sin(x), lambda: x * 2)),
    X,
)
CASES["gradient through cond"] = (
    lambda i, v: jax.grad(lambda v: jnp.sum(lax.cond(i > 0, jnp.tanh, jnp.sin, v)))(v),
    1,
    V,
)
CASES["scan"] = (lambda x: lax.scan(lambda c, a: (c / 2 + a, c * a), x[0], x), X)
CASES["scan backwards"] = (
    lambda x: lax.scan(lambda c, a: (c / 2 + a, (c, c[0])), x[0], x, reverse=True),
    X,
)
CASES["scan swaps"] = (lambda a, b: lax.fori_loop(0, 3, lambda i, s: (s[1], s[0]), (a, b)), V, -V)
CASES["scan swaps scalars"] = (
    lambda a, b: lax.fori_loop(0, 3, lambda i, s: (s[1], s[0] + i), (a, b)),
    1.0,
    2.0,
)
CASES["scan of a scan"] = (
    lambda w, x: lax.scan(
        lambda h, p: (jnp.tanh(h @ p), lax.scan(lambda c, r: (c + r, c), jnp.zeros(6), h)[1]), x, w
    ),
    W,
    X,
)
CASES["scan without arrays"] = (
    lambda x: lax.scan(lambda c, _: (c * 1.5, c.sum()), x, None, length=4),
    X,
)
CASES["gradient through scan"] = (
    jax.grad(lambda w, x: jnp.sum(lax.scan(lambda h, p: (jnp.tanh(h @ p), None), x, w)[0])),
    W,
    X,
)
CASES["remat"] = (
    jax.grad(
        lambda w, x: jnp.sum(
            lax.scan(jax.checkpoint(lambda h, p: (jnp.tanh(h @ p), None)), x, w)[0] ** 2
        )
    ),
    W,
    X,
)
CASES["while with a traced bound"] = (
    lambda n, x: lax.fori_loop(0, n, lambda i, h: jnp.sin(h) + i, x),
    4,
    X,
)
CASES["while that never runs"] = (lambda n, x: lax.fori_loop(n, 0, lambda i, h: h + 1, x), 4, X)
CASES["while on a value"] = (
    lambda x: lax.while_loop(
        lambda s: jnp.sum(s[1]) < 50, lambda s: (s[0] + 1, s[1] * 1.5), (0, x)
    ),
    np.abs(X),
)
CASES["loop fills an array"] = (
    lambda n, x: lax.fori_loop(0, n, lambda i, a: a.at[i].set(a[i - 1] * 2 + i), x),
    5,
    X,
)
CASES["loop fills two arrays"] = (
    lambda n, x: lax.fori_loop(
        1, n, lambda i, s: (s[0].at[i].set(s[1][i - 1]), s[1].at[i].add(s[0][i - 1])), (x, x * 2)
    ),
    6,
    X,
)
CASES["loop shifts within an array"] = (
    lambda n, x: lax.fori_loop(
        0, n, lambda i, a: lax.dynamic_update_slice(a, a[:4] * 0.5 + 1, (i, 0)), x
    ),
    4,
    X,
)
CASES["loop keeps the old row"] = (
    lambda n, x: lax.fori_loop(
        0,
        n,
        lambda i, s: (lambda old: (s[0].at[i].set(0.0), s[1] + old))(s[0][i] * 2 + s[0][0]),
        (x, x[0]),
    ),
    4,
    X,
)
CASES["bounded depth"] = (
    lambda n, w, x: lax.scan(
        lambda h, p: lax.cond(
            p[0] < n, lambda: (jnp.tanh(h @ p[1]), jnp.mean(h)), lambda: (h, jnp.nan)
        ),
        x,
        (jnp.arange(3), w),
    ),
    2,
    W,
    X,
)
CASES["batch norm, pulled back"] = (
    jax.grad(
        lambda x: jnp.sum(jnp.tanh((x - x.mean(0)[None]) / jnp.sqrt(x.var(0) + 1e-5)[None]) ** 3)
    ),
    X,
)
CASES["layer norm, pulled back"] = (jax.grad(lambda x: jnp.sum(nn.standardize(x) ** 3)), X)
CASES["softmax cross entropy"] = (
    jax.value_and_grad(
        lambda x: optax.softmax_cross_entropy_with_integer_labels(x, jnp.arange(8) % 6).mean()
    ),
    X,
)
CASES["binary cross entropy"] = (
    jax.value_and_grad(lambda x: optax.sigmoid_binary_cross_entropy(x, x > 0).mean()),
    X,
)
CASES["logsumexp"] = (lambda x: nn.logsumexp(x, axis=1), X)
CASES["hessian"] = (jax.hessian(lambda v: jnp.sum(jnp.tanh(v)) ** 2), V[::8])
CASES["jacobian"] = (jax.jacrev(lambda v: jnp.tanh(v) * jnp.sum(v)), V[::8])
CASES["variance"] = (lambda x: (jnp.var(x, axis=0), jnp.std(x), jnp.corrcoef(x.T)), X)


def loss(params, x):
    """A two-layer network's mean squared error."""
    return jnp.mean((jnp.tanh(x @ params["a"]) @ params["b"] - x[:, :1]) ** 2)


PARAMS = {"a": W[0], "b": W[1][:, :1]}
for name, optimizer in {
    "sgd": optax.sgd(0.1),
    "momentum": optax.sgd(0.1, momentum=0.9),
    "adam": optax.adam(0.01),
}.items():

    def train(params, x, optimizer=optimizer):
        def step(carry, _):
            params, state = carry
            value, gradient = jax.value_and_grad(loss)(params, x)
            updates, state = optimizer.update(gradient, state)
            return (optax.apply_updates(params, updates), state), value

        with jax.numpy_dtype_promotion("standard"):  # optax mixes floats and integers
            return lax.scan(step, (params, optimizer.init(params)), None, length=5)

    CASES[f"training with {name}"] = (train, PARAMS, X)

for kind, draw in {
    "bits": lambda k: random.bits(k, (3, 5)),
    "many bits": lambda k: random.bits(k, (1001,)),
    "uniform": lambda k: random.uniform(k, (3, 5), minval=-2.0),
    "normal": lambda k: random.normal(k, (64, 64)),
    "one normal": lambda k: random.normal(k),
    "truncated normal": lambda k: random.truncated_normal(k, -2.0, 2.0, (9,)),
    "bernoulli": lambda k: random.bernoulli(k, 0.3, (20,)),
    "randint": lambda k: random.randint(k, (20,), -3, 9),
    "categorical": lambda k: random.categorical(k, jnp.arange(12.0).reshape(3, 4)),
    "permutation": lambda k: random.permutation(k, 17),
    "permutation of rows": lambda k: random.permutation(k, jnp.arange(12.0).reshape(6, 2)),
    "choice": lambda k: random.choice(k, 9, (4,), replace=False),
    "exponential": lambda k: random.exponential(k, (9,)),
    "rademacher": lambda k: random.rademacher(k, (9,)),
    "split": lambda k: random.key_data(random.split(k, (2, 3))),
    "fold_in": lambda k: random.key_data(random.fold_in(k, 12)),
    "key of many": lambda k: [random.normal(one, (2,)) for one in random.split(k, 3)],
    "vmapped": lambda k: jax.vmap(lambda one: random.normal(one, (4,)))(random.split(k, 3)),
    "scanned": lambda k: lax.scan(
        lambda c, one: (c + 1, random.normal(one, (2,))), 0, random.split(k, 3)
    ),
    "carried": lambda k: lax.fori_loop(
        0,
        4,
        lambda i, s: (random.split(s[0])[0], s[1] + random.uniform(s[0])),
        (k, 0.0),
    )[1],
}.items():
    CASES[f"random {kind}, from a seed"] = (lambda seed, d=draw: d(random.key(seed)), 42)
    CASES[f"random {kind}, from a raw key"] = (lambda k, d=draw: d(random.wrap_key_data(k)), KEY)
CASES["random old-style key"] = (lambda seed: random.normal(random.PRNGKey(seed), (5,)), 3)
CASES["random negative seed"] = (lambda seed: random.bits(random.key(seed), (5,)), -3)

SUITE = Cases(CASES)
# XLA's own tanh is off by up to 5 units in the last place, and 1 - tanh² inherits that; the slope
# of GELU's tanh form takes it six times, at z = -4.3: without fused multiply-add, 4e-6 of float64.
FLOORS = dict.fromkeys(["hessian", "gradient through cond", "switch"], 1e-2)
FLOORS |= {name: 1e-2 for name in CASES if name.startswith("tanh")}
FLOORS |= {name: 1e-1 for name in CASES if name.startswith("gelu, tanh")}


@pytest.mark.parametrize("name", CASES)
def test_agrees_with_jax(name):
    SUITE.check(name, floor=FLOORS.get(name, 1e-3))
