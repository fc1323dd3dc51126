"""Mend what the theme and docutils write against the rules that axe-core checks."""

from sphinx.application import Sphinx


def mend(app: Sphinx, pagename: str, templatename: str, context: dict, doctree) -> None:
    """Entries of the bibliography: the role that docutils gives them is deprecated, and their
    parent is a list."""
    if "body" in context:
        context["body"] = context["body"].replace('role="doc-biblioentry"', 'role="listitem"')


def setup(app: Sphinx) -> dict:
    """Register the extension."""
    app.connect("html-page-context", mend)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
