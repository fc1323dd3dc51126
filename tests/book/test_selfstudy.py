"""Quizzes and exercises: they say right and wrong, and never give a solution away."""

import re
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from bs4 import BeautifulSoup

import vanishing as vg
from vanishing.book import checks
from vanishing.book.checks import exercise

ALL = [name for chapter in checks.chapters() for name in checks.names(chapter)]
CHAPTERS = Path(__file__).parents[2] / "chapters"


def registered(monkeypatch, solution, name="chain-rule-made-up", **options):
    """An exercise for one test, in the chapter of the chain rule."""
    monkeypatch.setattr(checks, "_EXERCISES", dict(checks._EXERCISES))
    checks.names("chain-rule")
    solution.__module__ = "vanishing.book.chain_rule.exercises"
    exercise(name, hint="Think.", **options)(solution)
    return name


@pytest.mark.parametrize("chapter", checks.chapters())
def test_every_exercise_names_its_check_and_every_check_its_exercise(chapter):
    text = (CHAPTERS / f"{chapter}.md").read_text()
    exercises = re.findall(r"^```\{exercise-start\}.*?^```\{exercise-end\}", text, re.M | re.S)
    named = [set(re.findall(r'`vg\.check\("([a-z0-9-]+)"', exercise)) for exercise in exercises]
    assert len(named) >= 6 and all(named)
    assert set.union(*named) == set(checks.names(chapter))


@pytest.mark.parametrize("name", ALL)
def test_every_expected_value_passes_its_own_check_and_others_do_not(name):
    found = checks.find(name)
    if found.judges():
        assert found.expects, "expected to know which kind of answer can be judged"
        return  # its chapter's tests try it
    expected = found.expected
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


class Hostile:
    """What answers nothing that it is asked, and says so rudely."""

    def _refuse(self, *args, **kwargs):
        raise RuntimeError("no\n" + 10_000 * "way ")

    __array__ = __float__ = __len__ = __iter__ = __eq__ = __bool__ = __mod__ = _refuse
    __hash__ = None


class HostileFunction(Hostile):
    def __call__(self, *args):
        sys.exit("gone")


def endless():
    while True:
        yield 1


ZOO = {
    "None": None,
    "Ellipsis": ...,
    "true": True,
    "text": "0.25",
    "empty text": "",
    "bytes": b"0.25",
    "NaN": np.nan,
    "infinity": -np.inf,
    "complex": 1j,
    "huge integer": 10**400,
    "a negative number": -1.0,
    "NaNs": np.full(2, np.nan),
    "empty": [],
    "ragged": [[1.0], 2.0],
    "texts": ["a", "b"],
    "a dictionary": {"answer": 0.25},
    "a set": {0.25},
    "a generator": endless(),
    "a huge array": np.broadcast_to(np.float32(1), (10**6, 10**6)),
    "four dimensions": np.ones((1, 2, 3, 4)),
    "dates": np.array(["2026-01-01"], "datetime64[D]"),
    "a random key": jax.random.key(0),
    "a class": int,
    "a class of ours": Hostile,
    "hostile": Hostile(),
    "a hostile function": HostileFunction(),
    "raises": lambda *args: 1 / 0,
    "exits": lambda *args: sys.exit(1),
    "wants more": lambda a, b, c, d, e: a,
    "no result": lambda *args: None,
    "text as result": lambda *args: "0.25",
    "a huge result": lambda *args: np.broadcast_to(np.float32(1), (10**6, 10**6)),
    "a wrong shape": lambda *args: jnp.ones((7, 7)),
    "NaN as result": lambda *args: args[0] * jnp.nan,
    "NumPy on tracers": lambda z, *rest: np.tanh(np.asarray(z)),
    "the module": np,
}


@pytest.mark.parametrize("animal", ZOO)
@pytest.mark.parametrize("name", ALL)
def test_whatever_the_answer_is_the_worst_is_not_yet(name, animal):
    verdict = vg.check(name, ZOO[animal])
    assert not verdict and verdict.message.startswith("Not yet. ")
    assert len(verdict.message) < 500 and "\n" not in verdict.message
    assert "✗" in repr(verdict) and verdict._repr_html_()


