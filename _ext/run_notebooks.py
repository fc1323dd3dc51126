"""Execute the chapters before Sphinx reads them, side by side, and say how long each took.

MyST-NB executes one notebook after the other, and jupyter-cache looks only at the cells: it does
not notice that the library behind them has changed.
Here the cache is named after a fingerprint of the library and the pins, so a change to either
executes every chapter again, and the stale ones run side by side.
MyST-NB's own client does the work, so what it reads afterwards is what was cached here.
"""

import hashlib
import os
import shutil
from concurrent.futures import ThreadPoolExecutor, as_completed
from functools import partial
from pathlib import Path

from jupyter_cache import get_cache
from myst_nb.core.execute import cache, create_client
from myst_nb.core.execute.base import ExecutionError
from myst_nb.core.read import create_nb_reader
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.environment import BuildEnvironment
from sphinx.errors import SphinxError
from sphinx.util import logging

# What a cell prints comes in pieces that end anywhere. Joined here, they do not become lines.
cache.single_nb_execution = partial(cache.single_nb_execution, coalesce_streams=True)

ROOT = Path(__file__).parents[1]
logger = logging.getLogger(__name__)


class NotebookFailure(SphinxError):
    """A cell raised; its traceback has been shown."""

    category = "Notebook failed"


def fingerprint(root: Path) -> str:
    """Digest of everything that can change a notebook's outputs except the notebook itself."""
    digest = hashlib.sha256()
    sources = sorted(p for p in (root / "lib").rglob("*") if p.suffix in {".py", ".js", ".css"})
    for path in [root / "requirements.txt", *sources]:
        digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def name_cache(app: Sphinx, config: Config) -> None:
    """Point MyST-NB at the cache of this fingerprint and drop the caches of others.

    Pages and slides are built at once, each with a cache of its own.
    """
    caches = Path(app.outdir).with_name(f"executed-{Path(app.outdir).name}")
    current = caches / fingerprint(ROOT)
    for stale in caches.glob("*"):
        if stale != current:
            shutil.rmtree(stale)
    # Sphinx compares this value with the last build's: a new one makes it read every page again.
    config.nb_execution_cache_path = str(current)


def run_one(env: BuildEnvironment, docname: str) -> float | None:
    """Execute one notebook, or take it from the cache; its run time, None if it has no code."""
    path = env.doc2path(docname)
    text = Path(path).read_text(encoding="utf-8")
    config = env.mystnb_config.copy(execution_raise_on_error=True)
    reader = create_nb_reader(path, env.myst_config, config, text)
    if reader is None:
        return None
    with create_client(reader.read(text), path, config, logger, reader.read_fmt) as client:
        return (client.exec_metadata or {}).get("runtime")


def largest_first(env: BuildEnvironment, docnames: list[str]) -> list[str]:
    """The pages by falling size: a long notebook that starts last leaves the other cores idle.

    A cold build knows no run times yet, and size is near enough: a chapter with more text
    computes more.
    """
    return sorted(docnames, key=lambda name: (-Path(env.doc2path(name)).stat().st_size, name))


def run_all(app: Sphinx, env: BuildEnvironment, docnames: list[str]) -> None:
    """Execute all notebooks among the pages to be read, as many at a time as there are cores."""
    # The data base is made on first use; two threads that both find none would both make it.
    get_cache(env.mystnb_config.execution_cache_path).list_cache_records()
    failed = []
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        jobs = {pool.submit(run_one, env, name): name for name in largest_first(env, docnames)}
        logger.info("executing the notebooks among %d pages", len(jobs))
        for done, job in enumerate(as_completed(jobs), start=1):
            try:
                seconds = job.result()
            except ExecutionError:
                failed.append(jobs[job])
                continue
            if seconds is not None:
                logger.info("[%d/%d] %s ran in %.1f s", done, len(jobs), jobs[job], seconds)
    if failed:
        raise NotebookFailure(f"{', '.join(sorted(failed))}: see the traceback above")


def report(app: Sphinx, exception: Exception | None) -> None:
    """Write how long each notebook took beside what was built, for make to show."""
    if exception is not None:
        return
    runs = {name: data.get("exec_data") for name, data in app.env.nb_metadata.items()}
    lines = [f"{run['runtime']:7.1f} s  {name}" for name, run in sorted(runs.items()) if run]
    target = Path(app.outdir)
    target.with_name(f"timings-{target.name}.txt").write_text("\n".join(lines) + "\n")


def setup(app: Sphinx) -> dict:
    """Register the extension; it must come after MyST-NB, whose configuration it sets."""
    app.connect("config-inited", name_cache)
    app.connect("env-before-read-docs", run_all)
    app.connect("build-finished", report)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
