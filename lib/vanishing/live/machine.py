"""The JAX function behind a figure: run it here, or compile it for the reader's browser."""

import base64
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from vanishing.live.compiler import compile
from vanishing.live.controls import Control, Value

_LARGEST_DATA = 64 * 1024  # bytes; a page stays light


@dataclass(frozen=True)
class Animation:
    """A computation that goes step by step, with Run, Pause, Step, Reset and a progress bar.

    Args:
        init: ``init(**controls) -> state``, any pytree of arrays.
        step: ``step(state, **controls) -> (state, outputs)``. The outputs describe the state that
            comes in, so that step 0 shows the initial state.
        steps: number of steps of a whole run.
        draw_every: steps between two pictures.
        preview: number of steps after which the first picture is taken.
    """

    init: Callable[..., Any]
    step: Callable[..., tuple[Any, Mapping[str, Any]]]
    steps: int = 1000
    draw_every: int = 1
    preview: int = 0

    def __post_init__(self) -> None:
        if not (0 <= self.preview <= self.steps and 1 <= self.draw_every <= self.steps):
            raise ValueError(
                "Expected 0 ≤ preview ≤ steps and 1 ≤ draw_every ≤ steps, got "
                f"preview={self.preview}, draw_every={self.draw_every}, steps={self.steps}."
            )


class Machine:
    """Evaluates a figure's function with ``jax.jit``; an animated one keeps its state.

    The machine in the browser (``machine.js``) answers the same requests with the same meaning:
    ``compute`` (still), ``restart`` and ``advance`` (animated).
    """

    def __init__(
        self,
        compute: Callable[..., Mapping[str, Any]] | Animation,
        controls: Sequence[Control],
        data: Mapping[str, Any] | None,
        name: str,
    ) -> None:
        self.animation = compute if isinstance(compute, Animation) else None
        self.controls, self.name = tuple(controls), name
        self.data = _checked_data(data or {})
        self._keywords = [control.name for control in controls] + list(self.data)
        if self.animation is None:
            self._compute = self._positional(compute, name)
            self._jitted = jax.jit(self._compute)
        else:
            self._init = self._positional(compute.init, f"{name}_init")
            self._step = self._positional(compute.step, f"{name}_step", "state")
            self._jitted_init, self._jitted_step = jax.jit(self._init), jax.jit(self._step)

    def _positional(self, fn: Callable, name: str, *first: str) -> Callable:
        """Return ``fn`` as a function of positions, which is what a compiled program has."""

        def positional(*args):
            leading, rest = args[: len(first)], args[len(first) :]
            return fn(*leading, **dict(zip(self._keywords, rest, strict=True)))

        kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
        positional.__name__ = positional.__qualname__ = name
        positional.__signature__ = inspect.Signature(
            [inspect.Parameter(word, kind) for word in [*first, *self._keywords]]
        )
        return positional

    def arguments(self, values: Mapping[str, Value]) -> list[Any]:
        """Return the positional arguments for control ``values``: scalars, then shared data."""
        scalars = [control.argument(values[control.name]) for control in self.controls]
        return [*scalars, *self.data.values()]

    def compute(self, values: Mapping[str, Value]) -> dict[str, np.ndarray]:
        """Return the outputs of a still figure; of an animated one, its first picture."""
        if self.animation is not None:
            self.restart(values)
            return self.advance(values, self.animation.preview)
        return _arrays(self._jitted(*self.arguments(values)))

    def restart(self, values: Mapping[str, Value]) -> dict[str, np.ndarray]:
        """Return to step 0 of an animated figure."""
        self._state = self._jitted_init(*self.arguments(values))
        return self.advance(values, 0)

    def advance(self, values: Mapping[str, Value], steps: int) -> dict[str, np.ndarray]:
        """Go ``steps`` steps and return the outputs, which describe the state reached."""
        arguments = self.arguments(values)
        state = self._state
        for _ in range(steps):
            state, _ = self._jitted_step(state, *arguments)
        self._state = state
        return _arrays(self._jitted_step(state, *arguments)[1])

    def programs(self, values: Mapping[str, Value]) -> dict[str, Any]:
        """Compile the function(s) to JavaScript: ``{"compute": …}`` or ``{"init", "step"}``."""
        arguments = self.arguments(values)
        if self.animation is None:
            return {"compute": compile(self._compute, *arguments, name=self.name)}
        state = jax.eval_shape(self._init, *arguments)
        return {
            "init": compile(self._init, *arguments, name=f"{self.name}_init"),
            "step": compile(self._step, state, *arguments, name=f"{self.name}_step"),
        }

    def state_ranks(self, values: Mapping[str, Value]) -> list[int]:
        """Return the rank of every leaf of an animated figure's state."""
        state = jax.eval_shape(self._init, *self.arguments(values))
        return [leaf.ndim for leaf in jax.tree.leaves(state)]

    def encoded_data(self) -> dict[str, str]:
        """Return the shared data as base64."""
        return {k: base64.b64encode(v.tobytes()).decode() for k, v in self.data.items()}


def _checked_data(data: Mapping[str, Any]) -> dict[str, np.ndarray]:
    checked = {}
    for name, array in data.items():
        array = np.ascontiguousarray(array)
        if array.dtype != np.uint8 or array.nbytes > _LARGEST_DATA:
            raise ValueError(
                f"data[{name!r}]: expected uint8 of at most {_LARGEST_DATA} bytes, got "
                f"{array.dtype} of {array.nbytes} bytes instead; quantise it or take fewer rows."
            )
        checked[name] = array
    return checked


def _arrays(outputs: Any) -> dict[str, np.ndarray]:
    if not isinstance(outputs, Mapping) or not outputs:
        raise TypeError(
            f"Expected compute to return a dict of arrays, got {type(outputs).__name__} instead."
        )
    return {name: np.asarray(outputs[name]) for name in sorted(outputs)}
