"""The claims of the chapter on stochastic gradient descent."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

import gdcourse as gd


def examples(rng: np.random.Generator, n: int, d: int) -> tuple[np.ndarray, np.ndarray]:
    """Return a small regression problem that cannot be fitted exactly."""
    return rng.standard_normal((n, d)), rng.standard_normal(n)


def gradient(X: np.ndarray, y: np.ndarray, theta: np.ndarray) -> np.ndarray:
    """Return the gradient of the mean loss over the given examples."""
    return gd.LinearRegression().loss_and_grad(theta, X, y)[1]


def sgd(X: np.ndarray, y: np.ndarray, theta: np.ndarray, lr: float, order: object) -> np.ndarray:
    """Return the parameters after steps on single examples in this order."""
    rule = gd.GradientDescent(lr=lr)
    for i in order:  # type: ignore[attr-defined]
        theta, _ = rule.update(theta, gradient(X[i : i + 1], y[i : i + 1], theta), ())
    return theta


@pytest.mark.claim(
    "claim-unbiased",
    kind="enumeration",
    holds={"draws": "uniform", "place": "any", "given": "nothing", "scale": "mean"},
    false=[
        {"draws": "first more often"},
        {"given": "those before"},
        {"scale": "sum"},
        {"place": "any, as the run goes"},
    ],
)
def test_unbiased(draws: str, place: str, given: str, scale: str, rng: np.random.Generator) -> None:
    """Over all draws, and over all orders of a pass, place by place."""
    n = 4
    X, y = examples(rng, n, 2)
    theta = np.array([0.7, -1.0])
    full = gradient(X, y, theta) * (n if scale == "sum" else 1)
    each = np.array([gradient(X[i : i + 1], y[i : i + 1], theta) for i in range(n)])
    chance = np.full(n, 1 / n)
    if draws == "first more often":
        chance = np.array([0.4, 0.2, 0.2, 0.2])
    assert np.allclose(chance @ each, full, rtol=1e-12)
    orders = list(itertools.permutations(range(n)))
    if given == "those before":
        orders = [order for order in orders if order[0] == 2]
    for t in range(n):
        if place == "any, as the run goes":
            met = []
            for order in orders:
                here = sgd(X, y, theta, 0.3, order[:t])
                met.append(gradient(X[[order[t]]], y[[order[t]]], here) - gradient(X, y, here))
            assert np.allclose(np.mean(met, axis=0), 0, atol=1e-12)
        else:
            assert np.allclose(np.mean([each[order[t]] for order in orders], axis=0), full)


@pytest.mark.claim(
    "claim-gradient-variance",
    kind="enumeration",
    holds={"sign": -1.0, "power": 2, "divisor": 0},
    false=[{"sign": 1.0}, {"power": 1}, {"divisor": 1}],
)
def test_signal_and_noise(sign: float, power: int, divisor: int, rng: np.random.Generator) -> None:
    """Over all examples, at several points."""
    X, y = examples(rng, 7, 3)
    for theta in rng.standard_normal((5, 3)):
        each = (X @ theta - y)[:, None] * X
        g = gradient(X, y, theta)
        left = np.sum((each - g) ** 2) / (7 - divisor)
        right = np.mean(np.sum(each**2, axis=1)) + sign * np.linalg.norm(g) ** power
        assert left == pytest.approx(right, rel=1e-12)


@pytest.mark.claim(
    "claim-redundant",
    kind="enumeration",
    holds={"copies": "equal", "draws": "independent"},
    false=[{"copies": "one more of the first"}, {"draws": "a pass"}],
)
def test_copies_cost_nothing(copies: str, draws: str, rng: np.random.Generator) -> None:
    """All ends with their chances, over all draws, with and without copies."""
    X, y = examples(rng, 3, 2)
    start, k, steps = np.array([1.0, -0.5]), 2, 2
    rows = [0, 1, 2] * k + ([0] if copies == "one more of the first" else [])

    def ends(X: np.ndarray, y: np.ndarray) -> np.ndarray:
        every = itertools.product if draws == "independent" else itertools.permutations
        options = {"repeat": steps} if draws == "independent" else {"r": steps}
        return np.array([sgd(X, y, start, 0.3, order) for order in every(range(len(y)), **options)])

    once, copied = ends(X, y), ends(X[rows], y[rows])

    def chances(ends: np.ndarray) -> dict[tuple[float, ...], float]:
        found, counts = np.unique(ends.round(9), axis=0, return_counts=True)
        return {tuple(end): count / len(ends) for end, count in zip(found, counts, strict=True)}

    assert chances(once) == pytest.approx(chances(copied))
    assert np.allclose(gradient(X, y, start), gradient(X[rows], y[rows], start))


@pytest.mark.claim(
    "claim-no-gain",
    kind="enumeration",
    holds={"rate": 1.0, "skip": 0, "order": "any"},
    false=[{"rate": 0.9}, {"skip": 1}, {"order": "with repetition"}],
)
def test_nothing_redundant(rate: float, skip: int, order: str, rng: np.random.Generator) -> None:
    """One full step, and every order of a pass; after t steps the others are where they were."""
    n = 4
    X, solution = math.sqrt(n) * np.eye(n), rng.standard_normal(n)
    y, start = X @ solution, rng.standard_normal(n)
    full, _ = gd.GradientDescent(lr=1.0).update(start, gradient(X, y, start), ())
    assert np.allclose(full, solution, rtol=1e-12)
    passes = list(itertools.permutations(range(n)))
    if order == "with repetition":
        passes.append((0, 1, 2, 2))
    for single in passes:
        end = sgd(X, y, start, rate / n, single[: n - skip])
        assert np.allclose(end, solution, rtol=1e-12)
        half = sgd(X, y, start, rate / n, single[:2])
        assert np.count_nonzero(half != start) == len(set(single[:2]))


@pytest.mark.claim(
    "claim-three-edges",
    kind="exact",
    holds={"safe": 2.0, "of": "largest", "square": 2.0, "fourth": 4},
    false=[
        {"safe": 2.1},
        {"of": "mean"},
        {"square": 1.9},
        {"square": 2.1},
        {"fourth": 3},
    ],
)
def test_three_edges(
    safe: float, of: str, square: float, fourth: int, rng: np.random.Generator
) -> None:
    """The factors on both sides of the first edge, the mean square on both sides of the second."""
    for x in (np.array([1.0, 3.0]), np.array([0.5, -2.0, 1.0]), np.array([2.0, 2.0])):
        edge = safe / np.max(x**2) if of == "largest" else safe / np.mean(x**2)
        for share in (0.01, 0.5, 0.999):
            assert np.all(np.abs(1 - share * edge * x**2) <= 1)
        assert np.max(np.abs(1 - 1.001 * edge * x**2)) > 1
        middle = square * np.mean(x**2) / np.mean(np.abs(x) ** fourth)
        X, y = x[:, None], 2 * x
        for share, shrinks in ((0.1, True), (0.999, True), (1.001, False), (2.0, False)):
            mean = gd.LeastSquaresMoments(X, y).expected_loss([0.0], share * middle, 40_000)
            assert (mean[-1] < 1e-3 * mean[0]) == shrinks
            assert shrinks or mean[-1] > 1e3 * mean[0]


@pytest.mark.claim(
    "claim-three-edges",
    kind="exact",
    holds={"low": 2.645751311, "high": 1.111111111, "statistic": "logarithm"},
    false=[{"low": 2.5}, {"low": 2.7}, {"high": 1.2}, {"statistic": "mean"}],
)
def test_almost_sure_edge_of_two_examples(low: float, high: float, statistic: str) -> None:
    """Where the mean of the logarithm is negative, and where runs with both draws equal shrink."""
    edges = [0.0, (5 - low) / 9, (5 + low) / 9, high]
    for eta in np.linspace(0.001, 1.3, 2600):
        factors = np.abs([1 - eta, 1 - 9 * eta])
        shrinks = bool(np.prod(factors) < 1)  # after as many draws of the one as of the other
        if statistic == "mean":
            shrinks = bool(np.mean(factors) < 1)
        stated = edges[0] < eta < edges[1] or edges[2] < eta < edges[3]
        if min(abs(eta - edge) for edge in edges) > 1e-6:
            assert shrinks == stated
    # And the limit theorem, on runs: 2000 draws, whose mean logarithm is off by 0.03 at most.
    rng = np.random.default_rng(11)
    for eta, shrinks in ((0.2, True), (0.245, True), (0.3, False), (0.6, False), (0.95, True)):
        factors = np.abs([1 - eta, 1 - 9 * eta])
        ends = [np.sum(np.log(factors[rng.integers(2, size=2000)])) for _ in range(100)]
        assert all((end < 0) == shrinks for end in ends)
    mean_square = gd.LeastSquaresMoments(np.array([[1.0], [3.0]]), np.array([2.0, 6.0]))
    assert mean_square.mean_square_edge() == pytest.approx(10 / 41, rel=1e-12)


@pytest.mark.claim(
    "claim-mean-square-edge",
    kind="spectrum",
    holds={"map": "both sides", "edge": 1.0, "draws": "independent"},
    false=[{"map": "one side"}, {"edge": 0.8}, {"edge": 1.2}, {"draws": "in order"}],
)
def test_mean_square_edge(map: str, edge: float, draws: str, rng: np.random.Generator) -> None:
    """The mean over all sequences of draws, on both sides of where the radius is the edge."""
    X = np.array([[1.0, 0.2], [0.3, 2.0], [-1.0, 1.0]])
    moments = gd.LeastSquaresMoments(X, X @ np.array([1.0, 2.0]))

    def radius(lr: float) -> float:
        steps = [np.eye(2) - lr * np.outer(x, x) for x in X]
        if map == "one side":
            return float(np.max(np.abs(np.linalg.eigvals(np.mean(steps, axis=0)))))
        return float(np.max(np.abs(np.linalg.eigvals(np.mean([np.kron(A, A) for A in steps], 0)))))

    low, high = 1e-3, 5.0
    while high - low > 1e-12:
        middle = (low + high) / 2
        low, high = (middle, high) if radius(middle) < edge else (low, middle)
    for share, shrinks in ((0.99, True), (1.01, False)):
        for start in (np.array([1.0, 0.0]), np.array([-2.0, 1.0])):
            if draws == "independent":
                size = moments.expected_loss(moments.solution + start, share * low, 6000)
            else:
                order = np.tile(np.arange(3), 400)
                end = sgd(X, X @ np.array([1.0, 2.0]), moments.solution + start, share * low, order)
                size = np.array([1.0, np.sum((end - moments.solution) ** 2)])
            assert (size[-1] < 1e-3 * size[0]) == shrinks
    # The recursion that makes the mean is itself the mean over all draws.
    total = np.zeros(3)
    for order in itertools.product(range(3), repeat=2):
        thetas = [sgd(X, moments.y, np.zeros(2), 0.4, order[:t]) for t in range(3)]
        total += [np.mean((X @ theta - moments.y) ** 2) / 2 for theta in thetas]
    assert np.allclose(total / 9, moments.expected_loss(np.zeros(2), 0.4, 2), rtol=1e-12)


def growth(lr: float, rng: np.random.Generator, batches: int = 60) -> tuple[float, float]:
    """Return the mean growth of ln|e| per step over long stretches, and its standard error."""
    X = gd.add_intercept(gd.normal_regression(seed=0).X)
    error, rates, length = np.ones(3), [], 2000
    for _ in range(batches):
        log_size = 0.0
        for x in X[rng.integers(len(X), size=length)]:
            error = error - lr * x.dot(error) * x
            size = math.sqrt(error.dot(error))
            log_size += math.log(size)
            error = error / size
        rates.append(log_size / length)
    return float(np.mean(rates)), float(np.std(rates, ddof=1) / math.sqrt(batches))


@pytest.mark.claim(
    "claim-almost-sure",
    kind="statistical",
    holds={"below": 0.63, "above": 0.67},
    false=[{"below": 0.67}, {"above": 0.63}, {"above": 0.44}],
)
def test_where_runs_fail(below: float, above: float, rng: np.random.Generator) -> None:
    """The growth is on the stated side of 0 by five standard errors.

    The stretches are long against the memory of the direction, so their means are nearly
    independent and normal: a wrong verdict has a chance below one in a hundred thousand.
    """
    mean, error = growth(below, rng)
    assert mean < -5 * error
    mean, error = growth(above, rng)
    assert mean > 5 * error


@pytest.mark.claim(
    "claim-fixed-order",
    kind="spectrum",
    holds={"product": "of the pass", "order": "fixed", "fitted": True},
    false=[{"product": "of the mean"}, {"order": "shuffled"}, {"fitted": False}],
)
def test_passes_in_a_fixed_order(
    product: str, order: str, fitted: bool, rng: np.random.Generator
) -> None:
    """Runs of many passes, at rates on both sides of where the radius is 1."""
    verdicts = set()
    for _ in range(12):
        X = rng.standard_normal((5, 2))
        solution = np.array([1.0, -2.0])
        y = X @ solution + (0.0 if fitted else 1.0) * rng.standard_normal(5)
        for lr in (0.2, 0.5, 0.8, 1.1):
            steps = [np.eye(2) - lr * np.outer(x, x) for x in X]
            M = np.linalg.multi_dot(steps[::-1])
            if product == "of the mean":
                M = np.mean(steps, axis=0)
            radius = np.max(np.abs(np.linalg.eigvals(M)))
            if abs(radius - 1) < 0.05:
                continue
            end = solution + rng.standard_normal(2)
            for _ in range(400):
                turn = rng.permutation(5) if order == "shuffled" else range(5)
                end = sgd(X, y, end, lr, turn)
                if np.abs(end).max() > 1e100:
                    break
            arrived = bool(np.abs(end - solution).max() < 1e-5)
            assert arrived == bool(radius < 1)
            verdicts.add(arrived)
    assert verdicts == {True, False}


@pytest.mark.claim(
    "claim-line-order",
    kind="spectrum",
    holds={"radius": 0.957, "order": "given", "edge": 0.000666, "half": 2.0},
    false=[
        {"radius": 0.958},
        {"radius": 0.956},
        {"order": "shuffled"},
        {"edge": 0.000667},
        {"edge": 0.000665},
        {"half": 1.0},
    ],
)
def test_the_books_order(
    radius: float, order: str, edge: float, half: float, rng: np.random.Generator
) -> None:
    """The eigenvalues, in the given order, backwards and rotated; and passes of the loop."""
    X, y, _ = gd.line()
    X = gd.add_intercept(X)
    given = np.arange(100)
    if order == "shuffled":
        given = rng.permutation(100)
    for turn in (given, given[::-1], np.roll(given, 37), np.roll(given, -3)):
        M = np.eye(2)
        for x in X[turn]:
            M = (np.eye(2) - half * 0.001 * np.outer(x, x)) @ M
        found = np.max(np.abs(np.linalg.eigvals(M)))
        assert found == pytest.approx(radius, abs=5e-4)
    # The loop itself shrinks the error by that factor, a pass for a pass.
    error = np.array([20.0, 5.0])
    sizes = []
    for _ in range(60):
        error = sgd(X, 0 * y, error, half * 0.001, given)
        sizes.append(np.linalg.norm(error))
    assert (sizes[-1] / sizes[29]) ** (1 / 30) == pytest.approx(radius, abs=5e-4)
    found = gd.LeastSquaresMoments(X, y).mean_square_edge() / half
    assert found == pytest.approx(edge, abs=5e-7)


@pytest.mark.claim(
    "claim-interpolation",
    kind="spectrum",
    holds={"of": "largest", "factor": 2.0, "fitted": True},
    false=[{"of": "mean"}, {"factor": 2.2}, {"fitted": False}],
)
def test_interpolation(of: str, factor: float, fitted: bool, rng: np.random.Generator) -> None:
    """The exact mean over all draws, below the bound at every step, for rates up to the edge."""
    problems = [rng.standard_normal((6, 2)), np.array([[1.0], [3.0]]), np.eye(3)]
    for X in problems:
        solution = np.ones(X.shape[1])
        y = X @ solution + (0.0 if fitted else 0.3) * rng.standard_normal(len(X))
        moments = gd.LeastSquaresMoments(X, y)
        mu = np.linalg.eigvalsh(moments.hessian)[0]
        each = np.sum(X**2, axis=1)
        smooth = np.max(each) if of == "largest" else np.mean(each)
        for share in (0.1, 0.5, 1.0, 1.7, 1.99):
            lr = share / smooth
            bound = 1 - lr * mu * (factor - lr * smooth)
            # E|e|² itself: start at the solution plus e, and apply the map to e eᵀ.
            for e in np.eye(X.shape[1]):
                second = np.outer(e, e).ravel()
                for t in range(1, 30):
                    second = moments.operator(lr) @ second + lr**2 * moments.noise.ravel()
                    size = np.trace(second.reshape(2 * [X.shape[1]]))
                    assert size <= bound**t * (1 + 1e-9) + 1e-15


@pytest.mark.claim(
    "claim-interpolation",
    kind="enumeration",
    holds={"factor": 2.0, "convex": True, "fitted": True},
    false=[{"factor": 4.5}, {"convex": False}, {"fitted": False}],
)
def test_interpolation_without_squares(factor: float, convex: bool, fitted: bool) -> None:
    """All draws of three steps, on losses that are no squares: log cosh and half a square."""
    X = np.array([[1.0, 0.2], [0.3, 1.5], [-1.0, 1.0], [0.4, -0.8]])
    solution = np.array([0.5, -1.0])
    shift = np.zeros(4) if fitted else np.array([1.0, -1.0, 1.0, -1.0])
    mu = 0.3

    def slope(i: int, theta: np.ndarray) -> np.ndarray:
        z = X[i] @ (theta - solution) - shift[i]
        bend = np.tanh(z) if convex else 2 * np.sin(3 * z)
        return bend * X[i] + mu * (theta - solution)

    smooth = np.max(np.sum(X**2, axis=1)) + mu  # log cosh is 1-smooth
    for share in (0.2, 0.5, 1.0, 1.9):
        lr = share / smooth
        bound = 1 - lr * mu * (factor - lr * smooth)
        for e in ([2.0, 0.0], [0.0, -1.0], [0.1, 0.1]):
            start = solution + np.array(e)
            for t in (1, 2, 3):
                sizes = []
                for order in itertools.product(range(4), repeat=t):
                    theta = start
                    for i in order:
                        theta = theta - lr * slope(i, theta)
                    sizes.append(np.sum((theta - solution) ** 2))
                assert np.mean(sizes) <= bound**t * np.sum(np.square(e)) * (1 + 1e-9)
