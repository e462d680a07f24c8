"""The claims ledger: a claim on a page carries a link to the test that stands behind it.

A claim is a directive of sphinx-proof whose label starts with ``claim-``. A test stands behind
it when it carries the marker ``@pytest.mark.claim(label, kind=..., holds=..., false=[...])``.
This extension reads the markers from the test files' text (nothing is imported), adds to every
claim a line with the kind of check, the false variants it rejects and a link to it, and warns
about a claim that has no test: with ``-W`` the build fails.
"""

from __future__ import annotations

import ast
import subprocess
from dataclasses import dataclass
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util import logging

logger = logging.getLogger(__name__)

PREFIX = "claim-"
TESTS = Path("tests", "claims")
MUST_BE_CLAIMS = ("theorem", "proposition", "lemma", "corollary", "observation")

#: What stands behind a claim, by the marker's ``kind``, in the words of the page.
KINDS = {
    "exact": "in closed form",
    "instances": "on instances",
    "spectrum": "by eigenvalues",
    "enumeration": "case by case",
    "worst case": "on the worst case",
    "counterexample": "by example",
    "statistical": "by sampling",
}


@dataclass(frozen=True)
class ClaimTest:
    """A test that names a claim."""

    label: str
    kind: str
    false: int
    reason: str
    path: str
    line: int
    name: str


def read_tests(root: Path) -> list[ClaimTest]:
    """Return the tests below ``root``/tests/claims that carry the marker, by file and line."""
    found = []
    for path in sorted((root / TESTS).glob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef):
                for mark in node.decorator_list:
                    if isinstance(mark, ast.Call) and ast.unparse(mark.func).endswith("mark.claim"):
                        found.append(_read_marker(mark, node, path.relative_to(root)))
    return sorted(found, key=lambda test: (test.path, test.line))


def _read_marker(mark: ast.Call, function: ast.FunctionDef, path: Path) -> ClaimTest:
    """Return what a marker says; its arguments must be literals."""
    try:
        (label,) = map(ast.literal_eval, mark.args)
        given = {str(word.arg): ast.literal_eval(word.value) for word in mark.keywords}
        return ClaimTest(
            label,
            given["kind"],
            len(given["false"]),
            given.get("reason", ""),
            path.as_posix(),
            function.lineno,
            function.name,
        )
    except (ValueError, KeyError) as error:
        raise ValueError(
            f"{path}:{function.lineno}: the claim marker of {function.name} must be "
            f"claim(label, kind=..., holds={{...}}, false=[{{...}}, ...]) with literals only."
        ) from error


def commit(root: Path) -> str:
    """Return the commit of the tree, to which links point so that lines do not drift."""
    done = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=root, capture_output=True, text=True, check=False
    )
    return done.stdout.strip() or "main"


def add_links(app: Sphinx, doctree: nodes.document) -> None:
    """Append the line about its tests to every claim of a page; warn where there is none."""
    tests = app.env.claim_tests  # type: ignore[attr-defined]
    theme_options = app.config.html_theme_options
    base = f"{theme_options['repository_url'].rstrip('/')}/blob/{commit(Path(app.srcdir))}"
    for node in doctree.findall(nodes.Element):
        if "realtype" not in node:  # what sphinx-proof sets on its directives
            continue
        label = str(node["label"])
        if not label.startswith(PREFIX):
            if node["realtype"] in MUST_BE_CLAIMS:
                logger.warning(
                    "a %s must be a claim: give it a label that starts with %r",
                    node["realtype"],
                    PREFIX,
                    location=node,
                    type="claims",
                )
            continue
        behind = [test for test in tests if test.label == label]
        if not behind:
            logger.warning(
                "claim without a test: %s. Write one in %s with the marker "
                "@pytest.mark.claim(%r, ...)",
                label,
                TESTS.as_posix(),
                label,
                location=node,
                type="claims",
            )
        for test in behind:
            variants = f"{test.false} false version{'s' if test.false > 1 else ''} rejected"
            line = nodes.paragraph(classes=["claim-check"])
            line += nodes.Text(f"Checked {KINDS.get(test.kind, test.kind)}: ")
            line += nodes.reference(
                "", "", nodes.literal(text=test.name), refuri=f"{base}/{test.path}#L{test.line}"
            )
            line += nodes.Text(f", {variants}")
            node += line


def read_ledger(
    app: Sphinx, env: BuildEnvironment, added: set[str], changed: set[str], removed: set[str]
) -> set[str]:
    """Read the markers; when one has changed, have every page read again."""
    before = getattr(env, "claim_tests", None)
    env.claim_tests = read_tests(Path(app.srcdir))  # type: ignore[attr-defined]
    return set(env.found_docs) if before != env.claim_tests else set()  # type: ignore[attr-defined]


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.connect("env-get-outdated", read_ledger)
    app.connect("doctree-read", add_links)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
