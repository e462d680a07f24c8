"""The claims of the chapter on how fast gradient descent is.

Where a claim is about the worst function of a class, the recorded worst cases stand behind it
(``record_worst_cases.py``): a bound must not be below them. L is 1 there.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

import gdcourse as gd

WorstCases = Callable[..., list[dict]]

# The solver's answers are good to about 6e-5, relative.
SOLVER = 2e-4


def log_cosh() -> gd.Objective:
    """Return the sum of log cosh: convex, 1-smooth, not strongly convex."""
    return gd.Objective("log cosh", lambda x: np.sum(np.logaddexp(x, -x) - math.log(2)), np.tanh)


def minus_cosine() -> gd.Objective:
    """Return 1 minus the cosine: 1-smooth, not convex, smallest 0."""
    return gd.Objective("cosine", lambda x: 1 - np.cos(x), np.sin, minimizer=0.0)


def softplus() -> gd.Objective:
    """Return log(1 + exp(-x)): convex, 1/4-smooth, with no level point."""
    return gd.Objective("softplus", lambda x: np.logaddexp(0, -x), lambda x: -1 / (1 + np.exp(x)))


def saddle_between_two_minima() -> gd.Objective:
    """Return x₁²/2 + cos x₂ - 1: 1-smooth, a saddle at 0, smallest -2."""
    return gd.Objective(
        "saddle between two minima",
        lambda x: x[0] ** 2 / 2 + np.cos(x[1]) - 1,
        lambda x: np.array([x[0], -np.sin(x[1])]),
    )


def run(objective: gd.Objective, start: object, lr: float, steps: int) -> gd.Trajectory:
    """Return a run of gradient descent."""
    return gd.minimize(objective, start, gd.GradientDescent(lr=lr), steps=steps)


@pytest.mark.claim(
    "claim-smallest-gradient",
    kind="worst case",
    holds={"constant": 2.0, "power": 1.0},
    false=[{"constant": 1.99}, {"constant": 1.4}, {"power": 1.4}, {"power": 2.0}],
)
def test_smallest_gradient_of_the_worst_function(
    constant: float, power: float, worst_cases: WorstCases
) -> None:
    """No smooth function has larger gradients; a shorter one is not certain."""
    for case in worst_cases("smallest gradient", lr=1.0):
        assert case["value"] <= constant / case["steps"] ** power * (1 + SOLVER)


@pytest.mark.claim(
    "claim-smallest-gradient",
    kind="instances",
    holds={"constant": 2.0, "over": "L", "bounded": True},
    false=[{"constant": 0.2}, {"over": "L/3"}, {"bounded": False}],
)
def test_smallest_gradient_of_runs(constant: float, over: str, bounded: bool) -> None:
    """Runs on functions of all kinds, convex or not, at 1/L, and their smallest gradients."""
    cases = [
        (gd.ripples(), 8.0, 8.0, 0.0),
        (minus_cosine(), 3.1, 1.0, 0.0),
        (minus_cosine(), 1e-3 - math.pi, 1.0, 0.0),
        (log_cosh(), np.array([30.0, -2.0]), 1.0, 0.0),
        (softplus(), -5.0, 0.25, 0.0),
        (gd.nesterov_chain(40), np.zeros(40), 1.0, -0.125),
        (gd.huber(), 50.0, 1.0, 0.0),
        (saddle_between_two_minima(), np.array([1.0, 1e-9]), 1.0, -2.0),
    ]
    if not bounded:
        cases = [(gd.quadratic(0.0, b=1.0), 0.0, 1.0, -1.0)]
    for objective, start, L, low in cases:
        rate = {"L": 1 / L, "L/3": 3 / L}[over]
        found = run(objective, start, rate, 200)
        smallest = np.minimum.accumulate(found.grad_norm)[:-1]
        T = np.arange(1, len(smallest) + 1)
        bound = np.sqrt(constant * L * (found.f[0] - low) / T)
        assert found.stop == "steps"
        assert (smallest <= bound * (1 + 1e-9) + 1e-12).all()


@pytest.mark.claim(
    "claim-smallest-gradient-exact",
    kind="worst case",
    holds={"constant": 4.0, "slope": 3, "offset": -1},
    false=[{"constant": 3.99}, {"slope": 2}, {"offset": 0}, {"offset": -2}],
)
def test_exact_smallest_gradient(
    constant: float, slope: int, offset: int, worst_cases: WorstCases
) -> None:
    """The recorded worst cases are the bound, to the solver's digits."""
    cases = worst_cases("smallest gradient", lr=1.0)
    assert [case["steps"] for case in cases] == [1, 2, 3, 5, 8, 12]
    for case in cases:
        expected = constant / (slope * case["steps"] + offset) if case["steps"] else math.inf
        assert case["value"] == pytest.approx(expected, rel=SOLVER)


