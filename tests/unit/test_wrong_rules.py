"""Wrong rules, kept to show that the parity test would notice.

Each is the tested source with one slip in it, of a kind that someone has made: they come from
lecture notes, from frameworks that mean something else by the name, or from reading the equation
a letter off. Most of them still go downhill and would pass for right in a picture.
"""

from __future__ import annotations

import inspect

import numpy as np
import pytest

from gdcourse import optimizers
from tests.parity.compare import assert_parity, assert_same_points
from tests.parity.runs import HYPER, RUNS, follow, gradients

# Rule: what is wrong: the piece of source that changes, and what it becomes.
SLIPS: dict[str, dict[str, tuple[str, str]]] = {
    "GradientDescent": {
        "uphill": ("x - self.lr * grad", "x + self.lr * grad"),
        "no learning rate": ("self.lr * grad", "grad"),
        "x forgotten": ("x - self.lr * grad", "-self.lr * grad"),
        "sign of the gradient": ("self.lr * grad", "self.lr * np.sign(grad)"),
        "lr shrinks x": ("x - self.lr * grad", "x - self.lr * (grad + x)"),
    },
    "Momentum": {
        "velocity uphill": ("v - self.lr * grad", "v + self.lr * grad"),
        "velocity subtracted": ("return x + v", "return x - v"),
        "+= adds the old velocity": (
            "v = self.momentum * state.v",
            "v = state.v + self.momentum * state.v",
        ),
        "old velocity": ("return x + v", "return x + state.v"),
        "velocity not kept": ("MomentumState(v)\n", "MomentumState(state.v)\n"),
        "dampening": ("- self.lr * grad", "- (1 - self.momentum) * self.lr * grad"),
        "lr twice": ("return x + v", "return x + self.lr * v"),
        "momentum times the new gradient too": (
            "self.momentum * state.v - self.lr * grad",
            "self.momentum * (state.v - self.lr * grad)",
        ),
        "Nesterov's step": (
            "return x + v",
            "return x + self.momentum * v - self.lr * grad",
        ),
        "the new rate for the old velocity": (
            "v = self.momentum * state.v - self.lr * grad\n        return x + v,",
            "v = self.momentum * state.v - grad\n        return x + self.lr * v,",
        ),
    },
    "Nesterov": {
        "velocity uphill": ("v = self.momentum * state.v -", "v = self.momentum * state.v +"),
        "step uphill": ("* v - self.lr * grad,", "* v + self.lr * grad,"),
        "+= adds the old velocity": (
            "v = self.momentum * state.v",
            "v = state.v + self.momentum * state.v",
        ),
        "old velocity": ("return x + self.momentum * v", "return x + self.momentum * state.v"),
        "whole velocity": ("return x + self.momentum * v", "return x + v"),
        "gradient left out": ("self.momentum * v - self.lr * grad,", "self.momentum * v,"),
        "velocity not kept": ("MomentumState(v)\n", "MomentumState(state.v)\n"),
        "the new rate for the old velocity": (
            "v = self.momentum * state.v - self.lr * grad\n        return x + self.momentum * v -",
            "v = self.momentum * state.v - grad\n        return x + self.lr * self.momentum * v -",
        ),
    },
    "AdaGrad": {
        "uphill": ("x - self.lr * grad", "x + self.lr * grad"),
        "eps inside the root": ("np.sqrt(s) + self.eps", "np.sqrt(s + self.eps)"),
        "eps added to x": ("(np.sqrt(s) + self.eps)", "np.sqrt(s) + self.eps"),
        "old sum": ("np.sqrt(s)", "np.sqrt(state.s)"),
        "sum starts at 0.1": ("np.zeros_like(x)", "np.full_like(x, 0.1)"),
        "nothing summed": ("s = state.s + grad**2", "s = grad**2"),
        "sum of sizes": ("grad**2", "np.abs(grad)"),
        "no root": ("np.sqrt(s)", "s"),
        "+= adds the old sum": ("s = state.s +", "s = state.s + state.s +"),
    },
    "RMSProp": {
        "uphill": ("x - self.lr * grad", "x + self.lr * grad"),
        "eps inside the root": ("np.sqrt(s) + self.eps", "np.sqrt(s + self.eps)"),
        "eps added to x": ("(np.sqrt(s) + self.eps)", "np.sqrt(s) + self.eps"),
        "old mean": ("np.sqrt(s)", "np.sqrt(state.s)"),
        "no 1 - rho": ("(1 - self.rho) * grad**2", "grad**2"),
        "weights exchanged": (
            "self.rho * state.s + (1 - self.rho) * grad**2",
            "(1 - self.rho) * state.s + self.rho * grad**2",
        ),
        "+= adds the old mean": ("s = self.rho", "s = state.s + self.rho"),
        "no root": ("np.sqrt(s)", "s"),
        "mean starts at 1": ("np.zeros_like(x)", "np.ones_like(x)"),
        "AdaGrad": ("self.rho * state.s + (1 - self.rho) * grad**2", "state.s + grad**2"),
    },
    "AdaDelta": {
        "uphill": ("x - self.lr * delta", "x + self.lr * delta"),
        "eps outside the roots": (
            "np.sqrt(state.d + self.eps) / np.sqrt(s + self.eps)",
            "(np.sqrt(state.d) + self.eps) / (np.sqrt(s) + self.eps)",
        ),
        "eps below only": ("np.sqrt(state.d + self.eps)", "np.sqrt(state.d)"),
        "upside down": (
            "np.sqrt(state.d + self.eps) / np.sqrt(s + self.eps)",
            "np.sqrt(s + self.eps) / np.sqrt(state.d + self.eps)",
        ),
        "old mean of squares": ("np.sqrt(s + self.eps)", "np.sqrt(state.s + self.eps)"),
        "no 1 - rho for s": ("(1 - self.rho) * grad**2", "grad**2"),
        "no 1 - rho for d": ("(1 - self.rho) * delta**2", "delta**2"),
        "d of gradients": ("(1 - self.rho) * delta**2", "(1 - self.rho) * grad**2"),
        "d of lr times the steps": ("* delta**2", "* (self.lr * delta) ** 2"),
        "+= adds the old mean of s": ("s = self.rho", "s = state.s + self.rho"),
        "+= adds the old mean of d": ("d = self.rho", "d = state.d + self.rho"),
        "d not kept": ("AdaDeltaState(s, d)\n", "AdaDeltaState(s, state.d)\n"),
        "lr without effect": ("self.lr * delta", "delta"),
    },
    "Adam": {
        "uphill": ("x - self.lr * m_hat", "x + self.lr * m_hat"),
        "eps inside the root": (
            "(np.sqrt(v_hat) + self.eps)",
            "np.sqrt(v_hat + self.eps)",
        ),
        "eps not corrected": (
            "(np.sqrt(v_hat) + self.eps)",
            "(np.sqrt(v_hat) + self.eps / np.sqrt(1 - self.beta2**t))",
        ),
        "eps added to x": ("(np.sqrt(v_hat) + self.eps)", "np.sqrt(v_hat) + self.eps"),
        "t one too small": ("t = state.t + 1\n", "t = max(1, state.t)\n"),
        "t one too large": ("AdamState(t=0,", "AdamState(t=1,"),
        "t stands still": ("AdamState(t, m, v)\n", "AdamState(state.t, m, v)\n"),
        "v not corrected": ("v_hat = v / (1 - self.beta2**t)", "v_hat = v"),
        "m not corrected": ("m_hat = m / (1 - self.beta1**t)", "m_hat = m"),
        "both corrected with beta1": ("1 - self.beta2**t", "1 - self.beta1**t"),
        "no 1 - beta1": ("(1 - self.beta1) * grad\n", "grad\n"),
        "no 1 - beta2": ("(1 - self.beta2) * grad**2", "grad**2"),
        "+= adds the old m": ("m = self.beta1", "m = state.m + self.beta1"),
        "+= adds the old v": ("v = self.beta2", "v = state.v + self.beta2"),
        "old m": ("m_hat = m /", "m_hat = state.m /"),
        "old v": ("v_hat = v /", "v_hat = state.v /"),
        "no root": ("np.sqrt(v_hat)", "v_hat"),
        "gradient instead of m": ("self.lr * m_hat", "self.lr * grad"),
    },
    "AdamW": {
        "uphill": ("shrunk - self.lr", "shrunk + self.lr"),
        "decay through the gradient": (
            "t = state.t + 1\n",
            "grad, shrunk = grad + self.weight_decay * x, x\n        t = state.t + 1\n",
        ),
        "decay without lr": ("self.lr * self.weight_decay", "self.weight_decay"),
        "no decay": ("shrunk = (1 - self.lr * self.weight_decay) * x", "shrunk = x"),
        "weights grow": ("(1 - self.lr * self", "(1 + self.lr * self"),
        "decay after the step": (
            "x = shrunk - self.lr * m_hat / (np.sqrt(v_hat) + self.eps)",
            "x = (1 - self.lr * self.weight_decay)"
            " * (x - self.lr * m_hat / (np.sqrt(v_hat) + self.eps))",
        ),
        "eps inside the root": (
            "(np.sqrt(v_hat) + self.eps)",
            "np.sqrt(v_hat + self.eps)",
        ),
        "eps not corrected": (
            "(np.sqrt(v_hat) + self.eps)",
            "(np.sqrt(v_hat) + self.eps / np.sqrt(1 - self.beta2**t))",
        ),
        "t one too large": ("AdamState(t=0,", "AdamState(t=1,"),
        "v not corrected": ("v_hat = v / (1 - self.beta2**t)", "v_hat = v"),
    },
    "AMSGrad": {
        "uphill": ("x - self.lr * m_hat", "x + self.lr * m_hat"),
        "Optax: largest of the corrected v": (
            "u = np.maximum(state.u, v)",
            "u = np.maximum(state.u, v / (1 - self.beta2**t)) * (1 - self.beta2**t)",
        ),
        "paper: nothing corrected": (
            "m_hat / (np.sqrt(u_hat) + self.eps)",
            "m / (np.sqrt(u) + self.eps)",
        ),
        "Adam": ("u_hat = u /", "u_hat = v /"),
        "u not kept": ("AMSGradState(t, m, v, u)\n", "AMSGradState(t, m, v, v)\n"),
        "u kept as v": ("AMSGradState(t, m, v, u)\n", "AMSGradState(t, m, u, u)\n"),
        "smallest": ("np.maximum", "np.minimum"),
        "u not corrected": ("u_hat = u / (1 - self.beta2**t)", "u_hat = u"),
        "eps inside the root": (
            "(np.sqrt(u_hat) + self.eps)",
            "np.sqrt(u_hat + self.eps)",
        ),
        "no 1 - beta2": ("(1 - self.beta2) * grad**2", "grad**2"),
        "t one too large": ("AMSGradState(t=0,", "AMSGradState(t=1,"),
    },
    "Lion": {
        "uphill": ("x - self.lr * (direction", "x + self.lr * (direction"),
        "direction from the new m": (
            "direction = np.sign(self.beta1 * state.m + (1 - self.beta1) * grad)",
            "direction = np.sign(self.beta2 * state.m + (1 - self.beta2) * grad)",
        ),
        "m kept with beta1": (
            "m = self.beta2 * state.m + (1 - self.beta2) * grad",
            "m = self.beta1 * state.m + (1 - self.beta1) * grad",
        ),
        "no 1 - beta1": ("(1 - self.beta1) * grad)", "grad)"),
        "no 1 - beta2": ("(1 - self.beta2) * grad\n", "grad\n"),
        "sign of the gradient": ("np.sign(self.beta1 * state.m +", "np.sign("),
        "no sign": ("np.sign(", "("),
        "+= adds the old m": ("m = self.beta2", "m = state.m + self.beta2"),
        "decay without lr": (
            "self.lr * (direction + self.weight_decay * x)",
            "self.lr * direction - self.weight_decay * x",
        ),
        "decay inside the sign": (
            "self.beta1) * grad)",
            "self.beta1) * grad + self.weight_decay * x)",
        ),
        "weights grow": ("+ self.weight_decay * x", "- self.weight_decay * x"),
    },
}


