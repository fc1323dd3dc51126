"""The compiled measurement of one loss, in programs for its segments, and what it found."""

from collections.abc import Callable, Sequence
from types import MappingProxyType
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from vanishing.inspection import inputs, measure, nonfinite, parameters, scaled, segments
from vanishing.inspection.crossings import crossings
from vanishing.inspection.plan import plan
from vanishing.inspection.records import Histogram, Layer, Parameter
from vanishing.inspection.taps import Tap

LN2 = float(np.log(2))


class Measured(NamedTuple):
    """What the compiled functions have measured.

    Attributes:
        loss: the loss.
        largest: the exponent of two of the largest gradient entry of all parameters.
        taps: (number of the tap, quantity) → name → array over the turns of loops.
        parameters: (number of the parameter, quantity) → name → array.
    """

    loss: float
    largest: int
    taps: dict[tuple[int, str], dict]
    parameters: dict[tuple[int, str], dict]


class Instrument:
    """A loss function, traced for parameters and data of given shapes, ready to be measured.

    Args:
        loss: loss(params, *batch) → scalar.
        params: the parameters, a pytree of float arrays.
        batch: the data, pytrees of arrays.
        optimizer: an optax optimiser, or None.
    """

    def __init__(self, loss: Callable, params, batch: Sequence, optimizer=None) -> None:
        self.names, leaves = inputs.parameters(params)
        self.tree = jax.tree.structure(params)
        data, self.data_tree = jax.tree.flatten(tuple(batch))
        self.optimizer = optimizer
        self.batch_size = inputs.batch_size(data)

        def flat(*arrays):
            params = jax.tree.unflatten(self.tree, arrays[: len(leaves)])
            return loss(params, *jax.tree.unflatten(self.data_tree, arrays[len(leaves) :]))

        self.closed = inputs.traced(loss, flat, [*leaves, *data])
        self.sizes = [leaf.size for leaf in leaves]
        self.plan = plan(self.closed, self.sizes, len(data))
        self.crossed = tuple(
            equation.line for equation in crossings(self.plan.level, self.batch_size)
        )
        self._segments = segments.segments(self.plan.steps, measure.at_taps(self.batch_size))
        # Of NumPy's arrays each call would make a copy.
        constants = self.plan.level.graph.constants
        self._constants = {value: jnp.asarray(array) for value, array in constants.items()}
        first = segments.leaves(self._segments, self.plan.level, len(leaves))
        self._groups = parameters.groups(first, leaves)
        self._updates = jax.jit(self._updates)

    @property
    def programs(self) -> set[segments.Program]:
        """One for each kind of segment."""
        return {segment.program for segment in self._segments}

    def run(self, leaves, data, state):
        """What the programs find, on the device, and the gradients, packed.

        Args:
            leaves: the parameters.
            data: the arrays of the batch.
            state: of the optimiser, or None.
        """
        given = dict(zip(self.plan.level.graph.inputs, [*leaves, *data], strict=True))
        loss, sent, records = segments.walk(self._segments, self._constants | given)
        gradients = [
            sent.get(value) or scaled.zeros(leaf.shape, leaf.dtype).packed()
            for value, leaf in zip(given, leaves, strict=False)
        ]
        updates = [] if self.optimizer is None else self._updates(leaves, gradients, state)
        largest, found = parameters.statistics(self._groups, leaves, gradients, updates)
        return (loss, largest, records, found), gradients

    def _updates(self, leaves, gradients, state) -> list:
        """What the optimiser would add to each parameter."""
        params = jax.tree.unflatten(self.tree, leaves)
        true = jax.tree.unflatten(self.tree, map(_unscaled, gradients))
        state = self.optimizer.init(params) if state is None else state
        updates, _ = self.optimizer.update(true, state, params)
        return self.tree.flatten_up_to(updates)

    def __call__(self, params, batch: Sequence, state=None) -> "Measured":
        """Measure; NumPy arrays."""
        leaves = [jnp.asarray(inputs.whole(leaf)) for leaf in self.tree.flatten_up_to(params)]
        data = [inputs.whole(array) for array in self.data_tree.flatten_up_to(tuple(batch))]
        measured, gradients = self.run(leaves, data, state)
        loss, largest, taps, found = jax.device_get(measured)
        of_parameters = parameters.read(self._groups, found, gradients)
        return Measured(float(loss), int(largest), _by_label(taps), of_parameters)

    def culprit(self, params, batch: Sequence, loss: float) -> nonfinite.Culprit | None:
        """The first equation that makes a NaN or an infinity; slow, for it walks one by one."""
        arguments = [*self.tree.flatten_up_to(params), *self.data_tree.flatten_up_to(tuple(batch))]
        fine = plan(self.closed, self.sizes, len(arguments) - len(self.sizes), fine=True)
        arguments = [jnp.asarray(array) for array in arguments]
        return nonfinite.culprit(fine.steps, arguments, bool(np.isfinite(loss)))

    def layers(self, found: Measured) -> list[Layer]:
        """The records of the taps, in the order of the forward pass."""
        return [
            self._layer(tap, found.taps, index)
            for group in _by_loop(self.plan.taps, found.taps)
            for tap, index in group
        ]

    def _layer(self, tap: Tap, found: dict, index: tuple[int, ...]) -> Layer:
        leaf = None if tap.leaf is None else self.names[tap.leaf]
        name = "" if leaf is None else inputs.readable(leaf)
        if tap.function is not None:
            name = f"{name} → {tap.function}" if name else tap.function

        def read(what: str, name: str) -> float:
            record = found.get((tap.number, what), {})
            return float(record[name][index]) if name in record else float("nan")

        def histogram(what: str, exponent: float) -> Histogram:
            return _histogram(found[tap.number, what]["counts"][index].tolist(), exponent)

        signal = read("activation", "exponent")
        gradient = read("gradient", "exponent") + read("carried", "exponent")
        return Layer(
            name=name,
            kind=tap.kind,
            parameter=leaf,
            index=None if not index else index[0] if len(index) == 1 else index,
            log_activation_rms=_log(read("activation", "rms"), signal),
            dead_fraction=read("slope", "dead_fraction"),
            saturated_fraction=read("slope", "saturated_fraction"),
            log_gradient_rms=_log(read("gradient", "rms"), gradient),
            feature_correlation=read("activation", "alike"),
            gradient_correlation=read("gradient", "alike"),
            activation_histogram=histogram("activation", signal),
            gradient_histogram=histogram("gradient", gradient),
            function=tap.function,
            squashes=tap.squashes,
            where=tap.equation.line,
        )

    def parameters(self, found: Measured, params) -> dict[str, Parameter]:
        """The records of the parameters, by `jax.tree_util.keystr` of their paths."""
        made = {}
        for number, (name, leaf) in enumerate(
            zip(self.names, self.tree.flatten_up_to(params), strict=True)
        ):
            weight, gradient = (found.parameters[number, k] for k in ("weight", "gradient"))
            log_rms = _log(weight["rms"], weight["exponent"])
            made[name] = Parameter(
                name=inputs.readable(name),
                shape=tuple(leaf.shape),
                dtype=str(leaf.dtype),
                log_gradient_rms=_log(gradient["rms"], gradient["exponent"]),
                rms=float(np.exp(log_rms)),
                share_zero=float(gradient["share_zero"]),
                share_underflow=_by_format(gradient["flushed"]),
                share_rescued=_by_format(gradient["rescued"]),
                update_ratio=_ratio(found.parameters.get((number, "update")), log_rms),
                used=number not in self.plan.unused,
            )
        return made

    def loss_scale(self, found: Measured) -> dict[str, float]:
        """By number format, the largest loss scale that leaves room for the largest gradient."""
        exponents = {
            name: min(max(high - parameters.HEADROOM - found.largest, 0), parameters.MOST)
            for name, (_, high) in parameters.FORMATS.items()
        }
        return {name: float(np.exp2(exponent)) for name, exponent in exponents.items()}


