"""A small book with the real configuration, to break on purpose."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).parents[2]

# Without make, on Windows for instance, the Makefile is not what anyone runs.
collect_ignore = [] if shutil.which("make") else ["test_makefile.py"]


@dataclass(frozen=True)
class Build:
    """How a build ended: its exit code and what it printed, without colors."""

    code: int
    printed: str


class Book:
    """A book in a folder of its own."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.pages: list[str] = []
        for name in ("_config.yml", "references.bib", "requirements.txt"):
            shutil.copy2(ROOT / name, root / name)
        for name in ("_ext", "_static", "_templates"):
            shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
        (root / "gdcourse").mkdir()
        (root / "gdcourse" / "__init__.py").write_text("answer = 42\n")
        self.notebook("intro", "print(1)")

    def page(self, name: str, text: str) -> None:
        """Add a page of text."""
        self._list(name)
        (self.root / f"{name}.md").write_text(text + "\n")

    def notebook(self, name: str, *cells: str, tags: tuple[str, ...] = ()) -> None:
        """Add a notebook: a heading and the code cells, each with the tags."""
        self._list(name)
        notebook = nbformat.v4.new_notebook()
        notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
        notebook.cells = [nbformat.v4.new_markdown_cell(f"# {name}")]
        metadata = {"tags": list(tags)}
        notebook.cells += [nbformat.v4.new_code_cell(cell, metadata=metadata) for cell in cells]
        nbformat.write(notebook, self.root / f"{name}.ipynb")

    def _list(self, name: str) -> None:
        self.pages.append(name)
        chapters = "".join(f"  - file: {page}\n" for page in self.pages[1:])
        toc = f"format: jb-book\nroot: {self.pages[0]}\n"
        (self.root / "_toc.yml").write_text(toc + ("chapters:\n" + chapters if chapters else ""))

    def build(self, **environment: str) -> Build:
        """Build the book as the Makefile does, with more variables of the environment."""
        builder = shutil.which("jupyter-book", path=str(Path(sys.executable).parent))
        assert builder, "jupyter-book stands beside the Python that runs the tests"
        command = [builder, "build", ".", "-W", "--keep-going", "-n"]
        log = self.root / "log.txt"
        # Into a file: a pipe is read until every process that a build left has ended.
        with log.open("w") as printed:
            done = subprocess.run(
                command,
                cwd=self.root,
                env=os.environ | environment,
                stdout=printed,
                stderr=printed,
                timeout=300,
                check=False,
            )
        return Build(done.returncode, re.sub(r"\x1b\[[0-9;]*m", "", log.read_text()))

    def html(self, name: str) -> str:
        """Return a page as it was written."""
        return (self.root / "_build" / "html" / f"{name}.html").read_text()


@pytest.fixture(scope="module")
def new_book(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Book]:
    """Return what makes a new small book."""
    return lambda: Book(tmp_path_factory.mktemp("book"))
