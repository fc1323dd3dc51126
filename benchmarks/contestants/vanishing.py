"""The library."""

import math
import re
from functools import partial
from time import perf_counter

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from benchmarks.regimes import CLASSES, LEARNING_RATE
from jax.sharding import Mesh, PartitionSpec

import vanishing as vg
from vanishing.inspection.api import read
from vanishing.inspection.instrument import Instrument
from vanishing.probe import _probe
from vanishing.training import update


def _network(problem, **fields):
    depth, width = problem["biases"].shape[-2:]
    return vg.MLP(depth=depth, width=width, **fields)


def _hidden(problem):
    return {name: jnp.asarray(problem[name]) for name in ("weights", "biases")}


def _statistics(signals):
    signals = jax.device_get(signals)
    return {
        "mean": signals.activation_mean,
        "rms": signals.activation_rms,
        "dead": signals.dead_fraction,
        "saturated": signals.saturated_fraction,
        "gradient_rms": np.exp(signals.log_gradient_rms),
        "weight_gradient_rms": np.exp(signals.log_weight_gradient_rms),
    }


def probe(problem):
    """`vg.probe`."""
    net, params = _network(problem), _hidden(problem)
    x, cotangent = jnp.asarray(problem["x"]), jnp.asarray(problem["cotangent"])
    return lambda: _statistics(vg.probe(net, params, x, cotangent))


def _across(function, inputs, width):
    """A function at many inputs at once, as `vg.sweep` computes it: in blocks on every device.

    Blocks of 256 units in all: what more of them need would not stay in the cache.
    """
    devices = jax.local_devices()[: math.gcd(len(jax.tree.leaves(inputs)[0]), jax.device_count())]
    spread = PartitionSpec("points")
    run = jax.shard_map(
        partial(jax.lax.map, function, batch_size=max(1, 256 // width)),
        mesh=Mesh(np.array(devices), ("points",)),
        in_specs=spread,
        out_specs=spread,
        check_vma=False,
    )
    return partial(jax.jit(run), inputs)


def grid(problem):
    """`vg.probe` at many scales of the weights; compiled once."""
    net, params = _network(problem), _hidden(problem)
    x, cotangent = jnp.asarray(problem["x"]), jnp.asarray(problem["cotangent"])

    def at(scale):
        scaled = params | {"weights": scale * params["weights"]}
        return vg.probe(net, scaled, x, cotangent)

    run = _across(at, jnp.asarray(problem["scales"]), net.width)
    return lambda: _statistics(run())


def _training(problem):
    """The network, its parameters and the data."""
    net = _network(problem, activation="relu", in_features=2, out_features=1)
    params = _hidden(problem)
    for end in ("in", "out"):
        params[f"read_{end}"] = {
            name: jnp.asarray(problem[f"{end}_{name}"]) for name in ("weights", "biases")
        }
    return net, params, vg.datasets.Dataset(jnp.asarray(problem["x"]), jnp.asarray(problem["y"]))


def _history(record):
    record = jax.device_get(record)
    return {
        "loss": record.loss,
        "rms": record.activation_rms,
        "dead": record.dead_fraction,
        "saturated": record.saturated_fraction,
        "gradient_rms": np.exp(record.log_gradient_rms),
        "weight_gradient_rms": np.exp(record.log_weight_gradient_rms),
        "update": 10**record.log10_update_ratio,
        "moved": record.moved,
    }


def train(problem):
    """`vg.train`, a record at every step."""
    net, params, data = _training(problem)
    run = partial(vg.train, net, params, data, key=jax.random.key(0), steps=int(problem["steps"]),
                  learning_rate=LEARNING_RATE, progress=False)  # fmt: skip
    return lambda: _history(run()[1])


def seeds(problem):
    """`update_and_read` scanned, at many parameters."""
    net, params, data = _training(problem)
    sgd, records = update.optimizer_named("sgd", LEARNING_RATE), int(problem["steps"]) + 1

    def train_one(params):
        def one(state, _):
            return update.update_and_read(net, sgd, state, data, params["weights"])

        return jax.lax.scan(one, update.start(sgd, params), length=records)[1]

    run = _across(train_one, params, net.width)
    return lambda: _history(run())


class _Classifier(nn.Module):
    """Dense layers with ReLU, and a layer of logits."""

    depth: int
    width: int

    @nn.compact
    def __call__(self, x):
        for _ in range(self.depth):
            x = nn.relu(nn.Dense(self.width)(x))
        return nn.Dense(CLASSES)(x)


def inspect(problem):
    """The report of `vg.inspect` on a Flax model; traced and compiled once, as `vg.watch` does."""
    depth, width = problem["biases"].shape
    model = _Classifier(depth, width)
    layers = [*zip(problem["weights"], problem["biases"], strict=True),
              (problem["out_weights"], problem["out_biases"])]  # fmt: skip
    params = {
        f"Dense_{k}": {"kernel": jnp.asarray(weights), "bias": jnp.asarray(biases)}
        for k, (weights, biases) in enumerate(layers)
    }
    batch = jnp.asarray(problem["x"]), jnp.asarray(problem["y"])

    def loss(params, x, y):
        log = jax.nn.log_softmax(model.apply({"params": params}, x))
        return -jnp.mean(jnp.take_along_axis(log, y[:, None], 1))

    instrument = Instrument(loss, params, batch)
    return lambda: _report(read(instrument, params, batch), params)


def _report(report, params):
    def of(kind, name):
        return np.array([getattr(layer, name) for layer in report.layers if layer.kind == kind])

    found = {"loss": np.array(report.loss)}
    for kind in ("layer", "activation"):
        found[f"{kind}_rms"] = np.exp(of(kind, "log_activation_rms"))
        found[f"{kind}_gradient_rms"] = np.exp(of(kind, "log_gradient_rms"))
    every = report.layers
    histograms = [h for e in every for h in (e.activation_histogram, e.gradient_histogram)]
    # JAX puts Dense_10 before Dense_2.
    named = sorted(report.parameters, key=lambda name: (int(re.search(r"\d+", name)[0]), name))
    parameters = [report.parameters[name] for name in named]
    return found | {
        "alike": np.array([(e.feature_correlation, e.gradient_correlation) for e in every]).ravel(),
        "counts": np.array([_shares(h) for h in histograms]),
        "dead": of("activation", "dead_fraction"),
        "saturated": of("activation", "saturated_fraction"),
        "parameter_rms": np.array([parameter.rms for parameter in parameters]),
        "parameter_gradient_rms": np.exp([p.log_gradient_rms for p in parameters]),
    }


def _shares(histogram):
    counts = np.array([*histogram.counts, histogram.zeros], float)
    return counts / counts.sum()


def seconds_to_compile(problem) -> float:
    """What the compiler takes for the probe."""
    net, params = _network(problem), _hidden(problem)
    lowered = jax.jit(lambda *given: vg.probe(net, *given)).lower(
        params, problem["x"], problem["cotangent"]
    )
    start = perf_counter()
    lowered.compile()
    return perf_counter() - start


def executables(problem) -> int:
    """How many programs the probe of a deep network needs to be used at every depth."""
    net, params, x = _network(problem), _hidden(problem), jnp.asarray(problem["x"])
    before = _probe._cache_size()
    for depth in (10, 50, 200, net.depth):
        jax.block_until_ready(vg.probe(net, params, x, depth=jnp.int32(min(depth, net.depth))))
    return _probe._cache_size() - before
