"""The claims of the chapter on one dimension."""

from __future__ import annotations

import math
from collections.abc import Callable

import mpmath
import numpy as np
import pytest

import gdcourse as gd

Function = Callable[[float], float]

# Functions, their derivatives, and the smallest L that serves everywhere: of both curvatures,
# with and without a minimum, bounded below and not, with a kink in the derivative, with L = 1
# and not.
LIPSCHITZ: dict[str, tuple[Function, Function, float]] = {
    "parabola": (lambda x: x * x / 2, lambda x: x, 1.0),
    "flat parabola": (lambda x: x * x / 8, lambda x: x / 4, 0.25),
    "hill": (lambda x: -x * x / 2, lambda x: -x, 1.0),
    "sine": (math.sin, math.cos, 1.0),
    "fast sine": (lambda x: math.sin(3 * x), lambda x: 3 * math.cos(3 * x), 9.0),
    "log cosh": (lambda x: math.log(math.cosh(x)), math.tanh, 1.0),
    "Huber": (
        lambda x: x * x / 2 if abs(x) <= 1 else abs(x) - 0.5,
        lambda x: max(-1.0, min(1.0, x)),
        1.0,
    ),
    "softplus": (lambda x: math.log1p(math.exp(x)), lambda x: 1 / (1 + math.exp(-x)), 0.25),
}
# A lower bound of those that have one, the highest.
LOWEST = {"parabola": 0, "flat parabola": 0, "sine": -1, "fast sine": -1}
LOWEST |= {"log cosh": 0, "Huber": 0, "softplus": 0}
# No L serves for these two. 1 does near the minimum of the first, and off that of the second
# (from 1/4 on): far out and at 0 their curvature has no bound. (Products go to inf, powers raise.)
QUARTIC = (lambda x: x**4 / 4, lambda x: x * x * x, 1.0)
ROOT = (lambda x: abs(x) ** 1.5 / 1.5, lambda x: math.copysign(math.sqrt(abs(x)), x), 1.0)
EVERYWHERE = np.linspace(-4, 4, 41)


def descend(grad: Callable[[float], float], x0: float, lr: float, steps: int) -> list[float]:
    """Return the iterates of gradient descent as floats."""
    rule = gd.GradientDescent(lr=lr)
    return [float(x) for x in gd.descend(grad, x0, rule, steps=steps)]


@pytest.mark.claim(
    "claim-parabola",
    kind="exact",
    holds={"factor": "1 - lr*L", "edge": 2.0},
    false=[{"factor": "1 - lr*L/2"}, {"factor": "exp(-lr*L)"}, {"edge": 1.0}, {"edge": 2.1}],
)
def test_parabola(factor: str, edge: float) -> None:
    """The powers of the factor, and convergence on one side of the edge only."""
    factors = {
        "1 - lr*L": lambda p: 1 - p,
        "1 - lr*L/2": lambda p: 1 - p / 2,
        "exp(-lr*L)": lambda p: math.exp(-p),
    }
    for curvature in (0.3, 1.0, 7.0):
        for product in (0.01, 0.5, 1.3, 1.99, 2.01, 3.0):
            run = descend(lambda x, L=curvature: L * x, -3.0, product / curvature, 30)  # type: ignore[misc]
            expected = -3.0 * factors[factor](product) ** np.arange(31)
            assert np.allclose(run, expected, rtol=1e-12, atol=1e-12 * np.max(np.abs(expected)))
        below = descend(lambda x, L=curvature: L * x, -3.0, (edge - 1e-3) / curvature, 20_000)  # type: ignore[misc]
        above = descend(lambda x, L=curvature: L * x, -3.0, (edge + 1e-3) / curvature, 20_000)  # type: ignore[misc]
        assert abs(below[-1]) < 1e-6
        assert abs(above[-1]) > 1e6


@pytest.mark.claim(
    "claim-period-two",
    kind="exact",
    holds={"product": 2.0},
    false=[{"product": 1.0}, {"product": 1.99}, {"product": 2.01}],
)
def test_period_two(product: float) -> None:
    """Back and forth between the same two points, exactly, for curvatures with exact products."""
    for curvature in (0.25, 1.0, 8.0):
        run = descend(lambda x, L=curvature: L * x, 3.0, product / curvature, 1000)  # type: ignore[misc]
        assert set(run[::2]) == {3.0}
        assert set(run[1::2]) == {-3.0}


