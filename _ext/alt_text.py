"""Make an image without alternative text fail the build.

An image needs words for a reader who does not see it: what a sighted one learns from
it. A missing text, a file name and a label of one or two words do not count. This
holds for images that Sphinx knows and for those inside raw HTML, such as the figures
that the notebooks print.
"""

from __future__ import annotations

from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import PurePosixPath

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging

logger = logging.getLogger(__name__)

FEWEST_WORDS = 3


def is_real(alt: str | None, uri: str = "") -> bool:
    """Say whether the text describes something: words, and not the file's name."""
    words = (alt or "").split()
    return len(words) >= FEWEST_WORDS and alt not in (uri, PurePosixPath(uri).stem)


class RawImages(HTMLParser):
    """Collect the images of a piece of HTML, each with its alternative text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, str | None]] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an ``<img>`` or ``<svg>`` unless it is hidden from screen readers."""
        attributes = dict(attrs)
        if attributes.get("aria-hidden") == "true":
            return
        if tag == "img":
            self.found.append((tag, attributes.get("alt")))
        elif tag == "svg":
            self.found.append((tag, attributes.get("aria-label")))


def images(doctree: nodes.document) -> Iterator[tuple[nodes.Node, str, bool]]:
    """Yield every image of a page: where it stands, its name, and whether it is read."""
    for node in doctree.findall():
        if isinstance(node, nodes.image):
            yield node, node["uri"], is_real(node.get("alt"), node["uri"])
        elif isinstance(node, nodes.raw) and "html" in node.get("format", "").split():
            for tag, alt in RawImages(node.astext()).found:
                yield node, f"<{tag}>", is_real(alt)


def check_images(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Warn about every image on the page that has no alternative text."""
    for node, name, read in images(doctree):
        if not read:
            logger.warning(
                "image without alternative text: %s",
                name,
                location=node if node.source else docname,
                type="alt_text",
            )


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.connect("doctree-resolved", check_images)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
