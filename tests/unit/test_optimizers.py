"""The ten rules: what all of them keep to, the laws of each, and what they refuse.

That the rules compute what the frameworks compute is shown in ``tests/parity``. Here nothing
is compared with another implementation: every expected number has a closed form.
"""

from __future__ import annotations

import inspect
import math
import re
from dataclasses import FrozenInstanceError, fields, is_dataclass, replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from gdcourse import (
    AdaDelta,
    AdaGrad,
    Adam,
    AdamW,
    AMSGrad,
    GradientDescent,
    Lion,
    Momentum,
    Nesterov,
    RMSProp,
    optimizers,
)
from tests.parity.runs import HYPER, follow, gradients

# Fields in order with their defaults: PyTorch's, but for momentum (0 there) and Lion (the paper's).
RULES = {
    GradientDescent: {"lr": 1e-3},
    Momentum: {"lr": 1e-3, "momentum": 0.9},
    Nesterov: {"lr": 1e-3, "momentum": 0.9},
    AdaGrad: {"lr": 1e-2, "eps": 1e-10},
    RMSProp: {"lr": 1e-2, "rho": 0.99, "eps": 1e-8},
    AdaDelta: {"lr": 1.0, "rho": 0.9, "eps": 1e-6},
    Adam: {"lr": 1e-3, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8},
    AdamW: {"lr": 1e-3, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "weight_decay": 1e-2},
    AMSGrad: {"lr": 1e-3, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8},
    Lion: {"lr": 1e-4, "beta1": 0.9, "beta2": 0.99, "weight_decay": 0.0},
}
STATES = {
    GradientDescent: (),
    Momentum: ("v",),
    Nesterov: ("v",),
    AdaGrad: ("s",),
    RMSProp: ("s",),
    AdaDelta: ("s", "d"),
    Adam: ("t", "m", "v"),
    AdamW: ("t", "m", "v"),
    AMSGrad: ("t", "m", "v", "u"),
    Lion: ("m",),
}
BELOW = {
    "lr": "inf",
    "momentum": "1",
    "rho": "1",
    "beta1": "1",
    "beta2": "1",
    "eps": "inf",
    "weight_decay": "inf",
}
FIELDS = [(cls, name) for cls, defaults in RULES.items() for name in defaults]
BELOW_ONE = [(cls, name) for cls, name in FIELDS if BELOW[name] == "1"]
UNBOUNDED = [(cls, name) for cls, name in FIELDS if BELOW[name] == "inf"]

# Each rule with its defaults and with the other values that it is compared with PyTorch at.
INSTANCES = [getattr(optimizers, name)(**hyper) for name, sets in HYPER.items() for hyper in sets]
EVERY_RULE = pytest.mark.parametrize("cls", RULES, ids=lambda cls: cls.__name__)
EVERY_INSTANCE = pytest.mark.parametrize("rule", INSTANCES, ids=repr)

G = gradients("1")[16:26]  # ten gradients, 12 coordinates, some entries 0
NONZERO = np.copysign(1 + np.abs(G), G)
X = np.linspace(-2, 3, 12)


def arrays_in(state):
    """Return the arrays of a state: everything but the count of steps."""
    return [part for part in state if isinstance(part, np.ndarray)]


def equal(one, two):
    """Whether two states or points are equal to the bit."""
    return len(one) == len(two) and all(np.array_equal(a, b) for a, b in zip(one, two, strict=True))


# ---------------------------------------------------------------- what every rule is


def test_the_table_holds_every_rule():
    assert [cls.__name__ for cls in RULES] == list(HYPER)
    assert list(RULES) == list(STATES)
    found = {cls for cls in vars(optimizers).values() if is_dataclass(cls)}
    assert found == set(RULES)


@EVERY_RULE
def test_fields_and_defaults(cls):
    defaults = [(field.name, field.default) for field in fields(cls)]
    assert defaults == list(RULES[cls].items())


