"""The answers of the chapter on many dimensions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gdcourse._answers._kinds import Answer
from gdcourse._types import Array
from gdcourse.data import line


def _edge_in_two_dimensions() -> Answer:
    hessian = np.array([[2.0, 3.0], [3.0, 18.0]])
    low, high = np.linalg.eigvalsh(hessian)
    return Answer(
        float(2 / high),
        {
            "That is the edge for the smallest eigenvalue; the largest is the strictest.": 2 / low,
            "Rounded up, that is already beyond the edge: five decimals are asked for.": 0.108,
            "Rounded up, that is beyond the edge: five decimals are asked for.": 0.1079,
            "Right so far: five decimals are asked for.": 0.1078,
            "That takes the diagonal for the eigenvalues; the mixed term counts too.": 2 / 18,
            "That is 1/λ: there the steepest mode arrives in one step. The edge is twice it.": 1
            / high,
            "Five decimals are asked for. (If you found exactly 0.1: the mixed second derivative "
            "is 3, not 6.)": 0.1,
            "Five decimals are asked for, and so rounded it is beyond the edge.": 0.11,
            "Rounded up in the last place, that is beyond the edge.": 0.10786,
            "That is the diagonal's edge in three decimals; the mixed term counts too.": 0.111,
            "Those are the coefficients of f; its second derivatives are twice as large.": 4 / high,
        },
        rtol=5e-5,  # half a unit of the fifth decimal
    )


def _kind_of_a_level_point() -> Answer:
    low, high = np.linalg.eigvalsh(np.array([[0.0, -3.0], [-3.0, 0.0]]))
    return Answer(
        float(low),
        {
            "That is the diagonal: the second derivative along an axis, not along a diagonal.": 0.0,
            "At (0, 0) that is the largest, at (1, 1) the smallest: the smallest at (0, 0) is "
            "asked for.": float(high),
            "That is the largest at (1, 1); the smallest at (0, 0) is asked for.": 9.0,
            "The mixed derivative of -3 x₁x₂ is -3: each variable is differentiated once.": -6.0,
        },
    )


def _steps_of_one_length() -> Answer:
    def end(direction: Callable[[Array], Array]) -> float:
        x = np.array([3.0, 4.0])
        for _ in range(101):
            x = x - 0.3 * direction(x)
        return float(np.linalg.norm(x))

    return Answer(
        end(lambda x: x / np.linalg.norm(x)),
        {
            "That is the gradient itself, not yet divided by its length.": end(lambda x: 2 * x),
            "The steps are 0.6 long: divide by the length of the gradient, not of x.": end(
                lambda x: 2 * x / np.linalg.norm(x)
            ),
            "Each coordinate moves by 0.3: that is the sign, not the direction.": end(np.sign),
            "It is divided by the largest entry; the length is the root of the sum of squares.": (
                end(lambda x: x / np.abs(x).max())
            ),
            "It is divided by the sum of its entries' sizes; the length is the root of the sum "
            "of squares.": end(lambda x: x / np.abs(x).sum()),
            "It is divided by the square of its length: take the root.": end(
                lambda x: 2 * x / (4 * x @ x)
            ),
        },
        rtol=1e-6,
    )


def _one_coordinate_early() -> Answer:
    X, target, _ = line()
    x = X[:, 0]
    error = 0.5 * x - 0.5 - target
    slope = 0.5 - 0.001 * float(np.mean(2 * error * x))
    intercept = -0.5 - 0.001 * float(np.mean(2 * error))
    early = -0.5 - 0.001 * float(np.mean(2 * (slope * x - 0.5 - target)))
    return Answer(
        early - intercept,
        {
            "The sizes agree: give how far apart they are, without a sign.": intercept - early,
            "That is the intercept of the right step; how far is it from the other?": intercept,
            "That is the intercept of the loop; how far is it from the right one?": early,
            "That is the difference of the slopes, and both loops move the slope alike.": 0.0,
        },
        rtol=5e-3,
    )


def _stationary_points() -> Answer:
    return Answer(
        9,
        {
            "Those are the minima, which descent finds. Saddles and hilltops are level too.": 4,
            "Those are minima and maximum: between two valleys there is a pass.": 5,
            "Those are minima and saddles: there is a hill in the middle.": 8,
        },
    )


#: By the label of the exercise.
ANSWERS: dict[str, Callable[[], Answer]] = {
    "ex-nd-edge": _edge_in_two_dimensions,
    "ex-nd-kind": _kind_of_a_level_point,
    "ex-nd-normalized": _steps_of_one_length,
    "ex-nd-early": _one_coordinate_early,
    "ex-nd-himmelblau": _stationary_points,
}

#: Wrong gradients of exercises, by the label and by what they deserve to be told.
GRADIENTS: dict[str, dict[str, Callable[[Array], Any]]] = {
    "ex-nd-gradient": {
        "The inner derivatives are missing: the chain rule, twice.": lambda v: np.array(
            [v[1] ** 2 + np.cos(v[0] * v[1]), 2 * v[0] * v[1] + np.cos(v[0] * v[1])]
        ),
        "The inner derivatives are exchanged: by the first variable it is the second.": (
            lambda v: np.array(
                [
                    v[1] ** 2 + v[0] * np.cos(v[0] * v[1]),
                    2 * v[0] * v[1] + v[1] * np.cos(v[0] * v[1]),
                ]
            )
        ),
        "The derivative of sin is cos, with a plus.": lambda v: np.array(
            [v[1] ** 2 - v[1] * np.cos(v[0] * v[1]), 2 * v[0] * v[1] - v[0] * np.cos(v[0] * v[1])]
        ),
    },
}
