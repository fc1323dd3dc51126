"""The live figure of one neuron: a large gradient pushes it far out, and then it is trained on.

A neuron h = φ(z), z = x·w + b, with w = (0.5, 0.5), b = 0.5 and x = (1, 1), so that z = 1.5. The
first update is a large one: a gradient δ = ∂C/∂z arrives, and each of the three parameters moves
by −ηδ. After that C = ½ (h − t)², and t is the output that the neuron had at z = 1.5. Three
neurons live through it: tanh in float32, tanh with nothing rounded away, and ReLU.
"""

import math
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float, Int

from vanishing import activations
from vanishing._types import Scalar
from vanishing.book.labels import axis_titles, legend_above
from vanishing.book.style import (
    ACTIVATIONS,
    COLOURS,
    THEORY,
    canvas,
    is_narrow,
    is_slide,
    live_figure,
)
from vanishing.live import Animation, Choice, Slider
from vanishing.studies import rounding

WEIGHTS, BIAS, INPUTS = (0.5, 0.5), 0.5, (1.0, 1.0)
START = sum(w * x for w, x in zip(WEIGHTS, INPUTS, strict=True)) + BIAS
PARAMETERS = len(WEIGHTS) + 1  # z moves by η δ for each of them, since all x_i = 1
FRAMES = 60
PACES = (1, 100, 10_000)  # updates between two pictures
REACH = 13.0  # of the axis of z, to either side
FLOOR = 1e-11  # where a slope of exactly 0 is drawn on a logarithmic axis
#: The three neurons, and the colours that they have in the picture.
NEURONS = {"tanh": ACTIVATIONS["tanh"], "exact": COLOURS["ink"], "relu": ACTIVATIONS["relu"]}


class Wide(NamedTuple):
    """z as a start and a sum of small moves, with what rounding took from the sum (Kahan 1965).

    Float32 cannot add 5e-9 to −10. Kept apart, such moves add up as they would in float64.
    """

    start: Float[Array, ""]
    moved: Float[Array, ""]
    lost: Float[Array, ""]

    @property
    def z(self) -> Scalar:
        """Where the neuron is."""
        return self.start + self.moved

    def add(self, move: Float[Array, ""]) -> "Wide":
        """Move by `move`, and remember what rounding took."""
        move = move - self.lost
        total = self.moved + move
        return Wide(self.start, total, (total - self.moved) - move)


class State(NamedTuple):
    """The three neurons at one moment.

    Attributes:
        frame: pictures so far; 0 before the large update.
        params: w_1, w_2, b of the tanh and of the ReLU neuron, float32 as they are trained.
        wide: z of the tanh neuron from which nothing is rounded away.
        landed: z of all three right after the large update.
        path: z of all three in every picture so far, NaN in those to come.
    """

    frame: Int[Array, ""]
    params: Float[Array, "2 parameters"]
    wide: Wide
    landed: Float[Array, "3"]
    path: Float[Array, "3 frames"]


def slope_kept(z: Float[Array, ""]) -> Float[Array, ""]:
    """tanh′(z) = 4e / (1 + e)², e = exp(−2|z|): nothing cancels, so it is not 0 before |z| ≈ 44.

    >>> f"{slope_kept(jnp.float32(10)):.2e}", rounding.IDEAL["tanh"](np.float32(10))
    ('8.24e-09', np.float32(0.0))
    """
    e = jnp.exp(-2 * jnp.abs(z))
    return 4 * e / (1 + e) ** 2


def _pair(z):
    """φ(z) and φ′(z) of the tanh and of the ReLU neuron, as JAX computes them in training."""
    values, slopes = [], []
    for name, each in zip(("tanh", "relu"), z, strict=True):
        values.append(activations.get(name)(each))
        slopes.append(activations.derivative(name)(each))
    return jnp.stack(values), jnp.stack(slopes)


