"""The answers of the chapter on Adam and its relatives."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from gdcourse._answers._kinds import Answer, Code
from gdcourse._types import Array


def _mean_hat() -> Answer:
    return Answer(
        2.25 / 0.75,
        {
            "That is m; divide by what its weights add up to.": 2.25,
            "That is the plain mean; the later gradient has more weight.": 2.5,
            "That corrects with one step's 1 - β₁; two have been taken.": 4.5,
            "That gives the first gradient the larger weight.": 2.0,
            "That sums the gradients without 1 - β₁.": 4.5 / 0.75,
            "That is the last gradient; the first counts too.": 4.0,
        },
        rtol=2e-3,
    )


def _uncorrected() -> Answer:
    return Answer(
        0.1 / math.sqrt(0.0004),
        {
            "With corrections it is 1; they are missing here.": 1.0,
            "Take the root of 1 - β₂.": 0.1 / 0.0004,
            "That is RMSProp's first step: m holds only a tenth of the gradient.": 1
            / math.sqrt(0.0004),
            "That is what m holds of the gradient; divide by the root of v.": 0.1,
            "That is with β₁ in place of 1 - β₁.": 0.9 / math.sqrt(0.0004),
            "That is with 0.999; here it is 0.9996.": 0.1 / math.sqrt(0.001),
            "That is the other way round.": math.sqrt(0.0004) / 0.1,
        },
        rtol=2e-3,
    )


def _longest() -> Answer:
    first, q = 0.2 / math.sqrt(0.04), 0.64 / 0.96
    return Answer(
        first * math.sqrt(1 / (1 - q)),
        {
            "That is a gradient after a long silence; several may come.": first,
            "Take the root of the geometric series.": first / (1 - q),
            "That is q; the series is 1 over 1 - q.": q,
            "Take the root of 1 - β₂.": 0.2 / 0.04 * math.sqrt(1 / (1 - q)),
            "β₁ is squared in q.": first * math.sqrt(1 / (1 - 0.8 / 0.96)),
            "That is with q = β₁²; divide it by β₂.": first * math.sqrt(1 / (1 - 0.64)),
            "That is for the decays 0.9 and 0.999.": 0.1
            / math.sqrt(0.001)
            * math.sqrt(1 / (1 - 0.81 / 0.999)),
        },
        rtol=2e-3,
    )


def _drift() -> Answer:
    return Answer(
        1.0,
        {
            "That is the sum of the gradients, without what divides them.": -48.0,
            "The sign: there is one step to the left and two to the right.": -1.0,
            "That is the drift with one divisor for all, that of AMSGrad.": -48 / 50,
            "Take the root of what divides.": 2 - 1 / 50,
            "That is the drift for β₂ near 1.": -48 / math.sqrt(2502 / 3),
            "That leaves out the step to the left.": 2.0,
            "That leaves out the two steps to the right; and to the left is a minus.": 50.0,
        },
        rtol=2e-3,
    )


def _lion_place() -> Answer:
    return Answer(
        1 - 30 * 0.02,
        {
            "That is how far it has gone; it began at 1.": 30 * 0.02,
            "That is gradient descent.": 0.98**30,
            "That is one step more.": 1 - 31 * 0.02,
            "That is one step fewer.": 1 - 29 * 0.02,
            "That is uphill.": 1 + 30 * 0.02,
        },
        rtol=2e-3,
    )


def _held() -> Answer:
    return Answer(
        10.0,
        {
            "That is the minimum of f; it is outside of the box.": 25.0,
            "That is with the penalty in the gradient.": 25 / 1.1,
            "That is λ; the wall is at 1/λ.": 0.1,
            "That is the minimum, shrunk by 1 - λ.": 22.5,
            "That is the slope there.": -15.0,
            "The minimum is to the right.": -10.0,
            "That is λ times the minimum.": 2.5,
        },
        rtol=2e-3,
    )


#: By the label of the exercise.
ANSWERS: dict[str, Callable[[], Answer]] = {
    "ex-am-hat": _mean_hat,
    "ex-am-first": _uncorrected,
    "ex-am-long": _longest,
    "ex-am-drift": _drift,
    "ex-am-lion": _lion_place,
    "ex-am-box": _held,
}


# --- Functions that a reader writes ---

Step = tuple[Array, Array, Array]


def _adam(
    x: Array,
    m: Array,
    v: Array,
    t: int,
    grad: Array,
    lr: float,
    beta1: float,
    beta2: float,
    eps: float,
    *,
    keep: float = 0.0,
    first: bool = True,
    second: bool = True,
    hat: bool = False,
) -> Step:
    """Return a step with slips: more of both means kept, no correction, ε before it."""
    m = (keep + beta1) * m + (1 - beta1) * grad
    v = (keep + beta2) * v + (1 - beta2) * grad**2
    m_hat = m / (1 - beta1**t) if first else m
    root = np.sqrt(1 - beta2**t) if second else 1.0
    below = (np.sqrt(v) + eps) / root if hat else np.sqrt(v) / root + eps
    return x - lr * m_hat / below, m, v


def _corrected_kept(
    x: Array,
    m: Array,
    v: Array,
    t: int,
    grad: Array,
    lr: float,
    beta1: float,
    beta2: float,
    eps: float,
) -> Step:
    """Keep the corrected means."""
    new, m, v = _adam(x, m, v, t, grad, lr, beta1, beta2, eps)
    return new, m / (1 - beta1**t), v / (1 - beta2**t)


_ADAM = Code(
    _adam,
    {
        "The corrections are missing.": lambda *given: _adam(*given, first=False, second=False),
        "The correction of v is missing.": lambda *given: _adam(*given, second=False),
        "The correction of m is missing.": lambda *given: _adam(*given, first=False),
        "The corrected means are returned; what is kept are m and v.": _corrected_kept,
        "The old means are kept whole, as the notes' += does.": lambda *given: _adam(
            *given, keep=1.0
        ),
        "That adds ε before the correction, as MXNet and Keras do.": lambda *given: _adam(
            *given, hat=True
        ),
        "Your t begins at 0: this step's number is t, and it is 1 at the first.": (
            lambda x, m, v, t, *given: _adam(x, m, v, t + 1, *given)
        ),
        "Downhill: subtract the step.": (
            lambda x, m, v, t, grad, lr, *given: _adam(x, m, v, t, grad, -lr, *given)
        ),
        "The two decays are exchanged.": (
            lambda x, m, v, t, grad, lr, beta1, beta2, eps: _adam(
                x, m, v, t, grad, lr, beta2, beta1, eps
            )
        ),
        "ε belongs outside of the root here.": lambda x, m, v, t, grad, lr, beta1, beta2, eps: (
            x
            - lr
            * (beta1 * m + (1 - beta1) * grad)
            / (1 - beta1**t)
            / np.sqrt((beta2 * v + (1 - beta2) * grad**2) / (1 - beta2**t) + eps),
            beta1 * m + (1 - beta1) * grad,
            beta2 * v + (1 - beta2) * grad**2,
        ),
        "The step uses the gradient itself; it wants the corrected mean.": (
            lambda x, m, v, t, grad, lr, beta1, beta2, eps: (
                x
                - lr * grad / (np.sqrt((beta2 * v + (1 - beta2) * grad**2) / (1 - beta2**t)) + eps),
                beta1 * m + (1 - beta1) * grad,
                beta2 * v + (1 - beta2) * grad**2,
            )
        ),
        "The corrections are 1 minus a power: the t is missing.": (
            lambda x, m, v, t, grad, lr, beta1, beta2, eps: _adam(
                x, m, v, 1, grad, lr, beta1, beta2, eps
            )
        ),
        "A bracket is missing: ε belongs under the fraction.": (
            lambda x, m, v, t, grad, lr, beta1, beta2, eps: (
                _adam(x, m, v, t, grad, lr, beta1, beta2, 0.0)[0] + eps,
                *_adam(x, m, v, t, grad, lr, beta1, beta2, 0.0)[1:],
            )
        ),
        "The point comes first, then m, then v.": lambda *given: (
            _adam(*given)[1],
            _adam(*given)[2],
            _adam(*given)[0],
        ),
        "The square in v is missing.": lambda x, m, v, t, grad, lr, beta1, beta2, eps: (
            x
            - lr
            * (beta1 * m + (1 - beta1) * grad)
            / (1 - beta1**t)
            / (np.sqrt((beta2 * v + (1 - beta2) * abs(grad)) / (1 - beta2**t)) + eps),
            beta1 * m + (1 - beta1) * grad,
            beta2 * v + (1 - beta2) * abs(grad),
        ),
    },
    (
        (
            np.array([1.0, 2.0]),
            np.array([0.5, 0.0]),
            np.array([2.0, 0.0]),
            2,
            np.array([3.0, -2.0]),
            0.5,
            0.5,
            0.75,
            1.0,
        ),
        (
            np.array([0.5, -2.0]),
            np.array([-1.0, 3.0]),
            np.array([1.0, 4.0]),
            5,
            np.array([-2.0, 0.7]),
            0.3,
            0.9,
            0.99,
            0.1,
        ),
    ),
    lambda x, m, v, t, grad, lr, beta1, beta2, eps: (
        f"From x = {x.tolist()} with m = {m.tolist()}, v = {v.tolist()}, t = {t}, grad = "
        f"{grad.tolist()}, lr = {lr:g}, beta1 = {beta1:g}, beta2 = {beta2:g} and eps = {eps:g}"
    ),
)


def _decoupled(
    x: Array,
    v: Array,
    grad: Array,
    lr: float,
    momentum: float,
    weight_decay: float,
    *,
    penalty: float = 0.0,
) -> tuple[Array, Array]:
    v = momentum * v - lr * (grad + penalty * x)
    return (1 - lr * weight_decay) * x + v, v


_DECAY = Code(
    _decoupled,
    {
        "That is the heavy ball on the penalized loss: the decay goes into the velocity.": (
            lambda x, v, grad, lr, momentum, weight_decay: _decoupled(
                x, v, grad, lr, momentum, 0.0, penalty=weight_decay
            )
        ),
        "The decay is used twice, beside the step and in the velocity.": (
            lambda x, v, grad, lr, momentum, weight_decay: _decoupled(
                x, v, grad, lr, momentum, weight_decay, penalty=weight_decay
            )
        ),
        "The decay is missing.": lambda x, v, grad, lr, momentum, weight_decay: _decoupled(
            x, v, grad, lr, momentum, 0.0
        ),
        "That shrinks by 1 - λ: multiply λ by the rate.": (
            lambda x, v, grad, lr, momentum, weight_decay: _decoupled(
                x, v, grad, lr, momentum, weight_decay / lr
            )
        ),
        "That shrinks the new step too: only the old x decays.": (
            lambda x, v, grad, lr, momentum, weight_decay: (
                (1 - lr * weight_decay) * (x + _decoupled(x, v, grad, lr, momentum, 0.0)[1]),
                _decoupled(x, v, grad, lr, momentum, 0.0)[1],
            )
        ),
        "That grows x: the decay takes away.": lambda x, v, grad, lr, momentum, weight_decay: (
            _decoupled(x, v, grad, lr, momentum, -weight_decay)
        ),
        "x moves by the new velocity, and here it is the old one.": (
            lambda x, v, grad, lr, momentum, weight_decay: (
                (1 - lr * weight_decay) * x + v,
                momentum * v - lr * grad,
            )
        ),
        "The gradient is added: a velocity points downhill.": (
            lambda x, v, grad, lr, momentum, weight_decay: _decoupled(
                x, v, -grad, lr, momentum, weight_decay
            )
        ),
        "The momentum is missing.": lambda x, v, grad, lr, momentum, weight_decay: _decoupled(
            x, v, grad, lr, 0.0, weight_decay
        ),
        "The point comes first, then the velocity.": lambda *given: _decoupled(*given)[::-1],
    },
    (
        (np.array([10.0, -4.0]), np.array([1.0, 0.0]), np.array([2.0, 3.0]), 0.1, 0.5, 0.4),
        (np.array([0.5, -2.0]), np.array([-1.0, 3.0]), np.array([2.0, 1.0]), 0.3, 0.8, 0.1),
    ),
    lambda x, v, grad, lr, momentum, weight_decay: (
        f"From x = {x.tolist()} with v = {v.tolist()}, grad = {grad.tolist()}, lr = {lr:g}, "
        f"momentum = {momentum:g} and weight_decay = {weight_decay:g}"
    ),
)


def _divisors(gradients: Sequence[float], beta2: float) -> list[float]:
    v, largest, found = 0.0, 0.0, []
    for t, g in enumerate(gradients, start=1):
        v = beta2 * v + (1 - beta2) * g**2
        largest = max(largest, v / (1 - beta2**t))
        found.append(largest**0.5)
    return found


def _raw_divisors(gradients: Sequence[float], beta2: float, *, correct: bool) -> list[float]:
    """Take the maximum of v without its correction, and correct that, or nothing."""
    v, largest, found = 0.0, 0.0, []
    for t, g in enumerate(gradients, start=1):
        v = beta2 * v + (1 - beta2) * g**2
        largest = max(largest, v)
        found.append((largest / ((1 - beta2**t) if correct else 1)) ** 0.5)
    return found


def _adam_divisors(gradients: Sequence[float], beta2: float) -> list[float]:
    v, found = 0.0, []
    for t, g in enumerate(gradients, start=1):
        v = beta2 * v + (1 - beta2) * g**2
        found.append((v / (1 - beta2**t)) ** 0.5)
    return found


_MAXIMUM = Code(
    _divisors,
    {
        "That takes the maximum of v and corrects it then, the form of PyTorch.": (
            lambda gradients, beta2: _raw_divisors(gradients, beta2, correct=True)
        ),
        "The correction is missing.": lambda gradients, beta2: _raw_divisors(
            gradients, beta2, correct=False
        ),
        "That is Adam: nothing keeps the largest.": _adam_divisors,
        "The root is missing.": lambda gradients, beta2: [
            d**2 for d in _divisors(gradients, beta2)
        ],
        "That is the largest gradient so far, not the largest mean.": (
            lambda gradients, beta2: np.maximum.accumulate(np.abs(gradients)).tolist()
        ),
        "Your t begins at 0: the first correction divides by 0.": lambda gradients, beta2: np.full(
            len(gradients), math.inf
        ),
        "That is one number; one for each step is asked for.": lambda gradients, beta2: _divisors(
            gradients, beta2
        )[-1:],
    },
    (
        (np.array([4.0, 0.0, 0.0, 6.0]), 0.75),
        (np.array([3.0, -1.0, -1.0, 3.0, -1.0, 5.0]), 0.9),
    ),
    lambda gradients, beta2: f"For the gradients {gradients.tolist()} and beta2 = {beta2:g}",
)

#: By the label of the exercise.
FUNCTIONS: dict[str, Code] = {
    "ex-am-adam": _ADAM,
    "ex-am-sgdw": _DECAY,
    "ex-am-max": _MAXIMUM,
}
