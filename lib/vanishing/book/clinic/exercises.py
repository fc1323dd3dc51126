"""The exercises of the chapter "The clinic"."""

import math

import numpy as np

from vanishing.book.checks import exercise
from vanishing.book.clinic.patients import PATIENTS, RELU, treated
from vanishing.book.clinic.treatment import course, final_loss


@exercise(
    "clinic-rest",
    hint="A constant output can give every class one probability. Which ones cost least?",
)
def rest():
    """The entropy of shares of a half, a quarter and a quarter."""
    shares = np.array([0.5, 0.25, 0.25])
    return float(-np.sum(shares * np.log(shares)))


@exercise(
    "clinic-output",
    hint="Follow the mean square: what does one block do to it, and what does the read-out do?",
    tolerance=0.01,
)
def output():
    """RMS of the outputs of patient E, for wide layers."""
    return 2 ** ((PATIENTS["E"].depth + 1) / 2)


@exercise(
    "clinic-open",
    hint="A pair is open where z > 0. How far above its mean is that, in standard deviations?",
    tolerance=5e-3,
)
def share_open():
    """P(√2 ξ − 1 > 0) for a standard normal ξ."""
    return 0.5 * math.erfc(0.5)


@exercise(
    "clinic-moves",
    hint="Write the update k layers below the top as a product, and compare logarithms. The top "
    "layer counts too.",
    tolerance=0.0,
)
def moves():
    """Layers of patient A whose update is at least half the distance between two floats."""
    return sum(10**-3.3 * 0.236**k >= 2.0**-27 for k in range(PATIENTS["A"].depth))


@exercise(
    "clinic-scaling",
    hint="Write both numbers as powers of two, and round to the safe side.",
    tolerance=0.0,
)
def scaling():
    """The least s with 10⁻⁹ · 2ˢ ≥ 2⁻¹⁴."""
    return math.ceil(9 * math.log2(10) - 14)


@exercise(
    "clinic-two",
    hint="Which disease does ReLU leave behind? Read the last panel of the ward.",
    expects="a function",
)
def two(answer):
    """ReLU, and something that keeps inputs apart."""
    patient = answer(PATIENTS["A"])
    if patient.activation != RELU:
        return "Your patient has no ReLU. Apply that cure too."
    return bool(np.median([final_loss(patient, seed) for seed in range(3)]) < 1)


#: What `clinic-diagnose` is tried on: the patient, the cure, and the word.
CASES = (
    ("A", "nothing", "vanishing"),
    ("C", "nothing", "vanishing"),
    ("E", "nothing", "exploding"),
    ("F", "nothing", "dead"),
    ("G", "nothing", "exploding"),
    ("H", "nothing", "alike"),
    ("B", "η ÷ 30", "healthy"),
)


@exercise(
    "clinic-diagnose",
    hint="Begin with what cannot be mistaken, exact zeros, then look at sizes, then at the cosine.",
    expects="a function",
)
def diagnose(answer):
    """Zeros first, then sizes, then the cosine."""
    for patient, cure, word in CASES:
        said = answer(course(treated(patient, cure), seed=1).first)
        if not isinstance(said, str):
            return "Return one of the five words."
        if said != word:
            return f"Of {patient} your function says {said[:20]!r}; look at its readings again."
    return True
