"""Where MXNet cannot be installed its notebook keeps its outputs, and a line says so."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import execution
import nbformat
import pytest

ROOT = Path(__file__).parents[2]

# Python runs this module when it starts, and then finds no MXNet.
HIDDEN = """
import importlib.util
import sys

find = importlib.util.find_spec
importlib.util.find_spec = lambda name, *more: None if name == "mxnet" else find(name, *more)
sys.modules["mxnet"] = None
"""


@pytest.fixture(scope="module")
def without_mxnet(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return the variables with which Python does not find MXNet."""
    folder = tmp_path_factory.mktemp("start-up")
    (folder / "sitecustomize.py").write_text(HIDDEN)
    return {"PYTHONPATH": str(folder)}


def test_the_book_is_built_with_the_stored_outputs(new_book, without_mxnet) -> None:
    book = new_book()
    book.notebook("needs", f"{execution.MXNET} mx\n\nprint(mx)")
    book.notebook("other", "print(6 * 7)")
    path = book.root / "needs.ipynb"
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[1].outputs = [nbformat.v4.new_output("stream", text="as it was stored\n")]
    notebook.metadata = nbformat.read(ROOT / "intro.ipynb", as_version=4).metadata
    nbformat.write(notebook, path)
    built = book.build(**without_mxnet)
    assert built.code == 0, built.printed
    assert built.printed.count("MXNet is not installed: needs.ipynb as stored") == 1
    assert "as it was stored" in book.html("needs")
    assert "42" in book.html("other")


def test_what_needs_it_is_not_collected(without_mxnet) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-q", "--verbosity=0"],
        cwd=ROOT,
        env=os.environ | without_mxnet,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout[-2000:]
    line = "MXNet is not installed, left out: gdcourse/gluon.py, tests/claims/test_gluon.py, "
    assert run.stdout.count(line) == 1
    collected = run.stdout.split(line)[1].split("\n", 1)[1]
    for there, left_out in (
        ("17-autodiff.ipynb", "18-gluon.ipynb"),
        ("test_autograd.py", "test_gluon.py"),
        ("gdcourse.autograd.gradient", "gdcourse.gluon.gradient"),
    ):
        assert f" {there}>" in collected
        assert f" {left_out}>" not in collected


def test_here_all_is_run_where_mxnet_is() -> None:
    found = execution.waiting_for_mxnet(ROOT, *execution.NOTEBOOKS)
    assert found == ([] if execution.find_spec("mxnet") else ["chapters/18-gluon.ipynb"])
