"""How long the probe takes to compile, by depth: flat, because the layers are scanned.

python benchmarks/compile_time.py
"""

from time import perf_counter

import jax

import vanishing as vg


def seconds_to_compile(depth: int) -> float:
    net = vg.MLP(depth=depth, width=64)
    params = vg.init(net, key=jax.random.key(0))
    x = jax.random.normal(jax.random.key(1), (32, 64))
    lowered = jax.jit(lambda params, x: vg.probe(net, params, x)).lower(params, x)
    start = perf_counter()
    lowered.compile()
    return perf_counter() - start


def main() -> None:
    seconds_to_compile(1)  # the first compilation of a process pays for more than itself
    print("depth   seconds to compile the probe")
    for depth in (5, 50, 500, 5000):
        print(f"{depth:5d}   {seconds_to_compile(depth):.2f}")


if __name__ == "__main__":
    main()
