"""The claims of the chapter on noise."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable

import numpy as np
import pytest

import gdcourse as gd

Rate = Callable[[int], float]


def squares(
    lam: float, s: float, start: float, rates: Iterable[float], square: float = 2.0
) -> list[float]:
    """Return E e² after each step on a parabola with independent noise of variance s²."""
    sizes = [start**2]
    for lr in rates:
        sizes.append((1 - lr * lam) ** square * sizes[-1] + lr**2 * s**2)
    return sizes


def mean_squares(X: np.ndarray, y: np.ndarray, e: np.ndarray, rates: Iterable[float]) -> np.ndarray:
    """Return E|e|² after each step of SGD on least squares, from the start θ* + e.

    The mean over the examples is taken term by term, as the text does, and not by the package.
    """
    solution = np.linalg.lstsq(X, y, rcond=None)[0]
    r = y - X @ solution
    mean, second, sizes = e, np.outer(e, e), [float(e @ e)]
    for lr in rates:
        total, shift = np.zeros_like(second), np.zeros_like(mean)
        for x, rest in zip(X, r, strict=True):
            A, push = np.eye(len(e)) - lr * np.outer(x, x), lr * rest * x
            cross = np.outer(A @ mean, push)
            total += A @ second @ A.T + cross + cross.T + np.outer(push, push)
            shift += A @ mean + push
        mean, second = shift / len(X), total / len(X)
        sizes.append(float(np.trace(second)))
    return np.array(sizes)


def constants(X: np.ndarray, y: np.ndarray, of: str) -> tuple[float, float, np.ndarray]:
    """Return μ of the mean, Λ (of the largest example, or of the mean one), and |∇f_i(θ*)|²."""
    each = np.sum(X**2, axis=1)
    best = np.linalg.lstsq(X, y, rcond=None)[0]
    mu = float(np.linalg.eigvalsh(X.T @ X / len(X))[0])
    smooth = float(np.max(each) if of == "largest" else np.mean(each))
    return mu, smooth, (X @ best - y) ** 2 * each


@pytest.mark.claim(
    "claim-noise-floor",
    kind="enumeration",
    holds={"two": 2.0, "power": 2, "noise": "independent", "mean": 0.0},
    false=[
        {"two": 1.0},
        {"two": 2.1},
        {"power": 1},
        {"noise": "the same at every step"},
        {"mean": 0.5},
    ],
)
def test_noise_floor(two: float, power: int, noise: str, mean: float) -> None:
    """All sequences of two-valued noise, for rates up to the edge."""
    for lam, s, lr, start in ((1.0, 1.0, 0.5, 0.0), (2.0, 0.7, 0.1, 3.0), (0.5, 2.0, 3.9, -1.0)):
        v = lr * s**2 / (lam * (two - lr * lam))
        for t in (1, 2, 5, 9):
            ends = []
            for signs in itertools.product((-1, 1), repeat=t):
                e = start
                for sign in signs if noise == "independent" else t * signs[:1]:
                    e = e - lr * (lam * e + s * sign + mean)
                ends.append(e**2)
            stated = v + (1 - lr * lam) ** (power * t) * (start**2 - v)
            assert np.mean(ends) == pytest.approx(stated, rel=1e-12)


@pytest.mark.claim(
    "claim-noise-slope",
    kind="exact",
    holds={"quarter": 4.0, "edge": "mean square", "draws": "independent", "at": "solution"},
    false=[
        {"quarter": 2.0},
        {"quarter": 4.1},
        {"edge": "full step"},
        {"edge": "none"},
        {"draws": "shuffled"},
        {"at": "0"},
    ],
)
def test_one_parameter(quarter: float, edge: str, draws: str, at: str) -> None:
    """The recursion of mean and square, run to its limit; and on both sides of the edge."""
    for x, y in (
        (np.array([1.0, 3.0]), np.array([1.0, 1.0])),
        (np.array([1.0, -1.0, 2.0]), np.array([0.0, 1.0, 3.0])),
    ):
        best = x @ y / (x @ x)
        point = best if at == "solution" else 0.0
        slopes = (point * x - y) * x
        variance = np.mean(slopes**2) - np.mean(slopes) ** 2
        limit = 2 * np.mean(x**2) / np.mean(x**4)
        for share in (0.05, 0.5, 0.9):
            lr = share * limit
            if draws == "independent":
                second = mean_squares(x[:, None], y, np.array([2.0]), 1000 * [lr])[-1]
            else:  # the mean over all orders of a pass, at its end
                second, mean = 4.0, 2.0
                orders = list(itertools.permutations(range(len(x))))
                for _ in range(1000):
                    ends = []
                    for order in orders:
                        a, b = 1.0, 0.0
                        for i in order:
                            a, b = (1 - lr * x[i] ** 2) * a, (1 - lr * x[i] ** 2) * b
                            b += lr * (y[i] - best * x[i]) * x[i]
                        ends.append((a, b))
                    second = np.mean([a**2 * second + 2 * a * b * mean + b**2 for a, b in ends])
                    mean = np.mean([a * mean + b for a, b in ends])
            past = {"mean square": limit, "full step": 2 / np.mean(x**2), "none": math.inf}[edge]
            stated = lr * variance / quarter / (1 - lr / past)
            assert np.mean(x**2) * second / 2 == pytest.approx(stated, rel=1e-9)
        beyond = mean_squares(x[:, None], y, np.array([1.0]), 2000 * [1.01 * limit])
        assert beyond[-1] > 1e3 * beyond[0]


@pytest.mark.claim(
    "claim-noise-small",
    kind="exact",
    holds={"quarter": 4.0, "noise": "of gradients"},
    false=[{"quarter": 2.0}, {"quarter": 4.2}, {"noise": "of residuals"}],
)
def test_small_rates(quarter: float, noise: str, rng: np.random.Generator) -> None:
    """The limit on problems with several parameters whose residuals depend on the inputs."""
    for d in (1, 2, 4):
        X = rng.standard_normal((12, d))
        y = rng.standard_normal(12) * (1 + np.sum(X**2, axis=1))
        best = np.linalg.lstsq(X, y, rcond=None)[0]
        r = X @ best - y
        variance = np.mean(np.sum((r[:, None] * X) ** 2, axis=1))
        if noise == "of residuals":
            variance = np.mean(r**2) * np.mean(np.sum(X**2, axis=1))
        moments = gd.LeastSquaresMoments(X, y)
        ratios = []
        for lr in (1e-3, 1e-4, 1e-5):
            ratios.append(moments.excess_loss(lr) / lr / (variance / quarter))
        assert ratios[-1] == pytest.approx(1, abs=1e-3)
        assert abs(ratios[-1] - 1) < abs(ratios[0] - 1)
        # The long run of the package is where its parts stay as they are.
        S, lr = moments.stationary(1e-3), 1e-3
        step = [np.eye(d) - lr * np.outer(x, x) for x in X]
        push = lr**2 * (X.T * r**2) @ X / 12
        mapped = np.mean([A @ S @ A.T for A in step], axis=0) + push
        assert np.allclose(mapped, S, rtol=1e-9, atol=1e-12 * np.abs(S).max())


@pytest.mark.claim(
    "claim-neighborhood",
    kind="instances",
    holds={"floor": 2.0, "factor": 1.0, "of": "largest", "limit": 0.5, "at": "solution"},
    false=[
        {"floor": 0.6},
        {"factor": 2.1},
        {"of": "mean"},
        {"limit": 1.5},
        {"at": "far off, where it happens to be small"},
    ],
)
def test_neighborhood_of_squares(
    floor: float, factor: float, of: str, limit: float, at: str, rng: np.random.Generator
) -> None:
    """The exact mean, at every step and for rates up to the stated limit."""
    problems = [
        (np.array([[1.0], [3.0]]), np.array([1.0, 1.0])),
        (np.array([[1.0], [1.0]]), np.array([1.0, -1.0])),
        (np.array([[0.1], [0.1], [4.0]]), np.array([1.0, -1.0, 0.0])),
        (rng.standard_normal((6, 2)), rng.standard_normal(6)),
    ]
    for X, y in problems:
        mu, smooth, noises = constants(X, y, of)
        noise = np.mean(noises) if at == "solution" else np.min(noises)
        for share in (0.01, 0.3, 1.0):
            lr = share * limit / smooth
            for e in 3 * np.eye(X.shape[1]):
                sizes = mean_squares(X, y, e, 400 * [lr])
                bound = (1 - factor * lr * mu) ** np.arange(401.0) * 9 + floor * lr * noise / mu
                assert np.all(sizes <= bound * (1 + 1e-9))


MU = 0.3


def contradicting(convex: bool) -> tuple[Callable[[int, np.ndarray], np.ndarray], float]:
    """Return the slope of example i, log cosh of an error plus half a square, and its Λ."""
    X = np.array([[1.0, 0.2], [0.3, 1.5], [-1.0, 1.0]])
    shift = np.array([1.0, -1.0, 1.0])

    def slope(i: int, theta: np.ndarray) -> np.ndarray:
        z = X[i] @ theta - shift[i]
        bend = np.tanh(z) if convex else 2 * np.sin(3 * z)
        return np.asarray(bend * X[i] + MU * theta)

    return slope, float(np.max(np.sum(X**2, axis=1)) + MU)  # log cosh is 1-smooth


def sizes_over_all_draws(
    slope: Callable[[int, np.ndarray], np.ndarray], best: np.ndarray, e: object, rates: list[float]
) -> list[float]:
    """Return E|e|² after each step, by going through all draws of three examples."""
    thetas, sizes = np.array([best + e]), []
    for lr in rates:
        thetas = np.array([th - lr * slope(i, th) for th in thetas for i in range(3)])
        sizes.append(float(np.mean(np.sum((thetas - best) ** 2, axis=1))))
    return sizes


def settled(slope: Callable[[int, np.ndarray], np.ndarray]) -> tuple[np.ndarray, float]:
    """Return the minimizer of the mean of three examples, and the variance there."""
    best = np.zeros(2)
    for _ in range(5000):
        best = best - 0.1 * np.mean([slope(i, best) for i in range(3)], axis=0)
    return best, float(np.mean([np.sum(slope(i, best) ** 2) for i in range(3)]))


@pytest.mark.claim(
    "claim-neighborhood",
    kind="enumeration",
    holds={"floor": 2.0, "factor": 1.0, "convex": True},
    false=[{"floor": 0.4}, {"factor": 6.0}, {"convex": False}],
)
def test_neighborhood_without_squares(floor: float, factor: float, convex: bool) -> None:
    """All draws of up to six steps, on log cosh of contradicting examples and half a square."""
    slope, smooth = contradicting(convex)
    (best, noise), mu = settled(slope), MU
    for share in (0.3, 1.0):
        lr = share / (2 * smooth)
        for e in ([0.0, 0.0], [2.0, 1.0]):
            for t, size in enumerate(sizes_over_all_draws(slope, best, e, 6 * [lr]), start=1):
                bound = (1 - factor * lr * mu) ** t * np.sum(np.square(e))
                # What has gathered by step t of the floor: the sum in the proof, cut off there.
                gathered = 1 - (1 - lr * mu) ** t
                assert size <= (bound + floor * lr * noise / mu * gathered) * (1 + 1e-9)


FALLING: dict[str, tuple[Rate, bool, bool, bool]] = {
    # the rate of step t, and whether: the sum is infinite, it tends to 0, the squares sum
    "1/t": (lambda t: 1 / (t + 1), True, True, True),
    "1/t, at first beyond the edge": (lambda t: 3 / (t + 1), True, True, True),
    "1/root t": (lambda t: 0.9 / math.sqrt(t + 1), True, True, False),
    "1/t^0.8": (lambda t: 0.9 / (t + 1) ** 0.8, True, True, True),
    "1/t^2": (lambda t: 0.9 / (t + 1) ** 2, False, True, True),
    "by a factor": (lambda t: 0.9 * 0.99**t, False, True, True),
    "fixed": (lambda t: 0.05, True, False, False),
    "rare and large": (lambda t: 0.9 if t & (t + 1) == 0 else 1e-3, True, False, False),
}


@pytest.mark.claim(
    "claim-decay",
    kind="instances",
    holds={"needs": ("sum", "zero")},
    false=[
        {"needs": ("sum",)},
        {"needs": ("zero",)},
        {"needs": ("sum", "squares")},
        {"needs": ("squares",)},
    ],
)
def test_which_rates_arrive(needs: tuple[str, ...]) -> None:
    """The recursion for each kind of rate: below any level for good, or again and again above one.

    No finite run shows a limit. Here it is told by the last quarter of a long run: its largest
    value, against what the proof says must be left.
    """
    lam, s, steps = 1.0, 1.0, 1 << 18
    for (rate, infinite, to_zero, summable), start in itertools.product(
        FALLING.values(), (0.0, 10.0)
    ):
        sizes = squares(lam, s, start, (rate(t) for t in range(steps)))
        arrived = max(sizes[-steps // 4 :]) < 2e-3
        has = {"sum": infinite, "zero": to_zero, "squares": summable}
        assert arrived == all(has[need] for need in needs)
        if not infinite:  # what is left of the start, and of the noise, for good
            left = math.prod((1 - lam * rate(t)) ** 2 for t in range(1, steps)) * sizes[1]
            assert sizes[-1] >= left > 0
            assert sizes[-1] == pytest.approx(sizes[steps // 4], rel=1e-3)
        if arrived:  # and still falling
            assert sizes[-1] < 0.8 * sizes[steps // 4]


@pytest.mark.claim(
    "claim-one-over-t",
    kind="instances",
    holds={"least": 0.5, "at": 1.0, "power": 2.0, "root": 2.0, "half": 4.0},
    false=[
        {"least": 0.25},
        {"at": 0.9},
        {"at": 1.1},
        {"power": 1.0},
        {"root": 1.0},
        {"half": 2.0},
        {"half": 4.2},
    ],
)
def test_factor_in_front(least: float, at: float, power: float, root: float, half: float) -> None:
    """The recursion: exactly for c = 1, and near its limit after many steps for the others."""
    steps = 1 << 18
    for lam, s, start in ((1.0, 1.0, 0.0), (2.0, 0.5, 3.0)):

        def after(c: float) -> list[float]:
            return squares(lam, s, start, (c / (lam * (t + 1)) for t in range(steps)))  # noqa: B023

        exact = after(at)
        for t in (1, 2, 10, 1000, steps):
            assert exact[t] == pytest.approx(s**2 / (lam**2 * t), rel=1e-9)
        for c in (0.3, 0.8, 1.5, 2.0, 5.0):
            if c > least:
                limit = s**2 / lam**2 * c**power / (2 * c - 1)
                found = [t * after(c)[t] / limit for t in (steps // 16, steps)]
                # What is left falls like t^(1-2c), or 1/t.
                assert abs(found[1] - 1) < max(0.7 * abs(found[0] - 1), 1e-4)
                assert found[1] == pytest.approx(1, abs=0.02)
        # For c = 1/2 the logarithm is seen in how much is added from one power of 2 to the next.
        sizes = after(0.5)
        added = steps * sizes[steps] - steps // 8 * sizes[steps // 8]
        assert added / math.log(8) == pytest.approx(s**2 / (half * lam**2), rel=1e-3)
        for c in (0.05, 0.2):  # what is left falls like t^(2c-1)
            early, late = (t ** (root * c) * after(c)[t] for t in (steps // 8, steps))
            assert late == pytest.approx(early, rel=0.02)
            assert late > 1e-3


@pytest.mark.claim(
    "claim-decay-bound",
    kind="instances",
    holds={"start": True, "noise": 8.0, "delay": 4.0, "of": "largest"},
    false=[{"start": False}, {"noise": 1.3}, {"delay": 0.8}, {"of": "mean"}],
)
def test_guarantee_for_falling_rates(
    start: bool, noise: float, delay: float, of: str, rng: np.random.Generator
) -> None:
    """The exact mean below the bound at every step, for near and far starts."""
    problems = [
        (np.array([[1.0], [1.0]]), np.array([1.0, -1.0])),
        (np.array([[0.1], [0.1], [0.1], [5.0]]), np.array([1.0, -1.0, 2.0, 0.5])),
        (rng.standard_normal((5, 2)), rng.standard_normal(5)),
    ]
    for X, y in problems:
        mu, smooth, noises = constants(X, y, of)
        variance = np.mean(noises)
        late = delay * smooth / mu
        for far in (0.0, 1.0, 30.0):
            e = far * np.ones(X.shape[1])
            sizes = mean_squares(X, y, e, (2 / (mu * (t + late)) for t in range(2000)))
            top = max(late * e @ e if start else 0.0, noise * variance / mu**2)
            assert np.all(sizes <= top / (np.arange(2001) + late) * (1 + 1e-9))


@pytest.mark.claim(
    "claim-decay-bound",
    kind="enumeration",
    holds={"start": True, "noise": 8.0, "rate": 2.0},
    false=[{"start": False}, {"noise": 0.3}, {"rate": 25.0}],
)
def test_falling_rates_without_squares(start: bool, noise: float, rate: float) -> None:
    """All draws of up to seven steps, from the solution and from far off."""
    slope, smooth = contradicting(convex=True)
    best, variance = settled(slope)
    late = 4 * smooth / MU
    rates = [rate / (MU * (t + late)) for t in range(7)]
    for e in ([0.0, 0.0], [2.0, 1.0], [20.0, -20.0]):
        top = max(late * np.sum(np.square(e)) if start else 0.0, noise * variance / MU**2)
        for t, size in enumerate(sizes_over_all_draws(slope, best, e, rates), start=1):
            assert size <= top / (t + late) * (1 + 1e-9)


@pytest.mark.claim(
    "claim-average",
    kind="enumeration",
    holds={"power": 2, "count": "all", "curvature": 2, "noise": "independent"},
    false=[
        {"power": 3},
        {"count": "twice as many"},
        {"curvature": 1},
        {"noise": "the same at every step"},
    ],
)
def test_mean_of_the_iterates(power: int, count: str, curvature: int, noise: str) -> None:
    """All sequences of two-valued noise: the formula of the proof, and the bound."""
    for lam, s, lr, start in ((1.0, 1.0, 0.5, 0.0), (2.0, 0.7, 0.1, 3.0), (4.0, 2.0, 0.25, -1.0)):
        a = 1 - lr * lam
        for T in (1, 2, 5, 10):
            means = []
            for signs in itertools.product((-1, 1), repeat=T - 1):
                e, total = start, start
                for sign in signs if noise == "independent" else (T - 1) * signs[:1]:
                    e = e - lr * (lam * e + s * sign)
                    total += e
                means.append((total / T) ** 2)
            exact = ((1 - a**T) * start / (lr * lam * T)) ** 2
            exact += s**2 / (lam**curvature * T**2) * sum((1 - a**j) ** 2 for j in range(1, T))
            assert np.mean(means) == pytest.approx(exact, rel=1e-12)
            readings = T if count == "all" else 2 * T
            bound = start**2 / (lr * lam * T) ** power + s**2 / (lam**curvature * readings)
            assert exact <= bound * (1 + 1e-12)
        # In the long run the bound is the truth.
        for T in (10**3, 10**5):
            inner = sum((1 - a**j) ** 2 for j in range(1, T)) / T
            readings = 1 if count == "all" else 2
            assert inner == pytest.approx(1 / readings, abs=50 / T)


def count_run(
    lr: float, steps: int, rng: np.random.Generator, model: str = "counts"
) -> tuple[np.ndarray, np.ndarray]:
    """Return all θ (one more than steps) and the draws."""
    y = rng.choice([0.0, 2.0], size=steps)
    theta = np.zeros(steps + 1)
    for t in range(steps):
        mean = math.exp(theta[t]) if model == "counts" else 1 + theta[t]
        theta[t + 1] = theta[t] - lr * (mean - y[t])
    return theta, y


@pytest.mark.claim(
    "claim-average-bias",
    kind="exact",
    holds={"quantity": "count", "divisor": 1.0, "ends": True},
    false=[{"quantity": "theta"}, {"divisor": 2.0}, {"ends": False}],
)
def test_mean_count(quantity: str, divisor: float, ends: bool, rng: np.random.Generator) -> None:
    """The identity in each run, for short and long ones."""
    for lr in (0.05, 0.5, 1.5):
        for steps in (1, 2, 17, 1000):
            theta, y = count_run(lr, steps, rng)
            told = np.exp(theta[:-1]) if quantity == "count" else 1 + theta[:-1]
            last = (theta[0] - theta[-1]) / (divisor * lr * steps) if ends else 0.0
            assert np.mean(told) == pytest.approx(np.mean(y) + last, rel=1e-9)


@pytest.mark.claim(
    "claim-average-bias",
    kind="statistical",
    holds={"model": "counts", "below": 0.0, "count": 1.0},
    false=[{"model": "squares"}, {"count": 0.9}, {"below": -0.2}],
)
def test_mean_parameter(model: str, below: float, count: float) -> None:
    """Long runs: the mean count is right and the mean of θ below 0, by five standard errors.

    The errors come from 20 independent runs, so a wrong verdict has a chance of about one in ten
    thousand; and the seed is fixed.
    """
    for lr in (0.1, 0.3):
        runs = [count_run(lr, 20_000, np.random.default_rng(seed), model)[0] for seed in range(20)]
        means = np.array([np.mean(theta[1000:]) for theta in runs])
        counts = np.array([np.mean(np.exp(theta[1000:])) for theta in runs])
        error = np.std(means, ddof=1) / math.sqrt(20)
        assert np.mean(means) < below - 5 * error
        assert abs(np.mean(counts) - count) < 5 * np.std(counts, ddof=1) / math.sqrt(20)
        # What the proof says: a quarter of the steps are away from 0 by half a rate or more.
        h = np.array([math.expm1(z) - z for z in (lr / 2, -lr / 2)])
        assert np.mean(means) < -np.min(h) / 4


@pytest.mark.claim(
    "claim-noise-order",
    kind="enumeration",
    holds={"independent": 1, "shuffled": 4, "given": 2, "seen": "ends of passes"},
    false=[
        {"independent": 2},
        {"shuffled": 3},
        {"given": 1},
        {"seen": "middles of passes"},
    ],
)
def test_three_orders(independent: int, shuffled: int, given: int, seen: str) -> None:
    """The limits, by all orders of so many passes that the rest is forgotten."""
    for lr in (0.1, 0.5, 1.0, 1.7):
        a, passes = 1 - lr, 200
        stated = {
            "independent": lr**independent / (2 - lr),
            "shuffled": lr**shuffled / (1 - a**4),
            "given": lr**given / (2 - lr) ** 2,
        }

        def after(theta: float, draws: tuple[int, ...], lr: float = lr) -> float:
            for y in draws:
                theta = theta - lr * (theta - y)
            return theta

        choices: dict[str, list[tuple[int, ...]]] = {
            "independent": list(itertools.product((1, -1), repeat=2)),
            "shuffled": [(1, -1), (-1, 1)],
            "given": [(1, -1)],
        }
        assert stated["shuffled"] <= stated["given"] * (1 + 1e-12)
        for name, ways in choices.items():
            # A pass maps θ to a²θ + b: mean and mean square of the whole tree of passes.
            pushes = np.array([after(0.0, way) for way in ways])
            mean, second = 0.7, 0.7**2
            for _ in range(passes):
                second = a**4 * second + 2 * a**2 * mean * np.mean(pushes) + np.mean(pushes**2)
                mean = a**2 * mean + np.mean(pushes)
            if seen == "middles of passes":
                halves = [after(0.0, way[:1]) for way in ways]
                second = a**2 * second + 2 * a * mean * np.mean(halves) + np.mean(np.square(halves))
            assert second == pytest.approx(stated[name], rel=1e-9)
        # And by going through all sequences of a few passes, from a start near the limit.
        for name, ways in choices.items():
            ends = [0.0]
            for _ in range(4):
                ends = [after(end, way) for end in ends for way in ways]
            pushes = np.array([after(0.0, way) for way in ways])
            mean = second = 0.0
            for _ in range(4):
                second = a**4 * second + 2 * a**2 * mean * np.mean(pushes) + np.mean(pushes**2)
                mean = a**2 * mean + np.mean(pushes)
            assert np.mean(np.square(ends)) == pytest.approx(second, rel=1e-9), name
