"""Measure how signals and gradients travel through deep networks, and why they vanish."""

from vanishing import activations, datasets, experiments, initializers, theory, training
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
    "experiments",
    "forward",
    "init",
    "initializers",
    "jacobian_spectrum",
    "probe",
    "quiz",
    "theory",
    "train",
    "training",
]
