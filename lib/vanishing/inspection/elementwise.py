"""Which parts of a graph are activations, told by their shape and their slope, never by name.

An activation is an elementwise, non-linear function of one array: a group of equations that
reads that array, plain numbers and parameters, and nothing else. Four things look like one and
are not: the inside of a normalisation (its square is only ever summed; its variance has been
through a reduction), a softmax (the slope of exp has no bound), a mask (it is not the same
function everywhere), and the loss (no layer follows).
"""

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from scipy import special

from vanishing.inspection import jaxprs
from vanishing.inspection.jaxprs import Atom, Equation, Fixed, Value
from vanishing.inspection.levels import Level
from vanishing.inspection.taps import Tap, consumers

# Where slopes are looked at: far enough out for sigmoid to be flat (its slope is 1e-13 at 30).
REACH = 30.0
POINTS = 2049  # odd, so that 0 is one of them
# exp'(30) = 1e13; the steepest activations in use, cubes of a ReLU, stay below 3 · 30² = 2700.
STEEPEST = 3e3
# What a parameter inside an activation (PReLU's slope, Swish's β) is taken to be: only whether
# the function is linear, and how steep it is, are asked of it.
PARAMETER = 0.5
FLAT = 0.01


# What functions are called; told by their values, for JAX writes most of them out.
NAMES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "relu": lambda z: np.maximum(z, 0),
    "tanh": np.tanh,
    "sigmoid": special.expit,
    "gelu": lambda z: z * special.ndtr(z),
    "silu": lambda z: z * special.expit(z),
    "elu": lambda z: np.where(z > 0, z, np.expm1(np.minimum(z, 0))),
    "selu": lambda z: (
        1.0507009873554805 * np.where(z > 0, z, 1.6732632423543772 * np.expm1(np.minimum(z, 0)))
    ),
    "softplus": lambda z: np.logaddexp(z, 0),
    "leaky_relu": lambda z: np.where(z > 0, z, 0.01 * z),
    "relu6": lambda z: np.clip(z, 0, 6),
    "hard_tanh": lambda z: np.clip(z, -1, 1),
    "soft_sign": lambda z: z / (1 + np.abs(z)),
    "mish": lambda z: z * np.tanh(np.logaddexp(z, 0)),
    "squared_relu": lambda z: np.maximum(z, 0) ** 2,
    "sin": np.sin,
}
SAME = 2e-3  # the tanh form of GELU is 5e-4 from GELU


class Slope(NamedTuple):
    """What a function's slope says about it.

    Attributes:
        steepest: the largest |φ′| on [−30, 30].
        squashes: whether it is flat at both ends.
        levels: whether it is flat at one end at least.
        name: what the function is called; None where it has no common name.
    """

    steepest: float
    squashes: bool
    levels: bool
    name: str | None


def activations(level: Level, feeds: dict[Value, Tap], reaching: set[Value]) -> Iterator[Tap]:
    """The activations of one level, in order.

    Args:
        level: where to look.
        feeds: the layer last passed on the way to each value.
        reaching: the values that a later layer depends on.
    """
    readers, uniform = consumers(level), _uniform(level)
    order = {equation: place for place, equation in enumerate(level.graph.equations)}
    returned = {atom for atom in level.graph.outputs if isinstance(atom, Value)}
    taken: set[Equation] = set()
    for source in list(level.origins):
        if not _may_feed(level, source):
            continue
        region = _grow(level, source, readers, uniform, order)
        region = [equation for equation in region if equation not in taken]
        if not region or _enters_linearly(level, source, region):
            continue
        layer = feeds.get(source)
        last = layer is not None and layer.value is source
        for output, inside, summed in _exits(region, readers, returned):
            if output not in reaching and not last:
                continue
            slope = _slope(level, source, output, inside, uniform)
            if slope is None or (summed and not slope.levels):
                continue
            if output in reaching or slope.squashes:
                taken.update(inside)
                yield Tap(
                    number=0,
                    kind="activation",
                    value=output,
                    leaf=None if layer is None else layer.leaf,
                    units=(),
                    equation=inside[-1],
                    function=slope.name or _called(inside),
                    source=source,
                    steepest=slope.steepest,
                    squashes=slope.squashes,
                    inside=inside,
                )


