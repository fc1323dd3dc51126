"""Matrix products and random bits: the operations that have a kernel in the runtime."""

from __future__ import annotations

import itertools
import math

from vanishing.live.compiler.code.emit import Emitter
from vanishing.live.compiler.code.registry import rule
from vanishing.live.compiler.code.values import Body, Lazy, Value, View, strides_of
from vanishing.live.compiler.graph.nodes import Node
from vanishing.live.compiler.rules.arrays import position
from vanishing.live.compiler.rules.reductions import reduce


def _stride(view: View, axes: list[int]) -> int | None:
    """The step that walks through several dimensions as if they were one, if there is one."""
    axes = [axis for axis in axes if view.shape[axis] > 1]
    for outer, inner in itertools.pairwise(axes):
        if view.strides[outer] != view.strides[inner] * view.shape[inner]:
            return None
    return view.strides[axes[-1]] if axes else 0


def _operand(emitter: Emitter, value: Value, groups: list[list[int]], unit: bool):
    """A view and its strides over (batch, row, column); `unit`: columns lie side by side."""
    view = emitter.view(value)
    strides = [_stride(view, axes) for axes in groups]
    columns = math.prod(view.shape[a] for a in groups[2])
    if None not in strides and (not unit or strides[2] == 1 or columns == 1):
        return view, strides
    order = [axis for axes in groups for axis in axes]
    shape = tuple(view.shape[axis] for axis in order)
    packed = view.moved(shape, lambda new: position(len(order), dict(zip(order, new, strict=True))))
    into = emitter.allocate(shape, view.dtype, f"{view.name or view.buffer}_packed")
    sizes = [math.prod(view.shape[axis] for axis in axes) for axes in groups]
    return emitter.store(packed, into), strides_of(tuple(sizes))


@rule("dot_general")
def dot_general(emitter: Emitter, node: Node, values: list[Value]) -> list[Value]:
    """Contract dimensions of two arrays: `C[batch, m, n] = Σ_k A[batch, m, k] B[batch, k, n]`."""
    left, right = values
    (left_sum, right_sum), (left_batch, right_batch) = node.params["dimension_numbers"]
    left_free = [a for a in range(len(left.shape)) if a not in (*left_sum, *left_batch)]
    right_free = [a for a in range(len(right.shape)) if a not in (*right_sum, *right_batch)]
    batches = math.prod(left.shape[a] for a in left_batch)
    m = math.prod(left.shape[a] for a in left_free)
    n = math.prod(right.shape[a] for a in right_free)
    k = math.prod(left.shape[a] for a in left_sum)
    if left.dtype != right.dtype or left.dtype != node.outputs[0].dtype:
        raise node.refuse("mixes element types", "cast both operands to float32")
    if left.dtype != "float32" or n < 4 or m * k * n == 0:
        return [_dot_loop(emitter, node, left, right, (left_free, right_free))]
    a, a_strides = _operand(
        emitter, left, [list(left_batch), left_free, list(left_sum)], unit=False
    )
    b, b_strides = _operand(
        emitter, right, [list(right_batch), list(right_sum), right_free], unit=True
    )
    into = emitter.destination(node)
    arguments = [a.buffer, a.offset, *a_strides, b.buffer, b.offset, *b_strides[:2]]
    arguments += [into.buffer, into.offset, batches, m, k, n]
    emitter.uses_matmul = True
    emitter.line(f"matmul({', '.join(map(str, arguments))});")
    return [into]


def _dot_loop(emitter: Emitter, node: Node, left: Value, right: Value, free) -> Value:
    """A contraction as a plain reduction, for scalars, narrow matrices and integers."""
    (left_sum, right_sum), (left_batch, right_batch) = node.params["dimension_numbers"]
    shape = node.outputs[0].shape + tuple(left.shape[axis] for axis in left_sum)
    b, m, n = len(left_batch), len(free[0]), len(free[1])

    def element(body: Body, index) -> str:
        batch, rows, columns, summed = (
            index[:b],
            index[b : b + m],
            index[b + m : b + m + n],
            index[b + m + n :],
        )
        left_at = dict(
            zip((*left_batch, *free[0], *left_sum), (*batch, *rows, *summed), strict=True)
        )
        right_at = dict(
            zip((*right_batch, *free[1], *right_sum), (*batch, *columns, *summed), strict=True)
        )
        x = body.element(left, position(len(left.shape), left_at))
        y = body.element(right, position(len(right.shape), right_at))
        return f"({x}) * ({y})" if left.dtype == "float32" else f"Math.imul({x}, {y})"

    product = Lazy(shape, left.dtype, left.reads | right.reads, element=element)
    rank = len(node.outputs[0].shape)
    return reduce(emitter, node, product, "sum", tuple(range(rank, len(shape))))
