"""The claims of the chapter on why descent generalizes."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable

import numpy as np
import pytest

import gdcourse as gd


def descend_to(
    X: np.ndarray,
    y: np.ndarray,
    start: np.ndarray,
    rule: object,
    steps: int,
    schedule: Callable[[int], float] | None = None,
) -> np.ndarray:
    """Return the last iterate of full-batch training of a linear regression."""
    model = gd.LinearRegression()
    points = gd.descend(
        lambda p: model.loss_and_grad(p, X, y)[1], start, rule, steps=steps, schedule=schedule
    )
    return list(points)[-1]


@pytest.mark.claim(
    "claim-ge-filter",
    kind="spectrum",
    holds={"late": 0, "start": "zero", "added": "across", "edge": 1.9},
    false=[
        {"late": 1},
        {"late": -1},
        {"start": "across"},
        {"added": "all"},
        {"added": "none"},
        {"edge": 2.001},
    ],
)
def test_filter(late: int, start: str, added: str, edge: float, rng: np.random.Generator) -> None:
    """Runs on data with more and with fewer parameters than examples, against eigenvectors."""
    for n, d in ((5, 9), (12, 4), (6, 6)):
        X, y = rng.standard_normal((n, d)), rng.standard_normal(n)
        bends, vectors = np.linalg.eigh(X.T @ X / n)
        shortest = np.linalg.pinv(X) @ y
        eta = edge / bends[-1]
        across = np.eye(d) - np.linalg.pinv(X) @ X
        begin = across @ rng.standard_normal(d) if start == "across" else np.zeros(d)
        for t in (1, 7, 60):
            theta = descend_to(X, y, begin, gd.GradientDescent(lr=eta), t)
            share = 1 - (1 - eta * np.clip(bends, 0, None)) ** (t + late)
            assert vectors.T @ theta == pytest.approx(
                share * (vectors.T @ shortest), rel=1e-9, abs=1e-9
            )
        # From another start: on the way, and it ends at the shortest solution plus what lies
        # across the examples.
        other = rng.standard_normal(d)
        for t in (1, 7, 60):
            theta = descend_to(X, y, other, gd.GradientDescent(lr=eta), t)
            factor = (1 - eta * np.clip(bends, 0, None)) ** (t + late)
            assert vectors.T @ (theta - shortest) == pytest.approx(
                factor * (vectors.T @ (other - shortest)), rel=1e-9, abs=1e-9
            )
        end = descend_to(X, y, other, gd.GradientDescent(lr=eta), 20_000)
        kept = {"across": across @ other, "all": other, "none": 0 * other}[added]
        assert end == pytest.approx(shortest + kept, abs=1e-6)


@pytest.mark.claim(
    "claim-ge-ridge",
    kind="exact",
    holds={"low": 1.0, "high": 2.0, "many": 1.3},
    false=[{"low": 1.001}, {"high": 1.99}, {"many": 1.298}],
)
def test_stopping_beside_ridge(low: float, high: float, many: float) -> None:
    """Both filters on a fine grid of curvatures, and the ends of the grid are extreme."""
    for t in (1, 2, 3, 10, 30, 500, 10_000):
        z = np.concatenate([np.geomspace(1e-9, 1, 4000), np.linspace(0, 1, 4001)[1:]])
        stopped = -np.expm1(t * np.log1p(-np.minimum(z, 1 - 1e-16)))
        ridge = z / (z + 1 / t)
        assert np.all(stopped >= low * ridge * (1 - 1e-9))
        assert np.all(stopped <= high * ridge * (1 + 1e-9))
        if t >= 500:
            assert np.all(stopped <= many * ridge)


@pytest.mark.claim(
    "claim-ge-rule",
    kind="instances",
    holds={"norm": "largest", "examples": 1, "momentum": True, "start": 0.0},
    false=[
        {"norm": "length"},
        {"norm": "ones"},
        {"examples": 2},
        {"momentum": False},
        {"start": 0.01},
    ],
)
def test_the_rule_chooses(
    norm: str, examples: int, momentum: bool, start: float, rng: np.random.Generator
) -> None:
    """Where the rules end on one example, and that those of the span end at the shortest."""
    for _ in range(5):
        X = rng.standard_normal((examples, 4)) + np.array([0.5, -1.0, 2.0, 1.0])
        y = rng.standard_normal(examples) + 3
        edge = examples / np.linalg.norm(X, 2) ** 2
        shortest = np.linalg.pinv(X) @ y
        across = np.eye(4) - np.linalg.pinv(X) @ X
        for rule in (
            gd.GradientDescent(lr=edge),
            gd.Momentum(lr=edge, momentum=0.5),
            gd.Nesterov(lr=edge, momentum=0.5),
            *(() if momentum else (gd.Adam(lr=0.01),)),
        ):
            for steps in (1, 7):  # on the way, too, among the combinations of the examples
                point = descend_to(X, y, np.zeros(4), rule, steps)
                assert across @ point == pytest.approx(0, abs=1e-12)
            assert descend_to(X, y, np.zeros(4), rule, 3000) == pytest.approx(shortest, abs=1e-6)
        wide, aims = rng.standard_normal((6, 9)), rng.standard_normal(6)
        lost = np.eye(9) - np.linalg.pinv(wide) @ wide
        rate = 1 / (wide**2).sum(axis=1).max()  # every single example contracts
        for rule in (
            gd.GradientDescent(lr=rate),
            gd.Momentum(lr=0.1 * rate),
            gd.Nesterov(lr=0.1 * rate),
        ):
            for size, epochs, near in ((4, 1, None), (1, 3000, 1e-6)):
                point, _ = gd.train(
                    gd.LinearRegression(),
                    wide,
                    aims,
                    rule,
                    params=np.full(9, start),
                    epochs=epochs,
                    batch_size=size,
                    seed=0,
                )
                assert lost @ point == pytest.approx(0, abs=1e-12)
                if near:  # all examples are fitted: the gradient over all the data is 0
                    assert point == pytest.approx(np.linalg.pinv(wide) @ aims, abs=near)
        flat = y[0] * np.sign(X[0]) / np.abs(X[0]).sum()
        expected = {
            "largest": flat,
            "length": shortest,
            "ones": np.where(np.abs(X[0]) == np.abs(X[0]).max(), y[0] / X[0], 0.0),
        }[norm]
        for rule in (
            gd.AdaGrad(lr=0.5, eps=0),
            gd.RMSProp(lr=0.01, eps=0),
            gd.Adam(lr=0.01, eps=0),
        ):
            falling = gd.exponential_decay(rule.lr, factor=0.999)
            schedule = None if isinstance(rule, gd.AdaGrad) else falling
            end = descend_to(X, y, np.zeros(4), rule, 15_000, schedule)
            assert end == pytest.approx(expected, abs=1e-3)
            for _ in range(100):  # every other fit has a larger component
                other = flat + across @ rng.standard_normal(4)
                assert np.abs(end).max() <= np.abs(other).max() + 1e-3


def smallest_margin(rows: np.ndarray, theta: np.ndarray) -> float:
    """Return the smallest margin of the direction of theta."""
    return float(np.min(rows @ theta) / np.linalg.norm(theta))


def largest_margin(rows: np.ndarray) -> float:
    """Return the largest margin: the distance of the hull of the rows from 0, in two dimensions."""
    sides = [
        np.linalg.norm(np.outer(1 - s, a) + np.outer(s, b), axis=1).min()
        for a, b in itertools.combinations_with_replacement(np.unique(rows, axis=0), 2)
        for s in [np.clip(np.atleast_1d(a @ (a - b) / max((a - b) @ (a - b), 1e-300)), 0, 1)]
    ]
    return float(min(sides))


@pytest.mark.claim(
    "claim-ge-margin",
    kind="instances",
    holds={"share": 1.0, "gamma": 1, "power": 1, "length": 1.0, "log": True, "short": 1.0},
    false=[
        {"share": 0.5},
        {"gamma": 0},
        {"power": 2},
        {"length": 10.0},
        {"log": False},
        {"short": 1.01},
    ],
)
def test_margin(
    share: float,
    gamma: int,
    power: int,
    length: float,
    log: bool,
    short: float,
    rng: np.random.Generator,
) -> None:
    """Random separable points of the plane, and two that are nearly opposite.

    No case was found that needs the added half, so no false version leaves it out.
    """
    cases = []
    for _ in range(20):
        rows = rng.standard_normal((8, 2))
        rows[:, 0] = np.abs(rows[:, 0]) + 10 ** rng.uniform(-2, 0)
        cases.append(rows / np.linalg.norm(rows, axis=1).max())
    # Nearly opposite: the run swings from one to the other.
    cases += [np.array([[tilt, 1.0], [tilt, -1.0]]) / math.hypot(tilt, 1) for tilt in (0.05, 0.2)]
    cases += [np.array([[0.05, 1.0], [0.05, -0.3]]) / math.hypot(0.05, 1)]
    # One against a thousand: it takes long until the one counts.
    cases += [np.array([[x, -0.95], *[[1.0, 0.0]] * 999]) for x in (0.03, 0.18)]
    for rows in cases:
        rows = length * rows
        widest = largest_margin(rows)
        n = len(rows)
        for eta in (0.05, 0.5, 1.0):
            theta = np.zeros(2)
            for t in range(1, 2001):
                scores = -rows @ theta
                weights = np.exp(scores - scores.max())
                slope = -(weights / weights.sum()) @ rows
                assert np.linalg.norm(slope) >= short * widest * (1 - 1e-9)
                if not log:  # the loss itself
                    slope = -(np.exp(scores) / n) @ rows
                theta = theta - eta * slope
                if t in (1, 3, 10, 100, 300, 2000):
                    late = (share * math.log(n) / eta + 0.5) / (widest**gamma * t**power)
                    margin = smallest_margin(rows, theta)
                    assert margin >= widest - late - 1e-12
                    assert margin <= widest * (1 + 1e-9)


@pytest.mark.claim(
    "claim-ge-stability",
    kind="enumeration",
    holds={"distance": 2.0, "gap": 2.0, "edge": 2.0},
    false=[{"distance": 1.99}, {"gap": 0.95}, {"edge": 2.1}],
)
def test_stability(distance: float, gap: float, edge: float) -> None:
    """All draws of the examples; and for the gap all data sets, too.

    Linear losses attain the distance. Of smooth ones, whose steps pull together up to the edge,
    take ln(cosh(θ - z)), whose slope and curvature are at most 1.
    """
    rates = (0.7, 0.4, 0.2)
    n = 3

    def mean_distance(slope, one: tuple, two: tuple, rates: tuple) -> float:
        far = []
        for draw in itertools.product(range(n), repeat=len(rates)):
            a = b = 0.3
            for eta, i in zip(rates, draw, strict=True):
                a, b = a - eta * slope(a, one[i]), b - eta * slope(b, two[i])
            far.append(abs(a - b))
        return float(np.mean(far))

    def linear(theta: float, z: float) -> float:
        return z

    def smooth(theta: float, z: float) -> float:
        return math.tanh(theta - z)

    bound = distance * sum(rates) / n
    assert mean_distance(linear, (1.0, -1.0, 1.0), (1.0, -1.0, -1.0), rates) <= bound + 1e-12
    # At the edge and below, with G = 1 and curvature at most 1.
    steep = (edge,) * 5
    for one, two in (((0.0, 0.1, 5.0), (0.0, 0.1, -5.0)), ((0.2, 0.3, 3.0), (0.2, 0.3, -3.0))):
        found = mean_distance(smooth, one, two, steep)
        assert found <= distance * sum(steep) / n + 1e-12
        # What the proof rests on: a step on one example brings no two points apart.
        for eta in np.linspace(0, edge, 9):
            for a, b in itertools.product(np.linspace(-3, 3, 25), repeat=2):
                new = (a - eta * smooth(a, 0.0)) - (b - eta * smooth(b, 0.0))
                assert abs(new) <= abs(a - b) + 1e-12

    # The gap between new and training loss, over all data sets from three kinds of examples.
    for loss, slope in (
        (lambda theta, z: z * theta, linear),
        (lambda theta, z: math.log(math.cosh(theta - z)), smooth),
    ):
        kinds = (-1.0, 1.0)
        gaps = []
        for data in itertools.product(kinds, repeat=n):
            for draw in itertools.product(range(n), repeat=len(rates)):
                theta = 0.0
                for eta, i in zip(rates, draw, strict=True):
                    theta -= eta * slope(theta, data[i])
                new = np.mean([loss(theta, z) for z in kinds])
                gaps.append(new - np.mean([loss(theta, z) for z in data]))
        assert np.mean(gaps) <= gap * sum(rates) / n + 1e-12
        assert np.mean(gaps) >= -1e-12


@pytest.mark.claim(
    "claim-ge-balance",
    kind="exact",
    holds={"power": 2, "sign": -1.0, "curvature": 1.0},
    false=[{"power": 1}, {"sign": 1.0}, {"curvature": 0.5}],
)
def test_balance(power: int, sign: float, curvature: float, rng: np.random.Generator) -> None:
    """Steps with random targets, and the curvature at points of the valley."""
    for _ in range(20):
        a, b, y = rng.standard_normal(3)
        eta = rng.uniform(0, 0.9)
        r = a * b - y
        step = gd.GradientDescent(lr=eta).update(np.array([a, b]), r * np.array([b, a]), ())[0]
        expected = (1 + sign * eta**2 * abs(r) ** power) * (a**2 - b**2)
        assert step[0] ** 2 - step[1] ** 2 == pytest.approx(expected, rel=1e-9, abs=1e-12)
        c = a * b

        def slope(p: np.ndarray, c: float = c) -> np.ndarray:
            return (p[0] * p[1] - c) * p[::-1]

        # The gradient is a cubic: the error of the difference is of the order of h squared.
        hessian = [
            (slope(np.array([a, b]) + h) - slope(np.array([a, b]) - h)) / 2e-5
            for h in 1e-5 * np.eye(2)
        ]
        assert np.linalg.eigvalsh(np.array(hessian)) == pytest.approx(
            [0, curvature * (a**2 + b**2)], abs=1e-7
        )
        assert a**2 + b**2 >= 2 * abs(c)
        assert a**2 + a**2 == pytest.approx(2 * abs(a * -a))


# --- The hold-out experiments, on draws that the page does not use ---


@functools.cache
def two_paths(seed: int, squares: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return numbers of steps, and the held-out errors of descent and of ridge."""
    X, y, _ = gd.load_diabetes()
    order = np.random.default_rng([seed, 16]).permutation(len(y))
    X, y = X[order], y[order]
    X = (X - X[:100].mean(axis=0)) / X[:100].std(axis=0)
    if squares:
        i, j = np.triu_indices(10)
        X = np.column_stack([X, X[:, i] * X[:, j]])
    spread = X[:100].std(axis=0)
    X = (X - X[:100].mean(axis=0)) / np.where(spread > 1e-9, spread, 1)
    y = (y - y[:100].mean()) / y[:100].std()
    bends, q = np.linalg.eigh(X[:100].T @ X[:100] / 100)
    ratio = np.clip(bends, 0, None) / bends[-1]
    aim = q.T @ (np.linalg.pinv(X[:100]) @ y[:100])
    steps = np.unique(np.round(np.geomspace(3, 1e6, 81)).astype(int))
    paths = [
        [np.mean((X[100:300] @ (q @ (f * aim)) - y[100:300]) ** 2) for f in filters]
        for filters in (
            [1 - (1 - 0.1 * ratio) ** t for t in steps],
            [ratio / (ratio + 10 / t) for t in steps],
        )
    ]
    return steps, np.array(paths[0]), np.array(paths[1])


