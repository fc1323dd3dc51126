"""Where a page can be run: nowhere without a repository, and at the right address with one."""

import re
import sys
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml
from built import ROOT
from sphinx.errors import ConfigError

sys.path.insert(0, str(ROOT / "_ext"))

import launch

PAGE = "chapters/dead-neurons"
SERVICES = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))["launch_buttons"]


def addresses(url="https://github.com/someone/book", published=True, **services):
    options = {"repository_url": url, "launch_buttons": SERVICES | services}
    return launch.addresses(options, PAGE, published)


def test_without_a_repository_nothing_is_offered():
    assert addresses(url="") == {}


def test_binder_opens_the_chapter_as_a_notebook():
    address = urlsplit(addresses()["Binder"])
    assert (address.netloc, address.path) == ("mybinder.org", "/v2/gh/someone/book/main")
    assert parse_qs(address.query) == {"urlpath": [f"lab/tree/{PAGE}.md"]}


def test_colab_opens_the_notebook_that_the_workflow_publishes():
    address = addresses()["Colab"]
    place = "/github/someone/book/blob/notebooks/dead-neurons.ipynb"
    assert address == f"https://colab.research.google.com{place}"
    workflow = (ROOT / ".github/workflows/book.yml").read_text(encoding="utf-8")
    assert re.search(rf"git push .*HEAD:{launch.BRANCH}\b", workflow)
    assert "Colab" not in addresses(published=False)  # the notebook could not find the library


def test_a_jupyterhub_is_offered_where_one_is_named():
    assert set(addresses()) == {"Binder", "Colab"}
    address = urlsplit(addresses(jupyterhub_url="https://hub.example.org/")["JupyterHub"])
    assert address.netloc + address.path == "hub.example.org/hub/user-redirect/git-pull"
    assert parse_qs(address.query) == {
        "repo": ["https://github.com/someone/book"],
        "branch": ["main"],
        "urlpath": [f"lab/tree/book/{PAGE}.md"],
    }


@pytest.mark.parametrize("end", ["", "/", ".git"])
def test_an_address_may_end_as_it_is_copied(end):
    assert "/gh/someone/book/" in addresses(url=f"https://github.com/someone/book{end}")["Binder"]


@pytest.mark.parametrize("url", ["github.com/someone/book", "https://github.com/someone"])
def test_another_address_is_refused(url):
    with pytest.raises(ConfigError, match=r"expected https://github\.com/<owner>/<name>"):
        addresses(url=url)