@pytest.mark.claim(
    "claim-descent-lemma",
    kind="instances",
    holds={"divisor": 2.0, "power": 1.0, "lipschitz": True},
    false=[
        {"divisor": 2.1},
        {"divisor": 4.0},
        {"power": 0.0},
        {"power": 2.0},
        {"lipschitz": False},
    ],
)
def test_descent_lemma(divisor: float, power: float, lipschitz: bool) -> None:
    """The promised decrease, at every point and rate of a grid."""
    for f, derivative, L in LIPSCHITZ.values() if lipschitz else [QUARTIC]:
        for x in map(float, EVERYWHERE):
            for product in (0.0, 0.1, 0.5, 1.0, 1.5, 2.0, 2.5):
                lr, slope = product / L, derivative(x)
                promised = f(x) - lr * (1 - lr * L**power / divisor) * slope**2
                assert f(x - lr * slope) <= promised + 1e-12


@pytest.mark.claim(
    "claim-slopes-vanish",
    kind="instances",
    holds={"divisor": 2.0, "edge": 2.0, "power": 2, "functions": "as stated"},
    false=[
        {"divisor": 2.1},
        {"divisor": 4.0},
        {"edge": 2.1},
        {"power": 1},
        {"power": 3},
        {"functions": "line"},
        {"functions": "hill"},
        {"functions": "quartic"},
        {"functions": "root"},
    ],
)
def test_slopes_vanish(divisor: float, edge: float, power: int, functions: str) -> None:
    """The sum of the squared slopes, which on parabolas is the bound, and the last slopes."""
    cases = {
        "as stated": [(*LIPSCHITZ[name], m) for name, m in LOWEST.items()],
        # Not bounded below: -5 is below the starts.
        "line": [(lambda x: x, lambda x: 1.0, 1.0, -5.0)],
        "hill": [(*LIPSCHITZ["hill"], -5.0)],
        # Bounded below, the derivative not Lipschitz.
        "quartic": [(*QUARTIC, 0.0)],
        "root": [(*ROOT, 0.0)],
    }
    for f, derivative, L, m in cases[functions]:
        for x0 in (-2.3, 0.7, 3.1):
            for share in (0.05, 0.5, 0.9, 0.995):
                lr = share * edge / L
                slopes = [abs(derivative(x)) for x in descend(derivative, x0, lr, 1000)]
                # Slowest of all is the softplus, whose slope falls like 1/(lr t).
                assert max(slopes[-100:]) < 1e-2
                bound = (f(x0) - m) / (lr * (1 - lr * L / divisor))
                assert sum(slope**power for slope in slopes) <= bound * (1 + 1e-9)


@pytest.mark.claim(
    "claim-no-crossing",
    kind="instances",
    holds={"largest": 1.0, "power": 1.0, "nearest": True, "lipschitz": "on the way"},
    false=[
        {"largest": 1.1},
        {"largest": 2.0},
        {"power": 0.0},
        {"power": 0.5},
        {"nearest": False},
        {"lipschitz": "near the level point"},
        {"lipschitz": "near the start"},
    ],
)
def test_straight_to_the_nearest_level_point(
    largest: float, power: float, nearest: bool, lipschitz: str
) -> None:
    """From many starts downhill to the level point, without passing it, or without bound."""
    well = gd.double_well()
    hilltop = float(gd.newton(well, 0.3, steps=30).x[-1])
    right = float(gd.newton(well, 1.0, steps=30).x[-1])
    # derivative, L on the way, the level points, starts whose way down has this L
    cases: list[tuple[Function, float, list[float], list[float]]] = [
        (lambda x: x, 1.0, [0.0], [-3.0, 0.5, 4.0]),
        (lambda x: x / 4, 0.25, [0.0], [-3.0, 0.5, 4.0]),
        (lambda x: -math.cos(x), 1.0, [-1.5 * math.pi, 0.5 * math.pi], [-1.0, 0.2, 2.0, 4.5]),
        (lambda x: 3 * math.cos(3 * x), 9.0, [-math.pi / 2, -math.pi / 6, math.pi / 2], [0.0, 0.4]),
        (lambda x: 2 * math.tanh(x), 2.0, [0.0], [-2.0, 5.0]),
        (well.grad, 3 * 1.7**2 - 1, [well.minimizer, hilltop, right], [-1.7, 0.1, 0.4, 1.7]),
        # Left of 0 no L serves, but no run gets there.
        (lambda x: x if x >= 0 else -math.sqrt(-x), 1.0, [0.0], [0.5, 4.0]),
        (lambda x: 1 + math.exp(x), math.exp(2), [], [2.0]),
        (lambda x: -math.exp(-x), math.exp(1), [], [-1.0]),
    ]
    if lipschitz == "near the level point":  # the smallest L on the way is 12
        cases = [(*QUARTIC[1:], [0.0], [2.0])]
    elif lipschitz == "near the start":  # none serves on the whole way
        cases = [(*ROOT[1:], [0.0], [1.0])]
    for derivative, L, level, starts in cases:
        for lr in (0.3 * largest / L**power, largest / L**power):
            for x0 in starts:
                run = np.array(descend(derivative, x0, lr, 2_000))
                downhill = -np.sign(derivative(x0))
                ahead = [s for s in level if (s - x0) * downhill > 0]
                assert np.all(np.diff(run) * downhill >= -1e-12)
                if not ahead:
                    assert abs(run[-1] - x0) > 5
                    continue
                end = min(ahead, key=lambda s: abs(s - x0)) if nearest else ahead[0]
                assert np.all((end - run) * downhill >= -1e-12)
                assert run[-1] == pytest.approx(end, abs=1e-3)


