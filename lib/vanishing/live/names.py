"""Names that a figure, its controls and its shared data may have."""

import keyword
from collections.abc import Collection, Sequence
from functools import cache

from vanishing.live.controls import Control, Toggle, Value
from vanishing.live.reading import read


@cache
def _taken() -> frozenset[str]:
    """What the widget's class calls its own: a trait of that name would replace it."""
    import anywidget  # here: it takes longer to import than all else in this package

    return frozenset(dir(anywidget.AnyWidget))


def check_controls(controls: Sequence[Control], *, animated: bool) -> None:
    """Check that controls are controls whose names can be keywords, traits and inputs.

    Raises:
        TypeError: if one is no control.
        ValueError: if two share a name, a name is taken, or `when` speaks of what is not there.
    """
    for control in controls:
        if not isinstance(control, Control):
            raise TypeError(
                "controls: expected Slider, Choice, Toggle and Seed; "
                f"got {type(control).__name__}. Wrap the value in one of them."
            )
    names = [control.name for control in controls]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"controls: expected distinct names; got {twice} twice. Rename one.")
    for control in controls:
        _check_name(control.name, animated)
        _check_when(control, {c.name: c for c in controls if c is not control})


def _check_name(name: str, animated: bool) -> None:
    reserved = name.startswith("_") or keyword.iskeyword(name) or name in _taken()
    if reserved or (animated and name in ("step", "state")):
        raise ValueError(
            f"controls: expected a name of their own; got {name!r}, which Python, the widget or "
            f"the animation uses. Write {name.strip('_')}_ or another word, and a label."
        )


def _check_when(control: Control, others: dict[str, Control]) -> None:
    for name, values in control.when.items():
        if name not in others:
            raise ValueError(
                f"{control.name}: expected when to name one of {sorted(others)}; got {name!r}. "
                "Write the name of another control."
            )
        _check_reachable(control, others[name], values)


def _check_reachable(control: Control, other: Control, values: Sequence[Value]) -> None:
    for value in values:
        if read(other, value) != value or (isinstance(other, Toggle) != isinstance(value, bool)):
            raise ValueError(
                f"{control.name}: expected when[{other.name!r}] to be a value of that control; "
                f"got {value!r}. Write it as the control holds it."
            )


def check_data_names(names: Collection[str], controls: Sequence[Control]) -> None:
    """Check that shared data and controls can be keywords of one function."""
    for name in names:
        both = name in {control.name for control in controls}
        if both or not str(name).isidentifier() or keyword.iskeyword(name):
            raise ValueError(
                f"data: expected names that are keywords and no control's; got {name!r}. Rename it."
            )


def check_words(name: str, alt: str) -> None:
    """Check what every figure must say of itself."""
    if not (isinstance(name, str) and name.isidentifier()):
        raise ValueError(f"name: expected an identifier; got {name!r}. Write words_like_this.")
    if not (isinstance(alt, str) and alt.strip()):
        raise ValueError(
            f"{name}: expected a text alternative; got {alt!r}. Say what there is to see."
        )