@pytest.mark.claim(
    "claim-smallest-gradient-exact",
    kind="instances",
    holds={"before": 0.5, "after": 0.25, "lr": 1.0},
    false=[{"before": 0.52}, {"after": 0.27}, {"lr": 1.1}],
)
def test_drop_by_two_gradients(
    before: float, after: float, lr: float, rng: np.random.Generator
) -> None:
    """The inequality of the proof, for steps on functions of all kinds; worst cases attain it."""
    # From 1, where the slope is 1, down to 0, where it is 0.8: it falls to 0.4 with curvature 1
    # and rises again with curvature -1. No function drops less between these two slopes.
    bent = gd.Objective(
        "bent",
        lambda x: 0.8 * x - x**2 / 2 if x < 0.4 else 0.24 + 0.4 * (x - 0.4) + (x - 0.4) ** 2 / 2,
        lambda x: 0.8 - x if x < 0.4 else x,
    )
    cases = [
        (gd.ripples(), 8.0, 10 * rng.standard_normal(300)),
        (minus_cosine(), 1.0, 4 * rng.standard_normal(300)),
        (gd.huber(), 1.0, 4 * rng.standard_normal(300)),
        (bent, 1.0, np.array([1.0])),
    ]
    for objective, L, starts in cases:
        for start in starts:
            found = run(objective, start, lr / L, 1)
            g, h = found.grad_norm**2
            drop = found.f[0] - found.f[1]
            assert drop >= (before * g + after * h) / L - 1e-9 * (1 + found.f[0])


# Functions with the number of their variables, and whether they are convex.
BENT = [
    (gd.quadratic([1.0, 0.0, 3.0]), 3, True),
    (gd.quadratic([[2.0, 1.0], [1.0, 2.0]]), 2, True),
    (gd.quadratic([1.0, -1e-3]), 2, False),
    (gd.nesterov_chain(4), 4, True),
    (gd.rosenbrock(), 2, False),
    (gd.himmelblau(), 2, False),
    (gd.saddle(), 2, False),
    (
        gd.Objective(
            "quartics",
            lambda x: np.sum(x**4),
            lambda x: 4 * x**3,
            lambda x: np.diag(12 * x**2),
            minimizer=np.zeros(3),
        ),
        3,
        True,
    ),
]


@pytest.mark.claim(
    "claim-convex-hessian",
    kind="instances",
    holds={"zero_allowed": True, "where": "everywhere"},
    false=[{"zero_allowed": False}, {"where": "at the minimizer"}],
)
def test_convex_by_the_hessian(zero_allowed: bool, where: str, rng: np.random.Generator) -> None:
    """Tangents never above the graph, exactly where all eigenvalues allow it."""
    for objective, d, convex in BENT:
        points = np.concatenate([np.zeros((1, d)), rng.uniform(-2, 2, (120, d))])
        slack = [
            objective.f(y) - objective.f(x) - objective.grad(x) @ (y - x)
            for x in points[:60]
            for y in points[60:]
        ]
        assert (min(slack) >= -1e-9) == convex
        if where == "at the minimizer" and objective.minimizer is not None:
            points = objective.minimizer[None]
        lowest = min(np.linalg.eigvalsh(objective.hessian(x))[0] for x in points)
        assert (lowest >= -1e-12 if zero_allowed else lowest > 1e-12) == convex


