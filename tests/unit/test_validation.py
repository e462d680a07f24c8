"""The checks that the other modules share: what passes, and what the refusal says.

What the rules and the schedules refuse through them is in their own tests.
"""

from __future__ import annotations

import math
import re

import numpy as np
import pytest

from gdcourse._validation import as_start, check_choice, check_interval


@pytest.mark.parametrize("value", [5e-324, 0.5, 1 - 2**-53])
def test_open_interval_takes_what_is_inside(value):
    check_interval("backtracking", "factor", value, 0, 1, open_low=True)


@pytest.mark.parametrize("value", [0.0, -0.0, -1.0, 1.0, math.nan, math.inf])
def test_open_interval_refuses_its_ends(value):
    told = f"backtracking: factor must satisfy 0 < factor < 1, got {value!r}."
    with pytest.raises(ValueError, match=f"^{re.escape(told)}$"):
        check_interval("backtracking", "factor", value, 0, 1, open_low=True)


def test_choice():
    check_choice("numerical_gradient", "method", "central", ("central", "forward"))


@pytest.mark.parametrize("value", ["backward", "Central", "", None, 1], ids=repr)
def test_no_choice(value):
    told = f"numerical_gradient: method must be 'central' or 'forward', got {value!r}."
    with pytest.raises(ValueError, match=f"^{re.escape(told)}$"):
        check_choice("numerical_gradient", "method", value, ("central", "forward"))


@pytest.mark.parametrize(
    "x0", [3, 3.0, np.float32(3), [1, 2], [[1.0], [2.0]], np.arange(3), np.zeros(0)], ids=repr
)
def test_start_is_a_float64_copy(x0):
    start = as_start("descend", x0)
    assert start.dtype == np.float64
    assert start.shape == np.shape(x0)
    assert np.array_equal(start, x0)
    assert not np.shares_memory(start, x0)


def test_start_of_float64_is_a_copy_too():
    x0 = np.array([1.0, 2.0])
    as_start("descend", x0)[0] = 7
    assert x0[0] == 1.0


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_start_that_is_not_finite(value):
    with pytest.raises(ValueError, match=r"^descend: x0 must be finite, got \[.*\]\.$"):
        as_start("descend", [1.0, value])


@pytest.mark.parametrize(
    "x0", ["3", ["3"], None, [None], 1j, np.array([1 + 1j]), True, [[1.0], [2.0, 3.0]]], ids=repr
)
def test_start_that_holds_no_numbers(x0):
    told = f"descend: x0 must be a number or an array of numbers, got {x0!r}."
    with pytest.raises(TypeError, match=f"^{re.escape(told)}$"):
        as_start("descend", x0)
