"""Measure how signals and gradients travel through deep networks, and why they vanish."""

from vanishing import (
    activations,
    datasets,
    deaths,
    experiments,
    initializers,
    live,
    theory,
    training,
)
from vanishing.descent import dead_units
from vanishing.exercises import check
from vanishing.history import History
from vanishing.network import MLP, Trace, apply, forward, init
from vanishing.probe import Signals, jacobian_spectrum, probe
from vanishing.quiz import quiz
from vanishing.training import train

__all__ = [
    "MLP",
    "History",
    "Signals",
    "Trace",
    "activations",
    "apply",
    "check",
    "datasets",
    "dead_units",
    "deaths",
    "experiments",
    "forward",
    "init",
    "initializers",
    "jacobian_spectrum",
    "live",
    "probe",
    "quiz",
    "theory",
    "train",
    "training",
]
