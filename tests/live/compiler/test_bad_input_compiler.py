"""What `vg.live.compile` and `Program.run` refuse, with a remedy, and what they take."""

import functools
import re
import signal

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import vanishing.live.compiler.runtime.node as javascript
from vanishing.live import CompileError, compile

pytestmark = pytest.mark.bad_input

X = np.ones((2, 3), np.float32)
kept = []


def branches(x):
    return x if x > 0 else -x  # a truth value


def sizes(n):
    return jnp.zeros(n)  # a size


def numpy_inside(x):
    return np.sin(x)  # a NumPy function


def counted(n):
    return [0, 1, 2][n]  # a Python index


def masked(x):
    return x[x > 0]  # a mask


def leaks(x):
    kept.append(x * 2)
    return kept[0] + x  # what was stored outside


def whole(x):
    return int(x)  # a Python number


class Doubling:
    """A callable object."""

    def __call__(self, x):
        return x * 2


UNTRACED = {
    branches: (1.0, "a truth value"),
    sizes: (3, "a size"),
    numpy_inside: (X, "a NumPy function"),
    counted: (1, "a Python index"),
    masked: (X, "a mask"),
    whole: (1.0, "a Python number"),
}


@pytest.mark.parametrize("fn", UNTRACED, ids=lambda fn: fn.__name__)
def test_a_function_that_needs_values_is_shown_its_line(fn):
    example, comment = UNTRACED[fn]
    with pytest.raises(CompileError, match=r"^compile: expected") as caught:
        compile(fn, example)
    assert re.search(
        rf"test_bad_input_compiler\.py:\d+ \({fn.__name__}\): .*# {comment}", str(caught.value)
    )


def test_a_value_of_another_call_is_refused():
    compile(lambda x: (kept.append(x), x)[1], X)
    with pytest.raises(CompileError, match="a value of another call"):
        compile(leaks, X)


EXAMPLES = {
    "no function": (3, (X,), "expected a function as fn; got 3"),
    "no function but None": (None, (), "got None"),
    "a set": (lambda s: 1.0, ({1.0, 2.0},), "got {1.0, 2.0} of type set for argument 0"),
    "text": (lambda s: s, ("tanh",), "got 'tanh' of type str"),
    "text inside": (lambda s: s, ({"a": "b"},), r"for argument 0\['a'\]"),
    "an object": (lambda s: s, (object(),), "of type object"),
    "a function": (lambda s: s, (jnp.tanh,), "for argument 0"),
    "an array of text": (lambda s: s, (np.array(["a"]),), "of type ndarray"),
    "an array of objects": (lambda s: s, (np.array([None]),), "of type ndarray"),
}


@pytest.mark.parametrize("case", EXAMPLES)
def test_what_is_no_array_is_refused_as_an_example(case):
    fn, examples, message = EXAMPLES[case]
    with pytest.raises(TypeError, match=message):
        compile(fn, *examples)


@pytest.mark.parametrize("value", [1j, np.complex64(1), np.float16(1), np.int8(1)])
def test_other_element_types_are_refused(value):
    with pytest.raises(CompileError, match="expected one of float32, int32"):
        compile(lambda x: x + x, value)


def test_an_integer_that_does_not_fit_is_refused():
    with pytest.raises(CompileError, match="expected integers of 32 bits"):
        compile(lambda x: x + 1, 2**40)


FITS = {
    "float32": [2.7, 3, True, np.float64(0.1), np.nan, np.inf, np.int8(3), jnp.float32(2)],
    "int32": [3, -3, 2.0, True, np.uint8(7), np.int64(2**31 - 1)],
    "uint32": [3, 2**32 - 1, np.int64(7)],
    "uint8": [0, 255, 7.0],
    "bool": [True, False, 0, 1, np.True_],
}
REFUSED = {
    "float32": [1j, "2", None, 1e300, -(10**39), np.array(["a"])],
    "int32": [2.7, 1j, np.nan, np.inf, 2**31, -(2**31) - 1, 2**80, "2"],
    "uint32": [-1, 2**32, 0.5],
    "uint8": [256, -1, 2.5],
    "bool": [2, 0.5, -1, np.nan],
}


