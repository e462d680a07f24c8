"""The objectives: derivatives, minimizers, stacks of points, and published values."""

from __future__ import annotations

import inspect
import math
import re
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gdcourse as gd
from gdcourse import Objective, numerical_gradient, quadratic

CALM = settings(deadline=None, derandomize=True, database=None, max_examples=40)
INFINITE = (-math.inf, math.inf)

# A symmetric matrix that is not diagonal, and is positive definite.
DENSE = np.array([[2.0, -1.0, 0.5], [-1.0, 3.0, 0.25], [0.5, 0.25, 1.0]])

# How each objective is made, with points away from its kinks. It is made inside the test: what
# is made when the tests are collected cannot be replaced by a changed version of it.
# Of one variable:
LINE = {
    gd.square: [-20.0, -1.3, 1e-3, 4.0],
    gd.quartic: [-3.0, 0.2, 1.7],
    gd.cubic: [-0.4, 2.0, 10.0],
    gd.double_well: [-1.7, 0.3, 2.0],
    partial(gd.double_well, -0.1): [-0.5, 0.9],
    gd.exponential: [-2.0, 0.5, 9.0],
    gd.log_barrier: [0.2, 1.4, 300.0],
    gd.absolute: [-5.0, 0.2],
    gd.huber: [-3.0, -0.4, 0.7, 20.0],
    partial(gd.huber, 2.5): [-3.0, 0.7, 2.4],
    gd.ripples: [-4.0, 0.3, 2.2],
    partial(quadratic, 3.0, b=1.0, c=-2.0): [-7.0, 0.4],
    partial(quadratic, -1.5): [0.4, 2.0],
}
# And of several.
SPACE = {
    gd.saddle: [[1.0, 2.0], [-3.0, 0.1]],
    partial(gd.nesterov_chain, 1): [[0.3]],
    partial(gd.nesterov_chain, 4): [[0.3, 0.2, 7.0, -1.0]],
    gd.rosenbrock: [[-1.2, 1.0], [0.3, -0.7], [2.0, 2.0]],
    gd.beale: [[1.0, 1.5], [-2.0, 0.3], [3.5, -0.4], [2.0, 0.0], [0.0, 2.0]],
    gd.himmelblau: [[0.5, -1.5], [4.0, 3.0], [-3.0, 1.0]],
    partial(quadratic, [1.0, 100.0], b=2.0): [[0.3, 0.2], [-4.0, 9.0]],
    partial(quadratic, [1.0, 100.0], b=[-3.0, 7.0], c=5.0): [[0.3, 0.2]],
    partial(quadratic, [4.0]): [[0.3]],
    partial(quadratic, DENSE, b=[1.0, 0.0, -4.0]): [[0.3, 0.2, 7.0]],
    partial(quadratic, -DENSE): [[0.3, 0.2, 7.0]],
}
ALL = [*LINE, *SPACE]
WITHOUT_MINIMIZER = [make for make in ALL if make().minimizer is None]


def name(make):
    """Return the name of a test's case."""
    return make().name


CASES = [
    pytest.param(make, np.array(x), id=f"{name(make)} at {x}")
    for make in ALL
    for x in (LINE | SPACE)[make]
]
EVERY_CASE = pytest.mark.parametrize(("make", "x"), CASES)
EVERY_OBJECTIVE = pytest.mark.parametrize("make", ALL, ids=name)


def stationary(tilt):
    """Return the points where the double well is level: roots of x³ - x + tilt, ascending."""
    return np.sort(np.roots([1, 0, -1, tilt]).real)


def test_the_table_holds_every_objective():
    public = {getattr(gd, name) for name in gd.__all__} - {Objective}
    makers = [make for make in public if make.__module__ == "gdcourse.objectives"]
    named = {quadratic: "quadratic", gd.nesterov_chain: "Nesterov's chain"}
    made = {named.get(make) or make().name for make in makers}
    assert {make().name for make in ALL} == made
    assert len(made) == len(makers)


