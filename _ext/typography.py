"""Spaces at which no line may end: those inside a large number."""

import re

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform

IN_A_NUMBER = re.compile(r"(?<=\d) (?=\d{3}(?!\d))")
VERBATIM = (nodes.literal, nodes.math, nodes.FixedTextElement, nodes.raw)


class Numbers(SphinxPostTransform):
    """Keep each number of one page on one line."""

    default_priority = 230  # after katex_math has looked for the text behind formulas
    formats = ("html",)

    def run(self, **kwargs) -> None:
        """Put no-break spaces where they belong."""
        for text in list(self.document.findall(nodes.Text)):
            if IN_A_NUMBER.search(text) and not isinstance(text.parent, VERBATIM):
                text.parent.replace(text, nodes.Text(IN_A_NUMBER.sub("\u00a0", text)))


def setup(app: Sphinx) -> dict:
    """Register the transform."""
    app.add_post_transform(Numbers)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
