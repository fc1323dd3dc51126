"""The map of the book on its first page: a card for each chapter, with a small picture."""

import html
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from vanishing import activations, datasets, theory
from vanishing.book.style import (
    ACTIVATIONS,
    BEFORE,
    COLOURS,
    NOW,
    THEORY,
    house_style,
    layer_colours,
)
from vanishing.live import draw_network, themed_svg
from vanishing.network import MLP, init
from vanishing.probe import dead_units, probe

KEYS = (0, 1)  # of the weights, and of input and gradient


def _signals(depth: int, **options):
    """One network of 32 units, probed on eight inputs."""
    net = MLP(depth=depth, width=32, **options)
    x, g = jax.random.normal(jax.random.key(KEYS[1]), (2, 8, 32))
    return probe(net, init(net, key=jax.random.key(KEYS[0])), x, g)


def _speeds(ax: Axes) -> None:
    """How fast each of thirty sigmoid layers would learn."""
    logs = _signals(30, activation="sigmoid", sigma_w=1.0).log_weight_gradient_rms[::5]
    for log, colour in zip(logs, layer_colours(list(logs)), strict=True):
        ax.plot([0, 1], [log, log], color=colour)


def _products(ax: Axes) -> None:
    """What ten sigmoid layers make of the gradient at four scales of the weights."""
    for sigma_w in (1.0, 2.0, 4.0, 8.0):
        net = MLP(depth=10, width=32, activation="sigmoid", sigma_w=sigma_w)
        ax.plot(theory.predict(net, 1.0).log_gradient_rms, color=COLOURS["purple"])


def _length_map(ax: Axes) -> None:
    """The variance of one tanh layer against that of the layer below."""
    q = np.linspace(0.01, 3, 40)
    ax.plot(q, [theory.length_map("tanh", value, 1.8, 0.3) for value in q], color=COLOURS["blue"])
    ax.plot(q, q, color=COLOURS["ink"], **THEORY)


def _functions(ax: Axes) -> None:
    """Eight activation functions."""
    z = np.linspace(-3, 2, 101, dtype=np.float32)
    for name, colour in ACTIVATIONS.items():
        if name != "linear":
            ax.plot(z, activations.get(name)(z), color=colour)
    ax.set_ylim(-1.9, 2.1)


def _dead(ax: Axes) -> None:
    """Units of a network with PyTorch's default that are dead on a hundred digits."""
    net = MLP(8, 64, "relu", initializer="pytorch")
    dead = dead_units(
        net, init(net, key=jax.random.key(KEYS[0])), jnp.asarray(datasets.digits(100).x)
    )
    picture = draw_network(ax, [5] * 8, colour="green", edges=2)
    picture.paint("dead", dead[:, :5])
    picture.paint("units", ~dead[:, :5])


def _scales(ax: Axes) -> None:
    """ReLU signals with weights too small, right and too large."""
    for sigma_w in (1.0, 2**0.5, 2.0):
        logs = _signals(20, activation="relu", sigma_w=sigma_w).log_activation_rms
        ax.plot(logs, color=COLOURS["green"])


def _normalised(ax: Axes) -> None:
    """The same signal, with layer normalisation and without."""
    for kind, colour in ((None, BEFORE), ("layer", NOW)):
        net = {"activation": "relu", "sigma_w": 2.0, "normalization": kind}
        ax.plot(_signals(20, **net).log_activation_rms, color=colour)


def _skips(ax: Axes) -> None:
    """A network with a way past every second layer."""
    picture = draw_network(ax, [4] * 7, skips=[(1, 3), (3, 5), (5, 7)], edges=2)
    picture.paint("units", np.ones(28))


def _findings(ax: Axes) -> None:
    """The gradient by layer of a network that is ill, as a chart at its bed."""
    logs = np.asarray(_signals(12, activation="tanh", sigma_w=0.6).log_weight_gradient_rms)
    ax.bar(range(12), logs - logs.min() + 1, color=COLOURS["blue"])


def _own(ax: Axes) -> None:
    """A network, its first layers hardly reached."""
    logs = np.asarray(_signals(8, activation="sigmoid", sigma_w=2.0).log_gradient_rms)
    picture = draw_network(ax, [5] * 8, zero=float(logs[0]), full=float(logs[-1]), colour="purple")
    picture.paint("units", np.repeat(logs, 5))