def test_names():
    """They stand in messages and in the titles of tables."""
    assert [name(make) for make in ALL] == [
        *("square", "quartic", "cubic", "double well", "double well", "exponential"),
        *("log barrier", "absolute value", "Huber", "Huber", "ripples", "quadratic", "quadratic"),
        *("saddle", "Nesterov's chain", "Nesterov's chain", "Rosenbrock", "Beale", "Himmelblau"),
        *5 * ["quadratic"],
    ]


@EVERY_CASE
def test_gradient(make, x):
    objective = make()
    np.testing.assert_allclose(
        objective.grad(x), numerical_gradient(objective.f, x), rtol=1e-6, atol=1e-9
    )
    assert np.shape(objective.grad(x)) == x.shape


@pytest.mark.parametrize(
    ("make", "x"), [case for case in CASES if case.values[0] is not gd.absolute]
)
def test_hessian(make, x):
    """Row by row the gradient of the gradient, symmetric, of shape (d, d)."""
    objective = make()
    found = objective.hessian(x)
    assert np.shape(found) == 2 * x.shape
    if x.ndim == 0:
        expected = numerical_gradient(objective.grad, x)
    else:
        rows = [numerical_gradient(lambda v, i=i: objective.grad(v)[i], x) for i in range(x.size)]
        expected = np.array(rows)
        assert np.array_equal(found, found.T)
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-8)


@EVERY_CASE
def test_a_float_gives_floats(make, x):
    """At a plain float or a vector, f, and in one dimension grad and Hessian, are numbers."""
    objective = make()
    point = x[()]
    assert np.ndim(objective.f(point)) == 0
    assert isinstance(float(objective.f(point)), float)
    assert np.asarray(objective.grad(point)).dtype == np.float64
    if objective.hessian is not None:
        assert np.asarray(objective.hessian(point)).dtype == np.float64


@pytest.mark.parametrize("shape", [(), (3, 4), (7,)], ids=str)
@EVERY_OBJECTIVE
def test_stack_of_points(make, shape):
    """A grid is evaluated at once: the values point by point, in its shape."""
    objective = make()
    rng = np.random.default_rng(3)
    first = np.asarray((LINE | SPACE)[make][0])
    points = rng.uniform(0.5, 3, first.shape + shape)
    before = points.copy()
    values = objective.f(points)
    assert np.shape(values) == shape
    expected = [float(objective.f(points[(..., *i)])) for i in np.ndindex(shape)]
    np.testing.assert_allclose(np.ravel(values), expected, rtol=1e-13, atol=1e-13)
    assert np.array_equal(points, before)


@pytest.mark.parametrize(
    "make", [m for m in ALL if m not in (gd.log_barrier, gd.absolute)], ids=name
)
def test_hessian_at_zero_is_finite(make):
    zero = np.zeros(np.shape((LINE | SPACE)[make][0]))
    assert np.isfinite(make().hessian(zero)).all()


# ---------------------------------------------------------------- minimizers


def test_which_objectives_have_none():
    without = [name(make) for make in ALL if make().minimizer is None]
    assert without == ["cubic", "exponential", "quadratic", "saddle", "quadratic"]


@pytest.mark.parametrize("make", [m for m in ALL if m not in WITHOUT_MINIMIZER], ids=name)
def test_minimizer(make):
    """It is level there, and a thousand points near and far are all higher."""
    objective = make()
    best = np.asarray(objective.minimizer)
    assert best.shape == np.shape((LINE | SPACE)[make][0])
    np.testing.assert_allclose(objective.grad(best[()]), 0, atol=1e-12)
    rng = np.random.default_rng(4)
    directions = rng.standard_normal((1000, max(best.size, 1)))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    points = best + (directions * 10 ** rng.uniform(-5, 1, (1000, 1))).reshape(1000, *best.shape)
    low, high = objective.domain
    inside = points[np.all((low < points) & (points < high), axis=tuple(range(1, points.ndim)))]
    assert len(inside) > 500
    assert all(objective.f(x) > objective.f(best[()]) for x in inside)


