"""Live figures: a matplotlib figure whose JAX function runs in the reader's browser."""

from vanishing.live.artists.cursor import Cursor
from vanishing.live.artists.network import NetworkPicture, draw_network
from vanishing.live.compiler import CompileError, Program, compile
from vanishing.live.controls import Ahead, Choice, Seed, Slider, Toggle
from vanishing.live.figure import LiveFigure, figure
from vanishing.live.machine import Animation
from vanishing.live.page.svg import themed_svg
from vanishing.live.prediction import Prediction, predict

__all__ = [
    "Ahead",
    "Animation",
    "Choice",
    "CompileError",
    "Cursor",
    "LiveFigure",
    "NetworkPicture",
    "Prediction",
    "Program",
    "Seed",
    "Slider",
    "Toggle",
    "compile",
    "draw_network",
    "figure",
    "predict",
    "themed_svg",
]