@pytest.mark.parametrize(("cls", "name"), FIELDS)
def test_docstring_tells_range_and_default(cls, name):
    line = rf"^{name} : float, 0 <= {name} < {BELOW[name]}, default (\S+)$"
    (default,) = re.findall(line, inspect.getdoc(cls), re.MULTILINE)
    assert float(default) == RULES[cls][name]


@EVERY_RULE
def test_docstring_has_all_its_parts(cls):
    for part in ("::", "Parameters\n", "Notes\n", "References\n", "Examples\n", ">>> "):
        assert part in cls.__doc__


@pytest.mark.parametrize(("cls", "name"), FIELDS)
def test_fields_cannot_be_changed(cls, name):
    with pytest.raises(FrozenInstanceError):
        setattr(cls(), name, 0.5)


@EVERY_RULE
def test_equal_values_make_equal_rules(cls):
    assert cls() == cls(**RULES[cls]) == cls(*RULES[cls].values())
    assert hash(cls()) == hash(cls(**RULES[cls]))
    for name in RULES[cls]:
        changed = replace(cls(), **{name: 0.5})
        assert changed != cls()
        assert getattr(changed, name) == 0.5
        assert replace(changed, **{name: RULES[cls][name]}) == cls()


@EVERY_RULE
def test_no_rule_equals_another(cls):
    assert [other for other in RULES if other() == cls()] == [cls]


@EVERY_RULE
def test_first_state_is_zero(cls):
    state = cls().init(X)
    assert getattr(state, "_fields", ()) == STATES[cls]
    for name, part in zip(STATES[cls], state, strict=True):
        assert (name == "t" and part == 0) or np.array_equal(part, np.zeros(12))


@EVERY_RULE
def test_state_counts_the_steps(cls):
    _, state = follow(cls(), X, G)
    assert getattr(state, "t", len(G)) == len(G)


# ---------------------------------------------------------------- what every rule keeps to


@EVERY_INSTANCE
def test_changes_nothing_that_it_is_given(rule):
    x, grads = X.copy(), G.copy()
    state = rule.init(x)
    for grad in grads:
        given = [x, grad, *arrays_in(state)]
        for part in given:
            part.flags.writeable = False
        before = [part.copy() for part in given]
        new_x, new_state = rule.update(x, grad, state)
        assert equal(given, before)
        made = [new_x, *arrays_in(new_state)]
        assert not any(np.shares_memory(a, b) for a in made for b in given)
        assert not any(np.shares_memory(new_x, part) for part in made[1:])
        x, state = new_x, new_state


@EVERY_INSTANCE
def test_same_run_twice(rule):
    one, first = follow(rule, X, G)
    two, second = follow(rule, X, G)
    assert equal(one, two)
    assert equal(first, second)


@EVERY_INSTANCE
def test_ten_steps_are_five_and_five(rule):
    straight, last = follow(rule, X, G)
    early, state = follow(rule, X, G[:5])
    late, resumed = follow(replace(rule), early[-1], G[5:], state)
    assert equal(straight, [*early, *late])
    assert equal(last, resumed)


@EVERY_INSTANCE
def test_no_learning_rate_no_step(rule):
    points, _ = follow(replace(rule, lr=0.0), X, G)
    assert equal(points, [X] * len(G))


@EVERY_INSTANCE
def test_no_gradient_no_step_but_decay(rule):
    points, _ = follow(rule, X, np.zeros((5, 12)))
    factor = 1 - rule.lr * getattr(rule, "weight_decay", 0.0)
    expected = [factor**t * X for t in range(1, 6)]
    np.testing.assert_allclose(points, expected, rtol=1e-14, atol=0)


@EVERY_INSTANCE
def test_first_step_is_downhill(rule):
    if rule.lr > 0:
        step = rule.update(np.zeros(12), NONZERO[0], rule.init(X))[0]
        assert np.array_equal(np.sign(step), -np.sign(NONZERO[0]))


