"""The claims of the chapter on conditioning."""

from __future__ import annotations

import math

import numpy as np
import pytest

import gdcourse as gd


def rotated(rng: np.random.Generator, eigenvalues: list[float]) -> np.ndarray:
    """Return a symmetric matrix with these eigenvalues and no special axes."""
    q, _ = np.linalg.qr(rng.standard_normal((len(eigenvalues),) * 2))
    A = q @ np.diag(eigenvalues) @ q.T
    return (A + A.T) / 2


def one_step(A: np.ndarray, x: np.ndarray, lr: float) -> np.ndarray:
    """Return where a step of gradient descent on the quadratic of A leads."""
    return gd.minimize(gd.quadratic(A), x, gd.GradientDescent(lr=lr), steps=1).x[-1]


def condition(A: np.ndarray) -> float:
    """Return the largest eigenvalue over the smallest."""
    low, *_, high = np.linalg.eigvalsh(A)
    return float(high / low)


SPECTRA = [[1.0, 9.0], [0.5, 3.0, 8.0], [2.0, 2.0], [1e-3, 1.0, 0.7, 0.2]]


@pytest.mark.claim(
    "claim-best-rate",
    kind="spectrum",
    holds={"rate": 2.0, "over": "sum", "sign": -1, "attained": "from some start"},
    false=[
        {"rate": 1.9},
        {"rate": 1.0},
        {"over": "largest"},
        {"sign": 0},
        {"attained": "from every start"},
    ],
)
def test_best_fixed_rate(
    rate: float, over: str, sign: int, attained: str, rng: np.random.Generator
) -> None:
    """The worst start's factor at the stated rate, and that no rate on a grid has a smaller one."""
    for eigenvalues in SPECTRA:
        A = rotated(rng, eigenvalues)
        values, q = np.linalg.eigh(A)
        mu, L = values[0], values[-1]
        kappa = L / mu

        def worst(lr: float, q: np.ndarray = q, A: np.ndarray = A) -> float:
            return max(float(np.linalg.norm(one_step(A, v, lr))) for v in q.T)

        best = rate / {"sum": mu + L, "largest": L}[over]
        stated = (kappa - 1) / (kappa + 1 + (1 + sign))
        assert worst(best) == pytest.approx(stated, rel=1e-9, abs=1e-12)
        for lr in np.linspace(0.05, 1.95, 39) / L:
            assert worst(lr) == pytest.approx(max(abs(1 - lr * mu), abs(1 - lr * L)), rel=1e-9)
            assert worst(lr) >= stated - 1e-12
            for x in rng.standard_normal((5, len(values))):
                factor = np.linalg.norm(one_step(A, x, lr)) / np.linalg.norm(x)
                assert factor <= worst(lr) + 1e-12
                if attained == "from every start":
                    assert factor == pytest.approx(worst(lr), rel=1e-9)


@pytest.mark.claim(
    "claim-steps-best",
    kind="spectrum",
    holds={"constant": 0.5, "power": 1.0, "rate": 2.0},
    false=[{"constant": 0.4}, {"power": 0.5}, {"rate": 1.0}],
)
def test_steps_at_the_best_rate(constant: float, power: float, rate: float) -> None:
    """Enough along both extreme eigenvectors, for every condition number tried."""
    for kappa in (1.0, 3.0, 10.0, 1000.0):
        for share in (0.5, 1e-2, 1e-6):
            steps = math.ceil(constant * (kappa + 1) ** power * math.log(1 / share))
            for start in np.eye(2):
                rule = gd.GradientDescent(lr=rate / (1 + kappa))
                x = gd.minimize(gd.quadratic([1.0, kappa]), start, rule, steps=steps).x[-1]
                assert np.linalg.norm(x) <= share


