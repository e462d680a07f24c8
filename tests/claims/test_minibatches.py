"""The claims of the chapter on mini-batches."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

import gdcourse as gd


def normal_moments(d: int) -> np.ndarray:
    """Return 6^d examples with the moments of d independent standard normal numbers, to the 5th.

    The nodes of a Gauss-Hermite rule, each as often as its weight says: 1/6, 4/6, 1/6.
    """
    nodes = [-math.sqrt(3), 0.0, 0.0, 0.0, 0.0, math.sqrt(3)]
    return np.array(list(itertools.product(nodes, repeat=d)))


def gradients(X: np.ndarray, y: np.ndarray, theta: np.ndarray) -> np.ndarray:
    """Return the gradient of each example, by the model."""
    model = gd.LinearRegression()
    return np.array(
        [model.loss_and_grad(theta, X[i : i + 1], y[i : i + 1])[1] for i in range(len(y))]
    )


@pytest.mark.claim(
    "claim-batch-variance",
    kind="enumeration",
    holds={"power": 1, "pool": 0, "among": 1, "divisor": 0, "sets": "all"},
    false=[
        {"power": 2},
        {"pool": 1},
        {"among": 0},
        {"divisor": 1},
        {"sets": "those with the first"},
    ],
)
def test_variance_of_a_batch(
    power: int, pool: int, among: int, divisor: int, sets: str, rng: np.random.Generator
) -> None:
    """Over all draws, and over all sets, for every batch size."""
    for n in (2, 3, 5):
        X, y, theta = rng.standard_normal((n, 2)), rng.standard_normal(n), rng.standard_normal(2)
        each = gradients(X, y, theta)
        full = gd.LinearRegression().loss_and_grad(theta, X, y)[1]
        variance = np.sum((each - full) ** 2) / (n - divisor)
        for B in range(1, n + 1):
            draws = list(itertools.product(range(n), repeat=B))
            chosen = list(itertools.combinations(range(n), B))
            if sets == "those with the first":
                chosen = [rows for rows in chosen if 0 in rows]
            share = (n + pool - B) / (n - among)
            for batches, stated in (
                (draws, variance / B**power),
                (chosen, variance / B**power * share),
            ):
                means = np.array([each[list(rows)].mean(axis=0) for rows in batches])
                assert np.allclose(means.mean(axis=0), full, rtol=1e-12, atol=1e-12)
                found = np.mean(np.sum((means - full) ** 2, axis=1))
                assert found == pytest.approx(stated, rel=1e-12, abs=1e-14)


@pytest.mark.claim(
    "claim-batch-scaling",
    kind="exact",
    holds={"power": 1.0, "quarter": 4.0, "draws": "with replacement"},
    false=[{"power": 0.5}, {"power": 2.0}, {"quarter": 2.0}, {"draws": "without"}],
)
def test_floor_under_linear_scaling(
    power: float, quarter: float, draws: str, rng: np.random.Generator
) -> None:
    """The limits of floor over rate."""
    X = rng.standard_normal((9, 3))
    y = rng.standard_normal(9) * (1 + X[:, 0] ** 2)
    best = np.linalg.lstsq(X, y, rcond=None)[0]
    variance = np.mean(np.sum(gradients(X, y, best) ** 2, axis=1))
    for B in (2, 5, 8):
        options = {"batch_size": B, "replacement": draws == "with replacement"}
        moments = gd.LeastSquaresMoments(X, y, **options)
        for lr in (1e-4, 1e-5):
            floor = moments.excess_loss(B**power * lr) / lr
            assert floor == pytest.approx(variance / quarter, rel=300 * lr * B)


@pytest.mark.claim(
    "claim-batch-scaling",
    kind="exact",
    holds={"power": 1.0, "steps": "as many as examples"},
    false=[{"power": 0.5}, {"power": 2.0}, {"steps": "one"}],
)
def test_mean_error_under_linear_scaling(
    power: float, steps: str, rng: np.random.Generator
) -> None:
    """What is left of the mean error, after one step and after as many as the batch is large."""
    X = rng.standard_normal((9, 3))
    H = X.T @ X / 9
    for B in (2, 5, 30):
        for lr in (1e-3, 1e-4, 1e-5):
            small = np.linalg.matrix_power(np.eye(3) - lr * H, B if steps != "one" else 1)
            large = np.eye(3) - B**power * lr * H
            assert np.abs(large - small).max() < (B * lr * 5) ** 2


@pytest.mark.claim(
    "claim-batch-scaling",
    kind="enumeration",
    holds={"quarter": 4.0, "edge": "of the batch", "power": 1},
    false=[{"quarter": 4.2}, {"edge": "of one"}, {"edge": "none"}, {"power": 2}],
)
def test_floor_with_one_parameter(quarter: float, edge: str, power: int) -> None:
    """The recursion over all batches, run to its limit."""
    for x, y in (
        (np.array([1.0, 3.0]), np.array([1.0, 1.0])),
        (np.array([1.0, -1.0, 2.0]), np.array([0.0, 1.0, 3.0])),
    ):
        best = x @ y / (x @ x)
        variance = np.mean((x * best - y) ** 2 * x**2)
        for B in (1, 2, 3):
            batches = [list(rows) for rows in itertools.product(range(len(x)), repeat=B)]
            curvature = np.array([np.mean(x[rows] ** 2) for rows in batches])
            push = np.array([np.mean((y[rows] - best * x[rows]) * x[rows]) for rows in batches])
            single = 2 * np.mean(x**2) / np.mean(x**4)
            limit = 2 * np.mean(curvature) / np.mean(curvature**2)
            for share in (0.1, 0.5, 0.9):
                lr = share * limit
                mean, second = 2.0, 4.0
                for _ in range(2000):
                    a, b = 1 - lr * curvature, lr * push
                    second = np.mean(a**2 * second + 2 * a * b * mean + b**2)
                    mean = np.mean(a * mean + b)
                past = {"of the batch": limit, "of one": single, "none": math.inf}[edge]
                stated = lr * variance / (quarter * B**power) / (1 - lr / past)
                assert np.mean(x**2) * second / 2 == pytest.approx(stated, rel=1e-9)


@pytest.mark.claim(
    "claim-batch-edge",
    kind="spectrum",
    holds={"two": 2.0, "pairs": 1, "power": 4, "draws": True},
    false=[{"two": 1.9}, {"two": 2.1}, {"pairs": 0}, {"power": 2}, {"draws": False}],
)
def test_edge_with_one_parameter(two: float, pairs: int, power: int, draws: bool) -> None:
    """Means over all batches, on both sides of the edge; and the package's edge."""
    for x in (np.array([1.0, 3.0]), np.array([0.5, -2.0, 1.0])):
        for B in (1, 2, 3):
            second, fourth = np.mean(x**2), np.mean(x**power)
            edge = two * B / (fourth / second + (B - pairs) * second)
            choose = itertools.product if draws else itertools.combinations
            options = {"repeat": B} if draws else {"r": min(B, len(x))}
            batches = list(choose(x, **options))  # type: ignore[operator]
            for share, shrinks in ((0.001, True), (0.999, True), (1.001, False), (3.0, False)):
                factors = [1 - share * edge * np.mean(np.square(batch)) for batch in batches]
                assert (np.mean(np.square(factors)) < 1) == shrinks
            package = gd.LeastSquaresMoments(x[:, None], 2 * x, batch_size=B).mean_square_edge()
            assert package == pytest.approx(edge, rel=1e-9)


