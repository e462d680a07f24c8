"""What an answer is: a number or a function, right and in the ways that people get wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

#: Five examples on which functions of several exercises are tried.
ROWS = np.array([[2.0, 1.0], [1.0, 3.0], [0.5, -1.0], [0.0, 2.0], [1.0, 1.0]])


class Answer(NamedTuple):
    """The right number, the mistakes by their sentence, and the tolerance."""

    right: float
    mistakes: dict[str, float]
    rtol: float = 1e-3


class Code(NamedTuple):
    """The right function, the mistakes by their sentence, what to try, and what to call that.

    The first problem can be checked by hand; the others tell apart what agrees on it.
    """

    right: Callable[..., Any]
    mistakes: dict[str, Callable[..., Any]]
    problems: tuple[tuple[Any, ...], ...]
    describe: Callable[..., str]


class Gradient:
    """A gradient with a name, so that a message can say what was tried."""

    def __init__(self, name: str, grad: Callable[[Any], Any]) -> None:
        self.name, self.grad = name, grad

    def __call__(self, x: Any) -> Any:
        return self.grad(x)

    def __repr__(self) -> str:
        return self.name
