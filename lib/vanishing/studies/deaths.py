"""Units that die and units that come back: lives recorded over many networks, and counted."""

from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import lax
from jaxtyping import Array, Bool, Float, PRNGKeyArray

from vanishing import _checks
from vanishing._types import AnyArray
from vanishing.datasets import Dataset
from vanishing.network import MLP, Params, forward, init
from vanishing.probe import dead_units
from vanishing.studies.intervals import Share, of_share
from vanishing.training.update import State, start, update, update_and_read

Schedule = Callable[[Array], Array] | float


def _weights_only(params):
    """True for weights, False for biases: what a decay that spares the biases applies to."""
    return jax.tree_util.tree_map_with_path(lambda path, _: path[-1].key == "weights", params)


def rules(learning_rate: Schedule, decay: float) -> dict[str, optax.GradientTransformation]:
    """The optimisers under comparison, by name.

    "decay" pulls every parameter, biases too, towards zero in proportion to itself,
    θ ← (1 − η λ) θ; "weights only" spares the biases; "in the gradient" adds λθ to the gradient
    that Adam sees (the L2 penalty), which Adam then rescales like the rest.

    Args:
        learning_rate: η, or a function from the step.
        decay: λ.

    >>> len(rules(0.1, 0.01))
    8
    """
    add = partial(optax.add_decayed_weights, decay)
    adam = partial(optax.adam, learning_rate)
    return {
        "sgd": optax.sgd(learning_rate),
        "sgd, decay": optax.chain(add(), optax.sgd(learning_rate)),
        "sgd, decay of weights only": optax.chain(add(_weights_only), optax.sgd(learning_rate)),
        "momentum": optax.sgd(learning_rate, momentum=0.9),
        "adam": adam(),
        "adam, decay": optax.adamw(learning_rate, weight_decay=decay),
        "adam, decay of weights only": optax.adamw(
            learning_rate, weight_decay=decay, mask=_weights_only
        ),
        "adam, decay in the gradient": optax.chain(add(), adam()),
    }


def with_one_large_step(learning_rate: float, factor: float, at: int) -> Schedule:
    """A constant learning rate, but `factor` times as large in step number `at`.

    >>> rate = with_one_large_step(0.5, 10.0, at=3)
    >>> [float(rate(jnp.int32(t))) for t in (2, 3, 4)]
    [0.5, 5.0, 0.5]
    """
    return lambda count: jnp.where(count == at, factor * learning_rate, learning_rate)


@jax.jit
def _starts(net: MLP, keys) -> Params:
    """The first parameters of one network a key: compiled once, whatever is done with them."""
    return lax.map(lambda key: init(net, key=key), keys)


def lives(
    net: MLP,
    rule: optax.GradientTransformation,
    data: Dataset,
    *,
    key: PRNGKeyArray,
    runs: int,
    steps: int,
) -> Bool[np.ndarray, "runs times depth width"]:
    """Train `runs` networks from independent starts; say of each unit when it was dead.

    Args:
        net: the description that all share; full batches.
        rule: the optimiser.
        data: what they are trained on, and what "dead" refers to.
        key: JAX random key.
        runs: number of networks.
        steps: updates of each.

    Returns:
        Before each update and after the last (steps + 1 times): is the unit dead on the data?
        Runs that left the finite numbers are left out: there is nothing to say of their units.

    >>> data = vg.datasets.lift(vg.datasets.two_moons(32, key=jax.random.key(0)), 8)
    >>> net = vg.MLP(depth=2, width=8, activation="relu", out_features=1)
    >>> lives(net, optax.sgd(0.1), data, key=jax.random.key(1), runs=3, steps=5).shape
    (3, 6, 2, 8)
    """
    _checks.whole("runs", runs, 1)
    _checks.whole("steps", steps, 1)

    def one(params):
        def move(state, _):
            state, record = update_and_read(net, rule, state, data, params["weights"])
            return state, record.dead_units

        return lax.scan(move, start(rule, params), length=steps + 1)

    return _finite(jax.jit(jax.vmap(one))(_starts(net, jax.random.split(key, runs))))


def _finite(ends: tuple[State, Bool[Array, "runs *shape"]]) -> Bool[np.ndarray, "kept *shape"]:  # noqa: F821
    """What was recorded of the runs that no step led out of the finite numbers."""
    state, recorded = ends
    return np.asarray(recorded)[np.asarray(state.trouble) == 0]


def kill(net: MLP, params: Params, x, margin: float, *, key: PRNGKeyArray):
    """In each layer push the bias of one unit, drawn from the live ones, until it is dead on x.

        b ← b − max_x z − margin · RMS_x(z)

    Args:
        net: plain, without normalisation; an activation that is flat below zero.
        params: its parameters.
        x: the inputs that "dead" refers to.
        margin: how far below zero its largest pre-activation comes to lie, relative to the RMS.
        key: JAX random key.

    Returns:
        The parameters, and the number of the unit in each layer [depth].
    """

    def one(layer, carry):
        biases, units = carry
        z = forward(net, params | {"biases": biases}, x).pre[layer]
        lively = jax.random.uniform(jax.random.fold_in(key, layer), z.shape[1:])
        unit = jnp.argmax(jnp.where(jnp.max(z, axis=0) > 0, lively, -1.0))
        push = jnp.max(z[:, unit]) + margin * jnp.sqrt(jnp.mean(z[:, unit] ** 2))
        return biases.at[layer, unit].add(-push), units.at[layer].set(unit)

    none = jnp.zeros(net.depth, jnp.int32)
    biases, units = lax.fori_loop(0, net.depth, one, (params["biases"], none))
    return params | {"biases": biases}, units


