"""Every rule and schedule against what PyTorch and Optax were recorded to do.

All of it holds to ``rtol = atol = 1e-12`` as ``compare.assert_same_points`` means it.
Rounding alone, in another order of the same operations, makes about 1e-15.
"""

from __future__ import annotations

import numpy as np
import pytest

from tests.parity.compare import (
    KEPT,
    TOLERANCE,
    assert_parity,
    assert_same_points,
    at_kept_steps,
    coasting_points,
    description,
    expected_points,
    read,
    recorded_points,
    recording,
)
from tests.parity.runs import (
    COORDINATES,
    DROP_AFTER,
    HYPER,
    PARTING,
    RUNS,
    SCALES,
    SCHEDULE_STEPS,
    SCHEDULES,
    STEPS,
    Run,
    gradients,
    make_rule,
)


@pytest.mark.parametrize("framework", ["torch", "optax"])
def test_recording_is_of_these_runs(framework):
    """Gradients, runs or steps changed without recording anew would compare nothing."""
    told = read(framework)
    assert {key: told[key] for key in description(framework)} == description(framework)
    _, points = recording(framework)
    assert points.shape == (len(told["runs"]), len(told["steps"]), COORDINATES)
    assert points.dtype == np.float64
    assert np.isfinite(points).all()


@pytest.mark.parametrize("scale", SCALES)
def test_gradients_are_as_hard_as_promised(scale):
    grad = gradients(scale)
    assert grad.shape == (STEPS, COORDINATES) == (200, 12)
    assert not grad[0].any()
    assert not grad[:15, 3].any()
    assert grad[15:, 3].any()
    assert 0.08 < np.mean(grad == 0) < 0.14
    assert (grad > 0).any(axis=0).all()
    assert (grad < 0).any(axis=0).all()
    largest = 1e3 if scale == "mixed" else float(scale)
    assert 0.9 * largest < np.abs(grad).max() < largest


@pytest.mark.parametrize("run", RUNS, ids=str)
def test_rule_makes_the_expected_points(run):
    """The recorded ones; under a dropping rate, our velocity's own closed form."""
    assert_parity(make_rule(run), run)


@pytest.mark.parametrize("rule", PARTING)
def test_closed_form_of_the_velocity_is_torchs_at_a_constant_rate(rule):
    """So that the closed form can be trusted where PyTorch cannot be asked."""
    run = Run(rule)
    assert_same_points(at_kept_steps(coasting_points(run)), recorded_points(run))


def rate_outside(run):
    """Return the points of PyTorch's own form, where lr multiplies the velocity."""
    rule = make_rule(run)
    lr, mu = rule.lr, rule.momentum
    x = v = np.zeros(COORDINATES)
    points = []
    for step, g in enumerate(gradients(run.scale)):
        if run.drop and step == DROP_AFTER:
            lr /= 10
        v = mu * v + g
        x = x - lr * (g + mu * v if run.rule == "Nesterov" else v)
        points.append(x)
    return np.stack(points)


@pytest.mark.parametrize("rule", PARTING)
def test_where_the_rate_stands_is_what_parts_us_from_torch(rule):
    """Equal until lr drops; then ours coasts on the velocity of the old rate."""
    run = Run(rule, drop=True)
    ours, torchs = expected_points(run), recorded_points(run)
    assert_same_points(at_kept_steps(rate_outside(run)), torchs)
    before = np.array(KEPT) <= DROP_AFTER
    assert_same_points(ours[before], torchs[before])
    apart = np.abs(ours - torchs)[~before].max(axis=1) / np.abs(torchs).max()
    assert (apart > 0.01).all()


@pytest.mark.parametrize("name", SCHEDULES)
def test_schedule_makes_the_recorded_rates(name):
    schedule, (theirs, lr, options) = SCHEDULES[name]
    # PyTorch's cosine rises again after T_max, ours stays.
    last = options.get("T_max", SCHEDULE_STEPS - 1)
    expected = np.array(read("schedules")["rates"][name])
    rates = np.array([schedule(t) for t in range(SCHEDULE_STEPS)])
    assert rates[0] == pytest.approx(expected[0], rel=TOLERANCE)
    np.testing.assert_allclose(
        rates[: last + 1], expected[: last + 1], rtol=TOLERANCE, atol=TOLERANCE * lr
    )
    if theirs == "CosineAnnealingLR":
        assert (np.diff(expected[last:]) > 0).all()
        assert (rates[last:] == options.get("eta_min", 0.0)).all()


def test_every_rule_is_compared():
    """Each rule with its defaults and at least two more sets, at every scale."""
    for rule, sets in HYPER.items():
        assert {} in sets
        assert len(sets) >= 3
        runs = [run for run in RUNS if run.rule == rule and not run.drop]
        assert len(runs) == len(sets) * len(SCALES), rule


class TestTheComparison:
    """The tolerance that everything here rests on, tried by hand."""

    expected = np.array([[1.0, 1e-9, 0.0], [4.0, 3e-9, 0.0]])

    @pytest.mark.parametrize("change", [0.9e-12, -0.9e-12])
    def test_passes_within(self, change):
        assert_same_points(self.expected * (1 + 2 * change), self.expected)

    @pytest.mark.parametrize(
        ("row", "i", "change"),
        [
            (0, 0, 5.1e-12),
            (1, 0, -8.1e-12),
            (0, 1, 4.1e-21),
            (1, 1, 6.1e-21),
            (0, 2, 5e-324),
            (1, 2, np.nan),
        ],
    )
    def test_fails_beyond(self, row, i, change):
        actual = self.expected.copy()
        actual[row, i] += change
        with pytest.raises(AssertionError, match=f"at row {row}, coordinate {i}"):
            assert_same_points(actual, self.expected)

    def test_fails_for_another_shape(self):
        with pytest.raises(AssertionError):
            assert_same_points(self.expected[:1], self.expected)
