"""The schedules: their ends, their shapes, what they sum to, and what they refuse.

That they give PyTorch's rates is shown in ``tests/parity``.
"""

from __future__ import annotations

import inspect
import math
import re
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gdcourse
from gdcourse import (
    constant,
    cosine_decay,
    exponential_decay,
    inverse_time_decay,
    step_decay,
    warmup,
)

CALM = settings(deadline=None, derandomize=True, database=None, max_examples=40)

# What each constructor is called with: arguments that it takes.
GOOD = {
    constant: {"lr": 0.1},
    step_decay: {"lr": 0.1, "factor": 0.5, "every": 10},
    exponential_decay: {"lr": 0.1, "factor": 0.9},
    inverse_time_decay: {"lr": 0.1, "rate": 0.01},
    cosine_decay: {"lr": 0.1, "steps": 50, "final": 0.01},
    warmup: {"schedule": constant(0.1), "steps": 5},
}
FALLING = [step_decay, exponential_decay, inverse_time_decay, cosine_decay]
RATES = [
    (make, name)
    for make in GOOD
    for name in ("lr", "factor", "rate", "final")
    if name in GOOD[make]
]
COUNTS = [(step_decay, "every"), (cosine_decay, "steps"), (warmup, "steps")]


def rates(schedule, steps):
    """Return the rates of the first ``steps`` steps."""
    return np.array([schedule(t) for t in range(steps)])


def test_the_table_holds_every_schedule():
    public = {getattr(gdcourse, name) for name in gdcourse.__all__}
    assert {make for make in public if make.__module__ == "gdcourse.schedules"} == set(GOOD)


@pytest.mark.parametrize("make", GOOD)
def test_arguments_after_the_first_are_named(make):
    first, *others = inspect.signature(make).parameters.values()
    assert first.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
    assert all(p.kind is inspect.Parameter.KEYWORD_ONLY for p in others)
    assert list(GOOD[make]) == [first.name, *(p.name for p in others)]


@pytest.mark.parametrize("make", GOOD)
def test_nothing_is_remembered(make):
    """The same rates asked for in any order, more than once, and from another of its kind."""
    schedule, twin = make(**GOOD[make]), make(**GOOD[make])
    backwards = [schedule(t) for t in reversed(range(100))]
    assert [twin(t) for t in range(100)] == backwards[::-1] == [schedule(t) for t in range(100)]


@pytest.mark.parametrize("make", GOOD)
def test_rates_are_python_floats(make):
    """So that no float32 point is made float64 by the rate."""
    schedule = make(**GOOD[make])
    assert {type(schedule(t)) for t in range(100)} == {float}


@pytest.mark.parametrize("make", FALLING)
def test_starts_at_lr_and_never_rises(make):
    rate = rates(make(**GOOD[make]), 200)
    assert rate[0] == 0.1
    assert (np.diff(rate) <= 0).all()
    assert rate[-1] < 0.05


@pytest.mark.parametrize("make", FALLING)
def test_docstring_tells_the_formula(make):
    """Its first formula in double backticks; the cosine's holds until it ends."""
    formula = next(text for text in re.findall(r"``([^`\n]+)``", make.__doc__) if " " in text)
    schedule, names = make(**GOOD[make]), {"cos": math.cos, "pi": math.pi, **GOOD[make]}
    for t in range(51):
        assert schedule(t) == pytest.approx(eval(formula, names | {"t": t}), rel=1e-14)


def test_constant():
    assert rates(constant(0.1), 1000).tolist() == [0.1] * 1000


def test_step_decay_is_level_on_each_stair():
    rate = rates(step_decay(0.8, factor=0.5, every=3), 10)
    assert rate.tolist() == [0.8] * 3 + [0.4] * 3 + [0.2] * 3 + [0.1]


def test_step_decay_of_one_step_is_exponential():
    stairs, smooth = step_decay(0.3, factor=0.9, every=1), exponential_decay(0.3, factor=0.9)
    assert np.array_equal(rates(stairs, 100), rates(smooth, 100))


@pytest.mark.parametrize("factor", [0.0, 0.5, 0.99])
def test_exponential_decay_sums_to_lr_over_one_minus_factor(factor):
    total = rates(exponential_decay(0.4, factor=factor), 5000).sum()
    assert total == pytest.approx(0.4 / (1 - factor), rel=1e-12)


def test_exponential_decay_may_grow():
    assert rates(exponential_decay(0.1, factor=2), 4) == pytest.approx([0.1, 0.2, 0.4, 0.8])


def test_inverse_time_decay_halves_after_one_over_rate():
    schedule = inverse_time_decay(0.2, rate=0.01)
    assert schedule(100) == pytest.approx(0.1, rel=1e-15)
    assert schedule(900) == pytest.approx(0.02, rel=1e-15)
    assert rates(inverse_time_decay(0.2, rate=0), 50).tolist() == [0.2] * 50


def test_inverse_time_decay_sums_without_bound_and_its_squares_do_not():
    """At rate 1: the harmonic sums, and squares below pi^2 / 6."""
    rate = rates(inverse_time_decay(1.0, rate=1.0), 10_000)
    for n in (10, 100, 1000, 10_000):
        assert rate[:n].sum() > math.log(n + 1)
        assert (rate[:n] ** 2).sum() < math.pi**2 / 6


def test_cosine_decay_has_the_ends_and_the_middle_of_half_a_wave():
    schedule = cosine_decay(0.5, steps=60, final=0.1)
    assert schedule(0) == 0.5
    assert schedule(20) == pytest.approx(0.4, rel=1e-15)
    assert schedule(30) == pytest.approx(0.3, rel=1e-15)
    assert schedule(40) == pytest.approx(0.2, rel=1e-15)
    assert rates(schedule, 200)[60:].tolist() == [0.1] * 140
    assert cosine_decay(0.5, steps=60)(60) == 0.0


