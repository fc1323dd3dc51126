"""One table of bad input: every public function, every class of what it must refuse.

Another floor adds its rows as a module-level dict of its own, name → cases, and lists it in
`TABLES`; a public function without a row fails the last test. (`live` keeps its own table.)
"""

import inspect

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
NORMED = vg.MLP(depth=3, width=4, normalization="batch")
NAN = jax.tree.map(lambda p: p.at[-1].set(jnp.nan), PARAMS)
MIXED = PARAMS | {"biases": PARAMS["biases"].astype(jnp.bfloat16)}
MOONS = vg.datasets.two_moons(8, key=KEY)


def above_the_median(z):
    return jnp.where(z > jnp.median(z), z, 0)


def branching(z):
    return z if z[0] > 0 else -z


class Unhashable:
    __hash__ = None

    def __call__(self, z):
        return z


ACTIVATIONS = [above_the_median, branching, np.vectorize(abs), lambda a, b: a, Unhashable(),
               jnp.log, "rleu", 3, None]  # fmt: skip
SCALES = [b"1", {}, object(), np.True_, "1", None, -1.0, np.nan, 1e300, 1j, np.ones(2)]
STATISTICS = [3, "batch", (X,), (X, X), {"mean": X, "variance": X}]
COUNTS = [0, -1, 2.5, "3", None, True, np.ones(2)]
KEYS = [None, 0, "key", jax.random.split(KEY, 2)]


def cases(name, values, call):
    """A case for each value: the start of the message, and the call that must be refused."""
    return [(name, lambda value=value: call(value)) for value in values]


def networks(call):
    """What every function of (net, params, x) must refuse."""
    return [
        *cases("net", [None, "MLP", vg.MLP, PARAMS], lambda net: call(net, PARAMS, X)),
        *cases("params", [None, {}, NET, NAN, MIXED], lambda params: call(NET, params, X)),
        *cases("x", [None, "x", [[1.0], [1.0, 2.0]], X * np.nan, X * 1j, X[:, :3]],
               lambda x: call(NET, PARAMS, x)),
    ]  # fmt: skip


def with_depth(call):
    return [*networks(call), *cases("depth", [0, 4, 2.5, "2", True, np.ones(2)],
            lambda depth: call(NET, PARAMS, X, depth=depth))]  # fmt: skip


NETWORK = {
    "MLP": [
        *cases("depth", COUNTS, lambda depth: vg.MLP(depth=depth, width=4)),
        *cases("width", COUNTS, lambda width: vg.MLP(depth=3, width=width)),
        *cases("activation", ACTIVATIONS, lambda phi: vg.MLP(depth=3, width=4, activation=phi)),
        *cases("epsilon", SCALES, lambda scale: vg.MLP(depth=3, width=4, epsilon=scale)),
        *cases(
            "sigma_w",
            [s for s in SCALES if s is not None],
            lambda scale: vg.MLP(depth=3, width=4, sigma_w=scale),
        ),
        *cases(
            "normalization",
            [3, "group", []],
            lambda norm: vg.MLP(depth=3, width=4, normalization=norm),
        ),
    ],
    "init": [
        *cases("net", [None, vg.MLP], lambda net: vg.init(net, key=KEY)),
        *cases("key", KEYS, lambda key: vg.init(NET, key=key)),
        *cases("data", [X], lambda data: vg.init(NET, key=KEY, data=data)),
    ],
    "forward": [
        *with_depth(vg.forward),
        *cases("statistics", STATISTICS, lambda s: vg.forward(NORMED, PARAMS, X, statistics=s)),
    ],
    "apply": [
        *with_depth(vg.apply),
        *cases("statistics", STATISTICS, lambda s: vg.apply(NORMED, PARAMS, X, statistics=s)),
    ],
    "statistics": networks(lambda n, p, x: vg.statistics(NORMED if n is NET else n, p, x)),
    "probe": with_depth(vg.probe),
    "dead_units": networks(vg.dead_units),
    "jacobian_spectrum": networks(
        lambda n, p, x: vg.jacobian_spectrum(n, p, x[:1] if x is X else x)
    ),
    "log_jacobian_spectrum": networks(
        lambda n, p, x: vg.log_jacobian_spectrum(n, p, x[:1] if x is X else x)
    ),
}

