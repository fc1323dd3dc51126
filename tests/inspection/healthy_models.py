"""Twenty small models as people write them, freshly made, on real digits or on made-up words.

They were chosen before any of them was inspected: the usual kinds, in the usual ways, with the
defaults of the library that each is written with. `test_healthy_models` lets them learn, too.
"""

from collections.abc import Callable
from typing import NamedTuple

import equinox as eqx
import flax.linen as nn
import haiku as hk
import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from inspected_models import cross_entropy

from vanishing import datasets

KEY = jax.random.key(0)
BATCH, WORDS, LENGTH, WIDTH = 32, 20, 12, 32
init = jax.nn.initializers


class Case(NamedTuple):
    """A model: loss(params, *batch) → one number."""

    loss: Callable
    params: object
    batch: tuple


def digits():
    """Pictures of variance one, and their classes."""
    images, classes = datasets.digit_images()
    x = images[:BATCH].reshape(BATCH, 8, 8, 1)
    x = (x - x.mean()) / x.std()
    return jnp.asarray(x, jnp.float32), jnp.asarray(classes[:BATCH])


def sentences():
    """Words drawn at random; the class is whether the first of them comes again."""
    words = np.random.default_rng(0).integers(0, WORDS, (BATCH, LENGTH))
    again = (words[:, 1:] == words[:, :1]).any(axis=1)
    return jnp.asarray(words), jnp.asarray(again.astype(int))


def series(time=40):
    """Noise; the class is the sign of its sum."""
    x = np.random.default_rng(0).standard_normal((BATCH, time, 3)).astype(np.float32)
    return jnp.asarray(x), jnp.asarray((x.sum(axis=(1, 2)) > 0).astype(int))


def dense_stack(widths, initializer):
    keys = jax.random.split(KEY, len(widths) - 1)
    return [
        {"w": initializer(key, (a, b)), "b": jnp.zeros(b)}
        for key, a, b in zip(keys, widths, widths[1:], strict=False)
    ]


def plain_classifier(widths, initializer, activation):
    def loss(params, x, y):
        h = x.reshape(len(x), -1)
        for layer in params[:-1]:
            h = activation(h @ layer["w"] + layer["b"])
        return cross_entropy(h @ params[-1]["w"] + params[-1]["b"], y)

    return Case(loss, dense_stack(widths, initializer), digits())


def tanh_perceptron():
    return plain_classifier([64, 64, 64, 10], init.glorot_uniform(), jnp.tanh)


def deep_relu():
    return plain_classifier([64] * 20 + [10], init.he_normal(), jax.nn.relu)


def selu_perceptron():
    return plain_classifier([64] * 10 + [10], init.lecun_normal(), jax.nn.selu)


def of_linen(net, x, y):
    params = net.init(KEY, x)
    return Case(lambda p, x, y: cross_entropy(net.apply(p, x), y), params, (x, y))


def linen_lenet():
    class Net(nn.Module):
        @nn.compact
        def __call__(self, x):
            x = nn.avg_pool(nn.relu(nn.Conv(16, (3, 3))(x)), (2, 2), (2, 2))
            x = nn.max_pool(nn.relu(nn.Conv(32, (3, 3))(x)), (2, 2), (2, 2))
            x = nn.relu(nn.Dense(64)(x.reshape(len(x), -1)))
            return nn.Dense(10)(x)

    return of_linen(Net(), *digits())