@pytest.mark.claim(
    "claim-ge-hold-stop",
    kind="instances",
    holds={"near": 0.06, "after": 20, "before": 500, "end": 1.6, "squares": True},
    false=[{"near": 0.01}, {"after": 80}, {"before": 100}, {"end": 5.0}, {"squares": False}],
)
def test_stopped_or_penalized(
    near: float, after: int, before: int, end: float, squares: bool
) -> None:
    """Both paths on twenty other splits."""
    for seed in range(100, 120):
        steps, stopped, ridge = two_paths(seed, squares)
        assert abs(math.log(stopped.min() / ridge.min())) < near
        assert after < steps[stopped.argmin()] < before
        assert stopped[-1] > end * stopped.min()


DIGITS, LABELS, _ = gd.load_digits()
ONE_HOT = np.eye(10)[LABELS] - 0.1


@functools.cache
def features(seed: int, p: int) -> np.ndarray:
    """Return p random features of every digit."""
    pixels = DIGITS / 16 - np.mean(DIGITS / 16, axis=0)
    weights = np.random.default_rng([seed, p, 16]).standard_normal((64, p)) / math.sqrt(8)
    return np.maximum(pixels @ weights, 0) / math.sqrt(p)


@functools.cache
def held_out(seed: int, p: int, size: float, mixed: bool) -> tuple[float, float]:
    """Return training and held-out error of the fit nearest to a random start."""
    rng = np.random.default_rng([seed, 17])
    order = rng.permutation(len(LABELS))
    rows, new = order[:150], order[150:]
    labels = rng.permutation(LABELS[rows]) if mixed else LABELS[rows]
    Z = features(seed, p)
    start = size * rng.standard_normal((p, 10))
    theta = start + np.linalg.pinv(Z[rows]) @ (np.eye(10)[labels] - 0.1 - Z[rows] @ start)
    wrong = [
        100 * float(np.mean(np.argmax(Z[part] @ theta, axis=1) != truth))
        for part, truth in ((rows, labels), (new, LABELS[new]))
    ]
    return wrong[0], wrong[1]


