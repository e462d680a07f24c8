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
        _level(0.1, 3.0, 0.8),
        {
            "That is the rule for small rates; the exact one has 2 - ηλ below.": (
                0.1 * 0.8 / (2 * 3.0)
            ),
            "That is a quarter of rate times variance, the rule for the excess loss at small "
            "rates.": 0.1 * 0.8 / 4,
            "That is the excess loss: half the curvature times what is asked for.": (
                1.5 * _level(0.1, 3.0, 0.8)
            ),
            "That is for a curvature of 1.": _level(0.1, 1.0, 0.8),
            "The curvature stands below once more: λ(2 - ηλ).": 0.1 * 0.8 / (2 - 0.3),
            "That is the distance; its square is asked for.": _level(0.1, 3.0, 0.8) ** 0.5,
            "That is the rule for small rates with a curvature of 1.": 0.1 * 0.8 / 2,
            "0.8 is the variance already: do not square it.": _level(0.1, 3.0, 0.64),
        },
        rtol=4e-3,  # three digits, rounded
    )


def _waiting() -> Answer:
    def steps(level: float, start: float = 9.0, power: float = 2.0) -> float:
        return float(np.ceil(np.log(start / level) / (-power * np.log(0.98))))

    level = _level(0.02, 1.0, 1.0)
    return Answer(
        steps(level),
        {
            "The power is 2t, not t.": steps(level, 9.0, 1.0),
            "The start counts squared: 9, not 3.": steps(level, 3.0),
            "One step fewer, and it is a hair above.": steps(level) - 1,
            "That is until it has shrunk to the jitter, whose square is the floor.": steps(
                level**0.5
            ),
            "That is with the logarithm to base 10 above and e below.": float(
                np.ceil(np.log10(9 / level) / (-2 * np.log(0.98)))
            ),
            "That is with exp(-2ηt) in place of (1 - η) to the power 2t, and η/2 for the floor.": (
                float(np.ceil(np.log(9 / 0.01) / 0.04))
            ),
            "That is with exp(-2ηt) in place of (1 - η) to the power 2t.": float(
                np.ceil(np.log(9 / level) / 0.04)
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
            "That is the rule of thumb, rounded. Is there a long run at this rate?": 1.4,
            "That takes the full step's edge for the mean-square edge.": 1
            / (1 / rule + float(np.linalg.eigvalsh(moments.hessian)[-1]) / 2),
            "That is the mean-square edge: there the loss has no bound.": edge,
            "That is with a half in place of the quarter.": found(
                lambda lr: lr * variance / 2 / (1 - lr / edge), 1e-6, edge * (1 - 1e-9)
            ),
        },
        rtol=0.02,  # two digits, and the formula with the edge is good enough
    )


def _which_c() -> Answer:
    return Answer(
        2 * 0.1 / 0.5,
        {
            "The curvature is missing: the rate is c/(λt).": 0.1 / 0.5,
            "For large t the learning rate is lr/(rate · t), and c is λ times the factor in it: "
            "one of the two is the wrong way round.": 2 * 0.1 * 0.5,
            "That is the power, 2c.": 0.8,
            "That is 1 over it.": 2.5,
        },
        rtol=2e-3,
    )


def _factor_in_front() -> Answer:
    c = 0.75
    return Answer(
        c**2 / (2 * c - 1),
        {
            "Smaller steps take in less noise, and remember the start and old noise longer: which "
            "case of the proposition is this?": c,
            "Smaller steps take in less noise, by c², and forget it more slowly: divide by 2c - "
            "1.": c**2,
            "The c² is missing.": 1 / (2 * c - 1),
            "That is 1 over it: more than the best is asked for.": (2 * c - 1) / c**2,
            "Only c = 1 is the best, and here it is ¾.": 1.0,
            "That has c above in place of its square.": c / (2 * c - 1),
            "That is for twice the best factor.": 4 / 3,
        },
        rtol=5e-3,  # three digits, rounded
    )


def _when_the_mean_is_better() -> Answer:
    return Answer(
        (2 - 0.1) / 0.1,
        {
            "That is with the rule for small rates, η/2.": 20,
            "That is the memory, 1/η; compare 1/T with the floor.": 10,
            "That is for the root of the floor: both are mean squares.": 5,
            "The floor is η/(2 - η).": 1.9,
            "At 18 the second term is still above the floor.": 18,
        },
        rtol=1e-6,
    )


#: By the label of the exercise.
ANSWERS: dict[str, Callable[[], Answer]] = {
    "ex-no-floor": _floor_of_a_parabola,
    "ex-no-forget": _waiting,
    "ex-no-first": _rate_for_a_floor,
    "ex-no-c": _which_c,
    "ex-no-factor": _factor_in_front,
    "ex-no-when": _when_the_mean_is_better,
}


# --- Functions that a reader writes ---


_MEAN = Code(
    lambda mean, theta, t: mean + (theta - mean) / (t + 1),
    {
        "That gives the newest a weight of one half at every step: a mean of the last few.": (
            lambda mean, theta, t: (mean + theta) / 2
        ),
        "With the newest there are t + 1 iterates: divide by that.": lambda mean, theta, t: (
            mean + (theta - mean) / t
        ),
        "The old mean stands for t iterates: weigh it with t.": lambda mean, theta, t: (
            (mean + theta) / (t + 1)
        ),
        "Divide by t + 1: the newest is one more.": lambda mean, theta, t: (t * mean + theta) / t,
        "The old mean stands for t iterates, not for t + 1.": lambda mean, theta, t: (
            ((t + 1) * mean + theta) / (t + 2)
        ),
        "That weighs the old mean with 1/(t + 1) and the newest with the rest: the other way "
        "round.": lambda mean, theta, t: theta + (mean - theta) / (t + 1),
        "That goes away from the newest iterate; the mean moves toward it.": (
            lambda mean, theta, t: mean - (theta - mean) / (t + 1)
        ),
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
        "That keeps every rate for two epochs; only the first two share one.": (
            lambda lr, per_epoch, t: lr * 0.1 ** (t // (2 * per_epoch))
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
