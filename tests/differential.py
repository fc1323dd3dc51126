"""Compares compiled programs and figures with JAX: many cases, one Node process."""

import functools

import jax
import numpy as np

from vanishing.live.compiler import compile, run_programs


def same(expected, got, tolerance=1e-4, floor=1e-3):
    """Assert equal trees: integers exactly, floats to ``tolerance`` of the larger of |value|
    and ``floor`` times the largest magnitude in the array: float32 rounds at 6e-8 of that, and
    a difference of two numbers inherits it."""
    leaves, tree = jax.tree.flatten(expected)
    others, other_tree = jax.tree.flatten(got)
    assert tree == other_tree
    for want, have in zip(leaves, others, strict=True):
        want = np.asarray(want)
        assert have.shape == want.shape and have.dtype == want.dtype
        if want.dtype == bool:  # a byte of 7 is true, and equal to True, but no bool
            want, have = np.asarray(want).view(np.uint8), np.asarray(have).view(np.uint8)
        if want.dtype.kind != "f":
            np.testing.assert_array_equal(have, want)
            continue
        np.testing.assert_array_equal(np.isnan(have), np.isnan(want))
        finite = np.isfinite(want)
        np.testing.assert_array_equal(have[~finite], want[~finite])
        largest = np.max(np.abs(want), initial=0, where=finite)
        scale = np.maximum(np.abs(want), floor * largest)
        error = np.abs(have[finite] - want[finite]) / np.maximum(scale, 1e-30)[finite]
        assert np.max(error, initial=0) <= tolerance


class Cases:
    """Functions with arguments, all compiled and run when the first result is asked for."""

    def __init__(self, cases):
        self.cases = cases

    @functools.cached_property
    def results(self):
        programs, failures, made = {}, {}, {}
        for name, (fn, *args) in self.cases.items():
            leaves, tree = jax.tree.flatten(jax.eval_shape(lambda *args: args, *args))
            kind = (fn, tree, *leaves)  # cases that differ in numbers alone are one program
            try:
                made[kind] = programs[name] = made.get(kind) or compile(fn, *args)
            except Exception as error:
                failures[name] = error
        jobs = [(program, [tuple(self.cases[name][1:])]) for name, program in programs.items()]
        both = [run_programs(jobs, wasm=wasm) for wasm in (True, False)]
        return failures, dict(zip(programs, zip(*both, strict=True), strict=True))

    def check(self, name, **tolerances):
        failures, results = self.results
        if name in failures:
            raise failures[name]
        fn, *args = self.cases[name]
        expected = jax.jit(fn)(*args)
        for (got,) in results[name]:
            same(expected, got, **tolerances)


def still(figure, settings):
    """A still figure at every one of the settings: what JAX computes, and what Node does."""
    states = [figure.state(**values) for values in settings]
    calls = [tuple(figure.machine.arguments(state)) for state in states]
    got = figure.programs["compute"].run_many(calls)
    return list(zip(map(figure.machine.compute, states), got, strict=True))


def animated(figure, settings, ahead):
    """An animated figure at every one of the settings, where case k has gone `ahead(k)` steps.

    Node steps from the state that JAX is in: a difference is that of one step.

    Returns:
        For each: JAX's and Node's initial state, JAX's and Node's (state, outputs) of a step.
    """
    machine, starts, calls, expected = figure.machine, [], {"init": [], "step": []}, []
    for case, values in enumerate(settings):
        arguments = tuple(machine.arguments(figure.state(**values)))
        state = machine.jitted_init(*arguments)
        starts.append(state)
        for _ in range(ahead(case)):
            state, _ = machine.jitted_step(state, *arguments)
        expected.append(machine.jitted_step(state, *arguments))
        calls["init"].append(arguments)
        calls["step"].append((state, *arguments))
    inits, steps = run_programs([(figure.programs[name], calls[name]) for name in calls])
    return list(zip(starts, inits, expected, steps, strict=True))


def opens_at_its_defaults(figure):
    """Assert that the first picture's outputs are those of the default values."""
    same(figure.outputs, figure.evaluate(), tolerance=0)
