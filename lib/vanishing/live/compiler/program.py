"""Compiles a JAX function to JavaScript: `vg.live.compile(fn, *examples)`.

The function is traced once, flattened to a `graph.Graph` and written as
one JavaScript function over typed arrays. Equations are grouped by the inputs they depend on:
each group is computed again only if one of those inputs has changed since the last call.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import jax
import numpy as np

from vanishing.live.compiler import rules  # noqa: F401  (imported, they fill the registry)
from vanishing.live.compiler.arguments import flattened, function_name, input_names, path_name
from vanishing.live.compiler.code.names import identifier
from vanishing.live.compiler.graph.flatten import from_jaxpr
from vanishing.live.compiler.graph.nodes import DTYPES, CompileError, Spec, dtype_error
from vanishing.live.compiler.runtime import node as javascript
from vanishing.live.compiler.stages import write_program
from vanishing.live.compiler.tracing import check_examples, trace

__all__ = ["CompileError", "Program", "Spec", "compile", "run_programs"]


@dataclass(frozen=True)
class Program:
    """A JAX function as JavaScript.

    Attributes:
        name: a JavaScript identifier.
        source: one function expression; called with the runtime, it returns the function proper.
        inputs: the flattened arguments, in order.
        outputs: the flattened results, in order.
    """

    name: str
    source: str
    inputs: tuple[Spec, ...]
    outputs: tuple[Spec, ...]
    _in_tree: object
    _out_tree: object

    def run(self, *args, wasm: bool = True):
        """Run the program under Node.

        Args:
            args: pytrees of arrays; structure, shapes and dtypes of the examples it was compiled
                for.
            wasm: whether WebAssembly may be used.

        Returns:
            What the function returns, as NumPy arrays of the shapes and dtypes that JAX returns.

        >>> import jax.numpy as jnp
        >>> compile(lambda x: jnp.sum(x * x), jnp.zeros(3)).run(np.float32([1, 2, 3]))
        array(14., dtype=float32)
        """
        return self.run_many([args], wasm=wasm)[0]

    def run_many(self, calls: Sequence[tuple], wasm: bool = True) -> list:
        """Run the program several times, in order, in one Node process."""
        return run_programs([(self, calls)], wasm=wasm)[0]

    def flatten(self, args: tuple) -> list[np.ndarray]:
        """The arguments of one call, leaf by leaf: [entries], of the types compiled for."""
        return flattened(self.name, args, self._in_tree, self.inputs)


def run_programs(jobs: Sequence[tuple[Program, Sequence[tuple]]], wasm: bool = True) -> list[list]:
    """Run many programs, each on many arguments, in one Node process.

    Args:
        jobs: pairs of a program and its calls, each a tuple of arguments.
        wasm: whether WebAssembly may be used.

    Returns:
        For each job the list of its results.
    """
    requests = [(p.source, [p.flatten(args) for args in calls]) for p, calls in jobs]
    answers = javascript.run(requests, wasm=wasm)
    results = []
    for (program, _), calls in zip(jobs, answers, strict=True):
        results.append([])
        for flat in calls:
            shaped = [
                np.frombuffer(raw, s.dtype).reshape(s.shape)
                for raw, s in zip(flat, program.outputs, strict=True)
            ]
            results[-1].append(jax.tree.unflatten(program._out_tree, shaped))
    return results


def compile(fn: Callable, *examples, name: str | None = None) -> Program:
    """Compile a JAX function to JavaScript.

    Args:
        fn: a pure function of arrays and scalars; it may draw random numbers from a seed.
        examples: one argument each: arrays, `jax.ShapeDtypeStruct` or Python scalars, in any
            pytree. Only their shapes and element types matter.
        name: what to call the program; the function's name by default.

    Returns:
        The program.

    Raises:
        CompileError: if the function uses something that cannot be compiled; the message names
            the operation, the line, and a way out.

    >>> import jax.numpy as jnp
    >>> program = compile(lambda scale, x: {"y": scale * x}, 1.0, jnp.zeros(2), name="scaled")
    >>> [spec.name for spec in program.inputs], [spec.name for spec in program.outputs]
    (['scale', 'x'], ['y'])
    >>> program.run(2.0, np.float32([1, 2]))
    {'y': array([2., 4.], dtype=float32)}
    """
    check_examples(fn, examples)
    closed, out_shape = trace(fn, examples)
    in_tree = jax.tree.structure(examples)
    avals = zip(input_names(fn, examples), closed.jaxpr.invars, strict=True)
    inputs = tuple(_spec(text, var.aval) for text, var in avals)
    paths, out_tree = jax.tree_util.tree_flatten_with_path(out_shape)
    outputs = tuple(_spec(path_name(path) or "output", leaf) for path, leaf in paths)
    name = identifier(name or function_name(fn))
    source = write_program(from_jaxpr(closed), name, inputs)
    return Program(name, source, inputs, outputs, in_tree, out_tree)


def _spec(name: str, aval) -> Spec:
    if str(aval.dtype) not in DTYPES:
        raise dtype_error(aval.dtype, f"for {name}")
    return Spec(name, tuple(aval.shape), str(aval.dtype))
