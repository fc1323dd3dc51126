"""What the measurements mean: findings, quiet where nothing is wrong."""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from vanishing.inspection.records import NATS_PER_DECADE, Finding, Layer, Parameter

if TYPE_CHECKING:
    from vanishing.inspection.report import Report

# Conventions, all of them: where a number becomes a finding. Freshly made networks that train
# well lie far on the other side; `tests/inspection` counts false alarms on twenty of them.
VANISHED_DECADES = 5.0  # between the largest gradient of a layer and the smallest below it
EXPLODED_DECADES = 5.0
DEAD = 0.5  # half of the units: chance alone gives 2^-n with n examples
SATURATED = 0.5
FEW_EXAMPLES = 8  # on fewer, a unit is dead by chance too often
# The cosine between the features of different inputs, where they differ by a hundredth of their
# size: |u − v|² = 2 (1 − u·v) for unit vectors. At four hundredths (0.9992) lie the decoders of
# autoencoders as libraries start them, and they learn.
ALIKE = 1 - 0.01**2 / 2
FLUSHED = 0.05  # of the gradient's entries
LARGE_UPDATE, SMALL_UPDATE = 0.3, 1e-7  # of the weight; about 1e-3 is usual


def findings(report: "Report") -> tuple[Finding, ...]:
    """What is wrong with the network of a report, the gravest first."""
    checks: Sequence[Callable[[Report], Iterator[Finding]]] = (
        _not_a_number,
        _crossed,
        _unused,
        _no_gradient,
        _vanishing,
        _exploding,
        _dead,
        _saturated,
        _collapsed,
        _flushed,
        _updates,
    )
    return tuple(finding for check in checks for finding in check(report))


def decades(log: float) -> float:
    """Powers of ten of a natural logarithm."""
    return log / NATS_PER_DECADE


def place(layer: Layer) -> str:
    """The name of a layer and its turn."""
    return layer.name if layer.index is None else f"{layer.name}, turn {layer.index}"


def _names(names: Sequence[str]) -> str:
    some = list(dict.fromkeys(names))
    return ", ".join(some[:3]) + (f" and {len(some) - 3} more" if len(some) > 3 else "")


def _not_a_number(report: "Report") -> Iterator[Finding]:
    if report.not_a_number:
        yield Finding(
            "not a number",
            _names(report.not_a_number),
            f"{len(report.not_a_number)} of the arrays handed in hold a NaN or an infinity.",
            "Look at the step before this one, or at the data.",
            "your-own-network",
        )
    found = report.culprit
    if found is not None:
        turn = f" (turn {', '.join(map(str, found.turns))})" if found.turns else ""
        hidden = (
            " The loss does not show it, the gradient does." if np.isfinite(report.loss) else ""
        )
        yield Finding(
            "not a number",
            f"{found.where}{turn}",
            f"On the way {'up' if found.direction == 'forward' else 'down'}, the equation "
            f"`{found.operation}` of this line is the first to make {found.made}.{hidden}",
            "Change its input, with a jnp.where before it: one after it does not stop 0 · NaN.",
            "your-own-network",
        )


def _crossed(report: "Report") -> Iterator[Finding]:
    if report.crossed:
        n = report.examples
        yield Finding(
            "every prediction meets every target",
            _names(report.crossed),
            f"Two arrays of {n} entries, of shapes like ({n}, 1) and ({n},), make a table of "
            f"({n}, {n}): its mean is least where all predictions are the mean of all targets.",
            "Give both one shape, as in prediction[:, 0]; leave it if all pairs are meant.",
            "your-own-network",
        )


def _unused(report: "Report") -> Iterator[Finding]:
    unused = [parameter.name for parameter in report.parameters.values() if not parameter.used]
    if unused:
        yield Finding(
            "nothing depends on it",
            _names(unused),
            f"The loss does not depend on {len(unused)} of {len(report.parameters)} parameters: "
            "JAX gives a gradient of zeros and says nothing.",
            "Call the module that owns it, or look for a stop_gradient on the way.",
            "chain-rule",
        )


def _no_gradient(report: "Report") -> Iterator[Finding]:
    def silent(parameter: Parameter) -> bool:
        return parameter.used and parameter.share_zero == 1

    asleep = [parameter for parameter in report.parameters.values() if silent(parameter)]
    # A branch whose last weight starts at zero gives no gradient to the rest of it, on purpose.
    gate = any(p.rms == 0 and not silent(p) for p in report.parameters.values() if _is_weight(p))
    if asleep and not gate:
        yield Finding(
            "gradient exactly zero",
            _names([parameter.name for parameter in asleep]),
            f"Every entry of the gradient of {len(asleep)} parameters is zero, on this batch.",
            "Look at the activation above it: all its units may be dead, or a mask hides it.",
            "dead-neurons",
        )


def _is_weight(parameter: Parameter) -> bool:
    return len(parameter.shape) > 1 or parameter.name.endswith(("scale", "gamma", "weight"))


def _sized(report: "Report") -> list[Layer]:
    """The layers on the way down; of one turn of a loop, that which the gradient reaches best.

    A gate's gradient is small beside that of the state, and nothing hangs on it.
    """
    layers = [
        layer
        for layer in report.layers
        if layer.kind == "layer" and np.isfinite(layer.log_gradient_rms)
    ]
    turns: list[list[Layer]] = []
    for layer in layers:
        if turns and layer.index is not None and turns[-1][0].index == layer.index:
            turns[-1].append(layer)
        else:
            turns.append([layer])
    return [max(turn, key=lambda layer: layer.log_gradient_rms) for turn in turns]


