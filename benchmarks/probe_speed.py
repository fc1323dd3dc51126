"""The probe against the same measurements in NumPy and, where it is installed, PyTorch.

python benchmarks/probe_speed.py
"""

from statistics import median
from time import perf_counter

import jax
import numpy as np

import vanishing as vg

DEPTH, WIDTH, BATCH = 50, 256, 128
REPEATS = 15


def numpy_probe(weights, x):
    """A tanh network by hand: forward, backward, six statistics a layer; plain, no logs."""
    h, tape, up, down = x, [], [], []
    for matrix in weights:
        below, h = h, np.tanh(h @ matrix)
        slope = 1 - h * h
        tape.append((below, slope))
        up.append((h.mean(), np.sqrt((h**2).mean()), (slope.max(0) == 0).mean(),
                   (slope < 0.01).mean()))  # fmt: skip
    cotangent = np.ones_like(h)
    for matrix, (below, slope) in zip(weights[::-1], tape[::-1], strict=True):
        delta = cotangent * slope
        weight_gradient = below.T @ delta
        down.append((np.sqrt((delta**2).mean()), np.sqrt((weight_gradient**2).mean())))
        cotangent = delta @ matrix.T
    return np.array(up), np.array(down[::-1])


def torch_probe(weights, x):
    """The same with modules and hooks, as most people would write it; None without PyTorch."""
    try:
        import torch
    except ModuleNotFoundError:
        return None
    layers, statistics = [], []
    for matrix in np.array(weights):
        linear = torch.nn.Linear(*matrix.shape, bias=False)
        linear.weight.data = torch.from_numpy(matrix.T.copy())
        layers += [linear, torch.nn.Tanh()]

    @torch.no_grad()
    def forward_hook(module, inputs, h):
        slope = 1 - h * h
        dead, saturated = (slope.amax(0) == 0).float(), (slope < 0.01).float()
        rms = h.square().mean().sqrt()
        statistics.append((h.mean(), rms, dead.mean(), saturated.mean()))

    def backward_hook(module, below, above):
        statistics.append((above[0].square().mean().sqrt(),))

    for linear, activation in zip(layers[::2], layers[1::2], strict=True):
        activation.register_forward_hook(forward_hook)
        linear.register_full_backward_hook(backward_hook)
    net, x = torch.nn.Sequential(*layers), torch.from_numpy(np.array(x)).requires_grad_()

    def run():
        statistics.clear()
        net.zero_grad()
        net(x).sum().backward()
        return [layer.weight.grad.square().mean().sqrt() for layer in layers[::2]]

    return run


def milliseconds(contenders) -> dict[str, float]:
    """Median time of each, taken in turns so that a busy machine is unfair to nobody."""
    times = {name: [] for name in contenders}
    for _ in range(REPEATS):
        for name, run in contenders.items():
            start = perf_counter()
            run()
            times[name].append(1e3 * (perf_counter() - start))
    return {name: median(taken[1:]) for name, taken in times.items()}


def main() -> None:
    net = vg.MLP(depth=DEPTH, width=WIDTH, activation="tanh")
    params = vg.init(net, key=jax.random.key(0))
    x = jax.random.normal(jax.random.key(1), (BATCH, WIDTH))
    weights = np.asarray(params["weights"])
    contenders = {
        "vanishing.probe": lambda: jax.block_until_ready(vg.probe(net, params, x)),
        "NumPy, by hand": lambda: numpy_probe(weights, np.asarray(x)),
    }
    if (hooked := torch_probe(weights, x)) is not None:
        contenders["PyTorch, hooks"] = hooked
    taken = milliseconds(contenders)
    print(f"{DEPTH} tanh layers, {WIDTH} wide, {BATCH} inputs, float32, {jax.default_backend()}")
    for name, time in taken.items():
        print(f"{name:16s} {time:8.1f} ms   × {time / taken['vanishing.probe']:.2f}")
    if hooked is None:
        print("PyTorch is not installed: pip install torch==2.13.0 adds it to the table.")


if __name__ == "__main__":
    main()
