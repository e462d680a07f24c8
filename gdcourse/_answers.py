"""The right answers of the exercises, and what wrong ones tell.

They are kept out of the chapters so that a reader does not see them before trying. A right
answer is computed, not typed; each wrong one stands under the sentence that it deserves.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from gdcourse._types import Array
from gdcourse.data import add_intercept, line, load_diabetes
from gdcourse.descent import minimize
from gdcourse.objectives import quadratic
from gdcourse.optimizers import GradientDescent
from gdcourse.schedules import exponential_decay


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


def _factor() -> Answer:
    run = minimize(quadratic(3.0), 1.0, GradientDescent(lr=0.5), steps=1)
    return Answer(
        float(run.x[1]),
        {
            "The curvature is 3, not 3/2: differentiate twice.": 0.25,
            "The sign is wrong: a step to the other side is a negative factor.": 0.5,
            "That is what is subtracted; the factor is 1 minus it.": 1.5,
            "That is the move, as a share of x; the factor is 1 minus 1.5.": -1.5,
            "That is uphill: the step is subtracted.": 2.5,
            "The learning rate is missing: that is 1 minus the curvature.": -2.0,
        },
    )


def _edge() -> Answer:
    return Answer(
        2 / 10,
        {
            "That is 1/λ, where it arrives in one step. It converges up to twice that.": 1 / 10,
            "The curvature is 10, not 5: differentiate twice.": 2 / 5,
            "That is the curvature λ; the edge is 2/λ.": 10.0,
        },
        rtol=1e-6,  # a little more is beyond the edge
    )


def _backwards() -> Answer:
    factor = -4.8 / 8
    return Answer(
        1 - factor,
        {
            "That is the factor without its sign.": -factor,
            "The factor is negative: 1 - η = -0.6.": 1 + factor,
            "That is the factor, 1 - η.": factor,
            "The derivative of x²/2 is x, not 2x.": (1 - factor) / 2,
        },
    )


def _shrink() -> Answer:
    shrinking = exponential_decay(0.5, factor=0.5)
    run = minimize(quadratic(1.0), 10.0, GradientDescent(), steps=60, schedule=shrinking)
    return Answer(
        float(run.x[-1]),
        {
            "Each step multiplies x by 1 - lr. Does the product of 1/2, 3/4, 7/8 ... reach 0?": 0.0,
            "That is after one step; there are more.": 5.0,
            "That is after two steps; there are more.": 3.75,
        },
        rtol=5e-3,
    )


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


def _best_factor() -> Answer:
    low, middle, high = 0.5, 3.0, 8.0

    def factor(one: float, other: float) -> float:
        return (other - one) / (other + one)

    return Answer(
        factor(low, high),
        {
            "That is for the rate 1/L; the best one is 2/(μ + L).": 1 - low / high,
            "The smallest eigenvalue is 0.5, not 3.": factor(middle, high),
            "The largest eigenvalue is 8, not 3.": factor(low, middle),
            "That is the condition number.": high / low,
            "That is the best rate, not its factor.": 2 / (low + high),
            "The square is for f; the factor of the distance is asked for.": factor(low, high) ** 2,
            "The root is for methods with momentum.": factor(np.sqrt(low), np.sqrt(high)),
        },
        rtol=2e-3,
    )


def _believed_edge() -> Answer:
    rate = 2 / (1 + 80)
    return Answer(
        1 - 100 * rate,
        {
            "That is for the curvature that you believe in; the true one is 100.": 1 - 80 * rate,
            "That is for the rate 1/80.": 1 - 100 / 80,
            "That is the flattest mode.": 1 - rate,
            "That is what is taken away, ηλ; the factor is 1 minus it.": 100 * rate,
            "That is for 2/80: the best rate is 2/(1 + 80).": 1 - 100 * 2 / 80,
            "That is for the rate that would be best for the true curvature.": 1 - 100 * 2 / 101,
        },
        rtol=4e-3,  # three digits, rounded
    )


def _units() -> Answer:
    return Answer(
        1 / 3,
        {
            "That is P⁻¹ itself, and it is SSᵀ: take the root.": 1 / 9,
            "That is the root of P; SSᵀ is P⁻¹.": 3.0,
            "That is P; SSᵀ is P⁻¹.": 9.0,
            "That is the first entry; the second is asked for.": 1.0,
        },
        rtol=2e-3,
    )


def _count_steps() -> Answer:
    X, y, _ = load_diabetes()
    X = add_intercept((X - X.mean(axis=0)) / X.std(axis=0))
    curvature, q = np.linalg.eigh(X.T @ X / len(y))
    components = q.T @ np.linalg.lstsq(X, y, rcond=None)[0]

    def steps(factor: Array, gap: float) -> int:
        left = factor ** (2 * np.arange(3000)[:, None]) @ (curvature * components**2) / 2
        return int(np.argmax(left < gap))

    right = steps(1 - curvature / curvature[-1], 1.0)
    return Answer(
        right,
        {
            "One step fewer, and it is a hair above 1.": right - 1,
            "One step fewer is enough: step 0 is the start.": right + 1,
            "That is with half the rate.": steps(1 - curvature / curvature[-1] / 2, 1.0),
            "That is for a squared error without the half: the loss carries it.": steps(
                1 - curvature / curvature[-1], 0.5
            ),
            "That is until the gap is a hundredth of the first.": steps(
                1 - curvature / curvature[-1], 131.0
            ),
        },
        rtol=1e-6,
    )


def _correlated_columns() -> Answer:
    low, high = np.linalg.eigvalsh(np.array([[1.0, -0.95], [-0.95, 1.0]]))
    return Answer(
        float(high / low),
        {
            "The larger eigenvalue is 1.95, the smaller 0.05.": 1 / 0.05,
            "That is the larger eigenvalue; divide it by the smaller.": float(high),
            "A condition number is at least 1: the largest over the smallest.": float(low / high),
            "That is with the square of the correlation.": (1 + 0.95**2) / (1 - 0.95**2),
            "That is the square of it.": float((high / low) ** 2),
            "That is the condition number of X; of XᵀX it is the square.": float(
                np.sqrt(high / low)
            ),
        },
        rtol=1e-3,
    )


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
    "ex-1d-factor": _factor,
    "ex-1d-edge": _edge,
    "ex-1d-backwards": _backwards,
    "ex-1d-shrink": _shrink,
    "ex-nd-edge": _edge_in_two_dimensions,
    "ex-nd-kind": _kind_of_a_level_point,
    "ex-nd-normalized": _steps_of_one_length,
    "ex-nd-early": _one_coordinate_early,
    "ex-nd-himmelblau": _stationary_points,
    "ex-hf-enough": _enough_steps,
    "ex-hf-line": _factor_of_a_line,
    "ex-hf-order": _steps_for_diabetes,
    "ex-hf-lazy": _lazy,
    "ex-hf-pl": _constant_of_ripples,
    "ex-co-factor": _best_factor,
    "ex-co-edge": _believed_edge,
    "ex-co-columns": _correlated_columns,
    "ex-co-units": _units,
    "ex-co-count": _count_steps,
    "ex-sg-variance": _variance_of_two,
    "ex-sg-edge": _edge_of_two,
    "ex-sg-copies": _copies,
    "ex-sg-seen": _never_drawn,
    "ex-sg-bad": _bad_examples,
}

# The data of the exercise on Huber's loss.
HUBER_X = np.array([[1.0, 2.0], [3.0, -1.0], [0.5, 0.5], [1.0, 0.0]])
HUBER_Y = np.array([1.0, -2.0, 0.3, 6.0])

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


def _exact_rate(X: Array, y: Array, theta: Array) -> float:
    g: Array = X.T @ (X @ theta - y)  # its factor 1/n drops out
    return float(g @ g / (g @ X.T @ X @ g / len(y)))


def _fixed_rate(X: Array, which: str) -> float:
    values = np.linalg.eigvalsh(X.T @ X / len(X))
    return float({"1/L": 1 / values[-1], "best": 2 / (values[0] + values[-1])}[which])


_FIT = np.array([[2.0, 1.0], [1.0, 3.0], [0.5, -1.0], [0.0, 2.0], [1.0, 1.0]])

_SEARCH = Code(
    _exact_rate,
    {
        "Where is y? The error is X @ theta - y.": lambda X, y, theta: _exact_rate(X, 0 * y, theta),
        "The error is prediction minus target.": lambda X, y, theta: _exact_rate(X, -y, theta),
        "That is the curvature along g; the rate is 1 over it.": lambda X, y, theta: (
            1 / _exact_rate(X, y, theta)
        ),
        "That is for the sum of squares: the Hessian has 1/n.": lambda X, y, theta: (
            _exact_rate(X, y, theta) / len(y)
        ),
        "One n too many: the rate is n |g|²/|Xg|².": lambda X, y, theta: (
            _exact_rate(X, y, theta) * len(y)
        ),
        "That divides by the number of parameters, not of examples.": lambda X, y, theta: (
            _exact_rate(X, y, theta) / len(y) * X.shape[1]
        ),
        "That is half of it: the half of the loss is gone in the gradient.": lambda X, y, theta: (
            _exact_rate(X, y, theta) / 2
        ),
        "That is twice it, the rate at which the loss is as high as before.": lambda X, y, theta: (
            2 * _exact_rate(X, y, theta)
        ),
        "That is |Xg|²/n; the rate is |g|² over it.": lambda X, y, theta: (
            np.sum((X.T @ (X @ theta - y) / len(y)) ** 2) / _exact_rate(X, y, theta)
        ),
        "That is 1/L, the same for every point.": lambda X, y, theta: _fixed_rate(X, "1/L"),
        "That is the best fixed rate, the same for every point.": lambda X, y, theta: _fixed_rate(
            X, "best"
        ),
        "That is for a step along theta; the search is along the gradient.": lambda X, y, theta: (
            len(y) * (theta @ theta) / (X @ theta @ X @ theta)
        ),
    },
    (
        (np.array([[1.0], [3.0]]), np.array([1.0, 2.0]), np.array([2.0])),
        (_FIT, np.array([1.0, -2.0, 0.0, 4.0, 2.0]), np.array([0.5, 4.0])),
        (_FIT, np.array([0.0, 5.0, 1.0, 1.0, -1.0]), np.array([-3.0, 1.0])),
    ),
    lambda X, y, theta: f"For X = {X.tolist()}, y = {y.tolist()} and theta = {theta.tolist()}",
)


def _old_units(theta: Array, mean: Array, std: Array) -> Array:
    return np.append(theta[:-1] / std, theta[-1] - theta[:-1] @ (mean / std))


_UNDO = Code(
    _old_units,
    {
        "The intercept changes too: it loses each slope times the mean of its column.": (
            lambda theta, mean, std: np.append(theta[:-1] / std, theta[-1])
        ),
        "Slopes are divided by the standard deviation, not multiplied.": (
            lambda theta, mean, std: np.append(
                theta[:-1] * std, theta[-1] - theta[:-1] * std @ mean
            )
        ),
        "Use the new slopes for the intercept, not those for the standardized columns.": (
            lambda theta, mean, std: np.append(theta[:-1] / std, theta[-1] - theta[:-1] @ mean)
        ),
        "The intercept loses the slopes times the means; it does not gain them.": (
            lambda theta, mean, std: np.append(
                theta[:-1] / std, theta[-1] + theta[:-1] @ (mean / std)
            )
        ),
        "Nothing has changed: slopes were per standard deviation, the intercept at the mean.": (
            lambda theta, mean, std: theta
        ),
        "Each mean comes with its slope; that takes off the means alone.": (
            lambda theta, mean, std: np.append(theta[:-1] / std, theta[-1] - mean.sum())
        ),
        "The intercept is right; the slopes are to be divided, not multiplied.": (
            lambda theta, mean, std: np.append(
                theta[:-1] * std, theta[-1] - theta[:-1] @ (mean / std)
            )
        ),
        "The intercept stands last.": lambda theta, mean, std: np.append(
            theta[-1] - theta[:-1] @ (mean / std), theta[:-1] / std
        ),
        "The intercept is no column: it is not divided.": lambda theta, mean, std: np.append(
            theta[:-1] / std, theta[-1] / std[-1] - theta[:-1] @ (mean / std)
        ),
        "The slopes change too: a column's unit was its standard deviation.": (
            lambda theta, mean, std: np.append(theta[:-1], theta[-1] - theta[:-1] @ (mean / std))
        ),
    },
    (
        (np.array([6.0, 1.0]), np.array([2.0]), np.array([3.0])),
        (np.array([1.0, -4.0, 0.5]), np.array([10.0, -1.0]), np.array([2.0, 0.25])),
    ),
    lambda theta, mean, std: (
        f"For theta = {theta.tolist()}, mean = {mean.tolist()} and std = {std.tolist()}"
    ),
)


def _spread(training: Array) -> Array:
    varies = training.max(axis=0) > training.min(axis=0)
    return np.where(varies, training.std(axis=0), 1)


def _standardized(training: Array, new: Array) -> Array:
    return np.asarray((new - training.mean(axis=0)) / _spread(training))


_NEW = Code(
    _standardized,
    {
        "That uses the mean and the spread of the new rows: use those of the training rows.": (
            lambda training, new: _standardized(new, new)
        ),
        "That uses the mean of the new rows: use that of the training rows.": (
            lambda training, new: (new - new.mean(axis=0)) / _spread(training)
        ),
        "That uses the spread of the new rows: use that of the training rows.": (
            lambda training, new: (new - training.mean(axis=0)) / _spread(new)
        ),
        "That mixes training and new rows: the training rows alone say what the units are.": (
            lambda training, new: _standardized(np.concatenate([training, new]), new)
        ),
        "Only the mean is subtracted: divide by the spread.": lambda training, new: (
            new - training.mean(axis=0)
        ),
        "The mean is not subtracted.": lambda training, new: new / _spread(training),
        "A column that did not vary has a spread of 0: divide it by 1.": lambda training, new: (
            (new - training.mean(axis=0)) / training.std(axis=0)
        ),
        "The spread of equal numbers need not come out as exactly 0: ask whether the largest "
        "differs from the smallest.": lambda training, new: (
            (new - training.mean(axis=0))
            / np.where(training.std(axis=0) > 0, training.std(axis=0), 1)
        ),
        "A small number added to the spread changes every column, and makes a new value in a "
        "column that did not vary astronomical: divide that by 1.": lambda training, new: (
            (new - training.mean(axis=0)) / (training.std(axis=0) + 1e-8)
        ),
        "That divides by at least 1: a column whose spread is smaller is not standardized.": (
            lambda training, new: (
                (new - training.mean(axis=0)) / np.maximum(training.std(axis=0), 1)
            )
        ),
        "That turns what is no number into one: divide by 1 where a column did not vary.": (
            lambda training, new: np.nan_to_num(
                (new - training.mean(axis=0)) / training.std(axis=0)
            )
        ),
        "The column that did not vary is to be shifted as well, and divided by 1.": (
            lambda training, new: np.where(
                training.max(axis=0) > training.min(axis=0), _standardized(training, new), new
            )
        ),
        "Do not set a column that did not vary to 0: subtract its mean and divide by 1.": (
            lambda training, new: np.where(
                training.max(axis=0) > training.min(axis=0), _standardized(training, new), 0.0
            )
        ),
        "Mean and spread are taken over all entries: take them column by column, axis=0.": (
            lambda training, new: (new - training.mean()) / training.std()
        ),
        "That divides by the variance; the spread is its root.": lambda training, new: (
            (new - training.mean(axis=0))
            / np.where(_spread(training) == 1, 1, training.var(axis=0))
        ),
        "That spread has n - 1 below; NumPy's std, and this course, have n.": (
            lambda training, new: (
                (new - training.mean(axis=0))
                / np.where(_spread(training) == 1, 1, training.std(axis=0, ddof=1))
            )
        ),
    },
    (
        (np.array([[1.0], [5.0]]), np.array([[7.0], [4.0]])),
        # Columns: ordinary, of one whole number, of a spread below 1.
        (
            np.array([[1.0, 4.0, 0.5], [3.0, 4.0, 1.0], [8.0, 4.0, 1.5]]),
            np.array([[2.0, 4.0, 0.9], [0.5, 6.0, 1.1]]),
        ),
        # A column whose mean is not exactly its one number, and a row that comes alone.
        (
            np.column_stack([np.arange(7.0), np.full(7, 0.1)]),
            np.array([[2.5, 0.2]]),
        ),
    ),
    lambda training, new: f"For training rows {training.tolist()} and new rows {new.tolist()}",
)


def _root(P: Array) -> Array:
    values, q = np.linalg.eigh(P)
    return np.asarray(q * np.sqrt(values) @ q.T)


def _preconditioned(x: Array, grad: Array, lr: float, P: Array) -> Array:
    return np.asarray(x - lr * np.linalg.solve(P, grad))


_STEP = Code(
    _preconditioned,
    {
        "That multiplies by P; the steepest step divides by it.": lambda x, grad, lr, P: (
            x - lr * P @ grad
        ),
        "P is not used.": lambda x, grad, lr, P: x - lr * grad,
        "The step goes uphill: subtract, do not add.": lambda x, grad, lr, P: (
            x + lr * np.linalg.solve(P, grad)
        ),
        "The learning rate is not used.": lambda x, grad, lr, P: _preconditioned(x, grad, 1.0, P),
        "The old x is missing: this is the step alone.": lambda x, grad, lr, P: (
            -lr * np.linalg.solve(P, grad)
        ),
        "That divides by the diagonal of P alone.": lambda x, grad, lr, P: (
            x - lr * grad / np.diag(P)
        ),
        "That divides entry by entry; the inverse of a matrix is another thing.": (
            lambda x, grad, lr, P: x - lr * (1 / P) @ grad
        ),
        "That divides by the root of P.": lambda x, grad, lr, P: (
            x - lr * np.linalg.solve(_root(P), grad)
        ),
        "That step has length lr: it is to be longer where it is steeper.": lambda x, grad, lr, P: (
            x - lr * np.linalg.solve(P, grad) / np.linalg.norm(np.linalg.solve(P, grad))
        ),
        "The learning rate is to multiply, not to divide.": lambda x, grad, lr, P: _preconditioned(
            x, grad, 1 / lr, P
        ),
        "Only the gradient is divided by P, not x.": lambda x, grad, lr, P: np.linalg.solve(
            P, x - lr * grad
        ),
        "P is in it twice: P⁻¹g, once.": lambda x, grad, lr, P: (
            x - lr * np.linalg.solve(P @ P, grad)
        ),
    },
    (
        (np.array([1.0, 1.0]), np.array([2.0, 8.0]), 0.5, np.diag([2.0, 4.0])),
        (np.array([0.5, -2.0]), np.array([1.0, -3.0]), 0.1, np.array([[2.0, 1.0], [1.0, 5.0]])),
    ),
    lambda x, grad, lr, P: (
        f"From x = {x.tolist()} with grad = {grad.tolist()}, lr = {lr:g} and P = {P.tolist()}"
    ),
)


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
        (_FIT, np.array([1.0, -2.0, 0.0, 4.0, 2.0]), np.array([0.5, -1.0]), 0.2, [3, 0, 4, 1, 2]),
        (_FIT, np.array([0.0, 5.0, 1.0, 1.0, -1.0]), np.array([2.0, 1.0]), 0.05, [2, 2, 0, 4]),
    ),
    lambda X, y, theta, lr, order: (
        f"For X = {X.tolist()}, y = {y.tolist()}, theta = {theta.tolist()}, lr = {lr:g} and "
        f"order = {order}"
    ),
)

#: By the label of the exercise.
FUNCTIONS: dict[str, Code] = {
    "ex-hf-tail": _TAIL,
    "ex-co-search": _SEARCH,
    "ex-co-undo": _UNDO,
    "ex-co-new": _NEW,
    "ex-co-step": _STEP,
    "ex-sg-pass": _PASS,
}