def test_an_answer_of_another_kind_is_told_what_was_expected():
    for name, wrong, told in (
        ("activations-elu", 3.0, "Expected a function; got one number."),
        ("no-learning-rescue", "ten", "Expected one number; got a string."),
        ("no-learning-rescue", -1.0, "Expected one number; got one number (ValueError: sigma_w: e"),
        ("chain-rule-bound", True, "Expected one number; got a bool."),
        ("chain-rule-bound", None, "Expected one number; got a NoneType."),
        ("chain-rule-bound", {}, "Expected one number; got a dict."),
    ):
        assert vg.check(name, wrong).message.startswith(f"Not yet. {told}")


def test_half_precision_numbers_are_numbers(monkeypatch):
    name = registered(monkeypatch, lambda: 2.0)
    for dtype in (jnp.bfloat16, jnp.float16, jnp.int8):
        assert vg.check(name, jnp.array(2, dtype))


@pytest.mark.bad_input
@pytest.mark.parametrize("wrong", [None, 3, b"chain-rule-bound", ["chain-rule-bound"], Hostile()])
def test_the_name_must_be_text(wrong):
    with pytest.raises(TypeError, match=r"name: expected text, .*; got .*\. Copy the name"):
        vg.check(wrong, 1.0)


def test_one_chapter_may_begin_as_another_does(monkeypatch):
    homes = {"chain": ["chain-rule"], "chain-rule": ["chain-rule-bound"]}
    assert checks.find("chain-rule-bound").chapter == "chain-rule"
    monkeypatch.setattr(checks, "chapters", lambda: sorted(homes))
    monkeypatch.setattr(checks, "names", homes.__getitem__)
    assert checks.find("chain-rule-bound").chapter == "chain-rule"
    with pytest.raises(ValueError, match="starts with a chapter"):
        checks.find("chains-bound")


def test_unknown_names_list_those_there_are():
    with pytest.raises(ValueError, match=r"expected one of .*chain-rule-jacobian.*; got 'chain-ru"):
        vg.check("chain-rule-jacobean", 1.0)
    with pytest.raises(ValueError, match=r"starts with a chapter, .*chain-rule.*; got 'recipes'"):
        vg.check("recipes", 1.0)


def test_a_name_belongs_to_its_chapter():
    def solution():
        return 1.0

    solution.__module__ = "vanishing.book.dead_neurons.exercises"
    with pytest.raises(
        ValueError, match=r"starts with 'dead-neurons-', the .*; got 'chain-rule-x'"
    ):
        exercise("chain-rule-x", hint="")(solution)


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
    assert page.fieldset["id"] == "quiz-how-steep-is"
    assert [row.has_attr("data-right") for row in rows] == [True, False]
    assert not page.find_all(["script", "input"]) and "http" not in str(page)


def test_a_quiz_in_a_terminal_keeps_the_secret():
    shown = repr(vg.quiz("How steep?", ANSWERS))
    assert "0.25" in shown and "Right" not in shown and "At 0" not in shown


@pytest.mark.bad_input
@pytest.mark.parametrize(
    ("question", "answers", "message"),
    [
        (3, ANSWERS, "question: expected text; got 3 of type int"),
        ("Why?", None, "answers: expected a mapping .* got one of type NoneType"),
        ("Why?", ["a", "b"], "answers: expected a mapping .* got one of type list"),
        ("Why?", {"a": True, "b": False}, "got 'a': True. Give each as text"),
        ("Why?", {"a": (True,), "b": (False, "y")}, r"got 'a': \(True,\). Give each"),
        ("Why?", {1: (True, "x"), "b": (False, "y")}, r"got 1: \(True, 'x'\). Give each"),
        ("Why?", {"a": ("x", True), "b": (False, "y")}, r"got 'a': \('x', True\). Give each"),
        ("Why?", {"a": (True, None), "b": (False, "y")}, r"got 'a': \(True, None\). Give each"),
    ],
)
def test_a_quiz_of_wrong_types_is_refused(question, answers, message):
    with pytest.raises(TypeError, match=message):
        vg.quiz(question, answers)


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
