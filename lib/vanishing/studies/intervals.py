"""What a sample says of the truth, a mean, a median or a share with its 95% interval; and of
the next sample."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int
from scipy import stats

from vanishing._types import AnyArray, Scalar

CONFIDENCE = 0.95


class Interval(NamedTuple):
    """An estimate and its 95% confidence interval.

    Attributes:
        value: the estimate, over the last axis of the samples.
        low, high: the ends.
    """

    value: Float[AnyArray, "*shape"] | np.floating
    low: Float[AnyArray, "*shape"] | np.floating
    high: Float[AnyArray, "*shape"] | np.floating


def of_mean(samples: Float[AnyArray, "*shape samples"]) -> Interval:
    """The mean over the last axis, with Student's interval.

        x̄ ± t · s / √n

    Args:
        samples: independent, at least two; nearly normal, or many.

    >>> [round(float(end), 3) for end in of_mean(np.array([1.0, 2.0, 3.0]))]
    [2.0, -0.484, 4.484]
    """
    samples = np.asarray(samples, float)
    count = samples.shape[-1]
    mean = samples.mean(-1)
    quantile = stats.t.ppf((1 + CONFIDENCE) / 2, count - 1)
    reach = quantile * samples.std(-1, ddof=1) / np.sqrt(count)
    return Interval(mean, mean - reach, mean + reach)


def of_median(samples: Float[AnyArray, " samples"]) -> Interval:
    """The median, with the interval between two of the sorted samples that holds it.

    The number of samples below the true median is binomial, whatever the distribution: runs that
    were lost may count as infinite. An end is infinite where there are too few samples to say.

    Args:
        samples: independent; infinities are allowed, NaN are not.

    Source: Conover 1999, Practical Nonparametric Statistics, 3.2, as in `scipy`.

    >>> [float(end) for end in of_median(np.arange(12.0))]
    [5.5, 2.0, 9.0]
    """
    samples = np.asarray(samples, float)
    between = stats.quantile_test(samples, p=0.5).confidence_interval(CONFIDENCE)
    low, high = np.where(np.isnan(between), (-np.inf, np.inf), between)  # NaN: too few to say
    return Interval(np.median(samples), low, high)


def chance_below(samples: Float[AnyArray, " samples"], bound: Scalar | float) -> float:
    """The chance that one more sample, drawn as these were, comes out below a bound.

        P(x < b) = F((b − x̄) / (s √(1 + 1/n))),   F Student's distribution with n − 1 degrees

    So a test is given its margin: a bound that a trained network must keep is set where this is
    below 1/1000, from the spread over seeds. Eight seeds ask for five standard deviations,
    sixteen for four.

    Args:
        samples: independent and nearly normal, at least two.
        bound: in their units.

    Source: Student's prediction interval, Hahn & Meeker 1991, Statistical Intervals, 4.7.

    >>> round(chance_below(np.array([1.0, 2.0, 3.0]), 2.0), 6)
    0.5
    >>> chance_below(np.arange(8.0), -20.0) < 1e-3 < chance_below(np.arange(8.0), -5.0)
    True
    """
    samples = np.asarray(samples, float)
    count = len(samples)
    spread = samples.std(ddof=1) * np.sqrt(1 + 1 / count)
    if spread == 0:
        return float(samples[0] < bound)
    return float(stats.t.cdf((bound - samples.mean()) / spread, count - 1))


class Share(NamedTuple):
    """A share and its 95% interval.

    Attributes:
        count: how many of them.
        of: how many there were.
        value: count / of.
        low, high: the ends.
    """

    count: int
    of: int
    value: float
    low: float
    high: float


def of_share(counts: Int[np.ndarray, " runs"], trials: Int[np.ndarray, " runs"]) -> Share:
    """Of all units over all runs, the share that met a fate, with Wilson's interval.

    Units of one network share their fate, so the number of trials is first divided by the design
    effect: by how much the count varies more between networks than independent units would.

    Args:
        counts: units that met it, run by run.
        trials: units that could have.

    Returns:
        `Share`; NaN for the three numbers where there was no trial.

    Source: Wilson 1927; Rao & Scott 1992 for the design effect.

    >>> found = of_share(np.array([1, 0, 2, 1]), np.array([8, 8, 8, 8]))
    >>> f"{found.count} of {found.of}, between {found.low:.3f} and {found.high:.3f}"
    '4 of 32, between 0.050 and 0.281'
    """
    count, of = int(np.sum(counts)), int(np.sum(trials))
    if of == 0:
        return Share(0, 0, np.nan, np.nan, np.nan)
    p, runs = count / of, len(counts)
    effect = 1.0
    if 0 < count < of and runs > 1:
        spread = np.sum((counts - p * trials) ** 2) * runs / (runs - 1)
        effect = max(1.0, spread / (of * p * (1 - p)))
    return Share(count, of, p, *_wilson(p, of / effect))


def _wilson(p: float, n: float) -> tuple[float, float]:
    # Ours, because scipy's `proportion_ci` takes whole numbers, and n over a design effect is none.
    z = stats.norm.ppf((1 + CONFIDENCE) / 2)
    middle = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    reach = z / (1 + z**2 / n) * np.sqrt(p * (1 - p) / n + (z / (2 * n)) ** 2)
    return max(0.0, middle - reach), min(1.0, middle + reach)