def _by_loop(taps: Sequence[Tap], found: dict):
    """Taps that stand in one loop together, turn by turn; others alone."""
    groups: list[list[Tap]] = []
    for tap in taps:
        if (tap.number, "gradient") not in found:  # behind `stop_gradient`: nothing comes back
            continue
        if groups and tap.loop is not None and groups[-1][0].loop is tap.loop:
            groups[-1].append(tap)
        else:
            groups.append([tap])
    for group in groups:
        turns = list(np.ndindex(np.shape(found[group[0].number, "gradient"]["rms"])))
        order = reversed(turns) if group[0].backwards else turns
        yield [(tap, index) for index in order for tap in group]


def _unscaled(gradient: tuple):
    """The gradient as the reader's own float arithmetic would have it, zeros and all."""
    value, exponent = scaled.normalise(scaled.unpacked(gradient)).packed()
    for _ in range(2):  # 2^exponent may be out of range where value · 2^exponent is not
        part = jnp.clip(exponent, -126, 126)
        value = scaled.times(value, scaled.power_of_two(part))
        exponent = exponent - part
    return value


def _by_label(records: Sequence[measure.Record]) -> dict[tuple[int, str], dict]:
    return {label: found for record in records for label, found in record.read().items()}


def _log(rms, exponent) -> float:
    """ln(rms · 2^exponent), in float64."""
    with np.errstate(divide="ignore"):
        return float(np.log(np.float64(rms)) + LN2 * np.float64(exponent))


def _histogram(counts: Sequence[int], exponent: float) -> Histogram:
    """A histogram of counts from the largest entry's octave down, zeros last."""
    *counts, zeros = counts
    top = exponent + 1 if any(counts) else -np.inf
    edges = LN2 * (top - np.arange(len(counts)))
    return Histogram(tuple(counts[::-1]), (-np.inf, *edges[::-1].tolist()), zeros)


def _by_format(shares) -> MappingProxyType:
    return MappingProxyType(dict(zip(parameters.FORMATS, map(float, shares), strict=True)))


def _ratio(update: dict | None, log_rms: float) -> float:
    """RMS of an update over that of the parameter; infinite where that is zero."""
    if update is None:
        return float("nan")
    log = _log(update["rms"], update["exponent"])
    if np.isneginf(log):
        return 0.0
    return float("inf") if np.isneginf(log_rms) else float(np.exp(log - log_rms))
