"""A book without a fault is built, and its pages are what a reader needs them to be."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

TEXT = r"""# Page

Written by {cite}`polyak1964`, and $\argmin_x f(x)$ is where $f'(x) = 0$, if anywhere.
A word *a*, or $b$, or $c$: the same words after a formula and after something else.

$$
\begin{aligned}
v_{t+1} &= \mu v_t - \eta \nabla f(x_t) \\
x_{t+1} &= x_t + v_{t+1}
\end{aligned}
$$ (eq-momentum)

Look at {eq}`eq-momentum` and at

![A parabola with four points descending to its minimum](_static/favicon.svg)

```{bibliography}
```
"""

FIGURE = """
from IPython.display import HTML

HTML('<figure><svg role="img" aria-label="A line that falls from 10 to 2"></svg></figure>')
"""

DRAW = "import uuid\n\nprint('drawn', uuid.uuid4())"


@pytest.fixture(scope="module")
def book(new_book):
    """Return a sound book."""
    book = new_book()
    book.page("page", TEXT)
    book.notebook("figure", FIGURE, tags=("hide-input",))
    book.notebook("draw", DRAW)
    return book


@pytest.fixture(scope="module")
def built(book):
    """Return the end of the sound book's first build."""
    return book.build()


def test_it_is_built(built) -> None:
    assert built.code == 0, built.printed


def test_the_build_says_how_long_each_notebook_took_and_where_the_pages_are(built, book) -> None:
    for name in ("draw", "figure"):
        assert re.search(rf"^{name} +\d+\.\d s$", built.printed, re.MULTILINE)
    index = (book.root / "_build" / "html" / "index.html").as_uri()
    assert f"The book is at {index}" in built.printed


class Loaded(HTMLParser):
    """Collect what a browser loads to show a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag, attrs) -> None:
        attributes = dict(attrs)
        if tag in ("script", "img", "iframe", "source", "video", "audio"):
            self.addresses.append(attributes.get("src") or "")
        if tag == "link":
            self.addresses.append(attributes.get("href") or "")


@pytest.mark.parametrize("name", ["intro", "page", "figure"])
def test_a_page_loads_nothing_from_another_host(built, book, name: str) -> None:
    addresses = Loaded(book.html(name)).addresses
    assert len(addresses) > 10
    assert [a for a in addresses if re.match(r"(https?:)?//", a)] == []


def test_formulas_stand_on_the_page_as_html(built, book) -> None:
    html = book.html("page")
    assert html.count('class="katex"') >= 3
    assert "mathjax@" not in html
    assert r"\argmin" not in re.sub(r"<annotation.*?</annotation>", "", html)


def test_a_full_stop_stays_with_its_formula(built, book) -> None:
    html = book.html("page")
    assert r"= 0\textsf{,}</annotation>" in html
    assert "</span> if anywhere" in html
    # Also where something else has the same words after it.
    assert "</span> or " in html
    assert "</span>, or" not in html


def test_thebe_is_gone(built, book) -> None:
    assert "thebe" not in book.html("figure").lower()


def test_the_entries_of_the_bibliography_are_items_of_its_list(built, book) -> None:
    assert 'role="listitem"' in book.html("page")
    assert "doc-biblioentry" not in book.html("page")


def test_a_folded_cell_is_called_what_it_reads(built, book) -> None:
    html = book.html("figure")
    assert "Code behind this" in html
    assert "Toggle hidden content" not in html


def test_a_page_describes_itself(built, book) -> None:
    html = book.html("page")
    assert '<html lang="en"' in html
    assert re.search(r'<meta content="A course on gradient descent[^"]*" name="description"', html)
    assert re.search(r"<title>Page[^<]* Gradient descent, checked</title>", html)
    assert 'rel="icon" href="_static/favicon.svg"' in html


def test_notebooks_are_executed_again_when_the_package_has_changed(built, book) -> None:
    def drawn() -> str:
        assert book.build().code == 0
        return re.search(r"drawn ([-0-9a-f]+)", book.html("draw"))[1]

    first = drawn()
    (book.root / "page.md").write_text(TEXT + "\nOther words.\n")
    assert drawn() == first
    (book.root / "gdcourse" / "__init__.py").write_text("answer = 43\n")
    assert drawn() != first
