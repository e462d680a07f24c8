"""The checks of a reader's code: right code passes, and each known mistake is told by its name."""

from __future__ import annotations

import functools
import json
import math
import re
import statistics
import sys
from pathlib import Path

import numpy as np
import pytest

import gdcourse as gd
from gdcourse import checks, optimizers
from gdcourse._answers import ANSWERS, FUNCTIONS, GRADIENTS
from gdcourse._answers.how_fast import HUBER_X, HUBER_Y
from gdcourse.checks import (
    Diagnosis,
    diagnose_answer,
    diagnose_backtracking,
    diagnose_fit,
    diagnose_function,
    diagnose_gradient,
    diagnose_quotient,
    diagnose_schedule,
    diagnose_step,
    diagnose_step_test,
    diagnose_value,
)

CHAPTERS = Path(__file__).parents[2] / "chapters"
POINTS = [np.array([1.0, 2.0]), np.array([-3.0, 0.5])]
RATES = gd.exponential_decay(0.5, factor=0.9)


def norm(v):
    """Return the sum of squares: its gradient is 2v."""
    return float(np.sum(np.square(v)))


# What every check that takes code is asked about the same way, and code that it finds right.
CHECKS = {
    "step": diagnose_step,
    "forward": lambda code: diagnose_quotient(code, "forward"),
    "central": lambda code: diagnose_quotient(code, "central"),
    "gradient": lambda code: diagnose_gradient(code, norm, POINTS),
    "schedule": lambda code: diagnose_schedule(code, RATES, steps=9),
    "search": diagnose_backtracking,
    "function": lambda code: diagnose_function("ex-hf-tail", code),
}


def search(f, x, slope, lr):
    """Return the rate that Armijo's condition accepts, halving it until then."""
    while f(x - lr * slope) > f(x) - 1e-4 * lr * slope**2:
        lr /= 2
    return lr


RIGHT = {
    "step": [
        lambda x, grad, lr: x - lr * grad,
        lambda x, grad, lr: np.asarray(x - lr * grad).tolist(),
        lambda x, grad, lr: x + -grad * lr,
    ],
    "forward": [lambda f, x, h: (f(x + h) - f(x)) / h],
    "central": [
        lambda f, x, h: (f(x + h) - f(x - h)) / (2 * h),
        lambda f, x, h: (f(x + h) - f(x - h)) / h / 2,
        lambda f, x, h: (f(x - h) - f(x + h)) / (-2 * h),
    ],
    "gradient": [lambda v: 2 * v, lambda v: v + v, lambda v: [2 * v[0], 2 * v[1]]],
    "schedule": [RATES, lambda t: 0.5 * 0.9**t, lambda t: np.float64(0.5 * 0.9**t)],
    "search": [search, lambda f, x, slope, lr: np.array(search(f, x, slope, lr))],
}


def until(accepts, factor=0.5):
    """Return the search that shrinks the rate until it is accepted, or no float is left."""

    def search(f, x, slope, lr):
        for _ in range(1100):
            if accepts(f, x, slope, lr):
                break
            lr *= factor
        return lr

    return search


# What the checks say they recognize, written here once more: the sentence, and the mistake.
STEPS = {
    "This takes 2 x for the gradient, which is right for x² alone: use grad.": (
        lambda x, g, lr: x * (1 - 2 * lr)
    ),
    "The step goes uphill: subtract, do not add.": lambda x, g, lr: x + lr * g,
    "The old x is missing: this is the step alone, not where it leads.": lambda x, g, lr: -lr * g,
    "This is the learning rate times the gradient; start from x and subtract it.": (
        lambda x, g, lr: lr * g
    ),
    "The learning rate is not used.": lambda x, g, lr: x - g,
    "The gradient is not used, only the learning rate.": lambda x, g, lr: x - lr,
    "The gradient is divided by its norm: the step must be longer where it is steeper.": (
        lambda x, g, lr: x - lr * g / np.sqrt(np.sum(g**2))
    ),
    "Only the sign of the gradient is used: the step must be longer where it is steeper.": (
        lambda x, g, lr: x - lr * np.sign(g)
    ),
    "The step is twice as long as it should be.": lambda x, g, lr: x - 2 * lr * g,
    "The step is half as long as it should be.": lambda x, g, lr: x - 0.5 * lr * g,
    "Nothing moves: x comes back as it was.": lambda x, g, lr: x,
    "The gradient is divided by the learning rate.": lambda x, g, lr: x - g / lr,
    "x is multiplied by what should be subtracted from it.": lambda x, g, lr: x - x * lr * g,
}
SLOPES = {
    "It is divided by 2, and not by h.": lambda f, x, h: 0.5 * (f(x + h) - f(x - h)),
    "Parentheses are missing, around the difference and around 2 * h.": (
        lambda f, x, h: f(x + h) - h * f(x - h) / 2
    ),
    "It is not divided by the distance between the two points.": lambda f, x, h: f(x + h) - f(x),
    "This is the forward quotient: take the second point on the other side of x.": (
        lambda f, x, h: (f(x + h) - f(x)) / h
    ),
    "This is the central quotient: take x itself as the second point.": (
        lambda f, x, h: (f(x + h) - f(x - h)) / (2 * h)
    ),
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
    "Parentheses are missing: the whole difference is divided.": (
        lambda f, x, h: f(x + h) - f(x) / h
    ),
    "Parentheses are missing around the whole difference.": (
        lambda f, x, h: f(x + h) - f(x - h) / (2 * h)
    ),
    "Parentheses are missing around 2 * h: this divides by 2 and multiplies by h.": (
        lambda f, x, h: (f(x + h) - f(x - h)) / 2 * h
    ),
    "The difference is not divided by the distance 2h.": lambda f, x, h: f(x + h) - f(x - h),
    "The points are half as far from x as they should be.": (
        lambda f, x, h: (f(x + h / 2) - f(x - h / 2)) / h
    ),
}
SEARCHES = {
    "The first rate is returned without a test.": lambda f, x, slope, lr: lr,
    "The rate is halved once and not tested again.": (
        lambda f, x, slope, lr: lr / 2 if f(x - lr * slope) > f(x) - 1e-4 * lr * slope**2 else lr
    ),
    "That is the next point; the rate is asked for.": (
        lambda f, x, slope, lr: x - search(f, x, slope, lr) * slope
    ),
    "In the share c lr slope² the rate is missing.": until(
        lambda f, x, slope, lr: f(x - lr * slope) <= f(x) - 1e-4 * slope**2
    ),
    "The last rate that was refused is returned, not the accepted one.": (
        lambda f, x, slope, lr: min(lr, 2 * search(f, x, slope, lr))
    ),
    "Any decrease is accepted; one of at least c lr slope² is asked for.": until(
        lambda f, x, slope, lr: f(x - lr * slope) < f(x)
    ),
    "The share must be taken of slope², not of the slope.": until(
        lambda f, x, slope, lr: f(x - lr * slope) <= f(x) - 1e-4 * lr * slope
    ),
    "The share must be taken of slope², not of the slope's size.": until(
        lambda f, x, slope, lr: f(x - lr * slope) <= f(x) - 1e-4 * lr * abs(slope)
    ),
    "The share is c lr slope²: the rate is not squared.": until(
        lambda f, x, slope, lr: f(x - lr * slope) <= f(x) - 1e-4 * lr**2 * slope**2
    ),
    "The share keeps the first rate; compute it anew for every rate that is tried.": (
        lambda f, x, slope, lr: next(
            (
                lr / 2**k
                for k in range(1100)
                if f(x - lr / 2**k * slope) <= f(x) - 1e-4 * lr * slope**2
            ),
            0.0,
        )
    ),
    "The rate is divided by 10 each time; halve it.": until(
        lambda f, x, slope, lr: f(x - lr * slope) <= f(x) - 1e-4 * lr * slope**2, factor=0.1
    ),
    "c is 1e-4, not 1/2.": until(
        lambda f, x, slope, lr: f(x - lr * slope) <= f(x) - 0.5 * lr * slope**2
    ),
    "c is 1e-4, not 1e-3.": until(
        lambda f, x, slope, lr: f(x - lr * slope) <= f(x) - 1e-3 * lr * slope**2
    ),
    "The whole decrease that the tangent promises is asked for; c is missing.": until(
        lambda f, x, slope, lr: f(x - lr * slope) <= f(x) - lr * slope**2
    ),
    "The trial goes uphill: it must be at x - lr * slope.": until(
        lambda f, x, slope, lr: f(x + lr * slope) <= f(x) - 1e-4 * lr * slope**2
    ),
}
MISTAKES = [
    *[("step", sentence) for sentence in STEPS],
    *[("search", sentence) for sentence in SEARCHES],
    *[("forward", sentence) for sentence in SLOPES if "the forward quotient" not in sentence],
    *[("central", sentence) for sentence in SLOPES if "the central quotient" not in sentence],
]


