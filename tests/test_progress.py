"""A bar is for somebody who watches; a built page keeps no trace of it."""

import sys
from types import SimpleNamespace

import nbformat
import pytest
from nbclient import NotebookClient

from vanishing import _progress


def front_end(monkeypatch, content):
    kernel = SimpleNamespace(get_parent=lambda channel: content)
    ipython = SimpleNamespace(get_ipython=lambda: SimpleNamespace(kernel=kernel))
    monkeypatch.setitem(sys.modules, "IPython", ipython)


@pytest.mark.parametrize("takes_input", [True, False])
def test_in_a_notebook_somebody_watches_if_they_could_answer(monkeypatch, takes_input):
    front_end(monkeypatch, {"content": {"allow_stdin": takes_input}})
    assert _progress.watched() is takes_input


def test_between_two_cells_nobody_watches(monkeypatch):
    front_end(monkeypatch, {})
    assert _progress.watched() is False


@pytest.mark.parametrize("terminal", [True, False])
def test_elsewhere_a_terminal_watches(monkeypatch, terminal):
    monkeypatch.setitem(sys.modules, "IPython", None)
    monkeypatch.setattr(sys, "stderr", SimpleNamespace(isatty=lambda: terminal))
    assert _progress.watched() is terminal


def test_a_notebook_run_by_the_build_shows_no_bar():
    cell = nbformat.v4.new_code_cell(
        "from vanishing import _progress\n_progress.DELAY_SECONDS = 0\n"
        "with _progress.bar(9, None) as bar:\n    bar.update(9)\nprint(_progress.watched())"
    )
    notebook = nbformat.v4.new_notebook(cells=[cell])
    NotebookClient(notebook, kernel_name="python3").execute()
    assert [output["text"] for output in cell["outputs"]] == ["False\n"]
