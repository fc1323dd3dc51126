"""Operations that rearrange or join arrays."""

from __future__ import annotations

import math

from vanishing.live.compiler.code.emit import Emitter
from vanishing.live.compiler.code.fusion import hint_of
from vanishing.live.compiler.code.registry import rule
from vanishing.live.compiler.code.values import Affine, Lazy, Scalar, Value, View
from vanishing.live.compiler.graph.nodes import Node
from vanishing.live.compiler.rules.slices import window


def position(rank: int, positions: dict[int, Affine]) -> tuple[Affine, ...]:
    """An index of `rank` positions, 0 where none is given."""
    return tuple(positions.get(axis, Affine()) for axis in range(rank))


@rule("broadcast_in_dim", view=True)
def broadcast(emitter: Emitter, node: Node, values: list[Value]) -> list[Value]:
    """Repeat along new or size-1 dimensions."""
    value, dims = values[0], node.params["broadcast_dimensions"]

    def index(new):
        return [new[d] if size > 1 else Affine() for d, size in zip(dims, value.shape, strict=True)]

    return [value.moved(node.outputs[0].shape, index)]


@rule("reshape", "squeeze", view=True)
def reshape(emitter: Emitter, node: Node, values: list[Value]) -> list[Value]:
    """The same elements, in order, under another shape."""
    value, shape = values[0], node.outputs[0].shape
    if node.op == "reshape" and node.params["dimensions"] is not None:
        value = _permuted(value, node.params["dimensions"])
    if isinstance(value, View) and value.contiguous:
        return [value.reshaped(shape)]
    if [s for s in value.shape if s != 1] == [s for s in shape if s != 1]:
        real = [axis for axis, size in enumerate(value.shape) if size != 1]

        def index(new):
            kept = [p for p, size in zip(new, shape, strict=True) if size != 1]
            return position(len(value.shape), dict(zip(real, kept, strict=True)))

        return [value.moved(shape, index)]
    if isinstance(value, Scalar):
        return [Scalar(shape, value.dtype, text=value.text)]
    return [emitter.dense(value, hint_of(node)).reshaped(shape)]


@rule("transpose", view=True)
def transpose(emitter: Emitter, node: Node, values: list[Value]) -> list[Value]:
    """Permute the dimensions."""
    return [_permuted(values[0], node.params["permutation"])]


def _permuted(value: Value, order: tuple[int, ...]) -> Value:
    shape = tuple(value.shape[axis] for axis in order)
    return value.moved(shape, lambda new: position(len(order), dict(zip(order, new, strict=True))))


@rule("rev", view=True)
def reverse(emitter: Emitter, node: Node, values: list[Value]) -> list[Value]:
    """Reverse dimensions."""
    shape, axes = values[0].shape, node.params["dimensions"]
    return [
        values[0].moved(
            shape,
            lambda new: [
                p * -1 + (size - 1) if axis in axes else p
                for axis, (p, size) in enumerate(zip(new, shape, strict=True))
            ],
        )
    ]


@rule("iota", view=True)
def iota(emitter: Emitter, node: Node, values: list[Value]) -> list[Value]:
    """The position along one dimension."""
    var, axis = node.outputs[0], node.params["dimension"]
    return [Lazy(var.shape, var.dtype, element=lambda body, index: str(body.use(index[axis])))]


@rule("concatenate", stream=True)
def concatenate(emitter: Emitter, node: Node, values: list[Value]) -> list[Value]:
    """Join along one dimension."""
    into, axis, start = emitter.destination(node), node.params["dimension"], 0
    for value in values:
        starts = [start if k == axis else 0 for k in range(len(value.shape))]
        emitter.store(value, window(into, starts, [1] * len(starts), value.shape))
        start += value.shape[axis]
    return [into]


@rule("stack", stream=True)
def stack(emitter: Emitter, node: Node, values: list[Value]) -> list[Value]:
    """Join along a new dimension."""
    into, axis = emitter.destination(node), node.params["axis"]
    for k, value in enumerate(values):
        emitter.store(value, _layer(into, axis, k))
    return [into]


@rule("unstack", view=True)
def unstack(emitter: Emitter, node: Node, values: list[Value]) -> list[Value]:
    """Take apart along one dimension."""
    return [_layer(values[0], node.params["axis"], k) for k in range(len(node.outputs))]


def _layer(value: Value, axis: int, k: int) -> Value:
    shape = value.shape[:axis] + value.shape[axis + 1 :]
    return value.moved(shape, lambda new: (*new[:axis], Affine(k), *new[axis:]))


@rule("tile")
def tile(emitter: Emitter, node: Node, values: list[Value]) -> list[Value]:
    """Repeat a whole array along its dimensions."""
    pairs = zip(node.params["reps"], values[0].shape, strict=True)
    shape = tuple(size for pair in pairs for size in pair)
    repeated = values[0].moved(shape, lambda new: new[1::2])
    if isinstance(repeated, Scalar):
        return [Scalar(node.outputs[0].shape, repeated.dtype, text=repeated.text)]
    return [emitter.dense(repeated, hint_of(node)).reshaped(node.outputs[0].shape)]


@rule("pad", stream=True)
def pad(emitter: Emitter, node: Node, values: list[Value]) -> list[Value]:
    """Surround with, and spread by, a filling value; negative padding cuts off."""
    into = emitter.destination(node)
    return [surround(emitter, *values, node.params["padding_config"], into)]


def surround(emitter: Emitter, value: Value, filling: Value, configuration, into: View) -> View:
    """Write `value` to `into` amid a filling value.

    Args:
        emitter: where the code goes.
        value: what to surround.
        filling: a value of rank 0.
        configuration: for each dimension how much to add (or cut off) before, after and between.
        into: the place, of the shape that results.
    """
    emitter.store(filling.moved(into.shape, lambda new: ()), into)
    starts, lows, shape = [], [], []
    for size, (low, high, inner) in zip(value.shape, configuration, strict=True):
        step = inner + 1
        first = -(min(low, 0) // step) if low < 0 else 0
        last = size - 1 - (-(min(high, 0) // step) if high < 0 else 0)
        starts.append(low + first * step)
        lows.append(first)
        shape.append(max(last - first + 1, 0))
    if math.prod(shape):
        steps = [inner + 1 for *_, inner in configuration]
        part = window(value, lows, [1] * len(lows), shape)
        emitter.store(part, window(into, starts, steps, shape))
    return into
