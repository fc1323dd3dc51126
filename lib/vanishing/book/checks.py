"""Exercises that check themselves: right or wrong and a hint, never the solution.

Each chapter's are in a module of its own, named after the chapter; `check` imports it when the
first of its exercises is checked.
"""

import functools
import html
import importlib
import importlib.util
import inspect
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np

from vanishing import book

Judge = Callable[..., object]
# Random inputs on which a function that somebody wrote is compared with the library's.
DRAWS = 5
_EXAMPLE = "chain-rule-bound"
# A function that somebody wrote may even call exit().
_RAISED = (Exception, SystemExit)


@dataclass(frozen=True)
class Exercise:
    """One exercise.

    Attributes:
        chapter: to which it belongs.
        solution: takes nothing and returns what is expected, or takes an answer and judges it.
        hint: what to say to a wrong answer.
        tolerance: relative to the largest entry of what is expected.
        inputs: where a function is expected: from a random key, one tuple of arguments.
        expects: what kind of answer a solution judges, as "a function" or "one number".
    """

    chapter: str
    solution: Judge
    hint: str
    tolerance: float
    inputs: Callable | None
    expects: str | None

    def judges(self) -> bool:
        """Whether the solution judges an answer itself."""
        return bool(inspect.signature(self.solution).parameters)

    @functools.cached_property
    def expected(self):
        """What a right answer is, where the solution does not judge; computed once."""
        return self.solution()


@dataclass(frozen=True)
class Verdict:
    """Whether an answer is right, and if not, what may help. True where right.

    Attributes:
        correct: whether it is.
        message: what to tell the reader.
    """

    correct: bool
    message: str

    def __bool__(self) -> bool:
        return self.correct

    def __repr__(self) -> str:
        return f"{'✓' if self.correct else '✗'} {self.message}"

    def _repr_html_(self) -> str:
        return f"<p>{html.escape(repr(self))}</p>"


_EXERCISES: dict[str, Exercise] = {}


def exercise(
    name: str,
    *,
    hint: str,
    tolerance: float = 1e-3,
    inputs: Callable | None = None,
    expects: str | None = None,
) -> Callable[[Judge], Judge]:
    """Register an exercise, from a chapter's module in this package.

    The decorated function is one of

        def solution():         return what is expected: a number, an array, a string, or
                                (with `inputs`) a function
        def solution(answer):   return True, or False, or a hint for this very answer

    and computes it through the library; it is called when an answer is checked, not before;
    what is expected is kept for the next answer.

    Args:
        name: starts with the chapter's, such as "chain-rule-jacobian".
        hint: one sentence that helps and does not give the solution away.
        tolerance: error allowed, relative to the largest entry expected.
        inputs: key ↦ tuple of arguments, where a function is expected.
        expects: what a solution that takes an answer can judge, "a function" or "one number";
            an answer of another kind never reaches it.
    """

    def register(solution: Judge) -> Judge:
        *_, room, _ = ("", *solution.__module__.split("."))
        chapter = room.replace("_", "-")
        if not name.startswith(chapter + "-"):
            raise ValueError(
                f"name: expected one that starts with {chapter + '-'!r}, the chapter's; got "
                f"{name!r}. Rename it, or move it to its chapter's module."
            )
        _EXERCISES[name] = Exercise(chapter, solution, hint, tolerance, inputs, expects)
        return solution

    return register


def chapters() -> list[str]:
    """The chapters that have exercises.

    >>> "chain-rule" in chapters()
    True
    """
    rooms = [found.name for found in pkgutil.iter_modules(book.__path__) if found.ispkg]
    return sorted(room.replace("_", "-") for room in rooms if importlib.util.find_spec(_room(room)))


def _room(chapter: str) -> str:
    """The module with the exercises of a chapter."""
    return f"{book.__name__}.{chapter.replace('-', '_')}.exercises"


def names(chapter: str) -> list[str]:
    """The names of a chapter's exercises.

    >>> "chain-rule-bound" in names("chain-rule")
    True
    """
    importlib.import_module(_room(chapter))
    return sorted(name for name, found in _EXERCISES.items() if found.chapter == chapter)