def linen_resnet():
    """Batch norm, and branches whose last scale starts at zero, as in Flax's own example."""

    class Block(nn.Module):
        @nn.compact
        def __call__(self, x):
            def norm(**options):
                return nn.BatchNorm(use_running_average=False, **options)

            h = nn.relu(norm()(nn.Conv(16, (3, 3), use_bias=False)(x)))
            h = nn.Conv(16, (3, 3), use_bias=False)(h)
            return nn.relu(x + norm(scale_init=init.zeros)(h))

    class Net(nn.Module):
        @nn.compact
        def __call__(self, x):
            x = nn.Conv(16, (3, 3), use_bias=False)(x)
            x = nn.relu(nn.BatchNorm(use_running_average=False)(x))
            for _ in range(3):
                x = Block()(x)
            return nn.Dense(10)(x.mean((1, 2)))

    x, y = digits()
    variables = Net().init(KEY, x)

    def loss(params, statistics, x, y):
        variables = {"params": params, "batch_stats": statistics}
        logits, _ = Net().apply(variables, x, mutable=["batch_stats"])
        return cross_entropy(logits, y)

    return Case(loss, variables["params"], (variables["batch_stats"], x, y))


def of_equinox(net, forward, batch):
    params, static = eqx.partition(net, eqx.is_inexact_array)
    return Case(lambda p, *batch: forward(eqx.combine(p, static), *batch), params, batch)


def equinox_group_norm():
    class Block(eqx.Module):
        norm: eqx.nn.GroupNorm
        first: eqx.nn.Conv2d
        second: eqx.nn.Conv2d

        def __init__(self, key):
            one, two = jax.random.split(key)
            self.norm = eqx.nn.GroupNorm(4, 16)
            self.first = eqx.nn.Conv2d(16, 16, 3, padding=1, key=one)
            self.second = eqx.nn.Conv2d(16, 16, 3, padding=1, key=two)

        def __call__(self, x, key=None):
            return x + self.second(jax.nn.silu(self.first(jax.nn.silu(self.norm(x)))))

    keys = jax.random.split(KEY, 5)
    net = eqx.nn.Sequential(
        [
            eqx.nn.Conv2d(1, 16, 3, padding=1, key=keys[0]),
            *(Block(key) for key in keys[1:4]),
            eqx.nn.AdaptiveAvgPool2d(1),
            eqx.nn.Lambda(jnp.ravel),
            eqx.nn.Linear(16, 10, key=keys[4]),
        ]
    )
    x, y = digits()

    def forward(net, x, y):
        return cross_entropy(jax.vmap(net)(x), y)

    return of_equinox(net, forward, (x.transpose(0, 3, 1, 2), y))


class Attends(nn.Module):
    """A block of a transformer."""

    post_norm: bool = False

    @nn.compact
    def __call__(self, x, mask=None):
        first, second = nn.LayerNorm(), nn.LayerNorm()
        attend = nn.MultiHeadDotProductAttention(4)
        up, down = nn.Dense(4 * WIDTH), nn.Dense(WIDTH)
        if self.post_norm:
            x = first(x + attend(x, mask=mask))
            return second(x + down(nn.relu(up(x))))
        x = x + attend(first(x), mask=mask)
        return x + down(nn.gelu(up(second(x))))


def linen_language_model():
    """Causal, pre-norm, with one table for words in and words out."""

    class Net(nn.Module):
        @nn.compact
        def __call__(self, words):
            table = nn.Embed(WORDS, WIDTH)
            places = self.param("places", init.normal(0.02), (LENGTH, WIDTH))
            x = table(words) + places[: words.shape[1]]
            for _ in range(3):
                x = Attends()(x, nn.make_causal_mask(words))
            return table.attend(nn.LayerNorm()(x))

    words, _ = sentences()
    net = Net()

    def loss(params, words):
        return cross_entropy(net.apply(params, words[:, :-1]), words[:, 1:])

    return Case(loss, net.init(KEY, words[:, :-1]), (words,))


def linen_post_norm():
    class Net(nn.Module):
        @nn.compact
        def __call__(self, words):
            x = nn.Embed(WORDS, WIDTH)(words)
            x = nn.LayerNorm()(x + self.param("places", init.normal(0.02), (LENGTH, WIDTH)))
            for _ in range(4):
                x = Attends(post_norm=True)(x)
            return nn.Dense(2)(jnp.tanh(nn.Dense(WIDTH)(x[:, 0])))

    return of_linen(Net(), *sentences())