@functools.cache
def held_out_after(seed: int, p: int, steps: int) -> float:
    """Return the held-out error of descent from zero at the rate 1/L after some steps."""
    order = np.random.default_rng([seed, 17]).permutation(len(LABELS))
    Z = features(seed, p)
    u, s, v = np.linalg.svd(Z[order[:150]], full_matrices=False)
    share = (1 - (1 - (s / s[0]) ** 2) ** steps) / s
    theta = v.T @ (share[:, None] * (u.T @ ONE_HOT[order[:150]]))
    new = order[150:]
    return 100 * float(np.mean(np.argmax(Z[new] @ theta, axis=1) != LABELS[new]))


@pytest.mark.claim(
    "claim-ge-hold-start",
    kind="instances",
    holds={
        "peak": 150,
        "steps": 1000,
        "many": 2000,
        "zero": 12.0,
        "size": 10.0,
        "mixed": True,
    },
    false=[
        {"peak": 200},
        {"steps": 10_000},
        {"many": 200},
        {"zero": 7.0},
        {"size": 3.0},
        {"mixed": False},
    ],
)
def test_shortest_solutions(
    peak: int, steps: int, many: int, zero: float, size: float, mixed: bool
) -> None:
    """Eight other draws of digits and features."""
    for seed in range(200, 208):
        assert held_out_after(seed, 150, steps) < 14
        few = {p: held_out(seed, p, 0.0, False)[1] for p in (10, 20, 40, 70, 100, 130)}
        assert held_out(seed, peak, 0.0, False)[1] > 3 * few[70]
        assert held_out(seed, many, 0.0, False)[1] < min(few.values())
        assert held_out(seed, 1500, 0.0, False)[0] == 0
        assert held_out(seed, 1500, 0.0, False)[1] < zero
        assert held_out(seed, 1500, size, False)[0] == 0
        assert held_out(seed, 1500, size, False)[1] > 70
        assert held_out(seed, 1500, 0.0, mixed)[0] == 0
        assert held_out(seed, 1500, 0.0, mixed)[1] > 80


