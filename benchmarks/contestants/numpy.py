"""NumPy, written by hand: every array is allocated once, every operation writes into one."""

import numpy as np
from benchmarks.regimes import LEARNING_RATE, PEAK, SATURATED_BELOW, one_after_another


def sgemm(problem):
    """The largest product in cache: what the machine can do at best."""
    a = np.ones((PEAK, PEAK), np.float32)
    out = np.empty_like(a)
    return lambda: {"product": np.matmul(a, a, out=out)}


class _Tape:
    """The buffers of one network, and its two passes."""

    def __init__(self, depth, width, batch):
        self.h = np.empty((depth + 1, batch, width), np.float32)
        self.delta, self.cotangent, self.slope = np.empty((3, batch, width), np.float32)
        self.mask = np.empty((batch, width), bool)
        self.weight_gradient = np.empty((width, width), np.float32)

    def up(self, weights, biases, phi, layer):
        """h_l from h_{l−1}, and the sums of its statistics: Σh, Σh², dead, saturated."""
        h, slope, mask = self.h[layer + 1], self.slope, self.mask
        np.matmul(self.h[layer], weights, out=h)
        h += biases
        if phi == "tanh":
            np.tanh(h, out=h)
            np.multiply(h, h, out=slope)
            np.subtract(1, slope, out=slope)
            np.less(slope, SATURATED_BELOW, out=mask)
            dead = np.count_nonzero(slope.max(0) == 0)
        else:
            np.maximum(h, 0, out=h)
            np.less_equal(h, 0, out=mask)
            dead = np.count_nonzero(h.max(0) <= 0)
        flat = h.ravel()
        return flat.sum(), np.dot(flat, flat), dead, np.count_nonzero(mask)

    def down(self, weights, phi, layer):
        """δ_l and ∂C/∂W_l into their buffers, the cotangent one layer down; Σδ², Σ(∂C/∂W)²."""
        h, delta, slope = self.h[layer + 1], self.delta, self.slope
        if phi == "tanh":
            np.multiply(h, h, out=slope)
            np.subtract(1, slope, out=slope)
            np.multiply(self.cotangent, slope, out=delta)
        else:
            np.greater(h, 0, out=self.mask)
            np.multiply(self.cotangent, self.mask, out=delta)
        np.matmul(self.h[layer].T, delta, out=self.weight_gradient)
        np.matmul(delta, weights.T, out=self.cotangent)
        return _squares(delta), _squares(self.weight_gradient)


def _squares(array):
    flat = array.ravel()
    return np.dot(flat, flat)


def _statistics(up, down, batch, width):
    total, squares, dead, saturated = np.moveaxis(up, -1, 0)
    delta, gradient = np.moveaxis(down, -1, 0)
    size = batch * width
    return {
        "mean": total / size,
        "rms": np.sqrt(squares / size),
        "dead": dead / width,
        "saturated": saturated / size,
        "gradient_rms": np.sqrt(delta / size),
        "weight_gradient_rms": np.sqrt(gradient / width**2),
    }


def _measure(tape, weights, biases, x, cotangent, up, down):
    tape.h[0] = x
    for layer in range(len(weights)):
        up[layer] = tape.up(weights[layer], biases[layer], "tanh", layer)
    tape.cotangent[:] = cotangent
    for layer in reversed(range(len(weights))):
        down[layer] = tape.down(weights[layer], "tanh", layer)


def probe(problem):
    """One network."""
    weights, biases, x = problem["weights"], problem["biases"], problem["x"]
    (depth, width), batch = biases.shape, len(x)
    tape, up, down = _Tape(depth, width, batch), np.empty((depth, 4)), np.empty((depth, 2))

    def run():
        _measure(tape, weights, biases, x, problem["cotangent"], up, down)
        return _statistics(up, down, batch, width)

    return run


def grid(problem):
    """A network at each of some scales of its weights, one after another."""
    weights, biases, x, scales = (problem[k] for k in ("weights", "biases", "x", "scales"))
    (depth, width), batch, many = biases.shape, len(x), len(scales)
    tape, scaled = _Tape(depth, width, batch), np.empty_like(weights)
    up, down = np.empty((many, depth, 4)), np.empty((many, depth, 2))

    def run():
        for k, scale in enumerate(scales):
            np.multiply(weights, scale, out=scaled)
            _measure(tape, scaled, biases, x, problem["cotangent"], up[k], down[k])
        return _statistics(up, down, batch, width)

    return run


class _Training:
    """Full-batch gradient descent on ½ mean (ŷ − y)², every layer measured at every step."""

    def __init__(self, problem, seed=...):
        self.x, self.y, self.records = problem["x"], problem["y"], int(problem["steps"]) + 1
        names = [name for name in problem if name.endswith(("weights", "biases"))]
        self.initial = {name: problem[name][seed] for name in names}
        self.now = {name: array.copy() for name, array in self.initial.items()}
        (self.depth, self.width), self.batch = self.initial["biases"].shape, len(self.x)
        self.tape = _Tape(self.depth, self.width, self.batch)
        self.moved = np.empty((self.width, self.width), np.float32)
        self.loss = np.empty(self.records)
        self.up = np.empty((self.records, self.depth, 4))
        self.down = np.empty((self.records, self.depth, 2))
        self.sizes = np.empty((self.records, self.depth, 2))  # Σ W², Σ (W − W(0))²

    def run(self):
        for name, array in self.initial.items():
            self.now[name][...] = array
        for step in range(self.records):
            self._step(step)
        found = _statistics(self.up, self.down, self.batch, self.width)
        now, moved = np.sqrt(np.moveaxis(self.sizes, -1, 0))
        del found["mean"]
        return found | {
            "loss": self.loss.copy(),
            "update": LEARNING_RATE * found["weight_gradient_rms"] * self.width / now,
            "moved": moved / now[:1],
        }

    def _step(self, step):
        tape, now = self.tape, self.now
        weights, biases = now["weights"], now["biases"]
        np.matmul(self.x, now["in_weights"], out=tape.h[0])
        tape.h[0] += now["in_biases"]
        for layer in range(self.depth):
            self.up[step, layer] = tape.up(weights[layer], biases[layer], "relu", layer)
            np.subtract(weights[layer], self.initial["weights"][layer], out=self.moved)
            self.sizes[step, layer] = _squares(weights[layer]), _squares(self.moved)
        error = tape.h[-1] @ now["out_weights"] + now["out_biases"] - self.y
        self.loss[step] = _squares(error) / 2 / self.batch
        error /= self.batch
        np.matmul(error, now["out_weights"].T, out=tape.cotangent)
        now["out_weights"] -= LEARNING_RATE * (tape.h[-1].T @ error)
        now["out_biases"] -= LEARNING_RATE * error.sum(0)
        for layer in reversed(range(self.depth)):
            self.down[step, layer] = tape.down(weights[layer], "relu", layer)
            tape.weight_gradient *= LEARNING_RATE
            weights[layer] -= tape.weight_gradient
            biases[layer] -= LEARNING_RATE * tape.delta.sum(0)
        now["in_weights"] -= LEARNING_RATE * (self.x.T @ tape.cotangent)
        now["in_biases"] -= LEARNING_RATE * tape.cotangent.sum(0)


def train(problem):
    """One run."""
    return _Training(problem).run


def seeds(problem):
    """Several runs, one after another."""
    return one_after_another(_Training, problem)
