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

from gdcourse import frameworks, optimizers, schedules

STEPS = 200
COORDINATES = 12
DROP_AFTER = 100

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
class Reference:
    """A run of a framework: the code that makes its optimizer, and what that is fed.

    x starts at 0 or, where ``spread``, with every coordinate somewhere else; with ``drop``, the
    learning rate falls to a tenth half way.
    """

    framework: str
    code: str
    scale: str
    spread: bool = False
    drop: bool = False

    def __str__(self) -> str:
        return f"{self.code} {self.scale}" + " spread" * self.spread + " drop" * self.drop


@dataclass(frozen=True)
class Run:
    """One run of one rule; with ``drop``, lr falls to a tenth half way."""

    rule: str
    hyper: dict[str, float] = field(default_factory=dict)
    scale: str = "1"
    drop: bool = False

    def __str__(self) -> str:
        hyper = ", ".join(f"{name}={value:g}" for name, value in self.hyper.items())
        return f"{self.rule}({hyper}) {self.scale}" + " drop" * self.drop

    @property
    def reference(self) -> Reference:
        """The run of the first framework that has this very rule, with the same numbers."""
        rule = make_rule(self)
        row = next(row for row in frameworks.table() if row.same is type(rule))
        values = {name: getattr(rule, name) for name in row.defaults}
        # Most rules only add to x, and from 0 what they add is seen at full precision. Where x
        # itself matters, in weight decay and when nothing moves, it starts spread out.
        spread = hasattr(rule, "weight_decay") or rule.lr == 0
        return Reference(row.framework, row.code(**values), self.scale, spread, self.drop)


RUNS = tuple(
    Run(rule, hyper, scale) for rule, sets in HYPER.items() for hyper in sets for scale in SCALES
) + tuple(Run(rule, drop=True) for rule in HYPER)


@dataclass(frozen=True)
class RowRun:
    """One run of a row of the table: ``kind`` says with what."""

    row: frameworks.FrameworkRule
    kind: str

    def __str__(self) -> str:
        return f"{self.row.framework} {self.row.rule} {self.kind}"

    @property
    def hyper(self) -> dict[str, float]:
        """The parameters, by the course's names."""
        given: dict[str, float] = {
            name: NEEDED[name] for name, value in self.row.defaults.items() if value is None
        }
        if "defaults" not in self.kind:
            # An epsilon so large that nobody can overlook where it stands.
            loud = {"lr": 0.1, "rho": 0.6, "beta1": 0.7, "beta2": 0.8, "eps": 1e-3}
            loud["weight_decay"] = 0.5
            given |= {name: value for name, value in loud.items() if name in self.row.defaults}
        return self.row.values(**given)

    @property
    def weight_decay(self) -> float:
        """The weight decay that is asked for as an option."""
        return 0.5 if self.kind == "weight decay" else 0.0

    @property
    def reference(self) -> Reference:
        """What the framework is asked to do."""
        row = self.row
        template = row.bare if "defaults" in self.kind else row.template
        if self.kind == "weight decay" and row.decay is not None:
            template = row.decay.template
        code = frameworks.fill(template, {"weight_decay": self.weight_decay} | self.hyper)
        # Small gradients tell one epsilon from another, and large ones everything else.
        scale = {"quiet defaults": "1e-6", "loud": "1e-3"}.get(self.kind, "1")
        spread = self.kind == "weight decay" or "weight_decay" in row.defaults
        return Reference(row.framework, code, scale, spread, self.kind == "drop")


# Where a framework has no default, or none that is of use.
NEEDED = {"lr": 0.01, "momentum": 0.9}

ROW_RUNS = tuple(
    RowRun(row, kind)
    for row in frameworks.table()
    for kind in ("defaults", "quiet defaults", "loud", "drop", "weight decay")
    if (kind != "weight decay" or row.decay is not None)
    and (kind != "drop" or "lr" in row.defaults)
)


def references(framework: str) -> tuple[Reference, ...]:
    """Return what is recorded of a framework."""
    asked = [run.reference for run in (*RUNS, *ROW_RUNS)]
    return tuple(dict.fromkeys(one for one in asked if one.framework == framework))


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


def start(reference: Reference) -> np.ndarray:
    """Return x before the first step."""
    if reference.spread:
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


def replay(rule: Any, reference: Reference) -> np.ndarray:
    """Return the points that ``rule`` makes of what is fed, shape (STEPS, COORDINATES)."""
    grads = gradients(reference.scale)
    early, state = follow(rule, start(reference), grads[:DROP_AFTER])
    if reference.drop:
        rule = replace(rule, lr=rule.lr / 10)
    late, _ = follow(rule, early[-1], grads[DROP_AFTER:], state)
    return np.concatenate([early, late])


def replay_lines(run: RowRun) -> np.ndarray:
    """Return the points that the printed lines of a row make, shape (STEPS, COORDINATES)."""
    row, reference = run.row, run.reference
    lines = row.lines(decay=run.kind == "weight decay")
    step = compile("\n".join(lines), str(run), "exec")
    names: dict[str, Any] = {"sqrt": np.sqrt, "max": np.maximum, "sign": np.sign}
    names |= {"weight_decay": run.weight_decay} | run.hyper | {"x": start(reference)}
    names |= {name: np.full(COORDINATES, value) for name, value in row.start.items()}
    points = []
    for t, g in enumerate(gradients(reference.scale), start=1):
        if reference.drop and t == DROP_AFTER + 1:
            names["lr"] /= 10
        names |= {"g": g, "t": t}
        exec(step, names)
        points.append(names["x"])
    return np.stack(points)


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