@pytest.mark.claim(
    "claim-convex-stationary",
    kind="instances",
    holds={"convex": True, "unique": False},
    false=[{"convex": False}, {"unique": True}],
)
def test_level_ground_is_the_bottom(convex: bool, unique: bool, rng: np.random.Generator) -> None:
    """No point lies below a level one; with a flat bottom there are several of them."""
    flat = gd.Objective(
        "flat bottom",
        lambda x: np.maximum(np.abs(x) - 1, 0) ** 2 / 2,
        lambda x: np.sign(x) * np.maximum(np.abs(x) - 1, 0),
        minimizer=0.0,
    )
    cases = [
        (flat, [0.0, 0.7, -1.0]),
        (gd.huber(), [0.0]),
        (gd.quartic(), [0.0]),
        (gd.quadratic(0.0, c=3.0), [1.0, -2.0]),
    ]
    if not convex:
        cases = [(gd.double_well(), [np.roots([1, 0, -1, 0.25]).real.max()])]
    for objective, level in cases:
        for x in level:
            assert objective.grad(x) == pytest.approx(0, abs=1e-12)
            others = x + 10 ** rng.uniform(-3, 1.5, 400) * rng.choice([-1, 1], 400)
            values = objective.f(others)
            assert (values > objective.f(x) if unique else values >= objective.f(x)).all()


def logistic() -> gd.Objective:
    """Return the loss of a logistic regression: convex, and smooth."""
    X, y, _ = gd.normal_regression(seed=5, n=40)
    labels = (y > 4).astype(int)
    model = gd.LogisticRegression()
    return gd.Objective(
        "logistic",
        lambda w: model.loss_and_grad(w, X, labels)[0],
        lambda w: model.loss_and_grad(w, X, labels)[1],
    )


def logistic_curvature() -> float:
    """Return a bound of the curvature of that loss: the largest eigenvalue of XᵀX/(4n)."""
    X = gd.normal_regression(seed=5, n=40).X
    return float(np.linalg.eigvalsh(X.T @ X / 160)[-1])


SMOOTH_CONVEX = [
    (gd.huber(), 1, 1.0),
    (gd.quadratic([2.0, 0.3]), 2, 2.0),
    (gd.nesterov_chain(5), 5, 1.0),
    (log_cosh(), 3, 1.0),
    (logistic(), 2, logistic_curvature()),
]


@pytest.mark.claim(
    "claim-cocoercive",
    kind="instances",
    holds={"constant": 0.5, "convex": True, "smooth": True},
    false=[{"constant": 0.51}, {"constant": 1.0}, {"convex": False}, {"smooth": False}],
)
def test_above_the_tangent(
    constant: float, convex: bool, smooth: bool, rng: np.random.Generator
) -> None:
    """Pairs of points far apart and close together; equality on parabolas."""
    cases = SMOOTH_CONVEX
    if not convex:
        cases = [(minus_cosine(), 1, 1.0)]
    if not smooth:
        cases = [(gd.quartic(), 1, 1.0)]
    for objective, d, L in cases:
        for scale in (0.1, 1.0, 10.0):
            for x, y in scale * rng.standard_normal((200, 2, d)):
                x, y = (x[0], y[0]) if d == 1 else (x, y)
                g, h = objective.grad(x), objective.grad(y)
                bound = objective.f(x) + np.dot(g, y - x) + constant / L * np.dot(h - g, h - g)
                assert objective.f(y) >= bound - 1e-9 * (1 + abs(bound))


@pytest.mark.claim(
    "claim-convex-rate",
    kind="worst case",
    holds={"slope": 4.0, "offset": 2.0, "power": 1.0},
    false=[{"slope": 4.05}, {"offset": 2.2}, {"slope": 8.0, "offset": 0.0}, {"power": 1.1}],
)
def test_gap_of_the_worst_convex_function(
    slope: float, offset: float, power: float, worst_cases: WorstCases
) -> None:
    """No smooth convex function has a larger gap; a smaller one is not certain."""
    for case in worst_cases("gap", lr=1.0):
        assert case["value"] <= (slope * case["steps"] + offset) ** -power * (1 + SOLVER)


