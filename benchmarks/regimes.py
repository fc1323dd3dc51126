"""What is measured: one row of the table each, and the arrays that all contestants get.

Imported in every contestant's process: NumPy, and nothing else that need be installed there.
"""

from typing import NamedTuple

import numpy as np

#: As in `vanishing.probe`: a unit is saturated on an input where its slope is below this.
SATURATED_BELOW = 0.01
LEARNING_RATE = 1e-4
CLASSES = 10
PEAK = 1024  # width of the square matrices whose product says what a machine can do
Arrays = dict[str, np.ndarray]


class Regime(NamedTuple):
    """A piece of work of one size.

    Attributes:
        work: the function of each contestant that does it.
        goal: how many times faster than PyTorch the library is to be.
        depth, width, batch: of the network, and of the inputs that it is measured on.
        many: configurations of a grid, or seeds of a training run.
        steps: updates of a training run.
    """

    work: str
    goal: float
    depth: int
    width: int
    batch: int
    many: int = 1
    steps: int = 0

    @property
    def name(self) -> str:
        """What it is called in the table."""
        begin = {
            "probe": "one probe",
            "grid": f"grid of {self.many}",
            "train": "training",
            "seeds": f"training {self.many} seeds",
            "inspect": "vg.inspect",
        }[self.work]
        return f"{begin}, {self.depth} × {self.width}, {self.batch} inputs"

    @property
    def operations(self) -> int:
        """Floating-point operations in matrix products: h W, δ Wᵀ and hᵀ δ of every layer."""
        return 6 * self.depth * self.batch * self.width**2 * self.many * (self.steps + 1)

    @property
    def small(self) -> "Regime":
        """The same on a network that nobody need wait for."""
        return self._replace(depth=4, width=8, batch=6, many=min(self.many, 4),
                             steps=min(self.steps, 3))  # fmt: skip


REGIMES = (
    Regime("probe", 12, depth=50, width=64, batch=32),
    Regime("probe", 12, depth=200, width=64, batch=32),
    Regime("probe", 2.5, depth=50, width=256, batch=128),
    Regime("grid", 14, depth=50, width=64, batch=32, many=64),
    Regime("grid", 3, depth=50, width=256, batch=32, many=16),
    Regime("grid", 28, depth=50, width=32, batch=64, many=64),
    Regime("train", 4, depth=20, width=32, batch=512, steps=100),
    Regime("train", 12, depth=20, width=32, batch=64, steps=100),
    Regime("seeds", 6, depth=20, width=32, batch=512, many=16, steps=10),
    Regime("seeds", 20, depth=20, width=32, batch=64, many=16, steps=10),
    Regime("inspect", 3, depth=20, width=128, batch=128),
)
#: Depths whose compilation is timed; unrolled, the deeper ones would take minutes.
DEPTHS = {"vanishing": (10, 50, 500, 5000), "JAX": (10, 50)}
#: Whose memory is measured.
DEEP = (
    Regime("probe", 4, depth=1000, width=256, batch=32),
    Regime("probe", 4, depth=1000, width=256, batch=128),
)


def problem(regime: Regime) -> Arrays:
    """The arrays of a regime; the same ones for every contestant.

    Args:
        regime: what is asked.

    Returns:
        "weights" [depth, width, width], "biases" [depth, width] and "x" [batch, features], in
        training with a seed's axis in front of the parameters; and what else the work needs.
    """
    draw = np.random.default_rng(0)

    def normal(*shape: int, std: float = 1.0) -> np.ndarray:
        return np.float32(std) * draw.standard_normal(shape, dtype=np.float32)

    depth, width, batch = regime.depth, regime.width, regime.batch
    trained, inspected = regime.work in ("train", "seeds"), regime.work == "inspect"
    # At the edge of chaos, σ_w = 1 of tanh and √2 of ReLU: beyond it rounding would grow from
    # layer to layer, and no two libraries would agree.
    gain, bias = (2**0.5, 0.0) if trained or inspected else (1.0, 0.05)
    seeds = (regime.many,) if regime.work == "seeds" else ()
    made = {
        "weights": normal(*seeds, depth, width, width, std=gain / width**0.5),
        "biases": normal(*seeds, depth, width, std=bias),
    }
    if trained:
        x = draw.uniform(-1, 1, (batch, 2)).astype(np.float32)
        return made | {
            "x": x,
            "y": np.sin(3 * x[:, :1]) * x[:, 1:],
            "in_weights": normal(*seeds, 2, width),
            "in_biases": np.zeros((*seeds, width), np.float32),
            "out_weights": normal(*seeds, width, 1, std=width**-0.5),
            "out_biases": np.zeros((*seeds, 1), np.float32),
            "steps": np.array(regime.steps),
        }
    made["x"] = normal(batch, width)
    if inspected:
        return made | {
            "y": draw.integers(0, CLASSES, batch),
            "out_weights": normal(width, CLASSES, std=width**-0.5),
            "out_biases": np.zeros(CLASSES, np.float32),
        }
    made["cotangent"] = normal(batch, width)
    if regime.work == "grid":
        made["scales"] = np.linspace(0.5, 1.1, regime.many, dtype=np.float32)
    return made


def one_after_another(training, problem: Arrays):
    """Several runs without any way to make one of them.

    Args:
        training: makes a run of one seed, from the problem and the seed's number.
        problem: with parameters that have an axis of seeds in front.
    """
    runs = [training(problem, seed) for seed in range(len(problem["weights"]))]

    def run() -> Arrays:
        found = [one.run() for one in runs]
        return {name: np.stack([one[name] for one in found]) for name in found[0]}

    return run


def check_same(found: Arrays, expected: Arrays) -> None:
    """That two contestants have computed the same numbers.

    Sizes to one part in 1000, what rounding makes of 200 layers and 100 steps; shares and counts
    to 1 in 500 entries, for one next to a threshold may fall on either side; means to 1e-5 of
    what is averaged, for they cancel. In training to one part in 100: a pre-activation that
    rounding puts on the other side of ReLU's kink turns the gradient of its input.
    """
    relative = 1e-2 if "moved" in expected else 1e-3
    assert found.keys() == expected.keys(), (sorted(found), sorted(expected))
    for name, values in expected.items():
        absolute = {"mean": 1e-5, "alike": 1e-4, "dead": 2e-3, "saturated": 2e-3, "counts": 2e-3}
        np.testing.assert_allclose(
            found[name], values, rtol=relative, atol=absolute.get(name, 0.0), err_msg=name
        )
