"""Windows on arrays: slices at places that are known, and at computed ones."""

from __future__ import annotations

import re

from vanishing.live.compiler.code.emit import Emitter
from vanishing.live.compiler.code.registry import rule
from vanishing.live.compiler.code.values import Affine, Value
from vanishing.live.compiler.graph.nodes import Node


def window(value: Value, starts, steps, shape) -> Value:
    """Every `steps`-th element from `starts` on."""
    return value.moved(
        tuple(shape),
        lambda new: [p * step + start for p, step, start in zip(new, steps, starts, strict=True)],
    )


@rule("slice", view=True)
def static_slice(emitter: Emitter, node: Node, values: list[Value]) -> list[Value]:
    """A window whose place is known."""
    starts = node.params["start_indices"]
    steps = node.params["strides"] or (1,) * len(starts)
    return [window(values[0], starts, steps, node.outputs[0].shape)]


@rule("split", view=True)
def split(emitter: Emitter, node: Node, values: list[Value]) -> list[Value]:
    """Consecutive windows along one dimension."""
    rank, axis, start, parts = len(values[0].shape), node.params["axis"], 0, []
    for var in node.outputs:
        starts = [start if k == axis else 0 for k in range(rank)]
        parts.append(window(values[0], starts, [1] * rank, var.shape))
        start += var.shape[axis]
    return parts


def _starts(emitter: Emitter, starts: list[Value], room: list[int]) -> list[Affine]:
    """Start indices, moved so that the window fits, as JAX does."""
    places = []
    for start, most in zip(starts, room, strict=True):
        if most == 0:
            places.append(Affine())
        elif re.fullmatch(r"-?\d+", start.text):
            places.append(Affine(min(max(int(start.text), 0), most)))
        else:
            clamped = f"Math.max(0, Math.min({start.text}, {most}))"
            places.append(Affine.var(emitter.scalar(clamped, "int32", "at").text))
    return places


@rule("dynamic_slice", view=True)
def dynamic_slice(emitter: Emitter, node: Node, values: list[Value]) -> list[Value]:
    """A window whose place is computed."""
    value, *starts = values
    sizes = node.params["slice_sizes"]
    room = [size - part for size, part in zip(value.shape, sizes, strict=True)]
    return [window(value, _starts(emitter, starts, room), [1] * len(sizes), sizes)]


@rule("dynamic_update_slice", stream=True)
def dynamic_update_slice(emitter: Emitter, node: Node, values: list[Value]) -> list[Value]:
    """Write a window at a computed place."""
    value, update, *starts = values
    if node in emitter.in_place and value.buffer in update.reads:
        update = emitter.store(update, emitter.allocate(update.shape, update.dtype, "update"))
    into = emitter.overwritten(node, value)
    room = [size - part for size, part in zip(value.shape, update.shape, strict=True)]
    places = _starts(emitter, starts, room)
    emitter.store(update, window(into, places, [1] * len(room), update.shape))
    return [into]