def test_the_tables_hold_every_known_mistake():
    assert set(STEPS) == set(checks._STEP_SLIPS) == set(checks._STEP_MUTANTS)
    assert set(SLOPES) == set(checks._SLOPE_MUTANTS)
    assert set(SEARCHES) == set(checks._SEARCH_MUTANTS)


@pytest.mark.parametrize("name", RIGHT)
def test_right_code_passes(name):
    for code in RIGHT[name]:
        found = CHECKS[name](code)
        assert found.passed, found
        assert found
        assert repr(found).startswith("Right. Your ")


@pytest.mark.parametrize(("name", "sentence"), MISTAKES)
def test_known_mistake_is_named(name, sentence):
    found = CHECKS[name]((STEPS | SLOPES | SEARCHES)[sentence])
    assert not found.passed
    assert not found
    assert re.fullmatch(
        rf"(From x|For f\(x\)) = .*: expected .*, got .*\. {re.escape(sentence)}", found.message
    )
    assert repr(found) == f"Not yet. {found.message}"


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        (lambda v: -2 * v, "The sign is wrong: this points downhill."),
        (lambda v: v, "It is half of the gradient."),
        (lambda v: 4 * v, "It is twice the gradient."),
        (lambda v: 2 * v[::-1], "Its coordinates are in the reverse order."),
        (lambda v: v / np.linalg.norm(v), "It is divided by its norm."),
        (lambda v: [2 * v[0], 0], "Only the first coordinate is filled."),
        (lambda v: [2 * sum(v)] * 2, "It is the sum of the derivatives, in every coordinate."),
        (
            lambda v: 14 * v,
            "This is the gradient of the sum; divide by the number of examples.",
        ),
    ],
)
def test_known_mistake_in_a_gradient_is_named(code, sentence):
    found = diagnose_gradient(code, norm, POINTS, examples=7)
    assert not found.passed
    assert re.fullmatch(rf"At x = \(1, 2\): .*\. {re.escape(sentence)}", found.message)


def fitted(factor=lambda X: 1 / len(X), more=0, *, start=0.0, once=False):
    """Return a linear regression with Xᵀ(Xθ - y) times a factor, and some steps more."""

    def fit(X, y, lr, steps):
        theta = np.full(X.shape[1], start)
        for _ in range(1 if once else steps + more):
            theta = theta - lr * factor(X) * (X.T @ (X @ theta - y))
        return theta

    return fit


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        (fitted(lambda X: 1), "This descends on the sum: divide by the number of examples."),
        (fitted(lambda X: 2 / len(X)), "The half is missing in the loss: the gradient is twice "),
        (fitted(lambda X: 2), "The half and the mean are missing: this descends on the sum of "),
        (fitted(lambda X: -1 / len(X)), "It goes uphill: check the sign of the error, prediction"),
        (fitted(lambda X: 1 / X.shape[1]), "It divides by the number of parameters, not of "),
        (fitted(more=-1), "It takes one step too few."),
        (fitted(more=1), "It takes one step too many."),
        (fitted(once=True), "It takes one step, however many are asked for."),
    ],
)
def test_mistake_in_a_fit_is_named(code, sentence):
    found = diagnose_fit(code)
    assert not found.passed
    assert re.match(
        r"After [17] steps? with lr = 0\.\d+ on [25] examples: expected ", found.message
    )
    assert sentence in found.message


def test_right_fit_passes_and_another_start_does_not():
    assert diagnose_fit(fitted()).passed
    found = diagnose_fit(fitted(start=1.0))
    assert re.fullmatch(r"After 1 step with .*: expected 0\.5, got [^ ]*\.", found.message)


@pytest.mark.parametrize(
    ("first", "second", "sentence"),
    [
        (1, 1, "The inner derivatives are missing: the chain rule, twice."),
        ("v[0]", "v[1]", "The inner derivatives are exchanged: by the first variable it is the "),
        ("-v[1]", "-v[0]", "The derivative of sin is cos, with a plus."),
    ],
)
def test_mistake_of_one_exercise_is_named(first, second, sentence):
    """Of v₁ v₂² + sin(v₁ v₂): what stands before the cosine is wrong."""

    def surface(v):
        return v[0] * v[1] ** 2 + math.sin(v[0] * v[1])

    def code(v):
        inner = math.cos(v[0] * v[1])
        before = [eval(str(part), {"v": v}) for part in (first, second)]
        return np.array([v[1] ** 2 + before[0] * inner, 2 * v[0] * v[1] + before[1] * inner])

    points = [np.array([3.0, 0.5]), np.array([-1.2, 0.7])]
    assert sentence in diagnose_gradient(code, surface, points, exercise="ex-nd-gradient").message
    assert sentence not in diagnose_gradient(code, surface, points).message


def test_gradient_without_the_targets_is_named():
    X, y = np.array([[1.0, 2.0], [3.0, -1.0], [0.5, 0.5]]), np.array([1.0, -2.0, 0.3])

    def loss(theta):
        return np.mean((X @ theta - y) ** 2) / 2

    found = diagnose_gradient(lambda v: X.T @ (X @ v) / 3, loss, POINTS, examples=3)
    assert found.message.endswith(
        " The part that does not depend on the parameters is missing: where is y?"
    )


def test_mistakes_of_no_exercise():
    with pytest.raises(ValueError, match=r"^diagnose_gradient: exercise must be 'ex-nd-gradient'"):
        diagnose_gradient(lambda v: v, norm, POINTS, exercise="ex-none")


def test_product_of_shapes_that_do_not_fit():
    found = diagnose_gradient(lambda v: np.ones((3, 2)) @ np.ones(3), norm, POINTS)
    assert found.message == (
        "At x = (1, 2) your code raised ValueError: the shapes of two arrays do not fit: is a "
        "transpose missing, the order wrong, keepdims=True left out, or are the rows of one "
        "chosen and not of the other?"
    )


def test_tuple_is_told():
    found = diagnose_function("ex-cl-softmax", lambda scores: (1.0, scores))
    assert found.message == "One thing is asked for, and you return a tuple of 2."


def test_value_in_place_of_a_derivative_is_named():
    """Also where it is a number in place of a vector."""
    found = diagnose_gradient(lambda x: x**2, lambda x: x**2, [3.0, -1.5])
    assert found.message == (
        "At x = 3: expected 6, got 9. This is the value of f, not its gradient."
    )
    found = diagnose_gradient(norm, norm, POINTS)
    assert found.message == (
        "At x = (1, 2): expected (2, 4), got 5. This is the value of f, not its gradient."
    )


def test_array_is_not_named_for_a_number_that_fills_it():
    found = diagnose_gradient(lambda v: np.full_like(v, norm(v)), norm, POINTS)
    assert found.message == "At x = (1, 2): expected (2, 4), got (5, 5)."


def test_sum_of_examples_is_recognized_where_their_number_is_told():
    found = diagnose_gradient(lambda v: 14 * v, norm, POINTS)
    assert found.message == (
        "At x = (1, 2): expected (2, 4), got (14, 28). All your numbers are 7 times the right ones."
    )


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        (lambda v: 7 * v, "It is divided by the number of parameters, not of examples."),
        (lambda v: -14 * v, "All your numbers are -7 times the right ones."),
        (lambda v: 28 * v, "All your numbers are 14 times the right ones."),
        (lambda v: 2 * v @ v, "That is a single number; the gradient has an entry for each "),
        (lambda v: np.ones(7), "That is a number for each example; the gradient has one for "),
        (lambda v: np.ones(3), "Return an array of the shape of the one you are given."),
    ],
)
def test_mistake_in_the_gradient_of_a_mean(code, sentence):
    found = diagnose_gradient(code, norm, POINTS, examples=7)
    assert not found.passed
    assert sentence in found.message


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        (lambda t: 0.5 * 0.9 ** (t + 1), "It is one step ahead: t counts from 0."),
        (lambda t: 0.5 * 0.9 ** max(t - 1, 0), "It is one step behind: t counts from 0."),
        (lambda t: 0.5, "It never changes."),
    ],
)
def test_known_mistake_in_a_schedule_is_named(code, sentence):
    found = diagnose_schedule(code, RATES, steps=9)
    assert re.fullmatch(
        rf"At step t = [01]: expected .*, got .*\. {re.escape(sentence)}", found.message
    )


