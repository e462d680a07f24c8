"""The answers of the chapter on noise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gdcourse._answers._kinds import Answer, Code
from gdcourse.data import add_intercept, normal_regression
from gdcourse.moments import LeastSquaresMoments


def _level(lr: float, curvature: float, variance: float) -> float:
    """Return the mean square of the error in the long run on a noisy parabola."""
    return lr * variance / (curvature * (2 - lr * curvature))


def _floor_of_a_parabola() -> Answer:
    return Answer(
        _level(0.1, 2.0, 0.5),
        {
            "That is the rule for small rates; the exact one has 2 - ηλ below.": (
                0.1 * 0.5 / (2 * 2.0)
            ),
            "That is for a curvature of 1.": _level(0.1, 1.0, 0.5),
            "The curvature stands below once more: λ(2 - ηλ).": 0.1 * 0.5 / (2 - 0.2),
            "That is the distance; its square is asked for.": _level(0.1, 2.0, 0.5) ** 0.5,
            "That is the rule for small rates with a curvature of 1.": 0.1 * 0.5 / 2,
            "0.5 is the variance already: do not square it.": _level(0.1, 2.0, 0.25),
        },
        rtol=4e-3,  # three digits, rounded
    )


def _tenth_of_the_jitter() -> Answer:
    level = _level(0.1, 1.0, 1.0) / 100
    return Answer(
        2 * level / (1 + level),
        {
            "There the square is a tenth; the distance itself is asked for.": (
                2 * 10 * level / (1 + 10 * level)
            ),
            "That is too far: the squared distance is to fall by a hundred.": 1e-4,
            "That is the square of the distance there.": level,
        },
        rtol=0.06,  # one digit
    )


def _waiting() -> Answer:
    def steps(level: float, start: float = 100.0, power: float = 2.0) -> float:
        return float(np.ceil(np.log(start / level) / (-power * np.log(0.99))))

    level = _level(0.01, 1.0, 1.0)
    return Answer(
        steps(level),
        {
            "The start's part is squared: 100, with the power 2t.": steps(level, 10.0, 1.0),
            "The power is 2t, not t.": steps(level, 100.0, 1.0),
            "The start counts squared: 100, not 10.": steps(level, 10.0),
            "One step fewer, and it is a hair above.": steps(level) - 1,
            "That is until it has shrunk to the jitter, whose square is the floor.": steps(
                level**0.5
            ),
            "That is with the logarithm to base 10 above and e below.": float(
                np.ceil(np.log10(100 / level) / (-2 * np.log(0.99)))
            ),
        },
        rtol=1e-3,
    )


def _rate_for_a_floor() -> Answer:
    X, y, _ = normal_regression(seed=0)
    moments = LeastSquaresMoments(add_intercept(X), y)
    edge, variance = moments.mean_square_edge(), float(np.trace(moments.noise))

    def found(excess: Callable[[float], float], low: float, high: float) -> float:
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (middle, high) if excess(middle) < 1e-4 else (low, middle)
        return low

    rule = 4e-4 / variance
    return Answer(
        found(moments.excess_loss, 1e-6, edge * (1 - 1e-9)),
        {
            "That is the rule of thumb. Is there a long run at this rate?": rule,
            "That takes the full step's edge for the mean-square edge.": 1
            / (1 / rule + float(np.linalg.eigvalsh(moments.hessian)[-1]) / 2),
            "That is the mean-square edge: there the loss has no bound.": edge,
            "That is with a half in place of the quarter.": found(
                lambda lr: lr * variance / 2 / (1 - lr / edge), 1e-6, edge * (1 - 1e-9)
            ),
        },
        rtol=0.02,  # two digits, and the formula with the edge is good enough
    )


def _factor_in_front() -> Answer:
    return Answer(
        2**2 / (2 * 2 - 1),
        {
            "The variance is not proportional to c, nor to its square: c²/(2c - 1).": 4.0,
            "That is twice as large. A larger c also forgets faster: c²/(2c - 1).": 2.0,
            "That is 1 over it: larger steps are noisier.": 0.75,
            "No: larger steps forget the past faster, and that costs something.": 1.0,
            "That is c/(2c - 1); c is squared above.": 2 / 3,
        },
        rtol=4e-3,
    )


#: By the label of the exercise.
ANSWERS: dict[str, Callable[[], Answer]] = {
    "ex-no-floor": _floor_of_a_parabola,
    "ex-no-lower": _tenth_of_the_jitter,
    "ex-no-forget": _waiting,
    "ex-no-first": _rate_for_a_floor,
    "ex-no-factor": _factor_in_front,
}


# --- Functions that a reader writes ---


_MEAN = Code(
    lambda mean, theta, t: mean + (theta - mean) / (t + 1),
    {
        "That gives the newest a weight of one half at every step: a mean of the last few.": (
            lambda mean, theta, t: (mean + theta) / 2
        ),
        "With the newest there are t + 1 iterates: divide by that.": lambda mean, theta, t: (
            mean + (theta - mean) / t if t else theta
        ),
        "The old mean stands for t iterates: weigh it with t.": lambda mean, theta, t: (
            (mean + theta) / (t + 1)
        ),
        "Divide by t + 1: the newest is one more.": lambda mean, theta, t: (
            (t * mean + theta) / t if t else theta
        ),
        "The old mean stands for t iterates, not for t + 1.": lambda mean, theta, t: (
            ((t + 1) * mean + theta) / (t + 2)
        ),
        "That weighs the old mean with 1/(t + 1) and the newest with the rest: the other way "
        "round.": lambda mean, theta, t: theta + (mean - theta) / (t + 1),
        "That is the newest iterate.": lambda mean, theta, t: theta,
        "That is the sum: divide it by t + 1.": lambda mean, theta, t: t * mean + theta,
        "The weights must sum to 1: take off as much of the old mean.": lambda mean, theta, t: (
            mean + theta / (t + 1)
        ),
    },
    (
        (np.array([2.0]), np.array([5.0]), 2),
        (np.array([7.0, -1.0]), np.array([1.0, 4.0]), 0),
        (np.array([0.5, 3.0]), np.array([-4.0, 2.0]), 9),
    ),
    lambda mean, theta, t: f"For mean = {mean.tolist()}, theta = {theta.tolist()} and t = {t}",
)


def _tutorials_rate(lr: float, per_epoch: int, t: int, *, late: int = 0, base: float = 0.1) -> Any:
    return lr * base ** max(0, t // per_epoch - 1 - late)


_RATE = Code(
    _tutorials_rate,
    {
        "That falls from the second epoch on: the first two are to have the same rate.": (
            lambda lr, per_epoch, t: _tutorials_rate(lr, per_epoch, t, late=-1)
        ),
        "That falls from the fourth epoch on: the third is to have a tenth.": (
            lambda lr, per_epoch, t: _tutorials_rate(lr, per_epoch, t, late=1)
        ),
        "That falls once. The tutorial's falls in every epoch from the third on.": (
            lambda lr, per_epoch, t: lr if t < 2 * per_epoch else lr / 10
        ),
        "Steps are counted from 0: a new epoch begins at t = per_epoch, not one later.": (
            lambda lr, per_epoch, t: _tutorials_rate(lr, per_epoch, max(t - 1, 0))
        ),
        "Steps are counted from 0: a new epoch begins at t = per_epoch, not one earlier.": (
            lambda lr, per_epoch, t: _tutorials_rate(lr, per_epoch, t + 1)
        ),
        "That never falls.": lambda lr, per_epoch, t: lr,
        "In the first epoch that is ten times lr: the power must not be negative.": (
            lambda lr, per_epoch, t: lr * 0.1 ** (t // per_epoch - 1)
        ),
        "That halves; a tenth is asked for.": lambda lr, per_epoch, t: _tutorials_rate(
            lr, per_epoch, t, base=0.5
        ),
        "That falls at every step from the third epoch on; it is to fall once an epoch.": (
            lambda lr, per_epoch, t: lr * 0.1 ** max(0, t - 2 * per_epoch + 1)
        ),
        "That falls smoothly within the epochs: use whole epochs, t // per_epoch.": (
            lambda lr, per_epoch, t: lr * 0.1 ** max(0.0, t / per_epoch - 1)
        ),
    },
    tuple((0.2, 100, t) for t in (0, 99, 100, 150, 199, 200, 201, 299, 300, 450)),
    lambda lr, per_epoch, t: f"For lr = {lr:g}, per_epoch = {per_epoch} and t = {t}",
)

#: By the label of the exercise.
FUNCTIONS: dict[str, Code] = {
    "ex-no-mean": _MEAN,
    "ex-no-rate": _RATE,
}
