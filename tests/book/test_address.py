"""Where the book says that it is, and what a live figure says of where it comes from."""

import inspect
import json
from importlib import import_module
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from vanishing.book import address, style

ROOMS = Path(style.__file__).parent
LIVE = [p for p in sorted(ROOMS.glob("*/*.py")) if "live_figure(" in p.read_text(encoding="utf-8")]


@pytest.fixture(autouse=True)
def afresh(monkeypatch):
    """What is found is not kept."""
    monkeypatch.setattr(address, "book", address.book.__wrapped__)


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ('baseurl: ""', ""),
        ("baseurl:", ""),
        ('baseurl: "https://example.org/book"', "https://example.org/book/"),
        ("baseurl: https://example.org/   # ours", "https://example.org/"),
    ],
)
def test_a_copy_of_the_project_has_the_address_of_its_settings(tmp_path, monkeypatch, line, found):
    config = tmp_path / "_config.yml"
    config.write_text(f"title: A\nhtml:\n  # Such as https://example.org\n  {line}\n", "utf-8")
    monkeypatch.setattr(address, "_CONFIG", config)
    assert address.book() == found


def test_the_settings_are_found():
    assert Path(__file__).parents[2] / "_config.yml" == address._CONFIG and address._CONFIG.exists()


class Installed:
    """A package, and what pip has noted of it."""

    def __init__(self, noted):
        self.noted = noted

    def read_text(self, name):
        assert name == "direct_url.json"
        return self.noted


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("https://example.org/book/notebooks/vanishing_gradients-1-py3-none-any.whl",
         "https://example.org/book/"),
        ("file:///home/me/notebooks/vanishing_gradients-1-py3-none-any.whl", ""),
        (None, ""),
    ],
)  # fmt: skip
def test_a_wheel_has_the_address_that_it_came_from(tmp_path, monkeypatch, url, found):
    monkeypatch.setattr(address, "_CONFIG", tmp_path / "_config.yml")
    noted = url and json.dumps({"url": url})
    monkeypatch.setattr(address, "distribution", lambda name: Installed(noted))
    assert address.book() == found


def test_a_library_that_is_not_installed_has_no_address(tmp_path, monkeypatch):
    def absent(name):
        raise PackageNotFoundError(name)

    monkeypatch.setattr(address, "_CONFIG", tmp_path / "_config.yml")
    monkeypatch.setattr(address, "distribution", absent)
    assert address.book() == ""


@pytest.mark.parametrize("path", LIVE, ids=lambda path: path.stem)
def test_every_live_figure_is_made_where_its_lines_say(path, monkeypatch):
    module = import_module(f"vanishing.book.{path.parent.name}.{path.stem}")
    inspect.signature(getattr(module, path.stem)).bind()  # it asks for nothing
    assert module._draw.__module__ == module.__name__
    assert f'name="{path.stem}"' in path.read_text(encoding="utf-8")
    monkeypatch.setattr(address, "book", lambda: "https://example.org/")
    page = address.figure(module._draw.__module__)["page"]
    text = Path(page.replace("https://example.org", str(ROOMS.parents[2]))).with_suffix(".md")
    assert f"{path.stem}()" in text.read_text(encoding="utf-8")


def test_of_a_figure_from_elsewhere_there_is_nothing_to_say():
    assert address.figure("__main__") == address.figure("vanishing.live.figure") == {}
