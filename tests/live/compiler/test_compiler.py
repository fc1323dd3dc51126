"""What a program promises: names, stages, refusals, the same dead units as JAX."""

import re
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax, nn

from differential import same
from vanishing.live.compiler import CompileError, Spec, compile, run_programs
from vanishing.live.compiler.runtime import node as javascript


def layers(seed, sigma, x):
    """A function with stages: the weights need the seed alone."""
    weights = jax.random.normal(jax.random.key(seed), (4, 6, 6))
    table = jnp.cumsum(jnp.linspace(0.0, 1.0, 6))
    scaled = weights * sigma

    def layer(h, w):
        return jnp.tanh(h @ w) + table[None], jnp.mean(h)

    h, means = lax.scan(layer, x, scaled)
    return {"out": h, "means": means, "drawn": weights, "sigma": sigma * 2}


X = np.linspace(-1, 1, 30).astype(np.float32).reshape(5, 6)


def test_names_and_types_of_what_goes_in_and_out():
    program = compile(lambda state, *, s=1: (state["w"] * 2, {"n": 3}), {"w": X})
    assert program.inputs == (Spec("state.w", (5, 6), "float32"),)
    assert program.outputs == (Spec("0", (5, 6), "float32"), Spec("1.n", (), "int32"))
    assert compile(layers, 0, 1.0, X).name == "layers"
    assert compile(layers, 0, 1.0, X, name="2 b").source.startswith("(function _2_b(rt)")


def test_a_long_branch_is_a_function_of_its_own():
    """It finds what stands around it: the round of a loop, numbers and buffers from before."""

    def turned(v, scale, times):
        for _ in range(times):
            v = jnp.cumsum(jnp.flip(v)) * scale / jnp.max(jnp.abs(v))
        return v, jnp.sum(v)

    def three(which, scale, v):
        def step(v, factor):
            by = scale * factor
            times = [partial(turned, times=n) for n in (1, 40, 50)]
            return lax.switch(which, times, v, by)

        return lax.scan(step, v, jnp.array([0.5, 0.75, 1.0]))

    v = np.linspace(-1, 2, 8, dtype=np.float32)
    program = compile(three, 0, 1.0, v)
    assert program.source.count("(() => {") == program.source.count("})();") == 2
    calls = [(which, scale, v) for which in (0, 1, 2) for scale in (0.5, 0.25)]
    for call, found in zip(calls, program.run_many(calls), strict=True):
        for ours, wanted in zip(found, jax.jit(three)(*call), strict=True):
            np.testing.assert_allclose(ours, wanted, rtol=1e-4)


def test_calls_in_any_order_give_what_a_fresh_program_gives():
    program = compile(layers, 0, 1.0, X)
    calls = [(1, 1.0, X), (1, 2.0, X), (2, 2.0, X), (2, 2.0, X), (2, 2.0, X + 1), (1, 1.0, X)]
    calls += [(1, np.nan, X), (1, np.nan, X), (1, 0.5, X), (2, 0.5, X * np.float32(1e-3))]
    together = program.run_many(calls)
    alone = run_programs([(program, [call]) for call in calls])
    for got, (fresh,), call in zip(together, alone, calls, strict=True):
        jax.tree.map(np.testing.assert_array_equal, got, fresh)
        same(jax.jit(layers)(*call), got)


def test_a_stage_is_skipped_when_its_inputs_are_unchanged():
    source = compile(layers, 0, 1.0, X).source

    def guard(text):
        """The condition of the stage in which a piece of code stands, or its loop is called."""
        before = source[: source.index(text)]
        if "return function" not in before:
            loop = re.findall(r"const (loop_\d+) = ", before)[-1]
            before = source[: source.index(f"      {loop}(")]
        stages = before.split("\n    if (")
        return stages[-1].splitlines()[0]

    assert guard("erfInv(") == "seedChanged) {"
    assert guard("= f(sigma * ") in ("sigmaChanged) {", "seedChanged || sigmaChanged) {")
    assert guard("matmul(") == "seedChanged || sigmaChanged || xChanged) {"


def test_inputs_may_be_the_outputs_of_the_call_before():
    program = compile(lambda a, b: (b, a + b), X, X)
    driver = javascript.run([(program.source, [[X, X * 2], [X * 2, X * 3]])])
    again = [np.frombuffer(raw, np.float32).reshape(X.shape) for raw in driver[0][1]]
    np.testing.assert_allclose(again[0], X * 3)
    np.testing.assert_allclose(again[1], X * 5, rtol=1e-6)


def test_webassembly_and_plain_javascript_agree():
    program = compile(lambda a, b: a @ b, np.ones((33, 47), "f"), np.ones((47, 21), "f"))
    rng = np.random.default_rng(3)
    a, b = rng.standard_normal((33, 47)), rng.standard_normal((47, 21))
    calls = [(a.astype(np.float32), b.astype(np.float32))]
    fast, plain = (program.run_many(calls, wasm=wasm)[0] for wasm in (True, False))
    np.testing.assert_allclose(fast, plain, atol=1e-5)
    np.testing.assert_allclose(plain, a @ b, atol=1e-5)


SLOPES = {
    "sigmoid": nn.sigmoid,
    "tanh": jnp.tanh,
    "relu": nn.relu,
    "elu": nn.elu,
    "selu": nn.selu,
    "gelu": nn.gelu,
    "gelu_exact": lambda z: nn.gelu(z, approximate=False),
    "silu": nn.silu,
}


