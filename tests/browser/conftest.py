"""A local server for the built book, and a Chromium that reads it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from playwright.sync_api import Browser, Playwright, sync_playwright

HTML = Path(__file__).parents[2] / "_build" / "html"
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")


def pages() -> list[str]:
    """Return every page of the built book, as paths below its root.

    index.html holds no page: it leads to the first one.
    """
    found = (path.relative_to(HTML) for path in HTML.rglob("*.html"))
    return sorted(
        path.as_posix()
        for path in found
        if not path.parts[0].startswith("_") and path != Path("index.html")
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that asks for ``path`` once for every page."""
    if "path" in metafunc.fixturenames:
        if not pages():
            raise pytest.UsageError(f"no pages in {HTML}: run `make book` first")
        metafunc.parametrize("path", pages())


def pytest_sessionstart(session: pytest.Session) -> None:
    """Say in one line that Chromium is missing, rather than once for every page."""
    if shutil.which(CHROMIUM) is None:
        raise pytest.UsageError(
            f"no Chromium at {CHROMIUM}: install it (Debian: apt install chromium) "
            "or set the variable CHROMIUM to where it is"
        )


class QuietHandler(SimpleHTTPRequestHandler):
    """Serve files without a line on the terminal for each."""

    def log_message(self, format: str, *args: object) -> None:
        """Print nothing."""


@pytest.fixture(scope="session")
def site() -> Iterator[str]:
    """Serve the built book on a free port of this machine."""
    handler = partial(QuietHandler, directory=str(HTML))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    """Start Playwright once."""
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """Start Chromium once, without its own traffic in the background."""
    arguments = ["--disable-background-networking", "--disable-component-update"]
    if os.name == "posix" and os.geteuid() == 0:
        # Chromium refuses to start its sandbox as root.
        arguments.append("--no-sandbox")
    running = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
    yield running
    running.close()
