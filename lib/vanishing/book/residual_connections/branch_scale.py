"""The live figure of `residual-connections`: what the scale of the branches does to a network."""

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float
from matplotlib.colors import LinearSegmentedColormap, Normalize

from vanishing._layers import normalize, read_in
from vanishing.book.labels import axis_titles
from vanishing.book.style import COLOURS, is_narrow, is_slide, live_figure, mosaic
from vanishing.live import Ahead, Cursor, Seed, Slider, Toggle
from vanishing.network import MLP
from vanishing.probe import rescale
from vanishing.studies import paths, shattering

BLOCKS, WIDTH = 50, 48
#: The inputs at which the gradient is taken apart: four of the grid.
ROWS = np.array([32, 96, 160, 224])
ARC = np.linspace(0, 1, 9)[:-1]  # along one arc of the drawing
NET = MLP(BLOCKS, WIDTH, "relu", "he", in_features=1, out_features=1)
LAYER_NORM = MLP(1, WIDTH, normalization="layer")


def compute(depth, alpha, skips, normalized, seed) -> dict[str, Float[Array, "..."]]:
    """One network f of one input: its signals, its gradient, and the paths that carried it.

        h_l = s h_{l−1} + α relu(N(h_{l−1})) W_l,   s = 1, or 0 with α = 1 where skips are cut

    Args:
        depth: blocks in use, 1 to `BLOCKS`.
        alpha: α.
        skips: whether there are any.
        normalized: whether N is layer normalisation, or nothing.
        seed: of weights and of the biases of the read-in.

    Returns:
        For l = 0 … depth, the last value repeated: `place` = l; `activation` and `gradient`, log₁₀
        RMS of h_l relative to h_0 and of ∂f/∂h_l relative to the last; both with `_law`.
        `skip_arc` and `branch_arc` over `arc_place`: an arc for each block, as high as its share
        of the mean squared gradient. `share` and `share_law` of the paths through 0 … `BLOCKS`
        branches; `direct`, the first of them, and `length`, their mean. `slope` = df/dx on a grid,
        of unit RMS, and its `autocorrelation` at a distance of one point.
    """
    used = jnp.arange(BLOCKS) < depth
    kept = jnp.where(used, skips.astype(alpha.dtype), 1)
    scale = jnp.where(used, jnp.where(skips, alpha, 1), 0)
    params = shattering.start(NET, key=jax.random.key(seed))
    top = params["read_out"]["weights"][:, 0]

    def branch(h, layer):
        weights, scale = layer

        def plain(h):
            return scale * (jax.nn.relu(h) @ weights)

        def after_norm(h):
            return plain(normalize(LAYER_NORM, h))

        kind = jnp.where(scale == 0, 0, jnp.where(normalized, 2, 1))
        return lax.switch(kind, [jnp.zeros_like, plain, after_norm], h)  # not in use: no product

    def up(carry, block):
        h, tangent = carry
        layer, kept = block
        added, turned = jax.jvp(lambda h: branch(h, layer), (h,), (tangent,))
        above = kept * h + added
        return (above, kept * tangent + turned), (h[ROWS], rescale(above)[1])

    layers, x = (params["weights"], scale), shattering.inputs()
    h_0, tangent = jax.jvp(lambda x: read_in(params, x), (x,), (jnp.ones_like(x),))
    (_, tangent), (below, sizes) = lax.scan(up, (h_0, tangent), (layers, kept))
    cotangent = jnp.broadcast_to(top, (len(ROWS), WIDTH))
    found = paths.take_apart(branch, layers, below, cotangent, kept)
    shown = jnp.minimum(jnp.arange(BLOCKS + 1), depth)
    share = paths.share(found.by_length)
    return {
        "place": shown.astype(alpha.dtype),
        "activation": _decades(jnp.append(rescale(h_0)[1], sizes))[shown],
        "gradient": _gradient(found, cotangent)[shown],
        **_arcs(found, kept, depth),
        "share": share,
        "direct": share[0],
        "length": jnp.sum(share * jnp.arange(BLOCKS + 1, dtype=share.dtype)),
        **_laws(kept, scale, normalized, shown),
        **_slope(tangent @ top),
    }


def _decades(logs: Float[Array, " blocks"]) -> Float[Array, " blocks"]:
    return (logs - logs[0]) / np.log(10)


