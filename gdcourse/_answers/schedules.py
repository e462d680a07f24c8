"""The answers of the chapter on schedules and learning curves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from gdcourse._answers._kinds import Answer, Code, Gradient
from gdcourse.optimizers import Momentum
from gdcourse.schedules import inverse_time_decay, step_decay


def _cosine_sum() -> Answer:
    lr, steps = 0.3, 499
    return Answer(
        lr * (steps + 1) / 2,
        {
            "That is a constant rate.": lr * steps,
            "That is half of a constant rate's; a half of the first rate is to be added.": lr
            * steps
            / 2,
            "That is without the half.": lr * (steps + 1),
            "That is in steps at the full rate; multiply by the rate.": (steps + 1) / 2,
            "That is with one step fewer.": lr * (steps - 1) / 2,
        },
        rtol=2e-4,
    )


def _farthest() -> Answer:
    lr, factor, longest = 0.2, 0.995, 3.0
    return Answer(
        lr * longest / (1 - factor),
        {
            "That is the sum of the rates; multiply by the longest gradient.": lr / (1 - factor),
            "That is the first step.": lr * longest,
            "That is for a first rate of 1.": longest / (1 - factor),
            "That is without the first step.": lr * longest * factor / (1 - factor),
            "That divides by the factor.": lr * longest / factor,
        },
        rtol=2e-4,
    )


def _step_factor() -> Answer:
    share, steps = 0.6, 50
    return Answer(
        share ** (1 / steps),
        {
            "That falls in a straight line: 0.4 in fifty equal parts.": 1 - (1 - share) / steps,
            "That is 0.6 in fifty equal parts.": share / steps,
            "That is the factor of an epoch; a step takes the fiftieth root of it.": share,
            "That is for 0.4: the rate falls to 0.6, and by 0.4.": (1 - share) ** (1 / steps),
            "That is the fiftieth power; the root is wanted.": share**steps,
        },
        rtol=1e-5,
    )


def _warm_steps() -> Answer:
    return Answer(
        13,
        {
            "That is how many there are; they do not have the full rate.": 25,
            "That is a half of them; the last one has the full rate.": 12.5,
            "That is what it costs, or its worth if it began at 0; the first rate is a 25th.": 12,
            "That is the sum of the rates; divide by the full rate.": 5.2,
        },
        rtol=1e-4,
    )


def _least() -> Answer:
    bend, variance, first, steps = 3.0, 18.0, 2.0, 99
    return Answer(
        1 / (1 / first + steps * bend**2 / variance),
        {
            "That forgets the first guess, which counts too.": variance / (steps * bend**2),
            "That has one step too many.": 1 / (1 / first + (steps + 1) * bend**2 / variance),
            "Square λ.": 1 / (1 / first + steps * bend / variance),
            "The variance is given; do not square it.": 1
            / (1 / first + steps * bend**2 / variance**2),
            "The precision grows by λ²/s² a step; λ is missing.": 1
            / (1 / first + steps / variance),
            "That begins with v₀ in place of 1/v₀.": 1 / (first + steps * bend**2 / variance),
            "That is the precision; the mean square is 1 over it.": 50.0,
        },
        rtol=2e-4,
    )


def _share() -> Answer:
    return Answer(
        0.3,
        {
            "Of the exchanged labels one in ten is right by chance.": 0.27,
            "That takes a tenth away; the share is larger than the error.": 0.27 * 0.9,
            "That is ten times too much.": 3.0,
            "As a share, between 0 and 1.": 30.0,
            "That is a tenth of the classes more: divide by 0.9.": 0.27 * 1.1,
            "That is what is not exchanged.": 0.7,
        },
        rtol=5e-3,
    )


#: By the label of the exercise.
ANSWERS: dict[str, Callable[[], Answer]] = {
    "ex-sc-sum": _cosine_sum,
    "ex-sc-reach": _farthest,
    "ex-sc-epoch": _step_factor,
    "ex-sc-warm": _warm_steps,
    "ex-sc-best": _least,
    "ex-sc-share": _share,
}


# --- Functions that a reader writes ---


def _plateau(lr: float, steps: int, t: int, share: float = 0.2) -> float:
    return lr * min(1.0, max(0.0, (steps - t) / (share * steps)))


_PLATEAU = Code(
    _plateau,
    {
        "Beyond the last step it is negative: it is to stay at 0.": lambda lr, steps, t: (
            lr * min(1.0, (steps - t) / (0.2 * steps))
        ),
        "Before the last fifth it is larger than lr.": lambda lr, steps, t: (
            lr * max(0.0, (steps - t) / (0.2 * steps))
        ),
        "That is a fifth of the slope: the line is to arrive at 0.": lambda lr, steps, t: (
            lr * min(1.0, 1 - (t - 0.8 * steps) / steps)
        ),
        "That falls all the way.": lambda lr, steps, t: lr * max(0.0, 1 - t / steps),
        "That falls over the last four fifths.": lambda lr, steps, t: _plateau(lr, steps, t, 0.8),
        "That never falls.": lambda lr, steps, t: lr,
        "That drops to 0 at once.": lambda lr, steps, t: lr * (t <= 0.8 * steps),
        "The share is right; multiply by lr.": lambda lr, steps, t: _plateau(1.0, steps, t),
        "That begins the last fifth as on a straight line from step 0: at a fifth of lr.": (
            lambda lr, steps, t: lr if t < 0.8 * steps else lr * max(0.0, 1 - t / steps)
        ),
    },
    (
        (0.5, 100, 0),
        (0.5, 100, 50),
        (0.5, 100, 80),
        (0.5, 100, 95),
        (0.5, 100, 130),
        (0.3, 40, 36),
    ),
    lambda lr, steps, t: f"For lr = {lr:g}, steps = {steps} and t = {t}",
)


def _stop(losses: Sequence[float], patience: int) -> int:
    best = 0
    for epoch, loss in enumerate(losses):
        if loss < losses[best]:
            best = epoch
        if epoch - best >= patience:
            break
    return best


def _stopped_at(losses: Sequence[float], patience: int) -> int:
    best = 0
    for epoch, loss in enumerate(losses):
        if loss < losses[best]:
            best = epoch
        if epoch - best >= patience:
            return epoch
    return len(losses) - 1


def _rises(losses: Sequence[float], patience: int) -> int:
    """Count epochs that are worse than the one before, in place of no better than the best."""
    worse = 0
    for epoch in range(1, len(losses)):
        worse = worse + 1 if losses[epoch] > losses[epoch - 1] else 0
        if worse >= patience:
            return int(np.argmin(losses[: epoch + 1]))
    return int(np.argmin(losses))


def _all_bad(losses: Sequence[float], patience: int) -> int:
    """Count all epochs without a new lowest value, also before the last one with it."""
    best = bad = 0
    for epoch in range(1, len(losses)):
        if losses[epoch] < losses[best]:
            best = epoch
        else:
            bad += 1
        if bad >= patience:
            break
    return best


_PATIENCE = Code(
    _stop,
    {
        "That is the epoch at which one stops; the best one so far is kept.": _stopped_at,
        "That is the lowest of all; the run has stopped before it.": lambda losses, patience: int(
            np.argmin(losses)
        ),
        "That stops one epoch late.": lambda losses, patience: _stop(losses, patience + 1),
        "That stops one epoch early.": lambda losses, patience: _stop(losses, patience - 1),
        "That counts rises from one epoch to the next; what counts is no new lowest value.": _rises,
        "That is the lowest loss; its epoch is asked for.": lambda losses, patience: losses[
            _stop(losses, patience)
        ],
        "The count starts again at every new lowest value.": _all_bad,
        "Epochs are counted from 0.": lambda losses, patience: _stop(losses, patience) + 1,
        "That is the last epoch.": lambda losses, patience: len(losses) - 1,
    },
    (
        ([5.0, 4.0, 3.0, 3.5, 3.6, 3.4, 2.0], 3),
        ([5.0, 4.0, 4.5, 4.2, 3.0, 3.5, 3.6, 2.5], 3),
        ([5.0, 4.0, 4.5, 4.4, 1.0], 2),
        ([3.0, 2.5, 2.0, 1.5], 2),
        ([1.0, 2.0, 1.5, 1.4, 1.3, 1.2, 0.5, 0.7], 4),
        ([5.0, 4.0, 4.5, 4.4, 4.6, 4.7, 1.0], 2),
    ),
    lambda losses, patience: f"For losses = {losses} and patience = {patience}",
)


def _smooth(losses: Sequence[float], beta: float) -> list[float]:
    mean, smooth = 0.0, []
    for t, loss in enumerate(losses, start=1):
        mean = beta * mean + (1 - beta) * loss
        smooth.append(mean / (1 - beta**t))
    return smooth


def _raw(losses: Sequence[float], beta: float, start: float = 0.0) -> list[float]:
    mean, smooth = start, []
    for loss in losses:
        mean = beta * mean + (1 - beta) * loss
        smooth.append(mean)
    return smooth


def _kept(losses: Sequence[float], beta: float) -> list[float]:
    """Correct the mean, and go on with the corrected one."""
    mean, smooth = 0.0, []
    for t, loss in enumerate(losses, start=1):
        mean = (beta * mean + (1 - beta) * loss) / (1 - beta**t)
        smooth.append(mean)
    return smooth


_SMOOTH = Code(
    _smooth,
    {
        "The correction is missing.": _raw,
        "That begins with the first loss in place of 0 and a correction.": lambda losses, beta: (
            _raw(losses, beta, losses[0])
        ),
        "A new loss comes in with the share 1 - beta.": lambda losses, beta: [
            mean / (1 - beta) for mean in _smooth(losses, beta)
        ],
        "The corrected mean is kept; correct only what you return.": _kept,
        "The shares are exchanged: beta of the old mean is kept.": lambda losses, beta: _smooth(
            losses, 1 - beta
        ),
        "That is the plain mean of all so far.": lambda losses, beta: (
            np.cumsum(losses) / np.arange(1, len(losses) + 1)
        ),
        "That is the last number; one for each loss is asked for.": lambda losses, beta: _smooth(
            losses, beta
        )[-1:],
    },
    (([4.0, 2.0, 3.0], 0.5), ([1.0, 5.0, 2.0, 2.0, 8.0], 0.9)),
    lambda losses, beta: f"For losses = {losses} and beta = {beta:g}",
)


def _scheduled(
    grad: Callable[[Any], Any],
    x: Any,
    rule: Any,
    schedule: Callable[[int], float],
    epochs: int,
    steps: int,
    *,
    again: bool = False,
    asked: str = "steps",
) -> Any:
    """Run with slips: the state made anew, or the schedule asked for something else."""
    state = rule.init(x)
    for epoch in range(epochs):
        state = rule.init(x) if again else state
        for k in range(steps):
            t = {"steps": epoch * steps + k, "in the epoch": k, "epochs": epoch}[asked]
            rule = replace(rule, lr=schedule(t))
            x, state = rule.update(x, grad(x), state)
    return x


_LOOP = Code(
    _scheduled,
    {
        "Both are still there: the state is made anew in every epoch, and the schedule starts "
        "again.": lambda *given: _scheduled(*given, again=True, asked="in the epoch"),
        "The state is still made anew in every epoch.": lambda *given: _scheduled(
            *given, again=True
        ),
        "The schedule is still asked for the step within the epoch, and starts again in each.": (
            lambda *given: _scheduled(*given, asked="in the epoch")
        ),
        "The schedule is asked for the epoch; it wants the steps taken so far.": (
            lambda *given: _scheduled(*given, asked="epochs")
        ),
        "The schedule is one step ahead: it is asked for 0 first.": (
            lambda grad, x, rule, schedule, epochs, steps: _scheduled(
                grad, x, rule, lambda t: schedule(t + 1), epochs, steps
            )
        ),
        "That is the first epoch only.": lambda grad, x, rule, schedule, epochs, steps: _scheduled(
            grad, x, rule, schedule, 1, steps
        ),
        "The rate never changes.": lambda grad, x, rule, schedule, epochs, steps: _scheduled(
            grad, x, rule, lambda t: schedule(0), epochs, steps
        ),
    },
    (
        (
            Gradient("the gradient 2x", lambda x: 2 * x),
            np.array([4.0]),
            Momentum(momentum=0.5),
            step_decay(0.25, factor=0.5, every=3),
            2,
            2,
        ),
        (
            Gradient("the gradient x", lambda x: x),
            np.array([1.0, -2.0]),
            Momentum(momentum=0.9),
            inverse_time_decay(0.3, rate=0.2),
            3,
            4,
        ),
    ),
    lambda grad, x, rule, schedule, epochs, steps: (
        f"For {grad} from x = {x.tolist()}, {rule}, a falling schedule, epochs = {epochs} and "
        f"steps = {steps}"
    ),
)

#: By the label of the exercise.
FUNCTIONS: dict[str, Code] = {
    "ex-sc-loop": _LOOP,
    "ex-sc-plateau": _PLATEAU,
    "ex-sc-patience": _PATIENCE,
    "ex-sc-smooth": _SMOOTH,
}
