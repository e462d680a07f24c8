"""Repair what the theme and its helpers write into every page.

- sphinx-thebe adds its scripts whether it is used or not. One names another host,
  stands on the page twice and throws an error the second time.
- myst-nb names the line that unfolds a cell otherwise than it reads.
- sphinx-proof and sphinx-exercise give all their boxes the same two ids, which an
  address can't tell apart.
- A browser breaks code inside a sentence at any space, `x - lr *` before `grad`.
- docutils gives the entries of a bibliography a role that screen readers no longer
  know, inside a list that may only hold list items.
"""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config

# A box of sphinx-proof or sphinx-exercise with an id that all of its kind have; a heading
# may well be called the same.
BOX = re.compile(
    r' id="(?:proof|exercise|solution)-content"|(?<=class="proof admonition") id="proof"'
)


def drop_thebe(app: Sphinx, config: Config) -> None:
    """Take back what sphinx-thebe, which jupyter-book always loads, signed up for."""
    for listeners in app.events.listeners.values():
        for listener in list(listeners):
            if listener.handler.__module__ == "sphinx_thebe":
                app.disconnect(listener.id)
    app.registry.css_files[:] = [
        (name, attributes)
        for name, attributes in app.registry.css_files
        if name != "sphinx-thebe.css"
    ]


def keep_short_code_whole(app: Sphinx, doctree: nodes.document) -> None:
    """Mark code in a sentence that fits on a phone's line, so that it is not broken."""
    for node in doctree.findall(nodes.literal):
        if len(node.astext()) <= 24:
            node["classes"].append("short")


def mend_body(
    app: Sphinx,
    pagename: str,
    templatename: str,
    context: dict[str, Any],
    doctree: nodes.document | None,
) -> None:
    """Repair the roles, names and ids of a page's body."""
    if "body" in context:
        body = (
            context["body"]
            .replace('role="doc-biblioentry"', 'role="listitem"')
            .replace('<summary aria-label="Toggle hidden content">', "<summary>")
        )
        context["body"] = BOX.sub("", body)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.connect("config-inited", drop_thebe)
    app.connect("doctree-read", keep_short_code_whole)
    app.connect("html-page-context", mend_body)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
