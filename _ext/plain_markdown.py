"""A page that Sphinx has resolved, as Markdown that any reader of Markdown understands.

Figures, formulas and exercises keep the numbers that they have in the book, citations their names;
asides become quotations. What leads into the book is a link if the book has an address.
"""

import re
from urllib.parse import urljoin

from docutils import nodes
from folding import disclosure
from sphinx.addnodes import number_reference
from sphinx.application import Sphinx
from sphinx.errors import SphinxError
from sphinx_exercise.nodes import exercise_enumerable_node

#: What stands before the title of what is numbered: Sphinx's name of the kind, and the words.
NUMBERED = {nodes.figure: ("figure", "Fig. "), exercise_enumerable_node: ("exercise", "Exercise ")}


class PlainMarkdown:
    """A page as blocks of Markdown.

    Args:
        app: Sphinx.
        page: the name of the page.

    Attributes:
        blocks: what is written.
        cited: works that the text has named, in order; the values are nothing.
    """

    def __init__(self, app: Sphinx, page: str) -> None:
        self.app, self.page = app, page
        self.blocks: list[str] = []
        self.cited: dict[str, None] = {}
        self._level = 0

    @property
    def address(self) -> str:
        """Where the page is, if the book has an address."""
        base = self.app.config.html_baseurl
        return base and base + self.app.builder.get_target_uri(self.page)

    def cell(self, node: nodes.container) -> None:
        """Write a cell with code."""
        raise NotImplementedError

    def disclosure(self, node: disclosure) -> None:
        """Write what is folded on the page."""
        raise NotImplementedError

    def write(self, node: nodes.Element) -> None:
        """Write the blocks in `node`."""
        for child in node.children:
            self.block(child)

    def _apart(self, node: nodes.Element) -> str:
        """The blocks in `node`, not yet part of the page."""
        outer, self.blocks = self.blocks, []
        self.write(node)
        inner, self.blocks = self.blocks, outer
        return "\n\n".join(inner)

    def block(self, node: nodes.Node) -> None:
        """Write one block, or what is in it."""
        match node:
            case nodes.container() if node.get("nb_element") == "cell_code":
                self.cell(node)
            case nodes.section() | exercise_enumerable_node():
                self._level += 1
                self.write(node)
                self._level -= 1
            case nodes.container():
                self.write(node)
            case disclosure():
                self.disclosure(node)
            case nodes.target() | nodes.comment() | nodes.raw():  # HTML that works on pages alone
                pass
            case _:
                self.blocks.append(self._text(node))

    def _text(self, node: nodes.Node) -> str:
        """One block."""
        match node:
            case nodes.title():
                return f"{'#' * self._level} {self.numbered(node)}{self.words(node)}"
            case nodes.paragraph():
                # What begins a list or a heading in Markdown does not do so here.
                return re.sub(r"^(\d*)([-+#>.)])(?= )", r"\1\\\2", self.words(node))
            case nodes.bullet_list():
                return "\n".join(self._item("- ", item) for item in node.children)
            case nodes.enumerated_list():
                items = enumerate(node.children, start=1)
                return "\n".join(self._item(f"{number}. ", item) for number, item in items)
            case nodes.definition_list():
                pairs = ((self.words(item[0]), self._apart(item[1])) for item in node.children)
                return "\n".join(f"- {term}: {said}" for term, said in pairs)
            case nodes.block_quote() | nodes.sidebar():
                return "> " + self._apart(node).replace("\n", "\n> ")
            case nodes.literal_block():
                return f"```{node.get('language', '')}\n{node.astext()}\n```"
            case nodes.math_block():
                return self._formula(node)
            case nodes.table():
                return self._table(node)
        raise self._unknown(node)

    def _item(self, mark: str, node: nodes.list_item) -> str:
        return mark + self._apart(node).replace("\n", "\n" + " " * len(mark))

    def _formula(self, node: nodes.math_block) -> str:
        # Which terms answer to a figure is for the page alone.
        tex = re.sub(r"\\class\{[^{}]*\}", "", node.astext().strip())
        if r"\\" in tex and r"\begin" not in tex:
            tex = rf"\begin{{aligned}}{tex}\end{{aligned}}"
        number = self._number("displaymath", node) if node["number"] else ""
        tag = rf" \tag{{{number}}}" if number else ""
        return f"$$\n{tex}{tag}\n$$"

    def _table(self, node: nodes.table) -> str:
        rows = [
            [self._apart(entry).replace("\n", " ") for entry in row.findall(nodes.entry)]
            for row in node.findall(nodes.row)
        ]
        head, *body = [f"| {' | '.join(cells)} |" for cells in rows]
        return "\n".join([head, "|" + " --- |" * len(rows[0]), *body])

    def numbered(self, node: nodes.Element) -> str:
        """What stands before the title of an exercise and the caption of a figure."""
        kind, words = NUMBERED.get(type(node.parent), ("", ""))
        return words + self._number(kind, node.parent)

    def _number(self, kind: str, node: nodes.Element) -> str:
        """The number that the page gives to it."""
        numbers = self.app.env.toc_fignumbers.get(self.page, {}).get(kind, {})
        number = next((numbers[name] for name in node["ids"] if name in numbers), ())
        return ".".join(map(str, number))

    def words(self, node: nodes.Element) -> str:
        """What stands in `node`, in one line."""
        return "".join(map(self.word, node.children))

    def word(self, node: nodes.Node) -> str:
        """One piece of a line; a bar in it must not end the cell of a table."""
        match node:
            case nodes.Text():
                return re.sub(r"([\\`*_$<])", r"\\\1", re.sub(r"\s*\n\s*", " ", node))
            case nodes.math():
                tex = " ".join(node.astext().split())
                if _in_table(node):
                    tex = re.sub(r"(\\?)\|", lambda m: r"\Vert " if m[1] else r"\vert ", tex)
                return f"${tex}${node.get('behind', '')}"
            case nodes.literal():
                code = node.astext().replace("|", r"\|") if _in_table(node) else node.astext()
                return f"`` {code} ``" if "`" in code else f"`{code}`"
            case nodes.emphasis():
                return f"*{self.words(node)}*"
            case nodes.strong():
                return f"**{self.words(node)}**"
            case nodes.reference() | number_reference():
                return self._link(node)
            case nodes.inline():
                return self.words(node)
            case nodes.target():
                return ""
        raise self._unknown(node)

    def _link(self, node: nodes.Element) -> str:
        words, address = self.words(node), node.get("refuri", "")
        if "bibtex-citation" in node.parent.get("classes", ()):
            self.cited[node["reftitle"]] = None
        if address and node.get("internal"):
            address = self.address and urljoin(self.address, address)
        return f"[{words}]({address})" if address else words

    def _unknown(self, node: nodes.Node) -> SphinxError:
        return SphinxError(
            f"{self.page}: expected what Markdown can hold; got {type(node).__name__}. "
            "Say in _ext/plain_markdown.py how it is written."
        )


def _in_table(node: nodes.Node) -> bool:
    while node is not None and not isinstance(node, nodes.entry):
        node = node.parent
    return node is not None
