"""Checks of a reader's own code that say what is wrong, not only that something is.

A check compares a reader's code with the tested source on small problems. Where they differ it
runs through the *mutants*, the source with one known mistake in it, and names the one that
gives all the numbers the reader's code gives. It never raises because of what the code does:
an exception, a wrong shape and a changed input are findings like the others.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import FrameType
from typing import Any

import numpy as np

from gdcourse._answers import ANSWERS, FUNCTIONS, GRADIENTS
from gdcourse._types import Array
from gdcourse._validation import check_choice
from gdcourse.descent import backtracking, descend
from gdcourse.gradients import central_difference, difference_quotient, numerical_gradient
from gdcourse.models import LinearRegression
from gdcourse.objectives import Objective
from gdcourse.optimizers import GradientDescent

_RTOL = 1e-9


@dataclass(frozen=True)
class Diagnosis:
    """What a check found: true if all is right; printed, it is the message."""

    passed: bool
    message: str

    def __bool__(self) -> bool:
        return self.passed

    def __repr__(self) -> str:
        return ("Right. " if self.passed else "Not yet. ") + self.message


def diagnose_value(
    given: Any, expected: float, *, mistakes: Mapping[str, float] | None = None, rtol: float = 1e-3
) -> Diagnosis:
    """Compare a number that a reader worked out with the right one.

    Parameters
    ----------
    given : float
        The reader's number; None or ... counts as not answered.
    expected : float
        The right number.
    mistakes : mapping from str to float, optional
        What each known wrong number says about the way it came about.
    rtol : float, default 1e-3
        Largest relative difference that counts as equal.

    Returns
    -------
    Diagnosis

    Examples
    --------
    >>> diagnose_value(0.8, -0.6, mistakes={"This is the factor for half the rate.": 0.8})
    Not yet. You have 0.8. This is the factor for half the rate.
    """
    if given is None or given is ...:
        return Diagnosis(False, "Put your number in place of the dots.")
    try:
        number = float(given)
    except (TypeError, ValueError):
        number = math.nan
    if math.isnan(number):
        return Diagnosis(False, f"A number is asked for, and you have {given!r}.")
    if np.isclose(number, expected, rtol=rtol, atol=0):
        return Diagnosis(True, f"It is {expected:.6g}.")
    for sentence, mistake in sorted(
        (mistakes or {}).items(), key=lambda item: abs(number - item[1])
    ):
        # A wrong number may be rounded more than a right one, but not be taken for its neighbor.
        apart = abs(mistake - expected) / 4
        if abs(number - mistake) <= max(rtol * abs(mistake), min(3e-3 * abs(mistake), apart)):
            return Diagnosis(False, f"You have {number:.6g}. {sentence}")
    if np.isclose(number, -expected, rtol=max(rtol, 3e-3), atol=0):
        return Diagnosis(False, f"You have {number:.6g}. The size is right, the sign is not.")
    where = "too large" if number > expected else "too small"
    return Diagnosis(False, f"You have {number:.6g}, which is {where}.")


def diagnose_answer(exercise: str, given: Any) -> Diagnosis:
    """Check the number that an exercise of the course asks for.

    Parameters
    ----------
    exercise : str
        The exercise's label, such as "ex-1d-factor".
    given : float
        The reader's number; ... counts as not answered.

    Returns
    -------
    Diagnosis

    Examples
    --------
    >>> diagnose_answer("ex-1d-factor", 0.5)
    Not yet. You have 0.5. The sign is wrong: a step to the other side is a negative factor.
    """
    check_choice("diagnose_answer", "exercise", exercise, tuple(ANSWERS))
    right, mistakes, rtol = ANSWERS[exercise]()
    return diagnose_value(given, right, mistakes=mistakes, rtol=rtol)


def diagnose_function(exercise: str, function: Callable[..., Any]) -> Diagnosis:
    """Check the function that an exercise of the course asks for.

    Parameters
    ----------
    exercise : str
        The exercise's label, such as "ex-hf-tail".
    function : callable
        The reader's, with the arguments that the exercise names.

    Returns
    -------
    Diagnosis

    Examples
    --------
    >>> diagnose_function("ex-hf-tail", lambda gaps: gaps[-1] / gaps[-2])
    Not yet. For the gaps 8, 2, 1, 0.7, 0.56, 0.504, 0.4032: expected 0.832034, got 0.8. That is \