@pytest.mark.claim(
    "claim-convex-rate",
    kind="instances",
    holds={"slope": 4.0, "convex": True, "lr": 1.0, "to": "nearest"},
    false=[{"slope": 5.0}, {"convex": False}, {"lr": 2.05}, {"to": "half way"}],
)
def test_gap_of_runs(slope: float, convex: bool, lr: float, to: str) -> None:
    """Runs on convex functions, with one minimizer or many, against their bound."""
    cases = [
        (gd.huber(), 21.0, 0.0, 1.0),
        (gd.quadratic([1.0, 0.1]), np.array([1.0, 1.0]), np.zeros(2), 1.0),
        (gd.quadratic([1.0, 0.0]), np.array([1.0, 7.0]), np.array([0.0, 7.0]), 1.0),
        (gd.nesterov_chain(30), np.zeros(30), gd.nesterov_chain(30).minimizer, 1.0),
        (log_cosh(), np.array([20.0, -1.0]), np.zeros(2), 1.0),
    ]
    if not convex:
        cases = [(minus_cosine(), 3.0, 0.0, 1.0)]
    for objective, start, end, L in cases:
        found = run(objective, start, lr / L, 60)
        distance = np.linalg.norm(np.subtract(start, end)) * (0.5 if to == "half way" else 1)
        T = np.arange(61)
        bound = L * distance**2 / (slope * T + 2)
        assert (found.f - objective.f(end) <= bound * (1 + 1e-9)).all()


@pytest.mark.claim(
    "claim-huber-worst",
    kind="exact",
    holds={"start": 1, "slope": 4, "lr": 1.0},
    false=[{"start": 0}, {"start": 2}, {"slope": 3}, {"lr": 0.9}],
)
def test_huber_attains_the_bound(
    start: int, slope: int, lr: float, worst_cases: WorstCases
) -> None:
    """Runs from the worst start, beside the bound and the recorded worst cases."""
    recorded = {case["steps"]: case["value"] for case in worst_cases("gap", lr=1.0)}
    for delta in (0.5, 1.0, 4.0):
        for T in (1, 2, 3, 5, 8, 12, 50):
            x0 = (2 * T + start) * delta
            gap = run(gd.huber(delta), x0, lr, T).f[-1]
            assert gap == pytest.approx(x0**2 / (slope * T + 2), rel=1e-12)
            if T in recorded:
                assert gap / x0**2 == pytest.approx(recorded[T], rel=SOLVER)


def contraction(mu: float, L: float, lr: float, of: str, power: float) -> float:
    """Return the factor of the claim, or of a false version of it."""
    factors = abs(1 - lr * mu), abs(1 - lr * L)
    return {"larger": max, "smaller": min}[of](factors) ** power


@pytest.mark.claim(
    "claim-strong-rate",
    kind="worst case",
    holds={"of": "larger", "power": 1.0},
    false=[{"of": "smaller"}, {"power": 1.01}, {"power": 2.0}],
)
def test_distance_of_the_worst_strongly_convex_function(
    of: str, power: float, worst_cases: WorstCases
) -> None:
    """The bound is not below the recorded worst case, and quadratics attain it."""
    for case in worst_cases("distance"):
        mu, lr, T = case["mu"], case["lr"], case["steps"]
        bound = contraction(mu, 1.0, lr, of, power) ** T
        assert case["value"] <= bound * (1 + SOLVER)
        ends = [run(gd.quadratic([mu, 1.0]), start, lr, T).x[-1] for start in np.eye(2)]
        assert max(np.linalg.norm(end) for end in ends) == pytest.approx(bound, rel=1e-12)


