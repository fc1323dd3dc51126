"""Bad input: every refusal says what was expected, what came, and the remedy."""

import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import vanishing as vg

pytestmark = pytest.mark.bad_input

KEY = jax.random.key(0)
NET = vg.MLP(depth=3, width=4)
PARAMS = vg.init(NET, key=KEY)
X = np.ones((2, 4), np.float32)

ENTRY_POINTS = {"forward": vg.forward, "apply": vg.apply, "probe": vg.probe}


def refuses(call, error, *, expected, got, remedy):
    """`call()` raises exactly `error`, whose message has the three parts."""
    with pytest.raises(error) as caught:
        call()
    message = str(caught.value)
    assert type(caught.value) is error
    assert "expected" in message and expected in message
    assert "got" in message and got in message
    assert remedy in message


def with_nan(shape, value=np.nan):
    array = np.ones(shape, np.float32)
    array[-1, 0] = value
    return array


X_FAULTS = {
    "rank 1": (np.ones(4, np.float32), ValueError, "features] = (any, 4)", "(4,)", "x[None]"),
    "rank 3": (np.ones((2, 2, 4), np.float32), ValueError, "(any, 4)", "(2, 2, 4)", "Reshape it"),
    "width": (np.ones((2, 5), np.float32), ValueError, "(any, 4)", "(2, 5)", "Reshape it"),
    "nan": (with_nan((2, 4)), ValueError, "finite numbers", "NaN", "np.argwhere"),
    "infinity": (with_nan((2, 4), np.inf), ValueError, "finite numbers", "infinity", "np.argwhere"),
    "empty": (np.ones((0, 4), np.float32), ValueError, "at least one row", "(0, 4)", "non-empty"),
    "integers": (np.ones((2, 4), int), TypeError, "floats", "int64", ".astype('float32')"),
    "jax integers": (jnp.ones((2, 4), int), TypeError, "floats", "int32", ".astype('float32')"),
    "booleans": (np.ones((2, 4), bool), TypeError, "floats", "bool", ".astype('float32')"),
    "text": ("two rows", TypeError, "floats", "dtype <U8", ".astype('float32')"),
    "None": (None, TypeError, "floats", "object", ".astype('float32')"),
}  # fmt: skip


@pytest.mark.parametrize("entry", ENTRY_POINTS)
@pytest.mark.parametrize("fault", X_FAULTS)
def test_bad_inputs(entry, fault):
    x, error, expected, got, remedy = X_FAULTS[fault]
    refuses(lambda: ENTRY_POINTS[entry](NET, PARAMS, x), error,
            expected=expected, got=got, remedy=remedy)  # fmt: skip


@pytest.mark.parametrize("fault", sorted(X_FAULTS.keys() - {"None"}))
def test_bad_data_for_lsuv(fault):
    x, error, expected, got, remedy = X_FAULTS[fault]
    net = vg.MLP(depth=3, width=4, initializer="lsuv")
    refuses(lambda: vg.init(net, key=KEY, data=x), error,
            expected=expected, got=got, remedy=remedy.replace("x[None]", "[None]"))  # fmt: skip


DEPTH_FAULTS = {
    0: (ValueError, "at least 1", "got 0", "depth=1"),
    -2: (ValueError, "at least 1", "got -2", "depth=1"),
    2.0: (TypeError, "an integer", "2.0 of type float", "plain int"),
    True: (TypeError, "an integer", "True of type bool", "plain int"),
    "3": (TypeError, "an integer", "'3' of type str", "plain int"),
    4: (ValueError, "at most the 3 layers", "got 4", "MLP(depth=4"),
}


@pytest.mark.parametrize("entry", ENTRY_POINTS)
@pytest.mark.parametrize("depth", DEPTH_FAULTS, ids=repr)
def test_bad_depth_in_use(entry, depth):
    error, expected, got, remedy = DEPTH_FAULTS[depth]
    refuses(lambda: ENTRY_POINTS[entry](NET, PARAMS, X, depth=depth), error,
            expected=expected, got=got, remedy=remedy)  # fmt: skip


