"""`vg.inspect` against `jax.jit(jax.value_and_grad(loss))`: time to compile and time to run.

python benchmarks/inspect_speed.py

Both are compiled without the persistent cache and run in turns, so that a busy machine is unfair
to neither; compared are ratios.
"""

from statistics import median
from time import perf_counter, process_time

import jax
import jax.numpy as jnp

from vanishing.inspection.instrument import Instrument

WIDTH, BATCH, REPEATS = 128, 128, 15
RATIOS = ("compile", "processor", "run", "memory")  # `processor`: to compile, in processor time


def _normal(seed, *shape):
    return jax.random.normal(jax.random.key(seed), shape) / shape[-2] ** 0.5


def _cross_entropy(logits, labels):
    return -jnp.mean(jnp.sum(jax.nn.log_softmax(logits) * jax.nn.one_hot(labels, 10), axis=-1))


def dense():
    """Sixty dense layers, written out."""
    params = [_normal(k, WIDTH, WIDTH) for k in range(60)]

    def loss(params, x, y):
        for weight in params:
            x = jax.nn.tanh(x @ weight)
        return _cross_entropy(x[:, :10], y)

    return loss, params, _normal(99, BATCH, WIDTH)


def scanned():
    """The same in a scan."""
    params = _normal(0, 60, WIDTH, WIDTH)

    def loss(params, x, y):
        x, _ = jax.lax.scan(lambda h, weight: (jax.nn.tanh(h @ weight), None), x, params)
        return _cross_entropy(x[:, :10], y)

    return loss, params, _normal(99, BATCH, WIDTH)


def convolutional():
    """Eight convolutions with residual connections."""
    params = [_normal(k, 3, 3, 16, 16) / 3 for k in range(8)]

    def loss(params, x, y):
        for weight in params:
            dimensions = ("NHWC", "HWIO", "NHWC")
            h = jax.nn.relu(x)
            x += jax.lax.conv_general_dilated(
                h, weight, (1, 1), "SAME", dimension_numbers=dimensions
            )
        return _cross_entropy(x.mean((1, 2))[:, :10], y)

    return loss, params, _normal(99, BATCH, 12, 12, 16)


def attention():
    """Four blocks of pre-norm attention."""
    shapes = {"qkv": (3, 64, 64), "out": (64, 64), "up": (64, 256), "down": (256, 64)}
    params = [
        {name: _normal(4 * k + n, *shape) for n, (name, shape) in enumerate(shapes.items())}
        for k in range(4)
    ]

    def norm(x):
        return jax.nn.standardize(x, axis=-1)

    def loss(params, x, y):
        for block in params:
            q, k, v = (norm(x) @ weight for weight in block["qkv"])
            x += jax.nn.softmax(q @ k.swapaxes(1, 2) / 8.0) @ v @ block["out"]
            x += jax.nn.gelu(norm(x) @ block["up"]) @ block["down"]
        return _cross_entropy(x.mean(1)[:, :10], y)

    return loss, params, _normal(99, 16, 32, 64)


def compiled(function, *arguments):
    """The executable; seconds of clock and of processor that it took to trace and compile."""
    clock, processor = perf_counter(), process_time()
    executable = jax.jit(function).lower(*arguments).compile()
    return executable, perf_counter() - clock, process_time() - processor


def _memory(executable) -> int:
    """Bytes beside the arguments: results are written early, and worked in."""
    used = executable.memory_analysis()
    return used.temp_size_in_bytes + used.output_size_in_bytes


def measure(loss, params, x):
    y = jnp.arange(x.shape[0]) % 10
    start = perf_counter(), process_time()
    instrument = Instrument(loss, params, (x, y))
    planned = perf_counter() - start[0], process_time() - start[1]
    ours = (jax.tree.leaves(params), [x, y], None)
    theirs = (params, x, y)
    inspected, clock, processor = compiled(instrument._measure, *ours)
    plain, plain_clock, plain_processor = compiled(jax.value_and_grad(loss), *theirs)
    times = {"inspect": [], "plain": []}
    for _ in range(REPEATS):
        for name, run, arguments in (("inspect", inspected, ours), ("plain", plain, theirs)):
            begin = perf_counter()
            jax.block_until_ready(run(*arguments))
            times[name].append(perf_counter() - begin)
    run = {name: median(taken[1:]) for name, taken in times.items()}
    memory = [_memory(executable) for executable in (inspected, plain)]
    return {
        "compile": ((clock + planned[0]) / plain_clock),
        "processor": ((processor + planned[1]) / plain_processor),
        "run": run["inspect"] / run["plain"],
        "memory": memory[0] / memory[1],
        "milliseconds": 1e3 * run["inspect"],
    }


def main() -> None:
    jax.config.update("jax_enable_compilation_cache", False)
    jax.jit(lambda x: x + 1)(jnp.zeros(()))
    print(f"ratios to jax.jit(jax.value_and_grad(loss)), {jax.default_backend()}")
    print(" " * 15 + "  ".join(f"{name:>9s}" for name in RATIOS) + "    inspect runs")
    for model in (dense, scanned, convolutional, attention):
        r = measure(*model())
        ratios = "  ".join(f"× {r[name]:7.1f}" for name in RATIOS)
        print(f"{model.__name__:14s} {ratios}  {r['milliseconds']:8.1f} ms", flush=True)


if __name__ == "__main__":
    main()
