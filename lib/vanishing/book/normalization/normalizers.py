"""None, batch or layer normalisation: what it does to signals, to gradients and to angles."""

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float, Int

from vanishing.book.labels import axis_titles, legend_above
from vanishing.book.style import (
    COLOURS,
    NATS_PER_DECADE,
    THEORY,
    is_narrow,
    is_slide,
    live_figure,
    mosaic,
)
from vanishing.live import Ahead, Choice, Cursor, Seed, Slider
from vanishing.network import NORMALIZATIONS
from vanishing.probe import rescale
from vanishing.studies.normalization import relu_factor

LAYERS, WIDTH, INPUTS = 50, 64, 64
#: Batches of one size share the inputs out among them; below four the mean factor is infinite.
BATCHES = (4, 8, 16, 32, 64)
EPSILON = 1e-5
HE = 2**0.5


def _together(batch: Int[Array, ""]) -> Float[Array, "groups groups"]:
    """The matrix that replaces the mean of each group of `BATCHES[0]` inputs by the mean over its
    batch: a batch is one of these groups, or several."""
    groups = batch // BATCHES[0]
    place = jnp.arange(INPUTS // BATCHES[0]) // groups
    return (place[:, None] == place[None]).astype(jnp.float32) / groups.astype(jnp.float32)


def _normalize(kind, means, z: Float[Array, "inputs units"]) -> Float[Array, "inputs units"]:
    """N(z) for one of `NORMALIZATIONS`, chosen while the figure runs."""

    def over_batch(z):
        groups = jnp.mean(z.reshape(-1, BATCHES[0], WIDTH), axis=1)
        return jnp.repeat(means @ groups, BATCHES[0], axis=0)

    def over_layer(z):
        return jnp.mean(z, axis=1, keepdims=True)

    def scaled(average):
        def normalized(z):
            deviation = z - average(z)
            return deviation / jnp.sqrt(average(deviation**2) + EPSILON)

        return normalized

    return lax.switch(kind, [lambda z: z, scaled(over_batch), scaled(over_layer)], z)


def _alike(h: Float[Array, "inputs units"]) -> Float[Array, ""]:
    """The mean cosine between two of the inputs, as this layer shows them."""
    size = jnp.sqrt(jnp.sum(h**2, axis=1, keepdims=True))
    total = jnp.sum(jnp.sum(h / jnp.maximum(size, 1e-30), axis=0) ** 2)
    return (total - INPUTS) / (INPUTS * (INPUTS - 1))


def _factor(kind, batch, sigma_w) -> Float[Array, ""]:
    """By what a wide layer multiplies the mean squared gradient."""
    plain = sigma_w**2 / 2
    return jnp.where(kind == 0, plain, jnp.where(kind == 1, relu_factor(batch), 1.0))


def compute(
    normalization: Int[Array, ""],
    batch: Int[Array, ""],
    depth: Int[Array, ""],
    sigma_w: Float[Array, ""],
    seed: Int[Array, ""],
) -> dict[str, Array]:
    """Draw a ReLU network, send 64 inputs up and a cotangent down, and measure every layer.

    Args:
        normalization: position in `NORMALIZATIONS`.
        batch: position in `BATCHES`: over how many of the 64 inputs batch norm averages.
        depth: number of layers, 2 to `LAYERS`.
        sigma_w: σ_w, √2 is He's.
        seed: of weights, inputs and cotangent.

    Returns:
        `layer`, 1 to depth; then, for these layers, `gradient`: log₁₀ RMS of δ_l relative to
        layer `depth`; `law`: what a wide network does; `limit`: what it does under batch norm
        with infinite batches; `activation`: log₁₀ RMS of h_l; `alike`: the mean cosine between
        two inputs. All have `LAYERS` entries; those after the last layer repeat it.
    """
    size = jnp.asarray(BATCHES, jnp.int32)[batch]
    means = _together(size)
    keys = jax.random.split(jax.random.key(seed), 3)
    x, cotangent = (jax.random.normal(key, (INPUTS, WIDTH)) for key in keys[:2])
    weights = jax.random.normal(keys[2], (LAYERS, WIDTH, WIDTH)) * (sigma_w / WIDTH**0.5)

    def active(z):
        return jax.nn.relu(_normalize(normalization, means, z))

    def up(h, layer):
        z = h @ layer
        h = active(z)
        return h, (z, rescale(h)[1], _alike(h))

    def down(carry, layer):
        index, weights, z = layer

        def through(carry):
            cotangent, log = carry
            (delta,) = jax.vjp(active, z)[1](cotangent)
            delta, more = rescale(delta)
            return (delta @ weights.T, log + more), log + more

        def above(carry):  # the cotangent waits
            return carry, carry[1]

        return lax.cond(index < depth, through, above, carry)

    _, (z, activation, alike) = lax.scan(up, x, weights)
    indexed = (jnp.arange(LAYERS), weights, z)
    _, gradient = lax.scan(down, (cotangent, jnp.zeros(())), indexed, reverse=True)

    shown = jnp.minimum(jnp.arange(LAYERS), depth - 1)
    from_top = (depth - 1 - shown).astype(jnp.float32) / (2 * NATS_PER_DECADE)
    return {
        "layer": (shown + 1).astype(jnp.float32),
        "gradient": (gradient[shown] - gradient[depth - 1]) / NATS_PER_DECADE,
        "law": from_top * jnp.log(_factor(normalization, size, sigma_w)),
        "limit": from_top * np.log(np.pi / (np.pi - 1)),
        "activation": activation[shown] / NATS_PER_DECADE,
        "alike": alike[shown],
    }


def _panels():
    """The axes: gradient above; the other two side by side below it, or one under another; on a
    slide beside it."""
    if is_narrow():
        panels = [["gradient"], ["activation"], ["alike"]]
        return mosaic(panels, 3.7, sharex=True, height_ratios=[1.8, 1, 1])
    if is_slide():
        panels = [["gradient", "activation"], ["gradient", "alike"]]
        return mosaic(panels, sharex=True, width_ratios=[1.25, 1])
    return mosaic([["gradient", "gradient"], ["activation", "alike"]], 5.2)


def _draw():
    figure, panels = _panels()
    wide = not (is_narrow() or is_slide())
    layer, flat = np.arange(1.0, LAYERS + 1), np.zeros(LAYERS)
    bind = {}

    def line(panel, output, **options):
        (drawn,) = panels[panel].plot(layer, flat, **options)
        bind[drawn] = {"x": "layer", "y": output}

    line("gradient", "gradient", label="measured")
    line("gradient", "law", color=COLOURS["ink"], label="theory", **THEORY)
    slate = {"color": COLOURS["slate"], "linestyle": "-.", "linewidth": 1}
    line("gradient", "limit", label="batch norm, B → ∞" if wide else "B → ∞", **slate)
    line("activation", "activation")
    line("alike", "alike")
    panels["gradient"].set(ylim=(-8, 12.5))
    panels["gradient"].set_yticks([-5, 0, 5, 10], ["10⁻⁵", "1", "10⁵", "10¹⁰"])
    axis_titles(panels["gradient"], y="gradient")
    if is_slide():
        panels["gradient"].legend(loc="upper right")
    else:
        legend_above(panels["gradient"])
    panels["activation"].set(ylim=(-8, 8), yticks=[-5, 0, 5])
    axis_titles(panels["activation"], y="log₁₀ activation RMS")
    panels["alike"].set(ylim=(-0.05, 1.05), yticks=[0, 0.5, 1])
    axis_titles(
        panels["alike"], y="cosine of two inputs" if is_slide() else "cosine between two inputs"
    )
    for panel in panels.values():
        panel.set(xlim=(0, LAYERS + 1))
        axis_titles(panel, x="layer")
        if is_narrow():
            panel.label_outer()
    if is_slide():
        panels["activation"].tick_params(labelbottom=False)
        panels["activation"].set_xlabel("")
    unit = "decades" if is_slide() else "powers of ten"
    words = panels["gradient"].text(1, -7.2, f"layer 1: +4.3 {unit}")
    bind[words] = f"layer 1: {{gradient[0]:+.1f}} {unit}"
    bind[Cursor("layer", range(1, LAYERS + 1), panels.values())] = (
        "gradient {gradient:.2p} times the last, activation RMS {activation:.2p}, "
        "cosine {alike:.2f}"
    )
    return figure, bind


def normalizers():
    """Normalisation × batch size × depth × σ_w → gradient, activation and angle by layer.

    Returns:
        A live figure; the last value of a cell shows it.

    >>> normalizers().name
    'normalizers'
    """
    names = [str(name).lower() for name in NORMALIZATIONS]
    controls = [
        Choice("normalization", names, value="batch", label="normalisation"),
        Choice(
            "batch",
            [str(size) for size in BATCHES],
            value="64",
            label="batch size B",
            when={"normalization": "batch"},
        ),
        Slider(
            "depth",
            2,
            LAYERS,
            value=LAYERS,
            ahead=Ahead("gradient[0]", -5, 5, label="gradient at layer 1"),
        ),
        Slider(
            "sigma_w",
            1.0,
            2.0,
            value=HE,
            label="weight scale σ_w",
            log=True,
            marks={HE: "He"},
            ahead=Ahead("gradient[0]", -5, 5, label="gradient at layer 1"),
            more=True,
        ),
        Seed("seed", more=True),
    ]
    return live_figure(
        _draw,
        compute,
        controls,
        name="normalizers",
        title="three normalisations",
        words={
            "gradient": "gradient",
            "law": "gradient by theory",
            "limit": "gradient under batch norm with infinite batches",
            "activation": "activation",
            "alike": "cosine between two inputs",
        },
        describe="from the last layer to layer 1 the gradient changes by {gradient[0]:+.1f} powers "
        "of ten, theory says {law[0]:+.1f}; activation "
        "RMS at the last layer is {activation[49]:.2p}; the mean cosine between two inputs there "
        "is {alike[49]:.2f}",
        alt="Above, the gradient of fifty batch-normalised ReLU layers rises on a straight line "
        "from layer 50 to more than ten thousand times its size at layer 1, and two lines of "
        "theory lie close to it. Below, the activations stay level, and the cosine between two "
        "inputs stays near a third in all layers.",
    )