def _may_feed(level: Level, source: Value) -> bool:
    origin = level.origins[source]
    sized = source.real and len(source.shape) > 0 and np.prod(source.shape) > 1
    return bool(sized and origin.data and origin.leaves and not origin.reduced)


def _uniform(level: Level) -> dict[Value, object]:
    """Values that are one number everywhere, and which where that is known."""
    known: dict[Value, object] = {}
    for equation in level.graph.equations:
        if equation.op in ("broadcast_in_dim", "convert_element_type", "reshape", "copy"):
            atom = equation.inputs[0]
            if isinstance(atom, Fixed) and np.ndim(atom.value) == 0:
                known[equation.outputs[0]] = atom.value
            elif atom in known:
                known[equation.outputs[0]] = known[atom]
    return known


def _grow(level: Level, source: Value, readers, uniform, order) -> list[Equation]:
    """The equations that compute elementwise functions of `source` alone, in order."""
    inside, region, waiting = {source}, [], set(readers[source])
    while waiting:
        equation = min(waiting, key=order.__getitem__)
        waiting.discard(equation)
        if not _belongs(level, equation, inside, uniform, source.shape):
            continue
        region.append(equation)
        inside.update(equation.outputs)
        for value in equation.outputs:
            waiting.update(readers[value])
    return region


def _belongs(level: Level, equation: Equation, inside: set[Value], uniform, shape) -> bool:
    def allowed(atom: Atom) -> bool:
        if isinstance(atom, Fixed):
            return np.ndim(atom.value) == 0
        origin = level.origin(atom)
        return atom in inside or atom in uniform or bool(origin.leaves and not origin.data)

    return (
        len(equation.outputs) == 1
        and equation.outputs[0].shape == shape
        and all(allowed(atom) for atom in equation.inputs)
        and equation.elementwise
    )


def _enters_linearly(level: Level, source: Value, region: list[Equation]) -> bool:
    """Whether the function begins with an affine step, so that its result is the source."""
    first = [equation for equation in region if source in equation.values]
    return (
        len(first) == 1
        and first[0].op in jaxprs.AFFINE
        and (
            (first[0].values.count(source) == 1 and first[0].inputs[0] is source)
            or (
                first[0].op in ("add", "add_any", "sub", "mul")
                and first[0].inputs.count(source) == 1
            )
        )
    )


def _exits(region: list[Equation], readers, returned: set[Value]):
    """The region's results: (value, the equations that make it, whether it is only summed).

    A result that needs another is none. One that is only ever summed may be the square in a
    variance, or an activation before a pooling layer.
    """
    members, statistics, ends = set(region), set(), {}
    for equation in reversed(region):
        (value,) = equation.outputs
        used = any(reader in members for reader in readers[value])
        left = [reader for reader in readers[value] if reader not in members]
        summed = value not in returned and all(
            reader.op in jaxprs.REDUCTIONS or reader in statistics for reader in left
        )
        if summed and not used:
            members.discard(equation)
            statistics.add(equation)
        if not used or not summed:
            ends[value] = summed
    made = {equation.outputs[0]: equation for equation in region}
    found: list[Value] = []
    for value in reversed(ends):
        inside = _ancestors(value, made)
        alone = not any(made[other] in inside for other in found)
        curved = len(inside) > 1 or inside[0].op not in jaxprs.AFFINE
        if value.real and alone and curved:
            if not ends[value]:
                found.append(value)
            yield value, inside, ends[value]


def _ancestors(value: Value, made: dict[Value, Equation]) -> list[Equation]:
    needed, waiting = set(), [value]
    while waiting:
        equation = made.get(waiting.pop())
        if equation is not None and equation not in needed:
            needed.add(equation)
            waiting += equation.values
    return [equation for equation in made.values() if equation in needed]


