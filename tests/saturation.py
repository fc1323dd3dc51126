"""Where a page and the kernel need not agree that a slope is exactly zero.

Compiled code saturates as XLA does on a processor with fused multiply-add (tanh is 1 from 7.9988
on). Where XLA does it elsewhere, or here and there only, is this machine's affair.
"""

import functools

import jax
import numpy as np

from vanishing import activations
from vanishing.live.compiler import compile
from vanishing.studies import rounding

_SIZES = rounding.floats(0.25, 128.0, 1 << 10)  # 8192 from one power of two to the next


@functools.cache
def disputed_ends(name: str, sign: int) -> tuple[float, float]:
    """The sizes of z between which page and kernel may differ, or both have scattered zeros."""
    z = np.float32(sign) * _SIZES
    slope = activations.derivative(name)
    zero = [np.asarray(found) == 0 for found in (jax.jit(slope)(z), compile(slope, z).run(z))]
    either, both = zero[0] | zero[1], zero[0] & zero[1]
    first = int(np.argmax(either)) if either.any() else _SIZES.size - 1
    last = int(np.flatnonzero(~both)[-1]) if not both.all() else 0
    return float(_SIZES[max(first - 1, 0)]), float(_SIZES[min(last + 1, _SIZES.size - 1)])


def disputed(name: str, z) -> np.ndarray:
    """Which of the pre-activations `z` lie there."""
    z = np.asarray(z)
    ends = {sign: disputed_ends(name, sign) for sign in (-1, 1)}
    return np.any(
        [(sign * z >= low) & (sign * z <= high) for sign, (low, high) in ends.items()], axis=0
    )
