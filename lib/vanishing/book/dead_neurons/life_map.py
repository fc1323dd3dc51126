"""The live figure of `dead-neurons`: the life of every unit while a network trains in the page."""

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import lax
from jax.flatten_util import ravel_pytree
from jax.typing import ArrayLike
from jaxtyping import Array, Float, Int
from matplotlib.colors import LinearSegmentedColormap, Normalize

from vanishing import activations, datasets
from vanishing.book.labels import axis_titles
from vanishing.book.style import COLOURS, LABELS, is_narrow, is_slide, live_figure, mosaic
from vanishing.live import Animation, Choice, Cursor, Seed, Slider, draw_network
from vanishing.network import MLP, Params, apply, forward, init
from vanishing.studies.comparisons import matched_gain
from vanishing.training import losses, update

DEPTH, UNITS, POINTS = 10, 16, 128
DRAWN = 6  # units of each layer in the picture of the network
#: A column of the map is so many steps of training; the large step is the first of its column.
COLUMNS, STRIDE, LARGE = 150, 4, 10
ACTIVATIONS = ("relu", "leaky_relu", "elu", "tanh")
OPTIMIZERS = tuple(update.OPTIMIZERS)
DEAD, COMING = -1.0, 2.0  # in the map, below and above every share: dead, and not there yet


class Life(NamedTuple):
    """A training run under way.

    Attributes:
        trained: the network under training, its parameters in one flat array (the code of an
            optimiser for each of the four would be long).
        plane: two moons, [points, 2]; they are lifted into `UNITS` coordinates for the network.
        column: columns drawn so far.
        map: what `vitality` was in each column, [depth · units, columns]; or `COMING`.
        losses: the loss at each column.
    """

    trained: update.State
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


def network(activation: Int[ArrayLike, ""]) -> MLP:
    """Ten layers, the activation (a position in `ACTIVATIONS`) chosen at run time."""
    gain = jnp.asarray(scales()[0])[activation]
    phi = activations.switch(activation, ACTIVATIONS)
    return MLP(DEPTH, UNITS, phi, sigma_w=gain, sigma_b=0.0, out_features=1)


