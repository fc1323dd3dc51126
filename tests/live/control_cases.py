"""What values mean to controls: one table for Python and for the host."""

from vanishing.live import Choice, Seed, Slider, Toggle

SLIDER = Slider("x", 0.1, 3.0, value=1.0, step=0.05)
WHOLE = Slider("n", 1, 50, value=5, step=2)
LOG = Slider("g", 0.01, 100.0, value=1.0, log=True)
TINY = Slider("e", 0.0, 1e-6, value=0.0, step=2.5e-9)
MARKED = Slider("w", 0.0, 2.0, value=1.0, step=0.1, marks={1.41421: "He"})
CHOICE = Choice("c", ["tanh", "relu"], value="relu", words={"relu": "ReLU"})
TOGGLE, ON = Toggle("t"), Toggle("t", value=True)
SEED = Seed("s", value=3)

#: control, what comes, what it means.
CASES = [
    (SLIDER, 0.5, 0.5),
    (SLIDER, 0.5249, 0.5),
    (SLIDER, 0.5251, 0.55),
    (SLIDER, "0.3", 0.3),
    (SLIDER, " 2e0 ", 2.0),
    (SLIDER, -7, 0.1),
    (SLIDER, 99, 3.0),
    (SLIDER, "1e999", 3.0),
    (SLIDER, "-Infinity", 0.1),
    (SLIDER, "NaN", 1.0),
    (SLIDER, "", 1.0),
    (SLIDER, "much", 1.0),
    (SLIDER, "0x1", 1.0),
    (SLIDER, "1_0", 1.0),
    (SLIDER, "<b>", 1.0),
    (SLIDER, None, 1.0),
    (SLIDER, True, 1.0),
    (SLIDER, [2], 1.0),
    (WHOLE, 3, 3),
    (WHOLE, 4, 5),
    (WHOLE, 3.9, 3),
    (WHOLE, 0, 1),
    (WHOLE, 1000, 50),
    (WHOLE, 50, 50),
    (WHOLE, 49.9, 49),
    (LOG, 1.327, 1.327),
    (LOG, 0, 0.01),
    (LOG, 1000, 100.0),
    (TINY, 5.1e-9, 5e-9),
    (TINY, 2.5e-9, 2.5e-9),
    (TINY, "1e-6", 1e-6),
    (MARKED, 1.41421, 1.41421),
    (MARKED, "1.41421", 1.41421),
    (MARKED, 1.42, 1.4),
    (CHOICE, "tanh", "tanh"),
    (CHOICE, "Tanh", "relu"),
    (CHOICE, 0, "relu"),
    (CHOICE, "__proto__", "relu"),
    (TOGGLE, True, True),
    (TOGGLE, "true", True),
    (TOGGLE, "on", True),
    (TOGGLE, 1, True),
    (TOGGLE, "yes", False),
    (ON, "false", False),
    (ON, "off", False),
    (ON, 0, False),
    (ON, "", True),
    (ON, "NaN", True),
    (SEED, 7, 7),
    (SEED, -1, 0),
    (SEED, 1.7, 1),
    (SEED, 2**31, 2**31 - 1),
    (SEED, "1e999", 2**31 - 1),
    (SEED, "x", 3),
]
