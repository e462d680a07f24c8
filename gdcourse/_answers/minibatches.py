"""The answers of the chapter on mini-batches."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from gdcourse._answers._kinds import ROWS, Answer, Code
from gdcourse._types import Array
from gdcourse.models import LinearRegression


def _share_of_the_variance() -> Answer:
    return Answer(
        40 / 49 / 10,
        {
            "That is with replacement; different examples do better.": 1 / 10,
            "That is for the typical distance; the variance is its square.": (40 / 490) ** 0.5,
            "That is the second factor of the claim alone.": 40 / 49,
            "The denominator is n - 1 = 49.": 40 / 50 / 10,
            "Above stands n - B = 40.": 10 / 49 / 10,
            "That is in percent; a fraction of 1 is asked for.": 400 / 49,
        },
        rtol=6e-3,  # 0.082 and 0.0816
    )


def _half_of_the_way() -> Answer:
    return Answer(
        63,
        {
            "That is with d in place of d + 1.": 60,
            "There the edge is half of the full step's.": 21,
            "There the edge is two thirds of the full step's.": 42,
            "There the edge is three quarters of 1; the full step's edge is 2.": 12.6,
            "There the edge is four fifths of the full step's.": 84,
            "That is with d + 2, which is for single examples.": 66,
        },
        rtol=1e-6,
    )


def _three_times_the_batch() -> Answer:
    return Answer(
        12 / 18,
        {
            "That is linear scaling, which holds for small rates.": 1.0,
            "That is the edge; the best rate is half of it.": 4 / 3,
            "That is the rate for batches of 6.": 0.5,
            "That is root scaling.": 0.5 * 2**0.5,
            "The denominator is B + d + 1, with d = 5.": 12 / 17,
        },
        rtol=6e-3,
    )


def _weight_in_the_last_batch() -> Answer:
    return Answer(
        4,
        {
            "The other way round: each enters a mean over 20, not over 80.": 1 / 4,
            "That is for a sum divided by B: then all weigh the same.": 1,
            "That is n over B; how many are left for the last batch?": 500 / 80,
            "That is the number of full batches.": 6,
            "That is the number of batches.": 7,
            "That is how many the last batch holds.": 20,
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


_GRADIENT = Code(
    _batch_gradient,
    {
        "That is the gradient over all examples, divided by the size of the batch: use the "
        "rows.": lambda X, y, theta, rows: (
            len(y) / len(rows) * _batch_gradient(X, y, theta, np.arange(len(y)))
        ),
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
        "That multiplies the mean error with the mean row; the mean of the products is another "
        "thing.": lambda X, y, theta, rows: (
            np.mean(X[rows] @ theta - y[rows]) * X[rows].mean(axis=0)
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
            ROWS,
            np.array([1.0, -2.0, 0.0, 4.0, 2.0]),
            np.array([0.5, -1.0]),
            np.array([3, 0, 4]),
        ),
        (
            ROWS,
            np.array([0.0, 5.0, 1.0, 1.0, -1.0]),
            np.array([2.0, 1.0]),
            np.array([2, 2, 0, 4]),
        ),
        (ROWS, np.array([0.0, 5.0, 1.0, 1.0, -1.0]), np.array([2.0, 1.0]), np.array([3])),
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
        "Those are the places where the batches end, not their sizes.": lambda n, batch_size: [
            min(first + batch_size, n) for first in range(0, n, batch_size)
        ],
        "Those are nearly equal pieces; all but the last are to have the batch size.": (
            lambda n, batch_size: [
                len(part) for part in np.array_split(range(n), -(-n // batch_size))
            ]
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
