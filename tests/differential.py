"""Compares compiled programs with JAX: many cases, one Node process."""

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
        programs, failures = {}, {}
        for name, (fn, *args) in self.cases.items():
            try:
                programs[name] = compile(fn, *args)
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
