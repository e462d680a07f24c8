"""Which formula PyTorch, Optax, Keras and MXNet run under a rule's name, and the same rule here.

The table is the file ``frameworks.json``, and a row of it holds the code that makes the optimizer,
its defaults, the lines that it computes in each step, and the class of
:mod:`gdcourse.optimizers` or :mod:`gdcourse.conventions` that takes the same steps. None of the
frameworks has to be installed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from string import Template
from typing import Any

from gdcourse import conventions, optimizers
from gdcourse._types import Optimizer
from gdcourse._validation import check_choice

# What a step with weight decay computes; "..." stands for the lines of the step without it.
DECAYS: dict[str, tuple[str, ...]] = {
    "coupled": ("g = g + weight_decay * x", "..."),
    "decoupled": ("x = x - lr * weight_decay * x", "..."),
    "without the rate": ("x = x - weight_decay * x", "..."),
    # MXNet's "nag" writes the new point first, and reads it for the velocity.
    "entangled": (
        "d = momentum * v - lr * (g + weight_decay * x)",
        "x = x - momentum * v + (1 + momentum) * d",
        "v = momentum * v - lr * (g + weight_decay * x)",
    ),
}


@dataclass(frozen=True)
class WeightDecay:
    """A framework's option for weight decay, which is off unless it is given.

    Parameters
    ----------
    template : str
        Code that makes the optimizer with it.
    kind : str
        What it does, a key of ``DECAYS``: coupled if it is a penalty in the gradient.
    """

    template: str
    kind: str


@dataclass(frozen=True)
class FrameworkRule:
    """One rule as one framework has it: a row of the table.

    Parameters
    ----------
    framework, rule : str
        Names, as in ``FRAMEWORKS`` and ``RULES``.
    defaults : mapping of str to float or None
        The framework's defaults by the course's names (``lr``, ``momentum``, ``rho``, ``beta1``,
        ``beta2``, ``eps``, ``weight_decay``); None where there is no default, or no use in it.
    template, bare : str
        Code that makes the optimizer with everything given, and with what must be given; a value
        stands as ``$lr``.
    update : tuple of str
        What a step computes, in Python: x is the point, g the gradient, t counts steps from 1.
    start : mapping of str to float
        What is kept from step to step, and what it is before the first.
    same : type
        The class here that takes the same steps.
    fixed : mapping of str to float
        Parameters of that class which the framework does not let one choose.
    decay : WeightDecay or None
        The option for weight decay; None if there is none, or if it is part of the rule.
    note : str
        What else a user should know, in Markdown; may be empty.
    """

    framework: str
    rule: str
    defaults: Mapping[str, float | None]
    template: str
    bare: str
    update: tuple[str, ...]
    start: Mapping[str, float]
    same: type
    fixed: Mapping[str, float]
    decay: WeightDecay | None
    note: str

    def values(self, **given: float) -> dict[str, float]:
        """Return a value for each parameter: the given ones, and defaults for the others.

        Raises
        ------
        ValueError
            For a parameter that the rule does not have, and for one without default that is not
            given.

        Examples
        --------
        >>> find("Keras", "RMSProp").values(rho=0.99)
        {'lr': 0.001, 'rho': 0.99, 'eps': 1e-07}
        """
        name = f"{self.rule} in {self.framework}"
        for parameter in given:
            check_choice(name, "the parameter", parameter, tuple(self.defaults))
        values = {}
        for parameter, default in self.defaults.items():
            value = given.get(parameter, default)
            if value is None:
                raise ValueError(
                    f"{name}: {parameter} has no default there; give one, as in {parameter}=0.1."
                )
            values[parameter] = value
        return values

    def code(self, **given: float) -> str:
        """Return the code that makes the framework's optimizer.

        Examples
        --------
        >>> find("PyTorch", "RMSProp").code(lr=0.1)
        'torch.optim.RMSprop(params, lr=0.1, alpha=0.99, eps=1e-08)'
        """
        return fill(self.template, self.values(**given))

    def lines(self, *, decay: bool = False) -> tuple[str, ...]:
        """Return what a step computes, in Python; with ``decay``, what it does with the option.

        Examples
        --------
        >>> find("PyTorch", "SGD").lines(decay=True)
        ('g = g + weight_decay * x', 'x = x - lr * g')
        """
        if not decay:
            return self.update
        if self.decay is None:
            raise ValueError(
                f"{self.rule} in {self.framework} has no option for weight decay, "
                f"or has it as a parameter of the rule."
            )
        parts = (self.update if line == "..." else (line,) for line in DECAYS[self.decay.kind])
        return tuple(line for part in parts for line in part)

    def make(self, **given: float) -> Optimizer:
        """Return the rule here that takes the same steps.

        Examples
        --------
        >>> find("MXNet", "AdaGrad").make(lr=0.1)
        AdaGradEpsInside(lr=0.1, eps=1e-07, initial=0.0)
        """
        rule: Optimizer = self.same(**self.values(**given), **self.fixed)
        return rule


FRAMEWORKS = ("PyTorch", "Optax", "Keras", "MXNet")
RULES = (
    "SGD",
    "Momentum",
    "Nesterov",
    "AdaGrad",
    "RMSProp",
    "AdaDelta",
    "Adam",
    "AdamW",
    "AMSGrad",
    "Lion",
)


def fill(template: str, values: Mapping[str, float]) -> str:
    """Return the code of a template with its values."""
    return Template(template).substitute({name: repr(value) for name, value in values.items()})


@cache
def _data() -> dict[str, Any]:
    """Return what the file holds."""
    data: dict[str, Any] = json.loads(
        files("gdcourse").joinpath("frameworks.json").read_text(encoding="utf-8")
    )
    return data


def versions() -> dict[str, str]:
    """Return the version of each framework that the table is about.

    Examples
    --------
    >>> versions()["MXNet"]
    '1.9.1'
    """
    return dict(_data()["versions"])


def loops() -> dict[str, str]:
    """Return a program for each framework: the same least squares, fitted with momentum.

    Each ends with the fitted parameters in ``w``.
    """
    return {framework: "\n".join(lines) for framework, lines in _data()["loops"].items()}


@cache
def table() -> tuple[FrameworkRule, ...]:
    """Return all rows, rule by rule.

    Examples
    --------
    >>> len(table())
    36
    """
    rows = []
    for row in _data()["rows"]:
        home = optimizers if hasattr(optimizers, row["same"]) else conventions
        decay = WeightDecay(**row["decay"]) if row["decay"] else None
        told = {"same": getattr(home, row["same"]), "decay": decay, "update": tuple(row["update"])}
        rows.append(FrameworkRule(**row | told))
    return tuple(rows)


def find(framework: str, rule: str) -> FrameworkRule:
    r"""Return the row of a rule in a framework.

    Parameters
    ----------
    framework, rule : str
        Names, one each of ``FRAMEWORKS`` and ``RULES``.

    Raises
    ------
    ValueError
        If there is no such framework or rule, or the framework does not have the rule.

    Examples
    --------
    >>> find("Optax", "AMSGrad").make(lr=0.1)
    AMSGradCorrectedFirst(lr=0.1, beta1=0.9, beta2=0.999, eps=1e-08)
    >>> print("\n".join(find("Keras", "Momentum").update))
    v = momentum * v - lr * g
    x = x + v
    """
    check_choice("find", "framework", framework, FRAMEWORKS)
    check_choice("find", "rule", rule, RULES)
    for row in table():
        if (row.framework, row.rule) == (framework, rule):
            return row
    has = ", ".join(row.rule for row in table() if row.framework == framework)
    raise ValueError(f"find: {framework} {versions()[framework]} has no {rule}; it has {has}.")
