"""The claims of the chapter on classification."""

from __future__ import annotations

import itertools
import math
from functools import lru_cache

import numpy as np
import pytest
from scipy.special import logsumexp

import gdcourse as gd

TINY = 1e-30  # an imaginary step: its derivative has no rounding error but that of the function


def logistic_loss(theta: np.ndarray, X: np.ndarray, y: np.ndarray) -> complex:
    """Return minus the logarithm of the likelihood over n, for parameters that may be complex."""
    p = 1 / (1 + np.exp(-X @ theta))
    return -np.log(np.where(y == 1, p, 1 - p)).sum() / len(y)


def softmax_loss(W: np.ndarray, X: np.ndarray, y: np.ndarray) -> complex:
    """Return minus the logarithm of the likelihood over n, for weights that may be complex."""
    powers = np.exp(X @ W)
    return -np.log(powers[np.arange(len(y)), y] / powers.sum(axis=1)).sum() / len(y)


def softmax_gradient(W: np.ndarray, X: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the gradient for weights that may be complex."""
    powers = np.exp(X @ W)
    return X.T @ (powers / powers.sum(axis=1, keepdims=True) - np.eye(W.shape[1])[y]) / len(y)


def imaginary_steps(f, x: np.ndarray, *data: np.ndarray) -> np.ndarray:
    """Return the derivatives of f(x, *data), a number or an array, by every entry of x."""
    found = []
    for k in range(x.size):
        moved = x.astype(complex)
        moved.flat[k] += 1j * TINY
        found.append(np.imag(f(moved, *data)).ravel() / TINY)
    return np.array(found)


def draw(rng: np.random.Generator, n: int, d: int, classes: int = 2) -> tuple:
    """Return inputs with a column of ones, and labels in which every class occurs."""
    X = gd.add_intercept(rng.standard_normal((n, d - 1)))
    return X, np.append(np.arange(classes), rng.integers(classes, size=n - classes))


@pytest.mark.claim(
    "claim-cl-loss",
    kind="exact",
    holds={"minus": 1, "power": 1, "seen": 1.0, "labels": "0 and 1"},
    false=[{"minus": 0}, {"power": 0}, {"seen": 0.5}, {"labels": "-1 and 1"}],
)
def test_likelihood_and_its_gradient(
    minus: int, power: int, seen: float, labels: str, rng: np.random.Generator
) -> None:
    """The likelihood as a product of probabilities, and derivatives along imaginary steps."""
    for n, d in ((4, 1), (9, 3)):
        X, y = draw(rng, n, d)
        theta = rng.standard_normal(d)
        z = X @ theta
        label = y if labels == "0 and 1" else 2 * y - 1
        loss = np.mean(np.log(1 + np.exp(z)) - minus * label * z)
        p = 1 / (1 + np.exp(-z))
        likelihood = math.prod(p[i] if y[i] == 1 else 1 - p[i] for i in range(n))
        assert math.exp(-(n**power) * loss) == pytest.approx(likelihood, rel=1e-12)
        slopes = imaginary_steps(logistic_loss, theta, X, y).ravel()
        stated = np.mean((p - seen * label)[:, None] * X, axis=0)
        assert np.allclose(slopes, stated, rtol=1e-12, atol=1e-14)
        package = gd.LogisticRegression().loss_and_grad(theta, X, y)
        assert np.isclose(package[0], loss, rtol=1e-12)
        assert np.allclose(package[1], stated, rtol=1e-12, atol=1e-14)


def logistic_hessian(theta: np.ndarray, X: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the stated Hessian, after a look at differences of the package's gradient."""
    p = 1 / (1 + np.exp(-(X @ theta)))
    stated = (X.T * (p * (1 - p))) @ X / len(y)
    gradient = gd.LogisticRegression().loss_and_grad
    for k, e in enumerate(1e-6 * np.eye(len(theta))):
        slope = (gradient(theta + e, X, y)[1] - gradient(theta - e, X, y)[1]) / 2e-6
        assert np.allclose(slope, stated[k], rtol=1e-6, atol=1e-9)
    return stated


@pytest.mark.claim(
    "claim-cl-curvature",
    kind="spectrum",
    holds={"quarter": 0.25, "lower": 0.0, "longest": 1.0, "labels": "0 and 1"},
    false=[
        {"quarter": 0.249},
        {"quarter": 0.251},
        {"lower": 1e-3},
        {"longest": 0.99},
        {"labels": "-1 and 1"},
    ],
)
def test_logistic_curvature(
    quarter: float,
    lower: float,
    longest: float,
    labels: str,
    rng: np.random.Generator,
) -> None:
    """The package's Hessian, at 0 and from near to far, and its gradient where it is longest."""
    for n, d in ((5, 1), (12, 3)):
        X, y = draw(rng, n, d)
        label = y if labels == "0 and 1" else 2 * y - 1
        top = np.linalg.eigvalsh(X.T @ X / n)[-1]

        assert np.linalg.eigvalsh(logistic_hessian(np.zeros(d), X, label))[-1] == pytest.approx(
            quarter * top
        )
        for scale in (0.01, 0.3, 1.0, 4.0, 10.0):
            theta = scale * rng.standard_normal(d)
            values = np.linalg.eigvalsh(logistic_hessian(theta, X, label))
            assert values[-1] <= quarter * top
            assert values[0] >= lower * top - 1e-15
    # Examples of unequal length on one line, all as wrong as can be: |p - y| is nearly 1.
    for sizes in ([1.0], [1.0, 3.0], [0.5, 2.0, 7.0]):
        for direction in (np.array([1.0]), np.array([0.6, -0.8])):
            x = np.outer(sizes, direction)
            label = np.full(len(x), 1 if labels == "0 and 1" else -1)
            theta = -50 * direction if labels == "0 and 1" else 50 * direction
            length = np.linalg.norm(gd.LogisticRegression().loss_and_grad(theta, x, label)[1])
            assert 0.999 * np.mean(sizes) <= length <= longest * np.mean(sizes)


@pytest.mark.claim(
    "claim-cl-squared",
    kind="instances",
    holds={"power": 1.0, "one": 1.0, "two": 2.0, "loss": "squared"},
    false=[{"power": 1.05}, {"one": 0.9}, {"two": 1.9}, {"loss": "likelihood"}],
)
def test_confident_and_wrong(power: float, one: float, two: float, loss: str) -> None:
    """Both runs, counted, for starts near 0 and far from it."""
    sigmoid = lambda z: 1 / (1 + math.exp(-z))  # noqa: E731
    pulls = {
        "squared": lambda z: sigmoid(z) * (1 - sigmoid(z)) ** 2,
        "likelihood": lambda z: 1 - sigmoid(z),
    }

    def count(pull, z: float, lr: float) -> int:
        steps = 0
        while z < 0:
            z, steps = z + lr * pull(z), steps + 1
        return steps

    for a in (1e-3, 0.05, 1.0, 4.0, 7.0):
        for lr in (0.001, 0.5, 2.0):
            assert count(pulls[loss], -a, lr) >= (math.exp(power * a) - one) / lr
            assert count(lambda z: 1 - sigmoid(z), -a, lr) <= math.ceil(two * a / lr)
    # The slope is that of the loss, and the loss is not convex.
    for z in (-3.0, 0.5):
        h = 1e-5
        slope = ((sigmoid(z + h) - 1) ** 2 - (sigmoid(z - h) - 1) ** 2) / (4 * h)
        assert slope == pytest.approx(-pulls["squared"](z), rel=1e-8)
    bend = [(sigmoid(z) - 1) ** 2 for z in (-4.0, -3.0, -2.0)]
    assert bend[1] > (bend[0] + bend[2]) / 2


@pytest.mark.claim(
    "claim-cl-minimizer",
    kind="enumeration",
    holds={"strict": False, "some": True, "unique": "independent", "signs": True},
    false=[{"strict": True}, {"some": False}, {"unique": "always"}, {"signs": False}],
)
def test_when_there_is_a_minimizer(strict: bool, some: bool, unique: str, signs: bool) -> None:
    """All labelings of points on a line, with an intercept: whole numbers decide what holds."""
    kinds = set()
    for points in ((0, 1, 2, 3), (0, 1, 1, 2), (-1, 0, 0, 1, 2)):
        X = np.column_stack([points, np.ones(len(points), dtype=int)])
        for y in itertools.product((0, 1), repeat=len(points)):
            labels = 2 * np.array(y) - 1
            rows = X * (labels[:, None] if signs else 1)
            # A cone in the plane that is not 0 has a direction across one of the rows in it.
            directions = [np.array([s * -v, s * u]) for u, v in rows for s in (1, -1)]
            if strict:  # or, if it is open, between two of these
                directions += [a + b for a, b in itertools.combinations(directions, 2)]
            for design in (X, np.column_stack([X, X[:, 0]])):
                margins = [rows @ u for u in directions if u.any()]
                if design is not X:  # a direction across all rows
                    margins.append(np.zeros(len(rows)))
                if strict:
                    found = any((m > 0).all() for m in margins)
                else:
                    found = any((m >= 0).all() and (m.any() or not some) for m in margins)
                hessian = minimum(design, np.array(y))
                assert (hessian is None) == found
                kinds.add(found)
                if hessian is not None:
                    alone = np.linalg.eigvalsh(hessian)[0] > 1e-6
                    assert alone == (unique == "always" or design is X)
    assert kinds == {True, False}


def minimum(X: np.ndarray, y: np.ndarray) -> np.ndarray | None:
    """Return the Hessian at the minimizer, or None: Newton's steps, halved until they descend.

    Where there is no minimizer the curvature along the way out falls with the gradient, so that
    a vanishing gradient beside a curvature that does not vanish is a minimizer.
    """
    model, theta = gd.LogisticRegression(), np.zeros(X.shape[1])
    for _ in range(60):
        loss, grad = model.loss_and_grad(theta, X, y)
        p = 1 / (1 + np.exp(-(X @ theta)))
        H = (X.T * (p * (1 - p))) @ X / len(y)
        step = np.linalg.lstsq(H, grad, rcond=1e-12)[0]
        rate = 1.0
        while model.loss_and_grad(theta - rate * step, X, y)[0] > loss and rate > 1e-6:
            rate /= 2
        theta = theta - rate * step
    values = np.linalg.eigvalsh(H)
    curved = np.sum(values > 1e-4)
    return H if np.linalg.norm(grad) < 1e-10 and curved == np.linalg.matrix_rank(X) else None


@pytest.mark.claim(
    "claim-cl-separable",
    kind="instances",
    holds={"half": 0.5, "logs": 2, "margin": True, "most": 1.0, "start": 0.0},
    false=[
        {"half": 0.03},
        {"logs": 0},
        {"margin": False},
        {"most": 6.0},
        {"start": 3.0},
    ],
)
def test_separable_data(
    half: float, logs: int, margin: bool, most: float, start: float, rng: np.random.Generator
) -> None:
    """The loss after every step, with rates from small to the largest that is allowed.

    The bound is not sharp, so the nearest constants that the runs refuse are some way off.
    """
    wide = rng.standard_normal((20, 3)) + np.array([3.0, 0.0, 0.0])
    narrow = np.array([[1.0, 0.05], [-1.0, 0.05], [0.2, 0.05]])
    # Two that pull against each other across the direction that suits both.
    opposed = np.array([[5.0, 0.1], [-1.0, 0.1]])
    for rows in (np.array([[1.0]]), wide[wide[:, 0] > 0.2], narrow, opposed):
        directions = [np.eye(rows.shape[1])[k] for k in range(rows.shape[1])]
        gamma = max(np.min(rows @ u) for u in directions)
        assert gamma > 0
        y = np.arange(len(rows)) % 2
        X = rows * (2 * y - 1)[:, None]
        L = np.linalg.eigvalsh(X.T @ X / len(X))[-1] / 4
        for share in (0.003, 0.3, 1.0):
            lr = most * share / L
            theta, model = -start * np.eye(X.shape[1])[0], gd.LogisticRegression()
            for T in range(1, 1001):
                theta = theta - lr * model.loss_and_grad(theta, X, y)[1]
                far = gamma if margin else 1.0
                bound = 1 / T + half * math.log(T) ** logs / (lr * far**2 * T)
                assert model.loss_and_grad(theta, X, y)[0] <= bound


@pytest.mark.claim(
    "claim-cl-softmax",
    kind="exact",
    holds={"seen": 1.0, "shift": "classes", "sum": 0.0, "divisor": "examples"},
    false=[{"seen": 0.0}, {"shift": "inputs"}, {"sum": 0.1}, {"divisor": "classes"}],
)
def test_softmax_gradient(
    seen: float, shift: str, sum: float, divisor: str, rng: np.random.Generator
) -> None:
    """Derivatives along imaginary steps, a shift of all weights, and the sum along a run."""
    for n, d, k in ((7, 1, 2), (12, 3, 4)):
        X, y = draw(rng, n, d, k)
        W = rng.standard_normal((d, k))
        slopes = imaginary_steps(softmax_loss, W, X, y).reshape(d, k)
        p = np.exp(X @ W) / np.exp(X @ W).sum(axis=1, keepdims=True)
        stated = X.T @ (p - seen * np.eye(k)[y]) / (n if divisor == "examples" else k)
        assert np.allclose(slopes, stated, rtol=1e-12, atol=1e-14)
        model = gd.SoftmaxRegression(classes=k)
        assert np.allclose(model.loss_and_grad(W.ravel(), X, y)[1], stated.ravel(), atol=1e-14)
        # One vector for all classes; or, which is another thing, one number for each class.
        vector = rng.standard_normal((d, 1) if shift == "classes" else (1, k))
        moved = np.exp(X @ (W + vector))
        assert np.allclose(moved / moved.sum(axis=1, keepdims=True), p, rtol=1e-12)
        assert np.allclose(stated.sum(axis=1), sum, atol=1e-14)
        rule, data = gd.GradientDescent(lr=0.7), {"epochs": 30, "batch_size": n, "seed": 0}
        end, _ = gd.train(model, X, y, rule, params=W.ravel(), **data)
        assert np.allclose(end.reshape(d, k).sum(axis=1), W.sum(axis=1), atol=1e-13)


def curvatures(W: np.ndarray, X: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the eigenvalues of the Hessian of the softmax loss."""
    return np.linalg.eigvalsh(imaginary_steps(softmax_gradient, W, X, y))


@pytest.mark.claim(
    "claim-cl-softmax-curvature",
    kind="spectrum",
    holds={"half": 0.5, "lower": 0.0, "start": 1, "ones": True, "longest": 2.0},
    false=[
        {"half": 0.499},
        {"half": 0.501},
        {"lower": 1e-3},
        {"start": 2},
        {"ones": False},
        {"longest": 1.99},
    ],
)
def test_softmax_curvature(
    half: float,
    lower: float,
    start: int,
    ones: bool,
    longest: float,
    rng: np.random.Generator,
) -> None:
    """The Hessian along imaginary steps: at 0, at random, and where two classes share all.

    And the gradient, at random and where all examples are as wrong as can be.
    """
    for n, d, k in ((6, 2, 2), (9, 3, 4)):
        X, y = draw(rng, n, d, k)
        if not ones:  # inputs of both signs, which no weight can make all of one kind
            X = np.concatenate([X[:, :-1], -X[:, :-1]])
            y = np.concatenate([y, y])
        top = np.linalg.eigvalsh(X.T @ X / len(X))[-1]

        zero = np.zeros((X.shape[1], k))
        assert curvatures(zero, X, y)[-1] == pytest.approx(top / k**start, rel=1e-12)
        for scale in (0.1, 1.0, 5.0):
            values = curvatures(scale * rng.standard_normal(zero.shape), X, y)
            assert values[-1] <= half * top
            assert values[0] >= lower * top - 1e-14 * top
            mean = np.mean(np.linalg.norm(X, axis=1))
            length = np.linalg.norm(softmax_gradient(scale * rng.standard_normal(zero.shape), X, y))
            assert length <= longest**0.5 * mean
        for sizes in ([1.0], [1.0, 3.0]):  # on one line, and all given to class 1
            examples, wrong = np.outer(sizes, [3.0, -4.0]), np.zeros((2, k))
            wrong[:, 1] = [6.0, -8.0]
            length = np.linalg.norm(softmax_gradient(wrong, examples, np.zeros(len(sizes), int)))
            mean = 5 * np.mean(sizes)
            assert 0.999 * 2**0.5 * mean <= length <= longest**0.5 * mean
        shared = zero.copy()
        shared[-1, :2] = 30.0
        assert curvatures(shared, X, y)[-1] == pytest.approx(half * top, rel=1e-9)


@pytest.mark.claim(
    "claim-cl-two",
    kind="exact",
    holds={"factor": 2.0, "sign": 1},
    false=[{"factor": 1.0}, {"factor": 1.99}, {"sign": -1}],
)
def test_two_classes(factor: float, sign: int, rng: np.random.Generator) -> None:
    """Both runs, step by step, from weights that do not sum to 0."""
    X, y = draw(rng, 11, 3)
    W, model = rng.standard_normal((3, 2)), gd.SoftmaxRegression(classes=2)
    theta = sign * (W[:, 1] - W[:, 0])
    for _ in range(50):
        W = W - 0.8 * model.loss_and_grad(W.ravel(), X, y)[1].reshape(3, 2)
        theta = theta - factor * 0.8 * gd.LogisticRegression().loss_and_grad(theta, X, y)[1]
        assert np.allclose(sign * (W[:, 1] - W[:, 0]), theta, rtol=1e-11)


@pytest.mark.claim(
    "claim-cl-shift",
    kind="exact",
    holds={"taken": "largest", "most": 1.0, "overflow": 709.79, "one": 36.8},
    false=[
        {"taken": "mean"},
        {"taken": "nothing"},
        {"taken": "smallest"},
        {"most": 0.9},
        {"overflow": 709.7},
        {"one": 36.7},
    ],
)
def test_largest_score_is_subtracted(taken: str, most: float, overflow: float, one: float) -> None:
    """Scores up to the largest numbers, and both limits from both sides."""
    take = {"largest": np.max, "mean": np.mean, "smallest": np.min, "nothing": lambda z: 0.0}
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        for scores in (
            [0.0, 0.0, 0.0],
            [1.0, -2.0, 0.5, 3.0],
            [1000.0, -1000.0, 0.0],
            [-800.0, -801.0],
            [1e300, -1e300, 5.0],
        ):
            z = np.array(scores)
            m = take[taken](z)
            S = np.exp(z - m).sum()
            assert 1 <= S <= most * len(z)
            assert m + np.log(S) == pytest.approx(logsumexp(z), rel=1e-14)
        assert np.isinf(np.exp(overflow))
        assert np.isfinite(np.exp(overflow - 0.05))
        assert 1 / (1 + np.exp(-one)) == 1
        assert 1 / (1 + np.exp(-(one - 0.1))) < 1


@lru_cache
def full_steps(split: int, share: float) -> np.ndarray:
    """Return the losses of 300 full steps from 0 on 1297 digits drawn at random."""
    X, y, _ = gd.load_digits()
    rows = np.random.default_rng(split).permutation(len(X))[:1297]
    X, y = gd.add_intercept(X[rows] / 16), y[rows]
    rate = share / np.linalg.eigvalsh(X.T @ X / len(X))[-1]
    options = {"epochs": 300, "batch_size": len(X), "seed": 0}
    model = gd.SoftmaxRegression(classes=10)
    return gd.train(model, X, y, gd.GradientDescent(lr=rate), **options)[1].loss


@pytest.mark.claim(
    "claim-cl-beyond",
    kind="instances",
    holds={"falls": 19, "rises": 60, "within": 10, "last": "larger is lower"},
    false=[{"falls": 25}, {"rises": 25}, {"within": 1}, {"last": "larger is higher"}],
)
def test_up_first_then_ahead(falls: int, rises: int, within: int, last: str) -> None:
    """All ten choices of digits."""
    for split in range(10):
        for share in (3.9, falls):
            assert (np.diff(full_steps(split, share)) < 0).all()
        for share in (rises, 200):
            assert full_steps(split, share)[1 : within + 1].max() > math.log(10)
        ends = [full_steps(split, share)[-1] for share in (3.9, 19, 60, 200)]
        assert ends == sorted(ends, reverse=last == "larger is lower")


@lru_cache
def held_out_error(held: tuple[int, ...], seed: int) -> float:
    """Return the share of held-out digits that are classified wrong."""
    X, y, _ = gd.load_digits()
    X = gd.add_intercept(X / 16)
    rows, rest = np.array(held), np.setdiff1d(np.arange(len(X)), held)
    model, rule = gd.SoftmaxRegression(classes=10), gd.GradientDescent(lr=0.5)
    options = {"epochs": 20, "batch_size": 10, "seed": seed}
    theta, _ = gd.train(model, X[rest], y[rest], rule, **options)
    return float(np.mean(model.predict(theta, X[rows]) != y[rows]))


@pytest.mark.claim(
    "claim-cl-split",
    kind="instances",
    holds={"least": 0.02, "most": 0.05, "low": 0.035, "high": 0.11, "ratio": 2.0},
    false=[{"least": 0.03}, {"most": 0.04}, {"low": 0.04}, {"high": 0.1}, {"ratio": 2.2}],
)
def test_a_random_split_is_too_kind(
    least: float, most: float, low: float, high: float, ratio: float
) -> None:
    """Every split and every block that the observation speaks of."""
    shuffled = [np.random.default_rng(seed).permutation(1797)[:500] for seed in range(20)]
    random = [held_out_error(tuple(rows), seed) for seed, rows in enumerate(shuffled)]
    starts = range(0, 1797, 100)
    places = [tuple((start + i) % 1797 for i in range(500)) for start in starts]
    blocks = [held_out_error(rows, seed) for seed, rows in enumerate(places)]
    assert least < min(random)
    assert max(random) < most
    assert low < min(blocks)
    assert max(blocks) < high
    assert np.median(blocks) > ratio * np.median(random)
