"""The runs that are compared: hyper-parameters, gradients, starts, and the loop.

A run feeds a rule a fixed sequence of gradients, whatever the points are: a loop
closed over a function would hide a slip wherever the function is forgiving.
``record.py`` feeds the frameworks the same numbers.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import numpy as np

from gdcourse import optimizers, schedules

STEPS = 200
COORDINATES = 12
DROP_AFTER = 100

# Under a rate that drops, PyTorch's velocity is another thing than ours.
PARTING = ("Momentum", "Nesterov")

# Sizes of the gradients; in the mixed run every entry has another one of the ten.
SCALES = ("1e-6", "1e-3", "1", "1e3", "mixed")

HYPER: dict[str, tuple[dict[str, float], ...]] = {
    "GradientDescent": ({}, {"lr": 0.5}, {"lr": 0.0}),
    "Momentum": (
        {},
        {"lr": 0.1, "momentum": 0.5},
        {"lr": 0.1, "momentum": 0.99},
        {"momentum": 0.0},
        {"lr": 0.0},
    ),
    # PyTorch refuses Nesterov's rule with momentum 0.
    "Nesterov": (
        {},
        {"lr": 0.1, "momentum": 0.5},
        {"lr": 0.1, "momentum": 0.99},
        {"lr": 0.0},
    ),
    "AdaGrad": ({}, {"eps": 1e-3}, {"lr": 0.5, "eps": 1.0}, {"lr": 0.0}),
    "RMSProp": (
        {},
        {"eps": 1e-3},
        {"lr": 0.1, "rho": 0.5, "eps": 1e-3},
        {"rho": 0.0},
        {"lr": 0.0},
    ),
    "AdaDelta": (
        {},
        {"eps": 1e-3},
        {"lr": 0.5, "rho": 0.5, "eps": 1e-3},
        {"rho": 0.0},
        {"lr": 0.0},
    ),
    "Adam": (
        {},
        {"eps": 1e-3},
        {"lr": 0.1, "beta1": 0.5, "beta2": 0.6, "eps": 1e-3},
        {"beta1": 0.0},
        {"beta2": 0.0},
        {"lr": 0.0},
    ),
    "AdamW": (
        {},
        {"eps": 1e-3, "weight_decay": 1.0},
        {"lr": 0.1, "beta1": 0.5, "beta2": 0.6, "eps": 1e-3, "weight_decay": 15.0},
        {"beta1": 0.0},
        {"beta2": 0.0},
        {"weight_decay": 0.0},
        {"lr": 0.0},
    ),
    "AMSGrad": (
        {},
        {"eps": 1e-3},
        {"lr": 0.1, "beta1": 0.5, "beta2": 0.6, "eps": 1e-3},
        {"beta1": 0.0},
        {"beta2": 0.0},
        {"lr": 0.0},
    ),
    "Lion": (
        {},
        {"weight_decay": 1.0},
        {"lr": 0.1, "beta1": 0.5, "beta2": 0.6, "weight_decay": 15.0},
        {"beta1": 0.0},
        {"beta2": 0.0},
        {"lr": 0.0},
    ),
}


@dataclass(frozen=True)
class Run:
    """One run of one rule; with ``drop``, lr falls to a tenth half way."""

    rule: str
    hyper: dict[str, float] = field(default_factory=dict)
    scale: str = "1"
    drop: bool = False

    @property
    def framework(self) -> str:
        """Name of the framework that this run is compared with."""
        return "optax" if self.rule == "Lion" else "torch"

    def __str__(self) -> str:
        hyper = ", ".join(f"{name}={value:g}" for name, value in self.hyper.items())
        return f"{self.rule}({hyper}) {self.scale}" + " drop" * self.drop


RUNS = tuple(
    Run(rule, hyper, scale) for rule, sets in HYPER.items() for hyper in sets for scale in SCALES
) + tuple(Run(rule, drop=True) for rule in HYPER)


@cache
def gradients(scale: str) -> np.ndarray:
    """Return the gradients of all steps, shape (STEPS, COORDINATES).

    ``random.Random.random`` draws the same numbers in every version of Python, and what
    follows is exact: the same bits on every machine and with every NumPy.
    """
    draw = random.Random(1847).random
    rows = []
    for step in range(STEPS):
        # Loud, quiet, nearly silent: else the maximum in AMSGrad would do nothing.
        volume = (1.0, 1 / 8, 1 / 64)[step // 20 % 3]
        row = []
        for i in range(COORDINATES):
            entry, chance = volume * (2 * draw() - 1), draw()
            # The first gradient is 0 everywhere; one coordinate's first fifteen are.
            zero = chance < 0.1 or step == 0 or (i == 3 and step < 15)
            size = f"1e{(step + i) % 10 - 6}" if scale == "mixed" else scale
            row.append(0.0 if zero else entry * float(size))
        rows.append(row)
    result = np.array(rows)
    result.flags.writeable = False
    return result


def make_rule(run: Run) -> Any:
    """Return the package's rule for ``run``."""
    return getattr(optimizers, run.rule)(**run.hyper)


def start(run: Run) -> np.ndarray:
    """Return x before the first step.

    Most rules only add to x, and from 0 what they add is seen at full precision. Where
    x itself matters, in weight decay and when nothing moves, it starts spread out.
    """
    rule = make_rule(run)
    if hasattr(rule, "weight_decay") or rule.lr == 0:
        return (2.0 * np.arange(COORDINATES) - 11) / 8
    return np.zeros(COORDINATES)


def follow(rule: Any, x: Any, grads: Any, state: Any = None) -> tuple[np.ndarray, Any]:
    """Feed the gradients to a rule; return the points after each, stacked, and the last state."""
    state = rule.init(x) if state is None else state
    points = []
    for grad in grads:
        x, state = rule.update(x, grad, state)
        points.append(x)
    return np.stack(points), state


def replay(rule: Any, run: Run) -> np.ndarray:
    """Return the points that ``rule`` makes of the run, shape (STEPS, COORDINATES)."""
    grads = gradients(run.scale)
    early, state = follow(rule, start(run), grads[:DROP_AFTER])
    if run.drop:
        rule = replace(rule, lr=rule.lr / 10)
    late, _ = follow(rule, early[-1], grads[DROP_AFTER:], state)
    return np.concatenate([early, late])


# A schedule of ours, and PyTorch's class, lr and options for the same.
SCHEDULE_STEPS = 120
SCHEDULES = {
    "staircase": (
        schedules.step_decay(0.2, factor=0.5, every=30),
        ("StepLR", 0.2, {"step_size": 30, "gamma": 0.5}),
    ),
    "stairs of one step": (
        schedules.step_decay(0.2, factor=1.01, every=1),
        ("StepLR", 0.2, {"step_size": 1, "gamma": 1.01}),
    ),
    "exponential": (
        schedules.exponential_decay(0.3, factor=0.95),
        ("ExponentialLR", 0.3, {"gamma": 0.95}),
    ),
    "cosine to zero": (
        schedules.cosine_decay(0.1, steps=100),
        ("CosineAnnealingLR", 0.1, {"T_max": 100}),
    ),
    "cosine to a floor": (
        schedules.cosine_decay(0.1, steps=60, final=0.02),
        ("CosineAnnealingLR", 0.1, {"T_max": 60, "eta_min": 0.02}),
    ),
    "warm-up": (
        schedules.warmup(schedules.constant(0.4), steps=7),
        ("LinearLR", 0.4, {"start_factor": 1 / 7, "total_iters": 6}),
    ),
}
