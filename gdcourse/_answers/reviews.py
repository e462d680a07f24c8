"""The answers of the projects in the two reviews."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from gdcourse._answers._kinds import Answer
from gdcourse._types import Array
from gdcourse.data import add_intercept, load_diabetes, load_digits
from gdcourse.models import LinearRegression
from gdcourse.moments import LeastSquaresMoments


def _patients() -> tuple[Array, Array]:
    X, y, _ = load_diabetes()
    return add_intercept((X - X.mean(axis=0)) / X.std(axis=0)), (y - y.mean()) / y.std()


def _edge() -> Answer:
    X, y = _patients()
    bends = np.linalg.eigvalsh(X.T @ X / len(y))
    L = float(bends[-1])
    return Answer(
        2 / L,
        {
            "That is the largest curvature; the edge is 2 over it.": L,
            "That is half of the edge.": 1 / L,
            "That is for the sum over the patients; the loss is their mean.": 2 / (L * len(y)),
            "That is for a loss without the half.": 0.5 / L,
            "That is the best fixed rate, a little below the edge.": 2 / float(L + bends[0]),
            "That is the edge of single examples in the mean square.": (
                LeastSquaresMoments(X, y).mean_square_edge()
            ),
        },
        rtol=1.5e-3,
    )


def _steps(share: float) -> int:
    """Return the full steps until 1 percent above the least, at a share of 1/L."""
    X, y = _patients()
    model, theta = LinearRegression(), np.zeros(11)
    least = model.loss_and_grad(np.linalg.lstsq(X, y, rcond=None)[0], X, y)[0]
    eta = share / float(np.linalg.eigvalsh(X.T @ X / len(y))[-1])
    steps, (loss, grad) = 0, model.loss_and_grad(theta, X, y)
    while loss > 1.01 * least:
        steps, theta = steps + 1, theta - eta * grad
        loss, grad = model.loss_and_grad(theta, X, y)
    return steps


def _full() -> Answer:
    return Answer(
        _steps(1.0),
        {
            "That is one step too many: how many have been taken when it is there?": _steps(1.0)
            + 1,
            "That is one step too few.": _steps(1.0) - 1,
            "That is at the best fixed rate.": _steps(1.9957544),
            "That is at 1.9/L.": _steps(1.9),
            "That is at half of this rate, a quarter of the edge.": _steps(0.5),
        },
        rtol=1e-3,
    )


def _floor() -> Answer:
    X, y = _patients()
    least = LinearRegression().loss_and_grad(np.linalg.lstsq(X, y, rcond=None)[0], X, y)[0]

    def rate(size: int, share: float) -> float:
        """Bisect: the excess loss grows with the rate."""
        moments, low, high = LeastSquaresMoments(X, y, batch_size=size), 1e-5, 0.1
        for _ in range(50):
            middle = math.sqrt(low * high)
            low, high = (
                (low, middle) if moments.excess_loss(middle) > share * least else (middle, high)
            )
        return low

    return Answer(
        rate(10, 0.01),
        {
            "That is for single examples.": rate(1, 0.01),
            "That is for a floor of a tenth of a percent.": rate(10, 0.001),
            "That is for an excess of 0.01, not of one percent of the least.": rate(
                10, 0.01 / least
            ),
            "That is for two percent.": rate(10, 0.02),
            "That is for half a percent.": rate(10, 0.005),
        },
        rtol=3e-2,
    )


def _guess() -> Answer:
    return Answer(
        math.log(2),
        {
            "That is the probability; the loss is minus its logarithm.": 0.5,
            "That is ten classes.": math.log(10),
            "The loss is not a share of wrong ones.": 0.4958,
            "That is the logarithm to the base 2.": 1,
            "That is the logarithm to the base 10.": math.log10(2),
        },
        rtol=3e-4,
    )


def _features() -> Array:
    pixels = load_digits().X / 16
    weights = np.random.default_rng(40).standard_normal((64, 1000)) / np.sqrt(8)
    features = np.maximum((pixels - np.mean(pixels, axis=0)) @ weights, 0) / np.sqrt(1000)
    return add_intercept(features)


def _parity_edge() -> Answer:
    features = _features()
    order = np.random.default_rng([0, 41]).permutation(len(features))
    rows = features[order[:600]]
    # As large as that of the features' second moments, and smaller to compute.
    L = float(np.linalg.eigvalsh(rows @ rows.T / len(rows))[-1])
    return Answer(
        8 / L,
        {
            "That is without the quarter of the logistic loss.": 2 / L,
            "That is half of the edge.": 4 / L,
            "That is the largest curvature; the edge is 2 over it.": L / 4,
            "The quarter comes once, as the largest p(1 - p).": 32 / L,
            "That is for the sum over the digits; the loss is their mean.": 8 / (L * 600),
        },
        rtol=2e-2,
    )


#: By the label of the exercise.
ANSWERS: dict[str, Callable[[], Answer]] = {
    "ex-ra-edge": _edge,
    "ex-ra-full": _full,
    "ex-ra-floor": _floor,
    "ex-rb-guess": _guess,
    "ex-rb-edge": _parity_edge,
}
