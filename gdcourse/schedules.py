"""Learning rates that change: each schedule is a pure function of the step.

A constructor takes the rates and returns a function ``schedule(t) -> lr``, where t counts the
steps taken so far, from 0. The loops call it before every step; nothing is remembered.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from gdcourse._validation import check_count, check_interval

Schedule = Callable[[int], float]


def constant(lr: float) -> Schedule:
    """Return the schedule that never changes: ``lr``.

    Parameters
    ----------
    lr : float, 0 <= lr < inf
        Learning rate.

    Examples
    --------
    >>> constant(0.1)(1000)
    0.1
    """
    check_interval("constant", "lr", lr, 0)
    return lambda t: lr


def step_decay(lr: float, *, factor: float, every: int) -> Schedule:
    """Return the schedule ``lr * factor ** (t // every)``: a staircase.

    Parameters
    ----------
    lr : float, 0 <= lr < inf
        Learning rate of the first ``every`` steps.
    factor : float, 0 <= factor < inf
        What each new stair is multiplied by. Above 1 the rates grow, and the one beyond the
        largest float raises an OverflowError.
    every : int, at least 1
        Steps on one stair.

    Notes
    -----
    Equal to ``torch.optim.lr_scheduler.StepLR(step_size=every, gamma=factor)``.

    Examples
    --------
    >>> schedule = step_decay(0.2, factor=0.5, every=100)
    >>> schedule(99), schedule(100), schedule(200)
    (0.2, 0.1, 0.05)
    """
    check_interval("step_decay", "lr", lr, 0)
    check_interval("step_decay", "factor", factor, 0)
    check_count("step_decay", "every", every, 1)
    return lambda t: lr * factor ** (t // every)


def exponential_decay(lr: float, *, factor: float) -> Schedule:
    """Return the schedule ``lr * factor ** t``.

    The rates sum to at most ``lr / (1 - factor)`` when factor < 1: a run can then reach no
    point farther away than that times the largest gradient.

    Parameters
    ----------
    lr : float, 0 <= lr < inf
        Learning rate of the first step.
    factor : float, 0 <= factor < inf
        What each step multiplies the rate by. Above 1 the rates grow, and the one beyond the
        largest float raises an OverflowError.

    Notes
    -----
    Equal to ``torch.optim.lr_scheduler.ExponentialLR(gamma=factor)``.

    Examples
    --------
    >>> schedule = exponential_decay(0.4, factor=0.5)
    >>> schedule(0), schedule(1), schedule(2)
    (0.4, 0.2, 0.1)
    """
    check_interval("exponential_decay", "lr", lr, 0)
    check_interval("exponential_decay", "factor", factor, 0)
    return lambda t: lr * factor**t


def inverse_time_decay(lr: float, *, rate: float) -> Schedule:
    """Return the schedule ``lr / (1 + rate * t)``.

    For rate > 0 the rates sum to infinity and their squares do not, which is what Robbins and
    Monro (1951) ask for.

    Parameters
    ----------
    lr : float, 0 <= lr < inf
        Learning rate of the first step.
    rate : float, 0 <= rate < inf
        How fast it falls: after ``1 / rate`` steps it is half of ``lr``.

    Examples
    --------
    >>> schedule = inverse_time_decay(0.2, rate=0.01)
    >>> schedule(0), schedule(100), schedule(300)
    (0.2, 0.1, 0.05)
    """
    check_interval("inverse_time_decay", "lr", lr, 0)
    check_interval("inverse_time_decay", "rate", rate, 0)
    return lambda t: lr / (1 + rate * t)


def cosine_decay(lr: float, *, steps: int, final: float = 0.0) -> Schedule:
    """Return half a cosine wave from ``lr`` at step 0 to ``final`` at ``steps`` and beyond.

    ``final + (lr - final) * (1 + cos(pi * t / steps)) / 2`` up to ``t = steps``.

    Parameters
    ----------
    lr : float, 0 <= lr < inf
        Learning rate of the first step.
    steps : int, at least 1
        Steps until ``final`` is reached.
    final : float, 0 <= final < inf, default 0
        Learning rate from then on.

    Notes
    -----
    Equal to ``torch.optim.lr_scheduler.CosineAnnealingLR(T_max=steps, eta_min=final)`` up to
    ``steps``; there PyTorch's rises again, this one stays.

    References
    ----------
    I. Loshchilov, F. Hutter, SGDR: stochastic gradient descent with warm restarts, 2017.

    Examples
    --------
    >>> schedule = cosine_decay(0.2, steps=100)
    >>> schedule(0), round(schedule(50), 12), schedule(100), schedule(150)
    (0.2, 0.1, 0.0, 0.0)
    """
    check_interval("cosine_decay", "lr", lr, 0)
    check_interval("cosine_decay", "final", final, 0)
    check_count("cosine_decay", "steps", steps, 1)

    def schedule(t: int) -> float:
        wave = math.cos(math.pi * min(t, steps) / steps)
        return final + (lr - final) * (1 + wave) / 2

    return schedule


def warmup(schedule: Schedule, *, steps: int) -> Schedule:
    """Return ``schedule`` with its first ``steps`` rates scaled by 1/steps, 2/steps, ..., 1.

    Parameters
    ----------
    schedule : callable, t -> lr
        The schedule to warm up; it is called with the same t.
    steps : int, at least 1
        Steps until the full rate is reached: step ``steps - 1`` is the first at full rate.

    Notes
    -----
    Over a constant rate, equal to ``torch.optim.lr_scheduler.LinearLR(start_factor=1 / steps,
    total_iters=steps - 1)``.

    References
    ----------
    P. Goyal et al., Accurate, large minibatch SGD: training ImageNet in 1 hour, 2017.

    Examples
    --------
    >>> schedule = warmup(constant(0.4), steps=4)
    >>> schedule(0), schedule(1), schedule(3), schedule(9)
    (0.1, 0.2, 0.4, 0.4)
    """
    if not callable(schedule):
        raise TypeError(
            f"warmup: schedule must be a function of the step, got {schedule!r}; "
            f"for a fixed rate pass constant(lr)."
        )
    check_count("warmup", "steps", steps, 1)
    return lambda t: schedule(t) * min(1.0, (t + 1) / steps)
