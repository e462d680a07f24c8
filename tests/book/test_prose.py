"""What the text of the chapters says is computed, and short enough to be read."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).parents[2]
NOTEBOOKS = [ROOT / "intro.ipynb", *sorted((ROOT / "chapters").glob("*.ipynb"))]

# What is not prose: code, roles with their argument, the targets of links, years and versions.
NOT_PROSE = re.compile(
    r"```python.*?```|\{[\w:]+\}`[^`]*`|`[^`]*`|\]\([^)]*\)|Python 3\.\d+|\b1[89]\d\d\b|\b20\d\d\b",
    re.DOTALL,
)
# A claim's own numbers are what its test checks.
CLAIM = re.compile(r"^(`{3,})\{prf:\w+\}.*?^\1", re.MULTILINE | re.DOTALL)
NUMBER = re.compile(r"(?<![\w.])(?:\d*\.\d+|\d{4,})")


def typed_numbers(notebook: nbformat.NotebookNode) -> list[str]:
    """Return the numbers of three digits or more that stand in the text by hand.

    A number that a visible cell is given as its input may be named in the text.
    """
    code = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    found = []
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            text = NOT_PROSE.sub("", CLAIM.sub("", cell.source))
            found += [
                number
                for number in NUMBER.findall(text)
                if len(number.replace(".", "").lstrip("0")) >= 3 and number not in code
            ]
    return found


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_numbers_in_the_text_come_out_of_cells(path: Path) -> None:
    assert typed_numbers(nbformat.read(path, as_version=4)) == []


def test_a_typed_number_is_found() -> None:
    cell = nbformat.v4.new_markdown_cell("After ten steps it is 1.073, or {glue:text}`x-1.2345`.")
    assert typed_numbers(nbformat.v4.new_notebook(cells=[cell])) == ["1.073"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_outputs_are_of_known_kinds(path: Path) -> None:
    """Text, and figures with the data that they are compared by: nothing goes uncompared."""
    known = {"text/plain", "text/markdown", "application/papermill.record/text/plain"}
    figure = {"application/vnd.gdcourse.figure", "text/html", "text/plain"}
    for cell in nbformat.read(path, as_version=4).cells:
        for output in cell.get("outputs", []):
            kinds = set(output.get("data", {}))
            assert kinds <= known or kinds == figure


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_figure_is_shown(path: Path) -> None:
    """A figure that is not a cell's last expression is drawn and not displayed."""
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "code" and "show_figure(" in cell.source:
            shown = [o for o in cell.outputs if "text/html" in o.get("data", {})]
            assert len(shown) == cell.source.count("show_figure("), cell.source[-300:]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_shown_source_fits_the_page(path: Path) -> None:
    """The column of text holds 72 characters of code; what is longer is cut until one scrolls."""
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "code" and "show_source(" in cell.source:
            for output in cell.outputs:
                lines = output.get("data", {}).get("text/plain", "").splitlines()
                assert [line for line in lines if len(line) > 72] == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_names_of_glued_numbers_are_used_and_unique(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    code = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    given = re.findall(r"\bglue\(\s*\"([^\"]+)\"", code)
    assert len(given) == len(set(given))
    assert set(given) == set(re.findall(r"\{glue:text\}`([^`]+)`", text))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_only_what_takes_time_is_not_compared(path: Path) -> None:
    """A cell whose output may change with the machine measures seconds, and there are few."""
    code = [c for c in nbformat.read(path, as_version=4).cells if c.cell_type == "code"]
    tags = [set(cell.metadata.get("tags", [])) for cell in code]
    free = [cell for cell, own in zip(code, tags, strict=True) if "nbval-ignore-output" in own]
    assert len(free) <= 2
    assert all("perf_counter" in cell.source or ".seconds" in cell.source for cell in free)
    assert not any("nbval-skip" in own for own in tags)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_what_is_clicked_to_open_has_no_formula(path: Path) -> None:
    """A page does not set formulas in a summary, and would show their source."""
    for cell in nbformat.read(path, as_version=4).cells:
        for line in re.findall(r"<summary>.*?</summary>", cell.source, re.DOTALL):
            assert "$" not in line, line
