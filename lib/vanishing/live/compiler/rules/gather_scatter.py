"""Reading and writing at places that are only known when the program runs."""

from __future__ import annotations

import re

import numpy as np

from vanishing.live.compiler.code.emit import Emitter
from vanishing.live.compiler.code.literals import ROUND, number
from vanishing.live.compiler.code.registry import rule
from vanishing.live.compiler.code.values import Affine, Body, Lazy, Value
from vanishing.live.compiler.graph.nodes import Node
from vanishing.live.compiler.rules.arrays import position

COMBINE = {"add": "{0} + {1}", "sub": "{0} - {1}", "mul": "{0} * {1}"}
COMBINE |= {"min": "Math.min({0}, {1})", "max": "Math.max({0}, {1})"}


def _positions(body: Body, indices: Value, batch, targets, clamp: dict[int, int] | None):
    """The start position along each indexed dimension, as an integer constant of the loop body."""
    places = {}
    for k, axis in enumerate(map(int, targets)):  # those of a batched scatter are NumPy's
        at = (*batch, Affine(k))
        text = body.element(indices, at)
        if clamp is not None:
            text = f"Math.max(0, Math.min({text}, {clamp[axis]}))"
        if not re.fullmatch(r"[A-Za-z]\w*", text):
            text = body.temporary(text, body.level(at), "at")
        body.opaque.setdefault(text, body.level(at))
        places[axis] = Affine.var(text)
    return places


def _inside(places: dict[int, Affine], room: dict[int, int]) -> str:
    """The condition that every window lies in its array."""
    return " && ".join(f"{p} >= 0 && {p} <= {room[axis]}" for axis, p in places.items())


def _fill(node: Node, dtype: str) -> str:
    value = node.params["fill_value"]
    if value is None:
        value = np.nan if dtype == "float32" else np.dtype(dtype).type(0)
        if dtype != "float32":
            value = True if dtype == "bool" else _extreme(dtype)
    return number(np.asarray(value, dtype)[()])


def _extreme(dtype: str) -> int:
    info = np.iinfo(dtype)
    return info.min if info.min < 0 else info.max


@rule("gather")
def gather(emitter: Emitter, node: Node, values: list[Value]) -> list[Value]:
    """Windows at computed places, as array indexing makes them."""
    operand, indices = values
    numbers, sizes = node.params["dimension_numbers"], node.params["slice_sizes"]
    fill = "FILL" in str(node.params["mode"])
    hidden = (*numbers.collapsed_slice_dims, *numbers.operand_batching_dims)
    shown = [axis for axis in range(len(operand.shape)) if axis not in hidden]
    room = {axis: operand.shape[axis] - size for axis, size in enumerate(sizes)}

    def element(body: Body, index) -> str:
        batch = [p for axis, p in enumerate(index) if axis not in numbers.offset_dims]
        offset = [index[axis] for axis in numbers.offset_dims]
        clamp = None if fill else room
        places = _positions(body, indices, batch, numbers.start_index_map, clamp)
        at = dict(zip(shown, offset, strict=True))
        for axis, source in zip(
            numbers.operand_batching_dims, numbers.start_indices_batching_dims, strict=True
        ):
            at[axis] = batch[source]
        for axis, place in places.items():
            at[axis] = at.get(axis, Affine()) + place
        text = body.element(operand, position(len(operand.shape), at))
        if fill and places:
            return f"{_inside(places, room)} ? {text} : {_fill(node, operand.dtype)}"
        return text

    lazy = Lazy(node.outputs[0].shape, operand.dtype, element=element)
    return [emitter.store(lazy, emitter.destination(node))]


@rule("scatter", "scatter-add", "scatter-sub", "scatter-mul", "scatter-min", "scatter-max")
def scatter(emitter: Emitter, node: Node, values: list[Value]) -> list[Value]:
    """Write or accumulate windows at computed places; windows that stick out are dropped."""
    operand, indices, updates = values
    if node in emitter.in_place and operand.buffer in updates.reads | indices.reads:
        updates = emitter.store(updates, emitter.allocate(updates.shape, updates.dtype, "update"))
        indices = emitter.store(indices, emitter.allocate(indices.shape, indices.dtype, "index"))
    _check_scatter(node)
    into = emitter.overwritten(node, operand)
    at = _scatter_places(node, operand, indices, updates)

    def inside(body: Body, index) -> str:
        place, guard = at(body, index[0])
        target = f"{into.buffer}[{body.use(into.address(place))}]"
        text = _combined(node, target, body.element(updates, index[0]), operand.dtype)
        return f"{guard}{target} = {text};"

    emitter.nest([updates.shape], inside)
    return [into]


def _scatter_places(node: Node, operand: Value, indices: Value, updates: Value):
    """For an element of the updates: where it goes, and the condition that it goes anywhere."""
    numbers, rank = node.params["dimension_numbers"], len(operand.shape)
    hidden = (*numbers.inserted_window_dims, *numbers.operand_batching_dims)
    shown = [axis for axis in range(rank) if axis not in hidden]
    widths = dict(zip(shown, (updates.shape[a] for a in numbers.update_window_dims), strict=True))
    room = {axis: size - widths.get(axis, 1) for axis, size in enumerate(operand.shape)}
    clip = "CLIP" in str(node.params["mode"])

    def at(body: Body, index):
        batch = [p for a, p in enumerate(index) if a not in numbers.update_window_dims]
        targets = numbers.scatter_dims_to_operand_dims
        starts = _positions(body, indices, batch, targets, room if clip else None)
        place = dict(zip(shown, (index[a] for a in numbers.update_window_dims), strict=True))
        for axis, source in zip(
            numbers.operand_batching_dims, numbers.scatter_indices_batching_dims, strict=True
        ):
            place[axis] = batch[source]
        for axis, start in starts.items():
            place[axis] = place.get(axis, Affine()) + start
        guard = f"if ({_inside(starts, room)}) " if starts and not clip else ""
        return position(rank, place), guard

    return at


def _combined(node: Node, old: str, new: str, dtype: str) -> str:
    kind = re.split("[-_]", node.op)[-1]
    if kind == "scatter":
        return new
    if dtype == "bool":
        raise node.refuse(f"is not known for {dtype}", "accumulate in int32")
    return ROUND[dtype].format(COMBINE[kind].format(old, f"({new})"))


def _check_scatter(node: Node) -> None:
    jaxpr = node.params.get("update_jaxpr")
    if node.op == "scatter" and jaxpr is not None and jaxpr.outvars[0] is not jaxpr.invars[1]:
        raise node.refuse("applies a function", "read, compute, and write with .at[].set()")
