"""Quizzes and exercises: they say right and wrong, and never give a solution away."""

import inspect
import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from bs4 import BeautifulSoup

import vanishing as vg
from vanishing.book import checks
from vanishing.book.checks import exercise

ALL = [name for chapter in checks.chapters() for name in checks.names(chapter)]


def registered(monkeypatch, solution, name="chain-rule-made-up", **options):
    """An exercise for one test, in the chapter of the chain rule."""
    monkeypatch.setattr(checks, "_EXERCISES", dict(checks._EXERCISES))
    checks.names("chain-rule")
    solution.__module__ = "vanishing.book.chain_rule.exercises"
    exercise(name, hint="Think.", **options)(solution)
    return name


@pytest.mark.parametrize("name", ALL)
def test_every_expected_value_passes_its_own_check_and_others_do_not(name):
    found = checks.find(name)
    if inspect.signature(found.solution).parameters:
        pytest.skip("judges an answer itself; its chapter's tests try it")
    expected = found.solution()
    assert vg.check(name, expected)
    wrong = (lambda *args: 0.0) if callable(expected) else "none of these"
    if not callable(expected) and not isinstance(expected, str):
        wrong = np.asarray(expected, float) * 1.5 + 1
    verdict = vg.check(name, wrong)
    assert not verdict and verdict.message.startswith("Not yet. ")
    if not callable(expected):
        shown = re.findall(r"-?\d+\.\d+(?:e-?\d+)?", verdict.message)
        assert not any(np.isclose(float(n), np.ravel(expected)).any() for n in shown)


def test_a_number_is_right_within_its_tolerance(monkeypatch):
    name = registered(monkeypatch, lambda: 2.0, tolerance=0.01)
    assert vg.check(name, 2.019) and vg.check(name, jnp.float32(1.981)) and vg.check(name, 2)
    for wrong in (2.021, -2.0, np.nan, np.inf):
        assert repr(vg.check(name, wrong)) == "✗ Not yet. Think."


def test_an_array_is_compared_entry_by_entry_after_its_shape(monkeypatch):
    name = registered(monkeypatch, lambda: jnp.array([1.0, 0.0, -2.0]))
    assert vg.check(name, [1.0, 1e-4, -2.0])
    assert vg.check(name, [1.0, 0.1, -2.0]).message == "Not yet. Think."
    told = vg.check(name, np.ones((3, 1))).message
    assert told == "Not yet. Expected an array of shape (3,); got an array of shape (3, 1)."
    assert vg.check(name, "three").message.endswith("got a string.")
    assert vg.check(name, None).message.endswith("got a NoneType.")
    assert vg.check(name, [[1.0], 2.0]).message.endswith("got a ragged list.")


def test_a_choice_ignores_case(monkeypatch):
    name = registered(monkeypatch, lambda: "layer norm")
    assert vg.check(name, " Layer Norm ")
    assert not vg.check(name, "batch norm")
    assert vg.check(name, 3).message == "Not yet. Expected a string; got one number."


def test_a_function_is_tried_on_random_inputs(monkeypatch):
    name = registered(
        monkeypatch, lambda: jax.nn.relu, inputs=lambda key: (jax.random.normal(key, (4,)),)
    )
    assert vg.check(name, lambda z: np.maximum(z, 0))
    assert vg.check(name, lambda z: z).message == "Not yet. Think."
    raised = vg.check(name, lambda z, w: z).message
    assert "Your function raised TypeError" in raised and "'w'" in raised
    shape = vg.check(name, lambda z: z[:2]).message
    assert shape.endswith("Expected an array of shape (4,); got an array of shape (2,).")
    assert vg.check(name, 1.0).message == "Not yet. Expected a function; got one number."


def test_an_exercise_may_judge_for_itself(monkeypatch):
    def judge(answer):
        return True if answer % 2 == 0 else answer > 5 or "Smaller than six, and odd."

    name = registered(monkeypatch, judge)
    assert vg.check(name, 4).message == "Right."
    assert vg.check(name, 3).message == "Not yet. Smaller than six, and odd."
    name = registered(monkeypatch, lambda answer: False)
    assert vg.check(name, 3).message == "Not yet. Think."


def test_the_jacobian_is_the_one_of_the_chapter():
    def by_hand(weights, h):
        return (1 - np.tanh(h @ weights) ** 2)[:, None] * weights.T

    assert vg.check("chain-rule-jacobian", by_hand)
    assert not vg.check("chain-rule-jacobian", lambda weights, h: weights.T)
    assert "shape (4, 3)" in vg.check("chain-rule-jacobian", lambda weights, h: weights).message


def test_unknown_names_list_those_there_are():
    with pytest.raises(ValueError, match=r"expected one of .*chain-rule-jacobian.*; got 'chain-ru"):
        vg.check("chain-rule-jacobean", 1.0)
    with pytest.raises(ValueError, match=r"starts with a chapter, .*chain-rule.*; got 'recipes'"):
        vg.check("recipes", 1.0)


def test_a_name_belongs_to_its_chapter():
    with pytest.raises(
        ValueError, match=r"starts with 'test-selfstudy-', the .*; got 'chain-rule-x'"
    ):
        exercise("chain-rule-x", hint="")(lambda: 1.0)


def test_a_verdict_shows_itself_as_safe_html():
    verdict = checks.Verdict(False, "Expected <3 & got more.")
    assert verdict._repr_html_() == "<p>✗ Expected &lt;3 &amp; got more.</p>"


ANSWERS = {"`0.25`": (True, "At 0."), "1 & more": (False, "That is <tanh>.")}


def test_a_quiz_is_native_disclosures_in_a_labelled_group():
    page = BeautifulSoup(vg.quiz("How steep is `σ`?", ANSWERS)._repr_html_(), "html.parser")
    assert page.fieldset.legend.decode_contents() == "How steep is <code>σ</code>?"
    rows = page.fieldset.find_all("details")
    assert [row.summary.get_text() for row in rows] == ["0.25", "1 & more"]
    assert [row.p.get_text() for row in rows] == ["✓ Right. At 0.", "✗ Not so. That is <tanh>."]
    assert not any(row.has_attr("open") for row in rows)
    assert not page.find_all(["script", "input"]) and "http" not in str(page)


def test_a_quiz_in_a_terminal_keeps_the_secret():
    shown = repr(vg.quiz("How steep?", ANSWERS))
    assert "0.25" in shown and "Right" not in shown and "At 0" not in shown


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        ({"a": (True, "x")}, "expected at least two, some right and some wrong; got 1 right of 1"),
        ({"a": (True, "x"), "b": (True, "y")}, "got 2 right of 2. Give each as text"),
        ({"a": (False, "x"), "b": (False, "y")}, "got 0 right of 2"),
        (
            {"a": (True, "x"), "b": (False, " ")},
            "expected an explanation of each; got none for 'b'",
        ),
    ],
)
def test_a_quiz_without_explanations_is_refused(answers, message):
    with pytest.raises(ValueError, match=message):
        vg.quiz("Why?", answers)
