"""Keep a full stop or a comma on the line of the formula that it follows.

A browser may break a line on either side of a formula, so that on a narrow screen a
sentence ends in a line with nothing but its full stop. A word joiner forbids the break.
"""

from __future__ import annotations

from docutils import nodes
from sphinx.application import Sphinx

WORD_JOINER = "\u2060"
CLOSING = tuple(".,;:!?)’”")


def join(app: Sphinx, doctree: nodes.document) -> None:
    """Put a word joiner between every formula and the punctuation after it."""
    for node in doctree.findall(nodes.math):
        after = node.next_node(descend=False, siblings=True)
        if isinstance(after, nodes.Text) and after.startswith(CLOSING):
            after.parent.replace(after, nodes.Text(WORD_JOINER + after))


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.connect("doctree-read", join)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
