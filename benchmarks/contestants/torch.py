"""PyTorch with hooks: one on each module for what goes up, one on its output for what comes down.

Statistics stay tensors until the end, gradients are dropped after they are read, and sizes are
norms, which make no array of squares: each is faster than what most people would write.
"""

import numpy as np
import torch
from benchmarks.regimes import LEARNING_RATE, SATURATED_BELOW, one_after_another
from torch import nn

torch.set_default_device("cuda" if torch.cuda.is_available() else "cpu")


def tensors(problem, *names):
    """Some of the arrays, where PyTorch computes."""
    return [torch.tensor(problem[name]) for name in names]


def host(values):
    """A list of scalars or arrays of one shape, as one NumPy array."""
    return torch.stack(values).cpu().numpy()


def rms(array):
    """Root mean square."""
    return torch.linalg.vector_norm(array) / array.numel() ** 0.5


def _linear(weights, biases):
    layer = nn.Linear(*weights.shape)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor(weights.T))
        layer.bias.copy_(torch.tensor(biases))
    return layer


def _up(records, slope):
    """The hook of an activation."""

    def hook(module, inputs, h):
        h = h.detach()
        slopes = slope(h)
        records["mean"].append(h.mean())
        records["rms"].append(rms(h))
        records["dead"].append((slopes.amax(0) == 0).float().mean())
        records["saturated"].append((slopes < SATURATED_BELOW).float().mean())

    return hook


def _down(records):
    """The hook of a linear layer, which hooks its output."""

    def hook(module, inputs, z):
        z.register_hook(lambda delta: records["gradient_rms"].append(rms(delta)))

    return hook


NAMES = ("mean", "rms", "dead", "saturated", "gradient_rms", "weight_gradient_rms")


class _Probe:
    """A hooked network."""

    def __init__(self, problem):
        layers = zip(problem["weights"], problem["biases"], strict=True)
        self.layers = [_linear(*layer) for layer in layers]
        self.net = nn.Sequential(*(m for layer in self.layers for m in (layer, nn.Tanh())))
        self.x, self.cotangent = tensors(problem, "x", "cotangent")
        self.records = {name: [] for name in NAMES}
        for linear, activation in zip(self.net[::2], self.net[1::2], strict=True):
            linear.register_forward_hook(_down(self.records))
            activation.register_forward_hook(_up(self.records, lambda h: 1 - h * h))

    def run(self):
        for values in self.records.values():
            values.clear()
        self.net(self.x).backward(self.cotangent)
        self.records["gradient_rms"].reverse()
        self.records["weight_gradient_rms"] += [rms(layer.weight.grad) for layer in self.layers]
        self.net.zero_grad()
        return {name: host(values) for name, values in self.records.items()}


def probe(problem):
    """One network."""
    return _Probe(problem).run


def grid(problem):
    """A network at each of some scales of its weights, one after another."""
    hooked, scales = _Probe(problem), problem["scales"].tolist()
    weights = [layer.weight for layer in hooked.layers]
    unscaled = [weight.detach().clone() for weight in weights]

    def at(scale):
        with torch.no_grad():
            for weight, array in zip(weights, unscaled, strict=True):
                torch.mul(array, scale, out=weight)
        return hooked.run()

    def run():
        found = [at(scale) for scale in scales]
        return {name: np.stack([one[name] for one in found]) for name in NAMES}

    return run


class _Training:
    """Full-batch gradient descent, every layer measured at every step."""

    def __init__(self, problem, seed=...):
        names = [name for name in problem if name.endswith(("weights", "biases"))]
        given = {name: problem[name][seed] for name in names}
        hidden = zip(given["weights"], given["biases"], strict=True)
        self.hidden = [_linear(*layer) for layer in hidden]
        read_in, read_out = (
            _linear(given[f"{end}_weights"], given[f"{end}_biases"]) for end in ("in", "out")
        )
        activations = [nn.ReLU() for _ in self.hidden]
        pairs = zip(self.hidden, activations, strict=True)
        self.net = nn.Sequential(read_in, *(m for pair in pairs for m in pair), read_out)
        self.x, self.y = tensors(problem, "x", "y")
        self.steps = int(problem["steps"])
        self.initial = [parameter.detach().clone() for parameter in self.net.parameters()]
        self.optimizer = torch.optim.SGD(self.net.parameters(), lr=LEARNING_RATE, fused=True)
        self.records = {name: [] for name in NAMES}
        for linear, activation in zip(self.hidden, activations, strict=True):
            linear.register_forward_hook(_down(self.records))
            activation.register_forward_hook(_up(self.records, lambda h: (h > 0).float()))

    def run(self):
        with torch.no_grad():
            for parameter, array in zip(self.net.parameters(), self.initial, strict=True):
                parameter.copy_(array)
            self.start = torch.stack([layer.weight for layer in self.hidden])
        found = [self.step() for _ in range(self.steps + 1)]
        return {name: host([one[name] for one in found]) for name in found[0]}

    def step(self):
        for values in self.records.values():
            values.clear()
        loss = ((self.net(self.x) - self.y) ** 2).mean() / 2
        loss.backward()
        self.records["gradient_rms"].reverse()
        made = {name: torch.stack(values) for name, values in self.records.items() if values}
        del made["mean"]
        with torch.no_grad():
            now = torch.stack([layer.weight for layer in self.hidden])
            gradient = torch.stack([layer.weight.grad for layer in self.hidden])
            of_gradient, of_now, of_start, of_move = (
                torch.linalg.vector_norm(stack, dim=(1, 2))
                for stack in (gradient, now, self.start, now - self.start)
            )
        self.optimizer.step()
        self.optimizer.zero_grad()
        return made | {
            "loss": loss.detach(),
            "weight_gradient_rms": of_gradient / now.shape[-1],
            "update": LEARNING_RATE * of_gradient / of_now,
            "moved": of_move / of_start,
        }


