"""Where the axes of an equation's inputs stand in its output."""

import jax.numpy as jnp

from vanishing.inspection.jaxprs.graph import Atom, Equation, Value


def unit_axes(equation: Equation, weight: int) -> tuple[int, ...]:
    """The axes of a contraction's output that come from its weight alone: its units.

    Args:
        equation: a contraction.
        weight: which of its operands is the weight, 0 or 1.
    """
    if equation.op == "conv_general_dilated":
        return (equation.params["dimension_numbers"].out_spec[1],)
    if equation.op != "dot_general":
        return (len(equation.outputs[0].shape) - 1,)
    contracted, batched = equation.params["dimension_numbers"]
    ranks = [len(jnp.shape(_aval(atom))) for atom in equation.inputs]
    free = [ranks[side] - len(contracted[side]) - len(batched[side]) for side in (0, 1)]
    first = len(batched[0]) + (0 if weight == 0 else free[0])
    # A weight with an axis of its own for each expert or device has units for each.
    return (*range(len(batched[0])), *range(first, first + free[weight]))


def _aval(atom: Atom):
    return atom.aval if isinstance(atom, Value) else atom.value


def moved_axes(equation: Equation, axes: tuple[int, ...]) -> tuple[int, ...] | None:
    """Where axes of the first input stand in the output of a layout equation; None if nowhere."""
    before, after = equation.inputs[0].shape, equation.outputs[0].shape
    if equation.op == "transpose":
        return tuple(sorted(equation.params["permutation"].index(axis) for axis in axes))
    if equation.op == "broadcast_in_dim":
        return tuple(int(equation.params["broadcast_dimensions"][axis]) for axis in axes)
    if before == after:
        return axes
    return _regrouped(before, after, axes)


def _regrouped(before, after, axes: tuple[int, ...]) -> tuple[int, ...] | None:
    """`moved_axes` of a reshape: axes are followed where they are split, joined or squeezed."""
    found, i, j = [], 0, 0
    while i < len(before) or j < len(after):
        left, right = [], []
        have = want = 1
        while True:
            if have <= want and i < len(before):
                have, i = have * before[i], i + 1
                left.append(i - 1)
            elif j < len(after):
                want, j = want * after[j], j + 1
                right.append(j - 1)
            if have == want and (left or right):
                break
            if i == len(before) and j == len(after):
                break
        mine = {axis in axes for axis in left if before[axis] != 1}
        if mine == {True, False}:
            return None
        if mine == {True}:
            found += right
    return tuple(found)