the factor of the last step alone.
    """
    check_choice("diagnose_function", "exercise", exercise, tuple(FUNCTIONS))
    right, mistakes, problems, describe = FUNCTIONS[exercise]
    praise = "Your function agrees with the right one on every problem tried."
    return _compare(function, right, mistakes, problems, describe, praise)


# --- Update rules --------------------------------------------------------------------------

Step = Callable[[Any, Any, float], Any]

# Problem 0 can be checked by hand; the others tell apart what agrees on it.
_STEP_PROBLEMS: tuple[tuple[Array | float, Array | float, float], ...] = (
    (np.array([1.0]), np.array([1.0]), 0.1),
    (np.array([10.0]), np.array([20.0]), 0.2),
    (np.array([3.0, -1.0, 0.5]), np.array([0.0, 4.0, -2.0]), 0.25),
    (np.array([2.0, 5.0]), np.array([1e-5, 1e3]), 0.01),
    (2.0, 3.0, 0.5),
)


def _right_step(x: Any, grad: Any, lr: float) -> Any:
    rule = GradientDescent(lr=lr)
    return rule.update(x, grad, rule.init(x))[0]


# What is wrong, and the code that is wrong in this way: shown to a reader, and run.
_STEP_SLIPS = {
    "The step goes uphill: subtract, do not add.": "x + lr * grad",
    "The old x is missing: this is the step alone, not where it leads.": "-lr * grad",
    "This is the learning rate times the gradient; start from x and subtract it.": "lr * grad",
    "The learning rate is not used.": "x - grad",
    "The gradient is not used, only the learning rate.": "x - lr",
    "The gradient is divided by its norm: the step must be longer where it is steeper.": (
        "x - lr * grad / np.linalg.norm(np.atleast_1d(grad))"
    ),
    "Only the sign of the gradient is used: the step must be longer where it is steeper.": (
        "x - lr * np.sign(grad)"
    ),
    "The step is twice as long as it should be.": "x - 2 * lr * grad",
    "The step is half as long as it should be.": "x - lr * grad / 2",
    "Nothing moves: x comes back as it was.": "x",
    "The gradient is divided by the learning rate.": "x - grad / lr",
    "x is multiplied by what should be subtracted from it.": "x * (1 - lr * grad)",
    "This takes 2 x for the gradient, which is right for x² alone: use grad.": "x - lr * 2 * x",
}
_STEP_MUTANTS: dict[str, Step] = {
    sentence: eval(f"lambda x, grad, lr: {code}", {"np": np})
    for sentence, code in _STEP_SLIPS.items()
}


def diagnose_step(step: Step) -> Diagnosis:
    """Check a reader's step of gradient descent.

    Parameters
    ----------
    step : callable, (x, grad, lr) -> x
        Takes a point and the gradient there, arrays of one shape, and the learning rate;
        returns the next point.

    Returns
    -------
    Diagnosis

    Examples
    --------
    >>> diagnose_step(lambda x, grad, lr: x - lr * grad).passed
    True
    >>> diagnose_step(lambda x, grad, lr: x + lr * grad)
    Not yet. From x = 1 with gradient 1 and lr = 0.1: expected 0.9, got 1.1. The step goes \
