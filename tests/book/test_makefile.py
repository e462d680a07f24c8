"""The Makefile's own promises."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def make(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run make in a folder that has a copy of the Makefile."""
    for name in ("Makefile", "pyproject.toml", "requirements.txt", "requirements-test.txt"):
        shutil.copy2(ROOT / name, folder / name)
    command = ["make", "--no-print-directory", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_help_lists_every_target_with_a_line(tmp_path: Path) -> None:
    listed = make(tmp_path, "help").stdout.split("\n")[:-1]
    names = [line.split()[1] for line in listed]
    phony = next(x for x in (ROOT / "Makefile").read_text().split("\n") if x.startswith(".PHONY"))
    assert sorted(names) == sorted(phony.removeprefix(".PHONY:").split())
    assert all(len(line.split()) > 3 for line in listed)


@pytest.mark.parametrize("what", ["missing", "too old"])
def test_an_unsuitable_python_is_said_in_one_line(tmp_path: Path, what: str) -> None:
    python = tmp_path / "python"
    if what == "too old":
        # This Python, saying that it is another.
        lie = "import sys; sys.version_info = (3, 9, 18); exec(sys.argv[2])"
        python.write_text(f"#!/bin/sh\nexec {sys.executable} -c '{lie}' \"$@\"\n")
        python.chmod(0o755)
    ended = make(tmp_path, f"PYTHON={python}", "book")
    assert ended.returncode != 0
    (line,) = ended.stdout.splitlines()
    assert "needs Python 3.10 or later" in line
    assert "apt install python3-venv" in line
    assert not (tmp_path / ".venv").exists()


def test_a_build_that_failed_fails_again(new_book) -> None:
    book = new_book()
    # One fault is found when the page is read, the other when it is written.
    book.page("wrong", "# Wrong\n\n```{exersise}\n```\n\n![](_static/favicon.svg)")
    (book.root / ".venv").symlink_to(sys.prefix)
    for _ in range(2):
        # What .venv holds is taken as it is.
        ended = make(book.root, "-o", ".venv/.book", "book")
        assert ended.returncode != 0
        assert "Unknown directive type: 'exersise'" in ended.stderr
        assert "image without alternative text" in ended.stderr
