"""What the first page asks and shows."""

from collections.abc import Mapping

from jaxtyping import Array, Float
from matplotlib.figure import Figure

from vanishing.book.labels import axis_titles
from vanishing.book.style import ACTIVATIONS, LABELS, NATS_PER_DECADE, canvas, prediction


@prediction
def lost_on_the_way(log_gradients: Mapping[str, Float[Array, " depth"]]) -> tuple[Figure, list]:
    """Powers of ten that the gradient loses from the last layer to the first, a bar a network.

    Args:
        log_gradients: name of the activation → ln RMS of δ_l, layer 1 first.
    """
    figure, ax = canvas(height=2.8)
    lost = [-float(log[0] - log[-1]) / NATS_PER_DECADE for log in log_gradients.values()]
    names = list(log_gradients)
    bars = ax.bar(names, lost, width=0.6, color=[ACTIVATIONS[name] for name in names])
    ax.set(ylim=(0, 40), xlim=(-0.6, len(names) - 0.4))
    ax.set_xticks(range(len(names)), [LABELS[name] for name in names])
    above = {"xytext": (0, 4), "textcoords": "offset points", "ha": "center"}
    words = [ax.annotate(f"{value:.0f}", (k, value), **above) for k, value in enumerate(lost)]
    axis_titles(ax, y="powers of ten lost from layer 50 to layer 1")
    return figure, [bars, *words]
