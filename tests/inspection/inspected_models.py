"""Models of four libraries, each a loss(params, *batch) with its parameters and its data."""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np


class Case(NamedTuple):
    """A model; `cancels` names parameters whose gradient is zero but for rounding."""

    loss: Callable
    params: object
    batch: tuple
    cancels: tuple[str, ...] = ()


def _data(features=12, rows=8, classes=4, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((rows, features)).astype(np.float32)
    return jnp.asarray(x), jnp.asarray(rng.integers(0, classes, rows))


def cross_entropy(logits, labels):
    hot = jax.nn.one_hot(labels, logits.shape[-1], dtype=logits.dtype)
    return -jnp.mean(jnp.sum(jax.nn.log_softmax(logits) * hot, axis=-1))


def _normal(key, *shape, scale=1.0):
    return scale * jax.random.normal(key, shape, jnp.float32) / np.sqrt(shape[-2]).astype("float32")


def plain(depth=6, width=12, activation=jax.nn.tanh, scale=1.0):
    keys = jax.random.split(jax.random.key(0), depth)
    params = [{"w": _normal(k, width, width, scale=scale), "b": jnp.zeros(width)} for k in keys]

    def loss(params, x, y):
        for layer in params[:-1]:
            x = activation(x @ layer["w"] + layer["b"][None])
        return cross_entropy(x @ params[-1]["w"] + params[-1]["b"][None], y)

    return Case(loss, params, _data(width))


def plain_residual():
    """A skip around sixty sigmoid layers: the branch vanishes beside the stream."""
    deep = plain(60, activation=jax.nn.sigmoid)

    def loss(params, x, y):
        h = x
        for layer in params[:-1]:
            h = jax.nn.sigmoid(h @ layer["w"] + layer["b"][None])
        return cross_entropy(x + h @ params[-1]["w"] + params[-1]["b"][None], y)

    return deep._replace(loss=loss)


def plain_scan(depth=40, width=12, remat=False):
    params = {"w": _normal(jax.random.key(0), depth, width, width), "b": jnp.zeros((depth, width))}

    def block(x, layer):
        return jax.nn.sigmoid(x @ layer["w"] + layer["b"][None]), None

    def loss(params, x, y):
        step = jax.checkpoint(block) if remat else block
        return cross_entropy(jax.lax.scan(step, x, params)[0], y)

    return Case(loss, params, _data(width))


def plain_remat_scan():
    return plain_scan(remat=True)


def plain_tied():
    """One weight for every layer, and again for the read-out."""
    params = {"w": _normal(jax.random.key(0), 12, 12, scale=1.5), "b": jnp.zeros(12)}

    def loss(params, x, y):
        for _ in range(8):
            x = jnp.tanh(x @ params["w"] + params["b"][None])
        return cross_entropy(x @ params["w"].T, y)

    return Case(loss, params, _data())


def plain_cond():
    case = plain()

    def loss(params, x, y):
        for k, layer in enumerate(params):

            def dense(x, layer=layer):
                return jnp.tanh(x @ layer["w"] + layer["b"][None])

            x = jax.lax.cond(jnp.sum(x) > (-1e9 if k % 2 else 1e9), dense, lambda x: x, x)
        return cross_entropy(x, y)

    return case._replace(loss=loss)


def plain_complex():
    """A linear recurrence in the complex plane, fast fading, and a filter in frequencies."""
    keys = jax.random.split(jax.random.key(0), 4)
    params = {
        "in": _normal(keys[0], 12, 16),
        "decay": jax.random.uniform(keys[1], (8,)),
        "mix": _normal(keys[2], 2, 8, 8, scale=0.5),
        "out": _normal(keys[3], 8, 4),
    }

    def loss(params, x, y):
        u = x @ params["in"]
        u = jax.lax.complex(u[:, :8], u[:, 8:])
        mix = jax.lax.complex(*params["mix"])
        decay = jnp.exp(-1 - params["decay"] + 1j * params["decay"])[None]

        def step(h, _):
            return decay * (h + 0.1 * h @ mix), None

        h, _ = jax.lax.scan(step, u, length=40)
        spectrum = jnp.fft.fft(h, axis=-1) * mix[:1, 0]
        return cross_entropy(jnp.fft.ifft(spectrum, axis=-1).real @ params["out"], y)

    return Case(loss, params, _data())


def linen_mlp():
    import flax.linen as nn

    class Deep(nn.Module):
        @nn.compact
        def __call__(self, x):
            for _ in range(60):
                x = nn.sigmoid(nn.Dense(12)(x))
            return nn.Dense(4)(x)

    x, y = _data()
    params = Deep().init(jax.random.key(0), x)
    return Case(lambda p, x, y: cross_entropy(Deep().apply(p, x), y), params, (x, y))


def linen_batch_norm():
    """Convolutions with batch norm: the running statistics change, and come with the batch."""
    import flax.linen as nn

    class Net(nn.Module):
        @nn.compact
        def __call__(self, x):
            for _ in range(3):
                x = nn.relu(
                    nn.BatchNorm(use_running_average=False)(nn.Conv(6, (3, 3), use_bias=False)(x))
                )
            return nn.Dense(4)(x.mean((1, 2)))

    x = jnp.asarray(np.random.default_rng(0).standard_normal((8, 6, 6, 2)), jnp.float32)
    y = _data()[1]
    variables = Net().init(jax.random.key(0), x)

    def loss(params, statistics, x, y):
        variables = {"params": params, "batch_stats": statistics}
        logits, _ = Net().apply(variables, x, mutable=["batch_stats"])
        return cross_entropy(logits, y)

    return Case(loss, variables["params"], (variables["batch_stats"], x, y))


def _tokens():
    x = np.random.default_rng(0).standard_normal((8, 5, 12)).astype(np.float32)
    return jnp.asarray(x), _data()[1]


def linen_attention(post_norm=True):
    import flax.linen as nn

    class Block(nn.Module):
        @nn.compact
        def __call__(self, x):
            first, second = nn.LayerNorm(), nn.LayerNorm()
            if post_norm:
                x = first(x + nn.MultiHeadDotProductAttention(2)(x))
                return second(x + nn.Dense(12)(nn.gelu(nn.Dense(24)(x))))
            x = x + nn.MultiHeadDotProductAttention(2)(first(x))
            return x + nn.Dense(12)(nn.gelu(nn.Dense(24)(second(x))))

    class Net(nn.Module):
        @nn.compact
        def __call__(self, x):
            for _ in range(3):
                x = Block()(x)
            return nn.Dense(4)(x.mean(1))

    x, y = _tokens()
    params = Net().init(jax.random.key(0), x)
    # A softmax does not see what is added to all of its entries.
    cancels = ("['key']['bias']",)
    return Case(lambda p, x, y: cross_entropy(Net().apply(p, x), y), params, (x, y), cancels)


def linen_dropout():
    """Masks drawn in whole numbers: the draw of `nn.Dropout` is another one in float64."""
    import flax.linen as nn

    class Net(nn.Module):
        @nn.compact
        def __call__(self, x, key):
            for each in jax.random.split(key, 3):
                x = nn.silu(nn.Dense(12)(x))
                kept = jax.random.bits(each, x.shape, "uint8") < 154  # of 256
                x = jnp.where(kept, x / 0.6, 0)
            return nn.Dense(4)(x)

    x, y = _data()
    key = jax.random.key(7)
    params = Net().init(jax.random.key(0), x, key)
    return Case(lambda p, x, y, k: cross_entropy(Net().apply(p, x, k), y), params, (x, y, key))


def linen_gru():
    import flax.linen as nn

    class Net(nn.Module):
        @nn.compact
        def __call__(self, x):
            return nn.Dense(4)(nn.RNN(nn.GRUCell(8, param_dtype=x.dtype))(x)[:, -1])

    x = jnp.asarray(np.random.default_rng(0).standard_normal((4, 200, 3)), jnp.float32)
    y = _data(rows=4)[1]
    params = Net().init(jax.random.key(0), x)
    return Case(lambda p, x, y: cross_entropy(Net().apply(p, x), y), params, (x, y))


def nnx_mlp():
    from flax import nnx

    class Net(nnx.Module):
        def __init__(self, rngs):
            self.first = nnx.Linear(12, 16, rngs=rngs)
            self.norm = nnx.LayerNorm(16, rngs=rngs)
            self.last = nnx.Linear(16, 4, rngs=rngs)

        def __call__(self, x):
            return self.last(nnx.gelu(self.norm(self.first(x))))

    graph, params = nnx.split(Net(nnx.Rngs(0)), nnx.Param)
    x, y = _data()
    return Case(lambda p, x, y: cross_entropy(nnx.merge(graph, p)(x), y), params, (x, y))


def equinox_mlp():
    import equinox as eqx

    net = eqx.nn.MLP(12, 4, 16, 5, activation=jax.nn.elu, key=jax.random.key(0))
    params, static = eqx.partition(net, eqx.is_inexact_array)
    x, y = _data()

    def loss(params, x, y):
        return cross_entropy(jax.vmap(eqx.combine(params, static))(x), y)

    return Case(loss, params, (x, y))


def equinox_conv():
    import equinox as eqx

    keys = jax.random.split(jax.random.key(0), 3)
    net = eqx.nn.Sequential(
        [
            eqx.nn.Conv2d(2, 5, 3, key=keys[0]),
            eqx.nn.Lambda(jax.nn.relu),
            eqx.nn.Conv2d(5, 5, 3, key=keys[1]),
            eqx.nn.Lambda(jax.nn.relu),
            eqx.nn.Lambda(jnp.ravel),
            eqx.nn.Linear(20, 4, key=keys[2]),
        ]
    )
    params, static = eqx.partition(net, eqx.is_inexact_array)
    x = jnp.asarray(np.random.default_rng(0).standard_normal((8, 2, 6, 6)), jnp.float32)

    def loss(params, x, y):
        return cross_entropy(jax.vmap(eqx.combine(params, static))(x), y)

    return Case(loss, params, (x, _data()[1]))


def haiku_mlp():
    import haiku as hk

    net = hk.without_apply_rng(hk.transform(lambda x: hk.nets.MLP([16, 16, 16, 4])(x)))
    x, y = _data()
    params = net.init(jax.random.key(0), x)
    return Case(lambda p, x, y: cross_entropy(net.apply(p, x), y), params, (x, y))


def haiku_lstm():
    import haiku as hk

    def forward(x):
        core = hk.LSTM(8)
        out, _ = hk.dynamic_unroll(core, x, core.initial_state(x.shape[1]))
        return hk.Linear(4)(out[-1])

    net = hk.without_apply_rng(hk.transform(forward))
    x = jnp.asarray(np.random.default_rng(0).standard_normal((50, 4, 3)), jnp.float32)
    params = net.init(jax.random.key(0), x)
    y = _data(rows=4)[1]
    return Case(lambda p, x, y: cross_entropy(net.apply(p, x), y), params, (x, y))


MODELS = (
    plain, plain_residual, plain_scan, plain_remat_scan, plain_tied, plain_cond, plain_complex,
    linen_mlp, linen_batch_norm, linen_attention, linen_dropout, linen_gru, nnx_mlp, equinox_mlp,
    equinox_conv, haiku_mlp, haiku_lstm,
)  # fmt: skip