def after_a_kill(
    net: MLP,
    rule: optax.GradientTransformation,
    data: Dataset,
    *,
    key: PRNGKeyArray,
    runs: int,
    before: int,
    after: int,
    margin: float,
    forget: bool = False,
) -> Bool[np.ndarray, "runs times depth"]:
    """Train, `kill` one unit a layer, train on.

    Args:
        net, rule, data, key, runs: as in `lives`.
        before: updates before the kill.
        after: updates after it.
        margin: see `kill`.
        forget: start the optimiser afresh after the kill; else it keeps its moving averages of
            gradients from before, which go on moving the unit for a while.

    Returns:
        From the kill to the end (after + 1 times): is the unit that was killed in this layer dead?
        Runs that left the finite numbers are left out, as in `lives`.

    >>> data = vg.datasets.lift(vg.datasets.two_moons(32, key=jax.random.key(0)), 8)
    >>> net = vg.MLP(depth=2, width=8, activation="relu", initializer="he", out_features=1)
    >>> dead = after_a_kill(net, optax.sgd(0.1), data, key=jax.random.key(1), runs=3,
    ...                     before=5, after=20, margin=0.1)
    >>> dead.shape, bool(dead[:, 0].all()), bool(dead[:, :, 0].all())
    ((3, 21, 2), True, True)
    """

    def one(params, unit_key):
        state = start(rule, params)
        state = lax.fori_loop(0, before, lambda _, s: update(net, rule, s, data)[0], state)
        params, units = kill(net, state.params, data.x, margin, key=unit_key)

        inner = rule.init(params) if forget else state.optimizer
        state = state._replace(params=params, optimizer=inner)

        def move(state, _):
            state, record = update_and_read(net, rule, state, data, params["weights"])
            return state, record.dead_units[jnp.arange(net.depth), units]

        return lax.scan(move, state, length=after + 1)

    keys = jax.vmap(jax.random.split)(jax.random.split(key, _checks.whole("runs", runs, 1)))
    return _finite(jax.jit(jax.vmap(one))(_starts(net, keys[:, 0]), keys[:, 1]))


def _by_layer(
    fate: Bool[np.ndarray, "runs depth width"], could: Bool[np.ndarray, "runs depth width"]
) -> list[Share]:
    """Layer by layer, the share that met a fate of those that could."""
    counts, trials = (fate & could).sum(-1), could.sum(-1)
    return [of_share(counts[:, layer], trials[:, layer]) for layer in range(fate.shape[1])]


def killed(dead: Bool[np.ndarray, "runs times depth width"], at: int) -> list[Share]:
    """Layer by layer: of the units alive before step `at`, the share dead right after it."""
    return _by_layer(dead[:, at + 1], ~dead[:, at])


def revived(dead: Bool[np.ndarray, "runs times depth width"], at: int) -> list[Share]:
    """Layer by layer: of the units that step `at` killed, the share alive at the end."""
    return _by_layer(~dead[:, -1], dead[:, at + 1] & ~dead[:, at])


def came_back(dead: Bool[np.ndarray, "runs times depth"]) -> list[Share]:
    """Layer by layer: of the units that `after_a_kill` killed, the share alive at the end."""
    alive, every = ~dead[:, -1], np.ones(len(dead), int)
    return [of_share(alive[:, layer].astype(int), every) for layer in range(dead.shape[2])]


def died(dead: Bool[np.ndarray, "runs times depth width"]) -> list[Share]:
    """Layer by layer: of the units alive at the start, the share dead at the end."""
    return _by_layer(dead[:, -1], ~dead[:, 0])


def born_dead(
    net: MLP, x: Float[AnyArray, "examples features"], *, key: PRNGKeyArray, runs: int
) -> list[Share]:
    """Layer by layer: the share of units dead on x before any training.

    Args:
        net: the description.
        x: the inputs that "dead" refers to.
        key: JAX random key.
        runs: number of networks.

    >>> net = vg.MLP(depth=2, width=64, activation="relu", initializer="he")
    >>> [layer.of for layer in born_dead(net, vg.datasets.digits(100).x,
    ...                                  key=jax.random.key(0), runs=3)]
    [192, 192]
    """
    keys = jax.random.split(key, _checks.whole("runs", runs, 1))
    dead = lax.map(lambda key: dead_units(net, init(net, key=key), x), keys)
    return _by_layer(np.asarray(dead), np.ones(dead.shape, bool))
