"""The length map and the correlation map as cobwebs, beside a real network that follows them."""

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float

from vanishing import activations, theory
from vanishing.book.labels import axis_titles
from vanishing.book.style import COLOURS, LABELS, THEORY, is_narrow, live_figure, mosaic
from vanishing.live import Ahead, Choice, Cursor, Seed, Slider
from vanishing.network import MLP, forward, init

LAYERS, WIDTH = 15, 100
NAMES = ("tanh", "relu", "sigmoid", "gelu", "selu", "linear")
# Of the lengths that are drawn; what leaves the panels stands in the sentence.
SMALLEST, LARGEST = 1e-2, 1e2
LENGTHS = np.geomspace(SMALLEST, LARGEST, 41).astype(np.float32)
ALIKE = np.linspace(0, 1, 17).astype(np.float32)


def pair(alike, size, key) -> Float[Array, "2 width"]:
    """Two random inputs of RMS `size` whose cosine is exactly `alike`."""
    u, v = jax.random.normal(key, (2, WIDTH))
    u = u / jnp.sqrt(jnp.mean(u**2))
    v = v - jnp.mean(u * v) * u
    v = v / jnp.sqrt(jnp.mean(v**2))
    return size * jnp.stack([u, alike * u + jnp.sqrt(1 - alike**2) * v])


def measured(net: MLP, x, key) -> tuple[Float[Array, " layers"], Float[Array, " layers"]]:
    """q_l and c_l of a real network: mean square and cosine of the two rows of z_l."""
    z = forward(net, init(net, key=key), x).pre
    first, second = z[:, 0], z[:, 1]
    squares = jnp.mean(z**2, axis=2)
    # Layers of a narrow network may fall silent; 0 / 0 has no cosine.
    sizes = jnp.sqrt(squares[:, 0] * squares[:, 1])
    cosine = jnp.mean(first * second, axis=1) / jnp.where(sizes > 0, sizes, 1)
    return jnp.mean(squares, axis=1), cosine


def followed(phi, sigma_w, sigma_b, alike, size):
    """q_l and c_l of both maps, from layer 1 up."""

    def up(state, _):
        q, c = state
        above = (
            theory.length_map(phi, q, sigma_w, sigma_b),
            theory.correlation_map(phi, c, q, sigma_w, sigma_b),
        )
        return above, state

    q = sigma_w**2 * size**2 + sigma_b**2
    c = (sigma_w**2 * size**2 * alike + sigma_b**2) / q
    return lax.scan(up, (q, c), length=LAYERS)[1]


def staircase(steps: Float[Array, " layers"]) -> tuple[Array, Array]:
    """The cobweb of a sequence: from the diagonal up to the map, across to the diagonal, …

    >>> [values.tolist() for values in staircase(jnp.array([1.0, 3.0, 4.0]))]
    [[1.0, 1.0, 3.0, 3.0], [1.0, 3.0, 3.0, 4.0]]
    """
    return jnp.repeat(steps[:-1], 2), jnp.repeat(steps, 2)[1:-1]


def compute(activation, sigma_w, sigma_b, alike, size, seed) -> dict[str, Array]:
    """Two inputs climb a random network; the two maps say what to expect.

    Args:
        activation: position in `NAMES`.
        sigma_w, sigma_b: scales of weights and biases.
        alike: cosine between the two inputs.
        size: their RMS.
        seed: of weights, biases and inputs.

    Returns:
        On `LENGTHS` `length_map`, on `ALIKE` `correlation_map` at the last layer's q; cobwebs
        `length_x`, `length_y`, `correlation_x`, `correlation_y` [corners]; `length_law`,
        `length`, `correlation_law`, `correlation` [layers]; of the network each value against
        the one a layer above (`…_from`, `…_to` [layers − 1]); and `chi`, the factor of the squared
        gradient there.
    """
    phi = activations.switch(activation, NAMES)
    input_key, weight_key = jax.random.split(jax.random.key(seed))
    net = MLP(depth=LAYERS, width=WIDTH, activation=phi, sigma_w=sigma_w, sigma_b=sigma_b)
    q, c = measured(net, pair(alike, size, input_key), weight_key)
    q_law, c_law = followed(phi, sigma_w, sigma_b, alike, size)
    lengths = jax.vmap(lambda q: theory.length_map(phi, q, sigma_w, sigma_b))
    correlations = jax.vmap(lambda c: theory.correlation_map(phi, c, q_law[-1], sigma_w, sigma_b))
    (length_x, length_y), (correlation_x, correlation_y) = staircase(q_law), staircase(c_law)
    return {
        "length_map": lengths(jnp.asarray(LENGTHS)),
        "correlation_map": correlations(jnp.asarray(ALIKE)),
        "length_x": length_x,
        "length_y": length_y,
        "correlation_x": correlation_x,
        "correlation_y": correlation_y,
        "length_from": q[:-1],
        "length_to": q[1:],
        "correlation_from": c[:-1],
        "correlation_to": c[1:],
        "length_law": q_law,
        "length": q,
        "correlation_law": c_law,
        "correlation": c,
        "chi": sigma_w**2 * activations.slope_second_moment(phi, q_law[-1]),
    }