# ---------------------------------------------------------------- mistakes that it does not know


@pytest.mark.parametrize("shape", [(), (1,), (3,), (2, 2)], ids=str)
@pytest.mark.parametrize("factor", [3.3, 1.001, 0.0, math.nan])
def test_unknown_mistake_in_a_gradient_of_any_shape(shape, factor):
    x = np.linspace(1, 2, int(np.prod(shape))).reshape(shape)
    found = diagnose_gradient(lambda v: factor * 2 * v, norm, [x, 2 * x])
    assert not found.passed
    ending = rf" All your numbers are {factor} times the right ones\." if factor > 0 else ""
    assert re.fullmatch(rf"At x = [^:]*: expected [^:]*, got [^:]*\.{ending}", found.message)


@pytest.mark.parametrize("wrong", [0, 1, 2])
@pytest.mark.parametrize("value", [0.0, 5.0, math.nan])
def test_one_wrong_entry_is_told(wrong, value):
    def code(v):
        return np.where(np.arange(3) == wrong, value, 2 * v)

    found = diagnose_gradient(code, norm, [np.array([1.0, 2.0, 3.0]), np.array([-2.0, 7.0, 0.5])])
    assert not found.passed
    told = f" Only entry {wrong + 1} is wrong; the others are right at every point."
    assert found.message.endswith(told)


def test_one_wrong_entry_is_not_told_where_another_is_wrong_elsewhere():
    def code(v):
        return np.where(np.arange(3) == (0 if v[0] > 0 else 2), 9.0, 2 * v)

    found = diagnose_gradient(code, norm, [np.array([1.0, 2.0, 3.0]), np.array([-2.0, 7.0, 0.5])])
    assert found.message == "At x = (1, 2, 3): expected (2, 4, 6), got (9, 4, 6)."


def test_first_problem_that_differs_is_told():
    found = diagnose_step(lambda x, grad, lr: x - lr * np.maximum(grad, 0))
    assert found.message == (
        "From x = (3, -1, 0.5) with gradient (0, 4, -2) and lr = 0.25: "
        "expected (3, -2, 1), got (3, -2, 0.5)."
    )
    found = diagnose_quotient(lambda f, x, h: (f(x + abs(h)) - f(x)) / abs(h), "forward")
    assert found.message == ("For f(x) = 1/x at x = 2 with h = -0.5: expected -0.333333, got -0.2.")


def test_mistake_that_agrees_on_one_problem_is_not_named_for_it():
    """Twice too long on the second problem alone is not "twice too long"."""
    found = diagnose_step(lambda x, grad, lr: x - (2 if np.ravel(x)[0] == 10 else 1) * lr * grad)
    assert found.message == ("From x = 10 with gradient 20 and lr = 0.2: expected 6, got 2.")


# ---------------------------------------------------------------- what is no answer at all


def raising(*arguments):
    """Fail as a reader's code may."""
    raise KeyError("w")


def too_few():
    """Take no argument."""


NO_CODE = [
    (None, "A function is asked for, and this is None."),
    (..., "A function is asked for, and this is Ellipsis."),
    (3.0, "A function is asked for, and this is 3.0."),
    (lambda *_: None, "Your function returned None: does it end in return?"),
    (lambda *_: ..., "Write your code in place of the dots."),
    (lambda *_: "wrong", "Numbers are asked for, and you have 'wrong'."),
    (lambda *_: {"x": 1}, "Numbers are asked for, and you have {'x': 1}."),
    (lambda *_: [[1.0], [1.0, 2.0]], "Numbers are asked for, and you have [[1.0], [1.0, 2.0]]."),
    (lambda *_: 1j, "Numbers are asked for, and you have 1j."),
    (raising, "your code raised KeyError: 'w'"),
    (too_few, "your code raised TypeError: too_few() takes 0 positional arguments but "),
    (lambda *_: np.ones((5, 5)), ", got (5, 5). "),
]


@pytest.mark.parametrize("name", CHECKS)
@pytest.mark.parametrize(("code", "told"), NO_CODE, ids=[str(told) for _, told in NO_CODE])
def test_no_answer_is_a_finding_and_no_crash(name, code, told):
    found = CHECKS[name](code)
    assert isinstance(found, Diagnosis)
    assert not found.passed
    assert told in found.message


def in_place(x, grad, lr):
    """Return the right point, in the caller's own array."""
    x -= lr * grad
    return x


def careless(x, grad, lr):
    """Return the right point, and leave the gradient scaled."""
    grad *= lr
    return x - grad


@pytest.mark.parametrize("code", [in_place, careless])
def test_changed_input_is_told(code):
    found = diagnose_step(code)
    assert not found.passed
    assert found.message.startswith("Your function changed an array that it was given.")


def test_changed_input_of_a_gradient_is_told_and_the_points_are_kept():
    def grad(v):
        v *= 2
        return v

    kept = [point.copy() for point in POINTS]
    found = diagnose_gradient(grad, norm, POINTS)
    assert found.message.startswith("Your function changed an array that it was given.")
    assert all(np.array_equal(a, b) for a, b in zip(POINTS, kept, strict=True))


@pytest.mark.parametrize(("last", "passed"), [(9, False), (10, True)])
def test_last_step_that_is_compared(last, passed):
    found = diagnose_schedule(lambda t: RATES(t) + (t >= last), RATES, steps=9)
    assert found.passed is passed


@pytest.mark.parametrize(
    "condition",
    [
        lambda f, x, slope, lr: f(x - lr * slope) <= f(x) - 1e-4 * lr * slope**2,
        lambda f, x, slope, lr: True,
    ],
    ids=["inverted", "always"],
)
def test_loop_that_does_not_end_is_told(condition):
    """Also one that asks for no value of f. What traced before traces again."""
    before = sys.gettrace()

    def code(f, x, slope, lr):
        while condition(f, x, slope, lr):
            lr /= 2
        return lr

    found = diagnose_backtracking(code)
    assert not found.passed
    assert "your loop does not end." in found.message
    assert sys.gettrace() is before


@pytest.mark.parametrize(
    ("check", "code", "told"),
    [
        (
            diagnose_step,
            lambda x, grad, lr: [x, grad],
            "expected shape (1,), got (2, 1). Return an",
        ),
        (
            diagnose_backtracking,
            lambda f, x, slope, lr: (lr, x),
            "expected shape (), got (2,). One number is asked for.",
        ),
        (
            diagnose_fit,
            lambda X, y, lr, steps: y,
            "expected shape (1,), got (2,). An array of shape (1,) is asked for.",
        ),
    ],
    ids=["step", "search", "fit"],
)
def test_wrong_shape_is_told_what_is_asked_for(check, code, told):
    assert told in check(code).message


def test_step_that_serves_arrays_alone():
    found = diagnose_step(lambda x, grad, lr: [a - lr * b for a, b in zip(x, grad, strict=True)])
    assert found.message.startswith("From x = 2 with gradient 3 and lr = 0.5 your code raised Type")


def test_diagnoses_are_frozen():
    with pytest.raises(AttributeError):
        Diagnosis(False, "no").passed = True


def test_overflow_in_a_readers_code_warns_of_nothing():
    assert not diagnose_step(lambda x, grad, lr: x * np.float64(1e308) * 10 - np.inf)


def test_kind_of_quotient():
    told = "diagnose_quotient: kind must be 'forward' or 'central', got 'backward'."
    with pytest.raises(ValueError, match=f"^{re.escape(told)}$"):
        diagnose_quotient(gd.difference_quotient, "backward")


# ---------------------------------------------------------------- tests of a step


@pytest.mark.parametrize(
    "test",
    [
        lambda step: step(3.0, -4.0, 0.25) == 4.0,
        lambda step: np.allclose(step(np.array([3.0, 1.0]), np.array([-4.0, 2.0]), 0.25), [4, 0.5]),
    ],
)
def test_sound_test_passes(test):
    found = diagnose_step_test(test)
    assert found.passed
    assert found.message == (
        f"Your test accepts the right step and rejects {len(checks._STEP_MUTANTS)} wrong ones."
    )


