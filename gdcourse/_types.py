"""The protocols that the loops rely on, so that they import no rule and no model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]
Schedule = Callable[[int], float]


class Optimizer(Protocol):
    """An update rule: see :mod:`gdcourse.optimizers`."""

    @property
    def lr(self) -> float: ...
    def init(self, x: Array) -> Any: ...
    def update(self, x: Array, grad: Array, state: Any) -> tuple[Array, Any]: ...


class Model(Protocol):
    """A model to be trained: see :mod:`gdcourse.models`."""

    def init(self, X: Array, y: Array, rng: np.random.Generator) -> Array: ...
    def loss_and_grad(self, params: Array, X: Array, y: Array) -> tuple[float, Array]: ...
