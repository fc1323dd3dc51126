"""The live figure of the first page: three networks, fifty layers deep, while their input moves."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

from vanishing import activations
from vanishing.book.labels import axis_titles
from vanishing.book.style import LABELS, NATS_PER_DECADE, canvas, is_narrow, live_figure
from vanishing.live import Animation, Choice, Cursor, Seed, Slider, draw_network
from vanishing.network import MLP, forward, init
from vanishing.probe import rescale

DEPTH, WIDTH, SHOWN = 50, 64, 5  # of the 64 units of a layer the first five are drawn
COLOURS = {"tanh": "blue", "relu": "green", "sigmoid": "purple"}
STEPS = 240  # pictures in which the input goes once round its circle
SIGNAL, GRADIENT = "signal", "gradient"
#: Powers of ten below the gradient of the last layer at which a unit is as pale as the paper.
DECADES = 12.0
SMALLEST = 1e-37  # float32 takes no logarithm of less


class Turning(NamedTuple):
    """The three networks' weights, and where on its circle the input is.

    Attributes:
        weights: shared by all three, of variance 1/n.
        ends: the two inputs that span the circle.
        cotangent: the gradient that arrives at the last layer.
        count: pictures so far.
    """

    weights: Float[Array, "depth width width"]
    ends: Float[Array, "2 width"]
    cotangent: Float[Array, " width"]
    count: Array


def start(sigma_w, show, seed) -> Turning:
    """The first picture; the weights follow from the seed alone."""
    net = MLP(DEPTH, WIDTH, "tanh", sigma_w=1.0)
    weights = init(net, key=jax.random.key(seed))["weights"]
    drawn = jax.random.normal(jax.random.key(1), (3, WIDTH))  # the same for every seed
    return Turning(weights, drawn[:2], drawn[2], jnp.zeros((), jnp.int32))


def frame(state: Turning, sigma_w, show, seed):
    """One picture: each network on the input of this moment.

    Args:
        state: weights, and where the input is.
        sigma_w: scale of the weights.
        show: position in `(SIGNAL, GRADIENT)`.
        seed: of the weights.

    Returns:
        The next state; for each activation the shade of its units [depth, shown], from −1 (or 0)
        to 1: ±√|h| of their outputs, or 1 + log₁₀ |δ| / 12 relative to the last layer; and `end`,
        log₁₀ of the RMS at the end of the way: of h at layer 50, or of δ at layer 1 relative to
        layer 50.
    """
    angle = 2 * jnp.pi * state.count.astype(sigma_w.dtype) / STEPS
    x = jnp.cos(angle) * state.ends[0] + jnp.sin(angle) * state.ends[1]
    outputs, ends = {}, []
    for name in COLOURS:
        signal, gradient = _passes(name, sigma_w * state.weights, x, state.cotangent)
        loud = jnp.sign(signal) * jnp.sqrt(jnp.abs(signal))
        kept = jnp.clip(1 + (_decades(gradient.unit) + gradient.log[:, None]) / DECADES, 0, 1)
        outputs[name] = jnp.where(show == 0, loud, kept)[:, :SHOWN]
        ends.append(jnp.where(show == 0, _log_rms(signal[-1]), gradient.log[0]))
    return state._replace(count=state.count + 1), {**outputs, "end": jnp.stack(ends)}


def _decades(values: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    return jnp.log10(jnp.maximum(jnp.abs(values), SMALLEST))


def _log_rms(values: Float[Array, " width"]) -> Float[Array, ""]:
    return rescale(values)[1] / NATS_PER_DECADE


class Descent(NamedTuple):
    """δ_l relative to the last layer, out of whose scale float32 may fall: the two kept apart.

    Attributes:
        unit: δ_l, brought to an RMS of 1.
        log: log₁₀ of its RMS over that of δ_L.
    """

    unit: Float[Array, "depth width"]
    log: Float[Array, " depth"]


def _passes(
    name: str,
    weights: Float[Array, "depth width width"],
    x: Float[Array, " width"],
    cotangent: Float[Array, " width"],
) -> tuple[Float[Array, "depth width"], Descent]:
    """Forward and backward: h_l, and δ_l = φ′(z_l) ⊙ (δ_{l+1} W_{l+1}ᵀ) with g above the last."""
    net = MLP(DEPTH, WIDTH, name, sigma_w=1.0)
    trace = forward(net, {"weights": weights, "biases": jnp.zeros((DEPTH, WIDTH))}, x[None])
    slopes = activations.derivative(name)(trace.pre[:, 0])

    def down(carry, layer):
        (arriving, log), (slope, matrix) = carry, layer
        unit, grown = rescale(slope * arriving)
        log = log + grown / NATS_PER_DECADE
        return (unit @ matrix.T, log), (unit, log)

    nothing = jnp.zeros((), x.dtype)
    _, (unit, log) = lax.scan(down, (cotangent, nothing), (slopes, weights), reverse=True)
    return trace.post[:, 0], Descent(unit, log - log[-1])


def _draw():
    figure, panels = canvas(2.6 if is_narrow() else 3.5, rows=3, sharex=True)
    bind = {}
    for ax, name in zip(panels, COLOURS, strict=True):
        axis_titles(ax, y=LABELS[name])
    axis_titles(panels[-1], x="layer")
    panels[-1].set_xticks([1, 10, 20, 30, 40, 50])
    for ax, (name, colour) in zip(panels, COLOURS.items(), strict=True):
        bind[draw_network(ax, [SHOWN] * DEPTH, colour=colour, edges=1)] = name
    bind[Cursor("layer", range(1, DEPTH + 1), list(bind))] = ""
    return figure, bind


def fifty_layers():
    """Three networks beside each other, unit by unit, while their input moves by itself.

    Returns:
        A live figure; the last value of a cell shows it.

    >>> fifty_layers().name
    'fifty_layers'
    """
    controls = [
        Slider(
            "sigma_w",
            0.5,
            4.0,
            value=1.0,
            label="size of the weights, σ_w",
            log=True,
            restart=False,
            marks={1.0: "Xavier", 1.41421: "He"},
        ),
        Choice("show", (SIGNAL, GRADIENT), label="show the", restart=False),
        Seed("seed", more=True),
    ]
    return live_figure(
        _draw,
        Animation(start, frame, steps=STEPS, autoplay=True),
        controls,
        name="fifty_layers",
        title="three networks of fifty layers",
        words={LABELS[name].lower(): f"{LABELS[name]} units" for name in COLOURS},
        describe="at the end of its way the RMS is {end[0]:.1p} in the tanh network, {end[1]:.1p} "
        "with ReLU and {end[2]:.1p} with sigmoid",
        alt="Three rows of dots, fifty layers of five units each, layer 1 on the left. The tanh "
        "units are blue or pink and grow paler towards layer 50, but not white. The ReLU units are "
        "green in the first layers and as pale as the paper from about layer 15. The sigmoid units "
        "are purple everywhere, most of them of much the same shade.",
    )
