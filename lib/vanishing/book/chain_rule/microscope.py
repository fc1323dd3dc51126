"""The gradient microscope: what every layer of a random network does, forward and backward."""

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float

from vanishing import activations, theory
from vanishing.book.labels import axis_titles, legend_above
from vanishing.book.style import (
    COLOURS,
    DEAD,
    LABELS,
    NATS_PER_DECADE,
    SATURATED,
    is_narrow,
    is_slide,
    live_figure,
    mosaic,
)
from vanishing.live import Ahead, Choice, Cursor, Seed, Slider, Toggle
from vanishing.network import MLP, NORMALIZATIONS, init
from vanishing.probe import probe

LAYERS, WIDTH, BATCH = 50, 64, 32
NAMES = tuple(name for name in activations.ACTIVATIONS if name != "linear")
# Fifty sigmoid layers at σ_w = 1 reach 1e-31, batch norm and ReLU 1e4; what leaves the panel is
# clipped, and its size stands in words above.
DECADES = (-36, 16)


def _measure(net: MLP, params, x, cotangent, depth):
    seen = probe(net, params, x, cotangent, depth=depth)
    return {
        "gradient": seen.log_gradient_rms / NATS_PER_DECADE,
        "activation": seen.log_activation_rms / NATS_PER_DECADE,
        "dead": seen.dead_fraction,
        "saturated": seen.saturated_fraction,
    }


def _predict(net: MLP):
    law = theory.predict(net, 1.0)
    return {
        "gradient_law": law.log_gradient_rms / NATS_PER_DECADE,
        "activation_law": law.log_activation_rms / NATS_PER_DECADE,
    }


def compute(
    depth, activation, sigma_w, sigma_b, normalization, residual, alpha, seed
) -> dict[str, Float[Array, " layers"]]:
    """Draw a network, send a signal up and a gradient down, and measure every layer.

    Args:
        depth: number of layers, 1 to `LAYERS`.
        activation: position in `NAMES`.
        sigma_w, sigma_b: scales of weights and biases.
        normalization: position in `network.NORMALIZATIONS`.
        residual: whether each layer is a residual branch, of scale alpha.
        alpha: α, without effect in a plain network.
        seed: of weights, biases, inputs and cotangent.

    Returns:
        `layer`, 1 to depth; then, for these layers, `gradient`: log₁₀ RMS of δ_l relative to
        layer `depth`; `activation`: log₁₀ RMS of h_l; `gradient_law` and `activation_law`: what
        mean-field theory expects of both; `dead` and `saturated`: shares. All arrays have
        `LAYERS` entries; those after the last layer repeat it.
    """
    phi = activations.switch(activation, NAMES)
    keys = jax.random.split(jax.random.key(seed), 3)
    x, cotangent = (jax.random.normal(key, (BATCH, WIDTH)) for key in keys[:2])

    def network(normalization, residual):
        return MLP(
            depth=LAYERS,
            width=WIDTH,
            activation=phi,
            sigma_w=sigma_w,
            sigma_b=sigma_b,
            normalization=normalization,
            residual=residual,
        )

    params = init(network(None, None), key=keys[2])
    kinds = [network(norm, scale) for scale in (None, alpha) for norm in NORMALIZATIONS]
    kind = normalization + len(NORMALIZATIONS) * residual.astype(jnp.int32)
    measures = [lambda net=net: _measure(net, params, x, cotangent, depth) for net in kinds]
    laws = [lambda net=net: _predict(net) for net in kinds]
    outputs = lax.switch(kind, measures) | lax.switch(kind, laws)
    shown = jnp.minimum(jnp.arange(LAYERS), depth - 1)
    outputs = {name: values[shown] for name, values in outputs.items()}
    for name in ("gradient", "gradient_law"):
        outputs[name] = outputs[name] - outputs[name][-1]
    return {"layer": (shown + 1).astype(sigma_w.dtype), **outputs}


def _panels():
    """The axes: gradient above; the other two side by side below it, or one under another; on a
    slide beside it."""
    if is_narrow():
        panels = [["gradient"], ["activation"], ["units"]]
        return mosaic(panels, 3.7, sharex=True, height_ratios=[2, 1, 1])
    if is_slide():
        panels = [["gradient", "activation"], ["gradient", "units"]]
        return mosaic(panels, sharex=True, width_ratios=[1.25, 1])
    return mosaic([["gradient", "gradient"], ["activation", "units"]], 5.2)


