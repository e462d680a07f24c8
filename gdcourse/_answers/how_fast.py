"""The answers of the chapter on how fast descent is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gdcourse._answers._kinds import Answer, Code
from gdcourse._types import Array
from gdcourse.data import add_intercept, load_diabetes


def _enough_steps() -> Answer:
    return Answer(
        float(np.ceil((5 * 3**2 / 0.02 - 2) / 4)),
        {
            "The bound has 4T + 2 below: the 2 saves a step.": 563,
            "The bound has 4T + 2 below: the 2 saves a step, and a run has whole steps.": 562.5,
            "The distance is squared in the bound.": 187,
            "The distance is squared in the bound, and a run has whole steps: 187.": 187.5,
            "That solves 4T + 2 = 45/0.02 without the 4 and the 2.": 2250,
            "That is 4T + 2, not T.": 2248,
            "The bound has 4T + 2 below, not 2T.": 1125,
            "L is missing: it is 5, and the bound has L times the squared distance.": 112,
            "At 561 steps the bound is a little above 0.02.": 561,
        },
        rtol=1e-6,
    )


def _factor_of_a_line() -> Answer:
    return Answer(
        10 ** (-2 / 200),
        {
            "That is the factor of all 200 steps: take its 200th root.": 0.01,
            "From step 100 to step 300 there are 200 steps, not 100.": 10 ** (-2 / 100),
            "From step 100 to step 300 there are 200 steps, not 300.": 10 ** (-2 / 300),
            "That divides the fall by the steps; the gaps are multiplied, so take a root.": (
                1 - 0.99 / 200
            ),
            "Powers of ten: that takes e for the base.": float(np.exp(-2 / 200)),
            "That is 1 over the factor: the gap falls.": 10 ** (2 / 200),
            "That is the root of it, which would be the factor of the distance.": 10 ** (-1 / 200),
            "Right so far: four digits are asked for.": 0.977,
            "Four digits are asked for, and so rounded it is too large.": 0.98,
        },
        rtol=1e-4,
    )


def _steps_for_diabetes() -> Answer:
    X, _, _ = load_diabetes()
    X = add_intercept((X - X.mean(axis=0)) / X.std(axis=0))
    low, *_, high = np.linalg.eigvalsh(X.T @ X / len(X))

    def steps(digits: float, factor: float) -> float:
        return float(np.ceil(-digits * np.log(10) / np.log(factor)))

    right = 1 - low / high
    return Answer(
        steps(6, right),
        {
            "That is for the gap, which shrinks by the square; the distance is asked for.": steps(
                6, right**2
            ),
            "That takes the logarithm to base 10 for the natural one.": float(
                np.ceil(6 * high / low)
            ),
            "That is for a hundred-thousandth; a millionth is 1e-6.": steps(5, right),
            "Round up: after so many steps it is a hair above.": steps(6, right) - 1,
            "That is κ, the steps for a factor of e; a millionth is asked for.": float(
                np.ceil(high / low)
            ),
            "That is the simpler bound κ ln(10⁶), which asks for a little more.": float(
                np.ceil(high / low * 6 * np.log(10))
            ),
        },
        rtol=1e-4,  # less than one step
    )


def _lazy() -> Answer:
    return Answer(
        (2 * 12 + 1) * 2,
        {
            "That is for δ = 1: the whole picture is δ times as large.": 25,
            "From there the right program ends a little below the bound.": 48,
            "From there the right program has arrived: the arm must be longer.": 24,
            "There the arm just lasts for twelve steps; the worst start is farther out.": 26,
            "That is the worst start for 11 steps.": 46,
        },
        rtol=1e-6,
    )


def _constant_of_ripples() -> Answer:
    x = np.linspace(0.01, 20, 200_001)
    height = x**2 + 4 * np.sin(x) ** 2
    quotient = (2 * x + 4 * np.sin(2 * x)) ** 2 / (2 * height)
    right = float(quotient.min())
    return Answer(
        right,
        {
            "The half is missing: it is half of f'² that is compared with the gap.": 2 * right,
            "The half stands once in the inequality.": right / 2,
            "That is the limit at the minimum; look farther out.": 10.0,
            "That is the place, not the constant there.": float(x[quotient.argmin()]),
            "That is the smallest slope there, not its square over twice the height.": float(
                np.min((2 * x + 4 * np.sin(2 * x))[x > 1])
            ),
            "That is for 3 times the squared sine.": 0.1755,
            "That is the smallest second derivative, which PL does not ask about.": -6.0,
        },
        rtol=3e-2,
    )


#: By the label of the exercise.
ANSWERS: dict[str, Callable[[], Answer]] = {
    "ex-hf-enough": _enough_steps,
    "ex-hf-line": _factor_of_a_line,
    "ex-hf-order": _steps_for_diabetes,
    "ex-hf-lazy": _lazy,
    "ex-hf-pl": _constant_of_ripples,
}

# The data of the exercise on Huber's loss.
HUBER_X = np.array([[1.0, 2.0], [3.0, -1.0], [0.5, 0.5], [1.0, 0.0]])
HUBER_Y = np.array([1.0, -2.0, 0.3, 6.0])

#: Wrong gradients of exercises, by the label and by what they deserve to be told.
GRADIENTS: dict[str, dict[str, Callable[[Array], Any]]] = {
    "ex-hf-huber": {
        "That is for squared errors: far out Huber's slope is 1 or -1.": lambda theta: (
            HUBER_X.T @ (HUBER_X @ theta - HUBER_Y) / len(HUBER_Y)
        ),
        "That is for absolute errors: near 0 Huber's slope is the error itself.": (
            lambda theta: HUBER_X.T @ np.sign(HUBER_X @ theta - HUBER_Y) / len(HUBER_Y)
        ),
        "On the left arm the slope is -1, not 1.": lambda theta: (
            HUBER_X.T @ np.minimum(np.abs(HUBER_X @ theta - HUBER_Y), 1) / len(HUBER_Y)
        ),
        "That takes the errors beyond 1 out, with a derivative of 0.": lambda theta: (
            HUBER_X.T
            @ np.where(np.abs(HUBER_X @ theta - HUBER_Y) <= 1, HUBER_X @ theta - HUBER_Y, 0.0)
            / len(HUBER_Y)
        ),
        "Below -1 the slope is -1: cut off on both sides.": lambda theta: (
            HUBER_X.T @ np.minimum(HUBER_X @ theta - HUBER_Y, 1) / len(HUBER_Y)
        ),
        "The errors are to be cut off, not the gradient.": lambda theta: np.clip(
            HUBER_X.T @ (HUBER_X @ theta - HUBER_Y) / len(HUBER_Y), -1, 1
        ),
        "The error is prediction minus target.": lambda theta: (
            HUBER_X.T @ np.clip(HUBER_Y - HUBER_X @ theta, -1, 1) / len(HUBER_Y)
        ),
    },
}


# --- Functions that a reader writes ---


def _tail_factor(gaps: Array) -> float:
    half = (len(gaps) - 1) // 2
    return float((gaps[-1] / gaps[half]) ** (1 / (len(gaps) - 1 - half)))


_TAIL = Code(
    _tail_factor,
    {
        "That is the factor of the whole second half: take the root.": lambda gaps: (
            gaps[-1] / gaps[(len(gaps) - 1) // 2]
        ),
        "That starts at the first gap: the second half is asked for.": lambda gaps: (
            (gaps[-1] / gaps[0]) ** (1 / (len(gaps) - 1))
        ),
        "That is the first half.": lambda gaps: (
            (gaps[(len(gaps) - 1) // 2] / gaps[0]) ** (1 / ((len(gaps) - 1) // 2))
        ),
        "The root is of one step too many: T + 1 gaps are T steps.": lambda gaps: (
            (gaps[-1] / gaps[(len(gaps) - 1) // 2]) ** (1 / (len(gaps) - (len(gaps) - 1) // 2))
        ),
        "That takes all T steps for the root; from the middle there are half as many.": (
            lambda gaps: (gaps[-1] / gaps[(len(gaps) - 1) // 2]) ** (1 / (len(gaps) - 1))
        ),
        "T is the number of steps, one less than that of gaps; half of it is T//2.": lambda gaps: (
            (gaps[-1] / gaps[len(gaps) // 2]) ** (1 / (len(gaps) - 1 - len(gaps) // 2))
        ),
        "That is 1 over the factor.": lambda gaps: 1 / _tail_factor(gaps),
        "That is the factor of the last step alone.": lambda gaps: gaps[-1] / gaps[-2],
        "That is the mean of all factors. The gaps are multiplied: take a geometric mean, from "
        "the middle on.": lambda gaps: np.mean(gaps[1:] / gaps[:-1]),
        "That is the mean of the factors. The gaps are multiplied: take a geometric mean.": (
            lambda gaps: np.mean((gaps[1:] / gaps[:-1])[(len(gaps) - 1) // 2 :])
        ),
        "That is the slope of the logarithm; the factor is e to that power.": lambda gaps: np.log(
            _tail_factor(gaps)
        ),
    },
    (
        (np.array([1.0, 0.25, 0.125, 0.0625, 0.03125]),),  # halves, and at first quarters
        (np.array([8.0, 2.0, 1.0, 0.7, 0.56, 0.504, 0.4032]),),
        (np.array([9.0, 3.0, 2.0, 1.6, 1.5, 1.2, 0.9, 0.8]),),  # an odd number of steps
    ),
    lambda gaps: f"For the gaps {', '.join(f'{gap:g}' for gap in gaps)}",
)

#: By the label of the exercise.
FUNCTIONS: dict[str, Code] = {
    "ex-hf-tail": _TAIL,
}
