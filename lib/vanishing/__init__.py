"""Measure how signals and gradients travel through deep networks, and why they vanish."""

import lazy_loader

# `probe` and `sweep` are functions, and the modules they stand in: imported here, so that the
# names are the functions.
from vanishing.network import MLP, Statistics, Trace, apply, forward, init, statistics
from vanishing.probe import Signals, dead_units, probe
from vanishing.spectrum import jacobian_spectrum, log_jacobian_spectrum
from vanishing.sweep import sweep

# All else is imported when it is first used: matplotlib, optax and ipywidgets take their time.
__getattr__, _lazy_dir, _lazy_names = lazy_loader.attach(
    __name__,
    submodules=[
        "activations",
        "datasets",
        "initializers",
        "inspection",
        "live",
        "theory",
        "training",
    ],
    submod_attrs={
        "book.checks": ["check"],
        "book.quiz": ["quiz"],
        "inspection": ["inspect", "watch"],
        "training": ["History", "train"],
    },
)

__all__ = [
    "MLP",
    "Signals",
    "Statistics",
    "Trace",
    "apply",
    "dead_units",
    "forward",
    "init",
    "jacobian_spectrum",
    "log_jacobian_spectrum",
    "probe",
    "statistics",
    "sweep",
    *_lazy_names,
]


def __dir__() -> list[str]:
    return sorted(__all__)
