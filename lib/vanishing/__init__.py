"""Measure how signals and gradients travel through deep networks, and why they vanish."""

import lazy_loader

# `probe` is a function and the module it stands in: imported here, so that it is the function.
from vanishing.network import MLP, Trace, apply, forward, init
from vanishing.probe import Signals, dead_units, probe
from vanishing.spectrum import jacobian_spectrum, log_jacobian_spectrum

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
    "Trace",
    "apply",
    "dead_units",
    "forward",
    "init",
    "jacobian_spectrum",
    "log_jacobian_spectrum",
    "probe",
    *_lazy_names,
]


def __dir__() -> list[str]:
    return sorted(__all__)
