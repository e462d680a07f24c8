"""Rewrite the chapters for readers of live notebooks, who see no directives.

The published pages are built from the chapters as they are. Where a chapter is opened as a
notebook (Binder, Colab, a laptop), a program that does not know Sphinx's directives would show
them as code. So they are replaced with plain Markdown, with the values of the stored outputs
where the text has a glued number, and a first cell on top installs the package on Colab.

As an extension, this gives the download button the rewritten notebooks, and sends the launch
buttons to the branch ``live``. As a script it makes what that branch holds:

    python _ext/live_notebooks.py TARGET

writes the notebooks below TARGET, in the folders where they stand here.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import framework_tabs
import nbformat
import yaml
from docutils import nodes
from execution import MXNET
from pybtex.database import BibliographyData, parse_file
from sphinx.application import Sphinx

ROOT = Path(__file__).parent.parent
NOTEBOOKS = [ROOT / "intro.ipynb", *sorted((ROOT / "chapters").glob("*.ipynb"))]

LIVE_BRANCH = "live"

INSTALL = """\
# On Colab this installs the course's package; elsewhere it is there already.
import importlib.util

if importlib.util.find_spec("gdcourse") is None:
    %pip install --quiet "gdcourse[plot] @ git+{address}"
"""

# The chapter that needs MXNet. Colab has a Python and a NumPy of its own.
INSTALL_MXNET = """\
# On Colab this installs the course's package and MXNet; elsewhere they are there already.
import importlib.metadata
import importlib.util
import sys

if importlib.util.find_spec("mxnet") is None and sys.version_info < (3, 13):
    %pip install --quiet "gdcourse[plot,gluon] @ git+{address}"
if importlib.util.find_spec("mxnet") is None:
    print("There is no MXNet for this Python or this computer. Read this chapter as it is, "
          "or open it on Binder, where it runs.")
elif getattr(sys.modules.get("numpy"), "__version__", None) not in (
    None, importlib.metadata.version("numpy")
):
    print("Another NumPy was installed, which MXNet needs. Restart the session "
          "(Runtime, Restart session), and run the cells from here on.")
