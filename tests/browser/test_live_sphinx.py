"""Live figures in a page that Sphinx built: assets, shared data, links in prose, one id each."""

import io
import re

import numpy as np
import pytest
from bs4 import BeautifulSoup
from sphinx.application import Sphinx

from vanishing.live.sphinxext import faulty_links

pytestmark = pytest.mark.browser

SOURCE = """# Page

Set [a share of 0.3](#fig-scaled?share=0.3), or [both](#fig-gallery?shape=cosine&flip=true).

```{{figure-md}} fig-scaled

![](dot.svg)

A caption of Sphinx's own, with a number.
```

```{{raw}} html
{scaled}
```

```{{raw}} html
{gallery}
```
"""


@pytest.fixture(scope="session")
def built(tmp_path_factory, site):
    """A tiny book of one page, built with warnings recorded."""
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("out")
    figures = {
        name: re.search(r"<figure.*</figure>", (site / f"{name}.html").read_text())[0]
        for name in ("scaled", "gallery")
    }
    (source / "dot.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"/>')
    (source / "index.md").write_text(SOURCE.format(**figures))
    warnings = io.StringIO()
    options = {
        "extensions": ["myst_parser", "vanishing.live.sphinxext"],
        "html_theme": "basic",
        "nitpicky": True,
    }
    app = Sphinx(source, None, out, out / "doctrees", "html", options, None, warnings)
    app.build()
    return out, warnings.getvalue()


def test_links_that_set_a_figure_are_no_warnings(built):
    out, warnings = built
    assert warnings == ""
    page = BeautifulSoup((out / "index.html").read_text(), "html.parser")
    links = [a["href"] for a in page.select("a[href^='#fig-']:not(.live-link, .headerlink)")]
    assert links == ["#fig-scaled?share=0.3", "#fig-gallery?shape=cosine&flip=true"]


@pytest.mark.parametrize(
    ("href", "words"),
    [
        ("#fig-scaled?share=0.3", ""),
        ("#fig-gallery?shape=sine&flip=true&seed=4", ""),
        ("#fig-missing?share=1", "no live figure 'missing'"),
        ("#fig-scaled?size=1", "no control 'size'"),
        ("#fig-scaled?share=2", "'2' for 'share'"),
        ("#fig-scaled?share=much", "'much' for 'share'"),
        ("#fig-gallery?shape=square", "'square' for 'shape'"),
    ],
)
def test_links_that_lead_nowhere_are_found(href, words, built):
    text = (built[0] / "index.html").read_text()
    found = list(faulty_links(text + f'<a href="{href.replace("&", "&amp;")}">x</a>'))
    assert len(found) == bool(words) and words in "".join(found)


def test_ids_are_unique_and_data_is_shared(built):
    out, _ = built
    text = (out / "index.html").read_text()
    ids = [node["id"] for node in BeautifulSoup(text, "html.parser").select("[id]")]
    assert len(ids) == len(set(ids)) and {"fig-scaled", "fig-gallery"} <= set(ids)
    assert "live-data" not in text
    assert (out / "_static" / "vanishing-data-ramp.js").exists()


def test_a_link_sets_the_figure_over_file(built, open_page):
    page = open_page(f"file://{built[0]}/index.html")
    page.get_by_role("link", name="a share of 0.3").click()
    live = "document.querySelector('[data-name=scaled]').live"
    page.wait_for_function(f"() => {live}.outputs.y && {live}.state.share === 0.3")
    page.evaluate(f"{live}.set({{}})")
    y = page.evaluate(f"Array.from({live}.outputs.y)")
    np.testing.assert_allclose(y, 0.3 * np.arange(0, 250, 25), rtol=1e-6)
    page.get_by_role("link", name="both").click()
    page.wait_for_function("() => document.querySelector('[data-name=gallery]').live.state.flip")
