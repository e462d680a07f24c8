"""Functions to descend on, each with its gradient, its Hessian and its minimizer.

Points are scalars (functions of one variable) or arrays of shape (d,). ``f`` also takes a
stack of points of shape (d, ...) and returns the values in the shape (...), so that a whole
grid is evaluated at once for a contour plot.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from gdcourse._validation import check_count, check_interval

Array = np.ndarray[Any, np.dtype[Any]]
Point = Any  # a float or an array: what NumPy arithmetic takes


@dataclass(frozen=True, eq=False)
class Objective:
    """A function, with what is known about it.

    Parameters
    ----------
    name : str
        What to call it in a figure or an error.
    f : callable, x -> float
        The function. It returns nan, or an infinity, where it is undefined.
    grad : callable, x -> array of the shape of x
        Its gradient; in one dimension its derivative.
    hessian : callable, x -> array of shape (d, d), or None
        Its matrix of second derivatives; in one dimension the second derivative.
    minimizer : float or array, or None
        A global minimizer, one of them where there are several; None where there is none, or
        where they fill a line or more.
    domain : (low, high), default (-inf, inf)
        Open interval (the same for each coordinate) in which f is defined.

    Examples
    --------
    >>> bowl = Objective("bowl", f=lambda x: x**2, grad=lambda x: 2 * x, minimizer=0.0)
    >>> bowl.f(3.0), bowl.grad(3.0)
    (9.0, 6.0)
    """

    name: str
    f: Callable[[Point], Any]
    grad: Callable[[Point], Any]
    hessian: Callable[[Point], Any] | None = None
    minimizer: Point | None = None
    domain: tuple[float, float] = (-math.inf, math.inf)

    def __post_init__(self) -> None:
        for name in ("f", "grad"):
            if not callable(getattr(self, name)):
                raise TypeError(
                    f"Objective: {name} must be a function of x, got {getattr(self, name)!r}."
                )
        low, high = self.domain
        if not low < high:
            raise ValueError(
                f"Objective: domain must be (low, high) with low < high, got {self.domain}."
            )

    def __repr__(self) -> str:
        return f"Objective({self.name!r})"


# --- Of one variable -----------------------------------------------------------------------


def square() -> Objective:
    """Return x², smallest at 0: the first example of every course.

    Examples
    --------
    >>> square().grad(10.0)
    20.0
    """
    return Objective(
        "square",
        f=lambda x: x**2,
        grad=lambda x: 2 * x,
        hessian=lambda x: 2.0 + 0 * x,
        minimizer=0.0,
    )


def quartic() -> Objective:
    """Return x⁴/4, smallest at 0, where the second derivative is 0 too.

    Its derivative is not Lipschitz: no learning rate works from every start.
    """
    return Objective(
        "quartic",
        f=lambda x: x**4 / 4,
        grad=lambda x: x**3,
        hessian=lambda x: 3 * x**2,
        minimizer=0.0,
    )


def cubic() -> Objective:
    """Return x³, flat at 0 without a minimum there, or anywhere."""
    return Objective("cubic", f=lambda x: x**3, grad=lambda x: 3 * x**2, hessian=lambda x: 6 * x)


def double_well(tilt: float = 0.25) -> Objective:
    """Return (x² - 1)²/4 + tilt x, with two valleys, the left one deeper for tilt > 0.

    Parameters
    ----------
    tilt : float, not 0, of size below 2/(3 sqrt 3) = 0.3849
        Slope added to the symmetric double well. Beyond that bound one valley is gone; at 0
        both are equally deep and the minimizer would not be unique.

    Notes
    -----
    The stationary points are the roots of x³ - x + tilt, by Viète's formula
    2/√3 cos((arccos(-(3 √3/2) tilt) - 2 π k)/3) for k = 0, 1, 2.
    """
    bound = 2 / (3 * math.sqrt(3))
    if not 0 < abs(tilt) < bound:
        raise ValueError(f"double_well: tilt must satisfy 0 < |tilt| < {bound:.4f}, got {tilt!r}.")
    # The deeper valley lies on the side to which the tilt leans: k = 2 is the leftmost root.
    k = 2 if tilt > 0 else 0
    angle = math.acos(-3 * math.sqrt(3) / 2 * tilt) - 2 * math.pi * k
    return Objective(
        "double well",
        f=lambda x: (x**2 - 1) ** 2 / 4 + tilt * x,
        grad=lambda x: x**3 - x + tilt,
        hessian=lambda x: 3 * x**2 - 1,
        minimizer=2 / math.sqrt(3) * math.cos(angle / 3),
    )


def exponential() -> Objective:
    """Return exp(-x): bounded below by 0, which it never reaches. It has no minimizer."""
    return Objective(
        "exponential",
        f=lambda x: np.exp(-x),
        grad=lambda x: -np.exp(-x),
        hessian=lambda x: np.exp(-x),
    )


def log_barrier() -> Objective:
    """Return x - log x, defined for x > 0 only and smallest at 1; nan for x <= 0."""
    return Objective(
        "log barrier",
        f=lambda x: x - np.log(_positive(x)),
        grad=lambda x: 1 - 1 / _positive(x),
        hessian=lambda x: 1 / _positive(x) ** 2,
        minimizer=1.0,
        domain=(0.0, math.inf),
    )


def _positive(x: Point) -> Any:
    """Return x with nan in place of what is not positive, as a float or an array."""
    return np.where(np.greater(x, 0), x, np.nan)[()]


def absolute() -> Objective:
    """Return the size of x, smallest at 0, where it has a kink; ``grad`` gives 0 there."""
    return Objective("absolute value", f=np.abs, grad=np.sign, minimizer=0.0)


def huber(delta: float = 1.0) -> Objective:
    """Return Huber's function: x²/2 up to delta, and from there on along its tangents.

    Convex, with a 1-Lipschitz derivative, x cut off at -delta and delta.

    Parameters
    ----------
    delta : float, 0 < delta < inf, default 1
        Where the parabola ends; beyond it the slope is delta, or -delta on the left.

    Notes
    -----
    ``hessian`` is 1 inside and at the ends, 0 outside; at the ends themselves there is no second
    derivative.

    References
    ----------
    P. Huber, Robust estimation of a location parameter, 1964. As the function on which gradient
    descent is slowest: Y. Drori, M. Teboulle, Performance of first-order methods for smooth
    convex minimization: a novel approach, 2014.

    Examples
    --------
    >>> robust = huber()
    >>> float(robust.f(0.5)), float(robust.f(3.0)), float(robust.grad(3.0))
    (0.125, 2.5, 1.0)
    """
    check_interval("huber", "delta", delta, 0, open_low=True)
    return Objective(
        "Huber",
        f=lambda x: np.where(np.abs(x) <= delta, x**2 / 2, delta * (np.abs(x) - delta / 2))[()],
        grad=lambda x: np.clip(x, -delta, delta),
        hessian=lambda x: np.where(np.abs(x) <= delta, 1.0, 0.0)[()],
        minimizer=0.0,
    )


def ripples() -> Objective:
    """Return x² + 3 sin² x: not convex, and with no level point but its minimum at 0.

    Its second derivative runs between -4 and 8, so its derivative is 8-Lipschitz.

    References
    ----------
    H. Karimi, J. Nutini, M. Schmidt, Linear convergence of gradient and proximal-gradient methods
    under the Polyak-Łojasiewicz condition, 2016.
    """
    return Objective(
        "ripples",
        f=lambda x: x**2 + 3 * np.sin(x) ** 2,
        grad=lambda x: 2 * x + 3 * np.sin(2 * x),
        hessian=lambda x: 2 + 6 * np.cos(2 * x),
        minimizer=0.0,
    )


# --- Of several variables ------------------------------------------------------------------


def quadratic(A: Any, b: Any = 0.0, c: float = 0.0) -> Objective:
    """Return f(x) = ½ xᵀ A x - bᵀ x + c.

    Parameters
    ----------
    A : float, array of shape (d,) or symmetric array of shape (d, d)
        The curvatures: of the only variable, along each axis, or the Hessian itself.
    b : float or array of shape (d,), default 0
        Linear term; a scalar stands for the same number in every coordinate.
    c : float, default 0
        Constant term.

    Notes
    -----
    ``minimizer`` is the solution of A x = b where A is positive definite by more than
    rounding, else None.

    Examples
    --------
    >>> bowl = quadratic([1.0, 4.0], b=[1.0, 8.0])
    >>> bowl.minimizer
    array([1., 2.])
    >>> bowl.grad(np.array([0.0, 0.0]))
    array([-1., -8.])
    """
    A = np.array(A, dtype=np.float64)
    if A.ndim == 1:
        A = np.diag(A)
    if A.size == 0 or A.ndim > 2 or (A.ndim == 2 and A.shape[0] != A.shape[1]):
        raise ValueError(
            f"quadratic: A must be a number, an array of shape (d,) or a symmetric array of "
            f"shape (d, d), got shape {A.shape}."
        )
    if not np.isfinite(A).all() or not np.array_equal(A, A.T):
        raise ValueError("quadratic: A must be finite and symmetric; use (A + A.T) / 2.")
    shape = A.shape[:1]
    b = np.array(b, dtype=np.float64)
    if b.shape not in ((), shape):
        raise ValueError(f"quadratic: b must be a number or have shape {shape}, got {b.shape}.")
    if not (np.isfinite(b).all() and np.isfinite(c)):
        raise ValueError(f"quadratic: b and c must be finite, got b = {b} and c = {c}.")
    b = np.broadcast_to(b, shape)[()]
    A = A[()]

    if shape == ():
        return Objective(
            "quadratic",
            f=lambda x: A * x**2 / 2 - b * x + c,
            grad=lambda x: A * x - b,
            hessian=lambda x: A + 0 * x,
            minimizer=float(b / A) if A > 0 else None,
        )
    curvatures = np.linalg.eigvalsh(A)
    # Rounding leaves a singular matrix with eigenvalues beside 0, on either side.
    definite = curvatures[0] > len(A) * np.finfo(np.float64).eps * abs(curvatures[-1])
    return Objective(
        "quadratic",
        f=lambda x: np.einsum("i...,ij,j...->...", x, A, x) / 2 - np.tensordot(b, x, 1) + c,
        grad=lambda x: A @ x - b,
        hessian=lambda x: A.copy(),
        minimizer=np.linalg.solve(A, b) if definite else None,
    )


def saddle() -> Objective:
    """Return ½ (x₁² - x₂²): stationary at the origin, down along x₂ for ever."""
    form = quadratic([1.0, -1.0])
    return Objective("saddle", form.f, form.grad, form.hessian)


def nesterov_chain(n: int) -> Objective:
    """Return the quadratic of n variables that resists every first-order method from 0.

    ``(x₁² + Σ (x_i - x_{i+1})² + x_n²)/8 - x₁/4``, a chain of springs between fixed ends, pulled
    at its first link. Its gradient is 1-Lipschitz. From 0 a step moves the next link only, so
    after k steps along gradients the links beyond the k-th have not moved.

    Parameters
    ----------
    n : int, at least 1
        Number of variables.

    References
    ----------
    Y. Nesterov, Lectures on convex optimization, 2nd edition, section 2.1.2, 2018.

    Examples
    --------
    >>> chain = nesterov_chain(3)
    >>> chain.grad(np.zeros(3))
    array([-0.25,  0.  ,  0.  ])
    >>> chain.minimizer
    array([0.75, 0.5 , 0.25])
    """
    check_count("nesterov_chain", "n", n, 1)
    springs = 2 * np.eye(n) - np.eye(n, k=1) - np.eye(n, k=-1)
    form = quadratic(springs / 4, b=np.eye(n)[0] / 4)
    return Objective(
        "Nesterov's chain", form.f, form.grad, form.hessian, 1 - np.arange(1, n + 1) / (n + 1)
    )


def rosenbrock() -> Objective:
    """Return (1 - x₁)² + 100 (x₂ - x₁²)², a bent valley with its lowest point at (1, 1).

    References
    ----------
    H. Rosenbrock, An automatic method for finding the greatest or least value of a function,
    1960.
    """
    return Objective(
        "Rosenbrock",
        f=lambda x: (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2,
        grad=lambda x: np.array(
            [
                -2 * (1 - x[0]) - 400 * x[0] * (x[1] - x[0] ** 2),
                200 * (x[1] - x[0] ** 2),
            ]
        ),
        hessian=lambda x: np.array(
            [
                [2 - 400 * (x[1] - 3 * x[0] ** 2), -400 * x[0]],
                [-400 * x[0], 200.0 + 0 * x[0]],
            ]
        ),
        minimizer=np.array([1.0, 1.0]),
    )


def beale() -> Objective:
    """Return Beale's function, flat far out, steep near the corners, 0 at (3, 1/2).

    (1.5 - x₁ + x₁ x₂)² + (2.25 - x₁ + x₁ x₂²)² + (2.625 - x₁ + x₁ x₂³)².

    References
    ----------
    E. Beale, On an iterative method for finding a local minimum of a function of more than
    one variable, 1958.
    """
    constants = (1.5, 2.25, 2.625)

    def residual(x: Point, p: int) -> Any:
        return constants[p - 1] - x[0] + x[0] * x[1] ** p

    def slopes(x: Point, p: int) -> Any:
        return np.array([x[1] ** p - 1, p * x[0] * x[1] ** (p - 1)])

    def curvature(x: Point, p: int) -> Any:
        mixed = p * x[1] ** (p - 1)
        bend = p * (p - 1) * x[0] * x[1] ** (p - 2) if p > 1 else 0.0 * x[0]
        return np.array([[0.0 * x[0], mixed], [mixed, bend]])

    def hessian(x: Point) -> Any:
        return sum(
            2 * np.outer(slopes(x, p), slopes(x, p)) + 2 * residual(x, p) * curvature(x, p)
            for p in (1, 2, 3)
        )

    return Objective(
        "Beale",
        f=lambda x: sum(residual(x, p) ** 2 for p in (1, 2, 3)),
        grad=lambda x: sum(2 * residual(x, p) * slopes(x, p) for p in (1, 2, 3)),
        hessian=hessian,
        minimizer=np.array([3.0, 0.5]),
    )


def himmelblau() -> Objective:
    """Return (x₁² + x₂ - 11)² + (x₁ + x₂² - 7)²: four valleys, all equally deep.

    ``minimizer`` is the one with whole coordinates, (3, 2).

    References
    ----------
    D. Himmelblau, Applied nonlinear programming, 1972.
    """
    return Objective(
        "Himmelblau",
        f=lambda x: (x[0] ** 2 + x[1] - 11) ** 2 + (x[0] + x[1] ** 2 - 7) ** 2,
        grad=lambda x: np.array(
            [
                4 * x[0] * (x[0] ** 2 + x[1] - 11) + 2 * (x[0] + x[1] ** 2 - 7),
                2 * (x[0] ** 2 + x[1] - 11) + 4 * x[1] * (x[0] + x[1] ** 2 - 7),
            ]
        ),
        hessian=lambda x: np.array(
            [
                [12 * x[0] ** 2 + 4 * x[1] - 42, 4 * (x[0] + x[1])],
                [4 * (x[0] + x[1]), 4 * x[0] + 12 * x[1] ** 2 - 26],
            ]
        ),
        minimizer=np.array([3.0, 2.0]),
    )
