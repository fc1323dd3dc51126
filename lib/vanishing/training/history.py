"""What a training run leaves behind: one record after another, and how it ended."""

from dataclasses import dataclass, fields

import jax
import numpy as np
from jaxtyping import Bool, Float, Int

from vanishing._types import AnyArray, pytree


@pytree()
@dataclass(frozen=True)
class Record:
    """Read-outs at one moment of training, on the *whole data set given*, never on a mini-batch.

    In a `History` every array has a leading axis, one entry a record.

    Attributes:
        loss: C, see `losses.loss`.
        accuracy: share of examples classified correctly; NaN where the targets are numbers.
        log_gradient_rms: ln RMS of δ_l, the loss's gradient at layer l, see `probe`.
        log_weight_gradient_rms: ln RMS of ∂C/∂W_l.
        log10_update_ratio: log₁₀ of RMS(ΔW_l) / RMS(W_l), ΔW_l the update that the optimiser
            makes from here (for the last record: would make); −∞ where it is exactly zero.
        activation_rms: RMS of h_l.
        dead_fraction: share of units whose φ′ is exactly zero on every example.
        saturated_fraction: share of (example, unit) pairs with |φ′| < 0.01 max|φ′|.
        dead_units: which units are dead on the data set.
        moved: ‖W_l(t) − W_l(0)‖ / ‖W_l(0)‖, how far the layer is from where it started.
    """

    loss: Float[AnyArray, "*records"]
    accuracy: Float[AnyArray, "*records"]
    log_gradient_rms: Float[AnyArray, "*records depth"]
    log_weight_gradient_rms: Float[AnyArray, "*records depth"]
    log10_update_ratio: Float[AnyArray, "*records depth"]
    activation_rms: Float[AnyArray, "*records depth"]
    dead_fraction: Float[AnyArray, "*records depth"]
    saturated_fraction: Float[AnyArray, "*records depth"]
    dead_units: Bool[AnyArray, "*records depth width"]
    moved: Float[AnyArray, "*records depth"]


@dataclass(frozen=True)
class Divergence:
    """How a run ended early.

    Attributes:
        step: the step that could not be made; the parameters returned are those before it.
        what: what was first found infinite or NaN: "loss", "gradient" or "parameters".
    """

    step: int
    what: str

    def __str__(self) -> str:
        return (
            f"diverged at step {self.step}: infinite or NaN {self.what}; the parameters returned "
            "are the last finite ones. Try a smaller learning rate."
        )


# The codes of `training.State.trouble`, in the order in which a step looks for them.
TROUBLES = ("none", "loss", "gradient", "parameters")


@dataclass(frozen=True, repr=False)
class History(Record):
    """The records of a run; arrays as in `Record`, with one entry a record in front.

    Attributes:
        step: steps made before each record, 0 first.
        diverged: None, or when and how the run ended early.

    >>> data = vg.datasets.two_moons(64, key=jax.random.key(0))
    >>> net = vg.MLP(depth=2, width=8, in_features=2, out_features=1)
    >>> params = vg.init(net, key=jax.random.key(1))
    >>> _, history = vg.train(net, params, data, key=jax.random.key(2), steps=100,
    ...                       optimizer="adam", learning_rate=0.01, record_every=50)
    >>> history.step.tolist(), history.dead_units.shape, history.diverged
    ([0, 50, 100], (3, 2, 8), None)
    """

    step: Int[np.ndarray, " records"]
    diverged: Divergence | None

    def __repr__(self) -> str:
        end = f"; {self.diverged}" if self.diverged else ""
        return (
            f"History({len(self.step)} records to step {self.step[-1]}: "
            f"loss {self.loss[0]:.4g} → {self.loss[-1]:.4g}{end})"
        )


def collect(chunks, records: int, stopped_at: int, trouble: int) -> History:
    """Join what the chunks of a run recorded: (step, trouble, `Record`) each.

    A state that diverged is recorded no more, and the padding after the last record is dropped.
    """
    step, troubles, record = jax.tree.map(lambda *parts: np.concatenate(parts), *chunks)
    kept = np.flatnonzero(troubles == 0)[:records]
    arrays = {field.name: getattr(record, field.name)[kept] for field in fields(Record)}
    diverged = Divergence(stopped_at, TROUBLES[trouble]) if trouble else None
    if diverged is None and not np.isfinite(arrays["loss"][-1]):
        # The last step made led out of the finite numbers: none could follow it.
        diverged = Divergence(int(step[kept][-1]), "loss")
    return History(**arrays, step=step[kept], diverged=diverged)
