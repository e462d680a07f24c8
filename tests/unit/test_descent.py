"""The loops on a function: what they yield, record, stop at and refuse; published figures."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gdcourse as gd
from gdcourse import (
    AdaGrad,
    Adam,
    GradientDescent,
    Momentum,
    Objective,
    RMSProp,
    Trajectory,
    backtracking,
    descend,
    minimize,
    newton,
    quadratic,
)

CALM = settings(deadline=None, derandomize=True, database=None, max_examples=40)
RULE = GradientDescent(lr=0.1)
BOWL = gd.square()

# Runs of every loop, for what all of them share.
LOOPS = {
    "minimize": lambda objective, x0, **options: minimize(objective, x0, RULE, **options),
    "backtracking": backtracking,
    "newton": newton,
}
EVERY_LOOP = pytest.mark.parametrize("loop", LOOPS.values(), ids=LOOPS)
STARTS = [3.0, [1.0, -2.0, 0.5], [[1.0, 2.0], [3.0, 4.0]], [[[1.0]]], []]


def half_square(v):
    """Return half the sum of squares, of an array of any shape: its gradient is v."""
    return float(np.sum(np.square(v))) / 2


ROUND = Objective("half square", f=half_square, grad=lambda v: 1.0 * v)


def counting(function):
    """Return a function that also appends what it is called with to the list returned."""
    calls = []

    def counted(*arguments):
        calls.append(arguments[0])
        return function(*arguments)

    return counted, calls


# ---------------------------------------------------------------- descend


@pytest.mark.parametrize("x0", STARTS, ids=str)
def test_descend_yields_the_start_first_and_then_every_step(x0):
    xs = list(descend(lambda x: x, x0, RULE, steps=4))
    assert [np.shape(x) for x in xs] == [np.shape(x0)] * 5
    assert {np.asarray(x).dtype for x in xs} == {np.dtype(np.float64)}
    for t, x in enumerate(xs):
        np.testing.assert_allclose(x, 0.9**t * np.array(x0), rtol=1e-15)


def test_descend_asks_for_one_gradient_a_step_and_none_ahead():
    grad, calls = counting(lambda x: x)
    run = descend(grad, 1.0, RULE, steps=3)
    assert isinstance(run, Iterator)
    for taken, x in enumerate(run):
        assert len(calls) == taken
        assert x == pytest.approx(0.9**taken)
    assert calls == pytest.approx([1.0, 0.9, 0.81])


def test_descend_of_no_steps():
    grad, calls = counting(lambda x: x)
    assert list(descend(grad, 2, RULE, steps=0)) == [2.0]
    assert not calls


def test_descend_checks_before_the_first_iterate_is_asked_for():
    with pytest.raises(ValueError, match=r"^descend: steps must be at least 0"):
        descend(lambda x: x, 1.0, RULE, steps=-1)
    with pytest.raises(ValueError, match=r"^descend: x0 must be finite"):
        descend(lambda x: x, math.nan, RULE, steps=1)


@pytest.mark.parametrize(
    ("grad", "lr", "expected"),
    [
        (lambda x: x, 1e200, [8.0, -8e200]),  # the third one overflows
        (lambda x: math.nan if x < 3 else x, 0.5, [8.0, 4.0, 2.0]),
        (lambda x: math.inf, 1.0, [8.0]),
        (lambda x: 1.0, 0.0, [8.0] * 6),
    ],
)
def test_descend_ends_before_what_is_not_finite(grad, lr, expected):
    found = [float(x) for x in descend(grad, 8.0, GradientDescent(lr=lr), steps=5)]
    assert found == pytest.approx(expected)


def test_one_coordinate_that_is_not_finite_is_enough():
    run = descend(lambda x: np.array([1.0, np.nan]), [0.0, 0.0], RULE, steps=5)
    assert len(list(run)) == 1


@pytest.mark.parametrize("x0", [3, [3, 4], np.array([3, 4]), np.float32(3)], ids=repr)
def test_start_is_converted_and_left_alone(x0):
    """A start of whole numbers would otherwise cut every step."""
    before = np.array(x0, dtype=float)
    xs = list(descend(lambda x: x, x0, RULE, steps=2))
    assert xs[0].dtype == np.float64
    np.testing.assert_allclose(xs[2], 0.81 * before, rtol=1e-15)
    assert np.array_equal(x0, before)
    run = minimize(ROUND, x0, RULE, steps=2)
    assert np.array_equal(run.x, xs)


def test_iterates_do_not_share_memory_with_the_start():
    x0 = np.array([1.0, 2.0])
    first = next(descend(lambda x: x, x0, RULE, steps=1))
    assert not np.shares_memory(first, x0)


# ---------------------------------------------------------------- schedule and projection


def test_schedule_gives_the_rate_of_each_step():
    schedule, calls = counting(lambda t: (0.5, 0.25, 0.125)[t])
    xs = [float(x) for x in descend(lambda x: x, 64.0, RULE, steps=3, schedule=schedule)]
    assert xs == [64, 32, 24, 21]
    assert calls == [0, 1, 2]
    run = minimize(ROUND, 64.0, RULE, steps=3, schedule=schedule)
    assert run.x.tolist() == xs
    assert run.lr.tolist() == [0.5, 0.25, 0.125]


@pytest.mark.parametrize(
    "rule", [GradientDescent(lr=0.3), Momentum(lr=0.3), Adam(lr=0.3)], ids=repr
)
def test_schedule_of_one_rate_changes_no_bit(rule):
    objective = gd.rosenbrock()
    plain = minimize(objective, [-0.5, 0.5], rule, steps=30)
    fixed = minimize(objective, [-0.5, 0.5], rule, steps=30, schedule=gd.constant(0.3))
    assert np.array_equal(plain.x, fixed.x)
    assert np.array_equal(plain.lr, fixed.lr)
    assert plain.stop == fixed.stop


def test_schedule_scales_the_step_and_not_the_velocity():
    """The state passes from rate to rate as it is: v, then 0.9 v."""
    run = minimize(
        Objective("slope", f=lambda x: x, grad=lambda x: 1.0),
        0.0,
        Momentum(momentum=0.5),
        steps=3,
        schedule=lambda t: 1.0 if t == 0 else 0.0,
    )
    assert run.x.tolist() == [0, -1, -1.5, -1.75]


def test_projection_is_applied_to_x_and_the_state_is_left():
    """Held at the wall of -1 the velocity goes on growing, as the rule says: 1, 1.5, 1.75."""
    rule, seen = Momentum(lr=1.0, momentum=0.5), []

    def update(x, grad, state):
        seen.append((float(x), float(state.v)))
        return rule.update(x, grad, state)

    watched = SimpleNamespace(lr=1.0, init=rule.init, update=update)
    xs = descend(lambda x: 1.0, 0.0, watched, steps=3, project=lambda x: np.maximum(x, -1.0))
    assert [float(x) for x in xs] == [0, -1, -1, -1]
    assert seen == [(0, 0), (-1, -1), (-1, -1.5)]


def test_projection_of_minimize():
    """Onto the disk of radius 1: from (0.6, -0.8) the slope leads along the rim to (-1, 0)."""
    slope = Objective("slope", f=lambda v: v[0], grad=lambda v: np.array([1.0, 0.0]))

    def disk(v):
        return v / max(1, np.linalg.norm(v))

    run = minimize(slope, [0.6, -0.8], RULE, steps=200, project=disk)
    assert run.x[0].tolist() == [0.6, -0.8]
    assert np.linalg.norm(run.x, axis=1).max() <= 1 + 1e-15
    np.testing.assert_allclose(run.x[-1], [-1, 0], atol=1e-6)
    assert (np.diff(run.f) <= 0).all()


# ---------------------------------------------------------------- what a run records


@pytest.mark.parametrize("x0", STARTS, ids=str)
@pytest.mark.parametrize("steps", [0, 1, 5])
def test_trajectory(x0, steps):
    run = minimize(ROUND, x0, RULE, steps=steps)
    assert isinstance(run, Trajectory)
    assert run.x.shape == (steps + 1, *np.shape(x0))
    assert run.f.shape == run.grad_norm.shape == (steps + 1,)
    assert run.lr.tolist() == [0.1] * steps
    assert (run.steps, run.stop) == (steps, "steps")
    for x, f, norm in zip(run.x, run.f, run.grad_norm, strict=True):
        assert f == half_square(x)
        assert norm == pytest.approx(math.sqrt(2 * f), rel=1e-15)
    assert np.array_equal(run.x, list(descend(lambda x: x, x0, RULE, steps=steps)))


def test_both_loops_give_a_rule_its_state():
    """Of the shape and kind of x from the first step on."""
    kinds = []

    class Watched(Momentum):
        def update(self, x, grad, state):
            kinds.append((np.shape(state.v), np.asarray(state.v).dtype))
            return super().update(x, grad, state)

    start, rule = np.array([3.0, -1.0]), Watched(lr=0.1, momentum=0.5)
    run = minimize(ROUND, start, rule, steps=6)
    assert np.array_equal(run.x, list(descend(lambda x: x, start, rule, steps=6)))
    assert set(kinds) == {((2,), np.dtype(np.float64))}


def test_minimize_asks_once_an_iterate():
    f, at = counting(BOWL.f)
    grad, slopes = counting(BOWL.grad)
    run = minimize(Objective("counted", f, grad), 1.0, RULE, steps=7)
    assert at == slopes == run.x.tolist()


def test_ten_steps_are_five_and_five():
    objective = gd.himmelblau()
    rule = GradientDescent(lr=0.01)
    whole = minimize(objective, [0.5, 1.0], rule, steps=10)
    half = minimize(objective, [0.5, 1.0], rule, steps=5)
    rest = minimize(objective, half.x[-1], rule, steps=5)
    assert np.array_equal(whole.x, np.concatenate([half.x, rest.x[1:]]))
    assert np.array_equal(whole.f, np.concatenate([half.f, rest.f[1:]]))


@pytest.mark.parametrize(("tol", "steps"), [(8.0, 0), (7.99, 1), (1.0, 3), (0.5, 4), (0.0, 9)])
@EVERY_LOOP
def test_tolerance_stops_at_the_first_gradient_as_small(loop, tol, steps):
    """Halving from 8: 8, 4, 2, 1, 0.5, ...; equal is small enough. Others arrive at once."""
    if loop is LOOPS["minimize"]:
        run = minimize(quadratic(1.0), 8.0, GradientDescent(lr=0.5), steps=9, tol=tol)
        assert (run.steps, run.stop) == (steps, "steps" if tol == 0 else "tolerance")
    else:
        run = loop(quadratic(1.0), 8.0, steps=9, tol=tol)
        assert (run.steps, run.stop) == (min(steps, 1), "tolerance")
    assert (run.grad_norm[:-1] > tol).all()


@pytest.mark.parametrize("size", [1e-310, 1e-200, 1.0, 1e200])
def test_norm_where_the_squares_leave_the_floats(size):
    """No run diverges or arrives because the square of a slope does."""
    slope = size * np.array([3.0, 4.0])
    plane = Objective("plane", lambda x: slope @ x, lambda x: slope)
    run = minimize(plane, [0.0, 0.0], GradientDescent(lr=1e-200), steps=2, tol=0.0)
    assert run.stop == "steps"
    assert run.grad_norm == pytest.approx(5 * size, rel=1e-12)


def test_norm_is_that_of_all_coordinates():
    run = minimize(ROUND, [[3.0, 0.0], [0.0, 4.0]], RULE, steps=5, tol=5.0)
    assert run.grad_norm.tolist() == [5.0]


# ---------------------------------------------------------------- divergence

WALL = Objective("wall", f=lambda x: x if x > 1 else math.nan, grad=lambda x: 1.0)
CLIFF = Objective("cliff", f=lambda x: x, grad=lambda x: 1.0 if x > 1 else math.nan)
PIT = Objective("pit", f=lambda x: x if x > 1 else -math.inf, grad=lambda x: 1.0)


@pytest.mark.parametrize("objective", [WALL, CLIFF, PIT], ids=repr)
def test_run_ends_before_the_iterate_that_is_not_finite(objective):
    """From 3 in steps of 1: at 1 the value or the slope is gone, and 1 is left out."""
    run = minimize(objective, 3.0, GradientDescent(lr=1.0), steps=9)
    assert run.x.tolist() == [3, 2]
    assert run.lr.tolist() == [1]
    assert run.stop == "diverged"
    assert repr(run) == "Trajectory(1 steps, f 3 -> 2, stop: diverged at step 2)"


def test_overflow_is_divergence_and_warns_of_nothing():
    """The factor is -19, and (19^t)² leaves the range of floats after step 120."""
    run = minimize(BOWL, 1.0, GradientDescent(lr=10.0), steps=10_000)
    assert run.stop == "diverged"
    assert run.steps == math.floor(math.log(np.finfo(float).max) / 2 / math.log(19)) == 120
    assert np.isfinite(run.f).all()
    assert repr(run).endswith("stop: diverged at step 121)")
    iterates = list(descend(BOWL.grad, 1.0, GradientDescent(lr=10.0), steps=10_000))
    assert len(iterates) == 1 + math.floor(math.log(np.finfo(float).max) / math.log(19))


def test_trajectories_are_frozen_and_equal_to_themselves_alone():
    """Arrays in them are compared by whoever asks, entry by entry."""
    one, same = (minimize(BOWL, 1.0, RULE, steps=3) for _ in range(2))
    with pytest.raises(AttributeError):
        one.stop = "diverged"
    assert one == one
    assert one != same


def test_what_a_run_says():
    run = minimize(BOWL, 10.0, GradientDescent(lr=0.2), steps=10)
    assert repr(run) == "Trajectory(10 steps, f 100 -> 0.00365616, stop: steps)"
    run = minimize(BOWL, 10.0, GradientDescent(lr=0.5), steps=10, tol=0)
    assert repr(run) == "Trajectory(1 steps, f 100 -> 0, stop: tolerance)"


@pytest.mark.parametrize(
    ("objective", "x0", "told"),
    [
        (gd.log_barrier(), 0.0, "got f(0.0) = nan and a gradient of norm nan"),
        (WALL, 1.0, "got f(1.0) = nan and a gradient of norm 1.0"),
        (PIT, -2, "got f(-2.0) = -inf and a gradient of norm 1.0"),
        (CLIFF, 1.0, "got f(1.0) = 1.0 and a gradient of norm nan"),
    ],
    ids=str,
)
@pytest.mark.parametrize("name", ["minimize", "backtracking"])
def test_start_where_the_objective_is_not_finite(name, objective, x0, told):
    told = (
        f"{name}: the objective and its gradient must be finite at the start, {told}; "
        f"start elsewhere."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(told)}$"):
        LOOPS[name](objective, x0, steps=1)


# ---------------------------------------------------------------- published figures

RAVINE = quadratic([0.2, 4.0])  # 0.1 x1² + 2 x2²
WAVE = Objective(  # x cos(0.15 π x)
    "wave",
    f=lambda x: x * np.cos(0.15 * np.pi * x),
    grad=lambda x: np.cos(0.15 * np.pi * x) - 0.15 * np.pi * x * np.sin(0.15 * np.pi * x),
    hessian=lambda x: (
        -0.3 * np.pi * np.sin(0.15 * np.pi * x) - (0.15 * np.pi) ** 2 * x * np.cos(0.15 * np.pi * x)
    ),
)
COSH = Objective(
    "cosh",
    f=lambda x: np.cosh(x / 2),
    grad=lambda x: np.sinh(x / 2) / 2,
    hessian=lambda x: np.cosh(x / 2) / 4,
)
LAST_DIGIT = 5.1e-7


# A. Zhang, Z. Lipton, M. Li, A. Smola, Dive into Deep Learning, 2023, chapter 12: six decimals.
# Its AdaGrad and RMSProp have 1e-6 inside the root, which moves the last of them.
@pytest.mark.parametrize(
    ("objective", "x0", "rule", "steps", "expected", "within"),
    [
        (BOWL, 10.0, GradientDescent(lr=0.2), 10, 0.060466, LAST_DIGIT),
        (BOWL, 10.0, GradientDescent(lr=0.05), 10, 3.486784, LAST_DIGIT),
        (BOWL, 10.0, GradientDescent(lr=1.1), 10, 61.917364, LAST_DIGIT),
        (WAVE, 10.0, GradientDescent(lr=2.0), 10, -1.528166, LAST_DIGIT),
        (quadratic([2.0, 4.0]), [-5, -2], RULE, 20, (-0.057646, -0.000073), LAST_DIGIT),
        (RAVINE, [-5, -2], GradientDescent(lr=0.4), 20, (-0.943467, -0.000073), LAST_DIGIT),
        (RAVINE, [-5, -2], GradientDescent(lr=0.6), 20, (-0.387814, -1673.365109), LAST_DIGIT),
        (RAVINE, [-5, -2], Momentum(lr=0.6, momentum=0.5), 20, (0.007188, 0.002553), LAST_DIGIT),
        (RAVINE, [-5, -2], Momentum(lr=0.6, momentum=0.25), 20, (-0.12634, -0.186632), LAST_DIGIT),
        (RAVINE, [-5, -2], AdaGrad(lr=0.4, eps=0), 20, (-2.382563, -0.158591), 2e-6),
        (RAVINE, [-5, -2], AdaGrad(lr=2.0, eps=0), 20, (-0.002295, 0.0), 2e-6),
        (RAVINE, [-5, -2], RMSProp(lr=0.4, rho=0.9, eps=0), 20, (-0.010599, 0.0), 2e-6),
    ],
    ids=str,
)
def test_published_end_of_a_run(objective, x0, rule, steps, expected, within):
    run = minimize(objective, x0, rule, steps=steps)
    assert run.stop == "steps"
    np.testing.assert_allclose(run.x[-1], expected, rtol=0, atol=within)


@pytest.mark.parametrize(("objective", "expected"), [(COSH, 0.0), (WAVE, 26.8341)], ids=str)
def test_published_end_of_newtons_method(objective, expected):
    assert newton(objective, 10.0, steps=10).x[-1] == pytest.approx(expected, abs=5e-5)


# The closed forms behind some of them, to the last bit but a few.
@pytest.mark.parametrize("lr", [0.01, 0.05, 0.2, 0.5, 0.9, 1.0, 1.1])
def test_parabola_is_a_geometric_sequence(lr):
    run = minimize(BOWL, 10.0, GradientDescent(lr=lr), steps=40)
    expected = 10 * (1 - 2 * lr) ** np.arange(41)
    np.testing.assert_allclose(run.x, expected, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(run.f, expected**2, rtol=1e-12, atol=1e-28)
    np.testing.assert_allclose(run.grad_norm, 2 * np.abs(expected), rtol=1e-12, atol=1e-14)


# Stanford's CS231n, 2020, assignment 2: one step from given states, first rows, eight digits.
W = np.linspace(-0.4, 0.6, 20).reshape(4, 5)
DW = np.linspace(-0.6, 0.4, 20).reshape(4, 5)


def between(low, high):
    return np.linspace(low, high, 20).reshape(4, 5)


@pytest.mark.parametrize(
    ("rule", "letters", "expected"),
    [
        (
            Momentum(lr=1e-3, momentum=0.9),
            {"v": between(0.6, 0.9)},
            {
                "x": [0.1406, 0.20738947, 0.27417895, 0.34096842, 0.40775789],
                "v": [0.5406, 0.55475789, 0.56891579, 0.58307368, 0.59723158],
            },
        ),
        (
            RMSProp(lr=1e-2, rho=0.99),
            {"s": between(0.6, 0.9)},
            {"x": [-0.39223849, -0.34037513, -0.28849239, -0.23659121, -0.18467247]},
        ),
        (
            Adam(lr=1e-2),
            {"t": 5, "m": between(0.6, 0.9), "v": between(0.7, 0.5)},
            {"x": [-0.40094747, -0.34836187, -0.29577703, -0.24319299, -0.19060977]},
        ),
    ],
    ids=["Momentum", "RMSProp", "Adam"],
)
def test_published_single_steps(rule, letters, expected):
    x, state = rule.update(W, DW, rule.init(W)._replace(**letters))
    for letter, row in expected.items():
        found = x if letter == "x" else getattr(state, letter)
        np.testing.assert_allclose(found[0], row, rtol=0, atol=5.1e-9)


# ---------------------------------------------------------------- backtracking

HARD = [
    (gd.rosenbrock(), [-1.2, 1.0]),
    (gd.himmelblau(), [0.5, -1.5]),
    (gd.beale(), [1.0, 1.5]),
    (gd.quartic(), 30.0),
    (gd.exponential(), -3.0),
    (gd.double_well(), 0.3),
    (gd.log_barrier(), 0.01),
    (gd.absolute(), 0.3),
    (WAVE, 10.0),
]


@pytest.mark.parametrize(("factor", "c"), [(0.5, 1e-4), (0.5, 0.5), (0.1, 0.9), (0.8, 0.3)])
@pytest.mark.parametrize(("objective", "x0"), HARD, ids=str)
def test_armijos_condition_holds_at_every_step(objective, x0, factor, c):
    """And the rate is the first that meets it: one that is larger by the factor does not."""
    run = backtracking(objective, x0, steps=40, lr=2.0, factor=factor, c=c)
    assert run.steps == 40
    tried = [2.0]
    while tried[-1] > 1e-300:
        tried.append(tried[-1] * factor)
    for t, rate in enumerate(run.lr):
        x, slope = run.x[t], run.grad_norm[t] ** 2
        if rate == 0:
            assert np.array_equal(run.x[t + 1], x)
            continue
        assert np.array_equal(run.x[t + 1], x - rate * objective.grad(x))
        assert run.f[t + 1] <= run.f[t] - c * rate * slope * (1 - 1e-14)
        refused = tried[: tried.index(rate)]
        if refused:
            trial = objective.f(x - refused[-1] * objective.grad(x))
            assert not trial <= run.f[t] - c * refused[-1] * slope * (1 + 1e-14)


def test_backtracking_starts_each_step_from_lr():
    """On a parabola the condition is rate <= 2 (1 - c)/λ: every step finds the same rate."""
    run = backtracking(quadratic(8.0), 1.0, steps=5, lr=3.0, factor=0.5, c=0.25)
    assert run.lr.tolist() == [0.1875] * 5
    assert backtracking(quadratic(8.0), 1.0, steps=5, lr=0.1, c=0.25).lr.tolist() == [0.1] * 5


def test_backtracking_stays_in_the_domain():
    """The first steps tried from 3 lead beyond 0, where f is nan: all of them are refused."""
    objective = gd.log_barrier()
    f, at = counting(objective.f)
    run = backtracking(Objective("counted", f, objective.grad), 3.0, steps=60, lr=64.0)
    assert min(at) < 0
    assert (run.x > 0).all()
    assert run.x[-1] == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("factor", [0.3, 0.5, 0.6, 0.9])
@pytest.mark.parametrize("x0", [0.0, 1.0, -1e-300, 1e300])
def test_backtracking_gives_up_where_no_rate_is_accepted(x0, factor):
    """A gradient of the wrong sign: every step leads up, down to the shortest there are."""
    uphill = Objective("wrong sign", f=lambda x: x, grad=lambda x: -1.0)
    run = backtracking(uphill, x0, steps=2, factor=factor)
    assert run.lr.tolist() == [0, 0]
    assert run.x.tolist() == [x0] * 3
    assert run.stop == "steps"


def test_backtracking_rests_at_a_minimum():
    run = backtracking(BOWL, 0.0, steps=3)
    assert run.lr.tolist() == [0, 0, 0]
    assert run.x.tolist() == [0, 0, 0, 0]


def test_backtracking_that_falls_for_ever_diverges():
    run = backtracking(PIT, 3.0, steps=9)
    assert run.stop == "diverged"
    assert run.x.tolist() == [3, 2]


# ---------------------------------------------------------------- newton


@CALM
@given(st.integers(0, 10**6))
def test_newton_solves_a_quadratic_in_one_step(seed):
    """Be its stationary point a minimum or a saddle."""
    rng = np.random.default_rng(seed)
    A = rng.standard_normal((3, 3))
    A = A + A.T + np.diag([4.0, -4.0, 4.0])
    form = quadratic(A, b=rng.standard_normal(3))
    run = newton(form, rng.standard_normal(3), steps=1)
    np.testing.assert_allclose(run.grad_norm[1], 0, atol=1e-9)
    assert run.lr.tolist() == [1.0]


def test_newton_squares_the_error():
    """On x - log x the error is squared at every step, 1 - x <- (1 - x)², and run.x knows it."""
    run = newton(gd.log_barrier(), 0.5, steps=5)
    np.testing.assert_allclose(1 - run.x, 0.5 ** (2 ** np.arange(6)), rtol=1e-6, atol=1e-15)
    assert run.lr.tolist() == [1.0] * 5


def test_newton_seeks_maxima_too():
    run = newton(gd.double_well(), 0.2, steps=10)
    assert gd.double_well().hessian(run.x[-1]) < 0
    assert run.grad_norm[-1] < 1e-12


@pytest.mark.parametrize(
    ("objective", "x0"),
    [
        (gd.cubic(), 0.0),  # 0/0
        (Objective("slope", lambda x: x, lambda x: 1.0, lambda x: 0.0), 0.0),  # 1/0
        (quadratic([1.0, 0.0], b=1.0), [3.0, 4.0]),
        (gd.rosenbrock(), [0.0, 0.005]),  # where its determinant changes sign
    ],
    ids=str,
)
def test_newton_with_a_singular_hessian_diverges(objective, x0):
    run = newton(objective, x0, steps=3)
    assert (run.steps, run.stop) == (0, "diverged")
    assert repr(run).endswith("stop: diverged at step 1)")
    assert run.x.shape == (1, *np.shape(x0))


def test_newton_needs_a_hessian():
    told = (
        "newton: the objective must have a Hessian, got Objective('absolute value'), whose "
        "hessian is None; give it one or use minimize."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(told)}$"):
        newton(gd.absolute(), 1.0, steps=1)
    without = SimpleNamespace(f=BOWL.f, grad=BOWL.grad)
    with pytest.raises(ValueError, match=r"^newton: the objective must have a Hessian, got "):
        newton(without, 1.0, steps=1)


# ---------------------------------------------------------------- what is refused

OPTIONS = [
    ({"steps": -1}, ValueError, "steps must be at least 0, got -1."),
    (
        {"steps": 2.0},
        TypeError,
        "steps must be a whole number, at least 0, got 2.0 of type float.",
    ),
    (
        {"steps": True},
        TypeError,
        "steps must be a whole number, at least 0, got True of type bool.",
    ),
    ({"steps": 1, "tol": -1e-3}, ValueError, "tol must satisfy 0 <= tol < inf, got -0.001."),
    ({"steps": 1, "tol": math.nan}, ValueError, "tol must satisfy 0 <= tol < inf, got nan."),
    (
        {"steps": 1, "tol": "small"},
        TypeError,
        "tol must be a number with 0 <= tol < inf, got 'small' of type str.",
    ),
]
STARTING = [
    (math.nan, ValueError, "x0 must be finite, got nan."),
    ([1.0, math.inf], ValueError, "x0 must be finite, got [ 1. inf]."),
    ("3", TypeError, "x0 must be a number or an array of numbers, got '3'."),
    (None, TypeError, "x0 must be a number or an array of numbers, got None."),
    (1j, TypeError, "x0 must be a number or an array of numbers, got 1j."),
    (True, TypeError, "x0 must be a number or an array of numbers, got True."),
    ([[1.0], [1.0, 2.0]], TypeError, "x0 must be a number or an array of numbers, got [[1.0], "),
]


@pytest.mark.parametrize(("options", "error", "told"), OPTIONS, ids=str)
@pytest.mark.parametrize("name", LOOPS)
def test_bad_option(name, options, error, told):
    with pytest.raises(error, match=f"^{name}: {re.escape(told)}$"):
        LOOPS[name](BOWL, 1.0, **options)


@pytest.mark.parametrize(("x0", "error", "told"), STARTING, ids=str)
@pytest.mark.parametrize("name", [*LOOPS, "descend"])
def test_bad_start(name, x0, error, told):
    loops = LOOPS | {"descend": lambda f, x0, steps: descend(f.grad, x0, RULE, steps=steps)}
    with pytest.raises(error, match=f"^{name}: {re.escape(told)}"):
        loops[name](BOWL, x0, steps=1)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"lr": 0.0}, "lr must satisfy 0 < lr < inf, got 0.0."),
        ({"lr": math.inf}, "lr must satisfy 0 < lr < inf, got inf."),
        ({"factor": 0.0}, "factor must satisfy 0 < factor < 1, got 0.0."),
        ({"factor": 1.0}, "factor must satisfy 0 < factor < 1, got 1.0."),
        ({"c": 0}, "c must satisfy 0 < c < 1, got 0.0."),
        ({"c": math.nan}, "c must satisfy 0 < c < 1, got nan."),
    ],
    ids=str,
)
def test_bad_option_of_backtracking(options, told):
    with pytest.raises(ValueError, match=f"^backtracking: {re.escape(told)}$"):
        backtracking(BOWL, 1.0, steps=1, **options)


@pytest.mark.parametrize("x0", [[3.0], [1.0, 2.0]], ids=str)
@pytest.mark.parametrize("name", LOOPS)
def test_function_of_one_variable_started_at_an_array(name, x0):
    shape = np.shape(x0)
    told = (
        f"{name}: the objective must be a number at a point of shape {shape}, got shape {shape}; "
        f"a function of one variable starts at a number."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(told)}$"):
        LOOPS[name](BOWL, x0, steps=1)


def test_gradient_of_another_shape_is_the_rules_to_refuse():
    wrong = Objective("column", f=half_square, grad=lambda v: v.reshape(-1, 1))
    with pytest.raises(ValueError, match=r"^GradientDescent: grad must have the shape of x"):
        minimize(wrong, [1.0, 2.0], RULE, steps=1)


def test_bad_rate_of_a_schedule_is_the_rules_to_refuse():
    run = descend(lambda x: x, 1.0, RULE, steps=3, schedule=lambda t: 0.1 - t)
    with pytest.raises(ValueError, match=r"^GradientDescent: lr must satisfy 0 <= lr < inf"):
        list(run)


def test_state_is_the_rules():
    """A loop passes on what the rule returned, whatever that is."""
    states = []

    def update(x, grad, state):
        states.append(state)
        return x - grad, [*state, len(state)]

    rule = SimpleNamespace(lr=1.0, init=lambda x: [], update=update)
    assert len(list(descend(lambda x: x / 2, 1.0, rule, steps=3))) == 4
    assert states == [[], [0], [0, 1]]
