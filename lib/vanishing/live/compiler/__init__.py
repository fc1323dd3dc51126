"""The compiler, jaxpr → JavaScript: flatten → simplify → fuse → stages → write."""

from vanishing.live.compiler.program import CompileError, Program, Spec, compile, run_programs

__all__ = ["CompileError", "Program", "Spec", "compile", "run_programs"]
