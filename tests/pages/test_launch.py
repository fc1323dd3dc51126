"""Where a page can be run: nowhere without a repository, and at the right address with one."""

import re
import sys
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml
from bs4 import BeautifulSoup
from built import ROOT
from matplotlib.figure import Figure
from sphinx.errors import ConfigError

sys.path.insert(0, str(ROOT / "_ext"))

import launch

from vanishing.live import Slider, figure

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


def test_a_live_figure_leads_to_where_its_lines_can_be_pasted():
    fig = Figure((3, 2))
    bind, x = {fig.subplots().axvline(0): "x"}, Slider("x", 0, 9, 5)
    live = {"name": "line", "alt": "A line.", "python": "import a\n\na.line()"}
    body = "<p>…</p>" + figure(fig, lambda x: {"x": x}, [x], bind, **live).html()
    assert launch.places(body, {}) == body
    found = addresses(jupyterhub_url="https://hub.example.org/")
    page = BeautifulSoup(launch.places(body, found), "html.parser")
    links = page.select(".live-python a")
    assert {link.get_text(): link["href"] for link in links} == {
        f"Open on {service}": address for service, address in found.items()
    }
    assert all(link["target"] == "_blank" for link in links)  # the state stays open beside it
    assert page.select_one(".live-python code").get_text() == live["python"]


@pytest.mark.parametrize("end", ["", "/", ".git"])
def test_an_address_may_end_as_it_is_copied(end):
    assert "/gh/someone/book/" in addresses(url=f"https://github.com/someone/book{end}")["Binder"]


@pytest.mark.parametrize("url", ["github.com/someone/book", "https://github.com/someone"])
def test_another_address_is_refused(url):
    with pytest.raises(ConfigError, match=r"expected https://github\.com/<owner>/<name>"):
        addresses(url=url)
