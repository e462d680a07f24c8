"""The equations in the docstrings, run as they are printed.

Mathematics in a comment rots like code that no test runs. Here the indented lines of each rule's
docstring become a rule of their own, which has to make the recorded points too.
"""

from __future__ import annotations

import re
from inspect import getdoc
from types import SimpleNamespace

import numpy as np
import pytest

from gdcourse import optimizers
from tests.parity.compare import (
    TOLERANCE,
    TOLERANCE_SINGLE,
    assert_parity,
    assert_same_points,
    at_kept_steps,
    recorded_points,
)
from tests.parity.runs import HYPER, ROW_RUNS, RUNS, make_rule, replay

LETTERS = {
    "η": "lr",
    "μ": "momentum",
    "ρ": "rho",
    "β₁": "beta1",
    "β₂": "beta2",
    "ε̂": "eps",
    "ε": "eps",
    "λ": "weight_decay",
    "δ": "delta",
    "²": "**2",
    "^": "**",
}


def to_python(equation):
    """Return a printed equation as an assignment: ``s <- ρ s`` is ``s = rho * s``."""
    target, value = re.split(r" *<- *| += *", equation)
    for letter, name in LETTERS.items():
        target, value = target.replace(letter, name), value.replace(letter, name)
    value = re.sub(r"√(\w+)", r"sqrt(\1)", value).replace("√", "sqrt")
    # What stands side by side is multiplied.
    return f"{target} = " + re.sub(r"(?<=[\w)]) (?=[\w(])", " * ", value)


def printed_rule(rule):
    """Return a rule that does what the docstring of ``rule`` prints."""
    head = getdoc(type(rule)).partition("Parameters\n")[0]
    printed = re.findall(r"^ {4}(\S.*(?:<-| = ).*)$", head, re.MULTILINE)
    code = compile("\n".join(map(to_python, printed)), type(rule).__name__, "exec")
    hyper = {name: getattr(rule, name) for name in type(rule).__dataclass_fields__}
    functions = {"sqrt": np.sqrt, "sign": np.sign, "max": np.maximum}

    def update(x, grad, state):
        names = functions | hyper | {"x": x, "g": grad} | dict(state)
        exec(code, names)
        return names["x"], {name: names[name] for name in state}

    def init(x):
        state = rule.init(x)
        return state._asdict() if state else {}

    return SimpleNamespace(init=init, update=update)


@pytest.mark.parametrize(
    ("equation", "python"),
    [
        ("t <- t + 1", "t = t + 1"),
        ("x <- x - η g / (√s + ε)", "x = x - lr * g / (sqrt(s) + eps)"),
        ("δ  = √(d + ε) / √(s + ε) g", "delta = sqrt(d + eps) / sqrt(s + eps) * g"),
        ("s <- ρ s + (1 - ρ) g²", "s = rho * s + (1 - rho) * g**2"),
        ("u <- max(u, v) / (1 - β₂^t)", "u = max(u, v) / (1 - beta2**t)"),
    ],
)
def test_equations_are_read_as_meant(equation, python):
    assert to_python(equation) == python


@pytest.mark.parametrize("run", [run for run in RUNS if not run.drop], ids=str)
def test_printed_equations_make_the_expected_points(run):
    assert_parity(printed_rule(make_rule(run)), run)


CONVENTIONS = [
    run
    for run in ROW_RUNS
    if run.kind == "loud" and run.row.same.__module__ == "gdcourse.conventions"
]


@pytest.mark.parametrize("run", CONVENTIONS, ids=str)
def test_printed_equations_of_other_conventions_make_the_recorded_points(run):
    points = at_kept_steps(replay(printed_rule(run.row.make(**run.hyper)), run.reference))
    tolerance = TOLERANCE_SINGLE if run.row.framework == "MXNet" else TOLERANCE
    assert_same_points(points, recorded_points(run.reference), tolerance)


@pytest.mark.parametrize("rule", HYPER)
def test_every_letter_of_the_state_is_printed(rule):
    cls = getattr(optimizers, rule)
    for letter in getattr(cls().init(np.zeros(1)), "_fields", ()):
        assert re.search(rf"^ {{4}}{letter} <- ", getdoc(cls), re.MULTILINE)