@functools.cache
def with_noise(seed: int, columns: int, size: float, scale: float) -> tuple[float, float]:
    """Return length and held-out error of the shortest fit with columns of noise added."""
    order = np.random.default_rng([seed, 17]).permutation(len(LABELS))
    Z = features(seed, 1500)
    noise = np.random.default_rng([seed, 25]).standard_normal((len(LABELS), columns))
    wide = np.column_stack([Z, size * scale * np.sqrt(np.mean(Z**2)) * noise])
    theta = np.linalg.pinv(wide[order[:150]]) @ ONE_HOT[order[:150]]
    new = order[150:]
    wrong = 100 * float(np.mean(np.argmax(wide[new] @ theta, axis=1) != LABELS[new]))
    return float(np.linalg.norm(theta)), wrong


@pytest.mark.claim(
    "claim-ge-hold-units",
    kind="instances",
    holds={"more": 3.0, "bad": 80.0, "columns": 150, "size": 1.0},
    false=[{"more": 0.5}, {"bad": 90.0}, {"columns": 30}, {"size": 0.3}, {"size": 5.0}],
)
def test_shorter_and_worse(more: float, bad: float, columns: int, size: float) -> None:
    """Eight other draws of digits, features and noise."""
    for seed in range(200, 208):
        lengths, errors = zip(
            *(with_noise(seed, columns, size, scale) for scale in (0, 1, 10, 100, 1000)),
            strict=True,
        )
        assert list(lengths) == sorted(lengths, reverse=True)
        assert errors[1] - errors[0] < more
        assert errors[3] > bad


