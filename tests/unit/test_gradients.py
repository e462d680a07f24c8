"""Difference quotients, gradients estimated from them, and the check of a gradient."""

from __future__ import annotations

import math
import re
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gdcourse as gd
from gdcourse import central_difference, check_gradient, difference_quotient, numerical_gradient

CALM = settings(deadline=None, derandomize=True, database=None, max_examples=40)
QUOTIENTS = [difference_quotient, central_difference]
EVERY_QUOTIENT = pytest.mark.parametrize("quotient", QUOTIENTS, ids=lambda q: q.__name__)

# Points away from kinks and symmetries, for every objective of the package.
POINTS = {
    gd.square: [1.3, -20.0, 1e-3],
    gd.quartic: [0.7, -3.0],
    gd.cubic: [2.0, -0.4],
    gd.double_well: [0.3, -1.7],
    gd.exponential: [0.5, -2.0, 12.0],
    gd.log_barrier: [0.1, 1.4, 300.0],
    gd.absolute: [0.2, -5.0],
    gd.huber: [0.2, -5.0],
    gd.ripples: [0.3, -4.0],
    gd.saddle: [[1.0, 2.0], [-3.0, 0.1]],
    gd.rosenbrock: [[-1.2, 1.0], [0.3, -0.7]],
    gd.beale: [[1.0, 1.5], [-2.0, 0.3]],
    gd.himmelblau: [[0.5, -1.5], [4.0, 3.0]],
    lambda: gd.nesterov_chain(3): [[0.3, 0.2, -1.0]],
    lambda: gd.quadratic(3.0, b=1.0): [0.4, -7.0],
    lambda: gd.quadratic([1.0, 100.0], b=2.0): [[0.3, 0.2], [-4.0, 9.0]],
    lambda: gd.quadratic([[2.0, -1.0], [-1.0, 3.0]], b=[1.0, 0.0]): [[0.3, 0.2], [5.0, -1.0]],
}
CASES = [(make(), np.array(x)) for make, points in POINTS.items() for x in points]
EVERY_CASE = pytest.mark.parametrize(("objective", "x"), CASES, ids=lambda c: str(c))


def test_the_table_holds_every_objective():
    public = {getattr(gd, name) for name in gd.__all__} - {gd.Objective}
    public -= {gd.quadratic, gd.nesterov_chain}  # made with arguments
    assert {make for make in public if make.__module__ == "gdcourse.objectives"} <= set(POINTS)


def counting(f):
    """Return f and the list of the points that it is called at."""
    calls = []

    def counted(x):
        calls.append(np.array(x))
        return f(x)

    return counted, calls


# ---------------------------------------------------------------- quotients


@pytest.mark.parametrize(
    ("quotient", "f", "x", "h", "expected"),
    [
        (difference_quotient, lambda x: 3 * x - 1, 2.0, 0.25, 3.0),
        (difference_quotient, lambda x: x * x, 3.0, 0.5, 6.5),  # 2x + h
        (difference_quotient, lambda x: x * x, 3.0, -0.5, 5.5),  # the backward quotient
        (difference_quotient, lambda x: x**3, 1.0, 0.25, 3.8125),  # 3x² + 3xh + h²
        (difference_quotient, lambda x: 1 / x, 2.0, 2.0, -0.125),  # -1/(x (x + h))
        (central_difference, lambda x: 3 * x - 1, 2.0, 0.25, 3.0),
        (central_difference, lambda x: x * x, 3.0, 0.5, 6.0),  # exact on parabolas
        (central_difference, lambda x: x**3, 1.0, 0.25, 3.0625),  # 3x² + h²
        (central_difference, lambda x: x**3, 1.0, -0.25, 3.0625),
        (central_difference, abs, 0.0, 0.5, 0.0),  # a kink goes unnoticed
        (difference_quotient, abs, 0.0, -0.5, -1.0),
    ],
)
def test_quotients_of_known_slope(quotient, f, x, h, expected):
    assert quotient(f, x, h) == expected


def test_quotients_of_fractions_are_exact():
    third = Fraction(1, 3)
    assert difference_quotient(lambda x: x * x, third, Fraction(1, 10**30)) == 2 * third + Fraction(
        1, 10**30
    )
    assert central_difference(lambda x: x**3, third, third) == Fraction(1, 3) + Fraction(1, 9)


