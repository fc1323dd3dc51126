"""Every primitive at the edges of its element types, against JAX; see `edges` for the table."""

import functools
from unittest import mock

import jax
import numpy as np
import pytest
from edges import DTYPES, ROWS

from vanishing.live.compiler import CompileError, compile, run_programs
from vanishing.live.compiler.code import kernels
from vanishing.live.compiler.code.emit import RULES
from vanishing.live.compiler.graph.flatten import from_jaxpr

ACCEPTED = [(name, dtype) for name, row in ROWS.items() for dtype in row.dtypes.split()]
REFUSED = [(name, dtype) for name in ROWS for dtype in DTYPES if (name, dtype) not in ACCEPTED]
TINY = np.finfo(np.float32).tiny


def together(calls):
    """One function that makes all calls of a row, and its arguments."""
    functions, arguments = zip(*((fn, tuple(args)) for fn, *args in calls), strict=True)
    return lambda *groups: [fn(*g) for fn, g in zip(functions, groups, strict=True)], arguments


def reached(graph) -> set[str]:
    """The operations in a graph of the compiler, and in the bodies of its loops and branches."""
    bodies = [body for node in graph.nodes for body in node.graphs]
    return {node.op for node in graph.nodes}.union(*map(reached, bodies))


def ordered(x):
    """Floats as whole numbers, one apart where they are neighbours."""
    bits = x.view(np.int32).astype(np.int64)
    return np.where(bits < 0, -(2**31) - bits, bits)


def differs(want, have, ulps):
    """Where two arrays differ: in sign, in being NaN, or by more than `ulps`."""
    if want.dtype == bool:  # a byte of 7 is true, and equal to True, but no bool
        want, have = want.view(np.uint8), have.view(np.uint8)
    if want.dtype.kind != "f":
        return want != have
    want, have = (
        np.where(np.abs(v) < TINY, np.copysign(np.float32(0), v), v) for v in (want, have)
    )  # flushed
    nan = np.isnan(want)
    far = (np.abs(ordered(want) - ordered(have)) > ulps) | (np.signbit(want) != np.signbit(have))
    return (nan != np.isnan(have)) | (~nan & far)


@functools.cache
def results():
    """What the compiled programs say, with WebAssembly and without; short loops count as long, so
    that they too are functions, in vectors where these are known."""
    calls = {case: together(ROWS[case[0]].calls(case[1])) for case in ACCEPTED}
    programs, results = {}, {}
    for case, (fn, args) in calls.items():
        try:
            with mock.patch.object(kernels, "SHORTEST", 1):
                programs[case] = compile(fn, *args)
        except CompileError as error:
            results[case] = error
    jobs = [(program, [calls[case][1]]) for case, program in programs.items()]
    answers = [run_programs(jobs, wasm=wasm) for wasm in (True, False)]
    return results | {case: [a[k][0] for a in answers] for k, case in enumerate(programs)}


def test_every_primitive_has_a_row():
    assert set(ROWS) == set(RULES) - {"output"}  # the compiler's own, for what a program returns


@pytest.mark.parametrize("name", ROWS)
def test_a_row_reaches_its_primitive(name):
    for dtype in ROWS[name].dtypes.split():
        fn, args = together(ROWS[name].calls(dtype))
        assert name in reached(from_jaxpr(jax.make_jaxpr(fn)(*args))), dtype


@pytest.mark.parametrize(("name", "dtype"), ACCEPTED)
def test_agrees_with_jax(name, dtype):
    fn, args = together(ROWS[name].calls(dtype))
    want, structure = jax.tree.flatten(jax.jit(fn)(*args))
    answers = results()[name, dtype]
    if isinstance(answers, CompileError):
        raise answers
    for path, have in zip(("WebAssembly", "JavaScript"), answers, strict=True):
        assert jax.tree.structure(have) == structure
        for k, (a, b) in enumerate(zip(want, jax.tree.leaves(have), strict=True)):
            a, b = np.asarray(a), np.asarray(b)
            assert (a.dtype, a.shape) == (b.dtype, b.shape)
            wrong = differs(a, b, ROWS[name].ulps)
            assert not wrong.any(), f"{path}, result {k}: {a[wrong][:5]} in JAX, {b[wrong][:5]}"


@pytest.mark.parametrize(("name", "dtype"), REFUSED)
def test_refuses_what_the_row_does_not_name(name, dtype):
    with pytest.raises((CompileError, TypeError, ValueError, AttributeError)):
        fn, args = together(ROWS[name].calls(dtype)[:1])
        compile(fn, *args)