@EVERY_INSTANCE
def test_doubling_the_rate_doubles_the_path(rule):
    """From 0, and to the bit: lr scales what the rule does and nothing that it remembers."""
    if getattr(rule, "weight_decay", 0) == 0:
        path, _ = follow(rule, np.zeros(12), G)
        double, _ = follow(replace(rule, lr=2 * rule.lr), np.zeros(12), G)
        assert np.array_equal(double, 2 * path)


@pytest.mark.parametrize("shape", [(), (1,), (3,), (2, 3), (0,)])
@EVERY_INSTANCE
def test_shape_and_float64_are_kept(rule, shape):
    x, state = np.ones(shape), rule.init(np.ones(shape))
    for size in (0.5, -2.0):
        x, state = rule.update(x, np.full(shape, size), state)
        for part in (x, *arrays_in(state)):
            assert np.shape(part) == shape
            assert part.dtype == np.float64


@pytest.mark.parametrize("shape", [(1,), (3,), (2, 3), (0,)])
@EVERY_INSTANCE
def test_float32_is_kept(rule, shape):
    x, state = np.ones(shape, np.float32), rule.init(np.ones(shape, np.float32))
    for size in (0.5, -2.0):
        x, state = rule.update(x, np.full(shape, size, np.float32), state)
        for part in (x, *arrays_in(state)):
            assert part.dtype == np.float32


@EVERY_INSTANCE
def test_a_python_number_is_a_point(rule):
    x, state = 1.5, rule.init(1.5)
    row, row_state = np.array([1.5]), rule.init(np.array([1.5]))
    for grad in (0.5, -2.0, 0.0):
        x, state = rule.update(x, grad, state)
        row, row_state = rule.update(row, np.array([grad]), row_state)
        assert isinstance(x, float)
        assert x == pytest.approx(row[0], rel=1e-14)


# ---------------------------------------------------------------- the same for any numbers

CALM = settings(deadline=None, derandomize=True, database=None, max_examples=40)
VALUES = {
    name: st.floats(0, 1, exclude_max=True) if below == "1" else st.floats(0, 10)
    for name, below in BELOW.items()
} | {"eps": st.floats(1e-12, 1)}
SOME_GRADIENTS = arrays(np.float64, (6, 3), elements=st.floats(-1e3, 1e3))


def any_rule(cls):
    """Return the strategy of this rule with any allowed values."""
    return st.builds(cls, **{name: VALUES[name] for name in RULES[cls]})


@EVERY_RULE
@CALM
@given(data=st.data(), grads=SOME_GRADIENTS, cut=st.integers(1, 5))
def test_a_run_can_be_cut_anywhere(cls, data, grads, cut):
    rule = data.draw(any_rule(cls))
    straight, last = follow(rule, np.ones(3), grads)
    early, state = follow(rule, np.ones(3), grads[:cut])
    late, resumed = follow(rule, early[-1], grads[cut:], state)
    assert equal(straight, [*early, *late])
    assert equal(last, resumed)


@EVERY_RULE
@CALM
@given(data=st.data(), grads=SOME_GRADIENTS)
def test_coordinates_do_not_see_each_other(cls, data, grads):
    rule = data.draw(any_rule(cls))
    together, _ = follow(rule, np.ones(3), grads)
    apart = [follow(rule, np.ones(1), grads[:, i : i + 1])[0] for i in range(3)]
    assert np.array_equal(together, np.concatenate(apart, axis=1))


@EVERY_RULE
@CALM
@given(data=st.data(), grads=SOME_GRADIENTS)
def test_mirrored_gradients_mirror_the_path(cls, data, grads):
    rule = data.draw(any_rule(cls))
    path, _ = follow(rule, np.ones(3), grads)
    mirrored, _ = follow(rule, -np.ones(3), -grads)
    assert np.array_equal(mirrored, -path)


@pytest.mark.parametrize(("cls", "name"), FIELDS)
@CALM
@given(value=st.floats())
def test_any_number_is_taken_or_refused_by_its_range(cls, name, value):
    if 0 <= value < float(BELOW[name]):
        assert getattr(cls(**{name: value}), name) == value
    else:
        with pytest.raises(ValueError, match=f"{cls.__name__}: {name} must satisfy 0 <= {name}"):
            cls(**{name: value})


