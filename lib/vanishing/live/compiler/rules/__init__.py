"""How each primitive becomes code: one module a family; importing them fills the registry."""

from vanishing.live.compiler.rules import (
    arrays,
    control_flow,
    convolutions,
    cumulative,
    elementwise,
    gather_scatter,
    outputs,
    pooling,
    products,
    random,
    reductions,
    slices,
    sorting,
)

__all__ = [
    "arrays",
    "control_flow",
    "convolutions",
    "cumulative",
    "elementwise",
    "gather_scatter",
    "outputs",
    "pooling",
    "products",
    "random",
    "reductions",
    "slices",
    "sorting",
]