def train(problem):
    """One run."""
    return _Training(problem).run


def seeds(problem):
    """Several runs, one after another."""
    return one_after_another(_Training, problem)


def inspect(problem):
    """Hooks that fill the report of `vg.inspect`: at each module, up and down, and parameters."""
    hidden = zip(problem["weights"], problem["biases"], strict=True)
    layers = [module for layer in hidden for module in (_linear(*layer), nn.ReLU())]
    net = nn.Sequential(*layers, _linear(problem["out_weights"], problem["out_biases"]))
    x, y = tensors(problem, "x", "y")
    up, down, slopes = [], [], []

    def hook(module, inputs, out):
        up.append(_spread(out.detach()))
        out.register_hook(lambda cotangent: down.append(_spread(cotangent)))

    def slope_hook(module, inputs, out):
        on = out.detach() > 0
        slopes.append(((~on.any(0)).float().mean(), (~on).float().mean()))

    for module in net:
        module.register_forward_hook(hook)
        if isinstance(module, nn.ReLU):
            module.register_forward_hook(slope_hook)

    def run():
        for records in (up, down, slopes):
            records.clear()
        loss = nn.functional.cross_entropy(net(x), y)
        loss.backward()
        down.reverse()
        parameters = list(net.parameters())
        sizes = [rms(parameter.detach()) for parameter in parameters]
        gradients = [rms(parameter.grad) for parameter in parameters]
        net.zero_grad()
        return _report(loss.detach(), up, down, slopes, sizes, gradients)

    return run


OCTAVES = 24  # of a histogram of `vg.inspect`


def _spread(array):
    """RMS, the mean cosine between rows, and how many entries have which exponent of two."""
    squares = (array * array).sum(1)
    weights = torch.where(squares > 0, squares.rsqrt(), 0)
    count = (squares > 0).sum()
    alike = ((weights @ array).square().sum() - count) / (count * (count - 1))
    exponents = (array.view(torch.int32) >> 23) & 255
    counts = torch.bincount(exponents.view(-1), minlength=256)
    return (squares.sum() / array.numel()).sqrt(), alike, counts


def _report(loss, up, down, slopes, sizes, gradients):
    dead, saturated = (host(list(values)) for values in zip(*slopes, strict=True))
    found = {"loss": loss.cpu().numpy(), "dead": dead, "saturated": saturated}
    for name, records in (("rms", up), ("gradient_rms", down)):
        values = host([record[0] for record in records])
        found |= {f"layer_{name}": values[::2], f"activation_{name}": values[1::2]}
    pairs = [record for both in zip(up, down, strict=True) for record in both]
    found["alike"] = host([record[1] for record in pairs])
    found["counts"] = np.array([_octaves(c) for c in host([record[2] for record in pairs])])
    order = np.arange(len(sizes)).reshape(-1, 2)[:, ::-1].ravel()  # "bias" before "kernel"
    return found | {"parameter_rms": host(sizes)[order],
                    "parameter_gradient_rms": host(gradients)[order]}  # fmt: skip


def _octaves(counts):
    """Counts by exponent as `vg.inspect` has them: all that is smaller, the last octaves, zeros."""
    top = np.flatnonzero(counts[1:])[-1] + 1
    low = top - OCTAVES + 2
    octaves = [counts[1:low].sum(), *counts[max(low, 1) : top + 1]]
    return np.array([*octaves, counts[0]]) / counts.sum()