def _vanishing(report: "Report") -> Iterator[Finding]:
    layers = _sized(report)
    if len(layers) < 2:
        return
    sizes = np.array([layer.log_gradient_rms for layer in layers])
    above = np.maximum.accumulate(sizes[::-1])[::-1]  # the largest from here to the loss
    lost = above - sizes
    worst = int(np.argmax(lost))
    if decades(lost[worst]) > VANISHED_DECADES:
        yield Finding(
            "vanishing gradient",
            place(layers[worst]),
            f"Its gradient is 10^{-decades(lost[worst]):.1f} of the largest nearer to the loss "
            f"(RMS 10^{decades(sizes[worst]):.1f}).",
            "Larger weights, an activation with a larger slope, or a residual connection.",
            "chain-rule",
        )


def _exploding(report: "Report") -> Iterator[Finding]:
    layers = _sized(report)
    if len(layers) < 2:
        return
    sizes = np.array([layer.log_gradient_rms for layer in layers])
    above = np.minimum.accumulate(sizes[::-1])[::-1]
    grown = sizes - above
    worst = int(np.argmax(grown))
    # A layer that has vanished above this one makes this one large beside it, not exploded.
    if decades(grown[worst]) > EXPLODED_DECADES and sizes[worst] > sizes[-1]:
        yield Finding(
            "exploding gradient",
            place(layers[worst]),
            f"Its gradient is 10^{decades(grown[worst]):.1f} times the smallest nearer to the "
            f"loss (RMS 10^{decades(sizes[worst]):.1f}).",
            "Smaller weights, normalisation, or branches scaled down; clipping hides it.",
            "propagation",
        )


def _dead(report: "Report") -> Iterator[Finding]:
    if report.examples is not None and report.examples < FEW_EXAMPLES:
        return
    dead = [layer for layer in report.layers if layer.dead_fraction >= DEAD]
    dead = [layer for layer in dead if not layer.squashes]
    if dead:
        worst = max(dead, key=lambda layer: layer.dead_fraction)
        yield Finding(
            "dead units",
            _names([layer.name for layer in dead]),
            f"{worst.dead_fraction:.0%} of the units of {place(worst)} have slope zero on every "
            "example of this batch.",
            "He initialisation, a smaller learning rate, or an activation that leaks.",
            "dead-neurons",
        )


def _saturated(report: "Report") -> Iterator[Finding]:
    flat = [
        layer for layer in report.layers if layer.squashes and layer.saturated_fraction >= SATURATED
    ]
    if flat:
        worst = max(flat, key=lambda layer: layer.saturated_fraction)
        yield Finding(
            "saturated activations",
            _names([layer.name for layer in flat]),
            f"{worst.saturated_fraction:.0%} of the entries of {place(worst)} have less than a "
            "hundredth of its largest slope.",
            "Smaller weights, inputs scaled to unit variance, or normalisation before it.",
            "activations",
        )


def _collapsed(report: "Report") -> Iterator[Finding]:
    # Of layers alone: a sigmoid's output is near ½ for every input, and what the next layer makes
    # of it may still tell them apart.
    layers = [layer for layer in report.layers if layer.kind == "layer"]
    seen = [layer for layer in layers if np.isfinite(layer.feature_correlation)]
    alike = [layer for layer in seen if layer.feature_correlation > ALIKE]
    # A gate that its bias holds open is alike on all inputs, and does no harm: what counts is
    # whether the last layer still tells them apart.
    if alike and seen[0].feature_correlation <= ALIKE < seen[-1].feature_correlation:
        yield Finding(
            "inputs become alike",
            _names([layer.name for layer in alike]),
            f"From {place(alike[0])} on, the mean cosine between the features of different "
            f"inputs is {alike[0].feature_correlation:.6f}.",
            "Weights nearer the edge of chaos, residual connections, or fewer layers.",
            "propagation",
        )


def _flushed(report: "Report") -> Iterator[Finding]:
    for kind in sorted({parameter.dtype for parameter in report.parameters.values()}):
        rows = [p for p in report.parameters.values() if p.dtype == kind]
        name = {"float8_e4m3fn": "float8_e4m3"}.get(kind, kind)
        rows = [p for p in rows if p.share_underflow.get(name, 0) > FLUSHED]
        if rows:
            worst = max(rows, key=lambda p: p.share_underflow[name])
            yield Finding(
                f"gradients below {kind}",
                _names([parameter.name for parameter in rows]),
                f"{worst.share_underflow[name]:.0%} of the gradient of {worst.name} would round "
                f"to zero; with a loss scale of {report.loss_scale[name]:g}, "
                f"{worst.share_rescued[name]:.0%}.",
                f"Multiply the loss by {report.loss_scale[name]:g} and divide its gradients.",
                "activations",
            )


def _updates(report: "Report") -> Iterator[Finding]:
    rows = [
        p
        for p in report.parameters.values()
        if len(p.shape) > 1 and p.rms > 0 and p.used and np.isfinite(p.update_ratio)
    ]
    large = [p for p in rows if p.update_ratio > LARGE_UPDATE]
    # Where the gradient is zero everywhere, so is the update: `_no_gradient` says whether that is
    # meant (a branch whose last scale starts at zero).
    small = [p for p in rows if p.update_ratio < SMALL_UPDATE and p.share_zero < 1]
    for some, word, remedy in (
        (large, "large", "A smaller learning rate, or a warm-up."),
        (small, "small", "A larger learning rate, or find where the gradient goes."),
    ):
        if some:
            ratios = [p.update_ratio for p in some]
            worst = max(ratios) if word == "large" else min(ratios)
            yield Finding(
                f"{word} updates",
                _names([p.name for p in some]),
                f"One step changes a weight by {worst:.1e} of its size; about 1e-3 is usual.",
                remedy,
                "no-learning",
            )