def nnx_vision_transformer():
    class Block(nnx.Module):
        def __init__(self, rngs):
            self.first, self.second = (nnx.LayerNorm(WIDTH, rngs=rngs) for _ in range(2))
            self.attend = nnx.MultiHeadAttention(4, WIDTH, decode=False, rngs=rngs)
            self.up = nnx.Linear(WIDTH, 2 * WIDTH, rngs=rngs)
            self.down = nnx.Linear(2 * WIDTH, WIDTH, rngs=rngs)

        def __call__(self, x):
            x = x + self.attend(self.first(x))
            return x + self.down(nnx.gelu(self.up(self.second(x))))

    class Net(nnx.Module):
        def __init__(self, rngs):
            self.patches = nnx.Conv(1, WIDTH, (2, 2), (2, 2), rngs=rngs)
            self.answer = nnx.Param(jnp.zeros((1, 1, WIDTH)))
            self.places = nnx.Param(0.02 * jax.random.normal(rngs.params(), (1, 17, WIDTH)))
            self.blocks = nnx.List([Block(rngs) for _ in range(2)])
            self.norm = nnx.LayerNorm(WIDTH, rngs=rngs)
            self.out = nnx.Linear(WIDTH, 10, rngs=rngs)

        def __call__(self, x):
            x = self.patches(x).reshape(len(x), 16, WIDTH)
            first = jnp.broadcast_to(self.answer[...], (len(x), 1, WIDTH))
            x = jnp.concatenate([first, x], axis=1) + self.places[...]
            for block in self.blocks:
                x = block(x)
            return self.out(self.norm(x[:, 0]))

    graph, params, rest = nnx.split(Net(nnx.Rngs(0)), nnx.Param, ...)

    def loss(params, rest, x, y):
        return cross_entropy(nnx.merge(graph, params, rest)(x), y)

    return Case(loss, params, (rest, *digits()))


def linen_gru():
    class Net(nn.Module):
        @nn.compact
        def __call__(self, x):
            return nn.Dense(2)(nn.RNN(nn.GRUCell(WIDTH))(x)[:, -1])

    return of_linen(Net(), *series())


def of_haiku(forward, x, y):
    net = hk.without_apply_rng(hk.transform(forward))
    return Case(lambda p, x, y: cross_entropy(net.apply(p, x), y), net.init(KEY, x), (x, y))


def haiku_lstm():
    def forward(x):
        core = hk.LSTM(WIDTH)
        out, _ = hk.dynamic_unroll(core, x.swapaxes(0, 1), core.initial_state(len(x)))
        return hk.Linear(2)(out[-1])

    return of_haiku(forward, *series())


def plain_recurrent():
    """Tanh, with an orthogonal matrix from step to step."""
    keys = jax.random.split(KEY, 3)
    params = {
        "in": init.glorot_normal()(keys[0], (3, WIDTH)),
        "step": init.orthogonal()(keys[1], (WIDTH, WIDTH)),
        "b": jnp.zeros(WIDTH),
        "out": init.glorot_normal()(keys[2], (WIDTH, 2)),
    }

    def loss(params, x, y):
        def turn(h, now):
            return jnp.tanh(now @ params["in"] + h @ params["step"] + params["b"]), None

        h, _ = jax.lax.scan(turn, jnp.zeros((len(x), WIDTH)), x.swapaxes(0, 1))
        return cross_entropy(h @ params["out"], y)

    return Case(loss, params, series(30))