def _called(inside: Sequence[Equation]) -> str:
    """The name of the rule or call that a function stands in, or of the last that bends it."""
    own = [equation.name for equation in inside if equation.op in jaxprs.OWN_RULE]
    curved = [e.op for e in inside if e.op not in jaxprs.AFFINE and e.op != "select_n"]
    return (own or [*inside[-1].calls[-1:]] or curved or ["elementwise"])[-1]


def apply(inside: Sequence[Equation], output: Value, env: dict[Value, object]):
    """The value of `output`, computed by the equations of an activation from what `env` holds."""
    env = dict(env)
    for equation in inside:
        arguments = [
            atom.value if isinstance(atom, Fixed) else env[atom] for atom in equation.inputs
        ]
        env.update(zip(equation.outputs, jaxprs.evaluate(equation, arguments), strict=True))
    return env[output]


def _slope(level: Level, source: Value, output: Value, inside, uniform) -> Slope | None:
    """What the slope says; None where the function is no activation."""
    free = {}
    for equation in inside:
        for value in equation.values:
            if value is not source and value not in {e.outputs[0] for e in inside}:
                free[value] = uniform[value] if uniform.get(value) is not None else PARAMETER
    key = _key(source, output, inside, free)
    return _measured(_Function(key, source, output, tuple(inside), free))


def _key(source: Value, output: Value, inside, free) -> str:
    """The function in characters, the same for the same function at another place."""
    names = {source: "z"} | {value: f"{number}" for value, number in free.items()}
    lines = []
    for place, equation in enumerate(inside):
        arguments = [
            str(atom.value) if isinstance(atom, Fixed) else names[atom] for atom in equation.inputs
        ]
        lines.append(f"{equation.signature}({', '.join(arguments)})")
        names[equation.outputs[0]] = f"%{place}"
    return f"{source.aval.dtype} " + "; ".join(lines) + f" -> {names[output]}"


class _Function:
    """An elementwise function, equal to any other that computes the same."""

    def __init__(self, key, source, output, inside, free) -> None:
        self.key, self.source, self.output = key, source, output
        self.inside, self.free = inside, free

    def __hash__(self) -> int:
        return hash(self.key)

    def __eq__(self, other) -> bool:
        return self.key == other.key

    def slopes(self) -> tuple[np.ndarray, np.ndarray]:
        """The function and its slope on the grid, computed in the shape that it is used in."""
        shape, dtype = self.source.shape, self.source.aval.dtype
        fixed = {
            value: np.full(value.shape, number, value.aval.dtype)
            for value, number in self.free.items()
        }

        @jax.jit
        def both(z):
            made, pull = jax.vjp(
                lambda z: apply(self.inside, self.output, {**fixed, self.source: z}), z
            )
            return made, pull(jnp.ones_like(made))[0]

        size = int(np.prod(shape))
        grid = np.linspace(-REACH, REACH, POINTS)
        grid = np.resize(grid, -(-POINTS // size) * size)
        parts = [
            both(np.asarray(part.reshape(shape), dtype))
            for part in np.split(grid, len(grid) // size)
        ]
        return tuple(
            np.concatenate([np.asarray(part[k], np.float64).ravel() for part in parts])[:POINTS]
            for k in (0, 1)
        )


@lru_cache(maxsize=1024)
def _measured(function: _Function) -> Slope | None:
    values, slopes = function.slopes()
    sizes = np.abs(slopes)
    if not (np.isfinite(values).all() and np.isfinite(sizes).all()):
        return None
    steepest = sizes.max()
    if not 0 < steepest <= STEEPEST or np.ptp(slopes) <= 1e-3 * steepest:
        return None
    ends = sizes[[0, -1]] < FLAT * steepest
    z = np.linspace(-REACH, REACH, POINTS)
    names = (name for name, known in NAMES.items() if np.abs(known(z) - values).max() < SAME)
    return Slope(float(steepest), bool(ends.all()), bool(ends.any()), next(names, None))
