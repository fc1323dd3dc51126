"""The compiler, jaxpr → JavaScript: flatten → simplify → fuse → stages → write.

Imports run one way: `runtime` and `graph` (what JAX traced) ← `code` (how JavaScript is written)
← `rules` (how each primitive is) ← `stages`, `program`. A primitive's rule is in the module of its
family in `rules`; what has no rule but is written in others' terms is in `graph/decompositions`.

Long loops become functions (`code/kernels`), and WebAssembly where their text, read back, is plain
arithmetic on floats (`expressions`, `nests` → `simd`, `elements`, `vectors` → `assembly`).
"""

from vanishing.live.compiler.program import CompileError, Program, Spec, compile, run_programs

__all__ = ["CompileError", "Program", "Spec", "compile", "run_programs"]
