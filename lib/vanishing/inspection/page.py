"""A report as HTML: findings, the picture, and the histograms of the layer that is pointed at.

The histograms need no script, so that they work in a saved file, in any notebook, and where
scripts are forbidden. Over the picture lies a row of radio buttons, one a layer, each as wide as
that layer's place: to point at one, or to walk along them with the arrow keys, shows its card.
"""

import html
from collections.abc import Sequence

from vanishing.inspection.findings import decades, place
from vanishing.inspection.records import Histogram, Layer

# Where the panels of the picture begin and end, as shares of its width.
LEFT, RIGHT = 0.14, 0.98
STYLE = f"""
.vg-report{{font:14px/1.45 system-ui,sans-serif;max-width:60rem;margin:1rem auto;padding:0 1rem}}
.vg-report table{{border-collapse:collapse;font-variant-numeric:tabular-nums}}
.vg-report td,.vg-report th{{padding:.15rem .7rem;text-align:right;border-bottom:1px solid #8884}}
.vg-report td:first-child,.vg-report th:first-child{{text-align:left}}
.vg-report li{{margin:.4rem 0}}.vg-report svg{{max-width:100%;height:auto}}
.vg-picture{{position:relative;width:fit-content}}.vg-picture>svg{{display:block}}
.vg-layers{{position:absolute;inset:0 {1 - RIGHT:.0%} 0 {LEFT:.0%};display:flex}}
.vg-layer{{flex:1;min-width:0;cursor:pointer}}.vg-layer input{{position:absolute;opacity:0}}
.vg-layer:hover,.vg-layer:focus-within{{background:#8883}}
.vg-layer:focus-within{{outline:1px solid}}
.vg-card{{position:absolute;z-index:1;top:0;width:min(15rem,56%);padding:.4rem .6rem;
box-sizing:border-box;display:none;font-size:12px;pointer-events:none;overflow-wrap:anywhere;
color:var(--vg-ink,#000);background:var(--vg-surface,#fff);border:1px solid #8888}}
.vg-card.vg-late{{left:0}}.vg-card:not(.vg-late){{right:0}}.vg-card b,.vg-card svg{{display:block}}
.vg-card svg{{width:100%;height:2.6rem;border-bottom:1px solid #8888}}
.vg-layer:focus-within .vg-card,.vg-layer:hover .vg-card{{display:block}}
.vg-layers:hover .vg-layer:not(:hover) .vg-card{{display:none}}
@media print{{.vg-layers{{display:none}}}}
"""
# The paper of a report that stands alone; elsewhere the page has one.
PAPER = "body{background:var(--vg-surface);color:var(--vg-ink)}"


def picture(svg: str, layers: Sequence[Layer], name: str) -> str:
    """The figure, and over it what shows the histograms of each layer.

    Args:
        svg: of `Report.figure`, in which layer k stands at k + ½ of len(layers) equal places.
        layers: in order.
        name: of the group of buttons, one a page.
    """
    buttons = "".join(
        _button(layer, name, late=2 * k >= len(layers)) for k, layer in enumerate(layers)
    )
    return (
        f"<div class=vg-picture>{svg}"
        f"<div class=vg-layers role=radiogroup aria-label='Histograms of a layer'>{buttons}</div>"
        "</div>"
    )


def _button(layer: Layer, name: str, late: bool) -> str:
    """A layer's place, and its card at the other end of the picture: on the left if it is late."""
    title = html.escape(place(layer), quote=True)
    signal = "pre-activation" if layer.kind == "layer" else "activation"
    parts = (signal, layer.activation_histogram), ("gradient", layer.gradient_histogram)
    words = [_words(what, histogram) for what, histogram in parts]
    drawn = "".join(
        f"{text}{_bars(histogram, colour)}"
        for text, (_, histogram), colour in zip(words, parts, ("blue", "purple"), strict=True)
    )
    return (
        f'<label class=vg-layer><input type=radio name={name} aria-label="{title}: '
        f'{"; ".join(words)}"><span class="vg-card{" vg-late" if late else ""}">'
        f"<b>{title}</b>{drawn}</span></label>"
    )


def _words(what: str, histogram: Histogram) -> str:
    """What a histogram spans."""
    total = sum(histogram.counts) + histogram.zeros
    if not total:
        return f"{what}: not finite"
    words = f"{what}, lg size"
    if any(histogram.counts):
        low, high = decades(histogram.edges[1]), decades(histogram.edges[-1])
        words += f" {low:.1f} to {high:.1f}".replace("-", "−")
    return words + (f", {histogram.zeros / total:.0%} zero" if histogram.zeros else "")


def _bars(histogram: Histogram, colour: str) -> str:
    """A row of bars, from the smallest size to the largest."""
    most = max(histogram.counts) or 1
    bars = "".join(
        f"M{k} 20v-{20 * count / most:.2g}h1V20"
        for k, count in enumerate(histogram.counts)
        if count
    )
    return (
        f"<svg viewBox='0 0 {len(histogram.counts)} 20' preserveAspectRatio=none aria-hidden=true>"
        f"<path d='{bars}' fill='var(--vg-{colour},currentColor)'/></svg>"
    )
