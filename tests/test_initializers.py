"""Statistics of the weights, not only their shapes."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import vanishing as vg
from vanishing import initializers

KEY = jax.random.key(0)
FAN_IN, FAN_OUT = 300, 500
SHAPE = (4, FAN_IN, FAN_OUT)
VARIANCE = {
    "xavier": 2 / (FAN_IN + FAN_OUT),
    "he": 2 / FAN_IN,
    "lecun": 1 / FAN_IN,
    "pytorch": 1 / (3 * FAN_IN),
    "gaussian": 1 / FAN_IN,
}
UNIFORM = ("xavier", "pytorch")


@pytest.mark.parametrize("name", VARIANCE)
def test_mean_variance_and_shape_of_the_distribution(name):
    weights = np.asarray(initializers.weights(name, SHAPE, key=KEY), float)
    size, variance = weights.size, VARIANCE[name]
    assert abs(weights.mean()) < 4 * (variance / size) ** 0.5  # four standard errors
    kurtosis = 9 / 5 if name in UNIFORM else 3
    standard_error = ((kurtosis - 1) / size) ** 0.5
    assert weights.var() == pytest.approx(variance, rel=4 * standard_error)
    assert (weights**4).mean() / variance**2 == pytest.approx(kurtosis, rel=0.03)
    if name in UNIFORM:
        bound = (3 * variance) ** 0.5
        assert 0.9999 * bound < np.abs(weights).max() <= bound * (1 + 1e-6)


@pytest.mark.parametrize("name", initializers.INITIALIZERS)
def test_layers_of_a_stack_are_independent_and_keys_decide(name):
    weights = initializers.weights(name, (2, 30, 40), key=KEY)
    assert abs(np.corrcoef(weights[0].ravel(), weights[1].ravel())[0, 1]) < 0.12
    assert (initializers.weights(name, (2, 30, 40), key=KEY) == weights).all()
    assert (initializers.weights(name, (2, 30, 40), key=jax.random.key(1)) != weights).any()


@pytest.mark.parametrize("name", ["orthogonal", "lsuv"])
@pytest.mark.parametrize("rows, columns", [(20, 20), (30, 20), (20, 30)])
def test_orthogonal_matrices_are_orthogonal(name, rows, columns):
    with jax.enable_x64(True):
        weights = initializers.weights(name, (3, rows, columns), key=KEY)
    smaller = min(rows, columns)
    for matrix in np.asarray(weights):
        product = matrix @ matrix.T if rows <= columns else matrix.T @ matrix
        np.testing.assert_allclose(product, np.eye(smaller), atol=1e-13)


def test_gains_are_those_of_the_weights():
    for name in VARIANCE:
        square = initializers.weights(name, (400, 400), key=KEY)
        assert initializers.get(name).gain == pytest.approx(float(square.std()) * 20, rel=0.01)


def test_biases_are_zero_but_for_pytorch():
    for name in initializers.INITIALIZERS:
        drawn = np.asarray(initializers.biases(name, (200, 300), FAN_IN, key=KEY))
        if name == "pytorch":
            bound = FAN_IN**-0.5
            assert 0.999 * bound < np.abs(drawn).max() <= bound * (1 + 1e-6)
            assert drawn.std() == pytest.approx(bound / 3**0.5, rel=0.02)
            assert drawn.std() == pytest.approx(
                initializers.get(name).bias_gain / FAN_IN**0.5, rel=0.02
            )
        else:
            assert (drawn == 0).all()


def test_init_scales_weights_and_biases_by_sigma():
    net = vg.MLP(depth=10, width=200, sigma_w=1.7, sigma_b=0.4, in_features=50, out_features=80)
    params = vg.init(net, key=KEY)
    assert float(params["weights"].std()) == pytest.approx(1.7 / 200**0.5, rel=0.01)
    assert float(params["biases"].std()) == pytest.approx(0.4, rel=0.05)
    assert float(params["read_in"]["weights"].std()) == pytest.approx(1.7 / 50**0.5, rel=0.05)
    assert params["read_in"]["biases"].shape == (200,)
    assert float(params["read_out"]["weights"].std()) == pytest.approx(1.7 / 200**0.5, rel=0.05)
    assert params["read_out"]["weights"].shape == (200, 80)


@pytest.mark.parametrize("residual", [None, 0.5])
@pytest.mark.parametrize("activation", ["tanh", "relu", "gelu"])
def test_lsuv_gives_every_layer_unit_variance_on_its_data(activation, residual):
    net = vg.MLP(depth=6, width=40, activation=activation, initializer="lsuv", residual=residual)
    data = 3 * jax.random.normal(jax.random.key(1), (64, 40))
    params = vg.init(net, key=KEY, data=data)
    trace = vg.forward(net, params, data)
    below = jnp.concatenate([data[None], trace.post[:-1]])
    multiplied = below if residual is None else net.phi(trace.pre)
    variance = (multiplied @ params["weights"]).var((1, 2))
    np.testing.assert_allclose(variance, 1, rtol=1e-4)


def test_lsuv_leaves_a_layer_alone_that_receives_nothing():
    net = vg.MLP(depth=4, width=1, activation="relu", initializer="lsuv")
    for seed in range(8):
        params = vg.init(net, key=jax.random.key(seed), data=jnp.ones((4, 1)))
        assert jnp.isfinite(params["weights"]).all()


def test_init_is_reproducible_and_follows_x64():
    net = vg.MLP(depth=2, width=3)
    first, again = vg.init(net, key=KEY), vg.init(net, key=KEY)
    assert jax.tree.all(jax.tree.map(lambda a, b: (a == b).all(), first, again))
    with jax.enable_x64(True):
        assert vg.init(net, key=KEY)["weights"].dtype == "float64"
