"""What each change is worth in the factorial ablation, with its interval, under any filter."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from scipy import stats

from vanishing._layers import matmul
from vanishing._types import AnyArray
from vanishing.studies.ablation import FACTORS, NETWORKS, Losses
from vanishing.studies.intervals import CONFIDENCE, Interval

#: Every change whose worth is asked for: a factor, and the value that replaces its first one.
CHANGES = [(name, value) for name, values in FACTORS.items() for value in values[1:]]
# Student's quantile for n samples, of which there are at least two.
_STUDENT = stats.t.ppf((1 + CONFIDENCE) / 2, np.maximum(np.arange(NETWORKS // 2 + 1) - 1, 1))

Kept = Float[AnyArray, "factors values"]


def everything() -> Float[np.ndarray, "factors values"]:
    """1 for every value of every factor: no network is left out.

    >>> int(everything().sum())
    15
    """
    lengths = np.array([len(values) for values in FACTORS.values()])
    return (np.arange(lengths.max()) < lengths[:, None]).astype(np.float32)


def weights(kept: Kept) -> Float[Array, " networks"]:
    """1 for the networks all of whose values are kept, 0 for the others.

    Args:
        kept: which values, as `everything`; may be traced.
    """
    lengths = [len(values) for values in FACTORS.values()]
    places = jnp.stack(jnp.unravel_index(jnp.arange(NETWORKS), lengths))
    return jnp.prod(jnp.take_along_axis(jnp.asarray(kept), places, axis=1), axis=0)


def differences(losses: Losses, change: int) -> Float[np.ndarray, " settings"]:
    """By how much a change lowers the loss in each setting of all other factors.

    Args:
        losses: from `ablation.tuned`.
        change: position in `CHANGES`.

    Returns:
        d_s = C(first) − C(value), mean over the starts.
    """
    name, value = CHANGES[change]
    mean = np.moveaxis(np.mean(losses, axis=-1), list(FACTORS).index(name), 0)
    return np.ravel(mean[0] - mean[FACTORS[name].index(value)])


@jax.jit
def worths(losses: Float[AnyArray, "networks starts"], kept: Kept) -> Interval:
    """What each change is worth, on average over the settings of all other factors.

        w = mean_s d_s ± t · sd(d_s) / √n,   d_s as in `differences`

    The interval is that of a mean over settings, were the n at hand a sample of all such
    settings. Where one is left, it is that over its starts.

    Args:
        losses: from `ablation.tuned`, a row a network.
        kept: which networks count, as `everything`; the factor of the change itself is not
            looked at.

    Returns:
        `Interval` in nats, an entry for each of `CHANGES`; positive where the loss falls.

    >>> from vanishing.studies import ablation
    >>> losses = ablation.tuned(ablation.losses()).reshape(NETWORKS, -1)
    >>> found = worths(losses, everything())
    >>> len(found.value), bool((found.low < found.value).all())
    (9, True)
    """
    names, lengths = list(FACTORS), [len(values) for values in FACTORS.values()]
    strides = jnp.array(NETWORKS // np.cumprod(lengths))

    def one(factor, place):
        here = jnp.arange(kept.shape[1]) == place
        counted = weights(jnp.asarray(kept).at[factor].set(here.astype(kept.dtype)))
        # Of a network with the value in question: the one that differs from it in the first.
        pair = jnp.maximum(jnp.arange(NETWORKS) - place * strides[factor], 0)
        return _mean(losses[pair] - losses, counted)

    factors = jnp.array([names.index(name) for name, _ in CHANGES])
    places = jnp.array([FACTORS[name].index(value) for name, value in CHANGES])
    return jax.vmap(one)(factors, places)


def _mean(samples: Float[Array, "networks starts"], counted: Float[Array, " networks"]) -> Interval:
    count, starts = jnp.sum(counted), samples.shape[1]
    networks = jnp.mean(samples, 1)
    mean = matmul(counted, networks) / count
    spread = matmul(counted, (networks - mean) ** 2) / jnp.maximum(count - 1, 1)
    alone = jnp.var(matmul(counted, samples) / count, ddof=1)
    student = jnp.asarray(_STUDENT, mean.dtype)
    reach = jnp.where(
        count > 1,
        student[count.astype(jnp.int32)] * jnp.sqrt(spread / count),
        student[starts] * jnp.sqrt(alone / starts),
    )
    return Interval(mean, mean - reach, mean + reach)