@pytest.mark.parametrize(
    ("make", "down"),
    [
        (gd.cubic, lambda t: -t),
        (gd.exponential, lambda t: t),
        (gd.saddle, lambda t: np.array([0.0, t])),
        (partial(quadratic, -1.5), lambda t: t),
        (partial(quadratic, 0.0, b=1.0), lambda t: t),
        (partial(quadratic, [1.0, -1e-9]), lambda t: np.array([0.0, t])),
        (partial(quadratic, -DENSE), lambda t: np.array([t, 0.0, 0.0])),
    ],
    ids=range(7),
)
def test_no_minimizer_where_f_falls_for_ever(make, down):
    objective = make()
    assert objective.minimizer is None
    values = [objective.f(down(t)) for t in (1.0, 10.0, 100.0, 500.0)]
    assert (np.diff(values) < 0).all()


@CALM
@given(
    st.floats(1e-6, 2 / (3 * math.sqrt(3)) - 1e-6),
    st.sampled_from([-1, 1]),
)
def test_double_well_has_two_valleys_and_names_the_deeper(size, sign):
    tilt = sign * size
    well = gd.double_well(tilt)
    left, top, right = stationary(tilt)
    assert well.hessian(left) > 0 > well.hessian(top)
    assert well.hessian(right) > 0
    deeper = left if tilt > 0 else right
    assert well.f(deeper) == min(well.f(left), well.f(right))
    assert well.minimizer == pytest.approx(deeper, abs=1e-6)


@pytest.mark.parametrize("tilt", [0, 0.0, 2 / (3 * math.sqrt(3)), -0.3850, 1.0, math.nan, math.inf])
def test_double_well_refuses_a_tilt_that_leaves_one_valley(tilt):
    told = f"double_well: tilt must satisfy 0 < |tilt| < 0.3849, got {tilt!r}."
    with pytest.raises(ValueError, match=f"^{re.escape(told)}$"):
        gd.double_well(tilt)


@pytest.mark.parametrize("sign", [-1, 1])
def test_double_well_at_the_last_tilt_that_it_takes(sign):
    """There the other valley is a level point at a third of the way, 1/√3."""
    well = gd.double_well(sign * math.nextafter(2 / (3 * math.sqrt(3)), 0))
    assert well.minimizer == pytest.approx(-sign * 2 / math.sqrt(3), rel=1e-12)
    assert well.grad(sign / math.sqrt(3)) == pytest.approx(0, abs=1e-15)


# ---------------------------------------------------------------- domains


def test_log_barrier_is_nan_outside_its_domain():
    barrier = gd.log_barrier()
    assert barrier.domain == (0, math.inf)
    for outside in (0.0, -0.0, -1e-300, -5.0, math.nan):
        assert math.isnan(barrier.f(outside))
        assert math.isnan(barrier.grad(outside))
        assert math.isnan(barrier.hessian(outside))
    mixed = barrier.f(np.array([-1.0, 1.0, 0.0, math.e]))
    assert np.isnan(mixed).tolist() == [True, False, True, False]
    assert mixed[[1, 3]].tolist() == [1.0, math.e - 1]


@pytest.mark.parametrize("make", [m for m in ALL if m is not gd.log_barrier], ids=name)
def test_all_others_are_defined_everywhere(make):
    objective = make()
    assert objective.domain == INFINITE
    shape = np.shape((LINE | SPACE)[make][0])
    for value in (-30.0, -1.0, 0.0, 1.0, 30.0):
        point = np.full(shape, value)[()]
        assert np.isfinite(objective.f(point))
        assert np.isfinite(objective.grad(point)).all()


# ---------------------------------------------------------------- published values

HIMMELBLAU = [(3.0, 2.0), (-2.805118, 3.131312), (-3.779310, -3.283186), (3.584428, -1.848126)]


