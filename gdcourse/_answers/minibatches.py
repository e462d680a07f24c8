"""The answers of the chapter on mini-batches."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from gdcourse._answers._kinds import Answer, Code
from gdcourse._types import Array
from gdcourse.models import LinearRegression


def _share_of_the_variance() -> Answer:
    return Answer(
        900 / 999 / 100,
        {
            "That is with replacement; different examples do a little better.": 1 / 100,
            "That is for the typical distance; the variance is its square.": (900 / 999) ** 0.5
            / 10,
            "The factor alone is the gain over draws with replacement; there is 1/B besides.": 900
            / 999,
            "Below stands n - 1: 999. Give three digits.": 0.9 / 100,
            "Below stands n - 1 = 999, and above n - B, not B.": 100 / 999 / 100,
        },
        rtol=5e-4,  # 0.00900 is another answer
    )


def _half_of_the_way() -> Answer:
    return Answer(
        21,
        {
            "That is d; the edge is 2B/(B + d + 1).": 20,
            "There the edge is two thirds of the full step's, which is 2.": 42,
            "That is (d + 1)/2, where the edge is a third of the full step's.": 10.5,
            "With B = 22 the edge is a little above the half.": 22,
            "That is with d + 2, which is for single examples.": 23,
        },
        rtol=1e-6,
    )


def _three_times_the_batch() -> Answer:
    return Answer(
        18 / 24,
        {
            "That is linear scaling, which holds for small rates.": 1.5,
            "That is the rate for batches of 6.": 0.5,
            "That is root scaling.": 0.5 * 3**0.5,
            "Below stands B + d + 1, with d = 5.": 18 / 23,
        },
        rtol=1e-3,
    )


def _weight_in_the_last_batch() -> Answer:
    return Answer(
        3,
        {
            "The other way round: fewer examples share a step of the same length.": 1 / 3,
            "That is for a sum divided by B: then all weigh the same.": 1,
            "The last batch has 100 examples, the others 300.": 10 / 3,
            "That is the number of batches.": 4,
        },
        rtol=1e-3,
    )


def _loss_of_a_pass() -> Answer:
    losses, sizes = np.array([0.2, 0.2, 0.8]), np.array([4, 4, 2])
    return Answer(
        float(losses @ sizes / sizes.sum()),
        {
            "That is the plain mean: the last batch holds two examples, not four.": float(
                losses.mean()
            ),
            "That is the sum over the examples; divide by ten.": float(losses @ sizes),
            "That is the sum of the three.": float(losses.sum()),
            "That divides by 12, as if the last batch were full.": float(losses @ sizes / 12),
        },
        rtol=1e-3,
    )


#: By the label of the exercise.
ANSWERS: dict[str, Callable[[], Answer]] = {
    "ex-mb-variance": _share_of_the_variance,
    "ex-mb-half": _half_of_the_way,
    "ex-mb-rate": _three_times_the_batch,
    "ex-mb-weight": _weight_in_the_last_batch,
    "ex-mb-loss": _loss_of_a_pass,
}


# --- Functions that a reader writes ---


def _batch_gradient(X: Array, y: Array, theta: Array, rows: Array) -> Array:
    return LinearRegression().loss_and_grad(theta, X[rows], y[rows])[1]


_ROWS = np.array([[2.0, 1.0], [1.0, 3.0], [0.5, -1.0], [0.0, 2.0], [1.0, 1.0]])

_GRADIENT = Code(
    _batch_gradient,
    {
        "That is the sum over the batch: divide by how many it holds.": lambda X, y, theta, rows: (
            len(rows) * _batch_gradient(X, y, theta, rows)
        ),
        "That is divided by n; divide by how many the batch holds.": lambda X, y, theta, rows: (
            len(rows) / len(y) * _batch_gradient(X, y, theta, rows)
        ),
        "That is divided by the number of parameters.": lambda X, y, theta, rows: (
            len(rows) / len(theta) * _batch_gradient(X, y, theta, rows)
        ),
        "That is the gradient over all examples: use the rows.": lambda X, y, theta, rows: (
            _batch_gradient(X, y, theta, np.arange(len(y)))
        ),
        "That takes the first examples, as many as there are rows.": lambda X, y, theta, rows: (
            _batch_gradient(X, y, theta, np.arange(len(rows)))
        ),
        "An example that was drawn twice counts twice.": lambda X, y, theta, rows: _batch_gradient(
            X, y, theta, np.unique(rows)
        ),
        "The error is prediction minus target.": lambda X, y, theta, rows: (
            -_batch_gradient(X, y, theta, rows)
        ),
        "With the half in the loss the 2 is gone.": lambda X, y, theta, rows: (
            2 * _batch_gradient(X, y, theta, rows)
        ),
        "Where is y? The error is X[rows] @ theta - y[rows].": lambda X, y, theta, rows: (
            _batch_gradient(X, 0 * y, theta, rows)
        ),
        "That is the mean error, without the inputs that it is to be multiplied with.": (
            lambda X, y, theta, rows: np.mean(X[rows] @ theta - y[rows]) * np.ones(len(theta))
        ),
    },
    (
        (np.array([[1.0], [3.0]]), np.array([2.0, 6.0]), np.array([0.0]), np.array([1, 0])),
        (
            _ROWS,
            np.array([1.0, -2.0, 0.0, 4.0, 2.0]),
            np.array([0.5, -1.0]),
            np.array([3, 0, 4]),
        ),
        (
            _ROWS,
            np.array([0.0, 5.0, 1.0, 1.0, -1.0]),
            np.array([2.0, 1.0]),
            np.array([2, 2, 0, 4]),
        ),
        (_ROWS, np.array([0.0, 5.0, 1.0, 1.0, -1.0]), np.array([2.0, 1.0]), np.array([3])),
    ),
    lambda X, y, theta, rows: (
        f"For X = {X.tolist()}, y = {y.tolist()}, theta = {theta.tolist()} and "
        f"rows = {rows.tolist()}"
    ),
)


def _sizes(n: int, batch_size: int) -> list[int]:
    return [min(batch_size, n - first) for first in range(0, n, batch_size)]


_SIZES = Code(
    _sizes,
    {
        "The last batch is dropped when it is shorter: it holds what is left.": (
            lambda n, batch_size: n // batch_size * [batch_size]
        ),
        "The last batch is as long as the others: it holds only what is left.": (
            lambda n, batch_size: -(-n // batch_size) * [batch_size]
        ),
        "Where nothing is left over, there is an empty batch at the end.": lambda n, batch_size: [
            *(n // batch_size * [batch_size]),
            n % batch_size,
        ],
        "The last batch has taken in what is left over: it is a batch of its own.": (
            lambda n, batch_size: [
                *((n // batch_size - 1) * [batch_size]),
                batch_size + n % batch_size,
            ]
        ),
        "Those are the places where the batches start, not their sizes.": lambda n, batch_size: (
            list(range(0, n, batch_size))
        ),
        "The shorter batch comes last.": lambda n, batch_size: _sizes(n, batch_size)[::-1],
        "A batch size above n makes one batch, of n.": lambda n, batch_size: (
            _sizes(n, batch_size) if batch_size <= n else [batch_size]
        ),
    },
    ((10, 4), (12, 4), (7, 1), (1000, 300), (3, 8)),
    lambda n, batch_size: f"For n = {n} and batch_size = {batch_size}",
)

#: By the label of the exercise.
FUNCTIONS: dict[str, Code] = {
    "ex-mb-gradient": _GRADIENT,
    "ex-mb-sizes": _SIZES,
}
