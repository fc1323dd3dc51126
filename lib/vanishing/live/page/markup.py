"""The HTML of a live figure: picture, controls, a sentence, and the code that moves them.

Without JavaScript only picture, caption and sentence show. The host (``page.js``) finds
``figure.live``, reads the JSON block and takes over; nothing changes place when it does.
"""

import html
import json
import math
from typing import Any

import numpy as np

from vanishing.live.controls import Choice, Control, Seed, Slider, Toggle, label_html

_STILL = "This picture is live: with JavaScript on, controls recompute it here."


def figure_html(figure: Any, uid: str, svg: str, spec: dict[str, Any]) -> str:
    """Return the ``<figure class="live">`` element of a ``LiveFigure`` as ``str``."""
    data = "".join(
        f'<script type="text/plain" class="live-data" data-name="{name}">{value}</script>'
        for name, value in figure.machine.encoded_data().items()
    )
    caption = f"<figcaption>{figure.caption}</figcaption>" if figure.caption else ""
    block = json.dumps(spec, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return "".join(
        [
            f'<figure class="live" id="{uid}" data-name="{figure.name}">',
            f'<div class="live-picture">{svg}</div>',
            _form(figure, uid),
            f'<p class="live-says" role="status">{html.escape(figure.sentence)}</p>',
            caption,
            f"<noscript><style>.live-controls{{display:none}}</style><p>{_STILL}</p></noscript>",
            data,
            f'<script type="application/json" class="live-spec">{_inert(block)}</script>',
            "</figure>",
        ]
    )


def _inert(block: str) -> str:
    """Escape ``<`` in JSON strings, so that no tag can open or close inside the script element."""
    return block.replace("<", "\\u003c")


def _form(figure: Any, uid: str) -> str:
    """Return the controls, invisible but in place until the host makes them work."""
    rows = "".join(_row(control, f"{uid}-{control.name}") for control in figure.controls)
    run = _run(figure.machine.animation, uid) if figure.machine.animation else ""
    return (
        f'<form class="live-controls" style="visibility:hidden" autocomplete="off" '
        f'aria-label="Controls of the figure {html.escape(figure.name)}"><fieldset disabled>'
        f'{rows}{run}<p class="live-actions"><button type="button" data-do="reset">Reset</button>'
        f'<a class="live-link" href="#{uid}?">Link to this state</a></p></fieldset></form>'
    )


def _row(control: Control, uid: str) -> str:
    label = f'<label for="{uid}">{label_html(control.label)}</label>'
    named = f'id="{uid}" name="{control.name}"'
    if isinstance(control, Slider):
        return f'<div class="live-control">{label}{_range(control, named)}</div>'
    if isinstance(control, Choice):
        options = "".join(
            f"<option{' selected' * (option == control.value)}>{html.escape(option)}</option>"
            for option in control.options
        )
        return f'<div class="live-control">{label}<select {named}>{options}</select></div>'
    if isinstance(control, Toggle):
        checked = " checked" if control.value else ""
        return f'<div class="live-control">{label}<input type="checkbox" {named}{checked}></div>'
    assert isinstance(control, Seed)
    return (
        f'<div class="live-control">{label}<input type="number" inputmode="numeric" min="0" '
        f'max="2147483647" step="1" value="{control.value}" {named}>'
        f'<button type="button" data-next="{control.name}">Another</button></div>'
    )


def _range(control: Slider, named: str) -> str:
    low, high, value, step = control.minimum, control.maximum, control.value, control.step
    if control.log:  # the slider runs over log₁₀; the readout says the value itself
        low, high, value = (round(math.log10(v), 6) for v in (low, high, value))
        step = round((high - low) / 200, 6)
    spoken = control.spoken(control.value)
    return (
        f'<input type="range" {named} min="{low:g}" max="{high:g}" step="{step:g}" '
        f'value="{value:g}" aria-valuetext="{spoken}">'
        f'<span class="live-value" aria-hidden="true">{spoken}</span>'
    )


def _run(animation: Any, uid: str) -> str:
    speeds = "".join(
        f"<option value={s}{' selected' * (s == 1)}>{s}×</option>" for s in (1, 2, 5, 10, 50)
    )
    done = animation.preview
    return (
        '<p class="live-run"><button type="button" data-do="toggle">Run</button>'
        '<button type="button" data-do="step">Step</button>'
        f'<label for="{uid}--speed">speed</label><select id="{uid}--speed" data-speed>{speeds}'
        f'</select><progress max="{animation.steps}" value="{done}" aria-label="steps done">'
        f"</progress><span data-steps>{done} of {animation.steps}</span></p>"
    )


def json_ready(value: Any) -> Any:
    """Turn NumPy scalars into Python numbers, recursively, for ``json``."""
    if isinstance(value, dict):
        return {key: json_ready(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [json_ready(item) for item in value]
    return value.item() if isinstance(value, np.generic) else value