def asserting(step):
    """Test as one would with pytest: a wrong step raises."""
    assert step(3.0, -4.0, 0.25) == 4.0
    return True


def test_test_that_does_not_end_is_told_with_which_step():
    """It waits for a point that one wrong step never reaches."""

    def test(step):
        x = 8.0
        while x > 1:
            x = step(x, x, 0.5)
        return True

    found = diagnose_step_test(test)
    assert found.message == "Your test does not end with this step: x + lr * grad."


def test_test_may_reject_by_an_assertion():
    assert diagnose_step_test(asserting).passed


@pytest.mark.parametrize("sentence", checks._STEP_SLIPS)
def test_test_that_lets_one_wrong_step_through_is_told_which(sentence):
    """Right in all else, so the one it accepts must be the one that is told."""
    problem = np.array([3.0, 1.0]), np.array([-4.0, 2.0]), 0.25
    wrong = STEPS[sentence](*problem)

    def test(step):
        return any(np.array_equal(step(*problem), taken) for taken in ([4.0, 0.5], wrong))

    found = diagnose_step_test(test)
    assert found.message == f"Your test accepts this wrong step: {checks._STEP_SLIPS[sentence]}."


@pytest.mark.parametrize(
    ("test", "told"),
    [
        (lambda step: False, "Your test rejects the right step, x - lr * grad."),
        (lambda step: step(1.0, 1.0, 0.0) == 1.0, "Your test accepts this wrong step: x + lr"),
        (lambda step: True, "Your test accepts this wrong step: x + lr * grad."),
        (lambda step: None, "Your test returned None: let it return True or False"),
        (lambda step: ..., "Your test returned Ellipsis: let it return True or False"),
        (lambda step: step(1.0, 2.0, 3.0), "Your test returned -5.0: let it return True or"),
        (None, "A function is asked for, and this is None."),
        (raising, "Your test raised KeyError: 'w'"),
        (lambda step: step(1.0), "Your test raised TypeError: "),
    ],
    ids=range(9),
)
def test_unsound_test_is_told(test, told):
    found = diagnose_step_test(test)
    assert not found.passed
    assert found.message.startswith(told)


# ---------------------------------------------------------------- numbers


@pytest.mark.parametrize("exercise", ANSWERS)
def test_every_answer(exercise):
    """The right number passes; each mistake is told by its own sentence, and is no right number."""
    right, known, rtol = ANSWERS[exercise]()
    assert math.isfinite(right)
    for given in (right, right * (1 + 0.99 * rtol), right * (1 - 0.99 * rtol), np.float64(right)):
        assert diagnose_answer(exercise, given).passed, given
    for given in (right * (1 + 1.01 * rtol), right * (1 - 1.01 * rtol), -right, right + 1):
        assert not diagnose_answer(exercise, given).passed, given
    assert known
    for sentence, value in known.items():
        found = diagnose_answer(exercise, value)
        assert not found.passed
        assert found.message == f"You have {value:.6g}. {sentence}"


STEEPEST, FLATTEST = 10 + math.sqrt(73), 10 - math.sqrt(73)  # (2 + 18)/2 and √(8² + 3²)