def data(plane: Float[Array, "points 2"]) -> datasets.Dataset:
    """The two moons as the network sees them, the first half of the points being class 0."""
    classes = (jnp.arange(POINTS) >= POINTS // 2).astype(jnp.int32)
    return datasets.lift(datasets.Dataset(plane, classes), UNITS)


def start(activation, optimizer, learning_rate, large_step, bias, seed, unit) -> Life:
    """The state before the first step; arguments as in `frame`."""
    weight_key, data_key = jax.random.split(jax.random.key(seed))
    params = init(network(activation), key=weight_key)
    # Set and not added to, so that the page need not draw biases that σ_b = 0 then wipes out.
    top = params["read_out"] | {"biases": jnp.zeros(1)}
    params = params | {"biases": jnp.full((DEPTH, UNITS), bias), "read_out": top}
    trained = update.start(_rule(optimizer, learning_rate), ravel_pytree(params)[0])
    plane = datasets.two_moons(POINTS, key=data_key).x
    empty = jnp.full((DEPTH * UNITS, COLUMNS), COMING)
    none = jnp.full((COLUMNS,), jnp.nan)
    return Life(trained, plane, jnp.zeros((), jnp.int32), empty, none)


def _rule(optimizer: Int[ArrayLike, ""], rate) -> optax.GradientTransformation:
    """The optimiser in this position of `OPTIMIZERS`, chosen at run time: it alone hears the
    gradient, the others hear zeros and propose none, and their states cannot overflow."""
    rules = [update.optimizer_named(name, rate) for name in OPTIMIZERS]

    def initial(params):
        return tuple(rule.init(params) for rule in rules)

    def add_up(gradient, states, params):
        heard = [jnp.where(optimizer == place, gradient, 0) for place in range(len(rules))]
        made = [
            rule.update(*both, params) for rule, *both in zip(rules, heard, states, strict=True)
        ]
        deltas, after = zip(*made, strict=True)
        return sum(deltas), after

    return optax.GradientTransformation(initial, add_up)


@cache
def _restore() -> Callable[[Float[Array, " parameters"]], Params]:
    """From one flat array to the parameters of the network."""
    net = MLP(DEPTH, UNITS, out_features=1)
    shapes = jax.eval_shape(lambda: init(net, key=jax.random.key(0)))
    with jax.ensure_compile_time_eval():
        return ravel_pytree(jax.tree.map(lambda leaf: jnp.zeros(leaf.shape), shapes))[1]


def parameters(state: Life) -> Params:
    """The network's parameters, as `forward` takes them."""
    return _restore()(state.trained.params)


def vitality(slope: Float[Array, "depth points units"], largest) -> Float[Array, "depth units"]:
    """How much slope each unit has left: the mean of |φ′| over the data, as a share of the
    largest |φ′|; `DEAD` where φ′ is exactly 0 on every one of them."""
    slope = jnp.abs(slope)
    return jnp.where(jnp.max(slope, axis=1) == 0, DEAD, jnp.mean(slope, axis=1) / largest)


def frame(state: Life, activation, optimizer, learning_rate, large_step, bias, seed, unit):
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
        The next state, and of the state given: the `map` [depth · units, columns], last unit on
        top; of the first `DRAWN` units of each layer, [depth · drawn], the `slope` left and
        whether it `is_dead`; the `loss` [columns]; how many
        units are `dead`, how many deaths and returns there were so far (`killed`, `revived`); of
        the `chosen` unit its `layer`, its pre-activations on the `plane` relative to the largest
        (`z`), and on how many points its slope is not 0 (`active`). A run that has left the
        finite numbers is over: its columns stay empty, and the counts are those before.
    """
    net, seen, here = network(activation), data(state.plane), state.column
    trace = forward(net, parameters(state), seen.x)
    slope = activations.derivative(net.activation)(trace.pre)
    alive = vitality(slope, jnp.asarray(scales()[1])[activation]).ravel()

    def cost(flat):
        outputs = apply(net, _restore()(flat), seen.x)
        return losses.loss(outputs, seen.y), outputs

    def one(k, carry):
        trained, loss = carry
        rate = jnp.where(trained.step == STRIDE * LARGE, large_step, 1.0) * learning_rate
        after, made = update.descend(cost, _rule(optimizer, rate), trained)
        return after, jnp.where(k == 0, made.loss, loss)

    trained, loss = lax.fori_loop(0, STRIDE, one, (state.trained, 0.0))
    over = (state.trained.trouble > 0) | ~jnp.isfinite(loss)
    lives = state.map.at[:, here].set(jnp.where(over, COMING, alive))
    curve = state.losses.at[here].set(loss)
    after = Life(trained, state.plane, jnp.minimum(here + 1, COLUMNS - 1), lives, curve)
    layer, place = (unit - 1) // UNITS, (unit - 1) % UNITS
    z = trace.pre[layer, :, place]
    return after, {
        "map": lives[::-1],
        "slope": jnp.maximum(alive.reshape(DEPTH, UNITS)[:, :DRAWN], 0.0),
        "is_dead": alive.reshape(DEPTH, UNITS)[:, :DRAWN] == DEAD,
        "chosen": unit,
        "layer": layer + 1,
        "loss": curve,
        "loss_now": loss,
        **_counts(lives),
        "plane": state.plane,
        "z": z / jnp.maximum(jnp.max(jnp.abs(z)), 1e-30),
        "active": jnp.where(over, jnp.nan, jnp.sum((slope[layer, :, place] != 0).astype(z.dtype))),
    }


def _counts(lives: Float[Array, "rows columns"]) -> dict[str, Int[Array, ""]]:
    """Deaths and returns in the columns that are there, one unit counted as often as it happens
    to it; and how many are dead in the last of these columns."""
    dead = lives == DEAD
    before, now, there = dead[:, :-1], dead[:, 1:], lives[:, 1:] != COMING
    born, killed, revived = (
        jnp.sum(units.astype(jnp.int32))
        for units in (dead[:, 0], now & ~before & there, before & ~now & there)
    )
    return {"dead": born + killed - revived, "killed": killed, "revived": revived}


#: Slope left, from none to all, with the dead in a colour of their own and the future in none.
SLOPE = LinearSegmentedColormap.from_list("slope", ["#dbe4ee", COLOURS["blue"], "#08213a"], 64)
SLOPE = SLOPE.with_extremes(under=COLOURS["vermilion"], over=(0, 0, 0, 0))
#: Below zero, at zero, above zero.
SIGN = LinearSegmentedColormap.from_list("sign", [COLOURS["pink"], "#d9d9d9", COLOURS["blue"]], 65)


def _panels():
    """The axes: map M, plane P and loss L beside it or below it, network N at the bottom."""
    if is_narrow():
        return mosaic([["M", "M"], ["P", "L"], ["N", "N"]], 4.6, height_ratios=[2.2, 1, 0.75])
    if is_slide():
        low = {"width_ratios": [2, 1.05], "height_ratios": [1.7, 1]}
        return mosaic([["M", "P"], ["N", "L"]], **low)
    beside = [["M", "M", "P"], ["M", "M", "L"], ["N", "N", "N"]]
    return mosaic(beside, 5.8, width_ratios=[1, 1, 1.05], height_ratios=[1, 1, 0.6])


def _draw():
    figure, axes = _panels()
    lives, plane, curve = axes["M"], axes["P"], axes["L"]
    blank = np.full((DEPTH * UNITS, COLUMNS), np.nan)
    image = lives.imshow(
        blank,
        SLOPE,
        Normalize(0, 1),
        aspect="auto",
        interpolation="none",
        extent=(-0.5, COLUMNS - 0.5, 0.5, DEPTH * UNITS + 0.5),
    )
    lives.axvline(LARGE + 0.5, color=COLOURS["ink"], linewidth=0.8, linestyle=":")
    for edge in range(UNITS, DEPTH * UNITS, UNITS):
        lives.axhline(edge + 0.5, color=COLOURS["surface"], linewidth=1)
    # The map has the same colours on dark paper, and so has the mark on it.
    rim = lives.axhline(1, color="#101418", linewidth=3.4)
    chosen = lives.axhline(1, color="#6ee7a8", linewidth=1.4)
    layers = np.arange(DEPTH)
    named = layers[:: 2 if is_narrow() or is_slide() else 1]
    lives.set_yticks((named + 0.5) * UNITS + 0.5, [str(layer + 1) for layer in named])
    axis_titles(lives, x=f"column ({STRIDE} steps each)", y="layers, 16 units each")
    lives.grid(visible=False)
    points = plane.scatter(
        np.zeros(POINTS),
        np.zeros(POINTS),
        s=9,
        c=np.zeros(POINTS),
        cmap=SIGN,
        norm=Normalize(-1, 1),
    )
    plane.set(xlim=(-1.9, 1.9), ylim=(-1.2, 1.2), xticks=[], yticks=[])
    axis_titles(plane, y="the chosen unit")
    (line,) = curve.plot(np.arange(COLUMNS), np.full(COLUMNS, np.nan))
    curve.set(xlim=(0, COLUMNS), xticks=[0, 50, 100, 150], ylim=(0, 1), yticks=[0, 0.5, 1])
    axis_titles(curve, x="column", y="loss C")
    axis_titles(axes["N"], x="layer", y="six units of each, now; × dead")
    axes["N"].set_xticks(layers + 1)
    network = draw_network(axes["N"], [DRAWN] * DEPTH, edges=2)
    bind = {
        image: "map",
        rim: "chosen",
        chosen: "chosen",
        points: {"offsets": "plane", "colour": "z"},
        line: "loss",
        network: {"units": "slope", "dead": "is_dead"},
        Cursor("layer", range(1, DEPTH + 1), [image, network]): "",
    }
    return figure, bind, {chosen: "unit"}


def life_map():
    """The life of each of 160 units while the network trains: alive, saturated, dead, revived.

    Returns:
        A live figure; the last value of a cell shows it.

    >>> life_map().name
    'life_map'
    """
    controls = [
        Choice("activation", ACTIVATIONS, words=LABELS),
        Choice(
            "optimizer",
            OPTIMIZERS,
            label="optimiser",
            words={"sgd": "gradient descent", "adam": "Adam"},
        ),
        Slider("learning_rate", 0.001, 1.0, value=0.03, label="learning rate η", log=True),
        Slider("large_step", 1.0, 1000.0, value=100.0, label="large step, × η", log=True),
        Slider("bias", -1.0, 1.0, value=0.0, step=0.05, label="bias at the start"),
        Seed("seed", value=2),
        Slider("unit", 1, DEPTH * UNITS, value=37, label="look at unit", restart=False),
    ]
    return live_figure(
        _draw,
        Animation(start, frame, steps=COLUMNS - 1, preview=COLUMNS - 1),
        controls,
        name="life_map",
        title="the life of every unit",
        words={
            "map": "slope left to each unit",
            "slope": "slope left now",
            "z": "pre-activation of the chosen unit",
        },
        describe="loss {loss_now:.3f}; {dead} of 160 units dead, {killed} deaths and {revived} "
        "returns so far; unit {unit}, in layer {layer}, has a slope on {active:.0f} of 128 points",
        alt="A map with a row for each of 160 units, ten layers of 16, layer 10 on top, and a "
        "column for every four steps of training. Shades of blue say how much slope a unit has "
        "left; dead units are vermilion. Some rows are vermilion from the first column on, more "
        "of them in the upper layers; at the dotted line, where one step is a hundred times as "
        "large, many more begin, and several of these end again. Then the data, two "
        "interleaved moons, coloured by what one unit receives there; and the loss, which falls, "
        "jumps up at the dotted line, and falls again. At the bottom, six units of each "
        "layer in the last column, the dead ones crossed.",
    )