def plain_scanned_transformer():
    """Blocks stacked in one scan and rematerialised, as large models are."""
    shapes = {"qkv": (3, WIDTH, WIDTH), "out": (WIDTH, WIDTH)}
    shapes |= {"up": (WIDTH, 4 * WIDTH), "down": (4 * WIDTH, WIDTH)}
    keys = iter(jax.random.split(KEY, 6))
    lecun = init.lecun_normal(batch_axis=(0,))
    params = {
        "blocks": {name: lecun(next(keys), (4, *shape)) for name, shape in shapes.items()},
        "scales": jnp.ones((4, 2, WIDTH)),
        "table": init.normal(1.0)(next(keys), (WORDS, WIDTH)),
        "out": init.lecun_normal()(next(keys), (WIDTH, 2)),
    }

    def norm(x, scale):
        return scale * x * jax.lax.rsqrt(jnp.mean(x * x, axis=-1, keepdims=True) + 1e-6)

    @jax.checkpoint
    def block(x, layer):
        weights, scales = layer
        q, k, v = jnp.einsum("btf,cfg->cbtg", norm(x, scales[0]), weights["qkv"])
        seen = jax.nn.softmax(jnp.einsum("btf,bsf->bts", q, k) / WIDTH**0.5)
        x = x + jnp.einsum("bts,bsf->btf", seen, v) @ weights["out"]
        return x + jax.nn.silu(norm(x, scales[1]) @ weights["up"]) @ weights["down"], None

    def loss(params, words, y):
        x = params["table"][words]
        x, _ = jax.lax.scan(block, x, (params["blocks"], params["scales"]))
        return cross_entropy(x.mean(1) @ params["out"], y)

    return Case(loss, params, sentences())


def equinox_autoencoder():
    one, two = jax.random.split(KEY)
    nets = (
        eqx.nn.MLP(64, 8, 48, 2, activation=jax.nn.relu, key=one),
        eqx.nn.MLP(8, 64, 48, 2, jax.nn.relu, jax.nn.sigmoid, key=two),
    )
    images, _ = datasets.digit_images()
    x = jnp.asarray(images[:BATCH].reshape(BATCH, 64) / 16, jnp.float32)

    def forward(nets, x):
        encode, decode = map(jax.vmap, nets)
        return jnp.mean((decode(encode(x)) - x) ** 2)

    return of_equinox(nets, forward, (x,))


def plain_variational():
    """A variational autoencoder; the key of its noise comes with the batch."""
    params = {
        "up": dense_stack([64, 48, 16], init.glorot_normal()),
        "down": dense_stack([8, 48, 64], init.glorot_normal()),
    }

    def through(layers, x):
        h = jax.nn.relu(x @ layers[0]["w"] + layers[0]["b"])
        return h @ layers[1]["w"] + layers[1]["b"]

    def loss(params, x, key):
        mean, log_variance = jnp.split(through(params["up"], x), 2, axis=1)
        z = mean + jnp.exp(log_variance / 2) * jax.random.normal(key, mean.shape)
        logits = through(params["down"], z)
        rebuilt = jnp.sum(jax.nn.softplus(logits) - x * logits, axis=1)
        apart = jnp.sum(jnp.exp(log_variance) + mean**2 - 1 - log_variance, axis=1) / 2
        return jnp.mean(rebuilt + apart)

    images, _ = datasets.digit_images()
    x = jnp.asarray(images[:BATCH].reshape(BATCH, 64) / 16, jnp.float32)
    return Case(loss, params, (x, jax.random.key(1)))


def linen_bag_of_words():
    class Net(nn.Module):
        @nn.compact
        def __call__(self, words):
            return nn.Dense(2)(nn.relu(nn.Dense(WIDTH)(nn.Embed(WORDS, WIDTH)(words).mean(1))))

    return of_linen(Net(), *sentences())