@pytest.mark.parametrize(
    ("exercise", "right", "known"),
    [
        ("ex-1d-factor", 1 - 0.5 * 3, [1 - 0.5 * 1.5, 0.5, 0.5 * 3, 1 + 0.5 * 3, 1 - 3]),
        ("ex-1d-edge", 0.2, [0.1, 0.4, 10]),
        ("ex-1d-backwards", 1 + 4.8 / 8, [0.6, 1 - 4.8 / 8, -0.6]),
        ("ex-1d-shrink", 10 * math.prod(1 - 0.5**t for t in range(1, 61)), [0, 5, 5 * 0.75]),
        ("ex-nd-edge", 2 / STEEPEST, [2 / FLATTEST, 2 / 18, 1 / STEEPEST, 4 / STEEPEST, 0.1]),
        # [[0, -3], [-3, 0]] has the eigenvectors (1, 1) and (1, -1).
        ("ex-nd-kind", -3, [0, 3, 9, -6]),
        # 5 = 16 · 0.3 + 0.2, then 0.1 and 0.2 in turn, 0.1 after odd numbers of steps.
        ("ex-nd-normalized", 0.1, [0.4, math.hypot(0.3, 0.1), 0.4**101 * 5]),
        # The slope moves by 0.001 · (1667 · 19.5 - 5.5) and the mean of x is -1/2.
        ("ex-nd-early", 0.001 * 0.001 * (1667 * 19.5 - 5.5), [-0.5085, -0.0325009995]),
        ("ex-nd-himmelblau", 9, [4, 5, 8]),
        ("ex-hf-enough", 562, [563, 187, 2250, 1125, 112]),
        ("ex-hf-line", 0.01 ** (1 / 200), [0.01, 0.1 ** (2 / 100)]),
        ("ex-hf-lazy", 50, [25, 48, 24, 26, 46]),
        ("ex-co-factor", 15 / 17, [15 / 16, 16, 5 / 11, 2 / 8.5]),
        ("ex-co-edge", -119 / 81, [-79 / 81, -0.25, 79 / 81, 200 / 81, -1.5]),
        ("ex-co-columns", 39, [20, 1.95, 1 / 39]),
        ("ex-co-units", 1 / 3, [1 / 9, 3, 9, 1]),
        ("ex-sg-variance", 64, [128, 164, 8, 100]),
        ("ex-sg-edge", 10 / 17, [0.5, 0.8, 5 / 17]),
        ("ex-sg-copies", 250, [12.5, 20, 0.004, 0.025]),
        ("ex-sg-seen", math.exp(100 * math.log(0.99)), [1 - 0.99**100, 0, 0.99]),
        ("ex-sg-bad", 999**0.5, [999, 1999**0.5, 499**0.5]),
        ("ex-no-floor", 0.08 / 5.1, [0.08 / 6, 0.02, 0.12 / 5.1, 0.08 / 1.9, 0.04]),
        ("ex-no-forget", 169, [168, 171]),  # 891 · 0.98^337 is 0.98
        ("ex-no-c", 0.4, [0.2, 0.1, 0.8, 2.5]),
        ("ex-no-factor", 9 / 8, [0.75, 9 / 16, 2, 8 / 9, 1.5]),
        ("ex-no-when", 19, [20, 10]),
        ("ex-fr-rate", -math.expm1(math.log(0.3) / 400), [1 - 0.3**0.005, 0.00175]),
        ("ex-fr-reach", 4 / 9, [5 / 9, 0.45, 0.5]),
        ("ex-fr-overflow", 128, [64, 81]),  # 3^81 is 4.4e38
        ("ex-fr-record", 955, [1000, 950, 951, 191]),
        ("ex-cl-odds", math.exp(-2) / (1 + math.exp(-2)), [math.exp(-2), 1 / 101, 0.2]),
        ("ex-cl-touch", math.log(2) / 2, [0, math.log(2), math.log(4), 0.25]),
        ("ex-cl-step", 0.3 * 2 * (1 - 1 / 3), [0.3 * -2 / 3, 0.2, -0.4, 4 / 3]),
        ("ex-cl-edge", (2 / (20 / 10)) / (2 / (20 / 2)), [1 / 0.4, 1, 0.2]),
        ("ex-cl-wrong", (math.exp(6) - 1) / 0.5, [math.exp(6) - 1, 24, 14, 850]),
        ("ex-mo-slope", 1.2, [0.06, 0.4, 0.02 * 3 / 1.95, 20]),
        ("ex-mo-edge", 0.04, [0.025, 0.02, 0.01, 0.0625]),
        ("ex-mo-critical", 0.49, [0.7, 0.3, 0.91, 0.91**2]),
        ("ex-mo-mean", 0.01, [25, 0.5, 0.49, 0.02]),
        # The flat direction: z² - 1.45 z + 0.5.
        ("ex-mo-decides", 0.725 + math.sqrt(0.725**2 - 0.5), [0.5**0.5, 0.95, 0.9, 0.5]),
        ("ex-bq-steps", 141, [142, 140, 2500, 139]),
        ("ex-bq-edge", 19 / 140, [0.38, 0.2, 0.1, 2 / 15]),
        ("ex-bq-floor", 0.6 / 2.8, [1 / 9, 0.25, 0.2]),
        # r² - 1.91 r + 0.9
        ("ex-bq-saddle", 0.955 + math.sqrt(0.955**2 - 0.9), [1.01, 1.1, 1.91, 0.9**0.5]),
        ("ex-bq-energy", 0.05, [0.5, 0.95, 0.025, 0.2]),
        ("ex-ad-hand", 0.24, [-0.24, 0.26, 3.12, 3.12 / 169, 0.624, 12 / 13]),
        ("ex-ad-grams", 1000, [1e6, 1, 1e-3]),
        ("ex-ad-rest", 0.002, [0.001, 0.0005, 0.04, 4e-5]),
        ("ex-ad-delta", 0.02 / math.sqrt(1 + 2e-5 / 45), [4e-4, 2e-5**0.5, 30, 0.6]),
        ("ex-ad-inside", 1e-4, [3e-8, 1e-8, 3e-8**0.5, 3e-4]),
        ("ex-ad-rate", 18**0.5, [6, 3, 18, 72**0.5, 9]),
        ("ex-am-hat", 3, [2.25, 2.5, 4.5, 2, 6]),
        ("ex-am-first", 5, [1, 250, 50, 0.1, 45]),
        ("ex-am-long", 3**0.5, [1, 3, 2 / 3, 6**0.5, 5 / 3]),
        ("ex-am-drift", 1, [-48, -1, -0.96, 2]),
        ("ex-am-lion", 0.4, [0.6, 0.38, 0.42, 1.6]),
        ("ex-am-box", 10, [25, 25 / 1.1, 0.1, -15, 22.5]),
        ("ex-sc-sum", 75, [149.7, 74.85, 150, 250]),
        ("ex-sc-reach", 120, [40, 0.6, 600, 119.4]),
        ("ex-sc-epoch", math.exp(math.log(0.6) / 50), [0.992, 0.012, 0.6]),
        ("ex-sc-warm", 13, [25, 12.5, 12, 5.2]),
        ("ex-sc-best", 0.02, [2 / 99, 1 / 50.5, 1 / 17, 1 / 6, 1 / 51.5, 50]),
        ("ex-sc-share", 0.3, [0.27, 0.243, 3, 30, 0.7]),
        ("ex-fa-budget", 0.8, [0.2, 0.25, 0.5, 4, 0.75, 80]),
        ("ex-fa-draws", 22, [10, 21, 29, 44, 21.854345]),
        ("ex-fa-runs", 8, [7, 9, 6]),
        ("ex-fa-five", 7 / 32, [7 / 64, 3 / 16, 1 / 32]),
        ("ex-fa-power", 851968 / 5**9, [0.134217728, 0.301989888]),
        ("ex-fa-flatter", 8.4, [10, 8, 76 / 9, 11.6, 0.4, 1.6]),
        ("ex-fa-halving", 81, [108, 729, 63, 54]),
        ("ex-ge-end", 1.2, [1.6, 10 / 3, 10 / 7, 6, 0.4]),
        ("ex-ge-start", 3.76, [1.2, 4, 4.24, 10 / 3, 5.2, 2.8]),
        ("ex-ge-adam", 10 / 7, [1.2, 5, 0.4, 2, 10 / 3, 2.5]),
        ("ex-ge-units", 5 / 401, [1, 5 / 21, 100 / 401, 0.1, 0.01, 0.25, 0]),
        ("ex-ge-three", (50 / 51) ** 0.5, [1, 50**0.5, 50 / 51, 5 / 51, 5]),
        ("ex-ge-share", 1 - math.exp(50 * math.log(0.98)), [0.5, 0.02, 1]),
        ("ex-ge-gap", 0.4, [0.2, 4e-5, 4000, 8, 0.1]),
        ("ex-ge-flat", 12, [6, 37, 6**0.5, 13]),
        ("ex-au-walk", 2 * 3 * 2 + 2**2, [10, 6, 21, 30, 11, 60, 3]),
        ("ex-au-entries", 1 + 2 * 10, [20, 11, 10, 31, 1, 30]),
        ("ex-au-rate", -2.43, [0.729, -0.81, 2.43, -3, -2.187, -0.243]),
        ("ex-au-branch", 1, [2, 0, 3, 1.5]),
        ("ex-mx-twice", 0.02, [0.4, 8, 0.001, 160, 0.05]),
        ("ex-mx-decay", 0.04, [0.02, 0.01, 0.08, 0.005, 0.002]),
        ("ex-mx-adam", 1e-6, [1e-10, 1e-8, 1e-4, 1e-7]),
        ("ex-mx-lost", 2**-22, [2**-21, 2**-25, 2**-24, 2**-23, 2**-20]),
        ("ex-fw-coast", 0.076, [0.08, 0.0038, 0, 0.004 / 19, 19, 20]),
        ("ex-fw-once", 0.18, [4.5, 0.2, 0.9, 0, 0.072, 0.018]),
        ("ex-fw-small", 0.2 / 1.04**0.5, [2 / 2.001, 0.2, 2e-5 / 1.04e-8]),
        ("ex-fw-hat", 1e-7 * 1000**0.5, [1e-7, 1e-4, 3.1622777e-9, 1.0005e-7, 1e-6]),
        ("ex-fw-decay", 0.01, [0.002, 0.0004, 0.0025, 0.008, 0.001]),
        ("ex-rb-guess", -math.log(0.5), [0.5, math.log(10), 1]),
        ("ex-mb-variance", 4 / 49, [0.1, 0.08, 2 / 7, 400 / 49]),
        ("ex-mb-half", 63, [60, 21, 12.6]),
        ("ex-mb-rate", 2 / 3, [1, 0.5, 0.5**0.5, 4 / 3]),
        ("ex-mb-weight", 4, [1, 0.25, 6, 7]),
        ("ex-mb-loss", 0.32, [0.4, 3.2, 1.2]),
    ],
)
def test_answers_and_mistakes_worked_out_by_hand(exercise, right, known):
    answer = ANSWERS[exercise]()
    assert answer.right == pytest.approx(right, rel=1e-11)
    for value in known:
        assert any(value == pytest.approx(told) for told in answer.mistakes.values()), value


def test_count_of_steps_is_that_of_a_run():
    X, y, _ = gd.load_diabetes()
    X = gd.add_intercept((X - X.mean(axis=0)) / X.std(axis=0))
    rule = gd.GradientDescent(lr=1 / np.linalg.eigvalsh(X.T @ X / len(y))[-1])
    options = {"epochs": 600, "batch_size": len(y), "seed": 0, "params": np.zeros(11)}
    _, history = gd.train(gd.LinearRegression(), X, y, rule, **options)
    residual = y - X @ np.linalg.lstsq(X, y, rcond=None)[0]
    smallest = residual @ residual / (2 * len(y))
    assert ANSWERS["ex-co-count"]().right == np.argmax(history.loss < smallest + 1)


def test_answers_of_the_projects():
    """Against runs and a power iteration, and what the patients' floor is at the rate found."""
    X, y, _ = gd.load_diabetes()
    X, y = gd.add_intercept((X - X.mean(axis=0)) / X.std(axis=0)), (y - y.mean()) / y.std()
    L = np.linalg.norm(X, 2) ** 2 / len(y)
    assert ANSWERS["ex-ra-edge"]().right == pytest.approx(2 / L, rel=1e-11)
    options = {"epochs": 600, "batch_size": len(y), "seed": 0, "params": np.zeros(11)}
    _, history = gd.train(gd.LinearRegression(), X, y, gd.GradientDescent(lr=1 / L), **options)
    residual = y - X @ np.linalg.lstsq(X, y, rcond=None)[0]
    least = residual @ residual / (2 * len(y))
    assert ANSWERS["ex-ra-full"]().right == np.argmax(history.loss <= 1.01 * least) == 11
    moments = gd.LeastSquaresMoments(X, y, batch_size=10)
    floor = moments.excess_loss(ANSWERS["ex-ra-floor"]().right)
    assert floor == pytest.approx(0.01 * least, rel=1e-9)
    # Features of odd and even digits, as the page makes them.
    pixels = gd.load_digits().X / 16
    weights = np.random.default_rng(40).standard_normal((64, 1000)) / 8**0.5
    Z = np.maximum((pixels - pixels.mean(axis=0)) @ weights, 0) / 1000**0.5
    Z = gd.add_intercept(Z)[np.random.default_rng([0, 41]).permutation(len(Z))[:600]]
    assert ANSWERS["ex-rb-edge"]().right == pytest.approx(
        8 * 600 / np.linalg.norm(Z, 2) ** 2, rel=1e-9
    )