def _gradient(found: paths.Parts, cotangent) -> Float[Array, " blocks"]:
    """log₁₀ RMS of ∂f/∂h_l, l = 0 … `BLOCKS`, relative to the last."""
    below = jnp.sum(found.by_length, axis=0)[None]
    logs = jax.vmap(lambda g: rescale(g)[1])(jnp.concatenate([below, found.stream]))
    return (logs - logs[-1]) / np.log(10)


def _arcs(found: paths.Parts, kept, depth) -> dict[str, Float[Array, " points"]]:
    """Two chains of arcs over the blocks, in one line each: they meet on the axis."""
    by_skip = kept**2 * jnp.mean(found.stream**2, axis=(1, 2))
    by_branch = jnp.mean(found.branch**2, axis=(1, 2))
    total = by_skip + by_branch
    shape = jnp.asarray(4 * ARC * (1 - ARC), total.dtype)[None]
    place = jnp.arange(BLOCKS, dtype=total.dtype)[:, None] + jnp.asarray(ARC, total.dtype)[None]
    last = depth.astype(total.dtype)

    def chain(share):
        return jnp.append(jnp.where(place < last, share[:, None] * shape, 0), 0.0)

    return {
        "arc_place": jnp.minimum(jnp.append(place, float(BLOCKS)), last),
        "skip_arc": chain(by_skip / total),
        "branch_arc": -chain(by_branch / total),
    }


def _laws(kept, scale, normalized, shown) -> dict[str, Float[Array, " blocks"]]:
    """What wide networks do: E h², E (∂f/∂h_l)², and the lengths of the paths."""

    def up(q, block):
        kept, scale = block
        added = scale**2 * jnp.where(normalized, 1, q)
        passed = scale**2 / jnp.where(normalized, q, 1)
        above = kept * q + added
        return above, (above, kept + passed, passed / (kept + passed))

    _, (length, factor, p) = lax.scan(up, jnp.ones(()), (kept, scale))

    def longer(law, p):
        return (1 - p) * law + p * jnp.append(0.0, law[:-1]), None

    start = jnp.zeros(BLOCKS + 1).at[0].set(1.0)
    activation = 0.5 * jnp.log10(jnp.append(1.0, length))
    gradient = 0.5 * jnp.append(jnp.cumsum(jnp.log10(factor)[::-1])[::-1], 0.0)
    return {
        "activation_law": activation[shown],
        "gradient_law": gradient[shown],
        "share_law": lax.scan(longer, start, p)[0],
    }


def _slope(slope: Float[Array, " points"]) -> dict[str, Float[Array, "..."]]:
    slope = rescale(slope)[0]
    g = slope - jnp.mean(slope)
    square = jnp.sum(g**2)
    return {
        "slope": slope,
        "autocorrelation": jnp.sum(g[1:] * g[:-1]) / jnp.where(square > 0, square, 1),
    }


#: Of a gradient that has shrunk, kept its size, or grown, from 10⁻⁸ to 10⁸.
SIZE = LinearSegmentedColormap.from_list(
    "size", [COLOURS["blue"], "#c9ced6", COLOURS["purple"]], 65
)


def _panels():
    """The axes: the network on top; below it the other three, on a slide in one row."""
    if is_slide():
        panels = [["net", "net", "net"], ["norms", "lengths", "slope"]]
        return mosaic(panels, height_ratios=[1, 1.6])
    panels = [["net", "net"], ["norms", "lengths"], ["slope", "slope"]]
    return mosaic(panels, 4.2 if is_narrow() else 6.6, height_ratios=[1, 1.5, 1.2])


