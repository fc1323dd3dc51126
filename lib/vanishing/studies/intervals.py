"""A share that was counted over many networks, with an interval that knows they are clusters."""

from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from jaxtyping import Array, Int


class Share(NamedTuple):
    """A share and its 95 % interval.

    Attributes:
        count: how many of them.
        of: how many there were.
        share: count / of.
        low: lower end.
        high: upper end.
    """

    count: int
    of: int
    share: float
    low: float
    high: float


def share(counts: Int[Array, " runs"], trials: Int[Array, " runs"]) -> Share:
    """Of all units over all runs, the share that met a fate, with Wilson's 95 % interval.

    Units of one network share their fate, so the number of trials is first divided by the design
    effect: by how much the count varies more between networks than independent units would.

    Args:
        counts: units that met it, run by run.
        trials: units that could have.

    Returns:
        `Share`; NaN for the three numbers where there was no trial.

    Source: Wilson 1927; Rao & Scott 1992 for the design effect.

    >>> found = share(np.array([1, 0, 2, 1]), np.array([8, 8, 8, 8]))
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
    z = NormalDist().inv_cdf(0.975)
    n = of / effect
    middle = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    reach = z / (1 + z**2 / n) * np.sqrt(p * (1 - p) / n + (z / (2 * n)) ** 2)
    return Share(count, of, p, max(0.0, middle - reach), min(1.0, middle + reach))