@pytest.mark.claim(
    "claim-batch-edge",
    kind="spectrum",
    holds={"two": 2.0, "steep": "largest", "curvature": "largest", "definite": True},
    false=[
        {"two": 4.5},
        {"steep": "mean"},
        {"curvature": "smallest"},
        {"definite": False},
    ],
)
def test_bound_with_many_parameters(
    two: float, steep: str, curvature: str, definite: bool, rng: np.random.Generator
) -> None:
    """E|e|² after a step from every direction, and in the long run, just below the bound."""
    problems = [rng.standard_normal((7, 3)), np.diag([1.0, 2.0, 5.0]), rng.standard_normal((4, 1))]
    problems.append(np.array([[3.0, 0.0], [0.0, 0.1], [0.1, 0.1]]))
    for X in problems:
        d = X.shape[1]
        if not definite:
            X = np.column_stack([X, X[:, 0]])
        H = X.T @ X / len(X)
        fourth = (X.T * np.sum(X**2, axis=1)) @ X / len(X)
        if steep == "largest":
            least = np.max(np.linalg.eigvals(np.linalg.pinv(H) @ fourth).real)
            choices = [least, np.max(np.sum(X**2, axis=1))]
        else:
            choices = [np.mean(np.sum(X**2, axis=1))]
        L = np.linalg.eigvalsh(H)[-1 if curvature == "largest" else 0]
        for R2, B in itertools.product(choices, (1, 2, 10)):
            lr = 0.999 * two * B / (R2 + (B - 1) * L)
            square = fourth / B + (B - 1) / B * H @ H
            step = np.eye(len(H)) - 2 * lr * H + lr**2 * square
            assert np.linalg.eigvalsh(step)[-1] <= 1 + 1e-12
            if definite:
                moments = gd.LeastSquaresMoments(X, X @ np.ones(d), batch_size=B)
                assert moments.radius(lr) < 1
            else:  # an error across all examples stays
                assert np.linalg.eigvalsh(step)[-1] < 1 - 1e-9


