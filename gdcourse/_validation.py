"""Checks of what a caller hands over, written as what must hold, so that nan fails."""

from __future__ import annotations

import math
import numbers
from typing import Any

import numpy as np


def check_interval(
    owner: str, name: str, value: Any, low: float, high: float = math.inf, *, open_low: bool = False
) -> None:
    """Raise unless ``low <= value < high`` (``low < value`` with ``open_low``)."""
    condition = f"{low:g} {'<' if open_low else '<='} {name} < {high:g}"
    # A fraction or a decimal is a number too, but an array times one holds objects.
    if isinstance(value, bool) or not isinstance(value, (int, float, np.integer, np.floating)):
        raise TypeError(
            f"{owner}: {name} must be a number with {condition}, got {value!r} "
            f"of type {type(value).__name__}."
        )
    number = float(value)
    if not (low < number if open_low else low <= number) or not number < high:
        raise ValueError(f"{owner}: {name} must satisfy {condition}, got {number!r}.")


def check_count(owner: str, name: str, value: Any, low: int) -> None:
    """Raise unless ``value`` is a whole number of at least ``low``."""
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        raise TypeError(
            f"{owner}: {name} must be a whole number, at least {low}, got {value!r} "
            f"of type {type(value).__name__}."
        )
    if value < low:
        raise ValueError(f"{owner}: {name} must be at least {low}, got {int(value)}.")


def check_choice(owner: str, name: str, value: Any, allowed: tuple[str, ...]) -> None:
    """Raise unless ``value`` is one of the words in ``allowed``."""
    if value not in allowed:
        words = " or ".join(repr(word) for word in allowed)
        raise ValueError(f"{owner}: {name} must be {words}, got {value!r}.")


def check_step(owner: str, x: Any, grad: Any) -> None:
    """Raise unless ``x`` and ``grad`` hold floats and have one shape.

    An integer array would cut every step to whole numbers, and an ``(n,)`` against an
    ``(n, 1)`` would broadcast to ``(n, n)`` without a word.
    """
    x, grad = np.asarray(x), np.asarray(grad)
    for name, array in (("x", x), ("grad", grad)):
        if array.dtype.kind != "f":
            raise TypeError(
                f"{owner}: {name} must hold floats, got dtype {array.dtype}; "
                f"convert it with np.asarray({name}, dtype=float)."
            )
    if x.shape != grad.shape:
        raise ValueError(
            f"{owner}: grad must have the shape of x, {x.shape}, got {grad.shape}; "
            f"reshape it before the step."
        )


def as_start(owner: str, x0: Any) -> np.ndarray[Any, np.dtype[Any]]:
    """Return a float64 copy of ``x0``; raise unless all its entries are finite."""
    told = f"{owner}: x0 must be a number or an array of numbers, got {x0!r}."
    try:
        given = np.asarray(x0)
    except ValueError as error:  # rows of different lengths
        raise TypeError(told) from error
    # NumPy would read the text "3" as 3, and drop the imaginary part of a complex array.
    if given.dtype.kind not in "iuf":
        raise TypeError(told)
    start = given.astype(np.float64)
    if not np.isfinite(start).all():
        raise ValueError(f"{owner}: x0 must be finite, got {start}.")
    return start
