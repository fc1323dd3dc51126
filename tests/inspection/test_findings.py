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
    assert found["inputs become alike"].chapter == "propagation"
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


CROSSED = "every prediction meets every target"


def squares(prediction, y):
    return jnp.mean((prediction - y) ** 2)


def entropy(logits, y):
    return jnp.mean(optax.sigmoid_binary_cross_entropy(logits, y))


@pytest.mark.parametrize("cost", [squares, entropy])
def test_a_batch_that_broadcasts(cost):
    """Predictions [32, 1] beside targets [32]: a table of all pairs, which teaches the mean."""
    x = jax.random.normal(jax.random.key(0), (32, 5))
    y = (x[:, 0] > 0).astype(jnp.float32)
    params = {"w": 0.1 * jnp.ones((5, 1))}
    crossed = models.Case(lambda p, x, y: cost(jnp.tanh(x @ p["w"]), y), params, (x, y))
    found = problems(crossed)[CROSSED]
    assert "(32, 32)" in found.evidence
    if cost is squares:  # the other's line is its library's
        assert found.where == f"{__file__}:{squares.__code__.co_firstlineno + 1}"
    aligned = crossed._replace(loss=lambda p, x, y: cost(jnp.tanh(x @ p["w"])[:, 0], y))
    assert CROSSED not in problems(aligned)


@pytest.mark.parametrize(
    "loss",
    [
        # What looks like it: all pairs of predictions; a mask of all pairs; as many features, or
        # words, as examples; all pairs of vectors.
        lambda p, x, y: jnp.mean(jnp.tanh((x @ p)[:, :1] - (x @ p)[:, 0]) * (y[:, None] > y)),
        lambda p, x, y: jnp.mean(jnp.where(y[:, None] > y, (x @ p) @ (x @ p).T, 0.0)),
        lambda p, x, y: jnp.mean((x @ p - y[:, None]) ** 2),
        lambda p, x, y: models.cross_entropy(x @ p, y.astype(int)),
        lambda p, x, y: jnp.mean(((x @ p)[:, None] - x[None]) ** 2),
    ],
)
def test_all_pairs_that_are_meant(loss):
    x = jax.random.normal(jax.random.key(0), (8, 8))
    assert CROSSED not in problems(models.Case(loss, jnp.eye(8), (x, jnp.arange(8.0))))


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


def test_flushed_in_half_precision(float16):
    def loss(w, x):
        return jnp.sum((x @ w).astype(jnp.float32)) * 1e-9

    report = vg.inspect(loss, jnp.ones((2, 2), float16), jnp.ones((2, 2), float16))
    assert [f.problem for f in report.findings] == ["gradients below float16"]


def test_a_report_is_printed_saved_and_compared(tmp_path):
    sick, cured = look(healthy(12, jax.nn.sigmoid)), look(healthy())
    assert "vanishing gradient: 0/w" in str(sick)
    assert "nothing wrong found" in repr(cured)
    page = sick.save(tmp_path / "report.html").read_text()
    assert "<svg" in page and "vanishing gradient" in page
    assert "<script" not in page and "src=" not in page and "url(http" not in page
    assert "--vg-blue:" in page and "var(--vg-blue" in page  # in the colours of the house
    assert "cured: vanishing gradient" in str(sick.compare(cured))
    assert len(cured.figure().axes) == 3


def test_treescope_shows_every_field():
    """It reads dataclasses as they are; a report is one."""
    treescope = pytest.importorskip("treescope")
    shown = treescope.render_to_text(look(healthy(3)))
    assert "loss=" in shown and "Layer(" in shown and "Parameter(" in shown


def test_frame():
    pandas = pytest.importorskip("pandas")
    frame = look(healthy(3)).frame()
    assert isinstance(frame, pandas.DataFrame) and list(frame.kind)[:2] == ["layer", "activation"]