def _ordinary(params, wide: Wide, learning_rate):
    """One update towards the old output: θ ← θ − η (h − t) φ′(z) x, and b likewise."""
    target = jnp.array([math.tanh(START), START], jnp.float32)
    value, slope = _pair(jnp.sum(params, axis=1))
    params = params - (learning_rate * (value - target) * slope)[:, None]
    error = jnp.tanh(wide.z) - target[0]
    return params, wide.add(-PARAMETERS * learning_rate * error * slope_kept(wide.z))


def _large(params, wide: Wide, gradient, learning_rate):
    """The large update: the gradient δ reaches z of every neuron, and θ ← θ − η δ."""
    move = -learning_rate * gradient
    return params + move, wide._replace(start=wide.start + PARAMETERS * move)


def start(gradient, learning_rate, pace) -> State:
    """The state before the large update; arguments as in `frame`."""
    params = jnp.tile(jnp.array([*WEIGHTS, BIAS], jnp.float32), (2, 1))
    zero = jnp.zeros((), jnp.float32)
    z = jnp.full((3,), START, jnp.float32)
    path = jnp.full((3, FRAMES + 1), jnp.nan).at[:, 0].set(z)
    return State(jnp.int32(0), params, Wide(z[0], zero, zero), z, path)


def _updated(state: State, gradient, learning_rate, pace):
    neurons = (state.params, state.wide)
    return lax.cond(
        state.frame == 0,
        lambda: _large(*neurons, gradient, learning_rate),
        lambda: lax.fori_loop(0, pace, lambda _, now: _ordinary(*now, learning_rate), neurons),
    )


def _all_z(params, wide: Wide) -> Float[Array, "3"]:
    z = jnp.sum(params, axis=1)
    return jnp.stack([z[0], wide.z, z[1]])


def frame(state: State, gradient, learning_rate, pace):
    """The next picture: the large update first, afterwards `PACES[pace]` ordinary ones.

    Args:
        state: the neurons now.
        gradient: δ = ∂C/∂z of the large update.
        learning_rate: η, of all updates.
        pace: position in `PACES`.

    Returns:
        The next state; and of the state given, per neuron (named as in `NEURONS`): its z and its
        slope, the path of z, and by how much it has `moved` since it landed.
    """
    updates = jnp.array(PACES, jnp.int32)[pace]
    params, wide = _updated(state, gradient, learning_rate, updates)
    z = _all_z(params, wide)
    number = state.frame + 1
    landed = jnp.where(state.frame == 0, z, state.landed)
    new = State(number, params, wide, landed, state.path.at[:, number].set(z))
    return new, _outputs(state, updates)


def _outputs(state: State, updates) -> dict[str, Array]:
    z = _all_z(state.params, state.wide)
    _, slope = _pair(jnp.stack([z[0], z[2]]))
    slopes = jnp.stack([slope[0], slope_kept(state.wide.z), slope[1]])
    moved = jnp.abs(z - state.landed).at[1].set(jnp.abs(state.wide.moved))
    outputs = {"updates": jnp.maximum(state.frame - 1, 0) * updates}
    for row, name in enumerate(NEURONS):
        outputs |= {
            f"z_{name}": z[row],
            f"slope_{name}": slopes[row],
            f"mark_{name}": jnp.maximum(slopes[row], FLOOR),
            f"moved_{name}": moved[row],
            f"path_{name}": state.path[row],
        }
    return outputs