@pytest.mark.parametrize(
    ("make", "x", "value", "digits"),
    [
        # H. Rosenbrock, 1960: his start.
        (gd.rosenbrock, (-1.2, 1.0), 24.2, 1e-13),
        (gd.rosenbrock, (1.0, 1.0), 0.0, 0.0),
        (gd.rosenbrock, (0.0, 0.0), 1.0, 0.0),
        # J. Moré, B. Garbow, K. Hillstrom, Testing unconstrained optimization software, 1981:
        # the start (1, 1), where the residuals are the constants themselves, and the minimum.
        (gd.beale, (1.0, 1.0), 1.5**2 + 2.25**2 + 2.625**2, 1e-15),
        (gd.beale, (3.0, 0.5), 0.0, 0.0),
        # D. Himmelblau, 1972: the maximum in the middle, and the four valleys to six decimals.
        (gd.himmelblau, (-0.270845, -0.923039), 181.617, 5e-4),
        *[(gd.himmelblau, x, 0.0, 1e-9) for x in HIMMELBLAU],
    ],
)
def test_published_value(make, x, value, digits):
    assert make().f(np.array(x)) == pytest.approx(value, abs=digits)


@pytest.mark.parametrize("x", HIMMELBLAU, ids=str)
def test_himmelblaus_valleys_are_minima(x):
    objective, x = gd.himmelblau(), np.array(x)
    assert np.linalg.eigvalsh(objective.hessian(x))[0] > 0
    # One of Newton's steps moves by less than the last published digit.
    assert np.abs(np.linalg.solve(objective.hessian(x), objective.grad(x))).max() < 6e-7


def test_rosenbrocks_hessian_is_the_published_one():
    """At the minimum: determinant 400, condition number about 2508."""
    hessian = gd.rosenbrock().hessian(np.ones(2))
    assert hessian.tolist() == [[802.0, -400.0], [-400.0, 200.0]]
    assert np.linalg.det(hessian) == pytest.approx(400)
    assert np.linalg.cond(hessian) == pytest.approx(2508, abs=1)


@pytest.mark.parametrize(
    ("make", "x", "f", "grad", "hessian"),
    [
        (gd.square, 3.0, 9, 6, 2),
        (gd.quartic, 2.0, 4, 8, 12),
        (gd.cubic, -2.0, -8, 12, -12),
        (partial(gd.double_well, 0.25), 1.0, 0.25, 0.25, 2),
        (gd.exponential, 0.0, 1, -1, 1),
        (gd.log_barrier, 0.5, 0.5 + math.log(2), -1, 4),
        (partial(quadratic, 3.0), 2.0, 6, 6, 3),
        (partial(quadratic, 3.0, b=2.0, c=1.0), 2.0, 3, 4, 3),
        (partial(quadratic, [2.0, 4.0]), np.array([1.0, 3.0]), 19, [2, 12], [[2, 0], [0, 4]]),
        (gd.saddle, np.array([3.0, 1.0]), 4, [3, -1], [[1, 0], [0, -1]]),
        (partial(gd.huber, 2.0), 3.0, 4, 2, 0),
        (gd.ripples, np.pi / 2, np.pi**2 / 4 + 3, np.pi, -4),
        # (1 + 0 + 4 + 9)/8 - 1/4, and a quarter of (2 - 1, -1 + 2 - 3, -1 + 6) less (1, 0, 0).
        (
            partial(gd.nesterov_chain, 3),
            np.array([1.0, 1.0, 3.0]),
            1.5,
            [0, -0.5, 1.25],
            np.array([[2, -1, 0], [-1, 2, -1], [0, -1, 2]]) / 4,
        ),
    ],
)
def test_values_worked_out_by_hand(make, x, f, grad, hessian):
    objective = make()
    assert objective.f(x) == pytest.approx(f, rel=1e-15)
    np.testing.assert_allclose(objective.grad(x), grad, rtol=1e-15)
    np.testing.assert_allclose(objective.hessian(x), hessian, rtol=1e-15)


@pytest.mark.parametrize("delta", [0.25, 1.0, 3.0])
def test_huber_is_a_parabola_and_then_its_tangents(delta):
    robust, inside = gd.huber(delta), np.linspace(-delta, delta, 9)
    np.testing.assert_allclose(robust.f(inside), inside**2 / 2, rtol=1e-15)
    assert np.array_equal(robust.grad(inside), inside)
    assert (robust.hessian(inside) == 1).all()
    for x in (delta * 1.001, 7 * delta):
        tangent = delta**2 / 2 + delta * (x - delta)
        assert robust.f(x) == robust.f(-x) == pytest.approx(tangent, rel=1e-14)
        assert robust.grad(x) == -robust.grad(-x) == delta
        assert robust.hessian(x) == 0


