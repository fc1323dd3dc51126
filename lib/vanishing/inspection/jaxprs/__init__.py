"""What `inspection` knows of jaxprs: `primitives` ← `shards` ← `graph` ← `axes`, `likeness`."""

from vanishing.inspection.jaxprs.axes import moved_axes, unit_axes
from vanishing.inspection.jaxprs.graph import (
    Atom,
    Equation,
    Fixed,
    Graph,
    Value,
    evaluate,
    graph,
    trace,
)
from vanishing.inspection.jaxprs.likeness import likeness
from vanishing.inspection.jaxprs.primitives import (
    AFFINE,
    CONTRACTIONS,
    LAYOUT,
    NO_GRADIENT,
    OWN_RULE,
    REDUCTIONS,
    Loop,
)

__all__ = [
    "AFFINE",
    "CONTRACTIONS",
    "LAYOUT",
    "NO_GRADIENT",
    "OWN_RULE",
    "REDUCTIONS",
    "Atom",
    "Equation",
    "Fixed",
    "Graph",
    "Loop",
    "Value",
    "evaluate",
    "graph",
    "likeness",
    "moved_axes",
    "trace",
    "unit_axes",
]
