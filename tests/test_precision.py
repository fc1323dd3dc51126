"""The instrument multiplies in full wherever it runs: tensor cores would keep 11 bits of 24."""

import subprocess
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import pytest
from jax import lax
from jax.extend.core import jaxprs_in_params

import vanishing as vg
from vanishing.training import update

FULL = (lax.Precision.HIGHEST, lax.Precision.HIGHEST)
ENDS = {"in_features": 2, "out_features": 2}
NETS = {
    "plain": vg.MLP(4, 8, "tanh", **ENDS),
    "batch norm": vg.MLP(4, 8, "relu", normalization="batch", **ENDS),
    "residual": vg.MLP(4, 8, "gelu", normalization="layer", residual=0.5, **ENDS),
}
MOONS = vg.datasets.two_moons(16, key=jax.random.key(0))
ADAM = update.optimizer_named("adam", 0.1)


@pytest.fixture(autouse=True)
def _nothing_asked_for():
    """As in a fresh process: a test before may have imported `vanishing.book`, which asks."""
    with jax.default_matmul_precision(None):
        yield


def _step(net, params):
    start = update.start(ADAM, params)
    return update.update_and_read(net, ADAM, start, MOONS, params["weights"], None)


USES = {
    "apply": lambda net, params: vg.apply(net, params, MOONS.x),
    "its gradient": lambda net, params: jax.grad(lambda p: vg.apply(net, p, MOONS.x).sum())(params),
    "dead_units": lambda net, params: vg.dead_units(net, params, MOONS.x),
    "probe": lambda net, params: vg.probe(net, params, MOONS.x),
    "a step of train": _step,
}


def products(jaxpr):
    """The precision of every matrix product in a jaxpr."""
    for equation in jaxpr.eqns:
        if equation.primitive is lax.dot_general_p:
            yield equation.params["precision"]
        for inner in jaxprs_in_params(equation.params):
            yield from products(inner)


@pytest.mark.parametrize("net", NETS.values(), ids=NETS)
@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_every_product_is_asked_for_in_full(use, net):
    params = vg.init(net, key=jax.random.key(0))
    found = list(products(jax.make_jaxpr(lambda params: use(net, params))(params).jaxpr))
    assert len(found) >= 2 and set(found) == {FULL}


def test_so_are_those_of_spectra_statistics_data_and_starts():
    plain = vg.MLP(3, 4, "tanh")
    params = vg.init(plain, key=jax.random.key(0))
    lsuv = vg.MLP(3, 4, "tanh", initializer="lsuv", **ENDS)
    batch = NETS["batch norm"]
    made = [
        jax.make_jaxpr(lambda x: vg.statistics(batch, vg.init(batch, key=jax.random.key(0)), x))(
            MOONS.x
        ),
        jax.make_jaxpr(lambda x: vg.log_jacobian_spectrum(plain, params, x))(jnp.ones(4)),
        jax.make_jaxpr(lambda x: vg.datasets.lift(MOONS._replace(x=x), 5))(MOONS.x),
        jax.make_jaxpr(lambda x: vg.init(lsuv, key=jax.random.key(0), data=x))(MOONS.x),
    ]
    for jaxpr in made:
        assert set(products(jaxpr.jaxpr)) == {FULL}


@pytest.mark.parametrize("asked, used", [(None, "highest"), ("tensorfloat32", "tensorfloat32")])
def test_a_page_multiplies_in_full_unless_its_reader_says_otherwise(asked, used, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(Path(vg.__file__).parents[1]))
    monkeypatch.delenv("JAX_DEFAULT_MATMUL_PRECISION", raising=False)
    if asked is not None:
        monkeypatch.setenv("JAX_DEFAULT_MATMUL_PRECISION", asked)
    told = "import vanishing, jax; print(jax.config.jax_default_matmul_precision)"
    script = f"{told}; from vanishing.book import checks; {told}"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == [str(asked), used]