def _draw_slopes(ax):
    z = np.linspace(-REACH, REACH, 1041)
    exact = 1 / np.cosh(z) ** 2
    as_trained = np.maximum(np.asarray(activations.derivative("tanh")(z.astype(np.float32))), FLOOR)
    ax.plot(z, as_trained, color=NEURONS["tanh"], linewidth=1.2)
    ax.plot(z, np.where(z > 0, 1, FLOOR), color=NEURONS["relu"], linewidth=1.2)
    ax.plot(z, exact, color=NEURONS["exact"], **THEORY)
    ax.set(
        yscale="log",
        xlim=(-REACH, REACH),
        xticks=[-10, -5, 0, 5, 10],
        ylim=(FLOOR / 3, 10),
    )
    ax.set_yticks([FLOOR, 1e-9, 1e-6, 1e-3, 1], ["0", "10⁻⁹", "10⁻⁶", "10⁻³", "1"])
    ax.minorticks_off()
    axis_titles(ax, x="pre-activation z", y="slope φ′(z)")
    sizes = {"tanh": 8, "exact": 12, "relu": 5}
    return {
        ax.plot(
            [START],
            [1],
            "o",
            color=colour,
            markersize=sizes[name],
            fillstyle="none" if name == "exact" else "full",
            linestyle="none",
        )[0]: {"x": f"z_{name}", "y": f"mark_{name}"}
        for name, colour in NEURONS.items()
    }


def _cliff() -> str:
    """What the slope of tanh in float32 does on this machine, in words."""
    end = rounding.zero_from(activations.derivative("tanh"))
    if end < REACH:
        return f"falls off a cliff to exactly 0 near plus and minus {end:.0f}"
    return "stops falling near plus and minus 8, at a few ten-millionths"


def _draw_paths(ax):
    exact = "exact" if is_slide() else "unrounded"
    labels = {"tanh": "tanh", "exact": exact, "relu": "ReLU"}
    styles = {"tanh": "-", "exact": "--", "relu": ":"}
    frames = np.arange(FRAMES + 1)
    bind = {}
    for name in ("exact", "tanh", "relu"):
        (line,) = ax.plot(
            frames,
            np.full(frames.size, np.nan),
            styles[name],
            color=NEURONS[name],
            label=labels[name],
            linewidth=2.6 if name == "relu" else 1.8,
        )
        bind[line] = f"path_{name}"
    ax.set(
        xlim=(0, FRAMES),
        ylim=(-REACH, REACH),
        yticks=[-10, -5, 0, 5, 10],
    )
    axis_titles(ax, x="picture; the large update first", y="z")
    legend_above(ax)
    return bind


def _draw():
    figure, (slopes, paths) = canvas(
        2.3 if is_narrow() else 3.4, columns=2, width_ratios=(1, 1.3) if is_slide() else None
    )
    figure.get_layout_engine().set(wspace=0.06)
    return figure, _draw_slopes(slopes) | _draw_paths(paths)


def neuron():
    """One large update, and what three neurons make of the ordinary ones that follow.

    Returns:
        A live figure; the last value of a cell shows it.

    >>> neuron().name
    'neuron'
    """
    controls = [
        Slider("gradient", -45.0, 45.0, value=38.33, step=0.01, label="large gradient δ"),
        Slider("learning_rate", 0.01, 0.5, value=0.1, step=0.01, label="learning rate η"),
        Choice("pace", tuple(map(str, PACES)), label="updates a picture"),
    ]
    return live_figure(
        _draw,
        Animation(start, frame, steps=FRAMES, preview=FRAMES),
        controls,
        name="neuron",
        title="three neurons after one large update",
        caption="First panel: slope against pre-activation; a dot for each neuron. Second: where "
        "they are in each picture. The dashed one is what float64 would do.",
        describe="after {updates:d} ordinary updates the tanh neuron in float32 is at z = "
        "{z_tanh:.2f}, with slope {slope_tanh:.2g}, and has moved by {moved_tanh:.2g} since it "
        "landed; with nothing rounded away, slope {slope_exact:.2g}, moved by {moved_exact:.2g}; "
        "the ReLU is at z = {z_relu:.2f}, with slope {slope_relu:.2g}, moved by {moved_relu:.2g}",
        alt="First, the slopes of tanh and ReLU against the pre-activation, on a logarithmic "
        f"scale. In float32 the slope of tanh {_cliff()}; computed without cancellation it goes on "
        "falling in a straight line. The ReLU's is exactly 0 on the left and 1 on the right. Three "
        "dots mark the neurons, all at z = −10, each on its curve. Then z in each picture: from "
        "1.5 all three drop to −10 and stay there.",
    )
