"""Models to be trained: the mean loss over the examples given, and its gradient.

A model takes the design matrix X of shape (n, d) as it is: for an intercept add a column of
ones (:func:`gdcourse.data.add_intercept`). Its parameters are one flat vector, so that every
update rule sees one array. ``loss_and_grad`` is the mean over the examples that it is given,
however many: nothing is ever divided by a batch size that a short last batch does not have.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from gdcourse._validation import check_count
from gdcourse.autograd import detach, value_and_gradient

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class LinearRegression:
    """Linear regression: predictions X θ, half the mean squared error.

    With n examples x_i (rows of X), targets y_i and parameters θ (``params``)::

        loss = 1/(2 n) Σ (x_iᵀ θ - y_i)²
        grad = 1/n Xᵀ (X θ - y)

    Examples
    --------
    >>> X, y = np.array([[1.0, 1.0], [2.0, 1.0]]), np.array([3.0, 5.0])
    >>> LinearRegression().loss_and_grad(np.array([0.0, 0.0]), X, y)
    (8.5, array([-6.5, -4. ]))
    """

    def init(self, X: Array, y: Array, rng: np.random.Generator) -> Array:
        """Return d numbers drawn from the standard normal distribution."""
        _check_data("LinearRegression", X, y)
        return rng.standard_normal(X.shape[1])

    def loss_and_grad(self, params: Array, X: Array, y: Array) -> tuple[float, Array]:
        """Return the loss over the given examples and its gradient, of the shape of params."""
        residual: Array = X @ params - y
        loss = float(residual @ residual) / (2 * len(y))
        return loss, residual @ X / len(y)

    def predict(self, params: Array, X: Array) -> Array:
        """Return the n predicted targets."""
        return np.asarray(X @ params)


@dataclass(frozen=True)
class LogisticRegression:
    """Logistic regression: classes 0 and 1, the mean negative log-likelihood.

    With z_i = x_iᵀ θ and the probability σ(z) = 1/(1 + exp(-z)) of class 1::

        loss = 1/n Σ log(1 + exp(z_i)) - y_i z_i
        grad = 1/n Xᵀ (σ(z) - y)

    Examples
    --------
    >>> X, y = np.array([[1.0, 1.0], [2.0, 1.0]]), np.array([0, 1])
    >>> loss, grad = LogisticRegression().loss_and_grad(np.array([0.0, 0.0]), X, y)
    >>> round(loss, 6), grad
    (0.693147, array([-0.25,  0.  ]))
    """

    def init(self, X: Array, y: Array, rng: np.random.Generator) -> Array:
        """Return d zeros: the loss is convex, and 0 favors no class."""
        _check_data("LogisticRegression", X, y)
        _check_classes("LogisticRegression", y, 2)
        return np.zeros(X.shape[1])

    def loss_and_grad(self, params: Array, X: Array, y: Array) -> tuple[float, Array]:
        """Return the loss over the given examples and its gradient, of the shape of params."""
        z = X @ params
        # logaddexp and tanh overflow for no z, unlike exp, and
        # the log of 1 + e^-z keeps its digits where it is tiny.
        losses = np.logaddexp(0, np.where(y == 1, -z, z))
        error = (1 + np.tanh(z / 2)) / 2 - y
        return float(losses.sum()) / len(y), error @ X / len(y)

    def predict(self, params: Array, X: Array) -> Array:
        """Return the likelier class of each example, 0 or 1."""
        return np.asarray(X @ params > 0, dtype=np.int64)


@dataclass(frozen=True)
class SoftmaxRegression:
    """Softmax regression: classes 0 to k - 1, the mean negative log-likelihood.

    With the weights W of shape (d, k), which are ``params`` reshaped, z = X W, the
    probabilities p_ij = exp(z_ij) / Σ_l exp(z_il) and Y the one-hot rows of y::

        loss = -1/n Σ log p_{i, y_i}
        grad = 1/n Xᵀ (p - Y)

    Parameters
    ----------
    classes : int, at least 2
        Number of classes k.

    Examples
    --------
    >>> X, y = np.array([[1.0], [2.0]]), np.array([0, 2])
    >>> loss, grad = SoftmaxRegression(classes=4).loss_and_grad(np.zeros(4), X, y)
    >>> round(loss, 6), grad
    (1.386294, array([-0.125,  0.375, -0.625,  0.375]))
    """

    classes: int

    def __post_init__(self) -> None:
        check_count("SoftmaxRegression", "classes", self.classes, 2)

    def init(self, X: Array, y: Array, rng: np.random.Generator) -> Array:
        """Return d k zeros: the loss is convex, and 0 favors no class."""
        _check_data("SoftmaxRegression", X, y)
        _check_classes("SoftmaxRegression", y, self.classes)
        return np.zeros(X.shape[1] * self.classes)

    def loss_and_grad(self, params: Array, X: Array, y: Array) -> tuple[float, Array]:
        """Return the loss over the given examples and its gradient, of the shape of params."""
        z = X @ params.reshape(-1, self.classes)
        # The same probabilities, and exp cannot overflow:
        z = z - z.max(axis=1, keepdims=True)
        log_p = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
        rows = np.arange(len(y))
        loss = -float(log_p[rows, y].sum()) / len(y)
        error = np.exp(log_p)
        error[rows, y] -= 1
        return loss, (X.T @ error).ravel() / len(y)

    def predict(self, params: Array, X: Array) -> Array:
        """Return the likeliest class of each example, 0 to k - 1."""
        return np.asarray(np.argmax(X @ params.reshape(-1, self.classes), axis=1))


@dataclass(frozen=True)
class TwoLayerNetwork:
    """A network with one hidden layer: classes 0 to k - 1, the mean negative log-likelihood.

    With the weights W of shape (d, h), V of (h, k) and the biases c of the scores, one after the
    other in ``params``, row by row, and the probabilities p of softmax regression::

        R = max(0, X W)
        z = R V + c
        loss = -1/n Σ log p_{i, y_i}

    The hidden units have the biases that belong to the column of ones in X
    (:func:`gdcourse.data.add_intercept`). The gradient comes from :mod:`gdcourse.autograd`.

    Parameters
    ----------
    hidden : int, at least 1
        Number of hidden units h.
    classes : int, at least 2
        Number of classes k.

    References
    ----------
    D. Rumelhart, G. Hinton, R. Williams, Learning representations by back-propagating errors,
    1986. K. He, X. Zhang, S. Ren, J. Sun, Delving deep into rectifiers, 2015, for the start.

    Examples
    --------
    >>> X, y = np.array([[1.0], [2.0]]), np.array([0, 1])
    >>> params = np.array([1.0, 3.0, -3.0, 0.0, 0.0])
    >>> loss, grad = TwoLayerNetwork(hidden=1, classes=2).loss_and_grad(params, X, y)
    >>> np.round(grad, 3)
    array([ 5.993,  0.999, -0.999,  0.499, -0.499])
    """

    hidden: int
    classes: int

    def __post_init__(self) -> None:
        check_count("TwoLayerNetwork", "hidden", self.hidden, 1)
        check_count("TwoLayerNetwork", "classes", self.classes, 2)

    def init(self, X: Array, y: Array, rng: np.random.Generator) -> Array:
        """Return normal weights with variance 2/d in W and 2/h in V, and biases of 0."""
        _check_data("TwoLayerNetwork", X, y)
        _check_classes("TwoLayerNetwork", y, self.classes)
        d, h, k = X.shape[1], self.hidden, self.classes
        W = rng.standard_normal(d * h) * np.sqrt(2 / d)
        V = rng.standard_normal(h * k) * np.sqrt(2 / h)
        return np.concatenate([W, V, np.zeros(k)])

    def scores(self, params: Any, X: Array) -> Any:
        """Return the scores z of the classes, shape (n, k)."""
        d, h, k = X.shape[1], self.hidden, self.classes
        W = params[: d * h].reshape(d, h)
        V = params[d * h : -k].reshape(h, k)
        return np.maximum(X @ W, 0) @ V + params[-k:]

    def loss(self, params: Any, X: Array, y: Array) -> Any:
        """Return the loss over the given examples."""
        z = self.scores(params, X)
        # The same probabilities, and exp cannot overflow:
        z = z - detach(z).max(axis=1, keepdims=True)
        log_p = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
        return -log_p[np.arange(len(y)), y].sum() / len(y)

    def loss_and_grad(self, params: Array, X: Array, y: Array) -> tuple[float, Array]:
        """Return the loss over the given examples and its gradient, of the shape of params."""
        return value_and_gradient(lambda p: self.loss(p, X, y))(params)

    def predict(self, params: Array, X: Array) -> Array:
        """Return the likeliest class of each example, 0 to k - 1."""
        return np.asarray(np.argmax(self.scores(params, X), axis=1))


def _check_data(owner: str, X: Array, y: Array) -> None:
    """Raise unless X is a finite (n, d) matrix of floats and y one finite number a row."""
    X, y = np.asarray(X), np.asarray(y)
    if X.ndim != 2 or X.dtype.kind != "f":
        raise ValueError(
            f"{owner}: X must be an array of floats of shape (n, d), got shape {X.shape}, "
            f"dtype {X.dtype}."
        )
    if y.shape != (len(X),) or len(y) == 0:
        raise ValueError(
            f"{owner}: y must have shape (n,) with n = {len(X)} the rows of X and n > 0, "
            f"got {y.shape}; flatten it with y.ravel()."
        )
    if y.dtype.kind not in "biuf":
        raise ValueError(f"{owner}: y must hold numbers, got dtype {y.dtype}.")
    if not (np.isfinite(X).all() and np.isfinite(y).all()):
        raise ValueError(f"{owner}: X and y must be finite; remove or fill missing entries.")


def _check_classes(owner: str, y: Array, classes: int) -> None:
    """Raise unless y holds whole numbers from 0 to classes - 1."""
    y = np.asarray(y)
    if y.dtype.kind not in "iu" or y.min() < 0 or y.max() >= classes:
        raise ValueError(
            f"{owner}: y must hold whole numbers from 0 to {classes - 1}, "
            f"got dtype {y.dtype} and values from {y.min()} to {y.max()}."
        )