@pytest.mark.claim(
    "claim-quotient-error",
    kind="instances",
    holds={"forward": 2, "central": 6, "power": 2, "bounded": "between"},
    false=[{"forward": 3}, {"central": 7}, {"central": 12}, {"power": 3}, {"bounded": "at x"}],
)
def test_quotient_error(forward: int, central: int, power: int, bounded: str) -> None:
    """Both bounds in 60 digits, so that rounding plays no part, where they are nearly reached."""
    functions: list[Callable[[mpmath.mpf], mpmath.mpf]] = [
        lambda x: x**2,
        lambda x: x**3,
        mpmath.exp,
        lambda x: mpmath.sin(3 * x),
    ]
    with mpmath.workdps(60):
        for f in functions:
            for x in (mpmath.mpf(1), mpmath.mpf("-0.3")):
                for h in (mpmath.mpf("0.1"), mpmath.mpf("1e-3"), mpmath.mpf("1e-6")):
                    wide = h if bounded == "between" else 0 * h
                    grid = [x + wide * mpmath.mpf(k) / 50 for k in range(-50, 51)]
                    M2 = max(abs(mpmath.diff(f, g, 2)) for g in grid[50:])
                    M3 = max(abs(mpmath.diff(f, g, 3)) for g in grid)
                    slope = mpmath.diff(f, x)
                    slack = mpmath.mpf(10) ** -20  # of the numerical derivatives above
                    error = abs(gd.difference_quotient(f, x, h) - slope)
                    assert error <= h * M2 / forward + slack
                    error = abs(gd.central_difference(f, x, h) - slope)
                    assert error <= h**power * M3 / central + slack


@pytest.mark.claim(
    "claim-rounding",
    kind="instances",
    holds={"roundings": 2, "best": 2.0, "exact": True},
    false=[{"roundings": 1}, {"best": 1.0}, {"best": 4.0}, {"exact": False}],
)
def test_rounding(roundings: int, best: float, exact: bool) -> None:
    """The worst signs of the two errors reach the bound; no other h makes it smaller."""
    delta, M2, x = 1e-10, 6.0, 0.0

    def bound(h: float) -> float:
        return h / 2 * M2 + roundings * delta / h

    for h in np.logspace(-9, -1, 60):
        # On M2 x^2/2 the quotient's own error is h M2/2: add the errors of the two values.
        for at_x, at_h in ((delta, delta), (delta, -delta), (-delta, delta), (-delta, -delta)):
            values = {x: M2 * x**2 / 2 + at_x, x + float(h): M2 * float(h) ** 2 / 2 + at_h}
            error = abs(gd.difference_quotient(values.__getitem__, x, float(h)))
            assert error <= bound(float(h)) * (1 + 1e-6)
    # On f(x) = x no value is off, and far out x + h is, unless h is a power of 2.
    far = 1e8
    for k in range(1, 25):
        h = 2.0**-k if exact else 10 ** (-k / 4)
        assert abs(gd.difference_quotient(lambda x: x, far, h) - 1) <= bound(h)
    smallest = bound(best * math.sqrt(delta / M2))
    assert all(smallest <= bound(float(h)) * (1 + 1e-12) for h in np.logspace(-9, -1, 4001))