uphill: subtract, do not add.
    """
    return _compare(
        step,
        _right_step,
        _STEP_MUTANTS,
        _STEP_PROBLEMS,
        lambda x, g, lr: f"From x = {_show(x)} with gradient {_show(g)} and lr = {lr:g}",
        "Your step agrees with GradientDescent on every problem tried.",
    )


def diagnose_step_test(test: Callable[[Step], Any]) -> Diagnosis:
    """Check a reader's test of a step: it must accept the right one and reject wrong ones.

    Parameters
    ----------
    test : callable, step -> bool
        Takes a function (x, grad, lr) -> x and says whether it is gradient descent's step.

    Returns
    -------
    Diagnosis

    Examples
    --------
    >>> diagnose_step_test(lambda step: abs(step(3.0, -5.0, 0.3) - 4.5) < 1e-12).passed
    True
    >>> diagnose_step_test(lambda step: True)
    Not yet. Your test accepts this wrong step: x + lr * grad.
    """
    if not callable(test):
        return Diagnosis(False, f"A function is asked for, and this is {test!r}.")
    steps: dict[str, Step] = {"x - lr * grad": _right_step}
    steps |= {code: _STEP_MUTANTS[sentence] for sentence, code in _STEP_SLIPS.items()}
    for code, step in steps.items():
        right = step is _right_step
        try:
            with np.errstate(all="ignore"):
                verdict = _run(test, [step])
        except AssertionError:
            verdict = False  # a test that asserts rejects in this way
        except _EndlessError:
            return Diagnosis(False, f"Your test does not end with this step: {code}.")
        except Exception as error:
            return Diagnosis(False, f"Your test raised {type(error).__name__}: {error}")
        if not isinstance(verdict, (bool, np.bool_)):
            return Diagnosis(
                False,
                f"Your test returned {verdict!r}: let it return True or False, in every case.",
            )
        if right and not verdict:
            return Diagnosis(False, f"Your test rejects the right step, {code}.")
        if verdict and not right:
            return Diagnosis(False, f"Your test accepts this wrong step: {code}.")
    wrong = len(_STEP_SLIPS)
    return Diagnosis(True, f"Your test accepts the right step and rejects {wrong} wrong ones.")


# --- Difference quotients ------------------------------------------------------------------

_SLOPE_FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "x²": lambda x: x * x,
    "x³": lambda x: x * x * x,
    "1/x": lambda x: 1 / x,
}
_SLOPE_PROBLEMS: tuple[tuple[Callable[[Any], Any], float, float], ...] = (
    (_SLOPE_FUNCTIONS["x²"], 3.0, 0.5),
    (_SLOPE_FUNCTIONS["x³"], 1.0, 0.25),
    (_SLOPE_FUNCTIONS["1/x"], 2.0, -0.5),
)

_SLOPE_MUTANTS: dict[str, Callable[[Any, float, float], Any]] = {
    "It is not divided by the distance between the two points.": lambda f, x, h: f(x + h) - f(x),
    "This is the forward quotient: take the second point on the other side of x.": (
        difference_quotient
    ),
    "This is the central quotient: take x itself as the second point.": central_difference,
    "The points are 2h apart: divide by 2h.": lambda f, x, h: (f(x + h) - f(x - h)) / h,
    "The points are h apart: divide by h.": lambda f, x, h: (f(x + h) - f(x)) / (2 * h),
    "This is the backward quotient.": lambda f, x, h: (f(x) - f(x - h)) / h,
    "The sign is wrong: the point further right comes first.": (
        lambda f, x, h: (f(x) - f(x + h)) / h
    ),
    "The sign is wrong: the point on the right comes first.": (
        lambda f, x, h: (f(x - h) - f(x + h)) / (2 * h)
    ),
    "The difference must be divided by h, not multiplied.": lambda f, x, h: (f(x + h) - f(x)) * h,
    "Parentheses are missing: the whole difference is divided.": lambda f, x, h: (
        f(x + h) - f(x) / h
    ),
    "Parentheses are missing around the whole difference.": (
        lambda f, x, h: f(x + h) - f(x - h) / (2 * h)
    ),
    "Parentheses are missing around 2 * h: this divides by 2 and multiplies by h.": (
        lambda f, x, h: (f(x + h) - f(x - h)) / 2 * h
    ),
    "The difference is not divided by the distance 2h.": lambda f, x, h: f(x + h) - f(x - h),
    "It is divided by 2, and not by h.": lambda f, x, h: (f(x + h) - f(x - h)) / 2,
    "Parentheses are missing, around the difference and around 2 * h.": (
        lambda f, x, h: f(x + h) - f(x - h) / 2 * h
    ),
    "The points are half as far from x as they should be.": (
        lambda f, x, h: (f(x + h / 2) - f(x - h / 2)) / h
    ),
}


def diagnose_quotient(quotient: Callable[[Any, float, float], Any], kind: str) -> Diagnosis:
    """Check a reader's difference quotient.

    Parameters
    ----------
    quotient : callable, (f, x, h) -> float
        Takes a function of one variable, a point and a distance.
    kind : "forward" or "central"
        Which one was asked for.

    Returns
    -------
    Diagnosis

    Examples
    --------
    >>> diagnose_quotient(lambda f, x, h: (f(x + h) - f(x - h)) / h, "central")
    Not yet. For f(x) = x² at x = 3 with h = 0.5: expected 6, got 12. The points are 2h apart: \
