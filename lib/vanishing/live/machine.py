"""The JAX function behind a figure: run it here, or compile it for the reader's browser."""

import base64
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from vanishing._checks import whole
from vanishing.live.compiler import compile
from vanishing.live.controls import Control, Value
from vanishing.live.names import check_data_names

_LARGEST_DATA = 64 * 1024  # bytes; a page stays light


@dataclass(frozen=True)
class Animation:
    """A computation that goes step by step; it gets Run, Pause, Step and a bar to scrub.

    A figure at rest shows the step `preview`: when the page opens, after Reset, after a control
    has moved, and where a link leads. The browser goes there at once, and shows how far it has come
    where that takes long; Run plays it from step 0.

    Args:
        init: `init(**controls) -> state`, any pytree of arrays.
        step: `step(state, **controls) -> (state, outputs)`. The outputs describe the state that
            comes in, so that step 0 shows the initial state. The state that goes out has the
            shapes and dtypes of the one that came in.
        steps: number of steps of a whole run.
        draw_every: steps between two pictures.
        preview: the step that is shown at rest.
        autoplay: whether it plays once by itself, in silence, when it is first seen; never where
            the reader wants less motion, nor once they have touched it.

    Raises:
        TypeError: if `init` or `step` is no function, or a number is no int.
        ValueError: if a number is out of range.
    """

    init: Callable[..., Any]
    step: Callable[..., tuple[Any, Mapping[str, Any]]]
    steps: int = 1000
    draw_every: int = 1
    preview: int = 0
    autoplay: bool = False

    def __post_init__(self) -> None:
        for name in ("init", "step"):
            check_callable(name, getattr(self, name))
        smallest = {"steps": 1, "draw_every": 1, "preview": 0}
        for name, at_least in smallest.items():
            object.__setattr__(self, name, whole(name, getattr(self, name), at_least))
        for name in ("preview", "draw_every"):
            if getattr(self, name) > self.steps:
                raise ValueError(
                    f"{name}: expected at most steps = {self.steps}; got {getattr(self, name)}. "
                    "Lower it, or make the run longer."
                )


class Run:
    """An animated figure under way: one state, and how far it has come.

    Every view and every evaluation has its own, so that none disturbs another.
    """

    def __init__(self, machine: "Machine", values: Mapping[str, Value]) -> None:
        self.machine, self.count = machine, 0
        self._begun = machine.beginning(values)
        self._state = machine.jitted_init(*machine.arguments(values))

    def advance(self, values: Mapping[str, Value], steps: int) -> None:
        """Go `steps` steps."""
        arguments = self.machine.arguments(values)
        for _ in range(steps):
            self._state, _ = self.machine.jitted_step(self._state, *arguments)
        self.count += steps

    def outputs(self, values: Mapping[str, Value]) -> dict[str, np.ndarray]:
        """The outputs, which describe the state reached: by name, of the shapes of `step`'s."""
        arguments = self.machine.arguments(values)
        return _arrays(self.machine.jitted_step(self._state, *arguments)[1])

    def leads_to(self, values: Mapping[str, Value], to: int) -> bool:
        """Whether step `to` of a run with these control values lies ahead of this one."""
        return self.machine.beginning(values) == self._begun and to >= self.count


