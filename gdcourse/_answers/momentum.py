"""The answers of the chapter on momentum."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from gdcourse._answers._kinds import Answer, Code, Gradient
from gdcourse._types import Array


def _long_slope() -> Answer:
    lr, momentum, slope = 0.02, 0.95, 3.0
    return Answer(
        lr * slope / (1 - momentum),
        {
            "That is the first step; the velocity has still to gather.": lr * slope,
            "That is the effective rate; the step is that times the slope.": lr / (1 - momentum),
            "That is where gradients alternate; here they agree.": lr * slope / (1 + momentum),
            "That is 1 over 1 - μ, how many times as long as the first step.": 1 / (1 - momentum),
            "That is two steps' worth; every step before counts, 0.95 times each.": lr
            * slope
            * (1 + momentum),
            "That divides by the momentum.": lr * slope / momentum,
            "The rate is missing.": slope / (1 - momentum),
            "What is left out is what earlier steps give: the new gradient counts too.": lr
            * slope
            * momentum
            / (1 - momentum),
        },
        rtol=2e-3,
    )


def _edge() -> Answer:
    momentum, curvature = 0.6, 80.0
    return Answer(
        2 * (1 + momentum) / curvature,
        {
            "That is the edge of gradient descent; momentum moves it.": 2 / curvature,
            "That is half of it: the edge is at 2(1 + μ).": (1 + momentum) / curvature,
            "That is 1/L, the customary rate of gradient descent.": 1 / curvature,
            "Momentum moves the edge up, by 1 + μ, not down by 1 - μ.": 2
            * (1 - momentum)
            / curvature,
            "That divides by 1 - μ; the edge is where gradients alternate.": 2
            / ((1 - momentum) * curvature),
            "That is where running back and forth begins, (1 + √μ)²/λ; it still settles.": (
                1 + momentum**0.5
            )
            ** 2
            / curvature,
            "That is ηλ; divide by the curvature.": 2 * (1 + momentum),
        },
        rtol=2e-3,
    )


def _critical() -> Answer:
    push = 0.01 * 9
    return Answer(
        (1 - push**0.5) ** 2,
        {
            "That is the factor at critical damping; the momentum is its square.": 1 - push**0.5,
            "Take the root of the rate times the curvature first.": (1 - push) ** 2,
            "That is the factor without momentum.": 1 - push,
            "That is with a plus: then it is above 1.": (1 + push**0.5) ** 2,
            "That is the root of ηλ.": push**0.5,
            "That is 1 minus the momentum.": 1 - (1 - push**0.5) ** 2,
            "That is without the curvature.": (1 - 0.01**0.5) ** 2,
            "The root is over the whole product, rate times curvature.": (1 - 0.01 * 9**0.5) ** 2,
        },
        rtol=2e-3,
    )


def _mean_form() -> Answer:
    lr, momentum = 0.5, 0.98
    return Answer(
        (1 - momentum) * lr,
        {
            "The other way round: the mean form has the effective rate.": lr / (1 - momentum),
            "The gradient enters the mean with 1 - μ: the rates cannot be the same.": lr,
            "That is what the old mean is multiplied by; the gradient has 1 - μ.": lr * momentum,
            "That is 1 - μ alone.": 1 - momentum,
            "That is for alternating gradients.": lr / (1 + momentum),
        },
        rtol=2e-3,
    )


def _decides() -> Answer:
    lr, momentum = 0.05, 0.5
    middle = 1 + momentum - lr * 1
    spread = math.sqrt(middle**2 - 4 * momentum)
    return Answer(
        (middle + spread) / 2,
        {
            "That is the steep direction, which swings; the flat one is slower.": momentum**0.5,
            "That is gradient descent along the flat direction.": 1 - lr,
            "That is the effective rate along the flat direction: near, and a little slower.": 1
            - lr / (1 - momentum),
            "That is the smaller root; in the long run the larger one counts.": (middle - spread)
            / 2,
            "That is the momentum, the product of the two roots.": momentum,
            "That is the sum of the two roots.": middle,
        },
        rtol=2e-3,
    )


def _steps(lr: float, momentum: float, level: float) -> int:
    """Return the first step with f below the level, on ½(x₁²/100 + x₂²) from (1, 1)."""
    curvatures = np.array([0.01, 1.0])
    x, v = np.ones(2), np.zeros(2)
    for t in range(5000):
        if np.sum(curvatures * x**2) / 2 < level:
            return t
        v = momentum * v - lr * curvatures * x
        x = x + v
    raise AssertionError("this run does not get there")


def _near(level: float) -> int:
    """Return the first step of the best pair with a distance below the level."""
    r, t = 9 / 11, np.arange(400)
    away = np.hypot((1 + (1 - r) * t) * r**t, (1 + (1 + r) * t) * r**t)
    return int(np.argmax(away < level))


def _count_steps() -> Answer:
    r = 9 / 11
    lr, momentum, level = (2 / 1.1) ** 2, r**2, 1e-10
    right = _steps(lr, momentum, level)
    return Answer(
        right,
        {
            "At that step it is still above.": right - 1,
            "It is below one step earlier already: step 0 is the start.": right + 1,
            "That is gradient descent at its best rate.": _steps(2 / 1.01, 0.0, level),
            "That is gradient descent with the rate 1/L.": _steps(1.0, 0.0, level),
            "The momentum is the square of the factor.": _steps(lr, r, level),
            "That is with the rate 1/L: the best pair has a larger one.": _steps(
                1.0, momentum, level
            ),
            "That is with the best rate of gradient descent.": _steps(2 / 1.01, momentum, level),
            "That is what the factor alone promises; the factor t in front costs more.": math.ceil(
                math.log(level / 0.505) / (2 * math.log(r))
            ),
            "That is until the distance is below that, and not f.": _near(level),
            "That is with the customary momentum of 0.9.": _steps(lr, 0.9, level),
            "That is with a momentum of 0.9 and the rate 1/L.": _steps(1.0, 0.9, level),
            "Without the half in f it takes this long.": _steps(lr, momentum, level / 2),
        },
        rtol=1e-6,
    )


#: By the label of the exercise.
ANSWERS: dict[str, Callable[[], Answer]] = {
    "ex-mo-slope": _long_slope,
    "ex-mo-edge": _edge,
    "ex-mo-critical": _critical,
    "ex-mo-mean": _mean_form,
    "ex-mo-decides": _decides,
    "ex-mo-count": _count_steps,
}


# --- Functions that a reader writes ---


def best_pair(m: float, L: float) -> tuple[float, float]:
    """Return the rate and the momentum that are best for the heavy ball on quadratics."""
    low, high = np.sqrt(m), np.sqrt(L)
    return float((2 / (high + low)) ** 2), float(((high - low) / (high + low)) ** 2)


_PAIR = Code(
    best_pair,
    {
        "The momentum is the square of the factor.": lambda m, L: (
            best_pair(m, L)[0],
            best_pair(m, L)[1] ** 0.5,
        ),
        "The rate is the square of that.": lambda m, L: (
            best_pair(m, L)[0] ** 0.5,
            best_pair(m, L)[1],
        ),
        "Both are to be squared.": lambda m, L: (
            best_pair(m, L)[0] ** 0.5,
            best_pair(m, L)[1] ** 0.5,
        ),
        "That is gradient descent's best rate and factor.": lambda m, L: (
            2 / (L + m),
            (L - m) / (L + m),
        ),
        "Take the roots of the curvatures before you add and subtract.": lambda m, L: (
            (2 / (L + m)) ** 2,
            ((L - m) / (L + m)) ** 2,
        ),
        "That rate is the best of gradient descent; momentum wants a larger one.": lambda m, L: (
            2 / (L + m),
            best_pair(m, L)[1],
        ),
        "That rate is 1/L; the best one is larger.": lambda m, L: (1 / L, best_pair(m, L)[1]),
        "That rate is (2/(√L - √m))²: it is a sum.": lambda m, L: (
            (2 / (np.sqrt(L) - np.sqrt(m))) ** 2,
            best_pair(m, L)[1],
        ),
        "The rate first, then the momentum.": lambda m, L: best_pair(m, L)[::-1],
        "That momentum is for κ in place of √κ.": lambda m, L: (
            best_pair(m, L)[0],
            ((L - m) / (L + m)) ** 2,
        ),
        "That momentum is critical for the rate 1/L and the flattest direction; this rate is "
        "larger.": lambda m, L: (best_pair(m, L)[0], (1 - np.sqrt(m / L)) ** 2),
        "That is the customary 0.9, whatever the curvatures.": lambda m, L: (
            best_pair(m, L)[0],
            0.9,
        ),
        "The rate is 4 over (√L + √m)²: the 2 is squared too.": lambda m, L: (
            best_pair(m, L)[0] / 2,
            best_pair(m, L)[1],
        ),
        "Take the root of m as well as that of L.": lambda m, L: (
            (2 / (np.sqrt(L) + m)) ** 2,
            ((np.sqrt(L) - m) / (np.sqrt(L) + m)) ** 2,
        ),
    },
    ((4.0, 16.0), (1.0, 100.0), (0.3, 0.3), (0.02, 5.0)),
    lambda m, L: f"For m = {m:g} and L = {L:g}",
)


def _outside(x: Array, b: Array, grad: Array, lr: float, momentum: float) -> tuple[Array, Array]:
    new = momentum * b + grad
    return x - lr * new, new


_OUTSIDE = Code(
    _outside,
    {
        "That is the inside form: here the rate multiplies the whole buffer.": (
            lambda x, b, grad, lr, momentum: (
                x + momentum * b - lr * grad,
                momentum * b - lr * grad,
            )
        ),
        "The rate is in the buffer: leave it out there.": lambda x, b, grad, lr, momentum: (
            x - (momentum * b + lr * grad),
            momentum * b + lr * grad,
        ),
        "The rate is used twice.": lambda x, b, grad, lr, momentum: (
            x - lr * (momentum * b + lr * grad),
            momentum * b + lr * grad,
        ),
        "That moves along the old buffer: use the new one.": lambda x, b, grad, lr, momentum: (
            x - lr * b,
            momentum * b + grad,
        ),
        "That is the mean form: the gradient enters whole.": lambda x, b, grad, lr, momentum: (
            x - lr * (momentum * b + (1 - momentum) * grad),
            momentum * b + (1 - momentum) * grad,
        ),
        "Downhill: subtract the buffer.": lambda x, b, grad, lr, momentum: (
            x + lr * (momentum * b + grad),
            momentum * b + grad,
        ),
        "The gradient enters the buffer with a plus; the minus comes with the step.": (
            lambda x, b, grad, lr, momentum: (
                x - lr * (momentum * b - grad),
                momentum * b - grad,
            )
        ),
        "The buffer is not kept: it is returned as it came.": lambda x, b, grad, lr, momentum: (
            x - lr * (momentum * b + grad),
            b,
        ),
        "The momentum is not used.": lambda x, b, grad, lr, momentum: (
            x - lr * (b + grad),
            b + grad,
        ),
        "The old buffer is not used.": lambda x, b, grad, lr, momentum: (x - lr * grad, grad),
        "The momentum multiplies the old buffer, not the gradient.": (
            lambda x, b, grad, lr, momentum: (
                x - lr * (b + momentum * grad),
                b + momentum * grad,
            )
        ),
        "That looks ahead, as Nesterov's form does: the step is lr times the buffer.": (
            lambda x, b, grad, lr, momentum: (
                x - lr * (grad + momentum * (momentum * b + grad)),
                momentum * b + grad,
            )
        ),
        "The point comes first, then the buffer.": lambda x, b, grad, lr, momentum: _outside(
            x, b, grad, lr, momentum
        )[::-1],
    },
    (
        (np.array([1.0, 2.0]), np.array([2.0, 0.0]), np.array([4.0, -2.0]), 0.1, 0.5),
        (np.array([0.5, -2.0]), np.array([-1.0, 3.0]), np.array([2.0, 1.0]), 0.3, 0.8),
    ),
    lambda x, b, grad, lr, momentum: (
        f"From x = {x.tolist()} with b = {b.tolist()}, grad = {grad.tolist()}, lr = {lr:g} and "
        f"momentum = {momentum:g}"
    ),
)


def _heavy_ball(
    grad: Callable[[Any], Any],
    x: Any,
    lr: float,
    momentum: float,
    steps: int,
    *,
    pushed: float = 0.0,
    ahead: float = 0.0,
) -> Any:
    """Run from a push along the gradient, with gradients taken that share of μv ahead."""
    v = -pushed * lr * grad(x)
    for _ in range(steps):
        v = momentum * v - lr * grad(x + ahead * momentum * v)
        x = x + v
    return x


def _stale(grad: Callable[[Any], Any], x: Any, lr: float, momentum: float, steps: int) -> Any:
    """Move by the velocity of the step before, and only then update it."""
    v = 0 * x
    for _ in range(steps):
        x, v = x + v, momentum * v - lr * grad(x)
    return x


_BUG = Code(
    _heavy_ball,
    {
        "That is the run of gradient descent: nothing of the last step is kept.": (
            lambda grad, x, lr, momentum, steps: _heavy_ball(grad, x, lr, 0.0, steps)
        ),
        "That moves by the old velocity: update it before you move.": _stale,
        "That is one step fewer; moving before v is updated costs the first one.": (
            lambda grad, x, lr, momentum, steps: _heavy_ball(grad, x, lr, momentum, steps - 1)
        ),
        "The ball starts at rest: v is 0 before the first step.": (
            lambda grad, x, lr, momentum, steps: _heavy_ball(
                grad, x, lr, momentum, steps, pushed=1.0
            )
        ),
        "That is the mean form, with a rate that is 1 - μ times as large.": (
            lambda grad, x, lr, momentum, steps: _heavy_ball(
                grad, x, (1 - momentum) * lr, momentum, steps
            )
        ),
        "That takes the gradient ahead of the point, which is Nesterov's rule.": (
            lambda grad, x, lr, momentum, steps: _heavy_ball(
                grad, x, lr, momentum, steps, ahead=1.0
            )
        ),
        "That takes one step more.": lambda grad, x, lr, momentum, steps: _heavy_ball(
            grad, x, lr, momentum, steps + 1
        ),
        "That runs uphill: the gradient is subtracted.": lambda grad, x, lr, momentum, steps: (
            _heavy_ball(grad, x, -lr, momentum, steps)
        ),
        "All of the velocity is kept: multiply it by the momentum.": (
            lambda grad, x, lr, momentum, steps: _heavy_ball(grad, x, lr, 1.0, steps)
        ),
    },
    (
        (Gradient("the gradient 2x", lambda x: 2 * x), 4.0, 0.25, 0.5, 3),
        (
            Gradient("the gradient (x₁, 9x₂)", lambda x: np.array([1.0, 9.0]) * x),
            np.array([9.0, 1.0]),
            0.2,
            0.3,
            7,
        ),
    ),
    lambda grad, x, lr, momentum, steps: (
        f"For {grad}, x = {np.asarray(x).tolist()}, lr = {lr:g}, momentum = {momentum:g} and "
        f"steps = {steps}"
    ),
)

#: By the label of the exercise.
FUNCTIONS: dict[str, Code] = {
    "ex-mo-pair": _PAIR,
    "ex-mo-outside": _OUTSIDE,
    "ex-mo-bug": _BUG,
}