@functools.cache
def margins(seed: int, log: bool, eta: float, T: int) -> tuple[float, float, float, float, float]:
    """Return the last margin, a bound on it, the last error, the last and the lowest loss."""
    pair = np.isin(LABELS, (3, 8))
    X = gd.add_intercept(DIGITS[pair] / 16)
    signed = X * np.where(LABELS[pair] == 8, 1.0, -1.0)[:, None]
    signed = signed / np.linalg.norm(signed, axis=1).max()
    order = np.random.default_rng([seed, 19]).permutation(len(signed))
    rows, new = signed[order[:150]], signed[order[150:]]
    theta, bound, lowest = np.zeros(65), math.inf, math.inf
    for t in range(T):
        m = rows @ theta
        p = np.exp(m.min() - m)
        p = p / p.sum()
        bound = min(bound, float(np.linalg.norm(p @ rows)))
        if not log:
            p = 1 / (1 + np.exp(m)) / 150
        theta = theta + eta * (p @ rows)
        if t % 100 == 99:
            lowest = min(lowest, float(np.mean(np.logaddexp(0, -new @ theta))))
    far = new @ theta
    last = float(np.mean(np.logaddexp(0, -far)))
    return smallest_margin(rows, theta), bound, 100 * float(np.mean(far <= 0)), last, lowest


