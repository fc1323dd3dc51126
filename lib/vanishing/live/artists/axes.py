"""From data to points on the page: matplotlib's scales, norms and colormaps as plain numbers."""

import base64
from typing import Any

import numpy as np
from matplotlib import colors
from matplotlib.axes import Axes

from vanishing.live.page.svg import points


def axis_maps(ax: Axes) -> dict[str, list[float]]:
    """Return `{"x": [a, b, log, clip], "y": …}`: position in points is a + b·t(value).

    t is the identity or log₁₀; y grows downwards, as in SVG. `clip` says that numbers without a
    logarithm lie far below the axis (matplotlib's `nonpositive="clip"`) instead of nowhere.

    Raises:
        ValueError: if the axes are not rectilinear or a scale is neither linear nor log.
    """
    if ax.name != "rectilinear":
        raise ValueError(f"axes: expected rectilinear ones; got {ax.name!r}. Draw this one still.")
    with points(ax.figure):
        corners = np.array([ax.get_xlim(), ax.get_ylim()]).T
        pixels = ax.transData.transform(corners)
        pixels[:, 1] = ax.figure.bbox.height - pixels[:, 1]
    maps = {}
    for column, axis in enumerate((ax.xaxis, ax.yaxis)):
        log = _is_log(axis)
        ends = np.log10(corners[:, column]) if log else corners[:, column]
        slope = (pixels[1, column] - pixels[0, column]) / (ends[1] - ends[0])
        offset = pixels[0, column] - slope * ends[0]
        clip = log and getattr(axis.get_transform(), "_clip", True)
        maps[axis.axis_name] = [float(offset), float(slope), int(log), int(clip)]
    return maps


def axes_box(ax: Axes) -> list[float]:
    """Left, top, right and bottom of the axes in points, y downwards."""
    with points(ax.figure):
        height = ax.figure.bbox.height
        (left, bottom), (right, top) = ax.bbox.get_points()
    return [float(v) for v in (left, height - top, right, height - bottom)]


def _is_log(axis: Any) -> bool:
    scale = axis.get_scale()
    if scale not in ("linear", "log"):
        raise ValueError(
            f"{axis.axis_name} axis: expected a linear or log scale; got {scale!r}. "
            "Compute the transformed values in the figure's function and draw those."
        )
    return scale == "log"


def colour_map(mappable: Any) -> dict[str, Any]:
    """The norm `[a, b, log]` (t = a + b·f(value)) and the colours as base64 RGBA bytes.

    The table holds the colour under the range, the N colours of the map, and the one over it.

    Raises:
        ValueError: if the norm is neither linear nor logarithmic.
    """
    norm, cmap = mappable.norm, mappable.get_cmap()
    log = isinstance(norm, colors.LogNorm)
    if not log and type(norm) not in (colors.Normalize, colors.CenteredNorm):
        raise ValueError(
            f"norm: expected a Normalize or LogNorm; got {type(norm).__name__}. "
            "Compute the normalised values in the figure's function."
        )
    low, high = (np.log10(v) if log else float(v) for v in (norm.vmin, norm.vmax))
    slope = 1 / (high - low)
    inside = (np.arange(cmap.N) + 0.5) / cmap.N
    table = cmap(np.concatenate([[-1.0], inside, [2.0]]), alpha=mappable.get_alpha(), bytes=True)
    encoded = base64.b64encode(np.ascontiguousarray(table, np.uint8).tobytes()).decode()
    return {"norm": [float(-low * slope), float(slope), int(log)], "table": encoded}
