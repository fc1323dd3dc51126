"""What only pages and slides need: the look, quizzes, exercises, and a room for each chapter.

A chapter compiles hundreds of programs, and Binder gives all of it two gigabytes: in a notebook,
what each program was lowered to is let go after every cell.

What pages compute with `@` they compare with formulas, to more digits than tensor cores keep: here
JAX multiplies in full, unless JAX_DEFAULT_MATMUL_PRECISION says otherwise.
"""

import sys

import jax

from vanishing import _jax_internals

if jax.config.jax_default_matmul_precision is None:
    jax.config.update("jax_default_matmul_precision", "highest")

if "IPython" in sys.modules and (shell := sys.modules["IPython"].get_ipython()):
    shell.events.register("post_execute", _jax_internals.forget_lowered)
