"""MXNet's automatic differentiation for the rules of the course, and Gluon's own Trainer.

The only module that imports mxnet, and the one place that makes NumPy ready for it: MXNet 1.9.1,
its last release, uses six names that NumPy removed in version 1.24, long aliases of Python's own
types (``np.bool`` for ``bool``). They are put back when this module is imported, for the whole
process, so import it before mxnet, or take mxnet from here::

    from gdcourse.gluon import mx

MXNet is no longer developed. It has wheels for Python's then platforms only: Linux on x86-64 and
ARM64 and macOS on Intel. It needs NumPy below 2, and so Python 3.12 or older.
"""

from __future__ import annotations

import math
import platform
import random
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from gdcourse._progress import progress
from gdcourse._types import Array, Optimizer, Schedule
from gdcourse._validation import check_count
from gdcourse.training import History


def _import_mxnet() -> Any:
    """Return mxnet, with the names in NumPy that it needs."""
    here = (
        f"This is Python {platform.python_version()} with NumPy {np.__version__} on "
        f"{platform.system()} {platform.machine()}."
    )
    told = (
        "gdcourse.gluon needs MXNet 1.9.1, which runs on Python 3.10 to 3.12 with NumPy below 2, "
        "on Linux (x86-64, ARM64) and macOS (Intel): pip install 'gdcourse[gluon]'. " + here
    )
    if int(np.__version__.split(".")[0]) >= 2:
        raise ImportError(told)
    for alias in (bool, int, float, complex, object, str):
        if alias.__name__ not in vars(np):
            setattr(np, alias.__name__, alias)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of distutils, and of old ways to write a regex
            import mxnet
    except (ImportError, OSError, AttributeError) as error:
        raise ImportError(told) from error
    return mxnet


mx = _import_mxnet()