divide by 2h.
    """
    check_choice("diagnose_quotient", "kind", kind, ("forward", "central"))
    names = {f: name for name, f in _SLOPE_FUNCTIONS.items()}
    return _compare(
        quotient,
        difference_quotient if kind == "forward" else central_difference,
        _SLOPE_MUTANTS,
        _SLOPE_PROBLEMS,
        lambda f, x, h: f"For f(x) = {names[f]} at x = {x:g} with h = {h:g}",
        f"Your quotient agrees with the {kind} one on every problem tried.",
    )


# --- Backtracking --------------------------------------------------------------------------

_SHARE = 1e-4

# The function, the point, the derivative there and the first rate. From 45 on the quartic
# the right rate is so small that a share without it, and from 30 one with the first rate, asks
# for far too much. On the last five the decrease is so close to what is asked for that the share c
# decides, and what it is taken of.
_SEARCH_PROBLEMS: tuple[tuple[Callable[[Any], Any], float, float, float], ...] = (
    (lambda x: x * x, 1.0, 2.0, 4.0),
    (lambda x: x**4 / 4, 10.0, 1000.0, 1.0),
    (lambda x: x**4 / 4, 45.0, 91125.0, 1.0),
    (lambda x: x**4 / 4, 30.0, 27000.0, 2.048),
    (lambda x: x * x / 2, -3.0, -3.0, 0.5),
    (lambda x: x * x / 2, 3.0, 3.0, 1.999),
    (lambda x: x * x / 2, 3.0, 3.0, 1.9997),
    (lambda x: x * x / 2, 3.0, 3.0, 1.9999),
    (lambda x: x * x / 2, 3.0, 3.0, 1.99997),
    (lambda x: x * x / 2, -3.0, -3.0, 2.00005),
)


def _right_rate(f: Callable[[Any], Any], x: float, slope: float, lr: float) -> float:
    objective = Objective("given", f, lambda _: slope)
    return float(backtracking(objective, x, steps=1, lr=lr, c=_SHARE).lr[0])


def _armijo(f: Callable[[Any], Any], x: float, slope: float, lr: float) -> bool:
    return bool(f(x - lr * slope) <= f(x) - _SHARE * lr * slope**2)


def _rate_until(
    accepts: Callable[[Any, float, float, float], Any],
    *,
    factor: float = 0.5,
) -> Callable[[Any, float, float, float], float]:
    """Return the search that shrinks the rate until it is accepted or no float is left."""

    def search(f: Any, x: float, slope: float, lr: float) -> float:
        while not accepts(f, x, slope, lr) and lr > 0:
            lr = lr * factor
        return lr

    return search


_SEARCH_MUTANTS: dict[str, Callable[[Any, float, float, float], float]] = {
    "The first rate is returned without a test.": lambda f, x, slope, lr: lr,
    "The rate is halved once and not tested again.": (
        lambda f, x, slope, lr: lr if _armijo(f, x, slope, lr) else lr / 2
    ),
    "That is the next point; the rate is asked for.": (
        lambda f, x, slope, lr: x - _right_rate(f, x, slope, lr) * slope
    ),
    "The last rate that was refused is returned, not the accepted one.": (
        lambda f, x, slope, lr: min(lr, 2 * _right_rate(f, x, slope, lr))
    ),
    "Any decrease is accepted; one of at least c lr slope² is asked for.": _rate_until(
        lambda f, x, slope, lr: f(x - lr * slope) < f(x)
    ),
    "The share must be taken of slope², not of the slope.": _rate_until(
        lambda f, x, slope, lr: f(x - lr * slope) <= f(x) - _SHARE * lr * slope
    ),
    "The share must be taken of slope², not of the slope's size.": _rate_until(
        lambda f, x, slope, lr: f(x - lr * slope) <= f(x) - _SHARE * lr * abs(slope)
    ),
    "The share is c lr slope²: the rate is not squared.": _rate_until(
        lambda f, x, slope, lr: f(x - lr * slope) <= f(x) - _SHARE * (lr * slope) ** 2
    ),
    "The share keeps the first rate; compute it anew for every rate that is tried.": (
        lambda f, x, slope, lr: _rate_until(
            lambda f, x, slope, rate: f(x - rate * slope) <= f(x) - _SHARE * lr * slope**2
        )(f, x, slope, lr)
    ),
    "The rate is divided by 10 each time; halve it.": _rate_until(_armijo, factor=0.1),
    "c is 1e-4, not 1/2.": _rate_until(
        lambda f, x, slope, lr: f(x - lr * slope) <= f(x) - lr * slope**2 / 2
    ),
    "c is 1e-4, not 1e-3.": _rate_until(
        lambda f, x, slope, lr: f(x - lr * slope) <= f(x) - 1e-3 * lr * slope**2
    ),
    "In the share c lr slope² the rate is missing.": _rate_until(
        lambda f, x, slope, lr: f(x - lr * slope) <= f(x) - _SHARE * slope**2
    ),
    "The whole decrease that the tangent promises is asked for; c is missing.": _rate_until(
        lambda f, x, slope, lr: f(x - lr * slope) <= f(x) - lr * slope**2
    ),
    "The trial goes uphill: it must be at x - lr * slope.": _rate_until(
        lambda f, x, slope, lr: f(x + lr * slope) <= f(x) - _SHARE * lr * slope**2
    ),
}


def diagnose_backtracking(search: Callable[[Any, float, float, float], Any]) -> Diagnosis:
    """Check a reader's search for the rate of one step, with c = 1e-4 and halving.

    Parameters
    ----------
    search : callable, (f, x, slope, lr) -> float
        Takes a function of one variable, a point, the derivative there and the first rate to
        try; returns the accepted rate.

    Returns
    -------
    Diagnosis

    Examples
    --------
    >>> diagnose_backtracking(lambda f, x, slope, lr: lr)
    Not yet. From x = 1 with slope 2 and first rate 4: expected 0.5, got 4. The first rate is \