@pytest.mark.parametrize("dtype", FITS)
def test_a_value_that_fits_is_taken(dtype):
    program = compile(lambda x: x, np.zeros((), dtype))
    for value, got in zip(FITS[dtype], program.run_many([(v,) for v in FITS[dtype]]), strict=True):
        np.testing.assert_array_equal(got, np.asarray(value).astype(dtype))


@pytest.mark.parametrize(
    ("dtype", "value"), [(d, v) for d, values in REFUSED.items() for v in values]
)
def test_a_value_that_would_change_is_refused(dtype, value):
    program = compile(lambda speed: speed, np.zeros((), dtype))
    with pytest.raises((TypeError, ValueError), match=r"expected (speed|arguments)"):
        program.run(value)


@pytest.mark.parametrize("args", [(X.T,), (X[0],), (1.0,), (), (X, X), ([X],)])
def test_other_shapes_and_structures_are_refused(args):
    with pytest.raises(ValueError, match=r"double\.run: expected .*; got "):
        compile(lambda x: x * 2, X, name="double").run(*args)


WORDS = ["class", "new", "function", "default", "let", "yield", "await", "f", "rt", "heap", "tanh"]
WORDS += ["undefined", "x²", "2x", "", "σ", "a b", "a-b", "__proto__", "constructor", "Object"]


@pytest.mark.parametrize("word", WORDS)
def test_any_word_can_be_a_name(word):
    program = compile(lambda d: {word: jnp.tanh(d[word]) + d["x"]}, {word: X, "x": X}, name=word)
    np.testing.assert_allclose(program.run({word: X, "x": X})[word], np.tanh(X) + X, rtol=1e-6)


def test_keywords_can_be_parameters_and_variables():
    def function(new, default):
        let = new * default
        return let + jnp.sum(let)

    program = compile(function, X, 2.0)
    assert program.name == "function_"
    np.testing.assert_allclose(program.run(X, 3.0), 21.0)


@pytest.mark.parametrize(
    ("fn", "name"),
    [
        (Doubling(), "Doubling"),
        (functools.partial(lambda x, by: x * by, by=2), "lambda"),
        (jax.jit(lambda x: x * 2), "lambda"),
        (Doubling().__call__, "__call__"),
    ],
)
def test_callable_objects_are_functions(fn, name):
    program = compile(fn, X)
    assert program.name == name.strip("_") or program.name == name
    np.testing.assert_array_equal(program.run(X), 2 * X)


@pytest.mark.parametrize("count", [150, 1000])
def test_long_chains_of_operations_compile(count):
    def unrolled(x):
        for _ in range(count):
            x = jnp.sin(x) + 1
        return x

    np.testing.assert_allclose(compile(unrolled, X).run(X), jax.jit(unrolled)(X), rtol=1e-5)


def test_an_interrupted_node_says_so(monkeypatch):
    endings = {
        "process.exit(0);": "exit status 0",
        "process.exit(3);": "exit status 3",
        "throw new Error('no memory left');": "no memory left",
        "process.kill(process.pid, 'SIGKILL'); while (true);": f"signal {signal.SIGKILL:d}",
        "fs.writeFileSync(answerPath, '[['); process.exit(0);": "exit status 0",
    }
    driver, program = javascript.DRIVER, compile(lambda x: x, X)
    for code, message in endings.items():
        early = driver.replace("const rt =", f"{code}\nconst rt =")
        monkeypatch.setattr(javascript, "DRIVER", early)
        with pytest.raises(RuntimeError, match=f"(?s)expected the program's answer.*{message}"):
            program.run(X)
