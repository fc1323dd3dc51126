"""Plain JAX, as one writes it without a library: layers unrolled, gradients by `jax.grad`.

What a layer's gradient is taken with respect to is a zero that is added to its pre-activation.
"""

from time import perf_counter

import jax
import jax.numpy as jnp
from benchmarks.regimes import LEARNING_RATE, SATURATED_BELOW

# As NumPy and PyTorch multiply, and the library: on tensor cores JAX would drop digits.
jax.config.update("jax_default_matmul_precision", "highest")


def _rms(array):
    return jnp.sqrt(jnp.mean(array * array))


def _slopes(slope):
    dead, saturated = jnp.max(slope, axis=0) == 0, slope < SATURATED_BELOW
    return {"dead": jnp.mean(dead, dtype=jnp.float32),
            "saturated": jnp.mean(saturated, dtype=jnp.float32)}  # fmt: skip


def _stack(records):
    return jax.tree.map(lambda *values: jnp.stack(values), *records)


def _up(h, layers, phi, slope):
    """The output, and the statistics of every layer."""
    records = []
    for weights, biases, zero in layers:
        h = phi(h @ weights + biases + zero)
        records.append({"mean": jnp.mean(h), "rms": _rms(h), **_slopes(slope(h))})
    return h, _stack(records)


def _measured(weights, biases, x, cotangent):
    def cost(weights, zeros):
        out, records = _up(x, zip(weights, biases, zeros, strict=True), jnp.tanh,
                           lambda h: 1 - h * h)  # fmt: skip
        return jnp.sum(out * cotangent), records

    zeros = [jnp.zeros_like(x)] * len(biases)
    down, records = jax.grad(cost, argnums=(0, 1), has_aux=True)(list(weights), zeros)
    gradients, deltas = (jnp.stack([_rms(array) for array in arrays]) for arrays in down)
    return records | {"gradient_rms": deltas, "weight_gradient_rms": gradients}


def _runner(function, *arguments):
    compiled, arguments = jax.jit(function), jax.device_put(arguments)
    return lambda: jax.device_get(compiled(*arguments))


def probe(problem):
    """One network."""
    return _runner(_measured, *(problem[k] for k in ("weights", "biases", "x", "cotangent")))


def grid(problem):
    """A network at each of some scales of its weights, by `jax.vmap`."""

    def at(scale, weights, *rest):
        return _measured(scale * weights, *rest)

    across = jax.vmap(at, (0, None, None, None, None))
    names = "scales", "weights", "biases", "x", "cotangent"
    return _runner(across, *(problem[k] for k in names))


def _trained(params, x, y, records):
    initial = params["weights"]

    def cost(params, zeros):
        h = x @ params["in_weights"] + params["in_biases"]
        layers = zip(params["weights"], params["biases"], zeros, strict=True)
        h, found = _up(h, layers, jax.nn.relu, lambda h: (h > 0).astype(h.dtype))
        del found["mean"]
        out = h @ params["out_weights"] + params["out_biases"]
        return jnp.mean((out - y) ** 2) / 2, found

    def step(params, _):
        depth, width = params["biases"].shape
        zeros = [jnp.zeros((len(x), width))] * depth
        (loss, found), (gradient, deltas) = jax.value_and_grad(cost, (0, 1), has_aux=True)(
            params, zeros
        )
        size, now = jax.vmap(_rms), params["weights"]
        found |= {
            "loss": loss,
            "gradient_rms": jnp.stack([_rms(delta) for delta in deltas]),
            "weight_gradient_rms": size(gradient["weights"]),
            "update": LEARNING_RATE * size(gradient["weights"]) / size(now),
            "moved": size(now - initial) / size(initial),
        }
        return jax.tree.map(lambda p, g: p - LEARNING_RATE * g, params, gradient), found

    return jax.lax.scan(step, params, length=records)[1]


def _training(problem, function):
    params = {name: a for name, a in problem.items() if name.endswith(("weights", "biases"))}
    records = int(problem["steps"]) + 1
    return _runner(lambda *given: function(*given, records), params, problem["x"], problem["y"])


def train(problem):
    """One run."""
    return _training(problem, _trained)


def seeds(problem):
    """Several runs at once, by `jax.vmap`."""
    return _training(problem, jax.vmap(_trained, (0, None, None, None)))


def seconds_to_compile(problem) -> float:
    """What the compiler takes for the probe."""
    arguments = [problem[k] for k in ("weights", "biases", "x", "cotangent")]
    lowered = jax.jit(lambda *given: _measured(*given)).lower(*arguments)  # a new one each time
    start = perf_counter()
    lowered.compile()
    return perf_counter() - start