@pytest.mark.claim(
    "claim-batch-normal",
    kind="spectrum",
    holds={"one": 1, "two": 2.0, "inputs": "normal"},
    false=[{"one": 0}, {"one": 2}, {"two": 1.0}, {"inputs": "signs"}],
)
def test_normal_inputs(one: int, two: float, inputs: str, rng: np.random.Generator) -> None:
    """The factor of E|e|² from every start, where it is 1, and the variance of a gradient."""
    for d in (1, 2, 3):
        X = normal_moments(d)
        if inputs == "signs":
            X = np.array(list(itertools.product([-1.0, 1.0], repeat=d)))
        for B in (1, 4, 50):
            moments = gd.LeastSquaresMoments(X, X @ np.ones(d), batch_size=B)
            for lr in (0.1, 0.5, 1.3):
                factor = 1 - two * lr + lr**2 * (B + d + one) / B
                for e in (np.eye(d)[0], np.ones(d), np.arange(d) - 0.3):
                    after = (moments.operator(lr) @ np.outer(e, e).ravel()).reshape(d, d)
                    assert np.trace(after) == pytest.approx(factor * e @ e, rel=1e-9)
            edge = two * B / (B + d + one)
            assert moments.mean_square_edge() == pytest.approx(edge, rel=1e-9)
        for theta in rng.standard_normal((3, d)):
            each = gradients(X, X @ np.ones(d), theta)
            full = each.mean(axis=0)
            variance = np.mean(np.sum((each - full) ** 2, axis=1))
            assert variance == pytest.approx((d + one) * full @ full, rel=1e-9)


@pytest.mark.claim(
    "claim-batch-best",
    kind="spectrum",
    holds={"rate": 1, "factor": 1, "steps": "fall", "examples": "rise", "least": 1},
    false=[{"rate": 2}, {"factor": 0}, {"steps": "rise"}, {"examples": "fall"}, {"least": 3}],
)
def test_what_a_batch_buys(rate: int, factor: int, steps: str, examples: str, least: int) -> None:
    """The best rate among many, its factor, and both counts, before and after rounding."""
    goal = math.log(1e6)
    for d in (1, 2, 3):
        X = normal_moments(d)
        counts, whole = [], {}
        for B in (1, 2, 3, 7, 20, 100):
            moments = gd.LeastSquaresMoments(X, X @ np.ones(d), batch_size=B)
            best, e = B / (B + d + rate), np.eye(d)[0]

            def shrink(lr: float) -> float:
                after = moments.operator(lr) @ np.outer(e, e).ravel()  # noqa: B023
                return float(np.trace(after.reshape(d, d)))  # noqa: B023

            assert all(shrink(best) < shrink(share * best) for share in (0.5, 0.95, 1.05, 2.0))
            assert shrink(best) == pytest.approx((d + factor) / (B + d + factor), rel=1e-9)
            needed = goal / math.log1p(B / (d + 1))
            assert shrink(best) ** needed == pytest.approx(1e-6, rel=1e-6)
            counts.append((needed, B * needed))
            whole[B] = B * math.ceil(needed)
        order = {"fall": -1.0, "rise": 1.0}
        assert all(order[steps] * (b[0] - a[0]) > 0 for a, b in itertools.pairwise(counts))
        assert all(order[examples] * (b[1] - a[1]) > 0 for a, b in itertools.pairwise(counts))
        assert whole[least] == min(whole.values())


@pytest.mark.claim(
    "claim-last-batch",
    kind="enumeration",
    holds={"shorter": "r/B", "heavier": "B/r", "every": "B", "size": "r"},
    false=[
        {"shorter": "B/r"},
        {"heavier": "1"},
        {"every": "the size"},
        {"size": "B"},
    ],
)
def test_last_batch(
    shorter: str, heavier: str, every: str, size: str, rng: np.random.Generator
) -> None:
    """All orders of a pass over five examples in batches of two, and of three."""
    n, X, y = 5, rng.standard_normal((5, 2)), rng.standard_normal(5)
    theta, model = np.array([0.3, -1.0]), gd.LinearRegression()
    each, full = gradients(X, y, theta), model.loss_and_grad(theta, X, y)[1]
    variance = np.mean(np.sum((each - full) ** 2, axis=1))
    for B in (2, 3):
        r = n % B
        value = {"r/B": r / B, "B/r": B / r, "1": 1.0}
        lasts, by_size, by_batch = [], [], []
        for order in itertools.permutations(range(n)):
            cut = [list(order[k : k + B]) for k in range(0, n, B)]
            means = [model.loss_and_grad(theta, X[rows], y[rows])[1] for rows in cut]
            sums = [each[rows].sum(axis=0) for rows in cut]
            assert np.allclose(sums[-1] / B, value[shorter] * means[-1], rtol=1e-12)
            # Weights, read off by changing one target in the first batch and one in the last.
            moved = []
            for rows in (cut[0], cut[-1]):
                other = y.copy()
                other[rows[0]] += 1
                change = model.loss_and_grad(theta, X[rows], other[rows])[1]
                change = change - model.loss_and_grad(theta, X[rows], y[rows])[1]
                moved.append(-change @ X[rows[0]] / (X[rows[0]] @ X[rows[0]]))
            assert moved[1] / moved[0] == pytest.approx(value[heavier])
            lasts.append(means[-1])
            by_size.append(np.sum(means, axis=0))
            by_batch.append(np.sum(sums, axis=0) / B)
        assert np.allclose(np.mean(lasts, axis=0), full, rtol=1e-12)
        spread = np.mean(np.sum((np.array(lasts) - full) ** 2, axis=1))
        rest = r if size == "r" else B
        assert spread == pytest.approx(variance / rest * (n - rest) / (n - 1), rel=1e-12)
        always = by_batch if every == "B" else by_size
        assert np.allclose(always, n / B * full, rtol=1e-12)
        assert np.ptp(by_size, axis=0).max() > 0.01
        assert np.allclose(np.mean(by_size, axis=0), math.ceil(n / B) * full, rtol=1e-12)


