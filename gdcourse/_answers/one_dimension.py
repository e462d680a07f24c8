"""The answers of the chapter on one dimension."""

from __future__ import annotations

from collections.abc import Callable

from gdcourse._answers._kinds import Answer
from gdcourse.descent import minimize
from gdcourse.objectives import quadratic
from gdcourse.optimizers import GradientDescent
from gdcourse.schedules import exponential_decay


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


#: By the label of the exercise.
ANSWERS: dict[str, Callable[[], Answer]] = {
    "ex-1d-factor": _factor,
    "ex-1d-edge": _edge,
    "ex-1d-backwards": _backwards,
    "ex-1d-shrink": _shrink,
}