"""

FENCE = re.compile(
    r"^(?P<fence>`{3,})\{(?P<name>[\w:-]+)\}[ ]*(?P<title>[^\n]*)\n(?P<body>.*?)^(?P=fence)[ ]*$",
    re.MULTILINE | re.DOTALL,
)
EQUATION = re.compile(
    r"(?P<formula>\$\$\n(?:(?!\$\$).)*?)\n?\$\$ \((?P<label>eq-[\w-]+)\)", re.DOTALL
)
OPTION = re.compile(r"\A(?::(\w+):[ ]*([^\n]*)\n)")


def glued_values(notebook: nbformat.NotebookNode) -> dict[str, str]:
    """Return the texts that the cells of a notebook glue, by their names."""
    values = {}
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            scrap = output.get("metadata", {}).get("scrapbook")
            if scrap:
                text = output["data"][scrap["mime_prefix"] + "text/plain"]
                values[scrap["name"]] = ast.literal_eval(text)
    return values


def titles(notebooks: dict[Path, nbformat.NotebookNode]) -> dict[str, str]:
    """Return what a reference to a labelled directive or equation says, by its label."""
    found = {}
    for path, notebook in notebooks.items():
        chapter = re.match(r"0*([1-9]\d*)-", path.name)  # as the page numbers its equations
        equations = 0
        for cell in notebook.cells:
            for match in EQUATION.finditer(cell.source):
                equations += 1
                number = f"{chapter[1]}.{equations}" if chapter else f"{equations}"
                found[match["label"]] = f"({number})"
            for match in FENCE.finditer(cell.source):
                label = re.search(r"^:label: (\S+)", match["body"], re.MULTILINE)
                if label:
                    found[label[1]] = f"*{match['title']}*"
    return found


def citation(keys: str, library: BibliographyData, *, in_text: bool = False) -> str:
    """Return a citation in words: (Cauchy, 1847), or Cauchy (1847) in the text."""
    cited = []
    for key in keys.split(","):
        entry = library.entries[key.strip()]
        names = [" ".join(person.last_names) for person in entry.persons["author"]]
        who = {1: names[0], 2: " and ".join(names)}.get(len(names), f"{names[0]} et al.")
        year = entry.fields["year"]
        cited.append(f"{who} ({year})" if in_text else f"{who}, {year}")
    return " and ".join(cited) if in_text else f"({'; '.join(cited)})"


def flatten_directive(match: re.Match[str]) -> str:
    """Return a directive as plain Markdown."""
    name, title, body = match["name"], match["title"].strip(), match["body"]
    while OPTION.match(body):
        body = OPTION.sub("", body, count=1)
    body = FENCE.sub(flatten_directive, body).strip()
    if name == "prf:proof":
        return f"*Proof.* {body} ∎"
    if name.startswith("prf:") or name == "exercise":
        kind = name.removeprefix("prf:").capitalize()
        return f"---\n**{kind}** ({title}). {body}\n\n---"
    if name == "solution":
        return f"<details><summary>Solution</summary>\n\n{body}\n\n</details>"
    if name == "solution-start":
        return "*The solution: unfold the cells up to the next exercise or heading.*"
    if name == "solution-end":
        return ""
    if name in framework_tabs.MADE:
        return framework_tabs.markdown(name, title, live=True)
    raise ValueError(f"no plain form is known for the directive {name!r}: add one here.")


def number_equations(text: str, names: dict[str, str]) -> str:
    """Return the text with the numbers of the labelled equations."""

    def tag(match: re.Match[str]) -> str:
        number = names[match["label"]].strip("()")
        return f"{match['formula'].rstrip()} \\tag{{{number}}}\n$$"

    return EQUATION.sub(tag, text)


def fold(cells: list[nbformat.NotebookNode]) -> None:
    """Fold the code that only draws, and the code and outputs of solutions, as the page does."""
    solution = False
    for cell in cells:
        if cell.cell_type == "markdown":
            marks = re.findall(r"\{solution-(start|end)\}", cell.source)
            solution = marks[-1] == "start" if marks else solution
        elif solution or {"hide-input", "remove-input"} & set(cell.metadata.get("tags", [])):
            # The first is read by Jupyter, the second by Colab.
            cell.metadata["jupyter"] = {"source_hidden": True, "outputs_hidden": solution}
            cell.metadata["cellView"] = "form"


def flatten(
    notebook: nbformat.NotebookNode, names: dict[str, str], library: BibliographyData, address: str
) -> nbformat.NotebookNode:
    """Return the notebook without directives and roles, with the cell for Colab on top."""
    fold(notebook.cells)
    values = glued_values(notebook)
    roles: dict[str, Callable[[str], str]] = {
        "glue:text": lambda key: values[key],
        "cite:p": lambda keys: citation(keys, library),
        "cite:t": lambda keys: citation(keys, library, in_text=True),
        "prf:ref": lambda label: names[label],
        "ref": lambda label: names[label],
        "eq": lambda label: names[label],
        "term": lambda word: word,
    }
    for cell in notebook.cells:
        if cell.cell_type != "markdown":
            continue
        text = FENCE.sub(flatten_directive, number_equations(cell.source, names))
        cell.source = re.sub(
            r"\{([\w:]+)\}`([^`]+)`", lambda role: roles[role[1]](role[2]), text
        ).strip()
    code = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    install = INSTALL_MXNET if MXNET in code else INSTALL
    first = nbformat.v4.new_code_cell(install.format(address=address), id="install")
    flat: nbformat.NotebookNode = nbformat.v4.new_notebook(
        cells=[first, *notebook.cells], metadata=notebook.metadata, nbformat_minor=5
    )
    return flat


def write_all(target: Path) -> list[Path]:
    """Write the flattened notebooks below the target and return their paths."""
    config = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    library = parse_file(str(ROOT / "references.bib"))
    notebooks = {path: nbformat.read(path, as_version=4) for path in NOTEBOOKS}
    names = titles(notebooks)
    written = []
    for path, notebook in notebooks.items():
        out = target / path.relative_to(ROOT)
        out.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(flatten(notebook, names, library, config["repository"]["url"]), out)
        written.append(out)
    return written


def live_address(url: str, branch: str) -> str:
    """Return the address of a launch button, on the branch with the live notebooks."""
    return re.sub(rf"/{re.escape(branch)}(?=[/?]|$)", f"/{LIVE_BRANCH}", url, count=1)


def send_to_live_branch(
    app: Sphinx,
    pagename: str,
    templatename: str,
    context: dict[str, Any],
    doctree: nodes.document | None,
) -> None:
    """Let the launch buttons open the live notebooks."""
    branch = app.config.html_theme_options["repository_branch"]
    for group in context.get("header_buttons", []):
        if group.get("label") == "launch-buttons":
            for button in group["buttons"]:
                button["url"] = live_address(button["url"], branch)


def offer_for_download(app: Sphinx, exception: Exception | None) -> None:
    """Put the live notebooks where the download button looks."""
    sources = Path(app.outdir) / "_sources"
    if exception is None and sources.is_dir():
        write_all(sources)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.connect("html-page-context", send_to_live_branch, priority=900)  # after the theme
    app.connect("build-finished", offer_for_download)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("Name the folder to write to: python _ext/live_notebooks.py TARGET")
    for path in write_all(Path(sys.argv[1])):
        print(path)
