"""The live figure of an activation over the pre-activations that a real layer gives it."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from vanishing import activations
from vanishing.book.labels import axis_titles, legend_above
from vanishing.book.style import COLOURS, DEAD, LABELS, canvas, is_narrow, live_figure
from vanishing.live import Ahead, Choice, Seed, Slider
from vanishing.network import MLP, forward, init
from vanishing.probe import SATURATED_BELOW
from vanishing.studies import rounding
from vanishing.studies.comparisons import NAMES

DEPTH, WIDTH, BATCH = 20, 64, 64
REACH, BINS = 20.0, 80
EDGES = np.linspace(-REACH, REACH, 801)
GRID = ((EDGES[:-1] + EDGES[1:]) / 2).astype(np.float32)
FLOOR = 1 / (BATCH * WIDTH)  # the share of a single pre-activation
BOTTOM, TOP = -1.5, 3.0  # of the curves


def pre_activations(activation, layer, sigma_w, sigma_b, seed) -> Float[Array, "batch width"]:
    """z of one layer of a plain random network, on standard normal inputs.

    Args:
        activation: position in `comparisons.NAMES`.
        layer: 1 to `DEPTH`.
        sigma_w, sigma_b: scales of weights and biases.
        seed: of weights, biases and inputs.
    """
    net = MLP(
        depth=DEPTH,
        width=WIDTH,
        activation=activations.switch(activation, NAMES),
        sigma_w=sigma_w,
        sigma_b=sigma_b,
    )
    key, data_key = jax.random.split(jax.random.key(seed))
    x = jax.random.normal(data_key, (BATCH, WIDTH))
    return forward(net, init(net, key=key), x, depth=layer).pre[layer - 1]


def shares(z: Float[Array, "*shape"]) -> Float[Array, " bins"]:
    """Share of the pre-activations in each of `BINS` equal bins; those outside go to the ends.

    >>> float(shares(jnp.array([0.1, 0.2, 99.0]))[-1])
    0.3333333432674408
    """
    position = jnp.floor((jnp.ravel(z) + REACH) * (BINS / (2 * REACH)))
    position = jnp.clip(position, 0, BINS - 1).astype(jnp.int32)
    return jnp.zeros(BINS).at[position].add(1 / z.size)


def compute(activation, layer, sigma_w, sigma_b, seed) -> dict[str, Array]:
    """φ, φ′, where φ′ is exactly 0, and how the pre-activations of a layer are spread over it.

    Args: as `pre_activations`.

    Returns:
        On `GRID` [bins]: `phi`, `slope`, and `zero_above`, `zero_below`: the full height of the
        upper and lower panel where φ′ is exactly 0, none elsewhere. `share` [bins]. And the shares
        `zero` (φ′ exactly 0) and `saturated` (|φ′| under 1% of its largest, zeros included) of
        the pre-activations, and `dead` of the units (φ′ exactly 0 on the whole batch).
    """
    phi = activations.switch(activation, NAMES)
    slope = activations.derivative(phi)
    z = pre_activations(activation, layer, sigma_w, sigma_b, seed)
    steep = jnp.abs(slope(z))
    # A sum that XLA cannot fold: at compile time it rounds tanh correctly, as the device does not.
    grid = GRID + 0 * sigma_w
    curve = slope(grid)
    is_zero = curve == 0
    largest = jnp.max(jnp.abs(curve))
    return {
        "phi": phi(grid),
        "slope": curve,
        "zero_above": jnp.where(is_zero, TOP, BOTTOM),
        "zero_below": jnp.where(is_zero, 2.0, FLOOR / 2),
        "share": jnp.maximum(shares(z), FLOOR / 2),
        "zero": jnp.mean((steep == 0).astype(z.dtype)),
        "saturated": jnp.mean((steep < SATURATED_BELOW * largest).astype(z.dtype)),
        "dead": jnp.mean((jnp.max(steep, axis=0) == 0).astype(z.dtype)),
        "spread": jnp.sqrt(jnp.mean(z**2)),
    }


def _draw():
    figure, (upper, lower) = canvas(3.4 if is_narrow() else 4.6, rows=2, sharex=True)
    flat = np.full(GRID.size, np.nan)
    shade = {"color": DEAD, "alpha": 0.22, "fill": True, "linewidth": 0}
    none = np.zeros(GRID.size)
    above = upper.stairs(none + BOTTOM, EDGES, baseline=BOTTOM, **shade)
    look = {"color": COLOURS["ink"]}  # whichever activation the reader chooses
    (phi,) = upper.plot(GRID, flat, label="φ(z)", **look)
    (slope,) = upper.plot(GRID, flat, "--", label="φ′(z)", linewidth=1.3, **look)
    upper.set(ylim=(BOTTOM, TOP))
    axis_titles(upper, y="function and slope")
    legend_above(upper)
    below = lower.stairs(none + FLOOR / 2, EDGES, baseline=FLOOR / 2, **shade)
    steps = lower.stairs(
        np.full(BINS, 0.1),
        np.linspace(-REACH, REACH, BINS + 1),
        fill=True,
        baseline=FLOOR / 2,
        color=COLOURS["blue"],
    )
    lower.set(
        yscale="log",
        ylim=(FLOOR / 2, 2),
        xlim=(-REACH, REACH),
        xticks=[-20, -10, 0, 10, 20],
    )
    axis_titles(lower, x="pre-activation z", y="share of pre-activations")
    words = lower.text(0.99 * REACH, 0.5, "φ′ exactly 0: 100.0%", ha="right")
    bind = {
        above: "zero_above",
        phi: "phi",
        slope: "slope",
        below: "zero_below",
        steps: "share",
        words: "φ′ exactly 0: {zero:.1%}",
    }
    return figure, bind


def _shaded() -> str:
    """What is shaded for tanh on this machine, in words."""
    end = rounding.zero_from(activations.derivative("tanh"))
    if end < REACH:
        return (
            f"two shaded regions beyond plus and minus {end:.0f}, where the slope is exactly zero "
            "in float32"
        )
    return "no shaded region, for on this machine the slope is exactly zero only beyond the picture"


def activation_curves():
    """φ and φ′ over the pre-activations of a layer that the reader chooses, exact zeros shaded.

    Returns:
        A live figure; the last value of a cell shows it.

    >>> activation_curves().name
    'activation_curves'
    """
    controls = [
        Choice("activation", NAMES, value="tanh", words=LABELS),
        Slider("layer", 1, DEPTH, value=10),
        Slider(
            "sigma_w",
            0.1,
            20.0,
            value=4.0,
            label="weight scale σ_w",
            log=True,
            ahead=Ahead("saturated", 0, 1, label="share saturated"),
        ),
        Slider("sigma_b", 0.0, 4.0, value=0.0, step=0.05, label="bias scale σ_b"),
        Seed("seed"),
    ]
    return live_figure(
        _draw,
        compute,
        controls,
        name="activation_curves",
        caption="Above: an activation and its slope; shaded where the slope is exactly 0 in "
        "float32. Below: the pre-activations of one layer; the outermost bars hold all beyond ±20.",
        describe="{zero:.1%} of the pre-activations lie where the slope is exactly zero, "
        "{saturated:.1%} where it is zero or below 1% of its largest; {dead:.1%} of the units "
        "are dead on this batch; root mean square of z {spread:.3g}",
        alt=f"Above, tanh, its slope, and {_shaded()}. Below, how the pre-activations of layer 10 "
        "are spread: an arch on a logarithmic scale from about minus 14 to 14.",
    )
