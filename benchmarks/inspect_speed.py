"""`vg.inspect` against `jax.jit(jax.value_and_grad(loss))`: time to compile and time to run.

python benchmarks/inspect_speed.py

Both are compiled without caches and run in turns, so that a busy machine is unfair to neither;
compared are ratios. To compile is to trace, to compile and to run once; the ratio is the median of
`ROUNDS`, so that what JAX does once in a process counts for neither.
"""

from statistics import median
from time import perf_counter, process_time

import jax
import jax.numpy as jnp
import pytest

from vanishing.inspection import elementwise, parameters, segments
from vanishing.inspection.instrument import Instrument

WIDTH, BATCH, ROUNDS, REPEATS = 128, 128, 5, 15
PROGRAMS = ("up", "down", "turn")
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


class Meter:
    """The most bytes beside the arguments that are in use at once, in calls of several programs.

    While a program runs, its results and what it works in are in use, and all arrays that are
    alive from earlier calls.
    """

    def __init__(self) -> None:
        self.before = self.alive()
        self.peak = 0

    @staticmethod
    def alive() -> int:
        return sum(array.nbytes for array in jax.live_arrays())

    def measured(self, program):
        """The same function, its calls measured."""

        def call(*arguments):
            used = program.lower(*arguments).compile().memory_analysis()
            now = self.alive() - self.before + used.temp_size_in_bytes + used.output_size_in_bytes
            self.peak = max(self.peak, now)
            return program(*arguments)

        return call


def _memory(instrument, ours, plain, theirs) -> tuple[int, int]:
    """The peaks of the instrument and of a jitted function."""
    meter = Meter()
    with pytest.MonkeyPatch.context() as patch:
        for module, name in (
            (segments, "_joined"),
            (parameters, "_measured"),
            *((program, name) for program in instrument.programs for name in PROGRAMS),
        ):
            patch.setattr(module, name, meter.measured(getattr(module, name)))
        instrument.run(*ours)
    other = Meter()
    other.measured(plain)(*theirs)
    return meter.peak, other.peak


def _clocked(call):
    """Seconds of clock and of processor that a call takes."""
    clock, processor = perf_counter(), process_time()
    made = jax.block_until_ready(call())
    return made, perf_counter() - clock, process_time() - processor


def measure(loss, params, x):
    y = jnp.arange(x.shape[0]) % 10
    ours, theirs = (jax.tree.leaves(params), [x, y], None), (params, x, y)
    made = []

    def first():  # traced, compiled and run once, as `plain` is
        made.append(Instrument(loss, params, (x, y)))
        return made[0].run(*ours)

    compiling = []
    for _ in range(ROUNDS):
        elementwise._measured.cache_clear()
        jax.clear_caches()
        _, clock, processor = _clocked(first)
        jax.clear_caches()
        plain = jax.jit(jax.value_and_grad(loss))
        _, plain_clock, plain_processor = _clocked(lambda: plain(*theirs))  # noqa: B023
        compiling.append((clock / plain_clock, processor / plain_processor))
    instrument = made[-1]
    instrument.run(*ours)  # the last caches cleared were its own
    times = {"inspect": [], "plain": []}
    for _ in range(REPEATS):
        for name, call in (
            ("inspect", lambda: instrument.run(*ours)),
            ("plain", lambda: plain(*theirs)),
        ):
            times[name].append(_clocked(call)[1])
    run = {name: median(taken[1:]) for name, taken in times.items()}
    memory = _memory(instrument, ours, plain, theirs)
    return {
        **dict(
            zip(("compile", "processor"), map(median, zip(*compiling, strict=True)), strict=True)
        ),
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
