"""The answers of the chapter on conditioning."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from gdcourse._answers._kinds import ROWS, Answer, Code
from gdcourse._types import Array
from gdcourse.data import add_intercept, load_diabetes


def _best_factor() -> Answer:
    low, middle, high = 0.5, 3.0, 8.0

    def factor(one: float, other: float) -> float:
        return (other - one) / (other + one)

    return Answer(
        factor(low, high),
        {
            "That is for the rate 1/L; the best one is 2/(μ + L).": 1 - low / high,
            "The smallest eigenvalue is 0.5, not 3.": factor(middle, high),
            "The largest eigenvalue is 8, not 3.": factor(low, middle),
            "That is the condition number.": high / low,
            "That is the best rate, not its factor.": 2 / (low + high),
            "The square is for f; the factor of the distance is asked for.": factor(low, high) ** 2,
            "The root is for methods with momentum.": factor(np.sqrt(low), np.sqrt(high)),
        },
        rtol=2e-3,
    )


def _believed_edge() -> Answer:
    rate = 2 / (1 + 80)
    return Answer(
        1 - 100 * rate,
        {
            "That is for the curvature that you believe in; the true one is 100.": 1 - 80 * rate,
            "That is for the rate 1/80.": 1 - 100 / 80,
            "That is the flattest mode.": 1 - rate,
            "That is what is taken away, ηλ; the factor is 1 minus it.": 100 * rate,
            "That is for 2/80: the best rate is 2/(1 + 80).": 1 - 100 * 2 / 80,
            "That is for the rate that would be best for the true curvature.": 1 - 100 * 2 / 101,
        },
        rtol=4e-3,  # three digits, rounded
    )


def _units() -> Answer:
    return Answer(
        1 / 3,
        {
            "That is P⁻¹ itself, and it is SSᵀ: take the root.": 1 / 9,
            "That is the root of P; SSᵀ is P⁻¹.": 3.0,
            "That is P; SSᵀ is P⁻¹.": 9.0,
            "That is the first entry; the second is asked for.": 1.0,
        },
        rtol=2e-3,
    )


def _count_steps() -> Answer:
    X, y, _ = load_diabetes()
    X = add_intercept((X - X.mean(axis=0)) / X.std(axis=0))
    curvature, q = np.linalg.eigh(X.T @ X / len(y))
    components = q.T @ np.linalg.lstsq(X, y, rcond=None)[0]

    def steps(factor: Array, gap: float) -> int:
        left = factor ** (2 * np.arange(3000)[:, None]) @ (curvature * components**2) / 2
        return int(np.argmax(left < gap))

    right = steps(1 - curvature / curvature[-1], 1.0)
    return Answer(
        right,
        {
            "One step fewer, and it is a hair above 1.": right - 1,
            "One step fewer is enough: step 0 is the start.": right + 1,
            "That is with half the rate.": steps(1 - curvature / curvature[-1] / 2, 1.0),
            "That is for a squared error without the half: the loss carries it.": steps(
                1 - curvature / curvature[-1], 0.5
            ),
            "That is until the gap is a hundredth of the first.": steps(
                1 - curvature / curvature[-1], 131.0
            ),
        },
        rtol=1e-6,
    )


def _correlated_columns() -> Answer:
    low, high = np.linalg.eigvalsh(np.array([[1.0, -0.95], [-0.95, 1.0]]))
    return Answer(
        float(high / low),
        {
            "The larger eigenvalue is 1.95, the smaller 0.05.": 1 / 0.05,
            "That is the larger eigenvalue; divide it by the smaller.": float(high),
            "A condition number is at least 1: the largest over the smallest.": float(low / high),
            "That is with the square of the correlation.": (1 + 0.95**2) / (1 - 0.95**2),
            "That is the square of it.": float((high / low) ** 2),
            "That is the condition number of X; of XᵀX it is the square.": float(
                np.sqrt(high / low)
            ),
        },
        rtol=1e-3,
    )


#: By the label of the exercise.
ANSWERS: dict[str, Callable[[], Answer]] = {
    "ex-co-factor": _best_factor,
    "ex-co-edge": _believed_edge,
    "ex-co-columns": _correlated_columns,
    "ex-co-units": _units,
    "ex-co-count": _count_steps,
}


# --- Functions that a reader writes ---


def _exact_rate(X: Array, y: Array, theta: Array) -> float:
    g: Array = X.T @ (X @ theta - y)  # its factor 1/n drops out
    return float(g @ g / (g @ X.T @ X @ g / len(y)))


def _fixed_rate(X: Array, which: str) -> float:
    values = np.linalg.eigvalsh(X.T @ X / len(X))
    return float({"1/L": 1 / values[-1], "best": 2 / (values[0] + values[-1])}[which])


_SEARCH = Code(
    _exact_rate,
    {
        "Where is y? The error is X @ theta - y.": lambda X, y, theta: _exact_rate(X, 0 * y, theta),
        "The error is prediction minus target.": lambda X, y, theta: _exact_rate(X, -y, theta),
        "That is the curvature along g; the rate is 1 over it.": lambda X, y, theta: (
            1 / _exact_rate(X, y, theta)
        ),
        "That is for the sum of squares: the Hessian has 1/n.": lambda X, y, theta: (
            _exact_rate(X, y, theta) / len(y)
        ),
        "One n too many: the rate is n |g|²/|Xg|².": lambda X, y, theta: (
            _exact_rate(X, y, theta) * len(y)
        ),
        "That divides by the number of parameters, not of examples.": lambda X, y, theta: (
            _exact_rate(X, y, theta) / len(y) * X.shape[1]
        ),
        "That is half of it: the half of the loss is gone in the gradient.": lambda X, y, theta: (
            _exact_rate(X, y, theta) / 2
        ),
        "That is twice it, the rate at which the loss is as high as before.": lambda X, y, theta: (
            2 * _exact_rate(X, y, theta)
        ),
        "That is |Xg|²/n; the rate is |g|² over it.": lambda X, y, theta: (
            np.sum((X.T @ (X @ theta - y) / len(y)) ** 2) / _exact_rate(X, y, theta)
        ),
        "That is 1/L, the same for every point.": lambda X, y, theta: _fixed_rate(X, "1/L"),
        "That is the best fixed rate, the same for every point.": lambda X, y, theta: _fixed_rate(
            X, "best"
        ),
        "That is for a step along theta; the search is along the gradient.": lambda X, y, theta: (
            len(y) * (theta @ theta) / (X @ theta @ X @ theta)
        ),
    },
    (
        (np.array([[1.0], [3.0]]), np.array([1.0, 2.0]), np.array([2.0])),
        (ROWS, np.array([1.0, -2.0, 0.0, 4.0, 2.0]), np.array([0.5, 4.0])),
        (ROWS, np.array([0.0, 5.0, 1.0, 1.0, -1.0]), np.array([-3.0, 1.0])),
    ),
    lambda X, y, theta: f"For X = {X.tolist()}, y = {y.tolist()} and theta = {theta.tolist()}",
)


def _old_units(theta: Array, mean: Array, std: Array) -> Array:
    return np.append(theta[:-1] / std, theta[-1] - theta[:-1] @ (mean / std))


_UNDO = Code(
    _old_units,
    {
        "The intercept changes too: it loses each slope times the mean of its column.": (
            lambda theta, mean, std: np.append(theta[:-1] / std, theta[-1])
        ),
        "Slopes are divided by the standard deviation, not multiplied.": (
            lambda theta, mean, std: np.append(
                theta[:-1] * std, theta[-1] - theta[:-1] * std @ mean
            )
        ),
        "Use the new slopes for the intercept, not those for the standardized columns.": (
            lambda theta, mean, std: np.append(theta[:-1] / std, theta[-1] - theta[:-1] @ mean)
        ),
        "The intercept loses the slopes times the means; it does not gain them.": (
            lambda theta, mean, std: np.append(
                theta[:-1] / std, theta[-1] + theta[:-1] @ (mean / std)
            )
        ),
        "Nothing has changed: slopes were per standard deviation, the intercept at the mean.": (
            lambda theta, mean, std: theta
        ),
        "Each mean comes with its slope; that takes off the means alone.": (
            lambda theta, mean, std: np.append(theta[:-1] / std, theta[-1] - mean.sum())
        ),
        "The intercept is right; the slopes are to be divided, not multiplied.": (
            lambda theta, mean, std: np.append(
                theta[:-1] * std, theta[-1] - theta[:-1] @ (mean / std)
            )
        ),
        "The intercept stands last.": lambda theta, mean, std: np.append(
            theta[-1] - theta[:-1] @ (mean / std), theta[:-1] / std
        ),
        "The intercept is no column: it is not divided.": lambda theta, mean, std: np.append(
            theta[:-1] / std, theta[-1] / std[-1] - theta[:-1] @ (mean / std)
        ),
        "The slopes change too: a column's unit was its standard deviation.": (
            lambda theta, mean, std: np.append(theta[:-1], theta[-1] - theta[:-1] @ (mean / std))
        ),
    },
    (
        (np.array([6.0, 1.0]), np.array([2.0]), np.array([3.0])),
        (np.array([1.0, -4.0, 0.5]), np.array([10.0, -1.0]), np.array([2.0, 0.25])),
    ),
    lambda theta, mean, std: (
        f"For theta = {theta.tolist()}, mean = {mean.tolist()} and std = {std.tolist()}"
    ),
)


def _spread(training: Array) -> Array:
    varies = training.max(axis=0) > training.min(axis=0)
    return np.where(varies, training.std(axis=0), 1)


def _standardized(training: Array, new: Array) -> Array:
    return np.asarray((new - training.mean(axis=0)) / _spread(training))


_NEW = Code(
    _standardized,
    {
        "That uses the mean and the spread of the new rows: use those of the training rows.": (
            lambda training, new: _standardized(new, new)
        ),
        "That uses the mean of the new rows: use that of the training rows.": (
            lambda training, new: (new - new.mean(axis=0)) / _spread(training)
        ),
        "That uses the spread of the new rows: use that of the training rows.": (
            lambda training, new: (new - training.mean(axis=0)) / _spread(new)
        ),
        "That mixes training and new rows: the training rows alone say what the units are.": (
            lambda training, new: _standardized(np.concatenate([training, new]), new)
        ),
        "Only the mean is subtracted: divide by the spread.": lambda training, new: (
            new - training.mean(axis=0)
        ),
        "The mean is not subtracted.": lambda training, new: new / _spread(training),
        "A column that did not vary has a spread of 0: divide it by 1.": lambda training, new: (
            (new - training.mean(axis=0)) / training.std(axis=0)
        ),
        "The spread of equal numbers need not come out as exactly 0: ask whether the largest "
        "differs from the smallest.": lambda training, new: (
            (new - training.mean(axis=0))
            / np.where(training.std(axis=0) > 0, training.std(axis=0), 1)
        ),
        "A small number added to the spread changes every column, and makes a new value in a "
        "column that did not vary astronomical: divide that by 1.": lambda training, new: (
            (new - training.mean(axis=0)) / (training.std(axis=0) + 1e-8)
        ),
        "That divides by at least 1: a column whose spread is smaller is not standardized.": (
            lambda training, new: (
                (new - training.mean(axis=0)) / np.maximum(training.std(axis=0), 1)
            )
        ),
        "That turns what is no number into one: divide by 1 where a column did not vary.": (
            lambda training, new: np.nan_to_num(
                (new - training.mean(axis=0)) / training.std(axis=0)
            )
        ),
        "The column that did not vary is to be shifted as well, and divided by 1.": (
            lambda training, new: np.where(
                training.max(axis=0) > training.min(axis=0), _standardized(training, new), new
            )
        ),
        "Do not set a column that did not vary to 0: subtract its mean and divide by 1.": (
            lambda training, new: np.where(
                training.max(axis=0) > training.min(axis=0), _standardized(training, new), 0.0
            )
        ),
        "Mean and spread are taken over all entries: take them column by column, axis=0.": (
            lambda training, new: (new - training.mean()) / training.std()
        ),
        "That divides by the variance; the spread is its root.": lambda training, new: (
            (new - training.mean(axis=0))
            / np.where(_spread(training) == 1, 1, training.var(axis=0))
        ),
        "That spread has n - 1 below; NumPy's std, and this course, have n.": (
            lambda training, new: (
                (new - training.mean(axis=0))
                / np.where(_spread(training) == 1, 1, training.std(axis=0, ddof=1))
            )
        ),
    },
    (
        (np.array([[1.0], [5.0]]), np.array([[7.0], [4.0]])),
        # Columns: ordinary, of one whole number, of a spread below 1.
        (
            np.array([[1.0, 4.0, 0.5], [3.0, 4.0, 1.0], [8.0, 4.0, 1.5]]),
            np.array([[2.0, 4.0, 0.9], [0.5, 6.0, 1.1]]),
        ),
        # A column whose mean is not exactly its one number, and a row that comes alone.
        (
            np.column_stack([np.arange(7.0), np.full(7, 0.1)]),
            np.array([[2.5, 0.2]]),
        ),
    ),
    lambda training, new: f"For training rows {training.tolist()} and new rows {new.tolist()}",
)


def _root(P: Array) -> Array:
    values, q = np.linalg.eigh(P)
    return np.asarray(q * np.sqrt(values) @ q.T)


def _preconditioned(x: Array, grad: Array, lr: float, P: Array) -> Array:
    return np.asarray(x - lr * np.linalg.solve(P, grad))


_STEP = Code(
    _preconditioned,
    {
        "That multiplies by P; the steepest step divides by it.": lambda x, grad, lr, P: (
            x - lr * P @ grad
        ),
        "P is not used.": lambda x, grad, lr, P: x - lr * grad,
        "The step goes uphill: subtract, do not add.": lambda x, grad, lr, P: (
            x + lr * np.linalg.solve(P, grad)
        ),
        "The learning rate is not used.": lambda x, grad, lr, P: _preconditioned(x, grad, 1.0, P),
        "The old x is missing: this is the step alone.": lambda x, grad, lr, P: (
            -lr * np.linalg.solve(P, grad)
        ),
        "That divides by the diagonal of P alone.": lambda x, grad, lr, P: (
            x - lr * grad / np.diag(P)
        ),
        "That divides entry by entry; the inverse of a matrix is another thing.": (
            lambda x, grad, lr, P: x - lr * (1 / P) @ grad
        ),
        "That divides by the root of P.": lambda x, grad, lr, P: (
            x - lr * np.linalg.solve(_root(P), grad)
        ),
        "That step has length lr: it is to be longer where it is steeper.": lambda x, grad, lr, P: (
            x - lr * np.linalg.solve(P, grad) / np.linalg.norm(np.linalg.solve(P, grad))
        ),
        "The learning rate is to multiply, not to divide.": lambda x, grad, lr, P: _preconditioned(
            x, grad, 1 / lr, P
        ),
        "Only the gradient is divided by P, not x.": lambda x, grad, lr, P: np.linalg.solve(
            P, x - lr * grad
        ),
        "P is in it twice: P⁻¹g, once.": lambda x, grad, lr, P: (
            x - lr * np.linalg.solve(P @ P, grad)
        ),
    },
    (
        (np.array([1.0, 1.0]), np.array([2.0, 8.0]), 0.5, np.diag([2.0, 4.0])),
        (np.array([0.5, -2.0]), np.array([1.0, -3.0]), 0.1, np.array([[2.0, 1.0], [1.0, 5.0]])),
    ),
    lambda x, grad, lr, P: (
        f"From x = {x.tolist()} with grad = {grad.tolist()}, lr = {lr:g} and P = {P.tolist()}"
    ),
)

#: By the label of the exercise.
FUNCTIONS: dict[str, Code] = {
    "ex-co-search": _SEARCH,
    "ex-co-undo": _UNDO,
    "ex-co-new": _NEW,
    "ex-co-step": _STEP,
}
