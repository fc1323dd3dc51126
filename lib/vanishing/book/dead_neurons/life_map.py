"""The live figure of `dead-neurons`: the life of every unit while a network trains in the page."""

from functools import cache, partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import lax
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float, Int
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure

from vanishing import activations, datasets
from vanishing._layers import read_out
from vanishing.book.style import COLOURS, WIDTH, house_style
from vanishing.live import Animation, Choice, Seed, Slider
from vanishing.live import figure as live_figure
from vanishing.network import MLP, Params, apply, forward, init
from vanishing.studies.comparisons import matched_gain
from vanishing.training import losses, update

DEPTH, UNITS, POINTS = 10, 16, 128
#: A column of the map is so many steps of training; the large step is the first of its column.
COLUMNS, STRIDE, LARGE = 150, 4, 10
ACTIVATIONS = ("relu", "leaky_relu", "elu", "tanh")
OPTIMIZERS = tuple(update.OPTIMIZERS)
DEAD, COMING = -1.0, 2.0  # in the map, below and above every share: dead, and not there yet


class Life(NamedTuple):
    """A training run under way.

    Attributes:
        params: of the network.
        rules: the state of each of `OPTIMIZERS`, of which one is in use.
        plane: two moons, [points, 2]; they are lifted into `UNITS` coordinates for the network.
        column: columns drawn so far.
        map: what `vitality` was in each column, [depth · units, columns]; or `COMING`.
        losses: the loss at each column.
    """

    params: Params
    rules: tuple[optax.OptState, ...]
    plane: Float[Array, "points 2"]
    column: Int[Array, ""]
    map: Float[Array, "rows columns"]
    losses: Float[Array, " columns"]


@cache
def scales() -> tuple[Float[np.ndarray, " activations"], Float[np.ndarray, " activations"]]:
    """σ_w of each activation, matched: variance 1 is handed on as 1; and its largest slope."""
    with jax.ensure_compile_time_eval():
        gains = [matched_gain(name) for name in ACTIVATIONS]
        slopes = [activations.largest_slope(name) for name in ACTIVATIONS]
        return np.array(gains, np.float32), np.array(slopes, np.float32)


def network(activation: Int[Array, ""] | int) -> MLP:
    """Ten layers, the activation (a position in `ACTIVATIONS`) chosen at run time."""
    gain = jnp.asarray(scales()[0])[activation]
    phi = activations.switch(activation, ACTIVATIONS)
    return MLP(DEPTH, UNITS, phi, sigma_w=gain, sigma_b=0.0, out_features=1)