ACTIVATION = {
    **{
        f"activations.{name}": cases("activation", ACTIVATIONS, getattr(vg.activations, name))
        for name in ("get", "derivative", "largest_slope", "second_moment", "slope_second_moment")
    },
    "activations.gaussian_mean": [
        *cases("variance", SCALES, lambda q: vg.activations.gaussian_mean(jnp.tanh, q)),
        *cases("function", [None, "tanh"], vg.activations.gaussian_mean),
    ],
    "activations.homogeneous_at_ends": cases(
        "activation", ACTIVATIONS, lambda phi: vg.activations.homogeneous_at_ends(phi, jnp.float32)
    ),
    "activations.is_traced": [],  # of any callable
    "activations.end_exponent": [],  # of a float dtype
    "activations.switch": [
        *cases("index", [-1, 2, 0.5, "0", None],
               lambda index: vg.activations.switch(index, ("tanh", "relu"))),
        *cases("names", ["tanh", (), None], lambda names: vg.activations.switch(0, names)),
    ],
    "initializers.get": cases("initializer", [None, 3, "hee"], vg.initializers.get),
    "initializers.weights": [
        *cases("shape", [(3,), None, (0, 3), (2.5, 3)],
               lambda shape: vg.initializers.weights("he", shape, key=KEY)),
        *cases("key", KEYS, lambda key: vg.initializers.weights("he", (3, 3), key=key)),
        *cases("dtype", [int, "text"],
               lambda dtype: vg.initializers.weights("he", (3, 3), key=KEY, dtype=dtype)),
    ],
    "initializers.biases": [
        *cases("fan_in", COUNTS, lambda fan: vg.initializers.biases("he", (3,), fan, key=KEY)),
        *cases("key", KEYS, lambda key: vg.initializers.biases("he", (3,), 3, key=key)),
    ],
}  # fmt: skip

THEORY = {
    "theory.length_map": cases("q", SCALES, lambda q: vg.theory.length_map("tanh", q, 1.0)),
    "theory.length_fixed_point": cases(
        "sigma_w", SCALES, lambda s: vg.theory.length_fixed_point("tanh", s)
    ),
    "theory.correlation_map": [
        *cases(
            "c",
            [1.5, -2, "1", None, np.nan, np.ones(2)],
            lambda c: vg.theory.correlation_map("tanh", c, 1.0, 1.0),
        ),
        *cases("q", SCALES, lambda q: vg.theory.correlation_map("tanh", 0.5, q, 1.0)),
        *cases(
            "activation", ACTIVATIONS, lambda phi: vg.theory.correlation_map(phi, 0.5, 1.0, 1.0)
        ),
    ],
    "theory.chi": [
        *cases("sigma_b", SCALES, lambda s: vg.theory.chi("tanh", 1.0, s)),
        *cases("activation", ACTIVATIONS, lambda phi: vg.theory.chi(phi, 1.0)),
    ],
    "theory.critical_sigma_w": [
        *cases("sigma_b", SCALES, lambda s: vg.theory.critical_sigma_w("tanh", s)),
        ("sigma_b", lambda: jax.jit(lambda s: vg.theory.critical_sigma_w("tanh", s))(0.1)),
    ],
    "theory.predict": [
        *cases("input_rms", SCALES, lambda rms: vg.theory.predict(NET, rms)),
        *cases("net", [None, vg.MLP], lambda net: vg.theory.predict(net, 1.0)),
    ],
}

DATASETS = {
    **{
        f"datasets.{name}": [
            *cases("n", COUNTS, lambda n, make=make: make(n, key=KEY)),
            *cases("key", KEYS, lambda key, make=make: make(8, key=key)),
        ]
        for name, make in (
            ("two_moons", vg.datasets.two_moons),
            ("spirals", vg.datasets.spirals),
            ("xor_signs", vg.datasets.xor_signs),
        )
    },
    "datasets.digits": cases("n", [c for c in COUNTS if c is not None], vg.datasets.digits),
    "datasets.digit_images": [],
    "datasets.lift": [
        *cases("data", [None, (X,), vg.datasets.Dataset(X * np.nan, [0, 1]),
                        vg.datasets.Dataset(X[0], [0]), vg.datasets.Dataset(X, [0]),
                        vg.datasets.Dataset(0 * X, [0, 1])],
               lambda data: vg.datasets.lift(data, 16)),
        *cases("features", COUNTS, lambda features: vg.datasets.lift(MOONS, features)),
    ],
}  # fmt: skip

