"""The rules as other frameworks write them: what they refuse, and where they agree with ours.

That each makes what a framework makes is shown in ``tests/parity``.
"""

from __future__ import annotations

import re
from dataclasses import FrozenInstanceError, fields

import numpy as np
import pytest

from gdcourse import conventions, optimizers
from tests.parity.runs import follow, gradients

RULES = [
    thing
    for thing in vars(conventions).values()
    if getattr(thing, "__module__", "") == conventions.__name__
]

# Parameter: the largest and smallest that are allowed, and what is not.
ALLOWED = {
    "lr": ("0 <= lr < inf", (0.0, 1e300), (-1e-9, np.inf, np.nan)),
    "momentum": ("0 <= momentum < 1", (0.0, 1 - 2**-53), (-0.1, 1.0, np.nan)),
    "rho": ("0 <= rho < 1", (0.0, 1 - 2**-53), (-0.1, 1.0, np.nan)),
    "beta1": ("0 <= beta1 < 1", (0.0, 1 - 2**-53), (-0.1, 1.0, np.nan)),
    "beta2": ("0 <= beta2 < 1", (0.0, 1 - 2**-53), (-0.1, 1.0, np.nan)),
    "eps": ("0 <= eps < inf", (0.0, 1e300), (-1e-9, np.inf, np.nan)),
    "weight_decay": ("0 <= weight_decay < inf", (0.0, 1e300), (-1e-9, np.inf, np.nan)),
    "initial": ("0 <= initial < inf", (0.0, 1e300), (-1e-9, np.inf, np.nan)),
}
EACH = [
    pytest.param(rule, field.name, id=f"{rule.__name__} {field.name}")
    for rule in RULES
    for field in fields(rule)
]


@pytest.mark.parametrize(("rule", "name"), EACH)
def test_parameter_has_its_range(rule, name):
    told, good, bad = ALLOWED[name]
    for value in good:
        assert getattr(rule(**{name: value}), name) == value
    for value in bad:
        message = f"{rule.__name__}: {name} must satisfy {told}, got {value!r}."
        with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
            rule(**{name: value})


@pytest.mark.parametrize("rule", RULES)
def test_rule_cannot_be_changed(rule):
    with pytest.raises(FrozenInstanceError):
        rule().lr = 1.0


@pytest.mark.parametrize("rule", RULES)
def test_gradient_of_another_shape_is_refused(rule):
    x = np.zeros(2)
    with pytest.raises(ValueError, match=f"^{rule.__name__}"):
        rule().update(x, np.zeros(3), rule().init(x))


@pytest.mark.parametrize("rule", RULES)
def test_step_leaves_what_it_is_given(rule):
    x, grad = np.array([1.0, -2.0]), np.array([0.5, 0.25])
    state = rule().init(x)
    rule().update(x, grad, state)
    assert x.tolist() == [1.0, -2.0]
    assert grad.tolist() == [0.5, 0.25]
    np.testing.assert_equal(state, rule().init(x))


# Two rules that are one when epsilon is 0.
WITHOUT_EPS = [
    (conventions.AdaGradEpsInside(lr=0.1, eps=0.0, initial=0.0), optimizers.AdaGrad(0.1, 0.0)),
    (conventions.RMSPropEpsInside(0.1, 0.8, 0.0), optimizers.RMSProp(0.1, 0.8, 0.0)),
    (conventions.AdamEpsHat(0.1, 0.7, 0.8, 0.0), optimizers.Adam(0.1, 0.7, 0.8, 0.0)),
    (conventions.AMSGradEpsHat(0.1, 0.7, 0.8, 0.0), optimizers.AMSGrad(0.1, 0.7, 0.8, 0.0)),
]


@pytest.mark.parametrize(("theirs", "ours"), WITHOUT_EPS)
def test_without_epsilon_its_place_does_not_matter(theirs, ours):
    grads = np.where(gradients("1") == 0, 1.0, gradients("1"))  # 0 / 0 is another matter
    points, _ = follow(theirs, np.zeros(12), grads)
    expected, _ = follow(ours, np.zeros(12), grads)
    np.testing.assert_allclose(points, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", ["Momentum", "Nesterov"])
def test_constant_rate_may_stand_anywhere(name):
    x = np.zeros(12)
    theirs = getattr(conventions, f"{name}RateOutside")(lr=0.1, momentum=0.7)
    points, _ = follow(theirs, x, gradients("1"))
    expected, _ = follow(getattr(optimizers, name)(lr=0.1, momentum=0.7), x, gradients("1"))
    np.testing.assert_allclose(points, expected, rtol=1e-12, atol=1e-12)


def test_the_two_maxima_agree_on_gradients_that_grow():
    """Where the corrected second moment rises in every step, its maximum is always the newest."""
    x, grads = np.zeros(1), np.arange(1.0, 50.0)[:, None]
    points, _ = follow(conventions.AMSGradCorrectedFirst(lr=0.1), x, grads)
    expected, _ = follow(optimizers.AMSGrad(lr=0.1), x, grads)
    np.testing.assert_allclose(points, expected, rtol=1e-12)
    # And not on gradients that fall.
    points, _ = follow(conventions.AMSGradCorrectedFirst(lr=0.1), x, grads[::-1])
    expected, _ = follow(optimizers.AMSGrad(lr=0.1), x, grads[::-1])
    assert abs(points[-1] / expected[-1] - 1) > 0.05
