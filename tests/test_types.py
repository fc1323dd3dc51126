"""While the tests run, every annotation in the library is held to what is passed and returned."""

import importlib
import inspect
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import pytest
from beartype.roar import BeartypeCallHintViolation
from jaxtyping import TypeCheckError, install_import_hook

import vanishing
from vanishing import _scaled
from vanishing.live.compiler.code.names import identifier
from vanishing.training import losses


def test_a_wrong_rank_and_sizes_that_disagree_are_refused():
    with pytest.raises(TypeCheckError, match="outputs"):
        losses.loss(jnp.zeros(4), jnp.zeros((4, 1)))
    with pytest.raises(TypeCheckError, match="examples=4"):
        losses.accuracy(jnp.zeros((4, 10)), jnp.zeros(3, jnp.int32))


def test_a_trace_is_checked_too():
    with pytest.raises(TypeCheckError, match="outputs"):
        jax.jit(losses.loss)(jnp.zeros(4), jnp.zeros((4, 1)))


def test_a_dataclass_is_checked_where_it_is_made_and_not_where_jax_rebuilds_it():
    net = vanishing.MLP(depth=3, width=4)
    with pytest.raises(TypeCheckError, match="depth"):
        vanishing.MLP(depth="three", width=4)
    assert jax.tree.map(lambda _: "anything", net).epsilon == "anything"


@pytest.mark.bad_input
def test_a_test_of_bad_input_meets_the_checks_that_users_meet():
    with pytest.raises(TypeError, match=r"depth: expected an integer; got 'three'"):
        vanishing.MLP(depth="three", width=4)


def test_no_module_came_in_before_the_hook():
    ours = {name: module for name, module in sys.modules.items() if name.startswith("vanishing")}
    assert "vanishing.probe" in ours
    for name, module in ours.items():
        assert type(module.__loader__).__module__ == "jaxtyping._import_hook", name


INSIDE = """
from __future__ import annotations
from dataclasses import dataclass
@dataclass
class Number:
    value: int
@dataclass
class Word:
    value: str
def outer(value):
    def inner(number: float) -> int | None:
        return number
    return inner(value)
"""


@pytest.fixture
def inside(checker, tmp_path, monkeypatch):
    """A module: a function with an annotated one inside, made again at every call; dataclasses."""
    (tmp_path / "inside.py").write_text(INSIDE)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "inside", raising=False)
    with install_import_hook("inside", checker):
        return importlib.import_module("inside")


def test_annotations_without_axes_are_checked_each_time(inside):
    for _ in range(2):
        assert inside.outer(3) == 3
        with pytest.raises(BeartypeCallHintViolation, match=r"inner\(\) parameter number='three'"):
            inside.outer("three")
        with pytest.raises(BeartypeCallHintViolation, match=r"inner\(\) return 0\.5"):
            inside.outer(0.5)


def test_of_two_dataclasses_with_equal_code_each_has_its_own_annotations(inside):
    assert (inside.Number(3).value, inside.Word("three").value) == (3, "three")
    with pytest.raises(BeartypeCallHintViolation, match="value=3"):
        inside.Word(3)


@pytest.mark.bad_input
def test_nor_are_those_checked_in_a_test_of_bad_input(inside):
    assert inside.outer("three") == "three"


def test_no_annotated_function_of_the_library_is_left_out():
    functions = {
        value: name
        for module, found in sys.modules.items()
        if module.startswith("vanishing")
        for name, value in vars(found).items()
        if inspect.isfunction(value) and value.__module__ == module and value.__annotations__
    }
    assert len(functions) > 300
    assert [name for value, name in functions.items() if not hasattr(value, "__wrapped__")] == []
    with pytest.raises(BeartypeCallHintViolation, match="text=3"):
        identifier(3)


@pytest.mark.parametrize(
    ("true", "false"),
    [
        ('-> Float[Array, ""]:', '-> Float[Array, "n"]:'),
        ('-> Float[Array, ""]:', '-> Int[Array, ""]:'),
        ("log_rms(scaled: Scaled)", 'log_rms(scaled: Float[Array, "*shape"])'),
    ],
)
def test_a_wrong_annotation_would_be_found(true, false, checker, tmp_path, monkeypatch):
    """`_scaled.log_rms`, with an annotation that does not hold."""
    source = Path(_scaled.__file__).read_text()
    assert true in source
    (tmp_path / "mistaken.py").write_text(source.replace(true, false))
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "mistaken", raising=False)
    with install_import_hook("mistaken", checker):
        mistaken = importlib.import_module("mistaken")
    with pytest.raises(TypeCheckError, match="log_rms"):
        mistaken.log_rms(mistaken.split(jnp.ones(3)))
