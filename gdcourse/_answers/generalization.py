"""The answers of the chapter on why descent generalizes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gdcourse._answers._kinds import ROWS, Answer, Code
from gdcourse._types import Array


def _end() -> Answer:
    return Answer(
        10 / 25 * 3,
        {
            "That is the second parameter.": 10 / 25 * 4,
            "That fits with the first parameter alone.": 10 / 3,
            "That is where Adam ends: both parameters equal.": 10 / 7,
            "Divide by the squared length of the example, 25.": 10 / 5 * 3,
            "That is the factor of the example; its first input is 3.": 10 / 25,
            "That is after one step: the residual times 3 times the rate.": 0.3,
        },
        rtol=1e-4,
    )


def _other() -> Answer:
    return Answer(
        4 - 2 / 25 * 3,
        {
            "That is where it ends from zero.": 1.2,
            "That is the start: it does not fit.": 4,
            "The residual is 2, and it is taken away: subtract.": 4 + 2 / 25 * 3,
            "That moves the first parameter alone.": 10 / 3,
            "That adds the end of the run from zero to the start.": 5.2,
            "That is the change; where it leads is asked for.": -0.24,
            "That is what is taken away.": 0.24,
            "That is the second parameter.": -0.32,
            "That forgets the input: the change is 2/25 times 3.": 4 - 2 / 25,
            "Divide by the squared length of the example, 25.": 4 - 2 / 5 * 3,
            "That is after one step: the residual times 3 times the rate is taken away.": 3.94,
        },
        rtol=1e-4,
    )


def _adam() -> Answer:
    return Answer(
        10 / 7,
        {
            "That is where gradient descent ends.": 1.2,
            "Divide by the sum of the inputs, 7, not by its square.": 10 / 49,
            "That is for both inputs equal to 1.": 5,
            "Both parameters are equal, and 3c + 4c = 10.": 10 / 25,
            "That is with the length of the example in place of the sum.": 2,
            "That fits with the first parameter alone.": 10 / 3,
            "That fits with the second parameter alone.": 10 / 4,
            "That is for the example in the text.": 5 / 3,
        },
        rtol=1e-3,
    )


def _units() -> Answer:
    first, second, target = 1.0, 20.0, 5.0
    return Answer(
        target * first / (first**2 + second**2),
        {
            "That is in the old units.": 1,
            "That is where Adam ends, with both parameters equal.": target / (first + second),
            "That is the second parameter.": target * second / (first**2 + second**2),
            "That changes the old prediction by the unit; the end has to be found anew.": 0.1,
            "That changes the old prediction by the square of the unit; the end has to be found "
            "anew.": 0.01,
            "That is for the training example.": target,
            "Divide by the squared length of the example, 401.": target / 401**0.5,
            "That fits with the second parameter alone.": target / second,
            "Little is left for the first parameter, but not nothing.": 0,
        },
        rtol=5e-2,
    )


def _three() -> Answer:
    apart = 0.2
    third = 1 / (1 + apart**2 / 2)
    return Answer(
        third**0.5,
        {
            "That fits with the third parameter alone; a little of the others is shorter.": 1,
            "That is with two columns.": 5 * 2**0.5,
            "That is the third parameter, or the squared length.": third,
            "That is the second parameter.": apart * third / 2,
            "That forgets the first parameter, which is as large as the second.": 1
            / (1 + apart**2) ** 0.5,
            "That is the second parameter with two columns.": 5,
        },
        rtol=1e-3,
    )


def _share() -> Answer:
    z, t = 0.02, 50
    return Answer(
        1 - (1 - z) ** t,
        {
            "That is what is left.": (1 - z) ** t,
            "That is ridge with the penalty 1/(ηt).": 0.5,
            "That is the share of one step.": z,
            "That is for the curvature 1: multiply by it.": 1 - 0.9**t,
            "That adds up equal steps; each takes a share of what is left.": z * t,
            "That is 1 - 1/e, the limit of many small steps.": 1 - 0.36787944,
            "That is for the rate 1: multiply by it.": 1 - 0.8**t,
        },
        rtol=1e-3,
    )


def _gap() -> Answer:
    longest, n, eta = 2.0, 10_000, 0.05
    return Answer(
        2 * longest**2 / n * n * eta,
        {
            "That is without the factor 2, or without the square of G.": longest**2 * eta,
            "One pass has 10 000 steps.": 2 * longest**2 / n * eta,
            "Divide by the number of examples.": 2 * longest**2 * n * eta,
            "That is without the rate.": 2 * longest**2,
            "That is without G.": 2 * eta,
        },
        rtol=1e-4,
    )


def _flattest() -> Answer:
    product = 6.0
    return Answer(
        2 * product,
        {
            "That is the product; the curvature is the sum of the squares.": product,
            "That is at 6 and 1.": 37,
            "That is a = b; the curvature is a² + b².": product**0.5,
            "That is at 3 and 2.": 13,
            "That is the curvature along the valley.": 0,
            "That is a + b.": 2 * product**0.5,
        },
        rtol=1e-3,
    )


#: By the label of the exercise.
ANSWERS: dict[str, Callable[[], Answer]] = {
    "ex-ge-end": _end,
    "ex-ge-start": _other,
    "ex-ge-adam": _adam,
    "ex-ge-units": _units,
    "ex-ge-three": _three,
    "ex-ge-share": _share,
    "ex-ge-gap": _gap,
    "ex-ge-flat": _flattest,
}


# --- Functions that a reader writes ---

_WIDE = np.array([[3.0, 4.0, 0.0], [0.0, 1.0, 2.0]])
_LIMIT = Code(
    lambda X, y, start: start + np.linalg.pinv(X) @ (y - X @ start),
    {
        "That is the end of a run from zero.": lambda X, y, start: np.linalg.pinv(X) @ y,
        "That is the start plus the end of a run from zero: the start fits a part already.": (
            lambda X, y, start: start + np.linalg.pinv(X) @ y
        ),
        "The part of the start along the examples is fitted twice.": lambda X, y, start: (
            np.linalg.pinv(X) @ (y + X @ start)
        ),
        "That is the change from the start; add the start.": lambda X, y, start: (
            np.linalg.pinv(X) @ (y - X @ start)
        ),
        "The sign is wrong: what is missing at the start is y - X start.": lambda X, y, start: (
            start - np.linalg.pinv(X) @ (y - X @ start)
        ),
        "That is one step, at the rate 1.": lambda X, y, start: (
            start + X.T @ (y - X @ start) / len(y)
        ),
        "That is the start.": lambda X, y, start: start,
        "That is the prediction at the end, not the parameters.": lambda X, y, start: (
            X @ (start + np.linalg.pinv(X) @ (y - X @ start))
        ),
    },
    (
        (np.array([[3.0, 4.0]]), np.array([10.0]), np.array([4.0, 0.0])),
        (_WIDE, np.array([5.0, -1.0]), np.array([1.0, 2.0, -1.0])),
        (ROWS, np.array([1.0, 0.0, 2.0, -1.0, 3.0]), np.array([0.5, 0.5])),
    ),
    lambda X, y, start: f"For X = {X.tolist()}, y = {y.tolist()} from {start.tolist()}",
)


def _margin(X: Array, labels: Array, theta: Array) -> Any:
    return np.min((2 * labels - 1) * (X @ theta)) / np.linalg.norm(theta)


_MARGIN = Code(
    _margin,
    {
        "Divide by the length of theta: the direction is asked for.": lambda X, labels, theta: (
            np.min((2 * labels - 1) * (X @ theta))
        ),
        "The labels are 0 and 1; make them into signs, -1 and 1.": lambda X, labels, theta: (
            np.min(labels * (X @ theta)) / np.linalg.norm(theta)
        ),
        "That is the smallest distance from the plane, on whichever side.": (
            lambda X, labels, theta: np.min(np.abs(X @ theta)) / np.linalg.norm(theta)
        ),
        "That is the mean margin; the smallest is asked for.": lambda X, labels, theta: (
            np.mean((2 * labels - 1) * (X @ theta)) / np.linalg.norm(theta)
        ),
        "That is the largest margin of an example.": lambda X, labels, theta: (
            np.max((2 * labels - 1) * (X @ theta)) / np.linalg.norm(theta)
        ),
        "That is one margin for each example; take the smallest.": lambda X, labels, theta: (
            (2 * labels - 1) * (X @ theta) / np.linalg.norm(theta)
        ),
        "The signs are exchanged: label 1 is the positive class.": lambda X, labels, theta: _margin(
            X, 1 - labels, theta
        ),
        "Divide by the length of theta, not by its square.": lambda X, labels, theta: (
            np.min((2 * labels - 1) * (X @ theta)) / (theta @ theta)
        ),
        "The labels are forgotten.": lambda X, labels, theta: (
            np.min(X @ theta) / np.linalg.norm(theta)
        ),
    },
    (
        (
            np.array([[2.0, 1.0], [-1.0, -2.0], [-3.0, 1.0]]),
            np.array([1, 0, 0]),
            np.array([4.0, 3.0]),
        ),
        (ROWS, np.array([1, 0, 1, 0, 0]), np.array([2.0, -1.0])),
    ),
    lambda X, labels, theta: (
        f"For X = {X.tolist()}, labels = {labels.tolist()} and theta = {theta.tolist()}"
    ),
)

#: By the label of the exercise.
FUNCTIONS: dict[str, Code] = {"ex-ge-limit": _LIMIT, "ex-ge-margin": _MARGIN}
