"""The HTML of a live figure: picture, sentence, controls, and the code that moves them.

Without JavaScript only picture, caption and sentence show. The host (`page.js`) finds
`figure.live`, reads the JSON block and takes over; nothing changes place when it does.
"""

import html
import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from vanishing.live.page.form import form_html

_STILL = "This picture is live: with JavaScript on, controls recompute it here."


def figure_html(figure: Any, uid: str, svgs: Sequence[str], spec: dict[str, Any]) -> str:
    """The `<figure class="live">` element of a `LiveFigure` as text."""
    data = "".join(
        f'<script type="text/plain" class="live-data" data-name="{name}">{value}</script>'
        for name, value in figure.machine.encoded_data().items()
    )
    caption = f"<figcaption>{figure.caption}</figcaption>" if figure.caption else ""
    block = json.dumps(spec, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return "".join(
        [
            f'<figure class="live" id="{uid}" data-name="{figure.name}" '
            f'aria-label="{html.escape(figure.title)}"><div class="live-body">',
            f'<div class="live-view"><div class="live-picture">{_picture(*svgs)}</div>',
            f'<p class="live-says">{html.escape(figure.sentence)}</p></div>',
            form_html(figure, uid),
            '<p class="live-speaks" role="status"></p>',
            f"{caption}</div><noscript><p>{_STILL}</p></noscript>",
            data,
            f'<script type="application/json" class="live-spec">{inert(block)}</script>',
            "</figure>",
        ]
    )


def _picture(wide: str, narrow: str = "") -> str:
    """One layout, or both: the stylesheet chooses, and where there is none the wide one shows."""
    if not narrow:
        return wide
    return f'<div class="vg-wide">{wide}</div><div class="vg-narrow" hidden>{narrow}</div>'


def inert(block: str) -> str:
    """Escape `<` in JSON strings, so that no tag can open or close inside the script element."""
    return block.replace("<", "\\u003c")


def json_ready(value: Any) -> Any:
    """Turn NumPy scalars into Python numbers, recursively, for `json`."""
    if isinstance(value, dict):
        return {key: json_ready(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [json_ready(item) for item in value]
    return value.item() if isinstance(value, np.generic) else value
