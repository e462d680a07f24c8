"""Exact moments of stochastic gradient descent on least squares, without sampling.

With independently drawn batches the error e = θ - θ* of a linear regression has a mean and a
second moment E[e eᵀ] that follow a linear recursion. What thousands of runs would show on
average, and where the rate is too large for that average, comes out of a matrix of shape
(d², d²).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from gdcourse._types import Array
from gdcourse._validation import as_start, check_count, check_interval


@dataclass(frozen=True, eq=False, repr=False)
class LeastSquaresMoments:
    """SGD on half the mean squared error, on average over all ways to draw the batches.

    A step is θ <- θ - η g with g the mean of (xᵢᵀθ - yᵢ) xᵢ over a batch, and each batch is drawn
    independently of the others. Training in epochs, without replacement from one batch to the
    next, is another thing.

    Parameters
    ----------
    X : array of floats, shape (n, d)
        Design matrix, with linearly independent columns, so that one solution θ* minimizes the
        loss.
    y : array, shape (n,)
        Targets.
    batch_size : int, at least 1, default 1
        Examples in a batch.
    replacement : bool, default True
        Whether the examples within a batch are drawn with replacement. Without it
        ``batch_size`` is at most n.

    Examples
    --------
    >>> moments = LeastSquaresMoments(np.array([[1.0], [3.0]]), np.array([2.0, 6.0]))
    >>> round(moments.mean_square_edge(), 6)  # 20/82
    0.243902

    References
    ----------
    A. Défossez, F. Bach, Averaged least-mean-squares: bias-variance trade-offs and optimal
    sampling distributions, 2015.
    """

    X: Any
    y: Any
    batch_size: int = 1
    replacement: bool = True

    def __post_init__(self) -> None:
        X, y = np.asarray(self.X), np.asarray(self.y)
        if X.ndim != 2 or y.shape != X.shape[:1] or not len(X):
            raise ValueError(
                f"LeastSquaresMoments: X must have shape (n, d) and y shape (n,), n > 0, got "
                f"{X.shape} and {y.shape}."
            )
        X, y = X.astype(np.float64), y.astype(np.float64)
        if not (np.isfinite(X).all() and np.isfinite(y).all()):
            raise ValueError("LeastSquaresMoments: X and y must be finite.")
        if np.linalg.matrix_rank(X) < X.shape[1]:
            raise ValueError(
                "LeastSquaresMoments: the columns of X must be linearly independent; leave out "
                "those that the others make up."
            )
        check_count("LeastSquaresMoments", "batch_size", self.batch_size, 1)
        if not self.replacement and self.batch_size > len(X):
            raise ValueError(
                f"LeastSquaresMoments: batch_size must be at most n = {len(X)} without "
                f"replacement, got {self.batch_size}."
            )
        object.__setattr__(self, "X", X)
        object.__setattr__(self, "y", y)

    def __repr__(self) -> str:
        n, d = self.X.shape
        return f"LeastSquaresMoments({n} examples, {d} parameters, batches of {self.batch_size})"

    @property
    def solution(self) -> Array:
        """The least-squares solution θ*, shape (d,)."""
        return np.asarray(np.linalg.lstsq(self.X, self.y, rcond=None)[0])

    @property
    def hessian(self) -> Array:
        """The Hessian XᵀX/n of the loss, shape (d, d)."""
        return np.asarray(self.X.T @ self.X / len(self.X))

    @property
    def noise(self) -> Array:
        """The covariance matrix of a batch's gradient at the solution, shape (d, d)."""
        each = (self.X @ self.solution - self.y)[:, None] * self.X
        return np.asarray(self._share * each.T @ each / len(self.X))

    @property
    def _share(self) -> float:
        """The variance of a batch's mean, as a share of the variance of one example."""
        n, b = len(self.X), self.batch_size
        if self.replacement:
            return 1 / b
        return (n - b) / (b * (n - 1)) if b < n else 0.0

    def operator(self, lr: float) -> Array:
        """Return the matrix of the linear map that takes E[e eᵀ] to the next, but for the noise.

        Parameters
        ----------
        lr : float, 0 <= lr < inf
            Learning rate.

        Returns
        -------
        array, shape (d², d²)
            It acts on E[e eᵀ] as one vector, row after row.
        """
        check_interval("LeastSquaresMoments", "lr", lr, 0)
        linear, square = self._parts()
        return np.asarray(np.eye(len(linear)) - lr * linear + lr**2 * square)

    def _parts(self) -> tuple[Array, Array]:
        """Return what stands before η and η² in the operator."""
        H, one = self.hessian, np.eye(self.X.shape[1])
        rows = np.einsum("ni,nj->nij", self.X, self.X).reshape(len(self.X), -1)
        # The mean of xxᵀ ⊗ xxᵀ, with the indices in the order of np.kron.
        fourth = (rows.T @ rows / len(rows)).reshape(4 * [len(one)]).transpose(0, 2, 1, 3)
        pairs = np.kron(H, H)
        square = pairs + self._share * (fourth.reshape(pairs.shape) - pairs)
        return np.kron(H, one) + np.kron(one, H), square

    def radius(self, lr: float) -> float:
        """Return the factor per step of E|e|² in the long run, when all residuals are 0."""
        return float(np.max(np.abs(np.linalg.eigvals(self.operator(lr)))))

    def mean_square_edge(self) -> float:
        """Return the learning rate below which E|e|² stays bounded, and above which it grows.

        There the radius is 1. With a batch of all examples it is 2/λ_max.

        Notes
        -----
        The radius is below 1 if and only if some positive definite P has HP + PH > η C(P), with C
        the mean of H_B P H_B over the batches: P is what E|e|² has to be measured with to fall at
        every step. The same P serves every smaller η, and the largest η is 1 over the spectral
        radius of (P -> HP + PH)⁻¹ C.
        """
        linear, square = self._parts()
        return 1 / float(np.max(np.abs(np.linalg.eigvals(np.linalg.solve(linear, square)))))

    def stationary(self, lr: float) -> Array:
        """Return E[e eᵀ] in the long run.

        Parameters
        ----------
        lr : float, 0 < lr < the mean-square edge
            Learning rate.

        Returns
        -------
        array, shape (d, d)
        """
        if not self.radius(lr) < 1 or not lr > 0:
            raise ValueError(
                f"LeastSquaresMoments: lr must satisfy 0 < lr < {self.mean_square_edge():.6g}, "
                f"the mean-square edge, got {lr!r}."
            )
        d = self.X.shape[1]
        system = np.eye(d * d) - self.operator(lr)
        return np.asarray(np.linalg.solve(system, (lr**2 * self.noise).ravel()).reshape(d, d))

    def excess_loss(self, lr: float) -> float:
        """Return how far E[loss] is above the smallest loss in the long run.

        Parameters
        ----------
        lr : float, 0 < lr < the mean-square edge
            Learning rate.
        """
        return float(np.sum(self.hessian * self.stationary(lr)) / 2)

    def expected_loss(self, params: Any, lr: float, steps: int) -> Array:
        """Return E[loss] of a run after every step, the start first.

        Parameters
        ----------
        params : array, shape (d,)
            The start.
        lr : float, 0 <= lr < inf
            Learning rate.
        steps : int, at least 0

        Returns
        -------
        array, shape (steps + 1,)
            Infinite from where it is too large for a float on.
        """
        check_count("LeastSquaresMoments", "steps", steps, 0)
        start, best, H = as_start("LeastSquaresMoments", params), self.solution, self.hessian
        if start.shape != best.shape:
            raise ValueError(
                f"LeastSquaresMoments: params must have shape {best.shape}, got {start.shape}."
            )
        operator, noise, d = self.operator(lr), self.noise, len(best)
        residual = self.X @ best - self.y
        mean: Array = start - best
        second = np.outer(mean, mean)
        floor = float(residual @ residual) / (2 * len(residual))
        losses = np.full(steps + 1, np.inf)
        with np.errstate(over="ignore", invalid="ignore"):
            for t in range(steps + 1):
                loss = floor + float(np.sum(H * second)) / 2
                if not np.isfinite(loss):
                    break
                losses[t] = loss
                # What the error and the noise of a batch have in common, through its examples.
                weights = (self.X @ mean) * residual / len(residual)
                cross = self._share * (self.X.T * weights) @ self.X
                second = (operator @ second.ravel()).reshape(d, d) + lr**2 * (noise + 2 * cross)
                mean = mean - lr * H @ mean
        return losses
