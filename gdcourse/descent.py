"""Descent on a function: the loops that own time and memory.

A rule says what one step is; these functions take the steps, keep what was passed on the way,
and notice when the numbers stop being finite. A run that diverges is no error: it ends, says so
and returns what it has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gdcourse._progress import progress
from gdcourse._types import Array, Optimizer, Schedule
from gdcourse._validation import as_start, check_count, check_interval


def _quiet() -> AbstractContextManager[Any]:
    """Return a context without NumPy's warnings of overflow, 0/0 and the like.

    They are what a diverging run is made of, and the loops report it as "diverged".
    """
    return np.errstate(over="ignore", invalid="ignore", divide="ignore")


@dataclass(frozen=True, eq=False, repr=False)
class Trajectory:
    """What a run passed on its way, and why it ended.

    Parameters
    ----------
    x : array, shape (steps + 1,) + shape of x0
        The iterates; x[0] is the start.
    f : array, shape (steps + 1,)
        The objective there.
    grad_norm : array, shape (steps + 1,)
        The Euclidean norm of the gradient there.
    lr : array, shape (steps,)
        The learning rate of each step taken.
    stop : str
        "steps" (all were taken), "tolerance" (the gradient is as small as asked for), or
        "diverged" (the next iterate, its value or its gradient is not finite, and is left out).
    """

    x: Array
    f: Array
    grad_norm: Array
    lr: Array
    stop: str

    @property
    def steps(self) -> int:
        """Number of steps taken: one less than the number of iterates."""
        return len(self.f) - 1

    def __repr__(self) -> str:
        end = f"diverged at step {self.steps + 1}" if self.stop == "diverged" else self.stop
        return f"Trajectory({self.steps} steps, f {self.f[0]:.6g} -> {self.f[-1]:.6g}, stop: {end})"


def descend(
    grad: Callable[[Any], Any],
    x0: Any,
    optimizer: Optimizer,
    *,
    steps: int,
    schedule: Schedule | None = None,
    project: Callable[[Any], Any] | None = None,
) -> Iterator[Any]:
    """Yield the iterates of a rule, the start first.

    Parameters
    ----------
    grad : callable, x -> array of the shape of x
        The gradient; it may be random, or count its calls. Called once a step.
    x0 : float or array
        The start; converted to float64.
    optimizer : a rule of :mod:`gdcourse.optimizers`
    steps : int, at least 0
        How many steps to take.
    schedule : callable, t -> lr, optional
        Learning rate of step t = 0, 1, ...; without it the rule's own.
    project : callable, x -> x, optional
        Applied to every new iterate, for instance to keep it in an interval. The rule's state
        is left as it is.

    Yields
    ------
    float or array
        x_0, x_1, ..., at most ``steps + 1`` of them: the run ends before the first iterate that
        is not finite.

    Examples
    --------
    >>> from gdcourse.optimizers import GradientDescent
    >>> [float(x) for x in descend(lambda x: 2 * x, 8.0, GradientDescent(lr=0.25), steps=3)]
    [8.0, 4.0, 2.0, 1.0]
    """
    x = as_start("descend", x0)[()]
    check_count("descend", "steps", steps, 0)
    step = _stepper(optimizer, x, schedule, project)

    def iterates(x: Any) -> Iterator[Any]:
        yield x
        for t in range(steps):
            with _quiet():
                x, _ = step(t, x, grad(x))
            if not np.all(np.isfinite(x)):
                return
            yield x

    return iterates(x)


def minimize(
    objective: Any,
    x0: Any,
    optimizer: Optimizer,
    *,
    steps: int,
    schedule: Schedule | None = None,
    project: Callable[[Any], Any] | None = None,
    tol: float | None = None,
) -> Trajectory:
    """Run a rule on an objective and return the whole trajectory.

    Parameters
    ----------
    objective : Objective
        Anything with ``f(x)`` and ``grad(x)``: see :mod:`gdcourse.objectives`.
    x0 : float or array
        The start; converted to float64. The objective must be finite there.
    optimizer : a rule of :mod:`gdcourse.optimizers`
    steps : int, at least 0
        The most steps to take.
    schedule, project
        As in :func:`descend`.
    tol : float, 0 <= tol < inf, optional
        Stop at the first iterate whose gradient has a norm of at most ``tol``.

    Returns
    -------
    Trajectory

    Examples
    --------
    >>> from gdcourse.objectives import square
    >>> from gdcourse.optimizers import GradientDescent
    >>> run = minimize(square(), 10.0, GradientDescent(lr=0.2), steps=10)
    >>> round(float(run.x[-1]), 6), run.stop
    (0.060466, 'steps')
    >>> minimize(square(), 10.0, GradientDescent(lr=1e200), steps=10)
    Trajectory(0 steps, f 100 -> 100, stop: diverged at step 1)
    """
    x = as_start("minimize", x0)[()]
    step = _stepper(optimizer, x, schedule, project)
    return _record("minimize", objective, x, lambda t, x, f, g: step(t, x, g), steps, tol)


def backtracking(
    objective: Any,
    x0: Any,
    *,
    steps: int,
    lr: float = 1.0,
    factor: float = 0.5,
    c: float = 1e-4,
    tol: float | None = None,
) -> Trajectory:
    """Run gradient descent with a rate found anew at every step by trying and shrinking.

    Each step starts from the rate ``lr`` and multiplies it by ``factor`` until Armijo's
    condition holds, ``f(x - η g) <= f(x) - c η |g|²``. A trial point where f is nan or +inf
    does not satisfy it, so the run stays where f is defined.

    Parameters
    ----------
    objective : Objective
        Anything with ``f(x)`` and ``grad(x)``.
    x0 : float or array
        The start; converted to float64. The objective must be finite there.
    steps : int, at least 0
        The most steps to take.
    lr : float, 0 < lr < inf, default 1
        The first rate tried at every step.
    factor : float, 0 < factor < 1, default 1/2
        What a rejected rate is multiplied by.
    c : float, 0 < c < 1, default 1e-4
        The share of the decrease promised by the tangent that is asked for.
    tol : float, 0 <= tol < inf, optional
        Stop at the first iterate whose gradient has a norm of at most ``tol``.

    Returns
    -------
    Trajectory
        ``lr`` holds the rates that were accepted. Where no rate is accepted before the step
        is too short to change x, the iterate stays and the rate is 0.

    References
    ----------
    L. Armijo, Minimization of functions having Lipschitz continuous first partial derivatives,
    1966.

    Examples
    --------
    >>> from gdcourse.objectives import square
    >>> run = backtracking(square(), 10.0, steps=1, lr=4.0)
    >>> float(run.lr[0]), float(run.x[-1])
    (0.5, 0.0)
    """
    check_interval("backtracking", "lr", lr, 0, open_low=True)
    check_interval("backtracking", "factor", factor, 0, 1, open_low=True)
    check_interval("backtracking", "c", c, 0, 1, open_low=True)

    def step(t: int, x: Any, f: float, g: Any) -> tuple[Any, float]:
        rate, slope = lr, float(np.sum(np.square(g)))
        while True:
            trial = x - rate * g
            # Beside 0 every step changes x: there the rate runs out first.
            if np.array_equal(trial, x) or rate < np.finfo(np.float64).tiny:
                return x, 0.0
            if objective.f(trial) <= f - c * rate * slope:  # False where f is nan
                return trial, rate
            rate *= factor

    x = as_start("backtracking", x0)[()]
    return _record("backtracking", objective, x, step, steps, tol)


def newton(objective: Any, x0: Any, *, steps: int, tol: float | None = None) -> Trajectory:
    """Run Newton's method, x <- x - H⁻¹ g with the Hessian H at x.

    Parameters
    ----------
    objective : Objective
        Anything with ``f(x)``, ``grad(x)`` and ``hessian(x)``.
    x0 : float or array
        The start; converted to float64. The objective must be finite there.
    steps : int, at least 0
        The most steps to take.
    tol : float, 0 <= tol < inf, optional
        Stop at the first iterate whose gradient has a norm of at most ``tol``.

    Returns
    -------
    Trajectory
        ``lr`` holds ones. The run counts as diverged where the Hessian is singular: the step
        is not defined there.

    Notes
    -----
    The step leads to the stationary point of the local parabola, be that a minimum, a maximum
    or a saddle.

    Examples
    --------
    >>> from gdcourse.objectives import square
    >>> float(newton(square(), 10.0, steps=1).x[-1])
    0.0
    """
    if getattr(objective, "hessian", None) is None:
        raise ValueError(
            f"newton: the objective must have a Hessian, got {objective!r}, whose hessian is "
            f"None; give it one or use minimize."
        )

    def step(t: int, x: Any, f: float, g: Any) -> tuple[Any, float]:
        hessian = objective.hessian(x)
        if np.ndim(hessian) == 0:
            return x - np.divide(g, hessian), 1.0
        try:
            return x - np.linalg.solve(hessian, g), 1.0
        except np.linalg.LinAlgError:
            return np.full_like(x, np.nan), 1.0

    return _record("newton", objective, as_start("newton", x0)[()], step, steps, tol)


def _norm(g: Any) -> float:
    """Return the Euclidean norm, also where the squares of the entries over- or underflow."""
    norm = float(np.linalg.norm(g))
    largest = float(np.max(np.abs(g), initial=0.0))
    if 1e-150 < norm < np.inf or not 0 < largest < np.inf:
        return norm
    return largest * float(np.linalg.norm(np.divide(g, largest)))


def _stepper(
    optimizer: Optimizer,
    x: Any,
    schedule: Schedule | None,
    project: Callable[[Any], Any] | None,
) -> Callable[[int, Any, Any], tuple[Any, float]]:
    """Return the function that takes step t from x: it keeps the rule's state between calls."""
    state = optimizer.init(x)

    def step(t: int, x: Any, grad: Any) -> tuple[Any, float]:
        nonlocal state
        rule: Any = optimizer
        if schedule is not None:
            rule = replace(rule, lr=schedule(t))
        x, state = rule.update(x, grad, state)
        return (x if project is None else project(x)), rule.lr

    return step