def test_cosine_decay_is_odd_about_its_middle():
    rate = rates(cosine_decay(0.5, steps=60, final=0.1), 61)
    np.testing.assert_allclose(rate + rate[::-1], 0.6, rtol=1e-15)


def test_cosine_decay_may_rise():
    rate = rates(cosine_decay(0.1, steps=10, final=0.3), 12)
    assert (np.diff(rate[:11]) > 0).all()
    assert rate[10] == rate[11] == 0.3


def test_warmup_of_a_constant_rate():
    rate = rates(warmup(constant(0.5), steps=4), 7)
    assert rate.tolist() == [0.125, 0.25, 0.375, 0.5, 0.5, 0.5, 0.5]


def test_warmup_sees_the_same_step():
    """It scales a schedule without delaying it."""
    inner = exponential_decay(0.3, factor=0.9)
    scale = np.minimum(1, np.arange(1, 21) / 8)
    np.testing.assert_allclose(
        rates(warmup(inner, steps=8), 20), scale * rates(inner, 20), rtol=1e-15
    )
    assert rates(warmup(inner, steps=8), 20)[7:].tolist() == rates(inner, 20)[7:].tolist()


def test_warmup_of_one_step_does_nothing():
    inner = cosine_decay(0.3, steps=9)
    assert np.array_equal(rates(warmup(inner, steps=1), 20), rates(inner, 20))


@CALM
@given(
    lr=st.floats(0, 10),
    factor=st.floats(0, 1),
    rate=st.floats(0, 10),
    final=st.floats(0, 1),
    count=st.integers(1, 50),
    t=st.integers(0, 200),
)
def test_rates_stay_between_zero_and_the_larger_end(lr, factor, rate, final, count, t):
    for schedule, top in (
        (constant(lr), lr),
        (step_decay(lr, factor=factor, every=count), lr),
        (exponential_decay(lr, factor=factor), lr),
        (inverse_time_decay(lr, rate=rate), lr),
        (cosine_decay(lr, steps=count, final=final), max(lr, final)),
        (warmup(constant(lr), steps=count), lr),
    ):
        assert 0 <= schedule(t) <= top * (1 + 1e-15)


# ---------------------------------------------------------------- what is refused


@pytest.mark.parametrize("value", [-1.0, -5e-324, math.nan, math.inf, -math.inf])
@pytest.mark.parametrize(("make", "name"), RATES)
def test_rate_out_of_range(make, name, value):
    told = f"{make.__name__}: {name} must satisfy 0 <= {name} < inf, got {value!r}."
    with pytest.raises(ValueError, match=f"^{re.escape(told)}$"):
        make(**GOOD[make] | {name: value})


NOT_NUMBERS = ["0.1", None, True, np.True_, 0.1j, [0.1], np.array(0.1), Fraction(1, 10)]


@pytest.mark.parametrize("value", NOT_NUMBERS, ids=repr)
@pytest.mark.parametrize(("make", "name"), RATES)
def test_rate_that_is_no_number(make, name, value):
    told = (
        f"{make.__name__}: {name} must be a number with 0 <= {name} < inf, "
        f"got {value!r} of type {type(value).__name__}."
    )
    with pytest.raises(TypeError, match=f"^{re.escape(told)}$"):
        make(**GOOD[make] | {name: value})


@pytest.mark.parametrize("value", [0, 0.0, 10, 1e300, np.float64(0.5), np.int64(2)], ids=repr)
@pytest.mark.parametrize(("make", "name"), RATES)
def test_rates_of_any_size_and_make_are_taken(make, name, value):
    assert make(**GOOD[make] | {name: value})(0) >= 0


@pytest.mark.parametrize("value", [0, -1, np.int64(-7)], ids=repr)
@pytest.mark.parametrize(("make", "name"), COUNTS)
def test_count_below_one(make, name, value):
    told = f"{make.__name__}: {name} must be at least 1, got {int(value)}."
    with pytest.raises(ValueError, match=f"^{re.escape(told)}$"):
        make(**GOOD[make] | {name: value})


@pytest.mark.parametrize("value", [2.0, math.nan, math.inf, "2", None, True, [2]], ids=repr)
@pytest.mark.parametrize(("make", "name"), COUNTS)
def test_count_that_is_no_whole_number(make, name, value):
    told = (
        f"{make.__name__}: {name} must be a whole number, at least 1, "
        f"got {value!r} of type {type(value).__name__}."
    )
    with pytest.raises(TypeError, match=f"^{re.escape(told)}$"):
        make(**GOOD[make] | {name: value})


@pytest.mark.parametrize("value", [1, np.int64(3)], ids=repr)
@pytest.mark.parametrize(("make", "name"), COUNTS)
def test_whole_numbers_of_any_make_are_taken(make, name, value):
    assert make(**GOOD[make] | {name: value})(0) > 0


@pytest.mark.parametrize("value", [0.1, None, "constant"], ids=repr)
def test_warmup_of_what_is_no_schedule(value):
    told = (
        f"warmup: schedule must be a function of the step, got {value!r}; "
        f"for a fixed rate pass constant(lr)."
    )
    with pytest.raises(TypeError, match=f"^{re.escape(told)}$"):
        warmup(value, steps=5)


@pytest.mark.parametrize(
    "grow", [exponential_decay(0.1, factor=2.0), step_decay(0.1, factor=2.0, every=1)], ids=range(2)
)
def test_rates_that_grow_end_at_the_largest_float(grow):
    assert math.isfinite(grow(1023))
    with pytest.raises(OverflowError):
        grow(1024)