@pytest.mark.parametrize("delta", [0, -1.0, math.nan, math.inf])
def test_huber_refuses_a_delta_that_bounds_nothing(delta):
    told = f"huber: delta must satisfy 0 < delta < inf, got {float(delta)!r}."
    with pytest.raises(ValueError, match=f"^{re.escape(told)}$"):
        gd.huber(delta)


def test_ripples_is_level_at_its_minimum_alone_and_bends_both_ways():
    bumpy, x = gd.ripples(), np.linspace(1e-3, 40, 400_001)
    assert (bumpy.grad(x) > 0).all()
    assert (bumpy.grad(-x) < 0).all()
    assert bumpy.hessian(x).min() == pytest.approx(-4, abs=1e-6)
    assert bumpy.hessian(x).max() == pytest.approx(8, abs=1e-5)


def test_chain_moves_one_link_a_step():
    n = 6
    run = gd.minimize(gd.nesterov_chain(n), np.zeros(n), gd.GradientDescent(lr=1.0), steps=n).x
    assert [int(np.count_nonzero(x)) for x in run] == list(range(n + 1))
    # Its eigenvalues are (1 - cos(π i/(n+1)))/2, all below 1.
    values = np.linalg.eigvalsh(gd.nesterov_chain(n).hessian(run[0]))
    expected = (1 - np.cos(np.pi * np.arange(1, n + 1) / (n + 1))) / 2
    np.testing.assert_allclose(values, expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("n", "error", "told"),
    [
        (0, ValueError, "nesterov_chain: n must be at least 1, got 0."),
        (2.0, TypeError, "nesterov_chain: n must be a whole number, at least 1, got 2.0 of type "),
    ],
)
def test_chain_of_no_links_is_refused(n, error, told):
    with pytest.raises(error, match=f"^{re.escape(told)}"):
        gd.nesterov_chain(n)


def test_absolute():
    size = gd.absolute()
    assert [size.f(x) for x in (-2.0, 0.0, 3.0)] == [2, 0, 3]
    assert [size.grad(x) for x in (-2.0, 0.0, 3.0)] == [-1, 0, 1]


# ---------------------------------------------------------------- quadratics


def test_quadratic_in_its_three_forms():
    """A number, the curvatures along the axes, and the whole matrix."""
    x, b = np.array([0.5, -2.0]), np.array([1.0, 8.0])
    diagonal, matrix = quadratic([1.0, 4.0], b, 3.0), quadratic(np.diag([1.0, 4.0]), b, 3.0)
    lines = [quadratic(1.0, 1.0), quadratic(4.0, 8.0)]
    expected = sum(line.f(v) for line, v in zip(lines, x, strict=True)) + 3
    for form in (diagonal, matrix):
        assert form.f(x) == expected == 26.625
        assert form.grad(x).tolist() == [line.grad(v) for line, v in zip(lines, x, strict=True)]
        assert form.minimizer.tolist() == [line.minimizer for line in lines] == [1, 2]
        assert form.hessian(x).tolist() == [[1, 0], [0, 4]]


@pytest.mark.parametrize("A", [0.0, [0.0, 0.0], np.zeros((3, 3))], ids=np.shape)
def test_level_quadratic_has_no_minimizer(A):
    assert quadratic(A).minimizer is None


def test_quadratic_of_whole_numbers_computes_with_floats():
    form = quadratic([[2, 1], [1, 3]], b=[1, 0], c=2)
    assert form.hessian(np.zeros(2)).dtype == np.float64
    assert form.grad(np.array([1, 1])).tolist() == [2.0, 4.0]


def test_quadratic_with_one_number_for_all_of_b():
    form = quadratic(DENSE, b=2.0)
    np.testing.assert_allclose(DENSE @ form.minimizer, [2, 2, 2], rtol=1e-14)
    assert form.grad(np.zeros(3)).tolist() == [-2, -2, -2]