@pytest.mark.claim(
    "claim-strong-rate",
    kind="instances",
    holds={"strong": True, "lr": 1.99},
    false=[{"strong": False}, {"lr": 2.05}],
)
def test_distance_of_runs(strong: bool, lr: float) -> None:
    """Runs on strongly convex functions that are no quadratics; without a bound from below."""

    def regularized(mu: float, bend: gd.Objective) -> gd.Objective:
        return gd.Objective(
            "regularized",
            lambda x: bend.f(x) + mu / 2 * np.sum(np.square(x)),
            lambda x: bend.grad(x) + mu * x,
        )

    mu = 0.2
    cases = [
        (regularized(mu, gd.huber()), 5.0),
        (regularized(mu, gd.huber(0.01)), 0.05),
        (regularized(mu, log_cosh()), np.array([8.0, -0.3])),
    ]
    if not strong:
        cases = [(gd.huber(), 50.0), (log_cosh(), np.array([30.0, -2.0]))]
    L = 1 + mu
    for objective, start in cases:
        for rate in (0.3 / L, 1 / L, 2 / (L + mu), lr / L):
            away = [np.linalg.norm(x) for x in run(objective, start, rate, 40).x]
            factor = contraction(mu, L, rate, "larger", 1.0)
            assert factor < 1
            assert all(away[t] <= factor**t * away[0] * (1 + 1e-9) for t in range(len(away)))


@pytest.mark.claim(
    "claim-steps-kappa",
    kind="spectrum",
    holds={"constant": 1.0, "power": 1.0, "lr": 1.0},
    false=[{"constant": 0.5}, {"constant": 0.4343}, {"power": 0.5}, {"lr": 0.5}],
)
def test_steps_for_a_digit(constant: float, power: float, lr: float) -> None:
    """Enough for the slowest mode of quadratics with every condition number tried."""
    for kappa in (1.0, 2.0, 10.0, 1000.0):
        for share in (0.5, 1e-2, 1e-6):
            steps = math.ceil(constant * kappa**power * math.log(1 / share))
            found = run(gd.quadratic([1 / kappa, 1.0]), np.array([1.0, 0.0]), lr, steps)
            assert np.linalg.norm(found.x[-1]) <= share


def dependent() -> tuple[gd.Objective, np.ndarray]:
    """Return a least-squares loss with dependent columns and its Hessian, and one minimizer."""
    rng = np.random.default_rng(8)
    X = rng.standard_normal((30, 3))
    X = np.column_stack([X, X[:, 0] - X[:, 1]])
    y = rng.standard_normal(30)
    model = gd.LinearRegression()
    loss = gd.Objective(
        "dependent columns",
        lambda w: model.loss_and_grad(w, X, y)[0],
        lambda w: model.loss_and_grad(w, X, y)[1],
        minimizer=np.linalg.lstsq(X, y, rcond=None)[0],
    )
    return loss, X.T @ X / len(y)


@pytest.mark.claim(
    "claim-pl-rate",
    kind="instances",
    holds={"constant": 1.0, "pl": True, "lr": 1.0},
    false=[{"constant": 2.1}, {"pl": False}, {"lr": 0.4}, {"lr": 2.05}],
)
def test_gap_shrinks_by_a_factor(constant: float, pl: bool, lr: float) -> None:
    """On a function with ripples, and on least squares with dependent columns."""
    loss, hessian = dependent()
    q = np.linalg.eigh(hessian)
    flattest = q[1][:, 1]
    solution = loss.minimizer
    cases = [(gd.ripples(), x, 0.0, 0.1755, 8.0) for x in (9.0, 2.3, 2.25, 5.3, -7.7)]
    for direction in (flattest, q[1][:, -1]):
        cases.append((loss, solution + direction, loss.f(solution), q[0][1], q[0][-1]))
    if not pl:
        cases = [(gd.huber(), 30.0, 0.0, 0.5, 1.0), (gd.quartic(), 1.0, 0.0, 0.5, 3.0)]
    for objective, start, low, mu, L in cases:
        found = run(objective, start, lr / L, 60)
        factor = max(1 - constant * mu / L, 0.0)
        gap = found.f - low
        # A gap is a difference: rounding leaves 1e-16 of the value.
        assert (gap <= factor ** np.arange(61) * gap[0] * (1 + 1e-9) + 1e-14).all()


