"""The files that a page with live figures serves: one classic script, one stylesheet."""

from functools import cache
from importlib.resources import files

from rcssmin import cssmin
from rjsmin import jsmin

from vanishing.live import palette
from vanishing.live.compiler.runtime.node import runtime_source

#: Names under which the book serves them.
SCRIPT, STYLESHEET = "vanishing-live.js", "vanishing-live.css"
#: And for pages that ask the reader to draw.
PREDICT = "vanishing-predict.js"


def _read(name: str) -> str:
    return files("vanishing.live.host").joinpath(name).read_text(encoding="utf-8")


def strip(source: str) -> str:
    """JavaScript without comments and needless space.

    >>> strip("// why\\nconst a = 1; /** gone */\\n\'// kept\';")
    "const a=1;\'// kept\';"
    """
    return jsmin(source)


#: The host's parts, each the twin of the Python module of that name, in order of use.
HOST = (
    "numbers",
    "text",
    "paths",
    "artists",
    "layout",
    "cursor",
    "machine",
    "controls",
    "ahead",
    "form",
    "voice",
    "figure",
    "animation",
)
#: What a page needs besides.
PAGE = ("address", "view", "equations", "page")


def source(part: str) -> str:
    """One part of the host, stripped."""
    return strip(_read(f"{part}.js"))


@cache
def _host(place: tuple[str, ...], public: str) -> str:
    """The host with the parts for one `place`, as the global `vanishingLive`."""
    parts = "\n".join(source(part) for part in (*HOST, *place))
    body = f'"use strict";\n{parts}\nreturn {{ {public} }};'
    return f"var vanishingLive = (function () {{\n{body}\n}})();\n"


def script() -> str:
    """Return `vanishing-live.js`: runtime, host, and the line that hydrates the page.

    It is a classic script: module scripts are refused over `file://`.
    """
    host = _host(PAGE, "hydrate, format, clean, PATIENCE")
    return f"{strip(runtime_source())}\n{host}vanishingLive.hydrate(document);\n"


def stylesheet() -> str:
    """Return `vanishing-live.css`: the house colours, light and dark, and the figure's layout."""
    return palette.css() + cssmin(_read("live.css") + _read("predict.css")) + "\n"


def module() -> str:
    """The ES module that anywidget loads in Jupyter."""
    return _host(("widget",), "render") + "export default vanishingLive;\n"


def _predict(last: str, parts: tuple[str, ...] = ()) -> str:
    body = "\n".join(source(part) for part in ("numbers", "memory", "predict", *parts))
    return f'(function () {{\n"use strict";\n{body}\n{last}\n}})()'


def predict_script() -> str:
    """`vanishing-predict.js`: lets every prediction of the page be drawn."""
    return _predict("invite(document);") + ";\n"


def predict_module() -> str:
    """The ES module that anywidget loads for a prediction in Jupyter."""
    return f"export default {_predict('return { render: renderGuess };', ('predict-widget',))};\n"


def data_script(name: str, encoded: str) -> str:
    """Return `vanishing-data-<name>.js`, which all pages share and browsers cache."""
    return f'(window.vanishingData ??= {{}})["{name}"] = "{encoded}";\n'