@CALM
@given(x=st.floats(-3, 3), h=st.sampled_from([0.5, -0.1, 0.01, -1e-4, 1e-7, 1e-12]))
def test_errors_stay_within_their_bounds(x, h):
    """As the docstrings say, on the sine: all its derivatives are at most 1."""
    unit = 1.1e-16
    forward = abs(difference_quotient(math.sin, x, h) - math.cos(x))
    central = abs(central_difference(math.sin, x, h) - math.cos(x))
    # Also the point x + h is rounded, by u |x + h|, where the slope is at most 1.
    rounding = unit * (2 + 2 * abs(x)) / abs(h) + 1e-15
    assert forward <= abs(h) / 2 + 2 * rounding
    assert central <= h * h / 6 + rounding


@pytest.mark.parametrize(("quotient", "order"), [(QUOTIENTS[0], 1), (QUOTIENTS[1], 2)])
def test_order_of_the_error(quotient, order):
    """Half the distance, a half or a quarter of the error; x³ has no higher terms to blur it."""
    errors = [quotient(lambda x: x**3, Fraction(1), Fraction(1, 2**k)) - 3 for k in (20, 21)]
    assert errors[0] / errors[1] == pytest.approx(2**order, rel=1e-5)


@EVERY_QUOTIENT
@pytest.mark.parametrize(
    "h", [0, 0.0, -0.0, math.nan, math.inf, -math.inf, "0.1", None, 1j], ids=repr
)
def test_distance_that_is_none(quotient, h):
    told = f"{quotient.__name__}: h must be a finite number and not 0, got {h!r}."
    with pytest.raises(ValueError, match=f"^{re.escape(told)}$"):
        quotient(lambda x: x, 1.0, h)


# ---------------------------------------------------------------- estimated gradients