def between_thresholds(size, *reached):
    """Where some of several functions have reached a value that they keep from some size on.

    Without fused multiply-add XLA's functions reach it late and let go of it again. The page
    follows the XLA of processors with AVX2 and FMA, where it is one threshold.
    """
    first = min(np.min(size, where=r, initial=np.inf) for r in reached)
    last = max(np.max(size, where=~r, initial=-np.inf) for r in reached)
    return (size >= first * (1 - 2e-3)) & (size <= last * (1 + 2e-3))


@pytest.mark.parametrize("name", SLOPES)
def test_slopes_are_exactly_zero_where_they_are_in_jax(name):
    slope = jax.vmap(jax.grad(SLOPES[name]))
    z = np.concatenate([np.linspace(lo, lo + 10, 40_001) for lo in range(-100, 100, 10)])
    z = z.astype(np.float32)
    dead, got = np.asarray(jax.jit(slope)(z)) == 0, compile(slope, z).run(z) == 0
    assert dead.any()
    for side in (z < 0, z == 0, z > 0):
        assert dead[side].any() == got[side].any()
        unsure = between_thresholds(np.abs(z[side]), dead[side], got[side])
        np.testing.assert_array_equal(got[side][~unsure], dead[side][~unsure])


@pytest.mark.parametrize(
    ("function", "low", "high", "wanted"),
    [
        (jnp.tanh, 1.0, 20.0, 1.0),
        (nn.sigmoid, 1.0, 120.0, 1.0),
        (nn.sigmoid, -1.0, -120.0, 0.0),
        (jnp.exp, -1.0, -120.0, 0.0),
        (jnp.expm1, -1.0, -120.0, -1.0),
        (lax.erfc, 1.0, 20.0, 0.0),
    ],
)
def test_saturation_starts_at_the_float_where_it_does_in_jax(function, low, high, wanted):
    x = np.linspace(low, high, 200_001, dtype=np.float32)
    reached, got = np.asarray(jax.jit(function)(x)) == wanted, compile(function, x).run(x) == wanted
    assert reached.any() and not reached.all()
    unsure = between_thresholds(np.abs(x), reached, got)
    np.testing.assert_array_equal(got[~unsure], reached[~unsure])
    turns = np.flatnonzero(np.diff(reached))
    assert np.count_nonzero(np.diff(got)) == 1  # on the page once and for all
    fused = np.all(jax.jit(jnp.tanh)(np.linspace(8, 19, 64, dtype=np.float32)) == 1)
    if fused and len(turns) == 1:  # XLA as on the page: the same float, give or take a few
        start = x[turns[0]].view(np.int32)
        around = np.arange(start - 2**13, start + 2**13, dtype=np.int32).view(np.float32)
        expected = np.asarray(jax.jit(function)(around)) == wanted
        have = compile(function, around).run(around) == wanted
        assert np.count_nonzero(have != expected) <= 40


def refuse(fn, *examples) -> str:
    with pytest.raises(CompileError) as caught:
        compile(fn, *examples)
    return str(caught.value)


def test_refuses_an_unknown_primitive_by_name_line_and_remedy():
    def spectrum(x):
        return jnp.linalg.svd(x @ x.T, compute_uv=False)  # this very line

    message = refuse(spectrum, X)
    assert "`svd`" in message
    assert "test_compiler.py" in message and "this very line" in message
    assert "which has no rule" in message and message.endswith("compiler.rules.")


def test_refuses_a_callback():
    def talk(x):
        jax.debug.print("{}", x)
        return x

    assert "callback" in refuse(
        lambda x: jax.pure_callback(lambda v: v, jax.ShapeDtypeStruct((), jnp.float32), x), 1.0
    )
    assert "debug" in refuse(talk, 1.0)


def test_refuses_large_constants():
    table = np.random.default_rng(0).standard_normal(2000).astype(np.float32)
    assert "Send a seed, not weights" in refuse(lambda i: jnp.asarray(table)[i], 3)
    assert compile(lambda i: jnp.zeros(200_000)[i] + 1, 3).run(7) == 1


@pytest.mark.parametrize("dtype", [np.float16, np.complex64, np.int8])
def test_refuses_other_element_types(dtype):
    assert np.dtype(dtype).name in refuse(lambda x: x + x, np.zeros(3, dtype))


def test_refuses_float64():
    with jax.enable_x64(True):
        assert "float64" in refuse(lambda x: x * 2, np.zeros(3))
        assert "jax_enable_x64" in refuse(lambda x: jnp.sum(x.astype(jnp.float64)), X)


def test_refuses_typed_keys_as_inputs():
    assert "Pass a seed" in refuse(jax.random.normal, jax.random.key(0))


def test_refuses_wrong_arguments_at_run_time():
    program = compile(layers, 0, 1.0, X)
    with pytest.raises(ValueError, match=r"expected x of shape \(5, 6\); got \(6, 5\)"):
        program.run(0, 1.0, X.T)
    with pytest.raises(ValueError, match="expected arguments like"):
        program.run(0, 1.0)


def test_no_eval_in_what_is_served():
    text = javascript.runtime_source() + compile(layers, 0, 1.0, X).source
    assert "eval(" not in text and "Function(" not in text and "import(" not in text
