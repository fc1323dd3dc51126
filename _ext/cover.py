"""The cover of the book: its name over three networks, whose gradient is followed down."""

from io import BytesIO

import jax.numpy as jnp
import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from vanishing.book.index import fifty_layers
from vanishing.book.style import ACTIVATIONS, COLOURS, LABELS, house_style

#: Pixels, in the shape that shelves of books have room for.
SIZE = (1600, 2400)
PAPER = "#ffffff"
ALT = (
    "Three columns of dots, five wide and fifty layers high; layer 50, on top, has full colour. "
    "Those of tanh keep it, those of ReLU pale on the way down, and many are missing; those of "
    "sigmoid are gone before half of the way."
)


def gradients() -> dict[str, np.ndarray]:
    """For each activation the shade of its units [depth, shown], as on the first page."""
    one, show = jnp.float32(1), jnp.int32(1)  # Xavier's weights, and their gradient
    _, outputs = fifty_layers.frame(fifty_layers.start(one, show, 0), one, show, 0)
    return {name: np.asarray(outputs[name]) for name in fifty_layers.COLOURS}


@house_style
def draw(title: str, author: str) -> bytes:
    """The cover as a PNG."""
    figure = Figure([pixels / 200 for pixels in SIZE], dpi=200, facecolor=PAPER)
    middle = {"x": 0.5, "ha": "center"}
    figure.text(y=0.9, s=title, size=40, weight="bold", **middle)
    figure.text(y=0.04, s=author, size=14, color=COLOURS["slate"], **middle)
    columns = figure.subplots(
        1, len(fifty_layers.COLOURS), sharey=True,
        gridspec_kw={"left": 0.1, "right": 0.9, "bottom": 0.11, "top": 0.82, "wspace": 0.35},
    )  # fmt: skip
    for ax, (name, shades) in zip(columns, gradients().items(), strict=True):
        layer, unit = np.indices(shades.shape)
        fade = LinearSegmentedColormap.from_list(name, [PAPER, ACTIVATIONS[name]])
        ax.scatter(unit, layer + 1, s=60, c=shades, cmap=fade, vmin=0, vmax=1, clip_on=False)
        ax.set(xlim=(-0.5, shades.shape[1] - 0.5), ylim=(0.5, len(shades) + 0.5))
        ax.set_title(LABELS[name], size=20, color=ACTIVATIONS[name], pad=18)
        ax.axis("off")
    buffer = BytesIO()
    figure.savefig(buffer, metadata={"Software": None})
    return buffer.getvalue()
