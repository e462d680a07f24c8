"""The answers of the chapter on automatic differentiation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gdcourse._answers._kinds import Answer, Code
from gdcourse._types import Array
from gdcourse.autograd import Variable, gradient


def _back_by_hand() -> Answer:
    adjoints = gradient(lambda x: (x[0] * x[1]) * (x[0] + x[1]))(np.array([3.0, 2.0]))
    return Answer(
        float(adjoints[0]),
        {
            "That is what the product passes to a; the sum passes something too.": 10,
            "That is what the sum passes to a; the product passes something too.": 6,
            "That is the adjoint of b.": float(adjoints[1]),
            "That is the value of y.": 30,
            "The product a b passes on its adjoint times the other factor, b.": 11,
            "The two contributions are added, and not multiplied.": 60,
            "That takes 1 for the adjoints of both a b and a + b: each is worth the other.": 3,
        },
    )


def _entries() -> Answer:
    tape: list[Variable] = []
    x = Variable(0.5, tape)
    for _ in range(10):
        x = x * x + x
    return Answer(
        len(tape),
        {
            "The variable at the start is on the tape as well.": 20,
            "A round has two operations, a product and a sum, and each writes an entry.": 11,
            "A round writes two entries, and the variable at the start is one more.": 10,
            "A new name for what is on the tape is no entry.": 31,
            "An entry is never replaced: the walk back needs the old values.": 1,
            "x is used three times in a round, but a use is no entry.": 30,
        },
    )


def _slope_of_a_run() -> Answer:
    def end(lr: Any) -> Any:
        x = 1.0
        for _ in range(3):
            x = x - lr * x
        return x

    return Answer(
        float(gradient(end)(np.array(0.1))),
        {
            "That is x after three steps; how does it change with the rate?": 0.9**3,
            "That is one of three uses of the rate: their contributions add up.": -(0.9**2),
            "A larger rate makes x smaller.": 3 * 0.9**2,
            "That is the slope at the rate 0.": -3,
            "The power falls by one: it is a third power that is differentiated.": -3 * 0.9**3,
            "The inner derivative, that of 1 - lr, is -1: the rate itself is no factor.": (
                -0.3 * 0.9**2
            ),
        },
    )


def _branch() -> Answer:
    return Answer(
        float(gradient(lambda x: x if x == 1 else x * x)(np.array(1.0))),
        {
            "That is the derivative of x². The branch that ran returned x.": 2,
            "The branch depends on x: it is x itself.": 0,
            "Only the branch that ran is on the tape.": 3,
            "That is halfway; the machine does not know the other branch.": 1.5,
        },
    )


#: By the label of the exercise.
ANSWERS: dict[str, Callable[[], Answer]] = {
    "ex-au-walk": _back_by_hand,
    "ex-au-entries": _entries,
    "ex-au-rate": _slope_of_a_run,
    "ex-au-branch": _branch,
}


# --- Functions that a reader writes ---

_RULE = Code(
    lambda g, y, a, b: (g * a / y, g * b / y),
    {
        "The adjoint g is missing: a slope is multiplied by what came back.": lambda g, y, a, b: (
            a / y,
            b / y,
        ),
        "The root's slope is 1/(2y), and that of a² is 2a: one of the two is missing.": (
            lambda g, y, a, b: (g * a / (2 * y), g * b / (2 * y))
        ),
        "The slope of a² is 2a, but the root has 1/(2y).": lambda g, y, a, b: (
            2 * g * a / y,
            2 * g * b / y,
        ),
        "The two are exchanged.": lambda g, y, a, b: (g * b / y, g * a / y),
        "The slope of the root is missing: divide by y.": lambda g, y, a, b: (g * a, g * b),
        "The slope of the root is missing: it is 1/(2y).": lambda g, y, a, b: (
            2 * g * a,
            2 * g * b,
        ),
        "The square of a is differentiated too: its slope is 2a.": lambda g, y, a, b: (
            g / (2 * y),
            g / (2 * y),
        ),
        "y is the root already.": lambda g, y, a, b: (g * a / np.sqrt(y), g * b / np.sqrt(y)),
        "That divides by the square of y.": lambda g, y, a, b: (g * a / y**2, g * b / y**2),
        "Each takes the size of the other side out: the slope is a/y, with its sign.": (
            lambda g, y, a, b: (g * np.abs(a) / y, g * np.abs(b) / y)
        ),
    },
    (
        (np.array([2.0]), np.array([5.0]), np.array([3.0]), np.array([4.0])),
        (
            np.array([1.0, -2.0, 0.5]),
            np.array([13.0, 1.0, 25.0]),
            np.array([-5.0, 0.0, 7.0]),
            np.array([12.0, -1.0, -24.0]),
        ),
    ),
    lambda g, y, a, b: f"For g = {g.tolist()}, a = {a.tolist()} and b = {b.tolist()}",
)

_MATRIX = np.array([[1.0, -2.0, 0.5], [3.0, 0.25, -1.0]])


def _row(g: Array, M: Array, b: Array) -> Any:
    return (g * M).sum(axis=0)


_STRETCH = Code(
    _row,
    {
        "That is what every use of b contributes: add up those of one entry.": lambda g, M, b: (
            g * M
        ),
        "That is summed over the columns; b was used once for each row.": lambda g, M, b: (
            g * M
        ).sum(axis=1),
        "Everything is summed into one number: each entry of b has an adjoint of its own.": (
            lambda g, M, b: (g * M).sum()
        ),
        "That is a mean: contributions are added.": lambda g, M, b: (g * M).mean(axis=0),
        "The slope is missing: b is multiplied by M.": lambda g, M, b: g.sum(axis=0),
        "That is with b for the slope: it is the way back to M.": lambda g, M, b: (g * b).sum(
            axis=0
        ),
        "The adjoint g is missing.": lambda g, M, b: M.sum(axis=0),
        "A product of sums is not the sum of products.": lambda g, M, b: (
            g.sum(axis=0) * M.sum(axis=0)
        ),
        "b has one axis: leave keepdims out.": lambda g, M, b: (g * M).sum(axis=0, keepdims=True),
        "That is the adjoint of M.": lambda g, M, b: g * b,
        "That is a matrix product; b multiplied entry by entry.": lambda g, M, b: M.T @ g,
        "That is a matrix product of the rows; b multiplied entry by entry.": lambda g, M, b: (
            g @ M.T
        ),
    },
    (
        (np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[5.0, 6.0], [7.0, 8.0]]), np.ones(2)),
        (np.array([[0.5, 1.0, -1.0], [2.0, -4.0, 3.0]]), _MATRIX, np.array([2.0, -1.0, 3.0])),
        (np.array([[1.0, -3.0], [0.5, 2.0], [4.0, 1.5]]), _MATRIX.T, np.array([0.5, 7.0])),
    ),
    lambda g, M, b: f"For g = {g.tolist()}, M = {M.tolist()} and b = {b.tolist()}",
)

_DUAL = Code(
    lambda a, a_dot, b, b_dot: (a / b, (a_dot * b - a * b_dot) / b**2),
    {
        "The derivative of a quotient is not the quotient of the derivatives.": (
            lambda a, a_dot, b, b_dot: (a / b, a_dot / b_dot)
        ),
        "The derivative of b is left out: b moves too.": lambda a, a_dot, b, b_dot: (
            a / b,
            a_dot / b,
        ),
        "The second part is subtracted: a larger divisor makes the quotient smaller.": (
            lambda a, a_dot, b, b_dot: (a / b, (a_dot * b + a * b_dot) / b**2)
        ),
        "The sign is turned: it is a' b - a b'.": lambda a, a_dot, b, b_dot: (
            a / b,
            (a * b_dot - a_dot * b) / b**2,
        ),
        "The value comes first, then its derivative.": lambda a, a_dot, b, b_dot: (
            (a_dot * b - a * b_dot) / b**2,
            a / b,
        ),
        "The derivative is divided by nothing yet: divide by b².": lambda a, a_dot, b, b_dot: (
            a / b,
            a_dot * b - a * b_dot,
        ),
        "It is divided by the square of b.": lambda a, a_dot, b, b_dot: (
            a / b,
            (a_dot * b - a * b_dot) / b,
        ),
        "The part of a is divided by b once, and in your sum twice.": lambda a, a_dot, b, b_dot: (
            a / b,
            (a_dot - a * b_dot) / b**2,
        ),
        "That is the derivative of the product.": lambda a, a_dot, b, b_dot: (
            a / b,
            a_dot * b + a * b_dot,
        ),
        "The derivative of a is left out: a moves too.": lambda a, a_dot, b, b_dot: (
            a / b,
            -a * b_dot / b**2,
        ),
        "The derivative of b stands beside 1/b² only: its factor a is missing.": (
            lambda a, a_dot, b, b_dot: (a / b, a_dot / b - b_dot / b**2)
        ),
    },
    (
        (6.0, 1.0, 2.0, 0.5),
        (3.0, -2.0, 0.5, 4.0),
        (-1.0, 0.25, 3.0, -5.0),
    ),
    lambda a, a_dot, b, b_dot: f"For a = {a:g}, a' = {a_dot:g}, b = {b:g} and b' = {b_dot:g}",
)

#: By the label of the exercise.
FUNCTIONS: dict[str, Code] = {
    "ex-au-rule": _RULE,
    "ex-au-stretch": _STRETCH,
    "ex-au-dual": _DUAL,
}