# ---------------------------------------------------------------- laws: the velocities


def test_gradient_descent_on_a_parabola():
    """Each mode of a quadratic shrinks by its own factor: x_t = (1 - lr lambda)^t x_0."""
    curvature = np.array([0.1, 1.0, 3.0, 19.0])
    rule, x = GradientDescent(lr=0.1), np.array([1.0, -2.0, 3.0, 4.0])
    for t in range(1, 101):
        x, _ = rule.update(x, curvature * x, ())
        expected = (1 - 0.1 * curvature) ** t * np.array([1.0, -2.0, 3.0, 4.0])
        np.testing.assert_allclose(x, expected, rtol=1e-13)


@pytest.mark.parametrize("mu", [0.0, 0.5, 0.9, 0.99])
def test_velocity_under_a_constant_gradient(mu):
    """It grows as a geometric sum to -lr g / (1 - mu), ten gradient steps in one at mu = 0.9."""
    rule, state = Momentum(lr=0.1, momentum=mu), Momentum().init(np.zeros(2))
    g = np.array([3.0, -0.5])
    for t in range(1, 5001):
        _, state = rule.update(np.zeros(2), g, state)
        if t < 20:
            np.testing.assert_allclose(state.v, -0.1 * g * (1 - mu**t) / (1 - mu), rtol=1e-13)
    np.testing.assert_allclose(state.v, -0.1 * g / (1 - mu), rtol=1e-13)


@pytest.mark.parametrize("mu", [0.5, 0.9])
def test_velocity_under_an_alternating_gradient(mu):
    """Where the gradient flips at every step, momentum brakes: lr / (1 + mu)."""
    rule, state = Momentum(lr=0.1, momentum=mu), Momentum().init(0.0)
    for t in range(1000):
        _, state = rule.update(0.0, (-1.0) ** t, state)
    assert abs(state.v) == pytest.approx(0.1 / (1 + mu), rel=1e-13)


@pytest.mark.parametrize("cls", [Momentum, Nesterov])
def test_without_momentum_it_is_gradient_descent(cls):
    plain, _ = follow(GradientDescent(lr=0.3), X, G)
    assert equal(follow(cls(lr=0.3, momentum=0.0), X, G)[0], plain)


def test_nesterov_is_the_textbook_rule_seen_from_ahead():
    """The textbook's y and v, with the gradient taken at y + mu v: that point is our x."""
    curvature, lr, mu = np.array([0.5, 4.0, 9.0]), 0.1, 0.8
    y, v = np.array([1.0, -2.0, 3.0]), np.zeros(3)
    x, rule = y, Nesterov(lr=lr, momentum=mu)
    state = rule.init(x)
    for _ in range(50):
        v = mu * v - lr * curvature * (y + mu * v)
        y = y + v
        x, state = rule.update(x, curvature * x, state)
        np.testing.assert_allclose(x, y + mu * v, rtol=1e-12, atol=1e-15)
        np.testing.assert_allclose(state.v, v, rtol=1e-12, atol=1e-15)


# ---------------------------------------------------------------- laws: the adaptive rules

CONSTANT = np.array([1e-3, -2.0, 5e4])


def steps_under(rule, grad, steps):
    """Return the steps that a rule takes under a constant gradient."""
    points, _ = follow(rule, np.zeros_like(grad), [grad] * steps)
    return np.diff(points, axis=0, prepend=0)


# The t-th step under a constant gradient, eps = 0, in units of -lr sign(g).
STEP_SIZES = {
    AdaGrad(eps=0): lambda t: t**-0.5,
    RMSProp(eps=0): lambda t: (1 - 0.99**t) ** -0.5,
    RMSProp(rho=0.0, eps=0): lambda t: 1.0,
    Adam(eps=0): lambda t: 1.0,
    Adam(beta1=0.0, beta2=0.0, eps=0): lambda t: 1.0,
    AdamW(weight_decay=0.0, eps=0): lambda t: 1.0,
    AMSGrad(eps=0): lambda t: 1.0,
    Lion(): lambda t: 1.0,
}


