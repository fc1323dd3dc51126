"""Live figures in a page that Sphinx built: assets, shared data, links in prose, one id each."""

import io
import os
import re

import numpy as np
import pytest
from bs4 import BeautifulSoup
from sphinx.application import Sphinx
from sphinx.util.docutils import docutils_namespace

from vanishing.live.page.sphinxext import faulty_links, faulty_terms

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


SLIDES = "# Deck\n\n## First\n\nWords.\n\n## Second\n\n```{{raw}} html\n{gallery}\n```\n"


def build(tmp_path_factory, site, text, builder, extensions):
    """Build one page with Sphinx; return its folder and the warnings."""
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("out")
    figures = {
        name: re.search(r"(?s)<figure.*</figure>", (site / f"{name}.html").read_text())[0]
        for name in ("scaled", "gallery")
    }
    (source / "dot.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"/>')
    (source / "index.md").write_text(text.format(**figures))
    warnings = io.StringIO()
    options = {
        "extensions": ["myst_parser", "vanishing.live.page.sphinxext", *extensions],
        "html_theme": "basic",
        "nitpicky": True,
    }
    with docutils_namespace():  # so that two builds in one process do not meet
        Sphinx(source, None, out, out / "doctrees", builder, options, None, warnings).build()
    return out, warnings.getvalue()


@pytest.fixture(scope="session")
def built(tmp_path_factory, site):
    """A tiny book of one page."""
    return build(tmp_path_factory, site, SOURCE, "html", [])


def test_what_is_started_after_the_build_is_no_page(built):
    assert "VANISHING_LIVE" not in os.environ


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
        ("#fig-scaled?share=0.3&fig-gallery?flip=false", ""),
        ("#fig-scaled?share=0.3&fig-gallery?flip=maybe", "'maybe' for 'flip'"),
        ("#fig-scaled?step=3", "no control 'step'"),
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


@pytest.mark.parametrize(
    ("term", "words"),
    [
        ("pointed-5", ""),
        ("pointed-each", ""),
        ("pointed-last", ""),
        ("pointed-6", "no number of range(1, 6)"),
        ("gallery-1", "no live figure 'gallery' with a cursor"),
        ("missing-1", "no live figure 'missing'"),
    ],
)
def test_terms_of_formulas_that_name_no_layer_are_found(term, words, site):
    page = (site / "pointed.html").read_text() + (site / "gallery.html").read_text()
    found = list(faulty_terms(page + f'<span class="enclosing at-{term}">J</span>'))
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


# sphinx-revealjs itself still asks the builder for css_files.
@pytest.mark.filterwarnings("ignore:.*css_files:sphinx.deprecation.RemovedInSphinx90Warning")
def test_a_link_into_slides_turns_to_the_figure_in_its_state(tmp_path_factory, site, open_page):
    out, warnings = build(tmp_path_factory, site, SLIDES, "revealjs", ["sphinx_revealjs"])
    assert warnings == ""
    page = open_page(f"file://{out}/index.html#fig-gallery?shape=cosine&amplitude=2")
    live = "document.querySelector('figure.live').live"
    page.wait_for_function(f"() => {live} && {live}.state.shape === 'cosine'")
    page.wait_for_function("() => Reveal.getCurrentSlide().querySelector('figure.live')")
    page.get_by_role("slider", name="f0").focus()
    page.keyboard.press("ArrowRight")
    assert page.evaluate(f"{live}.state.frequency") == 1.1
    assert page.evaluate("!!Reveal.getCurrentSlide().querySelector('figure.live')")
