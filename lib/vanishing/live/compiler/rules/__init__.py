"""How each primitive becomes code: one module a family; importing them fills the registry."""

from vanishing.live.compiler.rules import (
    arrays,
    control_flow,
    cumulative,
    elementwise,
    gather_scatter,
    outputs,
    products,
    random,
    reductions,
    slices,
    sorting,
    windows,
)

__all__ = [
    "arrays",
    "control_flow",
    "cumulative",
    "elementwise",
    "gather_scatter",
    "outputs",
    "products",
    "random",
    "reductions",
    "slices",
    "sorting",
    "windows",
]
