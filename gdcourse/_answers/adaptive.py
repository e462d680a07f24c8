"""The answers of the chapter on adaptive methods."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from gdcourse._answers._kinds import Answer, Code, Gradient
from gdcourse._types import Array


def _three_gradients() -> Answer:
    lr = 0.26
    return Answer(
        lr * 12 / 13,
        {
            "The sign: the step goes against the gradient.": -lr * 12 / 13,
            "That divides by the size of the last gradient only: all three are in the sum.": lr,
            "Take the root of the sum.": lr * 12 / 169,
            "That is the clock of three equal gradients; these differ.": lr / math.sqrt(3),
            "That divides by the sum of the sizes; the squares are added.": lr * 12 / 19,
            "That leaves the new gradient out of the sum; it comes in first.": lr * 12 / 5,
            "That is the gradient over the root; the rate is missing.": 12 / 13,
            "That is gradient descent: nothing divides the gradient.": lr * 12,
            "That divides by the root of the mean of the squares, not of their sum.": lr
            * 12
            / math.sqrt(169 / 3),
            "That is all three steps together.": -lr * (1 + 4 / 5 - 12 / 13),
        },
        rtol=2e-3,
    )


def _grams() -> Answer:
    return Answer(
        1000,
        {
            "That is gradient descent: AdaGrad does not feel the size of the gradient.": 1e6,
            "The step is the same as before, but it multiplies larger numbers.": 1,
            "The other way round: the numbers are larger, and so is what they contribute.": 1e-3,
            "The root is not taken here: the step does not change.": 1000**0.5,
        },
        rtol=1e-6,
    )


def _exact_rate() -> Answer:
    distance, curvature = 1e-3, 50.0
    return Answer(
        2 * distance,
        {
            "It ends at half of its rate, not at its rate.": distance,
            "The other way round: the distance is half of the rate.": distance / 2,
            "That is the edge of gradient descent; RMSProp divides the curvature out.": 2
            / curvature,
            "The curvature does not enter: it cancels.": 2 * distance / curvature,
            "The curvature does not enter: it cancels in the quotient.": 2 * distance * curvature,
            "Four times the distance is the way there and back; one step leads across.": 4
            * distance,
        },
        rtol=2e-3,
    )


def _delta_step() -> Answer:
    rho, eps, g = 0.95, 2e-5, 30.0
    return Answer(
        g * math.sqrt(eps) / math.sqrt((1 - rho) * g**2 + eps),
        {
            "That is without the root.": eps / (1 - rho),
            "That is the root of ε; the mean of the squares holds 1 - ρ of the new one.": math.sqrt(
                eps
            ),
            "The new square enters with 1 - ρ, not with ρ.": math.sqrt(eps / rho),
            "That is gradient descent with the rate 1.": g,
            "The size of the gradient cancels.": g * math.sqrt(eps / (1 - rho)),
            "Divide by 1 - ρ under the root, not after it.": math.sqrt(eps) / (1 - rho),
        },
        rtol=2e-3,
    )


def _half_size() -> Answer:
    eps = 3e-8
    return Answer(
        math.sqrt(eps / 3),
        {
            "That is with ε outside of the root.": eps,
            "There 1 + ε/g² is 2, and the step is 1 over its root.": math.sqrt(eps),
            "That is g²; take the root.": eps / 3,
            "1 + ε/g² is to be 4: subtract the 1.": math.sqrt(eps / 4),
            "The other way round: g² is a third of ε.": math.sqrt(3 * eps),
        },
        rtol=2e-3,
    )


def _regret_rate() -> Answer:
    side = 6.0
    return Answer(
        side / math.sqrt(2),
        {
            "That is the side; the first term has a half.": side,
            "That is D/2; take the root of 2.": side / 2,
            "That is the square of the best rate.": side**2 / 2,
            "That is the smallest factor, the bound's; the rate is asked for.": side * math.sqrt(2),
            "That is D²/4; half of D² is wanted, and its root.": side**2 / 4,
            "That is with D in place of D².": math.sqrt(side / 2),
        },
        rtol=2e-3,
    )


#: By the label of the exercise.
ANSWERS: dict[str, Callable[[], Answer]] = {
    "ex-ad-hand": _three_gradients,
    "ex-ad-grams": _grams,
    "ex-ad-rest": _exact_rate,
    "ex-ad-delta": _delta_step,
    "ex-ad-inside": _half_size,
    "ex-ad-rate": _regret_rate,
}


# --- Functions that a reader writes ---


def _adagrad(x: Array, s: Array, grad: Array, lr: float, eps: float) -> tuple[Array, Array]:
    s = s + grad**2
    return x - lr * grad / (np.sqrt(s) + eps), s


def _inside(x: Array, s: Array, grad: Array, lr: float, eps: float) -> tuple[Array, Array]:
    s = s + grad**2
    return x - lr * grad / np.sqrt(s + eps), s


_ADAGRAD = Code(
    _adagrad,
    {
        "The step divides by the old sums: add the new square first.": (
            lambda x, s, grad, lr, eps: (x - lr * grad / (np.sqrt(s) + eps), s + grad**2)
        ),
        "Here ε is inside of the root.": _inside,
        "The root is missing.": lambda x, s, grad, lr, eps: (
            x - lr * grad / (s + grad**2 + eps),
            s + grad**2,
        ),
        "The sums are not kept: they are returned as they came.": lambda x, s, grad, lr, eps: (
            _adagrad(x, s, grad, lr, eps)[0],
            s,
        ),
        "The old sums are not used.": lambda x, s, grad, lr, eps: _adagrad(x, 0 * s, grad, lr, eps),
        "Squares are summed, and here it is sizes.": lambda x, s, grad, lr, eps: (
            x - lr * grad / (np.sqrt(s + abs(grad)) + eps),
            s + abs(grad),
        ),
        "Downhill: subtract the step.": lambda x, s, grad, lr, eps: _adagrad(x, s, grad, -lr, eps),
        "All coordinates share one sum here; each has its own.": lambda x, s, grad, lr, eps: (
            x - lr * grad / (np.sqrt(s + grad @ grad) + eps),
            s + grad @ grad,
        ),
        "The gradient is missing from the step, but for its sign.": lambda x, s, grad, lr, eps: (
            x - lr * np.sign(grad) / (np.sqrt(s + grad**2) + eps),
            s + grad**2,
        ),
        "The argument eps is not used.": lambda x, s, grad, lr, eps: _adagrad(x, s, grad, lr, 0.0),
        "A bracket is missing: ε belongs under the fraction.": lambda x, s, grad, lr, eps: (
            x - lr * grad / np.sqrt(s + grad**2) + eps,
            s + grad**2,
        ),
        "The rate is missing.": lambda x, s, grad, lr, eps: _adagrad(x, s, grad, 1.0, eps),
        "That is the step, with its sign; the point after it is asked for.": (
            lambda x, s, grad, lr, eps: _adagrad(0 * x, s, grad, lr, eps)
        ),
        "That is what is to be taken from x; the point is asked for.": (
            lambda x, s, grad, lr, eps: _adagrad(0 * x, s, grad, -lr, eps)
        ),
        "The point comes first, then the sums.": lambda x, s, grad, lr, eps: _adagrad(
            x, s, grad, lr, eps
        )[::-1],
    },
    (
        (np.array([1.0, 2.0]), np.array([16.0, 0.0]), np.array([3.0, -2.0]), 0.5, 1.0),
        (np.array([0.5, -2.0]), np.array([1.0, 3.0]), np.array([-2.0, 1.0]), 0.3, 0.1),
    ),
    lambda x, s, grad, lr, eps: (
        f"From x = {x.tolist()} with s = {s.tolist()}, grad = {grad.tolist()}, lr = {lr:g} and "
        f"eps = {eps:g}"
    ),
)


def _norm_run(
    grad: Callable[[Any], Any],
    x0: Any,
    lr: float,
    steps: int,
    grow: Callable[[Any, Any], Any] = lambda s, g: s + g @ g,
) -> Any:
    """Run with what divides the rate grown in a given way."""
    x, s = x0, 0.0
    for _ in range(steps):
        g = grad(x)
        s = grow(s, g)
        x = x - lr * g / np.sqrt(s)
    return x


_NORM = Code(
    _norm_run,
    {
        "That is AdaGrad: each coordinate has a sum of its own.": lambda grad, x0, lr, steps: (
            _norm_run(grad, x0, lr, steps, lambda s, g: s + g**2)
        ),
        "Nothing is summed: every step has the length lr.": lambda grad, x0, lr, steps: _norm_run(
            grad, x0, lr, steps, lambda s, g: g @ g
        ),
        "The root is missing.": lambda grad, x0, lr, steps: _norm_run(
            grad, x0, lr, steps, lambda s, g: (np.sqrt(s) + g @ g) ** 2
        ),
        "That adds lengths; their squares are asked for.": lambda grad, x0, lr, steps: _norm_run(
            grad, x0, lr, steps, lambda s, g: s + np.sqrt(g @ g)
        ),
        "That divides by the sum of the lengths.": lambda grad, x0, lr, steps: _norm_run(
            grad, x0, lr, steps, lambda s, g: (np.sqrt(s) + np.sqrt(g @ g)) ** 2
        ),
        "That is gradient descent: nothing divides.": lambda grad, x0, lr, steps: _norm_run(
            grad, x0, lr, steps, lambda s, g: 1.0
        ),
        "That takes all gradients at x0.": lambda grad, x0, lr, steps: _norm_run(
            lambda x: grad(x0), x0, lr, steps
        ),
        "That is one step fewer.": lambda grad, x0, lr, steps: _norm_run(grad, x0, lr, steps - 1),
        "That is one step more.": lambda grad, x0, lr, steps: _norm_run(grad, x0, lr, steps + 1),
        "That runs uphill.": lambda grad, x0, lr, steps: _norm_run(grad, x0, -lr, steps),
    },
    (
        (
            Gradient("the gradient (x₁, 4x₂)", lambda x: np.array([1.0, 4.0]) * x),
            np.array([3.0, 1.0]),
            1.0,
            3,
        ),
        (Gradient("the gradient x", lambda x: x), np.array([5.0, -12.0]), 0.7, 8),
    ),
    lambda grad, x0, lr, steps: f"For {grad}, x0 = {x0.tolist()}, lr = {lr:g} and steps = {steps}",
)


Moments = tuple[Array, Array, Array]


def _adadelta(
    x: Array,
    s: Array,
    d: Array,
    grad: Array,
    rho: float,
    eps: float,
    *,
    new_s: bool = True,
    below: float = 1.0,
    above: float = 1.0,
) -> Moments:
    """Return a step with slips: divided by the old s, or without one of the two ε."""
    after = rho * s + (1 - rho) * grad**2
    step = np.sqrt(d + above * eps) / np.sqrt((after if new_s else s) + below * eps) * grad
    return x - step, after, rho * d + (1 - rho) * step**2


def _mean_of_gradients(
    x: Array, s: Array, d: Array, grad: Array, rho: float, eps: float
) -> Moments:
    """Keep squared gradients where squared steps belong."""
    x, s, _ = _adadelta(x, s, d, grad, rho, eps)
    return x, s, rho * d + (1 - rho) * grad**2


_ADADELTA = Code(
    _adadelta,
    {
        "The step divides by the old s: update it first.": lambda *given: _adadelta(
            *given, new_s=False
        ),
        "Above, beside d, there is an ε too: without it nothing ever moves.": lambda *given: (
            _adadelta(*given, above=0.0)
        ),
        "Below, beside s, there is an ε too.": lambda *given: _adadelta(*given, below=0.0),
        "d is the mean of squared steps, not of squared gradients.": _mean_of_gradients,
        "The mean of the steps is not kept: d is returned as it came.": lambda x, s, d, *given: (
            *_adadelta(x, s, d, *given)[:2],
            d,
        ),
        "Downhill: subtract the step.": lambda x, s, d, grad, rho, eps: (
            2 * x - _adadelta(x, s, d, grad, rho, eps)[0],
            *_adadelta(x, s, d, grad, rho, eps)[1:],
        ),
        "The shares are exchanged: ρ of the old mean is kept.": lambda x, s, d, grad, rho, eps: (
            _adadelta(x, s, d, grad, 1 - rho, eps)
        ),
        "The means come in another order: s, then d.": lambda *given: (
            _adadelta(*given)[0],
            _adadelta(*given)[2],
            _adadelta(*given)[1],
        ),
        "Here the roots are missing.": lambda x, s, d, grad, rho, eps: (
            x - (d + eps) / (rho * s + (1 - rho) * grad**2 + eps) * grad,
            rho * s + (1 - rho) * grad**2,
            rho * d + (1 - rho) * ((d + eps) / (rho * s + (1 - rho) * grad**2 + eps) * grad) ** 2,
        ),
    },
    (
        (
            np.array([1.0, 2.0]),
            np.array([4.0, 0.0]),
            np.array([3.0, 0.0]),
            np.array([4.0, -2.0]),
            0.75,
            1.0,
        ),
        (
            np.array([0.5, -2.0]),
            np.array([1.0, 3.0]),
            np.array([0.2, 2.0]),
            np.array([-2.0, 0.7]),
            0.9,
            0.01,
        ),
    ),
    lambda x, s, d, grad, rho, eps: (
        f"From x = {x.tolist()} with s = {s.tolist()}, d = {d.tolist()}, grad = {grad.tolist()}, "
        f"rho = {rho:g} and eps = {eps:g}"
    ),
)

#: By the label of the exercise.
FUNCTIONS: dict[str, Code] = {
    "ex-ad-adagrad": _ADAGRAD,
    "ex-ad-norm": _NORM,
    "ex-ad-adadelta": _ADADELTA,
}
