"""The slides: a deck for each chapter; `_ext/decks.py` says how they look."""

import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "_ext"))

project = "Vanishing Gradients"
author = "The authors of Vanishing Gradients"
extensions = [
    "myst_nb",
    "vanishing.live.page.sphinxext",
    "sphinx_revealjs",
    "katex_math",
    "run_notebooks",
    "decks",  # brings fonts and npm_assets with it
]
include_patterns = ["*.md"]
root_doc = "index"
language = "en"
smartquotes = False  # as MyST does it
myst_enable_extensions = ["amsmath", "attrs_inline", "colon_fence", "dollarmath", "smartquotes"]
myst_heading_anchors = 1
html_math_renderer = "katex"

nb_execution_mode = "cache"  # _ext/run_notebooks.py chooses the cache and fills it
nb_execution_timeout = 300
nb_execution_raise_on_error = True
nb_execution_show_tb = True
nb_output_stderr = "error"
nb_remove_code_source = True  # slides show what code makes
nb_ipywidgets_js = {}
nb_mime_priority_overrides = [("*", "text/html", 0)]

revealjs_html_theme = "deck"
revealjs_style_theme = "deck.css"
revealjs_use_section_ids = True
# Of reveal.js the page needs two scripts and a style sheet.
exclude_patterns = [
    "revealjs/css",
    "revealjs/dist/theme",
    "revealjs/plugin/[!n]*",
    "**.esm.js",
    "**.map",
]
