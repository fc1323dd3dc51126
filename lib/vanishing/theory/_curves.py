"""The two Gaussian moments of an activation as functions of t = ln q, in float64."""

from functools import lru_cache

import jax
import jax.numpy as jnp
import numpy as np

from vanishing import activations

# ln q of the grid on which roots are bracketed: close where the activations bend, wide where each
# follows one law. Beyond e^±200 a variance counts as 0 or infinite: float32 ends at e^±87.
_AWAY = np.concatenate([np.arange(0, 8, 0.05), np.arange(8, 40, 0.5), np.arange(40, 201, 5.0)])
GRID = np.concatenate([-_AWAY[:0:-1], _AWAY])
FAR = GRID[-1]


@jax.jit(static_argnums=0)
def _moments(activation, t):
    def one(t):
        square, change = jax.jvp(
            lambda t: activations.second_moment(activation, jnp.exp(t)), (t,), (jnp.ones_like(t),)
        )
        return square, change, activations.slope_second_moment(activation, jnp.exp(t))

    return jax.vmap(one)(t)


class Curves:
    """E[φ(√q z)²], its derivative by t = ln q, and E[φ′(√q z)²], as NumPy numbers."""

    def __init__(self, activation):
        self._activation = activation
        self.grid = self(GRID)

    def __call__(self, t) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The three at each t. Plain numbers, even while the caller is being traced."""
        with jax.enable_x64(True), jax.ensure_compile_time_eval():
            found = _moments(self._activation, jnp.atleast_1d(jnp.asarray(t, float)))
            return tuple(np.asarray(values) for values in found)

    def square(self, t: float) -> float:
        """E[φ²] at one t."""
        return self(t)[0].item()

    def slope_square(self, t: float) -> float:
        """E[φ′²] at one t."""
        return self(t)[2].item()


@lru_cache(maxsize=64)
def curves(activation) -> Curves:
    """The curves of an activation (their grid is computed once)."""
    return Curves(activation)