def _record(
    owner: str,
    objective: Any,
    x: Any,
    step: Callable[[int, Any, float, Any], tuple[Any, float]],
    steps: int,
    tol: float | None,
) -> Trajectory:
    """Take steps until they are done, the gradient is small or a number is not finite."""
    check_count(owner, "steps", steps, 0)
    if tol is not None:
        check_interval(owner, "tol", tol, 0)
    xs, fs, norms, rates = [], [], [], []
    stop, rate = "steps", 0.0
    with _quiet():
        for t in progress(range(steps + 1), steps + 1, owner):
            value, g = objective.f(x), objective.grad(x)
            if np.ndim(value) > 0:
                raise ValueError(
                    f"{owner}: the objective must be a number at a point of shape {np.shape(x)}, "
                    f"got shape {np.shape(value)}; a function of one variable starts at a number."
                )
            f, norm = float(value), _norm(g)
            if not (np.isfinite(x).all() and np.isfinite(f) and np.isfinite(norm)):
                if t == 0:
                    raise ValueError(
                        f"{owner}: the objective and its gradient must be finite at the start, "
                        f"got f({x}) = {f} and a gradient of norm {norm}; start elsewhere."
                    )
                stop = "diverged"
                break
            xs.append(x)
            fs.append(f)
            norms.append(norm)
            if t > 0:
                rates.append(rate)
            if tol is not None and norm <= tol:
                stop = "tolerance"
                break
            if t < steps:
                x, rate = step(t, x, f, g)
    return Trajectory(np.array(xs), np.array(fs), np.array(norms), np.array(rates), stop)