def exact_step(A: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Return where a step with exact line search leads."""
    g = A @ x
    return one_step(A, x, float(g @ g / (g @ A @ g)))


@pytest.mark.claim(
    "claim-exact-search",
    kind="instances",
    holds={"power": 2, "start": 1.0, "rate": "exact"},
    false=[{"power": 3}, {"power": 4}, {"start": 0.5}, {"rate": "half"}],
)
def test_exact_line_search(power: int, start: float, rate: str, rng: np.random.Generator) -> None:
    """No start does worse than stated, and the one of the claim exactly that, at every step."""
    for eigenvalues in SPECTRA:
        A = rotated(rng, eigenvalues)
        f, kappa = gd.quadratic(A).f, condition(A)
        factor = ((kappa - 1) / (kappa + 1)) ** power
        for x in rng.standard_normal((50, len(A))):
            new = exact_step(A, x)
            # It is the lowest point of the line.
            beside = [f(x + s * (new - x)) for s in np.linspace(-1, 3, 81)]
            assert f(new) <= min(beside) + 1e-12
            if rate == "half":
                new = (x + new) / 2
            assert f(new) <= factor * f(x) * (1 + 1e-9) + 1e-15
    for kappa in (2.0, 9.0, 100.0):
        A, x = np.diag([1.0, kappa]), np.array([kappa, start])
        f = gd.quadratic(A).f
        for _ in range(6):
            new = exact_step(A, x)
            factor = ((kappa - 1) / (kappa + 1)) ** power
            assert f(new) == pytest.approx(factor * f(x), rel=1e-9)
            x = new


@pytest.mark.claim(
    "claim-two-columns",
    kind="exact",
    holds={"scales": "equal", "power": 1, "sign": "size"},
    false=[{"scales": "unequal"}, {"power": 2}, {"sign": "as it is"}],
)
def test_two_columns(scales: str, power: int, sign: str) -> None:
    """The condition number at equal scales, and that of every other way to scale."""
    for r in (0.0, 0.3, -0.9, 0.99):

        def matrix(a: float, c: float, r: float = r) -> np.ndarray:
            beside = r * math.sqrt(a * c)
            return np.array([[a, beside], [beside, c]])

        size = abs(r) if sign == "size" else r
        stated = ((1 + size) / (1 - size)) ** power
        found = condition(matrix(4.0, 4.0 if scales == "equal" else 1.0))
        assert found == pytest.approx(stated, rel=1e-9)
        for ratio in np.logspace(-4, 4, 81):
            kappa = condition(matrix(ratio, 1.0))
            assert kappa >= stated * (1 - 1e-9)
            # What the proof says of them.
            total = (ratio + 1) ** 2 / (ratio * (1 - r**2))
            assert kappa + 2 + 1 / kappa == pytest.approx(total, rel=1e-6)


@pytest.mark.claim(
    "claim-change-variables",
    kind="exact",
    holds={"left": "S", "right": "transposed", "lr": 1.0},
    false=[{"right": "as it is"}, {"left": "inverse"}, {"lr": 0.5}],
)
def test_change_of_variables(left: str, right: str, lr: float, rng: np.random.Generator) -> None:
    """The run in z, seen in x, and the preconditioned run, on functions that bend."""
    for objective, start in (
        (gd.rosenbrock(), [-1.2, 1.0]),
        (gd.himmelblau(), [0.5, 2.0]),
        (gd.quadratic([[2.0, 1.0], [1.0, 3.0]]), [4.0, -1.0]),
    ):
        S = rng.standard_normal((2, 2)) + 2 * np.eye(2)
        first = {"S": S, "inverse": np.linalg.inv(S)}[left]
        second = S.T if right == "transposed" else S
        inner = gd.Objective(
            "in z",
            lambda z, S=S, f=objective.f: f(S @ z),
            lambda z, S=S, grad=objective.grad: S.T @ grad(S @ z),
        )
        # The gradient that the chain rule gives is the gradient.
        z0 = np.linalg.solve(S, np.array(start))
        assert gd.check_gradient(inner.f, inner.grad, z0).passed
        rate = 1e-4
        z = gd.minimize(inner, z0, gd.GradientDescent(lr=rate), steps=30).x
        x = np.array(
            list(
                gd.descend(
                    lambda x, M=first @ second, grad=objective.grad: M @ grad(x),
                    start,
                    gd.GradientDescent(lr=lr * rate),
                    steps=30,
                )
            )
        )
        assert np.allclose(z @ S.T, x, rtol=1e-11, atol=1e-12)


@pytest.mark.claim(
    "claim-whitened",
    kind="exact",
    holds={"lr": 1.0, "matrix": "whole", "steps": 1},
    false=[{"lr": 0.5}, {"matrix": "diagonal"}, {"steps": 0}],
)
def test_whitened(lr: float, matrix: str, steps: int, rng: np.random.Generator) -> None:
    """One step from random starts, beside the solver's least squares."""
    X, y, _ = gd.load_diabetes()
    diabetes = gd.add_intercept((X - X.mean(axis=0)) / X.std(axis=0)), y
    for X, y in (diabetes, (rng.standard_normal((30, 4)), rng.standard_normal(30))):
        best = np.linalg.lstsq(X, y, rcond=None)[0]
        C = X.T @ X / len(y)
        if matrix == "diagonal":
            C = np.diag(np.diag(C))

        def grad(
            theta: np.ndarray, X: np.ndarray = X, y: np.ndarray = y, C: np.ndarray = C
        ) -> np.ndarray:
            return np.linalg.solve(C, gd.LinearRegression().loss_and_grad(theta, X, y)[1])

        for start in 10 * rng.standard_normal((3, X.shape[1])):
            *_, end = gd.descend(grad, start, gd.GradientDescent(lr=lr), steps=steps)
            assert np.allclose(end, best, rtol=1e-9, atol=1e-9 * np.abs(best).max())


@pytest.mark.claim(
    "claim-diagonal-harm",
    kind="counterexample",
    holds={"before": 10.0, "after": 11.8, "size": 3},
    false=[{"before": 12.0}, {"after": 12.0}, {"size": 2}],
)
def test_diagonal_can_do_harm(
    before: float, after: float, size: int, rng: np.random.Generator
) -> None:
    """The matrix, and its condition number before and after."""
    A = np.array([[2.0, -2.0, -2.0], [-2.0, 5.0, 4.0], [-2.0, 4.0, 5.0]])[-size:, -size:]
    d = 1 / np.sqrt(np.diag(A))
    scaled = A * np.outer(d, d)
    assert np.allclose(np.diag(scaled), 1)
    assert condition(A) == pytest.approx(before, rel=1e-12)
    assert condition(scaled) > after
    assert condition(scaled) == pytest.approx(7 + math.sqrt(24), rel=1e-12)


@pytest.mark.claim(
    "claim-backtracking-many",
    kind="instances",
    holds={"factor": 2.0, "of": "1 - c", "bounded": True},
    false=[{"factor": 4.0}, {"of": "1"}, {"bounded": False}],
)
def test_backtracking_in_many_dimensions(factor: float, of: str, bounded: bool) -> None:
    """The accepted rates and the smallest gradient, on functions with a known L."""
    stiff = gd.quadratic([0.01, 1.0, 30.0])
    cases = [
        (stiff, np.array([5.0, 2.0, 1.0]), 30.0, 0.0),
        (gd.quadratic([30.0]), np.array([1.0]), 30.0, 0.0),
        (gd.nesterov_chain(20), np.zeros(20), 1.0, -0.125),
        (gd.ripples(), 8.0, 8.0, 0.0),
    ]
    if not bounded:
        cases = [(gd.quadratic([0.0, 1.0], b=[1.0, 0.0]), np.array([0.0, 1.0]), 1.0, -1.0)]
    for objective, start, L, low in cases:
        for c in (1e-4, 0.3, 0.5, 0.9):
            for q in (0.5, 0.9):
                for first in (1e-3, 1.0, 1.9):
                    # Before rounding decides whether f has fallen.
                    found = gd.backtracking(
                        objective, start, steps=40, lr=first, factor=q, c=c, tol=1e-4
                    )
                    share = {"1 - c": 1 - c, "1": 1.0}[of]
                    least = min(first, factor * q * share / L)
                    assert (found.lr >= least * (1 - 1e-9)).all()
                    T = np.arange(1, found.steps + 1)
                    smallest = np.minimum.accumulate(found.grad_norm**2)[:-1]
                    bound = (found.f[0] - low) / (c * least * T)
                    assert (smallest <= bound * (1 + 1e-9)).all()
