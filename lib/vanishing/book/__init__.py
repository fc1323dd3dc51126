"""What only pages and slides need: the look, quizzes, exercises, and a room for each chapter.

A chapter compiles hundreds of programs, and Binder gives all of it two gigabytes: in a notebook,
what each program was lowered to is let go after every cell.
"""

import sys

from vanishing import _jax_internals

if "IPython" in sys.modules and (shell := sys.modules["IPython"].get_ipython()):
    shell.events.register("post_execute", _jax_internals.forget_lowered)
