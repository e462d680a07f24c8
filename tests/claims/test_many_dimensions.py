"""The claims of the chapter on many dimensions."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

import gdcourse as gd


def unit_vectors(rng: np.random.Generator, count: int, d: int) -> np.ndarray:
    """Return random vectors of length 1."""
    u = rng.standard_normal((count, d))
    return u / np.linalg.norm(u, axis=1, keepdims=True)


def symmetric(rng: np.random.Generator, eigenvalues: list[float]) -> np.ndarray:
    """Return a symmetric matrix with these eigenvalues and no special axes."""
    q, _ = np.linalg.qr(rng.standard_normal((len(eigenvalues),) * 2))
    A = q @ np.diag(eigenvalues) @ q.T
    return (A + A.T) / 2


def descend(grad: object, x0: np.ndarray, lr: float, steps: int) -> np.ndarray:
    """Return the iterates of gradient descent, one a row."""
    return np.array(list(gd.descend(grad, x0, gd.GradientDescent(lr=lr), steps=steps)))  # type: ignore[arg-type]


def without_plane(x: np.ndarray) -> float:
    """Return x1² x2/(x1² + x2²): rates in all directions at 0 that no gradient there gives."""
    return float(x[0] ** 2 * x[1] / (x @ x)) if x @ x else 0.0


@pytest.mark.claim(
    "claim-partials",
    kind="counterexample",
    holds={"power": 2, "partial": 0.0},
    false=[{"power": 1}, {"power": 4}, {"partial": 0.5}],
)
def test_partials_are_not_enough(power: int, partial: float, rng: np.random.Generator) -> None:
    """The rate in every direction, and that it is no inner product with the gradient."""
    f = without_plane
    for u in unit_vectors(rng, 50, 2):
        rates = [f(s * u) / s for s in (1e-1, 1e-4, -1e-7)]
        assert np.allclose(rates, u[0] ** power * u[1], rtol=1e-9, atol=1e-12)
    axes = [f(1e-7 * e) / 1e-7 for e in np.eye(2)]
    assert axes == [partial, partial]
    assert f(np.array([1e-7, 1e-7]) / math.sqrt(2)) / 1e-7 == pytest.approx(math.sqrt(2) / 4)


@pytest.mark.claim(
    "claim-steepest",
    kind="instances",
    holds={"sign": -1.0, "power": 1.0, "differentiable": True},
    false=[{"sign": 1.0}, {"power": 0.0}, {"power": 0.5}, {"differentiable": False}],
)
def test_steepest(
    sign: float, power: float, differentiable: bool, rng: np.random.Generator
) -> None:
    """By difference quotients f falls in no direction as fast as, or faster than, the stated."""
    smooth = [
        (gd.rosenbrock(), [[-1.2, 1.0], [0.3, -0.7]]),
        (gd.himmelblau(), [[0.5, -1.5], [4.0, 3.0]]),
        (gd.beale(), [[1.0, 1.5]]),
    ]
    cases = [
        (function.f, np.array(x), function.grad(np.array(x)))
        for function, points in smooth
        for x in points
    ]
    for d in (1, 2, 5, 40):
        x = 2 * rng.standard_normal(d)
        cases.append((lambda x: np.sum(np.exp(x)), x, np.exp(x)))
    # Differentiable at 0, where the first two terms are its tangent plane, and not smooth: beside
    # 0 the gradient of the last one goes to and fro.
    cases.append(
        (
            lambda x: x[0] - 2 * x[1] + x[0] * np.linalg.norm(x) * np.sin(1 / np.linalg.norm(x)),
            np.zeros(2),
            np.array([1.0, -2.0]),
        )
    )
    if not differentiable:  # with the partial derivatives for a gradient
        cases = [(lambda x: without_plane(x) + x[1], np.zeros(2), np.array([0.0, 1.0]))]
    for f, x, g in cases:

        def rate(u: np.ndarray, f: Callable = f, x: np.ndarray = x) -> float:
            return gd.central_difference(lambda s: f(x + s * u), 0.0, 1e-6)

        # power 1 normalizes the gradient, other powers change its direction
        best = sign * np.sign(g) * np.abs(g) ** power
        best /= np.linalg.norm(best)
        # 1e-5: what the quotient is off by, at most
        assert rate(best) == pytest.approx(-np.linalg.norm(g), rel=1e-5)
        near = best + 1e-2 * unit_vectors(rng, 200, len(g))
        others = np.concatenate([unit_vectors(rng, 200, len(g)), near])
        others /= np.linalg.norm(others, axis=1, keepdims=True)
        # Nearer still the rates differ by less than the quotients tell.
        distinct = np.linalg.norm(others - best, axis=1) > 1e-3
        assert all(rate(u) > rate(best) for u in others[distinct])


@pytest.mark.claim(
    "claim-steepest-norm",
    kind="instances",
    holds={"power": -1.0, "root": True},
    false=[{"power": 0.0}, {"power": -0.5}, {"power": 1.0}, {"root": False}],
)
def test_steepest_in_another_norm(power: float, root: bool, rng: np.random.Generator) -> None:
    """No vector of length 1 in the norm does better than the stated one."""
    for eigenvalues in ([1.0, 9.0], [0.1, 1.0, 30.0]):
        P, d = symmetric(rng, eigenvalues), len(eigenvalues)
        values, vectors = np.linalg.eigh(P)
        g = rng.standard_normal(d)
        best = -(vectors * values**power) @ vectors.T @ g
        best /= math.sqrt(best @ P @ best)
        u = np.concatenate([unit_vectors(rng, 500, d), best + 1e-3 * unit_vectors(rng, 200, d)])
        u /= np.sqrt(np.sum((u @ P) * u, axis=1, keepdims=True))
        apart = np.linalg.norm(u - best, axis=1) > 1e-9
        assert np.all(u[apart] @ g > g @ best)
        stated = g @ np.linalg.solve(P, g)
        assert g @ best == pytest.approx(-math.sqrt(stated) if root else -stated)


@pytest.mark.claim(
    "claim-descent-many",
    kind="instances",
    holds={"divisor": 2.0, "smooth": True},
    false=[{"divisor": 2.2}, {"divisor": 4.0}, {"smooth": False}],
)
def test_descent_lemma(divisor: float, smooth: bool, rng: np.random.Generator) -> None:
    """The promised decrease at many points and rates, for functions with a known L."""
    A = symmetric(rng, [4.0, 1.0, -3.0])
    form = gd.quadratic(A)
    functions = [
        (form.f, form.grad, 4.0),
        (lambda x: np.sum(np.sin(x)), np.cos, 1.0),
        (lambda x: math.sqrt(1 + x @ x), lambda x: x / math.sqrt(1 + x @ x), 1.0),
    ]
    if not smooth:  # no L serves everywhere: 4 is the curvature at the minimum only
        functions = [(lambda x: 2 * x @ x + np.sum(x**4), lambda x: 4 * x + 4 * x**3, 4.0)]
    steepest = np.linalg.eigh(A)[1][:, -1]
    for f, grad, L in functions:
        for x in [3 * steepest, *(3 * unit_vectors(rng, 50, 3))]:
            g = grad(x)
            for lr in np.array([0.1, 0.5, 1.0, 1.5, 2.0, 2.5]) / L:
                promised = f(x) - lr * (1 - lr * L / divisor) * g @ g
                assert f(x - lr * g) <= promised + 1e-10


@pytest.mark.claim(
    "claim-descent-many",
    kind="instances",
    holds={"divisor": 2.0, "edge": 2.0, "power": 2, "functions": "as stated"},
    false=[
        {"divisor": 2.1},
        {"divisor": 4.0},
        {"edge": 2.1},
        {"power": 1},
        {"functions": "plane"},
        {"functions": "saddle"},
        {"functions": "quartic"},
        {"functions": "root"},
    ],
)
def test_gradients_vanish(
    divisor: float, edge: float, power: int, functions: str, rng: np.random.Generator
) -> None:
    """The sum of the squared gradients, which can be the bound, and the last gradients."""
    bowl, saddle = symmetric(rng, [4.0, 1.0, 0.0]), symmetric(rng, [4.0, 1.0, -3.0])
    cases = {
        # f, its gradient, L, a number that f is never below
        "as stated": [
            (gd.quadratic(bowl).f, gd.quadratic(bowl).grad, 4.0, 0.0),
            (lambda x: np.sum(np.sin(x)), np.cos, 1.0, -3.0),
            (lambda x: math.sqrt(1 + x @ x), lambda x: x / math.sqrt(1 + x @ x), 1.0, 1.0),
            (lambda x: np.sum(np.logaddexp(0, x)), lambda x: 1 / (1 + np.exp(-x)), 0.25, 0.0),
        ],
        # Not bounded below: -20 is below the starts.
        "plane": [(lambda x: x[0], lambda x: np.array([1.0, 0.0, 0.0]), 1.0, -20.0)],
        "saddle": [(gd.quadratic(saddle).f, gd.quadratic(saddle).grad, 4.0, -20.0)],
        # Bounded below, and no L serves: the one given does at the minimum only, or off it only.
        "quartic": [(lambda x: 2 * x @ x + x @ x**3, lambda x: 4 * x + 4 * x**3, 4.0, 0.0)],
        "root": [
            (
                lambda x: np.linalg.norm(x) ** 1.5 / 1.5,
                lambda x: x / math.sqrt(np.linalg.norm(x)),
                1.0,
                0.0,
            )
        ],
    }
    for f, grad, L, m in cases[functions]:
        # On the steepest line of the bowl every promise of the lemma is kept exactly.
        for x0 in [3 * np.linalg.eigh(bowl)[1][:, -1], *(2 * unit_vectors(rng, 2, 3))]:
            for share in (0.05, 0.5, 0.9, 0.995):
                lr = share * edge / L
                run = descend(grad, x0, lr, 1000)
                norms = [math.hypot(*grad(x)) for x in run]
                assert max(norms[-100:]) < 1e-2
                bound = (f(x0) - m) / (lr * (1 - lr * L / divisor))
                assert sum(norm**power for norm in norms) <= bound * (1 + 1e-9)


@pytest.mark.claim(
    "claim-modes",
    kind="spectrum",
    holds={"factor": 1.0, "edge": 2.0, "of": "largest", "signs": "positive"},
    false=[
        {"factor": 0.5},
        {"edge": 1.99},
        {"edge": 2.01},
        {"of": "smallest"},
        {"of": "mean"},
        {"signs": "one zero"},
        {"signs": "one negative"},
    ],
)
def test_modes(factor: float, edge: float, of: str, signs: str, rng: np.random.Generator) -> None:
    """Powers of the factors in the eigenbasis, and both sides of the edge."""
    added = {"positive": 0.7, "one zero": 0.0, "one negative": -0.1}[signs]
    for eigenvalues in ([1.0, 3.0], [0.2, 4.0, 1.3], [2.0, 2.0, 5.0, 0.5]):
        A = symmetric(rng, [*eigenvalues, added])
        grad = gd.quadratic(A).grad
        values, q = np.linalg.eigh(A)
        x0 = q.sum(axis=1)  # a component of 1 along each eigenvector
        run = descend(grad, x0, 0.3, 25) @ q
        expected = (1 - factor * 0.3 * values) ** np.arange(26)[:, None]
        assert np.allclose(run, expected, rtol=1e-9, atol=1e-11 * np.max(np.abs(expected)))
        chosen = {"largest": values[-1], "smallest": values[0], "mean": values.mean()}[of]
        assert chosen > 0
        below = descend(grad, x0, (edge - 1e-3) / chosen, 20_000)
        above = descend(grad, x0, (edge + 1e-3) / chosen, 20_000)
        assert np.max(np.abs(below[-1])) < 1e-6
        assert np.max(np.abs(above[-1])) > 1e6


# The minima by which the edge is tested, roughly: Newton's method finds the last digits.
MINIMA = [
    (gd.himmelblau(), (3.0, 2.0)),
    (gd.himmelblau(), (-3.7793, -3.2832)),
    (gd.himmelblau(), (3.5844, -1.8481)),
    (gd.rosenbrock(), (1.0, 1.0)),
    (gd.beale(), (3.0, 0.5)),
    (gd.quadratic([1.0, 4.0]), (0.0, 0.0)),
]


@pytest.mark.claim(
    "claim-local-edge-many",
    kind="instances",
    holds={"edge": 2.0, "of": "largest", "close": 1e-5, "definite": True},
    false=[
        {"edge": 2.05},
        {"edge": 4.0},
        {"of": "smallest"},
        {"close": 3.0},
        {"definite": False},
    ],
)
def test_edge_at_a_minimum(
    edge: float, of: str, close: float, definite: bool, rng: np.random.Generator
) -> None:
    """Runs from close by converge up to the edge, at the minima of functions that bend."""
    for function, near in MINIMA if definite else [(gd.himmelblau(), (0.0867, 2.8843))]:
        x = gd.newton(function, near, steps=20, tol=1e-12).x[-1]
        values = np.linalg.eigvalsh(function.hessian(x))
        lr = (edge - 1e-2) / (values[-1] if of == "largest" else values[0])
        # To 1e-7 of the start, were f its parabola: then to 1e-6 with what f bends.
        slowest = np.min(np.abs(1 - np.abs(1 - lr * values)))
        steps = math.ceil(math.log(1e7) / slowest)
        for u in unit_vectors(rng, 2, 2):
            run = descend(function.grad, x + close * u, lr, steps)
            assert len(run) == steps + 1
            assert np.linalg.norm(run[-1] - x) < 1e-6 * np.linalg.norm(run[0] - x)


@pytest.mark.claim(
    "claim-local-edge-many",
    kind="instances",
    holds={"edge": 2.0, "of": "largest", "some": True},
    false=[{"edge": 1.0}, {"edge": 1.95}, {"of": "sum"}, {"some": False}],
)
def test_beyond_the_edge_at_a_minimum(edge: float, of: str, some: bool) -> None:
    """Runs along the sharpest direction leave a ball, from however close; not all runs do."""
    radius = 1e-3
    for function, near in MINIMA:
        x = gd.newton(function, near, steps=20, tol=1e-12).x[-1]
        values, q = np.linalg.eigh(function.hessian(x))
        lr = (edge + 1e-2) / (values[-1] if of == "largest" else values.sum())
        factor = lr * values[-1] - 1  # in size, of each step along the sharpest direction
        for start in (1e-4, 1e-6, 1e-9):
            steps = math.ceil(math.log(10 * radius / start) / abs(math.log(factor)))
            for u in (q[:, -1], -q[:, -1]) if some else q.T:
                run = descend(function.grad, x + start * u, lr, steps)
                assert np.max(np.linalg.norm(run - x, axis=1)) > radius


@pytest.mark.claim(
    "claim-second-order",
    kind="instances",
    holds={"sufficient": "definite", "necessary": "semidefinite", "stationary": True},
    false=[{"sufficient": "semidefinite"}, {"necessary": "definite"}, {"stationary": False}],
)
def test_second_order_conditions(
    sufficient: str, necessary: str, stationary: bool, rng: np.random.Generator
) -> None:
    """Both directions over functions of every kind, the two of the claim among them."""
    # f with f(0) = 0, the eigenvalues of its Hessian at 0, local minimum there, strict
    functions = [
        (lambda x: x[0] ** 2 + 3 * x[1] ** 2, [2.0, 6.0], True, True),
        (lambda x: x[0] ** 2 + x[0] * x[1] + x[1] ** 2, [1.0, 3.0], True, True),
        (lambda x: x[0] ** 2 + x[1] ** 4, [0.0, 2.0], True, True),
        (lambda x: x[0] ** 2, [0.0, 2.0], True, False),
        (lambda x: x[0] ** 2 + x[1] ** 3, [0.0, 2.0], False, False),
        (lambda x: (x[1] - x[0] ** 2) * (x[1] - 3 * x[0] ** 2), [0.0, 2.0], False, False),
        (lambda x: x[0] ** 2 - x[1] ** 2, [-2.0, 2.0], False, False),
        (lambda x: -(x[0] ** 2) - x[1] ** 2, [-2.0, -2.0], False, False),
    ]
    if not stationary:
        functions.append((lambda x: x[0] + x @ x, [2.0, 2.0], False, False))
    around = np.concatenate([r * unit_vectors(rng, 100, 2) for r in (1e-2, 1e-3)])
    between = np.array([[s, 2 * s**2] for s in (1e-2, 1e-3)])  # Peano's parabola
    axes = 1e-3 * np.array([[0, 1], [0, -1], [1, 0], [-1, 0]])
    around = np.concatenate([around, between, axes])
    for f, eigenvalues, minimum, strict in functions:
        assert all(f(x) >= 0 for x in around) == minimum
        assert all(f(x) > 0 for x in around) == strict
        # The eigenvalues stated above are those of f.
        gradient = lambda x, f=f: gd.numerical_gradient(f, x, 1e-5)  # noqa: E731
        columns = [(gradient(h) - gradient(-h)) / 2e-3 for h in 1e-3 * np.eye(2)]
        assert np.allclose(np.linalg.eigvalsh(np.array(columns)), eigenvalues, atol=1e-4)
        holds = {"definite": min(eigenvalues) > 0, "semidefinite": min(eigenvalues) >= 0}
        assert strict or not holds[sufficient]
        assert holds[necessary] or not minimum


@pytest.mark.claim(
    "claim-saddle",
    kind="instances",
    holds={"decides": "eigenvector", "edge": 2.0, "zero": False, "symmetric": True},
    false=[
        {"decides": "never"},
        {"decides": "always"},
        {"decides": "axis"},
        {"edge": 2.05},
        {"zero": True},
        {"symmetric": False},
    ],
)
def test_saddle(decides: str, edge: float, zero: bool, symmetric: bool) -> None:
    """Runs from starts with and without the component, for rates below the edge."""
    spectra = [[1.0, -1.0], [3.0, 0.4, -0.2], [2.0, -0.5, -1.5]]
    if zero:
        spectra = [[1.0, 0.0, -1.0]]
    # Matrix, eigenvectors as columns, eigenvalues. Along the axes, and along (1, 1) and (1, -1),
    # the arithmetic is exact where it counts: a component that is 0 stays 0.
    cases = [(np.diag(values), np.eye(len(values)), np.array(values)) for values in spectra]
    cases.append(
        (np.array([[1.0, 2.0], [2.0, 1.0]]), np.array([[1, 1], [1, -1]]), np.array([3.0, -1.0]))
    )
    if not symmetric:
        cases = [(np.array([[1, 4], [0, -1]]), np.array([[1, -2], [0, 1]]), np.array([1.0, -1.0]))]
    for A, q, values in cases:
        assert np.array_equal(A @ q, q * values)
        grad = gd.quadratic((A + A.T) / 2).grad
        for share in (0.05, 0.5, 0.99):
            lr = share * edge / max(values)
            # Every component that is not kept grows or shrinks by 1e20 at least.
            slowest = np.min(np.abs(1 - np.abs(1 - lr * values[values != 0])))
            steps = math.ceil(math.log(1e20) / math.log1p(slowest))
            for component in (0.0, 1e-12, -1e-3):
                for along in np.flatnonzero(values < 0):
                    components = np.where(values < 0, 0.0, np.arange(1.0, len(values) + 1))
                    components[along] = component
                    x0 = q @ components
                    run = descend(grad, x0, lr, steps)
                    diverged = len(run) <= steps or np.max(np.abs(run[-1])) > 1e6
                    stated = {
                        "eigenvector": component != 0,
                        "never": False,
                        "always": True,
                        "axis": np.any(x0[np.diag(A) < 0] != 0),
                    }
                    assert diverged == stated[decides]
                    if not diverged:
                        assert np.all(run @ q[:, values < 0] == 0)
                        assert np.max(np.abs(run[-1])) < 1e-6


@pytest.mark.claim(
    "claim-line-edge",
    kind="spectrum",
    holds={"unhalved": 0.0011998, "ratio": 2.0, "root": 1665},
    false=[
        {"unhalved": 0.0012},
        {"unhalved": 0.0011997},
        {"unhalved": 0.00119},
        {"ratio": 1.0},
        {"root": 1667},
    ],
)
def test_edge_of_the_line(unhalved: float, ratio: float, root: int) -> None:
    """The eigenvalue, and runs from a general start on both sides of both edges."""
    X, y, _ = gd.line()
    X = gd.add_intercept(X)
    for factor, edge in ((2.0, unhalved), (1.0, ratio * unhalved)):
        H, b = factor / len(y) * X.T @ X, factor / len(y) * X.T @ y
        largest = np.linalg.eigvalsh(2 * H / factor)[-1]
        assert largest == pytest.approx((1669 + math.sqrt(root**2 + 4)) / 2, rel=1e-12)
        # Seven places are printed: half a unit of the last.
        assert edge == pytest.approx(2 / (factor / 2 * largest), abs=5e-8 * 2 / factor)
        for start in (np.array([0.5, -0.5]), np.array([-300.0, 40.0])):
            below = descend(gd.quadratic(H, b).grad, start, edge * (1 - 2e-4), 60_000)
            above = descend(gd.quadratic(H, b).grad, start, edge * (1 + 2e-4), 60_000)
            assert np.allclose(below[-1], [20, 5], atol=1e-3)
            assert np.max(np.abs(above[-1])) > 1e5


@pytest.mark.claim(
    "claim-least-squares",
    kind="instances",
    holds={"equations": "normal", "unique": "independent"},
    false=[{"equations": "interpolation"}, {"unique": "always"}, {"unique": "never"}],
)
def test_least_squares(equations: str, unique: str, rng: np.random.Generator) -> None:
    """Solutions of the normal equations are the minimizers; how many there are."""
    model = gd.LinearRegression()
    full = rng.standard_normal((30, 4))
    doubled = np.column_stack([full, full[:, 0] + full[:, 1]])
    for X, independent in ((full, True), (doubled, False)):
        y = rng.standard_normal(30)
        theta = np.linalg.lstsq(X, y, rcond=None)[0]
        if equations == "normal":
            assert np.allclose(X.T @ X @ theta, X.T @ y)
        else:  # that every point is met
            assert np.allclose(X @ theta, y)
        smallest = model.loss_and_grad(theta, X, y)[0]
        losses = [
            model.loss_and_grad(theta + s * u, X, y)[0]
            for s in (1e-3, 1.0)
            for u in [*unit_vectors(rng, 200, X.shape[1]), np.linalg.svd(X)[2][-1]]
        ]
        assert min(losses) >= smallest - 1e-12
        stated = {"always": True, "never": False}.get(unique, independent)
        assert (min(losses) > smallest + 1e-9) == stated
