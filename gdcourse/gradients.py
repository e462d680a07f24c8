"""Derivatives estimated from values of a function, and the check of a gradient against them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple, SupportsFloat

import numpy as np

from gdcourse._validation import check_choice, check_interval

Array = np.ndarray[Any, np.dtype[Any]]

# The power of the machine epsilon that balances truncation against rounding, by method:
# error h + eps/h is smallest near eps^(1/2), error h^2 + eps/h near eps^(1/3).
_STEP_POWER = {"forward": 1 / 2, "central": 1 / 3}


def difference_quotient(f: Callable[[Any], Any], x: Any, h: float) -> Any:
    """Return (f(x + h) - f(x)) / h, the slope of the secant through x and x + h.

    Parameters
    ----------
    f : callable, float -> float
        The function.
    x : float
        Where.
    h : float, not 0
        The distance to the second point. Negative h looks backward.

    Returns
    -------
    float
        The estimate of f'(x). Its error is at most ``M2 |h| / 2``, where M2 bounds ``|f''|``
        between the two points, plus at most ``2 δ / |h|`` where δ is the error of one computed
        value of f, plus about ``1.1e-16 |x f'(x)| / |h|`` where x + h is not exact.

    Examples
    --------
    >>> difference_quotient(lambda x: x * x, 3.0, 0.5)
    6.5
    """
    _check_h("difference_quotient", h)
    return (f(x + h) - f(x)) / h


def central_difference(f: Callable[[Any], Any], x: Any, h: float) -> Any:
    """Return (f(x + h) - f(x - h)) / (2 h), the slope of the secant around x.

    Parameters
    ----------
    f : callable, float -> float
        The function.
    x : float
        Where.
    h : float, not 0
        The distance to either side.

    Returns
    -------
    float
        The estimate of f'(x). Its error is at most ``M3 h² / 6``, where M3 bounds ``|f'''|``
        between the two points, plus at most ``δ / |h|`` where δ is the error of one computed
        value of f, plus about ``1.1e-16 |x f'(x)| / |h|`` where x + h is not exact.

    Examples
    --------
    >>> central_difference(lambda x: x * x, 3.0, 0.5)
    6.0
    """
    _check_h("central_difference", h)
    return (f(x + h) - f(x - h)) / (2 * h)


def numerical_gradient(
    f: Callable[[Any], Any], x: Any, h: float | None = None, *, method: str = "central"
) -> Any:
    """Return the gradient of f at x, estimated coordinate by coordinate.

    Parameters
    ----------
    f : callable, array -> float
        The function.
    x : array of floats, any shape
        Where. The arithmetic stays in its precision: float32 in, float32 out.
    h : float, 0 < h < inf, or None
        The distance to the neighbouring points; None takes, for each coordinate,
        ``max(1, |x_i|)`` times the square root (forward) or the cube root (central) of the
        machine epsilon, which balances truncation against rounding.
    method : "central" or "forward"
        Central differences call f at 2 n points, forward differences at n + 1.

    Returns
    -------
    array of the shape of x

    Examples
    --------
    >>> np.round(numerical_gradient(lambda v: v @ v, np.array([1.0, -2.0, 3.0])), 6)
    array([ 2., -4.,  6.])
    """
    point, steps = _point_and_steps("numerical_gradient", x, h, method)
    return _estimate(f, point, steps, method)


class GradientCheck(NamedTuple):
    """What :func:`check_gradient` found.

    ``passed``: whether all coordinates agree. ``error``: the largest relative difference.
    ``where``: the coordinate that has it. ``analytic`` and ``numerical``: the two gradients.
    """

    passed: bool
    error: float
    where: tuple[int, ...]
    analytic: Array
    numerical: Array


def check_gradient(
    f: Callable[[Any], Any],
    grad: Callable[[Any], Any],
    x: Any,
    *,
    h: float | None = None,
    rtol: float | None = None,
) -> GradientCheck:
    """Compare a gradient with central differences of the function, coordinate by coordinate.

    Parameters
    ----------
    f : callable, array -> float
        The function.
    grad : callable, array -> array of the shape of x
        The gradient to be checked.
    x : array of floats, any shape
        Where. Choose a point away from kinks, and not a symmetric one such as 0: a wrong sign
        does not show there.
    h : float, 0 < h < inf, or None
        As in :func:`numerical_gradient`.
    rtol : float, 0 < rtol < inf, or None
        Largest relative difference that passes; None takes ten times the square root of the
        machine epsilon: 1.5e-7 in float64, 3.5e-3 in float32.

    Returns
    -------
    GradientCheck
        The relative difference of a coordinate is ``|a - n| / max(|a|, |n|, floor)``, where the
        floor, ``10 eps |f(x)| / (h rtol)`` with the machine epsilon eps, keeps rounding in f
        from failing a coordinate whose derivative is close to 0. A coordinate below the floor is
        not checked: shift f so that it is not huge beside its derivatives.

    Raises
    ------
    TypeError
        If x does not hold floats.
    ValueError
        If grad(x) has another shape than x, or f or grad is not finite at x.

    Examples
    --------
    >>> f = lambda v: v @ v
    >>> check_gradient(f, lambda v: 2 * v, np.array([1.0, -2.0])).passed
    True
    >>> wrong = lambda v: np.array([2 * v[0], -2 * v[1]])
    >>> found = check_gradient(f, wrong, np.array([1.0, -2.0]))
    >>> found.passed, found.where
    (False, (1,))
    """
    point, steps = _point_and_steps("check_gradient", x, h, "central")
    epsilon = float(np.finfo(point.dtype).eps)
    if rtol is None:
        rtol = 10 * epsilon**0.5
    check_interval("check_gradient", "rtol", rtol, 0, open_low=True)
    analytic = np.asarray(grad(point.copy()))
    if analytic.shape != point.shape:
        raise ValueError(
            f"check_gradient: grad(x) must have the shape of x, {point.shape}, "
            f"got {analytic.shape}."
        )
    value = float(f(point.copy()))
    if not np.isfinite(value) or not np.isfinite(analytic).all():
        raise ValueError(
            f"check_gradient: f and grad must be finite at x, got f(x) = {value} and "
            f"grad(x) = {analytic}; choose another x."
        )
    numerical = np.asarray(_estimate(f, point, steps, "central"))
    floor = 10 * epsilon * abs(value) / (steps * rtol)
    scale = np.maximum(np.maximum(np.abs(analytic), np.abs(numerical)), floor)
    difference = np.abs(analytic - numerical)
    # Where both are 0 the scale may be 0 as well: they agree.
    with np.errstate(invalid="ignore"):  # f is infinite beside x
        relative = difference / np.where(difference == 0, 1, scale)
    # A nan (f undefined beside x) must count as the worst of all, and argmax finds it.
    index = np.unravel_index(int(np.argmax(relative)), relative.shape) if relative.size else ()
    error = float(relative[index]) if relative.size else 0.0
    return GradientCheck(error <= rtol, error, tuple(int(i) for i in index), analytic, numerical)


def _check_h(owner: str, h: Any) -> None:
    # Any number will do, one with 60 digits too, so that a test can take rounding out.
    if not isinstance(h, SupportsFloat) or not math.isfinite(h) or h == 0:
        raise ValueError(f"{owner}: h must be a finite number and not 0, got {h!r}.")


def _point_and_steps(owner: str, x: Any, h: float | None, method: str) -> tuple[Array, Array]:
    """Return x as an array of floats, and the step h for each of its coordinates."""
    check_choice(owner, "method", method, ("central", "forward"))
    point = np.array(x)
    if point.dtype.kind != "f":
        raise TypeError(
            f"{owner}: x must hold floats, got dtype {point.dtype}; "
            f"convert it with np.asarray(x, dtype=float)."
        )
    if h is None:
        epsilon = float(np.finfo(point.dtype).eps)
        steps = epsilon ** _STEP_POWER[method] * np.maximum(1, np.abs(point))
    else:
        check_interval(owner, "h", h, 0, open_low=True)
        steps = np.full_like(point, h)
    return point, np.asarray(steps, dtype=point.dtype)


def _estimate(f: Callable[[Any], Any], point: Array, steps: Array, method: str) -> Any:
    estimate = np.empty_like(point)
    here = f(point.copy()) if method == "forward" else None
    for i in np.ndindex(point.shape):
        ahead = point.copy()
        ahead[i] += steps[i]
        if method == "forward":
            estimate[i] = (f(ahead) - here) / steps[i]
        else:
            behind = point.copy()
            behind[i] -= steps[i]
            estimate[i] = (f(ahead) - f(behind)) / (2 * steps[i])
    return estimate[()]
