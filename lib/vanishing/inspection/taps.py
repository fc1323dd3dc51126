"""Where to measure: the layers of a graph.

A layer is a contraction or convolution of something that touches data with something made of
parameters alone. What is measured is its pre-activation: the product after its bias.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count

from vanishing.inspection import jaxprs
from vanishing.inspection.jaxprs import Equation, Value
from vanishing.inspection.levels import Level


@dataclass(eq=False)
class Tap:
    """One value to measure whenever it is computed.

    Attributes:
        number: its place in the order of the forward pass.
        kind: "layer" or "activation".
        value: what is measured.
        leaf: the parameter that feeds it, by number, or None.
        units: the axes of the value along which its units stand.
        equation: the contraction, or the last equation of the activation.
        function: the activation's name, or None.
        source: of an activation: its pre-activation.
        steepest: of an activation: its largest slope.
        squashes: of an activation: whether it is flat at both ends.
        inside: of an activation: its equations, in order.
        operand: of a layer: the data that its weight multiplies.
        loop: the innermost scan that it stands in, or None.
        backwards: whether that scan runs from its last slice to its first.
    """

    number: int
    kind: str
    value: Value
    leaf: int | None
    units: tuple[int, ...]
    equation: Equation
    function: str | None = None
    source: Value | None = None
    steepest: float | None = None
    squashes: bool = False
    inside: Sequence[Equation] = ()
    operand: Value | None = None
    loop: Equation | None = None
    backwards: bool = False


def consumers(level: Level) -> dict[Value, list[Equation]]:
    """Which equations read each value, in order."""
    readers: dict[Value, list[Equation]] = {value: [] for value in level.origins}
    for equation in level.graph.equations:
        for value in dict.fromkeys(equation.values):
            readers[value].append(equation)
    return readers


def weight_side(level: Level, equation: Equation) -> int | None:
    """Which operand of an equation is the weight of a layer, 0 or 1; None if it is no layer."""
    if equation.op not in jaxprs.CONTRACTIONS:
        return None
    origins = [level.origin(atom) for atom in equation.inputs[:2]]
    for side in (0, 1):
        weight, other = origins[side], origins[1 - side]
        if weight.leaves and not weight.data and other.data:
            return side
    return None


def layers(level: Level, sizes: Sequence[int]) -> Iterator[Tap]:
    """The layers of one level, in order; numbered later.

    Args:
        level: where to look.
        sizes: of each parameter, by number: a weight made of several is named by the largest.
    """
    readers = consumers(level)
    wanted = Counter(atom for atom in level.graph.outputs if isinstance(atom, Value))
    for equation in level.graph.equations:
        side = weight_side(level, equation)
        if side is None:
            continue
        leaf = max(level.origin(equation.inputs[side]).leaves, key=lambda leaf: sizes[leaf])
        units = jaxprs.unit_axes(equation, side)
        value, units = _after_bias(level, equation.outputs[0], units, readers, wanted)
        operand = equation.inputs[1 - side]
        yield Tap(0, "layer", value, leaf, units, equation, operand=operand)


def _after_bias(level: Level, value: Value, units, readers, wanted) -> tuple[Value, tuple]:
    """Follow a product to the sum with its bias, through a change of layout at most.

    Where no bias is added, the product itself is the pre-activation.
    """
    at, axes = value, units
    while len(readers[at]) == 1 and at not in wanted and axes is not None:
        (equation,) = readers[at]
        if equation.op in jaxprs.LAYOUT and equation.inputs[0] is at:
            axes = jaxprs.moved_axes(equation, axes)
            at = equation.outputs[0]
        elif equation.op in ("add", "sub", "add_any") and _biases(level, equation, at):
            return equation.outputs[0], axes
        else:
            break
    return value, units


def _biases(level: Level, equation: Equation, product: Value) -> bool:
    others = [atom for atom in equation.inputs if atom is not product]
    return (
        len(others) == 1
        and not level.origin(others[0]).data
        and product.shape == (equation.outputs[0].shape)
    )


def numbered(taps: Sequence[Tap]) -> list[Tap]:
    """The same taps with numbers from 0."""
    for tap, number in zip(taps, count(), strict=False):
        tap.number = number
    return list(taps)