@pytest.mark.claim(
    "claim-pl-examples",
    kind="instances",
    holds={"mu": 0.175, "L": 8.0, "convex": False},
    false=[{"mu": 0.176}, {"mu": 0.35}, {"L": 7.9}, {"convex": True}],
)
def test_ripples_satisfy_pl(mu: float, L: float, convex: bool) -> None:
    """On a grid fine enough for the quotient's slope, and beyond it by the bounds of the proof."""
    objective, x = gd.ripples(), np.linspace(1e-3, 7, 4_000_001)
    quotient = objective.grad(x) ** 2 / (2 * objective.f(x))
    # From x² <= f and |f'| <= 8x, |f''| <= 8, the quotient's slope is at most 320/x in size.
    between = np.minimum(quotient[:-1], quotient[1:]) - (x[1] - x[0]) / 2 * 320 / x[:-1]
    assert between.min() >= mu
    assert 8 * (1 - 1e-3**2 / 2) ** 2 >= mu  # below 1e-3, from f' >= 8x - 4x³ and f <= 4x²
    far = np.linspace(7, 1000, 100_001)
    assert ((2 * far - 3) ** 2 / (2 * (far**2 + 3)) >= 1).all()
    hessian = objective.hessian(x)
    assert np.max(np.abs(hessian)) <= L + 1e-9
    assert (hessian.min() >= 0) == convex


@pytest.mark.claim(
    "claim-pl-examples",
    kind="spectrum",
    holds={"of": 1, "factor": 1.0},
    false=[{"of": 2}, {"of": -1}, {"factor": 1.01}],
)
def test_dependent_columns_satisfy_pl(of: int, factor: float, rng: np.random.Generator) -> None:
    """The second of the four eigenvalues is the smallest that is not 0, and no larger one does."""
    loss, hessian = dependent()
    values, q = np.linalg.eigh(hessian)
    assert values[0] == pytest.approx(0, abs=1e-12)
    assert values[1] > 0.1
    solution = loss.minimizer
    directions = np.concatenate([q.T, rng.standard_normal((200, 4))])
    for direction in directions:
        w = solution + 3 * direction
        slope = loss.grad(w)
        gap = loss.f(w) - loss.f(solution)
        assert slope @ slope / 2 >= factor * values[of] * gap - 1e-12
    # Not strongly convex: along the first eigenvector nothing changes.
    assert loss.f(solution + 5 * q[:, 0]) == pytest.approx(loss.f(solution), rel=1e-12)


@pytest.mark.claim(
    "claim-lower-bound",
    kind="exact",
    holds={"constant": 0.09375, "shift": 1, "links": 1},
    false=[{"constant": 0.0968}, {"shift": 0}, {"links": -1}, {"links": 40}],
)
def test_no_method_is_faster(constant: float, shift: int, links: int) -> None:
    """The best point that k gradients can reach, and rules that go there, on each chain."""
    for k in (1, 2, 5, 20, 100, 400):
        n = 2 * k + links
        chain = gd.nesterov_chain(n)
        lowest = chain.f(chain.minimizer)
        bound = constant * (chain.minimizer @ chain.minimizer) / (k + shift) ** 2
        # The best over the first k places, by solving for it.
        A, b = chain.hessian(np.zeros(n))[:k, :k], -chain.grad(np.zeros(n))[:k]
        best = -b @ np.linalg.solve(A, b) / 2
        assert best == pytest.approx(-(1 - 1 / (k + 1)) / 8, rel=1e-9)
        assert best - lowest >= bound
        rules: list[Callable] = [
            lambda: gd.GradientDescent(lr=1.0),
            lambda: gd.Momentum(lr=1.0, momentum=0.9),
            lambda: gd.Nesterov(lr=1.0, momentum=0.9),
        ]
        for rule in rules:
            end = gd.minimize(chain, np.zeros(n), rule(), steps=k)
            assert np.count_nonzero(end.x[-1]) <= k
            assert end.f[-1] - lowest >= best - lowest - 1e-15
