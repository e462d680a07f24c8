"""The notebooks that readers open live hold text, and no directive or role."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import re
import sys
from pathlib import Path
from types import SimpleNamespace

import live_notebooks
import nbformat
import pytest


@pytest.fixture(scope="module")
def flattened(tmp_path_factory: pytest.TempPathFactory) -> dict[str, nbformat.NotebookNode]:
    """Return every live notebook, by its file's name."""
    paths = live_notebooks.write_all(tmp_path_factory.mktemp("live"))
    return {path.name: nbformat.read(path, as_version=4) for path in paths}


def test_no_directive_and_no_role_is_left(flattened: dict[str, nbformat.NotebookNode]) -> None:
    for name, notebook in flattened.items():
        for cell in notebook.cells:
            if cell.cell_type == "markdown":
                assert not re.search(r"```\{|\{[a-z:]+\}`|^:\w+:|\$\$ \(", cell.source, re.M), name


def test_every_notebook_of_the_book_is_there(flattened: dict[str, nbformat.NotebookNode]) -> None:
    here = {path.name for path in (live_notebooks.ROOT / "chapters").glob("*.ipynb")}
    assert set(flattened) == here | {"intro.ipynb"}


def test_code_and_outputs_are_those_of_the_chapter(
    flattened: dict[str, nbformat.NotebookNode],
) -> None:
    for path in live_notebooks.NOTEBOOKS:
        chapter = nbformat.read(path, as_version=4)
        first, *cells = flattened[path.name].cells
        assert "%pip install" in first.source
        live = [(c.source, c.outputs) for c in cells if c.cell_type == "code"]
        assert live == [(c.source, c.outputs) for c in chapter.cells if c.cell_type == "code"]


class TestTheFirstCellOfTheChapterOnMXNet:
    """What it says to a reader, for what is there and what is loaded."""

    def told(self, flattened, monkeypatch, capsys, version, has_mxnet, loaded) -> tuple[str, bool]:
        """Run the cell; return what it printed, and whether it installed anything."""
        source = flattened["18-gluon.ipynb"].cells[0].source
        installed = []
        source = re.sub(r"%pip.*", "installed.append(1)", source)
        there = ["numpy", "mxnet"] if has_mxnet else ["numpy"]
        monkeypatch.setattr(sys, "version_info", version)
        monkeypatch.setitem(sys.modules, "numpy", SimpleNamespace(__version__=loaded))
        monkeypatch.setattr(importlib.util, "find_spec", lambda name: name in there or None)
        monkeypatch.setattr(importlib.metadata, "version", lambda name: "1.26.4")
        exec(compile(source, "cell", "exec"), {"installed": installed})
        return capsys.readouterr().out, bool(installed)

    @pytest.mark.parametrize(
        ("version", "has_mxnet", "loaded", "words", "installs"),
        [
            ((3, 11), True, "1.26.4", "", False),
            ((3, 12), True, "2.0.2", "Another NumPy was installed", False),
            ((3, 12), False, "2.0.2", "There is no MXNet", True),
            ((3, 13), False, "2.4.0", "There is no MXNet", False),
        ],
    )
    def test_cell(
        self, flattened, monkeypatch, capsys, version, has_mxnet, loaded, words, installs
    ) -> None:
        told, installed = self.told(flattened, monkeypatch, capsys, version, has_mxnet, loaded)
        assert told.startswith(words)
        assert bool(told) == bool(words)
        assert installed == installs

    def test_other_chapters_do_not_install_it(self, flattened) -> None:
        with_it = [name for name, one in flattened.items() if "mxnet" in one.cells[0].source]
        assert with_it == ["18-gluon.ipynb"]


def test_what_the_page_folds_is_folded(flattened: dict[str, nbformat.NotebookNode]) -> None:
    """Code that only draws, and the solutions, of which the outputs tell as much."""
    cells = flattened["02-many-dimensions.ipynb"].cells
    heads = [i for i, cell in enumerate(cells) if cell.source.startswith("*The solution: unfold")]
    assert len(heads) >= 3
    for i in heads:
        assert cells[i + 1].metadata["jupyter"] == {"source_hidden": True, "outputs_hidden": True}
        assert cells[i + 1].metadata["cellView"] == "form"
    code = [cell for cell in cells if cell.cell_type == "code"]
    drawn = [c for c in code if "show_figure(" in c.source and "outputs_hidden" in str(c.metadata)]
    assert any(not cell.metadata["jupyter"]["outputs_hidden"] for cell in drawn)
    seen = [cell for cell in code if "jupyter" not in cell.metadata]
    assert any("checks.diagnose_answer" in cell.source for cell in seen)
    assert not any(
        "show_figure(" in cell.source for cell in seen[1:] if "import" not in cell.source
    )


def test_numbers_and_names_stand_where_the_roles_were() -> None:
    cell = nbformat.v4.new_markdown_cell(
        "It is {glue:text}`a`, says {prf:ref}`claim-b` with {eq}`eq-c`.\n\n"
        "$$\nx = 1\n$$ (eq-c)\n\n"
        "````{prf:theorem} Title\n:label: claim-b\nBody.\n````\n\n"
        "````{solution} ex-d\n:class: dropdown\n```python\nx = 2\n```\n````"
    )
    output = nbformat.v4.new_output(
        "display_data",
        {"application/papermill.record/text/plain": "'0.5'"},
        metadata={"scrapbook": {"name": "a", "mime_prefix": "application/papermill.record/"}},
    )
    notebook = nbformat.v4.new_notebook(
        cells=[cell, nbformat.v4.new_code_cell("glue", outputs=[output])]
    )
    names = live_notebooks.titles({Path("07-name.ipynb"): notebook})
    flat = live_notebooks.flatten(notebook, names, library=None, address="https://example.org")
    text = flat.cells[1].source
    assert "It is 0.5, says *Title* with (7.1)." in text
    assert "x = 1 \\tag{7.1}\n$$" in text
    assert "**Theorem** (Title). Body." in text
    assert "<details><summary>Solution</summary>\n\n```python\nx = 2\n```\n\n</details>" in text


def test_an_unknown_directive_is_refused() -> None:
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_markdown_cell("```{mermaid}\na\n```")]
    )
    with pytest.raises(ValueError, match="mermaid"):
        live_notebooks.flatten(notebook, {}, library=None, address="")


@pytest.mark.parametrize(
    ("url", "live"),
    [
        (
            "https://mybinder.org/v2/gh/a/b/main?urlpath=lab/tree/chapters/main.ipynb",
            "https://mybinder.org/v2/gh/a/b/live?urlpath=lab/tree/chapters/main.ipynb",
        ),
        (
            "https://colab.research.google.com/github/a/b/blob/main/chapters/x.ipynb",
            "https://colab.research.google.com/github/a/b/blob/live/chapters/x.ipynb",
        ),
    ],
)
def test_launch_buttons_open_the_live_branch(url: str, live: str) -> None:
    assert live_notebooks.live_address(url, "main") == live
