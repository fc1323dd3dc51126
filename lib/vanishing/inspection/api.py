"""What a reader calls: `inspect` once, `watch` in a training loop."""

from collections.abc import Callable
from dataclasses import replace

import jax

from vanishing._checks import whole
from vanishing.inspection import inputs
from vanishing.inspection.findings import findings
from vanishing.inspection.instrument import Instrument
from vanishing.inspection.report import Report


def inspect(loss: Callable, params, *batch, optimizer=None, optimizer_state=None) -> Report:
    """Measure every layer of a loss, whatever it was written with.

    The loss is traced, not changed: a layer is a product of something that touches data with
    something made of parameters alone, and an activation is an elementwise non-linear function,
    told by its slope. The backward pass

        δ_{l-1} = J_lᵀ δ_l

    divides each cotangent by a power of two before it can leave the range of float32 and carries
    the exponent beside it, which is exact, for a pull-back is linear. A gradient of 1e-1000 is
    measured as well as one of 1.

    Args:
        loss: loss(params, *batch) → scalar. Statistics that change and keys for dropout are part
            of the batch.
        params: pytree of float arrays. Of an Equinox module pass what
            `eqx.partition(model, eqx.is_inexact_array)` gives, of Flax nnx what
            `nnx.split(model, nnx.Param, ...)` gives.
        batch: pytrees of arrays.
        optimizer: an optax optimiser, to measure the size of its update.
        optimizer_state: its state; that of its first step where None.

    Returns:
        A `Report`. Nothing of the caller's is changed.

    Raises:
        TypeError, ValueError: a loss that is not one float or that JAX cannot trace; parameters
            that are no float arrays.
        NotImplementedError: a `while` loop on the way from a parameter to the loss, which has no
            backward pass in JAX either.

    Sixty sigmoid layers: `jax.grad` in float32 reads zero at the first, the report does not.

    >>> keys = jax.random.split(jax.random.key(0), 60)
    >>> params = [jax.random.normal(key, (16, 16)) / 4 for key in keys]
    >>> def loss(params, x):
    ...     for weight in params:
    ...         x = jax.nn.sigmoid(x @ weight)
    ...     return jnp.mean(x)
    >>> report = vg.inspect(loss, params, jnp.ones((8, 16)))
    >>> report.layers[0].kind, report.layers[0].parameter
    ('layer', '[0]')
    >>> float(jnp.max(jnp.abs(jax.grad(loss)(params, jnp.ones((8, 16)))[0]))) < 1e-37
    True
    >>> -140 < report.parameters["[0]"].log_gradient_rms < -80
    True
    """
    instrument = Instrument(loss, params, batch, optimizer)
    return read(instrument, params, batch, optimizer_state)


def read(instrument: Instrument, params, batch, state=None) -> Report:
    """The report of one measurement; an `Instrument` measures again without compiling again."""
    found = instrument(params, batch, state)
    report = Report(
        loss=found.loss,
        layers=tuple(instrument.layers(found)),
        parameters=instrument.parameters(found, params),
        loss_scale=instrument.loss_scale(found),
        examples=instrument.batch_size,
        crossed=instrument.crossed,
    )
    spoilt = not report.finite
    report = replace(
        report,
        not_a_number=inputs.not_finite(params, batch) if spoilt else (),
        culprit=instrument.culprit(params, batch, found.loss) if spoilt else None,
    )
    return replace(report, findings=findings(report))


def watch(loss: Callable, every: int = 100, optimizer=None) -> Callable[..., dict | None]:
    """A function to call at each step of a training loop, for a logger.

    Args:
        loss: as in `inspect`.
        every: measure on the first call and on every `every`-th after it.
        optimizer: as in `inspect`.

    Returns:
        watched(params, *batch) → None, or a flat dict of floats: `loss`, and for each parameter
        `gradient/<name>` and `weight/<name>` (natural logarithms of the RMS of the gradient, RMS
        of the weight), with an optimiser `update/<name>`, and for each activation `dead/<name>`
        and `saturated/<name>` (of the mean over turns where it stands in a loop).

    Raises:
        TypeError, ValueError: `every` is not a positive integer; and as in `inspect`.

    >>> watched = vg.watch(lambda w, x: jnp.mean((x @ w) ** 2), every=2)
    >>> logs = [watched(jnp.ones((2, 1)), jnp.ones((4, 2))) for _ in range(3)]
    >>> [log is None for log in logs], logs[0]["loss"]
    ([False, True, False], 4.0)
    """
    every = whole("every", every, 1)
    made: dict = {}
    calls = 0

    def watched(params, *batch) -> dict[str, float] | None:
        nonlocal calls
        calls += 1
        if (calls - 1) % every:
            return None
        key = _shapes(params), _shapes(batch)
        if key not in made:
            made[key] = Instrument(loss, params, batch, optimizer)
        return _flat(read(made[key], params, batch, None), optimizer is not None)

    return watched


def _shapes(tree):
    leaves, structure = jax.tree.flatten(tree)
    return structure, tuple((jax.numpy.shape(a), str(jax.numpy.result_type(a))) for a in leaves)


def _flat(report: Report, updates: bool) -> dict[str, float]:
    made = {"loss": report.loss}
    for parameter in report.parameters.values():
        made[f"gradient/{parameter.name}"] = parameter.log_gradient_rms
        made[f"weight/{parameter.name}"] = parameter.rms
        if updates:
            made[f"update/{parameter.name}"] = parameter.update_ratio
    turns: dict[str, list] = {}
    for layer in report.layers:
        if layer.kind == "activation":
            turns.setdefault(layer.name, []).append(layer)
    for name, layers in turns.items():
        made[f"dead/{name}"] = sum(x.dead_fraction for x in layers) / len(layers)
        made[f"saturated/{name}"] = sum(x.saturated_fraction for x in layers) / len(layers)
    return made
