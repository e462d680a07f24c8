"""Execute every notebook of the book in place and store its outputs.

Nothing is stored that changes from one run or machine to the next without a change
of the notebook: no timestamps, no Python version. Where MXNet cannot be installed, the
notebook that needs it is left as it is.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "_ext"))

from execution import NOTEBOOKS, waiting_for_mxnet  # noqa: E402


def strip(notebook: nbformat.NotebookNode) -> None:
    """Remove metadata that says when and where a notebook was executed."""
    notebook.metadata = nbformat.from_dict(
        {
            "kernelspec": {
                "display_name": "Python 3",
                "language": "python",
                "name": "python3",
            },
            "language_info": {"name": "python"},
        }
    )
    for cell in notebook.cells:
        for volatile in ("execution", "collapsed", "ExecuteTime", "trusted"):
            cell.metadata.pop(volatile, None)


def store(path: Path) -> None:
    """Execute one notebook where it stands and write it back."""
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook,
        timeout=600,
        kernel_name="python3",
        record_timing=False,
        coalesce_streams=True,
        resources={"metadata": {"path": str(path.parent)}},
    )
    # One thread, as in a build and in the tests.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    client.execute()
    strip(notebook)
    nbformat.write(notebook, path)


def main(paths: list[Path]) -> int:
    """Store the outputs of the given notebooks, or of all of them."""
    failed = 0
    waiting = waiting_for_mxnet(ROOT, *NOTEBOOKS)
    for path in paths or [path for pattern in NOTEBOOKS for path in sorted(ROOT.glob(pattern))]:
        if path.resolve().relative_to(ROOT.resolve()).as_posix() in waiting:
            print(f"{path.name}  as it is: MXNet is not installed")
            continue
        start = time.perf_counter()
        try:
            store(path)
        except CellExecutionError as error:
            failed += 1
            print(f"{path.name}: {error}", file=sys.stderr)
        else:
            print(f"{path.name}  {time.perf_counter() - start:.1f} s")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main([Path(argument) for argument in sys.argv[1:]]))