def test_answers_that_take_a_search():
    """The diabetes data's slowest mode, and the least quotient of the ripples."""
    X = gd.load_diabetes().X
    X = np.column_stack([(X - X.mean(axis=0)) / X.std(axis=0), np.ones(len(X))])
    singular = np.linalg.svd(X, compute_uv=False)
    kept = 1 - (singular[-1] / singular[0]) ** 2
    right = ANSWERS["ex-hf-order"]().right
    assert kept**right <= 1e-6 < kept ** (right - 1)
    x = np.linspace(2.1, 2.4, 30_001)
    quotient = (2 * x + 4 * np.sin(2 * x)) ** 2 / (2 * (x**2 + 4 * np.sin(x) ** 2))
    assert ANSWERS["ex-hf-pl"]().right == pytest.approx(quotient.min(), rel=1e-6)
    X, y, _ = gd.normal_regression(seed=0)
    moments = gd.LeastSquaresMoments(gd.add_intercept(X), y)
    assert moments.excess_loss(ANSWERS["ex-no-first"]().right) == pytest.approx(1e-4)
    z = 1.0
    for _ in range(1000):
        z -= 10 * (1 / (1 + math.exp(-z)) - 0.5)
    assert ANSWERS["ex-cl-cycle"]().right == pytest.approx(abs(z), rel=1e-12)
    # The closed forms along both axes, with the double roots 9/11 and -9/11.
    r, t = 9 / 11, np.arange(200)
    flat, steep = (1 + (1 - r) * t) * r**t, (1 + (1 + r) * t) * r**t
    f = (flat**2 / 100 + steep**2) / 2
    assert ANSWERS["ex-mo-count"]().right == np.argmax(f < 1e-10)
    variance = np.trace(moments.noise)
    rough = 0.5 * variance / 200 / (1 - 0.5 * 54 / 100)
    assert ANSWERS["ex-fr-sixth"]().right == pytest.approx(rough, rel=0.05)


# ---------------------------------------------------------------- functions of exercises


def loop_factor(gaps):
    """Return the factor of the second half, by logarithms."""
    steps = len(gaps) - 1
    first = steps // 2
    total = sum(math.log(gaps[t + 1] / gaps[t]) for t in range(first, steps))
    return math.exp(total / (steps - first))


def loop_rate(X, y, theta):
    """Return the exact rate, by the slope along the line at both ends of a step of 1."""

    def gradient(theta):
        return sum(x * (x @ theta - target) for x, target in zip(X, y, strict=True)) / len(y)

    g = gradient(theta)
    slope = [-g @ gradient(theta - s * g) for s in (0.0, 1.0)]
    return slope[0] / (slope[0] - slope[1])


def loop_parameters(theta, mean, std):
    """Return the parameters in old units, one after the other."""
    new = [theta[i] / std[i] for i in range(len(mean))]
    return [*new, theta[-1] - sum(new[i] * mean[i] for i in range(len(mean)))]


def loop_columns(training, new):
    """Return the new rows in the units of the training rows, column by column."""
    columns = []
    for old, column in zip(training.T, new.T, strict=True):
        spread = math.sqrt(np.mean((old - np.mean(old)) ** 2))
        columns.append((column - np.mean(old)) / (spread if len(set(old)) > 1 else 1))
    return np.array(columns).T


def copied_pass(X, y, theta, lr, order):
    """Return the parameters after the pass, coordinate by coordinate."""
    theta = list(theta)
    for i in order:
        error = sum(a * b for a, b in zip(X[i], theta, strict=True)) - y[i]
        for j in range(len(theta)):
            theta[j] -= lr * error * X[i][j]
    return theta


def loop_softmax(scores):
    """Return the softmax, each probability by its differences to the others."""
    with np.errstate(over="ignore"):
        return [[1 / np.sum(np.exp(row - z)) for z in row] for row in scores]


def loop_softmax_gradient(W, X, y):
    """Return the gradient, one example after the other."""
    total = np.zeros(W.shape)
    for x, label in zip(X, y, strict=True):
        (p,) = loop_softmax([x @ W])
        for c in range(W.shape[1]):
            total[:, c] += (p[c] - (label == c)) * x
    return total / len(y)


def naive_softmax(scores):
    """Return the softmax of rows, or nan where the scores are large."""
    return np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)


def loop_ball(grad, x, lr, momentum, steps):
    """Without a velocity: the last two points."""
    before = x
    for _ in range(steps):
        x, before = x - lr * grad(x) + momentum * (x - before), x
    return x


def coasting(grad, x, lr, momentum, steps):
    v = 0.0
    for _ in range(steps):
        x = x + v
        v = momentum * v - lr * grad(x)
    return x


def table_of_points(grad, x0, lr, steps):
    """Keep all points, and take those that are needed."""
    x, y = [x0], [None, x0]
    for t in range(1, steps + 1):
        x.append(y[t] - lr * grad(y[t]))
        y.append(x[t] + (t - 1) * (x[t] - x[t - 1]) / (t + 2))
    return x[steps]


def loop_norm(grad, x0, lr, steps):
    """Keep all gradients."""
    x, seen = x0, []
    for _ in range(steps):
        seen.append(grad(x))
        x = x - lr * seen[-1] / math.sqrt(sum(float(g @ g) for g in seen))
    return x


def loop_adadelta(x, s, d, grad, rho, eps):
    """Coordinate by coordinate."""
    rows = []
    for a, b, c, g in zip(x, s, d, grad, strict=True):
        b = g * g + rho * (b - g * g)
        step = g * math.sqrt((c + eps) / (b + eps))
        rows.append((a - step, b, step * step + rho * (c - step * step)))
    return tuple(np.array(rows).T)


def loop_adam(x, m, v, t, grad, lr, beta1, beta2, eps):
    """Coordinate by coordinate."""
    rows = []
    for a, b, c, g in zip(x, m, v, grad, strict=True):
        b, c = beta1 * b + g - beta1 * g, beta2 * c + g * g - beta2 * g * g
        root = math.sqrt(c / (1 - beta2**t))
        rows.append((a - lr * b / ((1 - beta1**t) * (root + eps)), b, c))
    return tuple(np.array(rows).T)


def loop_divisors(gradients, beta2):
    """Weigh all squares anew at every step."""
    found = []
    for t in range(1, len(gradients) + 1):
        means = [
            np.average(gradients[:k] ** 2, weights=beta2 ** np.arange(k - 1, -1, -1))
            for k in range(1, t + 1)
        ]
        found.append(math.sqrt(max(means)))
    return found


def straight_from_the_end(lr, steps, t):
    """Between two corners."""
    return float(np.interp(t, [0, 0.8 * steps, steps], [lr, lr, 0]))


def first_patient_epoch(losses, patience):
    """The first epoch that stays the lowest for as long as patience lasts."""
    for epoch, loss in enumerate(losses):
        later = losses[epoch + 1 : epoch + 1 + patience]
        if loss == min(losses[: epoch + 1]) and not any(other < loss for other in later):
            return epoch
    raise AssertionError("one epoch is always the lowest")


def chosen_by_validation(valid, test):
    """Go through the splits one by one."""
    ends = []
    for column, scores in zip(valid.T, test.T, strict=True):
        rows = [row for row in range(len(column)) if not math.isnan(column[row])]
        ends.append(scores[min(rows, key=lambda row: column[row])])
    return statistics.median(ends)


