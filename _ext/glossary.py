"""What a term means, beside it: the definitions that a page needs, from the glossary.

A term of the text (``{term}``) is a link to the glossary; each definition that a page links to
stands once at its end, closed, and ``terms.js`` opens it on hover and on focus.
"""

import re

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx

GLOSSARY = "chapters/glossary"
SCRIPT = "terms.js"
LINK = re.compile(r'<a class="reference internal" href="glossary\.html#(term-[^"]+)">')


def definitions(app: Sphinx) -> dict[str, nodes.paragraph]:
    """The first paragraph of each entry of the glossary, by the id of each of its terms."""
    if GLOSSARY not in app.env.found_docs:
        return {}
    [glossary] = app.env.get_doctree(GLOSSARY).findall(addnodes.glossary)
    return {
        name: next(entry.findall(nodes.paragraph))
        for entry in glossary.findall(nodes.definition_list_item)
        for term in entry.findall(nodes.term)
        for name in term["ids"]
    }


def define(app: Sphinx, pagename: str, templatename: str, context: dict, doctree) -> None:
    """Put the definitions at the end of the page that uses them."""
    body = context.get("body", "")
    used = sorted(set(LINK.findall(body)))
    if not used or pagename == GLOSSARY:
        return
    found = definitions(app)
    boxes = "".join(
        f'<div class="about" id="about-{name}" role="tooltip" popover="manual">'
        f"{app.builder.render_partial(found[name])['fragment']}</div>\n"
        for name in used
    )
    described = LINK.sub(
        r'<a class="term" href="glossary.html#\1" aria-describedby="about-\1">', body
    )
    context["body"] = described + boxes
    app.add_js_file(SCRIPT, loading_method="defer")  # on this page alone


def setup(app: Sphinx) -> dict:
    """Register the extension."""
    app.connect("html-page-context", define)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