def _draw():
    figure, panels = _panels()
    bind, blocks = {}, np.arange(BLOCKS + 1.0)

    def line(panel, output, x=None, **options):
        at = blocks if x is None else x
        (drawn,) = panels[panel].plot(at, np.zeros_like(at), **options)
        bind[drawn] = output

    net = panels["net"]
    arcs = np.append(np.arange(BLOCKS)[:, None] + ARC, BLOCKS)
    for output, colour in (("skip_arc", "green"), ("branch_arc", "brown")):
        look = {"color": COLOURS[colour], "linewidth": 1.2}
        line("net", {"x": "arc_place", "y": output}, arcs, **look)
    nothing, size = np.zeros_like(blocks), 6 if is_narrow() else 14
    nodes = net.scatter(
        blocks, nothing, s=size, c=nothing, cmap=SIZE, norm=Normalize(-8, 8), zorder=3
    )
    bind[nodes] = {"x": "place", "colour": "gradient"}
    net.set(xlim=(-1, BLOCKS + 1), ylim=(-1.25, 1.25), yticks=[], xticks=[])
    axis_titles(net, y="gradient: skips up, branches down")

    for output, words, colour in (
        ("activation", "signal", "slate"),
        ("gradient", "gradient", "blue"),
    ):
        look = {"color": COLOURS[colour], "label": words}
        line("norms", {"x": "place", "y": output}, **look)
        line("norms", {"x": "place", "y": f"{output}_law"}, linestyle="--",
             color=COLOURS["ink"], linewidth=1.2)  # fmt: skip
    norms, lengths, slope = (panels[name] for name in ("norms", "lengths", "slope"))
    norms.set(xlim=(0, BLOCKS), ylim=(-10, 10), xticks=[0, 25, 50], yticks=[0, 5])
    axis_titles(norms, x="block l", y="log₁₀ RMS")
    norms.legend(loc="lower center", ncols=2)

    bars = lengths.bar(blocks, np.zeros_like(blocks), width=0.8, color=COLOURS["blue"])
    bind[bars] = "share"
    line("lengths", "share_law", linestyle="--", color=COLOURS["ink"], linewidth=1.2)
    lengths.set(xlim=(-1, BLOCKS + 1), ylim=(-0.02, 1), xticks=[0, 25, 50], yticks=[0, 0.5, 1])
    axis_titles(lengths, x="branches on path", y="gradient share")

    x = np.asarray(shattering.inputs()).ravel().astype(float)
    line("slope", "slope", x, linewidth=1.0, color=COLOURS["blue"])
    slope.set(xlim=(-shattering.REACH, shattering.REACH), ylim=(-4, 4), yticks=[-2, 0, 2])
    axis_titles(slope, x="input x", y="df/dx" if is_slide() else "df/dx, relative to its RMS")
    said = "to the next: " if is_slide() else "from point to point: "
    words = slope.text(-1.95, -3.7, f"{said}0.97", va="bottom")
    bind[words] = f"{said}{{autocorrelation:.2f}}"
    bind[Cursor("block", range(BLOCKS + 1), [net, norms])] = (
        "activation {activation:.1p} times the input, gradient {gradient:.1p} times the last"
    )
    return figure, bind


def branch_scale():
    """Branch scale and depth → signals, gradient, its paths, and the gradient along one input.

    Returns:
        A live figure; the last value of a cell shows it.

    >>> branch_scale().name
    'branch_scale'
    """
    shown = round(BLOCKS**-0.5, 4)
    controls = [
        Slider("depth", 1, BLOCKS, value=BLOCKS, label="blocks L"),
        Slider(
            "alpha", 0.01, 1.5, value=1.0, label="branch scale α", log=True,
            when={"skips": True}, marks={1 / BLOCKS: "1/50", shown: "1/√50", 1.0: "1"},
            ahead=Ahead("gradient[0]", -10, 10, label="gradient at the input"),
        ),
        Toggle("skips", value=True),
        Toggle("normalized", label="layer norm in the branch", more=True),
        Seed("seed", more=True),
    ]  # fmt: skip
    return live_figure(
        _draw,
        compute,
        controls,
        name="branch_scale",
        title="the scale of the branches",
        presets={
            "unscaled": {},
            "1/√L": {"alpha": shown},
            "1/L": {"alpha": 1 / BLOCKS},
            "normalised": {"normalized": True},
            "no skips": {"skips": False},
        },
        words={
            "activation": "activation",
            "gradient": "gradient",
            "activation_law": "activation expected",
            "gradient_law": "gradient expected",
            "share": "share of each path length",
            "share_law": "share expected",
            "slope": "df/dx",
            "skip_arc": "share through each skip",
            "branch_arc": "share through each branch",
            "length": "branches on a path, on average",
            "direct": "share by the skips alone",
        },
        describe="on its way from the last block to the input the gradient changes by "
        "{gradient[0]:+.1f} powers of ten; its paths pass {length:.1f} branches on average, and "
        "{direct:.1%} of it comes by the skips alone; from one point to the next df/dx keeps "
        "{autocorrelation:.2f} of its variation",
        alt="Four panels. On top the network, a row of fifty-one dots joined by arcs: those above "
        "stand for the skips, those below for the branches, and all are equally high, for half of "
        "the gradient goes each way at every block. Below on the left, the activation climbs on a "
        "straight line to ten to the power seven at block 50, and the gradient does so towards "
        "block 0. On the right, the bars of the path lengths form a bell around 25 branches. At "
        "the bottom df/dx, a ragged curve.",
    )