NET_FAULTS = [
    ({"depth": 0}, ValueError, "at least 1", "got 0", "depth=1 or more"),
    ({"width": -1}, ValueError, "at least 1", "got -1", "width=1 or more"),
    ({"depth": 3.0}, TypeError, "an integer", "3.0 of type float", "plain int"),
    ({"width": True}, TypeError, "an integer", "True of type bool", "plain int"),
    ({"depth": None}, TypeError, "an integer", "None", "plain int"),
    ({"in_features": 0}, ValueError, "at least 1", "got 0", "in_features=1"),
    ({"out_features": 0}, ValueError, "at least 1", "got 0", "out_features=1"),
    ({"activation": "rleu"}, ValueError, "sigmoid, tanh, relu", "'rleu'", "Check the spelling"),
    ({"activation": 3}, TypeError, "a name or an elementwise", "3 of type int", "Pass one of"),
    ({"activation": jax.nn.softmax}, ValueError, "elementwise", "depends on input", "Move the"),
    ({"activation": jnp.sort}, ValueError, "elementwise", "depends on input", "Move the"),
    ({"activation": jnp.sum}, ValueError, "[4] → [4]", "shape=()", "one value for each"),
    ({"activation": lambda z: z[None]}, ValueError, "[4] → [4]", "shape=(1, 4)", "one value"),
    ({"activation": lambda z: (z, z)}, ValueError, "[4] → [4]", "(ShapeDtype", "one value"),
    ({"activation": lambda z: z > 0}, TypeError, "floats", "bool", "Return"),
    ({"initializer": "hee"}, ValueError, "xavier, he, lecun", "'hee'", "Check the spelling"),
    ({"initializer": 2.0}, TypeError, "a name", "2.0 of type float", "Pass one of"),
    ({"initializer": "he", "sigma_w": 1.0}, ValueError, "none beside sigma_w", "'he'", "one of"),
    ({"sigma_w": -1.0}, ValueError, "sigma_w: expected a finite number ≥ 0", "-1.0", "sign"),
    ({"sigma_b": -0.1}, ValueError, "sigma_b: expected a finite number ≥ 0", "-0.1", "sign"),
    ({"residual": -1.0}, ValueError, "residual: expected a finite", "-1.0", "sign"),
    ({"epsilon": -1e-5}, ValueError, "epsilon: expected a finite", "-1e-05", "sign"),
    ({"sigma_w": float("nan")}, ValueError, "finite number", "nan", "scale"),
    ({"sigma_w": float("inf")}, ValueError, "finite number", "inf", "scale"),
    ({"sigma_w": "1.0"}, TypeError, "a number", "'1.0' of type str", "Pass a float"),
    ({"sigma_w": True}, TypeError, "a number", "True of type bool", "Pass a float"),
    ({"sigma_w": [1.0]}, TypeError, "a number", "[1.0] of type list", "Pass a float"),
    ({"sigma_w": 1j}, TypeError, "a number", "1j of type complex", "Pass a float"),
    ({"sigma_w": np.ones(2)}, ValueError, "a single number", "shape (2,)", "jax.vmap"),
    ({"normalization": "group"}, ValueError, "'batch' or 'layer'", "'group'", "spelling"),
]  # fmt: skip


def nameless(value) -> str:
    """A test's name without addresses: every worker must know it under the same."""
    return re.sub(r" at 0x[0-9a-f]+", "", str(value))


@pytest.mark.parametrize("fields, error, expected, got, remedy", NET_FAULTS, ids=nameless)
def test_bad_descriptions(fields, error, expected, got, remedy):
    refuses(lambda: vg.MLP(**({"depth": 3, "width": 4} | fields)), error,
            expected=expected, got=got, remedy=remedy)  # fmt: skip


PARAMS_FAULTS = {
    "another depth": (vg.init(vg.MLP(depth=2, width=4), key=KEY), ValueError, "(3, 4)", "(2, 4)"),
    "another width": (vg.init(vg.MLP(depth=3, width=5), key=KEY), ValueError, "(3, 4)", "(3, 5)"),
    "a read-in": (vg.init(vg.MLP(depth=3, width=4, in_features=4), key=KEY),
                  ValueError, "'biases': *, 'weights': *}", "'read_in'"),
    "nothing": (None, ValueError, "structure", "None"),
    "integers": (jax.tree.map(lambda p: p.astype(int), PARAMS), TypeError, "floats", "int32"),
}  # fmt: skip


@pytest.mark.parametrize("entry", ENTRY_POINTS)
@pytest.mark.parametrize("fault", PARAMS_FAULTS)
def test_params_of_another_network(entry, fault):
    params, error, expected, got = PARAMS_FAULTS[fault]
    refuses(lambda: ENTRY_POINTS[entry](NET, params, X), error,
            expected=expected, got=got, remedy="vanishing.init(net, key=key)")  # fmt: skip