def haiku_mixer():
    def forward(x):
        x = hk.Conv2D(WIDTH, 2, 2)(x).reshape(len(x), 16, WIDTH)
        for _ in range(2):
            y = hk.LayerNorm(-1, True, True)(x).swapaxes(1, 2)
            x = x + hk.Linear(16)(jax.nn.gelu(hk.Linear(32)(y))).swapaxes(1, 2)
            y = hk.LayerNorm(-1, True, True)(x)
            x = x + hk.Linear(WIDTH)(jax.nn.gelu(hk.Linear(64)(y)))
        return hk.Linear(10)(hk.LayerNorm(-1, True, True)(x).mean(1))

    return of_haiku(forward, *digits())


def plain_graph():
    """Two graph convolutions; an example is a node."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, BATCH)
    near = rng.random((BATCH, BATCH)) < np.where(y[:, None] == y[None], 0.3, 0.05)
    near = (near | near.T | np.eye(BATCH, dtype=bool)).astype(np.float32)
    degree = near.sum(axis=1)
    near /= np.sqrt(degree[:, None] * degree[None])
    x = rng.standard_normal((BATCH, 16)).astype(np.float32)

    def loss(params, near, x, y):
        h = jax.nn.relu(near @ (x @ params[0]["w"]) + params[0]["b"])
        return cross_entropy(near @ (h @ params[1]["w"]) + params[1]["b"], y)

    params = dense_stack([16, 16, 2], init.glorot_uniform())
    return Case(loss, params, (jnp.asarray(near), jnp.asarray(x), jnp.asarray(y)))


def nnx_dropout_regression():
    class Net(nnx.Module):
        def __init__(self, rngs):
            self.layers = nnx.List([nnx.Linear(n, 64, rngs=rngs) for n in (3, 64, 64)])
            self.norms = nnx.List([nnx.LayerNorm(64, rngs=rngs) for _ in range(3)])
            self.dropout = nnx.Dropout(0.2)
            self.out = nnx.Linear(64, 1, rngs=rngs)

        def __call__(self, x, key):
            for layer, norm, each in zip(
                self.layers, self.norms, jax.random.split(key, 3), strict=True
            ):
                x = self.dropout(nnx.silu(norm(layer(x))), rngs=nnx.Rngs(dropout=each))
            return self.out(x)[:, 0]

    graph, params = nnx.split(Net(nnx.Rngs(0)), nnx.Param)
    x = jnp.asarray(np.random.default_rng(0).standard_normal((BATCH, 3)), jnp.float32)
    y = jnp.sin(x[:, 0]) + x[:, 1] * x[:, 2]

    def loss(params, x, y, key):
        return jnp.mean((nnx.merge(graph, params)(x, key) - y) ** 2)

    return Case(loss, params, (x, y, jax.random.key(1)))


def linen_denoiser():
    """A small U-Net: down, up again, and the skip between."""

    class Net(nn.Module):
        @nn.compact
        def __call__(self, x):
            wide = nn.gelu(nn.Conv(16, (3, 3))(x))
            low = nn.gelu(nn.Conv(32, (3, 3), (2, 2))(wide))
            low = nn.gelu(nn.Conv(32, (3, 3))(low))
            high = nn.gelu(nn.ConvTranspose(16, (2, 2), (2, 2))(low))
            return nn.Conv(1, (3, 3))(jnp.concatenate([wide, high], axis=-1))

    x, _ = digits()
    noisy = x + 0.5 * jnp.asarray(np.random.default_rng(0).standard_normal(x.shape), jnp.float32)
    net = Net()

    def loss(params, noisy, x):
        return jnp.mean((net.apply(params, noisy) - x) ** 2)

    return Case(loss, net.init(KEY, noisy), (noisy, x))


MODELS = (
    tanh_perceptron, deep_relu, selu_perceptron, linen_lenet, linen_resnet, equinox_group_norm,
    linen_language_model, linen_post_norm, nnx_vision_transformer, linen_gru, haiku_lstm,
    plain_recurrent, plain_scanned_transformer, equinox_autoencoder, plain_variational,
    linen_bag_of_words, haiku_mixer, plain_graph, nnx_dropout_regression, linen_denoiser,
)  # fmt: skip