@pytest.mark.parametrize("method", ["forward", "central"])
@pytest.mark.parametrize("shape", [(), (1,), (3,), (2, 2), (0,)], ids=str)
def test_gradient_of_any_shape(shape, method):
    x = np.random.default_rng(1).standard_normal(shape)
    found = numerical_gradient(lambda v: float(np.sum(v**3)), x, method=method)
    assert np.shape(found) == shape
    np.testing.assert_allclose(found, 3 * x**2, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("method", ["forward", "central"])
@pytest.mark.parametrize("shape", [(), (3,), (2, 2)], ids=str)
def test_points_that_are_visited(shape, method):
    """n + 1 of them forward, 2n central, all distinct, each off by h in one coordinate at most."""
    x = np.full(shape, 2.0)
    f, calls = counting(lambda v: float(np.sum(v * v)))
    numerical_gradient(f, x, 0.25, method=method)
    assert len(calls) == (x.size + 1 if method == "forward" else 2 * x.size)
    assert len({point.tobytes() for point in calls}) == len(calls)
    moved = sorted(float((point - x).sum()) for point in calls)
    back = [0.0] if method == "forward" else [-0.25] * x.size
    assert moved == back + [0.25] * x.size
    assert all(np.count_nonzero(point - x) <= 1 for point in calls)


@pytest.mark.parametrize(("method", "power"), [("forward", 1 / 2), ("central", 1 / 3)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_default_distance(method, power, dtype):
    """The root of the machine epsilon, times the size of coordinates above 1."""
    x = np.array([0.001, -40.0], dtype=dtype)
    f, calls = counting(lambda v: float(v.sum()))
    numerical_gradient(f, x, method=method)
    steps = sorted(float(np.abs(point - x).sum()) for point in calls)
    root = float(np.finfo(dtype).eps) ** power
    expected = [0, root, 40 * root] if method == "forward" else [root] * 2 + [40 * root] * 2
    assert steps == pytest.approx(expected, rel=1e-2 if dtype == np.float32 else 1e-4)


@pytest.mark.parametrize("method", ["forward", "central"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_arithmetic_stays_in_the_given_precision(dtype, method):
    x = np.array([1.0, -2.0], dtype=dtype)
    f, calls = counting(lambda v: v @ v)
    found = numerical_gradient(f, x, method=method)
    assert {point.dtype for point in calls} == {found.dtype} == {np.dtype(dtype)}
    np.testing.assert_allclose(found, 2 * x, rtol=1e-3 if dtype == np.float32 else 1e-7)


def vandal(v):
    """Return the sum of squares, and leave other numbers behind."""
    value = float(np.sum(v * v))
    v += 1
    return value


@pytest.mark.parametrize("method", ["forward", "central"])
def test_input_is_not_changed_even_by_f(method):
    x = np.array([1.0, -2.0])
    found = numerical_gradient(vandal, x, method=method)
    assert x.tolist() == [1.0, -2.0]
    np.testing.assert_allclose(found, [2, -4], rtol=1e-6)


@EVERY_CASE
def test_gradient_of_every_objective(objective, x):
    np.testing.assert_allclose(
        numerical_gradient(objective.f, x), objective.grad(x), rtol=1e-6, atol=1e-9
    )


# ---------------------------------------------------------------- the check


@EVERY_CASE
def test_right_gradients_pass(objective, x):
    before = x.copy()
    check = check_gradient(objective.f, objective.grad, x)
    assert check.passed, check
    assert 0 <= check.error < 1.5e-7
    assert np.array_equal(check.analytic, objective.grad(x))
    assert check.numerical.shape == x.shape
    assert np.array_equal(x, before)


@EVERY_CASE
@pytest.mark.parametrize("factor", [-1, 2, 0.5, 0, 1 + 1e-5, 1 - 1e-5])
def test_wrong_factor_is_caught(objective, x, factor):
    check = check_gradient(objective.f, lambda v: factor * objective.grad(v), x)
    assert not check.passed
    assert check.error == pytest.approx(abs(1 - factor) / max(1, abs(factor)), rel=1e-2)


@pytest.mark.parametrize("where", list(np.ndindex(2, 3)), ids=str)
def test_wrong_coordinate_is_named(where):
    x = np.arange(1.0, 7.0).reshape(2, 3)

    def grad(v):
        g = 2 * v
        g[where] += 1e-3
        return g

    check = check_gradient(lambda v: float(np.sum(v * v)), grad, x)
    assert not check.passed
    assert check.where == where
    assert all(type(i) is int for i in check.where)


def test_wrong_gradient_may_be_right_at_the_origin():
    """Hence the advice on the choice of x: a wrong sign does not show at 0."""
    assert check_gradient(lambda v: v @ v, lambda v: -2 * v, np.zeros(2)).passed
    assert not check_gradient(lambda v: v @ v, lambda v: -2 * v, np.array([0.0, 1e-3])).passed


@pytest.mark.parametrize("claimed", [0.0, 1.0])
def test_kink(claimed):
    """No number passes for the slope of max(x, 0) at 0, nor for that of |x| a hair beside it."""
    check = check_gradient(lambda x: np.maximum(x, 0), lambda x: np.full_like(x, claimed), 0.0)
    assert not check.passed
    assert check.numerical == 0.5
    assert not check_gradient(np.abs, np.sign, 1e-7).passed
    assert check_gradient(np.abs, np.sign, 1e-4).passed


@pytest.mark.parametrize("beyond", [math.nan, math.inf, -math.inf])
def test_point_beside_which_f_is_not_finite(beyond):
    """It fails, and names the coordinate, be the others right or wrong."""
    check = check_gradient(
        lambda v: float(v @ v) if v[1] <= 1 else beyond, lambda v: 3 * v, np.array([2.0, 1.0, 3.0])
    )
    assert not check.passed
    assert check.where == (1,)
    assert math.isnan(check.error)


@pytest.mark.parametrize("offset", [0.0, 1e3, -1e8, 1e12])
def test_offset_of_f_fails_no_right_gradient(offset):
    """The larger f, the more rounding hides: the floor grows with it, and no further."""

    def f(v):
        return float(v @ v) + offset

    x = np.array([1e-9, 3.0, -0.2])
    assert check_gradient(f, lambda v: 2 * v, x).passed
    seen = max(1e-5, abs(offset) * 1e-9)  # about eps |f| / h
    assert not check_gradient(f, lambda v: 2 * v + seen, x).passed


def test_both_gradients_zero():
    check = check_gradient(lambda v: 0.0, np.zeros_like, np.array([1.0, 2.0]))
    assert check.passed
    assert check.error == 0


def test_nothing_to_check():
    check = check_gradient(lambda v: 1.0, np.zeros_like, np.zeros((0, 2)))
    assert (check.passed, check.error, check.where) == (True, 0.0, ())


def test_float32_is_checked_more_loosely():
    x = np.array([1.0, -2.0, 0.3], dtype=np.float32)
    assert check_gradient(lambda v: v @ v, lambda v: 2 * v, x).passed
    assert not check_gradient(lambda v: v @ v, lambda v: np.float32(2.02) * v, x).passed
    fine, off = np.float64(x), np.float64(2.002)
    assert check_gradient(lambda v: v @ v, lambda v: np.float32(2.002) * v, x).passed
    assert not check_gradient(lambda v: v @ v, lambda v: off * v, fine).passed


def test_rtol_and_h_are_used():
    f, wrong = (lambda v: v @ v), (lambda v: 2.02 * v)
    x = np.array([1.0, -2.0])
    assert check_gradient(f, wrong, x, rtol=0.011).passed
    assert not check_gradient(f, wrong, x, rtol=0.009).passed
    # The central difference of x³ is off by h², so a large h fails what is right.
    assert not check_gradient(lambda v: v[0] ** 3, lambda v: 3 * v**2, x[:1], h=0.1).passed
    counted, calls = counting(f)
    check_gradient(counted, wrong, x, h=0.25)
    assert sorted(np.ptp([*calls, x], axis=0)) == [0.5, 0.5]


def test_largest_difference_that_passes():
    """The default as the docstring says, the floor, and a difference of exactly rtol."""
    x = np.array(1.0)
    for off, passed in ((1.48e-7, True), (1.5e-7, False)):
        assert check_gradient(lambda v: v, lambda v, off=off: v / v + off, x).passed is passed
    for share, passed in ((0.99, True), (1.01, False)):
        hidden = share * 10 * np.finfo(float).eps * 1e6 / 0.25  # 10 eps |f| / h
        check = check_gradient(lambda v: 1e6, lambda v, hidden=hidden: 0 * v + hidden, x, h=0.25)
        assert check.passed is passed
    assert check_gradient(lambda v: v, lambda v: 2 * v, x, h=0.25, rtol=0.5).passed


def test_f_and_grad_are_given_copies():
    x = np.array([1.0, -2.0])

    def grad(v):
        v *= 2
        return v

    assert check_gradient(vandal, grad, x).passed
    assert x.tolist() == [1.0, -2.0]


# ---------------------------------------------------------------- what is refused

ONES = np.ones(2)


def sum_of_squares(v):
    return float(np.sum(v * v))


BAD = [
    (
        lambda: numerical_gradient(sum_of_squares, np.array([1, 2], dtype=np.int64)),
        TypeError,
        "numerical_gradient: x must hold floats, got dtype int64; "
        "convert it with np.asarray(x, dtype=float).",
    ),
    (
        lambda: check_gradient(sum_of_squares, np.ones_like, [1 + 1j]),
        TypeError,
        "check_gradient: x must hold floats, got dtype complex128; "
        "convert it with np.asarray(x, dtype=float).",
    ),
    (
        lambda: numerical_gradient(sum_of_squares, ONES, method="backward"),
        ValueError,
        "numerical_gradient: method must be 'central' or 'forward', got 'backward'.",
    ),
    (
        lambda: numerical_gradient(sum_of_squares, ONES, 0.0),
        ValueError,
        "numerical_gradient: h must satisfy 0 < h < inf, got 0.0.",
    ),
    (
        lambda: check_gradient(sum_of_squares, np.ones_like, ONES, h=-1e-3),
        ValueError,
        "check_gradient: h must satisfy 0 < h < inf, got -0.001.",
    ),
    (
        lambda: check_gradient(sum_of_squares, np.ones_like, ONES, h="small"),
        TypeError,
        "check_gradient: h must be a number with 0 < h < inf, got 'small' of type str.",
    ),
    (
        lambda: check_gradient(sum_of_squares, np.ones_like, ONES, rtol=0),
        ValueError,
        "check_gradient: rtol must satisfy 0 < rtol < inf, got 0.0.",
    ),
    (
        lambda: check_gradient(sum_of_squares, np.ones_like, ONES, rtol=math.nan),
        ValueError,
        "check_gradient: rtol must satisfy 0 < rtol < inf, got nan.",
    ),
    (
        lambda: check_gradient(sum_of_squares, lambda v: v.reshape(2, 1), ONES),
        ValueError,
        "check_gradient: grad(x) must have the shape of x, (2,), got (2, 1).",
    ),
    (
        lambda: check_gradient(sum_of_squares, lambda v: 2.0, ONES),
        ValueError,
        "check_gradient: grad(x) must have the shape of x, (2,), got ().",
    ),
    (
        lambda: check_gradient(lambda v: math.nan, np.ones_like, ONES),
        ValueError,
        "check_gradient: f and grad must be finite at x, got f(x) = nan and grad(x) = [1. 1.]; "
        "choose another x.",
    ),
    (
        lambda: check_gradient(lambda v: 0.0, lambda v: np.array([1.0, np.inf]), ONES),
        ValueError,
        "check_gradient: f and grad must be finite at x, got f(x) = 0.0 and grad(x) = [ 1. inf]; "
        "choose another x.",
    ),
]


@pytest.mark.parametrize(("call", "error", "told"), BAD, ids=[told for *_, told in BAD])
def test_bad_input(call, error, told):
    with pytest.raises(error, match=f"^{re.escape(told)}$"):
        call()