class Machine:
    """Evaluates a figure's function with `jax.jit`.

    The machine in the browser (`machine.js`) answers the same requests with the same meaning:
    `compute` (still) and `seek` (animated).
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
        check_data_names(self.data, self.controls)
        self._keywords = [control.name for control in controls] + list(self.data)
        if self.animation is None:
            check_callable("compute", compute)
            self._compute = self._positional(compute, name)
            self._jitted = jax.jit(self._compute)
        else:
            self._init = self._positional(compute.init, f"{name}_init")
            self._step = self._positional(compute.step, f"{name}_step", "state")
            self.jitted_init, self.jitted_step = jax.jit(self._init), jax.jit(self._step)
            self._check_state({control.name: control.value for control in controls})

    def _positional(self, fn: Callable, name: str, *first: str) -> Callable:
        """The function with positions for keywords, which is what a compiled program has."""
        _check_keywords(fn, [*first, *self._keywords], len(first))

        def positional(*args):
            leading, rest = args[: len(first)], args[len(first) :]
            return fn(*leading, **dict(zip(self._keywords, rest, strict=True)))

        kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
        positional.__name__ = positional.__qualname__ = name
        positional.__signature__ = inspect.Signature(
            [inspect.Parameter(word, kind) for word in [*first, *self._keywords]]
        )
        return positional

    def _check_state(self, values: Mapping[str, Value]) -> None:
        """Check that a step hands on the kind of state that it takes."""
        arguments = self.arguments(values)
        before = jax.eval_shape(self._init, *arguments)
        result = jax.eval_shape(self._step, before, *arguments)
        if not (isinstance(result, tuple) and len(result) == 2):
            raise TypeError(
                f"step: expected a pair (state, outputs); got {type(result).__name__}. Return both."
            )
        then, now = (jax.tree_util.tree_leaves_with_path(s) for s in (before, result[0]))
        if jax.tree.structure(before) != jax.tree.structure(result[0]):
            raise ValueError(
                f"step: expected a state like that of init, {jax.tree.structure(before)}; got "
                f"{jax.tree.structure(result[0])}. Return the same pytree."
            )
        for (path, old), (_, new) in zip(then, now, strict=True):
            if (old.shape, old.dtype) != (new.shape, new.dtype):
                raise ValueError(
                    f"step: expected state{jax.tree_util.keystr(path)} to stay "
                    f"{old.dtype}{list(old.shape)}; got {new.dtype}{list(new.shape)}. "
                    "Cast it in init or in step."
                )

    def arguments(self, values: Mapping[str, Value]) -> list[Any]:
        """The positional arguments for control `values`: scalars, then shared data."""
        scalars = [control.argument(values[control.name]) for control in self.controls]
        return [*scalars, *self.data.values()]

    def beginning(self, values: Mapping[str, Value]) -> list[Value]:
        """The values that a run begins with: another one of them begins another run."""
        return [values[control.name] for control in self.controls if control.restart]

    def compute(self, values: Mapping[str, Value]) -> dict[str, np.ndarray]:
        """The outputs of a still figure; of an animated one, those of its picture at rest.

        Args:
            values: of all controls, by name; a `Slider`'s in the units of its range.

        Returns:
            By name in alphabetical order, arrays of the shape and dtype that the function returns.
        """
        if self.animation is not None:
            run = Run(self, values)
            run.advance(values, self.animation.preview)
            return run.outputs(values)
        return _arrays(self._jitted(*self.arguments(values)))

    def restart(self, values: Mapping[str, Value]) -> dict[str, np.ndarray]:
        """The outputs of an animated figure's step 0; shapes as in `compute`."""
        return Run(self, values).outputs(values)

    def programs(self, values: Mapping[str, Value]) -> dict[str, Any]:
        """Compile the function(s) to JavaScript: `{"compute": …}` or `{"init": …, "step": …}`."""
        arguments = self.arguments(values)
        if self.animation is None:
            return {"compute": compile(self._compute, *arguments, name=self.name)}
        state = jax.eval_shape(self._init, *arguments)
        return {
            "init": compile(self._init, *arguments, name=f"{self.name}_init"),
            "step": compile(self._step, state, *arguments, name=f"{self.name}_step"),
        }

    def state_leaves(self, values: Mapping[str, Value]) -> list[jax.ShapeDtypeStruct]:
        """Shape and dtype of every leaf of an animated figure's state."""
        return jax.tree.leaves(jax.eval_shape(self._init, *self.arguments(values)))

    def encoded_data(self) -> dict[str, str]:
        """The shared data as base64."""
        return {k: base64.b64encode(v.tobytes()).decode() for k, v in self.data.items()}


def check_callable(name: str, fn: Any) -> None:
    """Check that `fn` can be called."""
    if not callable(fn):
        raise TypeError(
            f"{name}: expected a function; got {type(fn).__name__}. Pass it without calling it."
        )


def _check_keywords(fn: Callable, words: Sequence[str], leading: int) -> None:
    """Check that `fn` takes every control and every data set, by keyword."""
    try:
        signature = inspect.signature(fn)
    except ValueError:  # written in C: it will say so itself
        return
    try:
        signature.bind(*words[:leading], **dict.fromkeys(words[leading:]))
    except TypeError as error:
        name = getattr(fn, "__name__", type(fn).__name__)
        raise TypeError(
            f"{name}: expected a function of ({', '.join(words)}), a keyword for each control and "
            f"each data set; got {name}{signature}: {error}. Rename its arguments."
        ) from None


def _checked_data(data: Mapping[str, Any]) -> dict[str, np.ndarray]:
    if not isinstance(data, Mapping):
        raise TypeError(
            f"data: expected a mapping from names to arrays; got {type(data).__name__}. "
            'Write data={"digits": array}.'
        )
    checked = {}
    for name, given in data.items():
        array = np.ascontiguousarray(given)
        if array.dtype != np.uint8 or array.nbytes > _LARGEST_DATA:
            raise ValueError(
                f"data[{name!r}]: expected uint8 of at most {_LARGEST_DATA} bytes; got "
                f"{array.dtype} of {array.nbytes} bytes. Quantise it or take fewer rows."
            )
        checked[name] = array
    return checked


def _arrays(outputs: Any) -> dict[str, np.ndarray]:
    if not isinstance(outputs, Mapping) or not outputs:
        raise TypeError(
            f"compute: expected a dict of arrays; got {type(outputs).__name__}. "
            'Return {"name": array}.'
        )
    return {name: np.asarray(outputs[name]) for name in sorted(outputs)}