@pytest.mark.claim(
    "claim-ge-hold-margin",
    kind="instances",
    holds={"steps": 10_000, "rate": 4.0, "apart": 2.5, "rises": 1.4, "share": 0.95},
    false=[{"steps": 2000}, {"rate": 0.5}, {"apart": 0.4}, {"rises": 6.0}, {"share": 0.999}],
)
def test_margins_on_digits(
    steps: int, rate: float, apart: float, rises: float, share: float
) -> None:
    """Six other draws of 150 threes and eights. The shortest gradient bounds the margin."""
    rising = 0
    for seed in range(300, 306):
        margin, bound, wrong, last, lowest = margins(seed, True, 1.0, steps)
        assert margin > share * bound
        slow, _, slow_wrong, _, _ = margins(seed, False, rate, steps)
        assert 0.6 * bound < slow < 0.85 * margin
        assert abs(wrong - slow_wrong) <= apart
        rising += last > rises * lowest
    assert rising > 3


def network(w: list, X: np.ndarray, y: np.ndarray) -> tuple[float, list, np.ndarray]:
    """Return loss, gradient and scores of a network with one layer of ReLU units."""
    hidden = np.maximum(X @ w[0] + w[1], 0)
    z = hidden @ w[2] + w[3]
    log_p = z - z.max(axis=1, keepdims=True)
    log_p = log_p - np.log(np.exp(log_p).sum(axis=1, keepdims=True))
    error = (np.exp(log_p) - np.eye(10)[y]) / len(y)
    back = (error @ w[2].T) * (hidden > 0)
    grad = [X.T @ back, back.sum(axis=0), hidden.T @ error, error.sum(axis=0)]
    return -float(np.mean(log_p[np.arange(len(y)), y])), grad, z


def sharpness(w: list, X: np.ndarray, y: np.ndarray) -> float:
    """Return the largest curvature, by power iteration with the Hessian where it exists.

    A difference of gradients will not do: full batches leave the points next to kinks of the
    units, and steps across them give curvatures that are not there.
    """
    hidden = np.maximum(X @ w[0] + w[1], 0)
    p = np.exp(hidden @ w[2] + w[3])
    p /= p.sum(axis=1, keepdims=True)
    error = (p - np.eye(10)[y]) / len(y)
    rng = np.random.default_rng(5)
    v, largest = [rng.standard_normal(part.shape) for part in w], 0.0
    for _ in range(100):
        length = math.sqrt(sum(float(np.sum(part**2)) for part in v))
        v = [part / length for part in v]
        h = (X @ v[0] + v[1]) * (hidden > 0)
        z = h @ w[2] + hidden @ v[2] + v[3]
        e = p * (z - np.sum(p * z, axis=1, keepdims=True)) / len(y)
        back = (e @ w[2].T + error @ v[2].T) * (hidden > 0)
        u = [X.T @ back, back.sum(axis=0), h.T @ error + hidden.T @ e, e.sum(axis=0)]
        largest = sum(float(np.sum(a * b)) for a, b in zip(u, v, strict=True))
        v = u
    return largest


