"""Links as notes on paper, where nobody can press them: a number behind each, addresses at the end.

On a screen neither is there, for eyes or for ears.
"""

import re

from sphinx.application import Sphinx

LINK = re.compile(r'<a class="reference external" href="(https?://[^"]+)">(.*?)</a>', re.DOTALL)


def annotate(body: str) -> str:
    """Number the links of a page whose text is not their address, and list where they lead."""
    addresses: dict[str, int] = {}

    def numbered(link: re.Match) -> str:
        address, text = link.groups()
        if text == address:
            return link[0]
        number = addresses.setdefault(address, len(addresses) + 1)
        return f'{link[0]}<span class="print-note">{number}</span>'

    body = LINK.sub(numbered, body)
    if not addresses:
        return body
    rows = "".join(f"<li>{address}</li>" for address in addresses)
    return f'{body}\n<ol class="print-notes">{rows}</ol>\n'


def note(app: Sphinx, pagename: str, templatename: str, context: dict, doctree) -> None:
    """Annotate one page."""
    if "body" in context:
        context["body"] = annotate(context["body"])


def setup(app: Sphinx) -> dict:
    """Register the extension."""
    app.connect("html-page-context", note)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
