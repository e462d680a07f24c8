"""Every page of the book, as a reader's browser shows it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route

AXE = Path(__file__).parent / "axe" / "axe.min.js"
DESK, PHONE = 1280, 390

Open = Callable[..., Page]

# Images in the text that a screen reader would come to, with their descriptions. What
# stands in a button or a formula, or is an icon of the theme's, belongs to those.
IMAGES = """
() => [...document.querySelectorAll('article img, article svg, article figure')]
  .filter(e => !e.closest('[aria-hidden="true"], button, .katex'))
  .map(e => {
    const inner = e.tagName === 'FIGURE' ? e.querySelector('img, svg') : e;
    const text = inner && (inner.getAttribute('alt') || inner.getAttribute('aria-label'));
    return [e.outerHTML.slice(0, 120), text || ''];
  })
"""


@pytest.fixture
def open_page(browser: Browser, site: str) -> Iterator[Open]:
    """Return what opens a page in a window of its own and notes what goes wrong."""
    contexts = []

    def opener(path: str, width: int = DESK, mode: str = "light") -> Page:
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=mode)
        contexts.append(context)
        context.add_init_script(
            f"localStorage.setItem('mode', '{mode}');localStorage.setItem('theme', '{mode}');"
        )
        page = context.new_page()
        page.trouble = []

        def only_ours(route: Route) -> None:
            if route.request.url.startswith((site, "data:", "blob:")):
                route.continue_()
            else:
                page.trouble.append(f"asked for {route.request.url}")
                route.abort()

        def note_failure(response: Any) -> None:
            if response.status >= 400:
                page.trouble.append(f"{response.status} for {response.url}")

        def note_console(message: Any) -> None:
            if message.type == "error":
                page.trouble.append(f"console: {message.text}")

        page.route("**/*", only_ours)
        page.on("response", note_failure)
        page.on("console", note_console)
        page.on("pageerror", lambda error: page.trouble.append(f"error: {error}"))
        page.goto(site + path)
        return page

    yield opener
    for context in contexts:
        context.close()


def test_opens_without_an_error_or_a_request_to_another_host(path: str, open_page: Open) -> None:
    page = open_page(path)
    page.wait_for_load_state("networkidle")
    # What loads late loads when it comes into view.
    page.evaluate("window.scrollTo(0, document.body.scrollHeight)")
    page.wait_for_load_state("networkidle")
    assert page.trouble == []


@pytest.mark.parametrize("mode", ["light", "dark"])
@pytest.mark.parametrize("width", [DESK, PHONE])
def test_has_no_barrier_that_axe_finds(path: str, width: int, mode: str, open_page: Open) -> None:
    page = open_page(path, width, mode)
    page.add_script_tag(path=AXE)
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    assert [
        (violation["id"], node["html"][:200], node["failureSummary"])
        for violation in found["violations"]
        for node in violation["nodes"]
    ] == []


def test_does_not_scroll_sideways_on_a_phone(path: str, open_page: Open) -> None:
    page = open_page(path, PHONE)
    # A wide element can widen the page, or be cut off where nobody can scroll to it.
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE
    assert page.evaluate("document.querySelector('main').scrollWidth") <= PHONE


def test_the_root_leads_to_the_first_page(open_page: Open) -> None:
    page = open_page("")
    page.wait_for_url("**/intro.html")
    assert page.title() == "Gradient descent, checked"


def test_describes_every_figure(path: str, open_page: Open) -> None:
    page = open_page(path)
    bare = [html for html, text in page.evaluate(IMAGES) if len(text.split()) < 3]
    assert bare == []


def test_gives_no_id_twice(path: str, open_page: Open) -> None:
    ids = open_page(path).evaluate("[...document.querySelectorAll('[id]')].map((e) => e.id)")
    repeated = {name for name, count in Counter(ids).items() if count > 1}
    # The theme's own search page holds the search field and the one of its dialog.
    assert repeated <= {"search-input"}
