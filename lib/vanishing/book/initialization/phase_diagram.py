"""The live figure of `initialization`: a start as a dot on the map of its activation function."""

from functools import cache
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.typing import ArrayLike
from jaxtyping import Array, Float, Int, UInt8
from matplotlib.colors import LinearSegmentedColormap, Normalize

from vanishing import activations, datasets, initializers, theory
from vanishing.book.labels import axis_titles, legend_above, reference
from vanishing.book.style import (
    BEFORE,
    COLOURS,
    LABELS,
    NATS_PER_DECADE,
    NOW,
    THEORY,
    is_narrow,
    is_slide,
    live_figure,
    mosaic,
)
from vanishing.live import Animation, Choice, Seed, Slider
from vanishing.network import MLP, init
from vanishing.probe import probe
from vanishing.training import losses, update

DEPTH, UNITS, POINTS = 20, 32, 64
#: A frame is so many steps of gradient descent.
FRAMES, STRIDE = 40, 5
ACTIVATIONS = ("tanh", "relu", "selu")
WEIGHTS = ("gaussian", "orthogonal")
#: The map: σ_w across, σ_b up.
SIGMA_W, SIGMA_B = (0.4, 3.2), (0.0, 1.5)
GRID_W = np.linspace(*SIGMA_W, 41, dtype=np.float32)
GRID_B = np.linspace(*SIGMA_B, 22, dtype=np.float32)
#: Decades that the gradient may gain or lose on its way through the network; more is clipped.
REACH = 6.0


class Run(NamedTuple):
    """A training run under way.

    Attributes:
        trained: the network under training.
        plane: two moons, [points, 2]; they are laid into `UNITS` coordinates for the network.
        frame: frames drawn so far.
        chi: χ₁ of the start.
        law: log₁₀ RMS of δ_l relative to layer L, as theory expects it of the start.
        first: the same as measured before the first step.
        losses: the loss at each frame; NaN for those to come.
    """

    trained: update.State
    plane: Float[Array, "points 2"]
    frame: Int[Array, ""]
    chi: Float[Array, ""]
    law: Float[Array, " depth"]
    first: Float[Array, " depth"]
    losses: Float[Array, " frames"]


@cache
def diagram() -> UInt8[np.ndarray, "activations sigma_b sigma_w"]:
    """What theory expects of the gradient from layer L to layer 1 all over the map, as bytes, for
    they travel with the page: from `-REACH` to `REACH` decades in steps of a twentieth."""

    def decades(activation, sigma_b, sigma_w):
        chi = theory.chi(activations.switch(activation, ACTIVATIONS), sigma_w, sigma_b)
        return (DEPTH - 1) / 2 * jnp.log10(chi)

    over_map = jax.vmap(jax.vmap(decades, (None, None, 0)), (None, 0, None))
    one = jax.jit(over_map)
    found = np.stack([one(k, GRID_B, GRID_W) for k in range(len(ACTIVATIONS))])
    return np.round(20 * (np.clip(found, -REACH, REACH) + REACH)).astype(np.uint8)


@cache
def edge() -> Float[np.ndarray, "activations sigma_b"]:
    """σ_w on the edge of chaos for each σ_b of the map."""
    rows = [[theory.critical_sigma_w(name, float(b)) for b in GRID_B] for name in ACTIVATIONS]
    return np.array(rows, np.float32)


def network(activation: Int[ArrayLike, ""], sigma_w, sigma_b) -> MLP:
    """The network, its activation (a position in `ACTIVATIONS`) chosen at run time."""
    phi = activations.switch(activation, ACTIVATIONS)
    return MLP(DEPTH, UNITS, phi, sigma_w=sigma_w, sigma_b=sigma_b, out_features=1)


