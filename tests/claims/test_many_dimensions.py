"""The claims of the chapter on many dimensions."""

from __future__ import annotations

import math

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


@pytest.mark.claim(
    "claim-partials",
    kind="counterexample",
    holds={"power": 2, "partial": 0.0},
    false=[{"power": 1}, {"power": 4}, {"partial": 0.5}],
)
def test_partials_are_not_enough(power: int, partial: float, rng: np.random.Generator) -> None:
    """The rate in every direction, and that it is no inner product with the gradient."""

    def f(x: np.ndarray) -> float:
        return float(x[0] ** 2 * x[1] / (x @ x)) if x @ x else 0.0

    for u in unit_vectors(rng, 50, 2):
        rates = [f(s * u) / s for s in (1e-1, 1e-4, -1e-7)]
        assert np.allclose(rates, u[0] ** power * u[1], rtol=1e-9, atol=1e-12)
    axes = [f(1e-7 * e) / 1e-7 for e in np.eye(2)]
    assert axes == [partial, partial]
    assert f(np.array([1e-7, 1e-7]) / math.sqrt(2)) / 1e-7 == pytest.approx(math.sqrt(2) / 4)


@pytest.mark.claim(
    "claim-steepest",
    kind="instances",
    holds={"sign": -1.0, "power": 1.0},
    false=[{"sign": 1.0}, {"power": 0.0}, {"power": 0.5}],
)
def test_steepest(sign: float, power: float, rng: np.random.Generator) -> None:
    """No unit vector does better than the stated one, and none but itself as well."""
    for d in (1, 2, 5, 40):
        for scale in (1e-3, 1.0, 70.0):
            g = scale * rng.standard_normal(d)
            # power 1 normalizes the gradient, other powers change its direction
            best = sign * np.sign(g) * np.abs(g) ** power
            best /= np.linalg.norm(best)
            assert g @ best == pytest.approx(-np.linalg.norm(g))
            near = best + 1e-3 * unit_vectors(rng, 200, d)
            others = np.concatenate([unit_vectors(rng, 200, d), near])
            others /= np.linalg.norm(others, axis=1, keepdims=True)
            distinct = np.linalg.norm(others - best, axis=1) > 1e-9
            assert np.all(others[distinct] @ g > g @ best)


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
    "claim-evaluations",
    kind="exact",
    holds={"forward": "n + 1", "central": "2 n"},
    false=[{"forward": "2 n"}, {"forward": "n"}, {"central": "n + 1"}, {"central": "2 n + 1"}],
)
def test_evaluations(forward: str, central: str) -> None:
    """Different points counted while the package estimates a gradient."""
    counts = {"n": lambda n: n, "n + 1": lambda n: n + 1}
    counts |= {"2 n": lambda n: 2 * n, "2 n + 1": lambda n: 2 * n + 1}
    for n in (1, 2, 3, 17):
        for method, stated in (("forward", forward), ("central", central)):
            seen: set[bytes] = set()

            def f(x: np.ndarray, seen: set[bytes] = seen) -> float:
                seen.add(x.tobytes())
                return float(x @ x)

            gd.numerical_gradient(f, np.linspace(0.5, 2, n), method=method)
            assert len(seen) == counts[stated](n)


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


@pytest.mark.claim(
    "claim-local-edge-many",
    kind="instances",
    holds={"edge": 2.0, "of": "largest"},
    false=[{"edge": 2.05}, {"edge": 4.0}, {"of": "smallest"}],
)
def test_edge_at_a_minimum(edge: float, of: str, rng: np.random.Generator) -> None:
    """Runs from close by converge up to the edge, at the minima of functions that bend."""
    minima = [
        (gd.himmelblau(), point) for point in ((3.0, 2.0), (-3.7793, -3.2832), (3.5844, -1.8481))
    ]
    minima += [(gd.rosenbrock(), (1.0, 1.0)), (gd.beale(), (3.0, 0.5))]
    for function, near in minima:
        x = gd.newton(function, near, steps=20, tol=1e-12).x[-1]
        values = np.linalg.eigvalsh(function.hessian(x))
        chosen = values[-1] if of == "largest" else values[0]
        for u in unit_vectors(rng, 3, 2):
            run = descend(function.grad, x + 1e-4 * u, (edge - 1e-2) / chosen, 3000)
            assert len(run) == 3001
            assert np.linalg.norm(run[-1] - x) < 1e-4
            assert np.linalg.norm(run[-1] - x) < np.linalg.norm(run[0] - x)


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
    holds={"decides": "negative component", "edge": 2.0, "zero": False},
    false=[{"decides": "never"}, {"decides": "always"}, {"edge": 2.05}, {"zero": True}],
)
def test_saddle(decides: str, edge: float, zero: bool) -> None:
    """Runs from starts with and without the component, for rates below the edge."""
    spectra = [[1.0, -1.0], [3.0, 0.4, -0.2], [2.0, -0.5, -1.5]]
    if zero:
        spectra = [[1.0, 0.0, -1.0]]
    for eigenvalues in spectra:
        values = np.array(eigenvalues)  # along the axes, so that a component can be exactly 0
        grad = gd.quadratic(np.diag(values)).grad
        for share in (0.05, 0.5, 0.99):
            lr = share * edge / max(eigenvalues)
            for component in (0.0, 1e-12, -1e-3):
                for along in np.flatnonzero(values < 0):
                    x0 = np.where(values < 0, 0.0, np.arange(1.0, len(values) + 1))
                    x0[along] = component
                    run = descend(grad, x0, lr, 20_000)
                    diverged = len(run) <= 20_000 or np.max(np.abs(run[-1])) > 1e6
                    stated = {"never": False, "always": True}.get(decides, component != 0)
                    assert diverged == stated
                    if not diverged:
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
