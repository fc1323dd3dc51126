"""A model made sick for one reason is told so; a healthy one is left alone."""

import inspected_models as models
import jax
import jax.numpy as jnp
import optax
import pytest
from test_inspect import look

import vanishing as vg


def problems(case, **options):
    return {finding.problem: finding for finding in look(case, **options).findings}


def healthy(depth=6, activation=jax.nn.relu):
    """He's weights, 32 inputs, a width at which chance kills few units."""
    case = models.plain(depth, 64, activation, scale=2**0.5)
    x = jax.random.normal(jax.random.key(5), (32, 64))
    return case._replace(batch=(x, jnp.arange(32) % 4))


def with_weights(case, change):
    return case._replace(params=[layer | {"w": change(layer["w"])} for layer in case.params])


def test_healthy():
    assert problems(healthy(), optimizer=optax.adam(1e-3)) == {}


def test_vanishing():
    found = problems(healthy(12, jax.nn.sigmoid))["vanishing gradient"]
    assert found.where == "0/w" and found.chapter == "chain-rule"


def test_exploding():
    assert "exploding gradient" in problems(with_weights(healthy(12), lambda w: 4 * w))


def test_dead():
    case = healthy()
    sick = [layer | {"b": layer["b"] - 20} for layer in case.params[:1]] + case.params[1:]
    found = problems(case._replace(params=sick))
    assert found["dead units"].where.startswith("0/w → relu")
    assert "100%" in found["dead units"].evidence


def test_saturated():
    sick = with_weights(healthy(3, jnp.tanh), lambda w: 30 * w)
    assert "saturated activations" in problems(sick)


def test_inputs_become_alike():
    """Sigmoid at zero weights but for chance: each layer makes differences a tenth as large."""
    found = problems(healthy(8, jax.nn.sigmoid))
    assert found["inputs become alike"].chapter == "no-learning"
    assert "inputs become alike" not in problems(healthy(8))


def test_a_gate_that_starts_at_zero_is_no_fault():
    """A branch whose last weight is zero gives the rest of it no gradient, on purpose."""
    case = healthy(3)

    def loss(params, x, y):
        branch = jax.nn.relu(x @ params[0]["w"]) @ params[1]["w"]
        return models.cross_entropy((x + branch) @ params[2]["w"], y)

    params = [case.params[0], {"w": jnp.zeros((64, 64))}, case.params[2]]
    params = [{"w": layer["w"]} for layer in params]
    assert problems(case._replace(loss=loss, params=params), optimizer=optax.adam(1e-3)) == {}


def test_unused():
    case = healthy()
    loss = case.loss
    found = problems(
        case._replace(
            loss=lambda p, x, y: loss(p["net"], x, y),
            params={"net": case.params, "forgotten": jnp.ones((3, 3))},
        )
    )
    assert found["nothing depends on it"].where == "forgotten"


def test_large_and_small_updates():
    assert "large updates" in problems(healthy(), optimizer=optax.sgd(1e4))
    assert "small updates" in problems(healthy(), optimizer=optax.adam(1e-12))


def test_flushed_in_half_precision():
    def loss(w, x):
        return jnp.sum((x @ w).astype(jnp.float32)) * 1e-9

    report = vg.inspect(loss, jnp.ones((2, 2), jnp.float16), jnp.ones((2, 2), jnp.float16))
    assert [f.problem for f in report.findings] == ["gradients below float16"]


def test_a_report_is_printed_saved_and_compared(tmp_path):
    sick, cured = look(healthy(12, jax.nn.sigmoid)), look(healthy())
    assert "vanishing gradient: 0/w" in str(sick)
    assert "nothing wrong found" in repr(cured)
    page = sick.save(tmp_path / "report.html").read_text()
    assert "<svg" in page and "vanishing gradient" in page
    assert "<script" not in page and "src=" not in page and "url(http" not in page
    assert "cured: vanishing gradient" in str(sick.compare(cured))
    assert len(cured.figure().axes) == 3


def test_frame():
    pandas = pytest.importorskip("pandas")
    frame = look(healthy(3)).frame()
    assert isinstance(frame, pandas.DataFrame) and list(frame.kind)[:2] == ["layer", "activation"]
