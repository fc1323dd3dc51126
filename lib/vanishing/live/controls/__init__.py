"""What the reader can move: sliders, choices, toggles and seeds.

A control knows its range, how its value reaches JAX, and how it is said. What any value means to
it, from a link, a script or an input, is in `reading.py`.
"""

from vanishing.live.controls.base import Control, Value, plain
from vanishing.live.controls.discrete import Choice, Seed, Toggle
from vanishing.live.controls.slider import Ahead, Slider

__all__ = ["Ahead", "Choice", "Control", "Seed", "Slider", "Toggle", "Value", "plain"]
