"""The answers of the chapter on momentum beyond quadratics."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from gdcourse._answers._kinds import Answer, Code, Gradient
from gdcourse._answers.momentum import best_pair
from gdcourse._types import Array


def _steps() -> Answer:
    gap = 1e-4
    return Answer(
        math.ceil(math.sqrt(2 / gap) - 1),
        {
            "T + 1 is at least 141.4; take 1 off.": math.ceil(math.sqrt(2 / gap)),
            "One step fewer, and the bound is a hair above.": math.ceil(math.sqrt(2 / gap) - 2),
            "That is the guarantee of gradient descent.": math.ceil((1 / gap - 2) / 4),
            "The 2 is missing in front.": math.ceil(1 / math.sqrt(gap) - 1),
            "That is without the root: the square is below.": math.ceil(2 / gap) - 1,
            "That is for Huber's function, the worst; the theorem asks for two more.": 139,
        },
        rtol=1e-6,
    )


def _edge() -> Answer:
    mu, L = 0.9, 10.0
    return Answer(
        (2 + 2 * mu) / (1 + 2 * mu) / L,
        {
            "That is the heavy ball's edge.": 2 * (1 + mu) / L,
            "That is the edge of gradient descent.": 2 / L,
            "That is 1/L, the customary rate; it is below the edge.": 1 / L,
            "That is what the edge tends to as the momentum tends to 1.": 4 / 3 / L,
            "That is ηλ; divide by the curvature.": (2 + 2 * mu) / (1 + 2 * mu),
            "The momentum counts twice below, too.": (2 + 2 * mu) / (1 + mu) ** 2 / L,
        },
        rtol=4e-3,  # 0.136
    )


def _floor_of(lr: float, mu: float, curvature: float, variance: float) -> float:
    """Return the mean square of the error in the long run."""
    top = lr * variance * (1 + mu)
    return top / ((1 - mu) * curvature * (2 * (1 + mu) - lr * curvature))


def _floor() -> Answer:
    lr, mu, curvature, variance = 0.1, 0.5, 2.0, 4.0
    return Answer(
        _floor_of(lr, mu, curvature, variance),
        {
            "That is without momentum.": _floor_of(lr, 0.0, curvature, variance),
            "That is with the variance 16: 4 is the variance already.": _floor_of(
                lr, mu, curvature, variance**2
            ),
            "That is with the variance 2: 4 is the variance already.": _floor_of(
                lr, mu, curvature, variance**0.5
            ),
            "That is SGD's floor at the effective rate; this one is a little lower.": _floor_of(
                lr / (1 - mu), 0.0, curvature, variance
            ),
            "That is without the curvature in front of the bracket.": curvature
            * _floor_of(lr, mu, curvature, variance),
            "That is the rule of thumb for small rates.": lr
            * variance
            / (1 - mu)
            / (2 * curvature),
            "1 + μ is above and 1 - μ below.": lr
            * variance
            * (1 - mu)
            / ((1 + mu) * curvature * (2 * (1 + mu) - lr * curvature)),
        },
        rtol=2.5e-2,  # 0.21
    )


def _saddle() -> Answer:
    lr, mu, a = 0.005, 0.9, 2.0
    middle = 1 + mu + lr * a
    spread = math.sqrt(middle**2 - 4 * mu)
    return Answer(
        (middle + spread) / 2,
        {
            "That is gradient descent at the same rate.": 1 + lr * a,
            "That is gradient descent at the effective rate, an upper bound.": 1
            + lr * a / (1 - mu),
            "That is the other root; in the long run the larger one counts.": (middle - spread) / 2,
            "The curvature is negative: ηλ is -0.01.": math.sqrt(mu),
            "That is the sum of the roots.": middle,
            "Divide by 2.": middle + spread,
        },
        rtol=5e-4,  # 1.0647 and 1.065, and not 1.06
    )


def _energy() -> Answer:
    mu, L = 0.9, 4.0
    return Answer(
        2 * (1 - mu) / L,
        {
            "That is the edge on a quadratic; the energy needs a smaller rate.": 2 * (1 + mu) / L,
            "That is the edge of gradient descent: it is the effective rate that is to be below.": 2
            / L,
            "That is half of it: up to 2(1 - μ)/L.": (1 - mu) / L,
            "That is ηL; divide by L.": 2 * (1 - mu),
            "That multiplies by the momentum; friction is 1 - μ.": 2 * mu / L,
        },
        rtol=2e-3,
    )


#: By the label of the exercise.
ANSWERS: dict[str, Callable[[], Answer]] = {
    "ex-bq-steps": _steps,
    "ex-bq-edge": _edge,
    "ex-bq-floor": _floor,
    "ex-bq-saddle": _saddle,
    "ex-bq-energy": _energy,
}


# --- Functions that a reader writes ---


_LINE = Gradient("the gradient 2x", lambda x: 2 * x)
_CUBE = Gradient("the gradient x³ + x", lambda x: x**3 + x)

Slope = Callable[[Any], Any]


def _nesterov_pair(m: float, L: float, power: float = 1.0) -> tuple[float, float]:
    root = math.sqrt(L / m)
    return 1 / L, ((root - 1) / (root + 1)) ** power


_PAIR = Code(
    _nesterov_pair,
    {
        "That momentum is the heavy ball's, the square of Nesterov's.": lambda m, L: _nesterov_pair(
            m, L, 2
        ),
        "That is the heavy ball's pair.": best_pair,
        "That rate is the heavy ball's; Nesterov's is 1/L.": lambda m, L: (
            best_pair(m, L)[0],
            _nesterov_pair(m, L)[1],
        ),
        "That rate is the best of gradient descent; Nesterov's is 1/L.": lambda m, L: (
            2 / (L + m),
            _nesterov_pair(m, L)[1],
        ),
        "That rate is the edge of gradient descent, beyond Nesterov's.": lambda m, L: (
            2 / L,
            _nesterov_pair(m, L)[1],
        ),
        "The momentum has the root of κ, not κ.": lambda m, L: (1 / L, (L - m) / (L + m)),
        "That is the factor, 1 - 1/√κ; the momentum is (√κ - 1)/(√κ + 1).": lambda m, L: (
            1 / L,
            1 - math.sqrt(m / L),
        ),
        "The rate first, then the momentum.": lambda m, L: _nesterov_pair(m, L)[::-1],
        "That is the customary 0.9, whatever the curvatures.": lambda m, L: (1 / L, 0.9),
        "The rate is 1 over L, the largest curvature, not over m.": lambda m, L: (
            1 / m,
            _nesterov_pair(m, L)[1],
        ),
        "κ is L over m, not m over L.": lambda m, L: (
            1 / L,
            -_nesterov_pair(m, L)[1],
        ),
    },
    ((4.0, 16.0), (1.0, 100.0), (0.02, 5.0)),
    lambda m, L: f"For m = {m:g} and L = {L:g}",
)


def _run(
    grad: Slope,
    x0: Any,
    lr: float,
    steps: int,
    share: Callable[[int], float] = lambda t: (t - 1) / (t + 2),
    *,
    from_y: bool = True,
) -> tuple[Any, Any]:
    """Return the last x and the point ahead of it; steps go from y, or from x."""
    x = y = x0
    for t in range(1, steps + 1):
        before, x = x, (y if from_y else x) - lr * grad(y)
        y = x + share(t) * (x - before)
    return x, y


def _growing(grad: Slope, x0: Any, lr: float, steps: int, *share: Callable[[int], float]) -> Any:
    return _run(grad, x0, lr, steps, *share)[0]


def _growing_ball(grad: Slope, x0: Any, lr: float, steps: int) -> Any:
    """Take the gradient at x and not ahead."""
    x, before = x0, x0
    for t in range(1, steps + 1):
        x, before = x + max(t - 2, 0) / (t + 1) * (x - before) - lr * grad(x), x
    return x


_GROWING = Code(
    _growing,
    {
        "That is gradient descent: y is to run ahead of x.": lambda grad, x0, lr, steps: _growing(
            grad, x0, lr, steps, lambda t: 0.0
        ),
        "That returns y; the guarantee is for x.": lambda grad, x0, lr, steps: _run(
            grad, x0, lr, steps
        )[1],
        "The gradient is taken at x; it is wanted at y.": _growing_ball,
        "The step begins at y, not at x.": lambda grad, x0, lr, steps: _run(
            grad, x0, lr, steps, from_y=False
        )[0],
        "Your t begins at 0: the factor is t/(t + 3) then.": lambda grad, x0, lr, steps: _growing(
            grad, x0, lr, steps, lambda t: (t - 2) / (t + 1)
        ),
        "The factor is (t - 1)/(t + 2), not t/(t + 3).": lambda grad, x0, lr, steps: _growing(
            grad, x0, lr, steps, lambda t: t / (t + 3)
        ),
        "The factor is (t - 1)/(t + 2), not (t - 1)/(t + 1).": lambda grad, x0, lr, steps: _growing(
            grad, x0, lr, steps, lambda t: (t - 1) / (t + 1)
        ),
        "The momentum grows with t; yours is fixed.": lambda grad, x0, lr, steps: _growing(
            grad, x0, lr, steps, lambda t: 0.9
        ),
        "That takes one step more.": lambda grad, x0, lr, steps: _growing(grad, x0, lr, steps + 1),
        "That takes one step too few.": lambda grad, x0, lr, steps: _growing(
            grad, x0, lr, steps - 1
        ),
        "That runs uphill: the gradient is subtracted.": lambda grad, x0, lr, steps: _growing(
            grad, x0, -lr, steps
        ),
    },
    ((_LINE, 4.0, 0.25, 4), (_CUBE, np.array([1.0, -0.5]), 0.1, 7)),
    lambda grad, x0, lr, steps: (
        f"For {grad}, x0 = {np.asarray(x0).tolist()}, lr = {lr:g} and steps = {steps}"
    ),
)


def _brake(grad: Array, v: Array) -> Array:
    return np.zeros_like(v) if grad @ v > 0 else v


_BRAKE = Code(
    _brake,
    {
        "The other way round: brake where the gradient and the velocity form an acute angle.": (
            lambda grad, v: np.zeros_like(v) if grad @ v < 0 else v
        ),
        "That never brakes.": lambda grad, v: v,
        "That always brakes.": lambda grad, v: np.zeros_like(v),
        "That brakes each coordinate by itself; the angle is between the vectors.": (
            lambda grad, v: np.where(grad * v > 0, 0.0, v)
        ),
        "That brakes only if every coordinate goes uphill.": lambda grad, v: (
            np.zeros_like(v) if (grad * v > 0).all() else v
        ),
        "That brakes if any coordinate goes uphill; the sum decides.": lambda grad, v: (
            np.zeros_like(v) if (grad * v > 0).any() else v
        ),
        "That turns the ball around; it is to stop.": lambda grad, v: -v if grad @ v > 0 else v,
        "Return the velocity, not the gradient.": lambda grad, v: (
            np.zeros_like(v) if grad @ v > 0 else grad
        ),
    },
    (
        (np.array([2.0, 1.0]), np.array([1.0, -1.0])),
        (np.array([2.0, 1.0]), np.array([-1.0, 1.0])),
        (np.array([1.0, -3.0, 2.0]), np.array([2.0, -1.0, 0.5])),
        (np.array([1.0, 2.0]), np.array([-3.0, -1.0])),
    ),
    lambda grad, v: f"For grad = {grad.tolist()} and v = {v.tolist()}",
)

#: By the label of the exercise.
FUNCTIONS: dict[str, Code] = {
    "ex-bq-pair": _PAIR,
    "ex-bq-growing": _GROWING,
    "ex-bq-restart": _BRAKE,
}