FUNCTION_ANSWERS = {
    "ex-fw-keras": lambda x, m, v, grad, t, lr, beta1, beta2, eps: (
        x
        - lr
        * ((m * beta1 + grad - beta1 * grad) / (1 - beta1**t))
        / (
            math.sqrt((v * beta2 + grad**2 - beta2 * grad**2) / (1 - beta2**t))
            + eps / math.sqrt(1 - beta2**t)
        ),
        m * beta1 + grad - beta1 * grad,
        v * beta2 + grad**2 - beta2 * grad**2,
    ),
    "ex-fw-nag": lambda x, v, grad, lr, momentum, weight_decay: (
        (new := x + momentum**2 * v - (1 + momentum) * lr * (grad + weight_decay * x)),
        momentum * v - lr * grad - lr * weight_decay * new,
    ),
    "ex-au-rule": lambda g, y, a, b: [g * part / np.hypot(a, b) for part in (a, b)],
    "ex-au-stretch": lambda g, M, b: np.einsum("ij,ij->j", g, M),
    "ex-au-dual": lambda a, a_dot, b, b_dot: (a / b, (a / b) * (a_dot / a - b_dot / b)),
    "ex-ge-limit": lambda X, y, start: start + np.linalg.lstsq(X, y - X @ start, rcond=None)[0],
    "ex-ge-margin": lambda X, labels, theta: min(
        (row @ theta if label else -row @ theta) / math.hypot(*theta)
        for row, label in zip(X, labels, strict=True)
    ),
    "ex-fa-report": chosen_by_validation,
    "ex-fa-scale": lambda train, held_out: tuple(
        np.column_stack(
            [
                (column - statistics.fmean(seen)) / (statistics.pstdev(seen) or 1)
                for column, seen in zip(part.T, train.T, strict=True)
            ]
        )
        for part in (train, held_out)
    ),
    "ex-sc-plateau": straight_from_the_end,
    "ex-sc-patience": first_patient_epoch,
    "ex-sc-loop": lambda grad, x, rule, schedule, epochs, steps: list(
        gd.descend(grad, x, rule, steps=epochs * steps, schedule=schedule)
    )[-1],
    "ex-sc-smooth": lambda losses, beta: [
        np.average(losses[:t], weights=beta ** np.arange(t - 1, -1, -1))
        for t in range(1, len(losses) + 1)
    ],
    "ex-am-adam": loop_adam,
    "ex-am-sgdw": lambda x, v, grad, lr, momentum, weight_decay: (
        x + momentum * v - lr * (grad + weight_decay * x),
        momentum * v - lr * grad,
    ),
    "ex-am-max": loop_divisors,
    "ex-ad-adagrad": lambda x, s, grad, lr, eps: (
        x - lr * grad / (np.hypot(np.sqrt(s), grad) + eps),
        s + grad * grad,
    ),
    "ex-ad-norm": loop_norm,
    "ex-ad-adadelta": loop_adadelta,
    "ex-bq-pair": lambda m, L: (L**-1, (L**0.5 - m**0.5) / (L**0.5 + m**0.5)),
    "ex-bq-growing": table_of_points,
    "ex-bq-restart": lambda grad, v: v * float(np.dot(grad, v) <= 0),
    "ex-mo-pair": lambda m, L: (
        4 / (L + m + 2 * (m * L) ** 0.5),
        ((L / m) ** 0.5 - 1) ** 2 / ((L / m) ** 0.5 + 1) ** 2,
    ),
    "ex-mo-outside": lambda x, b, grad, lr, momentum: (
        x - lr * momentum * b - lr * grad,
        momentum * b + grad,
    ),
    "ex-mo-bug": loop_ball,
    "ex-cl-stable": lambda z, y: np.mean(np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z))) - y * z),
    "ex-cl-softmax": loop_softmax,
    "ex-cl-gradient": loop_softmax_gradient,
    "ex-sg-pass": copied_pass,
    "ex-fr-steps": lambda n, size, period: list(range(1, n // size + 1, period // size)),
    "ex-mb-gradient": lambda X, y, theta, rows: (
        sum((sum(X[i] * theta) - y[i]) * X[i] for i in rows) / len(rows)
    ),
    "ex-mb-sizes": lambda n, size: [len(part) for part in np.split(range(n), range(size, n, size))],
    "ex-no-mean": lambda mean, theta, t: np.mean([*t * [mean], theta], axis=0),
    "ex-no-rate": lambda lr, per_epoch, t: [lr, lr, lr / 10, lr / 100, lr / 1000][t // per_epoch],
    "ex-hf-tail": loop_factor,
    "ex-co-search": loop_rate,
    "ex-co-undo": loop_parameters,
    "ex-co-new": loop_columns,
    "ex-co-step": lambda x, grad, lr, P: x - lr * (np.linalg.inv(P) @ grad),
}


@pytest.mark.parametrize("exercise", FUNCTIONS)
def test_right_function_passes(exercise):
    for code in (FUNCTIONS[exercise].right, FUNCTION_ANSWERS[exercise]):
        found = diagnose_function(exercise, code)
        assert found.passed, found
        assert (
            repr(found) == "Right. Your function agrees with the right one on every problem tried."
        )


@pytest.mark.parametrize(
    ("exercise", "sentence"),
    [(exercise, sentence) for exercise in FUNCTIONS for sentence in FUNCTIONS[exercise].mistakes],
)
def test_each_mistake_in_a_function_is_told_by_its_own_sentence(exercise, sentence):
    found = diagnose_function(exercise, FUNCTIONS[exercise].mistakes[sentence])
    assert not found.passed
    assert re.fullmatch(rf"F.*: expected .*, got .*\. {re.escape(sentence)}", found.message)


@pytest.mark.parametrize(
    ("exercise", "code", "sentence"),
    [
        ("ex-hf-tail", lambda gaps: gaps[-1] / gaps[-2], "That is the factor of the last step "),
        (
            "ex-co-search",
            lambda X, y, theta: len(y) / np.linalg.norm(X, 2) ** 2,
            "That is 1/L, the same for every point.",
        ),
        (
            "ex-co-undo",
            lambda theta, mean, std: np.append(theta[:-1] / std, theta[-1]),
            "The intercept changes too: it loses each slope times the mean of its column.",
        ),
        (
            "ex-co-new",
            lambda training, new: (new - training.mean(axis=0)) / training.std(axis=0),
            "A column that did not vary has a spread of 0: divide it by 1.",
        ),
        ("ex-co-step", lambda x, grad, lr, P: x - lr * P @ grad, "That multiplies by P; the "),
        (
            "ex-mo-pair",
            lambda m, L: (2 / (L + m), ((L / m) ** 0.5 - 1) ** 2 / ((L / m) ** 0.5 + 1) ** 2),
            "That rate is the best of gradient descent; momentum wants a larger one.",
        ),
        (
            "ex-mo-outside",
            lambda x, b, grad, lr, momentum: (
                x + momentum * b - lr * grad,
                momentum * b - lr * grad,
            ),
            "That is the inside form: here the rate multiplies the whole buffer.",
        ),
        (
            "ex-bq-pair",
            lambda m, L: (1 / L, ((L / m) ** 0.5 - 1) ** 2 / ((L / m) ** 0.5 + 1) ** 2),
            "That momentum is the heavy ball's, the square of Nesterov's.",
        ),
        (
            "ex-bq-restart",
            lambda grad, v: np.where(grad * v > 0, 0, v),
            "That brakes each coordinate by itself; the angle is between the vectors.",
        ),
        (
            "ex-sc-plateau",
            lambda lr, steps, t: lr if t < 0.8 * steps else lr * (steps - t) / (0.2 * steps),
            "Beyond the last step it is negative: it is to stay at 0.",
        ),
        (
            "ex-sc-patience",
            lambda losses, patience: losses.index(min(losses)),
            "That is the lowest of all; the run has stopped before it.",
        ),
        (
            "ex-sc-smooth",
            lambda losses, beta: [
                (1 - beta) * sum(beta**k * losses[t - k] for k in range(t + 1))
                for t in range(len(losses))
            ],
            "The correction is missing.",
        ),
        (
            "ex-am-adam",
            lambda x, m, v, t, grad, lr, beta1, beta2, eps: (
                x - lr * (0.5 * m + 0.5 * grad) / (np.sqrt(0.75 * v + 0.25 * grad**2) + 1)
                if t == 2
                else x - 0.3 * (0.9 * m + 0.1 * grad) / (np.sqrt(0.99 * v + 0.01 * grad**2) + 0.1),
                beta1 * m + (1 - beta1) * grad,
                beta2 * v + (1 - beta2) * grad**2,
            ),
            "The corrections are missing.",
        ),
        (
            "ex-am-sgdw",
            lambda x, v, grad, lr, momentum, weight_decay: (
                x + momentum * v - lr * (grad + weight_decay * x),
                momentum * v - lr * (grad + weight_decay * x),
            ),
            "That is the heavy ball on the penalized loss: the decay goes into the velocity.",
        ),
        (
            "ex-am-max",
            lambda gradients, beta2: [max(abs(gradients[: t + 1])) for t in range(len(gradients))],
            "That is the largest gradient so far, not the largest mean.",
        ),
        (
            "ex-ad-adagrad",
            lambda x, s, grad, lr, eps: (x - lr / np.sqrt(s + grad**2 + eps) * grad, s + grad**2),
            "Here ε is inside of the root.",
        ),
        (
            "ex-ad-norm",
            lambda grad, x0, lr, steps: functools.reduce(
                lambda x, _: x - lr * grad(x) / np.linalg.norm(grad(x)), range(steps), x0
            ),
            "Nothing is summed: every step has the length lr.",
        ),
        (
            "ex-ad-adadelta",
            lambda x, s, d, grad, rho, eps: (
                x - np.sqrt((d + eps) / (s + eps)) * grad,
                rho * s + (1 - rho) * grad**2,
                rho * d + (1 - rho) * (d + eps) / (s + eps) * grad**2,
            ),
            "The step divides by the old s: update it first.",
        ),
        (
            "ex-mo-bug",
            coasting,
            "That is one step fewer; moving before v is updated costs the first one.",
        ),
        (  # two mistakes: the first is told by the problems on which there is no second
            "ex-cl-stable",
            lambda z, y: np.sum(np.log1p(np.exp(z)) - y * z),
            "That is the sum: divide by the number of examples. And there is more: For z = [1000.0",
        ),
        (
            "ex-cl-gradient",
            lambda W, X, y: X.T @ (naive_softmax(X @ W) - np.eye(W.shape[1])[y]),
            "That is the sum over the examples: divide by how many there are. And there is more: ",
        ),
        (
            "ex-cl-softmax",
            lambda scores: np.exp(scores) / np.exp(scores).sum(),
            "The whole array is made to sum to 1: each row must. And there is more: For the score",
        ),
        (
            "ex-cl-stable",
            lambda z, y: np.maximum(z, 0).mean() - np.mean(y * z),
            "ln(1 + e^z) is z only for a large score.",
        ),
    ],
)
def test_mistake_in_a_function_worked_out_by_hand(exercise, code, sentence):
    assert sentence in diagnose_function(exercise, code).message


def test_functions_in_place_of_their_results():
    found = diagnose_function("ex-au-rule", lambda g, y, a, b: (lambda: a, lambda: b))
    assert found.message == (
        "Numbers are asked for, and you return functions: return what they give."
    )


def test_shapes_are_told_where_the_numbers_are_the_same():
    found = diagnose_function("ex-au-stretch", lambda g, M, b: (g * M).sum(axis=0, keepdims=True))
    assert "expected shape (2,), got shape (1, 2). b has one axis" in found.message


def test_several_things_are_asked_for():
    found = diagnose_function("ex-ad-adagrad", lambda x, s, grad, lr, eps: x)
    assert found.message.endswith("= 1: 2 things are asked for: return them with commas between.")


def test_what_is_right_where_it_is_a_number_is_not_given_another_mistake():
    def softmax(scores):
        return loop_softmax(scores) + np.where(np.abs(scores).max() > 500, np.nan, 0)

    found = diagnose_function("ex-cl-softmax", softmax)
    assert not found.passed
    assert found.message.endswith("got (nan, nan, nan, nan, nan, nan).")


def test_difference_in_later_digits_is_said():
    found = diagnose_function("ex-hf-tail", lambda gaps: loop_factor(gaps) * (1 + 1e-7))
    told = "expected 0.5, got 0.5. They differ in later digits: is something rounded, or added "
    assert told in found.message


def test_function_of_no_exercise():
    with pytest.raises(ValueError, match=r"^diagnose_function: exercise must be 'ex-hf-tail' or "):
        diagnose_function("ex-none", abs)


@pytest.mark.parametrize("exercise", GRADIENTS)
def test_known_gradients_of_an_exercise_are_wrong_in_different_ways(exercise):
    values = [
        np.array([code(x) for x in (np.array([0.4, -1.0]), np.array([2.0, 0.3]))])
        for code in GRADIENTS[exercise].values()
    ]
    for i, one in enumerate(values):
        assert not any(np.allclose(one, other) for other in values[:i])


@pytest.mark.parametrize("cut", [math.inf, 0.5])
def test_gradient_of_hubers_loss(cut):
    """Errors that are not cut off are told; and other cuts are no known mistake."""

    def loss(theta):
        return np.mean(gd.huber().f(HUBER_X @ theta - HUBER_Y))

    points = [np.array([0.4, -1.0]), np.array([2.0, 0.3])]
    ask = {"f": loss, "points": points, "examples": 4, "exercise": "ex-hf-huber"}
    right = diagnose_gradient(
        lambda v: (
            sum(x * min(max(x @ v - y, -1), 1) for x, y in zip(HUBER_X, HUBER_Y, strict=True)) / 4
        ),
        **ask,
    )
    assert right.passed, right
    wrong = diagnose_gradient(
        lambda v: HUBER_X.T @ np.clip(HUBER_X @ v - HUBER_Y, -cut, cut) / 4, **ask
    )
    told = "That is for squared errors: far out Huber's slope is 1 or -1."
    assert not wrong.passed
    assert (told in wrong.message) == (cut == math.inf)


def test_every_answer_is_asked_for_in_a_chapter():
    """By an exercise of that label, followed by a cell that checks it."""
    markdown, code = "", ""
    for path in sorted(CHAPTERS.glob("*.ipynb")):
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            text = "".join(cell["source"]) + "\n"
            markdown += text * (cell["cell_type"] == "markdown")
            code += text * (cell["cell_type"] == "code")
    labels = set(re.findall(r"^:label: (ex-\S+)$", markdown, re.MULTILINE))
    assert set(ANSWERS) <= labels
    assert set(re.findall(r"diagnose_answer\(\s*\"(ex-[^\"]+)\"", code)) == set(ANSWERS)
    assert set(re.findall(r"diagnose_function\(\s*\"(ex-[^\"]+)\"", code)) == set(FUNCTIONS)
    assert set(re.findall(r"exercise=\"(ex-[^\"]+)\"", code)) == set(GRADIENTS)


def test_rounded_mistake_is_named_and_the_nearest_one():
    """The right number is asked for in five decimals, a wrong one may have four."""
    assert "the diagonal" in diagnose_answer("ex-nd-edge", 0.1111).message
    assert "Rounded up" in diagnose_answer("ex-nd-edge", 0.1079).message
    assert "Right so far" in diagnose_answer("ex-nd-edge", 0.1078).message


def test_exercise_that_is_none():
    with pytest.raises(ValueError, match=r"^diagnose_answer: exercise must be 'ex-1d-factor' or "):
        diagnose_answer("ex-1d-fator", 1.0)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (None, "Put your number in place of the dots."),
        (..., "Put your number in place of the dots."),
        ("one", "A number is asked for, and you have 'one'."),
        ([1.0, 2.0], "A number is asked for, and you have [1.0, 2.0]."),
        (1j, "A number is asked for, and you have 1j."),
        (math.nan, "A number is asked for, and you have nan."),
        (-0.5, "You have -0.5. The size is right, the sign is not."),
        (-0.6, "You have -0.6, which is too small."),
        (0.4989, "You have 0.4989, which is too small."),
        (0.5011, "You have 0.5011, which is too large."),
        (math.inf, "You have inf, which is too large."),
        (0.25, "You have 0.25. Halve once, not twice."),
        (0.25001, "You have 0.25001. Halve once, not twice."),
        (0.0, "You have 0. Nothing is left."),
    ],
    ids=str,
)
def test_wrong_number_is_told(given, told):
    known = {"Halve once, not twice.": 0.25, "Nothing is left.": 0.0}
    found = diagnose_value(given, 0.5, mistakes=known)
    assert not found.passed
    assert found.message == told


@pytest.mark.parametrize("given", [0.5, 0.50049, 0.49951, "0.5", np.float32(0.5), np.array(0.5)])
def test_right_number_passes(given):
    found = diagnose_value(given, 0.5)
    assert found.passed
    assert repr(found) == "Right. It is 0.5."


@pytest.mark.parametrize(("given", "passed"), [(0.0, True), (1e-300, False)])
def test_zero_is_zero(given, passed):
    assert diagnose_value(given, 0.0).passed is passed


def test_the_reference_is_the_tested_rule():
    """Not a copy of it: if the rule were wrong, so would be the check, and parity would tell."""
    x, grad = np.array([1.0, 2.0]), np.array([3.0, -4.0])
    rule = optimizers.GradientDescent(lr=0.25)
    assert np.array_equal(checks._right_step(x, grad, 0.25), rule.update(x, grad, ())[0])
