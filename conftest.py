"""How the notebooks' outputs are compared when they are run again, and what waits for MXNet.

Text must be equal to the letter. A figure is compared by the numbers that it draws, with a
tolerance, and not by its picture: the picture's own text differs between versions of NumPy and
matplotlib, and two pictures that differ in a letter may draw the same curve.
"""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any

from execution import waiting_for_mxnet
from nbval.plugin import IPyNbCell, IPyNbFile

# Tests run side by side, one on each core: a worker's matrix products must not wait for the
# cores of the others.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# Where MXNet has no wheel, what needs it is not collected. Its notebook keeps its outputs.
WAITING = waiting_for_mxnet(
    Path(__file__).parent, "gdcourse/gluon.py", "tests/*/*.py", "chapters/*.ipynb"
)
collect_ignore = WAITING


def pytest_report_header() -> list[str]:
    """Say what is left out."""
    return [f"MXNet is not installed, left out: {', '.join(WAITING)}"] if WAITING else []


# Six digits are stored; four of them are wider than any line is drawn.
RELATIVE = 1e-4


class Figure(dict):  # type: ignore[type-arg]
    """A figure's data, equal to another's up to the tolerance."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, dict) and alike(dict(self), dict(other))

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = None  # type: ignore[assignment]


def alike(one: Any, two: Any, logarithmic: bool = False) -> bool:
    """Say whether two nested structures agree, numbers up to a tolerance.

    A list of numbers is a column of data. Its tolerance is relative to its largest entry, since
    a value next to 0 is drawn on the same axis as the others; beside a logarithmic axis each
    number counts for itself.
    """
    if isinstance(one, dict) and isinstance(two, dict):
        logarithmic = logarithmic or "log" in one.get("scales", [])
        return one.keys() == two.keys() and all(alike(one[k], two[k], logarithmic) for k in one)
    if is_column(one) and is_column(two):
        return columns_alike(one, two, logarithmic)
    if isinstance(one, list) and isinstance(two, list):
        return len(one) == len(two) and all(
            alike(a, b, logarithmic) for a, b in zip(one, two, strict=True)
        )
    return bool(one == two)


def is_column(values: Any) -> bool:
    """Say whether this is a list of numbers, None standing for what is not finite."""
    return isinstance(values, list) and all(
        v is None or isinstance(v, (int, float)) for v in values
    )


def columns_alike(one: list[Any], two: list[Any], logarithmic: bool) -> bool:
    """Say whether two columns agree number by number."""
    if len(one) != len(two):
        return False
    largest = max((abs(v) for v in one if v is not None), default=0.0)
    floor = 0.0 if logarithmic else RELATIVE * largest
    return all(
        a == b if a is None or b is None else math.isclose(a, b, rel_tol=RELATIVE, abs_tol=floor)
        for a, b in zip(one, two, strict=True)
    )


_setup, _sanitize = IPyNbFile.setup, IPyNbCell.sanitize


def setup(self: IPyNbFile) -> None:
    """Leave a figure's picture and tables out: they are made of the data compared instead."""
    _setup(self)
    if "text/html" not in self.skip_compare:
        self.skip_compare = (*self.skip_compare, "text/html")


def sanitize(self: IPyNbCell, output: Any) -> Any:
    """Wrap a figure's data so that they are compared with a tolerance."""
    if isinstance(output, str) and output.startswith('{"name": ') and '"axes": ' in output:
        return Figure(json.loads(output))
    return _sanitize(self, output)


IPyNbFile.setup, IPyNbCell.sanitize = setup, sanitize
