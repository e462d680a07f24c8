"""Execute the notebooks: again when what they run on has changed, and side by side.

Outputs are kept between builds and found again by the code of a notebook's cells
alone. A chapter mostly runs the package, so the outputs are kept under a key made of
the package's files, the requirements and the Python version: when one of them
changes, so does the key, and every notebook is executed.

Read one after the other, the notebooks would keep one core busy. So those without
outputs are executed before, on all cores. One that measures time is left to be
executed alone.

Where MXNet cannot be installed, the notebooks that need it keep the outputs that are
stored in them, and a line says so.
"""

from __future__ import annotations

import hashlib
import logging
import os
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from unittest import mock

from jupyter_cache import get_cache
from jupyter_cache.executors import load_executor
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.environment import BuildEnvironment
from sphinx.util.logging import getLogger

#: The tag of cells whose output is a time.
TIMED = '"nbval-ignore-output"'

#: What a file says that cannot run without MXNet.
MXNET = "from gdcourse.gluon import"

#: Where the book has notebooks.
NOTEBOOKS = ("*.ipynb", "chapters/*.ipynb")


def waiting_for_mxnet(root: Path, *patterns: str) -> list[str]:
    """Return the files, relative to the root, that cannot run because MXNet is not there."""
    if find_spec("mxnet"):
        return []
    paths = [path for pattern in patterns for path in sorted(root.glob(pattern))]
    return [
        path.relative_to(root).as_posix()
        for path in paths
        if MXNET in path.read_text(encoding="utf-8")
    ]


def ingredients(root: Path) -> Iterator[Path]:
    """Yield the files that decide what a notebook prints, its own cells apart."""
    yield root / "requirements.txt"
    for path in sorted((root / "gdcourse").rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            yield path


def execution_key(root: Path) -> str:
    """Return the key of what the notebooks in ``root`` run on."""
    digest = hashlib.sha256(sys.version.encode())
    for path in ingredients(root):
        digest.update(str(path.relative_to(root)).encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:16]


def configure(app: Sphinx, config: Config) -> None:
    """Keep outputs under the key. A changed path makes Sphinx read every page again."""
    root, cache = Path(app.srcdir), Path(app.outdir).parent / ".jupyter_cache"
    config.nb_execution_cache_path = str(cache / execution_key(root))
    waiting = waiting_for_mxnet(root, *NOTEBOOKS)
    config.nb_execution_excludepatterns = [*config.nb_execution_excludepatterns, *waiting]
    if waiting:
        # So that its docstrings can be read all the same.
        config.autodoc_mock_imports = [*config.autodoc_mock_imports, "mxnet"]
        getLogger(__name__).info("MXNet is not installed: %s as stored", ", ".join(waiting))


def execute(app: Sphinx, env: BuildEnvironment, docnames: list[str]) -> None:
    """Fill the cache. A notebook that fails is not in it, and is told of when it is read."""
    cache = get_cache(app.config.nb_execution_cache_path)
    waiting = waiting_for_mxnet(Path(app.srcdir), *NOTEBOOKS)
    paths = [Path(env.doc2path(n)) for n in docnames if f"{n}.ipynb" not in waiting]
    # The last chapters take longest; with them first no core is idle at the end.
    records = [
        cache.add_nb_to_project(str(path))
        for path in sorted(paths, reverse=True)
        if path.suffix == ".ipynb" and TIMED not in path.read_text(encoding="utf-8")
    ]
    if records:
        quiet = logging.getLogger(__name__)
        quiet.setLevel(logging.ERROR)
        # A kernel's matrix products must not wait for the cores of the others.
        threads = {"OPENBLAS_NUM_THREADS": "1"}
        with mock.patch.dict(os.environ, threads):
            load_executor("local-parallel", cache, logger=quiet).run_and_cache(
                filter_pks=[record.pk for record in records],
                timeout=app.config.nb_execution_timeout,
            )


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.connect("config-inited", configure)
    app.connect("env-before-read-docs", execute)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
