"""Execute the notebooks again when what they run on has changed.

Outputs are kept between builds and found again by the code of a notebook's cells
alone. A chapter mostly runs the package, so the outputs are kept under a key made of
the package's files, the requirements and the Python version: when one of them
changes, so does the key, and every notebook is executed.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.config import Config


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
    cache = Path(app.outdir).parent / ".jupyter_cache"
    config.nb_execution_cache_path = str(cache / execution_key(Path(app.srcdir)))


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.connect("config-inited", configure)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
