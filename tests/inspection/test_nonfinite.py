"""The first equation that makes a NaN or an infinity is named, with its line."""

import inspect as python_inspect

import jax
import jax.numpy as jnp
import pytest

import vanishing as vg


def line_of(function, words):
    lines, first = python_inspect.getsourcelines(function)
    return f"{__file__}:{first + next(k for k, line in enumerate(lines) if words in line)}"


def culprit(loss, params, *batch):
    return vg.inspect(loss, params, *batch).culprit


def safe_root(w, x):
    z = x * w
    root = jnp.sqrt(z)  # slope ∞ at 0
    return jnp.sum(jnp.where(z > 0, root, 0.0))


def ratio(w, x):
    z = x * w
    share = z / z
    return jnp.sum(jnp.where(z > 0, share, 0.0))


def logarithm(w, x):
    return jnp.sum(jnp.log(x * w))


def overflow(w, x):
    return jnp.sum(jnp.exp(x * w))


def in_a_scan(w, x):
    def turn(h, row):
        h = h * w
        return jnp.sqrt(h - row), None  # of a negative number, in the third turn

    h, _ = jax.lax.scan(turn, jnp.ones(()), jnp.array([0.0, 0.0, 5.0, 0.0]) * jnp.max(x))
    return h


def in_a_branch(w, x):
    return jax.lax.cond(w > 0, lambda z: jnp.sum(jnp.log(z - z)), jnp.sum, w * x)


def rematerialised(w, x):
    return jnp.sum(jax.checkpoint(lambda z: jnp.sqrt(z))(w * x))


@pytest.mark.parametrize(
    ("loss", "words", "direction", "made", "turns"),
    [
        (safe_root, "jnp.sqrt", "backward", "an infinity", ()),
        (ratio, "z / z", "forward", "a NaN", ()),
        (logarithm, "jnp.log", "forward", "an infinity", ()),
        (overflow, "jnp.exp", "forward", "an infinity", ()),
        (in_a_scan, "jnp.sqrt", "forward", "a NaN", (2,)),
        (in_a_branch, "jnp.log", "forward", "an infinity", ()),
        (rematerialised, "jnp.sqrt", "backward", "an infinity", ()),
    ],
)
def test_the_culprit_is_named(loss, words, direction, made, turns):
    x = jnp.array([0.0, 1.0, 200.0])
    found = culprit(loss, jnp.ones(()), x)
    assert found.where == line_of(loss, words)
    assert found.direction == direction and found.made in (made, "a NaN") and found.turns == turns


def test_debug_nans_misses_what_a_where_hides():
    """Why this is needed: the same model passes the forward pass with `jax_debug_nans` on."""
    with jax.debug_nans(True):
        jax.jit(safe_root)(jnp.ones(()), jnp.array([0.0, 1.0]))
    found = vg.inspect(safe_root, jnp.ones(()), jnp.array([0.0, 1.0])).findings[0]
    assert found.problem == "not a number" and "way down" in found.evidence
    assert "does not show it" in found.evidence


def test_a_written_infinity_is_no_culprit():
    def masked(w, x):
        scores = jnp.where(x > 0, x * w, -jnp.inf)
        return -jax.nn.log_softmax(scores)[1]

    report = vg.inspect(masked, jnp.ones(()), jnp.array([0.0, 1.0, 2.0]))
    assert report.culprit is None and report.findings == ()


def test_bad_data_is_named():
    report = vg.inspect(lambda w, x: jnp.sum(w * x), jnp.ones(()), jnp.array([jnp.nan, 1.0]))
    assert report.not_a_number == ("batch[0]",) and report.findings[0].where == "batch[0]"
