"""The data sets of the course: those of its sources, made anew, and two real ones.

Nothing is downloaded: the real sets travel inside the package, with their source and their
licence in ``gdcourse/datasets/README.md``.
"""

from __future__ import annotations

from importlib.resources import files
from typing import Any, NamedTuple

import numpy as np

from gdcourse._validation import check_count, check_interval

Array = np.ndarray[Any, np.dtype[Any]]


class Dataset(NamedTuple):
    """Examples, targets, and the names of the columns of X."""

    X: Array
    y: Array
    names: tuple[str, ...]


def add_intercept(X: Any) -> Array:
    """Return X with a last column of ones, so that its parameter is the intercept.

    Parameters
    ----------
    X : array of floats, shape (n, d)

    Returns
    -------
    array of shape (n, d + 1)

    Examples
    --------
    >>> add_intercept(np.array([[2.0], [3.0]]))
    array([[2., 1.],
           [3., 1.]])
    """
    X = np.asarray(X)
    if X.ndim != 2:
        raise ValueError(
            f"add_intercept: X must have shape (n, d), got {X.shape}; "
            f"for one column use X.reshape(-1, 1)."
        )
    return np.column_stack([X, np.ones(len(X))])


def line() -> Dataset:
    """Return the 100 points y = 20 x + 5 for x = -50, ..., 49, in this order and noise-free.

    References
    ----------
    J. Grus, Data Science from Scratch, 2nd edition, chapter 8, 2019.

    Examples
    --------
    >>> X, y, names = line()
    >>> X[[0, -1], 0], y[[0, -1]]
    (array([-50.,  49.]), array([-995.,  985.]))
    """
    x = np.arange(-50.0, 50.0)
    return Dataset(x.reshape(-1, 1), 20 * x + 5, ("x",))


def normal_regression(seed: int, *, n: int = 1000, noise: float = 0.01) -> Dataset:
    """Return a linear regression on two standard normal inputs, y = 2 x₁ - 3.4 x₂ + 4.2 + e.

    Parameters
    ----------
    seed : int, at least 0
        Seed of the draws: first all of X, then the noise.
    n : int, at least 1, default 1000
        Number of examples.
    noise : float, 0 <= noise < inf, default 0.01
        Standard deviation of the normal error e.

    References
    ----------
    The problem of the chapter on stochastic gradient descent in Z. Lipton et al., Deep
    Learning: The Straight Dope, 2018, with NumPy's generator in place of MXNet's.

    Examples
    --------
    >>> X, y, names = normal_regression(seed=0, noise=0)
    >>> X.shape, bool(np.allclose(y, X @ [2, -3.4] + 4.2))
    ((1000, 2), True)
    """
    check_count("normal_regression", "seed", seed, 0)
    check_count("normal_regression", "n", n, 1)
    check_interval("normal_regression", "noise", noise, 0)
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, 2))
    y = X @ np.array([2.0, -3.4]) + 4.2 + noise * rng.standard_normal(n)
    return Dataset(X, y, ("x1", "x2"))


def load_diabetes() -> Dataset:
    """Return the diabetes data: 442 patients, ten measurements, progression after one year.

    X has the raw columns in their units: age (years), sex (1 or 2), body-mass index (kg/m²),
    mean blood pressure (mm Hg) and six blood serum values. y is a measure of how far the
    disease has progressed, from 25 to 346.

    References
    ----------
    B. Efron, T. Hastie, I. Johnstone, R. Tibshirani, Least angle regression, 2004.

    Examples
    --------
    >>> X, y, names = load_diabetes()
    >>> X.shape, names[:4], float(y.min()), float(y.max())
    ((442, 10), ('age', 'sex', 'bmi', 'bp'), 25.0, 346.0)
    """
    table, names = _table("diabetes.csv")
    return Dataset(table[:, :-1], table[:, -1], names[:-1])


def load_digits() -> Dataset:
    """Return the optical digits: 1797 handwritten digits, 8 by 8 pixels from 0 to 16.

    X holds the 64 pixels of each digit row by row, y the digit.

    References
    ----------
    E. Alpaydin, C. Kaynak, Optical recognition of handwritten digits, UCI Machine Learning
    Repository, 1998.

    Examples
    --------
    >>> X, y, names = load_digits()
    >>> X.shape, float(X.max()), y[:5]
    ((1797, 64), 16.0, array([0, 1, 2, 3, 4]))
    """
    table, names = _table("digits.csv")
    return Dataset(table[:, :-1], table[:, -1].astype(np.int64), names[:-1])


def _table(filename: str) -> tuple[Array, tuple[str, ...]]:
    """Return the numbers and the column names of a file of the package."""
    text = (files("gdcourse") / "datasets" / filename).read_text(encoding="utf-8")
    head, *rows = text.splitlines()
    return np.array([row.split(",") for row in rows], dtype=np.float64), tuple(head.split(","))
