"""Optax as it is installed here, against the recording and against the rules."""

from __future__ import annotations

import pytest

from tests.parity.compare import assert_same_points, at_kept_steps, recorded_points
from tests.parity.record import optax_points
from tests.parity.runs import RUNS, make_rule, replay


@pytest.mark.parametrize("run", [r for r in RUNS if r.framework == "optax"], ids=str)
def test_optax_still_does_what_was_recorded(run):
    points = optax_points(run)
    assert_same_points(at_kept_steps(points), recorded_points(run))
    assert_same_points(replay(make_rule(run), run), points)