returned without a test.
    """
    return _compare(
        search,
        _right_rate,
        _SEARCH_MUTANTS,
        _SEARCH_PROBLEMS,
        lambda f, x, slope, lr: f"From x = {x:g} with slope {slope:g} and first rate {lr:g}",
        "Your search accepts the rate that backtracking accepts, on every problem tried.",
    )


# --- Gradients -----------------------------------------------------------------------------


def diagnose_gradient(
    grad: Callable[[Any], Any],
    f: Callable[[Any], Any],
    points: Any,
    *,
    examples: int | None = None,
    exercise: str | None = None,
) -> Diagnosis:
    """Check a reader's gradient against central differences of the function.

    Parameters
    ----------
    grad : callable, x -> array of the shape of x
        The reader's gradient.
    f : callable, x -> float
        The function.
    points : sequence of arrays
        Where to compare: two or more, none of them special.
    examples : int, optional
        If f is a mean over so many examples, a gradient of their sum is recognized.
    exercise : str, optional
        The label of an exercise of the course, whose own mistakes are then recognized too.

    Returns
    -------
    Diagnosis

    Examples
    --------
    >>> f, points = lambda v: v @ v, [np.array([1.0, 2.0]), np.array([-3.0, 0.5])]
    >>> diagnose_gradient(lambda v: v, f, points)
    Not yet. At x = (1, 2): expected (2, 4), got (1, 2). It is half of the gradient.
    """

    def reference(x: Array) -> Array:
        return np.asarray(numerical_gradient(f, x))

    mutants: dict[str, Callable[[Array], Any]] = {
        "The sign is wrong: this points downhill.": lambda x: -reference(x),
        "It is half of the gradient.": lambda x: reference(x) / 2,
        "It is twice the gradient.": lambda x: 2 * reference(x),
        "This is the value of f, not its gradient.": f,
        "Its coordinates are in the reverse order.": lambda x: np.flip(reference(x)),
        "It is divided by its norm.": lambda x: reference(x) / np.linalg.norm(reference(x)),
        "Only the first coordinate is filled.": (
            lambda x: reference(x) * (np.arange(x.size) == 0).reshape(x.shape)
        ),
        "It is the sum of the derivatives, in every coordinate.": (
            lambda x: np.full_like(x, reference(x).sum())
        ),
    }
    shapes: dict[tuple[int, ...], str] = {
        (): "That is a single number; the gradient has an entry for each coordinate."
    }
    if examples is not None:
        mutants |= {
            "This is the gradient of the sum; divide by the number of examples.": lambda x: (
                examples * reference(x)
            ),
            "It is divided by the number of parameters, not of examples.": lambda x: (
                examples * reference(x) / x.size
            ),
            "The part that does not depend on the parameters is missing: where is y?": lambda x: (
                reference(x) - reference(np.zeros_like(x))
            ),
        }
        shapes[examples,] = (
            "That is a number for each example; the gradient has one for each parameter."
        )
    if exercise is not None:
        check_choice("diagnose_gradient", "exercise", exercise, tuple(GRADIENTS))
        mutants |= GRADIENTS[exercise]
    problems = tuple((np.asarray(x, dtype=np.float64),) for x in points)
    # Central differences are good to about 1e-9 here, no mutant is nearer than a per mille.
    return _compare(
        grad,
        reference,
        mutants,
        problems,
        lambda x: f"At x = {_show(x)}",
        "Your gradient agrees with central differences at every point tried.",
        rtol=1e-5,
        shapes=shapes,
    )


# --- Fitting a model ---


_FIT_X = np.array([[1.0, 2.0], [3.0, -1.0], [0.5, 0.5], [-1.0, 1.0], [-2.0, 0.25]])
_FIT_Y = np.array([1.0, -2.0, 0.3, 0.7, -1.5])

# The first can be checked by hand, the last tells a step from several.
_FIT_PROBLEMS: tuple[tuple[Array, Array, float, int], ...] = (
    (np.array([[1.0], [2.0]]), np.array([2.0, 4.0]), 0.1, 1),
    (_FIT_X, _FIT_Y, 0.25, 1),
    (_FIT_X, _FIT_Y, 0.25, 7),
)


def _right_fit(X: Array, y: Array, lr: float, steps: int, *, scale: float = 1.0) -> Array:
    """Return the parameters after some steps of descent from 0, the gradient scaled."""
    rule = GradientDescent(lr=lr)
    model = LinearRegression()

    def grad(theta: Array) -> Any:
        return scale * model.loss_and_grad(theta, X, y)[1]

    *_, last = descend(grad, np.zeros(X.shape[1]), rule, steps=steps)
    return np.asarray(last)


def diagnose_fit(fit: Callable[[Any, Any, float, int], Any]) -> Diagnosis:
    """Check a reader's linear regression by gradient descent on half the mean squared error.

    Parameters
    ----------
    fit : callable, (X, y, lr, steps) -> array of shape (d,)
        Takes the design matrix of shape (n, d), the targets of shape (n,), the learning rate
        and the number of steps; starts at zeros and returns the parameters after the last step.

    Returns
    -------
    Diagnosis

    Examples
    --------
    >>> def fit(X, y, lr, steps):
    ...     theta = np.zeros(X.shape[1])
    ...     for _ in range(steps):
    ...         theta = theta - lr * X.T @ (X @ theta - y)
    ...     return theta
    >>> diagnose_fit(fit)
    Not yet. After 1 step with lr = 0.1 on 2 examples: expected 0.5, got 1. This descends on the \