def find(name: str) -> Exercise:
    """The exercise of that name.

    Raises:
        TypeError: the name is no text.
        ValueError: there is none; the message lists those of the chapter.
    """
    if not isinstance(name, str):
        raise TypeError(
            f"name: expected text, such as {_EXAMPLE!r}; got {_kind(name)}. Copy the name from the "
            "exercise, and give your answer second."
        )
    homes = [chapter for chapter in chapters() if name.startswith(chapter + "-")]
    if not homes:
        raise ValueError(
            f"name: expected one that starts with a chapter, {', '.join(chapters())}; got "
            f"{name!r}. Copy the name from the exercise."
        )
    known = [known for chapter in homes for known in names(chapter)]
    if name not in known:
        raise ValueError(
            f"name: expected one of {', '.join(known)}; got {name!r}. Check the spelling."
        )
    return _EXERCISES[name]


def _kind(value) -> str:
    """What an answer is, in words that a learner knows; any object has a kind."""
    if callable(value):
        return "a function"
    if isinstance(value, str):
        return "a string"
    try:
        array = np.asarray(value)
        number = any(jnp.issubdtype(array.dtype, kind) for kind in (jnp.integer, jnp.floating))
    except Exception:  # rows of different lengths, or an object that is no array to NumPy
        return "a ragged list" if isinstance(value, list | tuple) else _type(value)
    if not number:
        return _type(value)
    return "one number" if array.shape == () else f"an array of shape {array.shape}"


def _type(value) -> str:
    name = type(value).__name__
    vowel = name[0] in "aeiouAEIOU" or name == "MLP"  # which is said "em el pee"
    return f"{'an' if vowel else 'a'} {name}"


def _told(error: BaseException) -> str:
    """The first line of what an error says, short enough for a hint."""
    first = next(iter(str(error).splitlines()), "")
    return f"{type(error).__name__}: {first[:200]}".rstrip(": ")


def _agree(got, expected, tolerance: float) -> bool:
    if isinstance(expected, str):
        return got.strip().casefold() == expected.casefold()
    got, expected = np.asarray(got, float), np.asarray(expected, float)
    slack = tolerance * np.max(np.abs(expected), initial=0.0)
    return bool(np.all(np.isclose(got, expected, rtol=0.0, atol=slack)))


def _compare(answer, expected, found: Exercise) -> bool | str:
    """True, or False, or why the answer cannot even be compared."""
    if _kind(answer) != _kind(expected):
        return f"Expected {_kind(expected)}; got {_kind(answer)}."
    if not callable(expected):
        return _agree(answer, expected, found.tolerance)
    for key in jax.random.split(jax.random.key(0), DRAWS):
        arguments = found.inputs(key)
        try:
            got = answer(*arguments)
        except _RAISED as error:  # whatever a learner's function raises is a hint for them
            return f"Your function raised {_told(error)}"
        same = _compare(got, expected(*arguments), found)
        if same is not True:
            return same if same is False else f"Of your function's result: {same}"
    return True


def _judge(answer, found: Exercise) -> bool | str:
    """True, or False, or why the answer cannot even be judged."""
    kind = _kind(answer)
    if found.expects not in (None, kind):
        return f"Expected {found.expects}; got {kind}."
    try:
        outcome = found.solution(answer)
    except _RAISED as error:
        if kind == "a function":
            return f"Your function raised {_told(error)}"
        return f"Expected {found.expects or 'another answer'}; got {kind} ({_told(error)})."
    return outcome if isinstance(outcome, str) else bool(outcome)


def check(name: str, answer) -> Verdict:
    """Tell whether the answer to an exercise is right; if not, give a hint.

    Whatever the answer is, the worst that it gets is "not yet", with what was expected.

    Args:
        name: as the exercise says.
        answer: a number, an array, a string or a function, as the exercise asks.

    Returns:
        `Verdict`, true where the answer is right. It does not show the solution.

    Raises:
        TypeError: the name is no text.
        ValueError: no exercise has that name.

    >>> check("chain-rule-bound", 0.5)
    ✗ Not yet. Take the largest slope that a sigmoid has, once for every layer.
    """
    found = find(name)
    judged = found.judges()
    outcome = _judge(answer, found) if judged else _compare(answer, found.expected, found)
    if isinstance(outcome, str):
        return Verdict(False, f"Not yet. {outcome}")
    return Verdict(True, "Right.") if outcome else Verdict(False, f"Not yet. {found.hint}")
