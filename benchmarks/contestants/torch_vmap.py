"""PyTorch with `torch.func.vmap`: many networks as one, in a function without modules or hooks.

Its backward pass is written out, which is faster than `torch.func.grad` of the forward one.
"""

import torch
from benchmarks.contestants.torch import tensors
from benchmarks.regimes import LEARNING_RATE, SATURATED_BELOW


def _rms(array):
    return (array * array).mean().sqrt()


def _up(h, weights, biases, phi, slope):
    """h of every layer, φ′ of every layer, and the statistics."""
    hs, slopes, records = [h], [], []
    for layer in range(len(biases)):
        h = phi(hs[-1] @ weights[layer] + biases[layer])
        hs.append(h)
        slopes.append(slope(h))
        dead = (slopes[-1].amax(0) == 0).float().mean()
        saturated = (slopes[-1] < SATURATED_BELOW).float().mean()
        records.append({"mean": h.mean(), "rms": _rms(h), "dead": dead, "saturated": saturated})
    return hs, slopes, {name: torch.stack([r[name] for r in records]) for name in records[0]}


def _down(cotangent, weights, hs, slopes):
    """δ and ∂C/∂W of every layer, and the cotangent below the first."""
    deltas, gradients = [], []
    for layer in reversed(range(len(slopes))):
        deltas.append(cotangent * slopes[layer])
        gradients.append(hs[layer].T @ deltas[-1])
        cotangent = deltas[-1] @ weights[layer].T
    return deltas[::-1], gradients[::-1], cotangent


def _sizes(deltas, gradients):
    return {"gradient_rms": torch.stack([_rms(delta) for delta in deltas]),
            "weight_gradient_rms": torch.stack([_rms(g) for g in gradients])}  # fmt: skip


def grid(problem):
    """A network at each of some scales of its weights."""
    names = "weights", "biases", "x", "cotangent", "scales"
    weights, biases, x, cotangent, scales = tensors(problem, *names)

    def at(scale):
        scaled = scale * weights
        hs, slopes, records = _up(x, scaled, biases, torch.tanh, lambda h: 1 - h * h)
        deltas, gradients, _ = _down(cotangent, scaled, hs, slopes)
        return records | _sizes(deltas, gradients)

    def run():
        with torch.no_grad():
            found = torch.func.vmap(at)(scales)
        return {name: array.cpu().numpy() for name, array in found.items()}

    return run


def seeds(problem):
    """Several runs at once."""
    names = [name for name in problem if name.endswith(("weights", "biases"))]
    initial = dict(zip(names, tensors(problem, *names), strict=True))
    (x, y), records = tensors(problem, "x", "y"), int(problem["steps"]) + 1

    def step(params, start):
        weights, biases = params["weights"], params["biases"]
        below = x @ params["in_weights"] + params["in_biases"]
        hs, slopes, found = _up(below, weights, biases, torch.relu, lambda h: (h > 0).float())
        error = hs[-1] @ params["out_weights"] + params["out_biases"] - y
        cotangent = error / len(x)
        deltas, gradients, at_input = _down(
            cotangent @ params["out_weights"].T, weights, hs, slopes
        )
        gradient = {
            "weights": torch.stack(gradients),
            "biases": torch.stack([delta.sum(0) for delta in deltas]),
            "in_weights": x.T @ at_input,
            "in_biases": at_input.sum(0),
            "out_weights": hs[-1].T @ cotangent,
            "out_biases": cotangent.sum(0),
        }
        moved, now, of_start, of_gradient = (
            (stack * stack).mean((1, 2)).sqrt()
            for stack in (weights - start, weights, start, gradient["weights"])
        )
        del found["mean"]
        found |= _sizes(deltas, gradients)
        found |= {"loss": (error * error).mean() / 2, "moved": moved / of_start,
                  "update": LEARNING_RATE * of_gradient / now}  # fmt: skip
        return {k: params[k] - LEARNING_RATE * gradient[k] for k in params}, found

    def run():
        params, made = initial, []
        with torch.no_grad():
            for _ in range(records):
                params, found = torch.func.vmap(step)(params, initial["weights"])
                made.append(found)
        return {k: torch.stack([m[k] for m in made], 1).cpu().numpy() for k in made[0]}

    return run
