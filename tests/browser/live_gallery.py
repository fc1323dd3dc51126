"""Figures that together hold every control, every artist and both kinds of computation."""

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from matplotlib.figure import Figure

from vanishing import live
from vanishing.live.palette import CYCLE

T = np.linspace(0, 1, 50, dtype=np.float32)
BLUE, RED, GREEN = (CYCLE[name].light for name in ("blue", "vermilion", "green"))


def wave(frequency, amplitude, shape, flip, seed):
    """Return something for every artist to show."""
    angle = 2 * jnp.pi * frequency * T
    shapes = [jnp.sin, jnp.cos, lambda a: jnp.exp(-a)]
    y = lax.switch(shape, shapes, angle) * amplitude * jnp.where(flip, -1.0, 1.0)
    noise = jax.random.normal(jax.random.key(seed), (30, 2)) * 0.4
    row, column = jnp.arange(6.0)[:, None], jnp.arange(9.0)[None, :]
    return {
        "y": y,
        "x": T * frequency / 5,
        "lower": y - 0.3,
        "upper": y + 0.3,
        "decay": amplitude * jnp.exp(-40 * T * frequency),
        "level": y[10],
        "heights": jnp.abs(y[::10]),
        "counts": jnp.histogram(noise, bins=8, range=(-1.0, 1.0))[0],
        "image": jnp.sin(frequency * row / 3) * jnp.cos(column / 4) * amplitude,
        "cloud": noise,
        "hue": noise[:, 0] + noise[:, 1],
        "area": 10 + 40 * jnp.abs(noise[:, 1]),
        "root": jnp.sqrt(y),
    }


def gallery(name="gallery", page=""):
    """Return a live figure with one of each, and the address of the page that shows it."""
    fig = Figure((9, 7), layout="constrained")
    a, b, c, d, e, f = fig.subplots(3, 2).ravel()
    zero = np.zeros(50)
    (line,) = a.plot(T, zero, "o-", ms=3, color=BLUE, label="measured")
    band = a.fill_between(T, zero - 1, zero + 1, color=RED, alpha=0.3)
    a.set(ylim=(-3, 3), xlabel="time", ylabel="signal")
    level = a.axhline(0, color=GREEN, ls="--")
    says = a.text(0.02, -2.8, "level 0")
    a.grid()
    (moving,) = b.plot(T, zero + 1, color=RED)
    (decay,) = b.semilogy(T, zero + 1, color=GREEN)
    b.set(xlim=(0, 1), ylim=(1e-6, 10))
    at = b.axvline(0.5, color=BLUE)
    bars = c.bar(range(5), np.ones(5), color=BLUE)
    c.set_ylim(0, 3)
    flat = d.barh(range(5), np.ones(5), color=RED)
    d.set_xlim(0, 3)
    steps = e.stairs(np.ones(8), np.linspace(-1, 1, 9), color=BLUE)
    filled = e.stairs(np.ones(8), np.linspace(-1, 1, 9), color=RED, fill=True, alpha=0.3)
    e.set_ylim(0, 20)
    cloud = f.scatter(np.zeros(30), np.zeros(30), c=np.linspace(-1, 1, 30), s=20, cmap="viridis")
    f.set(xlim=(-1, 1), ylim=(-1, 1))
    image = f.inset_axes([0.7, 0.6, 0.3, 0.4]).imshow(
        np.zeros((6, 9)), vmin=-3, vmax=3, origin="lower", cmap="magma", aspect="auto"
    )
    return live.figure(
        fig,
        wave,
        [
            live.Slider("frequency", 0.1, 5.0, value=1.0, step=0.1, label="f_0"),
            live.Slider(
                "amplitude",
                0.01,
                10.0,
                value=1.0,
                log=True,
                ahead=live.Ahead("level", -5, 5, label="level"),
            ),
            live.Choice("shape", ["sine", "cosine", "decay"]),
            live.Toggle("flip"),
            live.Seed("seed", value=3),
        ],
        {
            line: "y",
            band: ("lower", "upper"),
            level: "level",
            says: "level {level:+.2f}",
            moving: {"x": "x", "y": "root"},
            decay: "decay",
            at: "level",
            bars: "heights",
            flat: "heights",
            steps: "counts",
            filled: "counts",
            cloud: {"offsets": "cloud", "colour": "hue", "size": "area"},
            image: "image",
        },
        name=name,
        alt="A wave with a band around it, bars, a histogram, a cloud of points and a small image.",
        caption="Every artist.",
        describe="level {level!v:.2f}",
        python="import live_gallery\n\nlive_gallery.gallery()",
        page=page,
    )


