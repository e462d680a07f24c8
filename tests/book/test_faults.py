"""Every kind of fault on a page stops the build, and is named with its page."""

from __future__ import annotations

import re

import pytest

# Per page: what stands on it, and what the build must say about it.
FAULTS = {
    "unknown-command": (r"A formula $\alhpa$.", r"bad LaTeX: .*Undefined .*: \\alhpa"),
    "open-brace": (r"A formula $\frac{1}{2$.", "bad LaTeX: "),
    "bad-display": ("$$\n\\begin{aligned} a &= b \\\\ c\n$$", "bad LaTeX: "),
    "letter-outside-text": ("A formula $naïve$.", "bad LaTeX: .*ï"),
    "no-alt": ("![](_static/favicon.svg)", "image without alternative text: _static/favicon.svg"),
    "name-as-alt": ("![favicon](_static/favicon.svg)", "image without alternative text"),
    "two-words-as-alt": ("![A plot](_static/favicon.svg)", "image without alternative text"),
    "raw-img": ('<img src="_static/favicon.svg">', "image without alternative text: <img>"),
    "no-image": ("![What is to be seen here](gone.svg)", "image file not readable: gone.svg"),
    "no-reference": ("See {ref}`nowhere`.", "undefined label: 'nowhere'"),
    "no-equation": ("See {eq}`nowhere`.", "equation not found: nowhere"),
    "no-page": ("See [this](nowhere.md).", "cross-reference target not found: 'nowhere.md'"),
    "no-source": ("See {cite}`nobody1900`.", 'could not find bibtex key "nobody1900"'),
    "no-object": ("See {py:func}`gdcourse.nothing`.", "target not found: gdcourse.nothing"),
    "no-rule": ("```{framework-rule} Adagrid\n```", "framework-rule: 'Adagrid' is none of SGD, "),
    "no-directive": ("```{exersise}\nRun it.\n```", "Unknown directive type: 'exersise'"),
}

HTML = "from IPython.display import HTML\n\n"
FAULTY_CELLS = {
    "raises": ("1 / 0", "Executing notebook failed: CellExecutionError"),
    "stderr": ("import sys\nprint('oh', file=sys.stderr)", "stderr was found in the cell outputs"),
    "bare-figure": (
        HTML + "HTML('<figure><svg role=\"img\"></svg></figure>')",
        "image without alternative text: <svg>",
    ),
    "plot": (
        "import matplotlib.pyplot as plt\n\nplt.plot([1, 2])\nplt.show()",
        "image without alternative text: .*png",
    ),
}


@pytest.fixture(scope="module")
def faulty(new_book):
    """Return the end of the build of a book that has every fault once."""
    book = new_book()
    for name, (text, _) in FAULTS.items():
        book.page(name, f"# {name}\n\n{text}")
    for name, (cell, _) in FAULTY_CELLS.items():
        book.notebook(name, cell)
    return book.build()


def test_a_book_with_faults_is_not_built(faulty) -> None:
    assert faulty.code == 1


@pytest.mark.parametrize("name", [*FAULTS, *FAULTY_CELLS])
def test_a_fault_is_named_with_its_page(faulty, name: str) -> None:
    _, message = (FAULTS | FAULTY_CELLS)[name]
    about_it = [
        line
        for line in faulty.printed.splitlines()
        if re.search(rf"/{name}\.(md|ipynb)\b.*(WARNING|ERROR)", line)
    ]
    assert any(re.search(message, line) for line in about_it), about_it