def data(plane: Float[Array, "points 2"]) -> datasets.Dataset:
    """The two moons as the network sees them, the first half of the points being class 0."""
    classes = (jnp.arange(POINTS) >= POINTS // 2).astype(jnp.int32)
    return datasets.lift(datasets.Dataset(plane, classes), UNITS)


def gradient(net: MLP, params, x, seed) -> Float[Array, " depth"]:
    """log₁₀ RMS of δ_l relative to layer L, for a random cotangent, as the theory assumes it."""
    cotangent = jax.random.normal(jax.random.fold_in(jax.random.key(seed), 1), (POINTS, 1))
    log = probe(net, params, x, cotangent).log_gradient_rms / NATS_PER_DECADE
    return log - log[-1]


def start(activation, weights, sigma_w, sigma_b, learning_rate, seed) -> Run:
    """The state before the first step; arguments as in `frame`."""
    weight_key, turn_key, data_key = jax.random.split(jax.random.key(seed), 3)
    net = network(activation, sigma_w, sigma_b)
    params = init(net, key=weight_key)

    def turned():
        shape = (DEPTH, UNITS, UNITS)
        return sigma_w * initializers.weights("orthogonal", shape, key=turn_key)

    hidden = lax.cond(weights == 1, turned, lambda: params["weights"])
    params = params | {"weights": hidden}
    plane = datasets.two_moons(POINTS, key=data_key).x
    trained = update.start(update.optimizer_named("sgd", learning_rate), params)
    chi = theory.chi(net.activation, sigma_w, sigma_b)
    law = theory.predict(net, 1.0).log_gradient_rms / NATS_PER_DECADE
    nothing = jnp.full((FRAMES + 1,), jnp.nan)
    return Run(trained, plane, jnp.zeros((), jnp.int32), chi, law, jnp.zeros(DEPTH), nothing)


def frame(run: Run, activation, weights, sigma_w, sigma_b, learning_rate, seed):
    """One frame: draw the state given, then make `STRIDE` steps of gradient descent.

    Args:
        run: the run so far.
        activation, weights: positions in `ACTIVATIONS`, `WEIGHTS`.
        sigma_w, sigma_b: scales of weights and biases, the place of the dot.
        learning_rate: η.
        seed: of weights, biases, data and cotangent.

    Returns:
        The next state, and of the state given: the `map` of the activation and its `edge`; the
        place of the dot, `sigma_w`, `sigma_b` and `dot`; the gradient by layer at the start
        (`first`), by theory (`law`) and `now`; χ₁ as `chi`; the `loss` curve and `loss_now`; and
        the share of points classified, `correct`.
    """
    net, seen, here = network(activation, sigma_w, sigma_b), data(run.plane), run.frame
    rule = update.optimizer_named("sgd", learning_rate)

    def one(k, carry):
        trained, loss, correct = carry
        after, made = update.update(net, rule, trained, seen)
        right = losses.accuracy(made.outputs, seen.y)
        kept = [jnp.where(k == 0, *pair) for pair in ((made.loss, loss), (right, correct))]
        return after, *kept

    now = gradient(net, run.trained.params, seen.x, seed)
    first = jnp.where(here == 0, now, run.first)
    trained, loss, correct = lax.fori_loop(0, STRIDE, one, (run.trained, 0.0, 0.0))
    curve = run.losses.at[here].set(loss)
    onward = {"trained": trained, "frame": jnp.minimum(here + 1, FRAMES)}
    return run._replace(**onward, first=first, losses=curve), {
        "map": jnp.asarray(diagram())[activation].astype(jnp.float32) / 20 - REACH,
        "edge": jnp.asarray(edge())[activation],
        "sigma_w": sigma_w,
        "sigma_b": sigma_b,
        "dot": jnp.stack([sigma_w, sigma_b]),
        "first": first,
        "law": run.law,
        "now": now,
        "chi": run.chi,
        "loss": curve,
        "loss_now": loss,
        "correct": correct,
    }


#: From lost through kept to blown up.
LOST_TO_BLOWN = LinearSegmentedColormap.from_list(
    "lost to blown up", ["#56646f", "#aab4bc", "#f4f2ec", "#d99abd", COLOURS["pink"]], 61
)


ON_MAP = "#101418"


def _panels():
    """The axes: the map, and beside it (or below it) the gradient over the loss."""
    if is_narrow():
        return mosaic([["map"], ["gradient"], ["loss"]], 4.4, height_ratios=[1.8, 1, 1])
    return mosaic([["map", "gradient"], ["map", "loss"]], 4.4)


def _draw():
    figure, axes = _panels()
    place, signal, curve = axes["map"], axes["gradient"], axes["loss"]
    half_w, half_b = (np.diff(grid)[0] / 2 for grid in (GRID_W, GRID_B))
    image = place.imshow(
        diagram()[0],
        LOST_TO_BLOWN,
        Normalize(-REACH, REACH),
        aspect="auto",
        origin="lower",
        extent=(SIGMA_W[0] - half_w, SIGMA_W[1] + half_w, SIGMA_B[0] - half_b, SIGMA_B[1] + half_b),
    )
    # The map is light on dark paper too: what lies on it keeps its colour.
    (line,) = place.plot(edge()[0], GRID_B, color=ON_MAP, **THEORY)
    across = {"color": ON_MAP, "linewidth": 0.6}
    upright, level = place.axvline(1.0, **across), place.axhline(0.0, **across)
    dot = place.scatter([1.0], [0.0], s=60, color=NOW, edgecolors=ON_MAP, zorder=3)
    place.text(0.47, 1.44, "vanishes", va="top", color="#fefefe")
    place.text(3.13, 0.06, "explodes", ha="right", color=ON_MAP)
    place.grid(visible=False)
    axis_titles(place, x="weight scale σ_w", y="bias scale σ_b")
    place.set(xlim=SIGMA_W, ylim=(SIGMA_B[0] - half_b, SIGMA_B[1]))
    layer, flat = np.arange(1, DEPTH + 1), np.zeros(DEPTH)
    named = "_theory" if is_slide() else "theory"  # it is dashed everywhere
    (first,) = signal.plot(layer, flat, color=BEFORE, label="start")
    (now,) = signal.plot(layer, flat, color=NOW, label="now")
    (law,) = signal.plot(layer, flat, color=COLOURS["ink"], label=named, **THEORY)
    signal.set(xlim=(1, DEPTH), ylim=(-REACH, REACH), xticks=[1, 5, 10, 15, 20])
    signal.set_yticks([-5, 0, 5], ["10⁻⁵", "1", "10⁵"])
    axis_titles(signal, x="layer", y="gradient")
    legend_above(signal)
    steps = STRIDE * np.arange(FRAMES + 1)
    (loss,) = curve.plot(steps, np.full(FRAMES + 1, np.nan), color=NOW)
    reference(curve, np.log(2), "guessing")
    curve.set(xlim=(0, steps[-1]), ylim=(0, 1), yticks=[0, 0.5, 1])
    axis_titles(curve, x="step", y="loss C")
    bind = {
        image: "map",
        line: {"x": "edge"},
        upright: "sigma_w",
        level: "sigma_b",
        dot: "dot",
        first: "first",
        law: "law",
        now: "now",
        loss: "loss",
    }
    return figure, bind, {upright: "sigma_w", level: "sigma_b"}


def phase_diagram():
    """A start as a dot on the map of σ_w and σ_b: theory, a real network, and its training.

    Returns:
        A live figure; the last value of a cell shows it.

    >>> phase_diagram().name
    'phase_diagram'
    """
    controls = [
        Choice("activation", ACTIVATIONS, words=LABELS),
        Choice("weights", WEIGHTS, words={"gaussian": "Gaussian"}),
        Slider(
            "sigma_w",
            *SIGMA_W,
            value=1.0,
            step=0.01,
            label="weight scale σ_w",
            marks={1.0: "Xavier", 1.41: "He"},
        ),
        Slider("sigma_b", *SIGMA_B, value=0.0, step=0.01, label="bias scale σ_b"),
        Slider("learning_rate", 0.001, 1.0, value=0.1, label="learning rate η", log=True),
        Seed("seed", more=True),
    ]
    return live_figure(
        _draw,
        Animation(start, frame, steps=FRAMES, preview=FRAMES),
        controls,
        name="phase_diagram",
        title="the phase diagram",
        words={
            "map": "decades that the gradient gains",
            "edge": "edge of chaos",
            "first": "gradient at the start",
            "law": "gradient of mean field",
            "now": "gradient now",
            "loss": "training loss",
        },
        presets={
            "Xavier": {},
            "too small": {"sigma_w": 0.6},
            "edge": {"sigma_w": 1.33, "sigma_b": 0.22},
            "too large": {"sigma_w": 2.5},
            "He": {"activation": "relu", "sigma_w": 1.41},
        },
        describe="χ₁ is {chi:.2f}; from the last layer to layer 1 the gradient changes by "
        "{first[0]:.1f} powers of ten at the start, mean field expects {law[0]:.1f}, and now it is "
        "{now[0]:.1f}; loss {loss_now:.3f} (guessing is 0.693), {correct:.0%} of the points right",
        alt="First, a map: weight scale across, bias scale up. A dashed curve rises from 1 at no "
        "biases to 2.1 at the top; left of it the map is grey, where gradients vanish, right of "
        "it pink, where they explode. A dot stands at its foot. Then the gradient by layer of a "
        "real network at that dot, close to the dashed line of theory: nearly level. "
        "At last its training loss falls from guessing to almost nothing.",
    )
