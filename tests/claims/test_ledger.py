"""The ledger itself: chapters and tests name the same claims, and no test accepts anything."""

from __future__ import annotations

import re
import subprocess
import sys
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


CLAIM = """
import pytest

@pytest.mark.claim("claim-x", kind="exact", holds={{"edge": 2}}, false=[{{"edge": {edge}}}])
def test_x(edge):
    {body}
"""


@pytest.mark.parametrize(
    ("edge", "body", "outcome"),
    [
        (3, "assert edge == 2", "2 passed"),
        (3, "assert edge > 0", "1 failed, 1 passed"),  # accepts a false variant
        (2, "assert edge == 2", "1 failed, 1 passed"),  # the variant is the claim itself
        (3, "assert edge == 3", "2 failed"),  # rejects the claim, accepts the variant
        (3, "if edge == 3: raise ValueError", "1 failed, 1 passed"),  # breaks, which proves nothing
    ],
)
def test_false_variants_must_fail_by_an_assertion(
    tmp_path: Path, edge: int, body: str, outcome: str
) -> None:
    """The mechanism itself, on claims with one false variant each."""
    (tmp_path / "conftest.py").write_text((Path(__file__).parent / "conftest.py").read_text())
    (tmp_path / "test_x.py").write_text(CLAIM.format(edge=edge, body=body))
    options = ["-q", "-p", "no:cacheprovider", "-W", "ignore", "--rootdir", str(tmp_path)]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, "test_x.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert re.sub(r" in .*", "", done.stdout.splitlines()[-1]) == outcome
