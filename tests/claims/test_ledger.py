"""The ledger itself: chapters and tests name the same claims, and no test accepts anything."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
import pytest
from claims import KINDS, ClaimTest, read_tests

ROOT = Path(__file__).parents[2]
TESTS = read_tests(ROOT)


def labels_in_chapters() -> list[str]:
    """Return every claim's label in the chapters, in their order."""
    found = []
    for path in sorted((ROOT / "chapters").glob("*.ipynb")):
        for cell in nbformat.read(path, as_version=4).cells:
            if cell.cell_type == "markdown":
                found += re.findall(r"^:label: (claim-\S+)", cell.source, flags=re.MULTILINE)
    return found


def test_chapters_and_tests_name_the_same_claims() -> None:
    """No claim without a test, no test of a claim that nobody makes, no label twice."""
    labels = labels_in_chapters()
    assert len(labels) == len(set(labels))
    assert {test.label for test in TESTS} == set(labels)


@pytest.mark.parametrize("test", TESTS, ids=lambda test: test.name)
def test_marker_says_how_it_is_checked(test: ClaimTest) -> None:
    """A known kind of evidence, and two false variants or one with the reason."""
    assert test.kind in KINDS
    assert test.false >= 2 or (test.false == 1 and test.reason)
