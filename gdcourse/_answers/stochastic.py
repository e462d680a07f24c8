"""The answers of the chapter on stochastic gradient descent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gdcourse._answers._kinds import ROWS, Answer, Code
from gdcourse._types import Array


def _variance_of_two() -> Answer:
    slopes = np.array([-2.0, -18.0])
    return Answer(
        float(np.var(slopes)),
        {
            "That divides by n - 1 = 1; over all draws it is n.": float(np.var(slopes, ddof=1)),
            "That is the mean of the squares; the square of the mean is still in it.": float(
                np.mean(slopes**2)
            ),
            "That is the standard deviation; the variance is its square.": float(np.std(slopes)),
            "That is the square of the mean slope.": 100.0,
            "That takes the errors for the slopes: the second slope is 3 times its error.": 4.0,
            "That is the difference of the two.": 16.0,
            "That is for a loss without the half.": 256.0,
            "That is at θ = 2, where both examples are fitted.": 0.0,
        },
        rtol=1e-6,
    )


def _edge_of_two() -> Answer:
    x = np.array([1.0, 2.0])
    return Answer(
        float(2 * np.mean(x**2) / np.mean(x**4)),
        {
            "That is the edge below which no step makes it worse.": 2 / 4,
            "That is the full step's edge.": 2 / 2.5,
            "That is half the edge.": float(np.mean(x**2) / np.mean(x**4)),
            "That is with x and x³ in place of x² and x⁴.": 2 * 1.5 / 4.5,
            "Up to there runs converge with probability 1; the mean square grows before.": 1.25,
            "That is for the examples of the text, 1 and 3.": 10 / 41,
            "That is one power too low in both means: x² and x⁴ are asked for.": 2 * 1.5 / 2.5,
        },
        rtol=2e-3,
    )


def _copies() -> Answer:
    return Answer(
        50 * 500 * 20 / 2000,
        {
            "That is without the copies.": 50 * 500 / 2000,
            "That is how many times each example is there.": 20,
            "That compares steps, and the wrong way round.": 2000 / 50,
            "That is 1 over it.": 2000 / (50 * 500 * 20),
            "Those are the steps; a full step computes 500 · 20 gradients.": 50 / 2000,
        },
        rtol=1e-6,
    )


def _never_drawn() -> Answer:
    return Answer(
        0.99**100,
        {
            "That is the share that is drawn at least once.": 1 - 0.99**100,
            "A shuffled pass misses none; independent draws repeat themselves.": 0.0,
            "That is the number; the share is a hundredth of it.": 100 * 0.99**100,
            "That is the chance for one draw.": 0.99,
        },
        rtol=2e-2,
    )


def _bad_examples() -> Answer:
    return Answer(
        float(np.sqrt(999)),
        {
            "That is x²; take its root.": 999.0,
            "That is for the loss with the half.": float(np.sqrt(1999)),
            "That is where a step puts the example exactly right.": float(np.sqrt(499)),
        },
        rtol=1.5e-3,  # three digits, rounded; the 1 beside x² does not show in them
    )


#: By the label of the exercise.
ANSWERS: dict[str, Callable[[], Answer]] = {
    "ex-sg-variance": _variance_of_two,
    "ex-sg-edge": _edge_of_two,
    "ex-sg-copies": _copies,
    "ex-sg-seen": _never_drawn,
    "ex-sg-bad": _bad_examples,
}


# --- Functions that a reader writes ---


def _pass_over(
    X: Array, y: Array, theta: Array, lr: float, order: Any, *, scale: float = 1.0
) -> Array:
    for i in order:
        theta = theta - scale * lr * (X[i] @ theta - y[i]) * X[i]
    return theta


def _all_at_once(X: Array, y: Array, theta: Array, lr: float, order: Any) -> Array:
    rows = np.asarray(order)
    return np.asarray(theta - lr * X[rows].T @ (X[rows] @ theta - y[rows]))


_PASS = Code(
    _pass_over,
    {
        "The order is not used: X[i], for i in order.": lambda X, y, theta, lr, order: _pass_over(
            X, y, theta, lr, range(len(y))
        ),
        "That goes through the order backwards.": lambda X, y, theta, lr, order: _pass_over(
            X, y, theta, lr, order[::-1]
        ),
        "All errors are those at the old theta: each step must use what the last one left.": (
            _all_at_once
        ),
        "That is one full step: one step for each example is asked for.": (
            lambda X, y, theta, lr, order: _all_at_once(X, y, theta, lr / len(order), order)
        ),
        "Each step is divided by n: it is for the mean over one example.": (
            lambda X, y, theta, lr, order: _pass_over(X, y, theta, lr / len(y), order)
        ),
        "The step is twice as long: with the half in the loss the 2 is gone.": (
            lambda X, y, theta, lr, order: _pass_over(X, y, theta, lr, order, scale=2)
        ),
        "It goes uphill: the error is prediction minus target, and the step is subtracted.": (
            lambda X, y, theta, lr, order: _pass_over(X, y, theta, lr, order, scale=-1)
        ),
        "That stops after the first example of the order.": (
            lambda X, y, theta, lr, order: _pass_over(X, y, theta, lr, order[:1])
        ),
        "That leaves out the last example of the order.": (
            lambda X, y, theta, lr, order: _pass_over(X, y, theta, lr, order[:-1])
        ),
        "Where is y? The error is X[i] @ theta - y[i].": lambda X, y, theta, lr, order: _pass_over(
            X, 0 * y, theta, lr, order
        ),
        "The pass starts at the theta that is given, not at zeros.": (
            lambda X, y, theta, lr, order: _pass_over(X, y, 0 * theta, lr, order)
        ),
        "Each step is divided by the length of the order: it is for the mean over one example.": (
            lambda X, y, theta, lr, order: _pass_over(X, y, theta, lr / len(order), order)
        ),
        "An example that comes twice in the order is taken twice.": (
            lambda X, y, theta, lr, order: _pass_over(X, y, theta, lr, list(dict.fromkeys(order)))
        ),
    },
    (
        (np.array([[1.0], [3.0]]), np.array([2.0, 6.0]), np.array([0.5]), 0.1, [0, 1]),
        (ROWS, np.array([1.0, -2.0, 0.0, 4.0, 2.0]), np.array([0.5, -1.0]), 0.2, [3, 0, 4, 1, 2]),
        (ROWS, np.array([0.0, 5.0, 1.0, 1.0, -1.0]), np.array([2.0, 1.0]), 0.05, [2, 2, 0, 4]),
    ),
    lambda X, y, theta, lr, order: (
        f"For X = {X.tolist()}, y = {y.tolist()}, theta = {theta.tolist()}, lr = {lr:g} and "
        f"order = {order}"
    ),
)

#: By the label of the exercise.
FUNCTIONS: dict[str, Code] = {
    "ex-sg-pass": _PASS,
}