@pytest.mark.parametrize("rule", STEP_SIZES, ids=repr)
def test_step_sizes_under_a_constant_gradient(rule):
    sizes = [STEP_SIZES[rule](t) for t in range(1, 101)]
    expected = -rule.lr * np.outer(sizes, np.sign(CONSTANT))
    np.testing.assert_allclose(steps_under(rule, CONSTANT, 100), expected, rtol=1e-12)


def test_rmsprops_first_step_is_ten_times_lr():
    step = steps_under(RMSProp(eps=0), CONSTANT, 1)[0]
    np.testing.assert_allclose(step, -10 * 1e-2 * np.sign(CONSTANT), rtol=1e-14)


@pytest.mark.parametrize("cls", [Adam, AdamW, AMSGrad])
@pytest.mark.parametrize("eps", [1e-8, 1e-3, 1.0])
def test_adams_first_step_tells_where_eps_stands(cls, eps):
    step = steps_under(cls(lr=0.1, eps=eps), CONSTANT, 1)[0]
    np.testing.assert_allclose(step, -0.1 * CONSTANT / (np.abs(CONSTANT) + eps), rtol=1e-14)


@pytest.mark.parametrize(("cls", "share"), [(AdaGrad, 1.0), (RMSProp, 0.1)])
@pytest.mark.parametrize("eps", [1e-8, 1e-3, 1.0])
def test_first_step_tells_where_eps_stands(cls, share, eps):
    step = steps_under(cls(lr=0.1, eps=eps), CONSTANT, 1)[0]
    expected = -0.1 * CONSTANT / (share * np.abs(CONSTANT) + eps)
    np.testing.assert_allclose(step, expected, rtol=1e-13)


@pytest.mark.parametrize("eps", [1e-6, 1e-3, 1.0])
def test_adadeltas_first_step_tells_where_eps_stands(eps):
    step = steps_under(AdaDelta(eps=eps), CONSTANT, 1)[0]
    expected = -CONSTANT * math.sqrt(eps) / np.sqrt(0.1 * CONSTANT**2 + eps)
    np.testing.assert_allclose(step, expected, rtol=1e-13)


def test_adadelta_remembers_squares_of_unscaled_steps():
    """lr scales the move and not the memory: d is the same for any lr."""
    _, one = follow(AdaDelta(), X, G)
    _, tenth = follow(AdaDelta(lr=0.1), X, G)
    assert equal(one, tenth)
    unscaled = np.diff(follow(AdaDelta(), np.zeros(12), G)[0], axis=0, prepend=0)
    weights = 0.1 * 0.9 ** np.arange(len(G))[::-1]
    np.testing.assert_allclose(one.d, weights @ unscaled**2, rtol=1e-10)
    np.testing.assert_allclose(one.s, weights @ G**2, rtol=1e-13)


def test_adadelta_without_eps_never_moves():
    assert equal(follow(AdaDelta(eps=0), X, NONZERO)[0], [X] * len(NONZERO))


@pytest.mark.parametrize("cls", [AdaGrad, RMSProp, AdaDelta, Adam, AdamW, AMSGrad])
def test_without_eps_a_coordinate_that_saw_no_gradient_becomes_nan(cls):
    """As the docstrings say; with eps, the default included, nothing of the kind happens."""
    grad = np.array([0.0, 1.0])
    with np.errstate(invalid="ignore"):
        x, _ = cls(eps=0).update(np.ones(2), grad, cls().init(np.ones(2)))
    assert np.isnan(x).tolist() == [True, False]
    x, _ = cls().update(np.ones(2), grad, cls().init(np.ones(2)))
    assert np.isfinite(x).all()


