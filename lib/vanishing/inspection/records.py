"""What a report is made of: one record a layer, one a parameter, one a finding."""

from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np

NATS_PER_DECADE = float(np.log(10))


@dataclass(frozen=True)
class Histogram:
    """How many entries of an array have which size, by powers of two.

    Gradients that float32 would flush to zero are counted where they are. Of an array that holds a
    NaN or an infinity nothing is counted.

    Attributes:
        counts: [24], how many entries have edges[k] ≤ ln|x| < edges[k + 1].
        edges: [25], natural logarithms in rising order, ln 2 apart; the first is −∞, and the last
            is less than ln 2 above the largest entry. All are −∞ where nothing is counted.
        zeros: how many entries are exactly zero.
    """

    counts: tuple[int, ...]
    edges: tuple[float, ...]
    zeros: int


@dataclass(frozen=True)
class Layer:
    """One layer or activation, in one turn of a loop if it stands in one.

    Of complex numbers the real and the imaginary part are entries of their own.

    Attributes:
        name: the parameter's path, and for an activation what is applied to it.
        kind: "layer" (a product with a weight, after its bias) or "activation".
        parameter: `jax.tree_util.keystr` of the weight that feeds it; None where none does.
        index: which iteration of a scan; a tuple where scans are nested; None outside of scans.
        log_activation_rms: ln RMS of the pre-activation, or of the activation's output.
        dead_fraction: of an activation, the share of units whose slope is exactly zero on every
            example *of the batch given*; NaN for a layer.
        saturated_fraction: of an activation, the share of entries whose slope is below a
            hundredth of the largest slope that the function has; NaN for a layer.
        log_gradient_rms: ln RMS of the loss's gradient with respect to the same array.
        feature_correlation: the mean cosine between the values of different examples; NaN where no
            axis is the batch's.
        gradient_correlation: the mean cosine between the gradients of different examples: 1
            where all pull one way, 0 where they are orthogonal.
        activation_histogram: `Histogram` of the pre-activation, or of the activation's output.
        gradient_histogram: `Histogram` of the loss's gradient with respect to the same array.
        function: the activation's name; None for a layer.
        squashes: whether the activation is flat at both ends, as sigmoid and tanh are.
        where: file and line that it comes from.
    """

    name: str
    kind: str
    parameter: str | None
    index: int | tuple[int, ...] | None
    log_activation_rms: float
    dead_fraction: float
    saturated_fraction: float
    log_gradient_rms: float
    feature_correlation: float
    gradient_correlation: float
    activation_histogram: Histogram = field(repr=False)
    gradient_histogram: Histogram = field(repr=False)
    function: str | None
    squashes: bool
    where: str


@dataclass(frozen=True)
class Parameter:
    """One parameter: its size and that of its gradient.

    Attributes:
        name: its path.
        shape: its sizes.
        dtype: its number format.
        log_gradient_rms: ln RMS of the loss's gradient over its entries.
        rms: RMS of its entries.
        share_zero: share of the gradient's entries that are exactly zero.
        share_underflow: number format → share of the entries that are not zero and would be, if
            the gradient were kept in that format.
        share_rescued: the same once the loss is scaled, see `Report.loss_scale`.
        update_ratio: RMS of the optimiser's update over `rms`; NaN without an optimiser.
        used: whether the loss depends on it at all.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    log_gradient_rms: float
    rms: float
    share_zero: float
    share_underflow: MappingProxyType = field(repr=False)
    share_rescued: MappingProxyType = field(repr=False)
    update_ratio: float
    used: bool


@dataclass(frozen=True)
class Finding:
    """Something that is wrong.

    Attributes:
        problem: what, in a few words.
        where: the layers or parameters, or the file and line.
        evidence: the measurement, with its number.
        remedy: what to try.
        chapter: the page of the book that explains it, without its extension.
    """

    problem: str
    where: str
    evidence: str
    remedy: str
    chapter: str

    def __str__(self) -> str:
        return f"{self.problem}: {self.where}. {self.evidence} {self.remedy}"
