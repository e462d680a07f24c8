"""Keep a punctuation mark on the line of the formula before it.

A browser may break a line on either side of a formula, so that on a narrow screen a
sentence ends in a line with nothing but its full stop. So the mark is set as the end
of the formula, as text, without serifs like the words around it.
"""

from __future__ import annotations

import re

from docutils import nodes
from sphinx.application import Sphinx

CLOSING = re.compile(r"[.,;:!?)]+")


def join(app: Sphinx, doctree: nodes.document) -> None:
    """Move the punctuation after a formula into it."""
    for node in doctree.findall(nodes.math):
        after = node.next_node(descend=False, siblings=True)
        mark = CLOSING.match(after) if isinstance(after, nodes.Text) else None
        if mark:
            source = f"{node.astext()}\\textsf{{{mark[0]}}}"
            node.replace(node.children[0], nodes.Text(source))
            # By identity: another text of the paragraph may read the same.
            here = next(i for i, child in enumerate(after.parent) if child is after)
            after.parent[here] = nodes.Text(after.astext()[mark.end() :])


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.connect("doctree-read", join)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