sum: divide by the number of examples.
    """
    mutants: dict[str, Callable[..., Any]] = {
        "This descends on the sum: divide by the number of examples.": (
            lambda X, y, lr, steps: _right_fit(X, y, lr, steps, scale=len(y))
        ),
        "The half is missing in the loss: the gradient is twice as long.": (
            lambda X, y, lr, steps: _right_fit(X, y, lr, steps, scale=2)
        ),
        "The half and the mean are missing: this descends on the sum of squares.": (
            lambda X, y, lr, steps: _right_fit(X, y, lr, steps, scale=2 * len(y))
        ),
        "It goes uphill: check the sign of the error, prediction minus truth.": (
            lambda X, y, lr, steps: _right_fit(X, y, lr, steps, scale=-1)
        ),
        "It divides by the number of parameters, not of examples.": (
            lambda X, y, lr, steps: _right_fit(X, y, lr, steps, scale=len(y) / X.shape[1])
        ),
        "It takes one step too few.": lambda X, y, lr, steps: _right_fit(X, y, lr, steps - 1),
        "It takes one step too many.": lambda X, y, lr, steps: _right_fit(X, y, lr, steps + 1),
        "It takes one step, however many are asked for.": (
            lambda X, y, lr, steps: _right_fit(X, y, lr, 1)
        ),
    }

    def describe(X: Array, y: Array, lr: float, steps: int) -> str:
        word = "step" if steps == 1 else "steps"
        return f"After {steps} {word} with lr = {lr:g} on {len(y)} examples"

    return _compare(
        fit,
        _right_fit,
        mutants,
        _FIT_PROBLEMS,
        describe,
        "Your parameters agree with train's on every problem tried.",
    )


# --- Schedules -----------------------------------------------------------------------------


def diagnose_schedule(
    schedule: Callable[[int], float], expected: Callable[[int], float], *, steps: int
) -> Diagnosis:
    """Check a reader's schedule against another, step by step.

    Parameters
    ----------
    schedule : callable, t -> lr
        The reader's.
    expected : callable, t -> lr
        The right one, from :mod:`gdcourse.schedules`.
    steps : int
        Steps 0 to ``steps`` are compared.

    Returns
    -------
    Diagnosis

    Examples
    --------
    >>> from gdcourse.schedules import inverse_time_decay
    >>> diagnose_schedule(lambda t: 0.2 / (2 + t), inverse_time_decay(0.2, rate=1.0), steps=9)
    Not yet. At step t = 0: expected 0.2, got 0.1. It is one step ahead: t counts from 0.
    """
    mutants: dict[str, Callable[[int], float]] = {
        "It is one step ahead: t counts from 0.": lambda t: expected(t + 1),
        "It is one step behind: t counts from 0.": lambda t: expected(max(t - 1, 0)),
        "It never changes.": lambda t: expected(0),
    }
    return _compare(
        schedule,
        expected,
        mutants,
        tuple((t,) for t in range(steps + 1)),
        lambda t: f"At step t = {t}",
        "Your schedule gives the right rate at every step tried.",
    )


# --- What all of them share ----------------------------------------------------------------


def _compare(
    code: Callable[..., Any],
    reference: Callable[..., Any],
    mutants: Mapping[str, Callable[..., Any]],
    problems: tuple[tuple[Any, ...], ...],
    describe: Callable[..., str],
    praise: str,
    *,
    rtol: float = _RTOL,
    shapes: Mapping[tuple[int, ...], str] | None = None,
) -> Diagnosis:
    """Run a reader's code on all problems and say what is wrong with it, if anything is."""
    if not callable(code):
        return Diagnosis(False, f"A function is asked for, and this is {code!r}.")
    answers = []
    for problem in problems:
        mine = [_copy(part) for part in problem]
        try:
            with np.errstate(all="ignore"):
                answer = _run(code, mine)
        except _EndlessError:
            return Diagnosis(
                False,
                f"{describe(*problem)} your loop does not end. Does it go on while the condition "
                f"is not met, and is all that stands in the condition computed anew each time?",
            )
        except Exception as error:
            # NumPy's own words about shapes tell a beginner nothing.
            what = (
                "the shapes of two arrays do not fit: is a transpose missing, the order wrong, "
                "keepdims=True left out, or are the rows of one chosen and not of the other?"
            )
            shapes_clash = str(error).startswith(("matmul", "operands could not be broadcast"))
            what = what if shapes_clash else str(error)
            return Diagnosis(
                False, f"{describe(*problem)} your code raised {type(error).__name__}: {what}"
            )
        if answer is None:
            return Diagnosis(False, "Your function returned None: does it end in return?")
        if answer is ...:
            return Diagnosis(False, "Write your code in place of the dots.")
        if any(not _same(a, b) for a, b in zip(mine, problem, strict=True)):
            return Diagnosis(
                False,
                "Your function changed an array that it was given. Make a new one: x = x - step "
                "does, and x -= step changes the caller's x (the same with +=).",
            )
        expected = reference(*problem)
        right = np.asarray(expected)
        try:
            answers.append(np.asarray(answer, dtype=np.float64))
        except (TypeError, ValueError):
            what = f"Numbers are asked for, and you have {answer!r}."
            if isinstance(answer, (tuple, list)) and any(callable(part) for part in answer):
                what = "Numbers are asked for, and you return functions: return what they give."
            elif isinstance(answer, tuple):
                what = f"One thing is asked for, and you return a tuple of {len(answer)}."
            return Diagnosis(False, what)
        shape = answers[-1].shape
        if shape != right.shape:
            slip = _slip(answers, mutants, problems, rtol)
            if slip:
                told = _show(right), _show(answers[-1])
                if told[0] == told[1]:
                    told = f"shape {right.shape}", f"shape {shape}"
                found = f"expected {told[0]}, got {told[1]}"
                return Diagnosis(False, f"{describe(*problem)}: {found}. {slip}")
            hint = f"An array of shape {right.shape} is asked for."
            if isinstance(expected, tuple) and not isinstance(answer, tuple):
                hint = f"{len(expected)} things are asked for: return them with commas between."
                return Diagnosis(False, f"{describe(*problem)}: {hint}")
            if right.ndim == 0:
                hint = "One number is asked for."
            elif right.shape == np.shape(problem[0]):
                several = sum(isinstance(part, np.ndarray) for part in problem) > 1
                which = "first one that" if several else "one"
                hint = f"Return an array of the shape of the {which} you are given."
            return Diagnosis(
                False,
                f"{describe(*problem)}: expected shape {right.shape}, got {shape}. "
                f"{(shapes or {}).get(shape, hint)}",
            )
    for problem, answer in zip(problems, answers, strict=True):
        right = np.asarray(reference(*problem))
        if not _close(answer, right, rtol):
            found = f"{describe(*problem)}: expected {_show(right)}, got {_show(answer)}."
            slip = _slip(answers, mutants, problems, rtol)
            if slip:
                return Diagnosis(False, f"{found} {slip}")
            # Where no number comes out there is another mistake: look for the first without it.
            tame = [bool(np.isfinite(one).all()) for one in answers]
            # What is right where it is finite has no other mistake than that.
            if np.isfinite(answer).all() and not all(tame):
                slip = _slip(
                    [one for one, fine in zip(answers, tame, strict=True) if fine],
                    mutants,
                    tuple(one for one, fine in zip(problems, tame, strict=True) if fine),
                    rtol,
                )
                if slip:
                    broken = describe(*problems[tame.index(False)])
                    more = f"{broken} your code gives what is no finite number."
                    return Diagnosis(False, f"{found} {slip} And there is more: {more}")
            if _show(right) == _show(answer):
                later = "They differ in later digits: is something rounded, or added to a divisor?"
                return Diagnosis(False, f"{found} {later}")
            rights = [np.asarray(reference(*p)) for p in problems]
            return Diagnosis(False, f"{found}{_pattern(answers, rights, rtol)}")
    return Diagnosis(True, praise)


