"""A question whose every answer explains itself: plain HTML, on a page and in a notebook."""

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass

from vanishing.live.page.form import label_html

# Colours follow the text's own, so one sheet serves light pages, dark ones and JupyterLab.
# On paper nothing can be opened, so there every explanation stands open.
STYLE = """<style>
.vg-quiz { border: 1px solid color-mix(in srgb, currentColor 25%, transparent); margin: 1.5em 0;
  border-radius: .5em; padding: .25em 1.2em .8em; min-width: 0; }
.vg-quiz legend { float: left; width: 100%; font-size: inherit; font-weight: 600;
  margin: 0; padding: .6em 0; }
.vg-quiz details { clear: both; border-top: 1px solid
  color-mix(in srgb, currentColor 15%, transparent); }
.vg-quiz summary { cursor: pointer; margin-left: 1.1em; padding: .5em 0;
  list-style-position: outside; }
.vg-quiz summary:focus-visible { outline: 2px solid; outline-offset: 2px; }
.vg-quiz details > p { margin: 0; padding: 0 0 .7em 1.1em; }
@media print {
  .vg-quiz { break-inside: avoid; }
  .vg-quiz details::details-content { display: block; content-visibility: visible;
    block-size: auto; }
}
</style>"""


# Of a question, in its name: enough to tell the quizzes of a page apart.
_WORDS = 5


def _inline(text: str) -> str:
    """Plain text as HTML; `backticks` set code, and formulas are written in Unicode, σ_w with its
    subscript."""
    parts = text.split("`")
    parts[::2] = map(label_html, parts[::2])
    parts[1::2] = (f"<code>{html.escape(code)}</code>" for code in parts[1::2])
    return "".join(parts)


@dataclass(frozen=True)
class Quiz:
    """What `quiz` makes; shows itself as HTML, in a terminal as text without the solution."""

    question: str
    answers: Mapping[str, tuple[bool, str]]

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<details{' data-right' * right}><summary>{_inline(answer)}</summary>"
            f"<p><strong>{'✓ Right.' if right else '✗ Not so.'}</strong> {_inline(why)}</p>"
            "</details>\n"
            for answer, (right, why) in self.answers.items()
        )
        legend = f"<legend>{_inline(self.question)}</legend>"
        return f'{STYLE}\n<fieldset class="vg-quiz" id="{self.name}">\n{legend}\n{rows}</fieldset>'

    @property
    def name(self) -> str:
        """Its name in the page, from the first words of the question.

        >>> Quiz("Is `0.25` the largest slope of the sigmoid?", {}).name
        'quiz-is-0-25-the-largest'
        """
        words = re.findall(r"[a-z0-9]+", self.question.lower())
        return "-".join(["quiz", *words[:_WORDS]])

    def __repr__(self) -> str:
        return "\n".join([self.question, *(f"  ○ {answer}" for answer in self.answers)])


def _check_types(question, answers) -> None:
    if not isinstance(question, str):
        raise TypeError(
            f"question: expected text; got {question!r} of type {type(question).__name__}. Put the "
            "question into quotes."
        )
    if not isinstance(answers, Mapping):
        raise TypeError(
            "answers: expected a mapping from text to (right, explanation); got one of type "
            f"{type(answers).__name__}. Write {{answer: (True, why), …}}."
        )
    for answer, reply in answers.items():
        match answer, reply:
            case str(), (bool(), str()):
                continue
        raise TypeError(
            f"answers: expected text: (True or False, text); got {answer!r}: {reply!r}. Give each "
            "as text: (right, explanation)."
        )


def quiz(question: str, answers: Mapping[str, tuple[bool, str]]) -> Quiz:
    """Ask a question; choosing an answer opens why it is right or wrong.

    Every answer is a native disclosure: it needs no script, says to a screen reader that it can
    be opened, and lets a reader at the keyboard pass an answer without choosing it (which radio
    buttons do not).

    Args:
        question: plain text; `backticks` set code.
        answers: for each answer whether it is right, and why.

    Returns:
        `Quiz`: put it last in a cell.

    Raises:
        TypeError: the question is no text, or the answers are no mapping from text to a pair of
            a truth value and text.
        ValueError: fewer than two answers, none right or all, or no explanation.

    >>> quiz("Is 0.25 the largest slope of the sigmoid?", {
    ...     "Yes": (True, "It is reached at 0."),
    ...     "No": (False, "σ′ = σ (1 − σ), a product of two numbers that sum to 1."),
    ... })
    Is 0.25 the largest slope of the sigmoid?
      ○ Yes
      ○ No
    """
    _check_types(question, answers)
    right = [verdict for verdict, _ in answers.values()]
    if len(right) < 2 or not any(right) or all(right):
        raise ValueError(
            "answers: expected at least two, some right and some wrong; got "
            f"{sum(right)} right of {len(right)}. Give each as text: (right, explanation)."
        )
    silent = [answer for answer, (_, why) in answers.items() if not why.strip()]
    if silent:
        raise ValueError(
            f"answers: expected an explanation of each; got none for {silent[0]!r}. "
            "Say why it is right or wrong."
        )
    return Quiz(question, answers)
