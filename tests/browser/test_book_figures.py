"""Every live figure of the book computes in a worker: none falls back to the page unseen."""

from importlib import import_module

import pytest
from test_life_map_page import LIVE, write_page

pytestmark = pytest.mark.browser

FIGURES = {
    "fifty_layers": "index",
    "microscope": "chain_rule",
    "cobwebs": "propagation",
    "life_map": "dead_neurons",
    "phase_diagram": "initialization",
    "normalizers": "normalization",
    "branch_scale": "residual_connections",
    "depth_and_activation": "no_learning",
    "neuron": "activations",
    "activation_curves": "activations",
    "clinic": "clinic",
    "ablation": "clinic",
    "reports": "your_own_network",
}


@pytest.mark.parametrize("name", FIGURES)
def test_the_worker_answers(name, open_page, tmp_path):
    module = import_module(f"vanishing.book.{FIGURES[name]}.{name}")
    page = open_page(write_page(getattr(module, name)(), tmp_path))
    page.set_default_timeout(60_000)
    page.evaluate(f"{LIVE}.reset()")
    assert page.evaluate(f"{LIVE}.where") == "worker"
    assert page.evaluate(f"Object.keys({LIVE}.outputs).length") > 2