def _slip(
    answers: list[Array],
    mutants: Mapping[str, Callable[..., Any]],
    problems: tuple[tuple[Any, ...], ...],
    rtol: float,
) -> str:
    """Return what is said of the first mutant that gives all these answers, or nothing."""
    for sentence, mutant in mutants.items():
        with np.errstate(all="ignore"):
            wrong = [np.asarray(mutant(*map(_copy, p))) for p in problems[: len(answers)]]
        if all(_close(a, b, rtol) for a, b in zip(answers, wrong, strict=True)):
            return sentence
    return ""


class _EndlessError(Exception):
    """A reader's loop does not end."""


_MOST_LINES = 100_000  # a search halves some 1100 times before it runs out of floats


def _run(code: Callable[..., Any], arguments: list[Any]) -> Any:
    """Call a reader's code; raise if it runs through more lines than any answer needs."""
    count = 0

    # Nothing traces what traces, a measurement of coverage neither.
    def watch(frame: FrameType, event: str, argument: Any) -> Any:  # pragma: no cover
        nonlocal count
        count += event == "line"
        if count > _MOST_LINES:
            raise _EndlessError
        return watch

    before = sys.gettrace()
    sys.settrace(watch)
    try:
        return code(*arguments)
    finally:
        sys.settrace(before)


