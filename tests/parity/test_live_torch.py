"""PyTorch as it is installed here, against the recording and against the rules."""

from __future__ import annotations

import pytest

from tests.parity.compare import (
    TOLERANCE,
    assert_same_points,
    at_kept_steps,
    read,
    recorded_points,
)
from tests.parity.record import torch_points, torch_rates
from tests.parity.runs import PARTING, RUNS, SCHEDULES, make_rule, replay


@pytest.mark.parametrize("run", [r for r in RUNS if r.framework == "torch"], ids=str)
def test_torch_still_does_what_was_recorded(run):
    """A recording gone stale would hold the rules to a PyTorch that no one has."""
    points = torch_points(run)
    assert_same_points(at_kept_steps(points), recorded_points(run))
    if not (run.drop and run.rule in PARTING):
        assert_same_points(replay(make_rule(run), run), points)


@pytest.mark.parametrize("name", SCHEDULES)
def test_torch_schedules_are_as_recorded(name):
    _, theirs = SCHEDULES[name]
    recorded = read("schedules")["rates"][name]
    assert torch_rates(*theirs) == pytest.approx(recorded, rel=TOLERANCE, abs=TOLERANCE)