def with_slip(rule: str, old: str, new: str) -> type:
    """Return the rule made from its own source with ``old`` replaced by ``new``."""
    source = inspect.getsource(getattr(optimizers, rule))
    found = source.count(old)
    if found != 1:
        raise LookupError(f"{rule}'s source holds {old!r} {found} times, not once")
    names = dict(vars(optimizers))
    exec(source.replace(old, new), names)
    return names[rule]


def assert_parity_in_all_runs(cls: type) -> None:
    """Compare a rule as ``test_recorded`` does, in all runs under its name."""
    # A wrong rule may overflow or divide by 0. It has to be caught by its numbers.
    with np.errstate(all="ignore"):
        for run in RUNS:
            if run.rule == cls.__name__:
                assert_parity(cls(**run.hyper), run)


@pytest.mark.parametrize("rule", HYPER)
def test_without_a_slip_the_rule_passes(rule):
    """The rule made of its source text is the rule: only the slips are caught below."""
    assert_parity_in_all_runs(with_slip(rule, f"class {rule}:", f"class {rule}:"))


@pytest.mark.parametrize(("rule", "slip"), [(rule, slip) for rule in SLIPS for slip in SLIPS[rule]])
def test_slip_is_caught(rule, slip):
    wrong = with_slip(rule, *SLIPS[rule][slip])
    with pytest.raises(AssertionError, match="numbers differ"):
        assert_parity_in_all_runs(wrong)


def test_every_rule_has_slips():
    assert SLIPS.keys() == HYPER.keys()
    assert min(len(slips) for slips in SLIPS.values()) >= 3


@pytest.mark.parametrize("slip", ["eps inside the root", "eps not corrected", "eps added to x"])
def test_a_tolerance_of_1e_5_would_let_a_wrong_adam_through(slip):
    """Why the tolerance is 1e-12, and why there are small gradients and zeros in the runs."""
    of_size_one = [np.copysign(1 + np.abs(g), g) for g in gradients("1")[:10]]
    start = np.zeros_like(of_size_one[0])
    wrong, _ = follow(with_slip("Adam", *SLIPS["Adam"][slip])(), start, of_size_one)
    right, _ = follow(optimizers.Adam(), start, of_size_one)
    np.testing.assert_allclose(wrong, right, rtol=0, atol=1e-5)
    with pytest.raises(AssertionError, match="numbers differ"):
        assert_same_points(wrong, right)