def _draw():
    figure, panels = _panels()
    layer, flat = np.arange(1.0, LAYERS + 1), np.zeros(LAYERS)
    bind = {}

    def line(panel, output, *style, **options):
        (drawn,) = panels[panel].plot(layer, flat, *style, **options)
        bind[drawn] = {"x": "layer", "y": output}

    for panel in ("gradient", "activation"):
        line(panel, panel, label="measured")
        law = {"color": COLOURS["ink"], "linewidth": 1.2, "label": "mean field"}
        line(panel, f"{panel}_law", "--", **law)
    line("units", "saturated", color=SATURATED, label="saturated")
    line("units", "dead", color=DEAD, label="dead")
    panels["gradient"].set(ylim=DECADES)
    panels["gradient"].set_yticks([-30, -20, -10, 0, 10], ["10⁻³⁰", "10⁻²⁰", "10⁻¹⁰", "1", "10¹⁰"])
    axis_titles(panels["gradient"], y="gradient")
    if not is_slide():  # there is no room, and theory is dashed everywhere
        legend_above(panels["gradient"])
    panels["activation"].set(ylim=(-10, 10), yticks=[-5, 0, 5])
    axis_titles(panels["activation"], y="log₁₀ activation RMS")
    panels["units"].set(ylim=(-0.03, 1.03), yticks=[0, 0.5, 1])
    axis_titles(panels["units"], y=None if is_slide() else "share of units")
    legend_above(panels["units"])
    for panel in panels.values():
        panel.set(xlim=(0, LAYERS + 1))
        axis_titles(panel, x="layer")
        if is_narrow():
            panel.label_outer()
    if is_slide():
        panels["activation"].tick_params(labelbottom=False)
        panels["activation"].set_xlabel("")
    words = panels["gradient"].text(LAYERS, DECADES[0] + 2, "layer 1: −30.8 decades", ha="right")
    bind[words] = "layer 1: {gradient[0]:.1f} decades"
    bind[Cursor("layer", range(1, LAYERS + 1), panels.values())] = (
        "gradient {gradient:.2p} times the last, activation RMS {activation:.2p}, "
        "{dead:.0%} dead, {saturated:.0%} saturated"
    )
    return figure, bind


def microscope():
    """Depth, activation, scales, normalisation, residual → gradient and activation by layer.

    Returns:
        A live figure; the last value of a cell shows it.

    >>> microscope().name
    'microscope'
    """
    controls = [
        Slider("depth", 1, LAYERS, value=LAYERS),
        Choice("activation", NAMES, value="sigmoid", words=LABELS),
        Slider(
            "sigma_w",
            0.1,
            8.0,
            value=1.0,
            label="weight scale σ_w",
            log=True,
            marks={1.0: "Xavier", 1.41421: "He"},
            ahead=Ahead("gradient[0]", -30, 30, label="gradient at layer 1"),
        ),
        Slider("sigma_b", 0.0, 2.0, value=0.0, step=0.01, label="bias scale σ_b"),
        Choice(
            "normalization",
            [str(n).lower() for n in NORMALIZATIONS],
            label="normalisation",
            more=True,
        ),
        Toggle("residual", more=True),
        Slider(
            "alpha",
            0.0,
            1.5,
            value=1.0,
            step=0.01,
            label="branch scale α",
            more=True,
            when={"residual": True},
        ),
        Seed("seed", more=True),
    ]
    return live_figure(
        _draw,
        compute,
        controls,
        name="microscope",
        title="the gradient microscope",
        words={
            "gradient": "gradient",
            "gradient_law": "gradient of mean field",
            "activation": "activation",
            "activation_law": "activation of mean field",
            "dead": "dead share",
            "saturated": "saturated share",
        },
        describe="from the last layer to layer 1 the gradient changes by {gradient[0]:.1f} powers "
        "of ten, mean field expects {gradient_law[0]:.1f}; activation RMS at the last layer is "
        "{activation[49]:.2p}; {dead[49]:.0%} of its units are dead, {saturated[49]:.0%} "
        "of its pairs of input and unit saturated",
        alt="Above, the gradient of fifty sigmoid layers falls on a straight line from layer 50 to "
        "ten to the minus 31 at layer 1, and the mean-field line lies on it. Below, the "
        "activations stay level near a half, and no unit is dead or saturated.",
    )