def _draw():
    four = [["length", "correlation"], ["lengths", "correlations"]]
    figure, panels = mosaic(four, 3.8 if is_narrow() else 5.8)
    bind = {}
    colours = {"length": COLOURS["blue"], "correlation": COLOURS["purple"]}
    grids, ends = {"length": LENGTHS, "correlation": ALIKE}, 2 * LAYERS - 2
    law = {"color": COLOURS["ink"], **THEORY}
    layer, dots = np.arange(1, LAYERS + 1), []
    for name, colour in colours.items():
        ax, by_layer, grid = panels[name], panels[f"{name}s"], grids[name]
        ax.plot(grid, grid, color=COLOURS["slate"], linewidth=0.8)
        (curve,) = ax.plot(grid, grid, **law)
        web = {"color": COLOURS["slate"], "linewidth": 1}
        (steps,) = ax.plot(np.ones(ends), np.ones(ends), **web)
        dots.append(ax.scatter(np.ones(LAYERS - 1), np.ones(LAYERS - 1), s=14, color=colour))
        (expected,) = by_layer.plot(layer, np.ones(LAYERS), **law)
        (seen,) = by_layer.plot(layer, np.ones(LAYERS), "o-", markersize=3.5, color=colour)
        bind[curve] = f"{name}_map"
        bind[steps] = {"x": f"{name}_x", "y": f"{name}_y"}
        bind[dots[-1]] = {"x": f"{name}_from", "y": f"{name}_to"}
        bind[expected], bind[seen] = f"{name}_law", name
        by_layer.set(xlim=(0, LAYERS + 1), xticks=[1, 5, 10, 15])
    ranges = {"xlim": (SMALLEST, LARGEST), "ylim": (SMALLEST, LARGEST)}
    panels["length"].set(xscale="log", yscale="log", **ranges)
    panels["lengths"].set(yscale="log", ylim=(SMALLEST, LARGEST))
    powers = [0.01, 1, 100] if is_narrow() else [0.01, 0.1, 1, 10, 100]
    for axis in (panels["length"].xaxis, panels["length"].yaxis, panels["lengths"].yaxis):
        axis.set_ticks(powers, [f"{power:g}" for power in powers])
        axis.set_ticks([], minor=True)
    panels["correlation"].set(xlim=(-0.25, 1.05), ylim=(-0.25, 1.05))
    panels["correlation"].set(xticks=[0, 0.5, 1], yticks=[0, 0.5, 1])
    panels["correlations"].set(ylim=(-0.25, 1.05), yticks=[0, 0.5, 1])
    axis_titles(panels["length"], x="q of a layer", y="q, next layer")
    axis_titles(panels["correlation"], x="cosine in a layer", y="cosine, next layer")
    axis_titles(panels["lengths"], x="layer", y="length q")
    axis_titles(panels["correlations"], x="layer", y="cosine of inputs")
    slope = "χ = " if is_narrow() else "slope at 1: χ = "
    words = panels["correlation"].text(1.03, -0.2, f"{slope}0.000", ha="right")
    bind[words] = slope + "{chi:.3f}"
    places = [panels["lengths"], panels["correlations"], *dots]
    bind[Cursor("layer", range(1, LAYERS + 1), places)] = (
        "length q {length:.2s}, cosine {correlation:.2f}"
    )
    return figure, bind


def cobwebs():
    """Activation and scales → both maps, their cobwebs, and a real network on top of them.

    Returns:
        A live figure; the last value of a cell shows it.

    >>> cobwebs().name
    'cobwebs'
    """
    controls = [
        Choice("activation", NAMES, value="tanh", words=LABELS),
        Slider(
            "sigma_w",
            0.5,
            5.0,
            value=2.0,
            label="weight scale σ_w",
            log=True,
            marks={1.0: "tanh", 1.41421: "ReLU"},
            ahead=Ahead("correlation[14]", -1, 1, label="cosine at layer 15"),
        ),
        Slider("sigma_b", 0.0, 1.0, value=0.0, step=0.01, label="bias scale σ_b"),
        Slider("alike", 0.0, 0.99, value=0.9, step=0.01, label="cosine of the inputs"),
        Slider("size", 0.1, 5.0, value=1.0, label="RMS of the inputs", log=True, more=True),
        Seed("seed", more=True),
    ]
    he = {"activation": "relu", "sigma_w": 1.41421, "alike": 0.0}
    return live_figure(
        _draw,
        compute,
        controls,
        name="cobwebs",
        title="length and correlation, layer by layer",
        presets={
            "order": {"sigma_w": 0.7, "sigma_b": 0.3, "alike": 0.0},
            "chaos": {"sigma_w": 2.5, "sigma_b": 0.3, "alike": 0.9},
            "critical": {"sigma_w": 1.327, "sigma_b": 0.22, "alike": 0.0},
            "He": he,
        },
        words={
            "length": "length",
            "length_law": "length by the map",
            "correlation": "cosine",
            "correlation_law": "cosine by the map",
        },
        describe="at layer 15 the length q is {length[14]:.2s}, the map expects "
        "{length_law[14]:.2s}; the cosine between the two inputs is {correlation[14]:.2f}, the map "
        "expects {correlation_law[14]:.2f}; the squared gradient changes by {chi:.3f} a layer",
        alt="Four panels for tanh at σ_w = 2. Above left, the length map is a curve that crosses "
        "the diagonal near 2.2, and a staircase runs to the crossing within three steps. Above "
        "right, the correlation map leaves 1 steeply, so that the staircase walks down from 0.9 "
        "towards 0. Below, the dots of a real network follow both dashed predictions layer by "
        "layer, with some scatter in the cosine.",
    )
