"""Eight networks that learn badly for one reason each, and what may be prescribed for them.

A patient is a handful of numbers, and so is a cure.
"""

import math
from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from vanishing.studies.comparisons import matched_gain

DEPTH = 40  # layers allocated
ACTIVATIONS = ("sigmoid", "tanh", "relu")
SIGMOID, TANH, RELU = range(3)
NORMALIZATIONS = ("none", "batch", "detached")
NONE, ATTACHED, DETACHED = range(3)
HE = math.sqrt(2)


class Patient(NamedTuple):
    """A network, how it begins and how it is trained: numbers, which may be traced.

    Attributes:
        activation: position in `ACTIVATIONS`.
        depth: layers L, at most `DEPTH`.
        sigma_w: σ_w; 0 stands for PyTorch's default, uniform weights and biases.
        bias: of every hidden unit at the start; PyTorch's are drawn.
        normalization: position in `NORMALIZATIONS`.
        residual: branch scale α; 0 for a plain network.
        rate: learning rate η of plain gradient descent.
    """

    activation: int
    depth: int
    sigma_w: float
    bias: float = 0.0
    normalization: int = NONE
    residual: float = 0.0
    rate: float = 0.1


#: By what the reader sees first: a letter.
PATIENTS: dict[str, Patient] = {
    "A": Patient(SIGMOID, 30, 1.0, rate=0.1),
    "B": Patient(RELU, 5, HE, rate=1.0),
    "C": Patient(RELU, 30, 0.0, rate=0.1),
    "D": Patient(RELU, 5, HE, normalization=DETACHED, rate=0.3),
    "E": Patient(RELU, 40, HE, residual=1.0, rate=0.1),
    "F": Patient(RELU, 10, HE, bias=-1.0, rate=0.05),
    "G": Patient(TANH, 10, 10.0, rate=0.1),
    "H": Patient(RELU, 40, HE, rate=0.03),
}
DIAGNOSES: dict[str, str] = {
    "A": "sigmoids in depth",
    "B": "a step too large",
    "C": "PyTorch's default, deep",
    "D": "detached statistics",
    "E": "unscaled branches",
    "F": "born dead",
    "G": "saturated and exploding",
    "H": "inputs become alike",
}


def _matched(patient: Patient) -> Patient:
    gain = matched_gain(ACTIVATIONS[patient.activation])
    return patient._replace(sigma_w=gain, bias=0.0)


#: What the reader may prescribe; each changes one thing.
CURES: dict[str, Callable[[Patient], Patient]] = {
    "nothing": lambda patient: patient,
    "η ÷ 30": lambda patient: patient._replace(rate=patient.rate / 30),
    "η × 30": lambda patient: patient._replace(rate=patient.rate * 30),
    "matched start": _matched,
    "ReLU": lambda patient: patient._replace(activation=RELU, sigma_w=HE),
    "batch norm": lambda patient: patient._replace(normalization=ATTACHED),
    "scaled skips": lambda patient: patient._replace(residual=patient.depth**-0.5),
}


def treated(patient: str, cure: str) -> Patient:
    """The patient of that letter, with that cure.

    >>> treated("E", "scaled skips").residual < PATIENTS["E"].residual
    True
    """
    return CURES[cure](PATIENTS[patient])


def traced(patient: Patient) -> Patient:
    """The same with arrays for its numbers, so that one executable serves all patients.

    >>> traced(PATIENTS["B"]).depth.dtype.name, traced(PATIENTS["B"]).rate.dtype.name
    ('int32', 'float32')
    """
    dtypes = {int: jnp.int32, float: jnp.float32}
    return Patient(*(jnp.asarray(number, dtypes[type(number)]) for number in patient))


def chosen(patient, cure) -> Patient:
    """The same for positions in `PATIENTS` and `CURES`, which may be traced.

    >>> int(chosen(jnp.int32(0), jnp.int32(0)).depth)
    30
    """
    return Patient(*(jnp.asarray(column)[patient, cure] for column in _table()))


@cache
def _table() -> Patient:
    """The numbers of every patient with every cure, [patients, cures] each."""
    with jax.ensure_compile_time_eval():
        rows = [[treated(one, other) for other in CURES] for one in PATIENTS]
    columns = [
        np.array([[case[k] for case in row] for row in rows]) for k in range(len(rows[0][0]))
    ]
    dtypes = {"i": np.int32, "f": np.float32}
    return Patient(*(column.astype(dtypes[column.dtype.kind]) for column in columns))
