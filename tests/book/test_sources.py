"""What must hold of the project's files before anything is built."""

from __future__ import annotations

import importlib.metadata
import json
import re
from pathlib import Path

import pytest
import yaml
from sphinxcontrib import katex

import gdcourse

ROOT = Path(__file__).parents[2]
CHAPTERS = ROOT / "chapters"
NOTEBOOKS = [*sorted(ROOT.glob("*.ipynb")), *sorted(CHAPTERS.glob("*.ipynb"))]
MADE = {".git", ".venv", "_build", "build", "__pycache__", "node_modules"}


def sources() -> list[Path]:
    """Return the project's own text files."""
    return [
        path
        for suffix in "bib cff css html ipynb md py toml txt yaml yml".split()
        for path in ROOT.rglob(f"*.{suffix}")
        if not MADE & set(path.relative_to(ROOT).parts) and ".egg-info" not in str(path)
    ]


def code_cells(path: Path) -> list[dict]:
    """Return the code cells of a notebook."""
    return [c for c in json.loads(path.read_text())["cells"] if c["cell_type"] == "code"]


def test_the_table_of_contents_lists_every_chapter_once() -> None:
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text())
    listed = [chapter["file"] for part in toc["parts"] for chapter in part["chapters"]]
    files = [f"chapters/{p.stem}" for p in CHAPTERS.iterdir() if p.suffix in (".md", ".ipynb")]
    assert sorted(listed) == sorted(files)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
class TestNotebook:
    """Stored outputs are those of one run from top to bottom, on no particular machine."""

    def test_was_executed_from_top_to_bottom(self, path: Path) -> None:
        counts = [cell["execution_count"] for cell in code_cells(path)]
        assert counts == list(range(1, len(counts) + 1))

    def test_has_outputs(self, path: Path) -> None:
        assert any(cell["outputs"] for cell in code_cells(path))

    def test_ran_without_an_error_or_a_warning(self, path: Path) -> None:
        for cell in code_cells(path):
            for output in cell["outputs"]:
                expected = "raises-exception" in cell["metadata"].get("tags", [])
                assert output["output_type"] != "error" or expected
                assert output.get("name") != "stderr"

    def test_names_no_machine_and_no_time(self, path: Path) -> None:
        text = path.read_text()
        assert re.findall(r"(?:/(?:home|root|Users|tmp|usr|work)/|[A-Z]:\\\\)[^\s\"']*", text) == []
        assert re.findall(r"0x[0-9a-f]{6,}", text) == []
        assert re.findall(r"\d\d:\d\d:\d\d", text) == []
        assert json.loads(text)["metadata"] == {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        }

    def test_names_every_cell_once(self, path: Path) -> None:
        ids = [cell["id"] for cell in json.loads(path.read_text())["cells"]]
        assert len(ids) == len(set(ids))


def test_there_are_notebooks() -> None:
    assert NOTEBOOKS


def test_the_reference_page_lists_every_public_module() -> None:
    listed = re.findall(r"automodule:: gdcourse\.(\w+)", (CHAPTERS / "api.md").read_text())
    modules = [p.stem for p in (ROOT / "gdcourse").glob("*.py") if not p.stem.startswith("_")]
    assert sorted(listed) == sorted(modules)


def test_the_version_stands_in_the_package_alone() -> None:
    assert importlib.metadata.version("gdcourse") == gdcourse.__version__
    newest = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert newest[1] == gdcourse.__version__
    named = [p.name for p in sources() if re.search(r"^__version__ =", p.read_text(), re.MULTILINE)]
    assert named == ["__init__.py"]


def test_the_repositorys_address_stands_in_one_place() -> None:
    address = yaml.safe_load((ROOT / "_config.yml").read_text())["repository"]["url"]
    assert [p.name for p in sources() if address in p.read_text()] == ["_config.yml"]


def test_the_style_sheet_of_the_formulas_is_of_their_version() -> None:
    css = (ROOT / "_static" / "katex" / "katex.min.css").read_text()
    assert f'content:"{katex.katex_version}"' in css


def test_every_font_of_the_formulas_is_there() -> None:
    folder = ROOT / "_static" / "katex"
    named = re.findall(r"url\((fonts/[^)]*\.woff2)\)", (folder / "katex.min.css").read_text())
    assert sorted(named) == sorted(f"fonts/{p.name}" for p in (folder / "fonts").iterdir())


def test_no_test_is_skipped() -> None:
    ways_out = re.compile(r"\b(importorskip|skipif|skip|xfail)\(|\.mark\.(skip|xfail)")
    found = [p for p in (ROOT / "tests").rglob("*.py") if ways_out.search(p.read_text())]
    assert found == []
