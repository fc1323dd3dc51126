"""The training loop: steps scanned on the device, every layer and every unit recorded."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import lax
from jaxtyping import PRNGKeyArray

from vanishing import _checks
from vanishing._progress import bar
from vanishing.datasets import Dataset
from vanishing.network import MLP, Params
from vanishing.training import batches, losses
from vanishing.training.history import History, collect
from vanishing.training.update import (
    OPTIMIZERS,
    Optimizer,
    optimizer_named,
    start,
    update,
    update_and_read,
)

# A run is made in so many calls, and its progress can be shown between two of them.
CHUNKS = 20


@partial(jax.jit, static_argnames=("optimizer", "batch_size", "records"))
def _chunk(
    net, run, data, initial, key, learning_rate, steps, every, *, optimizer, batch_size, records
):
    """`records` records, each followed by up to `every` steps, never past `steps`."""
    rule = optimizer_named(optimizer, learning_rate)

    def draw(state, order):
        return batches.draw(data, order, key=key, step=state.step, size=batch_size)

    def one(run, _):
        state, order = run
        batch, following = (None, order) if batch_size is None else draw(state, order)
        updated, record = update_and_read(net, rule, state, data, initial, batch)
        after = jax.tree.map(
            partial(jnp.where, state.step < steps), (updated, following), (state, order)
        )
        until = jnp.minimum(state.step + every, steps)

        def going(run):
            return (run[0].step < until) & (run[0].trouble == 0)

        def go(run):
            batch, order = draw(*run)
            return update(net, rule, run[0], batch)[0], order

        return lax.while_loop(going, go, after), (state.step, state.trouble, record)

    return lax.scan(one, run, length=records)


def _check_pair(data) -> tuple:
    """x and y of the data; the commonest mistakes are one array, and x, y and something else."""
    if not isinstance(data, tuple | list) or len(data) != 2:
        size = f" of {len(data)}" if isinstance(data, tuple | list | dict) else ""
        raise TypeError(
            f"data: expected a pair (x, y); got {type(data).__name__}{size}. "
            "Pass vanishing.datasets.Dataset(x, y)."
        )
    return tuple(data)


def _check_concrete(**arguments) -> None:
    for name, tree in arguments.items():
        if any(isinstance(leaf, jax.core.Tracer) for leaf in jax.tree.leaves(tree)):
            raise TypeError(
                f"{name}: expected values; got a traced array: train was called inside jax.jit, "
                "vmap or grad. Call it outside, it compiles its own steps; inside, scan over "
                "vanishing.training.update.update."
            )


def _check_key(key) -> None:
    typed = isinstance(key, jax.Array) and jnp.issubdtype(key.dtype, jax.dtypes.prng_key)
    legacy = isinstance(key, jax.Array | np.ndarray) and key.dtype == np.uint32
    if not ((typed and key.shape == ()) or (legacy and key.shape == (2,))):
        raise TypeError(
            f"key: expected one JAX random key; got {key!r} of type {type(key).__name__}. "
            "Pass jax.random.key(0)."
        )


def _check(net, params, data, key, steps, record_every, batch_size):
    """The data as arrays, and the three counts as plain integers: a NumPy one could wrap around."""
    x, y = _check_pair(data)
    _check_concrete(params=params, data=(x, y), key=key)
    _check_key(key)
    x, _ = _checks.inputs(net, params, x, None)
    y = losses.check_targets(net, y, len(x))
    steps = _checks.whole("steps", steps, 1)
    counts = {"record_every": (record_every, steps), "batch_size": (batch_size, len(x))}
    for name, (value, most) in counts.items():
        if value is not None and _checks.whole(name, value, 1) > most:
            raise ValueError(f"{name}: expected at most {most}; got {value}. Pass a smaller one.")
    whole = None if batch_size is None else int(batch_size)
    return Dataset(x, y), steps, int(record_every), whole


def _with_schedule(optimizer, learning_rate):
    """A schedule becomes a part of the transformation; a number stays outside, to be traced."""
    if isinstance(optimizer, str) and callable(learning_rate):
        return OPTIMIZERS[optimizer](learning_rate), None
    return optimizer, learning_rate


def _check_optimizer(optimizer, learning_rate):
    if isinstance(optimizer, optax.GradientTransformation):
        if learning_rate is not None:
            raise ValueError(
                f"learning_rate: expected none beside an optax transformation; got "
                f"{learning_rate}. Give it to the transformation."
            )
    elif not isinstance(optimizer, str) or optimizer not in OPTIMIZERS:
        raise ValueError(
            f"optimizer: expected one of {', '.join(OPTIMIZERS)} or an optax transformation; got "
            f"{optimizer!r}. Check the spelling, or pass optax.sgd(0.1) and the like."
        )
    elif callable(learning_rate):
        first = jax.eval_shape(learning_rate, jnp.zeros((), jnp.int32))
        if getattr(first, "shape", None) != ():
            raise ValueError(
                f"learning_rate: expected a schedule from the step to one number; got {first}. "
                "Try optax.cosine_decay_schedule(0.1, steps)."
            )
    elif learning_rate is None or not _checks.scale("learning_rate", learning_rate) > 0:
        raise ValueError(
            f"learning_rate: expected a number > 0 for {optimizer!r}; got {learning_rate}. "
            "Try learning_rate=0.01."
        )


def train(
    net: MLP,
    params: Params,
    data: Dataset,
    *,
    key: PRNGKeyArray,
    steps: int,
    optimizer: Optimizer = "sgd",
    learning_rate: float | optax.Schedule | None = None,
    record_every: int = 1,
    batch_size: int | None = None,
    progress: bool | None = None,
) -> tuple[Params, History]:
    """Train `net` on `data`, recording every layer and every unit.

    The loss follows from the targets, see `losses.loss`. Records are made before the first step,
    every `record_every` steps and after the last; all of them on the whole of `data`. Two runs
    from the same key agree to the last bit on one machine. A run that leaves the finite numbers
    stops there, and `History.diverged` says where and why.

    Args:
        net: the description.
        params: from `init`; they are not changed.
        data: x and y: integer classes, or floats of the outputs' shape.
        key: JAX random key, for the mini-batches.
        steps: number of updates.
        optimizer: "sgd", "momentum" (0.9), "adam", or an optax transformation.
        learning_rate: for an optimiser given by name: a number, or an optax schedule, which is a
            function from the step.
        record_every: steps between two records.
        batch_size: examples a step, drawn without replacement from one epoch to the next; all
            of them where None.
        progress: show a bar; where None, for runs over two seconds that somebody watches.

    Returns:
        The trained parameters, always finite, and the `History`.

    Raises:
        ValueError, TypeError: an argument is out of range or of the wrong kind.

    >>> data = vg.datasets.digits(500)
    >>> net = vg.MLP(depth=2, width=64, activation="sigmoid", out_features=10)
    >>> params = vg.init(net, key=jax.random.key(0))
    >>> params, history = vg.train(net, params, data, key=jax.random.key(1), steps=200,
    ...                            optimizer="adam", learning_rate=0.01, record_every=100)
    >>> bool(history.accuracy[0] < 0.3), bool(history.accuracy[-1] > 0.9)
    (True, True)
    """
    data, steps, record_every, batch_size = _check(
        net, params, data, key, steps, record_every, batch_size
    )
    _check_optimizer(optimizer, learning_rate)
    optimizer, learning_rate = _with_schedule(optimizer, learning_rate)
    records = 1 + -(-steps // record_every)
    chunk = partial(
        _chunk, optimizer=optimizer, batch_size=batch_size, records=-(-records // CHUNKS)
    )
    rate = 0.0 if learning_rate is None else learning_rate
    state = start(optimizer_named(optimizer, rate), params)
    run = state, batches.start(len(data.x))
    chunks, recorded = [], 0
    with bar(steps, progress) as shown:
        while recorded < records and int(state.trouble) == 0:
            before = int(state.step)
            run, part = chunk(net, run, data, params["weights"], key, rate, steps, record_every)
            state, _ = run
            chunks.append(jax.device_get(part))
            recorded += len(chunks[-1][0])
            shown.update(int(state.step) - before)
    return state.params, collect(chunks, records, int(state.step), int(state.trouble))