def layered(name="layered"):
    """Return a network: five layers of four units, two skips, some of the units dead."""
    fig = Figure((5, 3), layout="constrained")
    net = live.draw_network(
        fig.subplots(), [4] * 5, zero=0.0, full=2.0, skips=[(1, 3), (3, 5)], edges=3
    )

    def compute(depth, scale):
        unit = jnp.arange(20.0)
        there = jnp.arange(20) // 4 < depth
        gaps = jnp.where(jnp.arange(1, 5) < depth, scale / jnp.arange(1.0, 5.0), jnp.nan)
        return {
            "activation": jnp.where(there, scale * jnp.sin(unit), jnp.nan),
            "is_dead": (unit % 3 == 0) & there,
            "gradient": gaps,
            "share": jnp.stack([scale, -scale]),
        }

    return live.figure(
        fig,
        compute,
        [live.Slider("depth", 1, 5, value=4), live.Slider("scale", 0.0, 2.0, value=1.0)],
        {net: {"units": "activation", "dead": "is_dead", "edges": "gradient", "skips": "share"}},
        name=name,
        alt="Five columns of four dots with lines between them; every third dot is crossed.",
        describe="{depth} layers",
    )


def pointed(name="pointed"):
    """Return panels that share a cursor: two axes, a network, the rows of an image, points."""
    layer = np.arange(1.0, 6.0)

    def drawn(size, rows, columns):
        fig = Figure(size, layout="constrained")
        upper, lower, network, rows_of, against = fig.subplots(rows, columns).ravel()[:5]
        (first,) = upper.plot(layer, layer, color=BLUE)
        (second,) = lower.semilogy(layer, layer, color=RED)
        for ax in (upper, lower):
            ax.set_xlim(0, 6)
        upper.set_ylim(0, 10)
        lower.set_ylim(1e-6, 1)
        net = live.draw_network(network, [3] * 5)
        image = rows_of.imshow(np.zeros((10, 4)), vmin=0, vmax=2, aspect="auto", origin="lower")
        points = against.scatter(layer, layer, color=GREEN)
        against.set(xlim=(0, 10), ylim=(-1, 1))
        places = [upper, lower, net, image, points]
        bind = {
            first: {"x": "layer", "y": "signal"},
            second: {"x": "layer", "y": "gradient"},
            net: "units",
            image: "image",
            points: {"x": "signal", "y": "turn"},
            live.Cursor("layer", range(1, 6), places): "{signal:.1f} up, {gradient:.1e} down",
        }
        return fig, bind

    def compute(depth, pace):
        shown = jnp.minimum(jnp.arange(1.0, 6.0), depth.astype(jnp.float32))
        image = pace * jnp.repeat(shown, 8).reshape(10, 4)
        return {
            "layer": shown,
            "signal": pace * shown,
            "gradient": 10.0 ** (-pace * shown),
            "units": jnp.repeat(shown / 5, 3),
            "image": image,
            "turn": jnp.sin(shown),
        }

    fig, bind = drawn((9, 5), 2, 3)
    return live.figure(
        fig,
        compute,
        [live.Slider("depth", 1, 5, value=5), live.Slider("pace", 0.1, 2.0, value=1.0)],
        bind,
        name=name,
        alt="Five panels by layer: one rises, one falls, a network, an image, points.",
        narrow=drawn((3.6, 7), 5, 1),
    )


def parabola(name="parabola"):
    """Return the smallest live figure: one slider, one line."""
    fig = Figure((5, 3), layout="constrained")
    ax = fig.subplots()
    (line,) = ax.plot(T, np.zeros(50), color=BLUE)
    ax.set_ylim(0, 4)
    return live.figure(
        fig,
        lambda curvature: {"y": curvature.astype(jnp.float32) * T**2},
        [live.Slider("curvature", 0, 4, value=1, step=1)],
        {line: "y"},
        name=name,
        alt="A parabola from zero to its curvature.",
    )


