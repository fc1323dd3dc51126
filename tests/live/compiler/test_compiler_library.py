"""What the book's figures are made of: init, forward, probe, theory and training, compiled."""

import gzip

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

import vanishing as vg
from differential import Cases
from vanishing.live.compiler import compile
from vanishing.training.update import optimizer_named, start, update_and_read

NAMES = tuple(vg.activations.ACTIVATIONS)


def measured(activation="tanh", depth=None, initializer=None, sigma_w=None, **options):
    """A function of a seed: the probe of a fresh network."""

    def microscope(seed):
        net = vg.MLP(
            depth=6,
            width=16,
            activation=activation,
            initializer=initializer,
            sigma_w=sigma_w,
            **options,
        )
        key, data_key, cotangent_key = jax.random.split(jax.random.key(seed), 3)
        features = options.get("in_features", 16)
        x = jax.random.normal(data_key, (8, features))
        cotangent = jax.random.normal(cotangent_key, (8, options.get("out_features", 16)))
        params = vg.init(net, key=key)
        return vg.probe(net, params, x, cotangent, depth=depth)

    return microscope


def trained(optimizer):
    """A function of a seed: a few training steps of a classifier, with what they record."""

    def run(seed):
        net = vg.MLP(depth=3, width=12, in_features=2, out_features=3, initializer="he")
        key, data_key = jax.random.split(jax.random.key(seed))
        x = jax.random.normal(data_key, (20, 2))
        data = vg.datasets.Dataset(x, jnp.argmax(jnp.stack([x[:, 0], x[:, 1], -x[:, 0]]), axis=0))
        rule = optimizer_named(optimizer, 0.1)
        params = vg.init(net, key=key)
        initial = params["weights"]

        def go(state, _):
            return update_and_read(net, rule, state, data, initial, data)

        return lax.scan(go, start(rule, params), length=4)

    return run


def by_number(seed, activation, sigma_w, depth):
    """The microscope of the book: activation, scale and depth are arguments."""
    phis = [vg.activations.get(name) for name in NAMES]
    net = vg.MLP(
        depth=6,
        width=16,
        activation=lambda z: lax.switch(activation, phis, z),
        sigma_w=sigma_w,
        sigma_b=0.1,
    )
    key, data_key = jax.random.split(jax.random.key(seed))
    x = jax.random.normal(data_key, (8, 16))
    return vg.probe(net, vg.init(net, key=key), x, depth=depth)


CASES = {f"probe of {name}": (measured(name, sigma_w=1.3), 0) for name in NAMES}
for name in ("xavier", "he", "lecun", "pytorch", "orthogonal", "lsuv"):
    CASES[f"initialised by {name}"] = (measured("relu", initializer=name), 1)
for name in ("batch", "layer"):
    CASES[f"{name} norm"] = (measured("relu", sigma_w=1.4, normalization=name), 2)
    CASES[f"{name} norm, residual"] = (
        measured("tanh", sigma_w=1.0, normalization=name, residual=0.5),
        3,
    )
CASES["residual"] = (measured("relu", sigma_w=1.0, residual=0.3), 4)
CASES["read-in and read-out"] = (measured("tanh", in_features=2, out_features=1), 5)
CASES["fewer layers"] = (measured("tanh", depth=3), 6)
CASES["forward"] = (
    lambda seed: vg.forward(
        net := vg.MLP(depth=4, width=8, activation="gelu"),
        vg.init(net, key=jax.random.key(seed)),
        jnp.linspace(-1.0, 1.0, 24).reshape(3, 8),
    ),
    7,
)
CASES["theory"] = (
    lambda s: (
        vg.theory.length_fixed_point("tanh", s, 0.1),
        vg.theory.chi("tanh", s, 0.1),
    ),
    1.5,
)
for name in ("sgd", "momentum", "adam"):
    CASES[f"training with {name}"] = (trained(name), 8)
for k, name in enumerate(NAMES):
    CASES[f"{name} by number"] = (by_number, 9, k, 1.4, 2 + k % 5)

SUITE = Cases(CASES)


@pytest.mark.parametrize("name", CASES)
def test_agrees_with_jax(name):
    # A mean over units is a sum that cancels: what remains carries the rounding of its terms,
    # which are a hundred times larger.
    SUITE.check(name, floor=5e-2)


def test_a_figure_stays_small():
    source = compile(by_number, 0, 0, np.float32(1), 5).source
    assert len(gzip.compress(source.encode())) < 10_000
