"""Say at the end of a build how long each notebook took, and where the pages are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from myst_nb.sphinx_ import NbMetadataCollector
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util import logging

logger = logging.getLogger(__name__)


def seconds(env: BuildEnvironment) -> Iterator[tuple[str, float]]:
    """Yield every notebook that was executed with the seconds that it took."""
    for docname in sorted(env.found_docs):
        data = NbMetadataCollector.get_exec_data(env, docname)
        if data is not None and data["runtime"] is not None:
            yield docname, data["runtime"]


def report(app: Sphinx, exception: Exception | None) -> None:
    """Print the table. A notebook that did not change keeps its earlier time."""
    if exception is not None or app.builder.format != "html":
        return
    table = list(seconds(app.env))
    width = max((len(docname) for docname, _ in table), default=0)
    for docname, runtime in table:
        logger.info("%s  %5.1f s", docname.ljust(width), runtime)
    logger.info("The book is at %s", (Path(app.outdir) / "index.html").as_uri())


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.connect("build-finished", report)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