# What a factor of 1024 on every gradient does to the path, to the bit: a power of 2 is exact.
SCALED = [
    (GradientDescent(), GradientDescent(), 1024),
    (Momentum(), Momentum(), 1024),
    (Nesterov(), Nesterov(), 1024),
    (AdaGrad(eps=0), AdaGrad(eps=0), 1),
    (RMSProp(eps=0), RMSProp(eps=0), 1),
    (AdaDelta(eps=1e-6), AdaDelta(eps=1e-6 * 1024**2), 1024),
    (Adam(eps=0), Adam(eps=0), 1),
    (Adam(eps=1e-3), Adam(eps=1e-3 * 1024), 1),
    (AdamW(eps=0), AdamW(eps=0), 1),
    (AMSGrad(eps=0), AMSGrad(eps=0), 1),
    (Lion(), Lion(), 1),
]


@pytest.mark.parametrize(("rule", "scaled", "factor"), SCALED)
def test_gradients_in_other_units(rule, scaled, factor):
    path, _ = follow(rule, np.zeros(12), NONZERO)
    other, _ = follow(scaled, np.zeros(12), 1024 * NONZERO)
    assert np.array_equal(other, factor * path)


def test_adamw_without_decay_is_adam():
    assert equal(follow(AdamW(lr=0.1, weight_decay=0), X, G)[0], follow(Adam(lr=0.1), X, G)[0])


def test_adamws_decay_is_beside_the_step():
    """One step differs from Adam's by lr lambda x, and the moments do not differ at all."""
    decayed, state = AdamW(lr=0.1, weight_decay=0.5).update(X, G[0], AdamW().init(X))
    plain, moments = Adam(lr=0.1).update(X, G[0], Adam().init(X))
    np.testing.assert_allclose(decayed, plain - 0.1 * 0.5 * X, rtol=1e-14, atol=1e-15)
    assert equal(state, moments)


def test_amsgrads_second_moment_never_shrinks():
    rule = AMSGrad(beta2=0.6)
    state, seen = rule.init(X), []
    for grad in gradients("mixed"):
        largest = state.u
        _, state = rule.update(X, grad, state)
        seen.append(state.v)
        assert (state.u >= largest).all()
        assert np.array_equal(state.u, np.max(seen, axis=0))
    assert (state.u > state.v).any()


def test_amsgrad_is_adam_while_the_gradients_grow():
    growing = [2.0**t * NONZERO[0] for t in range(10)]
    assert equal(follow(AMSGrad(), X, growing)[0], follow(Adam(), X, growing)[0])
    shrinking = growing[::-1]
    assert not equal(
        follow(AMSGrad(beta2=0.5), X, shrinking)[0], follow(Adam(beta2=0.5), X, shrinking)[0]
    )


def test_lion_moves_by_lr_or_not_at_all():
    path, _ = follow(Lion(lr=2.0**-7), np.zeros(12), gradients("mixed"))
    moves = np.abs(np.diff(path, axis=0, prepend=0))
    assert set(np.unique(moves)) == {0.0, 2.0**-7}
    assert not moves[:15, 3].any()


def test_lion_steps_along_the_old_mean():
    """After 100 gradients of 1, one of -8.9 leaves the direction and one of -9.1 turns it.

    The mean is then 1 - 0.99^100 of 1, weighed 0.9 to 0.1 against the new gradient.
    """
    mean = 1 - 0.99**100
    _, state = follow(Lion(), 0.0, [1.0] * 100)
    assert state.m == pytest.approx(mean, rel=1e-13)
    for last, direction in ((-8.9 * mean, -1), (-9.1 * mean, 1)):
        x, _ = Lion(lr=0.5).update(0.0, last, state)
        assert x == 0.5 * direction


# ---------------------------------------------------------------- what is refused


@pytest.mark.parametrize("value", [-1.0, -5e-324, math.nan, math.inf, -math.inf])
@pytest.mark.parametrize(("cls", "name"), FIELDS)
def test_value_out_of_range(cls, name, value):
    told = f"{cls.__name__}: {name} must satisfy 0 <= {name} < {BELOW[name]}, got {value!r}."
    with pytest.raises(ValueError, match=f"^{re.escape(told)}$"):
        cls(**{name: value})
    with pytest.raises(ValueError, match=f"^{re.escape(told)}$"):
        replace(cls(), **{name: value})