@CALM
@given(st.integers(0, 10**6), st.integers(2, 6))
def test_singular_quadratic_has_no_minimizer(seed, d):
    """However rounding leaves the eigenvalue that is 0."""
    factor = np.random.default_rng(seed).integers(-3, 4, (d, d - 1)).astype(float)
    assert quadratic(factor @ factor.T, b=1.0).minimizer is None


@pytest.mark.parametrize("condition", [1e3, 1e10])
def test_ill_conditioned_quadratic_has_a_minimizer(condition):
    form = quadratic([1 / condition, 1.0], b=[1.0, 1.0])
    assert form.minimizer == pytest.approx([condition, 1.0])


def test_quadratic_keeps_its_own_copies():
    A, b = DENSE.copy(), np.ones(3)
    form, x = quadratic(A, b), np.ones(3)
    value = form.f(x)
    A[:], b[:] = 7, 7
    form.hessian(x)[:] = 7
    assert form.f(x) == value
    assert np.array_equal(form.hessian(x), DENSE)


BAD = [
    (
        (np.ones((2, 3)),),
        "quadratic: A must be a number, an array of shape (d,) or a symmetric array of shape "
        "(d, d), got shape (2, 3).",
    ),
    (
        (np.ones((2, 2, 2)),),
        "quadratic: A must be a number, an array of shape (d,) or a symmetric array of shape "
        "(d, d), got shape (2, 2, 2).",
    ),
    (
        ([],),
        "quadratic: A must be a number, an array of shape (d,) or a symmetric array of shape "
        "(d, d), got shape (0, 0).",
    ),
    (
        ([[1.0, 2.0], [0.0, 1.0]],),
        "quadratic: A must be finite and symmetric; use (A + A.T) / 2.",
    ),
    ((math.nan,), "quadratic: A must be finite and symmetric; use (A + A.T) / 2."),
    (([1.0, math.inf],), "quadratic: A must be finite and symmetric; use (A + A.T) / 2."),
    ((1.0, [1.0]), "quadratic: b must be a number or have shape (), got (1,)."),
    (
        ([1.0, 2.0], [1.0, 2.0, 3.0]),
        "quadratic: b must be a number or have shape (2,), got (3,).",
    ),
    ((1.0, math.nan), "quadratic: b and c must be finite, got b = nan and c = 0.0."),
    ((1.0, 0.0, math.inf), "quadratic: b and c must be finite, got b = 0.0 and c = inf."),
]


@pytest.mark.parametrize(("arguments", "told"), BAD, ids=[told for _, told in BAD])
def test_bad_quadratic(arguments, told):
    with pytest.raises(ValueError, match=f"^{re.escape(told)}$"):
        quadratic(*arguments)


# ---------------------------------------------------------------- objectives of one's own


def test_an_objective_needs_a_name_a_function_and_its_gradient():
    bowl = Objective("bowl", f=lambda x: x**2, grad=lambda x: 2 * x)
    assert (bowl.hessian, bowl.minimizer, bowl.domain) == (None, None, INFINITE)
    assert repr(bowl) == "Objective('bowl')"
    names = list(inspect.signature(Objective).parameters)
    assert names == ["name", "f", "grad", "hessian", "minimizer", "domain"]


def test_objectives_are_frozen_and_hashable():
    bowl = gd.square()
    with pytest.raises(AttributeError):
        bowl.name = "other"
    assert len({bowl, bowl, gd.square()}) == 2


@pytest.mark.parametrize("name", ["f", "grad"])
@pytest.mark.parametrize("value", [None, 3.0, "x**2"], ids=repr)
def test_what_is_no_function_is_refused(name, value):
    arguments = {"f": abs, "grad": abs} | {name: value}
    told = f"Objective: {name} must be a function of x, got {value!r}."
    with pytest.raises(TypeError, match=f"^{re.escape(told)}$"):
        Objective("bad", **arguments)


@pytest.mark.parametrize("domain", [(1.0, 1.0), (2.0, 1.0), (math.nan, 1.0), (0.0, math.nan)])
def test_empty_domain_is_refused(domain):
    told = f"Objective: domain must be (low, high) with low < high, got {domain}."
    with pytest.raises(ValueError, match=f"^{re.escape(told)}$"):
        Objective("bad", f=abs, grad=abs, domain=domain)
