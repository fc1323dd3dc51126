"""The form of a live figure; `form.js` makes it work.

It stands there disabled until the host has arrived, so nothing moves when it does.
"""

import html
import re
from collections.abc import Iterable
from typing import Any

from vanishing.live.controls import Choice, Control, Slider, Toggle

#: A slider of more values than this gets a box to type one in: a pixel would be several of them.
_FINE = 400
#: Where the host draws what lies ahead, behind the slider's track.
_AHEAD = (
    '<svg class="live-ahead" viewBox="0 0 1 1" preserveAspectRatio="none" aria-hidden="true">'
    "<path/></svg>"
)


def label_html(label: str) -> str:
    """The label with its subscripts set: `σ_w` becomes `σ<sub>w</sub>`.

    >>> label_html("σ_w²")
    'σ<sub>w</sub>²'
    """
    return re.sub(r"_([A-Za-z0-9]+)", r"<sub>\1</sub>", html.escape(label, quote=False))


def form_html(figure: Any, uid: str) -> str:
    """Presets, controls, the rest of them behind "More controls", Run, Reset and the link."""
    main = [control for control in figure.controls if not control.more]
    rest = [control for control in figure.controls if control.more]
    picked = {pick["control"] for layout in figure.layouts for pick in layout.picks}
    more = '<details class="live-more"><summary>More controls</summary>{}</details>' if rest else ""
    rows = _rows(main, uid, picked) + more.format(_rows(rest, uid, picked))
    run = _run(figure.machine.animation, uid) if figure.machine.animation else ""
    return (
        f'<form class="live-controls" autocomplete="off" '
        f'aria-label="Controls: {html.escape(figure.title)}"><fieldset disabled>'
        f'{_presets(figure.presets)}{rows}{run}<div class="live-actions">'
        f'<button type="button" data-do="reset">Reset</button>'
        f'<a class="live-link" href="#{uid}?">Link to this state</a>'
        f'<span class="live-wait"></span>{_python(figure.python)}</div></fieldset></form>'
    )


def _python(lines: str) -> str:
    """What shows the figure in a notebook; the host lets it follow the state."""
    if not lines:
        return ""
    return (
        '<details class="live-python"><summary>In Python</summary>'
        f"<pre><code>{html.escape(lines)}</code></pre>"
        '<button type="button" data-do="copy">Copy</button></details>'
    )


def _presets(presets: dict[str, dict]) -> str:
    buttons = "".join(
        f'<button type="button" aria-pressed="false">{label_html(word)}</button>'
        for word in presets
    )
    return f'<p class="live-presets" role="group" aria-label="Cases">{buttons}</p>' * bool(presets)


def _rows(controls: Iterable[Control], uid: str, picked: set[str]) -> str:
    return "".join(_row(control, f"{uid}-{control.name}", picked) for control in controls)


def _row(control: Control, uid: str, picked: set[str]) -> str:
    hint = "<small>or tap the picture</small>" if control.name in picked else ""
    if isinstance(control, Slider) and control.ahead:
        hint += f'<small class="live-key">{label_html(control.ahead.label)}</small>'
    label = f'<label for="{uid}">{label_html(control.label)}</label>{hint}'
    named = f'id="{uid}" name="{control.name}"'
    fields = {Slider: _slider, Choice: _choice, Toggle: _toggle}
    field = fields.get(type(control), _seed)(control, named)
    return f'<div class="live-control live-{control.kind}">{label}{field}</div>'


def _choice(control: Choice, named: str) -> str:
    options = "".join(
        f'<option value="{html.escape(option)}"{" selected" * (option == control.value)}>'
        f"{html.escape(control.spoken(option))}</option>"
        for option in control.options
    )
    return f"<select {named}>{options}</select>"


def _toggle(control: Toggle, named: str) -> str:
    return f'<input type="checkbox" {named}{" checked" * control.value}>'


def _seed(control: Control, named: str) -> str:
    return (
        f'<input type="number" inputmode="numeric" min="0" max="2147483647" step="1" '
        f'value="{control.value}" {named}>'
        f'<button type="button" data-next="{control.name}">Another</button>'
    )


def _slider(control: Slider, named: str) -> str:
    low, high, value = control.minimum, control.maximum, control.value
    spoken = control.spoken(value)
    # The host gives a log slider positions of its own; until then it only shows where it stands.
    step = "any" if control.log else f"{control.step!r}"
    return (
        f"{_readout(control, spoken)}{_AHEAD * bool(control.ahead)}"
        f'<input type="range" {named} min="{low!r}" max="{high!r}" step="{step}" '
        f'value="{value!r}" aria-valuetext="{spoken}">{_marks(control)}'
    )


def _readout(control: Slider, spoken: str) -> str:
    values = (control.maximum - control.minimum) / control.step
    if control.log or values <= _FINE:
        return f'<span class="live-value" aria-hidden="true">{spoken}</span>'
    return (
        f'<input class="live-box" type="number" step="any" value="{control.value!r}" '
        f'aria-label="exact value">'
    )


def _marks(control: Slider) -> str:
    """The values that matter; the slider itself reaches them, so they are no tab stops."""
    marks = "".join(
        f'<button type="button" class="live-mark" tabindex="-1">{label_html(word)}</button>'
        for _, word in sorted(control.marks.items())
    )
    return f'<span class="live-marks">{marks}</span>' if marks else ""


def _run(animation: Any, uid: str) -> str:
    speeds = "".join(
        f"<option value={s}{' selected' * (s == 1)}>{s}×</option>" for s in (1, 2, 5, 10, 50)
    )
    done = f"{animation.preview} of {animation.steps}"
    return (
        '<p class="live-run"><button type="button" data-do="toggle">Run</button>'
        '<button type="button" data-do="step">Step</button>'
        f'<label for="{uid}--speed">speed</label><select id="{uid}--speed" data-speed>{speeds}'
        f'</select><input type="range" data-scrub aria-label="step" min="0" '
        f'max="{animation.steps}" value="{animation.preview}" aria-valuetext="{done}">'
        f"<span data-steps>{done}</span></p>"
    )