@pytest.mark.parametrize("value", [1.0, 1, 1.5])
@pytest.mark.parametrize(("cls", "name"), BELOW_ONE)
def test_value_of_one_or_more(cls, name, value):
    told = f"{cls.__name__}: {name} must satisfy 0 <= {name} < 1, got {float(value)!r}."
    with pytest.raises(ValueError, match=f"^{re.escape(told)}$"):
        cls(**{name: value})


NOT_NUMBERS = ["0.1", None, True, np.True_, 0.1j, [0.1], np.array(0.1), np.array([0.1, 0.2])]


@pytest.mark.parametrize("value", [*NOT_NUMBERS, Fraction(1, 10)], ids=repr)
@pytest.mark.parametrize(("cls", "name"), FIELDS)
def test_value_that_is_no_number(cls, name, value):
    told = (
        f"{cls.__name__}: {name} must be a number with 0 <= {name} < {BELOW[name]}, "
        f"got {value!r} of type {type(value).__name__}."
    )
    with pytest.raises(TypeError, match=f"^{re.escape(told)}$"):
        cls(**{name: value})


@pytest.mark.parametrize("value", [0, 0.0, 0.5, np.float64(0.5), np.float32(0.5), np.int64(0)])
@pytest.mark.parametrize(("cls", "name"), FIELDS)
def test_numbers_of_any_make_are_taken(cls, name, value):
    rule = cls(**{name: value})
    assert getattr(rule, name) == value
    x, _ = follow(rule, X, NONZERO)
    assert x.dtype == np.float64
    assert np.isfinite(x).all()


@pytest.mark.parametrize("value", [1, 10.0, 1e300])
@pytest.mark.parametrize(("cls", "name"), UNBOUNDED)
def test_no_other_limit(cls, name, value):
    assert getattr(cls(**{name: value}), name) == value


FLOATS = np.array([1.0, 2.0])
NO_FLOATS = [
    (np.array([1, 2], dtype=np.int64), "int64"),
    (np.array([1.0, 2.0 + 1j]), "complex128"),
    (np.array([True, False]), "bool"),
    (np.array([1.0, None]), "object"),
    (np.array(["1", "2"]), "<U1"),
]


@pytest.mark.parametrize(("bad", "dtype"), NO_FLOATS, ids=[dtype for _, dtype in NO_FLOATS])
@EVERY_RULE
def test_arrays_that_hold_no_floats(cls, bad, dtype):
    rule = cls()
    for name, x, grad in (("x", bad, FLOATS), ("grad", FLOATS, bad), ("x", bad, bad)):
        told = (
            f"{cls.__name__}: {name} must hold floats, got dtype {dtype}; "
            f"convert it with np.asarray({name}, dtype=float)."
        )
        with pytest.raises(TypeError, match=f"^{re.escape(told)}$"):
            rule.update(x, grad, rule.init(FLOATS))


@EVERY_RULE
def test_whole_python_numbers(cls):
    with pytest.raises(TypeError, match=f"^{cls.__name__}: x must hold floats, got dtype int"):
        cls().update(1, 2.0, cls().init(1.0))
    with pytest.raises(TypeError, match=f"^{cls.__name__}: grad must hold floats, got dtype int"):
        cls().update(1.0, 2, cls().init(1.0))


@pytest.mark.parametrize(
    ("shape", "other"), [((3,), (3, 1)), ((3, 1), (3,)), ((3,), ()), ((), (1,)), ((2,), (3,))]
)
@EVERY_RULE
def test_gradient_of_another_shape(cls, shape, other):
    told = (
        f"{cls.__name__}: grad must have the shape of x, {shape}, got {other}; "
        f"reshape it before the step."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(told)}$"):
        cls().update(np.ones(shape), np.ones(other), cls().init(np.ones(shape)))
