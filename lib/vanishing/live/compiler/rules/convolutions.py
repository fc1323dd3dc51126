"""Convolutions, as one matrix product over what each window sees."""

from __future__ import annotations

import math
from typing import TypeVar

from vanishing.live.compiler.code.emit import Emitter
from vanishing.live.compiler.code.registry import rule
from vanishing.live.compiler.code.values import Affine, Value
from vanishing.live.compiler.graph.nodes import Node, Var
from vanishing.live.compiler.rules.products import dot_general
from vanishing.live.compiler.rules.sliding import Slide, padded

Along = TypeVar("Along", Affine, Slide)


@rule("conv_general_dilated")
def convolution(emitter: Emitter, node: Node, values: list[Value]) -> list[Value]:
    """A convolution, strided, padded, dilated or in groups.

    `out[g, n, p, o] = Σ_{c, k} seen[g, n, p, c, k] kernel[g, c, k, o]`, where g counts groups, n
    examples, c and o channels, p places of the window and k places in it.
    """
    image, kernel = values
    groups = node.params["batch_group_count"] * node.params["feature_group_count"]
    seen, weights = _seen(emitter, node, image, kernel), _weights(node, kernel, groups)
    rank = len(kernel.shape) - 2
    summed = tuple(range(2 + rank, 3 + 2 * rank)), tuple(range(1, 2 + rank))
    shape = (*seen.shape[: 2 + rank], weights.shape[-1])
    product = Node(
        "dot_general",
        [Var(v.shape, v.dtype) for v in (seen, weights)],
        [Var(shape, node.outputs[0].dtype)],
        {"dimension_numbers": (summed, ((0,), (0,)))},
        node.source,
    )
    (result,) = dot_general(emitter, product, [seen, weights])
    examples, channels, *space = node.params["dimension_numbers"].out_spec
    into = emitter.destination(node)

    def place(new):
        at = {examples: new[1], channels: new[0] * weights.shape[-1] + new[-1]}
        return _index(at | dict(zip(space, new[2:-1], strict=True)))

    if math.prod(shape):
        emitter.store(result, into.moved(shape, place))
    return [into]


def _index(positions: dict[int, Along]) -> list[Along]:
    """What belongs to each axis, in their order."""
    return [positions[axis] for axis in sorted(positions)]


def _seen(emitter: Emitter, node: Node, image: Value, kernel: Value) -> Value:
    """What each window sees: `[group, example, *place, channel, *within]`."""
    params = node.params
    batch, channel, *space = params["dimension_numbers"].lhs_spec
    _, inputs, *taps = params["dimension_numbers"].rhs_spec
    grouped = params["batch_group_count"] > 1
    rank, groups = len(taps), params["batch_group_count"] * params["feature_group_count"]
    slides = [
        Slide(kernel.shape[tap], stride, dilation, *padding, spread)
        for tap, stride, dilation, padding, spread in zip(
            taps,
            *(params[name] for name in ("window_strides", "rhs_dilation", "padding")),
            params["lhs_dilation"],
            strict=True,
        )
    ]
    along = {batch: Slide(1), channel: Slide(1)} | dict(zip(space, slides, strict=True))
    wide = emitter.view(padded(emitter, image, _index(along), "0"))
    n = image.shape[batch] // params["batch_group_count"]
    c = kernel.shape[inputs]

    def place(new):
        group, example, within = new[0], new[1], new[2 + rank]
        at = {
            batch: example + group * (n if grouped else 0),
            channel: within + group * (0 if grouped else c),
        }
        for axis, p, k, slide in zip(space, new[2:], new[3 + rank :], slides, strict=False):
            at[axis] = p * slide.stride + k * slide.dilation
        return _index(at)

    places = (node.outputs[0].shape[axis] for axis in params["dimension_numbers"].out_spec[2:])
    return wide.moved((groups, n, *places, c, *(s.size for s in slides)), place)


def _weights(node: Node, kernel: Value, groups: int) -> Value:
    """The kernel: `[group, channel, *within, output channel]`."""
    outputs, inputs, *taps = node.params["dimension_numbers"].rhs_spec
    o = kernel.shape[outputs] // groups
    shape = (groups, kernel.shape[inputs], *(kernel.shape[tap] for tap in taps), o)

    def place(new):
        at = {outputs: new[0] * o + new[-1], inputs: new[1]}
        return _index(at | dict(zip(taps, new[2:-1], strict=True)))

    return kernel.moved(shape, place)
