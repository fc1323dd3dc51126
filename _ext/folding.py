"""What is folded on the pages, as native disclosures: they need no script and print open.

Code that is not the point goes under the figure that it made; a dropdown and an admonition of the
class ``dropdown`` (the solutions) become a ``<details>`` with a question as its summary.
Tables get a box that scrolls, and code that is wider than the column has room in the margin.
"""

from docutils import nodes
from myst_nb.sphinx_ import HideCodeCellNode
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.writers.html5 import HTML5Translator
from sphinx_design.shared import is_component

#: Of code, in a line of the column of text (--column in base.css).
LETTERS = 80
#: So many of them a box with a rule at its side takes away.
INDENT = 3


class disclosure(nodes.General, nodes.Element):
    """``<details>``: the first child is the summary, the others are what it opens."""


def visit_disclosure(translator: HTML5Translator, node: disclosure) -> None:
    """Open the element."""
    translator.body.append(translator.starttag(node, "details", CLASS="opens"))


def depart_disclosure(translator: HTML5Translator, node: disclosure) -> None:
    """Close the element."""
    translator.body.append("</div></details>\n")


class summary(nodes.General, nodes.TextElement):
    """What is seen of a closed disclosure."""


def visit_summary(translator: HTML5Translator, node: summary) -> None:
    """Open the element."""
    translator.body.append(translator.starttag(node, "summary", suffix=""))


def depart_summary(translator: HTML5Translator, node: summary) -> None:
    """Close the element and open the box of what follows."""
    translator.body.append("</summary>\n<div>\n")


class Disclose(SphinxPostTransform):
    """Turn dropdowns and folding admonitions into disclosures."""

    default_priority = 190  # after the titles of exercises are resolved, before sphinx-design
    formats = ("html",)

    def run(self, **kwargs) -> None:
        """Transform one page."""
        for node in list(self.document.findall(nodes.Element)):
            if is_component(node, "dropdown"):
                self.disclose(node, node["container_classes"], "prediction")
            elif "dropdown" in node.get("classes", ()) and isinstance(node, nodes.Admonition):
                self.disclose(node, node["classes"], *type(node).__name__.split("_")[:1])

    def disclose(self, node: nodes.Element, kept: list[str], kind: str) -> None:
        """Replace ``node``, whose first child is its title."""
        title, *body = node.children
        for link in list(title.findall(nodes.reference)):  # two things to press in one is none
            link.replace_self(link.children)
        classes = [kind, *(c for c in kept if c not in ("dropdown", kind) and c[:3] != "sd-")]
        found = disclosure(ids=[*node["ids"], *title["ids"]], classes=classes)
        found += [summary("", "", *title.children), *body]
        node.replace_self(found)


class CodeUnderItsFigure(SphinxPostTransform):
    """Put folded code behind what it made, so that no figure stands behind a bar of grey."""

    default_priority = 210  # after MyST-NB has folded it, at 199
    formats = ("html",)

    def run(self, **kwargs) -> None:
        """Transform one page."""
        for fold in list(self.document.findall(HideCodeCellNode)):
            figure = next(iter(fold.parent.findall(nodes.figure)), None)
            numbers = self.env.toc_fignumbers.get(self.env.docname, {}).get("figure", {})
            ids = figure["ids"] if figure else []
            number = next((numbers[name] for name in ids if name in numbers), None)
            fold["of"] = f" figure {'.'.join(map(str, number))}" if number else ""
            if "above-input" in fold["classes"] and len(fold.parent) > 1:
                fold.parent.append(fold.parent.pop(fold.parent.index(fold)))


def visit_folded_code(translator: HTML5Translator, node: HideCodeCellNode) -> None:
    """A quiet line that says what it opens; beyond what is seen, ears hear which figure's."""
    of = f'<span class="for-ears"> of{node["of"]}</span>' if node["of"] else ""
    translator.body.append(f'<details class="code"><summary>{node["prompt_show"]}{of}</summary>\n')


def depart_folded_code(translator: HTML5Translator, node: HideCodeCellNode) -> None:
    """Close the element."""
    translator.body.append("</details>\n")


class LongCode(SphinxPostTransform):
    """Mark the code with a line that the column does not hold."""

    default_priority = 200
    formats = ("html",)

    def run(self, **kwargs) -> None:
        """Mark the blocks of one page."""
        for block in self.document.findall(nodes.literal_block):
            room = LETTERS - INDENT * _is_indented(block)
            if max(map(len, block.astext().splitlines()), default=0) > room:
                block["classes"].append("long")


def _is_indented(node: nodes.Node) -> bool:
    """Whether it stands in a solution or another box with a rule at its side."""
    while (node := node.parent) is not None:
        if isinstance(node, nodes.Admonition):
            return True
    return False


def visit_table(translator: HTML5Translator, node: nodes.table) -> None:
    """A table in a box that scrolls where the page is narrow."""
    translator.body.append('<div class="table" data-scrolls="Table, scrolls sideways">')
    HTML5Translator.visit_table(translator, node)


def depart_table(translator: HTML5Translator, node: nodes.table) -> None:
    """Close both."""
    HTML5Translator.depart_table(translator, node)
    translator.body.append("</div>\n")


def setup(app: Sphinx) -> dict:
    """Register the extension; it comes after MyST-NB and sphinx-exercise, whose nodes it folds."""
    app.add_node(disclosure, html=(visit_disclosure, depart_disclosure))
    app.add_node(summary, html=(visit_summary, depart_summary))
    app.add_node(HideCodeCellNode, override=True, html=(visit_folded_code, depart_folded_code))
    app.add_node(nodes.table, override=True, html=(visit_table, depart_table))
    app.add_post_transform(Disclose)
    app.add_post_transform(CodeUnderItsFigure)
    app.add_post_transform(LongCode)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