#: What a chapter is about, and its picture. Which of them there are, in which order and under which
#: title, the book itself says.
CHAPTERS: dict[str, tuple[str, Callable[[Axes], None]]] = {
    "no-learning": (
        "Thirty layers on real digits, beside two. What it looks like when nothing is learnt, and "
        "which suspects are innocent.",
        _speeds,
    ),
    "chain-rule": (
        "The gradient of a deep network is a product of matrices. Which factors it has, what one "
        "layer multiplies by, and an instrument that measures a gradient of 10⁻¹²⁶.",
        _products,
    ),
    "propagation": (
        "The signal on its way up and the gradient on its way down: one number for both, and a "
        "second disease, inputs that become alike.",
        _length_map,
    ),
    "activations": (
        "Eight activation functions, where their slopes are exactly zero, and how to compare them "
        "fairly.",
        _functions,
    ),
    "dead-neurons": (
        "Dead on which inputs? Units born dead, killed in training, and revived, each counted with "
        "an interval.",
        _dead,
    ),
    "initialization": (
        "The right size of the first weights, for each activation function, and what it does not "
        "cure.",
        _scales,
    ),
    "normalization": (
        "Layers that bring their signal to size themselves, and what becomes of the gradient.",
        _normalised,
    ),
    "residual-connections": (
        "A way past every layer, its share of the gradient, and how deep a network can be then.",
        _skips,
    ),
    "clinic": ("Networks that do not learn, each with its chart. Find what is wrong.", _findings),
    "your-own-network": (
        "The instrument on a model of your own, unedited: a loss that rests, a memory that does "
        "not reach back, a gradient that is no number.",
        _own,
    ),
}
#: Pages to look things up in, which are no chapters.
REFERENCE = (
    "study",
    "teaching",
    "just-enough-jax",
    "notation",
    "glossary",
    "rounding",
    "inspect",
    "clusters",
    "benchmarks",
    "how-this-book-draws",
    "bibliography",
)


@house_style
def thumbnail(slug: str) -> str:
    """The small picture of a chapter as SVG; its card says in words what it is about."""
    figure = Figure((2.2, 1.1))
    ax = figure.add_axes((0.03, 0.06, 0.94, 0.88))
    ax.axis("off")
    CHAPTERS[slug][1](ax)
    return themed_svg(figure, prefix=f"map-{slug}.")


@dataclass(frozen=True)
class BookMap:
    """What `book_map` makes; shows itself as HTML.

    Attributes:
        chapters: slug → title, in the order of the book.
    """

    chapters: dict[str, str]

    def _repr_html_(self) -> str:
        cards = "".join(self._card(slug, title) for slug, title in self.chapters.items())
        return f'<ol class="book-map">{cards}</ol>'

    def _card(self, slug: str, title: str) -> str:
        picture = thumbnail(slug) if slug in CHAPTERS else ""
        about = CHAPTERS.get(slug, ("",))[0]
        return (
            f'<li><a href="{slug}.html">{picture}<strong>{html.escape(title)}</strong>'
            f"<span>{html.escape(about)}</span></a></li>"
        )

    def __repr__(self) -> str:
        return "\n".join(self.chapters.values())


def book_map(root: Path | None = None) -> BookMap:
    """The chapters that the book has, in its order, each with a link and a small picture.

    Args:
        root: where `_toc.yml` is; the folder above the chapters by default.

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "_toc.yml").write_text("chapters:\\n  - file: chapters/no-learning\\n")
    >>> (folder / "chapters").mkdir()
    >>> _ = (folder / "chapters" / "no-learning.md").write_text("# A network\\n")
    >>> book_map(folder)
    A network
    """
    root = root or Path.cwd().parent
    slugs = re.findall(r"- file: chapters/([\w-]+)", (root / "_toc.yml").read_text("utf-8"))
    chapters = [slug for slug in slugs if slug not in REFERENCE]
    return BookMap({slug: _title(root / "chapters" / f"{slug}.md") for slug in chapters})


def _title(page: Path) -> str:
    return re.search(r"^# (.+)$", page.read_text("utf-8"), re.MULTILINE)[1]
