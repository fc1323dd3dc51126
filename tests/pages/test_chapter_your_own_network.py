"""Numbers and statements that stand as text in `your-own-network`, against computed ones."""

import re
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import vanishing as vg
from vanishing.book.your_own_network import models, reports

TEXT = Path(__file__).parents[2].joinpath("chapters", "your-own-network.md").read_text()


def test_products_of_gates():
    assert "2^{-59} \\approx 10^{-17.8}" in TEXT
    assert np.log10(2.0**-59) == pytest.approx(-17.8, abs=0.05)
    assert "b = \\ln 59 \\approx 4.1" in TEXT and np.log(59) == pytest.approx(4.1, abs=0.05)
    assert np.isclose((1 - 1 / 60) ** 59, np.exp(-1), rtol=0.02)
    assert models.TIME == 60 and models.HIDDEN == 16


def test_the_number_of_reports():
    assert f"All {len(models.MODELS) * 2 * len(reports.STEPS)} reports" in TEXT


def test_a_gate_keeps_half_of_a_state():
    """With weights and candidate at zero the GRU is h′ = σ(b) h."""
    params = models.gru(False, key=jax.random.key(0)).params
    params = jax.tree.map(jnp.zeros_like, params)
    h = models.gru_step(params, jnp.ones((1, models.HIDDEN)), jnp.zeros((1, 1)))
    np.testing.assert_allclose(h, 0.5, rtol=1e-6)


def test_a_where_after_does_not_protect_the_gradient():
    def after(x):
        return jnp.where(x > 0, jnp.sqrt(x), 0.0)

    def before(x):
        return jnp.where(x > 0, jnp.sqrt(jnp.where(x > 0, x, 1.0)), 0.0)

    assert jnp.isnan(jax.grad(after)(0.0)) and jax.grad(before)(0.0) == 0.0


@pytest.mark.parametrize("library", ["Flax linen", "Equinox"])
def test_the_code_of_other_libraries_runs(library):
    """The blocks of the text, as they stand."""
    names = {"jax": jax, "vg": vg, "optax": pytest.importorskip("optax")}
    if library == "Equinox":
        names["eqx"] = pytest.importorskip("equinox")
    else:
        names["nn"] = pytest.importorskip("flax.linen")
    names |= {"x": jax.random.normal(jax.random.key(1), (32, 64)), "y": jnp.arange(32) % 10}
    (code,) = re.findall(rf"```python\n(# {library}\n.*?)```", TEXT, flags=re.DOTALL)
    with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        exec(code, names)
    kinds = [layer.kind for layer in names["report"].layers]
    assert kinds == ["layer", "activation", "layer"] and names["report"].findings == ()


def test_the_first_step_of_adam():
    assert r"$\varepsilon = 10^{-8}$" in TEXT
    gradient = jnp.array([1.0, -1e-3, 1e-8])
    rule = optax.adam(0.003)
    with jax.numpy_dtype_promotion("standard"):  # as optax needs it
        step = rule.update(gradient, rule.init(gradient))[0]
    np.testing.assert_allclose(step, -0.003 * gradient / (abs(gradient) + 1e-8), rtol=1e-4)


def test_wrong_answers_get_a_hint():
    assert not vg.check("your-own-network-guessing", 10.0)
    assert not vg.check("your-own-network-gate", 4.1)
    assert not vg.check("your-own-network-scale", 16)
    assert not vg.check("your-own-network-memory", 0.003)
    assert not vg.check("your-own-network-root", lambda x: jnp.sqrt(x))


def inspected(loss, *params):
    return [vg.inspect(loss, one, jnp.linspace(-1, 1, 32).reshape(16, 2)) for one in params]


def test_a_report_of_an_unused_parameter_is_told_from_others():
    params = {"used": jnp.ones((2, 3)), "idle": jnp.ones((2, 3))}

    def judged(loss):
        return vg.check("your-own-network-unused", inspected(loss, params)[0])

    assert judged(lambda p, x: jnp.mean(jnp.tanh(x @ p["used"])))
    assert "a row for yours" in judged(lambda p, x: jnp.mean(x @ (p["used"] + p["idle"]))).message
    dead = judged(lambda p, x: jnp.mean(jax.nn.relu(x @ p["used"] - 99) + x @ p["idle"]))
    assert "reads every parameter" in dead.message


def test_a_prediction_of_a_change_is_judged_by_the_change():
    def loss(params, x):
        return jnp.mean(jnp.tanh(x @ params["first"]) @ params["second"])

    params = {"first": jnp.eye(2), "second": jnp.eye(2)}
    before, after, other = inspected(loss, params, params | {"second": 3 * jnp.eye(2)},
                                     params | {"third": jnp.eye(2)})  # fmt: skip
    (layer, *_) = (name for name, _, change in before.compare(after).changes if change > 1)

    def judged(*answer):
        return vg.check("your-own-network-own", answer)

    assert judged(before, after, layer, "grows") and judged(after, before, layer, "falls")
    for verdict, told in (
        (judged(before, after, layer, "falls"), "other way"),
        (judged(before, before, layer, "grows"), "Nothing has changed"),
        (judged(before, other, layer, "grows"), "two networks"),
        (judged(before, after, "fifth", "grows"), "No row of that name"),
        (judged(before, after, layer, 3), "'grows' or 'falls'"),
        (judged(before, after), "Give four things"),
    ):
        assert told in verdict.message