@pytest.mark.claim(
    "claim-batch-losses",
    kind="exact",
    holds={"weights": "sizes", "plain": "equal"},
    false=[{"weights": "none"}, {"plain": "always"}, {"plain": "never"}],
)
def test_mean_of_batch_losses(weights: str, plain: str, rng: np.random.Generator) -> None:
    """Losses of batches of a real model, in passes with and without a shorter batch."""
    X, y, theta = rng.standard_normal((12, 2)), rng.standard_normal(12), np.array([0.5, 2.0])
    model = gd.LinearRegression()
    whole = model.loss_and_grad(theta, X, y)[0]
    for B in (1, 3, 4, 5, 7, 12):
        batches = list(gd.minibatches(X, y, B, np.random.default_rng(0)))
        losses = np.array([model.loss_and_grad(theta, rows, part)[0] for rows, part in batches])
        sizes = np.array([len(part) for _, part in batches])
        shares = sizes / 12 if weights == "sizes" else np.full(len(sizes), 1 / len(sizes))
        assert losses @ shares == pytest.approx(whole, rel=1e-12)
        equal = {"equal": 12 % B == 0, "always": True, "never": False}[plain]
        assert (abs(np.mean(losses) - whole) < 1e-12) == equal


@pytest.mark.claim(
    "claim-book-blocks",
    kind="spectrum",
    holds={"steep": 2, "by": 2.0, "every": 0.999, "mean": 0.972, "four": 1.54, "cut": "blocks"},
    false=[
        {"steep": 1},
        {"by": 2.3},
        {"every": 0.997},
        {"mean": 0.973},
        {"mean": 0.971},
        {"four": 1.53},
        {"cut": "every fifth"},
    ],
)
def test_the_books_blocks(
    steep: int, by: float, every: float, mean: float, four: float, cut: str
) -> None:
    """The five steps, all orders of them, and the map of the mean square."""
    X, y, _ = gd.line()
    design = gd.add_intercept(X)
    rows = np.arange(100).reshape(5, 20)
    if cut != "blocks":
        rows = rows.reshape(20, 5).T
    steps = [np.eye(2) - 0.001 * 2 * design[part].T @ design[part] / 20 for part in rows]
    largest = [np.max(np.abs(np.linalg.eigvalsh(step))) for step in steps]
    assert sum(size > by for size in largest) == steep
    passes = [np.linalg.multi_dot(order) for order in itertools.permutations(steps)]
    assert len(passes) == 120
    radii = [np.max(np.abs(np.linalg.eigvals(product))) for product in passes]
    assert max(radii) <= every
    square = np.mean([np.kron(product, product) for product in passes], axis=0)
    assert np.max(np.abs(np.linalg.eigvals(square))) == pytest.approx(mean, abs=5e-4)
    larger = [np.eye(2) - 0.001 * 2 * part.T @ part / 25 for part in np.split(design, 4)]
    passes = [np.linalg.multi_dot(order) for order in itertools.permutations(larger)]
    square = np.mean([np.kron(product, product) for product in passes], axis=0)
    assert np.max(np.abs(np.linalg.eigvals(square))) == pytest.approx(four, abs=5e-3)
    # The book's loop itself: one pass is the product in its order.
    theta = np.array([0.5, -0.5])
    for part in rows:
        error = design[part] @ theta - y[part]
        theta = theta - 0.001 * np.mean(2 * error[:, None] * design[part], axis=0)
    solution = np.array([20.0, 5.0])
    product = np.linalg.multi_dot(steps[::-1])
    assert np.allclose(theta - solution, product @ (np.array([0.5, -0.5]) - solution), rtol=1e-9)