def data(plane: Float[Array, "points 2"]) -> datasets.Dataset:
    """The two moons as the network sees them, the first half of the points being class 0."""
    classes = (jnp.arange(POINTS) >= POINTS // 2).astype(jnp.int32)
    return datasets.lift(datasets.Dataset(plane, classes), UNITS)


def begin(activation, optimizer, learning_rate, large_step, bias, seed, unit) -> Life:
    """The state before the first step; arguments as in `step`."""
    weight_key, data_key = jax.random.split(jax.random.key(seed))
    params = init(network(activation), key=weight_key)
    params = params | {"biases": params["biases"] + bias}
    rules = tuple(rule.init(ravel_pytree(params)[0]) for rule in _rules(learning_rate))
    plane = datasets.two_moons(POINTS, key=data_key).x
    empty = jnp.full((DEPTH * UNITS, COLUMNS), COMING)
    none = jnp.full((COLUMNS,), jnp.nan)
    return Life(params, rules, plane, jnp.zeros((), jnp.int32), empty, none)


def _rules(rate) -> list[optax.GradientTransformation]:
    return [update.optimizer_named(name, rate) for name in OPTIMIZERS]


def _train(net, optimizer, rate, seen, params, rules):
    """One step of training; one that would leave the finite numbers is not made."""
    flat, restore = ravel_pytree(params)  # one array: an optimiser's code for each would be long
    gradient = jax.grad(lambda p: losses.loss(apply(net, restore(p), seen.x), seen.y))(flat)
    with jax.numpy_dtype_promotion("standard"):  # optax raises floats to powers of its counters
        made = [
            rule.update(gradient, own, flat) for rule, own in zip(_rules(rate), rules, strict=True)
        ]
    proposed, after = zip(*made, strict=True)
    moved = flat + lax.select_n(optimizer, *proposed)
    keep = partial(jnp.where, jnp.all(jnp.isfinite(moved)))
    return restore(keep(moved, flat)), jax.tree.map(keep, after, rules)


def vitality(slope: Float[Array, "depth points units"], largest) -> Float[Array, "depth units"]:
    """How much slope each unit has left: the mean of |φ′| over the data, as a share of the
    largest |φ′|; `DEAD` where φ′ is exactly 0 on every one of them."""
    slope = jnp.abs(slope)
    return jnp.where(jnp.max(slope, axis=1) == 0, DEAD, jnp.mean(slope, axis=1) / largest)


def step(state: Life, activation, optimizer, learning_rate, large_step, bias, seed, unit):
    """One column: draw the state given, then make `STRIDE` steps of training.

    Args:
        state: the run so far.
        activation, optimizer: positions in `ACTIVATIONS`, `OPTIMIZERS`.
        learning_rate: η; in the one large step, at column `LARGE`, η times `large_step`.
        large_step: see there; 1 for none.
        bias: of every hidden unit at the start.
        seed: of weights and data.
        unit: the unit to look at, from 1 to depth · units, counted through the layers.

    Returns:
        The next state, and of the state given: the `map`, last unit on top; the `loss`; how many
        units are `dead`, how many deaths and returns there were so far (`killed`, `revived`); of
        the `chosen` unit its `layer`, its pre-activations on the `plane` relative to the largest
        (`z`), and on how many points its slope is not 0 (`active`).
    """
    net, seen, here = network(activation), data(state.plane), state.column
    trace = forward(net, state.params, seen.x)
    slope = activations.derivative(net.activation)(trace.pre)
    alive = vitality(slope, jnp.asarray(scales()[1])[activation]).ravel()
    lives = state.map.at[:, here].set(alive)
    loss = losses.loss(read_out(state.params, trace.post[-1]), seen.y)
    curve = state.losses.at[here].set(loss)

    def one(k, carry):
        large = (here == LARGE) & (k == 0)
        rate = jnp.where(large, large_step, 1.0) * learning_rate
        return _train(net, optimizer, rate, seen, *carry)

    params, rules = lax.fori_loop(0, STRIDE, one, (state.params, state.rules))
    after = Life(params, rules, state.plane, jnp.minimum(here + 1, COLUMNS - 1), lives, curve)
    layer, place = (unit - 1) // UNITS, (unit - 1) % UNITS
    z = trace.pre[layer, :, place]
    return after, {
        "map": lives[::-1],
        "chosen": unit,
        "layer": layer + 1,
        "loss": curve,
        "loss_now": loss,
        "dead": jnp.sum((alive == DEAD).astype(jnp.int32)),
        **_turns(lives, here),
        "plane": state.plane,
        "z": z / jnp.maximum(jnp.max(jnp.abs(z)), 1e-30),
        "active": jnp.sum((slope[layer, :, place] != 0).astype(jnp.int32)),
    }


def _turns(lives: Float[Array, "rows columns"], here) -> dict[str, Int[Array, ""]]:
    """Deaths and returns up to this column, one unit counted as often as it happens to it."""
    before, now = lives[:, :-1] == DEAD, lives[:, 1:] == DEAD
    seen = jnp.arange(COLUMNS - 1)[None] < here
    return {
        "killed": jnp.sum((now & ~before & seen).astype(jnp.int32)),
        "revived": jnp.sum((before & ~now & seen).astype(jnp.int32)),
    }


#: Slope left, from none to all, with the dead in a colour of their own and the future in none.
SLOPE = LinearSegmentedColormap.from_list("slope", ["#dbe4ee", COLOURS["blue"], "#08213a"], 64)
SLOPE = SLOPE.with_extremes(under=COLOURS["vermilion"], over=(0, 0, 0, 0))
#: Below zero, at zero, above zero.
SIGN = LinearSegmentedColormap.from_list(
    "sign", [COLOURS["vermilion"], "#d9d9d9", COLOURS["blue"]], 65
)


@house_style
def _draw():
    figure = Figure(figsize=(WIDTH, 4.6), layout="constrained")
    axes = figure.subplot_mosaic("MMP;MML", width_ratios=[1, 1, 1.05])
    lives, plane, curve = axes["M"], axes["P"], axes["L"]
    blank = np.full((DEPTH * UNITS, COLUMNS), np.nan)
    image = lives.imshow(blank, SLOPE, Normalize(0, 1), aspect="auto", interpolation="none",
                         extent=(-0.5, COLUMNS - 0.5, 0.5, DEPTH * UNITS + 0.5))  # fmt: skip
    lives.axvline(LARGE + 0.5, color=COLOURS["ink"], linewidth=0.8, linestyle=":")
    for edge in range(UNITS, DEPTH * UNITS, UNITS):
        lives.axhline(edge + 0.5, color=COLOURS["surface"], linewidth=1)
    chosen = lives.axhline(1, color=COLOURS["gold"], linewidth=1.2)
    layers = np.arange(DEPTH)
    lives.set_yticks((layers + 0.5) * UNITS + 0.5, [str(layer + 1) for layer in layers])
    lives.set(xlabel=f"column ({STRIDE} steps each)", ylabel="layer, 16 units each")
    lives.grid(visible=False)
    points = plane.scatter(np.zeros(POINTS), np.zeros(POINTS), s=9, c=np.zeros(POINTS),
                           cmap=SIGN, norm=Normalize(-1, 1))  # fmt: skip
    plane.set(xlim=(-1.9, 1.9), ylim=(-1.2, 1.2), xticks=[], yticks=[])
    plane.set_xlabel("the chosen unit on the data:\nvermilion below 0, blue above")
    (line,) = curve.plot(np.arange(COLUMNS), np.full(COLUMNS, np.nan))
    curve.set(xlabel="column", ylabel="loss C", xlim=(0, COLUMNS), ylim=(0, 1))
    bind = {image: "map", chosen: "chosen", points: {"offsets": "plane", "colour": "z"},
            line: "loss"}  # fmt: skip
    return figure, bind, {chosen: "unit"}


def life_map():
    """The life of each of 160 units while the network trains: alive, saturated, dead, revived.

    Returns:
        A live figure; the last value of a cell shows it.

    >>> life_map().name
    'life_map'
    """
    drawn, bind, pick = _draw()
    controls = [
        Choice("activation", ACTIVATIONS),
        Choice("optimizer", OPTIMIZERS, label="optimiser"),
        Slider("learning_rate", 0.001, 1.0, value=0.03, label="learning rate η", log=True),
        Slider("large_step", 1.0, 1000.0, value=100.0, label="large step, × η", log=True),
        Slider("bias", -1.0, 1.0, value=0.0, step=0.05, label="bias at the start"),
        Seed("seed", value=2),
        Slider("unit", 1, DEPTH * UNITS, value=37, label="look at unit", restart=False),
    ]
    return live_figure(
        drawn,
        Animation(begin, step, steps=COLUMNS - 1, preview=COLUMNS - 1),
        controls,
        bind,
        name="life_map",
        pick=pick,
        describe="loss {loss_now:.3f}; {dead} of 160 units dead, {killed} deaths and {revived} "
        "returns so far; unit {unit}, in layer {layer}, has a slope on {active} of 128 points",
        alt="A map with a row for each of 160 units, ten layers of 16, layer 10 on top, and a "
        "column for every four steps of training. Shades of blue say how much slope a unit has "
        "left; dead units are vermilion. Some rows are vermilion from the first column on, more "
        "of them in the upper layers; at the dotted line, where one step is a hundred times as "
        "large, many more begin, and several of these end again. Beside it the data, two "
        "interleaved moons, coloured by what one unit receives there; and the loss, which falls, "
        "jumps up at the dotted line, and falls again.",
    )