@pytest.mark.parametrize("cotangent, error, expected, got, remedy", [
    (np.ones((2, 3), np.float32), ValueError, "[batch, out] = (2, 4)", "(2, 3)", "Reshape"),
    (np.ones((3, 4), np.float32), ValueError, "(2, 4)", "(3, 4)", "Reshape"),
    (np.ones(4, np.float32), ValueError, "(2, 4)", "(4,)", "[None]"),
    (np.ones((2, 4), int), TypeError, "floats", "int64", ".astype('float32')"),
    (with_nan((2, 4)), ValueError, "finite", "NaN", "np.argwhere"),
])  # fmt: skip
def test_bad_cotangents(cotangent, error, expected, got, remedy):
    refuses(lambda: vg.probe(NET, PARAMS, X, cotangent), error,
            expected=expected, got=got, remedy=remedy)  # fmt: skip


def test_jacobian_spectrum_refuses_batches_and_batch_normalization():
    refuses(lambda: vg.jacobian_spectrum(NET, PARAMS, X), ValueError,
            expected="one input", got="2 of them", remedy="jax.vmap")  # fmt: skip
    net = vg.MLP(depth=3, width=4, normalization="batch")
    refuses(lambda: vg.jacobian_spectrum(net, PARAMS, X[0]), ValueError,
            expected="None or 'layer'", got="'batch'", remedy="Use probe()")  # fmt: skip
    refuses(lambda: vg.jacobian_spectrum(NET, PARAMS, [1, 2, 3, 4]), TypeError,
            expected="floats", got="int64", remedy=".astype('float32')")  # fmt: skip


def test_theory_refuses_bad_scales_and_activations():
    refuses(lambda: vg.theory.chi("tanh", -1.0), ValueError,
            expected="sigma_w: expected a finite", got="-1.0", remedy="sign")  # fmt: skip
    refuses(lambda: vg.theory.length_fixed_point("tanh", 1.0, "0"), TypeError,
            expected="sigma_b: expected a number", got="'0'", remedy="Pass a float")  # fmt: skip
    refuses(lambda: vg.theory.chi("tahn", 1.0), ValueError,
            expected="sigmoid, tanh", got="'tahn'", remedy="spelling")  # fmt: skip
    refuses(lambda: vg.theory.critical_sigma_w(lambda z: 1e-3 * z), ValueError,
            expected="crosses 1", got="<lambda>", remedy="vanish")  # fmt: skip
    refuses(lambda: vg.theory.predict(NET, -1.0), ValueError,
            expected="input_rms: expected a finite", got="-1.0", remedy="sign")  # fmt: skip


def test_datasets_refuse_bad_sizes_and_scales():
    for dataset in (vg.datasets.two_moons, vg.datasets.spirals):
        refuses(lambda dataset=dataset: dataset(1, key=KEY), ValueError,
                expected="at least 2", got="got 1", remedy="n=2 or more")  # fmt: skip
        refuses(lambda dataset=dataset: dataset(9, key=KEY, noise=-1.0), ValueError,
                expected="finite number ≥ 0", got="-1.0", remedy="sign")  # fmt: skip
    refuses(lambda: vg.datasets.digits(1798), ValueError,
            expected="at most 1797", got="1798", remedy="smaller n")  # fmt: skip
    refuses(lambda: vg.datasets.digits(0), ValueError,
            expected="at least 1", got="got 0", remedy="n=1 or more")  # fmt: skip


def test_lists_and_float64_arrays_are_taken_as_floats():
    expected = vg.apply(NET, PARAMS, X)
    assert (vg.apply(NET, PARAMS, X.tolist()) == expected).all()
    assert (vg.apply(NET, PARAMS, X.astype("float64")) == expected).all()


def test_a_batch_that_a_jitted_caller_closes_over_is_still_checked():
    bad = jnp.asarray(with_nan((2, 4)))
    with pytest.raises(ValueError, match="finite numbers"):
        jax.jit(lambda params: vg.apply(NET, params, bad))(PARAMS)
    good = jax.jit(lambda params: vg.apply(NET, params, jnp.asarray(X)))(PARAMS)
    np.testing.assert_allclose(good, vg.apply(NET, PARAMS, X), rtol=1e-6)