AXIS = {"a": [1.0, 2.0]}


def swept(fn=jnp.sin, grid=AXIS, **options):
    return lambda: vg.sweep(lambda a: fn(a), grid, **options)


SWEEP = {
    "sweep": [
        *cases("fn", [None, "sin", 3], lambda fn: vg.sweep(fn, AXIS)),
        *cases("grid", [None, {}, [1.0], "a"], lambda grid: swept(grid=grid)()),
        *cases(
            "grid['a']",
            [1.0, [], "tanh", {}, None, np.ones((2, 2))],
            lambda axis: swept(grid={"a": axis})(),
        ),
        *cases("devices", [[], [None], "cpu", 2], lambda devices: swept(devices=devices)()),
        *cases("static", ["a", ["b"]], lambda static: swept(static=static)()),
        *cases("block", COUNTS, lambda block: swept(block=block)()),
        *cases("store", [3, object(), ""], lambda store: swept(store=store)()),
        ("fn", lambda: vg.sweep(jnp.ones, {"shape": [1, 2]}, static=["shape"])),
        ("fn", lambda: vg.sweep(lambda a: "text", AXIS)),
        ("fn", lambda: vg.sweep(lambda b: b, AXIS)),
    ]
}

TABLES = (NETWORK, ACTIVATION, THEORY, DATASETS, SWEEP)
TABLE = {name: rows for table in TABLES for name, rows in table.items()}


@pytest.mark.parametrize("name", TABLE)
def test_bad_input_is_refused_by_the_name_of_the_argument(name):
    for number, (argument, call) in enumerate(TABLE[name]):
        with pytest.raises((TypeError, ValueError)) as caught:
            call()
        message = str(caught.value)
        assert message.startswith(argument), (name, number, message)
        assert "expected" in message and "got" in message, (name, number, message)


def public():
    """The public functions of the ground floor: of the package, and of its public modules."""
    for name in ("MLP", "init", "forward", "apply", "probe", "dead_units", "sweep"):
        yield name
    for name in vg.__all__:
        if inspect.isfunction(getattr(vg, name)) and getattr(vg, name).__module__.split(".")[1] in (
            "network", "probe", "spectrum"
        ):  # fmt: skip
            yield name
    for module in ("activations", "initializers", "theory", "datasets"):
        for name, value in vars(getattr(vg, module)).items():
            if inspect.isroutine(value) and not name.startswith("_") and (
                getattr(value, "__module__", "").startswith("vanishing.")
            ):  # fmt: skip
                yield f"{module}.{name}"


def test_every_public_function_has_a_row():
    assert set(public()) <= TABLE.keys(), set(public()) - TABLE.keys()


def test_what_is_legitimate_works():
    net = vg.MLP(depth=np.uint8(3), width=np.int64(4), sigma_w=np.float32(1.5))
    assert (net.depth, net.width) == (3, 4) and type(net.depth) is int
    assert vg.apply(net, PARAMS, X.tolist(), depth=np.int32(2)).shape == (2, 4)
    nets = jax.tree.map(
        lambda *s: jnp.stack(s), vg.MLP(3, 4, sigma_w=1.0), vg.MLP(3, 4, sigma_w=2.0)
    )
    drawn = jax.vmap(lambda net: vg.init(net, key=KEY)["weights"])(nets)
    np.testing.assert_allclose(drawn[1], 2 * drawn[0], rtol=1e-6)
    with pytest.raises(ValueError, match="sigma_w: expected a single number"):
        vg.init(nets, key=KEY)


def test_the_shared_digits_cannot_be_overwritten():
    for array in vg.datasets.digit_images():
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0