@pytest.mark.claim(
    "claim-quartic",
    kind="exact",
    holds={"edge": 2.0, "at_edge": "stays away", "scale": 2.0, "power": 0.5},
    false=[
        {"edge": 1.9},
        {"edge": 2.1},
        {"at_edge": "converges"},
        {"scale": 1.0},
        {"scale": 3.0},
        {"power": 1.0},
    ],
)
def test_quartic(edge: float, at_edge: str, scale: float, power: float) -> None:
    """Both sides of the edge and the edge itself, and the slow approach from below it."""
    for lr in (1e-3, 0.1, 4.0):
        below, above = math.sqrt((edge - 1e-2) / lr), math.sqrt((edge + 1e-2) / lr)
        run = descend(lambda x: x**3, below, lr, 2000)
        assert len(run) == 2001
        assert abs(run[-1]) < 0.1 * below
        run = descend(lambda x: x**3, above, lr, 2000)
        assert abs(run[-1]) > above
        run = descend(lambda x: x**3, -0.5 / math.sqrt(lr), lr, 20_000)
        assert run[-1] * (scale * lr * 20_000) ** power == pytest.approx(-1, rel=1e-3)
    on_the_edge = descend(lambda x: x**3, 1.0, 2.0, 100)  # exact in floating point
    assert (abs(on_the_edge[-1]) < 0.5) == (at_edge == "converges")
    assert descend(lambda x: x**3, 1.0, 1.0, 1)[-1] == 0  # why the rate excludes hitting 0


@pytest.mark.claim(
    "claim-no-minimum",
    kind="instances",
    holds={"speed": 1.0, "start": "exp"},
    false=[{"speed": 1.1}, {"speed": 2.0}, {"start": "double"}],
)
def test_no_minimum(speed: float, start: str) -> None:
    """The iterates stay above the stated curve, which they approach."""
    exponential = gd.exponential()
    for x0 in (-2.0, 0.0, 3.0):
        for lr in (0.01, 1.0, 20.0):
            run = np.array(descend(lambda x: -math.exp(-x), x0, lr, 20_000))
            t = np.arange(len(run))
            begin = math.exp(x0) * (1 if start == "exp" else 2)
            assert np.all(run >= np.log(begin + speed * lr * t) - 1e-9)
            assert np.all(exponential.f(run) <= 1 / (begin + speed * lr * t) * (1 + 1e-9))


@pytest.mark.claim(
    "claim-small-derivative",
    kind="instances",
    holds={"divisor": 1.0, "names": ("parabola", "shifted", "sum")},
    false=[{"divisor": 1.1}, {"divisor": 2.0}, {"names": ("quartic",)}],
)
def test_small_derivative(divisor: float, names: tuple[str, ...]) -> None:
    """The distance is at most the derivative over mu, for functions with f'' >= mu = 0.5."""
    derivatives: dict[str, Callable[[float], float]] = {
        "parabola": lambda x: 0.5 * x,
        "shifted": lambda x: 0.5 * math.sinh(x - 4),
        "sum": lambda x: 0.5 * x + x**3,
        "quartic": lambda x: x**3,  # its curvature is 0 at the minimum: no mu
    }
    for name in names:
        for x in (-3.0, -0.1, 1e-3, 0.5, 2.0):
            minimizer = 4.0 if name == "shifted" else 0.0
            allowed = abs(derivatives[name](x)) / (0.5 * divisor)
            assert abs(x - minimizer) <= allowed * (1 + 1e-12)


