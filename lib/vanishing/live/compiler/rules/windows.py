"""Convolutions and pooling: what a window sees as it slides over an array.

A sliding window is an array with twice the spatial dimensions, where the window lies and where in
the window one looks. Both step evenly through memory, so that it costs nothing until it is read.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from vanishing.live.compiler.code.emit import Emitter
from vanishing.live.compiler.code.registry import rule
from vanishing.live.compiler.code.values import Affine, Body, Scalar, Value, View
from vanishing.live.compiler.graph.nodes import Node, Var
from vanishing.live.compiler.rules.arrays import surround
from vanishing.live.compiler.rules.products import dot_general
from vanishing.live.compiler.rules.reductions import known_step, reduce


@dataclass(frozen=True)
class Slide:
    """How a window slides along one dimension.

    Attributes:
        size: of the window, in elements.
        stride: from one place of the window to the next.
        dilation: from one element of the window to the next.
        low: padding before the array.
        high: padding after the array.
        spread: from one element of the array to the next; the gaps are padding.
    """

    size: int
    stride: int = 1
    dilation: int = 1
    low: int = 0
    high: int = 0
    spread: int = 1

    def padded(self, length: int) -> int:
        """How long a dimension is with its padding."""
        return (
            max(0, self.low + self.high + (length - 1) * self.spread + 1)
            if length
            else (max(0, self.low + self.high))
        )

    def places(self, length: int) -> int:
        """How many places of the window there are."""
        room = self.padded(length) - ((self.size - 1) * self.dilation + 1)
        return max(0, room // self.stride + 1) if room >= 0 else 0


def _padded(emitter: Emitter, value: Value, slides: list[Slide], filling: str) -> Value:
    """The array with its padding; itself, if it has none."""
    configuration = [(s.low, s.high, s.spread - 1) for s in slides]
    if not any(map(any, configuration)):
        return value
    shape = tuple(s.padded(size) for s, size in zip(slides, value.shape, strict=True))
    into = emitter.allocate(shape, value.dtype, "padded")
    return surround(emitter, value, Scalar((), value.dtype, text=filling), configuration, into)


def _slides(params: dict, low_high) -> list[Slide]:
    """The sliding of a pooling window, dimension by dimension."""
    sizes = params["window_dimensions"]
    ones = (1,) * len(sizes)
    return [
        Slide(size, stride, dilation, low, high, spread)
        for size, stride, dilation, (low, high), spread in zip(
            sizes,
            params["window_strides"],
            params.get("window_dilation", ones),
            low_high,
            params.get("base_dilation", ones),
            strict=True,
        )
    ]


@rule("reduce_window_sum", "reduce_window_max", "reduce_window_min")
def pool(emitter: Emitter, node: Node, values: list[Value]) -> list[Value]:
    """The sum (the largest, the smallest) of what each window sees."""
    (value,), kind = values, node.op.removeprefix("reduce_window_")
    slides = _slides(node.params, node.params["padding"])
    padded = emitter.view(_padded(emitter, value, slides, known_step(node, kind, value.dtype)[0]))
    places, rank = node.outputs[0].shape, len(slides)

    def index(new):
        return [
            p * s.stride + k * s.dilation
            for p, k, s in zip(new[:rank], new[rank:], slides, strict=True)
        ]

    seen = padded.moved((*places, *(s.size for s in slides)), index)
    return [reduce(emitter, node, seen, kind, tuple(range(rank, 2 * rank)))]


def _choice(node: Node, operand: View, slides: list[Slide], best: str, place: str):
    """The statement that compares one element of a window with the best so far.

    The first element inside of the array is the first best; padding is never chosen.
    """
    keeps = {"ge": ">=", "le": "<="}[node.params["select_prim"].name]

    def inside(body: Body, index) -> str:
        at, bounds = [], []
        for p, k, slide, size in zip(*index, slides, operand.shape, strict=True):
            position = p * slide.stride + k * slide.dilation + -slide.low
            at.append(position)
            if slide.low > 0 or slide.high > 0:
                bounds.append(f"{body.use(position)} >= 0 && {position} < {size}")
        address = body.use(operand.address(tuple(at)))
        candidate = f"{operand.buffer}[{address}]"
        better = f"({place} < 0 || !({best} {keeps} {candidate}))"
        test = " && ".join([*bounds, better])
        return f"if ({test}) {{ {best} = {candidate}; {place} = {address}; }}"

    return inside


@rule("select_and_scatter_add")
def unpool(emitter: Emitter, node: Node, values: list[Value]) -> list[Value]:
    """Add each number to the element that its window chose: the gradient of pooling."""
    source, operand = values
    slides = _slides(node.params, node.params["padding"])
    operand = emitter.dense(operand)
    into = emitter.destination(node)
    emitter.store(Scalar(into.shape, into.dtype, text="0"), into)
    if not into.whole:
        raise node.refuse("writes into a part of an array", "store the result first")
    best, place = emitter.fresh("best"), emitter.fresh("place")
    start = operand.offset

    def after(body: Body, index) -> str:
        target = (
            f"{into.buffer}[{place} - ({start})]"
            if str(start) != "0"
            else f"{into.buffer}[{place}]"
        )
        return f"if ({place} >= 0) {target} = f({target} + {body.element(source, index[0])});"

    if source.size:
        emitter.nest(
            [source.shape, tuple(s.size for s in slides)],
            _choice(node, operand, slides, best, place),
            before=f"let {best} = 0, {place} = -1;",
            after=after,
        )
    return [into]


@rule("select_and_gather_add")
def choose(emitter: Emitter, node: Node, values: list[Value]) -> list[Value]:
    """From each window the tangent of the element that it chose."""
    tangents, operand = values
    slides = _slides(node.params, node.params["padding"])
    if any(s.spread != 1 for s in slides):
        raise node.refuse("spreads its operand", "pool without base_dilation")
    operand, into = emitter.dense(operand), emitter.destination(node)
    tangents = emitter.store(tangents, emitter.allocate(operand.shape, tangents.dtype, "tangents"))
    best, place, start = emitter.fresh("best"), emitter.fresh("place"), operand.offset

    def after(body: Body, index) -> str:
        target = f"{into.buffer}[{body.use(into.address(index[0]))}]"
        return f"{target} = {place} < 0 ? 0 : {tangents.buffer}[{place} - ({start})];"

    emitter.nest(
        [node.outputs[0].shape, tuple(s.size for s in slides)],
        _choice(node, operand, slides, best, place),
        before=f"let {best} = 0, {place} = -1;",
        after=after,
    )
    return [into]


@rule("conv_general_dilated")
def convolution(emitter: Emitter, node: Node, values: list[Value]) -> list[Value]:
    """A convolution as one matrix product over what each window sees.

    `out[g, n, o, p] = Σ_{c, k} seen[g, n, p, c, k] kernel[g, c, k, o]`, where g counts groups, n
    examples, c and o channels, p places of the window and k places in it.
    """
    params = node.params
    (batch, channel, *space), (out, in_, *taps), (into_n, into_o, *into_p) = params[
        "dimension_numbers"
    ]
    image, kernel = values
    examples, channels = params["batch_group_count"], params["feature_group_count"]
    groups = examples * channels
    slides = [
        Slide(kernel.shape[tap], stride, dilation, low, high, spread)
        for tap, stride, dilation, (low, high), spread in zip(
            taps,
            params["window_strides"],
            params["rhs_dilation"],
            params["padding"],
            params["lhs_dilation"],
            strict=True,
        )
    ]
    along = {axis: Slide(1) for axis in (batch, channel)} | dict(zip(space, slides, strict=True))
    padded = emitter.view(_padded(emitter, image, [along[a] for a in range(len(image.shape))], "0"))
    n, c, o = image.shape[batch] // examples, kernel.shape[in_], kernel.shape[out] // groups
    places = tuple(node.outputs[0].shape[axis] for axis in into_p)
    sizes, rank = tuple(s.size for s in slides), len(slides)

    def seen(new):
        g, example, p, within, k = new[0], new[1], new[2 : 2 + rank], new[2 + rank], new[3 + rank :]
        at = [Affine()] * len(image.shape)
        at[batch] = example + (g * n if examples > 1 else 0)
        at[channel] = within + (g * c if channels > 1 else 0)
        for axis, place, tap, slide in zip(space, p, k, slides, strict=True):
            at[axis] = place * slide.stride + tap * slide.dilation
        return at

    def weights(new):
        at = [Affine()] * len(kernel.shape)
        at[out], at[in_] = new[0] * o + new[-1], new[1]
        for axis, tap in zip(taps, new[2:-1], strict=True):
            at[axis] = tap
        return at

    left = padded.moved((groups, n, *places, c, *sizes), seen)
    right = kernel.moved((groups, c, *sizes, o), weights)
    summed = tuple(range(2 + rank, 3 + 2 * rank)), tuple(range(1, 2 + rank))
    shape = (groups, n, *places, o)
    product = Node(
        "dot_general",
        [Var(v.shape, v.dtype) for v in (left, right)],
        [Var(shape, node.outputs[0].dtype)],
        {"dimension_numbers": (summed, ((0,), (0,)))},
        node.source,
    )
    (result,) = dot_general(emitter, product, [left, right])
    into = emitter.destination(node)

    def target(new):
        at = [Affine()] * len(into.shape)
        at[into_n], at[into_o] = new[1], new[0] * o + new[-1]
        for axis, place in zip(into_p, new[2:-1], strict=True):
            at[axis] = place
        return at

    if math.prod(shape):
        emitter.store(result, into.moved(shape, target))
    return [into]
