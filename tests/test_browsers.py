"""A browser is found under any of its usual names, and its absence ends in one sentence."""

import os

import pytest

import browsers


@pytest.fixture
def path(tmp_path, monkeypatch):
    """An empty PATH, and no browser named otherwise."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CHROMIUM", raising=False)
    monkeypatch.setattr(browsers, "CHROMIUM_APPS", ())
    monkeypatch.setattr(browsers, "downloaded", lambda: None)
    return tmp_path


def program(folder, name):
    file = folder / name
    file.write_text("#!/bin/sh\n")
    file.chmod(0o755)
    return str(file)


@pytest.mark.parametrize("name", browsers.CHROMIUM)
def test_any_usual_name_is_found(name, path):
    assert browsers.chromium() is None
    wanted = program(path, name)
    assert browsers.chromium() == wanted


def test_the_variable_comes_first_and_must_name_a_program(path, monkeypatch):
    program(path, "chromium")
    monkeypatch.setenv("CHROMIUM", program(path, "mine"))
    assert browsers.chromium() == str(path / "mine")
    monkeypatch.setenv("CHROMIUM", str(path / "absent"))
    with pytest.raises(FileNotFoundError, match=r"CHROMIUM: expected a program; got .*absent"):
        browsers.chromium()


def test_the_application_of_a_mac_is_found(path, monkeypatch):
    app = program(path, "Google Chrome")
    monkeypatch.setattr(browsers, "CHROMIUM_APPS", ("/nowhere/Chromium", app))
    assert browsers.chromium() == app


@pytest.mark.parametrize(
    ("root", "apt", "command"),
    [(True, True, "apt-get install"), (False, True, "playwright"), (True, False, "playwright")],
)
def test_what_is_absent_is_installed_as_the_machine_allows(root, apt, command, path, monkeypatch):
    ran = []
    monkeypatch.setattr(browsers.subprocess, "run", lambda words, **_: ran.append(" ".join(words)))
    monkeypatch.setattr(os, "geteuid", lambda: 0 if root else 1000, raising=False)
    if apt:
        program(path, "apt-get")
    browsers.install_chromium()
    assert command in ran[-1] and "chromium" in ran[-1]


def test_where_none_can_be_installed_one_sentence_says_what_to_do(path, monkeypatch, capsys):
    monkeypatch.setattr(browsers, "install_chromium", lambda: None)
    browsers.main()
    assert capsys.readouterr().out.strip().endswith("or name it: CHROMIUM=/path/to/it make test.")


def test_the_gate_fails_without_a_browser_and_a_laptop_skips(path, monkeypatch):
    for ci, outcome in (("true", pytest.fail.Exception), ("", pytest.skip.Exception)):
        monkeypatch.setenv("CI", ci)
        with pytest.raises(outcome, match="Install one, or name it"):
            browsers.needed_chromium()
