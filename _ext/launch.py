"""Where a page can be run: Binder, Colab, a JupyterHub.

``repository: url`` in ``_config.yml`` says where the sources are; while it is empty no page offers
anything. Binder and a JupyterHub open the chapter itself, Colab the notebook made of it, which the
workflow keeps on a branch of its own. A live figure hands out its state as lines of Python; beside
them is where to paste them.
"""

import html
import re
from pathlib import PurePosixPath
from urllib.parse import urlencode

from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.errors import ConfigError

#: The branch that holds the notebooks: Colab reads nothing but repositories.
BRANCH = "notebooks"
REPOSITORY = re.compile(r"https://github\.com/([\w.-]+)/([\w.-]+?)(?:\.git|/)?")


def addresses(options: dict, docname: str, published: bool) -> dict[str, str]:
    """Name of a service → the address that opens this page there.

    Args:
        options: what `_config.yml` says under `repository` and `launch_buttons`, under the names
            that Jupyter Book gives it.
        docname: the page.
        published: whether the book has an address, from which Colab installs the library.
    """
    url, branch = options.get("repository_url"), options.get("repository_branch", "main")
    if not url:
        return {}
    match = REPOSITORY.fullmatch(url)
    if match is None:
        raise ConfigError(
            f"repository: url: expected https://github.com/<owner>/<name>; got {url}. Binder and "
            "Colab are asked for a repository there; leave it empty to offer neither."
        )
    owner, name = match.groups()
    services = options.get("launch_buttons", {})
    binder, colab, hub = (
        (services.get(f"{key}_url") or "").rstrip("/")
        for key in ("binderhub", "colab", "jupyterhub")
    )
    page, notebook = f"lab/tree/{docname}.md", f"{PurePosixPath(docname).name}.ipynb"
    pull = {"repo": url, "branch": branch, "urlpath": f"lab/tree/{name}/{docname}.md"}
    found = {
        "Binder": binder
        and f"{binder}/v2/gh/{owner}/{name}/{branch}?{urlencode({'urlpath': page})}",
        "Colab": colab and published and f"{colab}/github/{owner}/{name}/blob/{BRANCH}/{notebook}",
        "JupyterHub": hub and f"{hub}/hub/user-redirect/git-pull?{urlencode(pull)}",
    }
    return {service: address for service, address in found.items() if address}


def places(body: str, found: dict[str, str]) -> str:
    """The text of a page whose live figures say where their lines of Python run."""
    links = "".join(
        f' · <a href="{html.escape(address)}" target="_blank">Open on {service}</a>'
        for service, address in found.items()
    )
    return re.sub(
        r'<details class="live-python">.*?(?=</details>)',
        lambda lines: lines[0] + links,
        body,
        flags=re.DOTALL,
    )


def take_options(app: Sphinx, config: Config) -> None:
    """Take what Jupyter Book hands to its own theme, which is not this book's."""
    app.launch_options, config.html_theme_options = config.html_theme_options, {}


def offer(app: Sphinx, pagename: str, templatename: str, context: dict, doctree) -> None:
    """Tell the foot of a page with code where it can be run."""
    if pagename in app.env.nb_metadata:
        published = bool(app.config.html_baseurl)
        context["launch"] = found = addresses(app.launch_options, pagename, published)
        context["body"] = places(context["body"], found)


def setup(app: Sphinx) -> dict:
    """Register the extension."""
    app.connect("config-inited", take_options)
    app.connect("html-page-context", offer)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
