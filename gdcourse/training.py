"""Training a model on data: mini-batches, epochs, and what is recorded on the way."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gdcourse._progress import progress
from gdcourse._types import Array, Model, Optimizer, Schedule
from gdcourse._validation import check_count


@dataclass(frozen=True, eq=False, repr=False)
class History:
    """What was recorded during training; entry 0 of every array is the start.

    Parameters
    ----------
    step : array of int
        Updates taken.
    epoch : array of float
        Passes over the data: ``examples`` divided by the number of examples there are.
    examples : array of int
        Examples whose gradients were computed, with repetition.
    loss : array of float
        Mean loss over all the data.
    lr : array of float
        Learning rate of the last update; at entry 0 that of the first.
    seconds : array of float
        Time spent on updates, without that spent on recording.
    stop : str
        "steps" (all epochs were done) or "diverged" (the next update gave numbers whose
        squares are not finite, and is left out).
    """

    step: Array
    epoch: Array
    examples: Array
    loss: Array
    lr: Array
    seconds: Array
    stop: str

    def __repr__(self) -> str:
        steps = int(self.step[-1])
        end = f"diverged at step {steps + 1}" if self.stop == "diverged" else self.stop
        return (
            f"History({steps} steps, {self.epoch[-1]:.6g} epochs, "
            f"loss {self.loss[0]:.6g} -> {self.loss[-1]:.6g}, stop: {end})"
        )


def minibatches(
    X: Array, y: Array, batch_size: int, rng: np.random.Generator
) -> Iterator[tuple[Array, Array]]:
    """Yield the data in batches, shuffled, every example once.

    Parameters
    ----------
    X : array, shape (n, ...)
        Examples.
    y : array, shape (n, ...)
        Targets.
    batch_size : int, at least 1
        Examples in a batch. The last batch holds what is left: n modulo batch_size examples,
        unless that is 0.
    rng : numpy.random.Generator
        Draws the order: one permutation a call.

    Yields
    ------
    (array, array)
        A batch of X and the batch of y that belongs to it.

    Examples
    --------
    >>> X, y = np.arange(5.0).reshape(5, 1), np.arange(5)
    >>> [len(batch) for batch, _ in minibatches(X, y, 2, np.random.default_rng(0))]
    [2, 2, 1]
    """
    check_count("minibatches", "batch_size", batch_size, 1)
    if len(X) != len(y):
        raise ValueError(f"minibatches: X and y must have as many rows, got {len(X)} and {len(y)}.")
    return _batches(X, y, batch_size, rng)


def _batches(
    X: Array, y: Array, batch_size: int, rng: np.random.Generator
) -> Iterator[tuple[Array, Array]]:
    order = rng.permutation(len(X))
    # One gather an epoch; slices after it are views and cost nothing.
    X, y = X[order], y[order]
    for first in range(0, len(X), batch_size):
        batch = slice(first, first + batch_size)
        yield X[batch], y[batch]


def train(
    model: Model,
    X: Array,
    y: Array,
    optimizer: Optimizer,
    *,
    epochs: int,
    batch_size: int,
    seed: int,
    params: Any = None,
    schedule: Schedule | None = None,
    record_every: int | None = None,
) -> tuple[Array, History]:
    """Train a model with shuffled mini-batches and return its parameters and the history.

    Parameters
    ----------
    model : a model of :mod:`gdcourse.models`
    X : array of floats, shape (n, d)
        Design matrix.
    y : array, shape (n,)
        Targets.
    optimizer : a rule of :mod:`gdcourse.optimizers`
    epochs : int, at least 0
        Passes over the data.
    batch_size : int, at least 1
        Examples per update; the last batch of an epoch may be shorter.
    seed : int, at least 0
        Feeds two independent streams, one for the start and one for the order of the examples:
        giving ``params`` changes no batch.
    params : array, optional
        The start, one flat vector; without it ``model.init`` draws one.
    schedule : callable, t -> lr, optional
        Learning rate of update t = 0, 1, ...; without it the rule's own.
    record_every : int, at least 1, optional
        Examples between records, counted up to the end of the batch that completes them;
        without it one record an epoch. The end is always recorded.

    Returns
    -------
    (array, History)
        The last parameters that were finite, and what was recorded.

    Examples
    --------
    >>> from gdcourse.data import add_intercept, normal_regression
    >>> from gdcourse.models import LinearRegression
    >>> from gdcourse.optimizers import GradientDescent
    >>> X, y, _ = normal_regression(seed=1)
    >>> params, history = train(LinearRegression(), add_intercept(X), y,
    ...                         GradientDescent(lr=0.2), epochs=3, batch_size=10, seed=0)
    >>> np.round(params, 2)
    array([ 2. , -3.4,  4.2])
    >>> history.step
    array([  0, 100, 200, 300])
    """
    check_count("train", "epochs", epochs, 0)
    check_count("train", "batch_size", batch_size, 1)
    check_count("train", "seed", seed, 0)
    if record_every is not None:
        check_count("train", "record_every", record_every, 1)
    X, y = np.asarray(X), np.asarray(y)
    for_start, for_order = map(np.random.default_rng, np.random.SeedSequence(seed).spawn(2))
    drawn = model.init(X, y, for_start)
    start = drawn if params is None else np.array(params, dtype=np.float64)
    if start.shape != drawn.shape:
        raise ValueError(
            f"train: params must have shape {drawn.shape} for this model and data, "
            f"got {start.shape}."
        )
    if not np.isfinite(start).all():
        raise ValueError(f"train: params must be finite, got {start}.")
    params, state = start, optimizer.init(start)

    n, every = len(y), record_every or len(y)
    rule: Any = optimizer if schedule is None else replace(optimizer, lr=schedule(0))  # type: ignore[type-var]
    rate = rule.lr
    step = examples = 0
    due, stop = every, "steps"
    batches = (batch for _ in range(epochs) for batch in _batches(X, y, batch_size, for_order))
    total = epochs * math.ceil(n / batch_size)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        records = [(0, 0, model.loss_and_grad(params, X, y)[0], rate, 0.0)]
        clock = time.perf_counter()
        recording = 0.0
        for batch_X, batch_y in progress(batches, total, "train"):
            _, grad = model.loss_and_grad(params, batch_X, batch_y)
            if schedule is not None:
                rule = replace(rule, lr=schedule(step))
            new, state = rule.update(params, grad, state)
            # The square of the norm: one product, several times as fast as isfinite(new).all().
            if not math.isfinite(new.dot(new)):
                stop = "diverged"
                break
            params, rate = new, rule.lr
            step += 1
            examples += len(batch_y)
            if examples >= due or step == total:
                now = time.perf_counter()
                loss = model.loss_and_grad(params, X, y)[0]
                records.append((step, examples, loss, rate, now - clock - recording))
                recording += time.perf_counter() - now
                due = (examples // every + 1) * every
        if step > records[-1][0]:  # it diverged between two records
            now = time.perf_counter()
            loss = model.loss_and_grad(params, X, y)[0]
            records.append((step, examples, loss, rate, now - clock - recording))
    steps, seen, losses, rates, seconds = map(np.array, zip(*records, strict=True))
    return params, History(steps, seen / n, seen, losses, rates, seconds, stop)