@functools.cache
def trained(seed: int, size: int, rate: float, mixed: int) -> tuple[float, float, float, float]:
    """Return the largest curvature before and after rescaling, the held-out error, the lowest."""
    rng = np.random.default_rng([seed, 23])
    order = rng.permutation(len(LABELS))
    X, y = DIGITS[order] / 16, LABELS[order].copy()
    y[:mixed] = (y[:mixed] + rng.integers(1, 10, size=mixed)) % 10
    w = [
        rng.standard_normal((64, 50)) / math.sqrt(32),
        np.zeros(50),
        rng.standard_normal((50, 10)) / math.sqrt(50),
        np.zeros(10),
    ]

    def scores(w: list) -> np.ndarray:
        return network(w, X[250:], y[250:])[2]

    def wrong(w: list) -> float:
        return 100 * float(np.mean(scores(w).argmax(axis=1) != y[250:]))

    seen, steps, a_pass = [], 0, math.ceil(250 / size)
    while steps % 5 or network(w, X[:250], y[:250])[0] > 0.03:
        if steps % max(a_pass, 5) == 0:
            seen.append(wrong(w))
        if steps % a_pass == 0:
            batches = gd.minibatches(X[:250], y[:250], size, rng)
        grad = network(w, *next(batches))[1]
        w = [a - rate * b for a, b in zip(w, grad, strict=True)]
        steps += 1
    seen.append(wrong(w))
    scaled = [10 * w[0], 10 * w[1], w[2] / 10, w[3]]
    assert scores(scaled) == pytest.approx(scores(w), abs=1e-9)
    return (
        sharpness(w, X[:250], y[:250]),
        sharpness(scaled, X[:250], y[:250]),
        seen[-1],
        min(seen),
    )


def test_the_curvature_is_that_of_the_network(rng: np.random.Generator) -> None:
    """Against the eigenvalues of a Hessian made of differences, away from kinks."""
    sizes = ((3, 4), (4,), (4, 10), (10,))
    w = [rng.standard_normal(size) for size in sizes]
    X, y = rng.standard_normal((6, 3)), rng.integers(10, size=6)

    def flat(parts: list) -> np.ndarray:
        return np.concatenate([part.ravel() for part in parts])

    def slope(point: np.ndarray) -> np.ndarray:
        cuts = np.cumsum([math.prod(size) for size in sizes])[:-1]
        parts = [p.reshape(size) for p, size in zip(np.split(point, cuts), sizes, strict=True)]
        return flat(network(parts, X, y)[1])

    middle = flat(w)
    steps = 1e-6 * np.eye(len(middle))
    hessian = [(slope(middle + h) - slope(middle - h)) / 2e-6 for h in steps]
    values = np.linalg.eigvalsh(np.array(hessian))
    assert sharpness(w, X, y) == pytest.approx(values[-1], rel=1e-2)


@pytest.mark.claim(
    "claim-ge-hold-flat",
    kind="instances",
    holds={
        "small": 8,
        "ratio": 3.0,
        "rate": 1.3,
        "right": 0,
        "way": 3.0,
        "rescaled": 15.0,
    },
    false=[
        {"small": 40},
        {"ratio": 4.0},
        {"rate": 0.3},
        {"right": 50},
        {"way": 1.5},
        {"rescaled": 30.0},
    ],
)
def test_flatter_at_the_same_rate(
    small: int, ratio: float, rate: float, right: int, way: float, rescaled: float
) -> None:
    """Six other splits and starts."""

    def runs(size: int, lr: float, mixed: int) -> np.ndarray:
        return np.array([trained(seed, size, lr, mixed) for seed in range(400, 406)])

    few, same, own = runs(small, 0.3, 50), runs(250, 0.3, 50), runs(250, rate, 50)
    assert np.all(same[:, 0] > ratio * few[:, 0])
    assert np.sum(same[:, 2] > few[:, 2]) >= 5
    assert abs(np.median(own[:, 2]) - np.median(few[:, 2])) < 2
    assert abs(np.median(same[:, 3]) - np.median(few[:, 3])) < way
    assert np.all(few[:, 1] > rescaled * few[:, 0])
    few, same = runs(small, 0.3, right), runs(250, 0.3, right)
    assert np.all(same[:, 0] > few[:, 0])
    assert abs(np.median(same[:, 2]) - np.median(few[:, 2])) < 1