def folded(name="folded"):
    """Return a figure in two layouts: panels beside each other, and one under another."""

    def drawn(size, rows, columns):
        fig = Figure(size, layout="constrained")
        upper, lower = fig.subplots(rows, columns).ravel()
        (line,) = upper.plot(T, np.zeros(50), "o-", ms=3, color=BLUE)
        level = upper.axhline(0, color=GREEN)
        upper.set_ylim(-3, 3)
        bars = lower.bar(range(5), np.ones(5), color=BLUE)
        lower.set_ylim(0, 3)
        words = upper.text(0, -2.8, "level 0")
        bind = {line: "y", level: "level", bars: "heights", words: "level {level:.2f}"}
        return fig, bind, {level: "height"}

    def compute(height):
        y = height * jnp.sin(6 * T)
        return {"y": y, "level": height, "heights": jnp.abs(y[::10])}

    fig, bind, pick = drawn((7, 3), 1, 2)
    return live.figure(
        fig,
        compute,
        [live.Slider("height", 0.0, 3.0, value=1.0, step=0.01)],
        bind,
        name=name,
        alt="A wave with a line at its height, and five bars.",
        pick=pick,
        narrow=drawn((3.6, 4), 2, 1),
    )


def descent(name="descent", preview=0, autoplay=False):
    """Return an animated figure: gradient descent on a parabola, with its history."""

    def init(start, rate):
        return {"w": start, "seen": jnp.full(50, jnp.nan), "count": 0}

    def step(state, start, rate):
        w = state["w"]
        seen = state["seen"].at[state["count"]].set(w)
        after = {"w": w - rate * 2 * w, "seen": seen, "count": state["count"] + 1}
        return after, {"seen": seen, "w": w}

    fig = Figure((5, 3), layout="constrained")
    ax = fig.subplots()
    (line,) = ax.plot(np.arange(50), np.zeros(50), "o-", color=BLUE)
    ax.set_ylim(-3, 3)
    return live.figure(
        fig,
        live.Animation(init, step, steps=40, draw_every=2, preview=preview, autoplay=autoplay),
        [
            live.Slider("start", -2.0, 2.0, value=2.0, step=0.5),
            live.Slider("rate", 0.01, 1.2, value=0.1, step=0.01, restart=False),
        ],
        {line: "seen"},
        name=name,
        alt="A point that rolls towards zero.",
        describe="w {w!v:.3f}",
        python="import live_gallery\n\nlive_gallery.descent()",
    )


def scaled(name="scaled"):
    """Return a figure that needs shared data."""
    fig = Figure((5, 3), layout="constrained")
    ax = fig.subplots()
    bars = ax.bar(range(10), np.ones(10), color=BLUE)
    ax.set_ylim(0, 255)
    return live.figure(
        fig,
        lambda share, ramp, bulk: {
            "y": ramp.astype(jnp.float32) * share + bulk[-1].astype(jnp.float32)
        },
        [live.Slider("share", 0.0, 1.0, value=1.0, step=0.1)],
        {bars: "y"},
        name=name,
        alt="Ten bars that rise.",
        data={"ramp": np.arange(0, 250, 25, dtype=np.uint8), "bulk": np.zeros(64 * 1024, np.uint8)},
    )


def furnished(name="furnished"):
    """Return a figure with all that a control can have: marks, a box, a condition, presets."""

    def damped(gain, shift, damp, rate, seed):
        y = gain * jnp.cos(12 * T + shift) * jnp.where(damp, jnp.exp(-rate * T), 1.0)
        return {"y": y, "peak": jnp.max(jnp.abs(y)), "level": y[0]}

    fig = Figure((7, 4), layout="constrained")
    ax = fig.subplots()
    (line,) = ax.plot(T, np.zeros(50), color=BLUE)
    level = ax.axhline(0, color=GREEN)
    ax.set(ylim=(-2, 2), xlabel="time", ylabel="signal")
    return live.figure(
        fig,
        damped,
        [
            live.Slider(
                "gain",
                0.1,
                8.0,
                value=1.0,
                log=True,
                label="gain g",
                marks={0.5: "half", 1.0: "one", 1.41421: "√2"},
            ),
            live.Toggle("damp", label="with friction"),
            live.Slider("rate", 0.0, 5.0, value=1.0, label="friction λ", when={"damp": True}),
            live.Slider("shift", -3.0, 3.0, value=0.0, step=0.001, label="phase", more=True),
            live.Seed("seed", more=True),
        ],
        {line: "y", level: "level"},
        name=name,
        title="a damped wave",
        alt="A cosine wave of height one.",
        describe="its largest value {peak!v:.2f}",
        words={"y": "the signal", "peak": "the peak"},
        pick={level: "gain"},
        presets={"Undamped": {}, "Damped √2": {"gain": 1.41421, "damp": True, "rate": 2.0}},
    )