@pytest.mark.claim(
    "claim-backtracking",
    kind="instances",
    holds={"constant": 2.0, "power": 1.0, "capped": True, "lipschitz": True},
    false=[
        {"constant": 2.1},
        {"constant": 4.0},
        {"power": 0.5},
        {"power": 2.0},
        {"capped": False},
        {"lipschitz": False},
    ],
)
def test_backtracking(constant: float, power: float, capped: bool, lipschitz: bool) -> None:
    """The accepted rate is at least the bound, over functions, starts, constants and factors."""
    functions = LIPSCHITZ if lipschitz else {"quartic": QUARTIC}
    for name, (f, derivative, L) in functions.items():
        objective = gd.Objective(name, f, derivative)
        for x0 in (-2.3, 0.7, 3.1):
            for first in (0.1, 1.9999 / L, 3.0 / L, 50.0):
                for c in (1e-4, 0.3, 0.9):
                    for factor in (0.5, 0.9, 0.99):
                        run = gd.backtracking(objective, x0, steps=1, lr=first, factor=factor, c=c)
                        bound = constant * factor * (1 - c) / L**power
                        assert run.lr[0] >= (min(first, bound) if capped else bound) - 1e-12


@pytest.mark.claim(
    "claim-newton",
    kind="exact",
    holds={"numerator": 2, "denominator": 3, "of_minimum": 1.0},
    false=[{"numerator": 1}, {"denominator": 4}, {"of_minimum": 0.5}],
)
def test_newton(numerator: int, denominator: int, of_minimum: float) -> None:
    """One step on parabolas, from everywhere; a constant factor on the quartic."""
    for curvature in (0.2, 1.0, 30.0):
        for minimum in (-2.0, 0.0, 5.0):
            parabola = gd.quadratic(curvature, b=curvature * minimum)
            for x0 in (-100.0, 0.3, 7.0):
                arrived = pytest.approx(of_minimum * minimum, abs=1e-12)
                assert gd.newton(parabola, x0, steps=1).x[-1] == arrived
                rates = np.linspace(0, 3 / curvature, 3001)  # 1/curvature among them
                best = rates[np.argmin(parabola.f(x0 - rates * parabola.grad(x0)))]
                assert x0 - best * parabola.grad(x0) == arrived
    run = gd.newton(gd.quartic(), -8.0, steps=30)
    assert np.allclose(run.x, -8.0 * (numerator / denominator) ** np.arange(31), rtol=1e-12)


@pytest.mark.claim(
    "claim-local-edge",
    kind="instances",
    holds={
        "edge": 2.0,
        "curvature": "at the minimum",
        "close": 1e-4,
        "smooth": True,
        "may_land": True,
    },
    false=[
        {"edge": 1.0},
        {"edge": 2.1},
        {"curvature": "largest"},
        {"close": 2.0},
        {"smooth": False},
        {"may_land": False},
    ],
)
def test_edge_at_a_minimum(
    edge: float, curvature: str, close: float, smooth: bool, may_land: bool
) -> None:
    """Both sides of the edge, for minima that are flatter or sharper than the rest."""
    functions: list[tuple[Callable[[float], float], float, float, float]] = [
        # derivative, minimizer, curvature there, largest curvature
        (math.tanh, 0.0, 1.0, 1.0),
        # Its curvature jumps at 1 and -1; near 0 it is continuous, and that is enough.
        (lambda x: 0.1 * x if abs(x) <= 1 else x - 0.9 * math.copysign(1, x), 0.0, 0.1, 1.0),
        (lambda x: x**3 - x, 1.0, 2.0, math.inf),
        (lambda x: (x - 3) + (x - 3) ** 3, 3.0, 1.0, math.inf),
        (lambda x: x * math.exp(-x * x), 0.0, 1.0, 1.0),
    ]
    if not smooth:  # a curvature of 1 on one side of the minimum, of 3 on the other
        functions = [(lambda x: max(x, 3 * x), 0.0, 1.0, 3.0)]
    for derivative, minimizer, there, largest in functions:
        L = there if curvature == "at the minimum" else largest
        for start in (close, -close):
            below = descend(derivative, minimizer + start, (edge - 1e-2) / L, 5000)
            assert abs(below[-1] - minimizer) < 1e-9
        for start in (1e-4, -1e-4, 0.3, -0.3):
            above = descend(derivative, minimizer + start, (edge + 1e-2) / L, 5000)
            assert abs(above[-1] - minimizer) > 1e-3
    # Twice beyond the edge a start far out lands on the minimum of the Huber function.
    landed = descend(LIPSCHITZ["Huber"][1], 2 * edge, 2 * edge, 100)[-1] == 0
    assert landed == may_land