def _pattern(answers: list[Array], rights: list[Array], rtol: float) -> str:
    """Say what wrong answers have in common: a factor, or the one entry that is wrong."""
    got = np.concatenate([np.ravel(answer) for answer in answers])
    right = np.concatenate([np.ravel(answer) for answer in rights])
    largest = np.argmax(np.abs(right))
    if right[largest] != 0 and np.isfinite(got).all():
        factor = got[largest] / right[largest]
        if factor != 0 and _close(got, factor * right, rtol):
            return f" All your numbers are {factor:.4g} times the right ones."
    if len({answer.shape for answer in rights}) == 1 and rights[0].ndim == 1:
        scale = np.max(np.abs(right))
        off = np.abs(np.array(answers) - np.array(rights)) > rtol * scale
        wrong = np.flatnonzero(off.any(axis=0) | ~np.isfinite(np.array(answers)).all(axis=0))
        if len(wrong) == 1 < off.shape[1]:
            return f" Only entry {wrong[0] + 1} is wrong; the others are right at every point."
    return ""


def _close(one: Array, two: Array, rtol: float) -> bool:
    """Say whether two arrays agree, relative to their largest entry."""
    if one.shape != two.shape:
        return False
    scale = np.max(np.abs(two[np.isfinite(two)]), initial=0.0)
    return bool(np.allclose(one, two, rtol=rtol, atol=rtol * scale, equal_nan=True))


def _copy(part: Any) -> Any:
    return part.copy() if isinstance(part, np.ndarray) else part


def _same(one: Any, two: Any) -> bool:
    if isinstance(two, np.ndarray):
        return np.array_equal(one, two, equal_nan=two.dtype.kind == "f")
    return one is two or one == two


def _show(values: Any) -> str:
    """Return one number, or several in brackets, with six significant digits."""
    numbers = [f"{v:.6g}" for v in np.asarray(values, dtype=np.float64).ravel()]
    return numbers[0] if len(numbers) == 1 else f"({', '.join(numbers)})"
